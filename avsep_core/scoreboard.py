"""Scores and claims of a ledger as accessible tables: paper, committed report and this run.

Taught in `notebooks/00_foundations.ipynb`, section "Measure it".
"""

from __future__ import annotations

import re
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
# An interval stays in one piece; where a table is wide it moves under its value.
STYLE = """<style>
.avsep-ledger.avsep-scores td{white-space:normal}
.avsep-ledger.avsep-scores td,.avsep-ledger.avsep-scores th{padding:.3em .45em}
.avsep-ledger.avsep-scores td span,.avsep-ledger tbody th[scope=row]{white-space:nowrap}
.avsep-ledger.avsep-scores caption span{display:block;font-weight:400}
.avsep-claims.avsep-scores td,.avsep-claims.avsep-scores th{text-align:left}
.avsep-claims.avsep-scores tbody th{white-space:normal}
</style>"""


@dataclass(frozen=True)
class Table:
    """A table that a notebook shows as HTML and a terminal as one line."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        from .listen import TABLE_STYLE

        return f'{TABLE_STYLE}{STYLE}<div style="overflow-x:auto">{self.html}</div>'

    def __repr__(self) -> str:
        return self.text


def heading(column: str) -> str:
    """The words for a metric's key: "dsdr_ff" is "ΔSDR ff (dB)"; other keys lose their dashes."""
    for key, (name, unit) in METRICS.items():
        if column == key or column.startswith(f"{key}_"):
            words = f"{name} {column[len(key) + 1 :].replace('_', ' ')}".strip()
            return f"{words} ({unit})" if unit else words
    return column.replace("_", " ")


def figure(value: float, places: int | None = None) -> str:
    """A number with so many decimals, or those that its size deserves: 12.3, 1.23, 0.123."""
    if places is None:
        places = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 or value == 0 else 3
    # Adding zero turns -0.0, a rounded small negative number, into 0.0.
    return f"{round(value, places) + 0.0:.{places}f}".replace("-", "−")


def count(n: int) -> str:
    """The words for a number of values, which no line break parts."""
    return f"n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{n}"


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
    # A verdict turns on an interval's end, so an effect shows one digit more.
    width = (high - low) * (1 if kind == "value" else 0.2)
    places = None if width == 0 else 1 if width >= 0.2 else 2 if width >= 0.02 else 3
    if places == 1 and max(abs(low), abs(high)) <= 1:
        places = 2
    return f"{figure(entry[kind], places)} [{figure(low, places)}, {figure(high, places)}]"


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
    groups: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    caption: str | None = None,
) -> Table:
    """One table of a run: for each method the paper's line, the committed report's and this run's.

    Parameters
    ----------
    run : a ledger of one corpus, as `Ledger.as_dict` gives it
    report : the committed ledger, or None
    table : which table
    rows, columns, groups : which to show, in this order; default: all, as recorded
    labels : words for keys of rows, columns and groups
    caption : default: the table's name

    Returns
    -------
    The table. With one metric, the three stand in columns; with several, in lines.

    Raises
    ------
    ValueError for a table, row, column or group that was not recorded.
    """
    (corpus,) = run["runs"]
    here = [e for e in run["scores"] if e["table"] == table]
    known = list(dict.fromkeys(e["table"] for e in run["scores"]))
    _choose(known, [table], "table", f"this run of {run['chapter']}")
    blocks = _choose(list(dict.fromkeys(e["group"] for e in here)), groups, "group", table)
    here = [e for e in here if e["group"] in blocks]
    methods = _choose(list(dict.fromkeys(e["row"] for e in here)), rows, "row", table)
    metrics = _choose(list(dict.fromkeys(e["column"] for e in here)), columns, "column", table)
    there = [
        e
        for e in (report or {}).get("scores", [])
        if e["table"] == table and e["corpus"] == corpus and e["group"] in blocks
    ]
    sides = {"report": there, "this run": here} if there else {"this run": here}
    kinds = {kind: _count({e["n"] for e in entries}) for kind, entries in sides.items()}
    if any(e["paper"] is not None for e in here):
        kinds = {"paper": "", **kinds}
    said = dict(labels or {})
    lines = {}
    for method in methods:
        for block in (
            b for b in blocks if any((e["row"], e["group"]) == (method, b) for e in here)
        ):
            name = said.get(method, method.replace("_", " "))
            name += f", {said.get(block, block)}" if len(blocks) > 1 else ""
            lines[name] = {kind: _line(kind, sides, method, block, metrics) for kind in kinds}
    words = said.get(table, table.replace("_", " ")) if caption is None else caption
    titles = [said.get(metric, heading(metric)) for metric in metrics]
    if len(metrics) == 1:
        words += f": {titles[0]}"
        names = ["method", *(kind + count for kind, count in kinds.items())]
        body = _flat(lines)
    else:
        names = ["method", "from", *titles]
        body = _stacked(lines, kinds)
    return Table(
        _table(words, _note(run, report, corpus), names, body),
        f"<table {table} of {run['chapter']}: {len(here)} scores>",
    )


