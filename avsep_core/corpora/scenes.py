"""An item of a list as networks that look at faces take it: sounds, and each talker's face.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "Measure it".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..clip import at_fps
from ..faces import follow
from .base import Corpus
from .mixtures import Item
from .noisy import NoisyItem, make_noisy
from .store import grey_crops

FPS = 25


@dataclass(frozen=True, eq=False)
class Scene:
    """Sounds and faces of one item.

    `sources` (talkers, samples) and `noise` (samples,) or None sum to `mixture`, at `rate` Hz;
    `faces` (talkers, T, SIDE, SIDE) uint8 grey crops at 25 a second, `seen` (talkers, T) bool where
    the detector saw them.
    """

    item: Item
    mixture: np.ndarray
    sources: np.ndarray
    noise: np.ndarray | None
    faces: np.ndarray
    seen: np.ndarray
    rate: int


def scene(corpus: Corpus, item: Item, *, rate: int = 8000) -> Scene:
    """Make an item, and follow each talker's face in that talker's own picture.

    Parameters
    ----------
    corpus, item : see `noisy.task_list` and `mixtures.fixed_list`
    rate : Hz

    Raises
    ------
    NoFaceError : a face that cannot be followed
    """
    mixed = make_noisy(corpus, item, rate=rate)
    faces, seen = [], []
    for clip in mixed.clips:
        track = follow(clip.frames)[0]
        faces.append(at_fps(grey_crops(clip.frames, track.boxes), clip.fps, FPS))
        seen.append(at_fps(track.seen, clip.fps, FPS))
    talkers = len(item.speakers)
    noisy = isinstance(item, NoisyItem) and bool(item.noise)
    return Scene(
        item, mixed.mixture, mixed.sources[:talkers], mixed.sources[-1] if noisy else None,
        np.stack(faces), np.stack(seen), mixed.rate,
    )  # fmt: skip
