"""A folder of your own videos: each file is one speaker, called after the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .. import clip as clips
from .base import Corpus, CorpusError, Speaker, need_folder

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".flv")


def _video(path: Path) -> bool:
    """Whether a path is a video file: no folder, no hidden file, no write that was broken off."""
    leftover = path.name.startswith(".") or path.stem.lower().endswith(".part")
    return path.suffix.lower() in SUFFIXES and not leftover and path.is_file()


class Folder(Corpus):
    """Every video in a folder, in the order of their names; the one utterance is called "clip"."""

    name = lists = "folder"

    def __init__(self, data_root: str | Path | None) -> None:
        advice = "make a folder with one video of each speaker in it, and pass it as data_root"
        self.root = need_folder("folder", data_root, advice)
        files = sorted(path for path in self.root.iterdir() if _video(path))
        if not files:
            raise CorpusError(
                f"folder: {self.root} holds no video; expected at least two files with one of the "
                f"suffixes {' '.join(SUFFIXES)}"
            )
        self.files: dict[str, Path] = {}
        for path in files:
            twin = self.files.setdefault(path.stem, path)
            if twin != path:
                raise CorpusError(
                    f"folder: {twin.name} and {path.name} in {self.root} would both be the speaker "
                    f"{path.stem!r}; rename one of them"
                )

    @property
    def speakers(self) -> list[Speaker]:
        """One speaker a file, of unknown sex."""
        return [Speaker(stem, "unknown") for stem in self.files]

    def _file(self, speaker: str, utterance: str) -> Path:
        self.sex(speaker)
        if utterance != "clip":
            raise CorpusError(
                f"folder: utterance {utterance!r} was asked for; a file has one, called 'clip'"
            )
        return self.files[speaker]

    def clip(
        self, speaker: str, utterance: str = "clip", *, fps: float = 25.0, rate: int = 16000
    ) -> clips.Clip:
        """See `Corpus.clip`."""
        return clips.read(self._file(speaker, utterance), fps=fps, rate=rate)

    def audio(
        self, speaker: str, utterance: str = "clip", rate: int = 16000, *, fps: float = 25.0
    ) -> np.ndarray:
        """See `Corpus.audio`."""
        return clips.read_audio(self._file(speaker, utterance), fps=fps, rate=rate)
