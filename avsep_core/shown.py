"""What a notebook shows as HTML, and how numbers are written for a reader."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


class Html:
    """Something a notebook shows as HTML, with a short text for where HTML cannot be shown.

    Parameters
    ----------
    html : the piece of HTML
    text : what plain-text displays say instead
    """

    def __init__(self, html: str, text: str = "HTML") -> None:
        self.html = html
        self.text = text

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text


def html_of(item: Any, name: str) -> str:
    """Return an item's HTML; ValueError, with its name, if it has none."""
    made = item._repr_html_() if hasattr(item, "_repr_html_") else None
    if not made:
        raise ValueError(
            f"{name!r} is a {type(item).__name__}, which has no HTML; a player, a table or a "
            "figure was expected"
        )
    return made


def number(x: Any, *, digits: int | None = None) -> str:
    """Write a number for a reader, with a true minus sign.

    Parameters
    ----------
    x : a number, or anything else, which is written as it is
    digits : decimals of a number that is not whole; by default one from 2 upwards, two below

    Returns
    -------
    Text: "6.1", "0.25", "∞"; "–" for NaN.
    """
    if isinstance(x, (bool, np.bool_)) or not isinstance(x, (int, float, np.number)):
        return str(x)
    if isinstance(x, (int, np.integer)):
        return str(x).replace("-", "\u2212")
    x = float(x)
    if math.isnan(x):
        return "–"
    if math.isinf(x):
        return "∞" if x > 0 else "\u2212∞"
    digits = (1 if abs(x) >= 2 else 2) if digits is None else digits
    return f"{x:.{digits}f}".replace("-", "\u2212")
