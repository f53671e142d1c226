"""A talking face as a film: head and eyes move, the mouth follows, a camera looks on."""

from dataclasses import dataclass

import cv2
import numpy as np

from .body import paint_body, paint_wall
from .cast import Talker
from .features import REACH_DOWN, REACH_UP, REACH_X, Paint, draw_eyes, draw_lips
from .mouth import Mouth
from .portrait import (
    BROW,
    EYE,
    MOUTH,
    lip_colour,
    paint_head,
    shape_of,
)

_MIDDLE = np.array([0.5, 0.52], np.float32)


@dataclass(frozen=True, eq=False)
class Film:
    """Frames (T, H, W, 3) uint8 with boxes [x, y, w, h] in px, (T, 4) float32."""

    frames: np.ndarray
    face: np.ndarray
    lips: np.ndarray


@dataclass(frozen=True, eq=False)
class Motion:
    """Movement of a head at T instants: `shift` (T, 2) fractions of the side, `turn` (T,)
    radians, `zoom` (T,), `yaw` and `nod` (T,) fractions of the side by which the nose moves,
    `lids` (T,) 0 shut .. 1 open, `gaze` (T, 2), `brows` (T,) 0..1 raised."""

    shift: np.ndarray
    turn: np.ndarray
    zoom: np.ndarray
    yaw: np.ndarray
    nod: np.ndarray
    lids: np.ndarray
    gaze: np.ndarray
    brows: np.ndarray


def _drift(rng: np.random.Generator, times: np.ndarray, *, slowest: float = 4.0) -> np.ndarray:
    """A smooth random movement (T,) of standard deviation about 1."""
    total = np.zeros_like(times)
    for k in range(6):
        period = slowest / (1 + 0.9 * k) * rng.uniform(0.8, 1.2)
        total += rng.normal(0, 1) / (1 + k) * np.sin(2 * np.pi * (times / period + rng.random()))
    return total


