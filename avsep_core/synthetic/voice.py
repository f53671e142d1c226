"""From a talker and a text to samples: fit into the clip, formant scale, room and channel."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.signal import fftconvolve, lfilter, resample_poly

from .cast import BASE_PITCH, Voice
from .phonemes import Phoneme, align
from .speech import NATIVE_RATE, Event, synthesise
from .texts import phrases

LEVEL = 0.08
_FADE = 0.02


@dataclass(frozen=True, eq=False)
class Spoken:
    """Samples (n,) float32 at `rate`, what was said in them, and when each sound was heard."""

    audio: np.ndarray
    rate: int
    text: str
    phonemes: tuple[Phoneme, ...]


def varied(voice: Voice, rng: np.random.Generator) -> Voice:
    """The same voice on another day: pitch, rate, formants and inflection change a little.

    Parameters: `voice`; `rng`, a numpy generator. Returns a new `Voice`.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    pitch, rate, formant = np.exp(rng.normal(0.0, (0.07, 0.09, 0.035)).clip(-0.2, 0.2))
    return Voice(
        variant=voice.variant,
        accent=voice.accent,
        pitch=voice.pitch * float(pitch),
        rate=voice.rate * float(rate),
        formant=voice.formant * float(formant),
        inflection=int(np.clip(voice.inflection + rng.integers(-15, 26), 10, 90)),
    )


def channel(audio: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Put a voice into a room and through a microphone, at random.

    Parameters: `audio` (n,); `rate` in Hz; `rng`, a numpy generator. Returns (n,) float32:
    a decaying-noise room response whose direct sound keeps its time, a spectral tilt of up
    to about 6 dB, and noise 25 to 50 dB below the voice.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    size = len(audio)
    reverberation = rng.uniform(0.08, 0.5)
    t = np.arange(int(min(reverberation, 0.4) * rate)) / rate
    tail = rng.standard_normal(len(t)) * np.exp(-6.9 * t / reverberation) * (t > 0.002)
    tail *= 10 ** (rng.uniform(-18, -3) / 20) / max(np.sqrt(np.sum(tail**2)), 1e-9)
    tail[0] = 1.0
    wet = fftconvolve(audio, tail)[:size] if rng.random() < 0.7 else audio.astype(np.float64)
    wet = lfilter([1.0, rng.uniform(-0.35, 0.35)], [1.0], wet)
    power = float(np.mean(wet**2))
    noise = lfilter([1.0], [1.0, -rng.uniform(0.0, 0.9)], rng.standard_normal(size))
    noise *= np.sqrt(power * 10 ** (-rng.uniform(25, 50) / 10) / np.mean(noise**2))
    return np.asarray(wet + noise, dtype=np.float32)


def _pitch_setting(voice: Voice) -> int:
    base = {**BASE_PITCH["f"], **BASE_PITCH["m"]}[voice.variant]
    octaves = np.log2(voice.pitch / (base * voice.formant))
    return int(np.clip(round(50 + 50 * octaves), 0, 99))


def _enough(kind: str, rng: np.random.Generator, seconds: float) -> str:
    source = phrases(kind, rng)
    return ", ".join(next(source) for _ in range(int(seconds / 1.2) + 1))


def _leveled(audio: np.ndarray) -> np.ndarray:
    rms = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))
    gain = LEVEL / max(rms, 1e-9)
    return (audio * min(gain, 0.95 / max(float(np.abs(audio).max()), 1e-9))).astype(np.float32)


def utter(
    voice: Voice,
    *,
    kind: str,
    text: str | None,
    seconds: float,
    rate: int,
    words: np.random.Generator,
    timing: np.random.Generator,
    variation: np.random.Generator | None = None,
) -> Spoken:
    """Speak for exactly `seconds`, ending with a whole word.

    Parameters: `voice`; `kind` of text, used where `text` is None; `seconds`; `rate` in Hz;
    generators for the words, for the silences around them and, where voice, room and
    channel shall vary, for that. Returns a `Spoken` of round(seconds * rate) samples.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    lead, tail = timing.uniform(0.06, 0.2, 2)
    wanted = _enough(kind, words, seconds) if text is None else text
    if variation is not None:
        voice = varied(voice, variation)
    native, events = synthesise(
        wanted,
        voice=f"{voice.accent}+{voice.variant}",
        pitch=_pitch_setting(voice),
        rate=int(np.clip(round(voice.rate / voice.formant), 80, 450)),
        inflection=voice.inflection,
    )
    phonemes = align(native, events)
    scale = 1.0 / voice.formant
    room = seconds - lead - tail
    spoken_end = max((p.end for p in phonemes if p.viseme != "rest"), default=0.0)
    said = wanted
    if spoken_end * scale > room:
        spoken_end, said = _cut(phonemes, events, wanted, room / scale)
    if text is not None:
        lead = max(lead, (seconds - spoken_end * scale) / 2)
    native = native[: int(spoken_end * NATIVE_RATE)].copy()
    fade = min(int(_FADE * NATIVE_RATE), len(native))
    native[len(native) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    ratio = Fraction(rate / (NATIVE_RATE * voice.formant)).limit_denominator(600)
    sound = resample_poly(native, ratio.numerator, ratio.denominator)
    audio = np.zeros(round(seconds * rate), np.float32)
    start = round(lead * rate)
    sound = sound[: len(audio) - start]
    audio[start : start + len(sound)] = sound
    if variation is not None:
        audio = channel(audio, rate, variation)
    kept = tuple(
        Phoneme(p.symbol, lead + p.start * scale, lead + min(p.end, spoken_end) * scale,
                p.viseme, lead + min(p.release, spoken_end) * scale, p.stress)
        for p in phonemes if p.start < spoken_end
    )  # fmt: skip
    return Spoken(_leveled(audio), rate, said, kept)


def _cut(
    phonemes: list[Phoneme], events: list[Event], text: str, limit: float
) -> tuple[float, str]:
    """The end in s and the text of the whole words spoken within `limit` s (at least one)."""
    words = [e for e in events if e.kind == "word"]
    voiced = [(p.start, p.end) for p in phonemes if p.viseme != "rest"]
    end, said = limit, text
    for k in range(len(words)):
        following = words[k + 1] if k + 1 < len(words) else None
        until = following.sample / NATIVE_RATE if following else np.inf
        finish = max((b for a, b in voiced if (a + b) / 2 < until), default=0.0)
        if k and finish > limit:
            break
        end = min(finish, limit)
        said = text[words[0].position : following.position] if following else text
    return end, said.rstrip(" ,.;:!?")
