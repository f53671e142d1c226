"""From a finished training to weights that come with the package, each with a card.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "Train it".
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from . import weights
from .runs import Run
from .training import Plan


def ship(
    chapter: str,
    name: str,
    network: nn.Module,
    run: Run,
    plan: Plan,
    *,
    architecture: Mapping[str, Any],
    told: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    bits: Literal[8, 16, 32] = 16,
    shared: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Put a trained network among the weights of a chapter.

    Parameters
    ----------
    chapter, name : where: see `weights.shipped`
    network, run, plan : what `training.train` trained, returned and took
    architecture : from which `weights.load` builds the network again
    told : what else its card says, such as `data`
    before : the card of the weights that it began with, if it goes on from shipped ones; steps,
        minutes and learning curves are added up
    bits, shared : see `weights.save`

    Returns
    -------
    Where the weights are.

    Raises
    ------
    KeyboardInterrupt : the run was stopped before its last step; nothing is written
    """
    if run.stopped == "interrupted":
        raise KeyboardInterrupt(
            f"{name} was stopped at step {run.steps} of {plan.steps}; call it again to go on"
        )
    met, curve, minutes, parts = 0, [], 0.0, []
    if before:
        met, curve, minutes = before["steps"], before["loss_curve"], before["minutes"]
        parts = before["parts"]
    scores = {**run.validation[-1], "step": met + run.steps} if run.validation else {}
    card = {
        "architecture": architecture, **told, "seed": plan.seed, "steps": met + run.steps,
        "parts": [*parts, run.steps],
        "loss_curve": curve + [[met + step, loss] for step, loss in run.curve],
        "device": run.device, "minutes": round(minutes + run.seconds / 60, 1),
        "commit": _commit(), "scores": scores,
        "made": time.strftime("%Y-%m-%d"),
    }  # fmt: skip
    place = weights.FOLDER / chapter / f"{name}.safetensors"
    return weights.save(network, place, card=card, bits=bits, shared=shared)


@torch.no_grad()
def start_from(network: nn.Module, other: nn.Module) -> None:
    """Take over the weights of a network of another shape, as far as they reach.

    Of each tensor that both have the common block is copied: a network for three faces begins with
    what one for two knows, and what it has in addition begins as it was drawn.
    """
    theirs = other.state_dict()
    for name, mine in network.state_dict().items():
        if name in theirs and theirs[name].ndim == mine.ndim:
            sizes = zip(mine.shape, theirs[name].shape, strict=True)
            block = tuple(slice(min(pair)) for pair in sizes)
            mine[block] = theirs[name][block]


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
        cwd=Path(__file__).parent, check=False,
    )  # fmt: skip
    return done.stdout.strip() or "unknown"
