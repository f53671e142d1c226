"""A film as a few edge-like atoms that move (Llagostera Casanovas et al., Section 2, Eq. 2).

The atoms are found in the first frame by matching pursuit and then followed from frame to frame.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Video atoms".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..checks import whole, within
from .edges import EdgeDictionary, Pursuit, pursue
from .tracking import stamp, step

DICTIONARY = EdgeDictionary()
SMOOTH = 8.0
"""px: brightness that varies more slowly than over this is left out of the picture."""
SPREAD = 12.0
"""px: over how much of the picture contrast is evened out."""
FLOOR = 4.0
"""Grey levels of contrast below which a region counts as plain."""
LEASH = (2.0, 6.0, 0.2, 0.2, 1.0)
"""How far an atom may leave its rest before that costs as much as losing all of its energy: px
along its line and across it, rad, log of the scales. Along its line an edge shows no motion."""
MEMORY = 30.0
"""Frames in which an atom's rest follows it."""
STEPS = 4
"""Of the local search, for each atom and frame."""
_LEAST = 12  # px: what the smallest atom reaches, side to side
_SLACK = 0.3  # log: how far scales may leave the dictionary's


def contrast(frame: np.ndarray) -> np.ndarray:
    """The picture that atoms explain: brightness less its local mean, over its local contrast.

    Without this, pursuit spends nearly all its atoms on the rims of hair and clothes. A mouth,
    above all a dark face's, has little contrast; it gets none to three atoms, and three to nine
    with it (N = 100, two faces).

    Parameters
    ----------
    frame : (H, W, 3) RGB or (H, W) grey, 0…255

    Returns
    -------
    (H, W) float32, about -3…3

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Video atoms".
    """
    grey = frame.astype(np.float32)
    if grey.ndim == 3:
        grey = grey @ np.array([0.299, 0.587, 0.114], np.float32)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), SMOOTH, borderType=cv2.BORDER_REFLECT)
    power = cv2.GaussianBlur(detail * detail, (0, 0), SPREAD, borderType=cv2.BORDER_REFLECT)
    return detail / np.sqrt(power + FLOOR**2)


@dataclass(frozen=True, eq=False)
class VideoAtoms:
    """N edge-like atoms over T frames.

    `position` (N, T, 2) px, x right and y down, the centre of the top left pixel is (0, 0);
    `angle` (N, T) rad from the x axis towards the y axis, the direction of the line;
    `scales` (N, T, 2) px, standard deviations along the line and across it;
    `coefficient` (N, T) of the unit-norm atom in `contrast(frame)`;
    `size` (H, W) px of the frames; `fps` frames a second.

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Video atoms".
    """

    position: np.ndarray
    angle: np.ndarray
    scales: np.ndarray
    coefficient: np.ndarray
    size: tuple[int, int]
    fps: float

    def __len__(self) -> int:
        return len(self.position)

    @property
    def displacement(self) -> np.ndarray:
        """d_n(t), the length of each atom's position vector, (N, T) px (Section 2).

        d_n(t) = sqrt(x_n(t)^2 + y_n(t)^2), measured from where the atom rests, its median place
        over all frames: the paper looks for an "oscillation from an equilibrium position", and
        does not say where its axes begin.
        """
        rest = np.median(self.position, axis=1, keepdims=True)
        return np.linalg.norm(self.position - rest, axis=2)

    def render(self, frame: int, atoms: np.ndarray | Sequence[int] | None = None) -> np.ndarray:
        """The sum of atoms in one frame (Eq. 2).

        Parameters
        ----------
        frame : index of the frame, 0…T-1
        atoms : indices or booleans of the atoms wanted; None takes all

        Returns
        -------
        (H, W) float64 in the units of `contrast`, which it approximates

        Raises
        ------
        ValueError : there is no such frame
        """
        picture = np.zeros(self.size)
        rows = self._rows(frame)
        for n in self._chosen(atoms):
            norm = np.sqrt(stamp(np.zeros(self.size), rows[n], 1.0))
            stamp(picture, rows[n], float(self.coefficient[n, frame]) / norm)
        return picture

    def outlines(
        self, frame: int, atoms: np.ndarray | Sequence[int] | None = None
    ) -> list[np.ndarray]:
        """Ellipses to draw on a frame: two scales long to either side, one scale across.

        Parameters and errors as `render`.

        Returns
        -------
        A list of polygons, (24, 2) px, x and y
        """
        rows = self._rows(frame)
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        polygons = []
        for x, y, angle, along, across in rows[self._chosen(atoms)]:
            u, v = 2 * np.exp(along) * np.cos(turn), np.exp(across) * np.sin(turn)
            cos, sin = np.cos(angle), np.sin(angle)
            polygons.append(np.stack([x + cos * u - sin * v, y + sin * u + cos * v], axis=1))
        return polygons

    def shifted(self, seconds: float) -> VideoAtoms:
        """The same tracks, later by `seconds` (rounded to frames); the end comes to the start.

        A control: sound and picture are the same, but no longer together.
        """
        within(seconds, "seconds", -1e6, 1e6)
        total = self.position.shape[1]
        return self.taken((np.arange(total) - round(seconds * self.fps)) % total)

    def taken(self, frames: np.ndarray) -> VideoAtoms:
        """The tracks at some frames, an array of indices, in that order."""
        frames = np.asarray(frames)
        return replace(
            self,
            position=self.position[:, frames],
            angle=self.angle[:, frames],
            scales=self.scales[:, frames],
            coefficient=self.coefficient[:, frames],
        )

    def _rows(self, frame: int) -> np.ndarray:
        total = self.position.shape[1]
        if not 0 <= frame < total:
            raise ValueError(f"frame {frame} was asked for; give one from 0 to {total - 1}")
        return np.column_stack(
            [self.position[:, frame], self.angle[:, frame], np.log(self.scales[:, frame])]
        ).astype(np.float64)

    def _chosen(self, atoms: np.ndarray | Sequence[int] | None) -> np.ndarray:
        everyone = np.arange(len(self))
        if atoms is None:
            return everyone
        chosen = np.atleast_1d(np.asarray(atoms))
        return everyone[chosen if chosen.size else []]


