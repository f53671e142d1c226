"""Sources: how many there are, where, what they say, and when only one of them speaks.

Video atoms that move with the sound gather where a source is (Llagostera Casanovas et al.,
Secs 3.1 and 3.2); each audio atom goes to the source that moved with it; stretches in which all
of them go to one source are its solos (Sec. 3.3).

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Sources".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..checks import whole, within
from .synchrony import finite

CLUSTER_SIZE = 40.0
DELTA = 1.0

Slots = list[list[tuple[float, float]]]


class Sounding(Protocol):
    """What `solo_slots` needs of a book of atoms: when each sounds in s, and how loud."""

    @property
    def time(self) -> np.ndarray: ...

    @property
    def spread(self) -> np.ndarray: ...

    @property
    def energy(self) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Sources:
    """Sources found in a picture, S of them, ordered from left to right.

    `centroids` (S, 2) px, x right and y down; `members` (N,) int, the source of each video atom
    or -1; `confidence` (S,) sum of the members' kappa; `cluster_size` D in px; `reason` why there
    is no source, empty where there is one.
    """

    centroids: np.ndarray
    members: np.ndarray
    confidence: np.ndarray
    cluster_size: float
    reason: str = ""

    def __len__(self) -> int:
        return len(self.centroids)


def find_sources(
    position: np.ndarray,
    confidence: np.ndarray,
    *,
    cluster_size: float = CLUSTER_SIZE,
    least: float = 0.3,
) -> Sources:
    """Count and place the sources by clustering video atoms that move with the sound.

    The surest atom that no cluster holds starts a cluster; the cluster's middle, the mean of the
    atoms within D weighted by their kappa, moves until it rests (mean shift). When all atoms are
    taken, clusters are dropped whose confidence, the sum of kappa over atoms nearest to them and
    within D, is below a share of the surest one's.

    Parameters
    ----------
    position : (N, 2) px, where each video atom mostly is
    confidence : (N,) kappa_n, not negative
    cluster_size : D in px
    least : share of the surest cluster's confidence below which a cluster is dropped, 0…1

    Returns
    -------
    Sources. None where no atom has any confidence; `reason` then says so.

    Raises
    ------
    ValueError : shapes that do not fit, NaN, negative confidence, D not positive

    Secs 3.1 and 3.2.
    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Sources".
    """
    p = finite(position, "positions", "(N, 2)")
    kappa = finite(confidence, "confidences", "(N,)")
    if p.shape != (len(kappa), 2):
        raise ValueError(
            f"positions of shape {p.shape} and {len(kappa)} confidences; expected (N, 2) and (N,)"
        )
    if (kappa < 0).any():
        raise ValueError("a negative confidence given; kappa is a sum of amplitudes, 0 or more")
    if not (np.isfinite(cluster_size) and cluster_size > 0):
        raise ValueError(f"cluster_size is {cluster_size!r}; give a positive number of px")
    within(least, "least", 0, 1)
    if not kappa.any():
        nobody = np.full(len(kappa), -1)
        why = "no video atom moves with the sound: every confidence is zero"
        return Sources(np.zeros((0, 2)), nobody, np.zeros(0), float(cluster_size), why)
    centroids = _cluster(p, kappa, cluster_size)
    sure = _sums(kappa, _nearest(p, centroids, cluster_size), len(centroids))
    centroids = centroids[sure >= least * sure.max()]
    centroids = centroids[np.argsort(centroids[:, 0], kind="stable")]
    members = _nearest(p, centroids, cluster_size)
    sure = _sums(kappa, members, len(centroids))
    return Sources(centroids, members, sure, float(cluster_size))


def _cluster(p: np.ndarray, kappa: np.ndarray, size: float) -> np.ndarray:
    centroids: list[np.ndarray] = []
    free = kappa > 0
    while free.any():
        seed = np.argmax(np.where(free, kappa, -1))
        middle = _rest(p[seed], p, kappa, size)
        free[seed] = False
        if any(np.hypot(*(middle - c)) < size for c in centroids):
            continue
        centroids.append(middle)
        free &= np.hypot(*(p - middle).T) >= size
    return np.array(centroids)


def _rest(start: np.ndarray, p: np.ndarray, kappa: np.ndarray, size: float) -> np.ndarray:
    """Where the weighted mean of the atoms within `size` stops moving."""
    for _ in range(100):
        mass = kappa * (np.hypot(*(p - start).T) < size)
        middle = mass @ p / mass.sum()
        if np.allclose(middle, start, atol=1e-6):
            break
        start = middle
    return middle


def _nearest(p: np.ndarray, centroids: np.ndarray, size: float) -> np.ndarray:
    """(N,) index of the nearest centroid closer than `size`, else -1."""
    far = np.hypot(*(p[:, None] - centroids).transpose(2, 0, 1))
    return np.where(far.min(axis=1) < size, far.argmin(axis=1), -1)


def _sums(values: np.ndarray, members: np.ndarray, n: int) -> np.ndarray:
    held = members >= 0
    return np.bincount(members[held], values[held], minlength=n)


def assign(
    chi: np.ndarray, members: np.ndarray, n_sources: int, *, ratio: float = 2.0
) -> np.ndarray:
    """Give each audio atom to the source that moved with it.

    H_i is the sum of the atom's scores over the members of source i. Where one H is `ratio` times
    every other, that source takes the atom. Elsewhere the atom belongs to several sources, in
    proportion to H.

    Parameters
    ----------
    chi : (K, N) correlation scores
    members : (N,) int, source of each video atom, -1 for none
    n_sources : S
    ratio : how many times larger than any other the owner's H must be

    Returns
    -------
    (S, K) shares, 0…1. A column sums to one; it is all zero where nothing moved with the atom.

    Raises
    ------
    ValueError : shapes that do not fit, NaN, negative scores, ratio below one

    Sec. 3.3, steps 1–3.
    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Sources".
    """
    chi = finite(chi, "scores", "(K, N)")
    members = np.asarray(members)
    S = whole(n_sources, "n_sources", "sources", least=0)
    if members.shape != (chi.shape[1],) or members.dtype.kind not in "iu":
        raise ValueError(
            f"members of shape {members.shape} and type {members.dtype} do not fit scores of "
            f"{chi.shape[1]} video atoms; expected (N,) whole numbers"
        )
    if members.size and not -1 <= members.min() <= members.max() < S:
        raise ValueError(f"members name other sources than 0…{S - 1}, or -1 for none")
    if (chi < 0).any():
        raise ValueError("negative scores given; chi is a share of energy, 0 or more")
    within(ratio, "ratio", 1, float("inf"))
    H = (chi @ (members[:, None] == np.arange(S))).T
    order = np.sort(H, axis=0)
    second = order[-2] if S > 1 else np.zeros(len(chi))
    total = H.sum(axis=0)
    shares = H / np.where(total > 0, total, 1)
    if S:
        owned = (order[-1] > 0) & (order[-1] >= ratio * second)
        owned &= order[-1] > second
        shares[:, owned] = H[:, owned] == order[-1, owned]
    return shares


def solo_slots(
    shares: np.ndarray,
    book: Sounding,
    *,
    seconds: float,
    delta: float = DELTA,
    purity: float = 0.95,
    step: float = 0.02,
) -> Slots:
    """When only one source sounds: stretches longer than Delta whose energy is all its own.

    Parameters
    ----------
    shares : (S, K) from `assign`
    book : K atoms with `time`, `spread` (s) and `energy`
    seconds : length of the sound
    delta : Delta in s
    purity : the least part of the energy of each stretch of Delta s that the source must own
    step : s, grid of the search

    Returns
    -------
    For each source a list of (start, end) in s, in order, none shorter than Delta.

    Raises
    ------
    ValueError : shapes that do not fit, NaN, Delta not positive or longer than the sound

    Sec. 3.3.
    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Sources".
    """
    shares = finite(shares, "shares", "(S, K)")
    energy, time = finite(book.energy, "energies", "(K,)"), finite(book.time, "times", "(K,)")
    if shares.shape[1] != len(energy):
        raise ValueError(f"shares of {shares.shape[1]} audio atoms; the book has {len(energy)}")
    if not (np.isfinite(delta) and delta > 0):
        raise ValueError(f"delta is {delta!r}; give a positive number of s")
    within(seconds, "seconds", step, 1e6)
    within(purity, "purity", 0, 1)
    n = int(np.ceil(seconds / step))
    cell = np.clip((time / step).astype(int), 0, n - 1)
    total = np.bincount(cell, energy, minlength=n)
    width = round(delta / step)
    slots: Slots = []
    for share in shares:
        own = np.bincount(cell, energy * share, minlength=n)
        sums = np.array([np.append(0, np.cumsum(x)) for x in (own, total)])
        if n < width:
            slots.append([])
            continue
        mine, all_of_it = sums[:, width:] - sums[:, :-width]
        pure = (all_of_it > 0) & (mine >= purity * all_of_it)
        solo = np.zeros(n, dtype=bool)
        for i in np.flatnonzero(pure):
            solo[i : i + width] = True
        edges = np.flatnonzero(np.diff(np.r_[0, solo, 0]))
        slots.append(
            [(float(a * step), float(min(b * step, seconds))) for a, b in edges.reshape(-1, 2)]
        )
    return slots


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
