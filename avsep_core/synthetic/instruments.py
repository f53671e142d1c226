"""How one note sounds on a piano, a violin or a guitar; all of it below half the sampling rate."""

import numpy as np
from scipy.signal import lfilter

_HIGHEST = 0.46  # of the rate: no partial lies above
_BODY = ((290.0, 1.0), (460.0, 1.2), (620.0, 0.7), (1150.0, 0.6), (2600.0, 0.9))
_VIBRATO = (5.6, 0.0085)  # Hz, and depth as a share of the pitch (about 15 cents)


def _release(size: int, held: int, rate: int, seconds: float) -> np.ndarray:
    """1 while a note is held, then a smooth way down to 0 at the end, (size,)."""
    after = np.clip((np.arange(size) - held) / (seconds * rate), 0, 1)
    return 0.5 + 0.5 * np.cos(np.pi * after)


def _hiss(size: int, rate: int, corner: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of variance about 1, softer above `corner` Hz, (size,)."""
    keep = float(np.exp(-2 * np.pi * corner / rate))
    noise = np.asarray(lfilter([1 - keep], [1, -keep], rng.standard_normal(size)))
    return noise * np.sqrt((1 + keep) / (1 - keep))


def strike(
    hertz: float, seconds: float, strength: float, *, rate: int, rng: np.random.Generator
) -> np.ndarray:
    """A hammer on a piano string: decaying partials, a little sharp, the high ones short.

    Parameters: `hertz`, the pitch; `seconds` until the damper falls; `strength` 0..1, which
    makes it louder and brighter; `rate` in Hz; `rng`. Returns samples (n,) float64, n a little
    longer than the note.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    held, size = round(seconds * rate), round((seconds + 0.09) * rate)
    t = np.arange(size) / rate
    k = np.arange(1, 25)
    partials = k * hertz * np.sqrt(1 + 3e-4 * k**2)
    k, partials = k[partials < _HIGHEST * rate], partials[partials < _HIGHEST * rate]
    level = k ** (-1.9 + 0.8 * strength) * (0.25 + np.abs(np.sin(np.pi * k / 7.3)))
    decay = (0.8 + hertz / 500) * (1 + 0.22 * (k - 1))
    tone = np.zeros(size)
    for f, a, d in zip(partials, level / np.linalg.norm(level), decay, strict=True):
        tone += a * np.exp(-d * t) * np.sin(2 * np.pi * f * t + rng.uniform(0, 2 * np.pi))
    knock = _hiss(size, rate, 500.0, rng) * np.exp(-t / 0.012) * (0.1 + 0.2 * strength)
    rise = np.clip(t / 0.004, 0, 1)
    return np.asarray(strength * rise * (tone + knock) * _release(size, held, rate, 0.09))


def bow(
    hertz: float, seconds: float, strength: float, *, rate: int, rng: np.random.Generator,
    slurred: bool = False,
) -> np.ndarray:  # fmt: skip
    """A bow on a violin string: partials that last, vibrato, the hiss of the hair.

    Parameters and result as for `strike`; `slurred`, whether the bow is under way already, so
    that the note speaks at once.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    held, size = round(seconds * rate), round((seconds + 0.07) * rate)
    t = np.arange(size) / rate
    shake = _VIBRATO[0] * rng.uniform(0.92, 1.08)
    depth = _VIBRATO[1] * hertz * np.clip((t - 0.12) / 0.2, 0, 1)
    moving = hertz + depth * np.sin(2 * np.pi * shake * t + rng.uniform(0, 2 * np.pi))
    phase = 2 * np.pi * np.cumsum(moving) / rate
    highest = int(_HIGHEST * rate / (hertz * (1 + _VIBRATO[1])))
    k = np.arange(1, max(min(highest, 24), 1) + 1)
    body = sum(g * np.exp(-((np.log2(k * hertz / f) / 0.35) ** 2)) for f, g in _BODY)
    level = k ** (-1.5 + 0.6 * strength) * (0.45 + body)
    tone = np.zeros(size)
    for n, a in zip(k, level / np.linalg.norm(level), strict=True):
        tone += a * np.sin(n * phase + rng.uniform(0, 2 * np.pi))
    attack = 0.02 if slurred else 0.09 - 0.04 * strength
    rise = np.sin(0.5 * np.pi * np.clip(t / attack, 0, 1)) ** 2
    swell = 0.85 + 0.15 * np.sin(np.pi * np.clip(t / seconds, 0, 1))
    noise = 0.035 * _hiss(size, rate, 1500.0, rng)
    return np.asarray(strength * rise * swell * (tone + noise) * _release(size, held, rate, 0.07))


def pluck(
    hertz: float, seconds: float, strength: float, *, rate: int, rng: np.random.Generator
) -> np.ndarray:
    """A plucked guitar string: one period goes round a loop that takes the edge off it
    (Karplus and Strong 1983).

    Parameters and result as for `strike`. The loop is as long as a period, to a fraction of a
    sample, so that the pitch is right at low rates too.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    held, size = round(seconds * rate), round((seconds + 0.08) * rate)
    period = rate / hertz
    whole, part = int(period), period - int(period)
    loss = 10 ** (-3 / (1.8 * hertz))
    bright = 1 - np.cos(2 * np.pi * min(2000, 0.25 * rate) / rate)
    edge = min(18 / (hertz * bright), 0.5)
    loop = loss * np.convolve([edge / 2, 1 - edge, edge / 2], [1 - part, part])
    back = np.concatenate([[1.0], np.zeros(whole - 2), -loop])
    k = np.arange(1, whole // 2)
    place = rng.uniform(0.16, 0.3)
    level = np.abs(np.sin(np.pi * k * place)) * k ** (-1.7 + 0.9 * strength)
    spectrum = np.zeros(whole // 2 + 1, complex)
    spectrum[k] = level / np.linalg.norm(level) * np.exp(2j * np.pi * rng.random(len(k)))
    burst = np.zeros(size)
    burst[:whole] = np.fft.irfft(spectrum, whole)[:size] * whole / np.sqrt(2)
    ringing = np.asarray(lfilter([1.0], back, burst))
    return np.asarray(strength * ringing * _release(size, held, rate, 0.08))
