"""Where musicians play: a room, a wall, a stage, a park, shelves."""

from typing import Any

import cv2
import numpy as np

from .scenery import HEIGHT, room

PLACES = ("room", "wall", "stage", "park", "shelves")
"""Kinds of background."""

_PER = 2  # painted px per px


def place(kind: str, width: int, rng: np.random.Generator) -> np.ndarray:
    """Paint what is behind musicians.

    Parameters: `kind`, one of `PLACES`; `width` in px; `rng`, for its colours and what is there.
    Returns (120, width, 3) float32, 0..255, in or out of focus.
    Raises ValueError for another kind.
    """
    if kind not in PLACES:
        raise ValueError(f"place {kind!r} given; expected one of {', '.join(PLACES)}")
    if kind == "room":
        return _room(width, rng)
    big = np.zeros((_PER * HEIGHT, _PER * width, 3), np.float32)
    {"wall": _wall, "stage": _stage, "park": _park, "shelves": _shelves}[kind](big, rng)
    small = cv2.resize(np.clip(big, 0, 255), (width, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), float(rng.uniform(0.3, 1.3))), np.float32)


def _room(width: int, rng: np.random.Generator) -> np.ndarray:
    wall = room(rng, side=int(rng.choice((-1, 1))))
    if width <= wall.shape[1]:
        first = int(rng.integers(wall.shape[1] - width + 1))
        return np.ascontiguousarray(wall[:, first : first + width])
    tall = round(HEIGHT * width / wall.shape[1])
    return np.ascontiguousarray(cv2.resize(wall, (width, tall))[:HEIGHT])


def _colour(rng: np.random.Generator, low: float, high: float, spread: float = 35) -> np.ndarray:
    tone = rng.uniform(low, high) + rng.uniform(-spread, spread, 3)
    return np.clip(tone, 5, 250).astype(np.float32)


