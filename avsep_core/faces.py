"""Find faces, follow them through a clip, cut out the lips and measure how they move.

A frontal-face cascade finds a face to within a pixel or two and jitters from frame to frame.
Optical flow of the skin measures each step to a small fraction of a pixel but drifts over
seconds. `follow` joins the two: quick motion from the flow, slow position from the cascade.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter

_CASCADE = "haarcascade_frontalface_alt.xml"
_WORKING_FACE = 30  # px: the smallest face that is looked for, in the image the cascade sees
_SMALLEST_SIDE = 48  # px: below this a frame holds no face that the cascade could see
_SCAN_EVERY = 12  # frames between two looks at the whole picture
_DRIFT = 8.0  # frames: standard deviation of the Gaussian that blends cascade and flow
_LIPS = np.array([0.5, 0.81, 0.46, 0.307], np.float32)  # centre x, y, width, height in face boxes


class NoFaceError(ValueError):
    """Fewer faces than asked for can be followed through the clip."""


@dataclass(frozen=True, eq=False)
class Track:
    """One face in every frame of a clip.

    Parameters
    ----------
    boxes : (frames, 4) float32
        Face box x, y, width, height in px of the frame, smoothed over time.
    seen : (frames,) bool
        True where the detector saw the face; elsewhere the box is carried over by optical flow
        or interpolated.
    lips : (frames, 4) float32
        Box of the lips, same units: at a fixed place in the face, so that it moves with the
        head and not with the mouth.

    Taught in `notebooks/00_foundations.ipynb`, section "Talkers, lips and optical flow".
    """

    boxes: np.ndarray
    seen: np.ndarray
    lips: np.ndarray

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.boxes)

    @classmethod
    def known(
        cls, face: np.ndarray, lips: np.ndarray | None = None, *, seen: np.ndarray | None = None
    ) -> Track:
        """Wrap boxes that are known already, such as those of a drawn talker.

        Parameters
        ----------
        face, lips : (frames, 4)
            Boxes x, y, width, height in px. Without `lips`, their usual place in the face.
        seen : (frames,) bool, optional
            Default: every frame.

        Raises
        ------
        ValueError
            If shapes differ or a box has no area.
        """
        face = np.array(face, np.float32)
        lips = _lips_of(face) if lips is None else np.array(lips, np.float32)
        seen = np.ones(len(face), bool) if seen is None else np.array(seen, bool)
        for name, boxes in (("face", face), ("lips", lips)):
            if boxes.ndim != 2 or boxes.shape[1] != 4 or len(boxes) == 0:
                raise ValueError(f"{name} boxes must be (frames, 4), given {boxes.shape}")
            if not np.isfinite(boxes).all() or (boxes[:, 2:] <= 0).any():
                raise ValueError(f"{name} boxes need finite numbers, width and height above zero")
        if not len(face) == len(lips) == len(seen):
            raise ValueError(
                f"face, lips and seen must have one row a frame, given {len(face)}, {len(lips)} "
                f"and {len(seen)}"
            )
        return cls(face, seen, lips)


def detect(frame: np.ndarray, *, smallest: float = 0.12) -> np.ndarray:
    """Find the frontal faces in one picture.

    Parameters
    ----------
    frame : (height, width, 3) uint8
        RGB picture, shorter side at least 48 px.
    smallest : float
        Width of the smallest face that is looked for, as a part of the picture's shorter side.

    Returns
    -------
    (faces, 4) float32
        Boxes x, y, width, height in px, from left to right; empty where no face is found.

    Raises
    ------
    ValueError
        If the picture has another shape or type, or is too small.

    Taught in `notebooks/00_foundations.ipynb`, section "Talkers, lips and optical flow".
    """
    frame = np.asarray(frame)
    frames = _checked(frame[None] if frame.ndim == 3 else frame)
    scale = _scale(frames, smallest)
    boxes, _ = _search(_cascade(), _grey(frames[0], scale), _WORKING_FACE)
    return boxes[np.argsort(boxes[:, 0] + boxes[:, 2] / 2)] / np.float32(scale)


def follow(
    frames: np.ndarray, *, faces: int = 1, smallest: float = 0.12, at_least: float = 0.5
) -> list[Track]:
    """Follow faces through a clip, each at a position that is stable to part of a pixel.

    The cascade looks at the whole picture twice a second and near each known face in every
    frame. Where more faces are there than asked for, those with the most evidence are kept.
    Missed frames are filled by optical flow or interpolation and marked in `Track.seen`.

    Parameters
    ----------
    frames : (frames, height, width, 3) uint8
        RGB, shorter side at least 48 px.
    faces : int
        How many faces to follow.
    smallest : float
        Width of the smallest face that is looked for, as a part of the frame's shorter side.
    at_least : float
        Part of the frames in which the detector must have seen a face, 0 to 1. A face that
        is seen less often counts as not found; one that is seen more often is returned, with
        its missing frames marked.

    Returns
    -------
    list of Track
        From left to right, in the same order throughout the clip.

    Raises
    ------
    NoFaceError
        If fewer faces than asked for can be followed.
    ValueError
        If the frames have another shape or type, are too small or too few.

    Taught in `notebooks/00_foundations.ipynb`, section "Talkers, lips and optical flow".
    """
    frames = _checked(frames)
    if faces < 1:
        raise ValueError(f"faces must be at least 1, given {faces}")
    if not 0 < at_least <= 1:
        raise ValueError(f"at_least is a part of the frames, above 0 and up to 1, given {at_least}")
    scale = _scale(frames, smallest)
    greys = [_grey(frame, scale) for frame in frames]
    paths = _paths(greys)
    enough = [path for path in paths if path.seen.mean() >= at_least]
    if len(enough) < faces:
        best = "; ".join(
            f"{path.seen.sum()} of {len(frames)} frames"
            for path in sorted(paths, key=lambda path: -path.seen.sum())[: max(faces, 3)]
        )
        raise NoFaceError(
            f"asked to follow {faces} face{'s' * (faces > 1)} through {len(frames)} frames, found "
            f"{len(enough)} in at least {at_least:.0%} of them (faces seen in: {best or 'none'}). "
            f"A face must look at the camera and be wider than {smallest:.0%} of the shorter side: "
            "crop the frames around it, lower `smallest` or `at_least`, or set `faces` to the "
            "number of people in the picture"
        )
    kept = sorted(enough, key=lambda path: -path.votes)[:faces]
    tracks = []
    for path in kept:
        boxes = (_steady(path, greys) / scale).astype(np.float32)
        tracks.append(Track(boxes, path.seen.copy(), _lips_of(boxes, _mouth(frames, boxes))))
    return sorted(tracks, key=lambda track: float(np.median(track.boxes[:, 0])))


def crop(frames: np.ndarray, boxes: np.ndarray, *, size: tuple[int, int]) -> np.ndarray:
    """Cut a moving box out of every frame, at sub-pixel position and one scale for the clip.

    The scale is that of the median box, so that the picture does not breathe as boxes change
    their size. Shapes keep their proportions: where box and `size` differ in aspect, more is
    shown. Beyond the frame its edge is repeated.

    Parameters
    ----------
    frames : (frames, height, width, 3) uint8
    boxes : (frames, 4)
        x, y, width, height in px.
    size : (int, int)
        Height and width of the crops in px.

    Returns
    -------
    (frames, size[0], size[1], 3) uint8

    Raises
    ------
    ValueError
        If there is not one box for each frame, or a size is not positive.

    Taught in `notebooks/00_foundations.ipynb`, section "Talkers, lips and optical flow".
    """
    frames, boxes = _checked(frames), np.asarray(boxes, float)
    if boxes.shape != (len(frames), 4):
        raise ValueError(f"{len(frames)} frames need boxes ({len(frames)}, 4), given {boxes.shape}")
    height, width = size
    if min(height, width) < 1:
        raise ValueError(f"size must be a height and a width of at least 1 px, given {size}")
    step = max(np.median(boxes[:, 3]) / height, np.median(boxes[:, 2]) / width)
    finer = max(1, int(np.ceil(step)))  # sample finely, then average: no aliasing
    step /= finer
    crops = np.empty((len(frames), height, width, 3), np.uint8)
    for frame, (x, y, w, h), out in zip(frames, boxes, crops, strict=True):
        # Pixel i covers [i, i + 1): its centre lies at i + 1/2.
        x0 = x + w / 2 - step * (width * finer - 1) / 2 - 0.5
        y0 = y + h / 2 - step * (height * finer - 1) / 2 - 0.5
        fine = cv2.warpAffine(
            frame,
            np.array([[step, 0, x0], [0, step, y0]]),
            (width * finer, height * finer),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        out[:] = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    return crops


def crop_lips(
    frames: np.ndarray, track: Track, *, size: tuple[int, int] = (32, 48)
) -> np.ndarray:
    """Cut out the lips: `crop` of a track's lip boxes.

    Parameters
    ----------
    frames : (frames, height, width, 3) uint8
    track : Track
    size : (int, int)
        Height and width of the crops in px.

    Returns
    -------
    (frames, size[0], size[1], 3) uint8

    Raises
    ------
    ValueError
        If track and frames differ in length.

    Taught in `notebooks/00_foundations.ipynb`, section "Talkers, lips and optical flow".
    """
    return crop(frames, track.lips, size=size)


def flow(crops: np.ndarray) -> np.ndarray:
    """Measure how each pixel moves from a frame to the next: DIS optical flow.

    Parameters
    ----------
    crops : (frames, height, width, 3) uint8
        At least two frames of at least 16 x 16 px, RGB.

    Returns
    -------
    (frames - 1, height, width, 2) float32
        Motion to the right and down, in px per frame: what is at `p` in frame `t` is at
        `p + flow[t, p]` in frame `t + 1`.

    Raises
    ------
    ValueError
        If there are fewer than two frames, or the shape or type is another.

    See Kroeger et al., "Fast optical flow using dense inverse search", ECCV 2016. Taught in
    `notebooks/00_foundations.ipynb`, section "Talkers, lips and optical flow".
    """
    crops = _checked(crops, side=16)
    if len(crops) < 2:
        raise ValueError(f"flow goes from a frame to the next: needs two frames, given {len(crops)}")
    estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    estimator.setFinestScale(0)
    greys = [_grey(frame, 1.0) for frame in crops]
    steps = [estimator.calc(a, b, None) for a, b in zip(greys, greys[1:], strict=False)]
    return np.stack(steps).astype(np.float32)


@dataclass
class _Path:
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


def _checked(frames: np.ndarray, *, side: int = _SMALLEST_SIDE) -> np.ndarray:
    frames = np.asarray(frames)
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8:
        raise ValueError(
            "frames must be (frames, height, width, 3) uint8 RGB, given "
            f"{frames.shape} {frames.dtype}"
        )
    if len(frames) == 0:
        raise ValueError("no frames given: the clip is empty")
    if min(frames.shape[1:3]) < side:
        raise ValueError(
            f"frames of {frames.shape[1]} x {frames.shape[2]} px are too small: the shorter side "
            f"must have at least {side} px; enlarge them or read the clip at a larger size"
        )
    return frames


def _scale(frames: np.ndarray, smallest: float) -> float:
    if not 0.02 <= smallest <= 1:
        raise ValueError(f"smallest is a part of the shorter side, 0.02 to 1, given {smallest}")
    return min(2.0, _WORKING_FACE / (smallest * min(frames.shape[1:3])))


def _cascade() -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(cv2.data.haarcascades + _CASCADE)


def _grey(frame: np.ndarray, scale: float) -> np.ndarray:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    if scale == 1:
        return grey
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=how)


def _search(
    cascade: cv2.CascadeClassifier, grey: np.ndarray, smallest: float, largest: float = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes (faces, 4) and the number of cascade windows that voted for each."""
    low, high = (int(round(smallest)),) * 2, (int(round(largest)),) * 2
    boxes, votes = cascade.detectMultiScale2(
        grey, scaleFactor=1.1, minNeighbors=3, minSize=low, maxSize=high
    )
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(votes, np.float32).reshape(-1)


