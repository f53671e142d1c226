"""A mixing desk: click on what sounds in a picture to hear it alone, and mix all sounds anew.

Taught in `notebooks/05_co_separation.ipynb`, section "What you will see, hear and be able to do".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from avsep_core import packing, tape
from avsep_core.shown import Html, framed

SLACK = 0.5
"""px by which a box may stand out of the picture, as rounding makes it; that part is cut off."""


def desk(
    frame: np.ndarray,
    boxes: Mapping[str, Sequence[float] | np.ndarray],
    sounds: Mapping[str, np.ndarray],
    rate: int,
    *,
    title: str = "",
) -> Html:
    """Build a mixing desk for the separated sounds of one clip.

    A click on a box in the picture plays its sound alone, another click brings all back. Each sound
    has a slider for its volume, 0 dB at first and off at the lower end. All sounds run together and
    only their volumes change, so with every slider at 0 dB their sum is heard. If some mix of them
    exceeds full scale, all are turned down by the same factor and the desk says so.

    Parameters
    ----------
    frame : (height, width, 3) uint8, the picture
    boxes : name -> (x, y, width, height) in px of the picture, for those of the sounds that are
        seen; a sound without a box, such as the rest, has a slider only
    sounds : name -> (samples,), all of one length, about -1..1, in the order of the sliders
    rate : Hz
    title : a line above the desk

    Returns
    -------
    An object that a notebook shows. It holds everything: no network, no kernel.

    Raises
    ------
    ValueError : a frame of another shape or type, a box outside it or of a name without a sound, no
        sounds, lengths that differ, empty or non-finite audio, bad rate or names
    """
    checked, rate = tape.checked(sounds, rate, kind="desk", noun="sound")
    frame = _checked_frame(frame)
    places = {name: _place(name, box, frame.shape, checked) for name, box in boxes.items()}
    levelled, note = tape.levelled(checked, _loudest(checked), "no mix of them clips", noun="sound")
    data: dict[str, Any] = {
        "title": str(title),
        **tape.coded(levelled, rate),
        "photo": packing.as_text(packing.photo(frame)),
        "height": frame.shape[0],
        "width": frame.shape[1],
        "note": note,
    }
    for track in data["tracks"]:
        track["box"] = places.get(track["name"])
    names = ", ".join(levelled)
    text = f"<desk: {names}; {data['seconds']:.2f} s; shown as HTML>"
    return Html(framed("desk", data, title or f"Mixing desk: {names}", height=360), text)


def _checked_frame(frame: Any) -> np.ndarray:
    frame = np.asarray(frame)
    if frame.ndim != 3 or frame.shape[2] != 3 or not frame.size or frame.dtype != np.uint8:
        raise ValueError(
            f"the frame has shape {frame.shape} and type {frame.dtype}; one picture, (height, "
            "width, 3) of uint8, was expected"
        )
    return frame


def _place(
    name: str, box: Any, shape: tuple[int, ...], sounds: Mapping[str, np.ndarray]
) -> list[float]:
    """A box as parts of the picture's width and height: left, top, width, height."""
    if name not in sounds:
        raise ValueError(f"a box for {name!r}, which has no sound; sounds: {', '.join(sounds)}")
    given = np.asarray(box, np.float64)
    if given.shape != (4,) or not np.isfinite(given).all():
        raise ValueError(f"the box of {name!r} is {box}; x, y, width and height in px expected")
    size = np.array(shape[1::-1], np.float64)
    low, high = given[:2], given[:2] + given[2:]
    if (given[2:] <= 0).any() or (low < -SLACK).any() or (high > size + SLACK).any():
        raise ValueError(
            f"the box of {name!r} is {given.tolist()}; x, y, width and height, both sides above 0, "
            f"all within the frame of {shape[1]} x {shape[0]} px, were expected: cut it first"
        )
    low, high = np.clip(low, 0, size), np.clip(high, 0, size)
    return [round(float(v), 4) for v in (*(low / size), *((high - low) / size))]


def _loudest(sounds: Mapping[str, np.ndarray]) -> float:
    """The largest magnitude that any mix reaches whose volumes lie between 0 and 1."""
    stacked = np.stack(list(sounds.values()))
    # At each sample the worst mix keeps what has one sign and leaves out the rest.
    over, under = np.maximum(stacked, 0).sum(0), np.maximum(-stacked, 0).sum(0)
    return float(max(over.max(), under.max()))
