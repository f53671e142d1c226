"""How the shipped weights were made: a recipe a network, and the one function that follows it.

    python -m avsep_core.looking_to_listen.recipes av2_2s_clean

Rows that one table of the paper compares share one budget of steps. Taught in
`notebooks/03_looking_to_listen.ipynb`, section "Train it".
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from .. import training, weights
from ..corpora.noisy import TASKS
from ..corpora.training_set import prepare, told
from ..shipping import ship, start_from
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
NOISE_SECONDS, NOISE_CLIPS = 6.0, 600
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
    return ship(
        CHAPTER, "faces", network, run, plan, architecture=network.architecture,
        told={"data": told(stores["train"])},
    )  # fmt: skip


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
    card = {
        "task": recipe.task, "start": recipe.start, "batch": plan.batch,
        "data": told(stores["train"]), "precision": precision,
    }  # fmt: skip
    return ship(
        CHAPTER, name, network, run, plan, architecture=a.described(), told=card, before=before,
        bits=16 if name.endswith("2s_clean") else 8,
    )  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Follow recipes by name, or all of them: `make weights`."""
    parser = argparse.ArgumentParser(description="train the networks of Looking to Listen")
    parser.add_argument("names", nargs="*", help=f"faces, {', '.join(RECIPES)}; default: all")
    parser.add_argument("--folder", default="_build/training")
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
