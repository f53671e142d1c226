"""Real Gabor atoms: Gaussian windows of several lengths, at all places and frequencies.

An atom is 2 Re(d g(k) e^{iwk}), k = 0…n-1 from the start of its frame: a cosine under a Gaussian
window g of unit norm, whose amplitude and phase lie in the complex coefficient d. For a signal x
on the frame, with c = sum_k x g e^{-iwk} and rho = sum_k g^2 e^{2iwk}, the best d makes the error
orthogonal to g e^{iwk}: the normal equations c = d + conj(rho d) and its conjugate. Solved:

    d = (c - conj(rho c)) / (1 - |rho|^2)        E = 2 (|c|^2 - Re(rho c^2)) / (1 - |rho|^2)

E is the energy that the atom takes away. At zero and at the Nyquist frequency the atom is g (-1)^k
or g itself, rho is 1, and d = c / 2, E = c^2.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Audio atoms".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import scipy.fft

# |rho| is 1 at zero and Nyquist, up to rounding, and below 0.9 elsewhere.
UNITY = 1 - 1e-12
# Frames that are transformed at once, times their samples.
PIECE = 1 << 18


def best_real_atom(c: np.ndarray, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energy and coefficient of the real atom that fits best.

    Parameters
    ----------
    c : (..., bins) complex, correlations of a signal with g e^{iwk}
    rho : (bins,) complex, sum of g^2 e^{2iwk}; where |rho| is 1, c is taken to be real

    Returns
    -------
    energy : (..., bins), what the energy of the signal falls by
    coefficient : (..., bins) complex, the d of the atom 2 Re(d g e^{iwk})

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Audio atoms".
    """
    # Half of c at zero and Nyquist: the two normal equations are one and the same there.
    alone = np.abs(rho) > UNITY
    rho = np.where(alone, 0, rho)
    gain = np.where(alone, 0.5, 1 / (1 - np.abs(rho) ** 2))
    d = (c - np.conj(rho * c)) * gain
    # E = 2 Re(conj(c) d) is the formula above, once d is known.
    return 2 * (c.real * d.real + c.imag * d.imag), d


@dataclass(frozen=True)
class GaborDictionary:
    """Real Gabor atoms of several scales on regular grids of time and frequency.

    A window of n samples has its frames n/4 samples apart and 2n FFT bins, of which n + 1 are
    kept, zero and Nyquist among them. Signals are zero-padded by the longest window on both
    sides, so that atoms may begin before the signal and end after it.

    Parameters
    ----------
    rate : Hz
    windows : samples; shortest first, each a multiple of 16 and of the one before

    Raises
    ------
    ValueError : a rate that is not positive, windows that do not nest

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Audio atoms".
    """

    rate: int = 8000
    windows: tuple[int, ...] = (64, 128, 256, 512, 1024, 2048)

    def __post_init__(self) -> None:
        if not self.rate > 0:
            raise ValueError(f"rate is {self.rate}; give the signal's rate in Hz, e.g. 8000")
        try:
            windows = tuple(int(n) for n in self.windows)
            good = windows == tuple(self.windows)
        except (TypeError, ValueError):
            windows, good = (), False
        nested = all(b > a and b % a == 0 for a, b in pairwise(windows))
        if not (good and windows and nested and windows[0] > 0 and windows[0] % 16 == 0):
            raise ValueError(
                f"windows are {self.windows}; expected lengths in samples, shortest first, each a "
                "multiple of 16 and of the one before, e.g. (64, 128, 256)"
            )
        object.__setattr__(self, "windows", windows)

    @property
    def padding(self) -> int:
        """Zeros on each side of the signal, in samples: the longest window."""
        return self.windows[-1]

    def hop(self, scale: int) -> int:
        """Samples from one frame of a scale to the next."""
        return self.windows[scale] // 4

    def frames(self, scale: int, samples: int) -> int:
        """Frames of a scale on a signal of so many samples, those in the padding included."""
        return (samples + 2 * self.padding - self.windows[scale]) // self.hop(scale) + 1

    def size(self, samples: int) -> int:
        """Number of atoms, phase apart, for a signal of so many samples."""
        return sum(self.frames(s, samples) * (n + 1) for s, n in enumerate(self.windows))

    def start(self, scale: int, frame: int) -> int:
        """First sample of a frame, counted from the signal's first; negative in the padding."""
        return frame * self.hop(scale) - self.padding

    def window(self, scale: int) -> np.ndarray:
        """Gaussian window of a scale, (n,), unit norm, standard deviation (n + 1) / 8 samples."""
        return _window(self.windows[scale])

    def rho(self, scale: int) -> np.ndarray:
        """sum_k g^2 e^{2iwk} of each bin, (n + 1,) complex: how far an atom meets its mirror."""
        return _rho(self.windows[scale])

    def correlations(
        self, padded: np.ndarray, scale: int, first: int = 0, last: int | None = None
    ) -> np.ndarray:
        """c = sum_k x g e^{-iwk} of the frames first…last-1 of a scale.

        Parameters
        ----------
        padded : (samples + 2 padding,) signal with its padding
        first, last : frames; by default all

        Returns
        -------
        (last - first, n + 1) complex
        """
        n, hop = self.windows[scale], self.hop(scale)
        if last is None:
            last = (len(padded) - n) // hop + 1
        frames = np.lib.stride_tricks.sliding_window_view(padded, n)[first * hop :: hop]
        return scipy.fft.rfft(frames[: last - first] * self.window(scale), 2 * n)

    def atom(self, scale: int, bin: int, coefficient: complex) -> np.ndarray:
        """The waveform 2 Re(d g e^{iwk}) of one atom on its frame, (n,)."""
        n = self.windows[scale]
        wave = np.exp(1j * np.pi * (bin * np.arange(n) % (2 * n)) / n)
        return 2 * np.real(coefficient * self.window(scale) * wave)


@lru_cache
def _window(n: int) -> np.ndarray:
    g = np.exp(-0.5 * ((np.arange(n) - (n - 1) / 2) * 8 / (n + 1)) ** 2)
    g /= np.linalg.norm(g)
    g.flags.writeable = False
    return g


@lru_cache
def _rho(n: int) -> np.ndarray:
    rho = np.conj(np.fft.fft(_window(n) ** 2))[np.arange(n + 1) % n]
    rho.flags.writeable = False
    return rho
