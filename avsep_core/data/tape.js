// Tracks that run in step, and the controls of their time: what the player and the desk share.
// `level(i)` is the volume of track i. A film may take part: it is told to begin at a time (`cue`),
// to keep up with it (`follow`) and to stop at it (`rest`).
const RATE = 48000, STEP = 0.25;
function tape(level, { cue = () => {}, follow = () => {}, rest = () => {} } = {}) {
  const FADE = 0.008, { tracks, seconds } = data;
  const slider = document.querySelector('[role="slider"]');
  let at = 0, playing = false, loop = false;
  let context = null, buffers = null, decoding = null, take = null;

  // Sound. All tracks start together and run on; only their gains move.
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
      gain.gain.value = level(i);
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
  function fade() {
    if (!take) return;
    const now = context.currentTime;
    take.gains.forEach((gain, i) => {
      gain.gain.cancelScheduledValues(now);
      gain.gain.setValueAtTime(gain.gain.value, now);
      gain.gain.linearRampToValueAtTime(level(i), now + FADE);
    });
  }
  const elapsed = () => context.currentTime - (context.outputLatency || 0) - take.origin;
  function time() {
    if (!take) return at;
    const t = Math.max(take.from, elapsed());
    return loop ? t % seconds : Math.min(t, seconds);
  }

  // Time.
  function tell() {
    const t = time();
    slider.setAttribute("aria-valuenow", t.toFixed(2));
    slider.setAttribute("aria-valuetext", `${t.toFixed(2)} of ${seconds.toFixed(2)} seconds`);
  }
  function tick() {
    if (!playing) return;
    const t = time();
    if (!loop && t >= seconds) { finish(); return; }
    clock(t, seconds);
    follow(t, elapsed() > take.from);
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
    rest(t);
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
      cue(at);
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
      cue(t);
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

  function listen() {
    $("play").addEventListener("click", toggle);
    $("loop").addEventListener("click", repeat);
    const point = (e) => {
      const r = slider.getBoundingClientRect();
      seek(((e.clientX - r.left) / r.width) * seconds);
    };
    slider.setAttribute("aria-valuemax", seconds.toFixed(2));
    slider.addEventListener("pointerdown", (e) => { slider.setPointerCapture(e.pointerId); point(e); });
    slider.addEventListener("pointermove", (e) => { if (slider.hasPointerCapture(e.pointerId)) point(e); });
    $("card").addEventListener("pointerenter", () => decode().catch(() => {}), { once: true });
  }
  const keys = (move = STEP) => ({
    " ": toggle, k: toggle, l: repeat, "?": help,
    ArrowLeft: () => seek(time() - move), ArrowRight: () => seek(time() + move),
    Home: () => seek(0), End: () => seek(seconds),
  });
  listen();
  return {
    decode, play, pause, toggle, seek, fade, keys,
    get time() { return time(); }, get playing() { return playing; }, get loop() { return loop; },
    get gains() { return take ? take.gains.map((g) => g.gain.value) : null; },
  };
}
