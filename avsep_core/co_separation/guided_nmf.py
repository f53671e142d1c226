"""Separation by templates that are known: those of the objects that are seen explain the mixture.

The second half of AV-MIML (see `miml`): magnitudes |X| are about W H, where the columns of W are
the templates of all objects in view and stay as they are. Each object's share of W H masks X.

Taught in `notebooks/05_co_separation.ipynb`, section "Four rivals".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from .. import masks
from ..checks import whole
from .miml import Miml
from .network import PAPER

ITERATIONS = 60
_QUIET = 1e-12


def loudness(S: torch.Tensor, W: torch.Tensor, *, iterations: int = ITERATIONS) -> torch.Tensor:
    """Non-negative H with W H close to S: the divergence of Kullback and Leibler falls.

    An iteration multiplies H by W^T R / (W^T 1) with R = S / (W H), as `nmf_mfcc.factorise` does.
    With W fixed there is one lowest value, so H begins even, and no chance is in it.

    Parameters
    ----------
    S : (freq, frames) magnitudes
    W : (freq, templates) magnitudes, no column of zeros
    iterations : updates

    Returns
    -------
    (templates, frames); in each frame, W H adds up to what S does, over the bins that W reaches
    """
    total = W.sum(0)[:, None]
    H = (S.sum(0) / total.sum()).expand(W.shape[1], -1)
    for _ in range(whole(iterations, "iterations", "iterations")):
        H = H * (W.T @ (S / (W @ H).clamp_min(_QUIET))) / total
    return H


@torch.no_grad()
def separated(
    network: Miml, sound: np.ndarray, labels: Sequence[int], *, iterations: int = ITERATIONS
) -> np.ndarray:
    """The sound of each object in a clip.

    Parameters
    ----------
    network : with templates, as `miml.gather` leaves it
    sound : (samples,) float at `PAPER.rate`, the mixture, of any length and level
    labels : classes of the objects, each once
    iterations : of `loudness`

    Returns
    -------
    (objects, samples) float32 in the order of `labels`; they add up to the mixture

    Raises
    ------
    ValueError : a sound of another shape, silent or not finite; no class, one that is not known,
        that comes twice or that has no templates
    """
    sound = np.asarray(sound, np.float32)
    if sound.ndim != 1 or not np.isfinite(sound).all() or not sound.any():
        raise ValueError(
            f"a sound of shape {sound.shape}; expected (samples,), finite and not silent"
        )
    known = all(isinstance(c, int | np.integer) and 0 <= c < network.classes for c in labels)
    if not len(labels) or not known or len(set(labels)) < len(labels):
        raise ValueError(
            f"classes {list(labels)}; expected one or more, each once, from 0 to "
            f"{network.classes - 1}: objects of one class have the same templates"
        )
    without = [int(c) for c in labels if not network.count[c]]
    if without:
        raise ValueError(f"class {without[0]} has no templates; call miml.gather with videos of it")
    level = float(np.abs(sound).max())
    X = PAPER.forward(torch.from_numpy(sound / level).to(network.kept.device))
    groups = [network.templates(c).T for c in labels]
    H = loudness(X.abs(), torch.cat(groups, 1), iterations=iterations)
    loud = H.split([W.shape[1] for W in groups])
    parts = torch.stack([W @ part for W, part in zip(groups, loud, strict=True)])
    share = masks.ideal_ratio(parts + _QUIET)
    found: np.ndarray = PAPER.inverse(masks.apply(share, X), len(sound)).cpu().numpy()
    return found * np.float32(level)
