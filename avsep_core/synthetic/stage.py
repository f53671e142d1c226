"""Scenes that move and sound: a keyboard beside a rocking horse, a violinist, a guitarist, talkers.

They mirror the four videos of Pu et al. (2017), section 3, with truth that the drawing knows.
"""

from dataclasses import dataclass

import numpy as np

from ..checks import whole, within
from ..clip import Clip
from . import camera, keyboard, notes, pair, strings
from .backgrounds import background as hear
from .backgrounds import check_background
from .scenery import Act, check_distractor

__all__ = ["FPS", "SCENES", "Scene", "perform"]

SCENES = ("wooden_horse", "violin_yanni", "guitar_solo", "two_speaker")
"""Kinds of scenes, by the paper's names."""

FPS = 25.0
"""Pictures a second."""

_INSTRUMENTS = {"wooden_horse": "piano", "violin_yanni": "violin", "guitar_solo": "guitar"}
_TUNE, _SOUND, _PICTURE, _BACKGROUND, _CAMERA = range(5)


@dataclass(frozen=True, eq=False)
class Scene:
    """A clip with all that is true about it.

    `kind` and `seed` as given; `clip`, frames (T, 120, 160, 3) at 25 fps and audio, the sum of
    `source` and `background`, each (samples,) float32. Frame t shows the instant (t + 1/2) / 25.
    `region` (120, 160) bool: where the sounding parts move (fingers, hands and keys; bow, bow
    hand and forearm; strumming hand and fretting fingers; lips and jaw of the talker who is heard),
    that is, pixels that change by more than `scenery.CHANGE` grey levels between some two
    consecutive pictures of a drawing without noise in which everything else is frozen.
    `distractor` (120, 160) bool: the same of the silent things; all False where there are none.
    `activity` (T,) 0..1, how much the source sounds at each picture.
    """

    kind: str
    seed: int
    clip: Clip
    source: np.ndarray
    background: np.ndarray
    region: np.ndarray
    distractor: np.ndarray
    activity: np.ndarray


def perform(
    kind: str,
    *,
    seed: int = 0,
    seconds: float = 6.0,
    rate: int = 8000,
    background: str = "none",
    snr: float = 0.0,
    distractor: str = "repeats",
) -> Scene:
    """Play, draw and film a scene.

    Parameters: `kind`, one of `SCENES`; `seed`, which with the rest decides everything; `seconds`,
    1 to 60; `rate` in Hz; `background`, one of `backgrounds.BACKGROUNDS`; `snr`, mean power of
    the source over that of the background, in dB; `distractor`, how the silent things move:
    "repeats" (a rocking horse, a pendulum), "wanders" (the same, never twice alike) or "none" (they
    stand still). Of two talkers the silent one says something else for "repeats" and for
    "wanders", and keeps the mouth shut for "none"; the violinist is alone whatever is asked for.
    Neither background nor distractor changes the source or its picture.
    Returns a `Scene`. Raises ValueError for an unknown kind, background or distractor, a seed below
    zero, a length, rate or snr out of range.
    Mirrors the scenes of Pu et al. (2017), section 3.
    Taught in `notebooks/02_low_rank.ipynb`, section "The data".
    """
    if kind not in SCENES:
        raise ValueError(f"scene {kind!r} given; expected one of {', '.join(SCENES)}")
    check_background(background)
    check_distractor(distractor)
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed {seed!r} given; expected a whole number of at least 0")
    seed = int(seed)
    within(seconds, "seconds", 1, 60)
    within(snr, "snr", -40, 60)
    rate = whole(rate, "rate", least=8000)
    source, act, heard = _play(kind, seed, float(seconds), rate, distractor)
    behind = hear(background, seconds, rate, _stream(kind, seed, _BACKGROUND), without=heard)
    behind = _scaled(behind, source, float(snr))
    frames = camera.record(act.frames, _stream(kind, seed, _CAMERA))
    clip = Clip(frames=frames, fps=FPS, audio=source + behind, rate=rate, name=f"{kind} {seed}")
    return Scene(kind, seed, clip, source, behind, act.region, act.distractor, act.activity)


def _stream(kind: str, seed: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([SCENES.index(kind), seed, purpose])


def _scaled(behind: np.ndarray, source: np.ndarray, snr: float) -> np.ndarray:
    """A background of power one (or silent) at the wanted level below the source."""
    power = float(np.mean(np.square(source, dtype=np.float64)))
    return np.asarray(behind * np.sqrt(power * 10 ** (-snr / 10)), np.float32)


def _play(
    kind: str, seed: int, seconds: float, rate: int, distractor: str
) -> tuple[np.ndarray, Act, tuple[str, ...]]:
    """The sound of the visible thing, its drawing, and the ids of the talkers seen."""
    picture = _stream(kind, seed, _PICTURE)
    if kind == "two_speaker":
        talk = pair.converse(
            seconds=seconds, fps=FPS, rate=rate, rng=picture, distractor=distractor
        )
        return talk.audio, talk.act, talk.talkers
    instrument = _INSTRUMENTS[kind]
    played = notes.tune(instrument, seconds=seconds, rng=_stream(kind, seed, _TUNE))
    sound = notes.sound(
        instrument, played, seconds=seconds, rate=rate, rng=_stream(kind, seed, _SOUND)
    )
    if kind == "wooden_horse":
        act = keyboard.pianist(played, seconds=seconds, fps=FPS, rng=picture, distractor=distractor)
    elif kind == "violin_yanni":
        act = strings.violinist(played, seconds=seconds, fps=FPS, rng=picture)
    else:
        act = strings.guitarist(
            played, seconds=seconds, fps=FPS, rng=picture, distractor=distractor
        )
    return sound, act, ()
