"""Players of woodwinds and brass: clarinet, flute, saxophone and trumpet."""

from collections.abc import Callable, Sequence

import numpy as np

from .played_easel import Easel, Piece, Sheet, Spot
from .played_motion import Score
from .played_person import MOUTH, Person

_SILVER, _GOLD = np.array([202.0, 206, 212]), np.array([212.0, 168, 76])
_BLACK = np.array([40.0, 38, 42])
_METALS = (_SILVER, _GOLD, np.array([196.0, 142, 92]), np.array([176.0, 138, 66]))
_VALVES = ((), (1, 2, 3), (1, 3), (2, 3), (1, 2), (1,), (2,), (), (2, 3), (1, 2), (1,), (2,))
"""Which valves are down for the notes from written C up."""


def _metal(rng: np.random.Generator, shares: Sequence[float]) -> np.ndarray:
    drawn = _METALS[int(rng.choice(len(_METALS), p=np.asarray(shares)))]
    return np.clip(drawn * rng.uniform(0.85, 1.1) + rng.uniform(-8, 8, 3), 8, 250)


def _flute(rng: np.random.Generator) -> Piece:
    """A flute along x; the lip plate is at (0, 0)."""
    c = Sheet(70, (24, 0))
    if rng.random() < 0.15:
        tube, keys = np.clip(_BLACK + rng.uniform(0, 40, 3), 0, 255), _SILVER
    else:
        tube = keys = _metal(rng, (0.74, 0.18, 0.08, 0.0))
    c.horn([(-8, 0), (10, 0), (30, 0), (54, 0)], [2.9, 2.9, 2.9, 2.9], tube)
    for x in (-8, 9.5, 43):
        c.line([(x, 0), (x + 1.6, 0)], 3.7, keys * 0.8)
    c.dot(0, -0.6, 3.4, 1.5, keys * 0.7)
    c.dot(0, -0.8, 2.9, 1.1, np.minimum(keys * 1.15, 255))
    c.dot(0, -0.9, 1.0, 0.5, _BLACK)
    c.line([(13, -1.7), (41, -1.7)], 0.8, keys * 0.72)
    for x in (14, 17, 20, 23.5, 26, 30.5, 33, 35.5, 38.5, 46, 49):
        c.dot(x, -0.5, 1.3, 1.25, keys * 0.5)
        c.dot(x, -0.7, 1.0, 0.9, np.minimum(keys * 1.15 + 10, 255))
    return c.piece()


def _clarinet(rng: np.random.Generator) -> Piece:
    """A clarinet along x from its reed at (0, 0)."""
    c = Sheet(66, (29, 0))
    wood = np.array([66.0, 40, 30]) if rng.random() < 0.25 else _BLACK
    wood = np.clip(wood * rng.uniform(0.75, 1.5), 0, 255)
    keys = _metal(rng, (0.8, 0.2, 0.0, 0.0))
    c.horn([(-1, 0), (3, 0), (8, 0), (9, 0), (13, 0), (14, 0), (30, 0), (46, 0), (51, 0), (55, 0),
            (58.5, 0)],
           [1.4, 2.6, 4.0, 4.8, 5.0, 4.0, 4.2, 4.6, 5.6, 8.0, 11.5], wood)  # fmt: skip
    c.dot(58.3, 0, 1.3, 5.7, wood * 0.4)
    for x, w in ((4.5, 3.6), (6.4, 4.0), (8.6, 4.6), (13.6, 4.6), (31, 4.8), (49, 5.4)):
        c.line([(x, 0), (x + 0.9, 0)], w, keys)
    for y, a, b in ((-2.3, 15, 30), (2.3, 17, 29), (-2.5, 33, 46), (2.6, 36, 47)):
        c.line([(a, y), (b, y)], 0.8, keys * 0.85)
    for x in (17, 20.5, 24, 27.5, 34, 37.5, 41, 45):
        c.dot(x, 0, 1.5, 1.45, keys)
        c.dot(x, 0, 0.9, 0.85, wood * 0.5)
    for x, y in ((22, -3.2), (29, 3.3), (43, 3.5), (46, -3.3)):
        c.dot(x, y, 1.6, 0.9, np.minimum(keys * 1.1, 255))
    return c.piece()