def video_atoms(frames: np.ndarray, *, fps: float, n_atoms: int = 100) -> VideoAtoms:
    """Find atoms in the first frame by matching pursuit and follow them through the film.

    In each frame each atom looks, from where it was, for the place, angle and scales that explain
    most of what the other atoms leave of the frame's `contrast`. A soft leash holds it to its
    rest, a slow average of where it was, so that it neither wanders along its line nor off to
    its neighbour's. (Following the whole frame instead, atoms move as if each were alone: on
    synthetic talkers half as much again of jitter, and fewer atoms left on the mouths.)

    Parameters
    ----------
    frames : (T, H, W, 3) RGB or (T, H, W) grey, 0…255; two frames or more. The scales are made
        for pictures of about 120 rows; memory grows by 1.5 kB with each pixel of a frame
    fps : frames a second
    n_atoms : how many; the paper takes 100 at 120x176

    Returns
    -------
    VideoAtoms, in the order in which the pursuit took them; the same from the same frames.

    Raises
    ------
    ValueError : another shape or kind of frames, one frame, NaN, a film that never changes, a
        plain first frame, frames smaller than an atom, no atoms or more than one for every 16
        pixels, fps not above zero

    Section 2, Eq. 2. Taught in `notebooks/01_matching_pursuit.ipynb`, section "Video atoms".
    """
    frames = np.asarray(frames)
    n_atoms = whole(n_atoms, "n_atoms", "atoms")
    _check(frames, fps, n_atoms)
    first = contrast(frames[0])
    if np.abs(first).max() < 1e-3:
        raise ValueError(
            "the first frame is plain, without any edge, so that no atom can be found in it; "
            "begin the film at a frame that shows something"
        )
    tracks, coefficients = _follow(frames, pursue(first, n_atoms, DICTIONARY))
    return VideoAtoms(
        position=tracks[..., :2].astype(np.float32),
        angle=tracks[..., 2].astype(np.float32),
        scales=np.exp(tracks[..., 3:]).astype(np.float32),
        coefficient=coefficients.astype(np.float32),
        size=(frames.shape[1], frames.shape[2]),
        fps=float(fps),
    )


def _follow(frames: np.ndarray, first: Pursuit) -> tuple[np.ndarray, np.ndarray]:
    """Follow the first frame's atoms: parameters (N, T, 5) and coefficients (N, T)."""
    height, width = frames.shape[1:3]
    atoms, heights, taken = first.atoms.copy(), first.heights.copy(), first.coefficients.copy()
    rests, signs = atoms.copy(), np.sign(taken)
    stiffness = taken[:, None] ** 2 / np.square(LEASH)
    logs = np.log(DICTIONARY.scales)
    low = np.array([0, 0, -np.inf, *(logs.min(axis=0) - _SLACK)])
    high = np.array([width - 1, height - 1, np.inf, *(logs.max(axis=0) + _SLACK)])
    tracks = np.empty((len(atoms), len(frames), 5))
    coefficients = np.empty((len(atoms), len(frames)))
    for t, frame in enumerate(frames):
        picture = contrast(frame).astype(np.float64)
        step(picture, atoms, signs, rests, stiffness, low, high, STEPS, heights, taken)
        rests += (atoms - rests) / MEMORY
        tracks[:, t], coefficients[:, t] = atoms, taken
    return tracks, coefficients


def _check(frames: np.ndarray, fps: float, n_atoms: int) -> None:
    good = frames.ndim == 3 or (frames.ndim == 4 and frames.shape[3] == 3)
    if not good or frames.dtype.kind not in "uif" or 0 in frames.shape:
        raise ValueError(
            f"frames of shape {frames.shape} and type {frames.dtype} were given; expected "
            "(T, H, W, 3) RGB or (T, H, W) grey, 0 to 255"
        )
    total, height, width = frames.shape[:3]
    if total < 2:
        raise ValueError("one frame was given; nothing moves in it. Give two frames or more")
    if frames.dtype.kind == "f":
        brightest = max(float(np.abs(frame).max()) for frame in frames)
        if not np.isfinite(brightest):
            raise ValueError("the frames hold NaN or infinite values; mend or leave out those")
        if brightest <= 1:
            raise ValueError(
                f"the brightest value of the frames is {brightest:g}; expected 0 to 255. Multiply "
                "frames of 0 to 1 by 255"
            )
    within(fps, "fps", 1e-3, 1e6)
    if min(height, width) < _LEAST:
        raise ValueError(
            f"frames of {height}x{width} px are smaller than an atom; give {_LEAST} px or more "
            "each way"
        )
    most = height * width // 16
    if n_atoms > most:
        raise ValueError(
            f"n_atoms is {n_atoms}; frames of {height}x{width} px hold at most {most}. Ask for "
            "fewer, or give larger frames"
        )
    if all(np.array_equal(frame, frames[0]) for frame in frames[1:]):
        raise ValueError(
            "the film never changes: all frames are the same picture, so that no atom can move. "
            "Give a film in which something does"
        )
