"""Short-time Fourier transforms of the five papers, their exact inverse, and frequency warps.

Taught in `notebooks/00_foundations.ipynb`, section "From waves to spectrograms".
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from .checks import whole

# A numpy array or a torch tensor; what goes in decides what comes out.
Array = Any

SHAPES = ("hann", "sqrt_hann", "rectangular")


def is_tensor(x: object) -> bool:
    """True for a torch tensor; never imports torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def window_weights(shape: str, window: int) -> np.ndarray:
    """One analysis window.

    Parameters
    ----------
    shape : "hann" (periodic), "sqrt_hann" or "rectangular"
    window : length in samples

    Returns
    -------
    (window,) float64. Both Hann shapes are zero at their first sample and nowhere else.
    """
    if shape not in SHAPES:
        raise ValueError(f"window shape {shape!r} is unknown; take one of {', '.join(SHAPES)}")
    if shape == "rectangular":
        return np.ones(window)
    ramp = np.sin(np.pi * np.arange(window) / window)
    return ramp**2 if shape == "hann" else ramp


@dataclass(frozen=True)
class STFT:
    """A short-time Fourier transform with an inverse that is exact where windows cover.

    Frame t multiplies `window` samples by w and takes a DFT of length `fft` (zeros follow the
    window): X[f, t] = sum_n w[n] x[a_t + n] exp(-2 pi i f n / fft).

    - `centred=True`: a_t = t hop - window/2, so that frame t is centred on sample t hop; zeros
      are assumed outside the signal. There is a frame at every multiple of the hop up to the
      signal's length, and one more where the last samples would otherwise lie further than a
      quarter of a window from any centre. Every sample is covered, and well: masking cannot
      blow up the edges.
    - `centred=False`: a_t = t hop, only whole windows. The first sample (where the Hann window
      is zero) and a tail shorter than a hop are lost.

    Numbers: numpy input is computed in float64, whatever its type, and gives complex128. A torch
    tensor keeps its precision (half precision is raised to float32), its device and its gradient.
    In float32 the round trip is good to 1e-6, except near the two ends of a transform that is
    not centred: where the window is near zero, rounding is divided by it.

    Parameters
    ----------
    name : a key of `STFTS`, or your own
    rate : Hz
    window, hop, fft : samples
    centred : see above
    shape : "hann", "sqrt_hann" or "rectangular"

    Taught in `notebooks/00_foundations.ipynb`, section "From waves to spectrograms".
    """

    name: str
    rate: int
    window: int
    hop: int
    fft: int
    centred: bool
    shape: str = "hann"

    def __post_init__(self) -> None:
        window_weights(self.shape, 2)
        least = 1 if self.shape == "rectangular" else 2
        for key in ("rate", "window", "hop", "fft"):
            whole(getattr(self, key), f"STFT {self.name!r}: {key}", "Hz or samples", least=0)
        if self.window < least or self.rate < 1:
            raise ValueError(
                f"STFT {self.name!r}: rate {self.rate} Hz and window {self.window} samples; "
                f"both must be positive, and a {self.shape} window needs {least} samples or more"
            )
        widest = self.window if self.shape == "rectangular" else self.window - 1
        if not 1 <= self.hop <= widest:
            raise ValueError(
                f"STFT {self.name!r}: hop {self.hop} leaves gaps or stands still; "
                f"take 1 to {widest} samples for a {self.shape} window of {self.window}"
            )
        if self.fft < self.window:
            raise ValueError(
                f"STFT {self.name!r}: fft {self.fft} is shorter than the window {self.window}; "
                "take fft >= window"
            )

    @property
    def bins(self) -> int:
        """Number of frequencies, fft // 2 + 1."""
        return self.fft // 2 + 1

    def weights(self) -> np.ndarray:
        """The analysis window, (window,) float64."""
        return window_weights(self.shape, self.window)

    def frames(self, length: int) -> int:
        """Number of frames of a signal of `length` samples."""
        self._check_length(length)
        if not self.centred:
            return 1 + (length - self.window) // self.hop
        last = length // self.hop
        far = length - 1 - last * self.hop > self.window // 4
        return 1 + last + int(far)

    def covered(self, length: int) -> slice:
        """The samples with a nonzero weight in some window: only these can come back."""
        end = (self.frames(length) - 1) * self.hop + self.window - self._lead
        first = 0 if self.shape == "rectangular" else 1
        return slice(max(0, first - self._lead), min(length, end))

    def freqs(self) -> np.ndarray:
        """Frequency of each bin, (freq,) in Hz."""
        return np.arange(self.bins) * self.rate / self.fft

    def times(self, frames: int) -> np.ndarray:
        """Time of each frame's centre, (frames,) in seconds."""
        return (np.arange(frames) * self.hop + self.window / 2 - self._lead) / self.rate

    def forward(self, x: Array) -> Array:
        """Spectrogram of a signal.

        Parameters
        ----------
        x : (..., samples) real, numpy or torch

        Returns
        -------
        (..., freq, frames) complex, of the same kind

        Raises
        ------
        ValueError : complex, empty or (numpy only) non-finite input; without centring, a signal
            shorter than one window
        """
        x = _real(x)
        length = x.shape[-1]
        count = self.frames(length)
        need = (count - 1) * self.hop + self.window
        before = self._lead
        x = _pad(x[..., : need - before], before, need - before - min(length, need - before))
        if is_tensor(x):
            import torch

            w = torch.as_tensor(self.weights(), dtype=x.dtype, device=x.device)
            cut = x.unfold(-1, self.window, self.hop)
            return torch.fft.rfft(cut * w, n=self.fft, dim=-1).transpose(-1, -2)
        cut = np.lib.stride_tricks.sliding_window_view(x, self.window, axis=-1)
        cut = cut[..., :: self.hop, :]
        return np.swapaxes(np.fft.rfft(cut * self.weights(), n=self.fft, axis=-1), -1, -2)

    def inverse(self, X: Array, length: int, *, floor: float = 0.0) -> Array:
        """Signal of a spectrogram, by weighted overlap-add over the window-square sum.

        The least-squares inverse (Griffin and Lim, 1984, eq. 6): of all signals, the one whose
        spectrogram lies nearest to X. x[n] = sum_t w[n - a_t] y_t[n - a_t] / sum_t w[n - a_t]^2.

        Without centring, the outermost samples have a window-square sum near zero. For the
        spectrogram of a signal that is harmless; in a masked one it magnifies the edges into a
        click. `floor=0.1` keeps the divisor from falling below a tenth of its largest value.
        Centred transforms of this book have no such samples, and ignore a floor of 0.1.

        Parameters
        ----------
        X : (..., freq, frames) complex, numpy or torch, with `frames(length)` frames
        length : samples wanted
        floor : least divisor, relative to its maximum; 0 is the exact inverse

        Returns
        -------
        (..., length) real; zero outside `covered(length)`

        Raises
        ------
        ValueError : the number of bins or frames does not belong to this transform and length
        """
        count = self.frames(length)
        if X.ndim < 2 or tuple(X.shape[-2:]) != (self.bins, count):
            raise ValueError(
                f"STFT {self.name!r}: a spectrogram of {length} samples has shape "
                f"(..., {self.bins}, {count}), not {tuple(X.shape)}; give the spectrogram's own "
                "length, or one made with this transform"
            )
        w = self.weights()
        total = _overlap_add(np.broadcast_to(w**2, (count, self.window)), self.hop)
        total = _fit(total, self._lead, length)
        # Rounding leaves no exact zeros in irfft, so samples without a window are cut by hand.
        gain = np.zeros(length)
        inside = self.covered(length)
        gain[inside] = 1.0 / np.maximum(total[inside], floor * total.max())
        if is_tensor(X):
            import torch

            y = torch.fft.irfft(X.transpose(-1, -2), n=self.fft, dim=-1)[..., : self.window]
            y = y * torch.as_tensor(w, dtype=y.dtype, device=y.device)
            g = torch.as_tensor(gain, dtype=y.dtype, device=y.device)
            return _fit(_overlap_add(y, self.hop), self._lead, length) * g
        spectra = np.swapaxes(np.asarray(X, dtype=np.complex128), -1, -2)
        y = np.fft.irfft(spectra, n=self.fft, axis=-1)[..., : self.window] * w
        return _fit(_overlap_add(y, self.hop), self._lead, length) * gain

    @property
    def _lead(self) -> int:
        return self.window // 2 if self.centred else 0

    def _check_length(self, length: int) -> None:
        least = 1 if self.centred else self.window
        if length < least:
            raise ValueError(
                f"STFT {self.name!r}: a signal of {length} samples is too short; it needs at "
                f"least {least}. Pad it with zeros, or take a centred transform"
            )


