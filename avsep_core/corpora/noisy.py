"""Voices with and without noise: the fixed lists of four tasks, and their items as sound.

| task       | mixture                        |
|------------|--------------------------------|
| 1s_noise   | voice + 0.3 noise              |
| 2s_clean   | voice + voice                  |
| 2s_noise   | voice + voice + 0.3 noise      |
| 3s_clean   | voice + voice + voice          |

The tasks of Ephrat et al. (2018), section 5.1. As their recordings are of unequal loudness, levels
here differ by some dB from item to item. Taught in `notebooks/03_looking_to_listen.ipynb`, section
"Four tasks".
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, replace
from importlib import resources
from random import Random

import numpy as np

from ..clip import side_by_side
from .base import Corpus, CorpusError
from .mixtures import Item, Mixture, fixed_list, make, mix, parse

TASKS: dict[str, tuple[int, bool]] = {
    "1s_noise": (1, True), "2s_clean": (2, False), "2s_noise": (2, True), "3s_clean": (3, False),
}  # fmt: skip
"""How many talk, and whether there is noise."""

NOISE_GAIN, SPREAD = 0.3, 5.0
"""The paper's factor on noise, and by how many dB levels differ, up or down."""


@dataclass(frozen=True)
class NoisyItem(Item):
    """An item of a list with a noise: `noise` kind:seed, "" for none, and its level `noise_db`
    relative to the first voice."""

    noise: str = ""
    noise_db: float = 0.0


def add_noise(items: list[Item], kinds: tuple[str, ...]) -> list[NoisyItem]:
    """Draw a noise for each item; the kinds take turns, and a list's name seeds the draw."""
    random = Random(items[0].name + " noise")
    gain = 20 * math.log10(NOISE_GAIN)
    noisy = []
    for k, item in enumerate(items):
        kind = kinds[(k + k // len(kinds)) % len(kinds)]
        noise = f"{kind}:{random.randrange(10**6)}"
        level = round(gain + SPREAD * (2 * random.random() - 1), 2)
        noisy.append(NoisyItem(**vars(item), noise=noise, noise_db=level))
    return noisy


def text(items: list[NoisyItem]) -> str:
    """A list as the text of its file; `task_list` reads it back."""
    lines = ["name,kind,speakers,utterances,gains_db,noise,noise_db"]
    for i in items:
        gains = " ".join(f"{gain:g}" for gain in i.gains_db)
        parts = (i.name, i.kind, " ".join(i.speakers), " ".join(i.utterances), gains, i.noise)
        lines.append(",".join([*parts, f"{i.noise_db:g}"]))
    return "\n".join(lines) + "\n"


def task_list(corpus: Corpus, task: str) -> list[Item]:
    """The items that everybody scores in a task, of talkers that nothing was trained on.

    Parameters
    ----------
    corpus : the synthetic one has a list of its own for each task; of others the tasks without
        noise are their lists of two and three talkers
    task : a key of `TASKS`

    Raises
    ------
    CorpusError : an unknown task, or one for which the corpus has no list
    """
    if task not in TASKS:
        raise CorpusError(f"task {task!r}; expected one of {', '.join(TASKS)}")
    talkers, noisy = TASKS[task]
    file = resources.files(__package__) / "lists" / f"{corpus.lists}_{task}_test.csv"
    if file.is_file():
        lines = file.read_text(encoding="utf-8")
        rows = csv.DictReader(lines.splitlines())
        return [
            NoisyItem(**vars(item), noise=row["noise"], noise_db=float(row["noise_db"]))
            for item, row in zip(parse(lines), rows, strict=True)
        ]
    if noisy:
        raise CorpusError(
            f"{corpus.name}: there is no list for task {task!r}; take corpus 'synthetic', or a "
            "task without noise"
        )
    return fixed_list(corpus, talkers=talkers)


def make_noisy(corpus: Corpus, item: Item, *, rate: int = 16000, video: bool = True) -> Mixture:
    """Turn an item into sound and pictures, with its noise where it has one.

    Parameters and errors as for `mixtures.make`. In the Mixture returned, `sources` has the noise
    as its last row, so that the rows sum to `mixture`; `clips` are the talkers alone.
    """
    if not isinstance(item, NoisyItem) or not item.noise:
        return make(corpus, item, rate=rate, video=video)
    from ..synthetic.noises import noise

    clean = make(corpus, item, rate=rate, video=video)
    kind, _, seed = item.noise.partition(":")
    seconds = clean.sources.shape[1] / rate
    behind = noise(kind, seconds, rate, np.random.default_rng(int(seed)), without=item.speakers)
    sources, mixture = mix(
        [*clean.sources, behind[: clean.sources.shape[1]]], [*item.gains_db, item.noise_db],
        names=[*item.speakers, item.noise],
    )  # fmt: skip
    shown = [
        clip.with_audio(source) for clip, source in zip(clean.clips, sources[:-1], strict=True)
    ] if video else []  # fmt: skip
    together = side_by_side(shown, audio=mixture) if video else None
    return replace(clean, sources=sources, mixture=mixture, clips=shown, clip=together)