def _overlap(box: np.ndarray, other: np.ndarray) -> float:
    """Return the common area of two boxes over the smaller of the two."""
    low = np.maximum(box[:2], other[:2])
    high = np.minimum(box[:2] + box[2:], other[:2] + other[2:])
    common = np.prod(np.maximum(high - low, 0))
    return float(common / min(np.prod(box[2:]), np.prod(other[2:])))


def _near(
    cascade: cv2.CascadeClassifier, grey: np.ndarray, box: np.ndarray
) -> tuple[np.ndarray, float] | None:
    """Search around a box for a face of like size; return the likeliest, if any."""
    x, y, w, h = box
    left, top = max(0, int(x - 0.3 * w)), max(0, int(y - 0.3 * h))
    part = grey[top : int(y + 1.3 * h) + 1, left : int(x + 1.3 * w) + 1]
    if min(part.shape) < 0.75 * w:
        return None
    boxes, votes = _search(cascade, part, max(0.75 * w, 20), 1.33 * w)
    if len(boxes) == 0:
        return None
    best = int(np.argmax(votes))
    return boxes[best] + np.array([left, top, 0, 0], np.float32), float(votes[best])


def _paths(greys: list[np.ndarray]) -> list[_Path]:
    """Find faces in the whole picture now and then, and near where they were in between."""
    cascade = _cascade()
    paths: list[_Path] = []
    first: list[int] = []
    for index, grey in enumerate(greys):
        _look(cascade, grey, index, paths)
        if index % _SCAN_EVERY and index != len(greys) - 1:
            continue
        for box, votes in zip(*_search(cascade, grey, _WORKING_FACE), strict=True):
            known = [path for path in paths if _overlap(path.last, box) > 0.3]
            if not known:
                path = _Path(np.full((len(greys), 4), np.nan, np.float32), box)
                paths.append(path)
                first.append(index)
                known = [path]
            if not any(path.seen[index] for path in known):
                known[0].add(index, box, float(votes))
    for path, start in zip(paths, first, strict=True):
        path.last = path.found[start]
        others = [other for other in paths if other is not path]
        for index in range(start - 1, -1, -1):
            _look(cascade, greys[index], index, [path], others)
    return paths


