"""A musician who is drawn small: head, torso, and limbs that can move in every picture."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from .body import paint_body
from .brush import Canvas
from .cast import Talker
from .features import Paint, draw_eyes, draw_lips
from .hair import mirrored
from .mouth import Mouth
from .portrait import lip_colour, paint_head, shape_of
from .scenery import HEIGHT, WIDTH, Sprite

_SIDE = 256  # px of the head before it is made small
_SWAY = (0.45, 9.0)  # px, and s: a body sways that little and that slowly


def portrait(
    person: Talker, extent: float, *, top: np.ndarray, gaze: tuple[float, float]
) -> tuple[Sprite, Sprite]:
    """A head that keeps still.

    Parameters: `person`; `extent`, side in px of the square that holds head and neck (the face
    fills half its width); `top`, colour of the clothes; `gaze`, where the eyes look, to the right
    and down, -1..1.
    Returns what lies behind the face (neck and hair) and the head, as `Sprite`s.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    red, green, blue = (int(v) for v in top)
    look, sex = replace(person.look, top=(red, green, blue)), person.sex
    head = np.array(paint_head(look, sex, _SIDE), np.float32)
    axis = (np.arange(_SIDE, dtype=np.float32) + 0.5) / _SIDE
    y, x = (np.ascontiguousarray(g[None]) for g in np.meshgrid(axis, axis, indexing="ij"))
    shape = shape_of(look, sex)
    paint = Paint(*(np.array(c, np.float32) for c in (lip_colour(look, sex), look.skin, look.eye)))
    zero = np.zeros(1)
    calm = Mouth(
        open=zero, wide=zero + 0.5, round=zero, teeth=zero, tongue=zero, tuck=zero, press=zero,
        jaw=zero,
    )  # fmt: skip
    picture = head[None, ..., :3]
    draw_lips(picture, x, y, calm, shape, paint, pixel=1 / _SIDE)
    looking = np.array([gaze]) * [0.009, 0.005]
    for side in (-1, 1):
        draw_eyes(
            picture, x, y, zero + 0.9, looking, shape, paint, side=side, pixel=1 / _SIDE
        )  # fmt: skip
    body = np.array(paint_body(look, sex, _SIDE), np.float32)
    below = 0.97 - 0.035 * np.clip((np.abs(x[0] - 0.5) - 0.12) / 0.1, 0, 1)
    fade = np.clip((below - y[0]) / 0.02, 0, 1)
    return _small(body * fade[..., None], extent), _small(head, extent)


def _small(pixels: np.ndarray, extent: float) -> Sprite:
    n = round(2 * extent)
    small = cv2.resize(pixels, (n, n), interpolation=cv2.INTER_AREA)
    return Sprite(cv2.GaussianBlur(small, (0, 0), 0.6).astype(np.float32), float(extent))


