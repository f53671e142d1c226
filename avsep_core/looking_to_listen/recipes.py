"""How the shipped weights were made: a recipe a network, and the one function that follows it.

    python -m avsep_core.looking_to_listen.recipes av2_2s_clean

Rows that one table of the paper compares share one budget of steps. Taught in
`notebooks/03_looking_to_listen.ipynb`, section "Train it".
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from .. import runs, training, weights
from ..corpora import store
from ..corpora.noisy import TASKS
from ..synthetic.noises import NOISES, noise
from ..synthetic.talkers import SPLITS
from .network import Architecture, Network, compact, shipped_separator
from .objective import Objective, Validation
from .pretrained import PUBLISHED, pretrained
from .tasks import Mixtures
from .vectors import (
    FaceNetwork,
    Pictures,
    Seer,
    recognition_loss,
    shipped_network,
    store_vectors,
)

CHAPTER = "looking_to_listen"
RATE, SECONDS, CLIPS, PARTS, NOISE_SECONDS, NOISE_CLIPS = 16000, 3.0, 4800, 2, 6.0, 600
STEPS = {"2s_clean": 22000, "1s_noise": 2000, "2s_noise": 1000, "3s_clean": 1000}
"""Steps of a network by its task; those of the other tasks begin with one of 2S clean."""
ABLATION = 1000
"""Steps of each row of Table 6."""


@dataclass(frozen=True)
class Recipe:
    """One network: its task, its architecture, its budget.

    `start` names a recipe whose weights it begins with, where shapes fit.
    """

    task: str
    architecture: Architecture
    steps: int
    start: str | None = None
    plan: dict[str, Any] = field(default_factory=dict)


def _table_3() -> dict[str, Recipe]:
    found = {}
    for task, (talkers, noisy) in TASKS.items():
        found[f"ao_{task}"] = Recipe(
            task, compact(faces=0, voices=talkers, background=noisy), STEPS[task],
            None if task == "2s_clean" else "ao_2s_clean",
        )  # fmt: skip
        for faces in range(1, talkers + 1):
            found[f"av{faces}_{task}"] = Recipe(
                task, compact(faces=faces, voices=faces, background=noisy), STEPS[task],
                None if task == "2s_clean" else f"av{min(faces, 2)}_2s_clean",
            )  # fmt: skip
    return found


def _table_6() -> dict[str, Recipe]:
    rows: dict[str, dict[str, Any]] = {
        "full_crm": {}, "no_fc": {"fc": 0}, "no_blstm": {"lstm": 0},
        "audio_only": {"faces": 0}, "no_blstm_or_fc": {"lstm": 0, "fc": 0},
        "visual_only": {"hearing": False}, "magnitude_mask": {"mask": "magnitude"},
        "bottleneck": {"bottleneck": 1}, "early_fusion": {"fusion": "early"},
    }  # fmt: skip
    return {
        f"row_{name}": Recipe("2s_clean", compact(**changes), ABLATION)
        for name, changes in rows.items()
    }


RECIPES: dict[str, Recipe] = dict(
    sorted({**_table_3(), **_table_6()}.items(), key=lambda pair: pair[1].start is not None)
)
"""Name -> recipe; those that begin with another's weights come last."""


