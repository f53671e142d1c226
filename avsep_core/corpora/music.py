"""MUSIC: people who play an instrument, alone or two together, in 685 videos of the web.

Zhao, Gan, Rouditchenko, Vondrick, McDermott and Torralba, "The sound of pixels", ECCV 2018. Two
lists of YouTube ids are given out at https://github.com/roudimit/MUSIC_dataset, of 536 solos of
eleven instruments and of 149 duets of nine pairs:

    MUSIC_solo_videos.json    {"videos": {"flute": ["<id>", …], "tuba": […], …}, …}
    MUSIC_duet_videos.json    {"videos": {"flute violin": ["<id>", …], …}, …}

The videos are not part of it, and neither is anything here. Whoever has some puts them into a
folder, called after their ids, as `<id>.mp4`, `solo/flute/<id>.webm`, `duet/flute violin/<id>.mkv`
or in any other folder below; not all can still be had.

Parts go by the lists' order, whatever of it is there (co-separation paper, section 4.1): the first
solo of each instrument is for validation, the second to test, all others to train. What becomes of
the duets the paper does not say. Here all are to train, as its tables test on mixed solos alone.
Yet its 259 and 269 pieces to validate and to test, of 9456 in 685 videos, are what 19 videos hold
on average and not eleven: it may have held out the first two duets of each pair as well, as
`hold_out_duets=True` does.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from ..checks import whole
from ..clip import Clip, MediaError
from .base import CorpusError, need_folder
from .folder import SUFFIXES, _video
from .pieces import hear_piece, length, read_piece

__all__ = ["Music", "Piece", "Video", "pair_pieces", "read_lists"]

LISTS = {"solo": "MUSIC_solo_videos.json", "duet": "MUSIC_duet_videos.json"}
PARTS = ("train", "validation", "test")
SECONDS = 10.0
"""How long a piece is (section 4.1)."""

HEIGHT = 360
"""Rows of a picture in px, at most: the pictures of a piece then fill some 170 MB."""

ADVICE = (
    f"get {LISTS['solo']} and {LISTS['duet']} from https://github.com/roudimit/MUSIC_dataset, and "
    "put the videos that you have beside them or in folders below, called after their YouTube ids, "
    "such as <id>.mp4"
)
_SLACK = 0.1  # s that the last piece may lack: videos cut to ten seconds seldom last them in full
_ID = re.compile(r"[\w-]{11}")


@dataclass(frozen=True)
class Video:
    """A video of the lists: its YouTube `id`, the instruments that it holds as `categories`, one or
    two, and its `part`, "train", "validation" or "test"."""

    id: str
    categories: tuple[str, ...]
    part: str


@dataclass(frozen=True)
class Piece:
    """Ten seconds of the video `id`, from `start` on, in s; `categories` are its instruments."""

    id: str
    categories: tuple[str, ...]
    start: float
    seconds: float = SECONDS


def read_lists(folder: str | Path | None, *, hold_out_duets: bool = False) -> list[Video]:
    """The videos of both official lists, in their order, each once.

    An id that is listed twice stays where it is held out the most: to test, then to validate, then
    to train, with the categories that it has there. So no video is in two parts.

    Parameters
    ----------
    folder : which holds both lists
    hold_out_duets : take the first two of each pair of instruments out of training, as of solos

    Raises
    ------
    CorpusError : a missing list, or one that is not as in this module's first lines.

    Gao and Grauman, section 4.1.
    """
    root = need_folder("music", folder, ADVICE)
    found: dict[str, Video] = {}
    for kind, name in LISTS.items():
        for title, ids in _listed(root / name, 1 if kind == "solo" else 2).items():
            for place, id in enumerate(ids):
                held_out = kind == "solo" or hold_out_duets
                part = {0: "validation", 1: "test"}.get(place, "train") if held_out else "train"
                video = Video(id, tuple(title.split()), part)
                before = found.setdefault(id, video)
                if PARTS.index(part) > PARTS.index(before.part):
                    found[id] = video
    return list(found.values())


def _listed(path: Path, instruments: int) -> dict[str, list[str]]:
    """A list's ids by the instruments' names."""
    if not path.is_file():
        raise CorpusError(f"music: expected the list {path}, which does not exist; {ADVICE}")
    try:
        table = json.loads(path.read_text(encoding="utf-8-sig"))["videos"]
        good = bool(table) and all(
            len(title.split()) == instruments and ids and all(_ID.fullmatch(id) for id in ids)
            for title, ids in table.items()
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        good = False
    if not good:
        title = ("flute", "flute violin")[instruments - 1]
        raise CorpusError(
            f'music: {path} is not as expected, {{"videos": {{"{title}": [YouTube ids of 11 '
            f"characters], …}}}}; download it again; {ADVICE}"
        )
    return table


class Music:
    """The videos of MUSIC that are here, cut into pieces of ten seconds.

    Parameters
    ----------
    data_root : folder of the videos
    lists : folder of the two lists; by default data_root
    hold_out_duets : see `read_lists`

    Attributes
    ----------
    videos : those that are here, by id, in the lists' order
    missing : those of the lists that are not

    Raises
    ------
    CorpusError : no folder, a list that is missing or damaged, or no video of the lists.

    Gao and Grauman, section 4.1.
    """

    def __init__(
        self,
        data_root: str | Path | None,
        *,
        lists: str | Path | None = None,
        hold_out_duets: bool = False,
    ) -> None:
        self.root = need_folder("music", data_root, ADVICE)
        every = read_lists(lists or self.root, hold_out_duets=hold_out_duets)
        self._files: dict[str, Path] = {}
        for path in sorted(path for path in self.root.rglob("*") if _video(path)):
            self._files.setdefault(path.stem, path)
        self.videos = {video.id: video for video in every if video.id in self._files}
        self.missing = [video for video in every if video.id not in self._files]
        if not self.videos:
            raise CorpusError(
                f"music: {self.root} holds none of the {len(every)} videos of the lists; expected "
                f"such as {self.root / 'solo' / every[0].categories[0] / every[0].id}.mp4 or "
                f"{self.root / every[0].id}.mp4, with one of the suffixes {' '.join(SUFFIXES)}; "
                f"found {len(self._files)} videos of other names; {ADVICE}"
            )

    @property
    def report(self) -> str:
        """What is missing, in a sentence: how many of how many, and which."""
        every = len(self.videos) + len(self.missing)
        if not self.missing:
            return f"All {every} videos of MUSIC are in {self.root}."
        parts = ((part, [v.id for v in self.missing if v.part == part]) for part in PARTS)
        which = "; ".join(f"{part}: {', '.join(ids)}" for part, ids in parts if ids)
        return f"{len(self.missing)} of {every} videos of MUSIC are not in {self.root}. {which}."

    @property
    def splits(self) -> dict[str, list[str]]:
        """Ids of the videos of each part that are here; no video is in two parts."""
        return {part: [v.id for v in self.videos.values() if v.part == part] for part in PARTS}

    def clips(self, split: str) -> list[Piece]:
        """The pieces of a part, one after another without overlap; a shorter rest is left out.

        Parameters
        ----------
        split : "train", "validation" or "test"

        Raises
        ------
        CorpusError : another split, or a file that cannot be read, by name.
        """
        if split not in PARTS:
            raise CorpusError(f"music: split {split!r}; expected one of {', '.join(PARTS)}")
        found = []
        for id in self.splits[split]:
            try:
                count = int((length(self._files[id]) + _SLACK) / SECONDS)
            except MediaError as error:
                raise _damaged(error) from error
            found += [Piece(id, self.videos[id].categories, k * SECONDS) for k in range(count)]
        return found

    def read(
        self, piece: Piece, *, fps: float = 25.0, rate: int = 11025, height: int = HEIGHT
    ) -> Clip:
        """A piece, seen and heard.

        Parameters
        ----------
        piece : one of `clips`
        fps, rate : frames per second and Hz
        height : higher pictures are scaled to so many rows

        Returns
        -------
        Clip named after video and start

        Raises
        ------
        CorpusError : a video that is not here, or is damaged, by name.
        """
        path = self._file(piece)
        try:
            clip = read_piece(path, piece.start, piece.seconds, fps=fps, rate=rate, height=height)
        except MediaError as error:
            raise _damaged(error) from error
        return replace(clip, name=f"{piece.id} {piece.start:g}")

    def audio(self, piece: Piece, rate: int = 11025) -> np.ndarray:
        """The sound that `read` gives, without the pictures: (samples,) float32. Raises as it."""
        path = self._file(piece)
        try:
            return hear_piece(path, piece.start, piece.seconds, rate=rate)
        except MediaError as error:
            raise _damaged(error) from error

    def _file(self, piece: Piece) -> Path:
        if piece.id not in self.videos:
            raise CorpusError(
                f"music: {self.root} holds no video {piece.id!r} of the lists, of "
                f"{len(self.videos)} such as {next(iter(self.videos))}; {ADVICE}"
            )
        return self._files[piece.id]


def pair_pieces(
    pieces: Iterable[Piece], *, each: int = 10, seed: int = 0
) -> list[tuple[Piece, Piece]]:
    """Pairs of solos to mix, as the paper's 550: ten of each two of eleven instruments.

    What is drawn for two instruments hangs on the seed and on their own pieces alone: a video that
    cannot be had any more changes no pair of others.

    Parameters
    ----------
    pieces : such as `Music.clips("test")`; duets among them are passed over
    each : how many pairs of two instruments, all different; where there are fewer, all
    seed : of the draw

    Returns
    -------
    Pairs in the order of their instruments' names

    Raises
    ------
    CorpusError : solos of fewer than two instruments.

    Gao and Grauman, section 4.1.
    """
    solos: dict[str, list[Piece]] = {}
    for piece in pieces:
        if len(piece.categories) == 1:
            solos.setdefault(piece.categories[0], []).append(piece)
    if len(solos) < 2:
        raise CorpusError(
            f"music: solos of {' '.join(solos) or 'no instrument'} given; expected two instruments "
            "or more, to pair one with another: get more of the videos"
        )
    each, pairs = whole(each, "each", "pairs"), []
    for a, b in combinations(sorted(solos), 2):
        rng = np.random.default_rng([seed, zlib.crc32(f"{a} {b}".encode())])
        many = len(solos[a]) * len(solos[b])
        for k in rng.choice(many, min(each, many), replace=False):
            i, j = divmod(int(k), len(solos[b]))
            pairs.append((solos[a][i], solos[b][j]))
    return pairs


def _damaged(error: MediaError) -> CorpusError:
    return CorpusError(f"music: {error}; or remove it from the folder")
