"""What is seen and heard in a clip, up to whose each audio atom is (Secs 2 to 3.3).

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Sources".
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..clip import Clip
from ..media import resample
from ..spectrogram import STFTS
from .dictionary import GaborDictionary
from .pursuit import Book, matching_pursuit
from .solos import DELTA, Slots, solo_slots, weights
from .sources import CLUSTER_SIZE, Sources, assign, find_sources
from .synchrony import WIDTH, activation, audio_features, confidence, scores
from .video import VideoAtoms, video_atoms

STFT = STFTS["matching_pursuit"]
HEIGHT = 120


@dataclass(frozen=True, eq=False)
class Analysis:
    """What was seen and heard: K audio atoms, N video atoms, T frames, S sources.

    `mixture` (samples,) float64 at 8 kHz; `book` its atoms; `video` the video atoms, in px of a
    picture of 120 rows; `activations` (N, T) y_n(t); `chi` (K, N); `confidence` (N,) kappa_n;
    `sources` where they are; `shares` (S, K) how much of an atom is each source's.

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Sources".
    """

    mixture: np.ndarray
    book: Book
    video: VideoAtoms
    activations: np.ndarray
    chi: np.ndarray
    confidence: np.ndarray
    sources: Sources
    shares: np.ndarray

    @property
    def place(self) -> np.ndarray:
        """Where each video atom mostly is, (N, 2) px: the median over time."""
        return np.median(self.video.position, axis=1)

    def slots(self, delta: float = DELTA) -> Slots:
        """When each source sounds alone for longer than `delta` s; see `solos.solo_slots`."""
        seconds = len(self.mixture) / STFT.rate
        return solo_slots(self.shares, self.book, seconds=seconds, delta=delta)

    def weights(self, delta: float = DELTA) -> np.ndarray:
        """w_k(t) at the frames of the STFT, (S, frames); see `solos.weights`."""
        frames = STFT.forward(self.mixture).shape[1]
        return weights(self.slots(delta), np.arange(frames) * STFT.hop / STFT.rate)

    def solo_power(self, slots: list[tuple[float, float]]) -> np.ndarray:
        """|S|^2 of the frames of the mixture that lie in a source's slots, (F, frames)."""
        X = STFT.forward(self.mixture)
        time = np.arange(X.shape[1]) * STFT.hop / STFT.rate
        half = STFT.window / STFT.rate / 2
        inside = np.zeros(len(time), dtype=bool)
        for start, end in slots:
            inside |= (time >= start + half) & (time <= end - half)
        return np.abs(X[:, inside]) ** 2


def analyse(
    clip: Clip,
    *,
    n_audio_atoms: int = 2000,
    n_video_atoms: int = 100,
    width: int = WIDTH,
    cluster_size: float = CLUSTER_SIZE,
    book: Book | None = None,
    video: VideoAtoms | None = None,
) -> Analysis:
    """Decompose sound and picture, and find the sources by their synchrony.

    Parameters
    ----------
    clip : any size, frame rate and audio rate; the sound is brought to 8 kHz, the picture to 120
        rows
    n_audio_atoms, n_video_atoms : K and N
    width : W of the activation vectors, in frames of the clip
    cluster_size : D in px of a picture of 120 rows
    book, video : atoms that are there already; the clip's sound or picture is then not decomposed

    Returns
    -------
    Analysis; without sources where nothing moves with the sound

    Raises
    ------
    ValueError : silent sound, a still picture, fewer frames than `width`, sound shorter than the
        longest atom; atoms of another clip

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Sources".
    """
    T = len(clip.frames)
    if width > T:
        raise ValueError(f"{T} frames given, fewer than the window's {width}; give a longer clip")
    mixture = resample(clip.audio, clip.rate, STFT.rate).astype(np.float64)
    if book is None:
        book = matching_pursuit(mixture, GaborDictionary(), n_atoms=n_audio_atoms)
    if video is None:
        video = video_atoms(small(clip.frames), fps=clip.fps, n_atoms=n_video_atoms)
    if book.samples != len(mixture) or video.position.shape[1] != T:
        raise ValueError(
            f"atoms of {book.samples} samples and {video.position.shape[1]} frames for a clip of "
            f"{len(mixture)} and {T}; give atoms of this clip"
        )
    features = audio_features(book, (np.arange(T) + 0.5) / clip.fps)
    moving = activation(video.displacement, fps=clip.fps, width=width)
    chi = scores(features, moving)
    kappa = confidence(chi, book.amplitude)
    place = np.median(video.position, axis=1)
    found = find_sources(place, kappa, cluster_size=cluster_size)
    shares = assign(chi, found.members, len(found), confidence=kappa)
    return Analysis(mixture, book, video, moving, chi, kappa, found, shares)


def small(frames: np.ndarray) -> np.ndarray:
    """Pictures (T, H, W, 3) brought to HEIGHT rows and to the width that goes with it."""
    height, width = frames.shape[1:3]
    if height == HEIGHT:
        return frames
    size = (max(1, round(width * HEIGHT / height)), HEIGHT)
    return np.stack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in frames])
