"""The ledger: what a chapter measured, what its paper printed, and which claims hold.

Nothing in a ledger is typed by hand. Its file is described in `ledgers`; a new run of one corpus
replaces that corpus's run and leaves the others.

Taught in `notebooks/00_foundations.ipynb`, section "Measure it".
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from . import __version__, fingerprint, glue, papers, scoreboard
from .intervals import Interval, bootstrap
from .items import Store
from .ledgers import (
    LedgerError,
    entry,
    finite,
    load,
    locked,
    merge,
    path_of,
    project_root,
    rounded,
    verdict,
    write_json,
)
from .papers import paper

__all__ = ["Ledger", "LedgerError", "load", "paper", "path_of", "project_root", "verdict"]


class Ledger:
    """What one run of a chapter's notebook measures on one corpus.

    Parameters
    ----------
    chapter : slug, such as "foundations"
    profile : "quick", "report" or "full"
    corpus : the name of the corpus that is measured
    device : "cpu" or "cuda", as resolved
    folder : the book's folder; default: found upward from the working directory

    Raises
    ------
    LedgerError (a ValueError) for an unknown chapter or profile, a corpus name that is no plain
    word, or a device "auto".

    Taught in `notebooks/00_foundations.ipynb`, section "Measure it".
    """

    def __init__(
        self,
        chapter: str,
        *,
        profile: str,
        corpus: str,
        device: str = "cpu",
        folder: Path | str | None = None,
    ) -> None:
        self.path = path_of(chapter, profile, folder)
        if not re.fullmatch(r"\w[\w.-]*", corpus):
            raise LedgerError(f"corpus {corpus!r} is no plain word such as 'synthetic' or 'grid'")
        if not re.fullmatch(r"\w[\w.:-]*", str(device)) or str(device) == "auto":
            raise LedgerError(f"device {device!r}: name the device that was used, cpu or cuda")
        self.root = project_root() if folder is None else Path(folder)
        self.chapter, self.profile, self.corpus, self.device = chapter, profile, corpus, str(device)
        # What was committed before this run: `save` may replace the file.
        self.report = load(chapter, "report", self.root)
        self.scores: dict[tuple[str, str, str, str], dict[str, Any]] = {}
        self.verdicts: dict[str, dict[str, Any]] = {}
        name = f"{chapter}.{profile}.{corpus}.{self.device.replace(':', '-')}.jsonl"
        self._items = Store(self.root / "_build" / "results" / "items" / name)
        self._began, self._spent = time.perf_counter(), 0.0
        self._used: dict[tuple[str, str], float] = {}

    def item(self, key: str, compute: Callable[[], Any], **settings: Any) -> Any:
        """A result that is computed once: stored when finished, read back in a later run.

        A stored value is used only if the settings, the package's source files and tables, and
        `compute` with the functions and plain values that it refers to are the same as then.
        So a killed run goes on where it stopped, and a result of other code is computed afresh.
        A network or another object counts by its type only: name in the settings the digest on
        the card of its weights.

        Parameters
        ----------
        key : names the item within this chapter, such as "two_talkers/f03-m07"
        compute : called without arguments if nothing fitting is stored
        settings : plain values that make the result what it is

        Returns
        -------
        The value as JSON gives it back (lists for tuples and arrays), stored or fresh.

        Raises
        ------
        LedgerError if the value holds NaN, an infinity, or anything but plain data.
        """
        content = {
            "settings": finite(settings, f"settings of {key!r}"),
            "version": __version__,
            "package": fingerprint.of_package(self.chapter),
            "compute": fingerprint.of_function(compute),
        }
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        record = self._items.get(key, digest)
        if record is None:
            start = time.perf_counter()
            value = finite(compute(), f"item {key!r}")
            seconds = time.perf_counter() - start
            self._spent += seconds
            record = self._items.put(key, digest, value, seconds)
        self._used[key, digest] = record["seconds"]
        return json.loads(json.dumps(record["value"]))

    def score(
        self,
        table: str,
        row: str,
        column: str,
        values: Sequence[float] | Interval | Any,
        *,
        groups: Sequence[Any] | None = None,
        group: str | None = None,
        paper_group: str | None = None,
        paper: tuple[str, str, str, str, str] | Literal[False] | None = None,
    ) -> Interval:
        """Record the mean of some values with its interval, beside the paper's number.

        A table named as one of the chapter's paper must match it: row, column and block must
        exist there. Experiments of your own take table names of their own.

        Parameters
        ----------
        table, row, column : keys of `papers.numbers`, or your own; row = method, column = metric
        values : one a talker, player or scene and mixture, or an `Interval` made already
        groups : for each value, whom or what it was measured on; the bootstrap draws these
        group : block of the table and where it was measured; default: the corpus's name
        paper_group : block of the paper's table; default: `group` if the paper has such a block,
            or its only block
        paper : (chapter, table, group, row, column) of another number to stand beside this one,
            or False where the paper's table lacks this row or column

        Returns
        -------
        Interval (value, low, high, n).

        Raises
        ------
        LedgerError for no values or NaN, with the row's name; PaperError for a number that the
        paper does not have, with a list of those it has. Both are ValueErrors.
        """
        group = self.corpus if group is None else group
        where = f"{table}/{group}/{row}/{column}"
        interval = _interval(values, groups, where)
        if paper is None:
            paper = papers.beside(
                self.chapter, table, row, column, group=group, paper_group=paper_group
            )
        if paper and len(paper) != 5:
            raise LedgerError(f"{where}: paper={paper}; give (chapter, table, group, row, column)")
        number = papers.paper(*paper) if paper else None
        source = paper if paper and number is not None else None
        self.scores[table, group, row, column] = {
            "corpus": self.corpus,
            "table": table,
            "group": group,
            "row": row,
            "column": column,
            **entry("value", interval, where),
            "paper": number,
            "paper_group": source[2] if source else None,
            "paper_source": list(source) if source else None,
        }
        return interval

    def claim(self, id: str, statement: str, effect: Interval, *, threshold: float = 0.0) -> str:
        """Record a claim and let the interval decide it.

        A claim is worded so that its effect should exceed the threshold. Where less is better,
        turn the difference round: "A gains less error than B" has the effect error(B) - error(A).

        Parameters
        ----------
        id : a short name, the same in all runs
        statement : one sentence
        effect : Interval of the effect, with bootstrap over talkers, players or scenes
        threshold : in the effect's unit

        Returns
        -------
        "reproduced" if the whole interval lies above the threshold, "not reproduced" if it lies
        at or below, else "undecided" (so too with a single group, where there is no interval).
        """
        found = entry("effect", effect, f"claim {id!r}")
        bound = rounded(finite(threshold, f"threshold of claim {id!r}"))
        status = verdict(found["ci95"][0], found["ci95"][1], bound)
        self.verdicts[id] = {
            "corpus": self.corpus,
            "id": id,
            "statement": statement,
            "status": status,
            **found,
            "threshold": bound,
        }
        return status

    def glue(self, name: str, value: Any) -> None:
        """Lay a number or a string down for the page's prose: `` {glue:text}`name:.1f` ``.

        Names belong to their notebook: another page writes ``00_foundations.ipynb::name``, so
        two chapters may use one name. Outside a notebook this does nothing.

        Raises
        ------
        LedgerError for a name that the role cannot read, NaN, or anything but number and string.
        """
        glue.show(name, value)

    def as_dict(self) -> dict[str, Any]:
        """This run alone, in the form in which `save` writes it."""
        began = time.perf_counter() - self._began
        run = {
            "device": fingerprint.device_name(self.device),
            "commit": fingerprint.commit(self.root) or __version__,
            "version": __version__,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "seconds": round(began - self._spent + sum(self._used.values()), 1),
        }
        return {
            "chapter": self.chapter,
            "profile": self.profile,
            "runs": {self.corpus: run},
            "scores": list(self.scores.values()),
            "claims": list(self.verdicts.values()),
        }

    def save(self) -> Path:
        """Write the ledger; runs of other corpora in the same file stay.

        `seconds` counts the items that were computed in earlier, interrupted runs as well.

        Returns
        -------
        The file's path. It is replaced as a whole: a reader never sees half of it.
        """
        with locked(self._items.path.with_name(f"{self.path.stem}.lock")):
            old = load(self.chapter, self.profile, self.root)
            write_json(merge(old, self.as_dict()), self.path)
        return self.path

    def table(self, table: str, **choice: Any) -> scoreboard.Table:
        """The scores of one table: paper, committed report and this run side by side.

        Parameters
        ----------
        table : a name that was given to `score`
        rows, columns, groups : which to show, in this order; default: all, as recorded
        labels : words for row, column and group keys
        caption : default: the table's name

        Returns
        -------
        An object that a notebook shows as a table.

        Raises
        ------
        ValueError for a table, row, column or group that was not recorded; it lists those that
        were.
        """
        if not self.scores and not (self.report and self.report["scores"]):
            raise LedgerError(f"table {table!r}: nothing is recorded yet; call `score` first")
        return scoreboard.scores(self.as_dict(), self.report, table, **choice)

    def claims(self) -> scoreboard.Table:
        """All claims of this run with their verdicts, beside the committed report's."""
        return scoreboard.claims(self.as_dict(), self.report)


def _interval(values: Any, groups: Sequence[Any] | None, where: str) -> Interval:
    """The bootstrap interval of some values, unless they are an interval already."""
    if isinstance(values, Interval):
        return values
    numbers = np.asarray(values, dtype=float)
    if numbers.ndim != 1 or numbers.size == 0:
        raise LedgerError(f"{where}: values of shape {numbers.shape}; give a list with one or more")
    bad = np.flatnonzero(~np.isfinite(numbers))
    if bad.size:
        raise LedgerError(
            f"{where}: value {bad[0]} of {numbers.size} is {numbers[bad[0]]}"
            f" ({bad.size} are not finite). Drop such items by a rule that the page states"
        )
    return bootstrap(numbers, None if groups is None else list(groups))
