"""What the networks are trained for: affinities of bins, in Gram form, and uPIT.

Taught in `notebooks/04_deep_clustering.ipynb`, section "The loss".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from ..losses import permutation_invariant
from ..scores import si_sdr
from . import clustering
from .features import STFT, levels, loud, targets
from .network import Architecture
from .tasks import Mixtures


def affinity(V: torch.Tensor, Y: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Deep clustering's loss |VV' - YY'|^2 (eq. 1), without ever forming an affinity.

    Parameters
    ----------
    V : (batch, bins, dimensions) embeddings
    Y : (batch, bins, sources) ideal binary masks
    weights : (batch, bins) not negative; a pair of bins counts with the product of theirs

    Returns
    -------
    (batch,) the weighted sum of squares over the sum of the weights of all pairs: a mean square
    per pair of bins, whatever the length

    With W = diag(sqrt(w)), |W(VV' - YY')W|^2 = |V'WWV|^2 - 2 |V'WWY|^2 + |Y'WWY|^2, where the
    matrices are dimensions x dimensions.
    """
    w = torch.ones_like(V[..., 0]) if weights is None else weights.to(V.dtype)
    VV, VY, YY = (torch.einsum("bid,bi,bie->bde", a, w, b) for a, b in ((V, V), (V, Y), (Y, Y)))
    total = sum(k * M.square().sum((1, 2)) for k, M in ((1, VV), (-2, VY), (1, YY)))
    return total / w.sum(1).square().clamp_min(1e-12)


def slow_affinity(
    V: torch.Tensor, Y: torch.Tensor, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """The same by its definition; its memory grows with the square of the number of bins."""
    w = torch.ones_like(V[..., 0]) if weights is None else weights.to(V.dtype)
    apart = V @ V.mT - Y @ Y.mT
    pairs = w[:, :, None] * w[:, None, :]
    return (pairs * apart.square()).sum((1, 2)) / pairs.sum((1, 2)).clamp_min(1e-12)


def utterance(masks: torch.Tensor, X: torch.Tensor, S: torch.Tensor) -> torch.Tensor:
    """uPIT's loss: squared error of masked magnitudes, in the best order of an utterance.

    Parameters
    ----------
    masks : (batch, frames, freq, voices)
    X, S : (batch, frames, freq) and (batch, frames, freq, voices) magnitudes

    Returns
    -------
    (batch,)
    """
    made = masks * X[..., None]
    pairs = (made[..., :, None] - S[..., None, :]).square().mean((1, 2))
    return permutation_invariant(pairs)[0]


@dataclass(frozen=True)
class Objective:
    """The loss of a network on a batch of `tasks.Mixtures`, for `training.train`: a scalar.

    The affinity loss over bins that are loud; for uPIT its own, on magnitudes whose mean square is
    one. Where a batch has `mouths` and `flow`, the network looks at them itself and its
    convolutions learn; where it has `features`, these stay as they are.
    """

    architecture: Architecture

    def __call__(self, network: nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The mean over the batch."""
        S = STFT.forward(batch["sources"])
        X = S.sum(1)
        if self.architecture.kind == "upit":
            made = network(levels(X), **given(batch))
            size = X.abs().square().mean((1, 2), keepdim=True).sqrt().clamp_min(1e-12)
            parts = (S.abs() / size[:, None]).permute(0, 3, 2, 1)
            return utterance(made.float(), (X.abs() / size).transpose(1, 2), parts).mean()
        counted = loud(X)
        V = network(levels(X), **given(batch), counted=counted)
        Y = targets(S)[counted].to(V.dtype)
        ends = counted.sum((1, 2)).tolist()
        each = [
            affinity(v[None], y[None]) for v, y in zip(V.split(ends), Y.split(ends), strict=True)
        ]
        return torch.cat(each).mean()


def given(batch: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """What a network is given of a batch beside its levels."""
    if "features" in batch:
        return {"features": batch["features"].float()}
    return {"lips": (batch["mouths"], batch["flow"])} if "mouths" in batch else {}


@dataclass(frozen=True, eq=False)
class Validation:
    """Loss and SI-SDR improvement on the first `count` mixtures of a set of their own.

    Call it with a network in evaluation mode; it returns `loss`, `si_sdr` in dB, voices in their
    best order, and the same for mixtures of one sex (`same`) and of two (`different`).
    """

    architecture: Architecture
    mixtures: Mixtures
    count: int = 60
    precision: torch.dtype | None = None

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> dict[str, float]:
        """The values, plain floats."""
        loss, losses = Objective(self.architecture), []
        gains: dict[str, list[float]] = {"same": [], "different": []}
        for number in range(self.count):
            device = next(network.parameters()).device
            batch = {name: x[None].to(device) for name, x in self.mixtures[number].items()}
            with torch.autocast(device.type, self.precision, enabled=self.precision is not None):
                losses.append(float(loss(network, batch)))
                S = STFT.forward(batch["sources"][0])
                X = S.sum(0)
                made = network(levels(X)[None], **given(batch))[0].float().cpu().numpy()
            found = voices(made, X.cpu(), self.architecture.kind, sources=len(S))
            gains[self.mixtures.kind(number)].append(_gain(batch["sources"][0].cpu(), found))
        both = [value for part in gains.values() for value in part]
        means = {name: float(np.mean(part)) for name, part in gains.items() if part}
        return {"loss": float(np.mean(losses)), "si_sdr": float(np.mean(both)), **means}


def _gain(sources: torch.Tensor, found: torch.Tensor) -> float:
    before = si_sdr(sources, sources.sum(0).expand(len(sources), -1))
    pairs = torch.tensor(np.array([[si_sdr(s, v)[0] for s in sources[:, None]]
                                   for v in found[:, None]]))  # fmt: skip
    _, order = permutation_invariant(-pairs[None])
    return float(np.mean(si_sdr(sources, found[order[0]]) - before))


def voices(made: np.ndarray, X: torch.Tensor, kind: str, *, sources: int) -> torch.Tensor:
    """Voices from a network's output for one mixture, by k-means where it is an embedding.

    (frames, freq, …) and (freq, frames) complex -> (sources, samples)
    """
    if kind == "upit":
        masks = made.transpose(2, 1, 0)
    else:
        counted = loud(X).numpy()
        masks = clustering.masks(clustering.kmeans(made[counted], sources)[0], counted, sources)
    return STFT.inverse(
        torch.from_numpy(masks).float() * X, (X.shape[-1] - 1) * STFT.hop, floor=0.1
    )
