"""Pairs of videos to train on, without end, and pictures to train the detector on.

Taught in `notebooks/05_co_separation.ipynb`, section "Pairs".
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import cv2
import numpy as np
import torch

from ..corpora.ensembles import MOST as PLAYERS
from ..corpora.ensembles import Ensembles, Videos
from ..synthetic.musicians import STRIP
from ..synthetic.played_places import PLACES, place
from .network import Architecture
from .objects import MOST, SIDE, Objects

SCENES = 200
"""How many pictures of places there are, one of which stands for all that no object makes."""
ROOT_MEAN_SQUARE = 0.1
"""Level of each video's sound in a pair, before a random gain."""
_TRIES = 50


@functools.cache
def places(count: int = SCENES, *, seed: int = 0) -> np.ndarray:
    """Pictures of places without a musician, (count, SIDE, SIDE, 3) uint8 (section 3.2).

    Parameters
    ----------
    count : how many
    seed : another seed, other places
    """
    rng = np.random.default_rng([seed, 5])
    found = np.zeros((count, SIDE, SIDE, 3), np.uint8)
    for k in range(count):
        drawn = place(PLACES[k % len(PLACES)], 2 * STRIP, rng)
        small = cv2.resize(drawn.clip(0, 255), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        found[k] = small.astype(np.uint8)
    return found


def shown(picture: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """A kept picture as it is shown in training: shifted, mirrored and lit by chance.

    Parameters
    ----------
    picture : (SIDE, SIDE, 3) uint8
    side : px of the part that is shown

    Returns
    -------
    (side, side, 3) uint8
    """
    y, x = rng.integers(SIDE - side + 1, size=2)
    part = picture[y : y + side, x : x + side]
    part = part[:, ::-1] if rng.random() < 0.5 else part
    light = rng.uniform(0.8, 1.2) * rng.uniform(0.9, 1.1, 3)
    return np.clip(part * light, 0, 255).astype(np.uint8)


class Pairs(torch.utils.data.Dataset):
    """Pairs of videos, without end: number -> example, as `objective.Objective` takes it.

    The two videos of a pair share no detected class; all kinds of network meet the same pairs.
    Pictures are mirrored, shifted and lit by chance.

    Parameters
    ----------
    store : performances or films
    found : what was detected in them
    architecture : `kind`, `samples` and `side`
    scenes : whether each video also has a picture of a place, for what no object makes
    among : numbers of the videos to take, by default all in which something is detected
    seed : another seed, other pairs
    """

    def __init__(
        self,
        store: Videos,
        found: Objects,
        architecture: Architecture,
        *,
        scenes: bool = True,
        among: Sequence[int] | None = None,
        seed: int = 0,
    ) -> None:
        self.store, self.found, self.architecture = store, found, architecture
        self.seed = seed
        self.scenes = places() if scenes else None
        self.usable = np.flatnonzero((found.labels >= 0).any(1))
        if among is not None:
            self.usable = np.intersect1d(self.usable, among)
        held = {tuple(sorted(x[x >= 0])) for x in found.labels[self.usable]}
        if not any(set(a).isdisjoint(b) for a in held for b in held):
            raise ValueError(
                f"{len(self.usable)} videos with a detection, no two of which share no class; give "
                "more, or a detector that finds something in them"
            )
        if architecture.side > SIDE:
            raise ValueError(
                f"a network that sees {architecture.side} px; the pictures that are kept have "
                f"{SIDE}: take an architecture of at most so many"
            )
        if store.audio.shape[1] < architecture.samples:
            raise ValueError(
                f"videos of {store.audio.shape[1]} samples; the network hears "
                f"{architecture.samples} at a time, so give longer ones"
            )

    def videos(self, number: int) -> tuple[int, int]:
        """The two videos of pair `number`."""
        return self._videos(np.random.default_rng([self.seed, number]))

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        """Pair `number`."""
        rng = np.random.default_rng([self.seed, number])
        both = self._videos(rng)
        a = self.architecture
        slots = [slot for k, n in enumerate(both) for slot in self._slots(k, n, rng)]
        pictures = np.stack([shown(picture, a.side, rng) for picture, *_ in slots])
        return {
            "sounds": torch.from_numpy(np.stack([self._heard(n, rng) for n in both])),
            "pictures": torch.from_numpy(pictures).permute(0, 3, 1, 2),
            "label": torch.tensor([label for _, label, *_ in slots]),
            "there": torch.tensor([label >= 0 for _, label, *_ in slots]),
            "video": torch.tensor([k for *_, k in slots]),
            "present": torch.tensor(
                [self._present(both[k], a.classes) for *_, k in slots], dtype=torch.int64
            ),
        }

    def _videos(self, rng: np.random.Generator) -> tuple[int, int]:
        labels = self.found.labels
        while True:
            first = int(self.usable[rng.integers(len(self.usable))])
            for _ in range(_TRIES):
                other = int(self.usable[rng.integers(len(self.usable))])
                if not np.intersect1d(labels[first], labels[other][labels[other] >= 0]).size:
                    return first, other

    def _slots(self, k: int, n: int, rng: np.random.Generator) -> list[tuple[np.ndarray, int, int]]:
        """Of one video: pictures, labels (-1 for an empty slot), and the video's place."""
        a, found = self.architecture, self.found
        if a.kind != "co_separation":
            view = found.whole[n, int(rng.integers(found.whole.shape[1]))]
            return [(view, a.classes, k)]
        slots = []
        for j in range(MOST):
            view = int(rng.integers(max(found.count[n, j], 1)))
            slots.append((found.windows[n, j, view], int(found.labels[n, j]), k))
        if self.scenes is not None:
            slots.append((self.scenes[int(rng.integers(len(self.scenes)))], a.classes, k))
        return slots

    def _present(self, n: int, classes: int) -> list[int]:
        there = [int(c) for c in self.found.labels[n] if c >= 0]
        return there + [-1] * (classes + 1 - len(there))

    def _heard(self, n: int, rng: np.random.Generator) -> np.ndarray:
        whole = self.store.audio[n]
        start = int(rng.integers(len(whole) - self.architecture.samples + 1))
        sound = whole[start : start + self.architecture.samples].astype(np.float32)
        gain = ROOT_MEAN_SQUARE * 10 ** (rng.uniform(-2.5, 2.5) / 20)
        return sound * np.float32(gain / np.sqrt(np.mean(sound**2) + 1.0))


class Pictures(torch.utils.data.Dataset):
    """Pictures with the boxes of their objects, without end, for `detector.detection_loss`.

    Parameters
    ----------
    store : performances
    names : classes, in the order of their labels
    seed : another seed, another order
    """

    def __init__(self, store: Ensembles, names: tuple[str, ...], *, seed: int = 0) -> None:
        self.store, self.names, self.seed = store, names, seed

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        """Example `number`: `pictures` (3, h, w) uint8, `boxes` (slots, 4), `labels` (slots)."""
        rng = np.random.default_rng([self.seed, number])
        n = int(rng.integers(len(self.store)))
        view = int(rng.integers(self.store.pictures.shape[1]))
        picture = np.array(self.store.pictures[n, view])
        boxes = np.nan_to_num(self.store.boxes[n, view].astype(np.float32), nan=1.0)
        labels = np.full(PLAYERS, -1)
        here = [self.names.index(name) for name in self.store.instruments[n]]
        labels[: len(here)] = here
        if rng.random() < 0.5:
            wide = STRIP * len(here)
            picture[:, :wide] = picture[:, :wide][:, ::-1].copy()
            boxes[: len(here), 0] = wide - boxes[: len(here), 0] - boxes[: len(here), 2]
        light = rng.uniform(0.7, 1.3) * rng.uniform(0.85, 1.15, 3)
        lit = np.clip(picture * light, 0, 255).astype(np.uint8)
        return {
            "pictures": torch.from_numpy(lit).permute(2, 0, 1),
            "boxes": torch.from_numpy(boxes),
            "labels": torch.from_numpy(labels),
        }
