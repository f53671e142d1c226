"""How AVSpeech was made, in small: segments of one visible face and clean speech out of videos.

Section 3 and figure 3 of the paper. First the pictures: a video falls into shots, a shot into
stretches in which one face can be followed, and these into segments of 3 to 10 s. Frames in which
the face is not seen, blurred or too dark are missing; a segment that misses more than 15 % is
discarded. Then the sound: an audio-only denoiser splits it into speech and rest,

    SNR = 10 log10(sum_t s(t)^2 / sum_t (x(t) - s(t))^2)

with the sound x and the denoised one s; segments below 17 dB are rejected. The paper tracked
speakers with a method of its own and judged frames with Google's classifiers; here they are
`faces.follow`, whose detector sees frontal faces only, and the two measures below.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "How AVSpeech was made".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from ..checks import within
from ..clip import Clip
from ..faces import NoFaceError, Track, crop, follow

Denoiser = Callable[[np.ndarray, int], np.ndarray]
"""(samples,) and Hz -> (samples,): what of a sound is speech."""

SHORTEST, LONGEST = 3.0, 10.0
"""Seconds that a segment lasts."""

MISSING, THRESHOLD = 0.15, 17.0
"""Largest part of missing frames in a segment, and least speech SNR in dB."""

DARK, SHARP = 30.0, 0.18
"""A face is dark whose mean grey level is below `DARK` of 255, and blurred where less than `SHARP`
of its contrast is in fine detail."""

_GAP = 1.0  # s without a face that end a stretch
_STEP, _TIMES = 5.0, 3.0  # a cut: grey levels, and times the change of the frames around
_SIDE = 64  # px of the faces that are judged


@dataclass(frozen=True, eq=False)
class Segment:
    """Seconds `start` to `end` of a video in which one person is seen and heard.

    `track`, the face in each of its frames, `seen` False where it is missing; `missing`, the part
    of these frames; `snr`, the speech SNR in dB, NaN where it has not been measured.
    """

    start: float
    end: float
    track: Track
    missing: float
    snr: float = float("nan")


def shots(frames: np.ndarray) -> list[tuple[int, int]]:
    """Split a video at its cuts.

    A cut is where a picture differs from the one before by 5 grey levels on average and by three
    times what the two frames on either side do, so that pans and fading light are none.

    Parameters
    ----------
    frames : (T, height, width, 3) uint8 RGB

    Returns
    -------
    first frame and the one after the last, of each shot in order; together they fill the video

    Raises
    ------
    ValueError : frames of another shape or type

    Section 3 of the paper; taught in `notebooks/03_looking_to_listen.ipynb`, section "How AVSpeech
    was made".
    """
    frames = np.asarray(frames)
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or not len(frames):
        raise ValueError(
            f"frames of shape {frames.shape} and type {frames.dtype} given; expected "
            "(T, height, width, 3) uint8 RGB"
        )
    small = [cv2.resize(frame, (32, 32), interpolation=cv2.INTER_AREA) for frame in frames]
    change = np.array([np.abs(a.astype(float) - b).mean() for a, b in pairwise(small)])
    around = np.pad(change, 2, mode="constant")
    beside = np.stack([around[k : k + len(change)] for k in (0, 1, 3, 4)]).max(axis=0)
    cuts = np.flatnonzero((change > _STEP) & (change > _TIMES * beside)) + 1
    return list(pairwise([0, *(int(cut) for cut in cuts), len(frames)]))


def poor(frames: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Tell the frames in which a face is too dark or blurred.

    Parameters
    ----------
    frames : (T, height, width, 3) uint8 RGB
    boxes : (T, 4) face boxes x, y, width, height in px

    Returns
    -------
    (T,) bool. Dark is a mean grey level below `DARK`. Blurred is a face of 64 px of whose
    structure coarser than 1.5 px, in standard deviation, less than `SHARP` is finer than 3 px.

    Raises
    ------
    ValueError : as `faces.crop`

    Section 3 of the paper; taught in `notebooks/03_looking_to_listen.ipynb`, section "How AVSpeech
    was made".
    """
    verdicts = []
    for picture in crop(frames, boxes, size=(_SIDE, _SIDE)):
        # Without hair and wall, whose edges stay where the face itself is blurred.
        face = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[12:60, 8:56].astype(np.float32)
        fine, coarse = (cv2.GaussianBlur(face, (0, 0), width) for width in (1.5, 3.0))
        blurred = (fine - coarse).std() < SHARP * fine.std()
        verdicts.append(bool(blurred or face.mean() < DARK))
    return np.array(verdicts)


