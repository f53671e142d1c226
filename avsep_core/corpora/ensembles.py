"""Performances of drawn bands, by number, and kept ready for training.

A performance is a function of its number, of what is cast and of the split: nobody who is seen, and
no player who is heard, is in two splits.

Taught in `notebooks/05_co_separation.ipynb`, section "The data".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Protocol

import numpy as np

from ..checks import whole
from ..synthetic import band, camera
from ..synthetic.backgrounds import BACKGROUNDS
from ..synthetic.musicians import STRIP
from ..synthetic.scenery import HEIGHT
from .kept import keep, mapped, tale

Cast = tuple[str, ...]

SOLOS: tuple[Cast, ...] = tuple((name,) for name in band.INSTRUMENTS)
DUETS: tuple[Cast, ...] = tuple(combinations(band.INSTRUMENTS, 2))
"""Who can be cast: each instrument alone, and each two."""

VIEWS, MOST = 3, 3
"""Pictures that are kept of a performance, and the most players in one."""

_SPLITS = ("train", "validation", "test")


def drawn(
    casts: Sequence[Cast],
    *,
    split: str = "train",
    seed: int = 0,
    seconds: float = 10.0,
    silent: float = 0.0,
    noisy: float = 0.0,
) -> Callable[[int], band.Performance]:
    """Performances without end, each a function of its number; the casts take turns.

    Parameters
    ----------
    casts : instruments of a performance, such as those of SOLOS and DUETS
    split : "train", "validation" or "test"
    seed : another seed, other performances
    seconds : length of each
    silent : how often somebody more is seen who does not play, 0…1
    noisy : how often there is a background that nobody in the picture makes, 0…1

    Raises
    ------
    ValueError : no cast, or another split
    """
    if not casts or split not in _SPLITS:
        raise ValueError(
            f"{len(casts)} casts and split {split!r}; expected one cast or more, and one of "
            f"{', '.join(_SPLITS)}"
        )

    def performance(number: int) -> band.Performance:
        rng = np.random.default_rng([seed, _SPLITS.index(split), number])
        cast = list(casts[number % len(casts)])
        playing = [True] * len(cast)
        if rng.random() < silent and len(cast) < MOST:
            others = [name for name in band.INSTRUMENTS if name not in cast]
            cast.append(others[int(rng.integers(len(others)))])
            playing.append(False)
        order = rng.permutation(len(cast))
        behind = "none"
        if rng.random() < noisy:
            behind = BACKGROUNDS[1 + int(rng.integers(len(BACKGROUNDS) - 1))]
        return band.perform(
            [cast[k] for k in order], playing=[playing[k] for k in order], rng=rng,
            seconds=seconds, background=behind, snr=float(rng.uniform(0, 15)), split=split,
        )  # fmt: skip

    return performance


class Videos(Protocol):
    """What networks learn from: drawn performances (`Ensembles`) or real films (`filmed.Films`).

    `audio` (videos, samples) int16 at `band.RATE`; `pictures` (videos, VIEWS, height, width, 3)
    uint8; `instruments` of each, as far as anybody knows.
    """

    audio: np.ndarray
    pictures: np.ndarray
    instruments: list[Cast]

    def __len__(self) -> int:
        """How many videos there are."""

    def views(self, number: int) -> np.ndarray:
        """The pictures of a video, as large as it is: (VIEWS, height, width, 3) uint8."""


class Ensembles:
    """A folder of performances, mapped into memory.

    `audio` (performances, samples) int16 at `band.RATE`; `pictures` (performances, VIEWS, height,
    width, 3) uint8, black to the right of the last player; `instruments` and `playing` of each from
    left to right; `boxes` (performances, VIEWS, MOST, 4) float32 in px, NaN where nobody is.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Open a store; ValueError where it is missing or not complete."""
        self.folder = Path(folder)
        told = tale(self.folder)["examples"]
        self.instruments: list[Cast] = [tuple(names) for names, _ in told]
        self.playing: list[tuple[bool, ...]] = [tuple(sounds) for _, sounds in told]
        self.audio, self.pictures, self.boxes = (
            mapped(self.folder, name) for name in ("audio", "pictures", "boxes")
        )

    def __len__(self) -> int:
        """How many performances it holds."""
        return len(self.instruments)

    def views(self, number: int) -> np.ndarray:
        """The pictures of a performance, as wide as it is: (VIEWS, height, width, 3) uint8."""
        return self.pictures[number, :, :, : STRIP * len(self.instruments[number])]


def pictures_of(made: band.Performance, number: int) -> np.ndarray:
    """Some pictures of a performance, through a camera, at instants that its number decides.

    Returns
    -------
    (VIEWS, height, width, 3) uint8
    """
    shots = np.stack([made.scene.picture(t) for t in _instants(made, number)])
    return camera.record(shots, np.random.default_rng([number, 1]))


def _instants(made: band.Performance, number: int) -> np.ndarray:
    rng = np.random.default_rng(number)
    found: np.ndarray = made.seconds * (np.arange(VIEWS) + rng.random(VIEWS)) / VIEWS
    return found


def write(
    folder: str | os.PathLike[str], performance: Callable[[int], band.Performance], count: int
) -> Ensembles:
    """Draw `count` performances and keep them; go on where an earlier call was stopped.

    Parameters
    ----------
    folder : made if it is missing
    performance : number -> Performance, such as `drawn` gives; all of one length
    count : how many

    Raises
    ------
    ValueError : performances that differ in length; a folder that holds another number of them
    """

    def parts(number: int) -> tuple[dict[str, np.ndarray], tuple[Cast, tuple[bool, ...]]]:
        made = performance(number)
        seen = pictures_of(made, number)
        pictures = np.zeros((VIEWS, HEIGHT, MOST * STRIP, 3), np.uint8)
        pictures[:, :, : seen.shape[2]] = seen
        boxes = np.full((VIEWS, MOST, 4), np.nan, np.float32)
        boxes[:, : len(made.instruments)] = np.stack(
            [made.scene.boxes(t) for t in _instants(made, number)]
        )
        sound = np.rint(made.audio * 32767).astype(np.int16)
        found = {"audio": sound, "pictures": pictures, "boxes": boxes}
        return found, (made.instruments, made.playing)

    keep(Path(folder), parts, whole(count, "count"), told={"views": VIEWS})
    return Ensembles(folder)
