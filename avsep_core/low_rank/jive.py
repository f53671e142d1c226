"""JIVE: what two modalities share, what each has alone, and the rest (Lock et al., 2013).

The iterative form of "Joint and individual variation explained", not the angle-based one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.linalg import eigh, null_space

from ..checks import whole, within
from .checks import matrices

RANK = 10
INDIVIDUAL_RANKS = (20, 0)


@dataclass(frozen=True, eq=False)
class Jive:
    """Picture and sound, each as its mean over time + joint + individual + rest.

    The matrices are float32 and of the kind that was given, NumPy or torch: (I1, T) for the
    picture (`_v`), (I2, T) for the sound (`_a`), in the units of what was given.

    Parameters
    ----------
    P_v, P_a : the parts that the modalities share, as localisation and the inverse STFT want them
    J_v, J_a : joint parts; their rows have mean zero
    I_v, I_a : individual parts; their rows have mean zero and are orthogonal to the joint rows
    E_v, E_a : the rest
    scores : (T, rank) orthonormal time courses that span the joint rows
    individual_scores : (T, rank of I_v) and (T, rank of I_a), the same for the individual rows
    residuals : (iterations,) norm of the rest over the norm of all, after each iteration, with
        both modalities at norm one; it never grows
    converged : False where max_iterations came first

    Taught in `notebooks/02_low_rank.ipynb`, section "The baselines".
    """

    P_v: Any
    P_a: Any
    J_v: Any
    J_a: Any
    I_v: Any
    I_a: Any
    E_v: Any
    E_a: Any
    scores: np.ndarray
    individual_scores: tuple[np.ndarray, np.ndarray]
    residuals: np.ndarray
    converged: bool

    @property
    def iterations(self) -> int:
        """How many iterations ran."""
        return len(self.residuals)


def jive(
    V: Any,
    A: Any,
    *,
    rank: int = RANK,
    individual_ranks: Sequence[int] = INDIVIDUAL_RANKS,
    tolerance: float = 1e-6,
    max_iterations: int = 500,
) -> Jive:
    """Split picture and sound into what varies jointly, what varies alone, and a rest.

    Each row loses its mean and each modality is scaled to norm one: X_v, X_a. Then, in turns,

        W = the first `rank` right singular vectors of [X_v - I_v; X_a - I_a]
        I_m = the best approximation of X_m (Id - W W') of rank r_m,    m = v, a

    until the residual |X - J - I| stands still, with J_m = X_m W W'. Since the rows of J_m and
    I_m are orthogonal, I_m = X_m U_m U_m', where U_m are the leading eigenvectors of
    (Id - W W') X_m' X_m (Id - W W'), and W are those of the sum over m of
    (Id - U_m U_m') X_m' X_m (Id - U_m U_m'). So the iterations see T × T matrices only, and
    more pixels cost no more than two products with W and U.

    Lock et al. take J from the stack without I. At the fixed point that is X_m W W'; before it,
    X_m W W' is closer to X_m, and with it the residual cannot grow.

    Parameters
    ----------
    V : (I1, T) picture, pixels by frames
    A : (I2, T) magnitudes of the sound, not negative
    rank : of the joint part
    individual_ranks : of the picture's own part and of the sound's own part
    tolerance : stop where an iteration lowers the residual by less
    max_iterations : most iterations

    Returns
    -------
    Jive, with P_v = J_v and P_a = `magnitude(J_a, A)`

    Raises
    ------
    ValueError : frame counts that differ, fewer than two frames, NaN, a modality that never
        changes, negative magnitudes, ranks that do not fit

    Lock et al., sections 2.1 to 2.4; a baseline in the paper's section 3, which does not say its
    ranks. Taught in `notebooks/02_low_rank.ipynb`, section "The baselines".
    """
    X_v, X_a = modalities(V, A)
    ranks = _ranks(rank, individual_ranks, X_v, X_a)
    within(tolerance, "tolerance", 0, 1)
    limit = whole(max_iterations, "max_iterations", "iterations")
    grams = [X.T @ X / np.vdot(X, X) for X in (X_v, X_a)]

    own = [np.zeros((X_v.shape[1], 0))] * 2
    residuals: list[float] = []
    converged = False
    while not converged and len(residuals) < limit:
        left = sum(_without(U, G) for U, G in zip(own, grams, strict=True))
        W = _leading(np.asarray(left), ranks[0])
        free = null_space(W.T)
        own = [free @ _leading(free.T @ G @ free, r) for G, r in zip(grams, ranks[1:], strict=True)]
        told = [np.vdot(U, G @ U) + np.vdot(W, G @ W) for U, G in zip(own, grams, strict=True)]
        residuals.append(float(np.sqrt(max(1 - sum(told) / 2, 0.0))))
        converged = len(residuals) > 1 and residuals[-2] - residuals[-1] < tolerance

    J_v, J_a = (X @ W @ W.T for X in (X_v, X_a))
    I_v, I_a = (X @ U @ U.T for X, U in zip((X_v, X_a), own, strict=True))
    return Jive(
        P_v=like(V, J_v),
        P_a=like(A, magnitude(J_a, A)),
        J_v=like(V, J_v),
        J_a=like(A, J_a),
        I_v=like(V, I_v),
        I_a=like(A, I_a),
        E_v=like(V, X_v - J_v - I_v),
        E_a=like(A, X_a - J_a - I_a),
        scores=W,
        individual_scores=(own[0], own[1]),
        residuals=np.array(residuals),
        converged=converged,
    )


def modalities(V: Any, A: Any) -> tuple[np.ndarray, np.ndarray]:
    """Picture and sound as float64 without each row's mean over time.

    Parameters
    ----------
    V : (I1, T) picture
    A : (I2, T) magnitudes of the sound

    Returns
    -------
    (I1, T) and (I2, T), new arrays

    Raises
    ------
    ValueError : as `jive`, ranks apart

    Lock et al., section 2.1. Taught in `notebooks/02_low_rank.ipynb`, section "The baselines".
    """
    V, A = (X.numpy(force=True) for X in matrices(V, A, dtype=torch.float64))
    if A.min() < 0:
        raise ValueError(
            f"A holds {A.min():g}; expected magnitudes, 0 or more. Give the absolute value of an "
            "STFT"
        )
    centred = []
    for X, name in ((V, "the picture V"), (A, "the sound A")):
        moves = X - X.mean(axis=1, keepdims=True)
        if np.linalg.norm(moves) <= 1e-9 * np.linalg.norm(X):
            raise ValueError(
                f"{name} is the same in all {X.shape[1]} frames; expected one that changes. Give "
                "a stretch in which something moves and sounds"
            )
        centred.append(moves)
    return centred[0], centred[1]


def magnitude(change: np.ndarray, A: Any) -> np.ndarray:
    """A part of the magnitudes A from its change over time alone.

    What picture and sound share has no mean, for a mean tells nothing about synchrony. So a row
    gets back the share of its mean that it has of the row's energy of change, r^2 in 0…1, and is
    never louder than the mixture: P = clip(change + r^2 mean, 0, A). A steady hum has little
    change to explain and stays in the background.

    Parameters
    ----------
    change : (I2, T) in units of A, rows of mean zero
    A : (I2, T) magnitudes, not negative

    Returns
    -------
    (I2, T) float64, 0…A

    Our choice: the paper does not say how its baselines got back to sound. Taught in
    `notebooks/02_low_rank.ipynb`, section "The baselines".
    """
    A = plain(A)
    mean = A.mean(axis=1, keepdims=True)
    whole_change = ((A - mean) ** 2).sum(axis=1, keepdims=True)
    part = (change**2).sum(axis=1, keepdims=True)
    share = np.divide(part, whole_change, out=np.zeros_like(part), where=whole_change > 0)
    return np.clip(change + np.minimum(share, 1) * mean, 0, A)


def plain(X: Any) -> np.ndarray:
    """A numpy array or a tensor on any device, as a float64 array."""
    return np.asarray(X.numpy(force=True) if isinstance(X, torch.Tensor) else X, np.float64)


def like(given: Any, X: np.ndarray) -> Any:
    """X as float32 of the kind of `given`, and on its device if that is a tensor."""
    if isinstance(given, torch.Tensor):
        return torch.as_tensor(X, dtype=torch.float32, device=given.device)
    return X.astype(np.float32)


def _ranks(rank: Any, own: Any, X_v: np.ndarray, X_a: np.ndarray) -> tuple[int, int, int]:
    """The joint rank and both individual ranks, if the matrices can hold them."""
    joint = whole(rank, "rank", "components")
    if isinstance(own, str) or not isinstance(own, Sequence) or len(own) != 2:
        raise ValueError(
            f"individual_ranks={own!r} given; expected two numbers, of the picture and of the sound"
        )
    most = X_v.shape[1] - 1
    ranks = [joint]
    for r, X, name in zip(own, (X_v, X_a), ("picture", "sound"), strict=True):
        r = whole(r, f"the individual rank of the {name}", "components", least=0)
        if joint + r > min(most, len(X)):
            raise ValueError(
                f"joint rank {joint} and individual rank {r} given for a {name} of {len(X)} rows "
                f"and {most + 1} frames; without its means it has rank {min(most, len(X))} at "
                "most. Take smaller ranks or a longer clip"
            )
        ranks.append(r)
    return ranks[0], ranks[1], ranks[2]


def _leading(G: np.ndarray, count: int) -> np.ndarray:
    """(T, count) eigenvectors of a symmetric (T, T) matrix with the largest eigenvalues."""
    if count == 0:
        return np.zeros((len(G), 0))
    return eigh(G, subset_by_index=[len(G) - count, len(G) - 1])[1][:, ::-1]


def _without(U: np.ndarray, G: np.ndarray) -> np.ndarray:
    """(Id - U U') G (Id - U U')."""
    G = G - U @ (U.T @ G)
    return G - (G @ U) @ U.T
