"""Two shrinking steps: of the entries of a matrix, and of its singular values.

Taught in `notebooks/02_low_rank.ipynb`, section "From plain to coupled".
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

BLOCK = 2**17  # entries of a block of rows: a megabyte or two, which stay in the cache


def soft_threshold(X: torch.Tensor, tau: float) -> torch.Tensor:
    """S_tau(x) = sgn(x) max(|x| - tau, 0): the minimiser of tau |p| + (p - x)^2 / 2.

    Parameters
    ----------
    X : any shape, real
    tau : 0 or more

    Returns
    -------
    Same shape

    Pu et al., section 2, after (4). Taught in `notebooks/02_low_rank.ipynb`, section "From plain
    to coupled".
    """
    return torch.nn.functional.softshrink(X, tau)


def blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices of rows, so that one block of a matrix with so many columns holds BLOCK entries."""
    step = max(1, BLOCK // columns)
    for first in range(0, rows, step):
        yield slice(first, min(first + step, rows))


def add_gram(G: torch.Tensor, X: torch.Tensor) -> None:
    """Add X'X to G (float64, columns x columns), below and near the diagonal only."""
    X = X.double()
    step = -(-len(G) // 4)
    for first in range(0, len(G), step):
        G[first : first + step, : first + step].addmm_(
            X[:, first : first + step].T, X[:, : first + step]
        )


def gram(X: torch.Tensor) -> torch.Tensor:
    """X'X of a tall matrix (rows, columns) in double precision, (columns, columns)."""
    G = torch.zeros(X.shape[1], X.shape[1], dtype=torch.float64, device=X.device)
    for rows in blocks(*X.shape):
        add_gram(G, X[rows])
    return G.tril() + G.tril(-1).T


def shrinking(G: torch.Tensor, tau: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The matrix W with D_tau(X) = X W, from the Gram matrix of X.

    With X = U S V', D_tau(X) = U (S - tau)_+ V' = X V diag((1 - tau / s)_+) V'.

    Parameters
    ----------
    G : (n, n) float64, X'X; only what is on and below the diagonal is read
    tau : 0 or more

    Returns
    -------
    W (n, n) float64 and the thresholded singular values (rank,), largest first
    """
    values, V = torch.linalg.eigh(G)
    s = values.clamp_min(0).sqrt().flip(0)
    V = V.flip(1)
    rank = int((s > tau).sum())
    s, V = s[:rank], V[:, :rank]
    return (V * (1 - tau / s)) @ V.T, s - tau


def singular_value_threshold(X: torch.Tensor, tau: float) -> tuple[torch.Tensor, torch.Tensor]:
    """D_tau(X): shrink the singular values of a matrix by tau, without computing its SVD.

    The minimiser of tau |B|_* + |B - X|_F^2 / 2. Only the Gram matrix on the shorter side is
    decomposed, in double precision: for pixels x frames, that of the frames.

    Parameters
    ----------
    X : (rows, columns) real
    tau : 0 or more

    Returns
    -------
    The thresholded matrix, of the kind of X, and its singular values (rank,) float64

    Pu et al., section 2; Cai, Candès and Shen (2010). Taught in `notebooks/02_low_rank.ipynb`,
    section "From plain to coupled".
    """
    if X.shape[0] < X.shape[1]:
        turned, values = singular_value_threshold(X.T, tau)
        return turned.T, values
    W, values = shrinking(gram(X), tau)
    return X @ W.to(X.dtype), values
