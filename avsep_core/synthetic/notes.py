"""Music that is made up: notes for a piano, a violin or a guitar, and how they sound."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..checks import whole, within
from . import instruments

INSTRUMENTS = ("piano", "violin", "guitar")

LEVEL = 0.08
"""Root mean square of a player's sound over the whole clip."""

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
_RANGE = {"piano": (60, 84), "violin": (57, 81), "guitar": (52, 74)}
_BASS = {"piano": (41, 58), "guitar": (43, 60)}
_STRUM = 0.012  # s from one string to the next
_SUSTAIN = {"piano": 0.8, "violin": 60.0, "guitar": 0.26}  # s in which a note falls to 1/e
_ATTACK = {"piano": 0.01, "violin": 0.08, "guitar": 0.01}  # s


@dataclass(frozen=True)
class Note:
    """One note: `start` and `seconds` in s, `pitch` as a MIDI number (69 is 440 Hz), `strength`
    0..1; `hand` 0 right or 1 left, on the piano; `slurred`, whether the violin's bow goes on in
    the same stroke as for the note before."""

    start: float
    seconds: float
    pitch: int
    strength: float
    hand: int = 0
    slurred: bool = False

    def __post_init__(self) -> None:
        within(self.start, "start", 0, 3600)
        within(self.seconds, "seconds", 0.02, 60)
        within(self.pitch, "pitch", 21, 108)
        within(self.strength, "strength", 0, 1)

    @property
    def end(self) -> float:
        """When the note is released, in s."""
        return self.start + self.seconds

    @property
    def hertz(self) -> float:
        """Frequency of the fundamental, in Hz."""
        return float(440 * 2 ** ((self.pitch - 69) / 12))


def _known(instrument: str) -> str:
    if instrument not in INSTRUMENTS:
        raise ValueError(
            f"instrument {instrument!r} given; expected one of {', '.join(INSTRUMENTS)}"
        )
    return instrument


