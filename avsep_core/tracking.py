"""Follow faces through grey pictures: the machinery behind `faces.follow`.

A cascade finds a face to within a pixel or two and jitters from frame to frame. Optical flow of
the skin measures each step to a small fraction of a pixel but drifts over seconds. Quick motion
is taken from the flow, slow position and size from the cascade.

Boxes are x, y, width, height in px of the grey pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter
from scipy.spatial.distance import pdist

_FACE = 30  # px: the smallest face that is looked for in the grey pictures
_SCAN_EVERY = 12  # frames between two looks at the whole picture
# Standard deviations, in frames, of the Gaussians that blend cascade and flow: how long the flow
# is trusted with a place (x, y) and with a size, which the cascade measures less well.
_DRIFT = (25.0, 25.0, 50.0)
_EYES = np.array([0.5, 0.36])  # x, y in face boxes: middle of the skin that speech does not move


@dataclass
class Path:
    """What the cascade found of one face: boxes (frames, 4) in working px, NaN where unseen."""

    found: np.ndarray
    last: np.ndarray
    votes: float = 0.0

    @property
    def seen(self) -> np.ndarray:
        return np.isfinite(self.found[:, 0])

    def add(self, index: int, box: np.ndarray, votes: float) -> None:
        self.found[index] = self.last = box
        self.votes += votes


def shrink(frames: np.ndarray, smallest: float) -> tuple[list[np.ndarray], float]:
    """Return grey pictures in which the smallest face is as small as can be found, and the scale.

    `frames` is (frames, height, width, 3) uint8, `smallest` the width of the smallest face as a
    part of the shorter side. Fewer pixels make the search faster, and alike for all clips.
    """
    if not 0.02 <= smallest <= 1:
        raise ValueError(f"smallest is a part of the shorter side, 0.02 to 1, given {smallest}")
    scale = min(2.0, _FACE / (smallest * min(frames.shape[1:3])))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    greys = [
        cv2.resize(grey(frame), None, fx=scale, fy=scale, interpolation=how) for frame in frames
    ]
    # Stretched, and rooted: the cascade passes over what has little contrast, as a dark face does.
    dark, bright = np.percentile(greys[:: max(1, len(greys) // 8)], (1, 99))
    shades = np.clip((np.arange(256) - dark) / max(bright - dark, 16), 0, 1)
    curve = np.round(255 * np.sqrt(shades)).astype(np.uint8)
    greys = [cv2.LUT(picture, curve) for picture in greys]
    return greys, scale


def grey(frame: np.ndarray) -> np.ndarray:
    """Return the brightness (height, width) uint8 of an RGB picture."""
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))


def search(picture: np.ndarray) -> np.ndarray:
    """Find all faces in one grey picture: boxes (faces, 4) float32."""
    return _search(_cascade("frontalface_alt"), picture, _FACE)[0]


def _cascade(name: str) -> cv2.CascadeClassifier:
    if not hasattr(cv2, "CascadeClassifier"):
        raise RuntimeError(
            f"OpenCV {cv2.__version__} has no cascade detector: install opencv-python-headless<5"
        )
    folder = cv2.data.haarcascades  # type: ignore[attr-defined]
    return cv2.CascadeClassifier(f"{folder}haarcascade_{name}.xml")


def _search(
    cascade: cv2.CascadeClassifier,
    picture: np.ndarray,
    smallest: float,
    *,
    largest: float = 0,
    agree: int = 3,
) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes (faces, 4) and the number of cascade windows that voted for each."""
    low, high = (round(float(smallest)),) * 2, (round(float(largest)),) * 2
    boxes, votes = cascade.detectMultiScale2(
        picture, scaleFactor=1.1, minNeighbors=agree, minSize=low, maxSize=high
    )
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(votes, np.float32).reshape(-1)


def _overlap(box: np.ndarray, other: np.ndarray) -> float:
    """Return the common area of two boxes over the smaller of the two."""
    low = np.maximum(box[:2], other[:2])
    high = np.minimum(box[:2] + box[2:], other[:2] + other[2:])
    common = np.prod(np.maximum(high - low, 0))
    return float(common / min(np.prod(box[2:]), np.prod(other[2:])))


def _near(
    cascade: cv2.CascadeClassifier, picture: np.ndarray, box: np.ndarray
) -> tuple[np.ndarray, float] | None:
    """Search around a box for a face of like size; return the likeliest, if any."""
    x, y, w, h = box
    left, top = max(0, int(x - 0.3 * w)), max(0, int(y - 0.3 * h))
    part = picture[top : int(y + 1.3 * h) + 1, left : int(x + 1.3 * w) + 1]
    if min(part.shape) < 0.75 * w:
        return None
    boxes, votes = _search(cascade, part, max(0.75 * w, 20), largest=1.33 * w, agree=1)
    if len(boxes) == 0:
        return None
    best = int(np.argmax(votes))
    return boxes[best] + np.array([left, top, 0, 0], np.float32), float(votes[best])


