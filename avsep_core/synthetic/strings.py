"""A violinist, drawn: the bow goes to and fro with the notes and waits in the rests."""

from collections.abc import Sequence

import numpy as np

from ..checks import within
from .cast import CLOTHES, TALKERS
from .figure import cutout, glide, limb, portrait, shifted, sway, torso
from .guitar import guitarist
from .notes import Note, loudness, strokes
from .scenery import HEIGHT, WIDTH, Act, canvas, lay, layer, moved, over, room

__all__ = ["guitarist", "violinist"]

_CHIN, _SCROLL = np.array([86.0, 66.0]), np.array([135.0, 55.0])  # px, ends of the violin
_CONTACT = 0.41  # of the violin's length from the chin: where the bow meets the strings
_BOW, _SLOPE = 56.0, -0.5  # px, and radians from the hand to the tip
_REVERSAL = 0.06  # s in which a stroke gets up its speed
_OPEN = (55, 62, 69, 76)  # MIDI numbers of the strings
_VARNISH = ((158, 82, 36), (126, 58, 30), (182, 108, 50), (110, 48, 28))
_OUTLINE = (
    (-0.01, 0.0), (0.02, 6.0), (0.11, 8.6), (0.21, 8.2), (0.3, 5.4), (0.37, 5.0), (0.44, 6.6),
    (0.52, 7.0), (0.57, 5.0), (0.59, 1.6),
)  # fmt: skip


def _spot(u: float, v: float) -> np.ndarray:
    """A point of the violin in px: `u` along it, 0 chin .. 1 scroll; `v` px across it."""
    along = _SCROLL - _CHIN
    across = np.array([-along[1], along[0]]) / np.hypot(*along)
    return np.asarray(_CHIN + u * along + 0.85 * v * across)


def _on(*points: tuple[float, float]) -> list[tuple[float, float]]:
    spots = [_spot(u, v) / WIDTH for u, v in points]
    return [(float(x), float(y)) for x, y in spots]


def _violin(varnish: np.ndarray) -> np.ndarray:
    """The violin as a layer (120, 160, 4)."""
    c, px = canvas(), 1 / WIDTH
    back = [(u, -v) for u, v in _OUTLINE[::-1]]
    body = c.blob(_on(*_OUTLINE, *back))
    c.paint(c.stroke(_on((0.5, 0), (0.98, 0)), 3.6 * px), varnish * 0.62)
    c.paint(body, varnish)
    rim = body * (1 - c.soften(body, 0.007))
    c.tint(np.clip(2.0 * rim, 0, 1), varnish * 0.42, 0.75)
    for u in (0.14, 0.46):
        x, y = _on((u, -3.0))[0]
        c.tint(body * c.glow(x, y, 0.025, 0.014), np.minimum(varnish * 1.5 + 25, 255), 0.5)
    for v in (-4.4, 4.4):
        c.tint(c.stroke(_on((0.29, v * 1.05), (0.35, v * 0.9), (0.41, v * 0.8)), 0.9 * px),
               (28, 14, 8), 0.85)  # fmt: skip
    c.paint(c.stroke(_on((0.03, 0), (0.24, 0)), 3.0 * px), (34, 26, 24))
    c.paint(c.stroke(_on((0.45, 0), (0.9, 0)), 3.0 * px), (38, 30, 28))
    c.paint(c.stroke(_on((0.34, -3.2), (0.34, 3.2)), 1.0 * px), (232, 200, 148))
    c.tint(c.stroke(_on((0.2, 0), (0.9, 0)), 0.8 * px), (226, 220, 206), 0.55)
    x, y = _on((0.985, 0.6))[0]
    c.paint(c.ellipse(x, y, 2.6 * px, 2.2 * px), varnish * 0.8)
    c.paint(c.ellipse(x + 0.2 * px, y, 1.0 * px, 0.9 * px), varnish * 0.45)
    for u in (0.9, 0.94):
        c.paint(c.stroke(_on((u, -3.6), (u, 3.6)), 1.0 * px), (40, 26, 20))
    return layer(c)


