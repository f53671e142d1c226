"""A guitarist, drawn: the hand strums at each onset, and beside it something moves in silence."""

from collections.abc import Sequence

import numpy as np

from ..checks import within
from .cast import CLOTHES, TALKERS
from .figure import cutout, glide, limb, portrait, shifted, sway, torso
from .notes import Note, loudness, strokes
from .scenery import (
    HEIGHT,
    WIDTH,
    Act,
    canvas,
    check_distractor,
    lay,
    layer,
    moved,
    over,
    room,
    swing,
)  # fmt: skip
from .silent import Cat, Lamp

_END, _HEAD = np.array([46.0, 103.0]), np.array([142.0, 66.0])  # px, ends of the guitar
_HOLE = 0.27  # of the guitar's length: middle of the sound hole
_BEFORE, _DECAY = 0.03, 0.08  # s: a stroke sets out before its onset, and then dies down
_WOODS = ((214, 152, 78), (186, 112, 52), (150, 78, 40), (226, 178, 106), (96, 58, 40))
_OUTLINE = (
    (-0.005, 0.0), (0.01, 10.0), (0.07, 15.8), (0.14, 16.0), (0.22, 12.2), (0.27, 11.2),
    (0.33, 12.4), (0.39, 12.6), (0.435, 9.0), (0.45, 3.0),
)  # fmt: skip


def _spot(u: float, v: float) -> np.ndarray:
    """A point of the guitar in px: `u` along it, 0 end .. 1 head; `v` px across, downwards."""
    along = _HEAD - _END
    across = np.array([-along[1], along[0]]) / np.hypot(*along)
    return np.asarray(_END + u * along + v * across)


def _on(*points: tuple[float, float]) -> list[tuple[float, float]]:
    spots = [_spot(u, v) / WIDTH for u, v in points]
    return [(float(x), float(y)) for x, y in spots]


def _guitar(wood: np.ndarray) -> np.ndarray:
    """The guitar as a layer (120, 160, 4)."""
    c, px = canvas(), 1 / WIDTH
    dark = np.array([52, 34, 26], np.float32)
    back = [(u, -v) for u, v in _OUTLINE[::-1]]
    body = c.blob(_on(*_OUTLINE, *back))
    c.paint(c.soften(c.blob([(x + 1 * px, y + 1.6 * px) for x, y in _on(*_OUTLINE, *back)]), 0.004),
            dark * 0.8)  # fmt: skip
    c.paint(body, wood)
    rim = body * (1 - c.soften(body, 0.006))
    c.tint(np.clip(2.2 * rim, 0, 1), dark, 0.8)
    x, y = _on((0.12, -8))[0]
    c.tint(body * c.glow(x, y, 0.05, 0.03), np.minimum(wood * 1.25 + 20, 255), 0.6)
    x, y = _on((_HOLE, 0))[0]
    c.paint(c.ellipse(x, y, 5.6 * px, 5.6 * px), dark * 1.3)
    c.paint(c.ellipse(x, y, 4.9 * px, 4.9 * px), wood * 0.8)
    c.paint(c.ellipse(x, y, 4.3 * px, 4.3 * px), dark * 0.55)
    c.paint(c.stroke(_on((0.12, -5), (0.12, 5)), 2.0 * px), dark)
    c.paint(c.stroke(_on((0.36, 0), (0.9, 0)), 5.0 * px), dark * 1.15)
    for k in range(9):
        u = 0.9 - 0.54 * (1 - 2 ** (-(k + 1) / 7))
        c.paint(c.stroke(_on((u, -2.4), (u, 2.4)), 0.55 * px), (190, 176, 150), 0.7)
    head = c.blob(_on((0.895, -2.6), (0.92, -3.8), (1.0, -3.9), (1.0, 3.9), (0.92, 3.8),
                      (0.895, 2.6)))  # fmt: skip
    c.paint(head, wood * 0.62)
    for u in (0.925, 0.955, 0.985):
        for v in (-4.6, 4.6):
            x, y = _on((u, v))[0]
            c.paint(c.ellipse(x, y, 1.0 * px, 1.0 * px), (222, 214, 196))
    for v in (-1.5, 0.0, 1.5):
        c.tint(c.stroke(_on((0.12, v), (0.91, v)), 0.5 * px), (236, 230, 214), 0.5)
    return layer(c)


