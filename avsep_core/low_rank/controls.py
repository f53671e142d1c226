"""Controls, which the paper lacks: what is left when sound or picture cannot have helped.

Taught in `notebooks/02_low_rank.ipynb`, section "Controls".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from .coupled import decompose
from .matrices import Matrices
from .rpca import rpca

FAINT = 1e-6


def alone(X: np.ndarray, **settings: Any) -> torch.Tensor:
    """The sparse part of one modality, by the solver of `coupled` without the other.

    In place of the other stands one row of noise, so faint that it decides nothing.

    Parameters
    ----------
    X : (rows, T), V or A
    settings : as `coupled.decompose`; lambda2 and rho as for sound. For a picture alone give its
        weight as lambda2

    Returns
    -------
    (rows, T), P_a or P_v

    Taught in `notebooks/02_low_rank.ipynb`, section "Controls".
    """
    noise = np.random.default_rng(0).standard_normal((1, X.shape[1])).astype(X.dtype)
    return decompose(FAINT * noise, X, **settings).P_a


def with_sound_of(picture: Matrices, sound: Matrices) -> Matrices:
    """The picture of one clip under the sound of another: the wrong-audio control.

    Parameters
    ----------
    picture, sound : of clips with one frame rate; the columns of the longer are cut

    Returns
    -------
    Matrices with V of the first, A and the whole mixture of the second

    Raises
    ------
    ValueError : different frame rates

    Taught in `notebooks/02_low_rank.ipynb`, section "Controls".
    """
    T = min(len(picture.times), len(sound.times))
    if not np.allclose(picture.times[:T], sound.times[:T]):
        raise ValueError(
            "the two clips have different frame rates; read both with one fps, such as 25"
        )
    return replace(
        picture,
        V=picture.V[:, :T],
        A=sound.A[:, :T],
        times=sound.times[:T],
        mixture=sound.mixture,
        scale=sound.scale,
    )


def two_rpcas(seen: Matrices, *, lam_v: float = 1.0, lam_a: float = 1.0) -> tuple[Any, Any]:
    """Two robust PCAs that know nothing of one another: (P_v, P_a).

    Parameters
    ----------
    seen : a clip's matrices
    lam_v, lam_a : their weights, in units of 1 / sqrt(max(rows, T))

    Taught in `notebooks/02_low_rank.ipynb`, section "Controls".
    """
    return rpca(seen.V, lam=lam_v).sparse, rpca(seen.A, lam=lam_a).sparse
