"""Two solos mixed: the fixed lists of drawn ones that everybody scores (sections 4.1 and 4.3).

Taught in `notebooks/05_co_separation.ipynb`, section "The data".
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import combinations

import numpy as np

from ..synthetic.band import RATE
from .base import CorpusError
from .ensembles import SOLOS, drawn, pictures_of

SECONDS = 6.0
"""Length of the drawn solos; the paper mixes ten seconds."""
LEVEL = 0.08
"""Root mean square of each solo in a mixture."""
TOY = ("violin", "saxophone", "acoustic_guitar")
"""The instruments of Table 3: only the first two are heard alone while a network learns."""
ROUNDS = {"test": 3, "validation": 1, "toy": 12}
"""List -> how often it has every two of its instruments."""

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


def fixed_pairs(name: str = "test") -> list[PairItem]:
    """The pairs of a list, in a fixed order: every two instruments once, then once more, ….

    No solo is in two of them, nor in two lists.

    Parameters
    ----------
    name : "test", three rounds of all instruments; "validation", one; "toy", twelve rounds of the
        three pairs of TOY, for Table 3, of other solos of the test split than those of "test"

    Raises
    ------
    CorpusError : another name
    """
    path = resources.files(__package__) / "lists" / f"synthetic_band_{name}.csv"
    if not path.is_file():
        raise CorpusError(f"no list of solo pairs {name!r}; take one of {', '.join(ROUNDS)}")
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return [
        PairItem(
            row["name"],
            _split(name),
            (row["left"], row["right"]),
            (int(row["left_number"]), int(row["right_number"])),
        )
        for row in rows
    ]


def listed(name: str) -> list[PairItem]:
    """Make a list: in each round every two instruments once, each solo only once.

    The toy's solos follow those of the list "test" by number.
    """
    toy, rng = name == "toy", np.random.default_rng([*ROUNDS].index(name))
    cast = [SOLOS.index((one,)) for one in TOY] if toy else range(len(SOLOS))
    met = [ROUNDS["test"] * (len(SOLOS) - 1) if toy else 0] * len(SOLOS)
    found: list[PairItem] = []
    for _ in range(ROUNDS[name]):
        pairs = list(combinations(cast, 2))
        for p in rng.permutation(len(pairs)):
            both = rng.permutation(pairs[p])
            numbers = [len(SOLOS) * met[k] + int(k) for k in both]
            for k in both:
                met[k] += 1
            first, other = (SOLOS[k][0] for k in both)
            found.append(
                PairItem(f"{len(found):03d}-{first}-{other}", _split(name), (first, other),
                         (numbers[0], numbers[1]))
            )  # fmt: skip
    return found


def _split(name: str) -> str:
    return "test" if name == "toy" else name


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
    solo = drawn(SOLOS, split=item.split, seconds=seconds)
    made = [solo(number) for number in item.numbers]
    seen = [pictures_of(one, number) for one, number in zip(made, item.numbers, strict=True)]
    return mixed(item.name, item.instruments, [one.audio for one in made], seen)


def mixed(
    name: str,
    instruments: tuple[str, str],
    sounds: Sequence[np.ndarray],
    pictures: Sequence[np.ndarray],
) -> SoloPair:
    """Put two solos at one level.

    Parameters
    ----------
    name : of the pair
    instruments : of both
    sounds : (samples,) float each, at `band.RATE`
    pictures : (VIEWS, height, width, 3) uint8 each

    Raises
    ------
    ValueError : sounds of different length, or a silent one
    """
    first, other = sounds
    if first.shape != other.shape or not (first.any() and other.any()):
        raise ValueError(
            f"{name}: sounds of shapes {first.shape} and {other.shape}, of which "
            f"{sum(not one.any() for one in sounds)} are silent; give two of one length that sound"
        )
    both = np.stack([LEVEL * one / np.sqrt(np.mean(one**2)) for one in sounds]).astype(np.float32)
    return SoloPair(name, instruments, both, RATE, (pictures[0], pictures[1]))
