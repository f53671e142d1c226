"""Scores and claims of a ledger as accessible tables: paper, committed report and this run.

Taught in `notebooks/00_foundations.ipynb`, section "Measure it".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from . import papers

METRICS = {
    "sdr": ("SDR", "dB"),
    "sir": ("SIR", "dB"),
    "sar": ("SAR", "dB"),
    "dsdr": ("ΔSDR", "dB"),
    "nsdr": ("NSDR", "dB"),
    "si_sdr": ("SI-SDR", "dB"),
    "pesq": ("PESQ", ""),
    "stoi": ("STOI", ""),
    "visqol": ("ViSQOL", ""),
    "f1": ("F1", ""),
    "lc": ("L_c", ""),
    "l_c": ("L_c", ""),
}
NOTHING = "–"


@dataclass(frozen=True)
class Table:
    """A table that a notebook shows as HTML and a terminal as one line."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        from .listen import TABLE_STYLE

        return f'{TABLE_STYLE}<div style="overflow-x:auto">{self.html}</div>'

    def __repr__(self) -> str:
        return self.text


def heading(column: str) -> str:
    """The words for a metric's key: "dsdr_ff" is "ΔSDR ff (dB)"; other keys lose their dashes."""
    for key, (name, unit) in METRICS.items():
        if column == key or column.startswith(f"{key}_"):
            words = f"{name} {column[len(key) + 1 :].replace('_', ' ')}".strip()
            return f"{words} ({unit})" if unit else words
    return column.replace("_", " ")


def figure(value: float) -> str:
    """A number with the digits that its size deserves: 12.3, 1.23, 0.123."""
    places = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 or value == 0 else 3
    return f"{value:.{places}f}".replace("-", "−")


def measured(entry: Mapping[str, Any], kind: str = "value") -> str:
    """A value with its interval: "6.1 [5.4, 6.8]", with decimals as the interval deserves.

    Parameters
    ----------
    entry : a score or claim of a ledger
    kind : "value" for a score, "effect" for a claim
    """
    low, high = entry["ci95"]
    if low is None or high is None:
        return f"{figure(entry[kind])}, no interval"
    places = 1 if high - low >= 1 else 2 if high - low >= 0.1 else 3
    value, low, high = (f"{x:.{places}f}".replace("-", "−") for x in (entry[kind], low, high))
    return f"{value} [{low}, {high}]"


def printed(entry: Mapping[str, Any]) -> str:
    """The paper's number with the recordings it was measured on: "8.32 on GRID"."""
    if entry.get("paper") is None:
        return NOTHING
    return f"{figure(entry['paper'])} on {papers.corpus(*entry['paper_source'][:3])}"


def commit(run: Mapping[str, Any]) -> str:
    """The commit of a run in short, with "+" where the code was changed since."""
    name = str(run["commit"])
    return name[:8] + "+" * name.endswith("+") if len(name) >= 40 else f"version {name}"


def origin(ledger: Mapping[str, Any], corpus: str) -> str:
    """Who made the numbers of one run: profile, corpus, device and commit."""
    run = ledger["runs"][corpus]
    return f"{ledger['profile']}, {corpus}, {run['device']}, {commit(run)}"


def _choose(found: Sequence[str], wanted: Sequence[str] | None, kind: str, place: str) -> list[str]:
    missing = [name for name in wanted or () if name not in found]
    if missing:
        raise ValueError(
            f"{place} has no {kind} {missing[0]!r}; recorded are {', '.join(map(repr, found))}"
        )
    return list(wanted if wanted is not None else found)


