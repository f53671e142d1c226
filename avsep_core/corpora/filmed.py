"""Real films for co-separation: pieces of MUSIC, AudioSet or AV-Bench, kept as drawn bands are.

A store of them is what `co_separation.objects.objects`, `tasks.Pairs` and `validation.Validation`
take. It has no boxes: nobody has marked where the players are, so nothing that compares with the
truth of a picture can use it.

Taught in `notebooks/05_co_separation.ipynb`, section "On real recordings".
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from ..checks import whole, within
from ..clip import Clip, MediaError
from ..synthetic.band import RATE
from .audioset import INSTRUMENTS, AudioSet
from .av_bench import AvBench
from .base import CorpusError
from .ensembles import VIEWS, Cast
from .kept import LEFT_OUT, keep, mapped, tale
from .mixtures import SILENCE
from .music import SECONDS, Music, Piece
from .solo_pairs import PairItem, SoloPair, mixed

SIZE = (360, 640)
"""Most rows and columns of a kept picture: 2 MB a film."""


@dataclass(frozen=True)
class Film:
    """A stretch of a video that is not yet read.

    `name`, by which it is known; `instruments`, none where nobody knows; `read`, pictures a second
    and length in s -> its beginning as a Clip at `band.RATE`; `longest`, s that may be asked for.
    """

    name: str
    instruments: Cast
    read: Callable[[float, float], Clip]
    longest: float = 3600.0


def of_music(music: Music, pieces: Iterable[Piece]) -> list[Film]:
    """Pieces of MUSIC as films, such as those of `Music.clips` or a pair of `music.pair_pieces`."""

    def film(piece: Piece) -> Film:
        def read(fps: float, seconds: float) -> Clip:
            return music.read(replace(piece, seconds=seconds), fps=fps, rate=RATE)

        return Film(f"{piece.id} {piece.start:g}", piece.categories, read, piece.seconds)

    return [film(piece) for piece in pieces]


def of_audioset(
    sounds: AudioSet, ids: Iterable[str], names: Mapping[str, str] = INSTRUMENTS
) -> list[Film]:
    """Videos of AudioSet as films. What is heard in them was told by people who listened: it may
    be out of sight, and what plays a little may lack.

    Parameters
    ----------
    sounds : a folder with videos
    ids : such as `AudioSet.splits` gives
    names : of instruments by AudioSet's machine id; other labels are passed over
    """

    def film(id: str) -> Film:
        def read(fps: float, seconds: float) -> Clip:
            return sounds.read(id, seconds=seconds, fps=fps, rate=RATE)

        told = [names[label] for label in sounds.labels(id) if label in names]
        return Film(id, tuple(dict.fromkeys(told)), read)

    return [film(id) for id in ids]


def of_bench(bench: AvBench) -> list[Film]:
    """The videos of AV-Bench as films, of unknown instruments."""

    def film(name: str) -> Film:
        def read(fps: float, seconds: float) -> Clip:
            return bench.item(name, fps=fps, rate=RATE, seconds=seconds).clip

        return Film(name, (), read)

    return [film(name) for name in bench.names]


class Films:
    """A folder of films, mapped into memory; see `ensembles.Videos`.

    `audio` (films, samples) int16 at `band.RATE`; `pictures` (films, VIEWS, height, width, 3)
    uint8, black to the right of and below smaller ones; `names`; `instruments`, none where nobody
    knows; `left_out`, by name why a film that was given is not among them.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Open a store; ValueError where it is missing, not complete, or no film could be read."""
        self.folder = Path(folder)
        told = tale(self.folder)
        self.left_out: dict[str, str] = dict(told[LEFT_OUT])
        self.names: list[str] = [name for name, *_ in told["examples"]]
        if not self.names:
            raise ValueError(
                f"{self.folder}: none of {len(self.left_out)} films can be used, the first because "
                f"of: {next(iter(self.left_out.values()))}. Get others, and remove this folder"
            )
        self.instruments: list[Cast] = [tuple(names) for _, names, _ in told["examples"]]
        self._sizes: list[list[int]] = [size for *_, size in told["examples"]]
        self.audio, self.pictures = (
            mapped(self.folder, name)[: len(self.names)] for name in ("audio", "pictures")
        )

    def __len__(self) -> int:
        """How many films it holds."""
        return len(self.names)

    def views(self, number: int) -> np.ndarray:
        """The pictures of a film, as large as they are: (VIEWS, height, width, 3) uint8."""
        height, width = self._sizes[number]
        return self.pictures[number, :, :height, :width]

    def items(self, pairs: Iterable[tuple[Film, Film]], *, split: str) -> list[PairItem]:
        """Pairs of films by their places here, as `validation.Validation` takes them.

        Parameters
        ----------
        pairs : of films that were written here; pairs with one that was left out are too
        split : what the items say of themselves

        Raises
        ------
        ValueError : a film that was never written here
        """
        places = {name: place for place, name in enumerate(self.names)}
        found = []
        for both in pairs:
            names = [film.name for film in both]
            for name in names:
                if name not in places and name not in self.left_out:
                    raise ValueError(
                        f"film {name!r} is not of {self.folder}, which holds {len(self)} such as "
                        f"{self.names[0]!r}; pair films that were written there"
                    )
            if not self.left_out.keys() & set(names):
                numbers = (places[names[0]], places[names[1]])
                found.append(PairItem(" + ".join(names), split, _instruments(both), numbers))
        return found


def write(
    folder: str | os.PathLike[str],
    films: Sequence[Film],
    *,
    seconds: float = SECONDS,
    size: tuple[int, int] = SIZE,
) -> Films:
    """Read films and keep them; go on where an earlier call was stopped.

    A film that cannot be read, is too short or silent is left out, and `Films.left_out` tells why.

    Parameters
    ----------
    folder : made if it is missing
    films : each of another name
    seconds : length that is kept of each
    size : most rows and columns of a picture; larger ones are scaled down in proportion

    Returns
    -------
    Films, with VIEWS pictures of each at even instants: the middles of equal parts

    Raises
    ------
    ValueError : no film, or two of one name; a folder that holds other films, or was made with
        other settings; none that can be used
    """
    told = [(film.name, film.instruments) for film in films]
    if not told or len(dict(told)) != len(told):
        raise ValueError(
            f"{len(told)} films of {len(dict(told))} names; give one or more, each with a name of "
            "its own"
        )
    high, wide = (whole(side, "size", "px") for side in size)
    within(seconds, "seconds", 0.1, min(film.longest for film in films))

    def parts(number: int) -> tuple[dict[str, np.ndarray], tuple[object, ...]]:
        film = films[number]
        try:
            audio, seen = _read(film, seconds, size)
        except (CorpusError, MediaError) as error:
            return {}, (film.name, str(error))
        pictures = np.zeros((VIEWS, high, wide, 3), np.uint8)
        pictures[:, : seen.shape[1], : seen.shape[2]] = seen
        sound = np.rint(np.clip(audio, -1, 1) * 32767).astype(np.int16)
        found = {"audio": sound, "pictures": pictures}
        return found, (film.name, film.instruments, seen.shape[1:3])

    which = zlib.crc32(json.dumps(told).encode())
    settings = {"views": VIEWS, "seconds": seconds, "size": [high, wide], "films": which}
    keep(Path(folder), parts, len(films), told=settings)
    return Films(folder)


def pair(
    one: Film, other: Film, *, seconds: float = SECONDS, size: tuple[int, int] = SIZE
) -> SoloPair:
    """Read two filmed solos and mix them, as `solo_pairs.pair` does with drawn ones.

    Parameters
    ----------
    one, other : films, such as `of_music` makes of a pair of `music.pair_pieces`
    seconds, size : as of `write`

    Raises
    ------
    CorpusError : a film that cannot be read, is too short or silent; ValueError for seconds out of
        range
    """
    within(seconds, "seconds", 0.1, min(one.longest, other.longest))
    read = [_read(film, seconds, size) for film in (one, other)]
    sounds, pictures = zip(*read, strict=True)
    return mixed(f"{one.name} + {other.name}", _instruments((one, other)), sounds, pictures)


def _read(film: Film, seconds: float, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Sound (samples,) float32, and pictures (VIEWS, height, width, 3) uint8, of a film's begin."""
    clip = film.read(2 * VIEWS / seconds, seconds)
    frames, audio = clip.frames[1 : 2 * VIEWS : 2], clip.audio[: round(seconds * RATE)]
    if len(frames) < VIEWS or len(audio) < round(seconds * RATE):
        raise CorpusError(
            f"{film.name} lasts {clip.seconds:.2f} s, {seconds:g} s are needed; take a longer film"
        )
    if float(np.sqrt(np.mean(audio.astype(float) ** 2))) < SILENCE:
        raise CorpusError(
            f"{film.name} is silent for its first {seconds:g} s; take another part or film"
        )
    scale = min(1.0, *(most / side for most, side in zip(size, frames.shape[1:3], strict=True)))
    if scale < 1:
        height, width = (max(round(scale * side), 1) for side in frames.shape[1:3])
        frames = np.stack(
            [cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA) for one in frames]
        )
    return audio, frames


def _instruments(both: tuple[Film, Film]) -> tuple[str, str]:
    first, other = ("+".join(film.instruments) or "unknown" for film in both)
    return first, other
