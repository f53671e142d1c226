"""Pictures of sound in one style: waveforms, spectrograms, masks.

Colours are those of Okabe and Ito, which people with any common colour vision tell apart; lines
differ in dash as well, so a legend reads without colour. The paper behind a figure is opaque and
light, so figures read on light and dark pages alike.

Taught in `notebooks/00_foundations.ipynb`, section "What a mixture is".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from avsep_core.spectrogram import STFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {
    "blue": "#0072b2",
    "vermilion": "#d55e00",
    "green": "#009e73",
    "purple": "#cc79a7",
    "sky": "#56b4e9",
    "orange": "#e69f00",
    "ink": "#1d2330",
    "soft": "#5b6475",
    "line": "#d5d9e0",
    "paper": "#fcfbf8",
}
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
FLOOR = -80.0


def style() -> None:
    """Make matplotlib draw in the book's style, until it is told otherwise.

    Taught in `notebooks/00_foundations.ipynb`, section "What a mixture is".
    """
    import matplotlib
    from cycler import cycler

    names = ("blue", "vermilion", "green", "purple", "sky", "orange")
    ink, paper = COLOURS["ink"], COLOURS["paper"]
    matplotlib.rcParams.update(
        {
            "figure.figsize": (7.2, 3.2),
            "figure.dpi": 110,
            "savefig.dpi": 110,
            "figure.facecolor": paper,
            "savefig.facecolor": paper,
            "axes.facecolor": paper,
            "figure.constrained_layout.use": True,
            "figure.constrained_layout.h_pad": 0.09,
            "figure.constrained_layout.w_pad": 0.09,
            "font.size": 11,
            "axes.titlesize": 12,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": 11,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "legend.fontsize": 10,
            "legend.frameon": False,
            "legend.handlelength": 2.8,
            "text.color": ink,
            "axes.labelcolor": ink,
            "axes.titlecolor": ink,
            "axes.edgecolor": COLOURS["soft"],
            "xtick.color": ink,
            "ytick.color": ink,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "grid.color": COLOURS["line"],
            "grid.linewidth": 0.8,
            "lines.linewidth": 1.8,
            "axes.prop_cycle": cycler(color=[COLOURS[n] for n in names]) + cycler(linestyle=LINES),
            "image.cmap": "magma",
            "image.interpolation": "nearest",
            "image.aspect": "auto",
        }
    )


def show_waveforms(
    waveforms: Mapping[str, np.ndarray],
    rate: int,
    *,
    title: str = "",
) -> list[Axes]:
    """Draw waveforms under one another, on one scale of time and one of amplitude.

    Parameters
    ----------
    waveforms : name -> (samples,)
    rate : Hz
    title : above the figure

    Returns
    -------
    The axes, from top to bottom.

    Raises
    ------
    ValueError: no waveforms, one that is empty or not finite, a bad rate.

    Taught in `notebooks/00_foundations.ipynb`, section "What a mixture is".
    """
    import matplotlib.pyplot as plt

    if not waveforms:
        raise ValueError("no waveforms: {'mixture': samples, ...} was expected")
    arrays = {name: _line(name, x) for name, x in waveforms.items()}
    if not rate > 0:
        raise ValueError(f"rate is {rate}; a sampling rate in Hz was expected")
    limit = max(float(np.abs(x).max()) for x in arrays.values()) * 1.05 or 1.0
    count = len(arrays)
    figure, axes = plt.subplots(
        count, 1, sharex=True, sharey=True, squeeze=False, figsize=(7.2, 0.7 + 1.15 * count)
    )
    for ax, (name, x) in zip(axes[:, 0], arrays.items(), strict=True):
        low, high, edges = _envelope(x)
        ax.fill_between(edges / rate, low, high, color=COLOURS["blue"], linewidth=0.4)
        ax.set_title(name, fontweight="normal", fontsize=11)
        ax.set_ylim(-limit, limit)
        ax.margins(x=0)
    axes[-1, 0].set_xlabel("time (s)")
    figure.supylabel("amplitude", fontsize=11)
    _headline(figure, title)
    return list(axes[:, 0])


def show_spectrogram(
    sound: np.ndarray,
    stft: STFT,
    *,
    ax: Axes | None = None,
    title: str = "",
    reference: float | None = None,
) -> Axes:
    """Draw a spectrogram in decibels, from -80 dB to the loudest bin, with axes in s and kHz.

    Parameters
    ----------
    sound : (samples,) real audio, or its spectrogram (freq, frames), complex or magnitude
    stft : the transform; gives the axes
    ax : where to draw; a new figure by default
    title : above the picture
    reference : magnitude that is 0 dB; by default the loudest bin. Give the mixture's, to compare.

    Returns
    -------
    The axes.

    Raises
    ------
    ValueError: an array that is neither audio nor a spectrogram of this transform, or not finite.

    Taught in `notebooks/00_foundations.ipynb`, section "From waves to spectrograms".
    """
    magnitude = np.abs(_spectrogram(sound, stft))
    top = float(magnitude.max()) if reference is None else float(reference)
    level = 20 * np.log10(np.maximum(magnitude / (top or 1.0), 10 ** (FLOOR / 20)))
    ax = ax or _axes()
    picture = ax.imshow(level, origin="lower", extent=_extent(level, stft), vmin=FLOOR, vmax=0.0)
    _finish(ax, picture, title, "level (dB)")
    return ax


def show_masks(
    masks: Sequence[np.ndarray] | np.ndarray,
    stft: STFT,
    names: Sequence[str],
    *,
    title: str = "",
) -> list[Axes]:
    """Draw masks beside one another, always on the scale from 0 to 1.

    Parameters
    ----------
    masks : (sources, freq, frames); of a complex mask the magnitude is drawn
    stft : the transform they belong to; gives the axes
    names : one for each source
    title : above the figure

    Returns
    -------
    The axes, from left to right. Values outside 0..1 are drawn as the nearer end of the scale.

    Raises
    ------
    ValueError: shapes or numbers of masks and names that do not fit, or values not finite.

    Taught in `notebooks/00_foundations.ipynb`, section "Masks and oracles".
    """
    import matplotlib.pyplot as plt

    arrays = [_spectrogram(m, stft) for m in _masks(masks)]
    arrays = [np.abs(m) if np.iscomplexobj(m) else m for m in arrays]
    if not arrays or len(arrays) != len(names):
        raise ValueError(f"{len(arrays)} masks and {len(names)} names; one name a mask, please")
    count = len(arrays)
    figure, axes = plt.subplots(
        1, count, sharey=True, squeeze=False, figsize=(max(4.6, 3.4 * count + 0.8), 3.2)
    )
    for ax, mask, name in zip(axes[0], arrays, names, strict=True):
        picture = ax.imshow(
            mask, origin="lower", extent=_extent(mask, stft), vmin=0.0, vmax=1.0, cmap="cividis"
        )
        ax.set_title(name, fontweight="normal", fontsize=11)
        ax.set_xlabel("time (s)")
    axes[0, 0].set_ylabel("frequency (kHz)")
    figure.colorbar(picture, ax=list(axes[0]), label="mask", pad=0.02)
    _headline(figure, title)
    return list(axes[0])


def _masks(masks: Sequence[np.ndarray] | np.ndarray) -> list[np.ndarray]:
    if getattr(masks, "ndim", 3) != 3:
        raise ValueError("masks of shape (sources, freq, frames) were expected; for one, [mask]")
    return list(masks)


def _numpy(x: Any) -> np.ndarray:
    return np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)


def _line(name: str, x: Any) -> np.ndarray:
    x = _numpy(x)
    if x.ndim != 1 or not len(x) or not np.isfinite(x).all():
        raise ValueError(f"{name!r} has shape {x.shape}; finite samples, (samples,), expected")
    return x


def _spectrogram(sound: Any, stft: STFT) -> np.ndarray:
    x = _numpy(sound)
    if x.ndim == 1:
        x = stft.forward(_line("audio", x))
    rows = stft.fft // 2 + 1
    if x.ndim != 2 or x.shape[0] != rows or not x.shape[1] or not np.isfinite(x).all():
        raise ValueError(
            f"shape {x.shape}: finite audio (samples,) or a picture ({rows} freq, frames) for the "
            f"STFT {stft.name!r} was expected"
        )
    return x


def _envelope(x: np.ndarray, columns: int = 1200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    starts = np.unique(np.linspace(0, len(x), min(columns, len(x)), endpoint=False).astype(int))
    return np.minimum.reduceat(x, starts), np.maximum.reduceat(x, starts), starts


def _extent(picture: np.ndarray, stft: STFT) -> tuple[float, float, float, float]:
    # Pixels are centred on their bin's frequency and their frame's time.
    times, freqs = stft.times(picture.shape[1]), stft.freqs() / 1000
    half_hop, half_bin = stft.hop / stft.rate / 2, freqs[1] / 2
    return times[0] - half_hop, times[-1] + half_hop, freqs[0] - half_bin, freqs[-1] + half_bin


def _axes() -> Axes:
    import matplotlib.pyplot as plt

    return plt.subplots()[1]


def _headline(figure: Any, title: str) -> None:
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")


def _finish(ax: Axes, picture: Any, title: str, unit: str) -> None:
    ax.set_ylim(0, picture.get_extent()[3])
    ax.set_xlabel("time (s)")
    ax.set_ylabel("frequency (kHz)")
    ax.set_title(title)
    ax.figure.colorbar(picture, ax=ax, label=unit, pad=0.02)
