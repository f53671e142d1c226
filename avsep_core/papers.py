"""Every number of the five papers' result tables, by name, and the corpus it was measured on.

The numbers stand in `data/tables.csv` (row = method, column = metric), transcribed once, so that
no page and no notebook types one.

Taught in `notebooks/00_foundations.ipynb`, section "Measure it".
"""

from __future__ import annotations

import csv
import functools
from importlib import resources
from typing import NamedTuple

# Which recordings each block of each table was measured on. A block that is not named stands
# under "*".
CORPORA: dict[tuple[str, str], dict[str, str]] = {
    ("matching_pursuit", "table_1"): {
        f"{clip}_{sex}": f"CUAVE {clip}, {sex} talker"
        for clip in ("g12", "g20", "g21")
        for sex in ("female", "male")
    },
    **{
        ("low_rank", f"table_{n}"): {
            "wooden_horse": "the video Wooden Horse",
            "violin_yanni": "the video Violin Yanni",
            "guitar_solo": "the video Guitar Solo",
            "two_speaker": "the authors' two-speaker video",
        }
        for n in (1, 2)
    },
    **{("looking_to_listen", f"table_{n}"): {"*": "AVSpeech"} for n in (3, 4, 6)},
    ("looking_to_listen", "table_5"): {
        "mandarin_enhancement": "the Mandarin corpus of Hou et al.",
        "tcd_timit_separation": "TCD-TIMIT",
        "cuave_separation": "CUAVE",
    },
    **{("deep_clustering", f"table_{n}"): {"*": "GRID"} for n in (1, 2)},
    **{
        ("deep_clustering", f"table_{n}"): {"grid": "GRID", "tcd_timit": "TCD-TIMIT"}
        for n in (3, 4, 5, 6)
    },
    ("co_separation", "table_1"): {
        "single_source": "MUSIC, trained on solos",
        "multi_source": "MUSIC, trained on solos and duets",
    },
    ("co_separation", "table_2"): {"*": "AudioSet-SingleSource"},
    ("co_separation", "table_3"): {"*": "MUSIC, instruments never heard alone"},
    ("co_separation", "table_4"): {
        "wooden_horse": "AV-Bench, Wooden Horse",
        "violin_yanni": "AV-Bench, Violin Yanni",
        "guitar_solo": "AV-Bench, Guitar Solo",
    },
}


class PaperError(ValueError):
    """A number was asked for that no table of the papers has."""


class Number(NamedTuple):
    """One printed number: its value, and the standard deviation where the paper prints one."""

    value: float
    std: float | None


@functools.cache
def numbers() -> dict[tuple[str, str, str, str, str], Number]:
    """All printed numbers.

    Returns
    -------
    {(chapter, table, group, row, column): Number}, in the order of the papers. `group` is the
    block of the table, "" where it has one block.
    """
    text = resources.files("avsep_core").joinpath("data/tables.csv").read_text(encoding="utf-8")
    return {
        (r["chapter"], r["table"], r["group"], r["row"], r["column"]): Number(
            float(r["value"]), float(r["std"]) if r["std"] else None
        )
        for r in csv.DictReader(text.splitlines())
    }


def tables(chapter: str) -> list[str]:
    """The names of one paper's result tables, in the paper's order; empty if it has none.

    Parameters
    ----------
    chapter : a slug such as "deep_clustering"
    """
    return list(dict.fromkeys(key[1] for key in numbers() if key[0] == chapter))


def groups(chapter: str, table: str) -> list[str]:
    """The names of one table's blocks; [""] where it has a single one, [] for no such table."""
    return list(dict.fromkeys(key[2] for key in numbers() if key[:2] == (chapter, table)))


def _known(names: list[str]) -> str:
    return ", ".join(repr(n) for n in dict.fromkeys(names)) or "none"


def number(chapter: str, table: str, group: str, row: str, column: str) -> Number | None:
    """One printed number, or None where the paper prints a dash.

    Parameters
    ----------
    chapter, table, group, row, column : keys of `data/tables.csv`; `group` is "" for a table of
        one block, `row` is the method and `column` the metric

    Raises
    ------
    PaperError (a ValueError) if the paper has no such table, block, row or column; it lists those
    that exist.

    Taught in `notebooks/00_foundations.ipynb`, section "Measure it".
    """
    keys = [key for key in numbers() if key[0] == chapter]
    if not keys:
        raise PaperError(
            f"no paper is called {chapter!r}; there are {_known([k[0] for k in numbers()])}"
        )
    place = chapter
    for level, (kind, name) in enumerate((("table", table), ("block", group)), start=1):
        left = [key for key in keys if key[level] == name]
        if not left:
            raise PaperError(
                f"{place} has no {kind} {name!r} with printed numbers; "
                f"there are {_known([k[level] for k in keys])}"
            )
        keys, place = left, f"{place}/{name}" if name else place
    for level, kind, name in ((3, "row", row), (4, "column", column)):
        if all(key[level] != name for key in keys):
            raise PaperError(
                f"{place} has no {kind} {name!r}; there are {_known([k[level] for k in keys])}. "
                "For an experiment of your own take a table name of your own, "
                "or say that the paper has no such number"
            )
    return numbers().get((chapter, table, group, row, column))


def paper(chapter: str, table: str, group: str, row: str, column: str) -> float | None:
    """The value of `number`, without its standard deviation."""
    found = number(chapter, table, group, row, column)
    return None if found is None else found.value


def corpus(chapter: str, table: str, group: str) -> str:
    """Which recordings a block of a paper's table was measured on, in words.

    Raises
    ------
    PaperError (a ValueError) for a block that the papers do not have.
    """
    if group not in groups(chapter, table):
        raise PaperError(
            f"{chapter}/{table} has no block {group!r}; there are {_known(groups(chapter, table))}"
        )
    blocks = CORPORA[chapter, table]
    return blocks.get(group) or blocks["*"]


def beside(
    chapter: str, table: str, row: str, column: str, *, group: str, paper_group: str | None = None
) -> tuple[str, str, str, str, str] | None:
    """Where the number stands that a measured one is set beside.

    Parameters
    ----------
    chapter, table, row, column : of the measured number
    group : its block
    paper_group : the paper's block; default: `group` if the paper has such a block, or the only
        block that the table has

    Returns
    -------
    The arguments of `number`; None if the paper has no table of that name: an experiment of the
    chapter's own.

    Raises
    ------
    PaperError (a ValueError) if it cannot be told which block is meant.
    """
    blocks = groups(chapter, table)
    if not blocks and paper_group is None:
        return None
    if paper_group is None and group in blocks:
        paper_group = group
    elif paper_group is None and len(blocks) == 1:
        paper_group = blocks[0]
    if paper_group is None:
        raise PaperError(
            f"{chapter}/{table} has several blocks; give paper_group, one of {_known(blocks)}"
        )
    return chapter, table, paper_group, row, column
