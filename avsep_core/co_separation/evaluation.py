"""Every method on the same pairs of solos, told the same, and what the networks heard in them.

Taught in `notebooks/05_co_separation.ipynb`, section "Measure it".
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats
from scipy.spatial.distance import cdist
from torch import nn

from ..corpora.solo_pairs import SoloPair
from ..scores import bss_eval, mixture_sdr
from . import guided_nmf, sliding
from .detector import Detection, Finder, overlap
from .miml import Miml
from .network import Separator, spectrogram
from .objects import SIDE, Objects, cut, middle, surest

HOP = 0.75
"""Seconds from one window to the next."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What can be seen in one video.

    `whole` (views, SIDE, SIDE, 3) uint8, its pictures; `label`, the class of its surest detection,
    -1 if there is none; `windows` (1…views, SIDE, SIDE, 3), that object, the surest first; where
    nothing was detected, the whole pictures.
    """

    whole: np.ndarray
    label: int
    windows: np.ndarray

    def pictures(self, network: Separator) -> np.ndarray:
        """What a network is shown: (views, 3, side, side) uint8, objects or whole pictures."""
        kept = self.windows if network.architecture.kind == "co_separation" else self.whole
        return middle(kept, network.architecture.side)


def seen(pictures: np.ndarray, detector: Finder) -> Seen:
    """Look at one video.

    Parameters
    ----------
    pictures : (views, height, width, 3) uint8
    detector : whose `names` are the classes
    """
    height, width = pictures.shape[1:3]
    whole = np.stack([cut(picture, (0, 0, width, height), SIDE) for picture in pictures])
    best = surest(detector.detect(pictures), most=1)
    for name, found in best.items():
        windows = np.stack([cut(pictures[t], one.box, SIDE) for t, one in found])
        return Seen(whole, detector.names.index(name), windows)
    return Seen(whole, -1, whole)


def parted(network: Separator, mixture: np.ndarray, pictures: Sequence[np.ndarray]) -> np.ndarray:
    """The sound of each object: (objects, samples) float32.

    Parameters
    ----------
    network : of any kind
    mixture : (samples,) at `PAPER.rate`
    pictures : of each object (views, 3, side, side) uint8; their numbers of views may differ
    """
    each = [sliding.separated(network, mixture, views[None], hop=HOP)[0] for views in pictures]
    return np.stack(each)


class _Told(nn.Module):
    """Answers with one vector, whatever is shown."""

    def __init__(self, vector: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("vector", vector)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        told: torch.Tensor = self.get_buffer("vector").expand(len(pictures), -1)
        return told


def blindfolded(network: Separator, vector: torch.Tensor) -> Separator:
    """The same network that is told a vector in place of what it is shown.

    Parameters
    ----------
    network : of any kind but "sound_of_pixels"
    vector : (vector,), such as one of `mean_vectors`
    """
    made = copy.deepcopy(network)
    made.register_module("see", _Told(vector))
    return made


@torch.no_grad()
def mean_vectors(network: Separator, found: Objects) -> dict[int, torch.Tensor]:
    """Class -> the mean over all of its windows of what the network's eyes make of them.

    Parameters
    ----------
    network : of any kind but "sound_of_pixels"
    found : windows with their classes
    """
    device = next(network.parameters()).device
    told = {}
    for label in np.unique(found.labels[found.labels >= 0]):
        there = found.labels == label
        windows = [
            views[:count]
            for views, count in zip(found.windows[there], found.count[there], strict=True)
        ]
        shown = torch.from_numpy(middle(np.concatenate(windows), network.architecture.side))
        told[int(label)] = network.see(shown.to(device) / 255).mean(0)
    return told


def by_templates(network: Miml, mixture: np.ndarray, labels: Sequence[int]) -> np.ndarray:
    """AV-MIML: (objects, samples); where a label is missing or comes twice, shares of the mixture.

    Parameters
    ----------
    network : with templates
    mixture : (samples,) at `PAPER.rate`
    labels : class of each object, -1 where nothing was detected
    """
    if -1 in labels or len(set(labels)) < len(labels):
        return np.repeat(mixture[None] / len(labels), len(labels), axis=0)
    return guided_nmf.separated(network, mixture, labels)


def scored(
    pair: SoloPair, sounds: Mapping[str, np.ndarray], *, permute: bool = False
) -> dict[str, dict[str, list[float]]]:
    """Scores of sounds by BSS Eval, the k-th against the k-th solo unless `permute`.

    Parameters
    ----------
    pair : with the truth
    sounds : row -> (2, samples)
    permute : try both orders, and keep the better one

    Returns
    -------
    row -> {"sdr", "sir", "sar", "dsdr"}, each a list over the two solos, in dB
    """
    found, before = {}, mixture_sdr(pair.sources, pair.mixture)
    for row, made in sounds.items():
        one = bss_eval(pair.sources, made, permute=permute)
        found[row] = {
            "sdr": one.sdr.tolist(), "sir": one.sir.tolist(), "sar": one.sar.tolist(),
            "dsdr": (one.sdr - before).tolist(),
        }  # fmt: skip
    return found


@torch.no_grad()
def heard(
    network: Separator, sound: np.ndarray, pictures: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What the discovered classifier hears in the sound that each picture lets through.

    Parameters
    ----------
    network : with a classifier
    sound : (samples,) at `PAPER.rate`; one window from its middle is taken
    pictures : (n, 3, side, side) uint8

    Returns
    -------
    (n, 8 hearing), the embedding of Fig. 4, and (n, classes + 1), the probability of each class
    """
    a, device = network.architecture, next(network.parameters()).device
    start = max((len(sound) - a.samples) // 2, 0)
    piece = np.pad(sound, (0, max(a.samples - len(sound), 0)))[start : start + a.samples]
    mixture = spectrogram(torch.from_numpy(np.asarray(piece, np.float32))[None].to(device), a.bins)
    of = torch.zeros(len(pictures), dtype=torch.int64, device=device)
    made, scores = network(mixture, torch.from_numpy(pictures).to(device) / 255, of)
    if scores is None:
        raise ValueError(
            f"a network of kind {a.kind} without a classifier; take one with `hearing` above 0"
        )
    embedding = network.heard(made * mixture[of])
    return embedding.cpu().numpy(), scores.softmax(1).cpu().numpy()


def purity(
    embedding: np.ndarray,
    labels: np.ndarray,
    *,
    films: np.ndarray | None = None,
    voters: np.ndarray | None = None,
    neighbours: int = 5,
) -> np.ndarray:
    """Whether the commonest class among the nearest neighbours of each point is its own.

    Parameters
    ----------
    embedding : (n, d)
    labels : (n,) classes
    films : (n, k) int, the films that a point is made of; those that share one do not vote on each
        other. By default each point is of a film of its own
    voters : (n,) bool, which points vote; by default all
    neighbours : that vote

    Returns
    -------
    (n,) bool

    Raises
    ------
    ValueError : a point on which fewer than `neighbours` others may vote
    """
    films = np.arange(len(labels))[:, None] if films is None else films
    barred = (films[:, None, :, None] == films[None, :, None, :]).any((2, 3))
    if voters is not None:
        barred |= ~voters
    least = int((~barred).sum(1).min())
    if least < neighbours:
        raise ValueError(
            f"{least} points may vote on one of {len(labels)}, {neighbours} are needed; give more "
            "points, of more films, or ask fewer neighbours"
        )
    far = np.where(barred, np.inf, cdist(embedding, embedding))
    near = np.argsort(far, axis=1, kind="stable")[:, :neighbours]
    right: np.ndarray = stats.mode(labels[near], axis=1).mode == labels
    return right


def proposals(shape: tuple[int, int]) -> list[tuple[float, float, float, float]]:
    """Boxes of three sizes all over a picture of (height, width) px, each half over the next."""
    height, width = shape
    found = []
    for size in (0.35, 0.5, 0.7):
        side = size * min(height, width)
        for y in np.linspace(0, height - side, max(round(2 * (height / side - 1)) + 1, 2)):
            for x in np.linspace(0, width - side, max(round(2 * (width / side - 1)) + 1, 2)):
                found.append((float(x), float(y), float(side), float(side)))
    return found


def ranked(network: Separator, sound: np.ndarray, frame: np.ndarray, label: int) -> list[Detection]:
    """Proposals in a picture, the one first whose sound is most surely of a class (Fig. 5).

    Parameters
    ----------
    network : with a classifier
    sound : (samples,) of the video
    frame : (height, width, 3) uint8
    label : the class

    Returns
    -------
    One Detection a proposal, named "", with the classifier's probability as its confidence
    """
    boxes = proposals(frame.shape[:2])
    windows = middle(np.stack([cut(frame, box, SIDE) for box in boxes]), network.architecture.side)
    sure = heard(network, sound, windows)[1][:, label]
    return [Detection("", float(sure[k]), boxes[k]) for k in np.argsort(-sure, kind="stable")]


def nearest(box: Sequence[float], boxes: np.ndarray) -> int:
    """Which of (n, 4) boxes a box overlaps most; -1 if it meets none."""
    shared = [overlap(tuple(box), one.tolist()) for one in boxes]
    return int(np.argmax(shared)) if max(shared, default=0) > 0 else -1