def _real(x: Array) -> Array:
    if is_tensor(x):
        if x.is_complex():
            raise ValueError("a complex signal was given; the transform expects real samples")
        if not x.is_floating_point() or x.element_size() < 4:
            x = x.float()
    else:
        x = np.asarray(x)
        if np.iscomplexobj(x):
            raise ValueError("a complex signal was given; the transform expects real samples")
        x = x.astype(np.float64, copy=False)
        if not np.isfinite(x).all():
            raise ValueError("the signal holds NaN or infinite samples; mend or cut them first")
    if x.ndim < 1:
        raise ValueError("a single number was given; a signal has shape (..., samples)")
    return x


def _pad(x: Array, before: int, after: int) -> Array:
    if is_tensor(x):
        import torch

        return torch.nn.functional.pad(x, (before, after))
    return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(before, after)])


def _fit(x: Array, lead: int, length: int) -> Array:
    x = x[..., lead : lead + length]
    return _pad(x, 0, length - x.shape[-1])


def _overlap_add(pieces: Array, hop: int) -> Array:
    """Add (..., frames, window) pieces at multiples of the hop: (..., samples)."""
    count, window = pieces.shape[-2:]
    parts = math.ceil(window / hop)
    pieces = _pad(pieces, 0, parts * hop - window)
    pieces = pieces.reshape(*pieces.shape[:-1], parts, hop)
    shape = (*pieces.shape[:-3], count + parts - 1, hop)
    out = pieces.new_zeros(shape) if is_tensor(pieces) else np.zeros(shape)
    for k in range(parts):
        out[..., k : k + count, :] += pieces[..., k, :]
    return out.reshape(*shape[:-2], -1)


