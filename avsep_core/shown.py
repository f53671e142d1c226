"""What a notebook shows as HTML, and how numbers are written for a reader."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from html import escape
from importlib import resources
from typing import Any

import numpy as np

SHARED = {"player": ("widget", "tape"), "desk": ("widget", "tape"), "painter": ("widget",)}


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


def framed(kind: str, data: Mapping[str, Any], label: str, *, height: int) -> str:
    """Put a page of `avsep_core/data` and its data into a frame that asks nothing of a network.

    Parameters
    ----------
    kind : "player", "desk" or "painter": the name of the page's html, css and js, which go into
        widget.html behind the scripts in SHARED. The player's css comes first in every page, so
        that all look alike
    data : what the page's script reads, of plain numbers, texts, lists and mappings
    label : the frame's name for screen readers
    height : of the frame in pixels, until the page sets its own

    Returns
    -------
    One iframe, as HTML.
    """
    folder = resources.files("avsep_core") / "data"

    def read(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    style = "".join(read(f"{name}.css") for name in dict.fromkeys(("player", kind)))
    # Names come from files and people: nothing in them may end the script or start a tag.
    packed = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        packed = packed.replace(character, f"\\u{ord(character):04x}")
    parts = {
        "TITLE": kind.capitalize(),
        "STYLE": style,
        "BODY": read(f"{kind}.html").rstrip(),
        "DATA": packed,
        "SCRIPT": "".join(read(f"{name}.js") for name in (*SHARED[kind], kind)),
    }
    page = re.sub(r"/\*([A-Z]+)\*/", lambda found: parts[found[1]], read("widget.html"))
    return (
        f'<iframe class="avsep-{kind}" title="{escape(label)}" srcdoc="{escape(page)}" '
        f'style="display:block;width:100%;max-width:860px;height:{height}px;'
        'border:0;color-scheme:normal" allow="autoplay" loading="eager"></iframe>'
    )


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
