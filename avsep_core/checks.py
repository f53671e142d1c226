"""Checks of plain arguments that many modules share; imports nothing heavy."""

from __future__ import annotations

import math
from typing import Any


def whole(x: Any, name: str, unit: str = "Hz", *, least: int = 1) -> int:
    """A whole number as an int; 16000.0 counts as whole.

    Parameters
    ----------
    x : the number given
    name, unit : what the error calls it
    least : smallest value allowed

    Raises
    ------
    ValueError : NaN, infinite, a fraction, too small, or no number at all
    """
    try:
        good = not isinstance(x, str | bytes) and math.isfinite(x) and x == int(x) >= least
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good:
        raise ValueError(f"{name} is {x!r}; give a whole number of {unit}, {least} or more")
    return int(x)


def within(x: Any, name: str, low: float, high: float) -> None:
    """ValueError unless x is a number from low to high; NaN, text and None are not.

    Parameters
    ----------
    x : what was given
    name : what the error calls it
    low, high : ends that still count
    """
    try:
        good = bool(low <= x <= high)
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(f"{name}={x!r} given; expected {low:g} to {high:g}")
