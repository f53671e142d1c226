"""Hair of the drawn faces: an outline, a window for the face, and strands."""

import numpy as np

from .brush import Canvas, Points
from .cast import Look

Half = tuple[tuple[float, float], ...]

_SHORT: Half = (
    (0, 0.085),
    (0.11, 0.095),
    (0.2, 0.15),
    (0.25, 0.25),
    (0.26, 0.36),
    (0.246, 0.45),
    (0.2, 0.5),
)
_CLOSE: Half = (
    (0, 0.108),
    (0.11, 0.118),
    (0.195, 0.17),
    (0.238, 0.26),
    (0.251, 0.36),
    (0.243, 0.45),
    (0.2, 0.5),
)
_QUIFF: Half = (
    (0, 0.05), (0.12, 0.045), (0.21, 0.11), (0.25, 0.24), (0.258, 0.36), (0.245, 0.45), (0.2, 0.5),
)  # fmt: skip
_MOP: Half = (
    (0, 0.055), (0.13, 0.065), (0.235, 0.13), (0.285, 0.26), (0.285, 0.38), (0.258, 0.48),
    (0.2, 0.52),
)  # fmt: skip
_LONG: Half = (
    (0, 0.062), (0.13, 0.075), (0.24, 0.15), (0.29, 0.29), (0.298, 0.45), (0.305, 0.62),
    (0.325, 0.8), (0.34, 0.96), (0.3, 1.08),
)  # fmt: skip
_BOB: Half = (
    (0, 0.062), (0.13, 0.075), (0.24, 0.15), (0.292, 0.3), (0.303, 0.46), (0.308, 0.62),
    (0.3, 0.72), (0.262, 0.775), (0.2, 0.785), (0.1, 0.76),
)  # fmt: skip
OUTLINES: dict[str, Half] = {
    "short": _SHORT, "side": _SHORT, "buzz": _CLOSE, "receding": _SHORT, "pixie": _SHORT,
    "quiff": _QUIFF, "mop": _MOP,
    "long": _LONG, "wavy": _LONG, "fringe": _LONG, "bob": _BOB,
    "bun": _CLOSE, "pony": _CLOSE,
}  # fmt: skip

_OPEN: Half = ((0, 0.212), (0.1, 0.218), (0.17, 0.262), (0.208, 0.34), (0.226, 0.44), (0.25, 0.56))
_FRAMED: Half = (
    (0, 0.2), (0.07, 0.225), (0.145, 0.285), (0.19, 0.37), (0.208, 0.48), (0.212, 0.6),
    (0.205, 0.72), (0.19, 0.9), (0.21, 1.2),
)  # fmt: skip
_BANGS: Half = (
    (0, 0.352), (0.07, 0.356), (0.14, 0.366), (0.187, 0.4), (0.205, 0.48), (0.212, 0.6),
    (0.205, 0.72), (0.19, 0.9), (0.21, 1.2),
)  # fmt: skip
WINDOWS: dict[str, Half] = {
    "short": _OPEN, "buzz": _OPEN, "quiff": _OPEN, "bun": _OPEN, "pony": _OPEN,
    "side": ((0.02, 0.245), (0.1, 0.26), (0.172, 0.3), (0.21, 0.37), (0.226, 0.45), (0.25, 0.56)),
    "pixie": ((0, 0.27), (0.09, 0.3), (0.165, 0.34), (0.205, 0.4), (0.22, 0.47), (0.24, 0.56)),
    "receding": ((0, 0.19), (0.06, 0.185), (0.14, 0.18), (0.2, 0.27), (0.226, 0.4), (0.25, 0.56)),
    "mop": ((0, 0.335), (0.09, 0.345), (0.16, 0.345), (0.2, 0.4), (0.224, 0.47), (0.25, 0.56)),
    "long": _FRAMED, "wavy": _FRAMED, "bob": _FRAMED, "fringe": _BANGS,
}  # fmt: skip

_HANGING = ("long", "wavy", "fringe", "bob")
_SWEPT = ("side", "pixie", "quiff")


def mirrored(half: Half, *, width: float = 1.0) -> Points:
    """A closed outline from its right half, given from the top down, around x = 0.5."""
    right = [(0.5 + x * width, y) for x, y in half]
    left = [(0.5 - x * width, y) for x, y in half if x > 1e-6]
    return right + left[::-1]


def _window(style: str, width: float) -> Points:
    half = WINDOWS[style]
    points = list(mirrored((*half, (half[-1][0], 1.3)), width=width))
    if style in _SWEPT:
        points = [(x, y + (0.1 * (x - 0.42) if y < 0.36 else 0.0)) for x, y in points]
    if style == "mop":
        points = [(x, y + 0.012 * np.sin(70 * x)) if y < 0.36 else (x, y) for x, y in points]
    return points


