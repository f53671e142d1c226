"""The visual network's first lesson: to guess from lips alone how loud a voice is in each band.

Taught in `notebooks/04_deep_clustering.ipynb`, section "Teach it to read lips".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .features import FPS, STFT
from .network import Architecture, Lips
from .tasks import Mixtures

BANDS = 8
RANGE = 50.0
"""Levels in dB under a voice's loudest band, below which it counts as silent."""


class LipReader(nn.Module):
    """`Lips` and a linear layer that guesses the levels of `bands`.

    Parameters
    ----------
    architecture : whose lips
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.lips = Lips(architecture)
        self.guess = nn.Linear(architecture.feature, BANDS)

    def forward(self, mouths: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
        """(batch, T, H, W) grey and (batch, T, 2, H, W) -> (batch, T, BANDS)."""
        found: torch.Tensor = self.guess(self.lips(self.lips.pictures(mouths, flow)))
        return found


def bands(voice: torch.Tensor, pictures: int) -> torch.Tensor:
    """How loud a voice is while each picture is shown, in bands that are equally wide in mel.

    Parameters
    ----------
    voice : (batch, samples) at `STFT.rate`
    pictures : how many, T

    Returns
    -------
    (batch, T, BANDS), 0 for silence … 1 for the loudest band of the utterance, linear in dB
    """
    power = STFT.forward(voice).abs().square()
    top = 2595 * torch.log10(torch.tensor(1 + STFT.rate / 2 / 700))
    edges = 700 * (10 ** (torch.linspace(60, float(top), BANDS + 1) / 2595) - 1)
    centres = torch.arange(STFT.bins) * STFT.rate / 2 / (STFT.bins - 1)
    inside = (centres >= edges[:-1, None]) & (centres < edges[1:, None])
    inside = (inside / inside.sum(1, keepdim=True)).to(power)
    step = STFT.rate // FPS // STFT.hop
    power = F.pad(torch.einsum("nf,bft->bnt", inside, power), (0, step * pictures))
    level = power[..., : step * pictures].unflatten(-1, (pictures, step)).mean(-1)
    level = 10 * torch.log10(level / level.amax((1, 2), keepdim=True).clamp_min(1e-12) + 1e-12)
    return (1 + level / RANGE).clamp_min(0).transpose(1, 2)


def reading_loss(network: nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Mean squared error of the guessed levels, for `training.train`.

    Takes batches of `tasks.Mixtures` with one talker.
    """
    mouths, flow = batch["mouths"][:, 0], batch["flow"][:, 0]
    told = bands(batch["sources"][:, 0], mouths.shape[1])
    return F.mse_loss(network(mouths, flow).float(), told)


@dataclass(frozen=True, eq=False)
class Reading:
    """How well a reader guesses on the first `count` utterances of a set of its own.

    Call it with a network in evaluation mode; it returns the mean squared error as `loss`, and as
    `correlation` the mean over bands of the correlation of guessed and true levels.
    """

    mixtures: Mixtures
    count: int = 64

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> dict[str, float]:
        """The values, plain floats."""
        device = next(network.parameters()).device
        found, true = [], []
        for n in range(self.count):
            example = self.mixtures[n]
            found.append(network(example["mouths"].to(device), example["flow"].to(device)).cpu()[0])
            true.append(bands(example["sources"], example["mouths"].shape[1])[0])
        a, b = torch.cat(found).float(), torch.cat(true)
        fits = [np.corrcoef(a[:, k], b[:, k])[0, 1] for k in range(BANDS)]
        return {"loss": float((a - b).square().mean()), "correlation": float(np.mean(fits))}
