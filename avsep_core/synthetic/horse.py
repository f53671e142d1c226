"""A wooden rocking horse that rocks beside the keyboard and makes no sound."""

import numpy as np

from .brush import Canvas
from .scenery import Sprite, canvas, lay, layer, sprite

EXTENT = 52.0
"""Side of the horse's sprite in px."""

LEAN = 0.14
"""How far the horse leans to either side, in radians."""

_RADIUS = 37.0  # px, of the rockers
_WOODS = ((184, 122, 66), (150, 92, 54), (206, 158, 104), (168, 84, 60))
_CLOTHS = ((178, 52, 48), (52, 92, 150), (60, 120, 84), (206, 150, 52))


def carve(rng: np.random.Generator, *, facing: int) -> Sprite:
    """Make a horse.

    Parameters: `rng`, for wood and cloth; `facing`, 1 right or -1 left. Returns a `Sprite`.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    c = Canvas(256)
    wood = np.array(_WOODS[int(rng.integers(len(_WOODS)))], np.float32) + rng.uniform(-8, 8)
    cloth = np.array(_CLOTHS[int(rng.integers(len(_CLOTHS)))], np.float32)
    hair = wood * 0.45 + (24, 18, 14)
    for x, lean in ((0.33, -0.05), (0.63, 0.05)):
        c.paint(c.stroke(((x + 0.03, 0.5), (x + 0.03 + lean, 0.8)), 0.055), wood * 0.72)
    _rocker(c, wood * 0.62, -0.018)
    tail = ((0.24, 0.42), (0.15, 0.44), (0.11, 0.54), (0.13, 0.64))
    c.paint(c.stroke(tail, 0.06, taper=True), hair)
    c.paint(c.stroke(((0.24, 0.42), (0.17, 0.45), (0.14, 0.56)), 0.02, taper=True), hair * 1.35)
    body = ((0.22, 0.42), (0.3, 0.375), (0.45, 0.405), (0.58, 0.37), (0.68, 0.25), (0.74, 0.165),
            (0.8, 0.15), (0.845, 0.2), (0.93, 0.285), (0.915, 0.33), (0.86, 0.335), (0.79, 0.31),
            (0.74, 0.4), (0.69, 0.52), (0.6, 0.575), (0.42, 0.565), (0.28, 0.56),
            (0.215, 0.5))  # fmt: skip
    c.paint(c.blob(body), wood)
    c.paint(c.blob(((0.74, 0.175), (0.755, 0.105), (0.79, 0.165))), wood * 0.9)
    for x, lean in ((0.29, -0.06), (0.6, 0.07)):
        leg = c.stroke(((x, 0.5), (x + lean / 2, 0.66), (x + lean, 0.815)), 0.07)
        c.paint(leg, wood * 0.92)
        c.paint(c.ellipse(x + lean, 0.815, 0.038, 0.026), hair)
    _rocker(c, wood * 0.82, 0.0)
    c.tint(c.glow(0.45, 0.41, 0.2, 0.04), np.minimum(wood * 1.3, 255), 0.6)
    c.tint(c.glow(0.45, 0.56, 0.22, 0.04), wood * 0.55, 0.5)
    c.tint(c.glow(0.72, 0.36, 0.05, 0.1), wood * 0.75, 0.35)
    mane = ((0.755, 0.135), (0.68, 0.19), (0.62, 0.29), (0.57, 0.39))
    c.paint(c.stroke(mane, 0.065, taper=True), hair)
    c.paint(c.stroke(((0.74, 0.16), (0.66, 0.24), (0.61, 0.34)), 0.02, taper=True), hair * 1.4)
    _saddle(c, cloth)
    c.paint(c.ellipse(0.822, 0.222, 0.014, 0.016), (32, 24, 22))
    c.paint(c.ellipse(0.826, 0.217, 0.005, 0.005), (245, 240, 232))
    c.paint(c.ellipse(0.905, 0.292, 0.008, 0.007), wood * 0.4)
    if facing < 0:
        c.colour, c.alpha = c.colour[:, ::-1].copy(), c.alpha[:, ::-1].copy()
    return sprite(c, EXTENT)


def _rocker(c: Canvas, tone: np.ndarray, lift: float) -> None:
    angles = np.linspace(-0.64, 0.64, 9)
    radius, middle = _RADIUS / EXTENT, 0.875 - _RADIUS / EXTENT
    curve = [
        (0.5 + float(radius * np.sin(a)), float(middle + radius * np.cos(a)) + lift) for a in angles
    ]
    c.paint(c.stroke(curve, 0.042), tone)


def _saddle(c: Canvas, cloth: np.ndarray) -> None:
    seat = ((0.36, 0.385), (0.45, 0.395), (0.53, 0.378), (0.56, 0.45), (0.52, 0.51), (0.42, 0.51),
            (0.355, 0.46))  # fmt: skip
    c.paint(c.blob(seat), cloth)
    c.tint(c.glow(0.45, 0.41, 0.07, 0.025), np.minimum(cloth * 1.45, 255), 0.6)
    trim = ((0.365, 0.46), (0.43, 0.5), (0.515, 0.5), (0.55, 0.45))
    c.paint(c.stroke(trim, 0.014), (236, 204, 120))
    c.paint(c.stroke(((0.47, 0.5), (0.475, 0.575)), 0.016), cloth * 0.6)
    c.paint(c.stroke(((0.775, 0.24), (0.83, 0.27), (0.86, 0.33)), 0.016), cloth * 0.8)
    c.paint(c.stroke(((0.79, 0.27), (0.71, 0.36), (0.56, 0.4)), 0.012), cloth * 0.75)


def shade(still: np.ndarray, x: float, floor: float) -> np.ndarray:
    """A picture (120, 160, 3) with the shadow of a horse that stands at `x`, `floor` px."""
    c = canvas()
    dark = c.glow(x / 160, (floor + 1) / 160, 0.09, 0.012)
    c.paint(dark, (40, 28, 22), 0.5)
    top = layer(c)
    return np.asarray(still * (1 - top[..., 3:] / np.float32(255)) + top[..., :3], np.float32)


def rock(frame: np.ndarray, horse: Sprite, x: float, floor: float, lean: float) -> None:
    """Lay the horse on a picture, in place, as it rolls on its rockers.

    Parameters: `frame` (H, W, 3) float32; `horse`; `x`, `floor`, px where it stands upright;
    `lean` in radians, clockwise.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    middle = 0.895 * EXTENT - _RADIUS - EXTENT / 2
    axle = x + _RADIUS * lean
    top = floor - _RADIUS
    lay(frame, horse, axle + middle * np.sin(lean), top - middle * np.cos(lean), turn=lean)
