"""What every corpus is: people, each with utterances that one can see and hear."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..clip import Clip

SEXES = ("f", "m", "unknown")


class CorpusError(ValueError):
    """Something a corpus lacks: which file or folder was expected, and where to get it."""


@dataclass(frozen=True)
class Speaker:
    """A person of a corpus: its id there, and "f", "m" or "unknown"."""

    id: str
    sex: str


class Corpus(ABC):
    """People and their utterances, by name.

    `name` is the corpus, `lists` the stem of its fixed lists (see `mixtures.fixed_list`).
    """

    name: str
    lists: str

    @property
    @abstractmethod
    def speakers(self) -> list[Speaker]:
        """Everybody of whom there is something to see and hear."""

    @property
    def splits(self) -> dict[str, list[str]]:
        """Speaker ids of each part; no speaker is in two parts."""
        return {"test": [speaker.id for speaker in self.speakers]}

    @abstractmethod
    def clip(self, speaker: str, utterance: str, *, fps: float = 25.0, rate: int = 16000) -> Clip:
        """One utterance, seen and heard.

        Parameters
        ----------
        speaker : a speaker's id
        utterance : its name in this corpus
        fps, rate : frames per second and Hz

        Raises
        ------
        CorpusError : it is not there; names the file that was expected and where to get it.
        """

    @abstractmethod
    def audio(
        self, speaker: str, utterance: str, rate: int = 16000, *, fps: float = 25.0
    ) -> np.ndarray:
        """The sound that `clip` gives for the same arguments, without the pictures: (samples,)."""

    def sex(self, speaker: str) -> str:
        """The sex of the speaker with this id."""
        for known in self.speakers:
            if known.id == speaker:
                return known.sex
        ids = " ".join(known.id for known in self.speakers)
        raise CorpusError(f"{self.name} has no speaker {speaker!r}; it has {ids}")


def need_folder(corpus: str, data_root: str | Path | None, advice: str) -> Path:
    """The folder of a corpus, or a `CorpusError` that says what to do.

    Parameters
    ----------
    corpus : its name, for the message
    data_root : what the reader gave
    advice : where to get the data, and how to name the folder
    """
    if data_root is None:
        raise CorpusError(f"{corpus}: no data_root was given; {advice}")
    root = Path(data_root).expanduser()
    if not root.is_dir():
        raise CorpusError(f"{corpus}: expected the folder {root}, which does not exist; {advice}")
    return root
