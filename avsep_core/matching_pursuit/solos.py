"""Solos: stretches of time in which only one source sounds (Sec. 3.3), and what follows from them.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Sources".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ..checks import within
from .synchrony import finite

DELTA = 1.0
PURITY = 0.9
_STEP = 0.02  # s, grid on which slots are looked for

Slots = list[list[tuple[float, float]]]


class Sounding(Protocol):
    """What `solo_slots` needs of a book of atoms: when each sounds in s, and its energy."""

    @property
    def time(self) -> np.ndarray: ...

    @property
    def energy(self) -> np.ndarray: ...


def solo_slots(
    shares: np.ndarray,
    book: Sounding,
    *,
    seconds: float,
    delta: float = DELTA,
    purity: float = PURITY,
) -> Slots:
    """When only one source sounds: stretches longer than Delta whose atoms are all its own.

    The paper asks that all audio atoms of a slot belong to one source. One faint atom then breaks
    a slot of many seconds, so energy counts here: a slot is made of stretches of Delta seconds in
    each of which the source alone owns `purity` of the energy. Atoms that nobody moved with do not
    count. A slot begins with its first atom and ends with its last: a silence within belongs to
    it, one before or after does not. What two sources could claim is neither's.

    Parameters
    ----------
    shares : (S, K) from `assign`; a source owns the atoms of which its share is one
    book : K atoms with `time` in s and `energy`
    seconds : length of the sound
    delta : Delta in s
    purity : least part of the energy of each stretch that is the source's, 0.5…1; 1 is the paper's

    Returns
    -------
    For each source a list of (start, end) in s, in order, none shorter than Delta, to 0.02 s.

    Raises
    ------
    ValueError : shapes that do not fit, NaN, Delta not positive

    Sec. 3.3.
    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Sources".
    """
    shares = finite(shares, "shares", "(S, K)")
    energy, time = finite(book.energy, "energies", "(K,)"), finite(book.time, "times", "(K,)")
    if shares.shape[1] != len(energy):
        raise ValueError(f"shares of {shares.shape[1]} audio atoms; the book has {len(energy)}")
    if not (np.isfinite(delta) and delta > 0):
        raise ValueError(f"delta is {delta!r}; give a positive number of s")
    within(seconds, "seconds", _STEP, 1e6)
    within(purity, "purity", 0.5, 1)
    cells = int(np.ceil(seconds / _STEP))
    width = max(1, round(delta / _STEP))
    cell = np.clip((time / _STEP).astype(int), 0, cells - 1)
    owned = shares == 1
    others = ~owned & shares.any(axis=0)
    mine = _energies(owned, energy, cell, cells)
    foreign = _energies(others, energy, cell, cells)
    alone = np.zeros(mine.shape, dtype=bool)
    for row, m, f in zip(alone, mine, foreign, strict=True):
        row[:] = _pure(m, f, width, purity)
    alone &= alone.sum(axis=0) == 1
    slots: Slots = []
    for own, other, solo in zip(mine, foreign, alone, strict=True):
        found = []
        for a, b in np.flatnonzero(np.diff(np.r_[0, solo, 0])).reshape(-1, 2):
            sounds = a + np.flatnonzero(own[a:b] > other[a:b])
            if len(sounds) and sounds[-1] + 1 - sounds[0] >= width:
                found.append((float(sounds[0] * _STEP), float((sounds[-1] + 1) * _STEP)))
        slots.append(found)
    return slots


def _energies(atoms: np.ndarray, energy: np.ndarray, cell: np.ndarray, cells: int) -> np.ndarray:
    """Energy of each source's atoms (S, K) bool in each cell of time, (S, cells)."""
    out = np.zeros((len(atoms), cells))
    for row, chosen in zip(out, atoms, strict=True):
        row += np.bincount(cell[chosen], energy[chosen], cells)
    return out


def _pure(own: np.ndarray, other: np.ndarray, width: int, purity: float) -> np.ndarray:
    """Cells that lie in a stretch of `width` cells of which `purity` is one's own, (cells,)."""
    if len(own) < width:
        return np.zeros(len(own), dtype=bool)
    sums = np.pad(np.cumsum([own, other], axis=1), ((0, 0), (1, 0)))
    mine, foreign = sums[:, width:] - sums[:, :-width]
    pure = (mine > 0) & ((1 - purity) * mine >= purity * foreign)
    return np.convolve(pure, np.ones(width)) > 0.5


def weights(slots: Sequence[Sequence[tuple[float, float]]], times: np.ndarray) -> np.ndarray:
    """Activity weights w_k(t): all for the soloist in its slots, equal shares elsewhere.

    Parameters
    ----------
    slots : of each of S sources, (start, end) in s
    times : (M,) s

    Returns
    -------
    (S, M), a column sums to one

    Raises
    ------
    ValueError : no source, NaN, slots of two sources that overlap

    Algorithm 1.
    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Separation".
    """
    times = finite(times, "times", "(M,)")
    if not len(slots):
        raise ValueError("slots of no source given; weights need one source or more")
    solo = np.zeros((len(slots), len(times)), dtype=bool)
    for mark, stretches in zip(solo, slots, strict=True):
        for start, end in stretches:
            mark |= (start <= times) & (times < end)
    if (solo.sum(axis=0) > 1).any():
        raise ValueError("slots of two sources overlap; only one can sound alone at a time")
    return np.where(solo.any(axis=0), solo, 1 / len(slots))
