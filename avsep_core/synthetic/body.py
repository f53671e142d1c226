"""What stands behind a drawn head: neck, shoulders, clothes and a wall."""

from functools import lru_cache

import numpy as np

from .brush import Canvas
from .cast import Look
from .hair import mirrored, paint_behind
from .portrait import skin_tone


def _clothes(c: Canvas, look: Look, sex: str) -> None:
    top = np.asarray(look.top, np.float32)
    slope = 0.012 if sex == "m" else 0.0
    shoulders = c.blob(
        mirrored(((0, 0.93), (0.13, 0.925), (0.2, 0.94), (0.34, 0.962 - slope),
                  (0.46, 0.99 - slope), (0.56, 1.1), (0.5, 1.3), (0, 1.3)))
    )  # fmt: skip
    skin = skin_tone(look, 0.97)
    c.paint(shoulders, top)
    style = look.top_style
    if style in ("vneck", "jacket", "collar"):
        deep = 1.03 if style != "collar" else 0.985
        c.paint(
            c.blob(
                ((0.37, 0.9), (0.5, 0.88), (0.63, 0.9), (0.56, 0.96), (0.5, deep), (0.44, 0.96))
            ),
            skin,
        )
    elif style == "crew":
        c.paint(c.ellipse(0.5, 0.925, 0.145, 0.035), skin)
        c.paint(
            c.stroke(
                ((0.355, 0.925), (0.41, 0.957), (0.5, 0.966), (0.59, 0.957), (0.645, 0.925)), 0.014
            ),
            top * 0.84,
        )
    else:
        c.paint(
            c.blob(
                (
                    (0.355, 0.885),
                    (0.5, 0.9),
                    (0.645, 0.885),
                    (0.66, 0.96),
                    (0.5, 0.985),
                    (0.34, 0.96),
                )
            ),
            top * 0.92,
        )
    if style in ("collar", "jacket"):
        paler = np.minimum(top * (1.2 if style == "collar" else 0.78), 255)
        for s in (-1, 1):
            lapel = (
                (0.5 + s * 0.13, 0.905),
                (0.5 + s * 0.185, 0.95),
                (0.5 + s * 0.09, 1.02),
                (0.5 + s * 0.03, 1.0),
            )
            c.paint(c.blob(lapel), paler)
    c.scale(
        (1.06 - 0.25 * np.abs(c.x - 0.5) - 0.05 * look.light * (c.x - 0.5) + 0 * c.y).astype(
            np.float32
        )
    )


@lru_cache(maxsize=96)
def paint_body(look: Look, sex: str, side: int) -> np.ndarray:
    """Neck, shoulders and the hair behind them.

    Parameters: `look`, `sex`, `side` in px. Returns (side, side, 4) uint8, premultiplied.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    c = Canvas(side)
    rng = np.random.default_rng([13, int(1000 * look.age)])
    paint_behind(c, look, sex, rng)
    n = 0.142 if sex == "m" else 0.112
    neck = mirrored(((0, 0.6), (n, 0.62), (n, 0.8), (n + 0.012, 0.88), (n + 0.07, 0.95), (0, 1.0)))
    c.paint(c.blob(neck), skin_tone(look, 0.93))
    _clothes(c, look, sex)
    shadow = c.glow(0.5, 0.845, 0.13, 0.045) * np.clip((1.0 - c.y) / 0.1, 0, 1)
    c.tint(shadow, skin_tone(look, 0.5, 0.06), 0.72)
    return c.pixels()


@lru_cache(maxsize=96)
def paint_wall(look: Look, side: int) -> np.ndarray:
    """The wall behind a talker, lit from one side.

    Parameters: `look`, `side` in px. Returns (side, side, 3) uint8.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    c = Canvas(side)
    c.paint(np.ones_like(c.alpha), look.wall)
    far = 1.02 - 0.16 * look.light * (c.x - 0.5) - 0.14 * c.y
    c.scale(np.asarray(far - 0.25 * ((c.x - 0.5) ** 2 + (c.y - 0.5) ** 2), np.float32))
    return c.pixels()[..., :3]
