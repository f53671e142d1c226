"""Two talkers who say digits in turn: one film of each, without a cut, 30 to 40 s long.

As in the groups part of CUAVE (Patterson, Gurbuz, Tufekci and Gowdy 2002), each says strings of
digits, then listens while the other does: mouth shut, head and eyes going on.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np

from ..checks import whole, within
from . import camera, texts
from .cast import Talker, find
from .face import film, wander
from .mouth import move
from .phonemes import Phoneme
from .talkers import stress
from .voice import utter

FPS = Fraction(30000, 1001)
"""Pictures a second: 150 of them last 5.005 s, exactly 40040 samples at 8 kHz."""

HEIGHT, WIDTH = 120, 88
"""Size of one talker's picture in px."""

SHIFT = 150
"""Pictures by which one talker is delayed in the paper."""

_LONGEST = 150.0  # s
_STEPS = 14.0  # px: how far to either side a talker walks
_WORDS, _TIMING, _HEAD, _CAMERA, _WALK = range(5)

Turns = tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class Part:
    """One talker's film.

    `frames` (T, 120, 88, 3) uint8, `audio` (samples,) float32 at `rate` Hz; `turns`, when speech
    begins and ends, in s; `mouth` (T, 4) boxes [x, y, w, h] in px; `opening` (T,) gap between the
    lips, 0 shut .. 1 wide; `phonemes` with times in s. Frame t shows the instant (t + 1/2) / FPS.
    """

    talker: Talker
    frames: np.ndarray
    audio: np.ndarray
    rate: int
    turns: Turns
    mouth: np.ndarray
    opening: np.ndarray
    phonemes: tuple[Phoneme, ...]


def _stream(talker: Talker, seed: int, *purpose: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(talker.id.encode()), seed, *purpose])


def _digits(rng: np.random.Generator, count: int) -> str:
    """Digits in groups of one to five, with short and longer pauses between the groups."""
    words, said = texts.digits(rng, count=count).split(), ""
    while words:
        group = int(rng.integers(1, 6))
        said += " ".join(words[:group]) + (", " if rng.random() < 0.6 else ". ")
        words = words[group:]
    return said


def say(
    talker: Talker | str, slots: Turns, *, seconds: float, seed: int = 0, rate: int = 8000
) -> tuple[np.ndarray, tuple[Phoneme, ...], Turns]:
    """The sound of `perform` without its picture; parameters and errors as there.

    Returns samples (n,) float32, as long as round(seconds * FPS) pictures; phonemes with a rest
    in each pause; and the turns as they were spoken, from the first sound to the last, in s.
    Taught in `notebooks/01_matching_pursuit.ipynb`, section "The data".
    """
    talker = find(talker)
    _check(slots, seconds)
    rate = whole(rate, "rate", least=4000)
    audio = np.zeros(round(round(seconds * FPS) / FPS * rate), np.float32)
    heard: list[Phoneme] = []
    turns, silent = [], -1.0
    for k, (start, end) in enumerate(slots):
        spoken = utter(
            talker.voice, kind="digits", seconds=end - start, rate=rate,
            text=_digits(_stream(talker, seed, _WORDS, k), int(4 * (end - start)) + 2),
            words=_stream(talker, seed, _WORDS, k), timing=_stream(talker, seed, _TIMING, k),
        )  # fmt: skip
        first = round(start * rate)
        piece = spoken.audio[: len(audio) - first]
        audio[first : first + len(piece)] = piece
        moved = [
            Phoneme(p.symbol, start + p.start, start + p.end, p.viseme, start + p.release, p.stress)
            for p in spoken.phonemes
        ]
        sounds = [p for p in moved if p.viseme != "rest"]
        begin, finish = sounds[0].start, max(p.end for p in sounds)
        heard += [Phoneme("_", silent, begin, "rest", begin)]
        heard += [p for p in moved if begin <= p.start < finish]
        turns.append((float(begin), float(finish)))
        silent = finish
    heard.append(Phoneme("_", silent, seconds + 1, "rest", seconds + 1))
    return audio, tuple(heard), tuple(turns)


def _check(slots: Turns, seconds: float) -> None:
    within(seconds, "seconds", 1, _LONGEST)
    edges = [edge for slot in slots for edge in slot]
    if not slots or edges != sorted(edges) or edges[0] < 0 or edges[-1] > seconds + 1e-9:
        raise ValueError(
            f"slots {slots} were given; expected one or more (start, end) in order, within 0 to "
            f"{seconds:g} s"
        )
    if min(end - start for start, end in slots) < 0.5:
        raise ValueError(f"slots {slots} were given; nothing can be said in less than 0.5 s")


