"""A band that is made up: its instruments, what they play, and how that sounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..checks import whole, within
from . import timbres
from .noises import echoed
from .notes import (
    LEVEL,
    MAJOR,
    MINOR,
    Note,
    Walk,
    leveled,
    mixed,
    phrases,
    pool,
    slots_of,
    strummed,
)
from .timbres import Family, Timbre

RANGE = {
    "accordion": (46, 81),
    "acoustic_guitar": (45, 76),
    "cello": (40, 67),
    "clarinet": (55, 80),
    "flute": (60, 84),
    "saxophone": (53, 79),
    "trumpet": (55, 80),
    "violin": (57, 83),
    "xylophone": (60, 86),
}
"""Lowest and highest pitch, as MIDI numbers, of what `melody` makes up."""

INSTRUMENTS = tuple(RANGE)


@dataclass(frozen=True)
class Tune:
    """What players who play together agree on: `key` 0..11, `scale` in semitones above it, `beat`
    in s."""

    key: int
    scale: tuple[int, ...]
    beat: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Tune":
        """Any key, major or minor, at 133 to 230 beats a minute."""
        scale = (MAJOR, MINOR)[int(rng.integers(2))]
        return cls(int(rng.integers(12)), scale, float(rng.uniform(0.26, 0.45)))


_CHORDS_UP_TO = {"accordion": 62, "acoustic_guitar": 60}
_MELODY_FROM = {"accordion": 58, "acoustic_guitar": 54}
_WINDOW = 18  # semitones that one melody wanders through

_SOUNDS: dict[str, tuple[Family, Timbre]] = {
    "accordion": (
        timbres.free_reed,
        Timbre(
            fall=0.7, edge=2600, attack=0.05, breath=0.012, low=150, dull=0.3, shake=5.0,
            body=((500, 2, 0.8), (1800, 2, 1.5)),
        ),
    ),
    "acoustic_guitar": (
        timbres.plucked,
        Timbre(
            fall=0.7, edge=2200, attack=0.002, breath=0.25, low=80, modes=8,
            body=((102, 9, 2.0), (205, 9, 2.5), (410, 6, 1.5)),
        ),
    ),
    "cello": (
        timbres.bowed,
        Timbre(
            fall=0.6, edge=2100, attack=0.08, breath=0.03, low=90, modes=14, vibrato=17,
            body=((105, 8, 1.5), (190, 7, 2.5), (380, 5, 1.5), (760, 4, 2.0), (1400, 4, 1.5)),
        ),
    ),
    "clarinet": (
        timbres.reed,
        Timbre(
            fall=0.4, edge=1100, attack=0.04, breath=0.009, low=120, even=0.06,
            body=((1500, 2, 0.6),),
        ),
    ),
    "flute": (
        timbres.flute,
        Timbre(fall=0.0, edge=1050, attack=0.07, breath=0.02, low=200, vibrato=4),
    ),
    "saxophone": (
        timbres.reed,
        Timbre(
            fall=0.5, edge=1900, attack=0.045, breath=0.025, low=150, growl=0.25, vibrato=11,
            shake=5.2, body=((620, 3, 1.2), (1250, 3, 1.5), (2600, 3, 1.0)),
        ),
    ),
    "trumpet": (
        timbres.brass,
        Timbre(
            fall=-0.8, edge=1500, attack=0.035, breath=0.015, low=250, dull=1.6, vibrato=5,
            body=((1250, 2, 1.2),),
        ),
    ),
    "violin": (
        timbres.bowed,
        Timbre(
            fall=0.85, edge=2200, attack=0.07, breath=0.016, low=300, modes=14, vibrato=22,
            body=((285, 8, 1.0), (480, 6, 3.5), (1100, 4, 0.8), (2600, 2, 2.0)),
        ),
    ),
    "xylophone": (
        timbres.bar,
        Timbre(fall=0.2, edge=3000, attack=0.001, breath=0.35, low=150),
    ),
}  # fmt: skip


def _known(instrument: str) -> str:
    if instrument not in RANGE:
        raise ValueError(
            f"instrument {instrument!r} given; expected one of {', '.join(INSTRUMENTS)}"
        )
    return instrument


def _line(
    phrase: tuple[float, float], walk: Walk, lengths: Sequence[float], slurs: float,
    rng: np.random.Generator,
) -> list[Note]:  # fmt: skip
    """One voice that swells and fades, with `slurs`, the share of notes bound to the one before."""
    slots = slots_of(*phrase, lengths, rng)
    bound = [False, *(rng.random(len(slots) - 1) < slurs), False]
    base = rng.uniform(0.45, 0.7)
    found = []
    for (start, length), (slurred, next_slurred) in zip(slots, pairwise(bound), strict=True):
        arch = np.sin(np.pi * (start + length / 2 - phrase[0]) / (phrase[1] - phrase[0]))
        strength = float(np.clip(base + 0.25 * arch + rng.normal(0, 0.08), 0.3, 1))
        held = length if next_slurred else 0.93 * length
        found.append(Note(start, held, walk.step(), strength, slurred=bool(slurred)))
    return found


def _legato(
    phrase: tuple[float, float], walk: Walk, chords: list[int], beat: float,
    rng: np.random.Generator,
) -> list[Note]:  # fmt: skip
    return _line(phrase, walk, (beat, 1.5 * beat, 2 * beat), 0.45, rng)


def _tongued(
    phrase: tuple[float, float], walk: Walk, chords: list[int], beat: float,
    rng: np.random.Generator,
) -> list[Note]:  # fmt: skip
    return _line(phrase, walk, (0.5 * beat, beat, beat, 2 * beat), 0.25, rng)


def _squeezed(
    phrase: tuple[float, float], walk: Walk, chords: list[int], beat: float,
    rng: np.random.Generator,
) -> list[Note]:  # fmt: skip
    """A melody in the right hand, sometimes with a third below; bass and chords in the left."""
    found = []
    for note in _line(phrase, walk, (beat, beat, 2 * beat), 0.5, rng):
        found.append(note)
        at = walk.pool.index(note.pitch)
        if at >= 2 and rng.random() < 0.3:
            found.append(replace(note, pitch=walk.pool[at - 2], strength=0.7 * note.strength))
    for k, (start, length) in enumerate(slots_of(*phrase, (beat,), rng)):
        if k % 2 == 0:
            root = int(rng.integers(0, len(chords) - 4))
        for step in (2, 4) if k % 2 else (0,):
            strength = float(rng.uniform(0.25, 0.4))
            found.append(Note(start, 0.7 * length, chords[root + step], strength, hand=1))
    return found


def _struck(
    phrase: tuple[float, float], walk: Walk, chords: list[int], beat: float,
    rng: np.random.Generator,
) -> list[Note]:  # fmt: skip
    """Two mallets in turn, or both at once; a long note is a roll of quick strokes."""
    found: list[Note] = []
    for start, length in slots_of(*phrase, (0.5 * beat, 0.5 * beat, beat, 2 * beat), rng):
        pitch, strength = walk.step(), float(rng.uniform(0.45, 1))
        below = walk.pool[max(walk.pool.index(pitch) - 2, 0)]
        turn = 1 - found[-1].hand if found else 0
        strokes = round(length / 0.085) if length > 1.2 * beat and rng.random() < 0.5 else 1
        for k in range(strokes):
            hand, soft = (turn + k) % 2, strength * (0.7 if strokes > 1 else 1)
            each = length / strokes
            found.append(Note(start + k * each, 0.9 * each, pitch, soft, hand=hand))
        if strokes == 1 and below < pitch and rng.random() < 0.2:
            found[-1] = replace(found[-1], hand=0)
            found.append(Note(start, 0.9 * length, below, strength, hand=1))
    return found


_PLAY: dict[str, Callable[..., list[Note]]] = {
    "accordion": _squeezed, "acoustic_guitar": strummed, "cello": _legato, "clarinet": _legato,
    "flute": _legato, "saxophone": _legato, "trumpet": _tongued, "violin": _legato,
    "xylophone": _struck,
}  # fmt: skip


def melody(
    instrument: str, *, seconds: float, rng: np.random.Generator, tune: Tune | None = None
) -> tuple[Note, ...]:
    """Make up a melody in one key and one register of the instrument, in phrases with rests.

    Parameters: `instrument`, one of INSTRUMENTS; `seconds`, 1 to 120; `rng`; `tune`, the key and
    the beat, drawn if not given. Bows and winds play one note at a time and bind some (`slurred`);
    a guitarist strums chords between the notes; an accordionist's right hand (`hand` 0) plays the
    melody and the left (1) bass and chords; a xylophonist has a mallet in each hand. The registers
    overlap, so that pitch does not tell the instruments apart.
    Returns notes in the order of their starts, which end within `seconds` and lie in RANGE.
    Raises ValueError for an unknown instrument or seconds out of range.
    """
    low, high = RANGE[_known(instrument)]
    within(seconds, "seconds", 1, 120)
    tune = tune or Tune.drawn(rng)
    chords = pool((low, _CHORDS_UP_TO.get(instrument, high)), tune.key, tune.scale)
    lowest = _MELODY_FROM.get(instrument, low)
    bottom = int(rng.integers(lowest, high - _WINDOW + 1))
    walk = Walk(pool((bottom, bottom + _WINDOW), tune.key, tune.scale), rng)
    found: list[Note] = []
    for phrase in phrases(seconds, rng):
        found += _PLAY[instrument](phrase, walk, chords, tune.beat, rng)
    return tuple(sorted(found, key=lambda note: (note.start, note.pitch)))


def play(
    instrument: str,
    notes: Sequence[Note],
    *,
    seconds: float,
    rate: int = 11025,
    rng: np.random.Generator,
) -> np.ndarray:
    """Play notes on an instrument that is drawn anew at each call.

    Parameters: `instrument`, one of INSTRUMENTS; `notes`; `seconds` of sound; `rate` in Hz, at
    least 4000; `rng`, for the player's own timbre and for what differs from note to note.
    Returns (round(seconds * rate),) float32 of root mean square `notes.LEVEL` (less if a peak
    would pass 0.95), zeros without notes.
    Raises ValueError for an unknown instrument, sizes out of range, notes after the end.
    """
    family, typical = _SOUNDS[_known(instrument)]
    timbre = timbres.own(typical, rng)
    mix = mixed(notes, lambda note: family(note, timbre, rate, rng), seconds, rate)
    return leveled(timbres.radiate(mix, timbre, rate=rate), LEVEL)


def room(sound: np.ndarray, *, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Play a sound in a random room: an echo that dies away in 0.1 to 0.8 s.

    Parameters: `sound` (n,); `rate` in Hz; `rng`.
    Returns (n,) float32 of the same root mean square (less if a peak would pass 0.95).
    Raises ValueError for a rate that is too small.
    """
    rate = whole(rate, "rate", least=4000)
    return leveled(echoed(sound, rate, rng), float(np.sqrt(np.mean(np.square(sound)))))
