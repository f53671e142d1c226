"""A sound of any length: separated window by window, the windows averaged (section 3.3).

Taught in `notebooks/05_co_separation.ipynb`, section "Run it".
"""

from __future__ import annotations

import numpy as np
import torch

from ..checks import within
from .network import PAPER, Separator, spectrogram, unwarped


def starts(samples: int, window: int, hop: int) -> list[int]:
    """Where windows begin: every `hop` samples, a window at most, and one that ends the sound."""
    last = max(samples - window, 0)
    return [*range(0, last, min(hop, window)), last]


@torch.no_grad()
def separated(
    network: Separator, sound: np.ndarray, pictures: np.ndarray, *, hop: float = 0.5
) -> np.ndarray:
    """The sound of each object in a clip.

    Parameters
    ----------
    network : of any kind
    sound : (samples,) float at `PAPER.rate`; what is shorter than a window is padded with silence
    pictures : (objects, views, 3, side, side) uint8; the masks of an object's views are averaged
    hop : seconds from one window to the next; no more than a window counts

    Returns
    -------
    (objects, samples) float32

    Raises
    ------
    ValueError : another shape, no object, a sound that is not finite, a hop of zero or less

    Equation: section 3.3, "sliding window".
    """
    a = network.architecture
    sound = np.asarray(sound, np.float32)
    wanted = (3, a.side, a.side)
    if pictures.ndim != 5 or 0 in pictures.shape or pictures.shape[2:] != wanted:
        raise ValueError(
            f"pictures of shape {pictures.shape}; expected (objects, views, 3, {a.side}, {a.side}),"
            " one object and one view at least"
        )
    if sound.ndim != 1 or not len(sound) or not np.isfinite(sound).all():
        raise ValueError(
            f"a sound of shape {sound.shape}; expected (samples,), finite and not empty"
        )
    within(hop, "hop", 1e-3, 3600)
    device, (objects, views) = next(network.parameters()).device, pictures.shape[:2]
    seen = torch.from_numpy(np.ascontiguousarray(pictures)).flatten(0, 1).to(device) / 255
    padded = np.pad(sound, (0, max(a.samples - len(sound), 0)))
    total = torch.zeros(objects, len(padded), device=device)
    count = torch.zeros(len(padded), device=device)
    of = torch.zeros(objects * views, dtype=torch.int64, device=device)
    for start in starts(len(padded), a.samples, round(hop * PAPER.rate)):
        stretch = slice(start, start + a.samples)
        piece = torch.from_numpy(padded[stretch]).to(device)
        masks = network(spectrogram(piece, a.bins)[None], seen, of)[0].unflatten(
            0, (objects, views)
        )
        X = PAPER.forward(piece)
        total[:, stretch] += PAPER.inverse(unwarped(masks.mean(1)) * X, a.samples)
        count[stretch] += 1
    found: np.ndarray = (total / count)[:, : len(sound)].cpu().numpy()
    return found
