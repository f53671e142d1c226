"""How one note sounds on each family of a band's instruments, and how a body colours it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import lfilter

from .instruments import _release
from .notes import Note

_HIGHEST = 0.46  # of the rate: no partial lies above
_MOST = 48  # partials of one note
_GOING = 0.05  # s in which a held note ends


@dataclass(frozen=True)
class Timbre:
    """What makes the sound of an instrument, or of one player's own (see `own`).

    `fall`: partial k has the size k^-fall. `edge`, Hz: besides, partials lose a factor e over
    each that much, at full strength; a soft note has an edge 1 + `dull` times lower. `attack`, s.
    `breath`: size of the noise against the tone. `low`, Hz: there and below, little is radiated.
    `body`: resonances (Hz, Q, gain), and `modes` more of each player's own. `vibrato`, cents,
    `shake` times a second. `even`: size of the low even partials. `growl`: depth of a rattle.
    `cents` of tuning. `habit` 0..1: where a string is plucked, how far two reeds lie apart, how
    deep a flute trembles.
    """

    fall: float
    edge: float
    attack: float
    breath: float
    low: float
    body: tuple[tuple[float, float, float], ...] = ()
    modes: int = 4
    vibrato: float = 0.0
    shake: float = 5.5
    dull: float = 0.6
    even: float = 1.0
    growl: float = 0.0
    cents: float = 0.0
    habit: float = 0.5


Family = Callable[[Note, Timbre, int, np.random.Generator], np.ndarray]


def own(timbre: Timbre, rng: np.random.Generator) -> Timbre:
    """Draw one player's own timbre: near the typical one, and no two the same."""
    size = np.exp(rng.normal(0, 0.05))
    body = []
    for hertz, sharpness, gain in timbre.body:
        moved = hertz * size * np.exp(rng.normal(0, 0.03))
        body.append((moved, sharpness * rng.uniform(0.7, 1.4), gain * rng.uniform(0.6, 1.4)))
    for _ in range(timbre.modes):
        anywhere = np.exp(rng.uniform(np.log(300), np.log(4500)))
        body.append((anywhere, timbre.modes * rng.uniform(0.7, 2), rng.uniform(-0.8, 1.5)))
    return replace(
        timbre,
        fall=timbre.fall + float(rng.normal(0, 0.15)),
        edge=timbre.edge * float(np.exp(rng.normal(0, 0.15))),
        attack=timbre.attack * float(np.exp(rng.normal(0, 0.25))),
        breath=timbre.breath * float(np.exp(rng.normal(0, 0.35))),
        body=tuple((float(f), float(q), float(g)) for f, q, g in body),
        vibrato=timbre.vibrato * float(rng.uniform(0.4, 1.5)),
        shake=timbre.shake * float(rng.uniform(0.85, 1.15)),
        even=min(timbre.even * float(np.exp(rng.normal(0, 0.2))), 1.0),
        growl=timbre.growl * float(rng.uniform(0, 2)),
        cents=float(rng.normal(0, 8)),
        habit=float(rng.random()),
    )


