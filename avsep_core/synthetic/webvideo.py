"""Synthetic web videos: a talker filmed in shots, not always well, with noise behind the voice.

What AVSpeech was cut out of (Ephrat et al., section 3), in small and with its truth: shots end in
cuts; slides are shown while the voice goes on; faces leave the picture, blur or lie in the dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from ..checks import whole, within
from ..clip import Clip
from .cast import TALKERS, Talker, find
from .noises import NOISES, noise
from .talkers import speak, speak_audio

KINDS = ("seen", "away", "blurred", "dark", "slide")
"""What a stretch of video shows: a face well seen, none as it has left the picture, one out of
focus, one in the dark, or a slide."""

Plan = Sequence[Sequence[tuple[str, float]]]

_RAMP = 0.3  # s in which a face leaves, or the light goes


@dataclass(frozen=True)
class Stretch:
    """Seconds `start` to `end` of a video, of one of `KINDS`, in the shot of this number."""

    kind: str
    start: float
    end: float
    shot: int


@dataclass(frozen=True, eq=False)
class WebVideo:
    """A web video and its truth.

    `clip` picture and sound; `talker`, the one who is heard throughout; `speech` and `noise`
    (samples,) float32, which sum to the clip's sound; `stretches` in order, which fill it.
    """

    clip: Clip
    talker: Talker
    speech: np.ndarray
    noise: np.ndarray
    stretches: tuple[Stretch, ...]

    @property
    def visible(self) -> np.ndarray:
        """Whether a frame shows the face well: (T,) bool."""
        shown = np.zeros(len(self.clip.frames), bool)
        for part in self.stretches:
            if part.kind == "seen":
                shown[round(part.start * self.clip.fps) : round(part.end * self.clip.fps)] = True
        return shown

    @property
    def cuts(self) -> list[float]:
        """Seconds at which a new shot begins, other than the first."""
        return [b.start for a, b in pairwise(self.stretches) if a.shot != b.shot]

    def snr(self, start: float = 0.0, end: float | None = None) -> float:
        """How far speech is above noise from `start` to `end` s, by default throughout, in dB."""
        rate = self.clip.rate
        part = slice(round(start * rate), None if end is None else round(end * rate))
        speech, rest = (
            float(np.sum(x[part].astype(float) ** 2)) for x in (self.speech, self.noise)
        )
        return float(10 * np.log10(speech / rest)) if rest else float("inf")


def webvideo(
    seed: int,
    *,
    seconds: float = 30.0,
    snr_db: float = 20.0,
    noise: str | None = "applause",
    talker: Talker | str | None = None,
    plan: Plan | None = None,
    fps: float = 25.0,
    rate: int = 16000,
    size: int = 128,
) -> WebVideo:
    """Make a web video.

    Parameters: `seed`, which with the other arguments decides everything; `seconds` that a random
    plan lasts, at least 4; `snr_db`, the energy of speech over that of noise throughout; `noise`,
    one of `noises.NOISES`, or None for a voice alone; `talker` or its id, None for a random one;
    `plan`, the shots, each of stretches (kind of `KINDS`, seconds), None for a random one; `fps`;
    `rate` in Hz; `size`, height and width of a frame in px.
    Returns a `WebVideo`. In each shot the talker says another sentence, elsewhere, as if parts
    had been left out. Raises ValueError for an unknown kind, noise or talker, a shot of less than
    half a second, or numbers out of range.
    Taught in `notebooks/03_looking_to_listen.ipynb`, section "How AVSpeech was made".
    """
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed {seed!r} given; expected a whole number of at least 0")
    if noise is not None and noise not in NOISES:
        raise ValueError(f"noise {noise!r} given; expected None or one of {', '.join(NOISES)}")
    within(snr_db, "snr_db", -60, 100)
    within(fps, "fps", 5, 120)
    rate, size = whole(rate, "rate", least=4000), whole(size, "size", "px", least=48)
    rng = np.random.default_rng([seed, 0])
    if plan is None:
        within(seconds, "seconds", 4, 120)
        plan = _random_plan(seconds, rng)
    stretches = _laid_out(plan, fps)
    person = find(TALKERS[int(rng.integers(len(TALKERS)))] if talker is None else talker)
    frames, speech = _filmed(person, stretches, rng, fps=fps, rate=rate, size=size)
    behind = _behind(noise, speech, snr_db, rate, person, np.random.default_rng([seed, 1]))
    scale = min(1.0, 0.99 / float(np.abs(speech + behind).max()))
    speech, behind = (np.asarray(scale * x, np.float32) for x in (speech, behind))
    clip = Clip(frames, float(fps), speech + behind, rate, f"web video {seed}")
    return WebVideo(clip, person, speech, behind, stretches)


def _random_plan(seconds: float, rng: np.random.Generator) -> Plan:
    """Shots of 4 to 12 s, half of them with a bad stretch, and slides in between."""
    shots: list[list[tuple[str, float]]] = []
    left = seconds
    while left > 0:
        length = float(rng.uniform(4, 12))
        length = left if left - length < 4 else length
        shot = [("seen", length)]
        if rng.random() < 0.5 and length > 4:
            bad = float(rng.uniform(0.3, 0.6) * length)
            first = float(rng.uniform(0, length - bad))
            kind = ("away", "blurred", "dark")[int(rng.integers(3))]
            shot = [("seen", first), (kind, bad), ("seen", length - bad - first)]
        elif rng.random() < 0.3 and length > 7:
            shown = float(rng.uniform(1.5, 4))
            shots.append([("slide", shown)])
            shot = [("seen", length - shown)]
        shots.append([part for part in shot if part[1] > 0.1])
        left -= length
    return shots


def _laid_out(plan: Plan, fps: float) -> tuple[Stretch, ...]:
    """The stretches of a plan, each of whole frames."""
    stretches: list[Stretch] = []
    clock = 0.0
    for number, shot in enumerate(plan):
        begin = clock
        for kind, seconds in shot:
            if kind not in KINDS:
                raise ValueError(f"stretch {kind!r} given; expected one of {', '.join(KINDS)}")
            if kind == "slide" and len(shot) > 1:
                raise ValueError("a slide shares a shot with other stretches; give it its own shot")
            within(seconds, f"seconds of {kind!r}", 1 / fps, 60)
            start, clock = clock, clock + seconds
            ends = (round(start * fps) / fps, round(clock * fps) / fps)
            stretches.append(Stretch(kind, *ends, number))
        within(round(clock * fps) / fps - round(begin * fps) / fps, f"length of shot {number} in s",
               0.5, 60)  # fmt: skip
    if not stretches:
        raise ValueError('the plan is empty; give shots, such as ((("seen", 4.0),),)')
    return tuple(stretches)


def _filmed(
    person: Talker, stretches: tuple[Stretch, ...], rng: np.random.Generator, *,
    fps: float, rate: int, size: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Pictures (T, size, size, 3) uint8 and speech (samples,) float64, shot by shot."""
    total = stretches[-1].end
    frames = np.empty((round(total * fps), size, size, 3), np.uint8)
    speech = np.zeros(round(total * rate))
    for number in range(stretches[-1].shot + 1):
        parts = [part for part in stretches if part.shot == number]
        start, end = parts[0].start, parts[-1].end
        shot = frames[round(start * fps) : round(end * fps)]
        seed, kind = int(rng.integers(2**31)), "sentence"
        if parts[0].kind == "slide":
            said = speak_audio(
                person, kind=kind, seed=seed, seconds=end - start, rate=rate, vary=True
            )
            shot[:] = _slide(size, rng)
        else:
            seen = speak(
                person, kind=kind, seed=seed, seconds=end - start, fps=fps, rate=rate, size=size,
                vary=True,
            )  # fmt: skip
            said, shot[:] = seen.clip.audio, seen.clip.frames
        first, last = round(start * rate), round(end * rate)
        speech[first : first + len(said)] = said[: last - first]
        for part in parts:
            a, b = (round((moment - start) * fps) for moment in (part.start, part.end))
            _worsen(shot[a:b], part.kind, (a > 0, b < len(shot)), fps, rng)
    return frames, speech


