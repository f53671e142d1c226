"""Players of keys and bars: accordion and xylophone."""

import numpy as np

from .hands import black
from .played_easel import Easel, Piece, Sheet, Spot
from .played_motion import Score
from .played_person import Person

_SHELLS = ((150, 26, 34), (30, 30, 34), (232, 228, 220), (34, 62, 124), (112, 64, 36),
           (40, 96, 74), (96, 30, 62))  # fmt: skip
_CLOTH = ((36, 34, 38), (170, 36, 40), (226, 214, 190), (60, 80, 130), (196, 160, 90))
_BARS = ((128, 58, 36), (170, 88, 50), (206, 156, 100), (86, 44, 32), (188, 112, 62))
_TUBES = ((206, 176, 96), (196, 200, 206), (60, 60, 66), (150, 130, 110))
_TALL = 44.0  # px, of an accordion
_PLEATS = 9
_STEP = (0, 0.5, 1, 1.5, 2, 3, 3.5, 4, 4.5, 5, 5.5, 6)  # bars above C
_NEAR, _FAR = 102.0, 88.5  # px, the rows in which the two rows of bars have their middles


def _pick(colours: tuple[tuple[int, int, int], ...], rng: np.random.Generator) -> np.ndarray:
    drawn = np.array(colours[int(rng.integers(len(colours)))]) * rng.uniform(0.85, 1.1)
    return np.clip(drawn + rng.uniform(-12, 12, 3), 8, 245).astype(np.float32)


def _treble(shell: np.ndarray, buttons: bool) -> Piece:
    """The right hand's side of an accordion, its bellows' edge at (0, 0)."""
    c, h = Sheet(_TALL + 8, (-13, 0)), _TALL / 2
    body = c.shape([(-17, -h + 2), (-9, -h - 1), (0, -h), (0, h), (-9, h + 1), (-17, h - 2)],
                   shell)  # fmt: skip
    c.rim(body, shell * 0.45, 1.0)
    chrome = np.array([206, 206, 210])
    for k in range(7):
        y = -h + 7 + 4.9 * k
        c.line([(-14, y), (-8, y - 1.2), (-3, y)], 1.5, chrome * 0.8)
    c.dot(-8.5, h - 5, 4, 1.6, chrome)
    if buttons:
        c.shape([(-25, -h + 1), (-16, -h + 1), (-16, h - 1), (-25, h - 1)], shell * 0.7, sharp=True)
        for row in range(3):
            for k in range(13):
                c.dot(-23.4 + 3 * row, -h + 3.5 + 3.1 * k + 0.8 * row, 1.1, 1.1,
                      np.array([238, 236, 228]))  # fmt: skip
        return c.piece()
    c.shape([(-26, -h), (-15.5, -h), (-15.5, h), (-26, h)], np.array([240, 237, 228]), sharp=True)
    for k in range(15):
        y = -h + (k + 1) * _TALL / 15
        if k < 14:
            c.line([(-26, y), (-15.5, y)], 0.45, np.array([120, 116, 110]))
        if k % 7 not in (2, 6) and k < 14:
            c.line([(-21.5, y), (-15.5, y)], 1.7, np.array([26, 24, 26]))
    return c.piece()


def _bass(shell: np.ndarray) -> Piece:
    """The left hand's side of an accordion, its bellows' edge at (0, 0)."""
    c, h = Sheet(_TALL + 8, (8, 0)), _TALL / 2
    body = c.shape([(0, -h), (8, -h - 1), (14, -h + 3), (14, h - 3), (8, h + 1), (0, h)], shell)
    c.rim(body, shell * 0.45, 1.0)
    for row in range(3):
        for k in range(9):
            c.dot(3.5 + 2.4 * row, -h + 7 + 3.6 * k, 0.75, 0.75, np.array([232, 230, 224]))
    c.line([(11.5, -h + 4), (15.5, 0), (11.5, h - 4)], 2.6, np.array([44, 32, 28]))
    return c.piece()


