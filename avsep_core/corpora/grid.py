"""The GRID corpus: real people who say a command, colour, preposition, letter, digit and adverb.

Cooke, Barker, Cunningham and Shao, "An audio-visual corpus for speech perception and automatic
speech recognition" (2006), CC BY 4.0, https://zenodo.org/records/3625687. Each of its talkers says
each combination of colour, letter and digit exactly once, so these three name an utterance:
"b-f-2" is the file `?b?f2?.mpg`, here `bbaf2n.mpg`, "bin blue at f two now".
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import clip as clips
from .base import Corpus, CorpusError, Speaker, need_folder

RECORD = "https://zenodo.org/records/3625687"
TALKERS = tuple(f"s{number}" for number in range(1, 35) if number != 21)
"""Everybody with a video; s21 has none."""

WOMEN = frozenset(f"s{n}" for n in (4, 7, 11, 15, 16, 18, *range(20, 26), 29, 31, 33, 34))
SPLITS = {
    "test": ["s4", "s10", "s11", "s14", "s16", "s19", "s25", "s28"],
    "validation": ["s5", "s7", "s9", "s20", "s26", "s31"],
}
SPLITS["train"] = [s for s in TALKERS if s not in SPLITS["test"] + SPLITS["validation"]]
"""Speaker-disjoint parts. s8, of whom many recordings break off, is in the training part."""

SAMPLE = {"bbaf2n": "m", "pwij3p": "m", "sbwe5n": "m", "brbk7n": "f", "lbbc2a": "f", "lrwp9a": "f"}
"""Files of the small sample, each of another talker, with their sexes."""

SAMPLE_FOLDERS = {"bbaf2n": "s1"}
"""Where more files of a talker of the sample may lie."""

UNITS = 25000
FILE = re.compile(r"[blps][bgrw][abiw][a-vx-z][z1-9][anps]")
UTTERANCE = re.compile(r"([bgrw])-([a-vx-z])-([z1-9])")


@dataclass(frozen=True)
class Word:
    """One aligned word, "sil" for silence, from `start` to `end` seconds."""

    text: str
    start: float
    end: float


def advice(speakers: str = "") -> str:
    """Where to get GRID."""
    command = f"avsep download grid DIR{' --speakers ' + speakers if speakers else ''}"
    return f"get it from {RECORD}, or run `{command}` and pass data_root=DIR"


def alignment(path: str | Path) -> list[Word]:
    """Read GRID's word times, which are in units of 1/25000 s.

    Parameters
    ----------
    path : an `.align` file

    Returns
    -------
    Words in order, times in seconds; "sil" is silence.

    Raises
    ------
    CorpusError : missing file, or a line that is not "start end word" with rising times.
    """
    path = Path(path)
    if not path.is_file():
        raise CorpusError(f"grid: expected the word times {path}; {advice()}")
    words: list[Word] = []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        parts = line.split()
        if not parts:
            continue
        fits = len(parts) == 3 and all(p.isdecimal() for p in parts[:2])
        before = round(words[-1].end * UNITS) if words else 0
        if not fits or not before <= int(parts[0]) <= int(parts[1]):
            raise CorpusError(
                f"grid: {path}, line {number} is {line!r}; expected 'start end word' with whole "
                "numbers that rise; download alignments.zip again"
            )
        words.append(Word(parts[2], int(parts[0]) / UNITS, int(parts[1]) / UNITS))
    return words


class _Grid(Corpus):
    """What both layouts share: an utterance is a file."""

    name = "grid"

    def __init__(self, root: Path) -> None:
        self.root = root

    @abstractmethod
    def file(self, speaker: str, utterance: str) -> Path:
        """The video of an utterance; CorpusError where it is missing."""

    def clip(
        self, speaker: str, utterance: str, *, fps: float = 25.0, rate: int = 16000
    ) -> clips.Clip:
        """See `Corpus.clip`. Also refuses a recording that breaks off before 2.5 s."""
        path = self.file(speaker, utterance)
        found = clips.read(path, fps=fps, rate=rate)
        self._whole(path, found.seconds)
        return found

    def audio(
        self, speaker: str, utterance: str, rate: int = 16000, *, fps: float = 25.0
    ) -> np.ndarray:
        """See `Corpus.audio`."""
        path = self.file(speaker, utterance)
        found = clips.read_audio(path, fps=fps, rate=rate)
        self._whole(path, len(found) / rate)
        return found

    def words(self, speaker: str, utterance: str) -> list[Word]:
        """Word times of an utterance, see `alignment`."""
        video = self.file(speaker, utterance)
        places = [
            video.with_suffix(".align"),
            self.root / "alignments" / speaker / f"{video.stem}.align",
            self.root / "align" / speaker / f"{video.stem}.align",
            self.root / speaker / "align" / f"{video.stem}.align",
        ]
        return alignment(next((place for place in places if place.is_file()), places[1]))

    @staticmethod
    def _whole(path: Path, seconds: float) -> None:
        if seconds < 2.5:
            raise CorpusError(
                f"grid: {path} lasts {seconds:.2f} s where 3 s were expected: a damaged or broken "
                "recording; download it again or choose another utterance"
            )


class Grid(_Grid):
    """The official layout: `s1/…/*.mpg` for each talker; `alignments/s1/*.align` beside them."""

    lists = "grid"

    @property
    def speakers(self) -> list[Speaker]:
        """The talkers with a video, whether or not their folders are here."""
        return [Speaker(talker, "f" if talker in WOMEN else "m") for talker in TALKERS]

    @property
    def splits(self) -> dict[str, list[str]]:
        """Eight talkers to test and six to validate, half of them women; the others to train."""
        return {part: list(ids) for part, ids in SPLITS.items()}

    def _folder(self, speaker: str) -> Path:
        self.sex(speaker)
        folder = self.root / speaker
        if not folder.is_dir():
            raise CorpusError(f"grid: expected the folder {folder}; {advice(speaker)}")
        return folder

    def file(self, speaker: str, utterance: str) -> Path:
        """The video of "colour-letter-digit" (b-f-2) or of a file's own name (bbaf2n)."""
        match = UTTERANCE.fullmatch(utterance)
        if match is None and not FILE.fullmatch(utterance):
            raise CorpusError(
                f"grid: utterance {utterance!r} was asked for; expected colour-letter-digit, "
                "such as b-f-2, or a file name such as bbaf2n"
            )
        pattern = utterance if match is None else "?{}?{}{}?".format(*match.groups())
        folder = self._folder(speaker)
        found = sorted(folder.rglob(f"{pattern}.mpg"))
        if not found:
            raise CorpusError(f"grid: expected {folder}/{pattern}.mpg; {advice(speaker)}")
        return found[0]

    def utterances(self, speaker: str) -> list[str]:
        """Names of the files that are here for a speaker."""
        files = self._folder(speaker).rglob("*.mpg")
        return sorted({file.stem for file in files if FILE.fullmatch(file.stem)})


