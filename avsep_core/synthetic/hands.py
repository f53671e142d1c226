"""Hands that play the notes they are given: when each finger is where, and how that looks."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .brush import Canvas, smooth
from .notes import Note

FIRST, WHITE = 36, 29
"""Lowest key of the keyboard (MIDI) and how many white keys it has."""

_STEPS = (0, 0.5, 1, 1.5, 2, 3, 3.5, 4, 4.5, 5, 5.5, 6)  # white keys above C
_BLACK = (1, 3, 6, 8, 10)

SKINS = ((226, 178, 146), (198, 144, 108), (150, 102, 74), (104, 70, 52), (238, 196, 168))
"""Colours of skin."""

_EXTENT, _FINE = 40, 3  # px of a hand's canvas, and canvas px per px
_ORIGIN = (20.0, 11.0)  # px: the middle fingertip at rest on that canvas
_KEY = 4.3  # px: width of the keys for which a hand has the sizes below
_BOUNCE = 4.6  # Hz, of a hand that has struck
_REACH = 2.7  # keys to either side
_TIPS = (7.0, 1.2, 0.0, 1.4, 4.2)  # px towards the player, from the thumb on
_KNUCKLES = ((-8.2, 19.0), (-4.6, 12.6), (-0.6, 11.8), (3.0, 12.6), (6.2, 14.8))
_PALM = ((-8.6, 18), (-6.2, 13.2), (-1, 11.2), (3.6, 12), (7.2, 14.6), (8.4, 21), (6.6, 30),
         (6.4, 44), (-6.4, 44), (-7, 31), (-9.2, 24))  # fmt: skip
_TOGETHER = 0.05  # s: notes that begin within are one chord


@dataclass(frozen=True, eq=False)
class Keys:
    """Where the keys lie, in px: left end and width of a white key, rows of their ends."""

    left: float
    width: float
    back: float
    front: float

    def x(self, pitch: int) -> float:
        """Middle of a key, in px."""
        octave, step = divmod(pitch - FIRST, 12)
        return self.left + self.width * (7 * octave + _STEPS[step] + 0.5)


def black(pitch: int) -> bool:
    """Whether a key is a black one."""
    return pitch % 12 in _BLACK


@dataclass(frozen=True, eq=False)
class Pose:
    """A hand at T instants, in px and fingers from left to right.

    `x` (T,) middle of the hand; `back` (T,) how far towards the player the hand is; `down` and
    `lift` (T, 5) 0..1 how far each finger is pressed down and raised; `reach` (T, 5, 2) how far
    each tip is from its place at rest; `thumb`, 0 for the right hand and 4 for the left.
    """

    x: np.ndarray
    back: np.ndarray
    down: np.ndarray
    lift: np.ndarray
    reach: np.ndarray
    thumb: int


def _step(t: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 before `start`, 1 after `end`, smooth in between."""
    u = np.clip((t - start) / max(end - start, 1e-6), 0, 1)
    return np.asarray(u * u * (3 - 2 * u))


def pressed(note: Note, times: np.ndarray) -> np.ndarray:
    """How far down a note's key is at `times` (T,) in s: (T,), 0..1, down as it begins to sound."""
    return _step(times, note.start - 0.05, note.start + 0.02) * (
        1 - _step(times, note.end - 0.02, note.end + 0.08)
    )


def _chords(notes: Sequence[Note]) -> list[list[Note]]:
    found: list[list[Note]] = []
    for note in sorted(notes, key=lambda n: (n.start, n.pitch)):
        if found and note.start - found[-1][0].start < _TOGETHER:
            found[-1].append(note)
        else:
            found.append([note])
    return found


def _fingers(steps: np.ndarray, middle: float) -> list[int]:
    """Fingers 0..4 for keys at `steps` (in key widths, rising) of a hand at `middle`."""
    found: list[int] = []
    for k, step in enumerate(steps):
        least = found[-1] + 1 if found else 0
        found.append(int(np.clip(round(step - middle) + 2, least, 5 - len(steps) + k)))
    return found


