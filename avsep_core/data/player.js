(() => {
  const RATE = 48000, FADE = 0.008, AHEAD = 0.014, STEP = 0.25;
  const { tracks, seconds, fps, frames } = data;
  const video = data.video ? $("video") : null;
  let track = 0, at = 0, playing = false, loop = false, masked = false;
  let context = null, buffers = null, decoding = null, take = null;

  // Sound. All tracks start together and run on; switching only moves their gains.
  function cut(raw) {
    const x = raw.getChannelData(0), k = RATE / data.rate;
    const end = Math.min(x.length, Math.round((data.lead + data.gap - 200) * k));
    let peak = 0;
    for (let i = 1; i < end; i++) if (Math.abs(x[i]) > Math.abs(x[peak])) peak = i;
    if (!end || Math.abs(x[peak]) < 0.2) throw new Error("no mark at the beginning of a track");
    const out = new AudioBuffer({ length: Math.round(seconds * RATE), sampleRate: RATE });
    out.copyToChannel(x.subarray(peak + Math.round(data.gap * k)).subarray(0, out.length), 0);
    return out;
  }
  function decode() {
    decoding ||= (async () => {
      const offline = new OfflineAudioContext(1, 1, RATE);
      const all = tracks.map((t) => offline.decodeAudioData(bytes(t.audio).buffer).then(cut));
      buffers = await Promise.all(all);
      return buffers;
    })();
    return decoding;
  }
  function start(from) {
    stop();
    const master = context.createGain(), when = context.currentTime + 0.03;
    master.connect(context.destination);
    const gains = buffers.map((_, i) => {
      const gain = context.createGain();
      gain.gain.value = i === track ? 1 : 0;
      gain.connect(master);
      return gain;
    });
    const sources = buffers.map((buffer, i) => {
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.loop = loop;
      source.connect(gains[i]);
      source.start(when, from);
      return source;
    });
    take = { master, gains, sources, from, origin: when - from };
    const mine = take;
    sources[0].onended = () => { if (take === mine && playing) finish(); };
  }
  function stop() {
    if (!take) return;
    const now = context.currentTime;
    take.master.gain.setTargetAtTime(0, now, 0.003);
    for (const source of take.sources) source.stop(now + 0.03);
    take = null;
  }
  const elapsed = () => context.currentTime - (context.outputLatency || 0) - take.origin;
  function time() {
    if (!take) return at;
    const t = Math.max(take.from, elapsed());
    return loop ? t % seconds : Math.min(t, seconds);
  }

  // Picture. The sound's clock leads; the film follows it.
  let wanted = null;
  const frameAt = (t) => clamp(Math.floor(t * fps + 1e-6), 0, frames - 1);
  function show(t) {
    if (!video) return;
    wanted = (frameAt(t) + 0.5) / fps;
    if (!video.seeking && video.readyState) { video.currentTime = wanted; wanted = null; }
  }
  function follow(t) {
    if (!video || video.seeking || !video.readyState) return;
    // A browser paints a film's frame about one refresh of the screen ahead of its clock.
    const drift = video.currentTime + AHEAD - t;
    if (Math.abs(drift) > 0.1 && t < (frames - 0.5) / fps) video.currentTime = t;
    else video.playbackRate = Math.abs(drift) > 0.004 ? clamp(1 - 5 * drift, 0.7, 1.4) : 1;
    if (video.paused && !video.ended && elapsed() > take.from) video.play().catch(() => {});
  }
  function tell() {
    const t = time(), box = $("picture");
    box.setAttribute("aria-valuenow", t.toFixed(2));
    box.setAttribute("aria-valuetext", `${t.toFixed(2)} of ${seconds.toFixed(2)} seconds`);
  }
  function tick() {
    if (!playing) return;
    const t = time();
    if (!loop && t >= seconds) { finish(); return; }
    clock(t, seconds);
    follow(t);
    requestAnimationFrame(tick);
  }
  function button() {
    $("icon").setAttribute("d", playing ? "M6 4.5h4.2v15H6zM13.8 4.5H18v15h-4.2z" : PLAY);
    $("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  }
  function halt(t) {
    stop();
    playing = false;
    at = t;
    if (video) { video.pause(); video.playbackRate = 1; }
    show(t);
    clock(t, seconds);
    tell();
    button();
  }
  function finish() { halt(seconds); say("End"); }
  async function play() {
    if (playing) return;
    await sounding(async () => {
      context ||= new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
      const awake = context.state === "running" ? null : context.resume();
      await decode();
      await awake;
      if (at >= seconds - 1e-3) at = 0;
      start(at);
      playing = true;
      if (video) video.currentTime = Math.min(at, (frames - 0.5) / fps);
      button();
      requestAnimationFrame(tick);
    });
  }
  function pause() { if (playing) { halt(time()); say(`Paused at ${at.toFixed(2)} seconds`); } }
  const toggle = () => (playing ? pause() : play());
  function seek(t) {
    t = clamp(t, 0, seconds);
    if (playing && t < seconds) {
      start(t);
      if (video) video.currentTime = t;
      clock(t, seconds);
      tell();
    } else halt(t);
  }
  function repeat() {
    const t = take ? time() : at;
    loop = !loop;
    $("loop").setAttribute("aria-pressed", loop);
    if (take) {
      take.origin = context.currentTime - (context.outputLatency || 0) - t;
      take.from = Math.min(take.from, t);
      for (const source of take.sources) source.loop = loop;
    }
    say(loop ? "Loop on" : "Loop off");
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
    if (take) {
      const now = context.currentTime;
      take.gains.forEach((gain, j) => {
        gain.gain.cancelScheduledValues(now);
        gain.gain.setValueAtTime(gain.gain.value, now);
        gain.gain.linearRampToValueAtTime(j === i ? 1 : 0, now + FADE);
      });
    }
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
    $("picture").setAttribute("aria-valuemax", seconds.toFixed(2));
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
    const settle = () => { if (!playing && wanted !== null) { video.currentTime = wanted; wanted = null; } };
    video.addEventListener("seeked", settle);
    video.addEventListener("loadeddata", () => { if (!playing) show(at); });
    video.addEventListener("click", toggle);
  }
  function listen() {
    $("play").addEventListener("click", toggle);
    $("loop").addEventListener("click", repeat);
    $("mask").addEventListener("click", unmask);
    const box = $("picture");
    const point = (e) => {
      const r = box.getBoundingClientRect();
      seek(((e.clientX - r.left) / r.width) * seconds);
    };
    box.addEventListener("pointerdown", (e) => { box.setPointerCapture(e.pointerId); point(e); });
    box.addEventListener("pointermove", (e) => { if (box.hasPointerCapture(e.pointerId)) point(e); });
    $("card").addEventListener("pointerenter", () => decode().catch(() => {}), { once: true });
    onKey(document, (e) => {
      const radio = e.target.name === "track", key = e.key, n = tracks.length;
      const move = e.shiftKey ? 1 / (fps || 25) : STEP;
      if (key === " " && e.target.tagName === "BUTTON") return null;
      if (radio && key.startsWith("Arrow")) return null;
      const acts = {
        " ": toggle, k: toggle, l: repeat, m: unmask, "?": help,
        ArrowLeft: () => seek(time() - move), ArrowRight: () => seek(time() + move),
        ArrowUp: () => select((track + n - 1) % n), ArrowDown: () => select((track + 1) % n),
        Home: () => seek(0), End: () => seek(seconds),
      };
      return /^[1-9]$/.test(key) ? () => select(+key - 1) : acts[key];
    });
  }
  window.player = {
    tracks: tracks.map((t) => t.name), duration: seconds, frames, video, decode, play, pause, toggle, select, seek,
    get track() { return tracks[track].name; }, get time() { return time(); },
    get playing() { return playing; }, get loop() { return loop; }, get error() { return error; },
    get frame() { return video ? frameAt(time()) : null; },
    get gains() { return take ? take.gains.map((g) => g.gain.value) : null; },
  };
  build();
  listen();
  select(0);
  say("");
  halt(0);
  furnish(data.top, seconds);
})();
