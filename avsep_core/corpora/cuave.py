"""CUAVE's pairs of people who say digits in turn, as Llagostera Casanovas et al. used them.

Patterson, Gurbuz, Tufekci and Gowdy, "Moving-talker, speaker-independent feature study, and
baseline results using the CUAVE multimodal speech corpus", EURASIP Journal on Applied Signal
Processing 2002:11, 1189-1201. The corpus is given to researchers by Clemson University on request;
nothing of it is downloaded here.

What is documented: 36 people alone, and pairs of people in the groups part, saying digits; the
clips g12, g20 and g21 of that part show a girl and a boy who speak in turn, in 720x480 px at 29.97
pictures a second with sound at 44 kHz (Llagostera Casanovas et al., section 4).

What is not documented there: the names of folders, so a clip such as `g12.mpg` is looked for in
every folder below data_root, in capitals too; the side on which somebody sits; and when who speaks
in the groups part. So the reader writes the last two down once, in a file `turns.csv` beside the
videos or in data_root:

    clip,start,end,side,sex
    g12,3.20,8.55,left,f
    g12,9.10,14.30,right,m

with a line for each turn of the 30 to 40 s in which they speak in turn: start and end in seconds
of the film, the side of the picture, and, if you like, the sex.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from .. import clip as clips
from .base import Corpus, CorpusError, Speaker, need_folder
from .dialogue_lists import SIDES
from .dialogues import FPS, RATE, Track

ADVICE = (
    "ask Clemson University for CUAVE, and pass as data_root the folder that holds its groups "
    "part, g01.mpg and so on"
)
EXAMPLE = "clip,start,end,side,sex\ng12,3.20,8.55,left,f\ng12,9.10,14.30,right,m"
SIZE = (120, 176)
"""Height and width to which the paper scales the pictures."""

_MARGIN = 0.5  # s of film before the first turn and after the last
_RAMP = 0.01  # s over which a turn's sound begins and ends


@dataclass(frozen=True)
class Turn:
    """Who speaks when: `start` and `end` in s of the film, `side` 0 left or 1 right, `sex`."""

    start: float
    end: float
    side: int
    sex: str


class Cuave(Corpus):
    """The groups part: a speaker is a side of a clip, such as "g12-left"; the one utterance,
    "turns", is all that this person says in the part of the clip that `turns.csv` covers."""

    name = lists = "cuave"

    def __init__(self, data_root: str | Path | None) -> None:
        self.root = need_folder("cuave", data_root, ADVICE)
        found = sorted(p for p in self.root.rglob("*") if p.suffix.lower() == ".mpg")
        groups = [p for p in found if p.stem[:1] in "gG" and p.stem[1:].isdecimal()]
        if not groups:
            raise CorpusError(
                f"cuave: expected {self.root}/groups/g01.mpg … g22.mpg, or g*.mpg in any folder "
                f"below, and found none; {ADVICE}"
            )
        self.files = {path.stem.lower(): path for path in groups}

    @property
    def speakers(self) -> list[Speaker]:
        """Two people a clip; their sexes where `turns.csv` tells them."""
        return [Speaker(f"{g}-{side}", self._sex(g, k)) for g in self.files
                for k, side in enumerate(SIDES)]  # fmt: skip

    def _sex(self, group: str, side: int) -> str:
        table = self._table(group)
        told = {turn.sex for turn in read_turns(table).get(group, []) if turn.side == side}
        return told.pop() if len(told) == 1 else "unknown"

    def _table(self, group: str) -> Path:
        beside = self.files[group].with_name("turns.csv")
        return beside if beside.is_file() else self.root / "turns.csv"

    def turns(self, group: str) -> list[Turn]:
        """The turns of a clip, in order.

        Raises
        ------
        CorpusError : the clip or `turns.csv` is missing, a line is wrong, turns overlap, or one
            of the two never speaks.
        """
        if group not in self.files:
            raise CorpusError(
                f"cuave: expected {self.root}/groups/{group}.mpg; there are "
                f"{', '.join(f'{name}.mpg' for name in self.files)}; {ADVICE}"
            )
        table = self._table(group)
        turns = read_turns(table).get(group, [])
        if {turn.side for turn in turns} != {0, 1}:
            raise CorpusError(
                f"cuave: {table} must say when each of the two people of {group}.mpg speaks; watch "
                "the part in which they say digits in turn (30 to 40 s) and write a line for each "
                f"turn, in seconds of the film:\n{EXAMPLE}"
            )
        for before, after in pairwise(turns):
            if after.start < before.end:
                raise CorpusError(
                    f"cuave: {table}: the turns of {group} at {before.start:g} and "
                    f"{after.start:g} s overlap; choose the part in which only one speaks at a time"
                )
        return turns

    def _film(self, group: str, fps: float, rate: int) -> tuple[clips.Clip, list[Turn]]:
        """The part of a film that its turns span, and the turns in the part's own time."""
        turns = self.turns(group)
        whole = clips.read(self.files[group], fps=fps, rate=rate, size=SIZE)
        begin = max(0.0, turns[0].start - _MARGIN)
        end = min(turns[-1].end + _MARGIN, whole.seconds)
        if turns[-1].end > whole.seconds:
            raise CorpusError(
                f"cuave: {self._table(group)}: a turn of {group} ends at {turns[-1].end:g} s, but "
                f"{self.files[group]} lasts {whole.seconds:.2f} s; give seconds of the film"
            )
        count = int((end - begin) * whole.fps)
        part = whole.trim(begin, count / whole.fps)
        zero = round(begin * whole.fps) / whole.fps
        return part, [Turn(t.start - zero, t.end - zero, t.side, t.sex) for t in turns]

    def tracks(self, group: str, *, fps: float = float(FPS), rate: int = RATE) -> list[Track]:
        """The left and the right person of a clip, each with the sound of their own turns only.

        Parameters
        ----------
        group : such as "g12"
        fps : pictures a second, by default the film's own 29.97
        rate : Hz

        Returns
        -------
        Two tracks of 120x88 px: halves of the picture, and sound that is silent while the other
        speaks, so that room noise comes and goes with the turns. Where mouths are is unknown.

        Raises
        ------
        CorpusError : see `turns`.

        Taught in `notebooks/01_matching_pursuit.ipynb`, section "The data".
        """
        part, turns = self._film(group, fps, rate)
        tracks = []
        for side in (0, 1):
            mine = tuple((turn.start, turn.end) for turn in turns if turn.side == side)
            half = part.frames[:, :, side * SIZE[1] // 2 : (side + 1) * SIZE[1] // 2]
            tracks.append(Track(half, part.audio * _gate(mine, len(part.audio), rate), mine))
        return tracks

    def _own(self, speaker: str, utterance: str, fps: float, rate: int) -> Track:
        group, _, side = speaker.partition("-")
        if utterance != "turns" or side not in SIDES:
            raise CorpusError(
                f"cuave: {speaker!r} {utterance!r} was asked for; expected a side of a clip and "
                "'turns', such as 'g12-left' 'turns'"
            )
        return self.tracks(group, fps=fps, rate=rate)[SIDES.index(side)]

    def clip(
        self, speaker: str, utterance: str = "turns", *, fps: float = 25.0, rate: int = 16000
    ) -> clips.Clip:
        """See `Corpus.clip`."""
        own = self._own(speaker, utterance, fps, rate)
        return clips.Clip(np.ascontiguousarray(own.frames), fps, own.audio, rate, speaker)

    def audio(
        self, speaker: str, utterance: str = "turns", rate: int = 16000, *, fps: float = 25.0
    ) -> np.ndarray:
        """See `Corpus.audio`."""
        return self._own(speaker, utterance, fps, rate).audio


def _gate(turns: tuple[tuple[float, float], ...], samples: int, rate: int) -> np.ndarray:
    """1 during turns, 0 elsewhere, rising and falling within them over 10 ms: (samples,)."""
    times = np.arange(samples) / rate
    gate = np.zeros(samples)
    for start, end in turns:
        gate = np.maximum(gate, np.minimum(times - start, end - times) / _RAMP)
    return gate.clip(0, 1).astype(np.float32)


def read_turns(table: Path) -> dict[str, list[Turn]]:
    """The turns of each clip of a `turns.csv`, in order; none where there is no such file.

    Parameters
    ----------
    table : a file with columns clip, start, end, side and perhaps sex

    Raises
    ------
    CorpusError : names the line that is wrong, and shows an example.
    """
    if not table.is_file():
        return {}
    turns: dict[str, list[Turn]] = {}
    reader = csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines())
    for row in reader:
        try:
            start, end = float(row["start"]), float(row["end"])
            sex = (row.get("sex") or "").strip() or "unknown"
            turn = Turn(start, end, SIDES.index(row["side"].strip()), sex)
            group = row["clip"].strip().lower().removesuffix(".mpg")
            good = 0 <= start < end and turn.sex in ("f", "m", "unknown")
        except (KeyError, ValueError, TypeError, AttributeError):
            good = False
        if not good:
            raise CorpusError(
                f"cuave: {table}, line {reader.line_num} is {dict(row)}; expected the columns and "
                f"values of this example:\n{EXAMPLE}"
            )
        turns.setdefault(group, []).append(turn)
    return {clip: sorted(each, key=lambda turn: turn.start) for clip, each in turns.items()}