def _saxophone(rng: np.random.Generator) -> Piece:
    """A saxophone that hangs from its reed at (0, 0), its bell to the right."""
    c = Sheet(72, (16, 26))
    metal = _metal(rng, (0.15, 0.6, 0.1, 0.15))
    if rng.random() < 0.1:
        metal = _BLACK * 1.2
    keys = _metal(rng, (0.2, 0.6, 0.1, 0.1))
    c.horn([(7, -4.5), (10.5, -3.0), (11.5, 2), (10.8, 6)], [2.6, 3.0, 3.2, 3.6], metal)
    c.horn([(-1, 0.4), (2, -0.8), (5, -2.6), (8, -4.2)], [1.4, 3.2, 3.4, 2.8], _BLACK)
    c.horn([(10.8, 4), (10.6, 18), (11.5, 32), (13, 44), (18, 52), (25.5, 52), (30.5, 44),
            (32.5, 34), (34, 26), (36.5, 20)],
           [3.6, 4.6, 5.8, 7.0, 8.0, 8.4, 8.8, 10.0, 13.0, 19.0], metal)  # fmt: skip
    c.dot(36.8, 19.6, 10.0, 4.0, metal * 0.75, turn=0.42)
    c.dot(36.9, 19.2, 8.9, 3.2, metal * 0.34, turn=0.42)
    c.dot(37.6, 20.6, 5.0, 1.6, metal * 0.6, turn=0.42)
    c.line([(13.8, 9), (15, 24), (16, 42)], 0.9, keys * 0.8)
    c.line([(7.6, 12), (7.8, 26), (9.3, 42)], 0.9, keys * 0.7)
    for x, y, r in ((10.6, 12, 1.7), (10.7, 16.5, 1.7), (10.9, 21, 1.8), (11.3, 27, 2.1),
                    (11.8, 32.5, 2.2), (12.6, 38.5, 2.4), (27.5, 47, 3.0), (31.0, 37.5, 2.8),
                    (18.5, 51, 2.4), (6.8, 31, 1.7), (16.6, 30, 1.6)):  # fmt: skip
        c.dot(x, y, r, r, keys * 0.5)
        c.dot(x - 0.2, y - 0.3, 0.78 * r, 0.74 * r, np.minimum(keys * 1.15 + 12, 255))
    return c.piece()


def _trumpet(rng: np.random.Generator) -> Piece:
    """A trumpet along x from its mouthpiece at (0, 0), without what moves on its valves."""
    c = Sheet(68, (28, 3))
    metal = _metal(rng, (0.3, 0.5, 0.15, 0.05))
    c.horn([(12, 8.6), (9.2, 7.6), (9.2, 1.6), (12, 0.4), (24, 0.2), (38, 0.2), (46, 0.2),
            (51, 0.2), (55, 0.2), (57.5, 0.2)],
           [2.5, 2.5, 2.5, 2.5, 2.6, 3.0, 4.6, 7.4, 12.0, 18.0], metal)  # fmt: skip
    c.dot(57.4, 0.2, 1.6, 9.0, metal * 0.62)
    c.dot(57.8, 0.2, 0.9, 7.6, np.minimum(metal * 1.2, 255))
    c.horn([(12, 8.6), (20, 8.6), (30, 8.6)], [2.5, 2.5, 2.5], metal * 0.95)
    c.horn([(4, -3.4), (20, -3.4), (38, -3.4), (42, -2.4), (42.6, 2.0), (41.5, 6.2), (37, 7.2),
            (28, 7.2)],
           [2.1, 2.3, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5], metal)  # fmt: skip
    c.horn([(-1.4, -3.4), (0.4, -3.4), (2.5, -3.4), (5, -3.4)], [4.6, 3.6, 2.2, 1.9], _SILVER)
    for x in (19.5, 24.3, 29.1):
        c.line([(x, -5.6), (x, 12.4)], 4.1, metal * 0.5)
        c.line([(x - 0.1, -5.4), (x - 0.1, 12.2)], 3.3, metal)
        c.line([(x - 0.6, -5), (x - 0.6, 12)], 0.9, np.minimum(metal * 1.25 + 50, 255))
        for y in (-5.4, 11.2):
            c.line([(x - 2.2, y), (x + 2.2, y)], 1.4, metal * 0.72)
    return c.piece()


