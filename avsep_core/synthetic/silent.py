"""Things that move without a sound: a lamp that swings on its cord, a cat's tail."""

import numpy as np

from .brush import Canvas
from .figure import limb
from .scenery import WIDTH, Sprite, canvas, lay, layer, over, sprite

_LAMPS = ((196, 84, 66), (70, 112, 124), (222, 168, 72), (96, 122, 84))
_FURS = ((214, 140, 72), (84, 80, 84), (52, 46, 46), (196, 184, 168))


class Lamp:
    """A lamp on a cord that swings."""

    reach = 0.34  # radians

    def __init__(self, rng: np.random.Generator) -> None:
        self.x, self.cord = float(rng.uniform(25, 31)), float(rng.uniform(30, 35))
        colour = np.array(_LAMPS[int(rng.integers(len(_LAMPS)))], np.float32)
        self.shade = self._paint(colour)

    def _paint(self, colour: np.ndarray) -> Sprite:
        c = Canvas(128)
        c.paint(c.glow(0.5, 0.6, 0.17, 0.15), (255, 236, 190), 0.3)
        c.paint(c.ellipse(0.5, 0.66, 0.085, 0.085, blur=0.01), (255, 246, 214))
        bell = c.blob(((0.46, 0.28), (0.54, 0.28), (0.6, 0.42), (0.78, 0.64), (0.5, 0.67),
                       (0.22, 0.64), (0.4, 0.42)))  # fmt: skip
        c.paint(bell, colour)
        c.tint(bell * c.glow(0.42, 0.45, 0.06, 0.16), np.minimum(colour * 1.35 + 20, 255), 0.7)
        c.tint(bell * c.glow(0.72, 0.6, 0.1, 0.16), colour * 0.6, 0.6)
        c.tint(bell * c.glow(0.5, 0.66, 0.3, 0.015), (255, 232, 180), 0.7)
        return sprite(c, 30)

    def still(self, frame: np.ndarray) -> None:
        """Paint what does not move."""

    def draw(self, frame: np.ndarray, where: float) -> None:
        """Draw the lamp, swung to one side by `where`, -1..1."""
        turn = self.reach * where
        x, y = self.x + self.cord * np.sin(turn), self.cord * np.cos(turn)
        limb(frame, (self.x, -2), (x, y - 5), (0.6, 0.6), np.array([70, 60, 54]), shade=0)
        lay(frame, self.shade, x, y, turn=-turn)


class Cat:
    """A cat on a shelf whose tail hangs down and swings."""

    reach = 0.62  # radians

    def __init__(self, rng: np.random.Generator) -> None:
        self.x, self.y = float(rng.uniform(24, 28)), float(rng.uniform(30, 34))
        self.fur = np.array(_FURS[int(rng.integers(len(_FURS)))], np.float32)
        self.board = np.array([128, 88, 58], np.float32)

    def still(self, frame: np.ndarray) -> None:
        """Paint shelf and cat."""
        c, x, y = canvas(), self.x, self.y

        def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
            return [((x + u) / WIDTH, (y + v) / WIDTH) for u, v in points]

        px, fur = 1 / WIDTH, self.fur
        c.paint(c.soften(c.stroke(at((-21, 4.5), (21, 4.5)), 4 * px), 0.006), (40, 30, 24), 0.3)
        c.paint(c.stroke(at((-22, 1.5), (22, 1.5)), 3.0 * px), self.board)
        c.tint(c.stroke(at((-22, 0.6), (22, 0.6)), 0.8 * px), self.board * 1.35)
        for k, tone in enumerate(((168, 74, 62), (76, 104, 128), (196, 164, 96))):
            c.paint(c.stroke(at((13.5 + 2.6 * k, 0), (13.5 + 2.6 * k, -11 + k)), 2.3 * px), tone)
        body = c.blob(at((-12, 0.5), (-11, -8), (-3, -11), (6, -8), (8.5, -1), (4, 0.6)))
        head = c.ellipse(*at((-10, -12))[0], 5.4 * px, 4.9 * px)
        ears = np.maximum(
            c.blob(at((-15, -13), (-14.6, -19), (-10.6, -15.6))),
            c.blob(at((-5, -13), (-5.4, -19), (-9.4, -15.6))),
        )
        for mask in (body, ears, head):
            c.paint(mask, fur)
            rim = mask * (1 - c.soften(mask, 0.007))
            c.tint(np.clip(1.6 * rim, 0, 1), fur * 0.5, 0.6)
        c.tint(body * c.glow(*at((-1, -8))[0], 0.03, 0.016), np.minimum(fur * 1.25 + 15, 255), 0.5)
        for u in (-12.2, -7.8):
            c.paint(c.ellipse(*at((u, -12.6))[0], 1.0 * px, 0.9 * px), (176, 196, 96))
            c.paint(c.ellipse(*at((u, -12.6))[0], 0.35 * px, 0.85 * px), (20, 18, 16))
        c.paint(c.ellipse(*at((-10, -10.4))[0], 0.8 * px, 0.55 * px), (200, 120, 112))
        frame[:] = over(frame, layer(c))

    def draw(self, frame: np.ndarray, where: float) -> None:
        """Draw the tail, bent to one side by `where`, -1..1."""
        at, turn = np.array([self.x + 5.5, self.y - 1.0]), 0.15
        for k in range(9):
            turn += self.reach * where / (1.0 + 0.25 * k) * 0.47
            to = at + 3.4 * np.array([np.sin(turn), np.cos(turn)])
            thick = (2.3 - 0.09 * k, 2.3 - 0.09 * (k + 1))
            limb(frame, tuple(at), tuple(to), thick, self.fur * (0.98 - 0.03 * k), shade=0.25)
            at = to
