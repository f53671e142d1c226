"""From a clip to the matrices V and A of equation (1), and from their parts back.

Taught in `notebooks/02_low_rank.ipynb`, sections "The data", "From P_v to a place" and "From P_a
to a sound".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import psutil
import torch
from scipy.ndimage import gaussian_filter1d

from ..checks import whole
from ..clip import Clip
from ..media import resample
from ..spectrogram import STFTS
from .checks import positive

STFT = STFTS["low_rank"]
ROWS = 60
"""Rows of the small picture that a clip is brought to, as near as a whole stride allows."""

COPIES = 6
"""The solver holds V, B_v, P_v, two multipliers, and less than one more of that size."""

BEFORE, AFTER = 0.7, 1.5  # frames: smoothing of the picture and of its change

Picture = Literal["motion", "pixels"]


@dataclass(frozen=True, eq=False)
class Matrices:
    """A clip as two matrices with one column an instant.

    `V` (pixels, T) and `A` (freq, T) float32 of equal norm (times `balance`), at `times` (T,) s;
    `shape` (h, w) of the small picture and `size` (H, W) of the clip's; `mixture` (samples,) at
    8 kHz; `scale`, by which |X| was multiplied to get A.

    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """

    V: np.ndarray
    A: np.ndarray
    times: np.ndarray
    shape: tuple[int, int]
    size: tuple[int, int]
    mixture: np.ndarray
    scale: float

    def mask(self, P_a: Any) -> np.ndarray:
        """The share of each bin that is source: P_a / A, clipped to 0..1.

        Parameters
        ----------
        P_a : (freq, T), numpy or torch, in the scale of A

        Returns
        -------
        (freq, frames) at the frames of the STFT of `mixture`, interpolated in time where the
        pictures do not come once a hop
        """
        P = _numpy(P_a)
        if P.shape != self.A.shape:
            raise ValueError(f"P_a of shape {P.shape} for A of {self.A.shape}; both have one shape")
        share = np.clip(P / np.maximum(self.A, 1e-12 * self.A.max()), 0, 1)
        frames = STFT.frames(len(self.mixture))
        return _sampled(share, self.times, STFT.times(frames))

    def sound(self, P_a: Any) -> np.ndarray:
        """P_a as a sound, with the phase of the mixture: (samples,) float32 at 8 kHz.

        Taught in `notebooks/02_low_rank.ipynb`, section "From P_a to a sound".
        """
        X = STFT.forward(self.mixture)
        return STFT.inverse(self.mask(P_a) * X, len(self.mixture)).astype(np.float32)

    def picture(self, P_v: Any) -> np.ndarray:
        """How much each pixel takes part: the root mean square of P_v over time, (h, w)."""
        P = _numpy(P_v)
        if P.shape != self.V.shape:
            raise ValueError(f"P_v of shape {P.shape} for V of {self.V.shape}; both have one shape")
        return np.sqrt(np.mean(P**2, axis=1)).reshape(self.shape)


def of_clip(
    clip: Clip,
    *,
    picture: Picture = "pixels",
    stride: int | None = None,
    balance: float = 1.0,
) -> Matrices:
    """Make V and A of a clip.

    Between pictures t and t + 1 lies the instant (t + 1) / fps, which is the middle of a window
    of the STFT where its hop is a frame. So there is a column for each two neighbouring pictures.

    Parameters
    ----------
    clip : any size, frame rate and audio rate; the sound is brought to 8 kHz
    picture : "pixels", grey levels as in the paper, the mean of both neighbours; or "motion", how
        fast each pixel changes, smoothed in time
    stride : pixels of the clip that make one pixel of V, in each direction; None brings the
        picture to about `ROWS` rows
    balance : norm of V over norm of A

    Returns
    -------
    Matrices

    Raises
    ------
    ValueError : fewer than three pictures, silent or constant sound, a still picture, a stride
        beyond the picture, sound and pictures of different length, or a picture too large for
        memory (it says how much is needed, and which stride fits)

    Pu et al., section 2 ("motion" is ours). Taught in `notebooks/02_low_rank.ipynb`, section "The
    data".
    """
    if picture not in ("motion", "pixels"):
        raise ValueError(f"picture={picture!r} was given; take 'motion' or 'pixels'")
    positive(balance=balance)
    T, height, width = clip.frames.shape[:3]
    if T < 3:
        raise ValueError(f"{T} pictures were given; three or more are needed to see motion")
    if abs(clip.seconds - T / clip.fps) > max(0.2, 1.5 / clip.fps):
        raise ValueError(
            f"{clip.seconds:.2f} s of sound for {T} pictures at {clip.fps:g} a second "
            f"({T / clip.fps:.2f} s); trim both to one length"
        )
    if stride is None:
        stride = max(1, round(height / ROWS))
    stride = whole(stride, "stride", "px")
    if stride > min(height, width):
        raise ValueError(
            f"stride={stride} for pictures of {height} x {width} px; take a smaller one"
        )
    _fits(T - 1, height, width, stride)
    shape = (max(1, height // stride), max(1, width // stride))
    V = _visual(clip.frames, shape, picture)
    if not np.ptp(V, axis=1).any():
        raise ValueError("the picture is still: no pixel changes. Take a stretch with motion in it")
    mixture = resample(clip.audio, clip.rate, STFT.rate).astype(np.float64)
    X = np.abs(STFT.forward(mixture))
    times = (np.arange(T - 1) + 1) / clip.fps
    A = _sampled(X, STFT.times(X.shape[1]), times)
    if not np.ptp(clip.audio) or not A.any():
        raise ValueError(
            "the sound is silent (all zero or constant). Take a stretch in which something sounds"
        )
    # One scale for all clips, so that one lambda_3 means the same in each.
    unit = np.sqrt(A.shape[1])
    scale = unit / np.linalg.norm(A)
    V *= balance * unit / np.linalg.norm(V)
    return Matrices(
        V, (A * scale).astype(np.float32), times, shape, (height, width), mixture, float(scale)
    )


def grey(frames: np.ndarray, shape: tuple[int, int]) -> Iterator[np.ndarray]:
    """Pictures (T, H, W, 3) as grey levels 0..255 of a small picture, (h, w) float32 each."""
    for frame in frames:
        small = cv2.resize(frame, shape[::-1], interpolation=cv2.INTER_AREA)
        yield small.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def _visual(frames: np.ndarray, shape: tuple[int, int], picture: str) -> np.ndarray:
    """V (pixels, T - 1), not yet scaled."""
    V = np.empty((shape[0] * shape[1], len(frames)), np.float32)
    for t, small in enumerate(grey(frames, shape)):
        V[:, t] = small.ravel()
    if picture == "pixels":
        return (V[:, 1:] + V[:, :-1]) / 2
    gaussian_filter1d(V, BEFORE, axis=1, output=V, mode="nearest")
    V = np.abs(np.diff(V, axis=1))
    gaussian_filter1d(V, AFTER, axis=1, output=V, mode="nearest")
    return V


def _fits(T: int, height: int, width: int, stride: int) -> None:
    need = COPIES * 4 * T * (height // stride) * (width // stride)
    free = psutil.virtual_memory().available
    if need > free:
        enough = stride
        while COPIES * 4 * T * (height // enough) * (width // enough) > free / 2:
            enough += 1
        way_out = f"take stride={enough}, or " if enough <= min(height, width) else "take "
        raise ValueError(
            f"{T} instants of {height // stride} x {width // stride} px need "
            f"{need / 2**30:.1f} GB, and {free / 2**30:.1f} GB are free; "
            f"{way_out}a shorter clip"
        )


def _sampled(X: np.ndarray, at: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Columns of X, which stand at times `at`, read at other times by linear interpolation."""
    place = np.interp(wanted, at, np.arange(len(at)))
    low = np.minimum(place.astype(int), len(at) - 2)
    part = place - low
    near = np.abs(part - np.round(part)) < 1e-9  # do not smear where instants meet
    part = np.where(near, np.round(part), part)
    return X[:, low] * (1 - part) + X[:, low + 1] * part


def _numpy(X: Any) -> np.ndarray:
    return X.detach().cpu().numpy() if isinstance(X, torch.Tensor) else np.asarray(X)