def find_paths(greys: Sequence[np.ndarray]) -> list[Path]:
    """Find faces in the whole picture now and then, and near where they were in between."""
    cascade = _cascade("frontalface_alt")
    paths: list[Path] = []
    for index, picture in enumerate(greys):
        for path in sorted(paths, key=lambda path: -path.votes):
            _look(cascade, picture, index, path, paths)
        if index % _SCAN_EVERY and index != len(greys) - 1:
            continue
        for box, votes in zip(*_search(cascade, picture, _FACE), strict=True):
            if all(_overlap(path.last, box) < 0.3 for path in paths):
                paths.append(Path(np.full((len(greys), 4), np.nan, np.float32), box))
                paths[-1].add(index, box, float(votes))
    for path in paths:
        start = int(np.argmax(path.seen))
        path.last = path.found[start]
        for index in range(start - 1, -1, -1):
            _look(cascade, greys[index], index, path, paths)
    return paths


def _look(
    cascade: cv2.CascadeClassifier,
    picture: np.ndarray,
    index: int,
    path: Path,
    paths: Sequence[Path],
) -> None:
    """Look for a face near its last place; leave a face that another path holds already."""
    hit = _near(cascade, picture, path.last)
    held = [other.found[index] for other in paths if other is not path and other.seen[index]]
    if hit is not None and all(_overlap(box, hit[0]) < 0.5 for box in held):
        path.add(index, *hit)


def evidence(path: Path, greys: Sequence[np.ndarray]) -> float:
    """Weigh a path by the eyes in its upper half: a necktie can pass for a face, but has none."""
    cascade, eyes = _cascade("eye"), 0
    some = np.flatnonzero(path.seen)[:: max(1, path.seen.sum() // 20)]
    for index in some:
        x, y, w, h = np.maximum(path.found[index], 0).astype(int)
        upper = cv2.resize(greys[index][y : y + 3 * h // 5, x : x + w], (128, 77))
        eyes += min(2, len(_search(cascade, upper, 20)[0]))
    return path.votes * (eyes / len(some) + 0.1)


def steady(path: Path, greys: Sequence[np.ndarray]) -> np.ndarray:
    """Join quick motion from the flow with slow position and size from the cascade."""
    at = np.arange(len(greys))
    boxes = np.stack(
        [np.interp(at, at[path.seen], column) for column in path.found[path.seen].T], axis=1
    )
    state = np.column_stack([boxes[:, :2] + _EYES * boxes[:, 2:], np.log(boxes[:, 2])])
    steps = np.diff(state, axis=0)
    for index, box in enumerate(boxes[:-1]):
        step = _step(greys[index], greys[index + 1], box)
        if step is not None:
            steps[index] = step
    moved = np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
    drift = median_filter(state - moved, size=(9, 1), mode="nearest")
    for column, frames in enumerate(_DRIFT):
        moved[:, column] += gaussian_filter1d(drift[:, column], frames, mode="nearest")
    size = np.exp(moved[:, 2:]).repeat(2, axis=1)
    return np.concatenate([moved[:, :2] - _EYES * size, size], axis=1)


def _step(before: np.ndarray, after: np.ndarray, box: np.ndarray) -> np.ndarray | None:
    """Return the motion x, y in px and the log growth of the upper face, None if points disagree.

    Corners followed by Lucas-Kanade there and back; medians of their motion and of the growth
    of the distances between them (Kalal et al., "Forward-backward error", ICPR 2010).
    """
    w = box[2]
    mask = np.zeros_like(before)
    middle = (int(box[0] + _EYES[0] * w), int(box[1] + _EYES[1] * w))
    cv2.ellipse(mask, middle, (int(0.38 * w), int(0.28 * w)), 0, 0, 360, 255, -1)
    points = cv2.goodFeaturesToTrack(before, 60, 0.01, max(2, 0.04 * w), mask=mask)
    if points is None or len(points) < 6:
        return None
    window = (max(7, int(0.12 * w)) | 1,) * 2
    there, ok, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points, np.empty_like(points), winSize=window
    )
    back, ok_back, _ = cv2.calcOpticalFlowPyrLK(
        after, before, there, np.empty_like(points), winSize=window
    )
    sure = (np.asarray(ok) * np.asarray(ok_back)).ravel().astype(bool)
    sure &= np.linalg.norm((back - points).reshape(-1, 2), axis=1) < 0.3
    if sure.sum() < 6:
        return None
    points, there = points.reshape(-1, 2)[sure], there.reshape(-1, 2)[sure]
    motion = np.median(there - points, axis=0)
    if np.median(np.linalg.norm(there - points - motion, axis=1)) > 0.02 * w:
        return None
    growth = np.log(pdist(there) + 1e-3) - np.log(pdist(points) + 1e-3)
    return np.array([*motion, np.median(growth)])