def _count(counts: set[int]) -> str:
    """The common number of values for a heading; nothing where rows differ in it."""
    return f", {count(min(counts))}" if len(counts) == 1 else ""


def _line(
    kind: str,
    sides: Mapping[str, Sequence[Mapping[str, Any]]],
    method: str,
    block: str,
    metrics: Sequence[str],
) -> list[str]:
    """The cells of one method: the paper's, the report's or this run's."""
    entries = sides["this run" if kind == "paper" else kind]
    found = {e["column"]: e for e in entries if (e["row"], e["group"]) == (method, block)}
    shown = [found.get(metric) for metric in metrics]
    if kind == "paper":
        return [printed(e) if e else NOTHING for e in shown]
    counts = len({e["n"] for e in entries}) > 1
    return [measured(e) + (f", {count(e['n'])}" if counts else "") if e else NOTHING for e in shown]


def _flat(lines: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    """One row a method, with paper, report and this run as columns."""
    body = ""
    for name, kinds in lines.items():
        cells = "".join(_cell(kind, line[0]) for kind, line in kinds.items())
        body += f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>'
    return f"<tbody>{body}</tbody>"


def _stacked(lines: Mapping[str, Mapping[str, Sequence[str]]], counts: Mapping[str, str]) -> str:
    """One group of rows a method: the paper's where it has numbers, the report's, this run's."""
    body = ""
    for name, kinds in lines.items():
        shown = {k: v for k, v in kinds.items() if k != "paper" or set(v) != {NOTHING}}
        head = f'<th scope="rowgroup" rowspan="{len(shown)}">{escape(name)}</th>'
        body += "<tbody>"
        for kind, line in shown.items():
            cells = "".join(_cell(kind, text) for text in line)
            body += f'<tr>{head}<th scope="row">{kind}{counts[kind]}</th>{cells}</tr>'
            head = ""
        body += "</tbody>"
    return body


def _note(run: Mapping[str, Any], report: Mapping[str, Any] | None, corpus: str) -> str:
    """Who made the numbers of this run and of the report, if there is one."""
    note = f"This run: {origin(run, corpus)}. "
    if report is None or corpus not in report["runs"]:
        return note + f"No committed report on {corpus} is at hand."
    return note + f"Report: {origin(report, corpus)}."


def claims(run: Mapping[str, Any], report: Mapping[str, Any] | None) -> Table:
    """The claims of a run with effect, threshold and verdict, beside the committed report's.

    Parameters
    ----------
    run : a ledger of one corpus, as `Ledger.as_dict` gives it
    report : the committed ledger, or None
    """
    (corpus,) = run["runs"]
    theirs = {e["id"]: e for e in (report or {}).get("claims", []) if e["corpus"] == corpus}
    names = ["claim", "effect above", *(["report"] if theirs else []), "this run"]
    body = ""
    for entry in run["claims"]:
        parts = [f"{entry['threshold']:g}".replace("-", "−")]
        if theirs:
            parts.append(ruling(theirs[entry["id"]]) if entry["id"] in theirs else "not tested")
        parts.append(ruling(entry))
        cells = "".join(_cell("claim", part) for part in parts)
        body += f'<tr><th scope="row">{escape(entry["statement"])}</th>{cells}</tr>'
    text = "; ".join(f"{e['id']}: {ruling(e)}" for e in run["claims"])
    html = _table(
        "Claims", _note(run, report, corpus), names, f"<tbody>{body}</tbody>", " avsep-claims"
    )
    return Table(html, text or "no claims yet")


def ruling(entry: Mapping[str, Any]) -> str:
    """A claim's verdict with its corpus, effect and count."""
    return (
        f"{entry['status']} on {entry['corpus']}: {measured(entry, 'effect')}, {count(entry['n'])}"
    )


def _cell(kind: str, text: str) -> str:
    mark = ' class="paper"' if kind == "paper" else ""
    whole = re.sub(r"(\[.*\])", r"<span>\1</span>", escape(text))
    return f"<td{mark}>{whole}</td>"


def _table(caption: str, note: str, names: Sequence[str], body: str, kind: str = "") -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    return (
        f'<table class="avsep-scores avsep-ledger{kind}">'
        f"<caption>{escape(caption)}<span> {escape(note)}</span></caption>"
        f"<thead><tr>{head}</tr></thead>{body}</table>"
    )
