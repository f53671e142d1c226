"""Utterances kept ready for training: sound and face crops of many clips, on disk, by number.

Drawing or decoding a clip takes far longer than a training step. A store holds what the networks
see, in arrays that are mapped into memory, so that any clip is there at once.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "The data".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from scipy.signal import resample_poly

from ..checks import whole
from ..clip import Clip
from ..faces import crop
from ..synthetic import talkers
from ..synthetic.cast import ACCENTS, Voice
from .kept import keep, mapped, tale

SIDE = 64
"""Height and width of a face crop in px."""


@dataclass(frozen=True, eq=False)
class Example:
    """One clip as networks see it.

    `speaker` and `sex`; `audio` (samples,) real; `faces` (T, SIDE, SIDE) uint8, grey; `opening`
    (T,) gap between the lips, 0 shut .. 1 wide, NaN where nobody knows.
    """

    speaker: str
    sex: str
    audio: np.ndarray
    faces: np.ndarray
    opening: np.ndarray


def grey_crops(frames: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Cut moving face boxes out of frames and drop the colour.

    Parameters
    ----------
    frames : (T, height, width, 3) uint8 RGB
    boxes : (T, 4) x, y, width, height in px

    Returns
    -------
    (T, SIDE, SIDE) uint8

    Raises
    ------
    ValueError : as `faces.crop`
    """
    crops = crop(frames, boxes, size=(SIDE, SIDE))
    return np.stack([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in crops])


def drawn(
    split: str, *, seconds: float = 3.0, rate: int = 8000, seed: int = 0
) -> Callable[[int], Example]:
    """Synthetic talkers of a split, without end: number -> Example.

    Voice, accent, pitch, room, channel, pose, light, camera and the framing of the face differ
    from number to number, so that what is learnt carries over to talkers not seen and to people.

    Parameters
    ----------
    split : "train", "validation" or "test"
    seconds, rate : length in s and rate in Hz
    seed : another seed, other clips

    Raises
    ------
    ValueError : an unknown split
    """
    if split not in talkers.SPLITS:
        raise ValueError(f"split {split!r}; expected one of {', '.join(talkers.SPLITS)}")
    ids = talkers.SPLITS[split]

    def example(number: int) -> Example:
        rng = np.random.default_rng([seed, talkers.KINDS.index("sentence"), number])
        talker = talkers.find(ids[number % len(ids)])
        said = talkers.speak(
            replace(talker, voice=_another_voice(talker.voice, rng)),
            kind=talkers.KINDS[int(rng.integers(len(talkers.KINDS)))],
            seed=int(rng.integers(10**6, 2**31)), seconds=seconds, rate=rate, vary=True,
        )  # fmt: skip
        boxes = _framed(said.face, rng)
        return Example(
            talker.id, talker.sex, said.clip.audio, grey_crops(said.clip.frames, boxes),
            said.opening,
        )  # fmt: skip

    return example


def _another_voice(voice: Voice, rng: np.random.Generator) -> Voice:
    pitch, formant = np.exp(rng.normal(0.0, (0.08, 0.04)).clip(-0.2, 0.2))
    return replace(
        voice,
        accent=ACCENTS[int(rng.integers(len(ACCENTS)))],
        pitch=voice.pitch * float(pitch),
        formant=voice.formant * float(formant),
    )


def _framed(boxes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Face boxes as a detector might have put them: a little larger, smaller, or beside."""
    size = boxes[:, 2:] * rng.uniform(0.92, 1.14)
    shift = rng.uniform([-0.025, -0.045], [0.025, 0.015])
    centre = boxes[:, :2] + boxes[:, 2:] * (0.5 + shift)
    return np.concatenate([centre - size / 2, size], axis=1)


def filmed(clips: Iterable[tuple[str, str, Clip, np.ndarray]]) -> Callable[[int], Example]:
    """Clips of your own as examples: number -> Example.

    Parameters
    ----------
    clips : (speaker, sex, clip, face boxes (T, 4) in px) each, all of one length

    Raises
    ------
    ValueError : no clip
    """
    known = list(clips)
    if not known:
        raise ValueError("no clip was given; give (speaker, sex, clip, face boxes) for each")

    def example(number: int) -> Example:
        speaker, sex, clip, boxes = known[number]
        unknown = np.full(len(clip.frames), np.nan, np.float32)
        return Example(speaker, sex, clip.audio, grey_crops(clip.frames, boxes), unknown)

    return example


class Store:
    """A folder of examples, mapped into memory.

    `audio` (clips, samples) int16; `faces` (clips, T, SIDE, SIDE) uint8; `opening` (clips, T)
    float16; `speakers` and `sexes`, one a clip; `rate` in Hz. Taught in
    `notebooks/03_looking_to_listen.ipynb`, section "The data".
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Open a store; ValueError where it is missing or not complete."""
        self.folder = Path(folder)
        told = tale(self.folder)
        self.rate: int = told["rate"]
        self.speakers: list[str] = [who for who, _ in told["examples"]]
        self.sexes: list[str] = [sex for _, sex in told["examples"]]
        self.audio, self.faces, self.opening = (
            mapped(self.folder, name) for name in ("audio", "faces", "opening")
        )

    def __len__(self) -> int:
        """How many examples it holds."""
        return len(self.speakers)

    def audio_at(self, rate: int) -> np.ndarray:
        """The sound at another rate, (clips, samples) int16; kept beside the store."""
        if rate == self.rate:
            return self.audio
        ratio = Fraction(rate, self.rate)

        def resampled() -> np.ndarray:
            parts = [
                resample_poly(part.astype(np.float32), ratio.numerator, ratio.denominator, axis=1)
                for part in np.array_split(self.audio, -(-len(self) // 100))
            ]
            return np.rint(np.concatenate(parts)).clip(-32768, 32767).astype(np.int16)

        return self.kept(f"audio_{rate}", resampled)

    def kept(self, name: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """An array that goes with the store: made once, then mapped from `name`.npy."""
        path = self.folder / f"{name}.npy"
        if not path.is_file():
            part = self.folder / f".{name}.{os.getpid()}.npy"
            np.save(part, make())
            os.replace(part, path)
        return mapped(self.folder, name)


def write(
    folder: str | os.PathLike[str], example: Callable[[int], Example], count: int, *, rate: int
) -> Store:
    """Make `count` examples and keep them; go on where an earlier call was stopped.

    Parameters
    ----------
    folder : made if it is missing
    example : number -> Example, such as `drawn` and `filmed` give; all of one length
    count : how many
    rate : Hz, of the examples' sound

    Raises
    ------
    ValueError : examples that differ in length; a folder that holds another number of them, or
        at another rate
    """

    def parts(number: int) -> tuple[dict[str, np.ndarray], list[str]]:
        made = example(number)
        sound = np.rint(np.clip(made.audio, -1, 1) * 32767).astype(np.int16)
        opening = made.opening.astype(np.float16)
        return {"audio": sound, "faces": made.faces, "opening": opening}, [made.speaker, made.sex]

    keep(Path(folder), parts, count, told={"rate": whole(rate, "rate", "Hz")})
    return Store(folder)
