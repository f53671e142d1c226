"""What the networks see and what they are asked for: levels, masks, lips and their motion.

Taught in `notebooks/04_deep_clustering.ipynb`, section "What goes in".
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import torch

from ..masks import ideal_binary
from ..spectrogram import STFTS

STFT = STFTS["deep_clustering"]
FPS = 25
QUIET = -40.0
"""Bins this many dB below the loudest of a mixture count neither in training nor in clustering."""
LIPS = (0.5, 0.81, 0.46, 0.307)
"""Where the lips are in a face crop: centre x, y, width and height as parts of its side."""


def levels(X: torch.Tensor) -> torch.Tensor:
    """Log amplitudes of a spectrogram in natural units, (…, freq, frames) -> (…, frames, freq).

    The loudest bin of each mixture has level 0, so that loudness does not count; below `QUIET`
    twice over, -80 dB, the scale ends.
    """
    size = X.abs()
    top = size.amax(dim=(-2, -1), keepdim=True).clamp_min(1e-12)
    floor = 10 ** (2 * QUIET / 20)
    return torch.log((size / top).clamp_min(floor)).transpose(-1, -2)


def loud(X: torch.Tensor) -> torch.Tensor:
    """Which bins are above `QUIET`, (…, freq, frames) complex -> (…, frames, freq) bool."""
    size = X.abs()
    top = size.amax(dim=(-2, -1), keepdim=True)
    return (size > top * 10 ** (QUIET / 20)).transpose(-1, -2)


def targets(S: torch.Tensor) -> torch.Tensor:
    """Ideal binary masks (section III-A): (…, sources, freq, frames) -> (…, frames, freq, sources).

    One for the loudest source of a bin, zero for the others.
    """
    masks = cast(torch.Tensor, ideal_binary(S))
    return masks.movedim(-3, -1).transpose(-2, -3)


def lips(faces: np.ndarray, size: tuple[int, int] = (32, 48)) -> np.ndarray:
    """Cut the lips out of grey face crops.

    Parameters
    ----------
    faces : (…, side, side) uint8
    size : height and width of the lips in px

    Returns
    -------
    (…, *size) uint8

    Raises
    ------
    ValueError : crops that are not square or not uint8
    """
    side = faces.shape[-1]
    if faces.dtype != np.uint8 or faces.ndim < 3 or faces.shape[-2] != side:
        raise ValueError(
            f"face crops of shape {faces.shape} and type {faces.dtype}; expected (…, side, side) "
            "uint8"
        )
    x, y, w, h = (side * part for part in LIPS)
    step = np.array([[w / size[1], 0, x - w / 2], [0, h / size[0], y - h / 2]])
    flat = faces.reshape(-1, side, side)
    made = [
        cv2.warpAffine(
            face, step, size[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for face in flat
    ]  # fmt: skip
    return np.stack(made).reshape(*faces.shape[:-2], *size)


def motion(mouths: np.ndarray) -> np.ndarray:
    """Optical flow of lips from a picture to the next; the first picture has that of the second.

    Parameters
    ----------
    mouths : (T, height, width) uint8, at least 16 px a side

    Returns
    -------
    (T, 2, height, width) float32, motion to the right and down in px a picture; zeros for T = 1
    """
    estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    estimator.setFinestScale(0)
    found = np.zeros((len(mouths), *mouths.shape[1:], 2), np.float32)
    for t in range(1, len(mouths)):
        found[t] = estimator.calc(mouths[t - 1], mouths[t], np.zeros_like(found[0]))
    if len(mouths) > 1:
        found[0] = found[1]
    return np.moveaxis(found, -1, 1)
