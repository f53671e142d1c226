"""AV-Match: which separated voice goes with which lips, frame by frame (Lu et al., 2018).

The audio-only clustering tells voices apart within a frame and may swap them from one stretch to
the next. A network that scores how well a sound and lips go together puts them back in order.

Taught in `notebooks/04_deep_clustering.ipynb`, section "AV-Match: repair the order afterwards".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .features import STFT, levels, targets
from .network import Architecture, Lips, shown
from .tasks import Mixtures

WINDOW, STAY = 25, 32.0
"""Frames over which a match is averaged, a fifth of a second or about a syllable; and the price of
a change of order, in units of the evidence: on validation talkers a higher one wins hardly
anything more (section "AV-Match: repair the order afterwards")."""


class Matcher(nn.Module):
    """Scores of sounds against lips: an embedding of each, and their product in every frame.

    Parameters
    ----------
    architecture : of the lips, `feature` and `hidden`
    """

    level: torch.Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = a = architecture
        self.register_buffer("level", torch.tensor([0.0, 1.0]))
        self.lips = Lips(a)
        self.hear = nn.LSTM(STFT.bins, a.hidden, batch_first=True, bidirectional=True)
        self.reduce = nn.Linear(2 * a.hidden, a.feature)

    def forward(self, level: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Match of each sound with each face.

        Parameters
        ----------
        level : (batch, sounds, frames, freq) of `features.levels`
        features : (batch, faces, T, pictured) of `network.Pictures`

        Returns
        -------
        (batch, frames, sounds, faces)
        """
        batch, sounds, frames = level.shape[:3]
        faces, count = features.shape[1:3]
        heard = (level.flatten(0, 1) - self.level[0]) / self.level[1]
        a = self.reduce(self.hear(heard)[0]).view(batch, sounds, frames, -1)
        v = self.lips(features.flatten(0, 1))[:, shown(frames, count, features.device)]
        v = v.view(batch, faces, frames, -1)
        return torch.einsum("bstd,bftd->btsf", a, v) / a.shape[-1] ** 0.5


def evidence(scores: torch.Tensor) -> torch.Tensor:
    """How much two sounds as they are fit two faces better than swapped, averaged over `WINDOW`.

    (batch, frames, 2, 2) -> (batch, frames)
    """
    e = scores[..., 0, 0] + scores[..., 1, 1] - scores[..., 0, 1] - scores[..., 1, 0]
    return F.avg_pool1d(e[:, None], WINDOW, 1, WINDOW // 2, count_include_pad=False)[:, 0]


def matching_loss(scores: torch.Tensor) -> torch.Tensor:
    """Logistic loss of the evidence where sounds and faces stand in the right order, a scalar."""
    return F.softplus(-evidence(scores)).mean()


def parts(S: torch.Tensor) -> torch.Tensor:
    """Levels of what ideal masks leave of a mixture, which a matcher learns from.

    (batch, sources, freq, frames) complex -> (batch, sources, frames, freq), the loudest bin of the
    mixture at 0
    """
    X = S.sum(1, keepdim=True)
    masks = targets(S).permute(0, 3, 2, 1)
    return masked_levels(masks, X)


def masked_levels(masks: torch.Tensor, X: torch.Tensor) -> torch.Tensor:
    """Levels of masked mixtures, on the scale of the mixture's.

    Parameters
    ----------
    masks : (batch, sources, freq, frames) 0…1
    X : (batch, 1, freq, frames) complex
    """
    floor = levels(torch.zeros_like(X)).amin()
    weighed = torch.log(masks.transpose(-1, -2).clamp_min(1e-6)) + levels(X)
    return weighed.clamp_min(floor)


def match_objective(network: nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """The loss of a matcher on a batch of `tasks.Mixtures` with features, a scalar."""
    S = STFT.forward(batch["sources"])
    return matching_loss(network(parts(S), batch["features"].float()).float())


@dataclass(frozen=True, eq=False)
class Matching:
    """How often a matcher is right on the first `count` mixtures of a set of its own.

    Call it with a network in evaluation mode; it returns `loss`, and as `right` the part of the
    frames whose evidence favours the true order.
    """

    mixtures: Mixtures
    count: int = 60

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> dict[str, float]:
        """The values, plain floats."""
        device = next(network.parameters()).device
        losses, right = [], []
        for n in range(self.count):
            batch = {name: x[None].to(device) for name, x in self.mixtures[n].items()}
            S = STFT.forward(batch["sources"])
            scores = network(parts(S), batch["features"].float()).float()
            losses.append(float(matching_loss(scores)))
            right.append(float((evidence(scores) > 0).float().mean()))
        return {"loss": float(np.mean(losses)), "right": float(np.mean(right))}


def order(found: np.ndarray, *, stay: float = STAY) -> np.ndarray:
    """Where to swap two sounds: the likeliest path through evidence, with few changes.

    Parameters
    ----------
    found : (frames,) evidence for the order as it is
    stay : what a change costs, in the units of the evidence

    Returns
    -------
    (frames,) bool, true where the sounds are to be swapped
    """
    gain = np.stack([found, -found], axis=1)
    best = np.zeros_like(gain)
    came = np.zeros(gain.shape, int)
    best[0] = gain[0]
    for t in range(1, len(gain)):
        for state in (0, 1):
            moves = best[t - 1] - stay * (np.arange(2) != state)
            came[t, state] = int(moves.argmax())
            best[t, state] = moves.max() + gain[t, state]
    path = np.zeros(len(gain), int)
    path[-1] = int(best[-1].argmax())
    for t in range(len(gain) - 1, 0, -1):
        path[t - 1] = came[t, path[t]]
    return path == 1
