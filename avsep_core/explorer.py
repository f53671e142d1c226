"""A slider over pictures drawn beforehand, which moves without a kernel.

Taught in `notebooks/00_foundations.ipynb`, section "Masks and oracles".
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import numpy as np

from avsep_core.shown import html_of, number


def explore(
    draw: Callable[[Any], Any],
    *,
    label: str,
    values: Sequence[Any],
    start: Any = None,
    unit: str = "",
) -> Any:
    """Draw something for each of a few values, and choose among them with a slider.

    Everything is drawn beforehand and the slider is tied to it in the browser, so it moves live,
    on Colab and on a page without a kernel.

    Parameters
    ----------
    draw : value -> a matplotlib figure or axes, or anything with `_repr_html_`; a figure that
        `draw` makes and does not return counts too
    label : what the slider changes, "gain"
    values : two or more, in the order of the slider
    start : the value shown first; by default the first
    unit : written behind each value, "dB"

    Returns
    -------
    An ipywidgets box.

    Raises
    ------
    ValueError: fewer than two values, two that are equal, a start that is not among them,
    a `draw` that draws nothing.

    Taught in `notebooks/00_foundations.ipynb`, section "Masks and oracles".
    """
    import ipywidgets

    values = list(values)
    if len(values) < 2:
        raise ValueError(f"{len(values)} values for {label!r}; a slider needs two or more")
    if start is not None and start not in values:
        raise ValueError(f"start {start!r} is not among the values {values}")
    first = 0 if start is None else values.index(start)
    words = [f"{word} {unit}".strip() for word in _told_apart(values, label)]
    pages = [
        ipywidgets.HTML(_drawn(draw, value, f"{label}: {word}"), layout={"width": "100%"})
        for value, word in zip(values, words, strict=True)
    ]
    slider = ipywidgets.SelectionSlider(
        options=[(word, i) for i, word in enumerate(words)],
        value=first,
        description=label,
        continuous_update=True,
        style={"description_width": "initial"},
        layout={"width": "min(100%, 480px)"},
    )
    # ipywidgets 7, which Colab still brings, has no Stack; its tabs are tied the same way.
    holder = getattr(ipywidgets, "Stack", ipywidgets.Tab)
    stack = holder(children=pages, selected_index=first, layout={"width": "100%"})
    if holder is ipywidgets.Tab:
        for i, word in enumerate(words):
            stack.set_title(i, word)
    ipywidgets.jslink((slider, "index"), (stack, "selected_index"))
    return ipywidgets.VBox([slider, stack], layout={"width": "100%"})


def _told_apart(values: Sequence[Any], label: str) -> list[str]:
    """The values in words, with as many decimals as it takes to tell them apart."""
    words = [number(v) for v in values]
    for digits in range(2, 18):
        if len(set(words)) == len(words):
            return words
        words = [number(v, digits=digits) for v in values]
    # Numbers smaller than that are written with their exponent.
    words = [str(v).replace("-", "\u2212") for v in values]
    if len(set(words)) == len(words):
        return words
    twice = next(word for i, word in enumerate(words) if word in words[:i])
    raise ValueError(f"{label!r} has the value {twice} twice; give every step of the slider once")


def _drawn(draw: Callable[[Any], Any], value: Any, text: str) -> str:
    """Draw once and close what was opened, so that nothing is shown twice or kept."""
    import matplotlib.pyplot as plt

    before = set(plt.get_fignums())
    try:
        made = draw(value)
        fresh = [n for n in plt.get_fignums() if n not in before]
        if made is None and fresh:
            made = plt.figure(fresh[-1])
        if isinstance(made, (list, tuple, np.ndarray)) and len(made):
            made = np.asarray(made, dtype=object).ravel()[0]
        if hasattr(made, "get_figure"):
            made = made.get_figure() or made
        if not hasattr(made, "savefig"):
            return html_of(made, text)
        buffer = io.BytesIO()
        made.savefig(buffer, format="png", metadata={"Software": None})
    finally:
        for n in set(plt.get_fignums()) - before:
            plt.close(n)
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'<img alt="{escape(text)}" src="data:image/png;base64,{code}" '
        'style="max-width:100%;height:auto">'
    )
