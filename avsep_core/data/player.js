(() => {
  const AHEAD = 0.014;
  const { tracks, seconds, fps, frames } = data;
  const video = data.video ? $("video") : null;
  let track = 0, masked = false;

  // Sound and picture. The sound's clock leads; the film follows it.
  const run = tape((i) => (i === track ? 1 : 0), { cue, follow, rest });
  let wanted = null;
  const frameAt = (t) => clamp(Math.floor(t * fps + 1e-6), 0, frames - 1);
  function show(t) {
    if (!video) return;
    wanted = (frameAt(t) + 0.5) / fps;
    if (!video.seeking && video.readyState) { video.currentTime = wanted; wanted = null; }
  }
  function follow(t, heard) {
    if (!video || video.seeking || !video.readyState) return;
    // A browser paints a film's frame about one refresh of the screen ahead of its clock.
    const drift = video.currentTime + AHEAD - t;
    if (Math.abs(drift) > 0.1 && t < (frames - 0.5) / fps) video.currentTime = t;
    else video.playbackRate = Math.abs(drift) > 0.004 ? clamp(1 - 5 * drift, 0.7, 1.4) : 1;
    if (video.paused && !video.ended && heard) video.play().catch(() => {});
  }
  function cue(t) { if (video) video.currentTime = Math.min(t, (frames - 0.5) / fps); }
  function rest(t) {
    if (video) { video.pause(); video.playbackRate = 1; }
    show(t);
  }

  // Tracks.
  function paint() {
    const t = tracks[track], mask = masked && t.mask;
    document.querySelectorAll("#images img").forEach((img) => {
      img.hidden = img.dataset.key !== `${track}${mask ? "m" : "s"}`;
    });
    const kind = mask ? "mask" : "spectrogram", scale = data.scales[kind];
    $("what").textContent = `${kind} of ${t.name}`;
    [$("low").textContent, $("high").textContent] = scale.labels;
    $("scale").style.background = `linear-gradient(90deg, ${scale.colours.join(",")})`;
    $("mask").disabled = !t.mask;
    $("mask").setAttribute("aria-pressed", Boolean(mask));
  }
  function select(i) {
    if (!(i >= 0 && i < tracks.length)) return;
    track = i;
    document.getElementsByName("track")[i].checked = true;
    run.fade();
    paint();
    say(`Track ${i + 1} of ${tracks.length}: ${tracks[i].name}`);
  }
  function unmask() {
    if (!tracks[track].mask) return;
    masked = !masked;
    paint();
    say($("what").textContent);
  }

  // The page.
  function picture(key, source, text) {
    const img = new Image();
    img.alt = text;
    img.dataset.key = key;
    img.hidden = true;
    img.src = `data:image/webp;base64,${source}`;
    $("images").append(img);
  }
  function build() {
    tracks.forEach((t, i) => {
      const label = document.createElement("label"), input = document.createElement("input");
      const chip = document.createElement("span"), digit = document.createElement("small");
      Object.assign(input, { type: "radio", name: "track", value: i });
      input.setAttribute("aria-label", t.name);
      input.addEventListener("change", () => select(i));
      chip.className = "chip";
      if (i < 9) { digit.textContent = i + 1; digit.setAttribute("aria-hidden", "true"); chip.append(digit); }
      chip.append(t.name);
      label.append(input, chip);
      $("tracks").append(label);
      picture(`${i}s`, t.picture, `Spectrogram of ${t.name}`);
      if (t.mask) picture(`${i}m`, t.mask, `Mask of ${t.name}`);
    });
    const masks = tracks.some((t) => t.mask);
    $("mask").hidden = !masks;
    $("maskkey").hidden = !masks;
    if (!video) return;
    $("film").hidden = false;
    $("views").classList.add("seen");
    const wide = Math.round((180 * data.width) / data.height);
    $("views").style.setProperty("--film", `min(46%, ${wide}px)`);
    $("views").style.setProperty("--film-width", `${wide}px`);
    video.setAttribute("aria-label", `Video, ${frames} frames`);
    const coded = bytes(data.video);
    video.src = URL.createObjectURL(new Blob([coded], { type: "video/webm" }));
    video.addEventListener("error", () => {
      if (!video.src.startsWith("data:")) video.src = `data:video/webm;base64,${data.video}`;
      else { $("film").hidden = true; $("views").classList.remove("seen"); fail("This browser cannot show the video (VP9 in WebM)."); }
    });
    const settle = () => { if (!run.playing && wanted !== null) { video.currentTime = wanted; wanted = null; } };
    video.addEventListener("seeked", settle);
    video.addEventListener("loadeddata", () => { if (!run.playing) show(run.time); });
    video.addEventListener("click", run.toggle);
  }
  function listen() {
    $("mask").addEventListener("click", unmask);
    onKey(document, (e) => {
      const radio = e.target.name === "track", key = e.key, n = tracks.length;
      const move = e.shiftKey ? 1 / (fps || 25) : STEP;
      if (key === " " && e.target.tagName === "BUTTON") return null;
      if (radio && key.startsWith("Arrow")) return null;
      const acts = {
        ...run.keys(move), m: unmask,
        ArrowUp: () => select((track + n - 1) % n), ArrowDown: () => select((track + 1) % n),
      };
      return /^[1-9]$/.test(key) ? () => select(+key - 1) : acts[key];
    });
  }
  window.player = {
    tracks: tracks.map((t) => t.name), duration: seconds, frames, video, select,
    decode: run.decode, play: run.play, pause: run.pause, toggle: run.toggle, seek: run.seek,
    get track() { return tracks[track].name; }, get time() { return run.time; },
    get playing() { return run.playing; }, get loop() { return run.loop; }, get error() { return error; },
    get frame() { return video ? frameAt(run.time) : null; }, get gains() { return run.gains; },
  };
  build();
  listen();
  select(0);
  say("");
  run.seek(0);
  axes(data.top, seconds);
  furnish();
})();