def _worsen(
    frames: np.ndarray, kind: str, soft: tuple[bool, bool], fps: float, rng: np.random.Generator
) -> None:
    """Turn a stretch into one of its kind; where its begin or end is `soft`, over 0.3 s."""
    count, size = frames.shape[:2]
    strength = np.ones(count)
    for order, gradual in zip((1, -1), soft, strict=True):
        if gradual:
            way = np.minimum((np.arange(count) + 1) / (_RAMP * fps), 1)[::order]
            strength = np.minimum(strength, 0.5 - 0.5 * np.cos(np.pi * way))
    side = 1 if rng.random() < 0.5 else -1
    for frame, amount in zip(frames, strength, strict=True):
        if kind == "away":
            columns = np.arange(size) + side * round(amount * 1.1 * size)
            frame[:] = frame[:, np.clip(columns, 0, size - 1)]
        elif kind == "blurred":
            frame[:] = cv2.GaussianBlur(frame, (0, 0), 0.3 + 0.06 * size * amount)
        elif kind == "dark":
            grain = rng.normal(0, 1.5, frame.shape)
            frame[:] = np.clip(frame * (1 - 0.93 * amount) + grain, 0, 255)


def _slide(size: int, rng: np.random.Generator) -> np.ndarray:
    """A bright page with a bar for the title, lines of text and a few bars: (size, size, 3)."""
    page = np.full((size, size, 3), rng.uniform(215, 250), np.float32)
    page[: size // 6] = rng.uniform(30, 160, 3)
    ink = rng.uniform(20, 90)
    for y in range(size // 4, size - size // 12, max(size // 12, 4)):
        page[y : y + max(size // 40, 2), size // 12 : round(rng.uniform(0.35, 0.55) * size)] = ink
    colour = rng.uniform(40, 200, 3)
    for k in range(4):
        left, top = round((0.62 + 0.08 * k) * size), round(rng.uniform(0.35, 0.8) * size)
        page[top : round(0.9 * size), left : left + size // 20] = colour
    return np.asarray(page + 0.5, np.uint8)


def _behind(
    kind: str | None, speech: np.ndarray, snr_db: float, rate: int, person: Talker,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """The noise, (samples,) float64, so loud that speech stands `snr_db` above it."""
    if kind is None:
        return np.zeros(len(speech))
    sound = noise(kind, len(speech) / rate, rate, rng, without=(person.id,)).astype(float)
    power = np.mean(speech**2) / np.mean(sound**2)
    return sound[: len(speech)] * np.sqrt(power * 10 ** (-snr_db / 10))
