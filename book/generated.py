"""Pages that are made from measurements: the scorecard and the table of run times.

Both functions read files and return MyST markdown; neither writes anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from avsep_core import ledgers, papers, scoreboard

TITLES = {
    "foundations": "Foundations",
    "matching_pursuit": "Matching pursuit",
    "low_rank": "Low rank and sparsity",
    "looking_to_listen": "Looking to listen",
    "deep_clustering": "Audio-visual deep clustering",
    "co_separation": "Co-separation",
    "side_by_side": "Side by side",
}
Ledgers = Mapping[str, Mapping[str, Any]]


def scorecard(root: Path) -> str:
    """All scores and claims of the committed ledgers, and what is not measured yet.

    Parameters
    ----------
    root : the book's folder, with `results/`

    Returns
    -------
    The page as MyST markdown. Each score stands beside the paper's number, whose corpus is named;
    each table says which profile, corpus, device and commit made it.

    Raises
    ------
    LedgerError (a ValueError) for a ledger that is damaged.
    """
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for chapter in ledgers.CHAPTERS:
        loaded = ((p, ledgers.load(chapter, p, root)) for p in ("report", "full"))
        found[chapter] = {profile: ledger for profile, ledger in loaded if ledger is not None}
    page = [
        "# Scorecard",
        "This page is made from the ledgers in `results/`, which the notebooks write and nobody "
        "edits. A number stands with its 95% interval, drawn over talkers, players or scenes, and "
        "with the count *n* of the values behind it. A paper's number stands beside ours with the "
        "recordings it was measured on. Those are never ours, so the two are neighbours, not "
        "rivals.",
        "A rule decides each claim. A claim says that some effect lies above a threshold. It is "
        "*reproduced* if the whole interval does, *not reproduced* if none of it does, and "
        "*undecided* otherwise. A verdict holds for the corpus that it names.",
        *_missing(found),
    ]
    for chapter, both in found.items():
        if both:
            page += _chapter(root, chapter, both)
    return "\n\n".join(page) + "\n"


def run_times(root: Path, executed_folder: Path) -> str:
    """How long the notebooks took: when this site was built, and for the committed ledgers.

    Parameters
    ----------
    root : the book's folder, with `results/` and `_build/results/`
    executed_folder : notebooks as papermill left them

    Returns
    -------
    The page as MyST markdown.
    """
    rows = []
    for path in sorted(executed_folder.glob("*.ipynb")):
        marks = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("papermill", {})
        given = marks.get("parameters", {})
        profile = given.get("profile", "quick")
        chapter = path.stem.partition("_")[2]
        device = str(given.get("device", "auto"))
        ledger = ledgers.load(chapter, profile, root) if chapter in TITLES else None
        run = (ledger or {"runs": {}})["runs"].get(given.get("corpus", "synthetic"))
        if run and device == "auto":
            device = run["device"]
        rows.append([f"{{doc}}`/notebooks/{path.stem}`", profile, device, _time(marks)])
    page = [
        "# Run times",
        "How long each notebook took when this site was built, from its first cell to its last.",
        _table(["notebook", "profile", "device", "time"], rows)
        if rows
        else "No notebook was run for this site.",
    ]
    rows = []
    for chapter in ledgers.CHAPTERS:
        for profile in ("report", "full"):
            ledger = ledgers.load(chapter, profile, root)
            for corpus, run in (ledger or {"runs": {}})["runs"].items():
                rows.append(
                    [
                        TITLES[chapter],
                        profile,
                        _plain(corpus),
                        _plain(run["device"]),
                        duration(run["seconds"]),
                        f"`{scoreboard.commit(run)}`",
                    ]
                )
    page += [
        "## Behind the scorecard",
        "How long it took to measure what stands in the {doc}`/book/scorecard`. Runs that were "
        "stopped and resumed count with all their parts.",
        _table(["chapter", "profile", "corpus", "device", "time", "commit"], rows)
        if rows
        else "Nothing has been measured for it yet.",
    ]
    return "\n\n".join(page) + "\n"


def duration(seconds: float) -> str:
    """Seconds in words: "41 s", "3 min 20 s", "1 h 9 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _time(marks: Mapping[str, Any]) -> str:
    taken = marks.get("duration")
    return "did not finish" if taken is None or marks.get("exception") else duration(taken)


def _plain(text: str) -> str:
    """Text that markdown leaves as it is."""
    return re.sub(r"([\\`*_{}\[\]<>$|#~])", r"\\\1", " ".join(str(text).split()))


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _words(key: str) -> str:
    return _plain(key.replace("_", " "))


