"""Two solos mixed: the fixed lists of drawn ones that everybody scores (section 4.1)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import combinations

import numpy as np

from .base import CorpusError
from .ensembles import SOLOS, drawn, pictures_of

SECONDS = 6.0
"""Length of the drawn solos; the paper mixes ten seconds."""
LEVEL = 0.08
"""Root mean square of each solo in a mixture."""
ROUNDS = {"test": 3, "validation": 1}
"""Split -> how often its list has every two instruments."""

_COLUMNS = ("name", "left", "right", "left_number", "right_number")


@dataclass(frozen=True)
class PairItem:
    """One line of a list: its name, its split, the two instruments, the numbers of their solos."""

    name: str
    split: str
    instruments: tuple[str, str]
    numbers: tuple[int, int]


@dataclass(frozen=True, eq=False)
class SoloPair:
    """Two solos at one level, and their sum.

    `instruments` of both; `sources` (2, samples) float32 at `rate` Hz; `pictures`, of each solo
    (VIEWS, height, width, 3) uint8.
    """

    name: str
    instruments: tuple[str, str]
    sources: np.ndarray
    rate: int
    pictures: tuple[np.ndarray, np.ndarray]

    @property
    def mixture(self) -> np.ndarray:
        """What is heard, (samples,) float32."""
        found: np.ndarray = self.sources.sum(0)
        return found


def fixed_pairs(split: str = "test") -> list[PairItem]:
    """The pairs of a split, in a fixed order: every two instruments once, then once more, ….

    No solo is in two of them.

    Parameters
    ----------
    split : "test", three rounds of all instruments, or "validation", one

    Raises
    ------
    CorpusError : another split
    """
    path = resources.files(__package__) / "lists" / f"synthetic_band_{split}.csv"
    if not path.is_file():
        raise CorpusError(f"no list of solo pairs for split {split!r}; take test or validation")
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return [
        PairItem(
            row["name"],
            split,
            (row["left"], row["right"]),
            (int(row["left_number"]), int(row["right_number"])),
        )
        for row in rows
    ]


def listed(split: str) -> list[PairItem]:
    """Make the list of a split: in each round every two instruments once, each solo only once."""
    rng = np.random.default_rng([*ROUNDS].index(split))
    met = [0] * len(SOLOS)
    found: list[PairItem] = []
    for _ in range(ROUNDS[split]):
        pairs = list(combinations(range(len(SOLOS)), 2))
        for p in rng.permutation(len(pairs)):
            both = rng.permutation(pairs[p])
            numbers = [len(SOLOS) * met[k] + int(k) for k in both]
            for k in both:
                met[k] += 1
            first, other = (SOLOS[k][0] for k in both)
            found.append(
                PairItem(f"{len(found):03d}-{first}-{other}", split, (first, other),
                         (numbers[0], numbers[1]))
            )  # fmt: skip
    return found


def text(items: Sequence[PairItem]) -> str:
    """A list as the text of its file."""
    lines = [",".join(_COLUMNS)]
    lines += [f"{i.name},{','.join(i.instruments)},{i.numbers[0]},{i.numbers[1]}" for i in items]
    return "\n".join(lines) + "\n"


def pair(item: PairItem, *, seconds: float = SECONDS) -> SoloPair:
    """Draw the two solos of an item and mix them.

    Parameters
    ----------
    item : of `fixed_pairs`
    seconds : length, 2 to 60
    """
    sources, pictures = [], []
    solo = drawn(SOLOS, split=item.split, seconds=seconds)
    for number in item.numbers:
        made = solo(number)
        sources.append(LEVEL * made.audio / np.sqrt(np.mean(made.audio**2)))
        pictures.append(pictures_of(made, number))
    both = np.stack(sources).astype(np.float32)
    return SoloPair(item.name, item.instruments, both, made.rate, (pictures[0], pictures[1]))