STFTS: dict[str, STFT] = {
    s.name: s
    for s in (
        STFT("foundations", 16000, 512, 128, 512, centred=True),
        STFT("matching_pursuit", 8000, 512, 256, 512, centred=True),
        STFT("low_rank", 8000, 640, 320, 640, centred=True),
        STFT("looking_to_listen", 16000, 400, 160, 512, centred=False),
        STFT("deep_clustering", 8000, 256, 64, 256, centred=True),
        STFT("co_separation", 11025, 1022, 256, 1022, centred=True),
    )
}


def _resample_rows(S: Array, rows: np.ndarray) -> Array:
    """Linear interpolation of (..., freq, frames) at fractional rows."""
    last = S.shape[-2] - 1
    rows = np.clip(rows, 0.0, last)
    low = np.minimum(np.floor(rows).astype(np.int64), max(last - 1, 0))
    part = (rows - low)[:, None]
    high = np.minimum(low + 1, last)
    if is_tensor(S):
        import torch

        part = torch.as_tensor(part, dtype=S.dtype, device=S.device)
        low, high = (torch.as_tensor(i, device=S.device) for i in (low, high))
    return S[..., low, :] * (1 - part) + S[..., high, :] * part


def _check_warp(S: Array, bins: int) -> None:
    if S.ndim < 2 or S.shape[-2] < 2 or bins < 2:
        raise ValueError(
            f"an array of shape {tuple(S.shape)} was to be warped to {bins} bins; "
            "give (..., freq, frames) with two frequencies or more, and two bins or more"
        )


def log_warp(S: Array, bins: int = 256) -> Array:
    """Warp a linear frequency axis to a logarithmic one (co-separation, section 4.2).

    With v and y running over -1…1 on the new and the old axis, y = (21^((v+1)/2) - 11) / 10;
    the corners of both axes meet.

    Parameters
    ----------
    S : (..., freq, frames) real or complex, numpy or torch
    bins : rows of the result

    Returns
    -------
    (..., bins, frames); an all-ones mask stays all ones

    Taught in `notebooks/00_foundations.ipynb`, section "From waves to spectrograms".
    """
    _check_warp(S, bins)
    v = np.linspace(-1.0, 1.0, bins)
    y = (21.0 ** ((v + 1) / 2) - 11) / 10
    return _resample_rows(S, (y + 1) / 2 * (S.shape[-2] - 1))


def log_unwarp(S: Array, bins: int = 512) -> Array:
    """Warp a logarithmic frequency axis back to a linear one; the inverse grid of `log_warp`.

    v = 2 log(10 y + 11) / log 21 - 1. What the log axis has smoothed away does not come back.

    Parameters
    ----------
    S : (..., freq, frames) real or complex, numpy or torch
    bins : rows of the result

    Returns
    -------
    (..., bins, frames)
    """
    _check_warp(S, bins)
    y = np.linspace(-1.0, 1.0, bins)
    v = 2 * np.log(10 * y + 11) / np.log(21.0) - 1
    return _resample_rows(S, (v + 1) / 2 * (S.shape[-2] - 1))


def decibels(S: Array, floor: float = -80.0) -> Array:
    """Magnitude in dB relative to the largest one, no lower than `floor`.

    Parameters
    ----------
    S : any shape, real or complex, numpy or torch
    floor : dB, negative

    Returns
    -------
    Same shape, real, in floor…0; silence is `floor` everywhere

    Raises
    ------
    ValueError : empty input, NaN or infinite values, or a floor that is not negative
    """
    if not -math.inf < floor < 0:
        raise ValueError(f"floor is {floor} dB; the loudest bin is 0 dB, so it must be negative")
    xp: Any = np
    if is_tensor(S):
        import torch as xp
    size = abs(S) if is_tensor(S) else np.abs(np.asarray(S))
    if 0 in size.shape:
        raise ValueError(f"an array of shape {tuple(size.shape)} has no largest magnitude")
    top = float(size.max())  # NaN and infinity get through to it
    if not math.isfinite(top):
        raise ValueError("the array holds NaN or infinite values; mend or leave them out first")
    if top == 0:
        return xp.full_like(size, floor, dtype=None if is_tensor(S) else np.float64)
    return 20 * xp.log10(xp.clip(size / top, 10 ** (floor / 20), None))
