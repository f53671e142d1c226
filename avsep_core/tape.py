"""Tracks of one clip that run in step, checked, levelled and coded for a page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from avsep_core import packing


def checked(
    tracks: Mapping[str, np.ndarray], rate: int, *, kind: str = "player", noun: str = "track"
) -> tuple[dict[str, np.ndarray], int]:
    """Check tracks that shall run together.

    Parameters
    ----------
    tracks : name -> (samples,), all of one length, arrays or tensors of floats
    rate : Hz
    kind, noun : what the errors call the widget and one of its tracks

    Returns
    -------
    The tracks in float64, and the rate as an int.

    Raises
    ------
    ValueError : no tracks, lengths that differ, empty or non-finite audio, bad rate or names
    """
    if not isinstance(tracks, Mapping) or not tracks:
        raise ValueError(f"a {kind} needs at least one {noun}: {{'name': samples, ...}}")
    if not 1000 <= rate <= 384000 or rate != int(rate):
        raise ValueError(f"rate is {rate}; a whole number of Hz, 1000 to 384000, was expected")
    sounds = {}
    for name, audio in tracks.items():
        if not isinstance(name, str) or not name.strip() or len(name) > 60:
            raise ValueError(f"{noun} name {name!r}: a name of 1 to 60 characters was expected")
        x = np.asarray(audio.detach().cpu() if hasattr(audio, "detach") else audio)
        if x.ndim != 1 or not len(x) or np.iscomplexobj(x) or not np.issubdtype(x.dtype, np.number):
            raise ValueError(
                f"{noun} {name!r} is an array {x.shape} of {x.dtype}; one channel of real "
                "samples, (samples,), was expected"
            )
        if np.issubdtype(x.dtype, np.integer):
            raise ValueError(f"{noun} {name!r} holds integers; floats of about -1..1 were expected")
        if not np.isfinite(x).all():
            raise ValueError(f"{noun} {name!r} holds NaN or infinite samples; repair it first")
        sounds[name] = x.astype(np.float64)
    lengths = {name: len(x) for name, x in sounds.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name}: {n}" for name, n in lengths.items())
        raise ValueError(f"the {noun}s differ in length ({said} samples); cut or pad them first")
    return sounds, int(rate)


def levelled(
    sounds: Mapping[str, np.ndarray], peak: float, reason: str, *, noun: str = "track"
) -> tuple[dict[str, np.ndarray], str]:
    """Turn all tracks down by one factor where they would exceed full scale.

    Parameters
    ----------
    sounds : name -> (samples,)
    peak : the largest magnitude that can be heard; above 1, all are divided by it
    reason, noun : end of the sentence that tells the reader, and what it calls a track

    Returns
    -------
    The tracks, and what the reader should be told: by how much they are softer, which are silent.
    """
    notes = []
    if peak > 1.0:
        down = 20 * math.log10(peak)
        notes.append(f"All {noun}s are {down:.1f} dB softer here, so that {reason}.")
    silent = [name for name, x in sounds.items() if not x.any()]
    if silent:
        notes.append(f"Silent: {', '.join(silent)}.")
    return {name: x / max(peak, 1.0) for name, x in sounds.items()}, " ".join(notes)


def coded(sounds: Mapping[str, np.ndarray], rate: int) -> dict[str, Any]:
    """Code tracks as `tape.js` reads them.

    Parameters
    ----------
    sounds : name -> (samples,), all of one length, about -1..1
    rate : Hz

    Returns
    -------
    Plain data: the coded rate, where the tracks begin, their seconds, and a list of tracks.
    """
    from scipy.signal import resample_poly

    mp3_rate = packing.coded_rate(rate)
    tracks = []
    for name, x in sounds.items():
        audio = x if rate == mp3_rate else resample_poly(x, mp3_rate, rate)
        tracks.append({"name": name, "audio": packing.as_text(packing.mp3(audio, mp3_rate))})
    return {
        "rate": mp3_rate,
        "lead": packing.LEAD,
        "gap": packing.GAP,
        "seconds": len(next(iter(sounds.values()))) / rate,
        "tracks": tracks,
    }
