"""AudioSet: ten-second sounds of the web with labels; or any folder of sounds.

Gemmeke et al., "Audio Set: an ontology and human-labeled dataset for audio events", ICASSP 2017.
Its CSV files (CC BY 4.0, https://research.google.com/audioset/download.html) name pieces of
YouTube videos and what is heard in them:

    # Segments csv created …
    # num_ytids=…
    # YTID, start_seconds, end_seconds, positive_labels
    --PJHxphWEs, 30.000, 40.000, "/m/09x0r,/t/dd00088"

The sounds themselves are not passed on by its authors, and nothing of them is downloaded here. A
folder holds what the reader has of them, as `YTID_start.wav`, `YTID_start_end.mp4` or `YTID.flac`
(times in s or ms; the last may be the whole video), in any folder below; the CSVs lie beside them.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .. import clip as clips
from ..checks import whole, within
from ..clip import Clip
from . import folder as videos
from .base import CorpusError, need_folder
from .mixtures import SILENCE
from .pieces import length, read_piece

__all__ = ["INSTRUMENTS", "SPEECH", "AudioSet", "Segment", "read_segments"]

SOUNDS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac")
SUFFIXES = (*SOUNDS, *videos.SUFFIXES)

SPEECH = frozenset({
    "/m/09x0r", "/m/05zppz", "/m/02zsn", "/m/0ytgt", "/m/01h8n0", "/m/02qldy", "/m/0261r1",
    "/m/0brhx",
})  # fmt: skip
"""Label "Speech" and its children: male, female and child speech, conversation, narration,
babbling, speech synthesizer (`ontology.json` of https://github.com/audioset/ontology)."""

INSTRUMENTS = {
    "/m/0mkg": "accordion", "/m/042v_gx": "acoustic_guitar", "/m/01xqw": "cello",
    "/m/01wy6": "clarinet", "/m/0l14j_": "flute", "/m/06ncr": "saxophone",
    "/m/07gql": "trumpet", "/m/07y_7": "violin", "/m/0dwsp": "xylophone",
}  # fmt: skip
"""Machine id -> instrument of the band, from the same file; "xylophone" is "marimba, xylophone"."""

TABLES = ("balanced_train_segments.csv", "unbalanced_train_segments.csv", "eval_segments.csv")
ADVICE = (
    "AudioSet's CSVs are at https://research.google.com/audioset/download.html; save the sounds "
    "that they name as YTID_start.wav, such as --PJHxphWEs_30.wav, or use a folder of your own "
    "sounds"
)
_NAME = re.compile(r"Y?([\w-]{11})(?:_(\d+(?:\.\d+)?))?(?:_\d+(?:\.\d+)?)?")
_HEIGHT = 360  # rows of a picture in px, at most
_SLACK = 0.5  # s by which a start in a name may differ from the CSV's


@dataclass(frozen=True)
class Segment:
    """A line of a CSV: what is heard from `start` to `end` seconds of a video.

    `labels` are machine ids; `part` is "test" for `eval_segments.csv`, else "train".
    """

    start: float
    end: float
    labels: tuple[str, ...]
    part: str


def _sound(path: Path) -> bool:
    leftover = path.name.startswith(".") or path.stem.lower().endswith(".part")
    return path.suffix.lower() in SUFFIXES and not leftover and path.is_file()


class AudioSet:
    """The sounds of a folder: pieces of AudioSet with their labels, or sounds without.

    Parameters
    ----------
    folder : see this module's first lines
    without_speech : leave out whatever has a label of `SPEECH`, and whatever has no labels, since
        nobody knows what is in it. The paper mixes speech with AudioSet as it is.

    Raises
    ------
    CorpusError : no folder, no sound in it, two sounds of one name, a line of a CSV that is wrong,
        or no sound known to be without speech.

    Ephrat et al., section 5.1. Taught in `notebooks/03_looking_to_listen.ipynb`, section "The
    data".
    """

    def __init__(self, folder: str | Path | None, *, without_speech: bool = False) -> None:
        self.root = need_folder("audioset", folder, ADVICE)
        self.files: dict[str, Path] = {}
        for path in sorted(path for path in self.root.rglob("*") if _sound(path)):
            twin = self.files.setdefault(path.stem, path)
            if twin != path and not _NAME.fullmatch(path.stem):
                raise CorpusError(
                    f"audioset: {twin} and {path} would both be the sound {path.stem!r}; rename "
                    "one of them"
                )
        if not self.files:
            raise CorpusError(
                f"audioset: {self.root} holds no sound, nor does a folder below; expected files "
                f"with one of the suffixes {' '.join(SUFFIXES)}; {ADVICE}"
            )
        tables = sorted(path for path in self.root.rglob("*_segments.csv"))
        self._segments = self._labelled(tables)
        if without_speech:
            self._leave_out_speech(tables)

    def _labelled(self, tables: list[Path]) -> dict[str, Segment]:
        """Sound -> the line that tells of it, where one does."""
        named = {name: match for name in self.files if (match := _NAME.fullmatch(name))}
        known: dict[str, list[Segment]] = {}
        wanted = {match[1] for match in named.values()}
        for table in tables:
            for video, segment in read_segments(table, wanted):
                known.setdefault(video, []).append(segment)
        found: dict[str, Segment] = {}
        for name, match in named.items():
            for segment in known.get(match[1], ()):
                if match[2] is None or _starts(segment, float(match[2])):
                    found.setdefault(name, segment)
        return found

    def _leave_out_speech(self, tables: list[Path]) -> None:
        every, segments = len(self.files), self._segments
        free = {name for name, each in segments.items() if not SPEECH & set(each.labels)}
        self.files = {name: path for name, path in self.files.items() if name in free}
        if not self.files:
            raise CorpusError(
                f"audioset: of {every} sounds in {self.root} none is known to be without speech: "
                f"{len(segments)} have labels, from {len(tables)} files such as {TABLES[0]}; put "
                f"the CSVs into the folder, or take the sounds as they are; {ADVICE}"
            )

    @property
    def clips(self) -> list[str]:
        """The ids of all sounds, in order: their files' names without the suffix."""
        return list(self.files)

    @property
    def splits(self) -> dict[str, list[str]]:
        """Ids of the parts that AudioSet makes, "train" and "test"; a sound without labels is in
        "train"."""
        parts: dict[str, list[str]] = {"train": [], "test": []}
        for name in self.files:
            known = self._segments.get(name)
            parts[known.part if known else "train"].append(name)
        return parts

    def labels(self, id: str) -> tuple[str, ...]:
        """Machine ids of what is heard in a sound, such as "/m/04rlf"; none where no CSV tells.

        Raises
        ------
        CorpusError : no such sound.
        """
        self._file(id)
        known = self._segments.get(id)
        return known.labels if known else ()

    def _file(self, id: str) -> Path:
        path = self.files.get(id)
        if path is None or not path.is_file():
            raise CorpusError(
                f"audioset: expected {path or self.root / f'{id}.wav'}; the folder has "
                f"{len(self.files)} sounds to choose from, such as {next(iter(self.files))}; "
                f"{ADVICE}"
            )
        return path

    def audio(self, id: str, rate: int = 16000) -> np.ndarray:
        """A whole sound, (samples,) float32; of a file with a whole video, the labelled piece.

        Parameters
        ----------
        id : one of `clips`
        rate : Hz

        Raises
        ------
        CorpusError : a missing, damaged or silent file, by name.
        """
        path = self._file(id)
        try:
            sound = clips.read_audio(path, rate=rate)
        except clips.MediaError as error:
            raise CorpusError(f"audioset: {error}; {ADVICE}") from error
        piece = self._segments.get(id)
        if piece and len(sound) > rate * max(piece.end - 1, piece.end - piece.start + 1):
            sound = sound[round(piece.start * rate) : round(piece.end * rate)]
        if float(np.sqrt(np.mean(sound.astype(float) ** 2))) < SILENCE:
            raise CorpusError(f"audioset: {path} is silent; delete it, or get it again; {ADVICE}")
        return sound

    def read(self, id: str, seconds: float, *, fps: float = 25.0, rate: int = 11025) -> Clip:
        """The beginning of a sound that is a video, seen and heard; see `audio`.

        Parameters
        ----------
        id, seconds : one of `clips`, and how much of it
        fps, rate : frames per second and Hz

        Raises
        ------
        CorpusError : a missing, damaged or shorter file, or one without pictures, by name.
        """
        path, piece = self._file(id), self._segments.get(id)
        try:
            start = 0.0
            if piece and length(path) > max(piece.end - 1, piece.end - piece.start + 1):
                start = piece.start
                within(seconds, f"{path}: seconds", 0.1, piece.end - start)
            clip = read_piece(path, start, seconds, fps=fps, rate=rate, height=_HEIGHT)
        except ValueError as error:
            raise CorpusError(f"audioset: {error}; {ADVICE}") from error
        return replace(clip, name=id)

    def segment(self, id: str, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
        """A piece of a sound from a random moment on, never one that is silent.

        Parameters
        ----------
        id : one of `clips`
        seconds : length; a sound that is shorter is repeated
        rate : Hz
        rng : which draws the moment

        Returns
        -------
        (round(seconds * rate),) float32, at the file's own level

        Raises
        ------
        CorpusError : a missing, damaged or silent file; ValueError for a length or rate out of
            range.

        Ephrat et al., section 5.1. Taught in `notebooks/03_looking_to_listen.ipynb`, section "The
        data".
        """
        rate = whole(rate, "rate")
        within(seconds, "seconds", 1 / rate, 3600)
        sound, count = self.audio(id, rate), round(seconds * rate)
        if len(sound) < count:
            sound = np.tile(sound, count // len(sound) + 2)
        energy = np.concatenate([[0.0], np.cumsum(sound.astype(float) ** 2)])
        heard = energy[count:] - energy[:-count]
        starts = np.flatnonzero(heard >= min(SILENCE**2 * count, float(heard.max())))
        first = int(starts[int(rng.integers(len(starts)))])
        return sound[first : first + count].copy()


def _starts(segment: Segment, told: float) -> bool:
    """Whether a start in a file's name, in s or ms, is that of a segment."""
    return min(abs(told - segment.start), abs(told / 1000 - segment.start)) <= _SLACK


def read_segments(table: Path, wanted: set[str] | None = None) -> list[tuple[str, Segment]]:
    """The lines of one of AudioSet's CSVs.

    Parameters
    ----------
    table : such as `balanced_train_segments.csv`
    wanted : YouTube ids to keep; None keeps all, some two millions in the largest CSV

    Returns
    -------
    (YouTube id, Segment) in order

    Raises
    ------
    CorpusError : names the line that is wrong, and shows a right one.

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "The data".
    """
    part = "test" if table.name.startswith("eval") else "train"
    found: list[tuple[str, Segment]] = []
    with table.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        reader = csv.reader(lines, skipinitialspace=True)
        for row in reader:
            if not row or row[0].startswith("#"):
                continue
            try:
                video, start, end, labels = row
                segment = Segment(float(start), float(end), tuple(labels.split(",")), part)
                good = 0 <= segment.start < segment.end < float("inf") and bool(labels)
            except ValueError:
                good = False
            if not good:
                raise CorpusError(
                    f"audioset: {table}, line {reader.line_num} is {', '.join(row)!r}; expected "
                    'such as --PJHxphWEs, 30.000, 40.000, "/m/09x0r,/t/dd00088"; download the '
                    f"file again; {ADVICE}"
                )
            if wanted is None or video in wanted:
                found.append((video, segment))
    return found
