(() => {
  const { frames, bins, grid, rate, length } = data;
  const seconds = length / rate, cells = frames * bins, KINDS = ["painted", "rest", "mixture"];
  const STOP = "M6 6h12v12H6z", RANGE = 60;
  let erase = false, context = null, take = null, drawing = 0;

  const bits = (text) => { const b = bytes(text); return Uint8Array.from({ length: cells }, (_, i) => (b[i >> 3] >> (7 - (i & 7))) & 1); };

  // The bins, frame by frame; the points are the counted ones, in the same order.
  const X = new Int16Array(bytes(data.X).buffer), counted = bits(data.counted), painted = bits(data.start);
  const places = bytes(data.points), bin = new Uint32Array(places.length / 2);
  for (let i = 0, k = 0; i < cells; i++) if (counted[i]) bin[k++] = i;
  const power = Float64Array.from({ length: cells }, (_, i) => X[2 * i] ** 2 + X[2 * i + 1] ** 2);
  const column = (k) => places[2 * k], line = (k) => grid - 1 - places[2 * k + 1];

  // Sound: the weighted overlap-add of avsep_core.spectrogram.STFT.inverse.
  const N = data.fft, turn = Float64Array.from({ length: N }, (_, i) => (2 * Math.PI * i) / N);
  const cos = turn.map(Math.cos), sin = turn.map(Math.sin);
  const inRe = new Float64Array(N), inIm = new Float64Array(N), re = new Float64Array(N), im = new Float64Array(N);
  function transform(n, from, step, to) {
    if (n % 2) {
      for (let k = 0; k < n; k++) {
        let a = 0, b = 0;
        for (let j = 0; j < n; j++) {
          const w = ((j * k) % n) * step, i = from + j * step;
          a += inRe[i] * cos[w] - inIm[i] * sin[w];
          b += inRe[i] * sin[w] + inIm[i] * cos[w];
        }
        re[to + k] = a;
        im[to + k] = b;
      }
      return;
    }
    const half = n / 2;
    transform(half, from, 2 * step, to);
    transform(half, from + step, 2 * step, to + half);
    for (let k = to, w = 0; k < to + half; k++, w += step) {
      const a = re[k + half] * cos[w] - im[k + half] * sin[w], b = re[k + half] * sin[w] + im[k + half] * cos[w];
      re[k + half] = re[k] - a;
      im[k + half] = im[k] - b;
      re[k] += a;
      im[k] += b;
    }
  }
  const ramp = (n) => Math.sin((Math.PI * n) / data.window);
  const weights = Float64Array.from({ length: data.window }, (_, n) => ({ hann: ramp(n) ** 2, sqrt_hann: ramp(n), rectangular: 1 })[data.shape]);
  function inverse(kept) {
    const { window: wide, hop, lead, scale, floor } = data, whole = (frames - 1) * hop + wide;
    const sum = new Float64Array(whole), total = new Float64Array(whole), out = new Float32Array(length);
    for (let t = 0; t < frames; t++) {
      for (let f = 0; f < bins; f++) {
        const i = t * bins + f, level = kept(i) ? scale / N : 0;
        inRe[f] = X[2 * i] * level;
        inIm[f] = X[2 * i + 1] * level;
      }
      for (let f = bins; f < N; f++) { inRe[f] = inRe[N - f]; inIm[f] = -inIm[N - f]; }
      transform(N, 0, 1, 0);
      for (let n = 0; n < wide; n++) {
        sum[t * hop + n] += re[n] * weights[n];
        total[t * hop + n] += weights[n] ** 2;
      }
    }
    const least = floor * total.subarray(lead, lead + length).reduce((a, b) => Math.max(a, b), 0);
    const first = Math.max(0, (data.shape === "rectangular" ? 0 : 1) - lead);
    for (let n = first; n < Math.min(length, whole - lead); n++) out[n] = sum[n + lead] / Math.max(total[n + lead], least);
    return out;
  }
  const samples = (kind) => inverse([(i) => painted[i], (i) => counted[i] && !painted[i], () => true][kind]);

  function begin(kind, from) {
    const sound = samples(kind), source = context.createBufferSource(), gain = context.createGain();
    source.buffer = context.createBuffer(1, length, rate);
    source.buffer.copyToChannel(sound.map((x) => x * data.gain), 0);
    source.connect(gain).connect(context.destination);
    const when = context.currentTime + 0.03;
    gain.gain.setValueAtTime(0, when);
    gain.gain.linearRampToValueAtTime(1, when + 0.005);
    hush();
    source.start(when, from);
    take = { kind, source, gain, from, origin: when - from };
    const mine = take;
    source.onended = () => { if (take === mine) stop("End"); };
  }
  function hush() {
    if (!take) return;
    take.gain.gain.setTargetAtTime(0, context.currentTime, 0.003);
    take.source.stop(context.currentTime + 0.03);
    take = null;
  }
  const time = () => (take ? clamp(context.currentTime - (context.outputLatency || 0) - take.origin, take.from, seconds) : 0);
  function stop(word) {
    if (!take) return;
    hush();
    buttons();
    say(word);
  }
  async function play(kind = 0) {
    await sounding(async () => {
      if (!context) {
        try { context = new AudioContext({ sampleRate: rate }); } catch { context = new AudioContext(); }
      }
      await context.resume();
      begin(kind, 0);
      buttons();
      requestAnimationFrame(tick);
    });
  }
  const toggle = (kind) => (take && take.kind === kind ? stop("Stopped") : play(kind));
  function tick() {
    $("cursor").hidden = !take;
    clock(time(), seconds);
    if (take) requestAnimationFrame(tick);
  }
  function buttons() {
    [...$("hear").children].forEach((button, kind) => {
      const on = Boolean(take) && take.kind === kind;
      button.classList.toggle("playing", on);
      button.setAttribute("aria-label", `${on ? "Stop" : "Play"} ${KINDS[kind]}`);
      button.querySelector("path").setAttribute("d", on ? STOP : PLAY);
    });
    tick();
  }

  // Pictures. At the same density or level, painted is brighter than the rest, and of another colour.
  const mix = (low, high, v) => low.map((c, j) => c + (high[j] - c) * v);
  const packed = ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r;
  const table = (low, high) => Uint32Array.from({ length: 256 }, (_, i) => packed(mix(low, high, i / 255)));
  const ends = [[70, 76, 88], [142, 151, 170], [214, 122, 14], [255, 226, 120]], SHARES = 8, PAPER = packed([13, 15, 20]);
  // A cell of which a part is painted lies between both colours, nearer to the painted one.
  const DOTS = Array.from({ length: SHARES + 1 }, (_, s) => {
    const part = s ? 0.55 + (0.45 * s) / SHARES : 0;
    return table(mix(ends[0], ends[2], part), mix(ends[1], ends[3], part));
  });
  const HEAT = [table([13, 15, 20], [196, 202, 212]), table([92, 50, 4], [255, 226, 120])];
  const loudest = power.reduce((a, b) => Math.max(a, b), 1e-9);
  const shade = Uint8Array.from(power, (p) => 255 * clamp(1 + (10 * Math.log10(p / loudest + 1e-12)) / RANGE, 0, 1));
  const views = ["plane", "bins"].map((id, view) => {
    const canvas = $(id);
    [canvas.width, canvas.height] = view ? [frames, bins] : [grid, grid];
    const pen = canvas.getContext("2d"), image = pen.createImageData(canvas.width, canvas.height);
    return { view, canvas, pen, image, pixels: new Uint32Array(image.data.buffer), ring: canvas.parentElement.querySelector(".ring"), u: 0.5, v: 0.5 };
  });
  const many = new Uint32Array(grid * grid), some = new Uint32Array(grid * grid);
  for (let k = 0; k < bin.length; k++) many[line(k) * grid + column(k)]++;
  const most = Math.log1p(many.reduce((a, b) => Math.max(a, b), 1));
  const level = Uint8Array.from(many, (n) => (255 * Math.log1p(n)) / most);
  function draw() {
    drawing = 0;
    const [plane, heat] = views.map((v) => v.pixels);
    some.fill(0);
    for (let k = 0; k < bin.length; k++) some[line(k) * grid + column(k)] += painted[bin[k]];
    for (let i = 0; i < many.length; i++) {
      plane[i] = many[i] ? DOTS[Math.ceil((SHARES * some[i]) / many[i])][level[i]] : PAPER;
    }
    for (let t = 0; t < frames; t++) {
      for (let f = 0; f < bins; f++) heat[(bins - 1 - f) * frames + t] = HEAT[painted[t * bins + f]][shade[t * bins + f]];
    }
    for (const v of views) v.pen.putImageData(v.image, 0, 0);
    let count = 0, energy = 0, all = 0;
    for (const i of bin) { count += painted[i]; all += power[i]; energy += painted[i] * power[i]; }
    const said = (x) => `${Math.round(100 * x)}\u202f%`;
    $("share").textContent = `painted: ${said(count / bin.length)} of the points, ${said(energy / (all || 1))} of their energy`;
    $("hear").children[0].disabled = !count;
    $("hear").children[1].disabled = count === bin.length;
  }
  const redraw = () => { drawing ||= requestAnimationFrame(draw); };

  // Painting. A place in either view is (u, v), from the upper left corner, 0 to 1.
  const radius = () => +$("size").value / grid;
  function under(view, u, v, act) {
    if (!view) {
      const r2 = radius() ** 2;
      for (let k = 0; k < bin.length; k++) {
        if (((column(k) + 0.5) / grid - u) ** 2 + ((line(k) + 0.5) / grid - v) ** 2 <= r2) act(bin[k]);
      }
      return;
    }
    // The brush is as large on the screen as in the plane, and never smaller than a bin.
    const { clientWidth: wide, clientHeight: high } = views[1].canvas, side = radius() * (views[0].canvas.clientWidth || 300);
    const ru = Math.max(side / (wide || 400), 0.51 / frames), rv = Math.max(side / (high || 300), 0.51 / bins);
    for (let t = Math.max(0, Math.floor((u - ru) * frames)); t < Math.min(frames, (u + ru) * frames); t++) {
      for (let f = Math.max(0, Math.floor((1 - v - rv) * bins)); f < Math.min(bins, (1 - v + rv) * bins); f++) {
        const near = (((t + 0.5) / frames - u) / ru) ** 2 + ((1 - (f + 0.5) / bins - v) / rv) ** 2 <= 1;
        if (near && counted[t * bins + f]) act(t * bins + f);
      }
    }
  }
  function stroke(view, from, to, wiped = erase) {
    const { clientWidth: wide, clientHeight: high } = views[view].canvas;
    const far = Math.hypot((to[0] - from[0]) * wide, (to[1] - from[1]) * high) / (views[0].canvas.clientWidth || 300);
    const steps = Math.max(1, Math.ceil((2 * far) / radius()));
    for (let s = 0; s <= steps; s++) under(view, ...mix(from, to, s / steps), (i) => { painted[i] = wiped ? 0 : 1; });
    redraw();
  }
  function done() {
    draw();
    if (take && $("hear").children[take.kind].disabled) stop("Nothing is left to hear");
    else if (take && take.kind < 2) begin(take.kind, time());
    say($("share").textContent);
  }
  function change(act) {
    for (const i of bin) painted[i] = act(painted[i]);
    done();
  }
  function erasing() {
    erase = !erase;
    $("erase").setAttribute("aria-pressed", erase);
    for (const v of views) v.ring.classList.toggle("erasing", erase);
    say(erase ? "The brush erases" : "The brush paints");
  }
  function ring({ ring: mark, u, v }, shown) {
    const wide = `${2 * radius() * views[0].canvas.clientWidth}px`;
    Object.assign(mark.style, { left: `${100 * u}%`, top: `${100 * v}%`, width: wide, height: wide });
    mark.hidden = !shown;
  }
  function size(step) {
    $("size").value = +$("size").value + step;
    for (const v of views) ring(v, !v.ring.hidden);
  }
  function move(v, du, dv) {
    [v.u, v.v] = [clamp(v.u + du, 0, 1), clamp(v.v + dv, 0, 1)];
    ring(v, true);
    let count = 0;
    under(v.view, v.u, v.v, () => { count++; });
    const place = v.view ? `${(v.u * seconds).toFixed(2)} s, ${Math.round(((1 - v.v) * rate) / 2)} Hz: ` : "";
    say(`${place}${count} points under the brush`);
  }

  // The page.
  function build() {
    KINDS.forEach((name, kind) => {
      const button = document.createElement("button");
      button.type = "button";
      button.title = `Play or stop (${kind + 1})`;
      button.innerHTML = '<svg viewBox="0 0 24 24" aria-hidden="true"><path></path></svg>';
      button.append(name);
      button.addEventListener("click", () => toggle(kind));
      $("hear").append(button);
    });
  }
  function listen() {
    for (const v of views) {
      let last = null;
      const place = (e) => {
        const r = v.canvas.getBoundingClientRect();
        [v.u, v.v] = [(e.clientX - r.left) / r.width, (e.clientY - r.top) / r.height];
        ring(v, true);
        return [v.u, v.v];
      };
      const lift = () => { if (last) { last = null; done(); } };
      const on = (name, act) => v.canvas.addEventListener(name, act);
      on("pointerdown", (e) => {
        if (e.button) return;
        v.canvas.setPointerCapture(e.pointerId);
        last = place(e);
        stroke(v.view, last, last, erase || e.shiftKey);
      });
      on("pointermove", (e) => {
        const here = place(e);
        if (last) { stroke(v.view, last, here, erase || e.shiftKey); last = here; }
      });
      on("pointerup", lift);
      on("lostpointercapture", lift);
      on("pointerleave", () => ring(v, document.activeElement === v.canvas && v.canvas.matches(":focus-visible")));
      on("focus", () => ring(v, v.canvas.matches(":focus-visible")));
      on("blur", () => ring(v, false));
      onKey(v.canvas, (e) => {
        const step = e.shiftKey ? 1 / grid : 1 / 32;
        return {
          ArrowLeft: () => move(v, -step, 0), ArrowRight: () => move(v, step, 0),
          ArrowUp: () => move(v, 0, -step), ArrowDown: () => move(v, 0, step),
          " ": () => { ring(v, true); stroke(v.view, [v.u, v.v], [v.u, v.v], erase || e.shiftKey); done(); },
        }[e.key];
      });
    }
    const acts = {
      e: erasing, c: () => change(() => 0), i: () => change((x) => 1 - x), "[": () => size(-2), "]": () => size(2), "?": help,
    };
    const button = { e: "erase", c: "clear", i: "invert" };
    for (const [key, id] of Object.entries(button)) $(id).addEventListener("click", acts[key]);
    $("size").addEventListener("input", () => size(0));
    onKey(document, (e) => {
      const chosen = /^[123]$/.test(e.key) && $("hear").children[e.key - 1];
      return chosen ? () => chosen.click() : acts[e.key];
    });
  }
  window.painted = () => Array.from(samples(0));
  window.player = window.painter = {
    kinds: KINDS, duration: seconds, play, pause: () => stop("Stopped"), samples: (kind) => Array.from(samples(KINDS.indexOf(kind))),
    stroke(view, from, to, wiped) { stroke(["plane", "bins"].indexOf(view), from, to, wiped); done(); },
    get mask() { return Array.from(painted); }, get playing() { return take ? KINDS[take.kind] : null; },
    get time() { return time(); }, get error() { return error; },
  };
  build();
  listen();
  buttons();
  draw();
  axes(rate / 2, seconds);
  furnish();
})();