def phrases(seconds: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """When a player plays: (start, end) in s, rests of 0.4 to 1 s in between."""
    found, now = [], float(rng.uniform(0.1, 0.35))
    while now < seconds - 0.65:
        end = min(now + float(rng.uniform(1.3, 2.8)), seconds - 0.25)
        found.append((now, end))
        now = end + float(rng.uniform(0.4, 1.0))
    return found


def slots_of(
    start: float, end: float, lengths: Sequence[float], rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Cut a phrase into notes (start, seconds) whose lengths are about those given."""
    drawn: list[float] = []
    while sum(drawn) < end - start:
        drawn.append(float(rng.choice(np.asarray(lengths))))
    edges = start + np.cumsum([0.0, *drawn]) * (end - start) / sum(drawn)
    return [(float(a), float(b - a)) for a, b in pairwise(edges)]


def pool(bounds: tuple[int, int], key: int, scale: Sequence[int]) -> list[int]:
    """The pitches of a key between two bounds, lowest first."""
    return [p for p in range(bounds[0], bounds[1] + 1) if (p - key) % 12 in scale]


class Walk:
    """A walk up and down a scale that turns at its ends and never repeats a note at once."""

    def __init__(self, pool: list[int], rng: np.random.Generator) -> None:
        self.pool, self.rng = pool, rng
        self.at = len(pool) // 2 + int(rng.integers(-2, 3))

    def step(self) -> int:
        """Go on, and tell the pitch."""
        move = int(self.rng.choice([-4, -3, -2, -1, -1, 1, 1, 2, 3, 4]))
        if not 0 <= self.at + move < len(self.pool):
            move = -move
        self.at += move
        return self.pool[self.at]


def _piano(
    phrase: tuple[float, float], walk: Walk, bass: list[int], beat: float,
    rng: np.random.Generator,
) -> list[Note]:  # fmt: skip
    found = []
    for start, length in slots_of(*phrase, (0.5 * beat, beat, beat, 1.5 * beat), rng):
        strength = float(rng.uniform(0.45, 1))
        found.append(Note(start, 0.94 * length, walk.step(), strength))
    for start, length in slots_of(*phrase, (2 * beat, 4 * beat), rng):
        root = int(rng.integers(0, len(bass) - 4))
        for step in (0, 2, 4) if rng.random() < 0.4 else (0, 4):
            strength = float(rng.uniform(0.3, 0.5))
            found.append(Note(start, 0.9 * length, bass[root + step], strength, hand=1))
    return found


def _violin(
    phrase: tuple[float, float], walk: Walk, bass: list[int], beat: float,
    rng: np.random.Generator,
) -> list[Note]:  # fmt: skip
    found: list[Note] = []
    swell = rng.uniform(0.5, 0.8)
    for start, length in slots_of(*phrase, (beat, 1.5 * beat, 2 * beat), rng):
        arch = np.sin(np.pi * (start + length / 2 - phrase[0]) / (phrase[1] - phrase[0]))
        strength = float(np.clip(swell + 0.25 * arch + rng.normal(0, 0.08), 0.3, 1))
        slurred = bool(found) and not found[-1].slurred and rng.random() < 0.3
        found.append(Note(start, length, walk.step(), strength, slurred=slurred))
    return found


def strummed(
    phrase: tuple[float, float], walk: Walk, bass: list[int], beat: float,
    rng: np.random.Generator,
) -> list[Note]:  # fmt: skip
    """Single notes and strummed chords of a guitar."""
    found = []
    for start, length in slots_of(*phrase, (0.8 * beat, beat, 1.6 * beat), rng):
        strength = float(rng.uniform(0.4, 1))
        pitches = [walk.step()]
        if rng.random() < 0.45:
            root = int(rng.integers(0, len(bass) - 4))
            pitches = [bass[root], bass[root + 2], bass[root + 4], pitches[0]]
        for k, pitch in enumerate(pitches):
            late, soft = k * _STRUM, strength if len(pitches) == 1 else 0.7 * strength
            found.append(Note(start + late, 0.97 * length - late, pitch, soft))
    return found


_PLAY: dict[str, Callable[..., list[Note]]] = {
    "piano": _piano, "violin": _violin, "guitar": strummed,
}  # fmt: skip


def tune(instrument: str, *, seconds: float, rng: np.random.Generator) -> tuple[Note, ...]:
    """Make up a tune: phrases in one key, with rests of 0.4 to 1 s between them.

    Parameters: `instrument`, one of INSTRUMENTS; `seconds`, 1 to 120; `rng`. A pianist's right
    hand plays a melody and the left hand some chords; a violinist plays legato, sometimes two
    notes a stroke; a guitarist plucks strings and strums chords.
    Returns notes in the order of their starts, all of which end within `seconds`.
    Raises ValueError for an unknown instrument or seconds out of range.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    play = _PLAY[_known(instrument)]
    within(seconds, "seconds", 1, 120)
    key, scale = int(rng.integers(12)), (MAJOR, MINOR)[int(rng.integers(2))]
    beat = float(rng.uniform(0.27, 0.42))
    bass = pool(_BASS.get(instrument, _RANGE[instrument]), key, scale)
    walk = Walk(pool(_RANGE[instrument], key, scale), rng)
    found: list[Note] = []
    for phrase in phrases(seconds, rng):
        found += play(phrase, walk, bass, beat, rng)
    return tuple(sorted(found, key=lambda note: (note.start, note.pitch)))


def sound(
    instrument: str,
    notes: Sequence[Note],
    *,
    seconds: float,
    rate: int = 8000,
    rng: np.random.Generator,
) -> np.ndarray:
    """Play notes.

    Parameters: `instrument`, one of INSTRUMENTS; `notes`; `seconds` of sound; `rate` in Hz, at
    least 4000; `rng`, for what differs from one stroke to the next.
    Returns (round(seconds * rate),) float32 of root mean square LEVEL (less if a peak would pass
    0.95), zeros without notes.
    Raises ValueError for an unknown instrument, sizes out of range, notes after the end.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    _known(instrument)
    return leveled(
        mixed(notes, lambda n: _sound_of(instrument, n, rate, rng), seconds, rate), LEVEL
    )


def mixed(
    notes: Sequence[Note], played: Callable[[Note], np.ndarray], seconds: float, rate: int
) -> np.ndarray:
    """Lay the sound of each note at its start.

    Parameters: `notes`; `played`, the sound of a note at `rate`; `seconds` of sound; `rate` in Hz,
    at least 4000. What lies after the end is cut off. Returns (round(seconds * rate),) float64.
    Raises ValueError for sizes out of range, notes after the end.
    """
    within(seconds, "seconds", 0.05, 3600)
    mix = np.zeros(round(seconds * whole(rate, "rate", least=4000)))
    for note in notes:
        first = round(note.start * rate)
        if first >= len(mix):
            raise ValueError(
                f"a note starts at {note.start:g} s; expected it before the end, {seconds:g} s"
            )
        sound = played(note)[: len(mix) - first]
        mix[first : first + len(sound)] += sound
    return mix


def leveled(sound: np.ndarray, level: float) -> np.ndarray:
    """A sound of root mean square `level`, less if a peak would pass 0.95; silence stays.

    (n,) -> (n,) float32
    """
    size = float(np.sqrt(np.mean(sound**2)))
    if size > 0:
        sound = sound * min(level / size, 0.95 / float(np.abs(sound).max()))
    return sound.astype(np.float32)


def _sound_of(instrument: str, note: Note, rate: int, rng: np.random.Generator) -> np.ndarray:
    what = (note.hertz, note.seconds, note.strength)
    if instrument == "piano":
        return instruments.strike(*what, rate=rate, rng=rng)
    if instrument == "guitar":
        return instruments.pluck(*what, rate=rate, rng=rng)
    return instruments.bow(*what, rate=rate, rng=rng, slurred=note.slurred)


def loudness(instrument: str, notes: Sequence[Note], times: np.ndarray) -> np.ndarray:
    """How loud a player is by the notes alone, without the sound.

    Parameters: `instrument`, one of INSTRUMENTS; `notes`; `times` (T,) in s.
    Returns (T,) float64, 0 in rests and 1 at the loudest of these instants.
    Raises ValueError for an unknown instrument.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    attack, sustain = _ATTACK[_known(instrument)], _SUSTAIN[instrument]
    power = np.zeros(len(times))
    for note in notes:
        since = np.asarray(times) - note.start
        rise = np.clip(since / attack, 0, 1)
        fall = np.clip(1 - (since - note.seconds) / 0.07, 0, 1)
        level = note.strength * rise * fall * np.exp(-np.clip(since, 0, None) / sustain)
        power += level**2
    return np.sqrt(power / max(float(power.max(initial=0.0)), 1e-12))


def strokes(notes: Sequence[Note], *, apart: float = 0.06) -> tuple[Note, ...]:
    """The movements that play some notes: strings of one strum, or notes of one bow stroke, are
    taken together.

    Parameters: `notes` in order; `apart`, the s within which starts count as one strum.
    Returns one `Note` for each movement: from the first start to the last end, of the first
    pitch and the largest strength.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    found: list[Note] = []
    for note in notes:
        if found and (note.slurred or note.start - found[-1].start < apart):
            last = found[-1]
            until = max(last.end, note.end) - last.start
            loudest = max(last.strength, note.strength)
            found[-1] = replace(last, seconds=until, strength=loudest)
        else:
            found.append(note)
    return tuple(found)
