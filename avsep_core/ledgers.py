"""Ledger files: where they lie, how they are read and written, and what decides a claim.

A ledger is one JSON file for a chapter and a profile, and holds one run for each corpus::

    {"chapter": …, "profile": …,
     "runs": {corpus: {"device", "commit", "version", "date", "seconds"}},
     "scores": [{"corpus", "table", "group", "row", "column", "value", "ci95", "n",
                 "paper", "paper_group", "paper_source"}],
     "claims": [{"corpus", "id", "statement", "status", "effect", "ci95", "n", "threshold"}]}

An end of an interval that is not finite (a single talker says nothing about others) is null.
`paper_source` is (chapter, table, group, row, column) in `papers.numbers`.

Taught in `notebooks/00_foundations.ipynb`, section "Measure it".
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .fingerprint import ROOMS
from .items import plain

CHAPTERS = ("foundations", *ROOMS, "side_by_side")
PROFILES = ("quick", "report", "full")
DIGITS = 6


class LedgerError(ValueError):
    """Something was recorded that a ledger cannot hold."""


def project_root(start: Path | None = None) -> Path:
    """The book's folder: the nearest one upward that has `_config.yml` beside `avsep_core`.

    Parameters
    ----------
    start : where to begin; default: the working directory

    Returns
    -------
    That folder, or `start` where there is none: then the notebook stands alone.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "_config.yml").is_file() and (folder / "avsep_core").is_dir():
            return folder
    return start


def path_of(chapter: str, profile: str, folder: Path | str | None = None) -> Path:
    """Where a ledger lies: `results/` for report and full, `_build/results/` for quick.

    Raises
    ------
    LedgerError for an unknown chapter or profile, or a folder that is a file.
    """
    for kind, name, known in (("chapter", chapter, CHAPTERS), ("profile", profile, PROFILES)):
        if name not in known:
            raise LedgerError(f"{kind} {name!r} is unknown; take one of {', '.join(known)}")
    root = project_root() if folder is None else Path(folder)
    if root.exists() and not root.is_dir():
        raise LedgerError(f"folder {root} is a file; give the book's folder, or leave it out")
    place = root / "_build" / "results" if profile == "quick" else root / "results"
    return place / f"{chapter}.{profile}.json"


def load(chapter: str, profile: str, folder: Path | str | None = None) -> dict[str, Any] | None:
    """A ledger as it was saved, or None if there is none yet.

    Parameters
    ----------
    chapter : slug, such as "foundations"
    profile : "quick", "report" or "full"
    folder : the book's folder; default: found upward from the working directory

    Raises
    ------
    LedgerError for an unknown name, or for a file that is damaged or of another chapter.
    """
    path = path_of(chapter, profile, folder)
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        sound = (found["chapter"], found["profile"]) == (chapter, profile)
        sound &= isinstance(found["runs"], dict) and isinstance(found["scores"], list)
        sound &= isinstance(found["claims"], list)
        sound &= all(isinstance(run, dict) for run in found["runs"].values())
        sound &= all(isinstance(e["corpus"], str) for e in found["scores"] + found["claims"])
    except (ValueError, KeyError, TypeError):
        sound = False
    if not sound:
        raise LedgerError(
            f"{path} is no ledger of {chapter} ({profile}): it was damaged or edited by hand. "
            "Restore it from git, or delete it and run the notebook"
        )
    return found


def verdict(low: float | None, high: float | None, threshold: float) -> str:
    """What an interval says about "the effect is above the threshold".

    Parameters
    ----------
    low, high : ends of the effect's interval; None where unknown
    threshold : in the effect's unit

    Returns
    -------
    "reproduced" if the whole interval lies above the threshold, "not reproduced" if none of it
    does, else "undecided".
    """
    if low is not None and low > threshold:
        return "reproduced"
    if high is not None and high <= threshold:
        return "not reproduced"
    return "undecided"


def finite(value: Any, name: str) -> Any:
    """`items.plain`, whose complaint is a LedgerError."""
    try:
        return plain(value, name)
    except ValueError as problem:
        raise LedgerError(str(problem)) from None


def rounded(value: Any) -> Any:
    """A number with the digits that a ledger keeps, so that a rerun changes few lines."""
    return None if value is None else float(f"{value:.{DIGITS}g}")


def entry(kind: str, interval: Any, name: str) -> dict[str, Any]:
    """An interval as a ledger holds it.

    Parameters
    ----------
    kind : "value" or "effect", the name of its centre
    interval : (value, low, high, n)
    name : what to call it in an error

    Returns
    -------
    {kind, "ci95", "n"}; an end that is not finite becomes None.

    Raises
    ------
    LedgerError if the value is not finite, an effect outside its interval, or this no interval.
    """
    try:
        value, low, high, n = interval
        value, low, high = float(value), float(low), float(high)
        ends = [end if math.isfinite(end) else None for end in (low, high)]
        count = int(n)
    except (TypeError, ValueError, OverflowError):
        raise LedgerError(
            f"{name}: {interval!r} is no interval (value, low, high, n); make one by "
            "scores.bootstrap"
        ) from None
    finite(value, name)
    # Means of equal values differ in their last digits. An effect decides a claim: it must lie
    # in its interval. Of a score with few draws the mean may lie beside it.
    slack = 1e-9 * max(abs(x) for x in (value, *ends) if x is not None)
    inside = low - slack <= value <= high + slack
    if not (inside if kind == "effect" else low <= high):
        raise LedgerError(
            f"{name}: {value} does not lie in its interval {low}…{high}; give (value, low, high, "
            "n) with low <= value <= high, where -inf and inf stand for ends that are unknown"
        )
    return {
        kind: rounded(value),
        "ci95": [rounded(end) for end in ends],
        "n": count,
    }


def merge(old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    """A ledger with the new run of one corpus in place of that corpus's old one.

    Corpora stand in alphabetical order, entries of one corpus in the order of the notebook: so
    two runs that measure the same write the same.
    """
    old = old or {"runs": {}, "scores": [], "claims": []}
    whole = {**new, "runs": dict(sorted({**old["runs"], **new["runs"]}.items()))}
    for part in ("scores", "claims"):
        others = [e for e in old[part] if e["corpus"] not in new["runs"]]
        whole[part] = sorted(others + new[part], key=lambda e: e["corpus"])
    return whole


def write_json(content: Any, path: Path) -> None:
    """Write strict JSON to a temporary file beside the target, then put it in place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time through, where the system can (not on Windows).

    Parameters
    ----------
    path : a file made for this purpose; it stays
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            import fcntl
        except ImportError:
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
