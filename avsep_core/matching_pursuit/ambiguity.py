"""Cross-ambiguity kernels: how much of one atom every other atom near it sees.

For two windows g and h, with tau samples from the start of g's frame to that of h's,

    A(tau, delta) = sum_k g(k + tau) h(k) e^{-i delta k}

is the correlation of the atom g e^{iwk} with h e^{iw'k}, delta = w' - w, but for the phase
e^{iw tau} that w turns in tau samples. Gaussians make it fall off as fast in time as in frequency.
On the grids of a dictionary few values of A occur, so that a table holds them all.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Audio atoms".
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .dictionary import GaborDictionary

# Share of a kernel's peak below which it is cut off.
THRESHOLD = 1e-4


class Kernels(NamedTuple):
    """Cross-ambiguity of every pair of scales, (from, to, phase) in rows of one frame each.

    A row's centre is the target frame and bin next to the atom; phase says where between them
    the atom lies. `rows` holds, for each row: frames from the centre, tau in samples, first and
    last bin from the centre, and where its values begin.
    """

    begin: np.ndarray  # (scales, scales, phases + 1) int64, first row of each phase
    reach: np.ndarray  # (scales, scales) int64, farthest bin from the centre
    rows: np.ndarray  # (rows, 5) int64
    real: np.ndarray  # (values,) float32
    imag: np.ndarray


@lru_cache(maxsize=4)
def kernels(dictionary: GaborDictionary) -> Kernels:
    """Cross-ambiguity kernels of a dictionary, cut off below THRESHOLD of their peaks."""
    windows = dictionary.windows
    phases = windows[-1] // windows[0]
    begin = np.zeros((len(windows), len(windows), phases + 1), dtype=np.int64)
    widest = np.zeros(begin.shape[:2], dtype=np.int64)
    rows: list[tuple[int, int, int, int, int]] = []
    values: list[np.ndarray] = []
    filled = 0
    for s, n in enumerate(windows):
        for t, m in enumerate(windows):
            A, taus = _ambiguity(dictionary, s, t)
            size = np.abs(A)
            limit = THRESHOLD * size.max()
            # Reach of each row, in steps of pi / max(n, m) on either side.
            reach = np.where(size > limit, np.arange(A.shape[1]), -1).max(axis=1)
            for phase in range(max(n, m) // min(n, m)):
                begin[s, t, phase] = len(rows)
                coarse = max(1, n // m)
                for tau, row, far in zip(taus, A, reach, strict=True):
                    shift = tau + phase * (n // 4) if m > n else tau
                    if far < 0 or shift % (m // 4):
                        continue
                    offset = phase if n > m else 0
                    low, high = -((far - offset) // coarse), (far + offset) // coarse
                    delta = np.arange(low, high + 1) * coarse - offset
                    if not len(delta):
                        continue
                    rows.append((shift // (m // 4), tau, low, high, filled))
                    values.append(np.where(delta < 0, row[abs(delta)].conj(), row[abs(delta)]))
                    filled += len(delta)
                    widest[s, t] = max(widest[s, t], -low, high)
                begin[s, t, phase + 1] = len(rows)
    flat = np.concatenate(values)
    return Kernels(
        begin,
        widest,
        np.array(rows, dtype=np.int64),
        flat.real.astype(np.float32),
        flat.imag.astype(np.float32),
    )


def _ambiguity(dictionary: GaborDictionary, s: int, t: int) -> tuple[np.ndarray, np.ndarray]:
    """A(tau, delta) for delta = 0, pi / max(n, m), …, pi, with the taus, (taus,) samples."""
    g, h = dictionary.window(s), dictionary.window(t)
    n, m = len(g), len(h)
    step = min(n, m) // 4
    taus = np.arange(-m + step, n, step)
    around = np.pad(g, m)
    products = np.stack([around[m + tau : 2 * m + tau] for tau in taus]) * h
    return np.fft.rfft(products, 2 * max(n, m)), taus
