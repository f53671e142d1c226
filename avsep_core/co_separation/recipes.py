"""How the shipped weights were made: a recipe a network, and the one function that follows it.

python -m avsep_core.co_separation.recipes detector pictures co_separation_0

Taught in `notebooks/05_co_separation.ipynb`, section "Train it".
"""

from __future__ import annotations

import argparse
import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from .. import training, weights
from ..corpora import ensembles, solo_pairs
from ..corpora.ensembles import DUETS, SOLOS, Cast, Ensembles
from ..corpora.solo_pairs import PairItem
from ..shipping import ship
from ..synthetic.band import INSTRUMENTS
from ..synthetic.scenery import HEIGHT
from .detector import Detector, detection_loss
from .miml import Bags, Miml, bases, gather, miml_loss
from .naming import Glances, Named, Naming, naming_loss
from .network import KINDS, Architecture, Separator, compact
from .objective import LAMBDA, Objective
from .objects import Objects, objects
from .tasks import Pairs, Pictures
from .validation import Finding, Validation

CHAPTER = "co_separation"
SEEDS = 3
"""Trainings of each main network, with other first weights and other pairs."""
STEPS = {"detector": 1200, "pictures": 1500, "miml": 1500, "main": 2000, "row": 1000}
"""Steps of each network: one budget for the rows of Tables 1 and 3, and one for all others."""
BATCH = {"detector": 16, "pictures": 32, "miml": 64, "main": 32, "row": 32}
RATE = {"detector": 1e-3, "pictures": 2e-3, "miml": 1e-3, "main": 2e-3, "row": 2e-3}

TOY: tuple[Cast, ...] = (
    ("violin",), ("saxophone",), ("violin", "acoustic_guitar"), ("violin", "saxophone"),
)  # fmt: skip
"""What is played where no guitar is heard alone (Table 3)."""


@dataclass(frozen=True)
class Drawn:
    """A store to train on: casts, how many performances, how often something is amiss."""

    casts: Sequence[Cast]
    count: int
    silent: float = 0.05
    noisy: float = 0.1


STORES = {
    "clean": Drawn([*SOLOS * 12, *DUETS], 1440),
    "noisy": Drawn([*SOLOS * 2, *DUETS], 1620, silent=0.3, noisy=0.7),
    "toy": Drawn(TOY, 720),
}
"""Name -> store: three solos to a duet, about as in MUSIC; like AudioSet's; Table 3."""
VALIDATION = 72
"""Solos to validate on, as many as `solo_pairs.fixed_pairs("validation")` needs."""


@dataclass(frozen=True)
class Recipe:
    """One network that separates: its kind, the videos it learns from, and what is left out.

    `store` of STORES; `players`, how many are seen and play, None for any; `seed` of weights and
    pairs; `consistency` lambda; `on` as in `objective.Objective`; `scenes` whether there is the
    adaptable class; `ears` whether the classifier is shipped; `modulated` as in
    `network.Architecture`; `budget` of STEPS.
    """

    kind: str = "co_separation"
    store: str = "clean"
    players: int | None = None
    seed: int = 0
    consistency: float = LAMBDA
    on: Literal["masks", "spectrograms"] = "masks"
    scenes: bool = True
    ears: bool = False
    modulated: bool = True
    budget: Literal["main", "row"] = "row"


def _recipes() -> dict[str, Recipe]:
    found = {}
    for kind in KINDS:
        for seed in range(SEEDS):
            ears = kind == "co_separation" and seed == 0
            found[f"{kind}_{seed}"] = Recipe(kind, seed=seed, budget="main", ears=ears)
        found[f"{kind}_solos_0"] = Recipe(kind, players=1, budget="main")
    for kind in KINDS:
        found[f"{kind}_toy"] = Recipe(kind, "toy", budget="main")
        found[f"{kind}_noisy"] = Recipe(kind, "noisy")
    found["co_separation_toy_free"] = Recipe(store="toy", consistency=0.0, budget="main")
    found["co_separation_noisy_no_scene"] = Recipe(store="noisy", scenes=False)
    found["row_whole"] = Recipe(ears=True)
    for kind in KINDS[:2]:
        found[f"row_duets_{kind}"] = Recipe(kind, players=2)
    found["row_no_consistency"] = Recipe(consistency=0.0)
    found["row_large_lambda"] = Recipe(consistency=10 * LAMBDA, ears=True)
    found["row_spectrograms"] = Recipe(on="spectrograms")
    found["row_no_scene"] = Recipe(scenes=False)
    found["row_tiled"] = Recipe(modulated=False)
    return found