def _blinks(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    lids = np.ones_like(times)
    at = rng.uniform(0.3, 2.8)
    while at < times[-1] + 0.5 if times.size else False:
        lids = np.minimum(lids, np.clip((np.abs(times - at) - 0.05) / 0.08, 0, 1))
        at += rng.uniform(1.6, 4.5)
    return lids


def wander(rng: np.random.Generator, times: np.ndarray, stress: np.ndarray) -> Motion:
    """Small movements of a head that talks: it sways, nods at stresses, blinks, looks about.

    Parameters: `rng`; `times` (T,) in s; `stress` (T,) 0..1, how strongly a syllable is
    stressed. Returns a `Motion`.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    shift = 0.0045 * np.stack([_drift(rng, times), _drift(rng, times)], 1)
    turn = 0.016 * _drift(rng, times)
    nod = 0.004 * _drift(rng, times) + 0.004 * stress
    gaze = 0.0025 * np.stack([np.round(_drift(rng, times)), 0.4 * np.round(_drift(rng, times))], 1)
    return Motion(
        shift=shift,
        turn=turn,
        zoom=1 + 0.006 * _drift(rng, times),
        yaw=0.009 * _drift(rng, times),
        nod=nod,
        lids=_blinks(rng, times),
        gaze=gaze.clip(-0.007, 0.007),
        brows=np.clip(0.35 * stress + 0.3 * _drift(rng, times), 0, 1),
    )


def _grid(motion: Motion, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Face coordinates x, y (T, size, size) of the picture's pixels."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    c = (np.cos(motion.turn) / motion.zoom).astype(np.float32)[:, None, None]
    s = (np.sin(motion.turn) / motion.zoom).astype(np.float32)[:, None, None]
    shift = motion.shift.astype(np.float32)[:, :, None, None] + _MIDDLE[:, None, None]
    px, py = axis[None, None, :] - shift[:, 0], axis[None, :, None] - shift[:, 1]
    x, y = c * px + s * py, c * py - s * px
    depth = np.clip(1 - (x / 0.3) ** 2 - (y / 0.42) ** 2, 0, None)
    x += _MIDDLE[0] - motion.yaw.astype(np.float32)[:, None, None] * depth
    y += _MIDDLE[1] - motion.nod.astype(np.float32)[:, None, None] * depth
    return x, y


def place(motion: Motion, points: np.ndarray) -> np.ndarray:
    """Where points of the face (n, 2) appear in the picture, (T, n, 2), fractions of the side."""
    p = np.asarray(points, np.float64)[None] - _MIDDLE
    depth = np.clip(1 - (p[..., 0] / 0.3) ** 2 - (p[..., 1] / 0.42) ** 2, 0, None)
    p = p + depth[..., None] * np.stack([motion.yaw, motion.nod], 1)[:, None]
    c, s = (motion.zoom * f(motion.turn) for f in (np.cos, np.sin))
    rotated = np.stack(
        [c[:, None] * p[..., 0] - s[:, None] * p[..., 1],
         s[:, None] * p[..., 0] + c[:, None] * p[..., 1]], -1,
    )  # fmt: skip
    return rotated + _MIDDLE + motion.shift[:, None]


def _smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _window(
    centre: np.ndarray, left: float, up: float, right: float, down: float, size: int
) -> tuple[slice, slice]:
    """The pixels that a part of the face may reach during the whole film."""
    x0, y0 = np.floor((centre.min(0) - (left, up)) * size).astype(int)
    x1, y1 = np.ceil((centre.max(0) + (right, down)) * size).astype(int)
    return slice(max(y0, 0), min(y1, size)), slice(max(x0, 0), min(x1, size))


def _lay(
    talker: Talker, mouth: Mouth, motion: Motion, x: np.ndarray, y: np.ndarray, size: int
) -> np.ndarray:
    """Wall, body and head, jaw and brows in place, (T, size, size, 3) float32."""
    look, side = talker.look, 2 * size
    head, body = paint_head(look, talker.sex, side), paint_body(look, talker.sex, side)
    cover = body[..., 3:] / np.float32(255)
    behind = np.rint(paint_wall(look, side) * (1 - cover) + body[..., :3]).astype(np.uint8)
    drop = (0.045 * mouth.jaw).astype(np.float32)[:, None, None]
    lift = (0.012 * motion.brows).astype(np.float32)[:, None, None]
    down = drop * _smoothstep(y - drop, MOUTH - 0.01, MOUTH + 0.075)
    source_y = y - down + lift * np.exp(-0.5 * ((y - BROW) / 0.028) ** 2)
    still = motion.shift.mean(0)
    sway = still + 0.45 * (motion.shift - still)
    zoom = float(motion.zoom.mean())
    offset = (_MIDDLE * (1 - zoom) + sway) * size + 0.25 * zoom - 0.5
    frames = np.empty((*x.shape, 3), np.float32)
    for t in range(len(x)):
        dx, dy = offset[t]
        picture = cv2.warpAffine(
            behind, np.array([[zoom / 2, 0, dx], [0, zoom / 2, dy]], np.float32), (size, size),
            flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        layer = cv2.remap(
            head, x[t] * side - 0.5, source_y[t] * side - 0.5, cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
        )  # fmt: skip
        clear = cv2.merge([255 - layer[..., 3]] * 3)
        frames[t] = cv2.add(cv2.multiply(picture, clear, scale=1 / 255), layer[..., :3])
    return frames


def film(talker: Talker, mouth: Mouth, motion: Motion, *, size: int) -> Film:
    """Draw a talker.

    Parameters: `talker`; `mouth` and `motion` with T instants; `size` of a frame in px.
    Returns a `Film` as light falls on the sensor: frames float32, 0..255, without noise.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    look = talker.look
    shape, pixel = shape_of(look, talker.sex), 1.0 / size
    paint = Paint(
        *(np.array(c, np.float32) for c in (lip_colour(look, talker.sex), look.skin, look.eye))
    )
    x, y = _grid(motion, size)
    frames = _lay(talker, mouth, motion, x, y, size)
    left, right = 0.5 - shape.eye_x, 0.5 + shape.eye_x
    spots = place(motion, np.array([[0.5, MOUTH], [left, EYE], [right, EYE]]))
    box = (slice(None), *_window(spots[:, 0], REACH_X, REACH_UP, REACH_X, REACH_DOWN, size))
    part = frames[box].copy()
    draw_lips(part, x[box], y[box], mouth, shape, paint, pixel=pixel)
    frames[box] = part
    for k, eye in ((1, -1), (2, 1)):
        box = (slice(None), *_window(spots[:, k], 0.075, 0.06, 0.075, 0.045, size))
        part = frames[box].copy()
        draw_eyes(
            part, x[box], y[box], motion.lids, motion.gaze, shape, paint, side=eye, pixel=pixel
        )
        frames[box] = part
    return Film(frames, *boxes(motion, shape.mouth, size))


def boxes(motion: Motion, half: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Face and lip boxes [x, y, w, h] in px, (T, 4) float32; their sizes follow the zoom only."""
    centres = place(motion, np.array([[0.5, 0.538], [0.5, MOUTH + 0.018]]))
    scale = motion.zoom[:, None] * size
    found = []
    for k, (w, h) in enumerate(((0.56, 0.56), (2.9 * half, 1.95 * half))):
        extent = np.array([[w, h]]) * scale
        found.append(np.hstack([centres[:, k] * size - extent / 2, extent]).astype(np.float32))
    return found[0], found[1]
