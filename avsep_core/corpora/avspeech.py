"""AVSpeech: three to ten seconds of one visible person who speaks without anything else heard.

Ephrat, Mosseri, Lang, Dekel, Wilson, Hassidim, Freeman and Rubinstein, "Looking to listen at the
cocktail party", SIGGRAPH 2018, section 3. Its two tables, `avspeech_train.csv` and
`avspeech_test.csv`, have no header; a line is a segment of a video on YouTube:

    YouTube ID, start of the segment in s, end in s, X, Y

where X and Y, 0 to 1 from the left and the top, are the centre of the speaker's face in the first
frame. The films are not part of it; whoever has some puts them into a folder, each already cut to
its segment, as `<id>_<start>_<end>.mp4`, `<id>_<start>.mp4` or `<id>/<start>_<end>.mp4`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import clip as clips
from .. import faces
from .base import Corpus, CorpusError, Speaker, need_folder
from .folder import _video

TABLES = {"train": "avspeech_train.csv", "test": "avspeech_test.csv"}
PARTS = ("train", "validation", "test")
TENTH = 10
"""One in so many of the training part's ids is for validation."""

ADVICE = (
    "get avspeech_train.csv and avspeech_test.csv from "
    "https://looking-to-listen.github.io/avspeech/download.html, and put beside them the films "
    "that you have, cut to their segments, as <YouTube ID>_<start>_<end>.mp4 with seconds as in "
    "the table"
)

_SECONDS = r"(?P<start>\d+(?:\.\d+)?)(?:_(?P<end>\d+(?:\.\d+)?))?"
_FLAT = re.compile(rf"(?P<id>[\w-]{{11}})_{_SECONDS}")
_NESTED = re.compile(_SECONDS)
_NEAR, _SHORT = 1.0, 0.5  # s: names may give whole seconds; so much of a film may be missing


@dataclass(frozen=True)
class Segment:
    """A line of a table: `part` "train" or "test", `start` and `end` in s of the video, `centre`
    (x, y) of the face in the first frame, 0..1; and the `file` that shows it."""

    part: str
    start: float
    end: float
    centre: tuple[float, float]
    file: Path

    @property
    def name(self) -> str:
        """What the utterance is called."""
        return f"{self.start:.2f}_{self.end:.2f}"


class AVSpeech(Corpus):
    """The segments of which a film is here: a speaker is a video's id, an utterance a segment.

    `splits` has the test part as it was given out; of the training part's ids one in `TENTH`,
    chosen by a hash of the id, is for validation. An id that both tables name is for testing.
    Ephrat et al., section 3. Taught in `notebooks/03_looking_to_listen.ipynb`, section "The data".
    """

    name = lists = "avspeech"

    def __init__(
        self,
        data_root: str | Path | None,
        split: str | None = None,
        *,
        tables: str | Path | None = None,
    ) -> None:
        """Match tables and films.

        Parameters
        ----------
        data_root : folder of the films, which may lie in folders below it
        split : only "train", "validation" or "test"; None takes all three
        tables : folder of the two tables, one of which suffices; by default data_root

        Raises
        ------
        CorpusError : no folder, table or film, a damaged line, no film that a table names, or
            another split.
        """
        if split not in (None, *PARTS):
            raise CorpusError(
                f"avspeech: split {split!r}; expected one of {', '.join(PARTS)}, or None for all"
            )
        self.root = need_folder("avspeech", data_root, ADVICE)
        place = self.root if tables is None else need_folder("avspeech", tables, ADVICE)
        here = {part: place / name for part, name in TABLES.items() if (place / name).is_file()}
        if not here:
            raise CorpusError(
                f"avspeech: expected {' or '.join(str(place / t) for t in TABLES.values())}, and "
                f"found neither; {ADVICE}"
            )
        films = _films(self.root)
        segments: dict[str, list[Segment]] = {}
        for part, table in here.items():
            for who, row in _rows(table, films):
                file = _nearest(films[who], row[0])
                if file is not None:
                    segments.setdefault(who, []).append(
                        Segment(part, row[0], row[1], (row[2], row[3]), file)
                    )
        if not segments:
            raise CorpusError(
                f"avspeech: expected films such as {self.root}/<YouTube ID>_<start>_<end>.mp4 of "
                f"segments in {' or '.join(str(t) for t in here.values())}, and found "
                f"{sum(map(len, films.values()))} films with such names, none of them of a "
                f"segment; {ADVICE}"
            )
        self.segments = {
            who: {s.name: s for s in sorted(segments[who], key=lambda s: s.start)}
            for who in sorted(segments)
            if split in (None, _part(who, segments[who]))
        }
        if not self.segments:
            raise CorpusError(
                f"avspeech: of the {len(segments)} videos in {self.root} none is of the split "
                f"{split!r}; {ADVICE}"
            )

    @property
    def speakers(self) -> list[Speaker]:
        """One speaker a video, of unknown sex."""
        return [Speaker(who, "unknown") for who in self.segments]

    @property
    def splits(self) -> dict[str, list[str]]:
        """Ids of the train, validation and test parts; see the class."""
        parts: dict[str, list[str]] = {part: [] for part in PARTS}
        for who, theirs in self.segments.items():
            parts[_part(who, theirs.values())].append(who)
        return parts

    def sex(self, speaker: str) -> str:
        """Nobody knows: "unknown". A CorpusError for a speaker who is not here."""
        self._theirs(speaker)
        return "unknown"

    def utterances(self, speaker: str) -> list[str]:
        """Names of a speaker's segments, "start_end" in seconds of the video, in order."""
        return list(self._theirs(speaker))

    def _theirs(self, speaker: str) -> dict[str, Segment]:
        if speaker not in self.segments:
            raise CorpusError(
                f"avspeech: {self.root} holds no film of {speaker!r} that a table names, of "
                f"{len(self.segments)} videos, such as {next(iter(self.segments))}; {ADVICE}"
            )
        return self.segments[speaker]

    def segment(self, speaker: str, utterance: str) -> Segment:
        """What the table says of an utterance, and its file; a CorpusError where it is not here."""
        theirs = self._theirs(speaker)
        if utterance not in theirs:
            raise CorpusError(
                f"avspeech: {speaker} has no segment {utterance!r} here; it has "
                f"{', '.join(theirs)}; for another one, {ADVICE}"
            )
        return theirs[utterance]

    def face_centre(self, speaker: str, utterance: str) -> tuple[float, float]:
        """Centre (x, y) of the speaker's face in the first frame, as parts of width and height
        from the left and the top; CorpusError as `segment`."""
        return self.segment(speaker, utterance).centre

    def clip(
        self, speaker: str, utterance: str, *, fps: float = 25.0, rate: int = 16000
    ) -> clips.Clip:
        """See `Corpus.clip`; a film that goes on after its segment is cut to it, one that ends
        before is refused."""
        told = self.segment(speaker, utterance)
        try:
            film = clips.read(told.file, fps=fps, rate=rate)
        except clips.MediaError as error:
            raise _damaged(error) from error
        _whole(told, film.seconds)
        count = min(len(film.frames), _frames(told, fps))
        return film.trim(0.0, count / fps)

    def audio(
        self, speaker: str, utterance: str, rate: int = 16000, *, fps: float = 25.0
    ) -> np.ndarray:
        """See `Corpus.audio`."""
        told = self.segment(speaker, utterance)
        try:
            sound = clips.read_audio(told.file, fps=fps, rate=rate)
        except clips.MediaError as error:
            raise _damaged(error) from error
        _whole(told, len(sound) / rate)
        return sound[: round(_frames(told, fps) / fps * rate)]

    def track(
        self, speaker: str, utterance: str, *, fps: float = 25.0, rate: int = 16000
    ) -> tuple[clips.Clip, faces.Track]:
        """A clip with its speaker's face followed: of all faces in it, the one at `face_centre`.

        Parameters and errors as for `clip`; a CorpusError too where no face is found there.

        Taught in `notebooks/03_looking_to_listen.ipynb`, section "The data".
        """
        film = self.clip(speaker, utterance, fps=fps, rate=rate)
        x, y = np.array(self.face_centre(speaker, utterance)) * film.frames.shape[2:0:-1]
        try:
            tracks = faces.follow(film.frames, faces=None)
        except faces.NoFaceError as error:
            raise CorpusError(f"avspeech: {speaker} {utterance}: {error}") from error
        for track in tracks:
            left, top, width, height = track.boxes[0]
            if left <= x <= left + width and top <= y <= top + height:
                return film, track
        raise CorpusError(
            f"avspeech: {speaker} {utterance}: the table's face centre ({x:.0f}, {y:.0f}) px lies "
            f"in none of the {len(tracks)} faces found; choose another segment"
        )


