"""Find faces, follow them through a clip, cut out the lips and measure how they move."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from avsep_core import tracking
from avsep_core.checks import whole

_SMALLEST_SIDE = 48  # px: below this a frame holds no face that the cascade could see
_FARTHEST = 32767  # px: OpenCV counts pixels in 16 bits
_LIPS = np.array([0.5, 0.81, 0.46, 0.307], np.float32)  # centre x, y, width, height in face boxes


class NoFaceError(ValueError):
    """Fewer faces than asked for can be followed through the clip."""


@dataclass(frozen=True, eq=False)
class Track:
    """One face in every frame of a clip.

    Parameters
    ----------
    boxes : (frames, 4) float32, face box x, y, width, height in px, smoothed over time
    seen : (frames,) bool, True where the detector saw the face; elsewhere the box is carried over
        by optical flow or interpolated
    lips : (frames, 4) float32, box of the lips at a fixed place in the face, so that it moves with
        the head and not with the mouth

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
        face, lips : (frames, 4) x, y, width, height in px; lips by default at their usual place
        seen : (frames,) bool, by default True in every frame

        Raises
        ------
        ValueError
            If shapes differ or a box has no area.
        """
        face = _checked_boxes(face)
        lips = _lips_of(face) if lips is None else _checked_boxes(lips)
        seen = np.ones(len(face), bool) if seen is None else np.array(seen, bool)
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
    frame : (height, width, 3) uint8 RGB, shorter side at least 48 px
    smallest : width of the smallest face looked for, as a part of the picture's shorter side

    Returns
    -------
    (faces, 4) float32 boxes x, y, width, height in px, from left to right; empty where none

    Raises
    ------
    ValueError
        If the picture has another shape or type, or is too small.

    Taught in `notebooks/00_foundations.ipynb`, section "Talkers, lips and optical flow".
    """
    frames = _checked(np.asarray(frame)[None])
    greys, scale = tracking.shrink(frames, smallest)
    boxes = tracking.search(greys[0])
    return boxes[np.argsort(boxes[:, 0] + boxes[:, 2] / 2)] / np.float32(scale)


def follow(
    frames: np.ndarray, *, faces: int | None = 1, smallest: float = 0.12, at_least: float = 0.5
) -> list[Track]:
    """Follow faces through a clip, each at a position that is stable to part of a pixel.

    The cascade looks at the whole picture twice a second and near each known face in every
    frame. Where more faces are there than asked for, those with the most evidence are kept.
    Missed frames are filled by optical flow or interpolation and marked in `Track.seen`.

    Parameters
    ----------
    frames : (frames, height, width, 3) uint8 RGB, shorter side at least 48 px
    faces : how many faces to follow; None for all that are there, at least one
    smallest : width of the smallest face looked for, as a part of the frame's shorter side
    at_least : part of the frames in which the detector must have seen a face, 0 to 1; one seen
        less often counts as not found, one seen more often has its missing frames marked

    Returns
    -------
    list of Track from left to right, in the same order throughout the clip

    Raises
    ------
    NoFaceError
        If fewer faces than asked for can be followed.
    ValueError
        If the frames have another shape or type, are too small or too few.

    Taught in `notebooks/00_foundations.ipynb`, section "Talkers, lips and optical flow".
    """
    frames = _checked(frames)
    everyone = faces is None
    faces = 1 if faces is None else whole(faces, "faces", "faces to follow")
    if not 0 < at_least <= 1:
        raise ValueError(f"at_least is a part of the frames, above 0 and up to 1, given {at_least}")
    greys, scale = tracking.shrink(frames, smallest)
    paths = tracking.find_paths(greys)
    enough = [path for path in paths if path.seen.mean() >= at_least]
    if len(enough) < faces:
        counts = sorted((int(path.seen.sum()) for path in paths), reverse=True)[: faces + 2]
        asked = f"asked to follow {faces} face{'s' * (faces > 1)}, found {len(enough)}"
        raise NoFaceError(
            f"{'no face was found' if everyone else asked} in at least {at_least:.0%} of "
            f"{len(frames)} frames (frames in which faces were seen: "
            f"{', '.join(map(str, counts)) or 'none'}). A face must look at the camera, in a shot "
            f"without cuts, and be wider than {smallest:.0%} of the frame's shorter side: crop "
            "the frames around it, call `faces.follow` with a lower `smallest` or `at_least`, or "
            "ask for as many faces as there are"
        )
    if len(enough) > faces and not everyone:
        enough = sorted(enough, key=lambda path: -tracking.evidence(path, greys))[:faces]
    tracks = []
    for path in enough:
        boxes = (tracking.steady(path, greys) / scale).astype(np.float32)
        tracks.append(Track(boxes, path.seen.copy(), _lips_of(boxes, _mouth(frames, boxes))))
    return sorted(tracks, key=lambda track: float(np.median(track.boxes[:, 0])))


