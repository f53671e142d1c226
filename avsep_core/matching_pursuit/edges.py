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

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2

from .tracking import REACH, add, draw, fit


@dataclass(frozen=True)
class EdgeDictionary:
    """All edge-like atoms of some scales and rotations, at every pixel.

    `scales` pairs (along, across) of standard deviations in px; `angles` number of rotations
    within half a turn (an atom turned by half a turn is the same again).

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Video atoms".
    """

    scales: tuple[tuple[float, float], ...] = tuple(
        (across * ratio, across) for across in (0.9, 1.35, 2.0, 3.0) for ratio in (1.5, 3.0, 5.0)
    )
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
        self._spectra: dict[tuple[int, int, int], np.ndarray] = {}
        self._templates, self._norms, self.values = [], [], []
        everywhere = np.ones(self.size, np.float32)
        for scale, (along, _) in enumerate(dictionary.scales):
            reach = int(np.sqrt(REACH) * along) + 1
            side = 2 * reach + 1
            templates = np.zeros((dictionary.angles, side, side), np.float32)
            for template, shape in zip(templates, dictionary.shapes(scale), strict=True):
                patch, top, left = draw(np.array([reach, reach, *shape]), side, side)
                template[top : top + patch.shape[0], left : left + patch.shape[1]] = patch
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
        shape = tuple(next_fast_len(n + side - 1, real=True) for n in patch.shape)
        key = (scale, *shape)
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

    def best(self) -> np.ndarray:
        """Parameters (5,) of the atom that takes most energy."""
        peaks = [int(np.abs(values).argmax()) for values in self.values]
        heights = [abs(v.flat[peak]) for v, peak in zip(self.values, peaks, strict=True)]
        scale = int(np.argmax(heights))
        turn, y, x = np.unravel_index(peaks[scale], self.values[scale].shape)
        return np.array([x, y, *self.dictionary.shapes(scale)[turn]], np.float64)


def pursue(
    picture: np.ndarray, n_atoms: int, dictionary: EdgeDictionary
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Matching pursuit: take the atom that explains most, subtract it, and so on.

    Each atom is found on the dictionary's grid and then moved, turned and stretched by less than
    the grid's steps to where it explains most.

    Parameters
    ----------
    picture : (H, W), without mean
    n_atoms : how many
    dictionary : the atoms to choose from

    Returns
    -------
    Parameters (N, 5): x, y in px, angle in rad, log of the scales along and across in px; their
    coefficients (N,); and the residual (H, W), whose energy fell by coefficient^2 with each atom.
    """
    residual = picture.astype(np.float64)
    scores = _Scores(dictionary, residual.astype(np.float32))
    height, width = residual.shape
    atoms, coefficients = np.zeros((n_atoms, 5)), np.zeros(n_atoms)
    free = np.zeros(5)
    logs = np.log(dictionary.scales)
    reach = np.array([1.0, 1.0, np.pi / dictionary.angles, 0.4, 0.3])
    for n in range(n_atoms):
        start = scores.best()
        patch, top, left = draw(start, height, width)
        part = residual[top : top + patch.shape[0], left : left + patch.shape[1]]
        sign = 1.0 if (part * patch).sum() >= 0 else -1.0
        low, high = start - reach, start + reach
        low[3:], high[3:] = np.maximum(low[3:], logs.min(0)), np.minimum(high[3:], logs.max(0))
        high[:2] = np.minimum(high[:2], (width - 1, height - 1))
        low[:2] = np.maximum(low[:2], 0)
        atom, coefficient = fit(residual, start, sign, start, free, low, high, 20)
        add(residual, atom, -coefficient)
        patch, top, left = draw(atom, height, width)
        scores.add(-coefficient * patch, top, left)
        atoms[n], coefficients[n] = atom, coefficient
    return atoms, coefficients, residual