def candidates(
    clip: Clip, *, most_missing: float = MISSING, smallest: float = 0.2
) -> list[Segment]:  # fmt: skip
    """Find the segments of a video in which one face can be followed.

    Parameters
    ----------
    clip : the video
    most_missing : largest part of missing frames; 1 keeps all, to look at those discarded
    smallest : width of the smallest face looked for, as a part of the frame's shorter side

    Returns
    -------
    Segments of 3 to 10 s in order, none of which goes over a cut; `snr` is NaN

    Raises
    ------
    ValueError : numbers out of range, frames in which nothing can be looked for

    Section 3 and figure 3a of the paper; taught in `notebooks/03_looking_to_listen.ipynb`, section
    "How AVSpeech was made".
    """
    within(most_missing, "most_missing", 0, 1)
    found = []
    for first, last in shots(clip.frames):
        shot = _followed(clip.frames[first:last], clip.fps, smallest)
        for a, b in _stretches(shot.seen, clip.fps) if shot else []:
            frames = clip.frames[first + a : first + b]
            # Across a gap boxes are guesses: a stretch that is left alone is followed anew.
            track = shot if b - a == last - first else _followed(frames, clip.fps, smallest)
            if track is None:
                continue
            good = track.seen & ~poor(frames, track.boxes)
            for p, q in _pieces(b - a, clip.fps):
                missing = float(1 - good[p:q].mean())
                if missing <= most_missing:
                    part = Track(track.boxes[p:q], good[p:q], track.lips[p:q])
                    start, end = ((first + a + frame) / clip.fps for frame in (p, q))
                    found.append(Segment(start, end, part, missing))
    return found


def _followed(frames: np.ndarray, fps: float, smallest: float) -> Track | None:
    """The one face that is there for long enough; None where there is none, or more than one."""
    least = SHORTEST * fps
    if len(frames) < least:
        return None
    enough = (1 - MISSING) * least / len(frames)
    try:
        tracks = follow(frames, faces=None, smallest=smallest, at_least=enough)
    except NoFaceError:
        return None
    return tracks[0] if len(tracks) == 1 else None


def _stretches(seen: np.ndarray, fps: float) -> list[tuple[int, int]]:
    """First frame and the one after the last, where a face comes and stays without a long gap."""
    here = np.flatnonzero(seen)
    gaps = np.flatnonzero(np.diff(here) > _GAP * fps)
    firsts, lasts = [here[0], *here[gaps + 1]], [*here[gaps], here[-1]]
    return [(int(a), int(b) + 1) for a, b in zip(firsts, lasts, strict=True)]


def _pieces(count: int, fps: float) -> list[tuple[int, int]]:
    """Equal pieces of at most 10 s of `count` frames; none where they fall short of 3 s."""
    pieces = int(np.ceil(count / (LONGEST * fps)))
    bounds = np.linspace(0, count, pieces + 1).round().astype(int)
    return [(int(a), int(b)) for a, b in pairwise(bounds) if b - a >= SHORTEST * fps]


def speech_snr(audio: np.ndarray, rate: int, denoise: Denoiser) -> float:
    """Estimate how far speech is above everything else in a sound.

    Parameters
    ----------
    audio : (samples,) float
    rate : Hz
    denoise : gives the speech in a sound: (samples,) and Hz -> (samples,)

    Returns
    -------
    dB: the energy of what the denoiser gives over that of what it takes away. Infinite where
    one of the two is silent; NaN where both are.

    Raises
    ------
    ValueError : a denoiser that gives another number of samples, or NaN

    Section 3 and figure 3b of the paper; taught in `notebooks/03_looking_to_listen.ipynb`, section
    "How AVSpeech was made".
    """
    audio = np.asarray(audio, float)
    speech = np.asarray(denoise(audio.astype(np.float32), rate), float)
    if speech.shape != audio.shape or not np.isfinite(speech).all():
        raise ValueError(
            f"the denoiser gave samples of shape {speech.shape} for {audio.shape}; expected the "
            "same number, all finite"
        )
    energy, rest = float(np.sum(speech**2)), float(np.sum((audio - speech) ** 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(10 * (np.log10(energy) - np.log10(rest)))


def keep(
    clip: Clip,
    denoise: Denoiser,
    *,
    threshold: float = THRESHOLD,
    most_missing: float = MISSING,
    smallest: float = 0.2,
) -> list[Segment]:
    """Choose the segments of a video that are fit for training: one face, clean speech.

    Parameters
    ----------
    clip : the video
    denoise : an audio-only denoiser: (samples,) and Hz -> (samples,)
    threshold : least speech SNR in dB; minus infinity keeps all, with their SNR
    most_missing, smallest : as for `candidates`

    Returns
    -------
    Segments in order, with their `snr`

    Raises
    ------
    ValueError : as `candidates` and `speech_snr`; a threshold that is no number

    Section 3 and figure 3 of the paper; taught in `notebooks/03_looking_to_listen.ipynb`, section
    "How AVSpeech was made".
    """
    within(threshold, "threshold", -np.inf, np.inf)
    kept = []
    for segment in candidates(clip, most_missing=most_missing, smallest=smallest):
        part = slice(round(segment.start * clip.rate), round(segment.end * clip.rate))
        snr = speech_snr(clip.audio[part], clip.rate, denoise)
        if snr >= threshold:
            kept.append(replace(segment, snr=snr))
    return kept
