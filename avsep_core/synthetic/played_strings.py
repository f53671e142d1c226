"""Players on strings: violin, cello and guitar."""

import numpy as np

from .played_easel import Easel, Piece, Sheet, Spot
from .played_motion import Score
from .played_person import Person

_VARNISH = ((158, 82, 36), (126, 58, 30), (190, 116, 54), (104, 46, 28), (206, 150, 84),
            (84, 44, 30), (146, 52, 30))  # fmt: skip
_WOODS = ((214, 152, 78), (186, 112, 52), (150, 78, 40), (226, 178, 106), (92, 52, 36),
          (40, 36, 38), (120, 40, 34), (58, 78, 110))  # fmt: skip
_FIDDLE = (
    (-0.005, 0.0), (0.008, 0.08), (0.05, 0.15), (0.12, 0.174), (0.2, 0.158), (0.26, 0.118),
    (0.33, 0.096), (0.4, 0.114), (0.46, 0.138), (0.52, 0.138), (0.57, 0.1), (0.592, 0.03),
)  # fmt: skip
_GUITAR = (
    (-0.005, 0.0), (0.01, 0.105), (0.07, 0.168), (0.14, 0.174), (0.22, 0.134), (0.27, 0.122),
    (0.33, 0.134), (0.39, 0.137), (0.435, 0.1), (0.45, 0.03),
)  # fmt: skip
_BRIDGE = 0.33  # of a fiddle's length
_OPEN = {"violin": (55, 62, 69, 76), "cello": (36, 43, 50, 57)}


def _tinted(colours: tuple[tuple[int, int, int], ...], rng: np.random.Generator) -> np.ndarray:
    drawn = np.array(colours[int(rng.integers(len(colours)))]) * rng.uniform(0.85, 1.12)
    return np.clip(drawn + rng.uniform(-10, 10, 3), 8, 245).astype(np.float32)


def _closed(half: tuple[tuple[float, float], ...], length: float) -> list[Spot]:
    lower = [(u * length, v * length) for u, v in half]
    return lower + [(x, -y) for x, y in lower[::-1]]


def _fiddle(length: float, wood: np.ndarray, *, pin: float = 0.0) -> Piece:
    """Violin or cello from its lower end, (0, 0), along x; `pin`, length of an endpin in px."""
    c = Sheet(length + pin + 8, ((length - pin) / 2, 0))
    k = length
    if pin:
        c.line([(-pin, 0), (0, 0)], 1.3, np.array([150, 150, 156]))
    c.line([(0.5 * k, 0), (0.97 * k, 0)], 0.075 * k, wood * 0.66)
    body = c.shape(_closed(_FIDDLE, k), wood)
    c.rim(body, wood * 0.4, 0.03 * k)
    for u, v in ((0.13, -0.07), (0.48, -0.05)):
        ((x, y),) = c.on([(u * k, v * k)])
        shine = c.glow(x, y, 0.06 * k / c.extent, 0.035 * k / c.extent)
        c.tint(body * shine, np.minimum(wood * 1.4 + 30, 255), 0.6)
    for side in (-1, 1):
        hole = [(0.25 * k, side * 0.11 * k), (0.29 * k, side * 0.085 * k),
                (0.36 * k, side * 0.082 * k), (0.4 * k, side * 0.058 * k)]  # fmt: skip
        c.line(hole, max(0.02 * k, 0.8), np.array([26, 14, 8]), 0.9)
    ebony = np.array([36, 28, 26])
    c.shape([(0.02 * k, -0.02 * k), (0.25 * k, -0.036 * k), (0.25 * k, 0.036 * k),
             (0.02 * k, 0.02 * k)], ebony, sharp=True)  # fmt: skip
    c.shape([(0.4 * k, -0.04 * k), (0.88 * k, -0.024 * k), (0.88 * k, 0.024 * k),
             (0.4 * k, 0.04 * k)], ebony, sharp=True)  # fmt: skip
    c.line([(_BRIDGE * k, -0.065 * k), (_BRIDGE * k, 0.065 * k)], 1.1, np.array([232, 200, 148]))
    for v in (-0.018, 0.0, 0.018):
        c.line([(0.2 * k, v * k), (0.9 * k, v * k)], 0.45, np.array([226, 220, 206]), 0.6)
    if not pin:
        c.dot(0.06 * k, -0.1 * k, 0.075 * k, 0.05 * k, ebony)
    c.dot(0.975 * k, 0, 0.035 * k, 0.032 * k, wood * 0.8)
    c.dot(0.98 * k, 0, 0.014 * k, 0.014 * k, wood * 0.4)
    for u in (0.9, 0.935):
        c.line([(u * k, -0.075 * k), (u * k, 0.075 * k)], max(0.022 * k, 0.9), ebony)
    return c.piece()


