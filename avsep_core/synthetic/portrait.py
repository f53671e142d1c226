"""The still part of a drawn head: its measures, skin, nose, brows, beard and glasses."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .brush import Canvas
from .cast import Look
from .hair import mirrored, paint_front

BROW, EYE, NOSE, MOUTH, CHIN = 0.412, 0.472, 0.618, 0.705, 0.848


@dataclass(frozen=True)
class Shape:
    """Measures of a face as fractions of the picture's side; x is measured from its middle."""

    width: float
    jaw: float
    chin: float
    eye_x: float
    eye_half: float
    eye_open: float
    nose: float
    mouth: float
    upper_lip: float
    lower_lip: float


def shape_of(look: Look, sex: str) -> Shape:
    """The measures of a face.

    Parameters: `look`, `sex`. Returns a `Shape`.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    man = sex == "m"
    return Shape(
        width=1.0 + 0.035 * look.width + (0.015 if man else -0.01),
        jaw=0.6 * look.jaw + (0.55 if man else -0.45),
        chin=CHIN + 0.012 * look.length + (0.006 if man else -0.004),
        eye_x=0.108 + 0.005 * look.spacing,
        eye_half=0.053 + 0.004 * look.eyes + (0 if man else 0.002),
        eye_open=0.027 + 0.003 * look.eyes + (-0.002 if man else 0.002),
        nose=1.0 + 0.14 * look.nose + (0.1 if man else -0.06),
        mouth=0.090 + 0.007 * look.mouth + (0.003 if man else 0),
        upper_lip=0.0205 + 0.003 * look.upper_lip + (-0.003 if man else 0.001),
        lower_lip=0.030 + 0.004 * look.lower_lip + (-0.003 if man else 0.001),
    )


def skin_tone(look: Look, factor: float, warm: float = 0.0) -> np.ndarray:
    """RGB of the skin, brighter by `factor` and redder by `warm`."""
    red = np.array([1 + warm, 1 - 0.6 * warm, 1 - 0.8 * warm])
    return np.clip(np.asarray(look.skin) * factor * red, 0, 255).astype(np.float32)


def lip_colour(look: Look, sex: str) -> np.ndarray:
    """RGB of the lips: the skin, redder, and more so for women."""
    fair = sum(look.skin) > 400
    rose = np.array([186.0, 78.0, 84.0] if fair else [172.0, 92.0, 92.0])
    share = (0.62 if sex == "f" else 0.42 if fair else 0.52) + 0.1 * look.upper_lip
    return np.asarray(skin_tone(look, 0.84, 0.06) * (1 - share) + rose * share, np.float32)


def _outline(shape: Shape) -> list[tuple[float, float]]:
    j, down = shape.jaw, shape.chin - CHIN
    half = (
        (0, 0.125), (0.12, 0.14), (0.2, 0.2), (0.24, 0.31), (0.249, 0.44),
        (0.241, 0.55), (0.222 + 0.008 * j, 0.655 + 0.4 * down), (0.184 + 0.017 * j, 0.745 + down),
        (0.125 + 0.018 * j, 0.808 + down), (0.062 + 0.01 * j, 0.84 + down), (0, 0.848 + down),
    )  # fmt: skip
    return list(mirrored(half, width=shape.width))


def _eyes_and_brows(c: Canvas, look: Look, shape: Shape, sex: str) -> None:
    dark = np.minimum(np.asarray(look.hair, np.float32) * 0.68, skin_tone(look, 0.5))
    thick = (0.0165 if sex == "m" else 0.0115) * (1 + 0.25 * look.brow)
    for side in (-1, 1):
        x = 0.5 + side * shape.eye_x
        c.tint(c.glow(x, EYE - 0.012, 0.055, 0.03), skin_tone(look, 0.58, 0.05), 0.55)
        c.tint(c.glow(x - side * 0.05, EYE, 0.018, 0.028), skin_tone(look, 0.6, 0.04), 0.4)
        c.tint(
            c.glow(x, EYE + 0.045, 0.04, 0.008), skin_tone(look, 0.74, 0.05), 0.2 + 0.25 * look.age
        )
        c.tint(c.glow(x + side * 0.012, BROW + 0.026, 0.03, 0.009), skin_tone(look, 1.12), 0.25)
        tilt = 0.004 * look.slant - 0.002
        brow = (
            (x - side * 0.057, BROW + 0.002 + tilt), (x - side * 0.022, BROW - 0.007),
            (x + side * 0.028, BROW - 0.012 - tilt), (x + side * 0.066, BROW + 0.008 - tilt),
        )  # fmt: skip
        c.tint(c.stroke(brow, thick, taper=True, blur=0.0022), dark, 0.88)


def _nose(c: Canvas, look: Look, shape: Shape) -> None:
    n = shape.nose
    lit = 1 if look.light >= 0 else -1
    c.tint(c.glow(0.5, 0.51, 0.013 * n, 0.06), skin_tone(look, 1.15), 0.75)
    c.tint(c.glow(0.5 + lit * 0.03 * n, 0.53, 0.012, 0.055), skin_tone(look, 0.72, 0.04), 0.42)
    c.tint(c.glow(0.5 - lit * 0.034 * n, 0.55, 0.01, 0.04), skin_tone(look, 0.8, 0.04), 0.22)
    c.tint(c.glow(0.5, 0.6, 0.034 * n, 0.022), skin_tone(look, 1.03, 0.05), 0.4)
    c.tint(c.glow(0.5 - lit * 0.006, 0.592, 0.011, 0.009), skin_tone(look, 1.25), 0.65)
    c.tint(c.glow(0.5, NOSE + 0.016, 0.04 * n, 0.009), skin_tone(look, 0.58, 0.06), 0.6)
    for side in (-1, 1):
        wing = (
            (0.5 + side * 0.036 * n, 0.585), (0.5 + side * 0.047 * n, 0.604),
            (0.5 + side * 0.036 * n, 0.62), (0.5 + side * 0.024 * n, 0.618),
        )  # fmt: skip
        c.tint(c.stroke(wing, 0.007, taper=True, blur=0.0025), skin_tone(look, 0.55, 0.06), 0.6)
        nostril = c.ellipse(0.5 + side * 0.021 * n, 0.617, 0.0115 * n, 0.0055, turn=side * -0.25)
        c.tint(c.soften(nostril, 0.0025), skin_tone(look, 0.32, 0.1), 0.85)


def _skin_details(c: Canvas, look: Look, shape: Shape, rng: np.random.Generator) -> None:
    lift = 1.1 if sum(look.skin) > 400 else 1.22
    for side in (-1, 1):
        blush = skin_tone(look, 0.97, 0.11)
        c.tint(c.glow(0.5 + side * 0.145, 0.575, 0.05, 0.04), blush, 0.55)
        c.tint(c.glow(0.5 + side * 0.125, 0.545, 0.045, 0.02), skin_tone(look, lift), 0.5)
        fold = (
            (0.5 + side * 0.058, 0.615), (0.5 + side * 0.095, 0.665), (0.5 + side * 0.112, 0.715),
        )  # fmt: skip
        crease = c.stroke(fold, 0.008, taper=True, blur=0.005)
        c.tint(crease, skin_tone(look, 0.68, 0.05), 0.15 + 0.4 * look.age**2)
    c.tint(c.glow(0.49, 0.655, 0.005, 0.018), skin_tone(look, 0.78, 0.04), 0.35)
    c.tint(c.glow(0.508, 0.655, 0.005, 0.018), skin_tone(look, 1.1), 0.3)
    c.tint(c.glow(0.5, 0.766, 0.05, 0.01), skin_tone(look, 0.7, 0.05), 0.45)
    c.tint(c.glow(0.5, 0.8, 0.035, 0.02), skin_tone(look, 1.09), 0.4)
    c.tint(c.glow(0.5, 0.29, 0.1, 0.05), skin_tone(look, 1.09), 0.35)
    if look.freckles:
        for _ in range(36):
            x, y = 0.5 + rng.uniform(-0.18, 0.18), 0.56 + rng.normal(0, 0.025)
            c.tint(c.ellipse(x, y, 0.0032, 0.0032), skin_tone(look, 0.72, 0.08), 0.5)


def _beard(c: Canvas, look: Look, shape: Shape, rng: np.random.Generator) -> None:
    if look.beard == "none":
        return
    down = shape.chin - CHIN
    region = c.blob(
        mirrored(
            ((0, 0.735), (0.05, 0.74), (0.1, 0.715), (0.135, 0.68), (0.19, 0.6), (0.25, 0.52),
             (0.27, 0.66), (0.2, 0.82 + down), (0.1, 0.88 + down), (0, 0.9 + down)),
            width=shape.width,
        ),
        blur=0.008,
    )  # fmt: skip
    lip = c.blob(
        mirrored(
            (
                (0, 0.64),
                (0.04, 0.642),
                (0.085, 0.662),
                (0.116, 0.7),
                (0.112, 0.73),
                (0.092, 0.7),
                (0.04, 0.678),
                (0, 0.676),
            )
        ),
        blur=0.005,
    )
    chin = c.blob(
        mirrored(((0, 0.752), (0.045, 0.76), (0.075, 0.8), (0.06, 0.87), (0, 0.89))), blur=0.006
    )
    speckle = 1 + 0.35 * c.soften(rng.standard_normal(c.alpha.shape).astype(np.float32), 0.004)
    hair = np.asarray(look.hair, np.float32) * 0.95
    if look.beard == "stubble":
        grey = skin_tone(look, 0.62) * 0.75 + hair * 0.25
        c.tint(np.clip(np.maximum(region, lip * 0.9) * speckle, 0, 1), grey, 0.36)
    elif look.beard == "beard":
        c.tint(np.clip(np.maximum(region, lip) * speckle, 0, 1), hair, 0.9)
    else:
        c.tint(np.clip(np.maximum(chin, lip) * speckle, 0, 1), hair, 0.82)


def _glasses(c: Canvas, shape: Shape) -> None:
    frame = (74, 62, 58)
    for side in (-1, 1):
        x = 0.5 + side * shape.eye_x
        rim = c.ellipse(x, EYE + 0.006, 0.079, 0.062)
        rim = rim * (1 - c.ellipse(x, EYE + 0.006, 0.0735, 0.0565))
        c.paint(rim, frame, 0.75)
        arm = ((x + side * 0.077, EYE - 0.005), (x + side * 0.13, EYE - 0.012))
        c.paint(c.stroke(arm, 0.007), frame, 0.75)
    c.paint(c.stroke(((0.473, EYE + 0.002), (0.5, EYE - 0.006), (0.527, EYE + 0.002)), 0.007),
            frame, 0.75)  # fmt: skip


@lru_cache(maxsize=96)
def paint_head(look: Look, sex: str, side: int) -> np.ndarray:
    """The head without eyes and lips.

    Parameters: `look`, `sex`, `side` in px. Returns (side, side, 4) uint8, premultiplied.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    shape, c = shape_of(look, sex), Canvas(side)
    rng = np.random.default_rng([11, int(1000 * look.age), int(500 + 499 * look.width)])
    for s in (-1, 1):
        x = 0.5 + s * 0.252 * shape.width
        c.paint(c.ellipse(x, 0.505, 0.03, 0.058, turn=s * 0.18), skin_tone(look, 0.93, 0.04))
        c.tint(c.glow(x + s * 0.004, 0.505, 0.01, 0.028), skin_tone(look, 0.66, 0.08), 0.6)
        if look.earrings:
            c.paint(c.ellipse(x + s * 0.006, 0.572, 0.0105, 0.0105), (226, 196, 120))
    face = c.blob(_outline(shape))
    c.paint(face, skin_tone(look, 1.0))
    px, py = (c.x - 0.5) / 0.26, (c.y - 0.5) / 0.36
    round_ = np.clip(px**2 + 0.8 * py**2, 0, 1.6)
    c.scale((1.035 - 0.13 * round_**2 - 0.045 * look.light * px - 0.03 * py).astype(np.float32))
    edge = face * (1 - c.soften(face, 0.02))
    c.tint(np.clip(edge * 1.6, 0, 1), skin_tone(look, 0.66, 0.06), 0.5)
    _skin_details(c, look, shape, rng)
    _eyes_and_brows(c, look, shape, sex)
    _nose(c, look, shape)
    _beard(c, look, shape, rng)
    paint_front(c, look, sex, shape.width, rng)
    if look.glasses:
        _glasses(c, shape)
    return c.pixels()
