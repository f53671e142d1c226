"""How sure is a result? Bootstrap intervals over talkers, players or scenes.

Taught in `notebooks/00_foundations.ipynb`, section "How sure are we? Intervals over talkers".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np


class Interval(NamedTuple):
    """A value with its confidence interval low…high, from n values."""

    value: float
    low: float
    high: float
    n: int


def bootstrap(
    values: Sequence[float] | np.ndarray,
    groups: Sequence[Any] | None = None,
    *,
    statistic: Callable[[np.ndarray], float] = np.mean,
    repeats: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap over groups: how much would the result change with other talkers?

    Groups are drawn with replacement, each with all its values. A value may belong to several
    groups (a mixture to two talkers): it then counts as often as the product of their draws
    (the pigeonhole bootstrap; Owen, 2007).

    Parameters
    ----------
    values : (n,) finite
    groups : n labels, or n tuples of labels; without them each value is a group of its own
    statistic : of an array of values; the mean unless told
    repeats : draws
    level : of the interval
    seed : equal seeds give equal intervals

    Returns
    -------
    Interval of plain floats. With a single group nothing is known about others: the interval is
    -inf…inf.

    Raises
    ------
    ValueError : no values, NaN, as many labels as values missing, or a level outside 0…1

    Taught in `notebooks/00_foundations.ipynb`, section "How sure are we? Intervals over talkers".
    """
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"values of type {type(values).__name__} are no list of numbers; give one number a "
            "talker, player or scene"
        ) from error
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(
            f"values of shape {values.shape}, {np.count_nonzero(~np.isfinite(values))} of them "
            "not finite; expected at least one, all finite. Leave out what could not be scored"
        )
    numeric = isinstance(level, float) and isinstance(repeats, int | np.integer)
    if not numeric or not 0 < level < 1 or repeats < 1:
        raise ValueError(
            f"level {level!r} and {repeats!r} repeats; take 0 < level < 1, and a whole number of "
            "repeats, 1 or more"
        )
    members, count = _members(groups, len(values))
    value = float(statistic(values))
    if count == 1:
        return Interval(value, -math.inf, math.inf, len(values))
    rng = np.random.default_rng(seed)
    drawn: list[float] = []
    while len(drawn) < repeats:
        times = np.bincount(rng.integers(count, size=count), minlength=count)
        weight = times[members].prod(axis=1)
        if weight.any():
            drawn.append(float(statistic(np.repeat(values, weight))))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), len(values))


def _members(groups: Sequence[Any] | None, n: int) -> tuple[np.ndarray, int]:
    """Group numbers of each value (n, groups per value), and how many groups there are."""
    if groups is None:
        return np.arange(n)[:, None], n
    labels = [g if isinstance(g, (tuple, list)) else (g,) for g in groups]
    widths = {len(g) for g in labels}
    if len(labels) != n or len(widths) != 1 or 0 in widths:
        raise ValueError(
            f"{len(labels)} groups for {n} values, with {sorted(widths)} labels each; "
            "give every value one label, or a tuple of equally many"
        )
    number: dict[Any, int] = {}
    rows = [[number.setdefault(label, len(number)) for label in g] for g in labels]
    return np.array(rows), len(number)