def _missing(found: Mapping[str, Ledgers]) -> list[str]:
    """The section that says what nobody has measured yet."""
    lines = []
    for chapter, both in found.items():
        printed = [key for key in papers.numbers() if key[0] == chapter]
        if not both:
            waiting = f": {len(printed)} numbers of the paper wait" if printed else ""
            lines.append(f"- {TITLES[chapter]}: nothing measured yet{waiting}.")
            continue
        met = {
            tuple(entry["paper_source"])
            for ledger in both.values()
            for entry in ledger["scores"]
            if entry["paper_source"]
        }
        left = [key for key in printed if key not in met]
        if left:
            names = ", ".join(_words(name) for name in dict.fromkeys(key[1] for key in left))
            lines.append(
                f"- {TITLES[chapter]}: {len(left)} of the paper's {len(printed)} numbers have no "
                f"counterpart here ({names})."
            )
        if not _corpora(both) - {"synthetic"}:
            lines.append(f"- {TITLES[chapter]}: nothing measured on real recordings.")
    return ["## Not measured yet", "\n".join(lines)] if lines else []


def _corpora(both: Ledgers) -> set[str]:
    return {corpus for ledger in both.values() for corpus in ledger["runs"]}


def _chapter(root: Path, chapter: str, both: Ledgers) -> list[str]:
    title = TITLES[chapter]
    parts = [f"## {title}"]
    for notebook in sorted((root / "notebooks").glob(f"*_{chapter}.ipynb")):
        parts.append(f"Measured in {{doc}}`/notebooks/{notebook.stem}`.")
    rows = [
        [
            profile,
            _plain(corpus),
            _plain(run["device"]),
            f"`{scoreboard.commit(run)}`",
            run["date"],
            duration(run["seconds"]),
        ]
        for profile, ledger in both.items()
        for corpus, run in ledger["runs"].items()
    ]
    parts.append(_table(["profile", "corpus", "device", "commit", "date", "time"], rows))
    parts += _claims(title, both)
    for profile, ledger in both.items():
        for table in dict.fromkeys(entry["table"] for entry in ledger["scores"]):
            words = _words(table)
            parts.append(f"### {title}: {words[:1].upper()}{words[1:]} ({profile})")
            for corpus in ledger["runs"]:
                entries = [
                    entry
                    for entry in ledger["scores"]
                    if entry["table"] == table and entry["corpus"] == corpus
                ]
                if entries:
                    parts.append(f"*Measured by: {_plain(scoreboard.origin(ledger, corpus))}.*")
                    parts.append(_scores(entries))
    return parts


def _claims(title: str, both: Ledgers) -> list[str]:
    places = [(p, corpus) for p, ledger in both.items() for corpus in ledger["runs"]]
    entries = {
        (p, entry["corpus"], entry["id"]): entry
        for p, ledger in both.items()
        for entry in ledger["claims"]
    }
    if not entries:
        return []
    real = _corpora(both) - {"synthetic"}
    names = ["claim", "effect above", *(f"{_plain(corpus)}, {p}" for p, corpus in places)]
    names += [] if real else ["real recordings"]
    rows = []
    for id in dict.fromkeys(key[2] for key in entries):
        stated = [entry for key, entry in entries.items() if key[2] == id]
        row = [_plain(stated[0]["statement"]), f"{stated[0]['threshold']:g}"]
        for place in places:
            entry = entries.get((*place, id))
            row.append(_plain(scoreboard.ruling(entry)) if entry else "not tested")
        rows.append(row + ([] if real else ["not tested"]))
    return [f"### {title}: Claims", _table(names, rows)]


def _scores(entries: Sequence[Mapping[str, Any]]) -> str:
    """Scores of one table and run: one line each beside the paper, or one line a method."""
    blocks = list(dict.fromkeys(entry["group"] for entry in entries))

    def method(entry: Mapping[str, Any]) -> str:
        return _words(entry["row"]) + (f", {_words(entry['group'])}" if len(blocks) > 1 else "")

    if any(entry["paper"] is not None for entry in entries):
        return _table(
            ["method", "score", "paper", "here", "n"],
            [
                [
                    method(entry),
                    _plain(scoreboard.heading(entry["column"])),
                    _plain(scoreboard.printed(entry)),
                    _plain(scoreboard.measured(entry)),
                    str(entry["n"]),
                ]
                for entry in entries
            ],
        )
    columns = list(dict.fromkeys(entry["column"] for entry in entries))
    lines: dict[str, dict[str, Mapping[str, Any]]] = {}
    for entry in entries:
        lines.setdefault(method(entry), {})[entry["column"]] = entry
    rows = []
    for name, line in lines.items():
        cells = [_plain(scoreboard.measured(line[c])) if c in line else "–" for c in columns]
        counts = dict.fromkeys(str(entry["n"]) for entry in line.values())
        rows.append([name, *cells, ", ".join(counts)])
    return _table(["method", *(_plain(scoreboard.heading(c)) for c in columns), "n"], rows)
