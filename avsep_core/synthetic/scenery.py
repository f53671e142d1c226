"""What drawn scenes share: a room, pieces that move, and the rule for what counts as moving."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from .brush import Canvas

HEIGHT, WIDTH = 120, 160
"""Size of a scene's picture in px."""

CHANGE = 4.0
"""Grey levels by which a pixel must change between two pictures to count as moving."""

DISTRACTORS = ("repeats", "wanders", "none")
"""How a silent thing may move: in a fixed rhythm, never twice alike, or not at all."""

_FINE = 3  # canvas px per picture px
_PER = 2  # sprite px per picture px


@dataclass(frozen=True, eq=False)
class Act:
    """What is drawn of a scene before the camera sees it.

    `frames` (T, 120, 160, 3) float32, 0..255, without noise; `region` and `distractor`
    (120, 160) bool, where the sounding thing and the silent things move, by the rule of `moved`;
    `activity` (T,) 0..1, how much the source sounds. Frame t shows the instant (t + 1/2) / fps.
    """

    frames: np.ndarray
    region: np.ndarray
    distractor: np.ndarray
    activity: np.ndarray


def moved(frames: Iterable[np.ndarray]) -> np.ndarray:
    """Where pictures change.

    Parameters: `frames`, pictures (H, W, 3) in order, without camera noise, in which nothing
    moves but what is asked about. Returns (H, W) bool: pixels that change between some two
    consecutive pictures by more than `CHANGE` grey levels, mean over the colours.
    Raises ValueError for no picture.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    before: np.ndarray | None = None
    most: np.ndarray | None = None
    for frame in frames:
        now = np.asarray(frame, np.float32)
        if before is None or most is None:
            most = np.zeros(now.shape[:2], np.float32)
        else:
            most = np.maximum(most, cv2.absdiff(now, before).mean(axis=-1))
        before = now.copy()
    if most is None:
        raise ValueError("no picture was given to `moved`; give two or more, (H, W, 3) each")
    return most > CHANGE


def swing(
    kind: str, times: np.ndarray, rng: np.random.Generator, *, period: float = 1.2
) -> np.ndarray:
    """How far a silent thing has moved to either side.

    Parameters: `kind`, one of `DISTRACTORS`; `times` (T,) in s; `rng`, of which every kind takes
    the same; `period` in s. Returns (T,) about -1..1: "repeats" a sine, "wanders" smooth noise of
    the same power and speed that never repeats, "none" zeros. Raises ValueError for another kind.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    check_distractor(kind)
    own = np.random.default_rng(int(rng.integers(2**32)))
    phase, count = own.random(), 14
    if kind == "none":
        return np.zeros_like(times)
    if kind == "repeats":
        return np.asarray(np.sin(2 * np.pi * (times / period + phase)))
    pitch, size = own.uniform((0.35, 0.6), (1.6, 1.4), (count, 2)).T
    start = own.random(count)
    pitch *= np.sqrt(np.sum(size**2) / np.sum((size * pitch) ** 2))
    noise = np.sin(2 * np.pi * (np.outer(times / period, pitch) + start)) @ size
    return np.asarray(1.25 * np.tanh(0.85 * noise / np.sqrt(np.sum(size**2))))


def check_distractor(kind: str) -> None:
    """ValueError unless `kind` is one of `DISTRACTORS`."""
    if kind not in DISTRACTORS:
        raise ValueError(f"distractor {kind!r} given; expected one of {', '.join(DISTRACTORS)}")


def canvas() -> Canvas:
    """An empty canvas for a whole picture; x in 0..1 is its width, y in 0..0.75 its height."""
    return Canvas(_FINE * WIDTH)


