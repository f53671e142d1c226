"""Paint points of an embedding and hear what their bins sound like, as one piece of HTML.

Taught in `notebooks/04_deep_clustering.ipynb`, section "Clustering".
"""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

from avsep_core.shown import Html, framed
from avsep_core.spectrogram import STFT

GRID = 256
MARGIN = 0.04
FLOOR = 0.1
LARGEST = 32767


def paint(
    points: np.ndarray,
    X: np.ndarray,
    counted: np.ndarray,
    stft: STFT,
    *,
    title: str = "Paint points and hear them",
    start: np.ndarray | None = None,
) -> Html:
    """Show a plane in which each bin of a spectrogram is a point, to be painted and heard.

    The plane and the spectrogram are two views of the same bins: what is painted in one shows in
    the other. Three buttons play the painted bins, the rest of the counted bins, and the mixture.
    The sound is made in the reader's browser, by `stft.inverse(..., floor=0.1)` of the mixture
    with all other bins set to zero. Bins that do not count are no points, cannot be painted, and
    are heard in the mixture only: they are zero in the painted bins and in the rest.

    Parameters
    ----------
    points : (frames, freq, 2) real, where each bin lies in the plane; shown on a grid of 256 x
        256, with one scale for both axes
    X : (freq, frames) complex, the mixture's spectrogram; kept with 16 bits for each part of a
        number, relative to the largest magnitude
    counted : (frames, freq) bool, the bins that are shown as points and can be painted
    stft : the transform that made X. The sound ends at the last frame's centre, or with the last
        window where the transform is not centred
    title : a line above the widget
    start : (frames, freq) bool, the bins painted at first, of which only counted ones matter;
        by default none

    Returns
    -------
    An object that a notebook shows. It holds everything: no network, no kernel. A point takes 2
    bytes and a bin 4, so three seconds of `STFTS["deep_clustering"]` take less than 500 kB.

    Raises
    ------
    ValueError : shapes or types that do not fit one another or the transform, fewer than two
        frames, nothing counted, NaN or infinite values

    Taught in `notebooks/04_deep_clustering.ipynb`, section "Clustering".
    """
    X = _checked_mixture(X, stft)
    grid = X.T.shape
    counted = _checked_bins(counted, "counted", grid)
    if not counted.any():
        raise ValueError("counted holds no bin; there would be nothing to paint")
    start = np.zeros(grid, bool) if start is None else _checked_bins(start, "start", grid)
    places = _places(points, counted)
    length = _length(stft, grid[0])
    peak = float(np.abs(stft.inverse(X, length, floor=FLOOR)).max())
    notes = [
        f"{counted.sum():,} of {counted.size:,} bins are points.".replace(",", "\u202f"),
        "The others sound in the mixture only." if not counted.all() else "",
        f"All is {20 * math.log10(peak):.1f} dB softer here." if peak > 1 else "",
    ]
    largest = float(np.abs(X).max()) or 1.0
    parts = np.stack([X.T.real, X.T.imag], axis=-1) * (LARGEST / largest)
    data: dict[str, Any] = {
        "title": str(title),
        "rate": stft.rate,
        "window": stft.window,
        "shape": stft.shape,
        "hop": stft.hop,
        "fft": stft.fft,
        "lead": stft.window // 2 if stft.centred else 0,
        "frames": grid[0],
        "bins": grid[1],
        "length": length,
        "floor": FLOOR,
        "gain": 1 / max(1.0, peak),
        "note": " ".join(filter(None, notes)),
        "scale": largest / LARGEST,
        "X": _text(np.round(parts).astype("<i2")),
        "grid": GRID,
        "counted": _text(np.packbits(counted)),
        "start": _text(np.packbits(start & counted)),
        "points": _text(places),
    }
    seconds = length / stft.rate
    text = f"<painter: {counted.sum()} points; {seconds:.2f} s; shown as HTML>"
    return Html(framed("painter", data, title or "Painter", height=520), text)


def _checked_mixture(X: Any, stft: STFT) -> np.ndarray:
    if not isinstance(stft, STFT):
        raise ValueError(f"stft is a {type(stft).__name__}; the STFT that made X was expected")
    X = _array(X)
    if not np.iscomplexobj(X) or X.ndim != 2 or X.shape[0] != stft.bins or X.shape[1] < 2:
        raise ValueError(
            f"X has shape {X.shape} and type {X.dtype}; complex (freq, frames) was expected, for "
            f"the STFT {stft.name!r} with {stft.bins} frequencies and two frames or more"
        )
    if not np.isfinite(X).all():
        raise ValueError("X holds NaN or infinite values; finite ones were expected")
    return X.astype(np.complex128)


def _checked_bins(given: Any, name: str, grid: tuple[int, ...]) -> np.ndarray:
    bins = _array(given)
    if bins.shape != grid or bins.dtype != bool:
        raise ValueError(
            f"{name} has shape {bins.shape} and type {bins.dtype}; bool (frames, freq) = {grid} "
            "was expected, as X has it the other way round"
        )
    return bins


def _places(points: Any, counted: np.ndarray) -> np.ndarray:
    """Cells of the counted points, (points, 2) uint8, in the order of frames, then frequencies."""
    points, expected = _array(points), (*counted.shape, 2)
    real = np.issubdtype(points.dtype, np.floating) or np.issubdtype(points.dtype, np.integer)
    if points.shape != expected or not real:
        raise ValueError(
            f"points have shape {points.shape} and type {points.dtype}; real numbers (frames, "
            f"freq, 2) = {expected} were expected, as X has {counted.shape[::-1]}"
        )
    points = points[counted].astype(np.float64)
    if not np.isfinite(points).all():
        raise ValueError("points hold NaN or infinite values in counted bins; give finite places")
    low, high = points.min(0), points.max(0)
    # One scale for both axes: a round cloud stays round.
    span = float((high - low).max()) or 1.0
    inside = (points - (low + high) / 2) / span * (1 - 2 * MARGIN) + 0.5
    return np.clip(np.floor(inside * GRID), 0, GRID - 1).astype(np.uint8)


def _length(stft: STFT, frames: int) -> int:
    """Samples that the transform gives as many frames as there are, whatever it was made of."""
    return (frames - 1) * stft.hop + (0 if stft.centred else stft.window)


def _array(x: Any) -> np.ndarray:
    return np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)


def _text(numbers: np.ndarray) -> str:
    return base64.b64encode(numbers.tobytes()).decode("ascii")