def _part(who: str, segments: Iterable[Segment]) -> str:
    if any(segment.part == "test" for segment in segments):
        return "test"
    return "train" if zlib.crc32(who.encode()) % TENTH else "validation"


def _whole(told: Segment, seconds: float) -> None:
    if seconds < told.end - told.start - _SHORT:
        raise CorpusError(
            f"avspeech: {told.file} lasts {seconds:.2f} s where {told.end - told.start:.2f} s were "
            "expected: it was cut too short; get it again, or remove it from the folder"
        )


def _damaged(error: clips.MediaError) -> CorpusError:
    return CorpusError(f"avspeech: {error}; or remove it from the folder")


def _frames(told: Segment, fps: float) -> int:
    return max(round((told.end - told.start) * fps), 1)


def _films(root: Path) -> dict[str, list[tuple[float, Path]]]:
    """Films with a name that tells a segment: id -> (start in s, path) each."""
    found: dict[str, list[tuple[float, Path]]] = {}
    for path in sorted(path for path in root.rglob("*") if _video(path)):
        match = _FLAT.fullmatch(path.stem)
        who = match["id"] if match else path.parent.name
        match = match or _NESTED.fullmatch(path.stem)
        if match:
            found.setdefault(who, []).append((float(match["start"]), path))
    return found


def _nearest(films: list[tuple[float, Path]], start: float) -> Path | None:
    """The film that begins within a second of `start`, the nearest where there are more."""
    off, path = min((abs(begin - start), path) for begin, path in films)
    return path if off < _NEAR else None


def _rows(
    table: Path, films: dict[str, list[tuple[float, Path]]]
) -> list[tuple[str, tuple[float, float, float, float]]]:
    """The lines of a table whose video is here: id, and (start, end, x, y)."""
    found = []
    with table.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            who, _, rest = line.strip().partition(",")
            if who not in films and rest:
                continue
            try:
                start, end, x, y = map(float, rest.split(","))
                good = 0 <= start < end and 0 <= x <= 1 and 0 <= y <= 1
            except ValueError:
                good = not who
            if not good:
                raise CorpusError(
                    f"avspeech: {table}, line {number} is {line.strip()!r}; expected YouTube ID, "
                    "start, end, X, Y, such as sHS5tScC3pw,90.09,93.73,0.49,0.31, with X and Y "
                    f"from 0 to 1; {ADVICE}"
                )
            if who:
                found.append((who, (start, end, x, y)))
    return found