def plan(notes: Sequence[Note], keys: Keys, times: np.ndarray, *, thumb: int) -> Pose:
    """Find out where a hand has to be.

    Parameters: `notes` that this hand plays, five at a time at most; `keys`; `times` (T,) in s;
    `thumb`, 0 for a right hand and 4 for a left. The hand stays where it is while the next keys
    are within its reach, and else moves, just in time, no further than it must.
    Returns a `Pose`.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    count, chords = len(times), _chords(notes)
    down, lift = np.zeros((count, 5)), np.zeros((count, 5))
    reach, back = np.zeros((count, 5, 2)), np.zeros(count)
    rest = 72 if thumb == 0 else 50
    middle = keys.x(rest) / keys.width
    x = np.full(count, middle)
    before = -1.0
    for k, chord in enumerate(chords):
        steps = np.array([keys.x(n.pitch) for n in chord]) / keys.width
        start = chord[0].start
        wanted = float(np.clip(middle, steps[-1] - _REACH, steps[0] + _REACH))
        if steps[-1] - steps[0] > 2 * _REACH:
            wanted = float((steps[0] + steps[-1]) / 2)
        if k == 0:
            x[:] = wanted
        else:
            x += (wanted - middle) * _step(times, max(before + 0.05, start - 0.07), start + 0.07)
        middle, before = wanted, start
        for note, step, finger in zip(chord, steps, _fingers(steps, middle), strict=True):
            held = pressed(note, times)
            raised = _step(times, start - 0.3, start - 0.07) * (
                1 - _step(times, start - 0.07, start)
            )
            down[:, finger] = np.maximum(down[:, finger], held)
            lift[:, finger] = np.maximum(lift[:, finger], note.strength * raised)
            aim = np.maximum(held, raised)[:, None]
            tip = [(step - middle - finger + 2) * _KEY, -7.0 if black(note.pitch) else 0]
            reach[:, finger] = np.where(aim > 0, aim * tip, reach[:, finger])
        loud = max(n.strength for n in chord)
        since = np.clip(times - start, 0, None)
        spring = np.exp(-since / 0.38) * np.cos(2 * np.pi * _BOUNCE * since)
        back += loud * (4.0 * _step(times, start - 0.04, start + 0.03) * spring - 1.2 * raised)
    back += 3.0 * (1 - _playing(chords, times))
    return Pose(x * keys.width, back, down, lift, reach, thumb)


def _playing(chords: list[list[Note]], times: np.ndarray) -> np.ndarray:
    """1 while a hand plays, 0 in rests, with time to draw back and to come again."""
    here = np.zeros_like(times)
    for chord in chords:
        end = max(n.end for n in chord)
        here = np.maximum(
            here,
            _step(times, chord[0].start - 0.45, chord[0].start - 0.05)
            * (1 - _step(times, end + 0.1, end + 0.8)),
        )
    return here


def draw(pose: Pose, t: int, keys: Keys, skin: tuple[int, int, int]) -> tuple[np.ndarray, int, int]:
    """Draw a hand.

    Parameters: `pose`; `t`, which instant of it; `keys`; `skin`, RGB. Returns pixels (n, n, 4)
    float32, premultiplied, and x, y in px where their upper left corner goes.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    c = Canvas(_EXTENT * _FINE)
    size = keys.width / _KEY
    left, top = pose.x[t] - _ORIGIN[0], keys.front - 7.5 * size - _ORIGIN[1] + size * pose.back[t]
    x0, y0 = int(np.floor(left)), int(np.floor(top))
    dx, dy = left - x0 + _ORIGIN[0], top - y0 + _ORIGIN[1]
    turn = 1 if pose.thumb == 0 else -1
    tone = np.asarray(skin, np.float32)

    def at(x: float, y: float) -> tuple[float, float]:
        return (size * x + dx) / _EXTENT, (size * y + dy) / _EXTENT

    paths, widths = [], np.array([3.8, 3.4, 3.5, 3.4, 3.2]) * size * _FINE
    for k, (kx, ky) in enumerate(_KNUCKLES):
        f = k if turn > 0 else 4 - k
        rx, ry = pose.reach[t, f]
        down, lift = float(pose.down[t, f]), float(pose.lift[t, f])
        tx = (f - 2) * _KEY + rx
        ty = _TIPS[k] + ry + 1.3 * down - 3.8 * lift - 0.8 * pose.back[t] * max(down, lift)
        bend = 0.5 * (turn * kx + tx) + 0.5 * np.sign(tx), 0.45 * ky + 0.55 * ty
        paths.append(smooth([at(turn * kx, ky), at(*bend), at(tx, ty)], closed=False, steps=4))
    palm = c.blob([at(turn * x, y) for x, y in _PALM])
    fingers, rims = (_lines(c, paths, np.round(widths) + more) for more in (0, 3))
    nails = _dots(c, [path[-1] for path in paths], 0.34 * widths)
    shadow = np.zeros_like(palm)
    shadow[4:, 4:] = c.soften(np.maximum(fingers, palm), 0.025)[:-4, :-4]
    c.paint(shadow, (24, 18, 16), 0.42)
    c.paint(rims, tone * 0.66)
    c.paint(fingers, tone)
    c.paint(palm, tone)
    c.tint(palm * c.glow(*at(0, 27), 0.2, 0.16), tone * 0.86, 0.6)
    c.tint(palm * c.glow(*at(-2 * turn, 17), 0.12, 0.06), np.minimum(tone * 1.1, 255), 0.7)
    c.tint(_dots(c, [path[0] for path in paths[1:]], 0.4 * widths[1:]), tone * 0.84, 0.28)
    c.tint(nails, (250, 214, 200), 0.5)
    stacked = np.dstack([c.colour, 255 * c.alpha])
    pixels = cv2.resize(stacked, (_EXTENT, _EXTENT), interpolation=cv2.INTER_AREA)
    return pixels, x0, y0


def _fixed(c: Canvas, points: np.ndarray) -> np.ndarray:
    """Points in fractions of the side as whole numbers of 1/64 px."""
    return np.round((np.asarray(points) * c.side - 0.5) * 64).astype(np.int32)


def _lines(c: Canvas, paths: list[np.ndarray], widths: np.ndarray) -> np.ndarray:
    """Mask of lines with round ends, `widths` in px of the canvas."""
    mask = np.zeros((c.side, c.side), np.uint8)
    for path, width in zip(paths, widths, strict=True):
        cv2.polylines(mask, [_fixed(c, path)], False, 255, int(width), cv2.LINE_AA, 6)
    return mask.astype(np.float32) / 255


def _dots(c: Canvas, points: list[np.ndarray], radii: np.ndarray) -> np.ndarray:
    """Mask of discs, `radii` in px of the canvas."""
    mask = np.zeros((c.side, c.side), np.uint8)
    for point, radius in zip(points, radii, strict=True):
        x, y = (int(v) for v in _fixed(c, point))
        cv2.circle(mask, (x, y), round(64 * float(radius)), 255, -1, cv2.LINE_AA, 6)
    return mask.astype(np.float32) / 255
