"""Checks that every score makes before it computes: real, finite, sounding, alike in shape."""

from __future__ import annotations

import numpy as np
import torch

from .spectrogram import Array


def tensor(x: Array, name: str, least: int = 2) -> torch.Tensor:
    """Finite float64 samples, on the device of x, without its gradient.

    Parameters
    ----------
    x : (..., samples) real, numpy or torch
    name : what the error calls it
    least : axes it must have, 1 or 2

    Raises
    ------
    ValueError : no numbers, too few axes, no samples, an empty batch, complex, NaN or infinite
    """
    x = x.detach() if isinstance(x, torch.Tensor) else _from_numbers(x, name)
    if x.ndim < least or x.shape[-1] == 0 or 0 in x.shape[:-least] or x.is_complex():
        axes = "(..., sources, samples)" if least == 2 else "(..., samples)"
        raise ValueError(
            f"{name} of shape {tuple(x.shape)} and type {x.dtype} were given; "
            f"expected real samples of shape {axes}"
        )
    if x.device.type == "mps":  # has no float64
        x = x.cpu()
    x = x.to(torch.float64)
    # The largest magnitude tells in one pass: NaN and infinity get through to it.
    if not torch.isfinite(largest(x)).all():
        raise ValueError(f"{name} hold NaN or infinite samples; mend or leave out that signal")
    return x


def _from_numbers(x: Array, name: str) -> torch.Tensor:
    try:
        found = np.array(x, order="C")
        if found.dtype.kind in "biufc":
            return torch.from_numpy(found)
    except (TypeError, ValueError):  # rows of different lengths; a type that torch does not have
        pass
    raise ValueError(
        f"{name} of type {type(x).__name__} hold no table of numbers; give samples as a numpy "
        "array or a torch tensor, all signals of one length"
    )


def largest(x: torch.Tensor) -> torch.Tensor:
    """Largest magnitude along the last axis; NaN if there is one. Fast: no copy of x is made."""
    return torch.maximum(x.amax(dim=-1), -x.amin(dim=-1))


def same_shape(S: torch.Tensor, E: torch.Tensor) -> None:
    """ValueError unless references and estimates have one shape."""
    if S.shape != E.shape:
        raise ValueError(
            f"references of shape {tuple(S.shape)} and estimates of shape {tuple(E.shape)}; "
            "give as many estimates as references, cut to one length and at one rate"
        )


def not_silent(S: torch.Tensor, E: torch.Tensor, *, constant: bool = False) -> None:
    """ValueError if a reference or an estimate is all zero (or, with `constant`, all equal)."""
    for name, x in (("reference", S), ("estimate", E)):
        flat = (x == x[..., :1]).all(dim=-1) if constant else largest(x) == 0
        if flat.any():
            where = [int(k) for k in flat.nonzero()[0]]
            raise ValueError(
                f"{name} {where or ''} is silent (all {'equal' if constant else 'zero'}); a score "
                "needs some sound in each. Leave the silent one out, or score another stretch"
            )
