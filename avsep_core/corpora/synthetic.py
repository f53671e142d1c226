"""The synthetic corpus: talkers made by code, the same clip from the same name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from ..clip import Clip
from .base import Corpus, CorpusError, Speaker

KINDS = ("command", "digits", "sentence")


def _parts(utterance: str) -> tuple[str, int]:
    kind, _, seed = utterance.partition(":")
    if kind not in KINDS or not seed.isdigit():
        raise CorpusError(
            f"synthetic: utterance {utterance!r} was asked for; expected kind:seed with a kind of "
            f"{', '.join(KINDS)}, such as command:104"
        )
    return kind, int(seed)


class Synthetic(Corpus):
    """Talkers of `avsep_core.synthetic.talkers`; an utterance is called kind:seed."""

    name = lists = "synthetic"

    @property
    def _talkers(self) -> Any:
        return import_module("avsep_core.synthetic.talkers")

    @property
    def speakers(self) -> list[Speaker]:
        """All talkers, with their sexes."""
        return [Speaker(talker.id, talker.sex) for talker in self._talkers.TALKERS]

    @property
    def splits(self) -> dict[str, list[str]]:
        """Ids of the train, validation and test talkers."""
        return {part: list(ids) for part, ids in self._talkers.SPLITS.items()}

    def clip(self, speaker: str, utterance: str, *, fps: float = 25.0, rate: int = 16000) -> Clip:
        """See `Corpus.clip`."""
        self.sex(speaker)
        kind, seed = _parts(utterance)
        return self._talkers.speak(speaker, kind=kind, seed=seed, fps=fps, rate=rate).clip

    def audio(
        self, speaker: str, utterance: str, rate: int = 16000, *, fps: float = 25.0
    ) -> np.ndarray:
        """See `Corpus.audio`."""
        self.sex(speaker)
        kind, seed = _parts(utterance)
        return self._talkers.speak_audio(speaker, kind=kind, seed=seed, rate=rate)
