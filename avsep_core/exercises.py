"""Checkers for the exercises: say right, or what is amiss, without giving the answer away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Verdict:
    """What a checker says: `right`, and a sentence for the reader."""

    right: bool
    text: str

    def __repr__(self) -> str:
        return self.text


def check(answer: Any, truth: Callable[[], Any], *, tolerance: float, hint: str = "") -> Verdict:
    """Compare a reader's answer with the truth.

    Parameters
    ----------
    answer : number or array_like of numbers, or None while there is no answer
    truth : function without arguments that returns the right answer
    tolerance : float
        Largest absolute difference that still counts as right.
    hint : str
        Shown with a wrong answer.

    Returns
    -------
    Verdict
        An answer of another shape or kind is a wrong answer, not an error: readers try things.

    See `notebooks/00_foundations.ipynb`, section "Exercises".
    """
    if answer is None:
        return Verdict(False, "No answer yet.")
    expected = np.asarray(truth(), dtype=float)
    if getattr(answer, "requires_grad", False):
        return Verdict(False, "Not yet: this tensor still carries a gradient; give x.detach().")
    given = _numbers(answer)
    if given is None:
        kind = type(answer).__name__
        return Verdict(False, f"Not yet: expected real numbers of usual size, and this is {kind}.")
    if given.shape != expected.shape:
        shapes = f"{expected.shape}, and is {given.shape}"
        return Verdict(False, f"Not yet: the shape should be {shapes}.")
    if not np.allclose(given, expected, rtol=0, atol=tolerance):
        return Verdict(False, f"Not yet. {hint}".strip())
    return Verdict(True, "Right.")


def _numbers(answer: Any) -> np.ndarray | None:
    """The answer as floats, or None where it is anything else, text that looks like a number too.

    Whatever a reader's object does when it is asked for numbers: it is no answer, and no error.
    """
    try:
        raw = np.asarray(answer)
        if raw.dtype.kind not in "biufO":
            return None
        if raw.dtype.kind == "O" and any(isinstance(x, (str, bytes)) for x in raw.flat):
            return None
        return raw.astype(float)
    except Exception:
        return None