class _Wind:
    """What players of winds share: a horn at the mouth that rises, nods, and is fingered.

    `turn` is the angle of the piece at rest; `lift` how far it is turned while it sounds.
    """

    lift = -0.1

    def __init__(
        self, score: Score, person: Person, horn: Piece, turn: float,
        down: Callable[[int], Sequence[bool]], count: int,
    ) -> None:  # fmt: skip
        self.person, self.horn, self.turn = person, horn, turn
        self.nod, self.breath = score.nod(), score.breath()
        self.pressed = score.fingers([down(n.pitch) for n in score.notes], count)

    def pose(self, time: float) -> tuple[float, Spot]:
        """The angle of the horn, and where its mouthpiece is, in px."""
        nod, breath = self.nod(time), self.breath(time)
        turn = self.turn + self.lift * breath - 1.2 * self.lift * nod
        return turn, (MOUTH[0] + 0.5, MOUTH[1] + 0.4 + 1.8 * nod - 0.6 * breath)

    def frame(self, time: float) -> Callable[[float, float], Spot]:
        """Where places of the horn, in px from its mouthpiece, are in the strip."""
        turn, (x0, y0) = self.pose(time)
        c, s = float(np.cos(turn)), float(np.sin(turn))
        return lambda x, y: (x0 + c * x - s * y, y0 + s * x + c * y)

    def backdrop(self, easel: Easel, time: float, tilt: float = 0.0) -> None:
        """Paint the player without arms, and the horn."""
        self.person.body(easel)
        self.horned(easel, time, tilt)

    def horned(self, easel: Easel, time: float, tilt: float) -> None:
        """Paint the head and the horn."""
        turn, (x, y) = self.pose(time)
        self.person.head(easel, tilt, (0.0, y - MOUTH[1] - 0.4))
        easel.piece(self.horn, (x, y), turn, held=True)

    def grip(
        self, easel: Easel, side: int, on: Callable[[float, float], Spot], wrist: Spot,
        roots: Sequence[Spot], ways: tuple[Spot, Spot], pressed: Sequence[float],
    ) -> None:  # fmt: skip
        """Paint an arm and a hand whose fingers go from `roots` by `ways[0]` when they are
        pressed and by `ways[1]` when not, all in px of the horn."""
        tips = [
            on(x + d * ways[0][0] + (1 - d) * ways[1][0], y + d * ways[0][1] + (1 - d) * ways[1][1])
            for (x, y), d in zip(roots, pressed, strict=True)
        ]
        at = on(*wrist)
        self.person.arm(easel, side, at)
        self.person.hand(easel, at, [on(*r) for r in roots], tips)


def _covered(pitch: int) -> list[bool]:
    """Which of six fingers are down: more of them for lower notes of a scale."""
    step = (0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 6)[pitch % 12]
    return [k < 6 - step or (k == 5 and pitch % 2 == 1) for k in range(6)]


class Flutist(_Wind):
    """Somebody with a flute, held to the right."""

    def __init__(self, score: Score, person: Person, rng: np.random.Generator) -> None:
        turn = float(rng.uniform(0.04, 0.3))
        super().__init__(score, person, _flute(rng), turn, _covered, 6)

    def paint(self, easel: Easel, time: float) -> None:
        """Paint the player at an instant."""
        self.backdrop(easel, time, 0.12)
        on, d = self.frame(time), [f(time) for f in self.pressed]
        ways = ((0.0, -5.6), (0.6, -8.6))
        for side, x, part in ((-1, 15.0, d[:3]), (1, 33.0, d[3:])):
            roots = [(x + 2.7 * k, 4.6) for k in range(3)]
            self.grip(easel, side, on, (x + 3 - 2.0 * side, 11.0), roots, ways, part)


