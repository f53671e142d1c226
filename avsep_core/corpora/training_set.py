"""The drawn utterances that the shipped networks of several chapters learn from.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "The data".
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from ..synthetic.cast import SPLITS
from . import store

RATE, SECONDS, CLIPS, PARTS = 16000, 3.0, 4800, 2


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


def told(stores: list[store.Store]) -> str:
    """What a card says of the data: whose clips, how many, of what length."""
    speakers = {who for store in stores for who in store.speakers}
    drawn = speakers <= set(SPLITS["train"])
    whose = "synthetic talkers of the train split" if drawn else f"{len(speakers)} filmed speakers"
    seconds = stores[0].audio.shape[1] / stores[0].rate
    return f"{whose}, {sum(map(len, stores))} clips of {seconds:g} s"


def _drawn(place: Path, split: str, part: int, count: int) -> None:
    example = store.drawn(split, seconds=SECONDS, rate=RATE, seed=part)
    store.write(place, example, count, rate=RATE)
