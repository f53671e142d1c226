"""Video atoms drawn on the pictures that they were found in.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Video atoms".
"""

from __future__ import annotations

import cv2
import numpy as np

from .analysis import Analysis, small

COLOURS = ((66, 146, 198), (241, 137, 42), (80, 170, 80), (214, 69, 65))
ZOOM = 2


def outlined(frames: np.ndarray, analysis: Analysis) -> np.ndarray:
    """Pictures with the outlines of the sources' video atoms, each source in a colour of its own.

    Parameters
    ----------
    frames : (T, H, W, 3) uint8, the pictures that were analysed
    analysis : from `analyse`

    Returns
    -------
    (T, 240, width, 3) uint8; pictures without any outline where no source was found

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Video atoms".
    """
    rows = small(frames)
    height, width = rows.shape[1] * ZOOM, rows.shape[2] * ZOOM
    drawn = np.empty((len(rows), height, width, 3), np.uint8)
    for t, picture in enumerate(rows):
        canvas = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
        for source in range(len(analysis.sources)):
            own = np.flatnonzero(analysis.sources.members == source)
            lines = [
                np.round(line * ZOOM).astype(np.int32) for line in analysis.video.outlines(t, own)
            ]
            cv2.polylines(canvas, lines, True, COLOURS[source % len(COLOURS)], 1, cv2.LINE_AA)
        drawn[t] = canvas
    return drawn