def torso(c: Canvas, x: float, y: float, *, half: float, colour: np.ndarray, light: float) -> None:
    """Paint shoulders and chest on a canvas of a whole picture.

    Parameters: `c`; `x`, `y`, the pit of the neck in px; `half`, from there to the end of a
    shoulder in px; `colour`; `light`, from where it comes, -1 left .. 1 right.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    outline = mirrored(
        ((0, 1.0), (0.2, 0.4), (0.34, -1.5), (0.62, 1.0), (0.88, 4.5), (1.0, 10), (1.0, 22),
         (0.94, 40), (0.95, 90), (0, 90))
    )  # fmt: skip
    points = [((x + (u - 0.5) * half) / WIDTH, (y + v) / WIDTH) for u, v in outline]
    shape = c.blob(points)
    c.paint(shape, colour)
    collar = ((x - 0.36 * half, y - 2), (x, y + 2.5), (x + 0.36 * half, y - 2))
    c.tint(c.stroke([(u / WIDTH, v / WIDTH) for u, v in collar], 1.6 / WIDTH), colour * 0.72)
    across = (c.x * WIDTH - x) / half
    down = (c.y * WIDTH - y) / 50
    shade = 1.05 - 0.2 * across**2 + 0.1 * light * across - 0.1 * np.clip(down, 0, 1)
    rim = shape * (1 - c.soften(shape, 0.012))
    c.tint(np.clip(1.3 * rim, 0, 1), colour * 0.5, 0.5)
    c.scale(np.where(shape > 0, np.clip(shade, 0.6, 1.15), 1).astype(np.float32))


def limb(
    frame: np.ndarray,
    a: tuple[float, float],
    b: tuple[float, float],
    thick: tuple[float, float],
    colour: np.ndarray,
    *,
    shade: float = 0.3,
    blend: bool = False,
) -> None:
    """Draw an arm, a finger or a stick, round and lit from above left, in place.

    Parameters: `frame` (H, W, 3) float32; `a`, `b`, its ends in px; `thick`, its radius at both
    in px; `colour`; `shade`, by what share its edge is darker than its middle;
    `blend`, whether the end `a` is as flat as what it grows out of.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    most = max(thick) + 1.5
    x0, x1 = max(int(min(a[0], b[0]) - most), 0), int(max(a[0], b[0]) + most) + 1
    y0, y1 = max(int(min(a[1], b[1]) - most), 0), int(max(a[1], b[1]) + most) + 1
    part = frame[y0:y1, x0:x1]
    if not part.size:
        return
    px = np.arange(x0, x0 + part.shape[1], dtype=np.float32)[None] + np.float32(0.5 - a[0])
    py = np.arange(y0, y0 + part.shape[0], dtype=np.float32)[:, None] + np.float32(0.5 - a[1])
    dx, dy = np.float32(b[0] - a[0]), np.float32(b[1] - a[1])
    along = np.clip((px * dx + py * dy) / max(dx * dx + dy * dy, np.float32(1e-6)), 0, 1)
    nx, ny = px - along * dx, py - along * dy
    far, radius = np.sqrt(nx * nx + ny * ny), thick[0] + (thick[1] - thick[0]) * along
    cover = np.clip(radius - far + 0.5, 0, 1)[..., None]
    edge = np.clip(far / radius, 0, 1)
    depth = shade * np.clip(along / 0.45, 0, 1) if blend else shade
    facing = (0.125 * nx + 0.3 * ny) / radius
    lit = (0.98 if blend else 1.06) - depth * (0.75 * edge**3 + 0.25 * edge + facing)
    part += cover * (np.asarray(colour, np.float32) * lit[..., None] - part)


def cutout(paint: Callable[[np.ndarray], None]) -> np.ndarray:
    """What a function draws on a picture, as a layer (120, 160, 4) float32, premultiplied.

    It is drawn on black and on white; where both differ, one can see through it.
    """
    black, white = (np.full((HEIGHT, WIDTH, 3), v, np.float32) for v in (0, 255))
    paint(black)
    paint(white)
    alpha = 255 - (white - black).mean(-1, keepdims=True)
    return np.concatenate([black, alpha], -1).astype(np.float32)


def sway(times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How a body that sits still sways nevertheless, (T, 2) px; too slowly to count as moving."""
    size, period = _SWAY
    start = rng.uniform(0, 2 * np.pi, 2)
    turns = 2 * np.pi * times[:, None] / (period * np.array([1.0, 1.37]))
    return np.asarray(size * np.array([1.0, 0.3]) * np.sin(turns + start))


def shifted(layer: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """A layer (H, W, 4) moved by less than a px, exactly: it glides and never jumps."""
    across, down = (
        np.array([max(-d, 0), 1 - abs(d), max(d, 0)], np.float32)[::-1] for d in (dx, dy)
    )
    return cv2.sepFilter2D(layer, -1, across, down, borderType=cv2.BORDER_REPLICATE)


def glide(
    times: np.ndarray, starts: np.ndarray, values: np.ndarray, *, before: float, after: float
) -> np.ndarray:
    """Something that goes from one value to the next and waits there, (T,).

    Parameters: `times` (T,) in s; `starts` (n,) in s, increasing, and `values` (n,), what is
    reached then: it sets out `before` s earlier and arrives `after` s later.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    where = np.full(len(times), float(values[0]) if len(values) else 0.0)
    for start, value, last in zip(starts[1:], values[1:], values[:-1], strict=True):
        x = np.clip((times - start + before) / (before + after), 0, 1)
        where += (value - last) * x * x * (3 - 2 * x)
    return where