def _travel(share: np.ndarray, seconds: float) -> np.ndarray:
    """How much of a stroke is done, 0..1, after a share of its time; soft at both ends."""
    grid = np.linspace(0, 1, 101)
    ramp = min(_REVERSAL / seconds, 0.5)
    speed = np.clip(np.minimum(grid, 1 - grid) / ramp, 0, 1)
    done = np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]))])
    return np.interp(share, grid, done / done[-1])


def bowing(notes: Sequence[Note], times: np.ndarray) -> np.ndarray:
    """Where the bow touches the string, 0 at the hand .. 1 at the tip.

    Parameters: `notes`, of which slurred ones share a stroke; `times` (T,) in s. Strokes go to
    and fro, faster for stronger notes; between notes the bow waits.
    Returns (T,) float64.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    where = np.full(len(times), 0.12)
    at, way = 0.12, 1
    for stroke in strokes(notes, apart=0.0):
        wish = (0.9 + 1.2 * stroke.strength) * stroke.seconds
        left = 0.97 - at if way > 0 else at - 0.03
        if left < min(0.25, wish):
            way = -way
            left = 0.97 - at if way > 0 else at - 0.03
        far = way * min(wish, left)
        share = np.clip((times - stroke.start) / stroke.seconds, 0, 1)
        where += far * _travel(share, stroke.seconds)
        at, way = at + far, -way
    return where


class _Violinist:
    """One violinist in one room, who can be drawn at any instant."""

    def __init__(self, notes: Sequence[Note], times: np.ndarray, rng: np.random.Generator) -> None:
        self.person = TALKERS[int(rng.integers(len(TALKERS)))]
        look = self.person.look
        self.top = np.array(CLOTHES[int(rng.integers(len(CLOTHES)))], np.float32) * 0.9
        self.skin = np.array(look.skin, np.float32)
        self.varnish = np.array(_VARNISH[int(rng.integers(len(_VARNISH)))], np.float32)
        self.flip = bool(rng.random() < 0.5)
        self.back = room(rng, side=-1)
        self.sway = sway(times, rng)
        self.layer = self._still(look.light)
        starts = np.array([n.start for n in notes])
        pitch = np.array([n.pitch for n in notes], float)
        string = np.clip((pitch - _OPEN[0]) // 7, 0, 3)
        self.at = bowing(notes, times)
        self.turn = _SLOPE + glide(times, starts, 0.055 * (1.5 - string), before=0, after=0.12)
        finger = (pitch - np.array(_OPEN)[string.astype(int)]) / 12
        self.neck = glide(times, starts, 0.79 - 0.06 * finger, before=0.06, after=0.04)
        vibrato = np.sin(2 * np.pi * 5.6 * times) * loudness("violin", notes, times)
        self.neck = self.neck + 0.006 * vibrato
        self.finger = np.round(glide(times, starts, pitch % 4, before=0.02, after=0.01))

    def _still(self, light: float) -> np.ndarray:
        behind, head = portrait(self.person, 54, top=self.top, gaze=(0.7, 0.6))
        c = canvas()
        torso(c, 78, 62, half=25, colour=self.top, light=light)
        chest, violin = layer(c), _violin(self.varnish)

        def paint(frame: np.ndarray) -> None:
            lay(frame, behind, 79, 39)
            frame[:] = over(frame, chest)
            limb(frame, (99, 77), (116, 106), (7.5, 7.0), self.top * 0.92, blend=True)
            frame[:] = over(frame, violin)
            lay(frame, head, 81, 38, turn=0.13)

        return cutout(paint)

    def draw(self, t: int, *, still: bool = False) -> np.ndarray:
        """The picture at instant t, (120, 160, 3) float32; `still` without swaying."""
        dx, dy = self.sway[0 if still else t]
        frame = over(self.back, shifted(self.layer, dx, dy))
        move = np.array([dx, dy])
        self._left(frame, t, move)
        self._right(frame, t, move)
        return frame

    def _left(self, frame: np.ndarray, t: int, move: np.ndarray) -> None:
        x, y = _spot(float(self.neck[t]), 0) + move
        x0, y0 = _spot(0.77, 0) + move
        elbow, wrist = (117 + move[0], 108 + move[1]), (x0 + 1.5, y0 + 11)
        limb(frame, elbow, wrist, (7.0, 4.6), self.top)
        limb(frame, wrist, (x + 0.5, y + 6), (3.8, 4.2), self.skin * 0.97)
        for k in range(4):
            up = 1.6 if k == int(self.finger[t]) else 3.4
            root = (x - 3.6 + 2.5 * k, y + 4.6 - 0.3 * k)
            limb(frame, root, (x - 4.2 + 2.5 * k, y - up), (1.5, 1.1), self.skin, shade=0.45)

    def _right(self, frame: np.ndarray, t: int, move: np.ndarray) -> None:
        s, angle = float(self.at[t]), float(self.turn[t])
        along = np.array([np.cos(angle), np.sin(angle)])
        down = np.array([-along[1], along[0]])
        contact = _spot(_CONTACT, 0) + move
        frog = contact - (4 + s * (_BOW - 8)) * along
        tip = frog + _BOW * along
        wood = np.array([96, 54, 30], np.float32)
        limb(frame, tuple(frog + 1.6 * down), tuple(tip + 0.4 * down), (0.45, 0.4),
             np.array([240, 234, 220]), shade=0)  # fmt: skip
        limb(frame, tuple(frog - 3 * along - 0.6 * down), tuple(tip - 0.8 * down), (0.95, 0.7),
             wood)  # fmt: skip
        limb(frame, tuple(tip - 0.9 * down), tuple(tip + 0.5 * down), (0.9, 0.8), wood * 1.1)
        limb(frame, tuple(frog + 1.2 * down), tuple(frog + 4 * along + 1.2 * down), (1.5, 1.4),
             np.array([30, 24, 24]))  # fmt: skip
        hand = frog + [-1.0, 1.5]
        shoulder = np.array([58.5, 78.0]) + move
        elbow = np.array([51.0 - 4 * s, 99.0]) + move
        wrist = hand + np.array([-4.0 - 1.5 * s, 3.5])
        limb(frame, tuple(shoulder), tuple(elbow), (8.2, 7.0), self.top * 0.97, blend=True)
        limb(frame, tuple(elbow), tuple(wrist), (6.8, 4.4), self.top * 1.03)
        limb(frame, tuple(wrist), tuple(hand), (3.4, 3.8), self.skin * 0.97)
        for k in range(4):
            root = hand - 2 * down + (2.3 * k - 2.5) * along
            end = root + 3.6 * down + 0.8 * along
            limb(frame, tuple(root), tuple(end), (1.45, 1.15), self.skin, shade=0.45)


def violinist(
    notes: Sequence[Note], *, seconds: float, fps: float = 25.0, rng: np.random.Generator
) -> Act:
    """Draw somebody who plays the violin.

    Parameters: `notes`, as of `notes.tune`; `seconds` of film; `fps`, pictures a second; `rng`,
    for the person, the room, the violin, and which hand holds the bow in the picture.
    Returns an `Act` without a distractor; its region is where bow, arm, hands and fingers move.
    Raises ValueError for sizes out of range.
    Mirrors "Violin Yanni" of Pu et al. (2017), section 3.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    within(seconds, "seconds", 0.1, 600)
    within(fps, "fps", 1, 240)
    times = (np.arange(max(round(seconds * fps), 1)) + 0.5) / fps
    player = _Violinist(notes, times, rng)
    frames = np.empty((len(times), HEIGHT, WIDTH, 3), np.float32)
    for t in range(len(times)):
        frames[t] = np.clip(player.draw(t), 0, 255)
    region = moved(player.draw(t, still=True) for t in range(len(times)))
    if player.flip:
        frames, region = frames[:, :, ::-1], region[:, ::-1]
    nothing = np.zeros((HEIGHT, WIDTH), bool)
    frames, region = np.ascontiguousarray(frames), np.ascontiguousarray(region)
    return Act(frames, region, nothing, loudness("violin", notes, times))
