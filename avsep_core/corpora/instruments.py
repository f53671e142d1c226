"""Solo recordings in a folder, mixed in pairs: real sounds whose truth is known, without pictures.

A recording is known by its name: one of its words is an instrument's, or begins it, as in
`violin-2.wav` and `sax_phrase.wav`.

Taught in `notebooks/05_co_separation.ipynb`, section "On real recordings".
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from ..checks import within
from ..clip import read_audio
from ..synthetic.band import INSTRUMENTS, RATE
from .base import CorpusError, need_folder
from .solo_pairs import PairItem, SoloPair, mixed

_ADVICE = (
    "put WAV files there, each of one instrument that plays alone, with its name in theirs, such "
    "as violin-2.wav"
)
_SHORTEST = 3


def recordings(folder: str | os.PathLike[str] | None) -> list[tuple[str, Path]]:
    """The instrument of each WAV file of a folder, and the file; other names are passed by.

    Parameters
    ----------
    folder : which holds the recordings

    Raises
    ------
    CorpusError : no folder, or recordings of fewer than two instruments
    """
    root = need_folder("instruments", os.fspath(folder) if folder else None, _ADVICE)
    found = [
        (name, path) for path in sorted(root.glob("*.wav")) if (name := _instrument(path.stem))
    ]
    if len({name for name, _ in found}) < 2:
        raise CorpusError(
            f"instruments: {root} holds {len(found)} of instruments that are known; expected those "
            f"of two or more of {', '.join(INSTRUMENTS)}: {_ADVICE}"
        )
    return found


def pairs(known: Sequence[tuple[str, Path]]) -> list[PairItem]:
    """Every two recordings of two instruments; `numbers` are their places among those known."""
    return [
        PairItem(
            f"{known[i][1].stem} + {known[j][1].stem}", "test", (known[i][0], known[j][0]), (i, j)
        )
        for i, j in combinations(range(len(known)), 2)
        if known[i][0] != known[j][0]
    ]


def pair(
    item: PairItem,
    known: Sequence[tuple[str, Path]],
    pictures: Sequence[np.ndarray],
    *,
    seconds: float = 3.0,
) -> SoloPair:
    """Read the beginnings of two recordings and mix them; shorter ones are repeated.

    Parameters
    ----------
    item : of `pairs`
    known : of `recordings`
    pictures : of each (VIEWS, height, width, 3) uint8, from elsewhere
    seconds : length, 1 to 60

    Raises
    ------
    ValueError : a recording that cannot be read, or is silent
    """
    within(seconds, "seconds", 1, 60)
    length = round(seconds * RATE)
    sounds = [np.resize(read_audio(known[n][1], rate=RATE), length) for n in item.numbers]
    return mixed(item.name, item.instruments, sounds, pictures)


def _instrument(stem: str) -> str | None:
    words = [word for word in re.split(r"[^a-z]+", stem.lower()) if len(word) >= _SHORTEST]
    fits = {
        name
        for name in INSTRUMENTS
        for word in words
        if any(part.startswith(word) for part in name.split("_"))
    }
    return fits.pop() if len(fits) == 1 else None