class _Bowed:
    """What violinists and cellists share: a fiddle on a line, a bow, and two hands."""

    def __init__(self, instrument: str, score: Score, rng: np.random.Generator) -> None:
        wood = _tinted(_VARNISH, rng)
        self.cello = instrument == "cello"
        self.length = 78.0 if self.cello else 48.0
        self.fiddle = _fiddle(self.length, wood, pin=9.0 if self.cello else 0.0)
        self.stick = np.array(((96, 54, 30), (62, 34, 24), (140, 84, 46), (30, 28, 30))[
            int(rng.integers(4))], np.float32)  # fmt: skip
        self.bow = 50.0 if self.cello else 47.0
        pitch = np.array([n.pitch for n in score.notes], float)
        opened = np.array(_OPEN[instrument])
        string = np.clip((pitch - opened[0]) // 7, 0, 3)
        self.at, self.nod = score.bow(), score.nod()
        self.tilt = score.follow(list(1.5 - string), 0.0, before=0.055)
        finger = np.clip(pitch - opened[string.astype(int)], 0, 14) / 12
        self.place = score.follow(list(0.82 - (0.16 if self.cello else 0.09) * finger), 0.8)
        self.pressed = score.fingers([[int(p) % 4 == k for k in range(4)] for p in pitch], 4)

    def spot(self, root: Spot, turn: float, u: float, v: float = 0.0) -> Spot:
        """A place of the fiddle in px: `u` along it, `v` px across."""
        c, s = float(np.cos(turn)), float(np.sin(turn))
        return root[0] + c * u * self.length - s * v, root[1] + s * u * self.length + c * v

    def draw_bow(self, easel: Easel, contact: Spot, angle: float, time: float) -> Spot:
        """Paint the bow; returns where its frog is, in px."""
        along = np.array([np.cos(angle), np.sin(angle)])
        down = np.array([-along[1], along[0]])
        frog = np.array(contact) - (4 + self.at(time) * (self.bow - 8)) * along
        tip = frog + self.bow * along

        def rod(a: np.ndarray, b: np.ndarray, r: float, colour: np.ndarray, shade: float) -> None:
            easel.rod((a[0], a[1]), (b[0], b[1]), (r, r), colour, held=True, shade=shade)

        rod(frog + 1.7 * down, tip + 0.5 * down, 0.5, np.array([240, 234, 220]), 0)
        rod(frog - 3 * along - 0.7 * down, tip - 0.9 * down, 0.85, self.stick, 0.3)
        rod(tip - 0.9 * down, tip + 0.6 * down, 0.85, self.stick, 0.3)
        rod(frog + 1.1 * down, frog + 3.5 * along + 1.1 * down, 1.4, np.array([30, 24, 24]), 0.3)
        return float(frog[0]), float(frog[1])


class Violinist(_Bowed):
    """Somebody with a violin under the chin."""

    def __init__(self, score: Score, person: Person, rng: np.random.Generator) -> None:
        super().__init__("violin", score, rng)
        self.person = person
        self.turn = float(rng.uniform(-0.3, 0.08))
        self.slope = float(rng.uniform(-0.62, -0.42))

    def paint(self, easel: Easel, time: float) -> None:
        """Paint the player at an instant."""
        p, turn = self.person, self.turn + 0.05 * self.nod(time)
        root = (61.5, 54.5)
        p.body(easel)
        x, y = self.spot(root, turn, self.place(time))
        wrist = (x + 2.0, y + 9.5)
        p.arm(easel, 1, wrist)
        easel.piece(self.fiddle, root, turn, held=True)
        p.head(easel, 0.13, (1.2, 0.6))
        knuckles = [(x - 3.2 + 2.2 * k, y + 4.2 - 0.3 * k) for k in range(4)]
        tips = [(x - 3.6 + 2.2 * k, y - 3.4 + 2.4 * f(time)) for k, f in enumerate(self.pressed)]
        p.hand(easel, wrist, knuckles, tips)
        contact = self.spot(root, turn, 0.38)
        frog = self.draw_bow(easel, contact, self.slope + 0.07 * self.tilt(time), time)
        _bow_hand(easel, p, frog)


class Cellist(_Bowed):
    """Somebody who sits with a cello between the knees."""

    def __init__(self, score: Score, person: Person, rng: np.random.Generator) -> None:
        super().__init__("cello", score, rng)
        self.person = person
        self.turn = float(rng.uniform(-1.36, -1.22))
        self.slope = float(rng.uniform(-0.02, 0.2))

    def paint(self, easel: Easel, time: float) -> None:
        """Paint the player at an instant."""
        p, turn = self.person, self.turn + 0.02 * self.nod(time)
        root = (51.0, 110.0)
        p.body(easel)
        p.head(easel, -0.06, (-1.5, 0.6))
        p.lap(easel, ((34, 106), (84, 106)))
        easel.piece(self.fiddle, root, turn, held=True)
        x, y = self.spot(root, turn, self.place(time))
        wrist = (x + 9.5, y + 3.0)
        p.arm(easel, 1, wrist)
        knuckles = [(x + 4.0, y - 3.2 + 2.2 * k) for k in range(4)]
        tips = [(x + 0.4 - 2.4 * f(time), y - 3.8 + 2.3 * k) for k, f in enumerate(self.pressed)]
        p.hand(easel, wrist, knuckles, tips)
        contact = self.spot(root, turn, 0.38)
        frog = self.draw_bow(easel, contact, self.slope + 0.06 * self.tilt(time), time)
        _bow_hand(easel, p, frog)


def _bow_hand(easel: Easel, person: Person, frog: Spot) -> None:
    x, y = frog
    wrist = (x - 5.0, y - 0.5)
    person.arm(easel, -1, wrist)
    knuckles = [(x - 3.4 + 1.9 * k, y - 1.6) for k in range(4)]
    tips = [(x - 2.8 + 1.9 * k, y + 2.2) for k in range(4)]
    person.hand(easel, wrist, knuckles, tips)


def _guitar(length: float, wood: np.ndarray, rng: np.random.Generator) -> Piece:
    """A guitar from its lower end, (0, 0), along x."""
    c, k, dark = Sheet(length + 8, (length / 2, 0)), length, np.array([52, 34, 26])
    body = c.shape(_closed(_GUITAR, k), wood)
    if rng.random() < 0.3:
        ((x, y),) = c.on([(0.2 * k, 0)])
        middle = c.glow(x, y, 0.12 * k / c.extent, 0.09 * k / c.extent)
        c.tint(body * (1 - middle), wood * 0.4, 0.85)
    c.rim(body, np.array([236, 226, 200]) if rng.random() < 0.35 else dark, 0.9)
    ((x, y),) = c.on([(0.12 * k, -0.08 * k)])
    c.tint(body * c.glow(x, y, 0.05, 0.03), np.minimum(wood * 1.25 + 20, 255), 0.6)
    for radius, colour in ((0.062, dark * 1.3), (0.054, wood * 0.8), (0.046, dark * 0.5)):
        c.dot(0.28 * k, 0, radius * k, radius * k, colour)
    if rng.random() < 0.4:
        guard = [(0.17 * k, 0.03 * k), (0.27 * k, 0.06 * k), (0.25 * k, 0.12 * k),
                 (0.15 * k, 0.11 * k)]  # fmt: skip
        c.shape(guard, np.array([44, 26, 22]), 0.9)
    c.line([(0.12 * k, -0.055 * k), (0.12 * k, 0.055 * k)], 2.2, dark)
    c.line([(0.36 * k, 0), (0.9 * k, 0)], 0.052 * k, dark * 1.15)
    for n in range(9):
        u = 0.9 - 0.54 * (1 - 2 ** (-(n + 1) / 7))
        c.line([(u * k, -0.025 * k), (u * k, 0.025 * k)], 0.6, np.array([196, 182, 156]), 0.8)
    head = [(0.895 * k, -0.026 * k), (0.92 * k, -0.042 * k), (1.0 * k, -0.04 * k),
            (1.0 * k, 0.04 * k), (0.92 * k, 0.042 * k), (0.895 * k, 0.026 * k)]  # fmt: skip
    c.shape(head, wood * 0.6, sharp=True)
    for u in (0.925, 0.955, 0.985):
        for v in (-0.05, 0.05):
            c.dot(u * k, v * k, 1.0, 1.0, np.array([222, 214, 196]))
    for v in (-0.016, 0.0, 0.016):
        c.line([(0.12 * k, v * k), (0.91 * k, v * k)], 0.5, np.array([236, 230, 214]), 0.55)
    return c.piece()


class Guitarist:
    """Somebody with a guitar on the lap."""

    def __init__(self, score: Score, person: Person, rng: np.random.Generator) -> None:
        self.person = person
        self.length = 84.0
        self.guitar = _guitar(self.length, _tinted(_WOODS, rng), rng)
        self.turn = float(rng.uniform(-0.55, -0.2))
        self.strum, self.nod = score.strum(), score.nod()
        place = [0.79 - 0.006 * np.clip(n.pitch - 46, 0, 26) for n in score.notes]
        self.place = score.follow(place, 0.74)
        self.pressed = score.fingers(
            [[(n.pitch + k) % 3 > 0 for k in range(4)] for n in score.notes], 4
        )

    def spot(self, u: float, v: float) -> Spot:
        """A place of the guitar in px: `u` along it, `v` px across."""
        c, s, x = float(np.cos(self.turn)), float(np.sin(self.turn)), u - 0.2
        return 45 + c * x * self.length - s * v, 94 + s * x * self.length + c * v

    def paint(self, easel: Easel, time: float) -> None:
        """Paint the player at an instant."""
        p = self.person
        p.body(easel)
        x, y = self.spot(self.place(time), 0)
        wrist = (x + 1.5, y + 9.5)
        p.arm(easel, 1, wrist)
        easel.piece(self.guitar, self.spot(0, 0), self.turn, held=True)
        p.head(easel, 0.07, (0.6, 0.4 + 0.5 * self.nod(time)))
        knuckles = [(x - 3.6 + 2.3 * k, y + 4.6 - 0.9 * k) for k in range(4)]
        tips = [(x - 3.9 + 2.2 * k, y - 3.0 - 0.9 * k + 2.0 * f(time))
                for k, f in enumerate(self.pressed)]  # fmt: skip
        p.hand(easel, wrist, knuckles, tips)
        hx, hy = self.spot(0.27, 7.5 * self.strum(time))
        wrist = (hx - 6.5, hy - 2.5)
        p.arm(easel, -1, wrist)
        knuckles = [(hx - 0.4 * k, hy - 2.0 + 1.4 * k) for k in range(4)]
        p.hand(easel, wrist, knuckles, [(u + 3.2, v + 2.6) for u, v in knuckles])
