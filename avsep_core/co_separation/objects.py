"""From detections to the pictures that the networks see (section 3.2, "Object detection").

Taught in `notebooks/05_co_separation.ipynb`, section "Objects".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..corpora.ensembles import Videos
from .detector import Detection, Finder

SIDE = 64
"""Height and width in px of a kept picture; the networks see a part of it."""
MOST = 2
"""Classes that are kept of a video: those of the surest detections (section 4.2)."""


def cut(frame: np.ndarray, box: Sequence[float], side: int = SIDE) -> np.ndarray:
    """An object's window, made square.

    Parameters
    ----------
    frame : (H, W, 3) uint8
    box : x, y, width, height in px; what lies outside the picture repeats its edge
    side : px

    Returns
    -------
    (side, side, 3) uint8

    Raises
    ------
    ValueError : a box without area, or wholly outside the picture
    """
    x, y, w, h = (float(v) for v in box)
    height, width = frame.shape[:2]
    if not (w > 0 and h > 0 and x < width and y < height and x + w > 0 and y + h > 0):
        raise ValueError(
            f"box (x, y, width, height) = ({x:g}, {y:g}, {w:g}, {h:g}) in a picture of {width} x "
            f"{height} px; give one with an area that meets the picture"
        )
    wide, high = max(round(w), 1), max(round(h), 1)
    centre = (x + (w - 1) / 2, y + (h - 1) / 2)
    patch = cv2.getRectSubPix(frame, (wide, high), centre)
    way = cv2.INTER_AREA if max(wide, high) > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(patch, (side, side), interpolation=way), np.uint8)


def middle(pictures: np.ndarray, side: int) -> np.ndarray:
    """The middle of kept pictures, as networks take it.

    Parameters
    ----------
    pictures : (..., SIDE, SIDE, 3) uint8
    side : px, at most SIDE

    Returns
    -------
    (..., 3, side, side) uint8

    Raises
    ------
    ValueError : pictures of another shape, or a side above theirs
    """
    if pictures.shape[-3:] != (SIDE, SIDE, 3) or not 1 <= side <= SIDE:
        raise ValueError(
            f"pictures of shape {pictures.shape} and a side of {side} px; expected "
            f"(..., {SIDE}, {SIDE}, 3) and 1 to {SIDE} px"
        )
    left = (SIDE - side) // 2
    part = pictures[..., left : left + side, left : left + side, :]
    return np.ascontiguousarray(np.moveaxis(part, -1, -3))


def surest(
    found: Sequence[Sequence[Detection]], *, most: int = MOST
) -> dict[str, list[tuple[int, Detection]]]:
    """The classes of the surest detections of a video, each with its windows, the surest first.

    Parameters
    ----------
    found : detections of each picture
    most : classes

    Returns
    -------
    class -> (picture, detection) of it, one a picture at most
    """
    pool: dict[str, dict[int, Detection]] = {}
    for t, one in enumerate(found):
        for d in one:
            seen = pool.setdefault(d.name, {})
            if t not in seen or d.confidence > seen[t].confidence:
                seen[t] = d
    ranked = {
        name: sorted(seen.items(), key=lambda pair: -pair[1].confidence)
        for name, seen in pool.items()
    }
    best = sorted(ranked, key=lambda name: -ranked[name][0][1].confidence)[:most]
    return {name: ranked[name] for name in best}


@dataclass(frozen=True, eq=False)
class Objects:
    """What was detected in the videos of a store.

    `windows` (videos, MOST, views, SIDE, SIDE, 3) uint8; `count` (videos, MOST), how many of the
    views show the object; `labels` (videos, MOST) int64, -1 where there is none; `whole` (videos,
    views, SIDE, SIDE, 3) uint8, the pictures as a whole.
    """

    windows: np.ndarray
    count: np.ndarray
    labels: np.ndarray
    whole: np.ndarray


def objects(store: Videos, detector: Finder) -> Objects:
    """Detect the objects of each video of a store.

    Parameters
    ----------
    store : of performances or films
    detector : of any classes; labels are places in its `names`
    """
    videos, views = store.pictures.shape[:2]
    windows = np.zeros((videos, MOST, views, SIDE, SIDE, 3), np.uint8)
    count, labels = np.zeros((videos, MOST), int), np.full((videos, MOST), -1)
    whole = np.zeros((videos, views, SIDE, SIDE, 3), np.uint8)
    for n in range(videos):
        frames = store.views(n)
        whole[n] = [cut(frame, (0, 0, frame.shape[1], frame.shape[0])) for frame in frames]
        for k, (name, seen) in enumerate(surest(detector.detect(frames)).items()):
            labels[n, k], count[n, k] = detector.names.index(name), len(seen)
            for j, (t, found) in enumerate(seen):
                windows[n, k, j] = cut(frames[t], found.box)
    return Objects(windows, count, labels, whole)
