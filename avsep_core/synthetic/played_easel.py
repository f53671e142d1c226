"""An easel for players: painted pieces and round limbs, seen from where somebody stands."""

from dataclasses import dataclass

import cv2
import numpy as np

from .brush import Canvas, Points, smooth
from .figure import limb
from .scenery import HEIGHT, Sprite, lay, sprite

STRIP = 112
"""Width in px of what one player has for himself; its height is `scenery.HEIGHT`."""

Spot = tuple[float, float]
"""A place in px: x to the right, y downwards."""

_FINE = 3  # canvas px per px


@dataclass(frozen=True, eq=False)
class Piece:
    """Something painted: `sprite`; `middle`, where its middle lies, in px from the piece's origin;
    `outline` (n, 2), the hull of what can be seen of it, in px from the origin.
    """

    sprite: Sprite
    middle: Spot
    outline: np.ndarray


class Sheet(Canvas):
    """A canvas of `extent` px around `middle`, in px from the origin of what is painted."""

    def __init__(self, extent: float, middle: Spot = (0.0, 0.0)) -> None:
        super().__init__(round(_FINE * extent))
        self.extent, self.middle = float(extent), middle

    def on(self, points: Points) -> list[Spot]:
        """Points in px as fractions of the side."""
        return [
            (0.5 + (x - self.middle[0]) / self.extent, 0.5 + (y - self.middle[1]) / self.extent)
            for x, y in points
        ]

    def shape(
        self, points: Points, colour: np.ndarray, opacity: float = 1.0, *, sharp: bool = False
    ) -> np.ndarray:
        """Paint a closed shape, smooth or with corners (`sharp`); returns its mask."""
        spots = self.on(points)
        mask = self._fill(np.asarray(spots)) if sharp else self.blob(spots)
        self.paint(mask, colour, opacity)
        return mask

    def line(
        self, points: Points, width: float, colour: np.ndarray, opacity: float = 1.0
    ) -> np.ndarray:
        """Paint a smooth line of `width` px; returns its mask."""
        mask = self.stroke(self.on(points), width / self.extent)
        self.paint(mask, colour, opacity)
        return mask

    def dot(
        self, x: float, y: float, rx: float, ry: float, colour: np.ndarray, opacity: float = 1.0,
        *, turn: float = 0.0,
    ) -> np.ndarray:  # fmt: skip
        """Paint an ellipse with radii in px; returns its mask."""
        ((u, v),) = self.on([(x, y)])
        mask = self.ellipse(u, v, rx / self.extent, ry / self.extent, turn=turn)
        self.paint(mask, colour, opacity)
        return mask

    def horn(self, points: Points, widths: list[float], colour: np.ndarray) -> np.ndarray:
        """Paint a shining tube whose width changes along it; returns its mask.

        Parameters: `points` along its middle; `widths` in px, one for each; `colour`, RGB.
        """
        curve = smooth(points, closed=False)
        across = np.gradient(curve, axis=0)[:, ::-1] * [-1, 1]
        across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
        half = 0.5 * np.interp(np.linspace(0, len(widths) - 1, len(curve)),
                               np.arange(len(widths)), widths)[:, None]  # fmt: skip
        upward = np.where(across[:, 1:] + 0.3 * across[:, :1] > 0, -1, 1)

        def band(low: float, high: float) -> np.ndarray:
            a, b = curve + low * half * across * upward, curve + high * half * across * upward
            return self._fill(np.asarray(self.on([tuple(p) for p in np.vstack([a, b[::-1]])])))

        whole = self._fill(
            np.asarray(
                self.on([tuple(p) for p in np.vstack([curve + half * across,
                                                      (curve - half * across)[::-1]])])
            )
        )  # fmt: skip
        self.paint(whole, colour * 0.5)
        self.tint(band(-0.65, 0.85), colour)
        self.tint(band(0.1, 0.55), np.minimum(colour * 1.25 + 50, 255), 0.9)
        return whole

    def rim(self, mask: np.ndarray, colour: np.ndarray, width: float = 1.2) -> None:
        """Darken the edge of what a mask covers to `colour`, over `width` px."""
        edge = mask * (1 - self.soften(mask, width / self.extent))
        self.tint(np.clip(2 * edge, 0, 1), colour, 0.8)

    def piece(self) -> Piece:
        """What has been painted so far."""
        made = sprite(self, self.extent)
        n = len(made.pixels)
        rows, columns = np.nonzero(made.pixels[..., 3] > 12)
        seen = np.stack([columns, rows], 1).astype(np.float32) + np.float32(0.5)
        hull = cv2.convexHull(seen)[:, 0] * np.float32(self.extent / n)
        return Piece(made, self.middle, hull + np.array(self.middle) - self.extent / 2)


