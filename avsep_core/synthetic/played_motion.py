"""How notes move a player: curves over time, made once and read at any instant."""

from collections.abc import Sequence

import numpy as np

from .figure import glide
from .guitar import strumming
from .hands import pressed
from .notes import Note, strokes
from .strings import bowing

_RATE = 100  # Hz, of the curves
_FALL = 0.17  # s in which a nod falls to 1/e


class Curve:
    """A motion over time, read at any instant between its ends by a straight line."""

    def __init__(self, times: np.ndarray, values: np.ndarray) -> None:
        self._times, self._values = times, values

    def __call__(self, time: float) -> float:
        return float(np.interp(time, self._times, self._values))


class Score:
    """Notes that a player has before him: `notes` in order, over `seconds`; `compass`, the lowest
    and the highest pitch, if there is a note.
    """

    def __init__(self, notes: Sequence[Note], seconds: float) -> None:
        self.notes = tuple(sorted(notes, key=lambda n: (n.start, n.pitch)))
        pitches = [n.pitch for n in self.notes]
        self.compass = (min(pitches), max(pitches)) if pitches else None
        self.times = np.linspace(0, seconds, max(round(seconds * _RATE), 1) + 1)

    def curve(self, values: np.ndarray) -> Curve:
        """A motion of the player's own, (T,), one value for each of `times`."""
        return Curve(self.times, values)

    def bow(self) -> Curve:
        """Where the bow touches the string, as `strings.bowing`."""
        return self.curve(bowing(self.notes, self.times))

    def strum(self) -> Curve:
        """How far below the strings' middle the hand is, as `guitar.strumming`."""
        return self.curve(strumming(self.notes, self.times))

    def nod(self) -> Curve:
        """A jerk at each onset that dies down: 0 at rest, about 1 at a strong one."""
        total = np.zeros_like(self.times)
        for stroke in strokes(self.notes):
            since = self.times - stroke.start
            rise = np.clip((since + 0.05) / 0.08, 0, 1)
            fall = np.exp(-np.clip(since - 0.03, 0, None) / _FALL)
            total = np.maximum(total, (0.4 + 0.6 * stroke.strength) * rise * rise * fall)
        return self.curve(total)

    def breath(self) -> Curve:
        """1 while notes sound and 0 in rests, with a quarter of a second in between."""
        total = np.zeros_like(self.times)
        for note in self.notes:
            rise = np.clip((self.times - note.start) / 0.25 + 1, 0, 1)
            fall = np.clip((note.end - self.times) / 0.25 + 1, 0, 1)
            total = np.maximum(total, np.minimum(rise, fall))
        return self.curve(total * total * (3 - 2 * total))

    def follow(
        self, values: Sequence[float], rest: float, *, before: float = 0.06, after: float = 0.04
    ) -> Curve:
        """Something that is at one value for each note, as `figure.glide`; without notes at
        `rest`."""
        if not len(values):
            return self.curve(np.full(len(self.times), rest))
        starts = np.array([n.start for n in self.notes])
        there = np.asarray(values, float)
        return self.curve(glide(self.times, starts, there, before=before, after=after))

    def fingers(self, down: Sequence[Sequence[bool]], count: int) -> list[Curve]:
        """How far each of `count` fingers is pressed, 0..1, where `down` says for each note which
        are."""
        found = np.zeros((count, len(self.times)))
        for note, which in zip(self.notes, down, strict=True):
            held = pressed(note, self.times)
            for k in range(count):
                if which[k]:
                    found[k] = np.maximum(found[k], held)
        return [self.curve(f) for f in found]

    def bellows(self) -> Curve:
        """How far bellows are open, 0..1: they move while notes sound, and turn at their ends."""
        where, at, way = np.full(len(self.times), 0.3), 0.3, 1
        for stroke in strokes(self.notes):
            far = (0.35 + 0.55 * stroke.strength) * min(stroke.seconds, 1.2)
            if not 0 <= at + way * far <= 1:
                way = -way
            target = float(np.clip(at + way * far, 0, 1))
            share = np.clip((self.times - stroke.start) / stroke.seconds, 0, 1)
            where += (target - at) * share
            at = target
        return self.curve(where)
