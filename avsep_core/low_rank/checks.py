"""What the decompositions of this chapter ask of the matrices that they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..checks import whole


def matrix(
    X: Any, name: str, *, dtype: torch.dtype | None = None, device: str = "cpu"
) -> torch.Tensor:
    """A matrix (rows, frames) as a tensor; shares memory where it can.

    Parameters
    ----------
    X : (rows, frames) real, numpy or torch
    name : what the error calls it
    dtype : float32 or float64; None takes float64 if X is that, else float32
    device : where the tensor shall live

    Raises
    ------
    ValueError : not two axes, fewer than two frames, complex, NaN or infinite, constant
    """
    if not isinstance(X, torch.Tensor):
        X = np.asarray(X)
        if X.dtype.kind not in "fiub":
            raise ValueError(f"{name} of type {X.dtype}; give real numbers")
        X = torch.from_numpy(np.ascontiguousarray(X))
    if X.ndim != 2 or X.is_complex() or X.shape[0] < 1:
        raise ValueError(
            f"{name} of shape {tuple(X.shape)} and type {X.dtype}; expected a real matrix "
            "(rows, frames), one column a video frame"
        )
    if X.shape[1] < 2:
        raise ValueError(f"{name} has {X.shape[1]} frames; two or more are needed to see a change")
    if dtype is None:
        dtype = torch.float64 if X.dtype == torch.float64 else torch.float32
    X = X.detach().to(device=device, dtype=dtype).contiguous()
    low, high = (float(x) for x in X.aminmax())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{name} holds NaN or infinite values; mend or leave out those frames")
    if low == high:
        why = "is silent (all zero)" if low == 0 else f"is constant (all {low:g})"
        raise ValueError(f"{name} {why}; nothing can be told from it. Take another stretch")
    return X


def matrices(
    V: Any, A: Any, *, dtype: torch.dtype | None = None, device: str = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Both modalities, checked: real, finite, not constant, with the same number of frames.

    Parameters
    ----------
    V, A : (pixels, frames) and (freq, frames), numpy or torch
    dtype, device : as `matrix`

    Raises
    ------
    ValueError : as `matrix`, and for different numbers of frames
    """
    V = matrix(V, "the picture matrix V", dtype=dtype, device=device)
    A = matrix(A, "the sound matrix A", dtype=V.dtype, device=device)
    if V.shape[1] != A.shape[1]:
        raise ValueError(
            f"V has {V.shape[1]} frames and A has {A.shape[1]}; both need one column a video "
            "frame. Choose the STFT's hop as rate / fps, or cut both to the shorter"
        )
    return V, A


def positive(**numbers: Any) -> None:
    """ValueError unless each named number is finite and above zero."""
    for name, x in numbers.items():
        try:
            good = bool(np.isfinite(x) and x > 0)
        except TypeError:
            good = False
        if not good:
            raise ValueError(f"{name}={x!r} was given; expected a finite number above zero")


def components(K: Any, frames: int) -> int:
    """K as an int; ValueError unless it is whole and from 1 to the number of frames."""
    K = whole(K, "K", "components")
    if frames < K:
        raise ValueError(
            f"K={K} components for {frames} frames; C (K, frames) cannot have more independent "
            "rows than columns. Take a smaller K or a longer clip"
        )
    return K
