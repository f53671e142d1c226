"""Eyes and lips, drawn afresh in every picture from curves with soft edges."""

from dataclasses import dataclass

import numpy as np

from .mouth import Mouth
from .portrait import EYE, MOUTH, Shape

REACH_X, REACH_UP, REACH_DOWN = 0.135, 0.06, 0.125


@dataclass(frozen=True, eq=False)
class Paint:
    """Colours of the moving parts, each (3,) float32: lips, skin, iris."""

    lips: np.ndarray
    skin: np.ndarray
    iris: np.ndarray


def _below(y: np.ndarray, curve: np.ndarray, pixel: float) -> np.ndarray:
    """How much of a pixel lies below a curve, 0..1."""
    return np.clip((y - curve) / pixel + 0.5, 0, 1)


def _mix(picture: np.ndarray, cover: np.ndarray, colour: np.ndarray) -> None:
    picture += cover[..., None] * (colour - picture)


def gap_height(mouth: Mouth) -> np.ndarray:
    """Largest distance between the lips as a fraction of the picture's side, (T,)."""
    return 0.075 * mouth.open


def draw_lips(
    picture: np.ndarray, x: np.ndarray, y: np.ndarray, mouth: Mouth, shape: Shape, paint: Paint,
    *, pixel: float,
) -> None:  # fmt: skip
    """Draw lips, teeth, tongue and the dark of the mouth over skin, in place.

    Parameters: `picture` (T, h, w, 3) float32; `x`, `y` (T, h, w) face coordinates of its
    pixels; `mouth` with T instants; `shape`; `paint`; `pixel`, a pixel's side in the same
    unit. Each lip is bounded by two curves over the mouth's width, so that an opening of a
    tenth of a pixel already changes the picture.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """

    def each(value: np.ndarray) -> np.ndarray:
        return np.asarray(value, np.float32)[:, None, None]

    open_, wide, round_ = each(mouth.open), each(mouth.wide), each(mouth.round)
    tuck, press, gap = each(mouth.tuck), each(mouth.press), each(gap_height(mouth))
    half = shape.mouth * (1 + 0.13 * wide - 0.2 * round_ - 0.06 * open_)
    s = (x - 0.5) / half
    inside = np.clip(1 - s * s, 0, None)
    v = y - MOUTH
    arch = inside ** (1.0 - 0.3 * round_ - 0.22 * open_)
    bow = (
        inside**0.75 * (1 - 0.2 * np.exp(-((s / 0.17) ** 2)))
        + 0.05 * np.exp(-(((abs(s) - 0.3) / 0.2) ** 2)) * inside
    )
    line = -0.0045 * s * s + 0.0025 * np.exp(-((s / 0.25) ** 2)) - 0.002
    thin = (1 - 0.36 * press) * (1 - 0.12 * wide) * (1 - 0.12 * open_)
    upper = shape.upper_lip * thin * (1 + 0.3 * round_) * (1 - 0.15 * tuck)
    lower = shape.lower_lip * thin * (1 + 0.3 * round_) * (1 - 0.3 * tuck)
    top_in = line - (0.17 + 0.2 * tuck) * gap * arch
    low_in = line + (0.83 - 0.2 * tuck) * gap * arch
    top_out = top_in - upper * bow
    low_out = low_in + lower * inside**0.62

    under = np.exp(-0.5 * ((v - low_out - 0.011) / 0.008) ** 2) * inside * 0.3
    _mix(picture, under.astype(np.float32), paint.skin * 0.66)
    crest = np.exp(-0.5 * ((v - top_out + 0.005) / 0.004) ** 2) * inside * 0.22
    _mix(picture, crest.astype(np.float32), np.minimum(paint.skin * 1.15, 255))

    soft = 1.25 * pixel
    inner_top, inner_low = _below(v, top_in, pixel), _below(v, low_in, pixel)
    upper_lip = (_below(v, top_out, soft) - inner_top).clip(0, 1) * (inside > 0)
    lower_lip = (inner_low - _below(v, low_out, soft)).clip(0, 1) * (inside > 0)
    depth = ((v - top_out) / np.maximum(top_in - top_out, 1e-4)).clip(0, 1)
    shade = (0.98 - 0.26 * depth)[..., None] * paint.lips
    _mix(picture, upper_lip, shade)
    height = ((v - low_in) / np.maximum(low_out - low_in, 1e-4)).clip(0, 1)
    gloss = np.exp(-0.5 * ((height - 0.42) / 0.2) ** 2) * np.exp(-((s / 0.45) ** 2))
    shade = (1.02 - 0.1 * height)[..., None] * paint.lips + (34 * gloss)[..., None]
    _mix(picture, lower_lip, shade)

    hole = (inner_top - inner_low).clip(0, 1) * (inside > 0)
    _draw_inside(picture, hole, v, s, top_in, low_in, gap, mouth, pixel)
    seam = np.exp(-0.5 * ((v - 0.5 * (top_in + low_in)) / 0.0028) ** 2)
    seam *= (
        np.clip(1 - gap / 0.02, 0, 1) * np.clip((1.03 - abs(s)) / 0.25, 0, 1) * (0.72 - 0.3 * tuck)
    )
    _mix(picture, seam.astype(np.float32), paint.lips * 0.36)
    corner = np.exp(-0.5 * (((abs(s) - 1.0) * half / 0.008) ** 2 + ((v - line) / 0.007) ** 2))
    _mix(picture, (0.42 * corner).astype(np.float32), paint.skin * 0.5)


