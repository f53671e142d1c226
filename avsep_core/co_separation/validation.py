"""How well it goes while a network learns: boxes found, sounds of mixed solos parted.

Taught in `notebooks/05_co_separation.ipynb`, section "Train it".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from ..corpora.ensembles import Ensembles, Videos
from ..corpora.solo_pairs import LEVEL, PairItem
from ..scores import bss_eval
from .detector import Detection, Detector, Finder, overlap
from .network import Separator
from .objects import Objects, middle
from .sliding import separated

ENOUGH = 0.5
"""Overlap from which on a box is the right one."""


def matched(
    found: Sequence[Detection], names: Sequence[str], boxes: np.ndarray
) -> tuple[int, int, int]:
    """Compare detections of one picture with the truth.

    Parameters
    ----------
    found : the surest first
    names : the class of each object that is there
    boxes : (objects, 4) px

    Returns
    -------
    How many detections are right, how many wrong, how many objects were missed; an object is found
    once, by a box of its class that overlaps by ENOUGH
    """
    free = list(range(len(names)))
    right = 0
    for one in found:
        fits = [
            k
            for k in free
            if names[k] == one.name and overlap(one.box, boxes[k].tolist()) >= ENOUGH
        ]
        if fits:
            free.remove(max(fits, key=lambda k: overlap(one.box, boxes[k].tolist())))
            right += 1
    return right, len(found) - right, len(free)


def found_in(detector: Finder, store: Ensembles, *, least: float = 0.3) -> dict[str, float]:
    """Precision and recall of a detector over all pictures of a store.

    Parameters
    ----------
    detector : of any classes
    store : with the truth
    least : confidence below which nothing counts

    Returns
    -------
    `precision` and `recall`, 0…1
    """
    total = np.zeros(3)
    for n, names in enumerate(store.instruments):
        for t, one in enumerate(detector.detect(store.views(n), least=least)):
            total += matched(one, names, store.boxes[n, t, : len(names)])
    right, wrong, missed = total
    return {
        "precision": float(right / max(right + wrong, 1)),
        "recall": float(right / max(right + missed, 1)),
    }


@dataclass(frozen=True, eq=False)
class Finding:
    """The validation of a detector: `precision`, `recall`, and `loss`, one minus their mean."""

    store: Ensembles

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """The values, plain floats."""
        assert isinstance(network, Detector)
        found = found_in(network, self.store)
        return {"loss": 1 - (found["precision"] + found["recall"]) / 2, **found}


@dataclass(frozen=True, eq=False)
class Validation:
    """The validation of a separator: mean `sdr` in dB of mixed solos, and `loss`, its negative.

    Objects are told by their surest window, whole videos, and solos in which nothing was detected,
    by their first picture. The k-th sound is scored as the k-th solo's: no order is searched.

    Parameters
    ----------
    store : solos, drawn or filmed
    found : what was detected in them
    items : which are mixed: numbers are places in the store
    """

    store: Videos
    found: Objects
    items: Sequence[PairItem]

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """The values, plain floats."""
        assert isinstance(network, Separator)
        a, scores = network.architecture, []
        for item in self.items:
            sounds = self.store.audio[list(item.numbers), : a.samples].astype(np.float32)
            sounds *= LEVEL / np.sqrt(np.mean(sounds**2, axis=1, keepdims=True) + 1)
            shown = np.stack([self._shown(n, network) for n in item.numbers])[:, None]
            parts = separated(network, sounds.sum(0), middle(shown, a.side))
            scores.append(float(bss_eval(sounds, parts, permute=False).sdr.mean()))
        sdr = float(np.mean(scores))
        return {"loss": -sdr, "sdr": sdr}

    def _shown(self, number: int, network: Separator) -> np.ndarray:
        found = self.found
        if network.architecture.kind == "co_separation" and found.count[number, 0]:
            return found.windows[number, 0, 0]
        return found.whole[number, 0]
