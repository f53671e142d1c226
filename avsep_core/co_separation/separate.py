"""A video goes in, and each object's sound comes out: the method of the paper behind one door.

Taught in `notebooks/05_co_separation.ipynb`, section "Run it".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import cycle, islice
from numbers import Real
from typing import Any

import numpy as np

from ..checks import whole
from ..clip import Clip, resample
from ..separation import Separation
from .detector import Detection, Detector, Finder
from .network import PAPER, Separator
from .objects import cut, middle, surest
from .sliding import separated
from .tasks import ROOT_MEAN_SQUARE

VIEWS = 8
"""How many pictures of a clip are looked at, if it has so many."""
FEWEST = 1 / 4
"""Share of them in which a class must be found, where nobody asked for it."""
LOUDNESS = 2**0.5 * ROOT_MEAN_SQUARE
"""Root mean square that networks hear: that of the mixtures they learnt from."""
SILENCE = 1e-6

Seen = dict[str, list[tuple[int, Detection]]]
"""Name -> (picture, detection) of an object, the surest first, as `objects.surest` tells them."""


class NoObjectError(ValueError):
    """Fewer objects than asked for, or others, are seen in a clip."""


def separate(
    clip: Clip,
    objects: int | str | Sequence[Any] | np.ndarray | None = None,
    *,
    network: Separator | None = None,
    detector: Finder | None = None,
    hop: float = 0.5,
) -> Separation:
    """Give each object in a clip its sound.

    Parameters
    ----------
    clip : any length, size, frame rate and audio rate. The network works at 11025 Hz: nothing
        above 5.5 kHz comes back, of a sound at 8 kHz nothing above 4 kHz
    objects : how many; names of classes; or boxes (x, y, width, height) in px or `Detection`s, one
        an object, which stay where they are. None takes each class that is found often enough
    network : of kind co_separation; by default the shipped one
    detector : finds the objects, one of each class; by default the shipped one. Boxes need none
    hop : seconds from one window to the next; smaller is smoother and slower

    Returns
    -------
    Separation at 11025 Hz: a voice an object, named by its class, or "object 1", …; from left to
    right where they were found, else in the given order. `regions` (objects, T, 4) are their boxes
    in px, what of them is in the picture, interpolated between the pictures that were looked at.
    `background` is what no object took, so that it and the voices add up to the clip's sound

    Raises
    ------
    NoObjectError : no object, fewer than asked for, or none of a class asked for
    ValueError : no clip, a silent one, one shorter than a window of the transform; a class that the
        detector does not know; a box without area or outside the picture; another kind of network

    Section 3.3.
    """
    if not isinstance(clip, Clip):
        raise ValueError(
            f"clip is of type {type(clip).__name__}; give a `clip.Clip`, as from `clip.read(path)`"
        )
    if network is not None and network.architecture.kind != "co_separation":
        raise ValueError(
            f"a network of kind {network.architecture.kind!r} sees whole pictures, no objects; "
            "take one of kind co_separation, or none for the shipped one"
        )
    audio = resample(clip.audio, clip.rate, PAPER.rate).astype(np.float32)
    if len(audio) < PAPER.window:
        raise ValueError(
            f"clip {clip.name!r} lasts {clip.seconds:.3g} s; the shortest sound that can be "
            f"separated is one window of {PAPER.window / PAPER.rate:.3g} s"
        )
    if float(np.abs(audio).max()) < SILENCE:
        raise ValueError(
            f"clip {clip.name!r} is silent below {PAPER.rate / 2000:.1f} kHz; give one with sound"
        )
    count = min(VIEWS, len(clip.frames))
    at = ((np.arange(count) + 0.5) * len(clip.frames) / count).astype(int)
    seen = _seen(clip, clip.frames[at], objects, detector)
    network = shipped()[1] if network is None else network.eval()
    windows = [
        [cut(clip.frames[at[k]], one.box) for k, one in islice(cycle(views), count)]
        for views in seen.values()
    ]
    pictures = middle(np.array(windows), network.architecture.side)
    loud = np.float32(LOUDNESS / np.sqrt(np.mean(audio**2)))
    voices = separated(network, loud * audio, pictures, hop=hop) / loud
    return Separation(
        voices,
        PAPER.rate,
        tuple(seen),
        regions=np.stack([_path(views, at, clip.frames.shape) for views in seen.values()]),
        background=audio - voices.sum(0),
        clip=clip,
    )


@lru_cache(maxsize=1)
def shipped() -> tuple[Detector, Separator]:
    """The shipped detector and network, loaded once."""
    from . import recipes

    return recipes.detector(), recipes.load("co_separation_0")


def _seen(clip: Clip, frames: np.ndarray, objects: Any, detector: Finder | None) -> Seen:
    """The objects to listen to, in (views, H, W, 3)."""
    if not (objects is None or isinstance(objects, Real | str)):
        objects = list(objects) if isinstance(objects, Sequence | np.ndarray) else []
        if not objects:
            raise ValueError(
                "objects is neither a number nor a list that holds something; give objects=2, names"
                ' ["violin", …], or boxes [(x, y, width, height), …]'
            )
        if not all(isinstance(one, str) for one in objects):
            return _given(objects, *frames.shape[:3])
    detector = shipped()[0] if detector is None else detector
    classes = ", ".join(detector.names)
    if objects is None or isinstance(objects, Real):
        names, wanted = None, 1 if objects is None else whole(objects, "objects", "objects")
        asked = f"{wanted} or more"
    else:
        names = [objects] if isinstance(objects, str) else objects
        wanted, asked = len(names), " and ".join(names)
        if len(set(names)) < wanted or not set(names) <= set(detector.names):
            raise ValueError(
                f"objects={names!r} given; expected names, each once, out of {classes}. To listen "
                "to others, or to two of a class, give boxes: [(x, y, width, height), …]"
            )
    found = surest(detector.detect(frames), most=len(detector.names))
    if names is None:
        often = [name for name, views in found.items() if len(views) >= FEWEST * len(frames)]
        kept = often if objects is None else list(found)[:wanted]
        kept.sort(key=lambda name: np.dot(found[name][0][1].box, (1, 0, 0.5, 0)))
    else:
        kept = [name for name in names if name in found]
    if len(kept) < wanted:
        raise NoObjectError(
            f"{', '.join(found) or 'no object'} found in {len(frames)} pictures of clip "
            f"{clip.name!r}; wanted {asked}, out of {classes}. Give a clip that shows what is "
            "asked for, ask for what is seen, or give boxes: objects=[(x, y, width, height), …]"
        )
    return {name: found[name] for name in kept}


def _given(objects: list[Any], count: int, height: int, width: int) -> Seen:
    """Boxes and detections that stay where they are in `count` pictures."""
    seen: Seen = {}
    for k, one in enumerate(objects):
        name, box = (one.name, one.box) if isinstance(one, Detection) else (f"object {k + 1}", one)
        try:
            x, y, w, h = map(float, box)
            good = bool(np.isfinite([x, y, w, h]).all()) and w <= 2 * width and h <= 2 * height
        except (TypeError, ValueError):
            good = False
        if not good:
            raise ValueError(
                f"box {box!r} in pictures of {width} x {height} px; expected x, y, width, height "
                "in px, at most twice the picture's, in a list: [(x, y, width, height), …]"
            )
        others = (f"{name} {n}" for n in range(2, len(objects) + 1))
        name = next(free for free in (name, *others) if free not in seen)
        seen[name] = [(t, Detection(name, 1.0, (x, y, w, h))) for t in range(count)]
    return seen


def _path(
    views: Sequence[tuple[int, Detection]], at: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """The part of an object's box that is in the picture, in each frame: (frames, 4)."""
    views = sorted(views, key=lambda view: view[0])
    times, boxes = at[[k for k, _ in views]], np.array([one.box for _, one in views])
    size = np.array(shape[2:0:-1])
    low, high = boxes[:, :2].clip(0, size), (boxes[:, :2] + boxes[:, 2:]).clip(0, size)
    inside = np.hstack([low, high - low])
    return np.stack([np.interp(np.arange(shape[0]), times, side) for side in inside.T], axis=1)
