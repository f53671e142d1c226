"""Matching pursuit: a signal as a sum of few atoms, the best one first.

In each step the atom that takes most energy from the residual is taken away from it (the paper's
Eq. 1). `local`, here, keeps the residual and looks again at the frames that the last atom met. It
is exact. `gram`, in `gram.py`, keeps the correlations of all atoms instead, and is faster.
Both take real atoms with their best phase, whose formulas stand in `dictionary.py`.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Audio atoms".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .book import Book
from .dictionary import PIECE, GaborDictionary, best_real_atom

METHODS = ("local", "gram")
# Energy of an atom, relative to the signal's, below which there is only rounding.
ROUNDING = 1e-24


class Task(NamedTuple):
    """What a method gets: the signal padded, its peak at one, and where to stop."""

    padded: np.ndarray
    dictionary: GaborDictionary
    n_atoms: int
    left: float


class Found(NamedTuple):
    """What a method gives back."""

    places: np.ndarray  # (K, 3) int: scale, frame, bin
    values: np.ndarray  # (K, 2) complex: coefficient, energy
    residual: np.ndarray  # (samples + 2 padding,)


def matching_pursuit(
    signal: np.ndarray,
    dictionary: GaborDictionary,
    *,
    n_atoms: int | None = None,
    snr_db: float | None = None,
    method: str = "gram",
) -> Book:
    """Greedy sum of real Gabor atoms, each with its best phase.

    Parameters
    ----------
    signal : (samples,) real, at the dictionary's rate, as long as its longest window or longer
    dictionary : atoms to choose from
    n_atoms : stop after so many
    snr_db : or as soon as the residual lies so many dB below the signal; one of the two is needed.
        The search also ends where the residual is rounding, 240 dB below the signal.
    method : "local" is exact; "gram" is fast, and takes the same atoms but for near-ties

    Returns
    -------
    Book of at most `n_atoms` atoms. In each step the residual's energy falls by the atom's energy.

    Raises
    ------
    ValueError : no signal, a silent one, NaN, more than one channel; a signal shorter than the
        longest window; no reason to stop, or one that makes no sense; an unknown method

    Paper: Eq. 1. Taught in `notebooks/01_matching_pursuit.ipynb`, section "Audio atoms".
    """
    x = _checked_signal(signal, dictionary)
    atoms = _checked_stops(n_atoms, snr_db, dictionary, len(x))
    if method not in METHODS:
        raise ValueError(f'method is {method!r}; expected "local" (exact) or "gram" (fast)')
    peak = np.abs(x).max()
    padded = np.pad(x / peak, dictionary.padding)
    left = 0.0 if snr_db is None else padded @ padded * 10 ** (-snr_db / 10)
    task = Task(padded, dictionary, atoms, left)
    if method == "local":
        found = _local(task)
    else:
        from .gram import gram

        found = gram(task)
    scale, frame, bin = np.ascontiguousarray(found.places.T)
    inside = slice(dictionary.padding, -dictionary.padding)
    return Book(
        dictionary=dictionary,
        samples=len(x),
        scale=scale,
        frame=frame,
        bin=bin,
        coefficient=found.values[:, 0] * peak,
        energy=found.values[:, 1].real * peak**2,
        residual=found.residual[inside] * peak,
    )


def _local(task: Task) -> Found:
    """Keep the residual, and of each frame its best atom."""
    residual, dictionary = task.padded.copy(), task.dictionary
    samples = len(residual) - 2 * dictionary.padding
    counts = [dictionary.frames(s, samples) for s in range(len(dictionary.windows))]
    # Row of a scale's first frame in the tables of all frames' best atoms.
    top = np.concatenate([[0], np.cumsum(counts)])
    energy, bins = np.zeros(top[-1]), np.zeros(top[-1], dtype=int)
    coefficient = np.zeros(top[-1], dtype=complex)

    def look(scale: int, first: int, last: int) -> None:
        c = dictionary.correlations(residual, scale, first, last)
        E, d = best_real_atom(c, dictionary.rho(scale))
        best = E.argmax(axis=1)
        rows, each = slice(top[scale] + first, top[scale] + last), np.arange(last - first)
        energy[rows], bins[rows], coefficient[rows] = E[each, best], best, d[each, best]

    for s, n in enumerate(dictionary.windows):
        step = max(1, PIECE // n)
        for first in range(0, counts[s], step):
            look(s, first, min(first + step, counts[s]))
    places: list[tuple[int, int, int]] = []
    values: list[tuple[complex, float]] = []
    before = left = residual @ residual
    limit = ROUNDING * left
    while len(places) < task.n_atoms and left > task.left:
        row = int(energy.argmax())
        if energy[row] <= limit:
            break
        scale = int(np.searchsorted(top, row, side="right")) - 1
        frame, bin = row - int(top[scale]), int(bins[row])
        places.append((scale, frame, bin))
        values.append((coefficient[row], energy[row]))
        n, start = dictionary.windows[scale], frame * dictionary.hop(scale)
        residual[start : start + n] -= dictionary.atom(scale, bin, coefficient[row])
        left -= energy[row]
        if left < 1e-6 * before:  # the difference has lost its digits
            before = left = residual @ residual
        for s, m in enumerate(dictionary.windows):
            first = max(0, (start - m) // dictionary.hop(s) + 1)
            last = min(counts[s], -(-(start + n) // dictionary.hop(s)))
            look(s, first, last)
    return Found(np.array(places), np.array(values), residual)


def _checked_signal(signal: np.ndarray, dictionary: GaborDictionary) -> np.ndarray:
    x = np.asarray(signal)
    longest = dictionary.padding
    if x.dtype.kind not in "iuf" or x.ndim != 1:
        raise ValueError(
            f"a signal of shape {x.shape} and type {x.dtype} was given; expected (samples,) real "
            "numbers of one channel. Take one channel of stereo, or the mean of both"
        )
    if len(x) < longest:
        raise ValueError(
            f"the signal has {len(x)} samples, and the longest window {longest}; give a longer "
            "signal, or a dictionary with shorter windows"
        )
    if not np.isfinite(x).all():
        raise ValueError(
            "the signal holds NaN or infinite samples; expected finite ones. Mend or cut them out"
        )
    if not x.any():
        raise ValueError(
            f"the signal is silent: all its {len(x)} samples are zero, and no atom fits. Give a "
            "stretch with some sound"
        )
    return x.astype(np.float64)


def _checked_stops(
    n_atoms: int | None, snr_db: float | None, dictionary: GaborDictionary, samples: int
) -> int:
    size = dictionary.size(samples)
    if n_atoms is None and snr_db is None:
        raise ValueError(
            "neither n_atoms nor snr_db was given; expected one of them. Say when to stop, "
            "e.g. n_atoms=1000 or snr_db=15"
        )
    if snr_db is not None and not (np.isfinite(snr_db) and snr_db > 0):
        raise ValueError(f"snr_db is {snr_db}; give a finite number of dB above 0, e.g. 15")
    if n_atoms is None:
        return size
    whole = isinstance(n_atoms, int | np.integer) and not isinstance(n_atoms, bool)
    if not (whole and 1 <= n_atoms <= size):
        raise ValueError(
            f"n_atoms is {n_atoms}; give a whole number from 1 to {size}, the size of the "
            f"dictionary for {samples} samples"
        )
    return int(n_atoms)