def radiate(sound: np.ndarray, timbre: Timbre, *, rate: int) -> np.ndarray:
    """Send the sound of strings, reeds or lips through the body of an instrument.

    Parameters: `sound` (n,); `timbre`; `rate` in Hz. Returns (n,) float64: a direct path and
    resonances beside it, all of it above `timbre.low`.
    """
    size = next_fast_len(len(sound) + round(0.1 * rate), real=True)
    hertz = np.arange(size // 2 + 1) * rate / size
    response = np.ones(len(hertz), complex)
    for centre, sharpness, gain in timbre.body:
        turn = 1j * hertz / (sharpness * centre)
        response += gain * turn / (1 - (hertz / centre) ** 2 + turn)
    above = 1j * hertz / timbre.low
    response *= above**2 / (1 + 1.2 * above + above**2)
    return np.asarray(irfft(rfft(sound, size) * response, size)[: len(sound)])


def _hiss(size: int, rate: int, about: float, width: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of power one around `about`, `width` Hz broad, (size,)."""
    keep = np.exp(-np.pi * width / rate)
    turn = 2 * np.pi * min(about, 0.4 * rate) / rate
    back = [1, -2 * keep * np.cos(turn), keep**2]
    noise = np.asarray(lfilter([1, 0, -1], back, rng.standard_normal(size)))
    return noise / np.sqrt(np.mean(noise**2) + 1e-12)


def _wander(size: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A random curve of variance about one that changes some eight times a second, (size,)."""
    knots = rng.standard_normal(int(8 * size / rate) + 2)
    return np.interp(np.arange(size) * 8 / rate, np.arange(len(knots)), knots)


def _sum(sizes: np.ndarray, turning: np.ndarray, ratio: np.ndarray | float) -> np.ndarray:
    """Partials of sizes (K,) over a fundamental exp(i phase) (n,); each is `ratio` times less
    than its size against the one before it. A polynomial, worked out by Horner's rule: (n,)."""
    turning = turning.astype(np.complex64)
    step = turning * np.asarray(ratio, np.float32)
    total = np.full(len(turning), sizes[-1], np.complex64)
    for size in sizes[-2::-1]:
        total *= step
        total += size
    total *= turning
    return total.imag


def _pitch(
    note: Note, timbre: Timbre, size: int, rate: int, rng: np.random.Generator, *,
    scoop: float = 0.0,
) -> np.ndarray:  # fmt: skip
    """The moving pitch in Hz (size,): vibrato that sets in late, a little drift, and a start
    that is `scoop` cents flat."""
    t = np.arange(size) / rate
    shake = np.sin(2 * np.pi * timbre.shake * t + rng.uniform(0, 2 * np.pi))
    depth = timbre.vibrato * np.clip((t - 0.1) / 0.25, 0, 1)
    cents = timbre.cents + rng.normal(0, 3) + depth * shake + 2 * _wander(size, rate, rng)
    if not note.slurred:
        cents = cents - scoop * np.exp(-t / 0.03)
    return note.hertz * 2 ** (cents / 1200)


def _swell(
    note: Note, timbre: Timbre, size: int, rate: int, rng: np.random.Generator
) -> np.ndarray:
    """How a held note comes, stays and goes, 0 to about 1, (size,)."""
    t = np.arange(size) / rate
    attack = 0.025 if note.slurred else min(timbre.attack, 0.4 * note.seconds)
    rise = np.sin(0.5 * np.pi * np.clip(t / attack, 0, 1)) ** 2
    swell = 0.88 + 0.12 * np.sin(np.pi * np.clip(t / note.seconds, 0, 1))
    going = _release(size, round(note.seconds * rate), rate, _GOING)
    return rise * swell * going * (1 + 0.04 * _wander(size, rate, rng))


def _held(
    note: Note, timbre: Timbre, pitch: np.ndarray, envelope: np.ndarray, rate: int,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """A tone whose partials grow with its loudness, the high ones more: (n,)."""
    count = min(int(_HIGHEST * rate / pitch.max()), _MOST)
    if count < 1:
        return np.zeros(len(pitch))
    k = np.arange(1, count + 1)
    blend = timbre.even + (1 - timbre.even) * np.clip(k * note.hertz / 4500, 0, 0.7)
    sizes = k**-timbre.fall * np.where(k % 2, 1, blend)
    loss = note.hertz / timbre.edge * (1 + timbre.dull * (1 - note.strength * envelope))
    sizes = sizes / np.linalg.norm(sizes * np.exp(-(k - 1) * loss.min()))
    phases = np.exp(1j * rng.uniform(0, 2 * np.pi, count))
    turning = np.exp(2j * np.pi * np.cumsum(pitch) / rate)
    return note.strength * envelope * _sum(sizes * phases, turning, np.exp(-loss))


def bowed(note: Note, timbre: Timbre, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A string under a bow: a sawtooth with vibrato, and the hiss of the hair.

    Parameters: `note`; `timbre`; `rate` in Hz; `rng`. Returns samples (n,) float64, n a little
    longer than the note; `radiate` is still to come.
    """
    size = round((note.seconds + _GOING) * rate)
    envelope = _swell(note, timbre, size, rate, rng)
    pitch = _pitch(note, timbre, size, rate, rng, scoop=8)
    tone = _held(note, timbre, pitch, envelope, rate, rng)
    scratch = 1 + (0 if note.slurred else 3) * np.exp(-np.arange(size) / (0.03 * rate))
    hair = timbre.breath * scratch * _hiss(size, rate, 1800, 2500, rng)
    return tone + note.strength * envelope * hair


def reed(note: Note, timbre: Timbre, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A reed on a pipe. A cylinder (`timbre.even` small) has weak even partials, a cone all of
    them; breath hisses, and a growl beats on it.

    Parameters and result as for `bowed`.
    """
    size = round((note.seconds + _GOING) * rate)
    t = np.arange(size) / rate
    envelope = _swell(note, timbre, size, rate, rng)
    rattle = 1 + timbre.growl * (0.3 + np.exp(-t / 0.1)) * np.sin(2 * np.pi * 31 * t)
    pitch = _pitch(note, timbre, size, rate, rng, scoop=35)
    tone = _held(note, timbre, pitch, envelope * rattle, rate, rng)
    tongue = 1 + (0 if note.slurred else 4) * np.exp(-t / 0.015)
    breath = timbre.breath * tongue * _hiss(size, rate, 1600, 1800, rng)
    return tone + note.strength * envelope * breath


def brass(note: Note, timbre: Timbre, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Lips on a tube: the louder, the brighter, all along the note; a burst where it begins.

    Parameters and result as for `bowed`.
    """
    size = round((note.seconds + _GOING) * rate)
    t = np.arange(size) / rate
    burst = 1 + (0 if note.slurred else 0.35) * np.exp(-(((t - 0.035) / 0.018) ** 2))
    envelope = _swell(note, timbre, size, rate, rng) * burst
    pitch = _pitch(note, timbre, size, rate, rng, scoop=45)
    tone = _held(note, timbre, pitch, envelope, rate, rng)
    breath = timbre.breath * burst**6 * _hiss(size, rate, 1500, 1500, rng)
    return tone + note.strength * envelope * breath


def flute(note: Note, timbre: Timbre, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A jet of air on an edge: few partials, much breath, a vibrato of loudness.

    Parameters and result as for `bowed`.
    """
    size = round((note.seconds + _GOING) * rate)
    t = np.arange(size) / rate
    shake = np.sin(2 * np.pi * timbre.shake * t + rng.uniform(0, 2 * np.pi))
    tremble = 1 + (0.1 + 0.25 * timbre.habit) * np.clip((t - 0.1) / 0.25, 0, 1) * shake
    envelope = _swell(note, timbre, size, rate, rng) * tremble
    tone = _held(note, timbre, _pitch(note, timbre, size, rate, rng), envelope, rate, rng)
    chiff = 1 + (0 if note.slurred else 5) * np.exp(-t / 0.025)
    breath = timbre.breath * chiff * _hiss(size, rate, 2 * note.hertz, 2000, rng)
    return tone + note.strength * np.sqrt(envelope) * breath


def free_reed(note: Note, timbre: Timbre, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Two metal reeds a few cents apart, which beat; the bellows tremble.

    Parameters and result as for `bowed`.
    """
    size = round((note.seconds + _GOING) * rate)
    t = np.arange(size) / rate
    bellows = 1 + 0.08 * np.sin(2 * np.pi * timbre.shake * t + rng.uniform(0, 2 * np.pi))
    envelope = _swell(note, timbre, size, rate, rng) * bellows
    apart = (4 + 12 * timbre.habit) / 1200
    sound = note.strength * envelope * timbre.breath * _hiss(size, rate, 2500, 2000, rng)
    for octaves in (-apart / 2, apart / 2):
        pitch = np.full(size, note.hertz * 2 ** (timbre.cents / 1200 + octaves))
        sound = sound + 0.7 * _held(note, timbre, pitch, envelope, rate, rng)
    return sound


def plucked(note: Note, timbre: Timbre, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A string that is plucked: all partials decay, the high ones faster; those with a node
    where the finger was are missing.

    Parameters and result as for `bowed`.
    """
    size = round((note.seconds + 0.12) * rate)
    t = np.arange(size) / rate
    hertz = note.hertz * 2 ** ((timbre.cents + rng.normal(0, 3)) / 1200)
    count = min(int(_HIGHEST * rate / hertz), _MOST)
    if count < 1:
        return np.zeros(size)
    k = np.arange(1, count + 1)
    place = 0.12 + 0.2 * timbre.habit + rng.normal(0, 0.01)
    soft = hertz / timbre.edge * (1 + timbre.dull * (1 - note.strength))
    sizes = k**-timbre.fall * np.exp(-(k - 1) * soft) * (0.1 + np.abs(np.sin(np.pi * k * place)))
    turning = np.exp(2j * np.pi * hertz * t)
    last, edge = 0.8 + hertz / 250, 0.4 * hertz / 200
    tone = np.exp(-last * t) * _sum(sizes / np.linalg.norm(sizes), turning, np.exp(-edge * t))
    nail = timbre.breath * np.exp(-t / 0.006) * _hiss(size, rate, 2200, 2500, rng)
    going = _release(size, round(note.seconds * rate), rate, 0.12)
    return note.strength * np.clip(t / 0.002, 0, 1) * going * (tone + nail)


def bar(note: Note, timbre: Timbre, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A wooden bar under a mallet: three partials, about 1 : 3 : 6, and a click; it rings on
    after the note.

    Parameters and result as for `bowed`.
    """
    size = round((note.seconds + 0.3) * rate)
    t = np.arange(size) / rate
    hertz = note.hertz * 2 ** ((timbre.cents + rng.normal(0, 3)) / 1200)
    ratios = np.array([1, 3 + rng.normal(0, 0.03), 6.1 + rng.normal(0, 0.15)])
    soft = hertz / timbre.edge * (1 + timbre.dull * (1 - note.strength))
    heights = ratios**-timbre.fall * np.exp(-(ratios - 1) * soft)
    lasts = np.array([0.24, 0.07, 0.035]) * (440 / hertz) ** 0.7
    tone = np.zeros(size)
    for ratio, height, lasting in zip(ratios, heights, lasts, strict=True):
        if ratio * hertz < _HIGHEST * rate:
            tone += height * np.exp(-t / lasting) * np.sin(2 * np.pi * ratio * hertz * t)
    click = timbre.breath * np.exp(-t / 0.005) * _hiss(size, rate, 1500, 2500, rng)
    going = _release(size, size - round(0.1 * rate), rate, 0.1)
    return note.strength * np.clip(t / 0.001, 0, 1) * going * (tone + click)
