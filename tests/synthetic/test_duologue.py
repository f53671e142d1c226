"""Two talkers in turn: each is one film, and who listens keeps still in mouth and voice only."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core.synthetic.duologue import FPS, SHIFT, perform, solo, take_turns

SLOTS = ((0.5, 4.0), (7.5, 11.0))
SECONDS = 12.0


@pytest.fixture(scope="module")
def part():
    return perform("t02", SLOTS, seconds=SECONDS, seed=3)


def during(turns, margin):
    """Which pictures show a turn that is widened by `margin` s on both sides."""
    times = (np.arange(360) + 0.5) / float(FPS)
    return np.any([(times > a - margin) & (times < b + margin) for a, b in turns], axis=0)


def test_a_film_has_the_papers_format(part):
    assert part.frames.shape == (360, 120, 88, 3) and part.frames.dtype == np.uint8
    assert part.audio.shape == (96096,) and part.audio.dtype == np.float32
    assert part.mouth.shape == (360, 4)
    assert SHIFT / FPS * 8000 == 40040


def test_digits_fill_the_slots_and_nothing_is_heard_outside(part):
    assert len(part.turns) == 2
    for (a, b), (start, end) in zip(part.turns, SLOTS, strict=True):
        assert start <= a < start + 0.5 and end - 0.9 < b <= end
    times = np.arange(len(part.audio)) / part.rate
    quiet = ~np.any([(times > a - 0.1) & (times < b + 0.1) for a, b in part.turns], axis=0)
    assert np.abs(part.audio[quiet]).max() < 1e-3 < np.abs(part.audio).max()


def test_who_listens_keeps_the_mouth_shut(part):
    listens = ~during(part.turns, 0.3)
    assert listens.sum() > 100 and part.opening[listens].max() < 0.02
    assert part.opening[during(part.turns, -0.2)].mean() > 0.15


def test_who_listens_still_moves(part):
    listens = ~during(part.turns, 0.3)
    place = part.mouth[listens, :2]
    assert (np.ptp(place, axis=0) > 0.3).all()
    eyes = part.frames[listens, 48:66].astype(float)
    assert np.abs(eyes - eyes.mean(axis=0)).max() > 60


def test_nothing_jumps_where_a_turn_begins_or_ends(part):
    steps = np.abs(np.diff(part.mouth, axis=0)).max(axis=1)
    change = np.abs(np.diff(part.frames.astype(float), axis=0)).mean(axis=(1, 2, 3))
    borders = [round(edge * float(FPS)) for turn in part.turns for edge in turn]
    near = np.unique([np.clip(b + np.arange(-3, 4), 0, 358) for b in borders])
    assert steps.max() < 1
    assert change[near].max() < 1.5 * np.quantile(change, 0.95)


def test_the_mouth_box_holds_what_speech_moves(part):
    grey = part.frames.astype(float).mean(-1)
    speaks, listens = during(part.turns, -0.2), ~during(part.turns, 0.3)
    moved = np.clip(grey[speaks].var(axis=0) - grey[listens].var(axis=0), 0, None)
    moved[moved < 0.2 * moved.max()] = 0
    x, y, w, h = part.mouth.mean(axis=0)
    rows, columns = np.nonzero(moved)
    share = moved[int(y) : int(np.ceil(y + h)), int(x) : int(np.ceil(x + w))].sum() / moved.sum()
    assert share > 0.6 and w * h < 0.15 * grey[0].size
    assert abs((rows * moved[rows, columns]).sum() / moved.sum() - (y + h / 2)) < h / 3
    assert abs((columns * moved[rows, columns]).sum() / moved.sum() - (x + w / 2)) < w / 6


def test_the_same_seed_gives_the_same_film(part):
    again, other = (perform("t02", SLOTS, seconds=SECONDS, seed=seed) for seed in (3, 4))
    assert np.array_equal(again.frames, part.frames) and np.array_equal(again.audio, part.audio)
    assert not np.array_equal(other.audio, part.audio)


def test_who_walks_changes_place_by_tens_of_pixels_and_takes_the_box_along(part):
    walks = perform("t02", SLOTS, seconds=SECONDS, seed=3, moving=True)
    assert np.array_equal(walks.audio, part.audio)
    steps = walks.mouth[:, 0] - part.mouth[:, 0]
    assert np.ptp(steps) > 15 and np.abs(steps).max() <= 14.01
    assert walks.mouth[:, 0].min() > 0 and (walks.mouth[:, 0] + walks.mouth[:, 2]).max() < 88
    for t in np.flatnonzero(np.abs(steps) > 5)[::60]:
        way = round(float(steps[t]))
        still = part.frames[t, :, 25:63].astype(float)
        along = np.abs(walks.frames[t, :, 25 + way : 63 + way] - still).mean()
        assert along < 0.4 * np.abs(walks.frames[t, :, 25:63] - still).mean()


@given(seed=st.integers(0, 10**6))
def test_turns_overlap_only_after_the_shift_which_cuts_no_word(seed):
    first, second, seconds = take_turns(np.random.default_rng(seed))
    before = sorted(first + second)
    assert all(a[1] < b[0] for a, b in pairwise(before))
    shift = SHIFT / float(FPS)
    late = tuple((a + shift, b + shift) for a, b in first)
    assert second[0][0] >= shift and late[-1][1] <= seconds
    assert 30 <= seconds - shift <= 40
    alone = [sum(b - a for a, b in slots) for slots in solo([late, second])]
    spoken = sum(b - a for a, b in late)
    assert all(2 <= each <= 15 for each in alone) and spoken - alone[0] > 3


@pytest.mark.parametrize("wanted", [1, 4, 15])
def test_time_alone_can_be_asked_for_at_equal_overlap(wanted):
    first, second, _ = take_turns(np.random.default_rng(0), solo_seconds=wanted)
    late = tuple((a + 5.005, b + 5.005) for a, b in first)
    alone = [sum(b - a for a, b in slots) for slots in solo([late, second])]
    assert alone == pytest.approx([wanted, wanted], abs=1e-9)
    assert sum(b - a for a, b in late) - alone[0] == pytest.approx(2 * (5.005 - 0.4))


def test_alone_is_when_exactly_one_has_a_turn():
    turns = [((0.0, 4.0), (6.0, 8.0)), ((3.0, 5.0),), ((7.5, 9.0),)]
    assert solo(turns) == [((0.0, 3.0), (6.0, 7.5)), ((4.0, 5.0),), ((8.0, 9.0),)]


@pytest.mark.parametrize(
    "slots, options, told",
    [
        ((), {}, "one or more"),
        (((0.0, 3.0), (2.0, 5.0)), {}, "in order"),
        (((0.0, 9.0),), {}, "within 0 to 6 s"),
        (((0.0, 0.2),), {}, "less than 0.5 s"),
        (((0.0, 3.0),), {"rate": 100}, "rate"),
        (((0.0, 3.0),), {"seconds": 900}, "seconds"),
    ],
)
def test_slots_that_cannot_be_filled_are_refused(slots, options, told):
    with pytest.raises(ValueError, match=told):
        perform("t02", slots, **{"seconds": 6.0, **options})
    with pytest.raises(ValueError, match="solo_seconds"):
        take_turns(np.random.default_rng(0), solo_seconds=0)