@dataclass(frozen=True)
class Stance:
    """Where a player is: `x`, `y` in px, where the middle of his strip's lower edge has come to;
    `zoom`; `turn`, how far he leans, clockwise, in radians.
    """

    x: float
    y: float
    zoom: float
    turn: float


class Easel:
    """A picture that is being painted, or only measured.

    Parameters: `frame` (H, W, 3) float32, painted in place, or None; `stance`. Places are px of
    the player's own strip, as it is before he leans, moves or comes closer.
    """

    def __init__(self, frame: np.ndarray | None, stance: Stance) -> None:
        self.frame, self.stance = frame, stance
        self._cos = stance.zoom * float(np.cos(stance.turn))
        self._sin = stance.zoom * float(np.sin(stance.turn))
        self._held: list[tuple[float, float, float, float]] = []

    def at(self, spot: Spot) -> Spot:
        """Where in the picture a place of the strip is, in px."""
        x, y = spot[0] - STRIP / 2, spot[1] - HEIGHT
        c, s = self._cos, self._sin
        return self.stance.x + c * x - s * y, self.stance.y + s * x + c * y

    def rod(
        self, a: Spot, b: Spot, thick: tuple[float, float], colour: np.ndarray, *,
        held: bool = False, shade: float = 0.3, blend: bool = False,
    ) -> None:  # fmt: skip
        """Paint a limb or a stick, as `figure.limb`; `held`, whether it counts to the object."""
        (ax, ay), (bx, by), zoom = self.at(a), self.at(b), self.stance.zoom
        ra, rb = zoom * thick[0], zoom * thick[1]
        if held:
            self._held.append((min(ax - ra, bx - rb), min(ay - ra, by - rb),
                               max(ax + ra, bx + rb), max(ay + ra, by + rb)))  # fmt: skip
        reach = max(ra, rb) + 1.5
        if self.frame is not None and max(ax, bx) > -reach and max(ay, by) > -reach:
            limb(self.frame, (ax, ay), (bx, by), (ra, rb), colour, shade=shade, blend=blend)

    def piece(self, piece: Piece, spot: Spot, turn: float = 0.0, *, held: bool = False) -> None:
        """Lay a piece with its origin at a place, turned about it clockwise by `turn` radians."""
        (x, y), zoom, angle = self.at(spot), self.stance.zoom, turn + self.stance.turn
        c, s = zoom * float(np.cos(angle)), zoom * float(np.sin(angle))
        if held:
            corners = piece.outline @ np.array([[c, s], [-s, c]])
            (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
            self._held.append((x + float(x0), y + float(y0), x + float(x1), y + float(y1)))
        if self.frame is not None:
            mx, my = piece.middle
            lay(self.frame, piece.sprite, x + c * mx - s * my, y + s * mx + c * my,
                turn=angle, zoom=zoom)  # fmt: skip

    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in px of all that was held."""
        found = np.array(self._held)
        return (*found[:, :2].min(0).tolist(), *found[:, 2:].max(0).tolist())
