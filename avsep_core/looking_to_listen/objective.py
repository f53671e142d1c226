"""What the network is trained for, and how far it has come on mixtures it was not trained on.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "Train it".
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
from .network import Architecture
from .representation import pairwise_error, power_law, squared_error, times, undo_power_law
from .tasks import Mixtures

Batch = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Objective:
    """Squared error of power-law spectrograms (section 4.2), for any architecture.

    Faces tie masks to voices: mask k is compared with the voice of face k. Without faces the best
    assignment counts (permutation-invariant training), and the background keeps its place, last.
    Other voices than those of the faces are left to the background, where there is one.

    Call it with a network and a batch of `tasks.Mixtures`; it returns a scalar.
    """

    architecture: Architecture

    def __call__(self, network: nn.Module, batch: Batch) -> torch.Tensor:
        """The loss of a batch."""
        estimates, references = self.spectrograms(network, batch)
        a = self.architecture
        if a.faces:
            return squared_error(estimates, references).mean()
        voices = pairwise_error(estimates[:, : a.voices], references[:, : a.voices])
        loss = permutation_invariant(voices)[0] * a.voices
        if a.background:
            loss = loss + squared_error(estimates[:, -1:], references[:, -1:])[:, 0]
        return (loss / a.outputs).mean()

    def spectrograms(self, network: nn.Module, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Estimates and references, (batch, outputs, 2, frames, freq) each."""
        a = self.architecture
        X = power_law(a.stft.forward(batch["mixture"]))
        masks = network(X, batch["vectors"][:, : a.faces] if a.faces else None)
        parts = [batch["sources"][:, : a.voices]]
        if a.background:
            parts.append((batch["mixture"] - parts[0].sum(1))[:, None])
        return times(masks, X), power_law(a.stft.forward(torch.cat(parts, dim=1)))


@dataclass(frozen=True, eq=False)
class Validation:
    """Loss and SI-SDR improvement on the first `count` mixtures of a set of their own.

    Call it with a network in evaluation mode; it returns `loss`, `si_sdr` in dB over the voices
    that the network gives, and the same for mixtures of one sex (`same`) and of two (`different`).
    """

    architecture: Architecture
    mixtures: Mixtures
    count: int = 60
    precision: torch.dtype | None = None

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> dict[str, float]:
        """The values, plain floats."""
        objective, losses = Objective(self.architecture), []
        gains: dict[str, list[float]] = {"same": [], "different": []}
        for number in range(self.count):
            example: dict[str, Any] = self.mixtures[number]
            device = next(network.parameters()).device
            batch = {name: part[None].to(device) for name, part in example.items()}
            with torch.autocast(device.type, self.precision, enabled=self.precision is not None):
                losses.append(float(objective(network, batch)))
                estimates, _ = objective.spectrograms(network, batch)
            gains[self.mixtures.kind(number)].append(self._gain(estimates[0], batch))
        both = [value for part in gains.values() for value in part]
        means = {name: float(np.mean(part)) for name, part in gains.items() if part}
        return {"loss": float(np.mean(losses)), "si_sdr": float(np.mean(both)), **means}

    def _gain(self, estimates: torch.Tensor, batch: Batch) -> float:
        a = self.architecture
        length = batch["mixture"].shape[1]
        voices = a.stft.inverse(undo_power_law(estimates[: a.voices].float()), length, floor=0.1)
        references, mixture = batch["sources"][0, : a.voices], batch["mixture"]
        before = si_sdr(references, mixture.expand(a.voices, -1))
        if a.faces:
            return float(np.mean(si_sdr(references, voices) - before))
        pairs = torch.tensor(
            [[np.mean(si_sdr(r, v)) for r in references[:, None]] for v in voices[:, None]]
        )
        _, order = permutation_invariant(-pairs[None])
        return float(np.mean(si_sdr(references, voices[order[0]]) - before))
