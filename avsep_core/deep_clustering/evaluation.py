"""Every method of the paper's tables on one scene, and their scores.

Taught in `notebooks/04_deep_clustering.ipynb`, section "Measure it".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from .. import scores
from ..corpora.scenes import Scene
from ..masks import ideal_binary
from . import matching
from .clustering import best_frames
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


def all_masks(
    scene: Scene,
    networks: Mapping[str, Network],
    matcher: Matcher | None = None,
    *,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Masks of every row of Table III or IV: name -> (talkers, freq, frames).

    Parameters
    ----------
    scene : at `STFT.rate`
    networks : row -> network, such as "dc" and "dc_spk3"; rows with an asterisk in the paper are
        made beside them, as "dc_opt" and "dc_opt_spk3"
    matcher : for the row "av_match", which repairs those of "dc"; two talkers only
    seed : of the clustering

    Returns
    -------
    Masks of each, and of "ibm"; those of networks that look are in the order of the faces

    Raises
    ------
    ValueError : a matcher without a network "dc"; as `matched`
    """
    if matcher is not None and "dc" not in networks:
        raise ValueError("AV-Match repairs the masks of 'dc', which is not among the networks")
    truth, found, seen = ideal(scene), {}, _seen(scene, [*networks.values(), matcher])
    for row, network in networks.items():
        looks = network.architecture.looks
        masks = masks_of(
            network, scene.mixture, seen if looks else None, voices=len(scene.sources),
            seen=scene.seen if looks else None, seed=seed,
        )  # fmt: skip
        kind, _, rest = row.partition("_")
        found[row] = masks
        found[f"{kind}_opt{'_' if rest else ''}{rest}"] = best_frames(masks, truth)
    if matcher is not None and seen is not None:
        found["av_match"] = matched(matcher, found["dc"], scene.mixture, seen)
    return {**found, "ibm": truth}


def _seen(scene: Scene, networks: Sequence[Network | Matcher | None]) -> np.ndarray | None:
    for network in networks:
        if network is not None and network.architecture.looks:  # all see by the same convolutions
            return features(network.lips.pictures, scene.faces)
    return None


def scored(
    scene: Scene, masks: Mapping[str, np.ndarray], *, permute: bool = True
) -> dict[str, dict[str, list[float]]]:
    """Scores of masks: row -> {"dsdr", "sdr", "sir", "sar"}, each a list over talkers, in dB.

    Parameters
    ----------
    scene, masks : as for `all_masks`
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
