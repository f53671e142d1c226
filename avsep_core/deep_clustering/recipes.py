"""How the shipped weights were made: a recipe a network, and the one function that follows it.

    python -m avsep_core.deep_clustering.recipes avdc

Taught in `notebooks/04_deep_clustering.ipynb`, section "Train it".
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from .. import training, weights
from ..corpora.training_set import prepare, told
from ..shipping import ship, start_from
from .features import STFT, levels, loud, targets
from .lipreading import LipReader, Reading, reading_loss
from .matching import Matcher, Matching, match_objective
from .network import Architecture, Network, compact
from .objective import Objective, Validation, given
from .tasks import Mixtures, level_statistics, picture_statistics

CHAPTER = "deep_clustering"
STEPS = {"lips": 2500, "match": 3000, "two": 12000, "three": 5000, "row": 300}
"""Steps of each network: one budget for all that separate two talkers, one for all that separate
three, and one for the rows of Tables I and II."""
SPOILT = 0.3
"""How often the lips of a face are spoilt while a network that separates learns."""
DIMENSIONS, HALVES = (32, 64, 128, 256), (5, 10, 15)
"""Rows of Table I, sizes of a_t and v_t, and of Table II, D / 2: half of the paper's."""


@dataclass(frozen=True)
class Recipe:
    """One network: how many talkers its mixtures have, its architecture, its budget.

    `talkers` holds one number, or several that take turns from batch to batch. `work` is
    "separate", "read" (lips) or "match"; `rate` the learning rate, the paper's but for reading.
    """

    talkers: tuple[int, ...]
    architecture: Architecture
    steps: int
    work: Literal["separate", "read", "match"] = "separate"
    rate: float = 1e-3


def _recipes() -> dict[str, Recipe]:
    found = {"lips": Recipe((1,), compact(), STEPS["lips"], "read", 2e-3)}
    for talkers, end, budget in ((2, "", "two"), (3, "_3", "three")):
        for kind in ("dc", "upit", "avdc", "woa"):
            wider = {"hidden": 160, "shared": 3} if kind == "upit" else {}  # as many as AVDC has
            a = compact(kind=kind, voices=talkers, **wider)
            found[kind + end] = Recipe((talkers,), a, STEPS[budget])
    found["match"] = Recipe((2,), compact(), STEPS["match"], "match")
    rows = {f"row_dim_{d}": compact(hidden=50, feature=d) for d in DIMENSIONS}
    rows |= {f"row_half_d_{h}": compact(hidden=50, embedding=2 * h) for h in HALVES if h != 10}
    return found | {name: Recipe((2, 3), a, STEPS["row"]) for name, a in rows.items()}


RECIPES = _recipes()
"""Name -> recipe; "lips" first, whose pictures all others see by."""


BUILD: dict[str, Callable[[Architecture], nn.Module]] = {
    "read": LipReader, "match": Matcher, "separate": Network,
}  # fmt: skip


