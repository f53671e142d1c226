"""Phonemes, the mouth shapes (visemes) that go with them, and when a closure is shut."""

import re
from dataclasses import dataclass

import numpy as np

from .speech import NATIVE_RATE, Event

VISEMES: dict[str, tuple[str, ...]] = {
    "pbm": ("p", "b", "m"),
    "fv": ("f", "v"),
    "th": ("T", "D"),
    "td": ("t", "d", "n"),
    "l": ("l",),
    "sz": ("s", "z"),
    "sh": ("S", "Z", "tS", "dZ"),
    "kg": ("k", "g", "N", "h", "x", "?", ";"),
    "r": ("r",),
    "w": ("w",),
    "j": ("j",),
    "ee": ("i:", "i"),
    "ih": ("I", "I2"),
    "eh": ("E", "e"),
    "ae": ("a", "aa"),
    "ah": ("A:", "A", "0", "O2", "V"),
    "aw": ("O:", "O", "o"),
    "oo": ("u:", "U", "u"),
    "er": ("3:", "IR", "VR"),
    "uh": ("@", "@-", "@2", "3", "a#"),
}
_OF_SYMBOL = {symbol: viseme for viseme, symbols in VISEMES.items() for symbol in symbols}

GLIDES: dict[str, tuple[str, ...]] = {
    "aI": ("ah", "ih"),
    "aI2": ("uh", "ih"),
    "aU": ("ah", "oo"),
    "eI": ("eh", "ih"),
    "OI": ("aw", "ih"),
    "oU": ("aw", "oo"),
    "i@": ("ih", "uh"),
    "e@": ("eh", "uh"),
    "U@": ("oo", "uh"),
    "o@": ("aw", "uh"),
    "O@": ("aw", "uh"),
    "A@": ("ah", "er"),
    "aI@": ("ah", "ih", "uh"),
    "aI3": ("ah", "ih", "uh"),
    "i@3": ("ih", "uh"),
    "@L": ("uh", "l"),
}

_PAUSES = ("_", "_:", "_!", "_|")
_STOPS = ("p", "t", "k", "tS")
_LIPS = ("p", "b", "m")
_GRID = NATIVE_RATE // 500


@dataclass(frozen=True)
class Phoneme:
    """One spoken sound.

    `symbol` in eSpeak's notation, `start` and `end` in s from the clip's first sample,
    `viseme` the mouth shape it ends in, `release` in s when a closed or narrowed mouth
    lets go (the burst of p, the end of m; `end` for other sounds), `stress` 0, 1 or 2.
    """

    symbol: str
    start: float
    end: float
    viseme: str
    release: float
    stress: int = 0


def shapes(symbol: str) -> tuple[str, ...]:
    """Mouth shapes that a phoneme passes through: two or three for a diphthong.

    Parameters: `symbol`, eSpeak's mnemonic without stress marks. Returns viseme names;
    ("rest",) for a pause and ("kg",), a shape that takes its neighbours', where unknown.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    if symbol in _PAUSES:
        return ("rest",)
    if symbol in GLIDES:
        return GLIDES[symbol]
    if symbol in _OF_SYMBOL:
        return (_OF_SYMBOL[symbol],)
    plain = re.sub(r"[#\-\[\]^0-9]+$", "", symbol)
    if plain in GLIDES:
        return GLIDES[plain]
    return (_OF_SYMBOL.get(plain, "kg"),)


def _loudness(samples: np.ndarray) -> np.ndarray:
    """Amplitude above about 700 Hz every 2 ms: a murmur behind shut lips has almost none."""
    sharp = np.diff(samples, prepend=0.0)
    sharp = np.diff(sharp, prepend=0.0) ** 2
    count = -(-len(sharp) // _GRID)
    blocks = np.pad(sharp, (0, count * _GRID - len(sharp))).reshape(count, _GRID).mean(1)
    return np.sqrt(np.convolve(blocks, np.ones(3) / 3, "same"))


def _quiet_run(loud: np.ndarray, low: int, high: int, anchor: int) -> tuple[int, int] | None:
    """The quiet stretch within [low, high) that touches `anchor` or lies nearest to it."""
    window = loud[low:high]
    if window.size < 4:
        return None
    soft, full = np.percentile(window, [10, 90])
    quiet = window < np.clip(np.sqrt(soft * full), 0.2 * full, 0.45 * full)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.view(np.int8), [0]])))
    runs = [(low + a, low + b) for a, b in edges.reshape(-1, 2) if b - a >= 5]
    if not runs:
        return None
    return min(runs, key=lambda run: max(run[0] - anchor, anchor - run[1], 0))


def align(samples: np.ndarray, events: list[Event]) -> list[Phoneme]:
    """Phonemes with the times at which they are heard and the lips let go.

    Parameters: `samples` (n,) at `NATIVE_RATE`; `events` as `synthesise` returns them.
    Returns phonemes without gaps, times in s.

    eSpeak NG reports p, t and k at their burst, after the silence that belongs to them,
    and lets b and m run on after the lips have opened. Both are put right here by looking
    for the quiet stretch in the samples themselves.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    spoken = [(e.sample, e.text) for e in events if e.kind == "phoneme"]
    if not spoken:
        return []
    loud = _loudness(samples)
    symbols = [re.sub(r"^[',%=|]+", "", text) for _, text in spoken]
    stress = [2 if t.startswith("'") else 1 if t.startswith(",") else 0 for _, t in spoken]
    marks = [sample for sample, _ in spoken] + [len(samples)]
    starts = [mark / NATIVE_RATE for mark in marks]
    releases: dict[int, float] = {}
    for i, symbol in enumerate(symbols):
        if symbol not in _STOPS and symbol not in _LIPS:
            continue
        before = marks[i - 1] if i else 0
        anchor = marks[i] // _GRID
        low = max(before, marks[i] - NATIVE_RATE // 6) // _GRID
        high = min(marks[i + 1] + NATIVE_RATE // 20, len(samples)) // _GRID
        run = _quiet_run(loud, low, high, anchor)
        if symbol in _STOPS:
            releases[i] = marks[i] / NATIVE_RATE
            if run is not None and run[0] < anchor and run[1] >= anchor - 8:
                starts[i] = run[0] * _GRID / NATIVE_RATE
        elif run is not None and run[1] > anchor:
            releases[i] = min(run[1] * _GRID / NATIVE_RATE, marks[i + 1] / NATIVE_RATE)
        elif symbol == "b" and i and symbols[i - 1] not in _PAUSES:
            releases[i] = starts[i]
    phonemes = []
    for i, symbol in enumerate(symbols):
        start, end = starts[i], max(starts[i], starts[i + 1])
        if end > start:
            release = float(np.clip(releases.get(i, end), start, end))
            phonemes.append(Phoneme(symbol, start, end, shapes(symbol)[-1], release, stress[i]))
    return phonemes
