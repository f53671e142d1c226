"""Faces that speak: clips of synthetic talkers, sound and picture made from one seed."""

import zlib
from dataclasses import dataclass, replace

import numpy as np

from ..checks import whole, within
from ..clip import Clip
from . import camera
from .cast import SPLITS, TALKERS, Colour, Look, Talker, Voice, find
from .face import Film, Motion, film, wander
from .mouth import Mouth, move
from .phonemes import Phoneme
from .texts import KINDS
from .voice import Spoken, utter

__all__ = [
    "KINDS", "SPLITS", "TALKERS", "Look", "Phoneme", "Talker", "Utterance", "Voice",
    "speak", "speak_audio",
]  # fmt: skip

_ENOUGH = 0.5  # s: lead and tail take up to 0.4
_WORDS, _TIMING, _VOICE, _HEAD, _CAMERA, _SCENE = range(6)


@dataclass(frozen=True, eq=False)
class Utterance:
    """A talker saying something.

    `clip` picture and sound; `talker`; `text` the words heard; `phonemes` with times in s;
    `face` and `lips` boxes [x, y, w, h] in px, (T, 4) float32, `lips` of constant shape
    around the middle of the mouth; `opening` (T,) gap between the lips, 0 shut .. 1 wide.
    Frame t shows the instant (t + 1/2) / fps.
    """

    clip: Clip
    talker: Talker
    text: str
    phonemes: tuple[Phoneme, ...]
    face: np.ndarray
    lips: np.ndarray
    opening: np.ndarray


def _stream(talker: Talker, kind: str, seed: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(talker.id.encode()), KINDS.index(kind), seed, purpose])


def _check(kind: str, seed: int, seconds: float, rate: int, text: str | None) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind of text {kind!r} given; expected one of {', '.join(KINDS)}")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed {seed!r} given; expected a whole number of at least 0")
    within(seconds, "seconds", 0.2, 120)
    whole(rate, "rate", least=4000)
    if text is not None and not isinstance(text, str):
        raise ValueError(f"text {text!r} given; expected words, or None for random ones")


def _sound(
    talker: Talker, kind: str, seed: int, seconds: float, rate: int, text: str | None, vary: bool
) -> Spoken:
    _check(kind, seed, seconds, rate, text)
    spoken = utter(
        talker.voice, kind=kind, text=text, seconds=seconds, rate=rate,
        words=_stream(talker, kind, seed, _WORDS),
        timing=_stream(talker, kind, seed, _TIMING),
        variation=_stream(talker, kind, seed, _VOICE) if vary else None,
    )  # fmt: skip
    if not spoken.audio.any():
        raise ValueError(
            f"seconds={seconds} is too short to say anything; {_ENOUGH} s or more suffice"
        )
    return spoken


