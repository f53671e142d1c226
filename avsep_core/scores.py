"""How good is a separation? The door to every score of the book.

Sounds are scored here: SDR, SIR, SAR (the mathematics is in `bss`), SI-SDR and what is derived
from them. PESQ, STOI and ViSQOL (`perceptual`), F1 and L_c for places (`localisation`) and
bootstrap intervals (`intervals`) come through this module too.

Taught in `notebooks/00_foundations.ipynb`, sections "BSS Eval: a score as two
projections" to "How sure are we? Intervals over talkers".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from . import bss
from .guards import largest, not_silent, same_shape, tensor
from .intervals import Interval, bootstrap
from .localisation import f1, l_c
from .perceptual import pesq, stoi, visqol
from .spectrogram import Array

__all__ = [
    "BSS",
    "CEILING",
    "Interval",
    "bootstrap",
    "bss_eval",
    "delta_sdr",
    "f1",
    "l_c",
    "mixture_sdr",
    "nsdr",
    "pesq",
    "si_sdr",
    "stoi",
    "visqol",
]

# Every score in dB is clipped to -CEILING…CEILING: a perfect estimate scores CEILING.
CEILING = bss.CEILING


class BSS(NamedTuple):
    """BSS Eval scores in dB, each (..., sources); estimate `permutation[..., j]` was taken for
    reference j."""

    sdr: np.ndarray
    sir: np.ndarray
    sar: np.ndarray
    permutation: np.ndarray


def bss_eval(
    references: Array, estimates: Array, *, permute: bool = True, filter_length: int = 512
) -> BSS:
    """SDR, SIR and SAR of BSS Eval version 3, for whole batches.

    Parameters
    ----------
    references, estimates : (..., sources, samples) real, numpy or torch (any device)
    permute : match estimates to references by the largest mean SIR; otherwise in the given order
    filter_length : taps of the distortion filter that is forgiven

    Returns
    -------
    BSS of numpy arrays. Scores are clipped to ±100 dB (what lies beyond is rounding), so a
    perfect estimate scores 100, and so does the SIR of a single source.

    Raises
    ------
    ValueError : shapes differ, NaN or infinite samples, a silent source or estimate, two
        references that are copies of each other, or fewer samples than filter taps

    Taught in `notebooks/00_foundations.ipynb`, section "BSS Eval: a score as two projections";
    the mathematics is in `bss`.
    """
    S, E = _pair(references, estimates, filter_length)
    shape = S.shape[:-1]
    S, E = S.reshape(-1, *S.shape[-2:]), E.reshape(-1, *E.shape[-2:])
    found = bss.pairwise(S, E, filter_length=filter_length)
    tables = [t.cpu().numpy() for t in found]
    order = np.tile(np.arange(shape[-1]), (len(S), 1))
    if permute:
        order = np.array([linear_sum_assignment(-sir)[1] for sir in tables[1]], dtype=np.int64)
        order = order.reshape(len(S), shape[-1])
    picked = [np.take_along_axis(t, order[:, :, None], axis=2).reshape(shape) for t in tables]
    return BSS(picked[0], picked[1], picked[2], order.reshape(shape))


def delta_sdr(
    references: Array, estimates: Array, mixture: Array, *, permute: bool = True
) -> np.ndarray:
    """How much SDR a separation gains over the untouched mixture.

    Parameters
    ----------
    references, estimates : (..., sources, samples)
    mixture : (..., samples)
    permute : as in `bss_eval`

    Returns
    -------
    (..., sources) dB: SDR of each estimate minus SDR of the mixture, against the same reference

    Raises
    ------
    ValueError : as `bss_eval`, and for a mixture of another length

    Taught in `notebooks/00_foundations.ipynb`, section "When SDR alone misleads".
    """
    return bss_eval(references, estimates, permute=permute).sdr - mixture_sdr(references, mixture)


def mixture_sdr(references: Array, mixture: Array) -> np.ndarray:
    """SDR of the mixture itself, taken as the estimate of each source.

    Parameters
    ----------
    references : (..., sources, samples)
    mixture : (..., samples)

    Returns
    -------
    (..., sources) dB
    """
    S, x = tensor(references, "references"), tensor(mixture, "mixture", least=1)
    if x.shape != (*S.shape[:-2], S.shape[-1]):
        raise ValueError(
            f"mixture of shape {tuple(x.shape)} for references of shape {tuple(S.shape)}; "
            "the mixture has their shape without the axis of sources. Cut both to one length"
        )
    return _sdr(S, x[..., None, :].expand_as(S))


def nsdr(reference: Array, estimate: Array, mixture: Array) -> np.ndarray:
    """Normalised SDR of the low-rank paper (section 3): SDR(v', v) - SDR(s', v).

    Parameters
    ----------
    reference : (..., samples) the clean sound v
    estimate : (..., samples) the separated sound v'
    mixture : (..., samples) the noisy sound s'

    Returns
    -------
    (...) dB
    """
    v, found, noisy = (
        tensor(x, name, least=1)[..., None, :]
        for x, name in ((reference, "reference"), (estimate, "estimate"), (mixture, "mixture"))
    )
    return (_sdr(v, found) - _sdr(v, noisy))[..., 0]


def si_sdr(references: Array, estimates: Array, *, zero_mean: bool = False) -> np.ndarray:
    """Scale-invariant SDR: |a s|^2 / |a s - e|^2 with a = <e, s> / <s, s>.

    No filter is forgiven, only a gain, so it never exceeds the SDR of BSS Eval.

    Parameters
    ----------
    references, estimates : (..., samples), matched already
    zero_mean : remove each signal's mean first (a constant offset is then forgiven too)

    Returns
    -------
    (...) dB, clipped to ±100

    Raises
    ------
    ValueError : shapes differ, NaN, or a silent signal

    Roux et al., "SDR: half-baked or well done?" (2019), eq. 4. Taught in
    `notebooks/00_foundations.ipynb`, section "When SDR alone misleads".
    """
    s, e = (
        tensor(x, name, least=1)
        for x, name in ((references, "references"), (estimates, "estimates"))
    )
    same_shape(s, e)
    not_silent(s, e, constant=zero_mean)
    s, e = (x / largest(x)[..., None] for x in (s, e))
    if zero_mean:
        s, e = (x - x.mean(dim=-1, keepdim=True) for x in (s, e))
    s = s / s.norm(dim=-1, keepdim=True)
    e = e / e.norm(dim=-1, keepdim=True)
    target = (s * e).sum(dim=-1, keepdim=True) * s
    ratio = target.square().sum(dim=-1) / (target - e).square().sum(dim=-1).clamp_min(1e-300)
    return (10 * torch.log10(ratio.clamp_min(1e-300))).clamp(-CEILING, CEILING).cpu().numpy()


def _sdr(S: torch.Tensor, E: torch.Tensor) -> np.ndarray:
    """SDR of (..., sources, samples) in the given order, without SIR and SAR."""
    S, E = _pair(S, E, 512)
    shape = S.shape[:-1]
    S, E = S.reshape(-1, 1, S.shape[-1]), E.reshape(-1, 1, E.shape[-1])
    return bss.pairwise(S, E, only_sdr=True).sdr.reshape(shape).cpu().numpy()


def _pair(references: Array, estimates: Array, taps: int) -> tuple[torch.Tensor, torch.Tensor]:
    S, E = tensor(references, "references"), tensor(estimates, "estimates")
    same_shape(S, E)
    n, samples = S.shape[-2:]
    if n == 0 or taps < 1 or samples <= n * taps:
        raise ValueError(
            f"{samples} samples of {n} sources with filters of {taps} taps; there must be more "
            f"than sources x taps = {n * taps} samples, or the filters can imitate anything. "
            "Give longer signals, or a smaller filter_length"
        )
    not_silent(S, E)
    return S, E.to(S.device)