def _draw_inside(
    picture: np.ndarray, hole: np.ndarray, v: np.ndarray, s: np.ndarray, top_in: np.ndarray,
    low_in: np.ndarray, gap: np.ndarray, mouth: Mouth, pixel: float,
) -> None:  # fmt: skip
    round_, teeth, tongue, tuck = (
        np.asarray(value, np.float32)[:, None, None]
        for value in (mouth.round, mouth.teeth, mouth.tongue, mouth.tuck)
    )
    dark = np.array([58, 22, 24], np.float32)
    enamel = np.array([238, 232, 220], np.float32)
    flesh = np.array([196, 98, 98], np.float32)
    _mix(picture, hole, dark)
    deep = ((v - top_in) / np.maximum(gap, 1e-4)).clip(0, 1)
    low = 0.42 - 0.25 * tongue
    mound = _below(v, low_in - gap * (1 - low) * (1 - (s / 0.8) ** 2).clip(0, 1) * 0.6, 2 * pixel)
    _mix(picture, hole * mound * 0.75, flesh * (0.5 + 0.25 * deep[..., None]))
    bite = (0.0068 - 0.011 * round_) * (1 - 0.35 * s * s)
    side = np.clip((0.92 - abs(s)) / 0.1, 0, 1)
    lit = enamel * (1 - 0.35 * (s * s).clip(0, 1)[..., None])
    upper = (1 - _below(v, np.minimum(bite, low_in), pixel)) * side
    _mix(picture, hole * upper, lit)
    meet = bite + 0.003 + (1 - teeth) * 0.9 * gap
    _mix(picture, hole * _below(v, meet, pixel) * side * (0.35 + 0.55 * teeth), lit * 0.86)
    tip = np.exp(-0.5 * ((s / 0.42) ** 2)) * np.clip((tongue - 0.3) / 0.5, 0, 1)
    cover = np.exp(-0.5 * ((v - 0.012 - 0.15 * gap) / 0.0085) ** 2) * tip
    _mix(picture, (hole * np.minimum(1.3 * cover, 1)).astype(np.float32), flesh * 1.12)
    bitten = hole * tuck * (1 - _below(v, top_in + 0.016, 2 * pixel)) * side
    _mix(picture, bitten, lit)


def draw_eyes(
    picture: np.ndarray, x: np.ndarray, y: np.ndarray, lids: np.ndarray, gaze: np.ndarray,
    shape: Shape, paint: Paint, *, side: int, pixel: float,
) -> None:  # fmt: skip
    """Draw one eye over skin, in place.

    Parameters: `picture` (T, h, w, 3) float32; `x`, `y` (T, h, w) face coordinates; `lids`
    (T,) from 0 (shut) to 1 (open); `gaze` (T, 2) shift of the iris; `side` -1 or 1; `shape`,
    `paint`, `pixel` as for the lips.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    centre = 0.5 + side * shape.eye_x
    s = (x - centre) / shape.eye_half
    v = y - EYE
    inside = np.clip(1 - s * s, 0, None)
    slope = -0.0035 * s * side
    opened = lids[:, None, None].astype(np.float32)
    high = 1.1 * shape.eye_open * inside**0.62
    lower = 0.010 + slope - 0.012 * (1 - inside**0.7)
    upper_open = 0.010 + slope - 0.012 - high * 0.95
    upper = lower + (np.minimum(upper_open, lower) - lower) * opened
    within = abs(s) < 1.0
    eye = ((_below(v, upper, pixel) - _below(v, lower, pixel)).clip(0, 1)) * within

    lid = (_below(v, upper_open - 0.004, 2 * pixel) - _below(v, upper, 2 * pixel)).clip(0, 1)
    _mix(picture, lid * within * 0.8, paint.skin * np.array([0.88, 0.79, 0.76], np.float32))
    white = 0.74 * np.array([244, 241, 236], np.float32) + 0.26 * paint.skin
    shade = 1 - 0.3 * np.exp(-(v - upper).clip(0, None) / 0.008) - 0.12 * s * s
    _mix(picture, eye, white * shade[..., None])
    gx, gy = gaze[:, 0, None, None], gaze[:, 1, None, None]
    r = np.hypot(x - centre - gx, v + 0.0065 - gy)
    size = 0.0245
    iris = eye * (1 - _below(r, np.full_like(r, size), 1.4 * pixel))
    tone = paint.iris * (0.7 + 0.55 * (v + 0.02).clip(0, 0.02)[..., None] / 0.02)
    _mix(picture, iris, tone * (1.05 - 0.35 * (r / size > 0.78))[..., None])
    _mix(
        picture,
        iris * (1 - _below(r, np.full_like(r, 0.0115), 1.4 * pixel)),
        np.array([18, 14, 14], np.float32),
    )
    spark = np.hypot(x - centre - gx + 0.007, v + 0.0145 - gy)
    _mix(
        picture,
        eye * (1 - _below(spark, np.full_like(r, 0.0064), 1.4 * pixel)),
        np.full(3, 255, np.float32),
    )
    lash = np.exp(-0.5 * ((v - upper) / 0.0042) ** 2) * (abs(s) < 1.04)
    _mix(picture, (0.85 * lash).astype(np.float32), paint.skin * 0.22)
    under = np.exp(-0.5 * ((v - lower) / 0.003) ** 2) * within
    _mix(picture, (0.3 * under).astype(np.float32), paint.skin * 0.45)
    crease = np.exp(-0.5 * ((v - upper_open + 0.011) / 0.0035) ** 2) * inside
    _mix(picture, (0.35 * crease).astype(np.float32), paint.skin * 0.5)
