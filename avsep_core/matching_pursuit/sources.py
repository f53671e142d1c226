"""Sources: how many there are, where, and which audio atoms are whose.

Video atoms that move with the sound gather where a source is (Llagostera Casanovas et al.,
Secs 3.1 and 3.2); each audio atom goes to the source that moved with it (Sec. 3.3). When a source
sounds alone is the subject of `solos`.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Sources".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..checks import whole, within
from .solos import DELTA, Slots, solo_slots, weights
from .synchrony import finite

CLUSTER_SIZE = 45.0
LEAST = 0.25
RATIO = 2.0

__all__ = [
    "CLUSTER_SIZE", "DELTA", "Slots", "Sources", "assign", "find_sources", "solo_slots", "weights",
]  # fmt: skip


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
    least: float = LEAST,
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
    chi: np.ndarray,
    members: np.ndarray,
    n_sources: int,
    *,
    confidence: np.ndarray | None = None,
    ratio: float = RATIO,
) -> np.ndarray:
    """Give each audio atom to the source that moved with it.

    The paper's H_i is the sum of the atom's scores over the members of source i. A source with
    many members then outvotes one with few, and eyes count as much as lips. With `confidence`
    H_i is the mean over the members instead, weighted by kappa^2. Where one H is `ratio` times
    every other, that source takes the atom. Elsewhere the atom belongs to several sources, in
    proportion to H.

    Parameters
    ----------
    chi : (K, N) correlation scores
    members : (N,) int, source of each video atom, -1 for none
    n_sources : S
    confidence : (N,) kappa_n, not negative; None for the paper's plain sum
    ratio : how many times larger than any other the owner's H must be

    Returns
    -------
    (S, K) shares, 0…1. A column sums to one; it is all zero where nothing moved with the atom.

    Raises
    ------
    ValueError : shapes that do not fit, NaN, negative scores or confidence, ratio below one

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
    H = chi @ _votes(members, S, confidence)
    order = np.sort(H, axis=1)
    best = order[:, -1] if S else np.zeros(len(H))
    second = order[:, -2] if S > 1 else np.zeros(len(H))
    total = H.sum(axis=1, keepdims=True)
    shares = H / np.where(total > 0, total, 1)
    owned = (best > second) & (best >= ratio * second)
    shares[owned] = H[owned] == best[owned, None]
    return shares.T


def _votes(members: np.ndarray, n: int, confidence: np.ndarray | None) -> np.ndarray:
    """(N, n) weight of each video atom's score in each source's H."""
    belongs = members[:, None] == np.arange(n)
    if confidence is None:
        return belongs.astype(np.float64)
    kappa = finite(confidence, "confidences", "(N,)")
    if kappa.shape != members.shape or (kappa < 0).any():
        raise ValueError(
            f"{len(kappa)} confidences, the least {kappa.min(initial=0):g}, for {len(members)} "
            "video atoms; expected one for each, 0 or more"
        )
    votes = belongs * (kappa[:, None] / (kappa.max(initial=0) or 1)) ** 2
    total = votes.sum(axis=0)
    return votes / np.where(total > 0, total, 1)
