"""A band that is made up: solos, duets and trios, heard and seen, with the truth of each source.

Taught in `notebooks/05_co_separation.ipynb`, section "The data".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..checks import within
from ..clip import Clip
from . import camera, musicians, orchestra
from .backgrounds import background as hear
from .backgrounds import check_background
from .cast import SPLITS
from .musicians import Scene

__all__ = ["INSTRUMENTS", "Performance", "perform"]

INSTRUMENTS = orchestra.INSTRUMENTS
"""What a band can play, by the names of the MUSIC corpus."""

RATE = 11025
"""Hz, the rate of co-separation."""


@dataclass(frozen=True, eq=False)
class Performance:
    """What a band played, and the truth about it.

    `instruments` from left to right; `playing`, which of them sound; `sources` (players, samples)
    float32, zeros for those that do not; `background` (samples,) float32; `rate` in Hz; `scene`,
    what can be seen, at any instant.
    """

    instruments: tuple[str, ...]
    playing: tuple[bool, ...]
    sources: np.ndarray
    background: np.ndarray
    rate: int
    scene: Scene

    @property
    def audio(self) -> np.ndarray:
        """What is heard: the sum of all sources and the background, (samples,) float32."""
        found: np.ndarray = self.sources.sum(0) + self.background
        return found

    @property
    def seconds(self) -> float:
        """How long it lasts, in s."""
        return len(self.background) / self.rate

    def film(self, rng: np.random.Generator, *, fps: float = 8.0) -> Clip:
        """The performance as a clip, through a camera.

        Parameters: `rng`, for the camera's noise; `fps`, pictures a second, at most 30.
        Frame t shows the instant (t + 1/2) / fps. Raises ValueError for an impossible `fps`.
        """
        within(fps, "fps", 0.5, 30)
        times = self.instants(fps)
        frames = np.stack([self.scene.picture(t) for t in times])
        return Clip(camera.record(frames, rng), fps, self.audio, self.rate)

    def instants(self, fps: float) -> np.ndarray:
        """The instants in s that a film of `fps` pictures a second shows."""
        return (np.arange(int(self.seconds * fps + 1e-6)) + 0.5) / fps


def perform(
    instruments: Sequence[str],
    *,
    rng: np.random.Generator,
    playing: Sequence[bool] | None = None,
    seconds: float = 10.0,
    background: str = "none",
    snr: float = 10.0,
    split: str = "train",
) -> Performance:
    """Let a band play in one room, in one key and at one beat.

    Parameters
    ----------
    instruments : one to three of INSTRUMENTS, from left to right
    rng : for the tune, the players, their instruments, room, picture
    playing : whether each sounds, all of them by default; who does not holds the instrument still
    seconds : 2 to 60
    background : what nobody in the picture makes, one of `backgrounds.BACKGROUNDS`
    snr : level of all sources over the background, in dB
    split : whose faces are drawn, a key of `cast.SPLITS`

    Raises
    ------
    ValueError : an unknown instrument, background or split, no or too many players, another number
        of entries in `playing`, seconds out of range
    """
    playing = tuple(map(bool, playing)) if playing is not None else (True,) * len(instruments)
    if len(playing) != len(instruments) or not 1 <= len(instruments) <= 3:
        raise ValueError(
            f"{len(instruments)} instruments and {len(playing)} entries in playing; expected one to"
            " three instruments, and as many entries"
        )
    if split not in SPLITS:
        raise ValueError(f"split {split!r}; expected one of {', '.join(SPLITS)}")
    check_background(background)
    within(seconds, "seconds", 2, 60)
    within(snr, "snr", -30, 60)
    tune = orchestra.Tune.drawn(rng)
    echo = int(rng.integers(2**31))
    heard, seen = [], []
    for name, sounds in zip(instruments, playing, strict=True):
        notes = orchestra.melody(name, seconds=seconds, rng=rng, tune=tune)
        dry = orchestra.play(name, notes, seconds=seconds, rate=RATE, rng=rng)
        gain = 10 ** (rng.uniform(-2.5, 2.5) / 20) if sounds else 0.0
        wet = orchestra.room(dry, rate=RATE, rng=np.random.default_rng(echo))
        heard.append(gain * wet)
        seen.append(
            musicians.musician(
                name, notes, seconds=seconds, rng=rng, playing=sounds, people=SPLITS[split]
            )
        )
    sources = np.stack(heard).astype(np.float32)
    behind = hear(background, seconds, RATE, rng)
    if background != "none":
        size = np.sqrt(np.mean(sources.sum(0) ** 2) + 1e-12)
        behind = behind * np.float32(size * 10 ** (-snr / 20))
    peak = float(np.abs(sources.sum(0) + behind).max())
    scale = np.float32(min(1.0, 0.95 / max(peak, 1e-9)))
    return Performance(
        tuple(instruments), playing, sources * scale, behind * scale, RATE,
        musicians.scene(seen, rng=rng),
    )  # fmt: skip
