"""Problem (4) of Pu et al. by their Algorithm 1: two low-rank and sparse splits that share C.

    min |B_v|_* + |B_a|_* + lambda1 |P_v|_1 + lambda2 |P_a|_1 + lambda3 tr(C L C')
    with V = B_v + D_v C, A = B_a + D_a C, P_v = D_v C, P_a = D_a C

Taught in `notebooks/02_low_rank.ipynb`, section "The solver".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from tqdm.auto import tqdm

from ..checks import whole
from .checks import components, matrices, positive
from .thresholding import add_gram, blocks, gram, shrinking

Start = Literal["svd", "audio", "video", "random", "zeros"]
STARTS: tuple[Start, ...] = ("svd", "audio", "video", "random", "zeros")
MU_MAX = 1e18


@dataclass(eq=False)
class Part:
    """One modality X (rows, T) with its B, P, D (rows, K) and multipliers of X = B + DC (`Y`; the
    paper's Z for sound) and DC = P (`G`; F). `weight` is lambda1 or lambda2; `values` are the
    singular values of B, `entries` is |P|_1 and `size` |X|_F.

    All steps run over blocks of rows, so that nothing else of the size of X is ever made.
    """

    X: torch.Tensor
    D: torch.Tensor
    weight: float
    B: torch.Tensor = field(init=False)
    P: torch.Tensor = field(init=False)
    Y: torch.Tensor = field(init=False)
    G: torch.Tensor = field(init=False)
    values: torch.Tensor = field(init=False)
    entries: float = field(init=False)
    size: float = field(init=False)

    def __post_init__(self) -> None:
        self.B, self.P, self.Y, self.G = (torch.zeros_like(self.X) for _ in range(4))
        self.values, self.entries = torch.zeros(0), 0.0
        self.size = float(torch.linalg.vector_norm(self.X))

    def descend(self, C: torch.Tensor, mu: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Lines 4 to 9: B by shrinking singular values, P by shrinking entries, D by least squares.

        With R the bracket of line 8, R - 2 D C is what the first shrinking takes away less what
        the second does. So D moves by (R - 2 D C) C' (C C')^-1 / 2: the D of line 8, of which
        float32 loses fewer digits.

        Returns D'D (K, K) and D'(R - 2 D C) (K, T), float64, of which the C update is made.
        """
        count, tau = self.X.shape[1], self.weight / mu
        G = torch.zeros(count, count, dtype=torch.float64, device=self.X.device)
        for rows in blocks(*self.X.shape):
            left = torch.addmm(self.X[rows], self.D[rows], C, alpha=-1, out=self.B[rows])
            add_gram(G, left.add_(self.Y[rows], alpha=1 / mu))
        W, self.values = shrinking(G, 1 / mu)
        W, right = W.to(C.dtype), (torch.linalg.pinv(C.double()) / 2).to(C.dtype)
        DD, DR = C.new_zeros(len(C), len(C)).double(), torch.zeros_like(C).double()
        entries = DD.new_zeros(())
        for rows in blocks(*self.X.shape):
            rest = self.B[rows].clone()
            rest -= torch.mm(rest, W, out=self.B[rows])
            P = torch.addmm(self.G[rows], self.D[rows], C, beta=1 / mu, out=self.P[rows])
            taken = P.clamp(-tau, tau)
            P -= taken
            rest -= taken
            move = rest @ right
            D = self.D[rows].add_(move)
            rest.addmm_(move, C, alpha=-2)
            DD += (D.T @ D).double()
            DR += (D.T @ rest).double()
            entries += P.abs().sum()
        self.entries = float(entries)
        return DD, DR

    def ascend(self, C: torch.Tensor, mu: float) -> tuple[float, float]:
        """Lines 11 to 14: the multipliers. Returns |X - B - DC|_F and |DC - P|_F over |X|_F."""
        gaps = torch.zeros(2, dtype=torch.float64, device=self.X.device)
        for rows in blocks(*self.X.shape):
            DC = self.D[rows] @ C
            gap = torch.sub(self.X[rows], self.B[rows]).sub_(DC)
            self.Y[rows].add_(gap, alpha=mu)
            gaps[0] += torch.linalg.vector_norm(gap).double() ** 2
            DC -= self.P[rows]
            self.G[rows].add_(DC, alpha=mu)
            gaps[1] += torch.linalg.vector_norm(DC).double() ** 2
        first, second = gaps.sqrt().tolist()
        return first / self.size, second / self.size

    def cost(self) -> float:
        """|B|_* + weight |P|_1."""
        return float(self.values.sum()) + self.weight * self.entries


@dataclass(eq=False)
class Decomposition:
    """A solution, and how it was reached.

    `video` and `audio` are the two `Part`s with `B`, `P`, `D`; `C` (K, T). Of each iteration:
    `residuals` (the four constraints, relative to |V|_F or |A|_F: V = B + DC, DC = P, then the
    same for A), `objective`, `ranks` (of B_v and B_a) and `mus`.
    """

    video: Part
    audio: Part
    C: torch.Tensor
    mu: float
    residuals: list[tuple[float, float, float, float]] = field(default_factory=list)
    objective: list[float] = field(default_factory=list)
    ranks: list[tuple[int, int]] = field(default_factory=list)
    mus: list[float] = field(default_factory=list)

    @property
    def P_v(self) -> torch.Tensor:
        """The sparse part of the picture, (pixels, T)."""
        return self.video.P

    @property
    def P_a(self) -> torch.Tensor:
        """The sparse part of the sound, (freq, T)."""
        return self.audio.P

    @property
    def converged(self) -> float:
        """The largest of the four residuals of the last iteration."""
        return max(self.residuals[-1])


def temporal_laplacian(frames: int, *, width: int = 1) -> torch.Tensor:
    """L with tr(C L C') = sum over pairs of frames up to `width` apart of |c_s - c_t|^2.

    Parameters
    ----------
    frames : T
    width : how far apart neighbours may be

    Returns
    -------
    (T, T) float64, symmetric, rows summing to zero

    Pu et al., section 2, after Li, Li and Fu (2015), who do not print their width either.
    Taught in `notebooks/02_low_rank.ipynb`, section "The solver".
    """
    apart = torch.arange(frames)[:, None] - torch.arange(frames)
    near = ((apart.abs() <= width) & (apart != 0)).double()
    return torch.diag(near.sum(dim=1)) - near


def update_C(
    DD: torch.Tensor, DR: torch.Tensor, basis: tuple[torch.Tensor, torch.Tensor], smooth: float
) -> torch.Tensor:
    """Line 10: solve M C + C N + K = 0 in the eigenbases of M and of L.

    M = 2 (D_v'D_v + D_a'D_a), N = 2 lambda3 / mu L and K = -(D_v'R_v + D_a'R_a), the
    coefficients that the paper's footnote has lost.

    Parameters
    ----------
    DD : (K, K), the sum of D'D over both modalities
    DR : (K, T), the sum of D'R; for the step from some C, what that C leaves of the equation
    basis : eigenvalues (T,) and eigenvectors (T, T) of L
    smooth : lambda3 / mu

    Returns
    -------
    C (K, T) float64; the part on which nothing depends is zero

    Taught in `notebooks/02_low_rank.ipynb`, section "The solver".
    """
    m, E = torch.linalg.eigh(2 * DD)
    total = m.clamp_min(0)[:, None] + 2 * smooth * basis[0].clamp_min(0)
    turned = E.T @ DR @ basis[1]
    least = 1e-14 * total.max()
    return E @ torch.where(total > least, turned / total.clamp_min(1e-300), 0.0) @ basis[1].T


def decompose(
    V: Any,
    A: Any,
    *,
    K: int = 10,
    lambda1: float = 1.0,
    lambda2: float = 0.5,
    lambda3: float = 0.01,
    mu: float | None = None,
    rho: float = 1.3,
    iterations: int = 60,
    tolerance: float = 1e-6,
    L: torch.Tensor | None = None,
    start: Start | Decomposition = "svd",
    seed: int = 0,
    device: str = "cpu",
    progress: bool = False,
    watch: Callable[[int, Decomposition], None] | None = None,
) -> Decomposition:
    """Split picture and sound into backgrounds of low rank and sparse parts that share C.

    Parameters
    ----------
    V, A : (pixels, T) and (freq, T) real, numpy or torch, float32 or float64. Bring both to one
        scale first, as `matrices.of_clip` does
    K : rows of C, 1 to T
    lambda1, lambda2 : weights of |P_v|_1 and |P_a|_1, in units of 1 / sqrt(max(rows, T)), the
        weight of robust PCA
    lambda3 : weight of the temporal Laplacian
    mu : first penalty, in units of 1 / (largest singular value of V and A); 0.6 if not given
    rho : factor by which the penalty grows each iteration, 1 or more
    iterations, tolerance : stop after so many, or when all four residuals fall below
    L : (T, T) Laplacian; `temporal_laplacian(T)` if not given
    start : D and C from the `svd` of both modalities together, of `audio` or `video` alone, at
        `random`, or `zeros` as printed (which never leaves zero). Or a `Decomposition` of the same
        clip: it goes on where that stopped, in place; with `mu`, it keeps D and C alone and
        begins anew from them
    seed : of a random start
    device : "cpu" or "cuda"
    progress : whether to show a bar
    watch : called after each iteration with its number and the Decomposition so far

    Returns
    -------
    Decomposition

    Raises
    ------
    ValueError : matrices as `checks.matrices`; K beyond 1 to T; a weight that is not above zero;
        rho below 1; L or a start of another shape; an unknown start

    Algorithm 1. Taught in `notebooks/02_low_rank.ipynb`, section "The solver".
    """
    positive(lambda1=lambda1, lambda2=lambda2, lambda3=lambda3)
    positive(rho=rho, tolerance=tolerance, **({} if mu is None else {"mu": mu}))
    if rho < 1:
        raise ValueError(f"rho={rho!r} was given; the penalty must not shrink: take 1 or more")
    V, A = matrices(V, A, device=device)
    K = components(K, V.shape[1])
    iterations = whole(iterations, "iterations", "rounds")
    weights = [w / max(X.shape) ** 0.5 for w, X in ((lambda1, V), (lambda2, A))]
    found = _begun(V, A, K, weights, 0.6 if mu is None else mu, mu is None, start, seed)
    L = temporal_laplacian(V.shape[1]) if L is None else L
    if L.shape != (V.shape[1], V.shape[1]):
        raise ValueError(
            f"L of shape {tuple(L.shape)} for {V.shape[1]} frames; make it by "
            f"temporal_laplacian({V.shape[1]})"
        )
    basis = torch.linalg.eigh(L.to(device=V.device, dtype=torch.float64))
    with tqdm(total=iterations, disable=not progress, desc="low rank and sparse") as bar:
        for k in range(iterations):
            _iterate(found, basis, lambda3)
            found.mu = min(found.mu * rho, MU_MAX)
            if watch is not None:
                watch(k, found)
            bar.set_postfix(residual=f"{found.converged:.1e}", ranks=found.ranks[-1])
            bar.update()
            if found.converged < tolerance:
                break
    return found


def _iterate(
    found: Decomposition, basis: tuple[torch.Tensor, torch.Tensor], lambda3: float
) -> None:
    """Lines 4 to 14 of Algorithm 1, once."""
    C, mu, parts = found.C, found.mu, (found.video, found.audio)
    pieces = [part.descend(C, mu) for part in parts]
    DD, DR = (sum(both) for both in zip(*pieces, strict=True))
    # As for D: the equation is linear, so it is solved for the step, from what C leaves of it.
    values, vectors = basis
    DR = DR - 2 * lambda3 / mu * (C.double() @ vectors * values) @ vectors.T
    exact = C.double() + update_C(DD, DR, basis, lambda3 / mu)
    found.C = exact.to(C.dtype)
    gaps = [gap for part in parts for gap in part.ascend(found.C, mu)]
    smoothness = float(((exact @ vectors).square() * values).sum())
    found.residuals.append(tuple(gaps))  # type: ignore[arg-type]
    found.objective.append(sum(part.cost() for part in parts) + lambda3 * smoothness)
    found.ranks.append((len(found.video.values), len(found.audio.values)))
    found.mus.append(mu)


def _begun(
    V: torch.Tensor,
    A: torch.Tensor,
    K: int,
    weights: list[float],
    mu: float,
    go_on: bool,
    start: Start | Decomposition,
    seed: int,
) -> Decomposition:
    if isinstance(start, Decomposition):
        given = tuple(V.shape), tuple(A.shape), K
        begun = tuple(start.video.X.shape), tuple(start.audio.X.shape), len(start.C)
        if begun != given:
            raise ValueError(
                f"a start with V, A and K of {begun} for V, A and K of {given}; start from a "
                "decomposition of the same clip and K"
            )
        if go_on:
            start.video.weight, start.audio.weight = weights
            return start
        D_v, D_a, C = start.video.D.clone(), start.audio.D.clone(), start.C
    else:
        D_v, D_a, C = _start(V, A, K, start, seed)
    largest = [
        float(torch.linalg.eigvalsh(gram(X if X.shape[0] > X.shape[1] else X.T))[-1])
        for X in (V, A)
    ]
    return Decomposition(
        Part(V, D_v, weights[0]), Part(A, D_a, weights[1]), C, mu / max(largest) ** 0.5
    )


def _start(
    V: torch.Tensor, A: torch.Tensor, K: int, start: str, seed: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """First D_v, D_a and C: least-squares fits of V and A to some C with orthonormal rows."""
    if start not in STARTS:
        raise ValueError(f"start={start!r}; take one of {', '.join(STARTS)}, or a Decomposition")
    T = V.shape[1]
    if start == "random":
        noise = torch.randn(
            T, K, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
        )
        C = torch.linalg.qr(noise)[0].T.to(V.device)
    elif start == "zeros":
        C = torch.zeros(K, T, dtype=torch.float64, device=V.device)
    else:
        G = sum(gram(X) for X, name in ((V, "video"), (A, "audio")) if start in ("svd", name))
        C = torch.linalg.eigh(G)[1].flip(1)[:, :K].T
    C = C.to(V.dtype).contiguous()
    return V @ C.T, A @ C.T, C
