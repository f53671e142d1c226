"""Which dialogues everybody scores: fixed lists, and what one of their lines says."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from .base import Corpus, CorpusError
from .mixtures import fixed_list

COLUMNS = ("name", "kind", "left", "right", "left_says", "right_says", "gains_db", "delayed")
SIDES = ("left", "right")


@dataclass(frozen=True)
class DialogueItem:
    """One line of a list: who sits left and right, what each says, how loud, who is delayed.

    `says` are names of utterances for each talker; `gains_db` levels while speaking, the louder
    talker 0; `delayed` is 0 where the left talker is shifted, 1 where the right one is.
    """

    name: str
    kind: str
    speakers: tuple[str, str]
    says: tuple[tuple[str, ...], tuple[str, ...]]
    gains_db: tuple[float, float]
    delayed: int


def fixed_dialogues(corpus: Corpus, *, split: str = "test") -> list[DialogueItem]:
    """The dialogues that everybody scores, read from the committed list of a corpus.

    A folder of your own videos has no list: its items are all pairs of its files in the order of
    their names, the first one left.

    Parameters
    ----------
    corpus : see `corpora.open_corpus`
    split : "test" or "validation"

    Returns
    -------
    Items in the list's order; kinds ("fm", "ff", "mm") take turns.

    Raises
    ------
    CorpusError : there is no such list, or the folder holds one file only.

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "The data".
    """
    if corpus.lists == "folder":
        return [
            DialogueItem(
                name=item.name.replace("-2-", "-dialogue-"),
                kind=item.kind,
                speakers=(item.speakers[0], item.speakers[1]),
                says=(item.utterances[:1], item.utterances[1:]),
                gains_db=(0.0, 0.0),
                delayed=0,
            )
            for item in fixed_list(corpus, talkers=2)
        ]
    name = f"{corpus.lists}_dialogues_{split}.csv"
    folder = resources.files(__package__) / "lists"
    if not (folder / name).is_file():
        known = sorted(f.name for f in folder.iterdir() if "_dialogues_" in f.name)
        raise CorpusError(
            f"{corpus.name}: no fixed list of dialogues for split {split!r} ({name}); there are "
            f"{', '.join(known)}"
        )
    return parse((folder / name).read_text(encoding="utf-8"))


def parse(text: str) -> list[DialogueItem]:
    """Items from a list's text: columns name, kind, left, right, left_says, right_says, gains_db,
    delayed. Raises CorpusError, which names the line, where something is missing or wrong."""
    reader = csv.DictReader(text.splitlines())
    lacking = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
    if lacking:
        raise CorpusError(
            f"the list has no column {', '.join(lacking)}; expected {', '.join(COLUMNS)}"
        )
    items = []
    for row in reader:
        try:
            first, second = (float(gain) for gain in row["gains_db"].split())
            item = DialogueItem(
                name=row["name"],
                kind=row["kind"],
                speakers=(row["left"], row["right"]),
                says=(tuple(row["left_says"].split()), tuple(row["right_says"].split())),
                gains_db=(first, second),
                delayed=SIDES.index(row["delayed"]),
            )
        except (ValueError, AttributeError) as error:
            raise CorpusError(
                f"line {reader.line_num} of the list is {list(row.values())}; expected "
                f"{', '.join(COLUMNS)} with two gains in dB, such as '0 -1.5', and left or right"
            ) from error
        items.append(item)
    return items


def text(items: Sequence[DialogueItem]) -> str:
    """A list as the text of its file; `parse` reads it back."""
    lines = [",".join(COLUMNS)]
    for item in items:
        said = ",".join(" ".join(each) for each in item.says)
        gains = " ".join(f"{gain:g}" for gain in item.gains_db)
        people = ",".join(item.speakers)
        lines.append(f"{item.name},{item.kind},{people},{said},{gains},{SIDES[item.delayed]}")
    return "\n".join(lines) + "\n"