def _curls(canvas: Canvas, look: Look, sex: str, rng: np.random.Generator) -> np.ndarray:
    low = 0.66 if sex == "f" else 0.44
    mask = np.zeros_like(canvas.alpha)
    for angle in np.linspace(-1, 1, 23 if sex == "f" else 19):
        reach = angle * (2.35 if sex == "f" else 1.85)
        x = 0.5 + 0.245 * np.sin(reach) * (1.06 if sex == "f" else 1.0)
        y = min(0.31 - 0.205 * np.cos(reach), low)
        radius = (0.062 if sex == "f" else 0.047) * rng.uniform(0.85, 1.15)
        mask = np.maximum(mask, canvas.ellipse(x, y, radius, radius))
    inside = canvas.blob(mirrored(_SHORT))
    return np.maximum(mask, inside)


def strands(canvas: Canvas, look: Look, rng: np.random.Generator) -> np.ndarray:
    """A picture of hair colour (n, n, 3): strands that fan out from above, with a sheen."""
    angle = np.arctan2(canvas.x - 0.5, canvas.y + 0.12)
    steps = rng.standard_normal(160)
    fine = np.interp(angle, np.linspace(-1.6, 1.6, 160), steps)
    coarse = np.interp(angle, np.linspace(-1.6, 1.6, 40), rng.standard_normal(40))
    radius = np.hypot((canvas.x - 0.5) * 0.8, canvas.y - 0.4)
    sheen = np.exp(-0.5 * ((radius - 0.235) / 0.035) ** 2) * np.clip((0.4 - canvas.y) / 0.15, 0, 1)
    fall = np.clip(1.05 - 0.35 * (canvas.y - 0.15), 0.7, 1.05)
    factor = fall * (1 + 0.06 * fine + 0.06 * coarse) + 0.14 * sheen * (1 + 0.5 * fine)
    lift = 14 * sheen
    return np.clip(np.asarray(look.hair, np.float32) * factor[..., None] + lift[..., None], 0, 255)


def paint_behind(canvas: Canvas, look: Look, sex: str, rng: np.random.Generator) -> None:
    """Hair that hangs behind neck and shoulders, onto the body's layer."""
    style = look.hair_style
    shade = np.asarray(look.hair, np.float32) * 0.72
    if style in _HANGING:
        outline = mirrored(OUTLINES[style])
        if style == "wavy":
            outline = _waves(outline)
        canvas.paint(canvas.blob(outline), strands(canvas, look, rng) * 0.78)
    elif style == "pony":
        tail = ((0.66, 0.3), (0.79, 0.42), (0.81, 0.6), (0.77, 0.8), (0.72, 0.7), (0.7, 0.5))
        canvas.paint(canvas.blob(tail), strands(canvas, look, rng) * 0.85)
    elif style == "curly" and sex == "f":
        canvas.paint(_curls(canvas, look, sex, rng), shade)


def _waves(points: Points) -> Points:
    return [(x + 0.014 * np.sin(36 * y) * (1 if x > 0.5 else -1) * (y > 0.3), y) for x, y in points]


def paint_front(
    canvas: Canvas, look: Look, sex: str, width: float, rng: np.random.Generator
) -> None:
    """Hair over the forehead and beside the face, with its shadow on the skin."""
    style = look.hair_style
    if style == "bald":
        return
    if style == "curly":
        outer, inner = _curls(canvas, look, sex, rng), canvas.blob(_window("short", width))
    else:
        outline = mirrored(OUTLINES[style])
        outer = canvas.blob(_waves(outline) if style == "wavy" else outline)
        inner = canvas.blob(_window(style, width))
    mask = outer * (1 - inner)
    if style not in _HANGING and not (style == "curly" and sex == "f"):
        mask = mask * np.clip((0.5 - canvas.y) / 0.03, 0, 1)
    shadow = canvas.soften(np.roll(mask, canvas.side // 60, axis=0), 0.014)
    canvas.tint(shadow, np.asarray(look.skin, np.float32) * 0.55, 0.5)
    picture = strands(canvas, look, rng)
    if style == "buzz":
        canvas.paint(canvas.soften(mask, 0.006), picture * 0.9, 0.82)
        return
    if style == "bun":
        knot = canvas.ellipse(0.5, 0.075, 0.085, 0.07)
        canvas.paint(knot, picture * 0.92)
    if style == "curly":
        speckle = canvas.soften(rng.standard_normal(mask.shape).astype(np.float32), 0.009)
        picture = np.clip(picture * (1 + 2.2 * speckle[..., None]), 0, 255)
    canvas.paint(canvas.soften(mask, 0.003), picture)
    rim = np.clip(canvas.soften(inner, 0.012), 0, 1) * mask
    canvas.tint(rim, np.asarray(look.hair, np.float32) * 0.55, 0.55)
