"""Numbers laid down by a notebook for the prose of a page, without `myst_nb` (Colab lacks it).

Taught in `notebooks/00_foundations.ipynb`, section "Measure it".
"""

from __future__ import annotations

import re
from typing import Any

from .ledgers import LedgerError, finite

PREFIX = "application/papermill.record/"


def record(name: str, value: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """The display record that the page's `{glue:text}` role reads.

    Parameters
    ----------
    name : without ":" and white space, which the role reads otherwise
    value : a number or a string

    Returns
    -------
    (data, metadata) as `IPython.display.display(data, raw=True, metadata=metadata)` takes them.

    Raises
    ------
    LedgerError for another name or value.
    """
    if not re.fullmatch(r"[^\s:`<>]+", name):
        raise LedgerError(f"glue name {name!r} holds a blank or one of : ` < >; take dashes")
    found = finite(value, f"glue {name!r}")
    if isinstance(found, (list, dict)) or found is None:
        raise LedgerError(f"glue {name!r} is {type(value).__name__}; give a number or a string")
    return {PREFIX + "text/plain": repr(found)}, {
        "scrapbook": {"name": name, "mime_prefix": PREFIX}
    }


def show(name: str, value: Any) -> None:
    """Emit the record of `record` as an output of the running cell; nothing outside a notebook.

    Raises
    ------
    LedgerError as `record` does.
    """
    data, metadata = record(name, value)
    try:
        from IPython.core.interactiveshell import InteractiveShell
        from IPython.display import display
    except ImportError:
        return
    if InteractiveShell.initialized():
        display(data, raw=True, metadata=metadata)  # type: ignore[no-untyped-call]
