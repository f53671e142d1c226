"""Synchrony: how much of each audio atom sounds while each video atom moves.

An audio atom is there when its energy is; a video atom speaks up when its displacement peaks. The
scalar product of both is the correlation score of Llagostera Casanovas et al., Sec. 3.1.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Synchrony".
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy.ndimage import maximum_filter1d
from scipy.signal import find_peaks
from scipy.special import ndtr

from ..checks import whole, within

REACH = 3.0
WIDTH = 13
FLOOR = 0.2
JITTERS = 8.0
SWING = 0.3


class Timed(Protocol):
    """What `audio_features` needs of a book of atoms: where each stands, how wide it is, in s."""

    @property
    def time(self) -> np.ndarray: ...

    @property
    def spread(self) -> np.ndarray: ...


def finite(x: Any, name: str, axes: str) -> np.ndarray:
    """A finite real array with as many axes as `axes` names, as float64.

    Parameters
    ----------
    x : what was given
    name : what the error calls it
    axes : letters of its axes, such as "(N, T)"

    Raises
    ------
    ValueError : no numbers, another number of axes, NaN or infinite
    """
    try:
        x = np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} hold no table of numbers; expected {axes}") from None
    if x.ndim != axes.count(",") + (not axes.endswith(",)")):
        raise ValueError(f"{name} of shape {x.shape} given; expected {axes}")
    if not np.isfinite(x).all():
        raise ValueError(f"{name} hold NaN or infinite values; mend or leave out what they tell of")
    return x


def audio_features(book: Timed, times: np.ndarray) -> np.ndarray:
    """f_k(t): how an audio atom's energy lies over the frames of the video.

    The energy of a Gabor atom is a Gaussian in time. It is cut off three standard deviations from
    the middle (0.3 % of it lie outside), so that "does not correlate" has a meaning, and summed
    over each frame: the shortest atoms last 1 ms, and would fall between two samples 33 ms apart.

    Parameters
    ----------
    book : K atoms with `time` (K,) of the middle and `spread` (K,), standard deviation, both s
    times : (T,) s, middles of equally long video frames, (arange(T) + 1/2) / fps

    Returns
    -------
    (K, T) float64, not negative. A row sums to one; to less where the atom leaves the video.

    Raises
    ------
    ValueError : fewer than two frames, frames that are not equally long, NaN

    Sec. 3.1, "Audio feature".
    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Synchrony".
    """
    times = finite(times, "times", "(T,)")
    steps = np.diff(times)
    if len(times) < 2 or not (steps > 0).all() or np.ptp(steps) > 0.01 * steps.mean():
        raise ValueError(
            f"{len(times)} frame times given that do not rise in equal steps; expected two or "
            "more: (np.arange(T) + 0.5) / fps"
        )
    frame = steps.mean()
    edges = np.append(times - frame / 2, times[-1] + frame / 2)
    z = (edges - np.asarray(book.time)[:, None]) / np.asarray(book.spread)[:, None]
    below = ndtr(np.clip(z, -REACH, REACH))
    return np.diff(below, axis=1) / (ndtr(REACH) - ndtr(-REACH))


def peaks(
    displacement: np.ndarray,
    *,
    fps: float,
    floor: float = FLOOR,
    jitters: float = JITTERS,
    seconds: float = SWING,
) -> np.ndarray:
    """Where video atoms swing out and back: the robust peaks of their displacement.

    A peak counts if it stands out from both sides by `floor` px and by `jitters` times the
    tracker's own jitter, both within the `seconds` around it. So noise makes no peaks, and neither
    does a head that sways: lips swing out and back in a third of a second, heads are slower.

    Parameters
    ----------
    displacement : (N, T) px
    fps : frames a second
    floor : px, the least prominence
    jitters : the least prominence in units of the atom's jitter
    seconds : length of the stretch around a peak in which it must stand out

    Returns
    -------
    (N, T) bool

    Raises
    ------
    ValueError : wrong shape, NaN, or arguments out of range

    Sec. 3.1, "Video feature".
    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Synchrony".
    """
    d = finite(displacement, "displacements", "(N, T)")
    within(fps, "fps", 1, 1000)
    within(floor, "floor", 0, 1e6)
    within(jitters, "jitters", 0, 1e6)
    within(seconds, "seconds", 2 / fps, 1e6)
    found = np.zeros(d.shape, dtype=bool)
    if d.shape[1] < 3:
        return found
    around = 2 * round(seconds * fps / 2) + 1
    least = np.maximum(floor, jitters * jitter(d))
    for row, mark, prominence in zip(d, found, least, strict=True):
        # A plateau as long as the stretch stands out from nothing.
        at, _ = find_peaks(row, plateau_size=(None, around - 2), prominence=prominence, wlen=around)
        mark[at] = True
    return found


def jitter(displacement: np.ndarray) -> np.ndarray:
    """Standard deviation of a tracker's noise, from the median of the second differences.

    Parameters
    ----------
    displacement : (N, T) px, T of 3 or more

    Returns
    -------
    (N,) px. White noise of deviation s gives s; a smooth path gives next to nothing.
    """
    bends = np.diff(displacement, n=2, axis=1)
    return np.median(np.abs(bends), axis=1) / (0.6745 * np.sqrt(6.0))


def activation(
    displacement: np.ndarray,
    *,
    fps: float,
    width: int = WIDTH,
    floor: float = FLOOR,
    jitters: float = JITTERS,
    seconds: float = SWING,
) -> np.ndarray:
    """y_n(t): one within half a window of a peak of the displacement, zero elsewhere.

    The window allows for the delay between a movement and its sound.

    Parameters
    ----------
    displacement : (N, T) px
    fps : frames a second
    width : of the window, in frames, odd
    floor, jitters, seconds : which peaks count, as for `peaks`

    Returns
    -------
    (N, T) float64, 0 or 1

    Raises
    ------
    ValueError : fewer frames than the window has, an even window, wrong shape, NaN

    Sec. 3.1, "Video feature".
    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Synchrony".
    """
    d = finite(displacement, "displacements", "(N, T)")
    width = whole(width, "width", "frames")
    if width % 2 == 0:
        raise ValueError(f"width is {width}; give an odd number of frames, so that it has a middle")
    if d.shape[1] < width:
        raise ValueError(
            f"{d.shape[1]} frames given, fewer than the window's {width}; give a longer video, or "
            "a smaller width"
        )
    found = peaks(d, fps=fps, floor=floor, jitters=jitters, seconds=seconds)
    return maximum_filter1d(found.astype(np.float64), width, axis=1, mode="constant")


def scores(features: np.ndarray, activations: np.ndarray) -> np.ndarray:
    """Correlation scores chi(k, n) = <f_k, y_n>.

    Parameters
    ----------
    features : (K, T), from `audio_features`
    activations : (N, T), from `activation`

    Returns
    -------
    (K, N) float64: the share of audio atom k's energy that sounds while video atom n is active,
    0…1. Exactly zero where they never meet.

    Raises
    ------
    ValueError : different numbers of frames, NaN

    Sec. 3.1.
    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Synchrony".
    """
    f = finite(features, "features", "(K, T)")
    y = finite(activations, "activations", "(N, T)")
    if f.shape[1] != y.shape[1]:
        raise ValueError(
            f"audio features of {f.shape[1]} frames and activations of {y.shape[1]}; both must "
            "tell of the same frames"
        )
    return f @ y.T


def confidence(chi: np.ndarray, amplitude: np.ndarray) -> np.ndarray:
    """kappa_n: the sum of the amplitudes c_k of all audio atoms that meet video atom n.

    Parameters
    ----------
    chi : (K, N) correlation scores
    amplitude : (K,) of the audio atoms, not negative

    Returns
    -------
    (N,) float64, not negative

    Raises
    ------
    ValueError : shapes that do not fit, NaN, a negative amplitude

    Sec. 3.1.
    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Synchrony".
    """
    chi = finite(chi, "scores", "(K, N)")
    c = finite(amplitude, "amplitudes", "(K,)")
    if len(chi) != len(c):
        raise ValueError(f"scores of {len(chi)} audio atoms and {len(c)} amplitudes; give as many")
    if (c < 0).any():
        raise ValueError("a negative amplitude given; expected c_k of 0 or more")
    return c @ (chi != 0)