class Clarinettist(_Wind):
    """Somebody with a clarinet before the chest."""

    def __init__(self, score: Score, person: Person, rng: np.random.Generator) -> None:
        turn = float(rng.uniform(0.95, 1.35))
        super().__init__(score, person, _clarinet(rng), turn, _covered, 6)

    def paint(self, easel: Easel, time: float) -> None:
        """Paint the player at an instant."""
        self.backdrop(easel, time)
        on, d = self.frame(time), [f(time) for f in self.pressed]
        for side, x, part in ((1, 18.0, d[:3]), (-1, 35.0, d[3:])):
            roots = [(x + 2.9 * k, -4.2 * side) for k in range(3)]
            ways = ((0.0, 4.6 * side), (-0.8, 0.4 * side))
            self.grip(easel, side, on, (x + 5.0, -11.0 * side), roots, ways, part)


class Saxophonist(_Wind):
    """Somebody with a saxophone, its bell to the right."""

    lift = -0.09

    def __init__(self, score: Score, person: Person, rng: np.random.Generator) -> None:
        turn = float(rng.uniform(-0.12, 0.22))
        super().__init__(score, person, _saxophone(rng), turn, _covered, 6)

    def paint(self, easel: Easel, time: float) -> None:
        """Paint the player at an instant."""
        on, d = self.frame(time), [f(time) for f in self.pressed]
        self.backdrop(easel, time)
        for side, x, y, part in ((1, 10.7, 10.0, d[:3]), (-1, 11.5, 28.0, d[3:])):
            roots = [(x + 5.2 * side, y + 2.8 * k) for k in range(3)]
            ways = ((-5.4 * side, 0.0), (-1.2 * side, -1.0))
            self.grip(easel, side, on, (x + 12.0 * side, y + 6.0), roots, ways, part)


class Trumpeter(_Wind):
    """Somebody with a trumpet that points to the right."""

    lift = -0.14

    def __init__(self, score: Score, person: Person, rng: np.random.Generator) -> None:
        turn = float(rng.uniform(0.08, 0.38))
        super().__init__(
            score, person, _trumpet(rng), turn,
            lambda pitch: [k in _VALVES[(pitch + 2) % 12] for k in (1, 2, 3)], 3,
        )  # fmt: skip

    def pose(self, time: float) -> tuple[float, Spot]:
        """The angle of the horn, and where the middle of its mouthpiece is, in px."""
        turn, (x, y) = super().pose(time)
        return turn, (x - 3.4 * float(np.sin(turn)), y + 3.4)

    def paint(self, easel: Easel, time: float) -> None:
        """Paint the player at an instant."""
        on, d = self.frame(time), [f(time) for f in self.pressed]
        p, wrist = self.person, on(27.0, 8.0)
        p.body(easel)
        p.arm(easel, 1, wrist)
        p.hand(easel, wrist, [on(23.0 + 3.0 * k, -5.0) for k in range(3)],
               [on(21.0 + 4.4 * k, -12.0 + 1.5 * d[k]) for k in range(3)])  # fmt: skip
        self.horned(easel, time, 0.06)
        for k, x in enumerate((19.5, 24.3, 29.1)):
            top = on(x, -9.6 + 3.2 * d[k])
            easel.rod(on(x, -5), top, (0.6, 0.6), _SILVER * 0.8, held=True)
            easel.rod(top, top, (1.3, 1.3), np.array([236, 228, 214]), held=True)
            easel.rod(on(x + 1.6, -13.0 + 2.2 * d[k]), on(x, -10.9 + 3.2 * d[k]), (1.4, 1.1),
                      p.skin, held=True, shade=0.45)  # fmt: skip
        self.grip(easel, -1, on, (14.0, 16.5), [(15.5, 10.0 - 3.0 * k) for k in range(4)],
                  ((7.0, -0.6), (7.0, -0.6)), [1.0] * 4)  # fmt: skip