def speak_audio(
    talker: Talker | str,
    *,
    kind: str = "command",
    seed: int = 0,
    seconds: float = 3.0,
    rate: int = 16000,
    text: str | None = None,
    vary: bool = False,
) -> np.ndarray:
    """The sound of `speak` without its picture, equal to `speak(...).clip.audio`.

    Parameters and errors as for `speak`. Returns (round(seconds * rate),) float32.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    return _sound(find(talker), kind, seed, seconds, rate, text, vary).audio


def stress(phonemes: tuple[Phoneme, ...], times: np.ndarray) -> np.ndarray:
    """How strongly a syllable is stressed at `times` (T,) in s: (T,), 0..1."""
    total = np.zeros_like(times)
    for p in phonemes:
        if p.stress == 2:
            total += np.exp(-0.5 * ((times - 0.5 * (p.start + p.end)) / 0.12) ** 2)
    return np.minimum(total, 1.0)


def _rgb(values: np.ndarray) -> Colour:
    red, green, blue = (int(v) for v in np.clip(values, 0, 255))
    return red, green, blue


def _another_day(talker: Talker, motion: Motion, rng: np.random.Generator) -> tuple[Talker, Motion]:
    """The same person elsewhere: distance, pose, wall, clothes and make-up differ."""
    zoom = float(np.exp(rng.uniform(-0.16, 0.1)))
    look = talker.look
    tone = rng.uniform(0.9, 1.08)
    skin = _rgb(np.array(look.skin) * tone * rng.uniform(0.97, 1.03, 3))
    changed = replace(
        look,
        skin=skin,
        wall=_rgb(rng.uniform(80, 220) + rng.uniform(-28, 28, 3)),
        top=_rgb(rng.uniform(50, 210) + rng.uniform(-45, 45, 3)),
        upper_lip=float(np.clip(look.upper_lip + rng.normal(0, 0.35), -1.2, 1.2)),
        lower_lip=float(np.clip(look.lower_lip + rng.normal(0, 0.35), -1.2, 1.2)),
        mouth=float(np.clip(look.mouth + rng.normal(0, 0.35), -1.2, 1.2)),
        light=float(rng.uniform(-1, 1)),
    )
    liveliness = float(rng.uniform(0.7, 2.0))
    moved = Motion(
        shift=motion.shift * liveliness + rng.uniform(-0.06, 0.06, 2),
        turn=motion.turn * liveliness + rng.normal(0, 0.06),
        zoom=motion.zoom * zoom,
        yaw=motion.yaw * liveliness + rng.uniform(-0.028, 0.028),
        nod=motion.nod * liveliness + rng.uniform(-0.015, 0.015),
        lids=motion.lids,
        gaze=motion.gaze + rng.uniform(-0.004, 0.004, 2),
        brows=motion.brows,
    )
    return replace(talker, look=changed), moved


def _picture(
    talker: Talker, kind: str, seed: int, mouth: Mouth, times: np.ndarray, spoken: Spoken,
    size: int, vary: bool,
) -> Film:  # fmt: skip
    motion = wander(_stream(talker, kind, seed, _HEAD), times, stress(spoken.phonemes, times))
    lens = _stream(talker, kind, seed, _CAMERA)
    if not vary:
        drawn = film(talker, mouth, motion, size=size)
        return replace(drawn, frames=camera.record(drawn.frames, lens))
    scene = _stream(talker, kind, seed, _SCENE)
    changed, motion = _another_day(talker, motion, scene)
    drawn = film(changed, mouth, motion, size=size)
    frames = camera.weather(drawn.frames, scene)
    frames = camera.record(frames, lens, noise=float(scene.uniform(1, 6)))
    if scene.random() < 0.6:
        frames = camera.squeeze(frames, int(scene.integers(45, 96)))
    return replace(drawn, frames=frames)


def speak(
    talker: Talker | str,
    *,
    kind: str = "command",
    seed: int = 0,
    seconds: float = 3.0,
    fps: float = 25.0,
    rate: int = 16000,
    size: int = 128,
    text: str | None = None,
    vary: bool = False,
) -> Utterance:
    """Let a talker speak to the camera.

    Parameters: `talker`, a `Talker` or its id; `kind` of text, "command", "digits" or
    "sentence"; `seed`, which with talker and kind decides everything; `seconds`; `fps`
    frames a second; `rate` of the sound in Hz; `size`, height and width of a frame in px;
    `text` to say instead of a random one; `vary`, whether voice, room, channel, pose, light
    and camera shall differ from clip to clip, as training for real people wants.
    Returns an `Utterance` with round(seconds * fps) frames and round(seconds * rate) samples.
    Raises ValueError for an unknown talker or kind, an empty text, or sizes out of range.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    within(fps, "fps", 1, 240)
    within(seconds, "seconds", 0.2, 120)
    within(size, "size", 32, 1024)
    size = whole(size, "size", "px")
    if not round(seconds * fps):
        raise ValueError(
            f"seconds={seconds} at fps={fps} hold no frame; give {1 / fps:.2f} s or more"
        )
    person = find(talker)
    spoken = _sound(person, kind, seed, seconds, rate, text, vary)
    times = (np.arange(round(seconds * fps)) + 0.5) / fps
    mouth = move(spoken.phonemes, times, frame=1 / fps)
    drawn = _picture(person, kind, seed, mouth, times, spoken, size, vary)
    clip = Clip(
        frames=drawn.frames, fps=float(fps), audio=spoken.audio, rate=rate,
        name=f"{person.id} {kind} {seed}",
    )  # fmt: skip
    return Utterance(
        clip,
        person,
        spoken.text,
        spoken.phonemes,
        drawn.face,
        drawn.lips,
        np.clip(mouth.open, 0, 1),
    )
