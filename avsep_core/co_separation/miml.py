"""AV-MIML: which templates of a video are the sound of which of its objects.

Gao, Feris and Grauman, "Learning to separate object sounds by watching unlabeled video", ECCV
2018, the baseline of section 4.3:

1. `bases`: non-negative matrix factorisation of each video's magnitudes. The M templates are a bag
   of instances; the bag's labels are the classes of the objects that are seen.
2. `Miml`, a network for many instances and many labels: how much each template is of each class.
   A bag has a label as much as the template that has it most.
3. `gather`: the templates of each class, from all videos.
4. `guided_nmf.separated`: the templates of the classes that are seen explain a mixture.

What we add or choose. In training, a bag shows a few of its templates at a time, since the network
soon knows whole bags by heart. A template is gathered for that class in view which has its highest
score; k-means takes a few of them that stand for all.

Taught in `notebooks/05_co_separation.ipynb`, section "Four rivals".
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import nn
from torch.nn import functional as F

from ..checks import whole, within
from ..corpora.ensembles import Videos
from ..spectrogram import log_warp
from .network import PAPER
from .nmf_mfcc import factorise

TEMPLATES, FEW = 25, 5
"""Templates of each video, M in the paper, and those of a bag that are shown at a time."""
_DECIBELS = 60  # below a template's largest magnitude, the network sees nothing
_STEPS = 255  # in which the root of a kept magnitude is told


def bases(
    store: Videos,
    *,
    templates: int = TEMPLATES,
    videos: int | None = None,
    seconds: float | None = None,
    iterations: int = 100,
    seed: int = 0,
) -> np.ndarray:
    """The templates of each video of a store: what `nmf_mfcc.factorise` finds in its sound.

    Parameters
    ----------
    store : performances or films
    templates : M, fewer than a video has frames
    videos : only so many, the first ones; None for all
    seconds : only the beginning of each; None for the whole
    iterations : of the factorisation
    seed : of the factorisation; another seed, other templates

    Returns
    -------
    (videos, templates, 512) float32 magnitudes; each template adds up to one

    Raises
    ------
    ValueError : more videos than there are, a silent one, or one with too few frames
    """
    M = whole(templates, "templates", "templates")
    count = len(store) if videos is None else whole(videos, "videos", "performances")
    if count > len(store):
        raise ValueError(f"{count} videos asked for; the store holds {len(store)}")
    length = store.audio.shape[1]
    if seconds is not None:
        within(seconds, "seconds", 0.1, 1e6)
        length = min(round(seconds * PAPER.rate), length)
    found = np.zeros((count, M, PAPER.bins), np.float32)
    for n in range(count):
        sound = store.audio[n, :length] / 32767
        if not sound.any():
            raise ValueError(f"video {n} is silent for {length / PAPER.rate:.3g} s; leave it out")
        S = np.abs(PAPER.forward(sound))
        if S.shape[1] <= M:
            raise ValueError(
                f"video {n} has {S.shape[1]} frames for {M} templates, which must be "
                "fewer; take more seconds, or fewer templates"
            )
        W, _ = factorise(S, M, iterations=iterations, seed=seed)
        found[n] = (W / W.sum(axis=0).clip(min=1e-30)).T
    return found


class Miml(nn.Module):
    """Scores of templates for classes, and the templates that were gathered for each class.

    A layer with batch norm, a layer for K sub-concepts of each class, and the highest of the K: a
    class may sound in several ways.

    Parameters
    ----------
    classes : L
    most : templates that are kept of a class
    bins : of the log-frequency axis on which the network sees a template
    hidden : width of the first layer; 1024 in the authors' program
    concepts : K
    """

    kept: torch.Tensor
    count: torch.Tensor

    def __init__(
        self, classes: int, *, most: int = 50, bins: int = 128, hidden: int = 64, concepts: int = 4
    ) -> None:
        super().__init__()
        self.classes = whole(classes, "classes", "classes", least=2)
        self.most = whole(most, "most", "templates of a class")
        self.bins = whole(bins, "bins", "bins", least=2)
        self.hidden = whole(hidden, "hidden", "numbers")
        self.concepts = whole(concepts, "concepts", "sub-concepts of a class")
        outputs = self.classes * self.concepts
        self.shared = nn.Sequential(
            nn.Linear(self.bins, self.hidden), nn.BatchNorm1d(self.hidden), nn.ReLU(),
            nn.Linear(self.hidden, outputs), nn.BatchNorm1d(outputs), nn.ReLU(),
        )  # fmt: skip
        kept = torch.zeros(self.classes, self.most, PAPER.bins, dtype=torch.uint8)
        self.register_buffer("kept", kept)
        self.register_buffer("count", torch.zeros(self.classes, dtype=torch.int64))

    def described(self) -> dict[str, int]:
        """As a card keeps it: `Miml(**described)` has the same shape."""
        return {n: getattr(self, n) for n in ("classes", "most", "bins", "hidden", "concepts")}

    def sub_concepts(self, spectra: torch.Tensor) -> torch.Tensor:
        """How much each template is of each sub-concept.

        Parameters
        ----------
        spectra : (..., templates, 512) magnitudes; the level of a template does not count

        Returns
        -------
        (..., templates, classes, concepts)
        """
        seen = log_warp(spectra.transpose(-1, -2), self.bins).transpose(-1, -2)
        seen = seen / seen.amax(-1, keepdim=True).clamp_min(1e-30)
        level = 20 * torch.log10(seen + 10 ** (-_DECIBELS / 20))
        scores = self.shared((1 + level / _DECIBELS).flatten(0, -2))
        return scores.view(*spectra.shape[:-1], self.classes, self.concepts)

    def relation(self, spectra: torch.Tensor) -> torch.Tensor:
        """How much each template is of each class: (..., templates, 512) -> (..., templates, L)."""
        return self.sub_concepts(spectra).amax(-1)

    def forward(self, spectra: torch.Tensor) -> torch.Tensor:
        """How much each bag is of each class: (..., templates, 512) -> (..., L)."""
        return self.relation(spectra).amax(-2)

    def templates(self, label: int) -> torch.Tensor:
        """What was gathered for a class: (0…most, 512) magnitudes that add up to one."""
        found = (self.kept[label, : int(self.count[label])] / _STEPS) ** 2
        return found / found.sum(-1, keepdim=True)

    def keep(self, label: int, spectra: torch.Tensor) -> None:
        """Take templates for a class in place of those it had.

        Parameters
        ----------
        label : the class
        spectra : (0…most, 512) magnitudes of any level, whose roots are kept in 255 steps

        Raises
        ------
        ValueError : too many, of another length, silent or negative
        """
        shape = tuple(spectra.shape)
        good = len(shape) == 2 and shape[0] <= self.most and shape[1] == PAPER.bins
        if not good or (spectra < 0).any() or not (spectra.amax(-1) > 0).all():
            raise ValueError(
                f"templates of shape {shape} for class {label}; expected (templates, {PAPER.bins})"
                f" with at most {self.most} templates, none silent or negative"
            )
        root = (spectra / spectra.amax(-1, keepdim=True)).sqrt()
        self.kept[label] = 0
        self.kept[label, : len(root)] = (root * _STEPS).round().to(torch.uint8)
        self.count[label] = len(root)


class Bags(torch.utils.data.Dataset):
    """Bags of templates, without end: number -> `spectra` (few, 512) and `present` (classes,).

    `present` holds the classes of the bag, then -1, as `miml_loss` reads it. Videos without a
    class are left out.

    Parameters
    ----------
    spectra : (videos, templates, 512), of `bases`
    labels : (videos, slots) classes that are seen, -1 for none, as `objects.Objects.labels`
    classes : L
    few : templates of a bag that are shown, drawn anew each time
    seed : another seed, other bags

    Raises
    ------
    ValueError : shapes that differ, unknown classes, no class at all, more than there are
    """

    def __init__(
        self, spectra: np.ndarray, labels: np.ndarray, classes: int, *, few: int = FEW,
        seed: int = 0,
    ) -> None:  # fmt: skip
        self.spectra = _checked(spectra, labels, classes)
        self.labels, self.classes, self.seed = labels, classes, seed
        self.few = whole(few, "few", "templates")
        if self.few > spectra.shape[1]:
            raise ValueError(f"few is {few}, but a bag holds {spectra.shape[1]} templates")
        self.usable = np.flatnonzero((labels >= 0).any(1))

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        """Bag `number`."""
        rng = np.random.default_rng([self.seed, number])
        n = int(self.usable[rng.integers(len(self.usable))])
        some = rng.permutation(self.spectra.shape[1])[: self.few]
        present = torch.full((self.classes,), -1)
        here = np.unique(self.labels[n][self.labels[n] >= 0])
        present[: len(here)] = torch.from_numpy(here)
        return {"spectra": torch.from_numpy(self.spectra[n, some]), "present": present}


def miml_loss(network: nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """The hinge loss for many labels: each class that is there wins over each that is not, by one.

    Mean over bags of 1/L sum_i,j max(0, 1 - (score_i - score_j)), i there and j not.

    Parameters
    ----------
    network : Miml
    batch : of `Bags`
    """
    return F.multilabel_margin_loss(network(batch["spectra"]), batch["present"])


@torch.no_grad()
def gather(network: Miml, spectra: np.ndarray, labels: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Give a trained network its templates, those of each class; it is left in eval mode.

    Of the classes that are seen in its video, a template is of the one for which its score is
    highest, and of none if all are zero. Where there are more than `network.most` of a class,
    k-means makes that many groups, by the distance of the roots of magnitudes, and the template
    nearest to the middle of each is kept.

    Parameters
    ----------
    network : trained
    spectra : (videos, templates, 512), of `bases`
    labels : (videos, slots), -1 for none
    seed : of k-means

    Returns
    -------
    (classes,) how many templates there were to choose from; a class with none stays without

    Raises
    ------
    ValueError : as `Bags`
    """
    spectra = _checked(spectra, labels, network.classes)
    network.eval()
    device = network.kept.device
    parts = torch.from_numpy(spectra).split(256)
    scores = torch.cat([network.relation(part.to(device)).cpu() for part in parts]).numpy()
    seen = (labels[:, None] == np.arange(network.classes)[:, None]).any(2)
    scores = np.where(seen[:, None], scores, 0)
    best = np.where(scores.max(2) > 0, scores.argmax(2), -1)
    there = np.zeros(network.classes, np.int64)
    for label in range(network.classes):
        mine = spectra[(best == label) & (spectra.max(2) > 0)]
        there[label] = len(mine)
        if len(mine) > network.most:
            roots = np.sqrt(mine)
            groups = KMeans(network.most, n_init=1, random_state=seed).fit(roots)
            mine = mine[np.unique(groups.transform(roots).argmin(axis=0))]
        network.keep(label, torch.from_numpy(mine).to(device))
    return there


def _checked(spectra: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    if spectra.ndim != 3 or 0 in spectra.shape or spectra.shape[2] != PAPER.bins:
        raise ValueError(
            f"spectra of shape {spectra.shape}; expected (videos, templates, {PAPER.bins}), one "
            "video and one template at least"
        )
    if not np.isfinite(spectra).all() or (spectra < 0).any():
        raise ValueError("spectra with NaN, infinite or negative numbers; expected magnitudes")
    good = labels.ndim == 2 and len(labels) == len(spectra) and labels.dtype.kind in "iu"
    if not good or labels.min() < -1 or not 0 <= labels.max() < classes:
        ends = f"{labels.min()} to {labels.max()}" if labels.size else "nothing"
        raise ValueError(
            f"labels of shape {labels.shape}, {ends}; expected ({len(spectra)}, slots) whole "
            f"numbers from 0 to {classes - 1}, -1 for none, and one class at least"
        )
    return np.asarray(spectra, np.float32)
