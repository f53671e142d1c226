"""Every method of the paper's tables on one scene, and their scores.

Taught in `notebooks/04_deep_clustering.ipynb`, section "Measure it".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from .. import scores
from ..corpora.scenes import Scene
from ..masks import ideal_binary
from . import matching
from .embedding import features, masks_of, sounds
from .features import STFT
from .matching import Matcher
from .network import Network


def ideal(scene: Scene) -> np.ndarray:
    """Ideal binary masks of a scene, (talkers, freq, frames)."""
    found: np.ndarray = ideal_binary(STFT.forward(scene.sources.astype(np.float64)))
    return found


@torch.no_grad()
def matched(matcher: Matcher, masks: np.ndarray, audio: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Masks of two voices whose frames are put in order by what fits the lips (AV-Match).

    Parameters
    ----------
    matcher : see `recipes.load`
    masks : (2, freq, frames), of DC
    audio : (samples,) the mixture
    seen : (2, T, pictured) of `embedding.features`

    Returns
    -------
    (2, freq, frames), the first of the first face

    Raises
    ------
    ValueError : another number of voices or faces
    """
    if len(masks) != 2 or len(seen) != 2:
        raise ValueError(
            f"{len(masks)} voices and {len(seen)} faces; AV-Match orders two voices by two faces"
        )
    device = next(matcher.parameters()).device
    X = STFT.forward(torch.from_numpy(np.ascontiguousarray(audio, np.float32)))
    level = matching.masked_levels(torch.from_numpy(masks).float()[None], X[None, None])
    found = matching.evidence(matcher(level.to(device), torch.from_numpy(seen)[None].to(device)))
    swap = matching.order(found[0].cpu().numpy())
    return np.where(swap, masks[::-1], masks)


def separated(
    network: Network,
    scene: Scene,
    seen: np.ndarray | None = None,
    *,
    there: np.ndarray | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Masks of a network on a scene: (talkers, freq, frames), those that look in the faces' order.

    Parameters
    ----------
    network : of any kind
    scene : at `STFT.rate`
    seen : (talkers, T, pictured) of `embedding.features`, to look at instead of the scene's faces
    there : (talkers, T) bool, False hides a picture; those that the detector missed are hidden, too
    seed : of the clustering
    """
    voices = len(scene.sources)
    if not network.architecture.looks:
        return masks_of(network, scene.mixture, voices=voices, seed=seed)
    seen = features(network.lips.pictures, scene.faces) if seen is None else seen
    there = scene.seen if there is None else scene.seen & there
    return masks_of(network, scene.mixture, seen, voices=voices, seen=there, seed=seed)


def scored(
    scene: Scene, masks: Mapping[str, np.ndarray], *, permute: bool = True
) -> dict[str, dict[str, list[float]]]:
    """Scores of masks: row -> {"dsdr", "sdr", "sir", "sar"}, each a list over talkers, in dB.

    Parameters
    ----------
    scene : at `STFT.rate`
    masks : row -> (talkers, freq, frames)
    permute : match voices to talkers by BSS Eval; otherwise the k-th voice is the k-th talker's
    """
    X = STFT.forward(scene.mixture.astype(np.float64))
    voices = np.stack([sounds(m, X, len(scene.mixture)) for m in masks.values()])
    references = np.broadcast_to(scene.sources, voices.shape)
    found = scores.bss_eval(references, voices, permute=permute)
    before = scores.mixture_sdr(scene.sources, scene.mixture)
    told: dict[str, Any] = {}
    for k, row in enumerate(masks):
        told[row] = {
            "dsdr": (found.sdr[k] - before).tolist(), "sdr": found.sdr[k].tolist(),
            "sir": found.sir[k].tolist(), "sar": found.sar[k].tolist(),
        }  # fmt: skip
    return told
