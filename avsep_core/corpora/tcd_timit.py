"""TCD-TIMIT: 59 volunteers who read sentences out of TIMIT, filmed from the front.

Harte and Gillen, "TCD-TIMIT: an audio-visual corpus of continuous speech", IEEE Transactions on
Multimedia 17 (2015), 603-615. Researchers get it at https://sigmedia.tcd.ie after registration;
nothing of it is downloaded here. The folder of a volunteer is called after number and sex, and
that of the camera in front, of 1920x1080 px and 29.97 pictures a second, is `straightcam`:

    volunteers/01M/Clips/straightcam/sa1.mp4

The three lipspeakers and the camera at 30 degrees are left out, as in Lu et al., section IV-A2.

Everybody reads 98 sentences: sa1 and sa2, the same for all, then 36 called si and a number and 60
called sx and a number, which are others for other people. So a fixed list names an utterance by
its place: "#17" is the 17th of the speaker's film names, in small letters and sorted as text: sa1,
sa2, si1014, …, si997, sx114, …, sx98 for 08F. Where films are missing the places shift, so that a
place is refused unless all 98 films are there. A sentence's own name, such as "si988", needs
none of that.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import numpy as np

from .. import clip as clips
from .base import Corpus, CorpusError, Speaker, need_folder

SENTENCES = 98
"""So many films a volunteer has."""
EVERYBODYS = 2
"""The first of them, sa1 and sa2, are the same sentences for all."""

WOMEN = frozenset((
    3, 5, 7, 8, 9, 11, 13, 15, 17, 30, 31, 32, 33, 36, 37, 38, 40, 43, 44, 45, 46, 49, 50, 51, 55,
    58, 59,
))  # fmt: skip
VOLUNTEERS = tuple(f"{number:02d}{'F' if number in WOMEN else 'M'}" for number in range(1, 60))
"""27 women and 32 men: 01M, 02M, 03F, …, 59F."""

SPLITS = {
    "test": ["08F", "09F", "15F", "18M", "25M", "28M", "33F", "34M", "36F", "41M", "54M"],
    "validation": ["01M", "02M", "04M", "06M", "10M", "44F", "45F", "49F", "55F", "56M", "58F"],
}
SPLITS["train"] = [v for v in VOLUNTEERS if v not in SPLITS["test"] + SPLITS["validation"]]
"""Speaker-disjoint parts; six men and five women to test, and as many to validate, as in Lu et al.,
who do not say whom. Seventeen people are held back for tests in speech recognition: of these, the
first six men and five women are here to test, and the others to validate, together with the first
five men of all the rest."""

HEIGHT = 540
"""Rows of a picture in px, at most. That is half of the films' own: in full size the pictures of
five seconds fill 780 MB."""

ADVICE = (
    "register at https://sigmedia.tcd.ie to get TCD-TIMIT, and pass as data_root the folder that "
    "holds its folder volunteers"
)

_PLACES = ("volunteers/{}/Clips/straightcam", "volunteers/{}/straightcam", "{}/Clips/straightcam",
           "{}/straightcam")  # fmt: skip
_SENTENCE, _PLACE = re.compile(r"s[aix][0-9]+"), re.compile(r"#([0-9]+)")


class TcdTimit(Corpus):
    """The films of the volunteers from the front: a speaker is a volunteer, such as "01M", an
    utterance a sentence, "si988" or by its place "#17". The module says how places are counted."""

    name = lists = "tcd_timit"

    def __init__(self, data_root: str | Path | None) -> None:
        self.root = need_folder("tcd_timit", data_root, ADVICE)
        if not any(self._find(volunteer) for volunteer in VOLUNTEERS):
            raise CorpusError(
                f"tcd_timit: expected {self.root}/volunteers/01M/Clips/straightcam, and such "
                f"folders for 02M, 03F, …, 59F, and found none; {ADVICE}"
            )

    @property
    def speakers(self) -> list[Speaker]:
        """The volunteers, whether or not their folders are here."""
        return [Speaker(volunteer, volunteer[-1].lower()) for volunteer in VOLUNTEERS]

    @property
    def splits(self) -> dict[str, list[str]]:
        """Six men and five women to test, as many to validate; the other 37 to train."""
        return {part: list(ids) for part, ids in SPLITS.items()}

    def _find(self, speaker: str) -> Path | None:
        places = (self.root / place.format(speaker) for place in _PLACES)
        return next((place for place in places if place.is_dir()), None)

    def _films(self, speaker: str) -> tuple[Path, dict[str, Path]]:
        """The folder of a volunteer, and its films by the names of their sentences, sorted."""
        self.sex(speaker)
        folder = self._find(speaker)
        if folder is None:
            raise CorpusError(
                f"tcd_timit: expected the folder {self.root / _PLACES[0].format(speaker)}; {ADVICE}"
            )
        films: dict[str, Path] = {}
        for path in sorted(folder.iterdir()):
            sentence = path.stem.lower()
            if path.suffix.lower() == ".mp4" and _SENTENCE.fullmatch(sentence):
                films.setdefault(sentence, path)
        return folder, dict(sorted(films.items()))

    def utterances(self, speaker: str) -> list[str]:
        """Names of the sentences of which a film is here, in the order of their places."""
        return list(self._films(speaker)[1])

    def file(self, speaker: str, utterance: str) -> Path:
        """The film of a sentence, by its name or its place; CorpusError where it is missing."""
        folder, films = self._films(speaker)
        sentence, place = utterance.lower(), _PLACE.fullmatch(utterance)
        if place is not None and 1 <= int(place[1]) <= SENTENCES:
            if len(films) != SENTENCES:
                raise CorpusError(
                    f"tcd_timit: {folder} holds {len(films)} films of sentences where {SENTENCES} "
                    f"were expected, so that nobody knows which one {utterance!r} is; complete the "
                    f"folder, or name a sentence, such as si988; {ADVICE}"
                )
            sentence = list(films)[int(place[1]) - 1]
        elif not _SENTENCE.fullmatch(sentence):
            raise CorpusError(
                f"tcd_timit: utterance {utterance!r} was asked for; expected a sentence, such as "
                f"sa1, si988 or sx114, or its place, #1 to #{SENTENCES}"
            )
        if sentence not in films:
            raise CorpusError(f"tcd_timit: expected {folder / sentence}.mp4; {ADVICE}")
        return films[sentence]

    def clip(
        self, speaker: str, utterance: str, *, fps: float = 25.0, rate: int = 16000
    ) -> clips.Clip:
        """See `Corpus.clip`; higher pictures are scaled to `HEIGHT`. Refuses a damaged film too."""
        path = self.file(speaker, utterance)
        try:
            return clips.read(path, fps=fps, rate=rate, size=_size(path))
        except clips.MediaError as error:
            raise CorpusError(f"tcd_timit: {error}; {ADVICE}") from error

    def audio(
        self, speaker: str, utterance: str, rate: int = 16000, *, fps: float = 25.0
    ) -> np.ndarray:
        """See `Corpus.audio`."""
        path = self.file(speaker, utterance)
        try:
            return clips.read_audio(path, fps=fps, rate=rate)
        except clips.MediaError as error:
            raise CorpusError(f"tcd_timit: {error}; {ADVICE}") from error


def _size(path: Path) -> tuple[int, int] | None:
    """Height and width to which a film's pictures are scaled; None leaves them as they are."""
    container: Any
    with suppress(av.error.FFmpegError, IndexError), av.open(str(path)) as container:
        video = container.streams.video[0]
        if video.height > HEIGHT:
            return HEIGHT, round(video.width * HEIGHT / video.height)
    return None