class GridSample(_Grid):
    """A few loose GRID files in one folder, each of another talker, who is called after it."""

    lists = "grid_sample"

    @property
    def speakers(self) -> list[Speaker]:
        """One talker a file."""
        return [Speaker(stem, SAMPLE.get(stem, "unknown")) for stem in _loose(self.root)]

    def file(self, speaker: str, utterance: str = "") -> Path:
        """The talker's own file, or another one from the talker's folder where there is one."""
        folder = self.root
        if utterance not in ("", speaker):
            folder /= SAMPLE_FOLDERS.get(speaker, "")
        path = folder / f"{utterance or speaker}.mpg"
        if not path.is_file():
            raise CorpusError(f"grid: expected {path}; {advice()}")
        return path


def _loose(root: Path) -> list[str]:
    return sorted(path.stem for path in root.glob("*.mpg") if FILE.fullmatch(path.stem))


def open_grid(data_root: str | Path | None) -> Grid | GridSample:
    """GRID in whichever of its two layouts the folder has.

    Parameters
    ----------
    data_root : a folder with `s1`, `s2`, … in it, or with loose GRID files

    Returns
    -------
    GridSample where loose files lie in the folder itself, else Grid.

    Raises
    ------
    CorpusError : no such folder, or neither layout in it.
    """
    root = need_folder("grid", data_root, advice())
    if _loose(root):
        return GridSample(root)
    if not any((root / talker).is_dir() for talker in TALKERS):
        raise CorpusError(
            f"grid: expected {root / 's1'}/*.mpg (a folder for each talker) or loose files such as "
            f"{root / 'bbaf2n.mpg'}, and found neither; {advice()}"
        )
    return Grid(root)