RECIPES = _recipes()
"""Name -> recipe of a network that separates."""

NAMES = ("detector", "pictures", *RECIPES, "miml")
"""All weights; those that others are made with come first."""


def prepare(folder: str | os.PathLike[str], name: str) -> Ensembles:
    """Draw the performances of a store, or go on drawing, or find them drawn.

    Parameters
    ----------
    folder : where stores are kept
    name : a key of STORES, or "validation"

    Raises
    ------
    ValueError : another name
    """
    place = Path(folder) / f"band_{name}"
    seconds = solo_pairs.SECONDS
    if name == "validation":
        made = ensembles.drawn(SOLOS, split="validation", seconds=seconds)
        return ensembles.write(place, made, VALIDATION)
    if name not in STORES:
        raise ValueError(f"no store {name!r}; there are validation, {', '.join(STORES)}")
    told = STORES[name]
    made = ensembles.drawn(
        told.casts, seconds=seconds, silent=told.silent, noisy=told.noisy,
        seed=[*STORES].index(name),
    )  # fmt: skip
    return ensembles.write(place, made, told.count)


def of_players(store: Ensembles, players: int) -> list[int]:
    """Numbers of the performances in which so many are seen, all of whom play."""
    return [n for n, plays in enumerate(store.playing) if len(plays) == players and all(plays)]


@functools.lru_cache(maxsize=4)
def detected(folder: str, name: str) -> tuple[Ensembles, Objects]:
    """A store and what the shipped detector finds in it."""
    finder = detector()
    store = prepare(folder, name)
    return store, objects(store, finder)


