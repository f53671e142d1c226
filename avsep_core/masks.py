"""Ideal masks: the best that masking can do, computed from the answer.

Every function takes the sources' spectrograms S (..., sources, freq, frames), complex, numpy or
torch, whose sum over the sources is the mixture X, and returns masks of the same shape. Lists,
no sources, and NaN or infinite values are refused by a ValueError.

Taught in `notebooks/00_foundations.ipynb`, section "Masks and oracles".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .spectrogram import Array, is_tensor

SOURCES = -3


def _library(S: Array) -> Any:
    _check_array(S, "spectrograms")
    if S.ndim < 3 or S.shape[SOURCES] == 0:
        raise ValueError(
            f"spectrograms of shape {tuple(S.shape)} were given; masks need (..., sources, freq, "
            "frames) with one source or more. For one source add an axis in front"
        )
    xp: Any = np
    if is_tensor(S):
        import torch as xp
    if not xp.isfinite(S).all():
        raise ValueError(
            "the spectrograms hold NaN or infinite values, which no mask can share out; find "
            "the samples they come from, and mend or leave them out"
        )
    return xp


def _check_array(x: Array, name: str) -> None:
    if not is_tensor(x) and not (isinstance(x, np.ndarray) and x.dtype.kind in "biufc"):
        raise ValueError(
            f"{name} of type {type(x).__name__} were given; expected a numpy array or torch "
            "tensor of numbers. Stack a list first: np.stack(...)"
        )


def ideal_binary(S: Array) -> Array:
    """One for the loudest source of each bin, zero for the others.

    Parameters
    ----------
    S : (..., sources, freq, frames) complex

    Returns
    -------
    Masks of the same shape, real, 0 or 1. Each bin belongs to exactly one source: of equally
    loud ones (silence too) the first takes it.

    Taught in `notebooks/00_foundations.ipynb`, section "Masks and oracles".
    """
    xp = _library(S)
    size = xp.abs(S)
    loudest = size >= xp.amax(size, axis=SOURCES, keepdims=True)
    first = loudest & (xp.cumsum(loudest, axis=SOURCES) == 1)
    return first.to(size.dtype) if is_tensor(S) else first.astype(size.dtype)


def ideal_ratio(S: Array, power: float = 1.0) -> Array:
    """Each source's share of the magnitudes: |S_k|^p / sum_j |S_j|^p.

    Parameters
    ----------
    S : (..., sources, freq, frames) complex
    power : 1 shares magnitudes, 2 shares energies (the Wiener mask of known spectra)

    Returns
    -------
    Masks of the same shape, real, 0…1; they sum to one where there is energy, and are zero
    where every source is silent.

    Raises
    ------
    ValueError : `power` is not positive
    """
    if not power > 0:
        raise ValueError(f"power is {power}; take a positive one: 1 for magnitudes, 2 for energies")
    xp = _library(S)
    size = xp.abs(S)
    top = xp.amax(size, axis=SOURCES, keepdims=True)
    # Relative to the loudest source no power can underflow to 0/0.
    share = (size / xp.where(top > 0, top, xp.ones_like(top))) ** power
    total = share.sum(axis=SOURCES, keepdims=True)
    return share / xp.where(total > 0, total, xp.ones_like(total))


def ideal_complex(S: Array, bound: float | None = None) -> Array:
    """The complex ratio S_k / X: it restores magnitude and phase.

    Parameters
    ----------
    S : (..., sources, freq, frames) complex
    bound : if given, real and imaginary part are clipped to -bound…bound

    Returns
    -------
    Complex masks of the same shape. Without a bound their sum is one, and they give the sources
    back exactly wherever X is not zero; they are zero where it is.

    Raises
    ------
    ValueError : `bound` is not positive
    """
    if bound is not None and not bound > 0:
        raise ValueError(f"bound is {bound}; take a positive one, or None for no bound")
    xp = _library(S)
    X = S.sum(axis=SOURCES, keepdims=True)
    some = xp.abs(X) > 0
    masks = xp.where(some, S / xp.where(some, X, xp.ones_like(X)), xp.zeros_like(S))
    if bound is None:
        return masks
    real, imag = (xp.clip(part, -bound, bound) for part in (masks.real, masks.imag))
    return xp.complex(real, imag) if is_tensor(S) else real + 1j * imag


def ideal_real(S: Array) -> Array:
    """The real masks that leave the least error: M_k = Re(conj(X) S_k) / |X|^2.

    They minimise sum_k |S_k - M_k X|^2 in each bin: M_k X is the projection of S_k onto the line
    through X. Since the S_k add up to X, the projections do too: the constraint sum_k M_k = 1
    costs nothing, for two sources or more. Masks may be negative or above one, where sources
    cancel. This is the oracle of the matching-pursuit chapter.

    Parameters
    ----------
    S : (..., sources, freq, frames) complex

    Returns
    -------
    Masks of the same shape, real; they sum to one everywhere (equal shares where X is zero).
    """
    xp = _library(S)
    X = S.sum(axis=SOURCES, keepdims=True)
    size = xp.abs(X)
    some = size > 0
    # Unit phase first: |X|^2 would underflow in quiet bins.
    safe = xp.where(some, size, xp.ones_like(size))
    masks = ((X / safe).conj() * S).real / safe
    return xp.where(some, masks, xp.full_like(masks, 1.0 / S.shape[SOURCES]))


def apply(masks: Array, X: Array) -> Array:
    """Masked spectrograms.

    Parameters
    ----------
    masks : (..., sources, freq, frames) real or complex
    X : (..., freq, frames) complex, the mixture

    Returns
    -------
    (..., sources, freq, frames) complex

    Raises
    ------
    ValueError : the masks do not have the mixture's bins and frames
    """
    _check_array(masks, "masks")
    _check_array(X, "mixtures")
    if masks.ndim < 3 or X.ndim < 2 or tuple(masks.shape[-2:]) != tuple(X.shape[-2:]):
        raise ValueError(
            f"masks of shape {tuple(masks.shape)} do not fit a mixture of shape {tuple(X.shape)}; "
            "expected (..., sources, freq, frames) and (..., freq, frames) of one transform"
        )
    return masks * X[..., None, :, :]
