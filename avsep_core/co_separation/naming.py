"""Learn to see before learning to hear: a network that names what is in a picture.

The paper begins with a ResNet-18 that knows ImageNet (section 4.2). Ours begins with one that can
name instruments, taught with nothing but what the detector says of the training videos. All kinds
of network then see through the same trunk, which learns no more.

Taught in `notebooks/05_co_separation.ipynb`, section "The network".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .network import Architecture, Seeing
from .objects import Objects, middle
from .tasks import places, shown

_SCENES = 0.1


class Naming(nn.Module):
    """What is in a picture, of `classes`.

    Parameters
    ----------
    architecture : `seeing`, `side`, `vector`, `classes`
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.see = Seeing(architecture)
        self.name = nn.Linear(architecture.vector, architecture.classes)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(n, 3, side, side) float, 0…1 -> (n, classes), before the sigmoid."""
        named: torch.Tensor = self.name(self.see(pictures))
        return named


class Glances(torch.utils.data.Dataset):
    """Pictures, without end: windows of objects, whole pictures and, some, places without a player.

    Number -> `picture` (3, side, side) uint8 and `there` (classes,) float, 1 for what is detected.

    Parameters
    ----------
    found : what was detected in videos, in one of them at least
    architecture : `side` and `classes`
    seed : another seed, other pictures

    Raises
    ------
    ValueError : nothing was detected in any video
    """

    def __init__(self, found: Objects, architecture: Architecture, *, seed: int = 0) -> None:
        self.found, self.architecture, self.seed = found, architecture, seed
        self.usable = _usable(found)

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        """Picture `number`."""
        rng = np.random.default_rng([self.seed, number])
        found, n = self.found, int(self.usable[rng.integers(len(self.usable))])
        there = torch.zeros(self.architecture.classes)
        kind = rng.random()
        if kind < _SCENES:
            kept = places()
            picture = kept[int(rng.integers(len(kept)))]
        elif kind < (1 + _SCENES) / 2:
            slot = int(rng.choice(np.flatnonzero(found.labels[n] >= 0)))
            picture = found.windows[n, slot, int(rng.integers(found.count[n, slot]))]
            there[int(found.labels[n, slot])] = 1
        else:
            picture = found.whole[n, int(rng.integers(found.whole.shape[1]))]
            there[found.labels[n][found.labels[n] >= 0]] = 1
        seen = shown(picture, self.architecture.side, rng)
        return {"picture": torch.from_numpy(seen).permute(2, 0, 1), "there": there}


def naming_loss(network: nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Binary cross-entropy over classes, a mean over pictures.

    Parameters
    ----------
    network : Naming
    batch : of `Glances`
    """
    return F.binary_cross_entropy_with_logits(
        network(batch["picture"].float() / 255), batch["there"]
    )


@dataclass(frozen=True, eq=False)
class Named:
    """The validation of `Naming` on solos: how often an object's window (`window`) and a whole
    picture (`whole`) get the right name, 0…1, and `loss`, one minus their mean.

    Solos in which nothing was detected do not count; where that is all of them, a ValueError says
    so."""

    found: Objects

    def __post_init__(self) -> None:
        _usable(self.found)

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """The values, plain floats."""
        assert isinstance(network, Naming)
        found, side = self.found, network.architecture.side
        device = next(network.parameters()).device
        solos = _usable(found)
        right = {}
        for name, kept in (("window", found.windows[solos, 0, :1]), ("whole", found.whole[solos])):
            pictures = torch.from_numpy(middle(kept, side)).flatten(0, 1).float() / 255
            named = network(pictures.to(device)).argmax(1).cpu().numpy()
            right[name] = float(np.mean(named == np.repeat(found.labels[solos, 0], kept.shape[1])))
        return {"loss": 1 - (right["window"] + right["whole"]) / 2, **right}


def _usable(found: Objects) -> np.ndarray:
    """The numbers of the videos in which something was detected."""
    usable = np.flatnonzero((found.labels >= 0).any(1))
    if not len(usable):
        raise ValueError(
            f"{len(found.labels)} videos, and nothing was detected in any; give others, or a "
            "detector that finds something in them"
        )
    return usable
