"""Hear and see: players, pictures, tables of scores, and a slider that works without a kernel.

Taught in `notebooks/00_foundations.ipynb`, sections "Hear it" and "What a mixture is".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from avsep_core.explorer import explore
from avsep_core.pictures import COLOURS, show_masks, show_spectrogram, show_waveforms, style
from avsep_core.players import player
from avsep_core.shown import Html, html_of, number

__all__ = [
    "COLOURS",
    "Html",
    "explore",
    "player",
    "score_table",
    "show_masks",
    "show_spectrogram",
    "show_waveforms",
    "side_by_side",
    "style",
]

HEADINGS = {
    "sdr": "SDR (dB)",
    "sir": "SIR (dB)",
    "sar": "SAR (dB)",
    "si_sdr": "SI-SDR (dB)",
    "dsdr": "ΔSDR (dB)",
    "nsdr": "NSDR (dB)",
    "pesq": "PESQ",
    "stoi": "STOI",
    "f1": "F1",
    "l_c": "L_c",
    "n": "n",
}
# Colours are mixed from the page's own ink, so the table follows a light or a dark page.
TABLE_STYLE = """<style>
.avsep-scores{border-collapse:collapse;margin:1em 0;font-size:.95em;\
font-variant-numeric:tabular-nums;color:inherit}
.avsep-scores caption{caption-side:top;text-align:left;padding:0 0 .5em;font-weight:600;\
color:inherit}
.avsep-scores th,.avsep-scores td{padding:.35em .9em;text-align:right;white-space:nowrap;\
border:0;border-bottom:1px solid rgba(128,136,150,.35);background:none;color:inherit}
.avsep-scores th:first-child{text-align:left;padding-left:.2em}
.avsep-scores thead th{border-bottom:2px solid rgba(128,136,150,.7);font-weight:600}
.avsep-scores tbody th{font-weight:500}
.avsep-scores .text{text-align:left;white-space:normal}
.avsep-scores .paper{font-style:italic;opacity:.85}
</style>"""


def side_by_side(items: Mapping[str, Any]) -> Html:
    """Put players, tables or other pieces of HTML beside one another, each under its name.

    They wrap where a page is narrow. Starting one player pauses the others.

    Parameters
    ----------
    items : name -> anything with `_repr_html_`

    Returns
    -------
    An object that a notebook shows.

    Raises
    ------
    ValueError: no items, or one that has no HTML.

    Taught in `notebooks/00_foundations.ipynb`, section "Hear it".
    """
    if not items:
        raise ValueError("nothing to put side by side: {'name': player, ...} was expected")
    cells = "".join(
        '<figure style="margin:0;min-width:0">'
        f'<figcaption style="font-weight:600;margin:0 0 .4em">{escape(str(name))}</figcaption>'
        f"{html_of(item, str(name))}</figure>"
        for name, item in items.items()
    )
    columns = "repeat(auto-fit,minmax(min(100%,320px),1fr))"
    grid = f"display:grid;gap:16px;grid-template-columns:{columns}"
    return Html(
        f'<div class="avsep-side-by-side" style="{grid}">{cells}</div>',
        f"<side by side: {', '.join(map(str, items))}; shown as HTML>",
    )


def score_table(
    rows: Sequence[Mapping[str, Any]],
    *,
    paper: Mapping[str, Mapping[str, float]] | None = None,
    caption: str = "",
) -> Html:
    """Set scores as a table, beside the paper's numbers where there are any.

    Parameters
    ----------
    rows : one mapping a row, column -> value; the first column names the row. A value is text, a
        number, or an interval with `value`, `low`, `high` (shown as "6.1 [5.4, 6.8]")
    paper : row name -> column -> the number that the paper prints
    caption : what the table shows

    Returns
    -------
    An object that a notebook shows.

    Raises
    ------
    ValueError: no rows, rows with different columns, or numbers of the paper for a row or
    a column that is not in the table.

    Taught in `notebooks/00_foundations.ipynb`, section "Measure it".
    """
    rows = list(rows)
    if not rows or not rows[0]:
        raise ValueError("no rows: [{'name': 'mixture', 'sdr': 0.1}, ...] was expected")
    columns = list(rows[0])
    rows = [{column: _plain(x) for column, x in row.items()} for row in rows]
    for row in rows:
        if list(row) != columns:
            raise ValueError(f"a row has columns {list(row)}, the first {columns}; make them equal")
    first, *measured = columns
    digits = {column: _digits(row[column] for row in rows) for column in columns}
    paper = {
        str(name): {column: _plain(x) for column, x in numbers.items()}
        for name, numbers in (paper or {}).items()
    }
    unknown = set(paper) - {str(row[first]) for row in rows}
    if unknown:
        raise ValueError(f"the paper's rows {sorted(unknown)} are not in the table's first column")
    for name, numbers in paper.items():
        strange = [column for column in numbers if column not in measured]
        if strange:
            raise ValueError(
                f"the paper's row {name!r} has columns {strange}, which the table has not; its "
                f"columns are {measured}"
            )
    printed = {column for numbers in paper.values() for column in numbers}
    head = f'<th scope="col">{_heading(first)}</th>'
    for column in measured:
        words = all(isinstance(row[column], str) for row in rows)
        kind = ' class="text"' if words else ""
        head += f'<th scope="col"{kind}>{_heading(column)}</th>'
        if column in printed:
            head += f'<th scope="col" class="paper">{_heading(column)}, paper</th>'
    body = ""
    for row in rows:
        body += f'<tr><th scope="row">{_cell(row[first])}</th>'
        for column in measured:
            kind = ' class="text"' if isinstance(row[column], str) else ""
            body += f"<td{kind}>{_cell(row[column], digits[column])}</td>"
            if column in printed:
                printed_value = paper.get(str(row[first]), {}).get(column)
                body += f'<td class="paper">{_cell(printed_value, digits[column])}</td>'
        body += "</tr>"
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    table = f'<table class="avsep-scores">{title}<thead><tr>{head}</tr></thead>'
    return Html(
        f'{TABLE_STYLE}<div style="overflow-x:auto">{table}<tbody>{body}</tbody></table></div>',
        f"<table: {caption or ', '.join(columns)}; {len(rows)} rows; shown as HTML>",
    )


def _heading(column: str) -> str:
    return escape(HEADINGS.get(str(column), str(column).replace("_", " ")))


def _plain(x: Any) -> Any:
    """A number out of a tensor or an array without axes; anything else as it is."""
    alone = not isinstance(x, np.generic) and getattr(x, "ndim", None) == 0
    return x.item() if alone and hasattr(x, "item") else x


def _digits(cells: Iterable[Any]) -> int:
    """One number of decimals for a column, so that its numbers can be compared at a glance."""
    values: list[Any] = [getattr(x, "value", x) for x in cells]
    sizes = [
        abs(float(x)) for x in values if isinstance(x, (float, np.floating)) and np.isfinite(x)
    ]
    return 1 if any(size >= 2 for size in sizes) else 2


def _cell(x: Any, digits: int | None = None) -> str:
    if x is None:
        return "–"
    if all(hasattr(x, part) for part in ("value", "low", "high")):
        value, low, high = (number(float(v), digits=digits) for v in (x.value, x.low, x.high))
        return escape(f"{value} [{low}, {high}]")
    return escape(number(x, digits=digits))