def scores(
    run: Mapping[str, Any],
    report: Mapping[str, Any] | None,
    table: str,
    *,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    caption: str | None = None,
) -> Table:
    """One table of a run: for each method the paper's line, the committed report's and this run's.

    Parameters
    ----------
    run : a ledger of one corpus, as `Ledger.as_dict` gives it
    report : the committed ledger, or None
    table : which table
    rows, columns : which to show, in this order; default: all, as recorded
    labels : words for keys of rows and columns
    caption : default: the table's name

    Returns
    -------
    The table. With one metric, the three stand in columns; with several, in lines.

    Raises
    ------
    ValueError for a table, row or column that was not recorded.
    """
    (corpus,) = run["runs"]
    here = [e for e in run["scores"] if e["table"] == table]
    known = list(dict.fromkeys(e["table"] for e in run["scores"]))
    _choose(known, [table], "table", f"this run of {run['chapter']}")
    methods = _choose(list(dict.fromkeys(e["row"] for e in here)), rows, "row", table)
    metrics = _choose(list(dict.fromkeys(e["column"] for e in here)), columns, "column", table)
    said = {name: words for name, words in (labels or {}).items()}
    blocks = list(dict.fromkeys(e["group"] for e in here))
    ours = {(e["row"], e["group"], e["column"]): e for e in here}
    theirs = {
        (e["row"], e["group"], e["column"]): e
        for e in (report or {}).get("scores", [])
        if e["table"] == table and e["corpus"] == corpus
    }
    same = {e["n"] for e in ours.values()}, {e["n"] for e in theirs.values()}

    def cell(entry: Mapping[str, Any] | None, counts: set[int]) -> str:
        if entry is None:
            return NOTHING
        return measured(entry) + (f", n = {entry['n']}" if len(counts) > 1 else "")

    def count(counts: set[int]) -> str:
        return f", n = {counts.copy().pop()}" if len(counts) == 1 else ""

    has_paper = any(e["paper"] is not None for e in here)
    words = said.get(table, table.replace("_", " ")) if caption is None else caption
    note = f"{words}. This run: {origin(run, corpus)}."
    if report is None or corpus not in report["runs"]:
        note += f" No committed report on {corpus} is at hand."
    else:
        note += f" Report: {origin(report, corpus)}."
    kinds = [("paper", set())] * has_paper + [("report", same[1])] * bool(theirs)
    kinds += [("this run", same[0])]
    body = ""
    for method in methods:
        for block in blocks:
            key = [(method, block, metric) for metric in metrics]
            if not any(k in ours for k in key):
                continue
            name = said.get(method, method.replace("_", " "))
            name += f", {block}" if len(blocks) > 1 else ""
            lines = {
                "paper": [printed(ours[k]) if k in ours else NOTHING for k in key],
                "report": [cell(theirs.get(k), same[1]) for k in key],
                "this run": [cell(ours.get(k), same[0]) for k in key],
            }
            shown = [(kind, lines[kind]) for kind, _ in kinds]
            if len(metrics) == 1:
                parts = "".join(f"<td{_mark(k)}>{escape(line[0])}</td>" for k, line in shown)
                body += f'<tr><th scope="row">{escape(name)}</th>{parts}</tr>'
                continue
            if has_paper and set(lines["paper"]) == {NOTHING}:
                shown = [part for part in shown if part[0] != "paper"]
            head = f'<th scope="rowgroup" rowspan="{len(shown)}">{escape(name)}</th>'
            body += "<tbody>"
            for kind, line in shown:
                title = kind + (count(dict(kinds)[kind]) if kind != "paper" else "")
                parts = "".join(f"<td{_mark(kind)}>{escape(part)}</td>" for part in line)
                body += f'<tr>{head}<th scope="row">{escape(title)}</th>{parts}</tr>'
                head = ""
            body += "</tbody>"
    if len(metrics) == 1:
        body = f"<tbody>{body}</tbody>"
        names = ["method", *(f"{kind}{count(counts)}" for kind, counts in kinds)]
        note = f"{heading(metrics[0]) if metrics[0] not in said else said[metrics[0]]}: {note}"
    else:
        names = ["method", "from", *(said.get(m, heading(m)) for m in metrics)]
    return Table(
        _table(note, names, body), f"<table {table} of {run['chapter']}: {len(here)} scores>"
    )


def claims(run: Mapping[str, Any], report: Mapping[str, Any] | None) -> Table:
    """The claims of a run with effect, threshold and verdict, beside the committed report's.

    Parameters
    ----------
    run : a ledger of one corpus, as `Ledger.as_dict` gives it
    report : the committed ledger, or None
    """
    (corpus,) = run["runs"]
    theirs = {e["id"]: e for e in (report or {}).get("claims", []) if e["corpus"] == corpus}
    note = f"Claims. This run: {origin(run, corpus)}."
    names = ["claim", "effect above", "this run"]
    if theirs and report is not None:
        note += f" Report: {origin(report, corpus)}."
        names.insert(2, "report")
    else:
        note += f" No committed report on {corpus} is at hand."
    body = ""
    for entry in run["claims"]:
        parts = [figure(entry["threshold"])]
        if theirs:
            parts.append(ruling(theirs[entry["id"]]) if entry["id"] in theirs else "not tested")
        parts.append(ruling(entry))
        cells = "".join(f"<td>{escape(part)}</td>" for part in parts)
        body += f'<tr><th scope="row">{escape(entry["statement"])}</th>{cells}</tr>'
    text = "; ".join(f"{e['id']}: {ruling(e)}" for e in run["claims"])
    return Table(_table(note, names, f"<tbody>{body}</tbody>"), text or "no claims yet")


def ruling(entry: Mapping[str, Any]) -> str:
    """A claim's verdict with its corpus, effect and count."""
    return f"{entry['status']} on {entry['corpus']}: {measured(entry, 'effect')}, n = {entry['n']}"


def _mark(kind: str) -> str:
    return ' class="paper"' if kind == "paper" else ""


def _table(caption: str, names: Sequence[str], body: str) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    return (
        f'<table class="avsep-scores"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead>{body}</table>"
    )