def strumming(notes: Sequence[Note], times: np.ndarray) -> np.ndarray:
    """How far below the strings' middle the strumming hand is, (T,), about -1..1.

    Parameters: `notes`, those of one strum close together; `times` (T,) in s. The hand goes down
    and up by turns, farther for stronger notes and for chords; it is fastest at an onset and
    comes to rest soon after.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    starts = np.array([n.start for n in notes])
    where, at, way = np.full(len(times), -0.3), -0.3, 1
    for stroke in strokes(notes):
        many = np.sum(np.abs(starts - stroke.start) < 0.06) > 1
        target = way * (0.2 + (0.8 if many else 0.5) * stroke.strength)
        since = np.clip(times - stroke.start + _BEFORE, 0, None)
        where += (target - at) * (1 - np.exp(-((since / _DECAY) ** 1.5)))
        at, way = target, -way
    return where


class _Guitarist:
    """One guitarist in one room with one silent thing, who can be drawn at any instant."""

    def __init__(
        self, notes: Sequence[Note], times: np.ndarray, rng: np.random.Generator, distractor: str
    ) -> None:
        self.person = TALKERS[int(rng.integers(len(TALKERS)))]
        look = self.person.look
        self.top = np.array(CLOTHES[int(rng.integers(len(CLOTHES)))], np.float32) * 0.9
        self.skin = np.array(look.skin, np.float32)
        self.wood = np.array(_WOODS[int(rng.integers(len(_WOODS)))], np.float32)
        self.flip = bool(rng.random() < 0.5)
        self.thing: Lamp | Cat = Lamp(rng) if rng.random() < 0.5 else Cat(rng)
        self.where = swing(distractor, times, rng, period=float(rng.uniform(1.0, 1.5)))
        self.back = room(rng, side=1)
        self.thing.still(self.back)
        self.sway = sway(times, rng)
        self.layer = self._still(look.light)
        self.strum = strumming(notes, times)
        played = strokes(notes)
        starts = np.array([n.start for n in played])
        pitch = np.array([n.pitch for n in played], float)
        place = 0.77 - 0.006 * np.clip(pitch - 50, 0, 20)
        self.neck = glide(times, starts, place, before=0.06, after=0.04)

    def _still(self, light: float) -> np.ndarray:
        behind, head = portrait(self.person, 50, top=self.top, gaze=(0.6, 0.9))
        c = canvas()
        torso(c, 80, 58, half=25, colour=self.top, light=light)
        chest, guitar = layer(c), _guitar(self.wood)

        def paint(frame: np.ndarray) -> None:
            lay(frame, behind, 80, 36)
            frame[:] = over(frame, chest)
            limb(frame, (101, 73), (122, 102), (7.8, 6.8), self.top * 0.93, blend=True)
            frame[:] = over(frame, guitar)
            lay(frame, head, 81, 36, turn=0.07)
            limb(frame, (59, 74), (41, 92), (8.4, 7.2), self.top * 0.98, blend=True)

        return cutout(paint)

    def draw(self, t: int, *, only: str = "") -> np.ndarray:
        """The picture at instant t, (120, 160, 3) float32.

        `only` "player" or "thing": nothing moves but that.
        """
        k, j = (0 if only == "thing" else t), (0 if only == "player" else t)
        dx, dy = self.sway[0 if only else t]
        frame = self.back.copy()
        self.thing.draw(frame, float(self.where[j]))
        frame = over(frame, shifted(self.layer, dx, dy))
        self._left(frame, k, np.array([dx, dy]))
        self._right(frame, k, np.array([dx, dy]))
        return frame

    def _left(self, frame: np.ndarray, t: int, move: np.ndarray) -> None:
        x, y = _spot(float(self.neck[t]), 0) + move
        elbow, wrist = (122 + move[0], 102 + move[1]), (x + 1.5, y + 11)
        limb(frame, elbow, wrist, (6.8, 4.6), self.top)
        limb(frame, wrist, (x + 0.5, y + 6), (3.8, 4.4), self.skin * 0.97)
        for k in range(4):
            root = (x - 4.2 + 2.7 * k, y + 5.2 - 1.0 * k)
            limb(frame, root, (x - 4.6 + 2.6 * k, y - 2.2 - 1.0 * k), (1.6, 1.2), self.skin,
                 shade=0.45)  # fmt: skip

    def _right(self, frame: np.ndarray, t: int, move: np.ndarray) -> None:
        hand = _spot(_HOLE - 0.02, 8.0 * float(self.strum[t])) + move
        elbow = np.array([41.0, 92.0]) + move
        wrist = hand + [-7.5, -2.0]
        limb(frame, tuple(elbow), tuple(wrist), (7.0, 4.4), self.top * 1.04)
        limb(frame, tuple(wrist), tuple(hand), (3.5, 3.9), self.skin * 0.97)
        for k in range(4):
            root = hand + [1.5 - 0.6 * k, -2.0 + 1.5 * k]
            limb(frame, tuple(root), tuple(root + [3.6, 3.0]), (1.5, 1.1), self.skin, shade=0.45)


def guitarist(
    notes: Sequence[Note],
    *,
    seconds: float,
    fps: float = 25.0,
    rng: np.random.Generator,
    distractor: str = "repeats",
) -> Act:
    """Draw somebody who plays the guitar beside a silent thing that moves.

    Parameters: `notes`, as of `notes.tune`; `seconds` of film; `fps`, pictures a second; `rng`,
    for the person, the room, the guitar, the thing (a lamp on a cord or a cat's tail) and which
    hand strums in the picture; `distractor`, how the thing moves, as for `scenery.swing`.
    Returns an `Act`; its region is where hands and forearms move, its distractor the thing.
    Raises ValueError for another distractor and for sizes out of range.
    Mirrors "Guitar Solo" of Pu et al. (2017), section 3.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    check_distractor(distractor)
    within(seconds, "seconds", 0.1, 600)
    within(fps, "fps", 1, 240)
    times = (np.arange(max(round(seconds * fps), 1)) + 0.5) / fps
    player = _Guitarist(notes, times, rng, distractor)
    frames = np.empty((len(times), HEIGHT, WIDTH, 3), np.float32)
    for t in range(len(times)):
        frames[t] = np.clip(player.draw(t), 0, 255)
    region, thing = (
        moved(player.draw(t, only=only) for t in range(len(times))) for only in ("player", "thing")
    )
    if player.flip:
        frames, region, thing = frames[:, :, ::-1], region[:, ::-1], thing[:, ::-1]
    frames, region, thing = (np.ascontiguousarray(a) for a in (frames, region, thing))
    return Act(frames, region, thing, loudness("guitar", notes, times))
