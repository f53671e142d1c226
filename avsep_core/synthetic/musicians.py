"""Musicians of a band, drawn: each plays the notes it is given, and can be seen at any instant."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..checks import within
from .cast import TALKERS, find
from .notes import Note
from .played_easel import STRIP, Easel, Stance
from .played_keys import Accordionist, Xylophonist
from .played_motion import Score
from .played_person import Person
from .played_places import PLACES, place
from .played_strings import Cellist, Guitarist, Violinist
from .played_winds import Clarinettist, Flutist, Saxophonist, Trumpeter
from .scenery import HEIGHT

__all__ = ["INSTRUMENTS", "PLACES", "STRIP", "Musician", "Scene", "musician", "scene"]


class _Player(Protocol):
    def paint(self, easel: Easel, time: float) -> None: ...


_PLAYERS: dict[str, Callable[[Score, Person, np.random.Generator], _Player]] = {
    "accordion": Accordionist, "acoustic_guitar": Guitarist, "cello": Cellist,
    "clarinet": Clarinettist, "flute": Flutist, "saxophone": Saxophonist, "trumpet": Trumpeter,
    "violin": Violinist, "xylophone": Xylophonist,
}  # fmt: skip

INSTRUMENTS = tuple(_PLAYERS)
"""What can be played, by the names of the MUSIC corpus."""

_PEOPLE = tuple(t.id for t in TALKERS)
_EDGE = 3.5  # px, from the object to the edge of the strip when the body does not sway
_TOP = 14.0  # px, of the hair
_LOOKS = 24  # instants at which a player is measured before he is placed


@dataclass(frozen=True, eq=False)
class Musician:
    """Somebody with an instrument, in a strip of 112 x 120 px.

    `instrument`; `seconds`, how long the film is; `playing`, whether hands and instrument move;
    `mirrored`, whether left and right are exchanged; `sway`, how far the body sways to either
    side, in px; `zoom`; `x`, `y`, where the middle of the strip's lower edge has come to, in px.
    """

    instrument: str
    seconds: float
    playing: bool
    mirrored: bool
    sway: float
    zoom: float
    x: float
    y: float
    player: _Player
    rhythm: tuple[float, float, float]

    def draw(self, frame: np.ndarray, time: float, *, left: float = 0.0) -> None:
        """Paint the musician on a picture.

        Parameters: `frame` (120, W, 3) float32, 0..255, changed in place; `time` in s; `left`,
        where in the picture the strip begins, in px.
        Raises ValueError for a picture of another shape or type, and for a time outside the film.
        """
        fits = frame.ndim == 3 and (frame.shape[0], frame.shape[-1]) == (HEIGHT, 3)
        if not fits or frame.dtype != np.float32:
            raise ValueError(
                f"a picture of shape {frame.shape} and type {frame.dtype} given; "
                f"expected ({HEIGHT}, width, 3) float32"
            )
        if self.mirrored:
            frame, left = frame[:, ::-1], frame.shape[1] - left - STRIP
        self._paint(frame, time, left)

    def box(self, time: float) -> tuple[float, float, float, float]:
        """Where the instrument and the hands on it are: x, y, width and height in px of the strip.

        Parameters: `time` in s. Raises ValueError for a time outside the film.
        """
        x0, y0, x1, y1 = self._paint(None, time, 0.0).bounds()
        if self.mirrored:
            x0, x1 = STRIP - x1, STRIP - x0
        x0, y0, x1, y1 = max(x0, 0.0), max(y0, 0.0), min(x1, float(STRIP)), min(y1, float(HEIGHT))
        return x0, y0, x1 - x0, y1 - y0

    def _paint(self, frame: np.ndarray | None, time: float, left: float) -> Easel:
        within(time, "time", 0, self.seconds)
        easel = Easel(frame, self._stance(time, left))
        self.player.paint(easel, time if self.playing else -1.0)
        return easel

    def _stance(self, time: float, left: float) -> Stance:
        period, first, second = self.rhythm
        across = np.sin(2 * np.pi * (time / period + first))
        down = np.sin(2 * np.pi * (time / (0.73 * period) + second))
        return Stance(
            left + self.x + self.sway * float(across),
            self.y + 0.3 * self.sway * float(down),
            self.zoom,
            0.008 * self.sway * float(across),
        )


def musician(
    instrument: str,
    notes: Sequence[Note],
    *,
    seconds: float,
    rng: np.random.Generator,
    playing: bool = True,
    people: Sequence[str] = _PEOPLE,
) -> Musician:
    """Somebody who plays an instrument.

    Parameters: `instrument`, one of INSTRUMENTS; `notes`, with the `hand` that strikes them on the
    xylophone and `slurred` where a bow goes on; `seconds` of film; `rng`, for the person, clothes,
    the make and colours of the instrument, pose, place and distance; `playing`, False for the same
    musician who holds the instrument and sways but keeps hands still; `people`, ids of the talkers
    who may be drawn, such as those of one of `cast.SPLITS`.
    Returns a `Musician`, whose picture and box at any instant depend on nothing else.
    Raises ValueError for an unknown instrument or person, and for seconds out of range.
    Mirrors the objects of Gao and Grauman (2019), section 3.
    """
    if instrument not in _PLAYERS:
        raise ValueError(
            f"instrument {instrument!r} given; expected one of {', '.join(INSTRUMENTS)}"
        )
    within(seconds, "seconds", 0.1, 600)
    if not len(people):
        raise ValueError("nobody in `people`; give the id of one talker or more, such as 't07'")
    names = [find(name).id for name in people]
    own = np.random.default_rng(int(rng.integers(2**63)))
    person = Person(names[int(own.integers(len(names)))], own)
    player = _PLAYERS[instrument](Score(notes, seconds), person, own)
    zoom, x, y = _placed(player, seconds, own)
    return Musician(
        instrument, float(seconds), bool(playing), bool(own.random() < 0.5),
        float(own.uniform(1.0, 2.4)), zoom, x, y, player,
        (float(own.uniform(3.5, 7.0)), float(own.random()), float(own.random())),
    )  # fmt: skip


def _placed(player: _Player, seconds: float, rng: np.random.Generator) -> tuple[float, ...]:
    """How near a player comes, and where, so that all that he plays with is seen: zoom, x, y."""
    middle = STRIP / 2
    low, high = np.inf, -np.inf
    for time in np.linspace(0, seconds, _LOOKS):
        easel = Easel(None, Stance(middle, HEIGHT, 1.0, 0.0))
        player.paint(easel, float(time))
        x0, _, x1, _ = easel.bounds()
        low, high = min(low, x0 - middle), max(high, x1 - middle)
    room = STRIP - 2 * _EDGE
    zoom = min(float(rng.uniform(0.85, 1.15)), room / (high - low))
    left, right = _EDGE - zoom * low, STRIP - _EDGE - zoom * high
    wish = float(rng.uniform(middle - 12, middle + 12))
    head = max(2 + zoom * (HEIGHT - _TOP), HEIGHT - 6)
    return zoom, float(np.clip(wish, left, right)), float(rng.uniform(head, head + 4))


@dataclass(frozen=True, eq=False)
class Scene:
    """Musicians side by side before a background; `musicians` from left to right; `back`
    (120, W, 3) float32, what is behind them; `light` (120, W, 3) float32, factors on all.
    """

    musicians: tuple[Musician, ...]
    back: np.ndarray
    light: np.ndarray

    def picture(self, time: float) -> np.ndarray:
        """The picture at `time` in s, without camera noise: (120, W, 3) float32, 0..255.

        Raises ValueError for a time outside the film.
        """
        frame = self.back.copy()
        for k, player in enumerate(self.musicians):
            player.draw(frame, time, left=k * STRIP)
        return np.clip(frame * self.light, 0, 255)

    def boxes(self, time: float) -> np.ndarray:
        """Where the instruments and the hands on them are at `time` in s.

        Returns (players, 4) float32: x, y, width and height in px of the picture. Raises
        ValueError for a time outside the film.
        """
        found = np.array([m.box(time) for m in self.musicians], np.float32)
        found[:, 0] += STRIP * np.arange(len(found))
        return found


def scene(musicians: Sequence[Musician], *, rng: np.random.Generator) -> Scene:
    """Put musicians before a background.

    Parameters: `musicians`, one to three, from left to right, playing or not; `rng`, for the kind
    of background (one of PLACES), what is there, and the light.
    Returns a `Scene`, 112 px wide for each musician.
    Raises ValueError for none or more than three musicians.
    """
    if not 1 <= len(musicians) <= 3:
        raise ValueError(f"{len(musicians)} musicians given; expected one, two or three")
    width = STRIP * len(musicians)
    back = place(PLACES[int(rng.integers(len(PLACES)))], width, rng)
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : width * 1j].astype(np.float32)
    tilt = 1 + rng.uniform(-0.16, 0.16) * x + rng.uniform(-0.1, 0.1) * y
    lamp = rng.uniform(0.74, 1.08) * rng.uniform(0.92, 1.08, 3)
    return Scene(tuple(musicians), back, (tilt[..., None] * lamp).astype(np.float32))
