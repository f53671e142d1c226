(() => {
  const { tracks, seconds, photo } = data;
  const OFF = -40, TALLEST = 300, WIDEST = 500;
  let alone = -1;

  // Who is heard alone stands in the light.
  const shade = document.createElement("div");
  shade.className = "shade";
  // A volume in dB; at the lower end of its slider a sound is off.
  const rows = tracks.map(row), boxes = tracks.map(box);
  const volume = (i) => +rows[i].slider.value;
  const run = tape((i) => (volume(i) > OFF && (alone < 0 || alone === i) ? 10 ** (volume(i) / 20) : 0));

  function paint() {
    rows.forEach(({ label, slider, shown }, i) => {
      const off = volume(i) <= OFF, text = off ? "\u2212∞" : String(volume(i)).replace("-", "\u2212");
      shown.textContent = `${text} dB`;
      slider.setAttribute("aria-valuetext", off ? "off" : shown.textContent);
      label.classList.toggle("mute", alone >= 0 && alone !== i);
    });
    boxes.forEach((button, i) => button?.setAttribute("aria-pressed", alone === i));
    shade.hidden = alone < 0;
    if (alone >= 0) spread(shade, tracks[alone].box);
    run.fade();
  }
  function turn(i) {
    // What is moved is heard: the volume of a sound that is left out brings all back.
    if (alone >= 0 && alone !== i) hear(-1);
    else paint();
  }
  function hear(i) {
    alone = i;
    if (i >= 0 && volume(i) <= OFF) rows[i].slider.value = 0;
    paint();
    say(i < 0 ? "All sounds" : `${tracks[i].name} alone`);
  }
  function choose(i) {
    if (!boxes[i]) return;
    hear(alone === i ? -1 : i);
    if (alone === i) run.play();
  }
  function reset() {
    for (const { slider } of rows) slider.value = 0;
    hear(-1);
    say("All sounds at full volume");
  }

  // The page.
  function named(t, i, parent) {
    const digit = document.createElement("small");
    digit.textContent = i + 1;
    digit.setAttribute("aria-hidden", "true");
    if (t.box && i < 9) parent.append(digit);
    parent.append(t.name);
  }
  function row(t, i) {
    const label = document.createElement("label"), name = document.createElement("span");
    const slider = document.createElement("input"), shown = document.createElement("output");
    label.className = "fader";
    named(t, i, name);
    Object.assign(slider, { type: "range", min: OFF, max: 0, step: 1 });
    slider.value = 0;
    slider.setAttribute("aria-label", `Volume of ${t.name}`);
    slider.addEventListener("input", () => turn(i));
    shown.setAttribute("aria-hidden", "true");
    label.append(name, shown, slider);
    $("faders").append(label);
    return { label, slider, shown };
  }
  function spread(element, place) {
    ["left", "top", "width", "height"].forEach((side, k) => { element.style[side] = `${100 * place[k]}%`; });
  }
  function box(t, i) {
    if (!t.box) return null;
    const button = document.createElement("button"), tag = document.createElement("span");
    const [left, top, wide, high] = t.box;
    spread(button, t.box);
    button.type = "button";
    button.className = "box";
    button.title = `Hear it alone${i < 9 ? ` (${i + 1})` : ""}; again: all`;
    button.setAttribute("aria-label", `Hear ${t.name} alone`);
    // A box within another lies above it, so that each can be clicked.
    button.style.zIndex = Math.round(1000 * (1 - wide * high));
    tag.className = "tag";
    tag.classList.toggle("above", top > 0.12);
    tag.classList.toggle("leftwards", left + wide / 2 > 0.6);
    named(t, i, tag);
    button.append(tag);
    button.addEventListener("click", () => choose(i));
    return button;
  }
  function build() {
    const img = new Image(data.width, data.height), seen = tracks.filter((t) => t.box).map((t) => t.name);
    img.alt = seen.length ? `Picture with ${seen.join(", ")}` : "Picture";
    img.src = `data:image/webp;base64,${photo}`;
    const wide = Math.min(WIDEST, Math.round((TALLEST * data.width) / data.height));
    $("desk").style.setProperty("--wide", `${wide}px`);
    $("scene").append(img, shade, ...boxes.filter(Boolean));
    $("hint").hidden = $("alonekeys").hidden = !seen.length;
  }
  function listen() {
    $("reset").addEventListener("click", reset);
    onKey(document, (e) => {
      const { target, key } = e;
      if (key === " " && target.tagName === "BUTTON") return null;
      if (target.type === "range" && /^(Arrow|Home|End)/.test(key)) return null;
      return /^[1-9]$/.test(key) ? () => choose(key - 1) : { ...run.keys(), r: reset }[key];
    });
  }
  window.player = window.desk = {
    sounds: tracks.map((t) => t.name), duration: seconds,
    decode: run.decode, play: run.play, pause: run.pause, seek: run.seek,
    get alone() { return alone < 0 ? null : tracks[alone].name; }, get time() { return run.time; },
    get playing() { return run.playing; }, get gains() { return run.gains; }, get error() { return error; },
  };
  build();
  listen();
  paint();
  run.seek(0);
  furnish();
})();
