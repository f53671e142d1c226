"""Intervals that keep their promise, and widen where values hang together."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core.scores import Interval, bootstrap


def test_ninety_of_a_hundred_intervals_hold_the_truth_when_ninety_are_promised():
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(200):
        values = 3 + rng.normal(size=40)
        found = bootstrap(values, level=0.9, repeats=200, seed=seed)
        held += found.low <= 3 <= found.high
    assert 0.83 <= held / 200 <= 0.95


def test_the_width_is_that_of_the_standard_error():
    values = np.random.default_rng(0).normal(size=400)
    found = bootstrap(values)
    expected = 2 * 1.96 * values.std() / 20
    assert found.high - found.low == pytest.approx(expected, rel=0.1)


def test_values_of_the_same_talkers_know_less_than_as_many_talkers_would():
    rng = np.random.default_rng(0)
    talkers = np.repeat(np.arange(10), 20)
    values = 2 * rng.normal(size=10)[talkers] + 0.1 * rng.normal(size=200)
    naive, honest = bootstrap(values), bootstrap(values, talkers)
    assert honest.high - honest.low > 3 * (naive.high - naive.low)
    assert honest.value == naive.value
    # Copying every value within its talker adds no knowledge.
    copied = bootstrap(np.tile(values, 3), np.tile(talkers, 3))
    assert copied[:3] == pytest.approx(honest[:3])


def test_mixtures_that_share_either_talker_hang_together():
    rng = np.random.default_rng(1)
    effect = rng.normal(size=8)
    pairs = [(a, b) for a in range(8) for b in range(a)]
    values = np.array([effect[a] + effect[b] for a, b in pairs])
    naive, honest = bootstrap(values), bootstrap(values, pairs)
    assert honest.high - honest.low > 1.5 * (naive.high - naive.low)
    assert honest.low < 2 * effect.mean() < honest.high


@given(seed=st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_interval(seed):
    values = [1.0, 5.0, 2.0, 4.0]
    first = bootstrap(values, "abcd", seed=seed, repeats=50)
    assert first == bootstrap(values, "abcd", seed=seed, repeats=50)
    assert first.low <= first.value <= first.high
    assert first.low >= 1
    assert first.high <= 5


def test_another_seed_draws_anew():
    values = np.random.default_rng(0).normal(size=30)
    assert bootstrap(values, seed=1).low != bootstrap(values, seed=2).low


def test_one_talker_says_nothing_about_others():
    found = bootstrap([1.0, 2.0, 6.0], ["her"] * 3)
    assert found == Interval(3.0, -math.inf, math.inf, 3)
    assert bootstrap([2.0])[1:3] == (-math.inf, math.inf)


def test_any_statistic_can_have_an_interval():
    values = np.arange(101.0)
    median = bootstrap(values, statistic=np.median)
    assert median.value == 50
    assert 30 < median.low < 50 < median.high < 70


def test_an_interval_is_plain_numbers():
    found = bootstrap(np.float32([1, 2, 3]))
    assert [type(x) for x in found] == [float, float, float, int]
    json.dumps(found)


def test_values_without_an_interval_are_refused():
    for values, groups, message in [
        ([], None, "at least one"),
        ([1.0, np.nan], None, "1 of them not finite"),
        ([[1.0]], None, r"shape \(1, 1\)"),
        ([1.0, 2.0], ["a"], "1 groups for 2 values"),
        ([1.0, 2.0], [("a",), ("a", "b")], "equally many"),
    ]:
        with pytest.raises(ValueError, match=message):
            bootstrap(values, groups)
    with pytest.raises(ValueError, match="level 95"):
        bootstrap([1.0, 2.0], level=95)