def box(c: Canvas, x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """Mask on a whole picture's canvas of an upright rectangle with corners in px."""
    s, axis = c.side / WIDTH, np.arange(c.side) + 0.5
    across = np.clip(np.minimum(axis - x0 * s, x1 * s - axis) + 0.5, 0, 1)
    down = np.clip(np.minimum(axis - y0 * s, y1 * s - axis) + 0.5, 0, 1)
    return np.outer(down, across).astype(np.float32)


def layer(c: Canvas) -> np.ndarray:
    """A whole canvas as pixels (120, 160, 4) float32, premultiplied, 0..255."""
    stacked = np.dstack([c.colour, 255 * c.alpha])
    small = cv2.resize(stacked, (WIDTH, WIDTH), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small[:HEIGHT], dtype=np.float32)


def over(frame: np.ndarray, top: np.ndarray) -> np.ndarray:
    """A new picture (H, W, 3) float32: `frame` with the layer `top` (H, W, 4) on it."""
    return np.asarray(frame * (1 - top[..., 3:] / np.float32(255)) + top[..., :3], np.float32)


@dataclass(frozen=True, eq=False)
class Sprite:
    """A piece to be moved about: `pixels` (n, n, 4) float32, premultiplied; `extent` in px."""

    pixels: np.ndarray
    extent: float


def sprite(c: Canvas, extent: float) -> Sprite:
    """Make a piece of a canvas.

    Parameters: `c`, which holds the piece around its middle; `extent`, its side in px of the
    picture. Returns a `Sprite`.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    stacked = np.dstack([c.colour, 255 * c.alpha])
    n = round(_PER * extent)
    small = cv2.resize(stacked, (n, n), interpolation=cv2.INTER_AREA)
    return Sprite(cv2.GaussianBlur(small, (0, 0), 0.7).astype(np.float32), float(extent))


def lay(
    frame: np.ndarray, piece: Sprite, x: float, y: float, *, turn: float = 0.0, zoom: float = 1.0
) -> None:
    """Lay a piece on a picture, in place.

    Parameters: `frame` (H, W, 3) float32; `piece`; `x`, `y` in px, where the piece's middle
    goes; `turn`, clockwise, in radians; `zoom`.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    n, s = len(piece.pixels), piece.extent * zoom / len(piece.pixels)
    c, d = s * np.cos(turn), s * np.sin(turn)
    reach = (abs(c) + abs(d)) * n / 2 + 1
    x0, x1 = max(int(x - reach), 0), min(int(np.ceil(x + reach)), frame.shape[1])
    y0, y1 = max(int(y - reach), 0), min(int(np.ceil(y + reach)), frame.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    m = (n - 1) / 2
    matrix = np.array(
        [[c, -d, x - 0.5 - x0 - c * m + d * m], [d, c, y - 0.5 - y0 - d * m - c * m]], np.float64
    )
    top = cv2.warpAffine(piece.pixels, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    part = frame[y0:y1, x0:x1]
    part *= 1 - top[..., 3:] / np.float32(255)
    part += top[..., :3]


def stamp(frame: np.ndarray, top: np.ndarray, x: int, y: int) -> None:
    """Lay pixels (h, w, 4), premultiplied, on a picture, in place, with their corner at (x, y)."""
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + top.shape[1], frame.shape[1]), min(y + top.shape[0], frame.shape[0])
    if x0 < x1 and y0 < y1:
        piece, part = top[y0 - y : y1 - y, x0 - x : x1 - x], frame[y0:y1, x0:x1]
        part *= 1 - piece[..., 3:] / np.float32(255)
        part += piece[..., :3]


_WALLS = (
    (214, 190, 160), (186, 196, 176), (204, 178, 170), (176, 190, 204), (222, 206, 170),
    (196, 184, 204), (170, 186, 182), (216, 196, 190),
)  # fmt: skip


def room(rng: np.random.Generator, *, side: int = 0) -> np.ndarray:
    """A wall in gentle light with a window or a picture on it.

    Parameters: `rng`; `side`, -1 or 1 where what hangs there shall be left or right, 0 for a bare
    wall. Returns (120, 160, 3) float32, 0..255.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    c = canvas()
    wall = np.array(_WALLS[int(rng.integers(len(_WALLS)))], np.float32) + rng.uniform(-8, 8, 3)
    lamp, high = (float(v) for v in rng.uniform((0.25, 0.05), (0.75, 0.25)))
    kind, x, y, tone = rng.random(), rng.uniform(0.14, 0.2), rng.uniform(0.17, 0.22), rng.random(3)
    c.paint(np.ones_like(c.alpha), wall.clip(0, 240))
    if side:
        x = 0.5 + side * (0.5 - x)
        (_window if kind < 0.5 else _painting)(c, x, y, tone)
    light = 0.84 + 0.2 * np.exp(-(((c.x - lamp) / 0.5) ** 2) - ((c.y - high) / 0.45) ** 2)
    c.scale((light - 0.12 * np.clip(c.y - 0.3, 0, 1)).astype(np.float32))
    return layer(c)[..., :3]


def _around(c: Canvas, x: float, y: float, w: float, h: float) -> np.ndarray:
    return box(c, *(WIDTH * v for v in (x - w, y - h, x + w, y + h)))


def _window(c: Canvas, x: float, y: float, tone: np.ndarray) -> None:
    c.tint(c.soften(_around(c, x + 0.008, y + 0.012, 0.1, 0.135), 0.01), (60, 50, 44), 0.35)
    c.paint(_around(c, x, y, 0.098, 0.132), (238, 232, 220))
    sky = np.array([150, 190, 226], np.float32) + 22 * tone
    c.paint(_around(c, x, y, 0.088, 0.122), sky)
    glass = _around(c, x, y, 0.088, 0.122)
    c.paint(glass * c.glow(x - 0.03, y - 0.05, 0.06, 0.03), (250, 250, 248), 0.8)
    hill = c.blob(((x - 0.12, y + 0.08), (x - 0.04, y + 0.045), (x + 0.05, y + 0.075),
                   (x + 0.13, y + 0.05), (x + 0.13, y + 0.2), (x - 0.12, y + 0.2)))  # fmt: skip
    c.paint(hill * glass, (128 + 20 * tone[0], 160, 112))
    c.paint(_around(c, x, y, 0.0035, 0.122), (232, 226, 214))
    c.paint(_around(c, x, y, 0.088, 0.0035), (232, 226, 214))
    c.paint(_around(c, x, y + 0.137, 0.108, 0.007), (226, 218, 204))


def _painting(c: Canvas, x: float, y: float, tone: np.ndarray) -> None:
    c.tint(c.soften(_around(c, x + 0.006, y + 0.01, 0.1, 0.085), 0.008), (60, 50, 44), 0.4)
    c.paint(_around(c, x, y, 0.098, 0.082), (120 + 50 * tone[0], 88 + 30 * tone[0], 60))
    c.paint(_around(c, x, y, 0.088, 0.072), (240, 234, 222))
    inner = _around(c, x, y, 0.072, 0.056)
    c.paint(inner, (226, 206 - 30 * tone[1], 170 + 40 * tone[2]))
    c.paint(inner * c.ellipse(x + 0.03, y - 0.02, 0.016, 0.016), (236, 150, 96))
    hill = c.blob(((x - 0.1, y + 0.02), (x - 0.03, y - 0.012), (x + 0.04, y + 0.024),
                   (x + 0.1, y + 0.008), (x + 0.1, y + 0.1), (x - 0.1, y + 0.1)))  # fmt: skip
    c.paint(inner * hill, (96 + 60 * tone[1], 128, 120 + 40 * tone[0]))