def prepare(folder: str | os.PathLike[str], *, clips: int = CLIPS) -> dict[str, list[store.Store]]:
    """Draw the utterances to train and to validate on, or go on drawing, or find them drawn.

    Parameters
    ----------
    folder : where the stores are kept
    clips : to train on, in `PARTS` stores that are drawn side by side; a thirtieth to validate on

    Returns
    -------
    "train" and "validation": their stores
    """
    jobs = [("train", k, -(-clips // PARTS)) for k in range(1, PARTS + 1)]
    jobs.append(("validation", 1, max(clips // 30, 8)))
    places = [Path(folder) / f"{split}_{part}" for split, part, _ in jobs]
    if not all((place / "store.json").is_file() for place in places):
        with ProcessPoolExecutor(PARTS, mp_context=get_context("spawn")) as pool:
            list(pool.map(_drawn, places, *zip(*jobs, strict=True)))
    found: dict[str, list[store.Store]] = {"train": [], "validation": []}
    for place, (split, *_) in zip(places, jobs, strict=True):
        found[split].append(store.Store(place))
    return found


def _drawn(place: Path, split: str, part: int, count: int) -> None:
    example = store.drawn(split, seconds=SECONDS, rate=RATE, seed=part)
    store.write(place, example, count, rate=RATE)


def noises(
    folder: str | os.PathLike[str], split: str, *, rate: int, count: int = NOISE_CLIPS
) -> np.ndarray:
    """A bank of synthetic noises, (count, samples) float16 of power one; kept in the folder.

    Babble holds voices of the split alone.
    """
    path = Path(folder) / f"noises_{split}_{rate}.npy"
    if not path.is_file():
        others = [who for name, ids in SPLITS.items() if name != split for who in ids]
        rng = np.random.default_rng([sorted(SPLITS).index(split), count])
        kinds = [NOISES[k % len(NOISES)] for k in range(count)]
        bank = [noise(kind, NOISE_SECONDS, rate, rng, without=others) for kind in kinds]
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.npy")
        np.save(part, np.stack(bank).astype(np.float16))
        os.replace(part, path)
    return np.load(path, mmap_mode="r")


def train_faces(folder: str | os.PathLike[str], *, steps: int = 2500, **options: Any) -> Path:
    """Train the face network on the drawn talkers of the training split, and ship it.

    The other networks are trained on its vectors: after a new one they must be trained anew.

    Parameters
    ----------
    folder : of stores and checkpoints
    steps : pictures are taken 64 at a time
    options : of `training.train`
    """
    stores, people = prepare(folder), SPLITS["train"]
    network = FaceNetwork(len(people))
    plan = training.Plan(
        steps=steps, batch=64, rate=1e-3, decay="cosine", precision=options.pop("precision", "no")
    )
    torch.manual_seed(plan.seed)
    run = training.train(
        network, recognition_loss, Pictures(stores["train"], people), plan=plan,
        folder=Path(folder) / "runs" / "faces", **options,
    )  # fmt: skip
    told = {"data": _data(stores["train"])}
    return _ship("faces", network, network.architecture, run, plan, told)


def follow(
    name: str,
    folder: str | os.PathLike[str],
    *,
    steps: int | None = None,
    more: bool = False,
    seer: Seer | None = None,
    device: str = "auto",
    precision: Literal["no", "bf16", "fp16"] = "no",
    workers: int = 0,
    progress: bool = True,
) -> Path:
    """Train one network by its recipe and ship its weights with a card.

    Stopped by a signal it ships nothing; called again, it goes on from its last checkpoint.

    Parameters
    ----------
    name : a key of `RECIPES`
    folder : of stores and checkpoints
    steps : instead of the recipe's
    more : go on from the weights that are shipped already, for as many steps again, on mixtures
        that were not met before; the card adds them up and tells the parts
    seer : makes the face vectors, by default the shipped face network. They are kept beside the
        stores, so that each face network wants a folder of its own
    device, precision, workers, progress : as in `training.train` and `training.Plan`

    Returns
    -------
    Where the weights are.

    Raises
    ------
    ValueError : no such recipe; what `training.train` refuses
    KeyboardInterrupt : stopped before its last step

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "Train it".
    """
    if name not in RECIPES:
        raise ValueError(f"no recipe {name!r}; there are {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    a = recipe.architecture
    stores = prepare(folder)
    faces = shipped_network() if seer is None else seer
    for part in (*stores["train"], *stores["validation"]):
        store_vectors(part, faces)
    noisy = TASKS[recipe.task][1]
    before = weights.card(weights.shipped(CHAPTER, name)) if more else None
    met = before["steps"] if before else 0
    sets = {
        split: Mixtures(
            recipe.task, parts, rate=a.rate, seed=met if split == "train" else 1,
            noises=noises(folder, split, rate=a.rate) if noisy else None,
            **({} if split == "train" else {"seconds": 2.8, "missing": 0.0}),
        )
        for split, parts in stores.items()
    }  # fmt: skip
    plan = training.Plan(
        steps=steps or recipe.steps, batch=8, rate=2e-3, warmup=100, decay="cosine",
        check_every=1000, save_every=250, precision=precision, watch="loss",
        **recipe.plan,
    )  # fmt: skip
    torch.manual_seed(plan.seed)
    network = Network(a)
    if before:
        start_from(network, shipped_separator(name))
    elif recipe.start:
        start_from(network, shipped_separator(recipe.start))
    low = torch.bfloat16 if precision == "bf16" else None
    validation = Validation(a, sets["validation"], precision=low)
    run = training.train(
        network, Objective(a), sets["train"], plan=plan, validate=validation,
        folder=Path(folder) / "runs" / f"{name}_{met}", device=device, workers=workers,
        progress=progress,
    )  # fmt: skip
    told = {
        "task": recipe.task, "start": recipe.start, "batch": plan.batch,
        "data": _data(stores["train"]), "precision": precision,
    }  # fmt: skip
    return _ship(name, network, a.described(), run, plan, told, before)


@torch.no_grad()
def start_from(network: torch.nn.Module, other: torch.nn.Module) -> None:
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


def _ship(
    name: str, network: torch.nn.Module, architecture: dict[str, Any], run: runs.Run,
    plan: training.Plan, told: dict[str, Any], before: dict[str, Any] | None = None,
) -> Path:  # fmt: skip
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
    return weights.save(network, weights.FOLDER / CHAPTER / f"{name}.safetensors", card=card)


def _data(stores: list[store.Store]) -> str:
    return f"synthetic talkers of the train split, {sum(map(len, stores))} clips of {SECONDS:g} s"


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
        cwd=Path(__file__).parent, check=False,
    )  # fmt: skip
    return done.stdout.strip() or "unknown"


def main(arguments: list[str] | None = None) -> None:
    """Follow recipes by name, or all of them: `make weights`."""
    parser = argparse.ArgumentParser(description="train the networks of Looking to Listen")
    parser.add_argument("names", nargs="*", help=f"faces, {', '.join(RECIPES)}; default: all")
    parser.add_argument("--folder", default="_build/training/looking_to_listen")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="no", choices=("no", "bf16", "fp16"))
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--more", action="store_true", help="go on from the shipped weights")
    parser.add_argument("--seer", choices=PUBLISHED, help="a face network of others, by name")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in ("faces", *RECIPES)]
    if unknown:
        parser.error(f"no recipe {unknown[0]!r}; there are faces, {', '.join(RECIPES)}")
    seer = pretrained(given.seer) if given.seer else None
    options = {"device": given.device, "precision": given.precision, "workers": given.workers}
    for name in given.names or ["faces", *RECIPES]:
        if name == "faces":
            train_faces(given.folder, **options, **({"steps": given.steps} if given.steps else {}))
        else:
            follow(
                name, given.folder, steps=given.steps, more=given.more, seer=seer, **options
            )  # fmt: skip


if __name__ == "__main__":
    main()
