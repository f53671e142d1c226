"""Matching pursuit that keeps the correlations of all atoms, instead of computing them again.

When an atom 2 Re(d g e^{iwk}) of a frame at u is taken away, the correlation with an atom of a
frame at v = u + tau, with frequency w', falls by

    d e^{iw tau} A(tau, w' - w) + conj(d) e^{-iw tau} A(tau, w' + w)

where A, the cross-ambiguity of the two windows, is known beforehand (`ambiguity.py`). The best
atom of each frame plays in a tournament: after an atom, only the frames near it play again. A is
cut off where it is small, and single precision is enough for a short list. Of that list the best
atom is chosen, and taken away, on a residual in float64: coefficients and energies are exact.
Atoms take 12 bytes each, 70 MB for half a minute over six octaves.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Audio atoms".
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import scipy.fft

from .ambiguity import kernels
from .dictionary import PIECE, GaborDictionary, best_real_atom
from .pursuit import ROUNDING, Found, Task

# Correlations are computed afresh once the best energy has fallen by this factor: what the cut
# kernels left behind would grow beside what is still to be found.
REFRESH = 1e-3
# Atoms whose energies seem to lie so close to the best are compared exactly. Errors of the
# energies kept, relative to the best, stay below it nearly always.
DOUBT = 3e-3
# Atoms between two looks at whether someone wants to interrupt.
ROUND = 2048


class State(NamedTuple):
    """Correlations and energies of all atoms, scale by scale and frame by frame."""

    windows: np.ndarray  # (scales,) int64
    first: np.ndarray  # (scales,) int64, where a scale's atoms begin
    leaf: np.ndarray  # (scales + 1,) int64, where a scale's frames begin in the tree
    real: np.ndarray  # (atoms,) float32
    imag: np.ndarray
    energy: np.ndarray  # (atoms,) float32
    tree: np.ndarray  # (2 leaves,) int32, the bits of energies; each the larger of its two below
    bins: np.ndarray  # (scales,) int64, where a scale's bins begin in what follows
    cosine: np.ndarray  # (bins,) float32: E = cosine real^2 + sine imag^2 + both real imag
    sine: np.ndarray
    both: np.ndarray
    rho: np.ndarray  # (bins,) complex128
    window: np.ndarray  # (samples of all windows,) float64
    turn: np.ndarray  # (2 longest,) complex128, one turn of e^{i angle}


def _state(dictionary: GaborDictionary, samples: int) -> State:
    windows = np.array(dictionary.windows, dtype=np.int64)
    scales = range(len(windows))
    counts = np.array([dictionary.frames(s, samples) for s in scales], dtype=np.int64)
    ends = np.cumsum(counts * (windows + 1))
    rho = np.concatenate([dictionary.rho(s) for s in scales])
    cosine, sine, both = (best_real_atom(np.full(len(rho), c), rho)[0] for c in (1, 1j, 1 + 1j))
    return State(
        windows=windows,
        first=np.append(0, ends[:-1]),
        leaf=np.append(0, np.cumsum(counts)),
        real=np.empty(ends[-1], dtype=np.float32),
        imag=np.empty(ends[-1], dtype=np.float32),
        energy=np.empty(ends[-1], dtype=np.float32),
        tree=np.zeros(2 << int(counts.sum() - 1).bit_length(), dtype=np.int32),
        bins=np.append(0, np.cumsum(windows + 1)[:-1]),
        cosine=cosine.astype(np.float32),
        sine=sine.astype(np.float32),
        both=(both - cosine - sine).astype(np.float32),
        rho=rho,
        window=np.concatenate([dictionary.window(s) for s in scales]),
        turn=np.exp(1j * np.pi * np.arange(2 * windows[-1]) / windows[-1]),
    )


def gram(task: Task) -> Found:
    """Keep the correlations of all atoms; see the module's docstring.

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Audio atoms".
    """
    dictionary, residual = task.dictionary, task.padded.copy()
    state = _state(dictionary, len(residual) - 2 * dictionary.padding)
    table = kernels(dictionary)
    left = residual @ residual
    limit = ROUNDING * left
    where, found = [], []
    room, stale = task.n_atoms, True
    while room and left > task.left:
        if stale:
            _look(state, dictionary, residual)
            left = residual @ residual
            top = state.tree.view(np.float32)[1]
            if top <= limit:
                break
            refresh = max(REFRESH * top, limit)
        places = np.empty((min(room, ROUND), 3), dtype=np.int64)
        values = np.empty((len(places), 2), dtype=np.complex128)
        count, left = _pursue(state, table, residual, places, values, left, task.left, refresh)
        stale = count < len(places)
        where.append(places[:count])
        found.append(values[:count])
        room -= count
    return Found(np.concatenate(where), np.concatenate(found), residual)


def _look(state: State, dictionary: GaborDictionary, padded: np.ndarray) -> None:
    """All correlations from the signal, and the tree above them."""
    x = padded.astype(np.float32)
    state.tree[:] = 0
    for s, n in enumerate(dictionary.windows):
        frames = np.lib.stride_tricks.sliding_window_view(x, n)[:: n // 4]
        g = dictionary.window(s).astype(np.float32)
        step = max(1, PIECE // n)
        for first in range(0, len(frames), step):
            c = scipy.fft.rfft(frames[first : first + step] * g, 2 * n, overwrite_x=True)
            _store(state, s, first, c)
    _play(state.tree, len(state.tree) // 2, len(state.tree) - 1)


@numba.njit(cache=True)
def _store(state, s, first, c):  # type: ignore[no-untyped-def]
    """Correlations c (frames, bins) of a scale, and their energies, from frame `first` on."""
    leaves, bits = len(state.tree) // 2, state.energy.view(np.int32)
    width = c.shape[1]
    for f in range(c.shape[0]):
        at = state.first[s] + (first + f) * width
        real, imag = state.real[at : at + width], state.imag[at : at + width]
        for b in range(width):
            real[b] = c[f, b].real
            imag[b] = c[f, b].imag
        _weigh(state, s, at, 0, width)
        state.tree[leaves + state.leaf[s] + first + f] = _best(bits, at, at + width)


@numba.njit(cache=True)
def _weigh(state, s, at, low, high):  # type: ignore[no-untyped-def]
    """Energies of the bins low…high-1 of the frame whose atoms begin at `at`."""
    real, imag, energy = state.real, state.imag, state.energy
    cosine, sine, both = state.cosine, state.sine, state.both
    # Unsigned, an index need not be looked at for whether it counts from the end.
    atom, form = np.uintp(at + low), np.uintp(state.bins[s] + low)
    for b in range(np.uintp(high - low)):
        x, y = real[atom + b], imag[atom + b]
        energy[atom + b] = (
            cosine[form + b] * x * x + sine[form + b] * y * y + both[form + b] * x * y
        )


@numba.njit(cache=True)
def _best(bits, low, high):  # type: ignore[no-untyped-def]
    """Largest of bits[low:high], energies as integers: floats that are not negative have the
    order of their bits, and integers are compared eight at a time."""
    some, best = bits[low:high], np.int32(0)
    for b in range(high - low):
        best = max(best, some[b])
    return best


@numba.njit(cache=True)
def _play(tree, low, high):  # type: ignore[no-untyped-def]
    """Let the winners of the nodes low…high, all of one level, play up to the root."""
    while low > 1:
        low, high = low // 2, high // 2
        for i in range(low, high + 1):
            tree[i] = max(tree[2 * i], tree[2 * i + 1])


@numba.njit(cache=True)
def _pursue(state, table, residual, places, values, left, enough, refresh):  # type: ignore[no-untyped-def]
    """Fill places (atoms, 3) and values (atoms, 2) until they are full, the residual is small
    `enough`, or the best energy lies below `refresh`. Returns their number and what is left."""
    top = state.tree[1:2].view(np.float32)
    wave = np.empty((2, state.windows[-1]))
    for k in range(len(places)):
        if left <= enough or top[0] < refresh:
            return k, left
        s, frame, bin = _choose(state, residual, wave, np.float32(top[0] * (1 - DOUBT)))
        d, energy = _fit(state, residual, s, frame, bin, wave)
        n = state.windows[s]
        x = residual[frame * (n // 4) :]
        for i in range(n):
            x[i] -= 2 * (d.real * wave[0, i] - d.imag * wave[1, i])
        left -= energy
        places[k] = (s, frame, bin)
        values[k, 0], values[k, 1] = d, energy
        for t in range(len(state.windows)):
            _subtract(state, table, s, frame, bin, d, t)
    return len(places), left


@numba.njit(cache=True)
def _choose(state, residual, wave, bound):  # type: ignore[no-untyped-def]
    """Of the atoms that seem to take `bound` or more, the one that takes most."""
    leaves = len(state.tree) // 2
    strength = state.tree.view(np.float32)
    stack = np.empty(64, dtype=np.int64)
    stack[0], size = 1, 1
    best, chosen = -1.0, (0, 0, 0)
    while size:
        size -= 1
        node = stack[size]
        if strength[node] < bound:
            continue
        if node < leaves:
            stack[size], stack[size + 1] = 2 * node + 1, 2 * node
            size += 2
            continue
        s = 0
        while state.leaf[s + 1] <= node - leaves:
            s += 1
        frame = node - leaves - state.leaf[s]
        at = state.first[s] + frame * (state.windows[s] + 1)
        for bin in range(state.windows[s] + 1):
            if state.energy[at + bin] >= bound:
                _, energy = _fit(state, residual, s, frame, bin, wave)
                if energy > best:
                    best, chosen = energy, (s, frame, bin)
    return chosen


@numba.njit(cache=True)
def _fit(state, residual, s, frame, bin, wave):  # type: ignore[no-untyped-def]
    """Coefficient and energy of one atom on the residual, in float64; g e^{iwk} into `wave`."""
    n, step = state.windows[s], state.windows[-1] // state.windows[s]
    g = state.window[state.windows[:s].sum() :]
    x = residual[frame * (n // 4) :]
    a, b, angle = 0.0, 0.0, 0
    for k in range(n):
        turn = state.turn[angle * step]
        wave[0, k], wave[1, k] = g[k] * turn.real, g[k] * turn.imag
        a += x[k] * wave[0, k]
        b -= x[k] * wave[1, k]
        angle += bin
        if angle >= 2 * n:
            angle -= 2 * n
    if bin == 0 or bin == n:
        return complex(a / 2, 0.0), a * a
    c, rho = complex(a, b), state.rho[state.bins[s] + bin]
    d = (c - (rho * c).conjugate()) / (1 - abs(rho) ** 2)
    return d, 2 * (c.real * d.real + c.imag * d.imag)


@numba.njit(cache=True)
def _subtract(state, table, s, frame, bin, d, t):  # type: ignore[no-untyped-def]
    """Take one atom of scale s out of all correlations of scale t."""
    n, m = state.windows[s], state.windows[t]
    circle, spacing = 2 * n, state.windows[-1] // n
    count = state.leaf[t + 1] - state.leaf[t]
    leaf = len(state.tree) // 2 + state.leaf[t]
    real, imag, bits = state.real, state.imag, state.energy.view(np.int32)
    A, B = table.real, table.imag
    lowest, highest = count, -1
    for image in range(3):
        # The atom, its mirror image below zero, and the one above the Nyquist frequency.
        at_bin = (bin, -bin, 2 * n - bin)[image]
        factor = d if image == 0 else d.conjugate()
        if m > n:
            step = m // n
            middle, centre, phase = frame // step, at_bin * step, frame % step
        else:
            step = n // m
            middle, centre, phase = frame * step, at_bin // step, at_bin % step
        if centre + table.reach[s, t] < 0 or centre - table.reach[s, t] > m:
            continue
        for row in range(table.begin[s, t, phase], table.begin[s, t, phase + 1]):
            offset, tau, near, far, values = table.rows[row]
            f = middle + offset
            low, high = max(0, centre + near), min(m, centre + far) + 1
            if f < 0 or f >= count or low >= high:
                continue
            z = factor * state.turn[at_bin * tau % circle * spacing]
            x, y = np.float32(z.real), np.float32(z.imag)
            at = state.first[t] + f * (m + 1)
            before = _best(bits, at + low, at + high)
            atom, value = np.uintp(at + low), np.uintp(values + low - centre - near)
            for b in range(np.uintp(high - low)):
                real[atom + b] -= x * A[value + b] - y * B[value + b]
                imag[atom + b] -= x * B[value + b] + y * A[value + b]
            _weigh(state, t, at, low, high)
            after = _best(bits, at + low, at + high)
            if after >= state.tree[leaf + f]:
                state.tree[leaf + f] = after
            elif before == state.tree[leaf + f]:
                # The frame's best atom was among these: look at the others too.
                state.tree[leaf + f] = _best(bits, at, at + m + 1)
            lowest, highest = min(lowest, f), max(highest, f)
    if highest >= 0:
        _play(state.tree, leaf + lowest, leaf + highest)
