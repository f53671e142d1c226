"""Sparse canonical correlation: the fewest pixels that move as the sound does (Kidron et al.).

E. Kidron, Y. Y. Schechner, M. Elad, "Pixels that sound", CVPR 2005.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
from scipy.linalg import eigh, qr
from scipy.optimize import linprog

from ..checks import whole, within
from .jive import like, magnitude, modalities, plain

N_BANDS = 16
TOLERANCE = 0.1
# A face of the l1 ball is a linear program, and 2^(M-1) of them are tried.
MOST_BANDS = 10
# Bands that follow those already explained this closely are left out.
SAME = 1e-6
# A pixel may break its bound in the dual by this much.
SLACK = 1e-6

Signs = Literal["same", "any"]


@dataclass(frozen=True, eq=False)
class SparseCCA:
    """Pairs of projections, one of the picture and one of the sound, and what they select.

    Parameters
    ----------
    w_v : (I1, components) weights of the pixels
    w_a : (bands, components) weights of the bands; each column's absolute values sum to one
    P_v, P_a : (I1, T) and (I2, T) float32, selected parts of picture and sound, of the kind given
    correlation : (components,) of the projected picture with the projected sound, in these frames
    cost : (components,) sum of |w_v|, or of its wavelet coefficients where there are wavelets,
        for a picture of norm one
    variates : (T, components) orthonormal, the projected sounds

    Taught in `notebooks/02_low_rank.ipynb`, section "The baselines".
    """

    w_v: np.ndarray
    w_a: np.ndarray
    P_v: Any
    P_a: Any
    correlation: np.ndarray
    cost: np.ndarray
    variates: np.ndarray


def sparse_cca(
    V: Any,
    A: Any,
    *,
    n_bands: int = N_BANDS,
    n_components: int | None = None,
    tolerance: float = TOLERANCE,
    signs: Signs = "same",
    shape: tuple[int, int] | None = None,
) -> SparseCCA:
    """The least weights of pixels whose motion equals a mix of the sound's bands.

    With more pixels than frames some weighted sum of pixels equals any sound, so the largest
    correlation is always one and tells nothing. Among all pairs of equal projections, Kidron et
    al. take the one with the least l1 norm,

        min |w_v|_1    subject to    V' w_v = B' w_a,    |w_a|_1 = 1

    with V and the M bands B of the sound free of their means. Each face of |w_a|_1 = 1, that is
    each choice of signs, is a linear program. This is theirs. Ours are: the bands (`bands`), each
    scaled to norm one; signs="same", the one face on which bands add up as loudness does;
    `tolerance`; more components than one; and the ways back to P_v and P_a.

    A further component is found with the variate of each one before taken out of all time
    courses, and with one band less: the one of largest weight.

    Parameters
    ----------
    V : (I1, T) picture, pixels by frames
    A : (I2, T) magnitudes of the sound, not negative
    n_bands : M, bands that share the sound's changes equally
    n_components : pairs of projections, M at most; None takes M
    tolerance : the equation is left open along time courses in which the picture moves less than
        this share of its strongest one (ratio of singular values); 1e-6 asks for all of them
    signs : "same", all w_a >= 0; or "any", 2^(M-1) programs as Kidron et al. do
    shape : (h, w) of the picture; the l1 norm is then taken of Haar coefficients instead of
        pixels, so that neighbours go together. Kidron et al. allow wavelets, too

    Returns
    -------
    SparseCCA. P_v is V with each pixel (or Haar coefficient) weighted by the root mean square of
    its w_v, the largest weight one. P_a is what regression on the variates explains of each row
    of A, see `jive.magnitude`. With all M components the variates span the bands whatever the
    picture, and P_a owes it nothing; with fewer the picture chooses

    Raises
    ------
    ValueError : frame counts that differ, fewer than two frames, NaN, a modality that never
        changes, negative magnitudes, options out of range

    Kidron et al., CVPR 2005; a baseline in the paper's section 3, which does not say how it got
    P_v and P_a. Taught in `notebooks/02_low_rank.ipynb`, section "The baselines".
    """
    X_v, X_a = modalities(V, A)
    n_bands = whole(n_bands, "n_bands", "bands")
    count = n_bands if n_components is None else whole(n_components, "n_components", "components")
    if count > n_bands:
        raise ValueError(
            f"{count} components of {n_bands} bands; each uses up one band. Take more bands or "
            "fewer components"
        )
    within(tolerance, "tolerance", 1e-7, 1)
    if signs not in ("same", "any"):
        raise ValueError(f"signs={signs!r} given; expected 'same' or 'any'")
    if signs == "any" and n_bands > MOST_BANDS:
        raise ValueError(
            f"{n_bands} bands with any signs are {2 ** (n_bands - 1)} linear programs; take "
            f"{MOST_BANDS} bands at most, or signs='same'"
        )
    haar = _Haar(shape, len(X_v)) if shape is not None else None
    X = haar.forward(X_v) if haar else X_v
    norm = float(np.linalg.norm(X))
    B = bands(A, n_bands)
    G = X.T @ X / norm**2

    free = list(range(n_bands))
    C = np.zeros((X.shape[1], 0))
    pairs: list[tuple[float, np.ndarray, np.ndarray]] = []
    while free and len(pairs) < count:
        R = _seen(G, C, tolerance)
        courses = B[free] - (B[free] @ C) @ C.T
        seen = np.linalg.norm(courses @ R, axis=1)
        free = [m for m, much in zip(free, seen, strict=True) if much > SAME]
        if not free:
            break
        courses = courses[seen > SAME] / seen[seen > SAME, None]
        # Whitened, so that each of the equations weighs the same.
        unit = R / np.linalg.norm(X @ R, axis=0)
        cost, w, mix = least_weights(X @ unit, courses @ (unit * norm), signs=signs)
        if cost < SAME:
            break
        variate = courses.T @ mix
        C = np.column_stack([C, variate / np.linalg.norm(variate)])
        w_a = np.zeros(n_bands)
        w_a[free] = mix
        pairs.append((cost, w / norm, w_a))
        free.pop(int(np.argmax(np.abs(mix))))
    if not pairs:
        raise ValueError(
            "no weights are needed: along the time courses of the picture the bands cancel or do "
            f"not change. Take fewer than {n_bands} bands, lower tolerance, which is "
            f"{tolerance:g}, or take a longer clip"
        )

    w = np.column_stack([pair[1] for pair in pairs])
    share = np.sqrt((w**2).mean(axis=1, keepdims=True))
    share /= share.max()
    P_v = haar.backward(share * haar.forward(plain(V))) if haar else share * plain(V)
    return SparseCCA(
        w_v=haar.backward(w) if haar else w,
        w_a=np.column_stack([pair[2] for pair in pairs]),
        P_v=like(V, P_v),
        P_a=like(A, magnitude((X_a @ C) @ C.T, A)),
        correlation=_correlation(X.T @ w, C),
        cost=np.array([pair[0] for pair in pairs]),
        variates=C,
    )


def bands(A: Any, count: int) -> np.ndarray:
    """The sound's loudness in bands, each of mean zero and norm one.

    A band is the sum of neighbouring rows. Each takes rows until it holds an equal part of the
    energy of change that the bands below it have left, so none is silent.

    Parameters
    ----------
    A : (I2, T) magnitudes, lowest frequency first
    count : bands

    Returns
    -------
    (count, T)

    Raises
    ------
    ValueError : more bands than rows that change

    Taught in `notebooks/02_low_rank.ipynb`, section "The baselines".
    """
    A = plain(A)
    X = A - A.mean(axis=1, keepdims=True)
    energy = (X**2).sum(axis=1)
    rows = np.flatnonzero(energy > 1e-18 * np.vdot(A, A))
    if count > len(rows):
        raise ValueError(f"{count} bands of {len(rows)} rows that change; take fewer bands")
    summed = []
    first = 0
    for left in range(count, 0, -1):
        sums = np.cumsum(energy[rows[first:]])
        size = int(np.argmin(np.abs(sums - sums[-1] / left))) + 1 if left > 1 else len(sums)
        size = min(size, len(sums) - left + 1)
        summed.append(X[rows[first : first + size]].sum(axis=0))
        first += size
    B = np.stack(summed)
    return B / np.maximum(np.linalg.norm(B, axis=1, keepdims=True), 1e-300)


def least_weights(
    Z: np.ndarray, b: np.ndarray, *, signs: Signs = "any"
) -> tuple[float, np.ndarray, np.ndarray]:
    """The least |w|_1 with Z' w = b' u and |u|_1 = 1, exactly.

    On the face of signs s the linear program has the dual

        max over y of min_m s_m (b y)_m    subject to    |z_x' y| <= 1 for each pixel x

    with one number in y for each equation. So a few pixels are enough to solve it: pixels that
    break their bound are added until none does, and then y proves that no pixel left out would
    help. y scaled down until it keeps all bounds is a lower bound all along, and a face is left
    as soon as that exceeds the best face so far.

    Parameters
    ----------
    Z : (pixels, d) of rank d
    b : (M, d) bands
    signs : "same", u >= 0, or "any"

    Returns
    -------
    cost |w|_1, w (pixels,) with about d entries other than zero, u (M,)

    Raises
    ------
    ValueError : fewer pixels than equations, or pixels that are not independent enough

    Kidron et al., "Pixels that sound". Taught in `notebooks/02_low_rank.ipynb`, section "The
    baselines".
    """
    pixels, d = Z.shape
    r, order = qr(Z.T, mode="r", pivoting=True)
    if pixels < d or abs(r[d - 1, d - 1]) < 1e-10 * abs(r[0, 0]):
        raise ValueError(
            f"{pixels} pixels do not span {d} equations; take more pixels or fewer equations"
        )
    some = order[: min(pixels, 3 * d)]
    best: tuple[float, np.ndarray, np.ndarray] = (np.inf, np.zeros(pixels), np.zeros(len(b)))
    rest = len(b) - 1
    for turn in product([1.0], *[[1.0] if signs == "same" else [1.0, -1.0]] * rest):
        s = np.array(turn)
        last = np.inf
        while True:
            cost, w, u, y = _program(Z[some], s[:, None] * b)
            reach = np.abs(Z @ y)
            if cost >= best[0] * max(1.0, reach.max()):
                break
            out = np.flatnonzero(reach > 1 + SLACK)
            out = np.setdiff1d(out[np.argsort(-reach[out])[:d]], some)
            if not len(out):
                full = np.zeros(pixels)
                full[some] = w
                best = (cost, full, s * u)
                break
            if cost < last * (1 - 1e-9):
                some = some[(w != 0) | (reach[some] > 0.7)]
            some, last = np.append(some, out), cost
    return best


def _program(Z: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """One face by a solver of linear programs: cost, w, u >= 0, and the dual y."""
    n, d = Z.shape
    A_eq = np.block([[Z.T, -Z.T, -b.T], [np.zeros((1, 2 * n)), np.ones((1, len(b)))]])
    c = np.append(np.ones(2 * n), np.zeros(len(b)))
    found = linprog(c, A_eq=A_eq, b_eq=np.append(np.zeros(d), 1.0), method="highs")
    if found.x is None:
        raise ValueError(
            f"the linear program of {n} pixels and {d} equations was not solved "
            f"({found.message.strip()}); raise tolerance"
        )
    x = found.x
    return float(found.fun), x[:n] - x[n : 2 * n], x[2 * n :], found.eqlin.marginals[:d]


def _seen(G: np.ndarray, C: np.ndarray, tolerance: float) -> np.ndarray:
    """(T, d) orthonormal time courses along which the picture moves, those in C (T, k) apart."""
    left = G - C @ (C.T @ G)
    values, R = eigh(left - (left @ C) @ C.T)
    return R[:, values > max(tolerance**2, 1e-13) * values[-1]]


def _correlation(picture: np.ndarray, C: np.ndarray) -> np.ndarray:
    """Of each projected picture (T, k) with its sound (T, k), both without the sounds before."""
    found = []
    for k in range(C.shape[1]):
        p = picture[:, k] - C[:, :k] @ (C[:, :k].T @ picture[:, k])
        found.append(C[:, k] @ p / max(float(np.linalg.norm(p)), 1e-300))
    return np.array(found)


class _Haar:
    """Orthonormal Haar wavelets of pictures (h w, T), two levels in each direction."""

    def __init__(self, shape: tuple[int, int], pixels: int) -> None:
        shape = (whole(shape[0], "shape", "pixels"), whole(shape[1], "shape", "pixels"))
        if shape[0] * shape[1] != pixels:
            raise ValueError(
                f"shape {shape} has {shape[0] * shape[1]} pixels and V has {pixels} rows; give the "
                "height and width of the picture that V holds"
            )
        self.shape = shape
        self.down, self.across = (_haar(n) for n in shape)

    def forward(self, X: np.ndarray) -> np.ndarray:
        """Coefficients of pictures."""
        return self._turn(X, self.down, self.across)

    def backward(self, X: np.ndarray) -> np.ndarray:
        """Pictures of coefficients."""
        return self._turn(X, self.down.T, self.across.T)

    def _turn(self, X: np.ndarray, down: np.ndarray, across: np.ndarray) -> np.ndarray:
        cube = X.reshape(*self.shape, -1)
        return np.einsum("ih,hwt,jw->ijt", down, cube, across, optimize=True).reshape(len(X), -1)


def _haar(n: int, levels: int = 2) -> np.ndarray:
    """(n, n) orthonormal: sums and differences of pairs; one left over stays as it is."""
    H = np.eye(n)
    size = n
    for _ in range(levels):
        half = size // 2
        step = np.eye(n)
        step[:size] = 0
        for k in range(half):
            step[k, [2 * k, 2 * k + 1]] = np.sqrt(0.5)
            step[size - half + k, [2 * k, 2 * k + 1]] = np.sqrt(0.5), -np.sqrt(0.5)
        if size % 2:
            step[half, size - 1] = 1
        H, size = step @ H, size - half
    return H
