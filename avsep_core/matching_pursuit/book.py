"""A book of atoms: what matching pursuit found in a signal, and the sound of any part of it.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Audio atoms".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .dictionary import PIECE, GaborDictionary


@dataclass(frozen=True, eq=False)
class Book:
    """The atoms of a signal, in the order in which they were found: K atoms.

    Attributes
    ----------
    dictionary : where the atoms are from
    samples : length of the signal
    scale, frame, bin : (K,) int, which atom; see `GaborDictionary`
    coefficient : (K,) complex, the d of the atom 2 Re(d g e^{iwk})
    energy : (K,) what the residual's energy fell by, padding included
    residual : (samples,) what is left of the signal

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Audio atoms".
    """

    dictionary: GaborDictionary
    samples: int
    scale: np.ndarray
    frame: np.ndarray
    bin: np.ndarray
    coefficient: np.ndarray
    energy: np.ndarray
    residual: np.ndarray

    def __len__(self) -> int:
        return len(self.scale)

    @property
    def _window(self) -> np.ndarray:
        return np.array(self.dictionary.windows)[self.scale]

    @property
    def time(self) -> np.ndarray:
        """Middle of each atom, (K,) s from the signal's first sample; it may lie outside."""
        n = self._window
        start = self.frame * (n // 4) - self.dictionary.padding
        return (start + (n - 1) / 2) / self.dictionary.rate

    @property
    def frequency(self) -> np.ndarray:
        """(K,) Hz"""
        return self.bin * self.dictionary.rate / (2 * self._window)

    @property
    def amplitude(self) -> np.ndarray:
        """c_k of Eq. 1, (K,): the norm that the atom has in the sum, the root of its energy."""
        return np.sqrt(self.energy)

    @property
    def phase(self) -> np.ndarray:
        """Phase of each cosine in the middle of its atom, (K,) rad, -pi…pi."""
        n = self._window
        middle = np.pi * (self.bin * (n - 1) % (4 * n)) / (2 * n)
        return np.angle(self.coefficient * np.exp(1j * middle))

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation of each atom's energy g^2 over time, (K,) s."""
        spreads = []
        for s, n in enumerate(self.dictionary.windows):
            k = np.arange(n) - (n - 1) / 2
            spreads.append(np.sqrt(k**2 @ self.dictionary.window(s) ** 2))
        return np.array(spreads)[self.scale] / self.dictionary.rate

    @cached_property
    def snr_db(self) -> float:
        """Energy of the signal over that of the residual, in dB."""
        top = max(np.abs(self.residual).max(), np.sqrt(self.energy.max(initial=0)))
        residual = self.residual / top
        signal = self.synthesize() / top + residual
        with np.errstate(divide="ignore"):
            return float(10 * np.log10((signal @ signal) / (residual @ residual)))

    def synthesize(
        self, atoms: np.ndarray | None = None, gains: np.ndarray | None = None
    ) -> np.ndarray:
        """Sum of atoms.

        Parameters
        ----------
        atoms : indices of the atoms that sound, or (K,) bool; by default all
        gains : (K,) what each atom is multiplied with; by default one

        Returns
        -------
        (samples,) float64. With all atoms, this and the residual make the signal.

        Raises
        ------
        ValueError : atoms that the book does not have, gains that are not K finite numbers
        """
        d = self.coefficient * self._gains(atoms, gains)
        padding = self.dictionary.padding
        out = np.zeros(self.samples + 2 * padding)
        for s, n in enumerate(self.dictionary.windows):
            mine = np.flatnonzero((self.scale == s) & (d != 0))
            frames, row = np.unique(self.frame[mine], return_inverse=True)
            step = max(1, PIECE // n)
            for first in range(0, len(frames), step):
                part = (row >= first) & (row < first + step)
                X = np.zeros((min(step, len(frames) - first), n + 1), dtype=complex)
                np.add.at(X, (row[part] - first, self.bin[mine[part]]), d[mine[part]])
                X[:, [0, n]] *= 2  # an inverse FFT adds the mirror image of all other bins
                waves = np.fft.irfft(X, 2 * n, norm="forward")[:, :n] * self.dictionary.window(s)
                for frame, wave in zip(frames[first : first + step], waves, strict=True):
                    start = frame * (n // 4)
                    out[start : start + n] += wave
        return out[padding:-padding]

    def _gains(self, atoms: np.ndarray | None, gains: np.ndarray | None) -> np.ndarray:
        weight = np.ones(len(self)) if gains is None else np.asarray(gains, dtype=float)
        if weight.shape != (len(self),) or not np.isfinite(weight).all():
            raise ValueError(
                f"gains of shape {weight.shape} were given; expected {len(self)} finite numbers, "
                "one for each atom of the book"
            )
        if atoms is None:
            return weight
        chosen = np.zeros(len(self), dtype=bool)
        try:
            chosen[np.asarray(atoms, dtype=None if np.size(atoms) else int)] = True
        except IndexError as error:
            raise ValueError(
                f"atoms {atoms!r:.60} are not in a book of {len(self)}; give indices from 0 to "
                f"{len(self) - 1}, or one truth value for each atom"
            ) from error
        return weight * chosen