def tracks_in(frames: np.ndarray, faces: int | Sequence[Track] | None) -> list[Track]:
    """The faces that a method is to look at.

    Parameters
    ----------
    frames : (frames, height, width, 3) uint8 RGB
    faces : how many to follow, None for all that are there, or tracks that are known already

    Raises
    ------
    NoFaceError : as `follow`
    ValueError : neither, or a track of another length than the clip
    """
    if faces is None or isinstance(faces, int | np.integer):
        return follow(frames, faces=None if faces is None else int(faces))
    tracks = list(faces) if isinstance(faces, Iterable) else []
    if not tracks or not all(isinstance(track, Track) for track in tracks):
        raise ValueError("faces is neither a number nor tracks; give what `faces.follow` returns")
    wrong = [len(track) for track in tracks if len(track) != len(frames)]
    if wrong:
        raise ValueError(
            f"a track of {wrong[0]} frames was given for a clip of {len(frames)}; follow the "
            "faces in the clip itself"
        )
    return tracks


def crop(frames: np.ndarray, boxes: np.ndarray, *, size: tuple[int, int]) -> np.ndarray:
    """Cut a moving box out of every frame, at sub-pixel position and one scale for the clip.

    The scale is that of the median box, so that the picture does not breathe as boxes change
    their size. Shapes keep their proportions: where box and `size` differ in aspect, more is
    shown. Beyond the frame its edge is repeated.

    Parameters
    ----------
    frames : (frames, height, width, 3) uint8
    boxes : (frames, 4) x, y, width, height in px
    size : height and width of the crops in px

    Returns
    -------
    (frames, size[0], size[1], 3) uint8

    Raises
    ------
    ValueError
        If there is not one box for each frame, a size is not two whole numbers above zero, or
        boxes or size exceed what any picture has.

    Taught in `notebooks/00_foundations.ipynb`, section "Talkers, lips and optical flow".
    """
    frames, boxes = _checked(frames, side=1), _checked_boxes(boxes)
    if len(boxes) != len(frames):
        raise ValueError(f"{len(frames)} frames need as many boxes, given {len(boxes)}")
    if np.shape(size) != (2,):
        raise ValueError(f"size must be (height, width) in px, such as (32, 48), given {size}")
    height, width = (whole(side, "size: a side", "px") for side in size)
    step = max(np.median(boxes[:, 3]) / height, np.median(boxes[:, 2]) / width)
    finer = max(1, int(np.ceil(step)))  # sample finely, then average: no aliasing
    if np.abs(boxes).max() > _FARTHEST or max(height, width) * finer > _FARTHEST:
        raise ValueError(
            f"boxes reach to {np.abs(boxes).max():.3g} px and crops of {height} x {width} px were "
            f"asked for; {_FARTHEST} px is the most. The frames have {frames.shape[1]} x "
            f"{frames.shape[2]}: give boxes in their px, and a size of that order"
        )
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


def crop_lips(frames: np.ndarray, track: Track, *, size: tuple[int, int] = (32, 48)) -> np.ndarray:
    """Cut out the lips: `crop` of a track's lip boxes.

    Parameters
    ----------
    frames : (frames, height, width, 3) uint8
    track : Track of these frames
    size : height and width of the crops in px

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
    crops : (frames, height, width, 3) uint8 RGB, at least two frames of at least 16 x 16 px

    Returns
    -------
    (frames - 1, height, width, 2) float32, motion to the right and down in px per frame: what is
    at `p` in frame `t` is at `p + flow[t, p]` in frame `t + 1`

    Raises
    ------
    ValueError
        If there are fewer than two frames, or the shape or type is another.

    See Kroeger et al., "Fast optical flow using dense inverse search", ECCV 2016. Taught in
    `notebooks/00_foundations.ipynb`, section "Talkers, lips and optical flow".
    """
    crops = _checked(crops, side=16)
    if len(crops) < 2:
        raise ValueError(f"flow leads from frame to frame: needs two frames, given {len(crops)}")
    estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    estimator.setFinestScale(0)  # lips are small: full resolution
    greys = [tracking.grey(frame) for frame in crops]
    still = np.zeros((*greys[0].shape, 2), np.float32)
    steps = [estimator.calc(a, b, still.copy()) for a, b in pairwise(greys)]
    return np.stack(steps).astype(np.float32)


def _checked(frames: np.ndarray, *, side: int = _SMALLEST_SIDE) -> np.ndarray:
    frames = np.asarray(frames)
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8:
        raise ValueError(
            "frames must be (frames, height, width, 3) uint8 RGB, given "
            f"{frames.shape} {frames.dtype}; a single picture is (height, width, 3)"
        )
    if len(frames) == 0:
        raise ValueError("no frames given: the clip is empty")
    if min(frames.shape[1:3]) < side:
        raise ValueError(
            f"frames of {frames.shape[1]} x {frames.shape[2]} px are too small: the shorter side "
            f"must have at least {side} px; enlarge them or read the clip at a larger size"
        )
    return frames


def _checked_boxes(boxes: np.ndarray) -> np.ndarray:
    boxes = np.array(boxes, np.float32)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or len(boxes) == 0:
        raise ValueError(f"boxes must be (frames, 4), given {boxes.shape}")
    if not np.isfinite(boxes).all() or (boxes[:, 2:] <= 0).any():
        raise ValueError("boxes need finite numbers, and width and height above zero")
    return boxes


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
    usual = np.exp(-(((x - _LIPS[0]) / 0.07) ** 2 + ((y - _LIPS[1]) / 0.08) ** 2) / 2)
    weight = usual * (faces.var(axis=0) + 1)  # grey levels squared: 1 is a quiet camera
    centre = [(weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()]
    return np.array([*centre, *_LIPS[2:]], np.float32)
