"""A player that shows sound and picture in step, as one piece of HTML that needs nothing else.

Taught in `notebooks/00_foundations.ipynb`, section "Hear it".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from avsep_core import packing, tape
from avsep_core.shown import Html, framed
from avsep_core.spectrogram import STFT

FLOOR = -80.0
SPECTRUM = "magma"
MASK = "cividis"


def player(
    tracks: Mapping[str, np.ndarray],
    rate: int,
    *,
    frames: np.ndarray | None = None,
    fps: float = 25.0,
    stft: STFT | None = None,
    masks: Mapping[str, np.ndarray] | None = None,
    title: str = "",
) -> Html:
    """Build a player for tracks of one clip: hear them, switch between them, see where you are.

    All tracks run together and only the chosen one is heard, so switching happens at the same
    instant and leaves no gap. Levels stay comparable: if any track exceeds full scale, all are
    turned down by the same factor and the player says so. A silent track is allowed.

    Parameters
    ----------
    tracks : name -> (samples,), all of one length, about -1..1, in the order of the buttons
    rate : Hz
    frames : (frames, height, width, 3) uint8, the video that belongs to the tracks, or None
    fps : frames in a second
    stft : the transform whose spectrogram is shown; by default 32 ms windows every 8 ms
    masks : track name -> (freq, frames) of `stft`, real, or complex of which the magnitude
        is shown; the scale is 0 to 1
    title : a line above the player

    Returns
    -------
    An object that a notebook shows. It holds everything: no network, no kernel.

    Raises
    ------
    ValueError: no tracks, lengths that differ, empty or non-finite audio, bad rate, frames, fps,
    masks or names.

    Taught in `notebooks/00_foundations.ipynb`, section "Hear it".
    """
    sounds, rate = tape.checked(tracks, rate)
    masks = _checked_masks(masks, sounds)
    length = len(next(iter(sounds.values())))
    seconds = length / rate
    if frames is not None:
        frames = _checked_frames(frames, fps)
    stft = stft or _plain_stft(rate, length)
    if stft.rate != rate:
        raise ValueError(
            f"the tracks have {rate} Hz and the STFT {stft.name!r} is for {stft.rate} Hz; "
            "resample the tracks or take another STFT"
        )
    for name, mask in masks.items():
        if mask.shape != (stft.bins, stft.frames(length)):
            raise ValueError(
                f"the mask of {name!r} has shape {mask.shape}; the spectrogram that is shown has "
                f"{(stft.bins, stft.frames(length))}. Give `stft`, the transform of the masks"
            )
    peak = max(float(np.abs(x).max()) for x in sounds.values())
    sounds, note = tape.levelled(sounds, peak, "none clips")
    pictures = _spectrograms(sounds, stft, seconds)
    data: dict[str, Any] = {
        "title": str(title),
        **tape.coded(sounds, rate),
        "top": rate / 2,
        "fps": float(fps),
        "frames": 0,
        "note": note,
        "scales": {
            "spectrogram": {
                "labels": [f"{FLOOR:.0f}".replace("-", "\u2212"), "0 dB"],
                "colours": _ramp(SPECTRUM),
            },
            "mask": {"labels": ["0", "1"], "colours": _ramp(MASK)},
        },
    }
    for track in data["tracks"]:
        name = track["name"]
        track["picture"] = pictures[name]
        track["mask"] = _mask_picture(masks[name], stft, seconds) if name in masks else None
    if frames is not None:
        small = packing.shrink(frames)
        data |= {"frames": len(small), "height": small.shape[1], "width": small.shape[2]}
        data["video"] = packing.as_text(packing.webm(small, fps))
    label = title or "Player: " + ", ".join(sounds)
    text = f"<player: {', '.join(sounds)}; {seconds:.2f} s; shown as HTML>"
    return Html(framed("player", data, label, height=310 if frames is None else 320), text)


def _checked_masks(
    masks: Mapping[str, np.ndarray] | None, sounds: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    checked = {}
    for name, mask in (masks or {}).items():
        if name not in sounds:
            raise ValueError(f"a mask for {name!r}, which is no track; tracks: {', '.join(sounds)}")
        m = np.asarray(mask.detach().cpu() if hasattr(mask, "detach") else mask)
        m = np.abs(m) if np.iscomplexobj(m) else m.astype(np.float64)
        if m.ndim != 2 or not m.size or not np.isfinite(m).all():
            raise ValueError(
                f"the mask of {name!r} has shape {m.shape}; finite numbers (freq, frames) expected"
            )
        checked[name] = m
    return checked


def _checked_frames(frames: np.ndarray, fps: float) -> np.ndarray:
    frames = np.asarray(frames)
    if frames.ndim != 4 or frames.shape[3] != 3 or not frames.size or frames.dtype != np.uint8:
        raise ValueError(
            f"frames have shape {frames.shape} and type {frames.dtype}; "
            "(frames, height, width, 3) of uint8 was expected"
        )
    if not np.isfinite(fps) or not 0 < fps <= 240:
        raise ValueError(f"fps is {fps}; a number of frames in a second above 0 was expected")
    return frames


def _plain_stft(rate: int, length: int) -> STFT:
    window = max(8, min(2 * round(0.016 * rate), 2 * (length // 2)))
    fft = 1 << (window - 1).bit_length()
    return STFT("player", rate=rate, window=window, hop=window // 4, fft=fft, centred=True)


def _spectrograms(sounds: Mapping[str, np.ndarray], stft: STFT, seconds: float) -> dict[str, str]:
    # One common scale: a track that is 20 dB softer also looks 20 dB softer.
    powers = {name: np.abs(stft.forward(x)) for name, x in sounds.items()}
    loudest = max(float(p.max()) for p in powers.values()) or 1.0
    pictures = {}
    for name, p in powers.items():
        level = 20 * np.log10(np.maximum(p / loudest, 10 ** (FLOOR / 20)))
        grid = packing.on_grid(level, stft.times(p.shape[1]), seconds)
        pictures[name] = packing.as_text(packing.webp(1 - grid / FLOOR, SPECTRUM))
    return pictures


def _mask_picture(mask: np.ndarray, stft: STFT, seconds: float) -> str:
    grid = packing.on_grid(mask, stft.times(mask.shape[1]), seconds)
    return packing.as_text(packing.webp(grid, MASK))


def _ramp(colours: str) -> list[str]:
    import matplotlib
    from matplotlib.colors import to_hex

    return [to_hex(matplotlib.colormaps[colours](x)) for x in np.linspace(0, 1, 7)]
