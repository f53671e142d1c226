"""A small ledger of a made-up chapter, for the tests of ledgers and of their tables."""

from pathlib import Path

from avsep_core.results import Ledger
from avsep_core.scores import bootstrap

VALUES = [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
TALKERS = ["a", "a", "b", "b", "c", "c"]


def ledger(folder: Path, **choice) -> Ledger:
    choice = {"profile": "quick", "corpus": "synthetic", **choice}
    return Ledger(choice.pop("chapter", "deep_clustering"), folder=folder, **choice)


def measure(book: Ledger, shift: float = 0.0) -> Ledger:
    """A small chapter: one row of the paper's table, one experiment of its own, two claims."""
    values = [v + shift for v in VALUES]
    book.score(
        "table_3", "avdc", "dsdr_ff", values, groups=TALKERS, group="synthetic", paper_group="grid"
    )
    book.score("controls", "frozen", "dsdr", values, groups=TALKERS)
    book.claim("gains", "It gains more than 1 dB", bootstrap(values, TALKERS), threshold=1.0)
    book.claim("wonder", "It gains more than 99 dB", bootstrap(values, TALKERS), threshold=99.0)
    return book
