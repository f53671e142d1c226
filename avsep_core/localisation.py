"""Did the method point at the right place? F1 and L_c of the low-rank paper (section 3)."""

from __future__ import annotations

import numpy as np


def f1(found: np.ndarray, truth: np.ndarray) -> float:
    """F1 of a region: the harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN).

    Parameters
    ----------
    found, truth : same shape, boolean; pixels marked, and pixels that are the source

    Returns
    -------
    0…1; 0 if nothing was found

    Raises
    ------
    ValueError : shapes differ, not boolean, or an empty truth

    The low-rank paper, section 3.
    """
    found, truth = np.asarray(found), np.asarray(truth)
    _check_regions(found, truth)
    both = np.count_nonzero(found & truth)
    return 2.0 * both / (np.count_nonzero(found) + np.count_nonzero(truth))


def l_c(image: np.ndarray, truth: np.ndarray) -> float:
    """Localisation criterion L_c of the low-rank paper (section 3, after Kidron et al.).

    With the energy e(x) = |image(x)|^2, the correct pixels D_c = {x in truth: e(x) > 0}, and R
    an area in pixels, L_c = (energy in D_c / all energy) (R_1 + R_2) / R_c. R_1 is the true
    region, R_2 the rest, R_c the size of D_c.

    R_c stands in the denominator: finding *less* of the source raises L_c. Read `f1` beside it.

    Parameters
    ----------
    image : (height, width) real, a result such as the sparse part of one frame
    truth : (height, width) boolean

    Returns
    -------
    0 (nothing found, or nothing right) to height x width (a single pixel, and it is right)

    Raises
    ------
    ValueError : shapes differ, NaN, truth not boolean or empty
    """
    image, truth = np.asarray(image, dtype=np.float64), np.asarray(truth)
    if not np.isfinite(image).all():
        raise ValueError("the image holds NaN or infinite values; L_c needs finite energies")
    _check_regions(image != 0, truth)
    top = np.abs(image).max()
    energy = (image / top) ** 2 if top > 0 else np.zeros_like(image)
    right = truth & (image != 0)
    if not right.any():
        return 0.0
    return float(energy[right].sum() / energy.sum() * truth.size / np.count_nonzero(right))


def _check_regions(found: np.ndarray, truth: np.ndarray) -> None:
    if found.shape != truth.shape or found.dtype != bool or truth.dtype != bool:
        raise ValueError(
            f"regions of shape {found.shape} {found.dtype} and {truth.shape} {truth.dtype}; "
            "expected two boolean arrays of one shape, for instance `energy > 0`"
        )
    if not truth.any():
        raise ValueError("the true region is empty; a localisation needs something to find")
