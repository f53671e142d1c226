"""The person behind an instrument: head, clothes, arms that reach, hands with fingers."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from .cast import CLOTHES, find
from .figure import portrait
from .hair import mirrored
from .played_easel import Easel, Piece, Sheet, Spot
from .scenery import Sprite

NECK: Spot = (56.0, 53.0)
"""Pit of the neck in px."""

MOUTH: Spot = (56.0, 43.4)
"""Middle of the mouth in px."""

_EXTENT, _HEAD = 43.0, (56.0, 34.6)  # px: side of the head's square, and its middle
_HALF = 20.0  # px from the neck to the end of a shoulder
_UPPER, _FORE = 22.0, 20.0  # px, arms
_TROUSERS = ((44, 48, 60), (70, 62, 56), (34, 34, 38), (96, 92, 88), (60, 74, 100), (120, 104, 84))


@lru_cache(maxsize=64)
def _head(name: str) -> tuple[Sprite, Sprite]:
    person = find(name)
    return portrait(person, _EXTENT, top=np.array(person.look.skin), gaze=(0.35, 0.7))


def _chest(top: np.ndarray, light: float, style: int, rng: np.random.Generator) -> Piece:
    c = Sheet(92, (0, 42))
    outline = mirrored(
        ((0, 1.0), (0.2, 0.4), (0.34, -1.5), (0.62, 0.8), (0.88, 3.6), (1.0, 9), (1.0, 20),
         (0.92, 34), (0.95, 88), (0, 88))
    )  # fmt: skip
    shape = c.shape([((u - 0.5) * _HALF, v) for u, v in outline], top)
    other = np.clip(255 - top * rng.uniform(0.4, 1.0) + rng.uniform(-30, 30, 3), 20, 240)
    if style == 1:
        for y in np.arange(6, 90, rng.uniform(5, 9)).tolist():
            c.tint(shape * c.stroke(c.on([(-24, y), (24, y)]), 2.2 / 92), other, 0.7)
    elif style == 2:
        c.tint(shape * c.blob(c.on([(-5, -3), (5, -3), (3, 14), (0, 26), (-3, 14)])),
               np.array([236, 234, 228]))  # fmt: skip
        c.tint(shape * c.blob(c.on([(-1.4, 3), (1.4, 3), (1.8, 16), (0, 22), (-1.8, 16)])), other)
    elif style == 3:
        c.tint(shape * c.stroke(c.on([(0, 1), (0, 88)]), 0.9 / 92), top * 0.6)
        for k in range(8):
            c.dot(1.6, 8.0 + 9 * k, 0.7, 0.7, top * 0.45)
    c.tint(c.stroke(c.on([(-7, -2), (0, 2.5), (7, -2)]), 1.5 / 92), top * 0.7)
    across = (c.x - 0.5) * 92 / _HALF
    c.rim(shape, top * 0.5, 1.6)
    down = np.clip((c.y - 0.1) / 0.6, 0, 1)
    c.scale(
        np.clip(1.05 - 0.2 * across**2 + 0.12 * light * across - 0.1 * down, 0.6, 1.2).astype(
            np.float32
        )
    )
    return c.piece()


class Person:
    """Somebody drawn in a strip, with whatever the arms reach for.

    Parameters: `name`, the id of a talker; `rng`, for clothes and their colours.
    `skin`, `top` and `legs` are RGB, 0..255.
    """

    def __init__(self, name: str, rng: np.random.Generator) -> None:
        look = find(name).look
        self.skin = np.array(look.skin, np.float32)
        drawn = np.array(CLOTHES[int(rng.integers(len(CLOTHES)))]) * rng.uniform(0.75, 1.05)
        self.top = np.clip(drawn + rng.uniform(-22, 22, 3), 16, 240).astype(np.float32)
        self.legs = np.array(_TROUSERS[int(rng.integers(len(_TROUSERS)))], np.float32)
        self._behind, self._face = (Piece(s, (0.0, 0.0), np.zeros((1, 2))) for s in _head(name))
        self._chest = _chest(self.top, look.light, int(rng.integers(4)), rng)

    def body(self, easel: Easel) -> None:
        """Paint neck, hair behind it, and chest."""
        easel.piece(self._behind, _HEAD)
        easel.piece(self._chest, NECK)

    def head(self, easel: Easel, turn: float = 0.0, shift: Spot = (0.0, 0.0)) -> None:
        """Paint the head, turned and moved by a little."""
        easel.piece(self._face, (_HEAD[0] + shift[0], _HEAD[1] + shift[1]), turn)

    def arm(self, easel: Easel, side: int, wrist: Spot) -> None:
        """Paint an arm up to the wrist, `side` -1 left or 1 right in the picture; its elbow points
        outwards and downwards as far as it can."""
        x, y = NECK[0] + side * 0.84 * _HALF, NECK[1] + 9.5
        far = max(float(np.hypot(wrist[0] - x, wrist[1] - y)), 1e-6)
        dx, dy = (wrist[0] - x) / far, (wrist[1] - y) / far
        near = float(np.clip(far, abs(_UPPER - _FORE) + 0.5, _UPPER + _FORE - 0.2))
        along = (near**2 + _UPPER**2 - _FORE**2) / (2 * near)
        bend = side * float(np.clip(3 * (0.5 * dy - side * dx), -1, 1))
        bend *= float(np.sqrt(max(_UPPER**2 - along**2, 0)))
        elbow = (x + along * dx + bend * dy, y + along * dy - bend * dx)
        easel.rod((x, y), elbow, (6.6, 5.6), self.top * 0.97, blend=True)
        easel.rod(elbow, wrist, (5.4, 3.7), self.top * 1.03)

    def hand(self, easel: Easel, wrist: Spot, knuckles: Sequence[Spot], tips: Sequence[Spot],
             *, size: float = 1.0) -> None:  # fmt: skip
        """Paint a hand: a palm from the wrist to its knuckles, and fingers from there to the
        tips."""
        x, y = (float(np.mean([k[i] for k in knuckles])) for i in (0, 1))
        easel.rod(wrist, (x, y), (2.8 * size, 3.3 * size), self.skin * 0.96, held=True)
        for knuckle, tip in zip(knuckles, tips, strict=True):
            easel.rod(knuckle, tip, (1.45 * size, 1.15 * size), self.skin, held=True, shade=0.45)

    def lap(self, easel: Easel, knees: Sequence[Spot], foot: float = 22.0) -> None:
        """Paint thighs from the seat to two knees, and what is seen of the shins below."""
        for side, knee in zip((-1, 1), knees, strict=True):
            hip = (NECK[0] + side * 9, 104.0)
            easel.rod(hip, knee, (9.5, 8.0), self.legs * 0.92)
            easel.rod(knee, (knee[0] + side * 1.5, knee[1] + foot), (7.6, 6.4), self.legs)