def _walk(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    """How far a talker who walks to and fro has gone, (T,) px."""
    period, start = rng.uniform(14, 22), rng.uniform(0, 2 * np.pi)
    return _STEPS * np.sin(2 * np.pi * times / period + start)


def perform(
    talker: Talker | str,
    slots: Turns,
    *,
    seconds: float,
    seed: int = 0,
    rate: int = 8000,
    moving: bool = False,
) -> Part:
    """Film a talker who says digits in some slots of time and listens in between.

    Parameters: `talker`, a `Talker` or its id; `slots`, (start, end) in s, in order, each of
    0.5 s or more; `seconds` of film; `seed`, which with talker and slots decides everything;
    `rate` in Hz; `moving`, whether the talker walks to and fro, 28 px from end to end.
    Returns a `Part`. Raises ValueError for an unknown talker, slots that overlap or lie outside.
    Taught in `notebooks/01_matching_pursuit.ipynb`, section "The data".
    """
    person = find(talker)
    audio, phonemes, turns = say(person, slots, seconds=seconds, seed=seed, rate=rate)
    times = (np.arange(round(seconds * FPS)) + 0.5) / float(FPS)
    mouth = move(phonemes, times, frame=1 / float(FPS))
    motion = wander(_stream(person, seed, _HEAD), times, stress(phonemes, times))
    drawn = film(person, mouth, motion, size=HEIGHT)
    left = (HEIGHT - WIDTH) // 2
    window, boxes = drawn.frames[:, :, left : left + WIDTH], drawn.lips - [left, 0, 0, 0]
    if moving:
        steps = _walk(_stream(person, seed, _WALK), times)
        boxes = boxes + np.outer(steps, [1, 0, 0, 0])
        window = np.stack([_slid(*each, left) for each in zip(drawn.frames, steps, strict=True)])
    frames = camera.record(window, _stream(person, seed, _CAMERA))
    opening = np.clip(mouth.open, 0, 1)
    boxes = boxes.astype(np.float32)
    return Part(person, frames, audio, rate, turns, boxes, opening, phonemes)


def _slid(frame: np.ndarray, step: float, left: int) -> np.ndarray:
    matrix = np.array([[1, 0, step - left], [0, 1, 0]], np.float64)
    return cv2.warpAffine(frame, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)


def take_turns(
    rng: np.random.Generator, *, solo_seconds: float | None = None
) -> tuple[Turns, Turns, float]:
    """Draw who speaks when, in a recording of which one talker is going to be delayed by SHIFT.

    Parameters: `rng`; `solo_seconds`, for how long each talker shall then speak alone (two turns
    each, overlaps always alike), None for two or three turns each, of 4 to 12 s, that leave 2 to
    15 s alone.
    Returns slots (start, end) in s of the talker who begins, and shall be delayed, and of the
    other, and the length of the recording. It ends with the other, and nobody says anything in
    what a cut to the part that both share takes away. 30 to 40 s are then left (with
    `solo_seconds`: twice that and 15 s).
    Taught in `notebooks/01_matching_pursuit.ipynb`, section "The data".
    """
    shift = SHIFT / float(FPS)
    if solo_seconds is not None:
        within(solo_seconds, "solo_seconds", 1, 30)
        lengths = np.full((2, 2), shift + solo_seconds / 2 - 0.4)
        return _laid(lengths, np.full((2, 2), 0.4))
    while True:
        count = int(rng.integers(2, 4))
        lengths = (rng.uniform(4, 12, 2) + rng.uniform(-2, 2, (count, 2))).clip(4, 12)
        lengths[0, 0], lengths[-1, 1] = np.maximum((lengths[0, 0], lengths[-1, 1]), shift)
        first, second, seconds = _laid(lengths, rng.uniform(0.2, 0.6, (count, 2)))
        delayed = tuple((start + shift, end + shift) for start, end in first)
        alone = [sum(b - a for a, b in slots) for slots in solo([delayed, second])]
        if 30 <= seconds - shift <= 40 and min(alone) >= 2 and max(alone) <= 15:
            return first, second, seconds


def _laid(lengths: np.ndarray, pauses: np.ndarray) -> tuple[Turns, Turns, float]:
    """Slots of lengths (count, 2), one after the other, a pause after each."""
    slots, now = [], 0.0
    for length, pause in zip(lengths.ravel().tolist(), pauses.ravel().tolist(), strict=True):
        slots.append((now, now + length))
        now += length + pause
    return tuple(slots[::2]), tuple(slots[1::2]), slots[-1][1]


def solo(turns: Sequence[Turns]) -> list[Turns]:
    """When each of several talkers speaks alone: for each its slots (start, end) in s.

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "The data".
    """
    edges = sorted({edge for slots in turns for slot in slots for edge in slot})
    alone: list[list[tuple[float, float]]] = [[] for _ in turns]
    for a, b in pairwise(edges):
        who = [k for k, slots in enumerate(turns) if any(s <= a and b <= e for s, e in slots)]
        if len(who) == 1:
            mine = alone[who[0]]
            if mine and mine[-1][1] == a:
                mine[-1] = (mine[-1][0], b)
            else:
                mine.append((a, b))
    return [tuple(slots) for slots in alone]
