"""Hand-drawn regions of the shared films in which one thing sounds, and a folder made of them.

A region is where the sounding thing moves during the chosen stretch, not its outline in one frame.
Nothing of the films is kept here: only corner points, as fractions of width and height.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from avsep_core import clip as clips

Polygon = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Marked:
    """A stretch of a film without a cut, and polygons of (x, y) in fractions of the picture."""

    start: float
    seconds: float
    region: tuple[Polygon, ...]
    other: tuple[Polygon, ...] = ()
    remark: str = ""


REGIONS: dict[str, Marked] = {
    "greatesthits_hitting_metal": Marked(
        start=0.0,
        seconds=6.0,
        region=(
            ((0, 0), (0.42, 0), (0.76, 0.07), (0.93, 0.27), (0.69, 0.36), (0.41, 0.45),
             (0.25, 0.57), (0.12, 0.68), (0, 0.80)),
        ),
        remark="a drumstick on a door's bar; its shadow on the door moves too and is left out",
    ),
    "greatesthits_desk": Marked(
        start=0.0,
        seconds=6.0,
        region=(
            ((0, 0.28), (0.14, 0.27), (0.25, 0), (0.34, 0), (0.48, 0.13), (0.64, 0.23),
             (0.67, 0.37), (0.56, 0.59), (0.23, 0.72), (0.10, 0.90), (0, 0.93)),
        ),
        remark="a hand with a drumstick on a desk",
    ),
    "solo_violin_vasflow_short5": Marked(
        start=5.5,
        seconds=4.4,
        region=(
            ((0.41, 0.35), (0.51, 0.38), (0.57, 0.47), (0.56, 0.60), (0.53, 0.71), (0.47, 0.73),
             (0.43, 0.62), (0.41, 0.48)),
        ),
        other=(
            ((0.59, 0.34), (1, 0.34), (1, 0.61), (0.59, 0.61)),
            ((0.08, 0.34), (0.31, 0.34), (0.31, 0.61), (0.08, 0.61)),
        ),
        remark="bow arm and violin; the crowd behind claps; a camera held in the hand drifts by "
        "1% of the width, and the light changes",
    ),
    "solo_guitar_0DCit2EBtjs": Marked(
        start=0.0,
        seconds=6.0,
        region=(
            ((0.11, 0.58), (0.20, 0.60), (0.29, 0.70), (0.42, 0.79), (0.41, 0.93), (0.35, 1),
             (0.20, 1), (0.17, 0.88), (0.12, 0.76)),
        ),
        remark="the strumming hand and its forearm; she sings, so her head sounds as well and is "
        "in neither mask",
    ),
}  # fmt: skip


def mask(polygons: tuple[Polygon, ...], height: int, width: int) -> np.ndarray:
    """Polygons as a picture, (height, width) uint8: 255 inside, 0 outside."""
    picture = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        corners = np.round(np.array(polygon) * (width, height)).astype(np.int32)
        cv2.fillPoly(picture, [corners], 255)
    return picture


def prepare(shared_data: Path, folder: Path) -> Path:
    """Write each stretch and its masks into a folder that `AvBench` opens.

    Parameters
    ----------
    shared_data : the folder of real clips
    folder : where to write; made if it is missing

    Returns
    -------
    The folder: `<name>.mkv` at the film's own size and rate, `<name>_region.png`, and
    `<name>_other.png` where other things move.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, marked in REGIONS.items():
        film = clips.read(shared_data / "video" / f"{name}.mp4", fps=None, rate=None)
        part = film.trim(marked.start, marked.seconds)
        clips.write(part, folder / f"{name}.mkv")
        height, width = part.frames.shape[1:3]
        for kind, polygons in (("region", marked.region), ("other", marked.other)):
            if polygons:
                cv2.imwrite(str(folder / f"{name}_{kind}.png"), mask(polygons, height, width))
    return folder
