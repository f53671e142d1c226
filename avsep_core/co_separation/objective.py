"""What is minimised: the sounds of objects add up to their video's, and sound like themselves.

Taught in `notebooks/05_co_separation.ipynb`, section "Adding up".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from .network import PAPER, Architecture, warped

Batch = Mapping[str, torch.Tensor]

LAMBDA = 0.05
"""Weight of the object-consistency loss (section 4.2)."""


def ratio_targets(X: torch.Tensor) -> torch.Tensor:
    """Ground-truth ratio masks of the videos in a mixture (Eq. 5).

    Parameters
    ----------
    X : (batch, videos, bins, frames) magnitudes

    Returns
    -------
    Same shape, 0…1; they add up to one, also in silence
    """
    total = X.sum(1, keepdim=True)
    even = torch.full_like(X, 1 / X.shape[1])
    return torch.where(total > 0, X / total.clamp_min(1e-12), even)


def added_up(masks: torch.Tensor, video: torch.Tensor, videos: int) -> torch.Tensor:
    """Sum the masks of the objects of each video (Eq. 4).

    Parameters
    ----------
    masks : (n, bins, frames)
    video : (n,) int64, the video of each
    videos : how many there are

    Returns
    -------
    (videos, bins, frames), zeros for a video without objects
    """
    out = masks.new_zeros(videos, *masks.shape[1:])
    return out.index_add(0, video, masks)


def loudness_weight(mixture: torch.Tensor) -> torch.Tensor:
    """How much each bin counts, by the magnitude of the mixture (section 3.3); the same shape."""
    return torch.log1p(mixture).clamp(1e-3, 10)


def co_separation_loss(
    added: torch.Tensor, target: torch.Tensor, weight: torch.Tensor
) -> torch.Tensor:
    """Weighted L1 distance, on masks (Eq. 4) or on spectrograms (Eq. 3).

    Parameters
    ----------
    added : (batch, videos, bins, frames), sums over the objects of each video
    target : same shape
    weight : (batch, bins, frames)

    Returns
    -------
    A scalar: the two norms of the equation, each as a mean over bins
    """
    return (weight[:, None] * (added - target).abs()).mean((0, 2, 3)).sum()


@dataclass(frozen=True)
class Objective:
    """The loss of a batch of pairs of videos for any kind of network (Eq. 7).

    Call it with a network and a batch; it returns a scalar. A batch holds `sounds` (batch, 2,
    samples), `pictures` (batch, slots, 3, side, side) uint8, `there` (batch, slots) bool, false
    where a slot is empty, `video` (batch, slots), 0 or 1, and `label` (batch, slots), the class of
    an object, C for a scene. Kinds that separate whole videos read in place of `label` `present`
    (batch, slots, C + 1), the classes of a slot's video, then -1.

    Parameters
    ----------
    architecture : of the network
    consistency : lambda of Eq. 7; 0 leaves the classifier out
    on : "masks" for Eq. 4 or "spectrograms" for Eq. 3
    """

    architecture: Architecture
    consistency: float = LAMBDA
    on: str = "masks"

    def __post_init__(self) -> None:
        if self.on not in ("masks", "spectrograms") or self.consistency < 0:
            raise ValueError(
                f"on={self.on!r} and consistency={self.consistency:g}; expected masks or "
                "spectrograms, and a weight of zero or more"
            )
        a = self.architecture
        if self.consistency and not a.hearing and a.kind != "sound_of_pixels":
            raise ValueError(
                f"consistency={self.consistency:g} for a network of kind {a.kind} without a "
                "classifier (hearing=0); give consistency=0, or hearing above 0"
            )

    def __call__(self, network: nn.Module, batch: Batch) -> torch.Tensor:
        """The loss of a batch."""
        bins, sounds = self.architecture.bins, batch["sounds"]
        pair, slot = batch["there"].nonzero(as_tuple=True)
        S = PAPER.forward(sounds)
        X, mixture = warped(S, bins), warped(S.sum(1), bins)
        pictures = batch["pictures"][pair, slot].float() / 255
        masks, scores = network(mixture, pictures, pair)
        video = 2 * pair + batch["video"][pair, slot]
        added = added_up(masks, video, 2 * len(sounds)).unflatten(0, (-1, 2))
        if self.on == "masks":
            loss = co_separation_loss(added, ratio_targets(X), loudness_weight(mixture))
        else:
            even = torch.ones_like(mixture)
            loss = co_separation_loss(added * mixture[:, None], X, even)
        if self.consistency == 0 or scores is None:
            return loss
        if self.architecture.kind == "co_separation":
            named = F.cross_entropy(scores, batch["label"][pair, slot])  # Eq. 6
        else:
            named = F.multilabel_margin_loss(scores, batch["present"][pair, slot])
        return loss + self.consistency * named
