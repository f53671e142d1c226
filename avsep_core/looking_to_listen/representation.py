"""Power-law spectrograms, complex ratio masks and their compression, and the loss.

A spectrogram here is a real tensor (..., 2, frames, freq): real and imaginary part, time first, as
the paper prints its sizes. Taught in `notebooks/03_looking_to_listen.ipynb`, section "Sound".
"""

from __future__ import annotations

import torch

from ..spectrogram import STFT, STFTS

PAPER = STFTS["looking_to_listen"]
"""16 kHz, windows of 25 ms every 10 ms, 257 bins (section 4.3)."""

COMPACT = STFT("looking_to_listen_compact", 8000, 200, 80, 200, centred=False)
"""The same windows at 8 kHz and without zero padding: 101 bins."""

POWER = 0.3
K, C = 10.0, 0.1


def power_law(X: torch.Tensor, power: float = POWER) -> torch.Tensor:
    """Compress magnitudes and keep phases: |X|^p X / |X| (section 4.1, "A^0.3").

    Parameters
    ----------
    X : (..., freq, frames) complex
    power : p

    Returns
    -------
    (..., 2, frames, freq) real; zero where X is zero

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "Sound".
    """
    size = X.abs().clamp_min(1e-12)
    Y = (X * size ** (power - 1)).transpose(-1, -2)
    return torch.stack([Y.real, Y.imag], dim=-3)


def undo_power_law(Y: torch.Tensor, power: float = POWER) -> torch.Tensor:
    """The inverse of `power_law`: (..., 2, frames, freq) real -> (..., freq, frames) complex."""
    Z = torch.complex(*Y.unbind(-3)).transpose(-1, -2)
    return Z * Z.abs().clamp_min(1e-12) ** (1 / power - 1)


def compress_mask(M: torch.Tensor, *, K: float = K, C: float = C) -> torch.Tensor:
    """Squash mask values of any size into -K…K: K (1 - e^(-C M)) / (1 + e^(-C M)).

    The sigmoidal compression of Williamson, Wang and Wang (2016), eq. 12, for the real and the
    imaginary part each. It equals K (2 sigmoid(C M) - 1) = K tanh(C M / 2). Any shape.

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "Masks that bend the phase".
    """
    return K * torch.tanh(C * M / 2)


def expand_mask(O: torch.Tensor, *, K: float = K, C: float = C) -> torch.Tensor:  # noqa: E741
    """The inverse of `compress_mask`: -(1 / C) log((K - O) / (K + O)), for O within -K…K."""
    return -torch.log((K - O) / (K + O)) / C


def times(M: torch.Tensor, X: torch.Tensor) -> torch.Tensor:
    """Masked spectrograms: the complex product, or the plain one with a magnitude mask.

    Parameters
    ----------
    M : (batch, outputs, 2 or 1, frames, freq); with 1 the mask is real
    X : (batch, 2, frames, freq)

    Returns
    -------
    (batch, outputs, 2, frames, freq)
    """
    X = X[:, None]
    if M.shape[2] == 1:
        return M * X
    real = M[:, :, 0] * X[:, :, 0] - M[:, :, 1] * X[:, :, 1]
    imag = M[:, :, 0] * X[:, :, 1] + M[:, :, 1] * X[:, :, 0]
    return torch.stack([real, imag], dim=2)


def squared_error(estimates: torch.Tensor, references: torch.Tensor) -> torch.Tensor:
    """Mean squared distance of power-law spectrograms (section 4.2), an output at a time.

    Parameters
    ----------
    estimates, references : (batch, outputs, 2, frames, freq)

    Returns
    -------
    (batch, outputs): sum over real and imaginary part, mean over bins
    """
    return (estimates - references).pow(2).sum(2).mean((-1, -2))


def pairwise_error(estimates: torch.Tensor, references: torch.Tensor) -> torch.Tensor:
    """`squared_error` of each estimate with each reference: (batch, estimates, references)."""
    count = references.shape[1]
    columns = [squared_error(estimates, references[:, k : k + 1]) for k in range(count)]
    return torch.stack(columns, dim=-1)
