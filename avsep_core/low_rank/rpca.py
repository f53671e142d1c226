"""Robust PCA: one matrix as low rank plus sparse (Candès, Li, Ma and Wright, 2011).

Solved by the inexact augmented Lagrange method of Lin, Chen and Ma (2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ..checks import whole
from .checks import matrix, positive
from .thresholding import singular_value_threshold, soft_threshold


@dataclass(frozen=True, eq=False)
class Rpca:
    """X = `low_rank` + `sparse`, each as X; `residuals`, |X - B - P|_F / |X|_F of each iteration,
    and `ranks`, that of B."""

    low_rank: torch.Tensor
    sparse: torch.Tensor
    residuals: list[float]
    ranks: list[int]


def rpca(
    X: Any,
    *,
    lam: float = 1.0,
    mu: float = 1.25,
    rho: float = 1.5,
    iterations: int = 200,
    tolerance: float = 1e-7,
    device: str = "cpu",
) -> Rpca:
    """Split a matrix into a low-rank and a sparse part: min |B|_* + lambda |P|_1, X = B + P.

    Parameters
    ----------
    X : (rows, columns) real, numpy or torch
    lam : lambda in units of 1 / sqrt(max(rows, columns)); 1 is the weight for which exact
        recovery is proved
    mu : first penalty in units of 1 / (largest singular value of X)
    rho : factor by which the penalty grows each iteration, above 1
    iterations, tolerance : stop after so many, or when the residual falls below
    device : "cpu" or "cuda"

    Returns
    -------
    Rpca

    Raises
    ------
    ValueError : X as `checks.matrix`; weights not above zero, rho not above 1

    Taught in `notebooks/02_low_rank.ipynb`, section "From plain to coupled".
    """
    X = matrix(X, "the matrix X", device=device)
    positive(lam=lam, mu=mu, rho=rho, tolerance=tolerance)
    iterations = whole(iterations, "iterations", "rounds")
    if rho <= 1:
        raise ValueError(f"rho={rho!r} was given; the penalty must grow: take a factor above 1")
    weight = lam / max(X.shape) ** 0.5
    size = float(torch.linalg.matrix_norm(X))
    step = mu / float(torch.linalg.matrix_norm(X, 2))
    # The start of Lin et al.: the largest multiple of X that is feasible for the dual problem.
    Y = X * step / max(mu, step * float(X.abs().max()) / weight)
    P = torch.zeros_like(X)
    residuals, ranks = [], []
    for _ in range(iterations):
        B, values = singular_value_threshold(X - P + Y / step, 1 / step)
        P = soft_threshold(X - B + Y / step, weight / step)
        gap = X - B - P
        Y = Y + step * gap
        residuals.append(float(torch.linalg.matrix_norm(gap)) / size)
        ranks.append(len(values))
        if residuals[-1] < tolerance:
            break
        step *= rho
    return Rpca(B, P, residuals, ranks)