def follow(
    name: str,
    folder: str | os.PathLike[str],
    *,
    steps: int | None = None,
    device: str = "auto",
    precision: Literal["no", "bf16", "fp16"] = "no",
    workers: int = 0,
    progress: bool = True,
) -> Path:
    """Train one network by its recipe and ship its weights with a card.

    Stopped by a signal it ships nothing; called again, it goes on from its last checkpoint.

    Parameters
    ----------
    name : of NAMES; "detector" and then "pictures" must be there before all others
    folder : of stores and checkpoints
    steps : instead of the recipe's
    device, precision, workers, progress : as in `training.train` and `training.Plan`

    Returns
    -------
    Where the weights are.

    Raises
    ------
    ValueError : no such recipe; no weights of "detector" or "pictures"; what `training.train`
        refuses
    KeyboardInterrupt : stopped before its last step
    """
    if name not in NAMES:
        raise ValueError(f"no recipe {name!r}; there are {', '.join(NAMES)}")
    recipe = RECIPES.get(name)
    budget = recipe.budget if recipe else name
    plan = training.Plan(
        steps=steps or STEPS[budget], batch=BATCH[budget], rate=RATE[budget], warmup=50,
        decay="cosine", check_every=250, save_every=250, precision=precision,
        seed=recipe.seed if recipe else 0,
    )  # fmt: skip
    torch.manual_seed(plan.seed)
    at = os.fspath(folder)
    work = _separating(recipe, at) if recipe else _AIDS[name](at)
    network = work.network
    if torch.get_num_threads() == 1:  # faster; with more threads, torch 2.13 crashes going backward
        network = network.to(memory_format=torch.channels_last)
    run = training.train(
        network, work.loss, work.data, plan=plan, validate=work.validate, device=device,
        folder=Path(folder) / "runs" / CHAPTER / name, workers=workers, progress=progress,
    )  # fmt: skip
    if isinstance(network, Miml) and run.stopped != "interrupted":
        gather(network, work.data.spectra, work.data.labels)
    if isinstance(network, Separator) and recipe and not recipe.ears:
        network = network.deaf()
    told = {"batch": plan.batch, "precision": precision, "data": work.told}
    return ship(
        CHAPTER, name, network, run, plan, architecture=described(network), told=told, bits=8,
        shared=work.shared,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Work:
    """What is trained, with what; `told` goes on the card."""

    network: Any
    loss: Callable[[nn.Module, Any], torch.Tensor]
    data: Any
    told: str
    validate: Callable[[nn.Module], Mapping[str, float]] | None = None
    shared: Mapping[str, tuple[str, str]] | None = None


def _detecting(folder: str) -> _Work:
    data = Pictures(prepare(folder, "clean"), INSTRUMENTS)
    check = Finding(prepare(folder, "validation"))
    return _Work(_finder(), detection_loss, data, _told("clean"), check)


def _naming(folder: str) -> _Work:
    data = Glances(detected(folder, "clean")[1], compact())
    check = Named(detected(folder, "validation")[1])
    return _Work(Naming(compact()), naming_loss, data, _told("clean"), check)


def _bags(folder: str) -> _Work:
    store, found = detected(folder, "clean")
    data = Bags(bases(store), found.labels, len(INSTRUMENTS))
    return _Work(Miml(len(INSTRUMENTS)), miml_loss, data, _told("clean"))


def _separating(recipe: Recipe, folder: str) -> _Work:
    a = compact(kind=recipe.kind, modulated=recipe.modulated)
    network = Separator(a)
    taught = pictures()
    if recipe.kind == "sound_of_pixels":
        trunk, shared = network.trunk, {"trunk.": ("pictures", "see.trunk.")}
        trunk.load_state_dict(taught.see.trunk.state_dict())
    else:
        trunk, shared = network.see.trunk, {"see.trunk.": ("pictures", "see.trunk.")}
        network.see.load_state_dict(taught.see.state_dict())
    trunk.eval().requires_grad_(False)
    store, found = detected(folder, recipe.store)
    among = None if recipe.players is None else of_players(store, recipe.players)
    data = Pairs(store, found, a, scenes=recipe.scenes, among=among, seed=recipe.seed)
    loss = Objective(a, recipe.consistency, recipe.on)
    check = Validation(*detected(folder, "validation"), validated(recipe.store))
    return _Work(network, loss, data, _told(recipe.store, recipe.players), check, shared)


def validated(store: str) -> list[PairItem]:
    """The pairs to validate on: those whose instruments are played in a store."""
    played = {name for cast in STORES[store].casts for name in cast}
    pairs = solo_pairs.fixed_pairs("validation")
    return [item for item in pairs if played.issuperset(item.instruments)]


def _finder() -> Detector:
    return Detector(INSTRUMENTS, height=HEIGHT)


_AIDS = {"detector": _detecting, "pictures": _naming, "miml": _bags}


def _told(name: str, players: int | None = None) -> str:
    of = "" if players is None else f", those of {players} player(s)"
    return f"{STORES[name].count} drawn performances, {name}, of {solo_pairs.SECONDS:g} s{of}"


def described(network: nn.Module) -> dict[str, Any]:
    """The architecture of a network of this chapter, as its card keeps it."""
    if isinstance(network, Separator | Naming):
        return network.architecture.described()
    if isinstance(network, Miml):
        return network.described()
    return {}


def detector() -> Detector:
    """The shipped detector, in eval mode."""
    found = weights.load(weights.shipped(CHAPTER, "detector"), lambda _: _finder())
    assert isinstance(found, Detector)
    return found


def pictures() -> Naming:
    """The shipped network that names what is in a picture, in eval mode."""
    found = weights.load(
        weights.shipped(CHAPTER, "pictures"), lambda told: Naming(Architecture(**told))
    )
    assert isinstance(found, Naming)
    return found


def miml() -> Miml:
    """The shipped AV-MIML, with the templates of each class, in eval mode."""
    found = weights.load(weights.shipped(CHAPTER, "miml"), lambda told: Miml(**told))
    assert isinstance(found, Miml)
    return found


def load(name: str) -> Separator:
    """The shipped network of a recipe, in eval mode."""
    found = weights.load(
        weights.shipped(CHAPTER, name), lambda told: Separator(Architecture(**told))
    )
    assert isinstance(found, Separator)
    return found


def main(arguments: list[str] | None = None) -> None:
    """Follow recipes by name, or all of them: `make weights`."""
    parser = argparse.ArgumentParser(description="train the networks of co-separation")
    parser.add_argument("names", nargs="*", help=f"{', '.join(NAMES)}; default: all")
    parser.add_argument("--folder", default="_build/training")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="no", choices=("no", "bf16", "fp16"))
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--steps", type=int)
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in NAMES]
    if unknown:
        parser.error(f"no recipe {unknown[0]!r}; there are {', '.join(NAMES)}")
    for name in asked.names or NAMES:
        follow(
            name, asked.folder, steps=asked.steps, device=asked.device,
            precision=asked.precision, workers=asked.workers,
        )  # fmt: skip


if __name__ == "__main__":
    main()