def _look(
    cascade: cv2.CascadeClassifier,
    grey: np.ndarray,
    index: int,
    paths: list[_Path],
    others: list[_Path] | None = None,
) -> None:
    """Look for each face near its last place; a face that another path holds is not taken."""
    for path in sorted(paths, key=lambda path: -path.votes):
        hit = _near(cascade, grey, path.last)
        rivals = [rival for rival in (paths if others is None else others) if rival is not path]
        if hit is None or any(
            rival.seen[index] and _overlap(rival.found[index], hit[0]) > 0.5 for rival in rivals
        ):
            continue
        path.add(index, *hit)


def _steady(path: _Path, greys: list[np.ndarray]) -> np.ndarray:
    """Join quick motion from the flow with slow position from the cascade."""
    at = np.arange(len(greys))
    filled = np.stack(
        [np.interp(at, at[path.seen], column) for column in path.found[path.seen].T], axis=1
    )
    centre, size = filled[:, :2] + filled[:, 2:] / 2, filled[:, 2:]
    steps = np.diff(centre, axis=0)
    for index, box in enumerate(filled[:-1]):
        step = _step(greys[index], greys[index + 1], box)
        if step is not None:
            steps[index] = step
    moved = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    centre = moved + _slow(centre - moved)
    size = _slow(size)
    return np.concatenate([centre - size / 2, size], axis=1)


