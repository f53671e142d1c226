"""Sounds that nobody in the picture makes: noise, mains hum, a loop of chords, many voices."""

from collections.abc import Sequence

import numpy as np
from scipy.signal import lfilter

from ..checks import whole, within
from .talkers import TALKERS, speak_audio

BACKGROUNDS = ("none", "white", "hum", "music", "babble")
"""What may be heard behind a scene."""

VOICES = 6
"""Talkers in a babble."""

BAR = 2.0
"""Seconds after which the music repeats, sample for sample."""

_LONGEST = 120.0
_CHORDS = ((0, 4, 7, 12), (9, 12, 16, 21), (5, 9, 12, 17), (7, 11, 14, 19))


def background(
    kind: str,
    seconds: float,
    rate: int,
    rng: np.random.Generator,
    *,
    without: Sequence[str] = (),
) -> np.ndarray:
    """Make a background sound.

    Parameters: `kind`, one of `BACKGROUNDS`; `seconds`; `rate` in Hz; `rng`; `without`, ids of
    talkers who shall not speak in a babble. "white" is Gaussian noise; "hum" 50 Hz with its
    harmonics, drifting slowly in level; "music" chords of an organ that repeat exactly each
    `BAR`; "babble" the sum of `VOICES` talkers.
    Returns (round(seconds * rate),) float32 of power one; zeros for "none". Raises ValueError for
    another kind, a length or a rate out of range.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    check_background(kind)
    within(seconds, "seconds", 0.5, _LONGEST)
    rate = whole(rate, "rate", least=4000)
    times = np.arange(round(seconds * rate)) / rate
    if kind == "none":
        return np.zeros(len(times), np.float32)
    if kind == "white":
        sound = rng.standard_normal(len(times))
    elif kind == "hum":
        sound = _hum(times, rate, rng)
    elif kind == "music":
        sound = _music(times, rate, rng)
    else:
        sound = _babble(seconds, rate, rng, without)
    return np.asarray(sound / np.sqrt(np.mean(sound**2)), np.float32)


def check_background(kind: str) -> None:
    """ValueError unless `kind` is one of `BACKGROUNDS`."""
    if kind not in BACKGROUNDS:
        raise ValueError(f"background {kind!r} given; expected one of {', '.join(BACKGROUNDS)}")


def _hum(times: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Mains hum: even harmonics of a transformer, odd ones of a lamp; each drifts on its own."""
    sound = np.zeros_like(times)
    for k in range(1, int(min(1500, 0.45 * rate) / 50) + 1):
        size = (1.0 if k % 2 else 1.3) * k**-0.9 * np.exp(rng.normal(0, 0.35))
        period, start = rng.uniform(5, 15), rng.random()
        drift = 1 + 0.2 * np.sin(2 * np.pi * (times / period + start))
        sound += size * drift * np.sin(2 * np.pi * (50 * k * times + rng.random()))
    return sound


def _music(times: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A bar of held chords, played again and again."""
    samples = round(BAR * rate)
    count = int(rng.integers(2, 5))
    key = int(rng.integers(45, 57))
    order = rng.permutation(len(_CHORDS))[:count]
    bounds = np.linspace(0, samples, count + 1).astype(int)
    bar = np.zeros(samples)
    for chord, first, last in zip(order, bounds[:-1], bounds[1:], strict=True):
        t = np.arange(last - first) / rate
        fade = np.minimum(np.minimum(t, t[::-1]) / 0.06, 1)
        for step in _CHORDS[chord]:
            hertz = 440 * 2 ** ((key + step - 69) / 12)
            for k, size in ((1, 1.0), (2, 0.6), (3, 0.3), (4, 0.25), (6, 0.1)):
                if k * hertz < 0.45 * rate:
                    turns = k * hertz * t + rng.random()
                    bar[first:last] += size * fade * np.sin(2 * np.pi * turns)
    return np.resize(bar, len(times))


def _babble(
    seconds: float, rate: int, rng: np.random.Generator, without: Sequence[str]
) -> np.ndarray:
    """Several talkers at once, each begun at a different moment of what is said."""
    free = [t for t in TALKERS if t.id not in without]
    samples = round(seconds * rate)
    sound = np.zeros(samples)
    for k in rng.permutation(len(free))[:VOICES]:
        said = speak_audio(
            free[int(k)], kind="sentence", seed=int(rng.integers(2**31)), seconds=seconds, rate=rate
        )
        sound += np.roll(said, int(rng.integers(samples))) * rng.uniform(0.7, 1.2)
    return lfilter([1.0], [1.0, -0.2], sound)
