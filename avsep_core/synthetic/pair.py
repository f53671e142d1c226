"""Two drawn talkers side by side who both move their lips, and of whom one is heard."""

from dataclasses import dataclass, fields, replace

import numpy as np

from .cast import TALKERS, Talker
from .face import Motion, film, wander
from .mouth import Mouth, move
from .phonemes import Phoneme
from .scenery import HEIGHT, WIDTH, Act, check_distractor, moved
from .talkers import stress
from .voice import LEVEL, utter

_HALF = WIDTH // 2
_CUT = (HEIGHT - _HALF) // 2


@dataclass(frozen=True, eq=False)
class Talk:
    """`act`, the drawing; `audio` (samples,) float32, who is heard; `talkers`, ids left to right;
    `heard`, 0 left or 1 right."""

    act: Act
    audio: np.ndarray
    talkers: tuple[str, str]
    heard: int


def converse(
    *, seconds: float, fps: float, rate: int, rng: np.random.Generator, distractor: str
) -> Talk:
    """Let two talkers speak at once and hear one of them.

    Parameters: `seconds` and `fps` of film; `rate` in Hz; `rng`, which draws who sits where and
    who is heard; `distractor`: the silent one says something else ("repeats", "wanders") or sits
    still with the mouth shut ("none"). Both speak sentences with pauses of 0.3 to 0.9 s. The masks
    of the `Act` are those of mouth and jaw, heads frozen. Returns a `Talk`.
    Raises ValueError for another distractor.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    check_distractor(distractor)
    left, right = (TALKERS[int(k)] for k in rng.permutation(len(TALKERS))[:2])
    heard, light = int(rng.integers(2)), float(rng.uniform(-0.8, 0.8))
    wall = left.look.wall
    people = [
        replace(person, look=replace(person.look, wall=wall, light=side * light))
        for person, side in ((left, 1), (right, -1))
    ]
    times = (np.arange(round(seconds * fps)) + 0.5) / fps
    frames = np.empty((len(times), HEIGHT, WIDTH, 3), np.float32)
    masks = np.zeros((2, HEIGHT, WIDTH), bool)
    sound = np.zeros(0, np.float32)
    for k, person in enumerate(people):
        own = np.random.default_rng(int(rng.integers(2**32)))
        audio, phonemes = _say(person, seconds, rate, own)
        mouth = move(phonemes, times, frame=1 / fps)
        motion = wander(own, times, stress(phonemes, times))
        if k == heard:
            sound = audio
        elif distractor == "none":
            mouth, motion = _shut(times), _frozen(motion)
        half = slice(k * _HALF, (k + 1) * _HALF)
        frames[:, :, half] = _filmed(person, mouth, motion)
        masks[k, :, half] = moved(_filmed(person, mouth, _frozen(motion)))
    act = Act(frames, masks[heard], masks[1 - heard], _envelope(sound, rate, times, 1 / fps))
    return Talk(act, sound, (left.id, right.id), heard)


def _say(
    person: Talker, seconds: float, rate: int, rng: np.random.Generator
) -> tuple[np.ndarray, tuple[Phoneme, ...]]:
    """Sentences with pauses: (samples,) at `LEVEL`, and phonemes with a rest in each pause."""
    audio = np.zeros(round(seconds * rate), np.float32)
    heard: list[Phoneme] = []
    now, silent = 0.0, -1.0
    while seconds - now > 0.9:
        length = float(rng.uniform(1.6, 3.0))
        if seconds - now - length < 1.2:
            length = seconds - now
        spoken = utter(
            person.voice, kind="sentence", text=None, seconds=length, rate=rate, words=rng,
            timing=rng,
        )  # fmt: skip
        first = round(now * rate)
        piece = spoken.audio[: len(audio) - first]
        audio[first : first + len(piece)] += piece
        said = [
            Phoneme(p.symbol, now + p.start, now + p.end, p.viseme, now + p.release, p.stress)
            for p in spoken.phonemes
        ]
        sounds = [p for p in said if p.viseme != "rest"]
        begin, finish = sounds[0].start, max(p.end for p in sounds)
        heard += [Phoneme("_", silent, begin, "rest", begin)]
        heard += [p for p in said if begin <= p.start < finish]
        silent = finish
        now += length + float(rng.uniform(0.1, 0.5))
    heard.append(Phoneme("_", silent, seconds + 1, "rest", seconds + 1))
    size = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))
    peak = float(np.abs(audio).max())
    gain = min(LEVEL / max(size, 1e-9), 0.95 / max(peak, 1e-9))
    return (audio * gain).astype(np.float32), tuple(heard)


def _filmed(person: Talker, mouth: Mouth, motion: Motion) -> np.ndarray:
    return film(person, mouth, motion, size=HEIGHT).frames[:, :, _CUT : _CUT + _HALF]


def _frozen(motion: Motion) -> Motion:
    """The same head in its mean pose, eyes open."""
    held = {
        f.name: np.broadcast_to(getattr(motion, f.name).mean(0), getattr(motion, f.name).shape)
        for f in fields(motion)
    }
    return Motion(**{**held, "lids": np.ones_like(motion.lids)})


def _shut(times: np.ndarray) -> Mouth:
    return Mouth(**{f.name: np.zeros_like(times) for f in fields(Mouth)})


def _envelope(audio: np.ndarray, rate: int, times: np.ndarray, width: float) -> np.ndarray:
    """Root mean square of the sound over `width` s around each of `times`, 0..1 of its largest."""
    power = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
    first = np.clip(np.round((times - width / 2) * rate).astype(int), 0, len(audio))
    last = np.clip(np.round((times + width / 2) * rate).astype(int), 0, len(audio))
    level = np.sqrt((power[last] - power[first]) / np.maximum(last - first, 1))
    return np.asarray(level / max(float(level.max()), 1e-9))
