"""Scores that stand in for a listener: PESQ, STOI and ViSQOL, with ViSQOL's similarity NSIM.

The first three come through `scores`; each wraps an optional package.
Taught in `notebooks/00_foundations.ipynb`, section "When SDR alone misleads", and in
`notebooks/03_looking_to_listen.ipynb`, section "How it sounds: ViSQOL, PESQ and STOI".
"""

from __future__ import annotations

import threading
import warnings

import numpy as np

from .checks import whole
from .guards import not_silent, same_shape, tensor
from .media import resample
from .spectrogram import Array

# ViSQOL's speech mode: rate in Hz, and a patch in s, which starts 0.18 s into the signal.
RATE, PATCH, SHORTEST = 16000, 0.46, 0.64
LEVEL = 0.05  # root mean square, 26 dB below full scale: the usual level of speech tests
ONE_AT_A_TIME = threading.Lock()

# NSIM's constants as in ViSQOL, (0.01 L)^2 and (0.03 L)^2 / 2 with L = 1; it calls C2 "C3".
C1, C2 = 0.01**2, 0.03**2 / 2
_MIDDLE, _EDGE, _CORNER = 0.619485845753726, 0.0838251475442633, 0.0113033910173052
# ViSQOL's window for local statistics, close to a Gaussian of half a bin.
WINDOW = np.array([[_CORNER, _EDGE, _CORNER], [_EDGE, _MIDDLE, _EDGE], [_CORNER, _EDGE, _CORNER]])


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


def visqol(reference: Array, estimate: Array, rate: int) -> float:
    """Rated speech quality (ViSQOL 3, speech mode), as a mean opinion score of 1 to 5.

    The similarity of patches (`nsim`) becomes a score by ViSQOL's exponential fit, scaled so
    that equal signals score 5. ViSQOL's newer lattice network, which needs one more package, is
    not used. Signals are aligned first and their levels made equal, so neither a delay nor a
    gain counts. The first call on a machine compiles for some seconds.

    Parameters
    ----------
    reference, estimate : (samples,) speech
    rate : Hz, a whole number of 8000 or more. The score works at 16 kHz and other rates are
        resampled; below 16 kHz the empty upper bands count as alike, which raises the score:
        compare scores at one rate only

    Returns
    -------
    float

    Raises
    ------
    ValueError : the package `visqol-python` is missing, less than 0.64 s, shapes differ, NaN,
        silence, no speech in the patches that ViSQOL compares, or a rate that is too low or
        no whole number

    Ephrat et al. (2018), appendix A.2. Taught in `notebooks/03_looking_to_listen.ipynb`,
    section "How it sounds: ViSQOL, PESQ and STOI".
    """
    rate = whole(rate, "rate", least=8000)
    s, e = _speech(reference, estimate)
    try:
        from visqol import VisqolApi
    except ImportError as error:
        raise ValueError(
            "ViSQOL needs the package `visqol-python`: run `pip install visqol-python`"
        ) from error
    refusal = ValueError(
        f"ViSQOL cannot score these {len(s)} samples at {rate} Hz; it needs {SHORTEST} s or "
        "more, with speech that goes on. Score a longer stretch"
    )
    s, e = (_at_level(resample(_scaled(x), rate, RATE)) for x in (s, e))
    if len(s) < SHORTEST * RATE:
        raise refusal
    score = VisqolApi()
    score.create(mode="speech", use_lattice_model=False)
    # The package's threads end the whole process when two calls meet.
    with ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            found = score.measure_from_arrays(s, e, RATE)
        except (IndexError, ValueError) as error:
            raise refusal from error
    heard = np.zeros(len(s), bool)
    for patch in found.patch_sims:
        start = round(patch.ref_patch_start_time * RATE)
        heard[start : start + round(PATCH * RATE)] = True
    # The first patch is compared even if nobody speaks in it, and silence resembles anything.
    if not np.isfinite(found.moslqo) or np.sum(s[heard] ** 2) < 0.1 * np.sum(s**2):
        raise refusal
    return float(found.moslqo)


def nsim(reference: np.ndarray, degraded: np.ndarray, *, local: bool = True) -> float:
    """Neurogram similarity of two patches of a spectrogram: 1 if equal, 0 or less if unlike.

        NSIM(r, d) = (2 m_r m_d + C1) / (m_r^2 + m_d^2 + C1) * (s_rd + C2) / (s_r s_d + C2)

    with means m, standard deviations s and the covariance s_rd. The paper does not say over
    what they are taken; ViSQOL takes them around each bin, under a 3x3 window, and averages.

    Parameters
    ----------
    reference, degraded : (bands, frames) real, of one shape. ViSQOL's own patches are 21
        gammatone bands by 20 frames of 80 ms every 20 ms, in dB above a floor 45 dB below the
        peak of each frame
    local : statistics under the window (edges repeated), as ViSQOL; otherwise one mean and one
        deviation for the whole patch

    Returns
    -------
    float, at most 1

    Raises
    ------
    ValueError : shapes differ, not (bands, frames), empty, complex, NaN or infinite

    Ephrat et al. (2018), eq. 3; constants and window from ViSQOL. Taught in
    `notebooks/03_looking_to_listen.ipynb`, section "How it sounds: ViSQOL, PESQ and STOI".
    """
    r, d = np.asarray(reference), np.asarray(degraded)
    for name, x in (("reference", r), ("degraded", d)):
        if x.ndim != 2 or not x.size or x.dtype.kind not in "biuf" or not np.isfinite(x).all():
            raise ValueError(
                f"{name} of shape {x.shape} and type {x.dtype} was given; expected a patch of a "
                "spectrogram, (bands, frames), of real finite numbers"
            )
    if r.shape != d.shape:
        raise ValueError(
            f"patches of shapes {r.shape} and {d.shape}; give two of one shape, (bands, frames)"
        )
    r, d = r.astype(float), d.astype(float)
    mean = _windowed if local else np.mean
    m_r, m_d = mean(r), mean(d)
    # Rounding may leave a variance of a flat stretch a little below zero.
    v_r, v_d = (np.maximum(mean(x * x) - m * m, 0) for x, m in ((r, m_r), (d, m_d)))
    level = (2 * m_r * m_d + C1) / (m_r**2 + m_d**2 + C1)
    shape = (mean(r * d) - m_r * m_d + C2) / (np.sqrt(v_r * v_d) + C2)
    return float(np.mean(level * shape))


def _windowed(x: np.ndarray) -> np.ndarray:
    padded = np.pad(x, 1, mode="edge")
    bands, frames = x.shape
    shifted = [[padded[i : i + bands, j : j + frames] for j in range(3)] for i in range(3)]
    return np.einsum("ij,ijbf->bf", WINDOW, shifted)


def _at_level(x: np.ndarray) -> np.ndarray:
    # ViSQOL's floor has a fixed level, below which all sounds are alike.
    x = x.astype(np.float64)
    return x * (LEVEL / max(float(np.sqrt(np.mean(x**2))), 1e-30))


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
