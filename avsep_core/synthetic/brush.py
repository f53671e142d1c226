"""A brush for soft, shaded drawings: smooth outlines, glows and strokes on a layered canvas."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

Points = Sequence[tuple[float, float]]
_SHIFT = 6


def smooth(points: Points, *, closed: bool = True, steps: int = 10) -> np.ndarray:
    """A smooth curve through points (Catmull-Rom spline).

    Parameters: `points`, pairs (x, y); `closed`, whether the curve returns to its start;
    `steps` a piece. Returns (n, 2) float64.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    p = np.asarray(points, dtype=np.float64)
    p = np.vstack([p[-1:], p, p[:2]]) if closed else np.vstack([p[:1], p, p[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    a, b, c, d = (p[k : len(p) - 3 + k, None] for k in range(4))
    curve = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    curve = curve.reshape(-1, 2)
    return curve if closed else np.vstack([curve, p[-2:-1]])


class Canvas:
    """A square layer, `colour` (n, n, 3) 0..255 premultiplied by `alpha` (n, n) 0..1.

    Coordinates are fractions of the side, x to the right and y downwards.
    """

    def __init__(self, side: int) -> None:
        self.side = side
        self.colour = np.zeros((side, side, 3), np.float32)
        self.alpha = np.zeros((side, side), np.float32)
        axis = (np.arange(side, dtype=np.float32) + 0.5) / side
        self.x, self.y = axis[None, :], axis[:, None]

    def _pixels(self, points: np.ndarray) -> np.ndarray:
        return np.round((points * self.side - 0.5) * (1 << _SHIFT)).astype(np.int32)

    def _fill(self, outline: np.ndarray) -> np.ndarray:
        mask = np.zeros((self.side, self.side), np.uint8)
        cv2.fillPoly(mask, [self._pixels(outline)], 255, cv2.LINE_AA, _SHIFT)
        return mask.astype(np.float32) / 255.0

    def blob(self, points: Points, *, blur: float = 0.0) -> np.ndarray:
        """Mask of a smooth closed shape, its edge softened by `blur` (standard deviation)."""
        return self.soften(self._fill(smooth(points)), blur)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, *, turn: float = 0.0, blur: float = 0.0
    ) -> np.ndarray:
        """Mask of an ellipse with radii `rx`, `ry`, turned by `turn` radians."""
        t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        px, py = rx * np.cos(t), ry * np.sin(t)
        c, s = np.cos(turn), np.sin(turn)
        outline = np.stack([x + c * px - s * py, y + s * px + c * py], 1)
        return self.soften(self._fill(outline), blur)

    def stroke(
        self, points: Points, width: float, *, taper: bool = False, blur: float = 0.0
    ) -> np.ndarray:
        """Mask of a smooth line of `width`, thinner at both ends where `taper`."""
        curve = smooth(points, closed=False)
        along = np.gradient(curve, axis=0)
        across = np.stack([-along[:, 1], along[:, 0]], 1)
        across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
        t = np.linspace(0, 1, len(curve))[:, None]
        half = 0.5 * width * ((4 * t * (1 - t)) ** 0.6 if taper else np.ones_like(t))
        outline = np.vstack([curve + half * across, (curve - half * across)[::-1]])
        return self.soften(self._fill(outline), blur)

    def glow(self, x: float, y: float, rx: float, ry: float) -> np.ndarray:
        """Mask that falls off as a Gaussian of standard deviations `rx`, `ry`."""
        across = np.exp(-0.5 * ((self.x - x) / rx) ** 2)
        down = np.exp(-0.5 * ((self.y - y) / ry) ** 2)
        return np.where(across > 0.004, across, 0) * np.where(down > 0.004, down, 0)

    def soften(self, mask: np.ndarray, blur: float) -> np.ndarray:
        """The mask blurred by `blur`, a fraction of the side."""
        sigma = blur * self.side
        return cv2.GaussianBlur(mask, (0, 0), sigma) if sigma > 0.2 else mask

    def _box(self, mask: np.ndarray) -> tuple[slice, slice]:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if not rows.size:
            return slice(0), slice(0)
        return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)

    def paint(self, mask: np.ndarray, colour: Any, opacity: float = 1.0) -> None:
        """Lay paint on the canvas; `colour` is one RGB or a picture (n, n, 3)."""
        box = self._box(mask)
        tone = np.asarray(colour, np.float32)
        m = (mask[box] * np.float32(opacity))[..., None]
        self.colour[box] += m * ((tone[box] if tone.ndim == 3 else tone) - self.colour[box])
        self.alpha[box] += m[..., 0] * (1 - self.alpha[box])

    def tint(self, mask: np.ndarray, colour: Any, opacity: float = 1.0) -> None:
        """Change the colour of what is painted already, and nothing where nothing is."""
        box = self._box(mask)
        m = (mask[box] * np.float32(opacity))[..., None]
        full = np.asarray(colour, np.float32) * self.alpha[box][..., None]
        self.colour[box] += m * (full - self.colour[box])

    def scale(self, factor: np.ndarray) -> None:
        """Make what is painted brighter or darker by a picture of factors (n, n)."""
        self.colour = np.minimum(self.colour * factor[..., None], 255 * self.alpha[..., None])

    def pixels(self) -> np.ndarray:
        """The layer as (n, n, 4) uint8, premultiplied."""
        stacked = np.dstack([self.colour, 255 * self.alpha])
        return np.clip(np.round(stacked), 0, 255).astype(np.uint8)
