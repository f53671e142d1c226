"use strict";
// What all widgets share; each one's own script follows in the same page.
const data = JSON.parse(document.getElementById("data").textContent);
const PLAY = "M7 4.5v15l13-7.5z";
let error = null, starting = false;

const $ = (id) => document.getElementById(id);
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const say = (text) => { $("live").textContent = text; };
const fail = (text) => { error = text; $("error").textContent = text; $("error").hidden = false; };

// Widgets look for one another under the name `player`, and pause each other.
function silenceOthers() {
  try {
    for (let i = 0; i < parent.frames.length; i++) {
      try { const f = parent.frames[i]; if (f !== window && f.player) f.player.pause(); } catch { continue; }
    }
  } catch { /* a page of another origin: leave it alone */ }
}
async function sounding(act) {
  if (starting) return;
  starting = true;
  try {
    silenceOthers();
    await act();
  } catch (problem) {
    fail(`This browser could not play the sound (${problem.message}).`);
  } finally { starting = false; }
}
function clock(t, seconds) {
  $("cursor").style.left = `${(100 * t) / seconds}%`;
  $("time").textContent = `${t.toFixed(2)} / ${seconds.toFixed(2)} s`;
}
function onKey(target, find) {
  target.addEventListener("keydown", (e) => {
    const act = !e.ctrlKey && !e.metaKey && !e.altKey && find(e);
    if (act) { e.preventDefault(); act(); }
  });
}
function help() {
  const open = $("keys").hidden;
  $("keys").hidden = !open;
  $("help").setAttribute("aria-expanded", open);
}
function ticks(box, limit, count, place, last) {
  const raw = limit / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].find((m) => m * power >= raw * 0.999) * power;
  for (let k = 0; k * step <= limit * 1.001; k++) {
    const mark = document.createElement("span");
    mark.textContent = String(+(k * step).toPrecision(6));
    if (last && (k + 1) * step > limit * 1.001) mark.textContent += last;
    mark.style[place] = `${(100 * k * step) / limit}%`;
    box.append(mark);
  }
}
function axes(hertz, seconds) {
  ticks($("ylabels"), hertz / 1000, 4, "bottom");
  ticks($("xlabels"), seconds, 6, "left", " s");
}
function dress() {
  let dark = null;
  try {
    const root = parent.document.documentElement, body = parent.document.body;
    const said = root.dataset.theme || root.getAttribute("theme") || root.dataset.mode;
    if (said === "dark" || said === "light") dark = said === "dark";
    else if (body.dataset.jpThemeLight) dark = body.dataset.jpThemeLight === "false";
    else if (/\bvscode-(dark|light|high-contrast)\b/.test(body.className)) dark = !/\bvscode-light\b/.test(body.className);
  } catch { /* a page of another origin: ask the system */ }
  dark ??= matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.toggleAttribute("data-dark", dark);
}
function fit() {
  const box = $("card").getBoundingClientRect();
  if (!box.width) { window.player.pause(); return; }
  try {
    frameElement.style.height = `${Math.ceil(box.height) + 2}px`;
    document.documentElement.style.overflow = "hidden";
  } catch { /* no access to the frame: it keeps its own height and scrolls */ }
}
// The last step of each widget's script: all around its pictures, and the looks of the page about it.
function furnish() {
  $("title").textContent = data.title;
  $("header").hidden = !data.title;
  $("card").setAttribute("aria-label", data.title || document.title);
  $("note").textContent = data.note;
  $("note").hidden = !data.note;
  $("help").addEventListener("click", help);
  dress();
  fit();
  new ResizeObserver(fit).observe($("card"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  try {
    const watch = new MutationObserver(dress);
    watch.observe(parent.document.documentElement, { attributes: true });
    watch.observe(parent.document.body, { attributes: true });
  } catch { /* a page of another origin */ }
}