class Accordionist:
    """Somebody with an accordion whose bellows go in and out."""

    def __init__(self, score: Score, person: Person, rng: np.random.Generator) -> None:
        self.person = person
        shell = _pick(_SHELLS, rng)
        self.treble, self.bass = _treble(shell, bool(rng.random() < 0.3)), _bass(shell)
        self.cloth = (_pick(_CLOTH, rng), _pick(_CLOTH, rng))
        self.turn = float(rng.uniform(-0.1, 0.1))
        self.open, self.nod = score.bellows(), score.nod()
        heights = [12.0 - 1.3 * ((n.pitch - 48) % 18) for n in score.notes]
        self.reach = score.follow(heights, 0.0)
        self.pressed = score.fingers([[(n.pitch // 2) % 4 == k or (n.pitch + 1) % 4 == k
                                       for k in range(4)] for n in score.notes], 4)  # fmt: skip

    def paint(self, easel: Easel, time: float) -> None:
        """Paint the player at an instant."""
        p, strap = self.person, np.array([40, 30, 28])
        wide, fan = 9 + 20 * self.open(time), 0.2 * self.open(time)
        root = (44.0, 86.0 + 0.8 * self.nod(time))
        p.body(easel)
        for side in (-1, 1):
            easel.rod((56 + 10.5 * side, 54.5), (56 + 12 * side, 72), (1.7, 1.7), strap)
        p.head(easel, -0.05, (0.0, 0.8 * self.nod(time)))
        for k in range(2 * _PLEATS + 1):
            share = k / (2 * _PLEATS)
            angle = self.turn + fan * share
            x, y = root[0] + wide * share, root[1] - 0.1 * wide * share
            long = _TALL / 2 - (0.6 if k % 2 else 2.2)
            dx, dy = long * float(np.sin(angle)), long * float(np.cos(angle))
            colour = self.cloth[0] * (1.0 if k % 2 else 0.55)
            easel.rod((x + dx, y - dy), (x - dx, y + dy), (0.8 + 0.035 * wide,) * 2, colour,
                      held=True, shade=0.5)  # fmt: skip
            for end in (-1, 1) if k % 2 else ():
                tip = (x + end * dx, y - end * dy)
                easel.rod(tip, (x + 0.86 * end * dx, y - 0.86 * end * dy), (0.9, 0.9),
                          self.cloth[1], held=True)  # fmt: skip
        easel.piece(self.treble, root, self.turn, held=True)
        right = (root[0] + wide, root[1] - 0.1 * wide)
        wrist = (right[0] + 16.5, right[1] + 6.0)
        p.arm(easel, 1, wrist)
        easel.piece(self.bass, right, self.turn + fan, held=True)
        knuckles = [(right[0] + 15.0, right[1] - 4.0 + 2.4 * k) for k in range(4)]
        p.hand(easel, wrist, knuckles, [(x - 3.5, y) for x, y in knuckles])
        self._keys(easel, root, time)

    def _keys(self, easel: Easel, root: Spot, time: float) -> None:
        x, y = root[0] - 27.0, root[1] + self.reach(time)
        wrist = (x - 6.0, y + 5.0)
        self.person.arm(easel, -1, wrist)
        knuckles = [(x - 1.5, y - 4.0 + 2.6 * k) for k in range(4)]
        tips = [
            (u + 4.2 + 2.6 * d(time), v - 0.8) for (u, v), d in
            zip(knuckles, self.pressed, strict=True)
        ]  # fmt: skip
        self.person.hand(easel, wrist, knuckles, tips)


class Xylophonist:
    """Somebody behind a xylophone, with a mallet in each hand; low notes lie to the right."""

    def __init__(self, score: Score, person: Person, rng: np.random.Generator) -> None:
        self.person = person
        low, high = score.compass or (72, 72)
        self.first = 12 * (low // 12) + (5 if low % 12 >= 5 else 0)
        self.count = max(13, round(self._place(high)) + 1)
        self.step = 82.0 / self.count
        self.bars = self._bars(_pick(_BARS, rng), _pick(_TUBES, rng), rng)
        self.ball = _pick(((196, 60, 56), (40, 44, 60), (228, 220, 196), (70, 110, 170),
                           (120, 70, 120), (220, 180, 70)), rng)  # fmt: skip
        self.nod = score.nod()
        self.hands = [self._hand(score, k, rest) for k, rest in ((0, 44.0), (1, 70.0))]
        self.ring = [(n.start, n.pitch, n.strength) for n in score.notes]

    def _place(self, pitch: int) -> float:
        octave, step = divmod(pitch, 12)
        low, first = divmod(self.first, 12)
        return 7 * (octave - low) + _STEP[step] - _STEP[first]

    def spot(self, pitch: int) -> Spot:
        """The middle of a bar in px."""
        return 97.0 - self.step * (self._place(pitch) + 0.5), _FAR if black(pitch) else _NEAR

    def _half(self, pitch: int) -> float:
        return (7.0 - 2.6 * self._place(pitch) / self.count) * (0.8 if black(pitch) else 1.0)

    def _bars(self, wood: np.ndarray, tube: np.ndarray, rng: np.random.Generator) -> Piece:
        c, rail = Sheet(96, (56, 104)), np.array([60, 44, 36]) * rng.uniform(0.6, 1.6)
        span = [p for p in range(self.first, 120) if self._place(p) < self.count]
        for pitch in span:
            if not black(pitch):
                x, share = self.spot(pitch)[0], self._place(pitch) / self.count
                c.horn([(x, 100), (x, 108), (x, 126 - 14 * share)], [0.62 * self.step] * 3, tube)
        for y, slope in ((_FAR - 4, 1.2), (_FAR + 5, 1.0), (_NEAR - 3, -1.0), (_NEAR + 5.5, -2.0)):
            c.line([(13, y + slope), (99, y - slope)], 1.6, rail)
        for x in (13.5, 98.5):
            c.shape([(x - 1.5, _FAR - 6), (x + 1.5, _FAR - 6), (x + 2, _NEAR + 9),
                     (x - 2, _NEAR + 9)], rail, sharp=True)  # fmt: skip
            c.line([(x, _NEAR + 6), (x, 140)], 2.6, rail * 0.8)
        for pitch in sorted(span, key=black, reverse=True):
            (x, y), h = self.spot(pitch), self._half(pitch)
            tone = wood * rng.uniform(0.92, 1.08)
            w = 0.43 * self.step
            for r, colour in ((0.0, tone * 0.5), (0.4, tone)):
                c.line([(x, y - h + r), (x, y + h - r)], 2 * (w - r), colour)
            c.line([(x - 0.3 * w, y - h + 1), (x - 0.3 * w, y + h - 1)], 0.5 * w,
                   np.minimum(tone * 1.2 + 22, 255), 0.7)  # fmt: skip
        for row in (True, False):
            ends = [p for p in span if black(p) == row]
            for v in (-0.68, 0.68):
                (x0, y0), (x1, y1) = (self.spot(p) for p in (ends[0], ends[-1]))
                h0, h1 = (v * self._half(p) for p in (ends[0], ends[-1]))
                c.line([(x0, y0 + h0), (x1, y1 + h1)], 0.6, wood * 0.4)
        return c.piece()

    def _hand(self, score: Score, which: int, rest: float) -> tuple:
        mine = Score([n for n in score.notes if n.hand == which], float(score.times[-1]))
        spots = [self.spot(n.pitch) for n in mine.notes]
        x = mine.follow([s[0] for s in spots], rest, before=0.14, after=0.0)
        y = mine.follow([s[1] for s in spots], _NEAR, before=0.14, after=0.0)
        up = np.full(len(score.times), 4.0)
        for note in mine.notes:
            since = score.times - note.start
            high = 5.0 + 9.0 * note.strength
            lift = np.where(since < 0, np.clip(-since / 0.16, 0, 1) ** 0.7,
                            np.clip(since / 0.12, 0, 1) ** 0.7)  # fmt: skip
            raised = np.clip(1.15 - np.abs(since) / 0.35, 0, 1)
            raised *= raised * (3 - 2 * raised)
            up = np.minimum((1 - raised) * up + raised * np.maximum(up, high), 14) * lift
        return x, y, score.curve(up)

    def paint(self, easel: Easel, time: float) -> None:
        """Paint the player at an instant."""
        p, nod = self.person, self.nod(time)
        p.body(easel)
        p.head(easel, 0.0, (0.0, 1.2 + 0.8 * nod))
        easel.piece(self.bars, (0.0, 0.0), held=True)
        for start, pitch, strength in self.ring:
            if -0.01 <= time - start < 0.35:
                (x, y), h = self.spot(pitch), self._half(pitch) - 1.5
                glow = 120 + 130 * strength * np.exp(-(time - start) / 0.15)
                easel.rod((x, y - h), (x, y + h), (0.3 * self.step,) * 2,
                          np.full(3, glow) * [1.0, 0.86, 0.6], shade=0)  # fmt: skip
        for side, (across, down, up) in zip((-1, 1), self.hands, strict=True):
            x, y, lift = across(time), down(time), up(time)
            hand = (x + 0.25 * (56 - x) + 4.0 * side, 82.0 + 0.4 * (y - _NEAR) - 0.35 * lift)
            wrist = (hand[0] + 3.0 * side, hand[1] - 4.5)
            p.arm(easel, side, wrist)
            head = (x, y - 1.5 - lift)
            easel.rod((hand[0] + 0.8 * side, hand[1] - 3.0), head, (0.75, 0.65),
                      np.array([206, 176, 128]), held=True)  # fmt: skip
            easel.rod(head, head, (2.3, 2.3), self.ball, held=True, shade=0.4)
            knuckles = [(hand[0] - 2.4 + 1.7 * k, hand[1] - 1.6) for k in range(4)]
            p.hand(easel, wrist, knuckles, [(u, v + 2.6) for u, v in knuckles])
