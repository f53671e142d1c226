"""Scores that stand in for a listener: PESQ and STOI.

They come through `scores.pesq` and `scores.stoi`; each wraps an optional package.
Taught in `notebooks/00_foundations.ipynb`, section "When SDR alone misleads".
"""

from __future__ import annotations

import warnings

import numpy as np

from .checks import whole
from .guards import not_silent, same_shape, tensor
from .spectrogram import Array


def pesq(reference: Array, estimate: Array, rate: int) -> float:
    """Perceptual speech quality (ITU-T P.862), as a mean opinion score of about 1 to 4.6.

    Parameters
    ----------
    reference, estimate : (samples,) speech
    rate : 8000 (narrow band, P.862) or 16000 Hz (wide band, P.862.2)

    Returns
    -------
    float

    Raises
    ------
    ValueError : another rate, the package `pesq` is missing, no speech found, or too short
    """
    modes = {8000: "nb", 16000: "wb"}
    if rate not in modes:
        raise ValueError(f"PESQ at {rate} Hz; it is defined at 8000 and 16000 Hz. Resample first")
    s, e = _speech(reference, estimate)
    try:
        import pesq as package
    except ImportError as error:
        raise ValueError("PESQ needs the package `pesq`: run `pip install pesq`") from error
    try:
        return float(package.pesq(int(rate), s, e, modes[rate]))
    except package.PesqError as error:
        raise ValueError(
            f"PESQ cannot score these {len(s)} samples at {rate} Hz ({type(error).__name__}); "
            "it needs a quarter of a second or more, with audible speech"
        ) from error


def stoi(reference: Array, estimate: Array, rate: int) -> float:
    """Short-time objective intelligibility (Taal et al., 2011), about 0 to 1.

    Parameters
    ----------
    reference, estimate : (samples,) speech
    rate : Hz, a whole number; the score itself works at 10 kHz

    Returns
    -------
    float

    Raises
    ------
    ValueError : the package `pystoi` is missing, less than about 0.4 s of speech, NaN, silence,
        or a rate that is no whole number
    """
    rate = whole(rate, "rate")
    s, e = _speech(reference, estimate)
    try:
        import pystoi
    except ImportError as error:
        raise ValueError("STOI needs the package `pystoi`: run `pip install pystoi`") from error
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return float(pystoi.stoi(_scaled(s), _scaled(e), rate))
        except (RuntimeWarning, ValueError) as error:
            raise ValueError(
                f"STOI cannot score these {len(s)} samples at {rate} Hz; it needs 30 frames "
                "(about 0.4 s) in which the reference speaks"
            ) from error


def _scaled(x: np.ndarray) -> np.ndarray:
    # Intelligibility has no level, but the package adds a tiny constant to every energy. A power
    # of two changes no digit.
    return np.ldexp(x, -int(np.frexp(np.abs(x).max())[1]))


def _speech(reference: Array, estimate: Array) -> tuple[np.ndarray, np.ndarray]:
    s, e = tensor(reference, "reference", least=1), tensor(estimate, "estimate", least=1)
    same_shape(s, e)
    if s.ndim != 1:
        raise ValueError(f"signals of shape {tuple(s.shape)}; give one reference, (samples,)")
    not_silent(s, e)
    return s.cpu().numpy(), e.cpu().numpy()