def _rgb(colour: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = (float(v) for v in colour)
    return red, green, blue


def _bar(big: np.ndarray, x0: Any, y0: Any, x1: Any, y1: Any, colour: np.ndarray) -> None:
    cv2.rectangle(big, (round(x0), round(y0)), (round(x1), round(y1)), _rgb(colour), -1)


def _disc(big: np.ndarray, x: float, y: float, rx: float, ry: float, colour: np.ndarray) -> None:
    size = (max(round(rx), 1), max(round(ry), 1))
    cv2.ellipse(big, (round(x), round(y)), size, 0, 0, 360, _rgb(colour), -1)


def _wall(big: np.ndarray, rng: np.random.Generator) -> None:
    tall, wide = big.shape[:2]
    big[:] = colour = _colour(rng, 60, 235, 30)
    kind = int(rng.integers(4))
    other = np.clip(colour * rng.uniform(0.78, 1.12), 0, 250)
    if kind == 1:
        step = float(rng.uniform(14, 40))
        for x in np.arange(-rng.uniform(0, step), wide, step):
            _bar(big, x, 0, x + 0.5 * step, tall, other)
    elif kind == 2:
        high, long = float(rng.uniform(10, 16)), float(rng.uniform(26, 40))
        for row, y in enumerate(np.arange(0, tall, high)):
            for x in np.arange(-0.5 * long * (row % 2), wide, long):
                tone = colour * rng.uniform(0.86, 1.08)
                _bar(big, x + 1, y + 1, x + long - 2, y + high - 2, tone)
        big[:: round(high)] *= 0.9
    elif kind == 3:
        _bar(big, 0, 0.62 * tall, wide, tall, other * 0.8)
        _bar(big, 0, 0.61 * tall, wide, 0.63 * tall, np.clip(other * 1.15, 0, 255))


def _stage(big: np.ndarray, rng: np.random.Generator) -> None:
    tall, wide = big.shape[:2]
    x = np.arange(wide, dtype=np.float32)
    pitch = float(rng.uniform(14, 30))
    wobble = 3 * np.sin(x / rng.uniform(40, 90) + rng.uniform(0, 6))
    fold = 0.72 + 0.24 * np.sin(2 * np.pi * (x + wobble) / pitch) + 0.06 * np.sin(x / 3.1)
    cloth = np.array(((140, 24, 32), (34, 40, 96), (40, 40, 46), (24, 80, 60), (116, 84, 40),
                      (90, 40, 100))[int(rng.integers(6))], np.float32)  # fmt: skip
    big[:] = cloth * fold[None, :, None] * np.linspace(1.1, 0.8, tall)[:, None, None]
    floor = round(tall * rng.uniform(0.8, 0.92))
    boards = _colour(rng, 70, 140, 10) + np.array([24, 4, -20], np.float32)
    big[floor:] = boards
    for y in np.geomspace(floor + 3, tall, 5):
        _bar(big, 0, y, wide, y + 0.5, boards * 0.7)
    lamp, y = float(rng.uniform(0, wide)), np.arange(tall)[:, None]
    beam = np.exp(-(((x[None] - lamp) / (0.3 * wide)) ** 2) - ((y - 0.4 * tall) / tall) ** 2)
    big *= 0.65 + 0.7 * beam[..., None]


def _park(big: np.ndarray, rng: np.random.Generator) -> None:
    tall, wide = big.shape[:2]
    high = np.array((rng.uniform(80, 170), rng.uniform(140, 200), rng.uniform(190, 245)))
    down = np.linspace(0, 1, tall)[:, None, None] ** 0.8
    big[:] = high * (1 - down) + np.array([232, 234, 230]) * down
    for _ in range(int(rng.integers(1, 4)) * wide // 224):
        x, y = rng.uniform(0, wide), rng.uniform(0, 0.35 * tall)
        for _ in range(5):
            _disc(big, x + rng.normal(0, 14), y + rng.normal(0, 3), rng.uniform(8, 20),
                  rng.uniform(4, 8), np.full(3, rng.uniform(236, 250)))  # fmt: skip
    line = round(tall * rng.uniform(0.55, 0.75))
    green = np.array((rng.uniform(60, 130), rng.uniform(100, 160), rng.uniform(40, 80)))
    axis = np.arange(wide)
    far = line - 14 - 10 * np.sin(axis / rng.uniform(50, 120) + rng.uniform(0, 6))
    big[np.arange(tall)[:, None] > far[None]] = 0.6 * green + 70
    for _ in range(int(rng.integers(2, 5)) * wide // 224):
        x0, size = rng.uniform(0, wide), rng.uniform(20, 46)
        _bar(big, x0 - 3, line - 1.4 * size, x0 + 3, line, _colour(rng, 50, 90, 8) + [22, 6, -10])
        leaves = green * rng.uniform(0.55, 0.95)
        for _ in range(14):
            a, r = rng.uniform(0, 2 * np.pi), size * rng.uniform(0, 0.6)
            _disc(big, x0 + r * np.cos(a), line - 1.8 * size + 0.8 * r * np.sin(a), 0.42 * size,
                  0.38 * size, leaves * rng.uniform(0.8, 1.2))  # fmt: skip
    big[line:] = green * np.linspace(0.95, 1.15, tall - line)[:, None, None]
    big[line:] += rng.normal(0, 9, (tall - line, wide, 1))


def _shelves(big: np.ndarray, rng: np.random.Generator) -> None:
    tall, wide = big.shape[:2]
    big[:] = _colour(rng, 90, 225, 25)
    board = _colour(rng, 60, 170, 12) + np.array([30, 4, -24], np.float32)
    gap = float(rng.uniform(52, 78))
    for y in np.arange(float(rng.uniform(34, 60)), tall + gap, gap):
        x = float(rng.uniform(-6, 20))
        while x < wide:
            x = _thing(big, x, y, gap, rng)
        _bar(big, 0, y, wide, y + 5, board)
        _bar(big, 0, y + 5, wide, y + 8, big.mean((0, 1)) * 0.6)


def _thing(big: np.ndarray, x: float, y: float, gap: float, rng: np.random.Generator) -> float:
    """Something that stands on a shelf at x; returns where the next one may stand."""
    kind, colour = int(rng.integers(6)), _colour(rng, 40, 210, 60)
    if kind < 3:
        for _ in range(int(rng.integers(2, 7))):
            wide, high = rng.uniform(5, 11), gap * rng.uniform(0.5, 0.8)
            colour = _colour(rng, 40, 210, 60)
            _bar(big, x, y - high, x + wide - 1, y, colour)
            _bar(big, x + 2, y - 0.8 * high, x + wide - 3, y - 0.7 * high, 255 - colour)
            x += wide
        return x + float(rng.uniform(0, 20))
    size = float(rng.uniform(0.25, 0.4)) * gap
    if kind == 3:
        _disc(big, x + size, y - size, size, size, colour)
        _disc(big, x + size, y - size, 0.7 * size, 0.7 * size, np.clip(colour * 1.3, 0, 250))
    elif kind == 4:
        _disc(big, x + size, y - 0.6 * size, 0.8 * size, 0.7 * size, colour)
        _bar(big, x + 0.7 * size, y - 2 * size, x + 1.3 * size, y - size, colour * 0.9)
    else:
        _bar(big, x, y - 1.5 * size, x + 2 * size, y, colour * 0.6)
        _bar(big, x + 3, y - 1.5 * size + 3, x + 2 * size - 3, y - 3, np.clip(colour * 1.2, 0, 250))
    return x + 2 * size + float(rng.uniform(4, 34))
