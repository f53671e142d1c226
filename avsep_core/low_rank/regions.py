"""From the energy of a part to a place: a map, a region, and which region goes with the sound.

Taught in `notebooks/02_low_rank.ipynb`, sections "From P_v to a place" and "Which of two".
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from ..checks import within
from .matrices import grey

BLUR = 0.012
THRESHOLD = 0.08
"""Of the map: its blur as a fraction of the picture's height, and the share of its largest value
that a pixel needs to count as found. The same for every method."""

JOIN = 0.04
LEAST = 0.1
"""Of candidates: how far each piece is grown before it is asked which others it touches (a fraction
of the height), and how much of the largest one's energy it needs."""

ENVELOPE = 1.5  # frames of smoothing before envelopes are compared


def spread(image: np.ndarray, size: tuple[int, int], *, blur: float = BLUR) -> np.ndarray:
    """Bring a small map to the size of the clip's pictures, and smooth it.

    Parameters
    ----------
    image : (h, w) of 0 or more
    size : (H, W)
    blur : standard deviation of a Gaussian as a fraction of H

    Returns
    -------
    (H, W) float32
    """
    large = cv2.resize(np.asarray(image, np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(large, (0, 0), blur * size[0]) if blur else large


def region(image: np.ndarray, *, threshold: float = THRESHOLD) -> np.ndarray:
    """The pixels of a map that reach a share of its largest value.

    Parameters
    ----------
    image : (H, W) of 0 or more, such as `spread` returns
    threshold : 0..1

    Returns
    -------
    (H, W) bool; empty where the map is zero

    Raises
    ------
    ValueError : threshold outside 0..1, a map with NaN or negative values

    Taught in `notebooks/02_low_rank.ipynb`, section "From P_v to a place".
    """
    within(threshold, "threshold", 0, 1)
    image = np.asarray(image)
    if not np.isfinite(image).all() or image.min() < 0:
        raise ValueError("the map holds NaN, infinite or negative values; give root mean squares")
    return (image >= threshold * image.max()) & (image > 0)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A region (H, W) bool that may be the source, and how well its motion follows the sound."""

    region: np.ndarray
    agreement: float


def candidates(image: np.ndarray, found: np.ndarray) -> list[np.ndarray]:
    """The separate regions of a map, the one with most energy first.

    Pieces nearer than twice `JOIN` count as one; pieces with less than `LEAST` of the energy of
    the largest are left out.

    Parameters
    ----------
    image : (H, W) map; found : (H, W) bool, its region

    Returns
    -------
    list of (H, W) bool

    Taught in `notebooks/02_low_rank.ipynb`, section "Which of two".
    """
    reach = max(1, round(JOIN * len(found)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    joined = cv2.dilate(found.astype(np.uint8), disc)
    labels, count = ndimage.label(joined, structure=np.ones((3, 3)))
    parts = [found & (labels == k + 1) for k in range(count)]
    energy = [float((np.asarray(image, np.float64)[part] ** 2).sum()) for part in parts]
    order = np.argsort(energy)[::-1]
    return [parts[k] for k in order if energy[k] >= LEAST * energy[order[0]]]


def envelope(P_a: np.ndarray) -> np.ndarray:
    """How loud the sparse part is at each instant: the root of its summed magnitudes, (T,)."""
    return np.sqrt(np.maximum(np.asarray(P_a), 0).sum(axis=0))


def motion(frames: np.ndarray, part: np.ndarray) -> np.ndarray:
    """What a region does: the first principal component of its raw pixels, (T - 1,).

    Parameters
    ----------
    frames : (T, H, W, 3) uint8
    part : (H, W) bool

    Returns
    -------
    (T - 1,) float64 between neighbouring pictures, zero mean; its sign means nothing
    """
    rows = np.stack([f[part] for f in grey(frames, part.shape)]).astype(np.float64)
    rows -= rows.mean(axis=0)
    values, vectors = np.linalg.eigh(rows @ rows.T)
    wave = vectors[:, -1] * np.sqrt(max(values[-1], 0))
    return (wave[1:] + wave[:-1]) / 2


def agreement(wave: np.ndarray, loudness: np.ndarray) -> float:
    """|correlation| of a region's motion with the envelope of the sound, both smoothed; 0..1."""
    a, b = (ndimage.gaussian_filter1d(x - x.mean(), ENVELOPE) for x in (wave, loudness))
    size = np.linalg.norm(a) * np.linalg.norm(b)
    return float(abs(a @ b) / size) if size > 0 else 0.0


def select(
    frames: np.ndarray, image: np.ndarray, found: np.ndarray, loudness: np.ndarray
) -> list[Candidate]:
    """Rank the separate regions of a map by how well their motion follows the sound.

    Parameters
    ----------
    frames : (T, H, W, 3) uint8
    image, found : (H, W), map and region
    loudness : (T - 1,), such as `envelope` of P_a

    Returns
    -------
    Candidates, the best first; empty where nothing was found

    Taught in `notebooks/02_low_rank.ipynb`, section "Which of two".
    """
    if not found.any():
        return []
    ranked = [
        Candidate(part, agreement(motion(frames, part), loudness))
        for part in candidates(image, found)
    ]
    return sorted(ranked, key=lambda c: -c.agreement)
