"""From a clip to the thing that sounds, and its sound: the method of the paper behind one door.

Taught in `notebooks/02_low_rank.ipynb`, section "Run it".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..clip import Clip
from ..separation import Separation
from . import matrices, regions
from .coupled import decompose


def separate(
    clip: Clip,
    *,
    select: bool = False,
    threshold: float = regions.THRESHOLD,
    picture: matrices.Picture = "pixels",
    stride: int | None = None,
    balance: float = 1.0,
    **settings: Any,
) -> Separation:
    """Find where the sound comes from, and take it out of its background.

    Parameters
    ----------
    clip : any size, frame rate and audio rate; the sound is brought to 8 kHz
    select : of separate regions, keep only the one whose motion follows the sound best; the
        paper has no such step
    threshold : share of the largest value of the map that a pixel of the region reaches
    picture, stride, balance : as `matrices.of_clip`
    settings : as `coupled.decompose`: K, lambda1, lambda2, lambda3, iterations, start, device,
        progress, …

    Returns
    -------
    Separation at 8 kHz with one voice, the sound of P_a, and its mask; `background`, the rest of
    the mixture; `regions` (1, H, W) bool, where P_v moves. No voice, and the reason, where P_v or
    P_a is zero.

    Raises
    ------
    ValueError : as `matrices.of_clip` and `coupled.decompose`

    Taught in `notebooks/02_low_rank.ipynb`, section "Run it".
    """
    seen = matrices.of_clip(clip, picture=picture, stride=stride, balance=balance)
    found = decompose(seen.V, seen.A, **settings)
    image = regions.spread(seen.picture(found.P_v), seen.size)
    place = regions.region(image, threshold=threshold)
    P_a = found.P_a.cpu().numpy()
    if not place.any() or not np.any(P_a > 0):
        empty = "picture" if not place.any() else "sound"
        return Separation(
            np.zeros((0, len(seen.mixture)), np.float32),
            matrices.STFT.rate,
            (),
            background=seen.mixture,
            clip=clip,
            reason=f"the sparse part of the {empty} is zero; take a smaller "
            f"{'lambda1' if empty == 'picture' else 'lambda2'}",
        )
    if select:
        place = regions.select(clip.frames, image, place, regions.envelope(P_a))[0].region
    voice = seen.sound(P_a)
    return Separation(
        voice[None],
        matrices.STFT.rate,
        ("source",),
        masks=seen.mask(P_a)[None],
        regions=place[None],
        background=seen.mixture - voice,
        clip=clip,
    )
