"""Edge-like atoms, and matching pursuit for them in one picture.

An atom is a Gaussian along a line and the second derivative of a Gaussian across it:

    g(u, v) = (1 - v^2 / b^2) exp(-u^2 / 2a^2 - v^2 / 2b^2)

with u, v the distances in px from the atom's place along its line and across it; a and b are the
two scales. It has no mean, so that it is blind to even brightness, and it is even, so that it is
blind to a slope of shading as well: it sees lines and the rims of things. Atoms have unit norm on
the pixels of the picture, also where its border cuts them.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Video atoms".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.fft import irfft2, rfft2

from .tracking import REACH, fit, stamp

_STRIDE = 32  # px: sizes of the Fourier transforms are multiples of it


@dataclass(frozen=True)
class EdgeDictionary:
    """All edge-like atoms of some scales and rotations, at every pixel.

    `scales` pairs (along, across) of standard deviations in px; `angles` number of rotations
    within half a turn (an atom turned by half a turn is the same again).

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Video atoms".
    """

    scales: tuple[tuple[float, float], ...] = (
        (1.5, 1.0), (2.4, 1.6), (3.0, 1.0), (3.75, 2.5), (4.8, 1.6),
        (5.25, 3.5), (7.5, 2.5), (7.5, 5.0), (10.5, 3.5),
    )  # fmt: skip
    angles: int = 16

    def shapes(self, scale: int) -> np.ndarray:
        """Angle, log along and log across of the atoms of one scale, (angles, 3)."""
        turns = np.pi * np.arange(self.angles) / self.angles
        return np.array([(turn, *np.log(self.scales[scale])) for turn in turns])


class _Scores:
    """Inner products of a picture with all atoms, mended where the picture changes."""

    def __init__(self, dictionary: EdgeDictionary, picture: np.ndarray) -> None:
        self.dictionary = dictionary
        self.size = picture.shape
        self._spectra: dict[tuple[int, int], np.ndarray] = {}
        self._templates, self._norms, self.values = [], [], []
        everywhere = np.ones(self.size, np.float32)
        for scale, (along, _) in enumerate(dictionary.scales):
            reach = int(np.sqrt(REACH) * along) + 1
            side = 2 * reach + 1
            templates = np.zeros((dictionary.angles, side, side))
            for template, shape in zip(templates, dictionary.shapes(scale), strict=True):
                template /= np.sqrt(stamp(template, np.array([reach, reach, *shape]), 1.0))
            templates = templates.astype(np.float32)
            self._templates.append(templates**2)
            self._norms.append(np.ones((dictionary.angles, *self.size), np.float32))
            inside = self._products(scale, everywhere, 0, 0)[2]
            self._norms[scale] = 1 / np.sqrt(np.maximum(inside, 1e-3))
            self._templates[scale] = templates
            self.values.append(np.zeros_like(self._norms[scale]))
        self._spectra.clear()
        self.add(picture, 0, 0)

    def _products(
        self, scale: int, patch: np.ndarray, top: int, left: int
    ) -> tuple[slice, slice, np.ndarray]:
        """Inner products of a patch of the picture with all atoms of a scale that reach it."""
        templates = self._templates[scale]
        side = templates.shape[-1]
        reach = side // 2
        # Few sizes of transforms, so that few spectra are kept.
        least = max(patch.shape) + side - 1
        size = _STRIDE * -(-least // _STRIDE)
        shape, key = (size, size), (scale, size)
        if key not in self._spectra:
            self._spectra[key] = rfft2(templates, shape)
        # An atom turned by half a turn is itself: correlation is convolution.
        full = irfft2(self._spectra[key] * rfft2(patch, shape), shape)
        spans, cuts = [], []
        for first, n, end in zip((top, left), patch.shape, self.size, strict=True):
            low, high = max(0, first - reach), min(end, first + n + reach)
            spans.append(slice(low, high))
            cuts.append(slice(low - first + reach, high - first + reach))
        rows, columns = spans
        norms = self._norms[scale][:, rows, columns]
        return rows, columns, full[:, cuts[0], cuts[1]] * norms

    def add(self, patch: np.ndarray, top: int, left: int) -> None:
        """The picture changes by `patch`, whose first pixel is at row `top`, column `left`."""
        for scale, values in enumerate(self.values):
            rows, columns, change = self._products(scale, patch.astype(np.float32), top, left)
            values[:, rows, columns] += change

    def best(self) -> tuple[np.ndarray, float]:
        """Parameters (5,) of the atom that takes most energy, and the sign of its coefficient."""
        peaks = [int(np.abs(values).argmax()) for values in self.values]
        found = [v.flat[peak] for v, peak in zip(self.values, peaks, strict=True)]
        scale = int(np.abs(found).argmax())
        turn, y, x = np.unravel_index(peaks[scale], self.values[scale].shape)
        shape = self.dictionary.shapes(scale)[turn]
        return np.array([x, y, *shape], np.float64), float(np.sign(found[scale]))


class Pursuit(NamedTuple):
    """What matching pursuit found: N atoms, and what they leave of the picture.

    `atoms` (N, 5): x, y in px, angle in rad, log of the scales along and across in px;
    `coefficients` (N,) of the unit-norm atoms, `heights` (N,) of g; `residual` (H, W).
    """

    atoms: np.ndarray
    coefficients: np.ndarray
    heights: np.ndarray
    residual: np.ndarray


def pursue(picture: np.ndarray, n_atoms: int, dictionary: EdgeDictionary) -> Pursuit:
    """Matching pursuit: take the atom that explains most, subtract it, and so on.

    Each atom is found on the dictionary's grid, and then moved, turned and stretched by up to a
    step of that grid to where it explains most. The residual's energy falls with each atom by
    exactly its coefficient squared.

    Parameters
    ----------
    picture : (H, W), without mean
    n_atoms : how many
    dictionary : the atoms to choose from

    Returns
    -------
    Pursuit, in the order in which the atoms were taken.

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Video atoms".
    """
    residual = picture.astype(np.float64)
    scores = _Scores(dictionary, residual.astype(np.float32))
    height, width = residual.shape
    atoms, taken, heights = np.zeros((n_atoms, 5)), np.zeros(n_atoms), np.zeros(n_atoms)
    logs = np.log(dictionary.scales)
    reach = np.array([2.0, 2.0, np.pi / dictionary.angles, 0.4, 0.3])
    floor, ceiling = (
        np.array([0, 0, -9, *logs.min(0)]),
        np.array([width - 1, height - 1, 9, *logs.max(0)]),
    )
    for n in range(n_atoms):
        start, sign = scores.best()
        low, high = np.maximum(start - reach, floor), np.minimum(start + reach, ceiling)
        before = residual.copy()
        atoms[n], heights[n], taken[n] = fit(
            residual, start, sign, start, np.zeros(5), low, high, 20
        )
        stamp(residual, atoms[n], -heights[n])
        change = residual - before
        rows, columns = np.flatnonzero(change.any(axis=1)), np.flatnonzero(change.any(axis=0))
        top, left = rows[0], columns[0]
        scores.add(change[top : rows[-1] + 1, left : columns[-1] + 1], top, left)
    return Pursuit(atoms, taken, heights, residual)