class Turns(torch.utils.data.Dataset):
    """Sets of mixtures that take turns from batch to batch."""

    def __init__(self, sets: Sequence[Mixtures], batch: int) -> None:
        self.sets, self.batch = sets, batch

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        """Example `number` of the set whose turn it is."""
        return self.sets[number // self.batch % len(self.sets)][number]


def follow(
    name: str,
    folder: str | os.PathLike[str],
    *,
    steps: int | None = None,
    more: bool = False,
    device: str = "auto",
    precision: Literal["no", "bf16", "fp16"] = "no",
    workers: int = 0,
    progress: bool = True,
) -> Path:
    """Train one network by its recipe and ship its weights with a card.

    Stopped by a signal it ships nothing; called again, it goes on from its last checkpoint.

    Parameters
    ----------
    name : a key of `RECIPES`; "lips" must be there before those that look
    folder : of stores and checkpoints
    steps : instead of the recipe's
    more : go on from the weights that are shipped already, for as many steps again, on mixtures
        that were not met before; the card adds them up and tells the parts
    device, precision, workers, progress : as in `training.train` and `training.Plan`

    Returns
    -------
    Where the weights are.

    Raises
    ------
    ValueError : no such recipe; no weights of "lips"; what `training.train` refuses
    KeyboardInterrupt : stopped before its last step

    Taught in `notebooks/04_deep_clustering.ipynb`, section "Train it".
    """
    if name not in RECIPES:
        raise ValueError(f"no recipe {name!r}; there are {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    before = weights.card(weights.shipped(CHAPTER, name)) if more else None
    met = before["steps"] if before else 0
    plan = training.Plan(
        steps=steps or recipe.steps, batch=8, rate=recipe.rate, warmup=100, decay="cosine",
        check_every=500, save_every=250, precision=precision, watch="loss",
    )  # fmt: skip
    torch.manual_seed(plan.seed)
    network: Any = BUILD[recipe.work](recipe.architecture)
    look: dict[str, Any] = {}
    if recipe.work == "read":
        look = {"size": (recipe.architecture.height, recipe.architecture.width)}
    elif recipe.work == "match" or recipe.architecture.looks:
        reader = load("lips").lips
        network.lips.pictures.load_state_dict(reader.pictures.state_dict())
        network.lips.lstm.load_state_dict(reader.lstm.state_dict())
        network.lips.pictures.eval().requires_grad_(False)
        look = {"pictures": network.lips.pictures}
    stores = prepare(folder)
    seconds = 1.6 if recipe.work == "read" else 1.28
    plain = [
        Mixtures(stores["train"], talkers=k, seconds=seconds, seed=met, **look)
        for k in recipe.talkers
    ]
    spoilt = SPOILT if recipe.work == "separate" and recipe.architecture.looks else 0.0
    train = [copy(one) for one in plain]
    for one in train:
        one.spoilt = spoilt
    check = Mixtures(stores["validation"], talkers=recipe.talkers[0], seconds=2.8, seed=1, **look)
    if before:
        start_from(network, load(name))
    elif recipe.work == "read":
        pictures = network.lips.pictures
        pictures.grey, pictures.moved = picture_statistics(plain[0])
    else:
        network.level.copy_(level_statistics(plain[0]))
    loss, validate = _goal(recipe, check, torch.bfloat16 if precision == "bf16" else None)
    run = training.train(
        network, loss, train[0] if len(train) == 1 else Turns(train, plan.batch), plan=plan,
        validate=validate, folder=Path(folder) / "runs" / CHAPTER / f"{name}_{met}", device=device,
        workers=workers, progress=progress,
    )  # fmt: skip
    if recipe.work == "separate" and recipe.architecture.looks and run.stopped != "interrupted":
        network.own.copy_(own_direction(network, plain[0]))
    card = {
        "talkers": list(recipe.talkers), "work": recipe.work, "batch": plan.batch,
        "data": told(stores["train"]), "precision": precision, "spoilt": spoilt,
    }  # fmt: skip
    return ship(
        CHAPTER, name, network, run, plan, architecture=recipe.architecture.described(),
        told=card, before=before, bits=8,
    )  # fmt: skip


def load(name: str) -> Any:
    """The shipped network of a recipe, in eval mode."""
    build = BUILD[RECIPES[name].work]
    return weights.load(weights.shipped(CHAPTER, name), lambda told: build(Architecture(**told)))


@torch.no_grad()
def own_direction(network: Network, mixtures: Mixtures, count: int = 60) -> torch.Tensor:
    """Where the bins of a face lie in that face's part of an embedding: `Network.own`.

    Returns
    -------
    (D / 2,) of length one: the mean over mixtures and faces of the difference between the centre
    of the bins in which that talker is the loudest and the centre of the others
    """
    network.eval()
    half = network.architecture.embedding // 2
    device, total = next(network.parameters()).device, torch.zeros(half)
    for number in range(count):
        batch = {name: x[None].to(device) for name, x in mixtures[number].items()}
        S = STFT.forward(batch["sources"])
        V = network(levels(S.sum(1)), **given(batch))[0].float()
        counted, Y = loud(S.sum(1))[0], targets(S)[0] > 0
        parts = V[..., -half * S.shape[1] :].unflatten(-1, (S.shape[1], half))
        for k in range(S.shape[1]):
            mine, others = counted & Y[..., k], counted & ~Y[..., k]
            total += (parts[mine][:, k].mean(0) - parts[others][:, k].mean(0)).nan_to_num().cpu()
    return total / total.norm()


def _goal(recipe: Recipe, check: Mixtures, low: torch.dtype | None) -> tuple[Any, Any]:
    if recipe.work == "read":
        return reading_loss, Reading(check)
    if recipe.work == "match":
        return match_objective, Matching(check)
    a = recipe.architecture
    return Objective(a), Validation(a, check, precision=low)


def main(arguments: list[str] | None = None) -> None:
    """Follow recipes by name, or all of them: `make weights`."""
    parser = argparse.ArgumentParser(description="train the networks of deep clustering")
    parser.add_argument("names", nargs="*", help=f"{', '.join(RECIPES)}; default: all")
    parser.add_argument("--folder", default="_build/training")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="no", choices=("no", "bf16", "fp16"))
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--more", action="store_true", help="go on from the shipped weights")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in RECIPES]
    if unknown:
        parser.error(f"no recipe {unknown[0]!r}; there are {', '.join(RECIPES)}")
    for name in asked.names or RECIPES:
        follow(
            name, asked.folder, steps=asked.steps, more=asked.more, device=asked.device,
            precision=asked.precision, workers=asked.workers,
        )  # fmt: skip


if __name__ == "__main__":
    main()
