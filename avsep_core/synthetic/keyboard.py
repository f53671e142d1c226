"""Two hands play a keyboard, seen over the player's shoulders; a wooden horse rocks beside it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from . import hands, horse
from .brush import Canvas
from .hands import FIRST, WHITE, Keys, black
from .notes import Note, loudness
from .scenery import WIDTH, Act, box, canvas, layer, moved, over, room, stamp, swing

_PERIOD = 1.28  # s of one rocking to and fro


def _furniture(rng: np.random.Generator, keys: Keys, table: float) -> np.ndarray:
    """Table, keyboard and what lies about, as a layer (120, 160, 4)."""
    c, px = canvas(), 1 / WIDTH
    wood = np.array(((152, 108, 74), (122, 84, 60), (178, 140, 102))[int(rng.integers(3))])
    case = np.array(((52, 52, 60), (96, 44, 44), (44, 60, 76))[int(rng.integers(3))])
    down = np.clip((c.y - table * px) / (0.75 - table * px), 0, 1) + 0 * c.x
    c.paint((c.y > table * px) * np.ones_like(c.alpha), wood)
    grain = rng.standard_normal((c.side, 1)) @ np.ones((1, c.side))
    c.scale((1.08 - 0.22 * down + 0.02 * grain).astype(np.float32))
    c.paint((np.abs(c.y - table * px) < 0.4 * px) * np.ones_like(c.alpha), wood * 0.6)
    right = keys.left + WHITE * keys.width
    top = keys.back - 14
    shadow = c.soften(box(c, keys.left - 3, top + 3, right + 6, keys.front + 6), 0.012)
    c.paint(shadow, (30, 22, 18), 0.5)
    c.paint(box(c, keys.left - 5, top, right + 5, keys.front + 3), case)
    c.tint(box(c, keys.left - 5, top, right + 5, top + 1.2), np.minimum(case * 1.7, 255), 0.8)
    c.tint(box(c, keys.left - 1, keys.back - 2.5, right + 1, keys.back), (150, 36, 40), 0.8)
    _panel(c, rng, keys.left, right, top)
    for k in range(WHITE):
        x = keys.left + k * keys.width
        c.paint(box(c, x + 0.22, keys.back, x + keys.width - 0.22, keys.front), (240, 236, 226))
        c.paint(
            box(c, x + 0.22, keys.front - 1.4, x + keys.width - 0.22, keys.front), (206, 200, 188)
        )
    deep = c.glow(0.5, keys.back * px, 3.0, 3.5 * px) * (c.y >= keys.back * px)
    c.tint(deep * box(c, keys.left, keys.back, right, keys.front), (70, 62, 56), 0.5)
    for pitch in range(FIRST, FIRST + 12 * WHITE // 7):
        if black(pitch):
            x, w, end = keys.x(pitch), 0.31 * keys.width, keys.back + _reach(keys)
            c.paint(box(c, x - w, keys.back, x + w, end), (34, 31, 33))
            c.paint(box(c, x - 0.6 * w, keys.back, x + 0.5 * w, end - 1.6), (70, 66, 68))
    return layer(c)


def _panel(c: Canvas, rng: np.random.Generator, left: float, right: float, top: float) -> None:
    """A display, two dials and some lights."""
    wide = right - left
    at = left + wide * float(rng.uniform(0.27, 0.36))
    c.paint(box(c, at, top + 3, at + 24, top + 10), (20, 26, 30))
    c.paint(box(c, at + 1, top + 4, at + 23, top + 9), (96, 168, 156))
    for k in range(4):
        c.paint(box(c, at + 2.5 + 5 * k, top + 5, at + 4.5 + 4.6 * k, top + 8), (46, 92, 88))
    for k in (0, 1):
        x, y = (left + 8 + 9 * k) / WIDTH, (top + 6.5) / WIDTH
        c.paint(c.ellipse(x, y + 0.004, 0.02, 0.019), (18, 18, 20), 0.6)
        c.paint(c.ellipse(x, y, 0.019, 0.018), (150, 148, 150))
        c.paint(c.ellipse(x - 0.003, y - 0.004, 0.012, 0.011), (186, 184, 184))
        c.paint(c.stroke(((x, y), (x + 0.01 * (2 * k - 1), y - 0.012)), 0.004), (40, 40, 44))
    for k in range(6):
        tone = ((216, 70, 60), (224, 170, 70), (104, 176, 104))[int(rng.integers(3))]
        x = right - 8 - 5 * k
        c.paint(box(c, x, top + 4.5, x + 3, top + 6.5), tone)
        c.paint(box(c, x, top + 8, x + 3, top + 9.5), (122, 120, 124))


def _reach(keys: Keys) -> float:
    """Length of the black keys in px."""
    return 0.6 * (keys.front - keys.back)


def _pressed(frame: np.ndarray, keys: Keys, pitch: int, depth: float) -> None:
    """Draw a key that is down by `depth` 0..1, in place."""
    half = (0.31 if black(pitch) else 0.47) * keys.width
    x0, x1 = keys.x(pitch) - half, keys.x(pitch) + half
    y1 = keys.back + _reach(keys) if black(pitch) else keys.front
    axis = np.arange(int(x0), int(np.ceil(x1)))
    across = np.clip(np.minimum(axis + 1 - x0, x1 - axis), 0, 1)
    rows = slice(round(keys.back), round(y1))
    part = frame[rows, axis[0] : axis[-1] + 1]
    part *= (1 - 0.22 * depth * across)[:, None].astype(np.float32)
    part[-2:] *= (1 - 0.3 * depth * across)[:, None].astype(np.float32)


def pianist(
    notes: Sequence[Note],
    *,
    seconds: float,
    fps: float,
    rng: np.random.Generator,
    distractor: str = "repeats",
) -> Act:
    """Draw two hands that play notes on a keyboard while a wooden horse rocks.

    Parameters: `notes`, each with the `hand` that plays it, 0 right and 1 left; `seconds` and `fps`
    of film; `rng`, for everything that differs from scene to scene; `distractor`, how the horse
    rocks, one of `scenery.DISTRACTORS`. Fingers go down as notes begin and up as they end; hands
    move along the keys, further for louder notes up and down, and draw back in rests.
    Returns an `Act`. Raises ValueError for another distractor.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    times = (np.arange(round(seconds * fps)) + 0.5) / fps
    side = int(rng.choice((-1, 1)))
    keys = Keys(
        left=float(rng.uniform(18, 44)), width=float(rng.uniform(3.3, 3.5)),
        back=float(rng.integers(93, 96)), front=0.0,
    )  # fmt: skip
    keys = replace(keys, front=keys.back + 17.0)
    table = keys.back - float(rng.uniform(22, 28))
    still = over(room(rng, side=-side), _furniture(rng, keys, table))
    place, floor = 80 + side * float(rng.uniform(24, 46)), table + 4.0
    toy = horse.carve(rng, facing=-side)
    rocking = horse.LEAN * swing(distractor, times, rng, period=_PERIOD)
    still = horse.shade(still, place, floor)
    pair = [
        hands.plan([n for n in notes if n.hand == k], keys, times, thumb=(0, 4)[k]) for k in (0, 1)
    ]
    skin = hands.SKINS[int(rng.integers(len(hands.SKINS)))]
    drawn = [[hands.draw(pose, t, keys, skin) for pose in pair] for t in range(len(times))]
    depth = _depths(notes, times)

    def play(picture: np.ndarray, t: int) -> np.ndarray:
        for pitch, down in depth[t].items():
            _pressed(picture, keys, pitch, down)
        for top, x, y in drawn[t]:
            stamp(picture, top, x, y)
        return picture

    def with_horse(t: int) -> np.ndarray:
        picture = still.copy()
        horse.rock(picture, toy, place, floor, float(rocking[t]))
        return picture

    count = range(len(times))
    return Act(
        frames=np.stack([play(with_horse(t), t) for t in count]),
        region=moved(play(with_horse(0), t) for t in count),
        distractor=moved(play(with_horse(t), 0) for t in count),
        activity=loudness("piano", notes, times),
    )


def _depths(notes: Sequence[Note], times: np.ndarray) -> list[dict[int, float]]:
    """At each instant, how far down which keys are."""
    found: list[dict[int, float]] = [{} for _ in times]
    for note in notes:
        down = hands.pressed(note, times)
        for t in np.flatnonzero(down > 0):
            found[t][note.pitch] = max(found[t].get(note.pitch, 0.0), float(down[t]))
    return found