def _slow(values: np.ndarray) -> np.ndarray:
    """Take the slow part of (frames, k): a median against outliers, then a Gaussian."""
    values = median_filter(values, size=(9, 1), mode="nearest")
    return gaussian_filter1d(values, _DRIFT, axis=0, mode="nearest")


def _step(before: np.ndarray, after: np.ndarray, box: np.ndarray) -> np.ndarray | None:
    """Return how the upper face moved, (2,) in px, by Lucas-Kanade; None where points disagree."""
    x, y, w, h = box
    mask = np.zeros_like(before)
    middle = (int(x + 0.5 * w), int(y + 0.36 * h))
    cv2.ellipse(mask, middle, (int(0.38 * w), int(0.28 * h)), 0, 0, 360, 255, -1)
    points = cv2.goodFeaturesToTrack(before, 60, 0.01, max(2, 0.04 * w), mask=mask)
    if points is None or len(points) < 6:
        return None
    window = (max(7, int(0.12 * w)) | 1,) * 2
    there, ok, _ = cv2.calcOpticalFlowPyrLK(before, after, points, None, winSize=window)
    back, ok_back, _ = cv2.calcOpticalFlowPyrLK(after, before, there, None, winSize=window)
    sure = (ok.ravel() & ok_back.ravel()).astype(bool)
    sure &= np.linalg.norm((back - points).reshape(-1, 2), axis=1) < 0.3
    if sure.sum() < 6:
        return None
    steps = (there - points).reshape(-1, 2)[sure]
    step = np.median(steps, axis=0)
    spread = np.median(np.linalg.norm(steps - step, axis=1))
    return step if spread < 0.02 * w else None


def _lips_of(boxes: np.ndarray, place: np.ndarray = _LIPS) -> np.ndarray:
    """Return the lip boxes of face boxes: centre and size as parts of the face."""
    size = place[2:] * boxes[:, 2:]
    centre = boxes[:, :2] + place[:2] * boxes[:, 2:]
    return np.concatenate([centre - size / 2, size], axis=1).astype(np.float32)


def _mouth(frames: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return where the lips are in this face: one place for the clip, drawn to what changes.

    The centre of the variance over time, weighted by where mouths usually are. The mouth that
    does not move stays at the usual place.
    """
    faces = crop(frames, boxes, size=(64, 64)).mean(-1, dtype=np.float32)
    y, x = (np.mgrid[:64, :64] + 0.5) / 64
    usual = np.exp(-(((x - _LIPS[0]) / 0.12) ** 2 + ((y - _LIPS[1]) / 0.08) ** 2) / 2)
    weight = usual * (faces.var(axis=0) + 1)  # grey levels squared: 1 is a quiet camera
    centre = [(weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()]
    return np.array([*centre, *_LIPS[2:]], np.float32)
