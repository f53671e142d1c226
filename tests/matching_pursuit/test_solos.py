"""What solo slots promise: found where planted, pure, long enough, never two at a time."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core.matching_pursuit.solos import solo_slots, weights


def speech(*stretches, every=0.1):
    """Atoms of equal energy, and whose they are: stretches are (source, start, end) in s."""
    time, owner = [], []
    for source, start, end in stretches:
        new = np.arange(start, end + 1e-9, every)
        time += [*new]
        owner += [source] * len(new)
    shares = np.array([[float(o == s) for o in owner] for s in (0, 1)])
    return SimpleNamespace(time=np.array(time), energy=np.ones(len(time))), shares


@given(a=st.floats(1.2, 8), pause=st.floats(0.0, 0.5), b=st.floats(1.2, 8))
def test_planted_solos_are_found_from_their_first_atom_to_their_last(a, pause, b):
    atoms, shares = speech((0, 0.5, 0.5 + a), (1, 0.6 + a + pause, 0.6 + a + pause + b))
    (first,), (second,) = solo_slots(shares, atoms, seconds=20)
    first_end, second_end = atoms.time[shares[0] > 0][-1], atoms.time[-1]
    np.testing.assert_allclose(first, (0.5, first_end), atol=0.041)
    np.testing.assert_allclose(second, (0.6 + a + pause, second_end), atol=0.041)


def test_where_both_talk_nobody_has_a_solo():
    atoms, shares = speech((0, 1, 6), (1, 1.05, 6))
    assert solo_slots(shares, atoms, seconds=8) == [[], []]


def test_a_shared_atom_breaks_a_solo_like_a_foreign_one():
    atoms, shares = speech((0, 1, 3))
    shares[:, 10] = 0.6, 0.4
    assert solo_slots(shares, atoms, seconds=4, delta=1.5, purity=1) == [[], []]


def test_one_faint_foreign_atom_breaks_the_slot_only_if_one_asks_for_all_atoms():
    atoms, shares = speech((0, 1, 3))
    shares[:, 10] = 0, 1
    atoms.energy[10] = 1e-3
    assert solo_slots(shares, atoms, seconds=4, delta=1.5, purity=1) == [[], []]
    ((slot,), nobody) = solo_slots(shares, atoms, seconds=4, delta=1.5)
    assert slot == pytest.approx((1, 3.02))
    assert nobody == []


def test_atoms_that_nobody_moved_with_neither_make_nor_break_a_slot():
    atoms, shares = speech((0, 1, 3), (1, 4, 6))
    shares[:, 5] = 0
    shares[:, atoms.time > 3.5] = 0
    (slot,), nobody = solo_slots(shares, atoms, seconds=7)
    assert slot == pytest.approx((1, 3.02))
    assert nobody == []


def test_a_solo_shorter_than_delta_is_none():
    atoms, shares = speech((0, 1, 2.2), (1, 3, 3.8), (0, 5, 6))
    mine, yours = solo_slots(shares, atoms, seconds=8, delta=1)
    assert [round(end - start, 1) for start, end in mine] == [1.2, 1.0]
    assert yours == []
    assert solo_slots(shares, atoms, seconds=8, delta=1.5) == [[], []]
    assert solo_slots(shares, atoms, seconds=8, delta=9) == [[], []]


def test_a_pause_for_breath_belongs_to_the_solo_and_the_silence_around_it_does_not():
    atoms, shares = speech((0, 2, 3), (0, 3.7, 5))
    ((slot,), _) = solo_slots(shares, atoms, seconds=9)
    assert slot == pytest.approx((2, 5.02))


@given(seed=st.integers(0, 99), purity=st.floats(0.5, 1), delta=st.floats(0.1, 2))
def test_slots_are_long_enough_in_order_and_never_two_at_a_time(seed, purity, delta):
    rng = np.random.default_rng(seed)
    atoms = SimpleNamespace(time=rng.uniform(0, 10, 300), energy=rng.exponential(size=300))
    turn = (atoms.time / 2.5).astype(int) % 2
    wrong = rng.uniform(size=300) < 0.03
    shares = np.stack([turn ^ wrong, 1 - (turn ^ wrong)]).astype(float)
    slots = solo_slots(shares, atoms, seconds=10, purity=purity, delta=delta)
    for own in slots:
        edges = [edge for slot in own for edge in slot]
        assert edges == sorted(edges)
        assert all(end - start > delta - 0.021 for start, end in own)
    assert (weights(slots, np.arange(0, 10, 0.01)).sum(axis=0) == 1).all()


def test_sources_that_are_not_there_have_no_slots():
    atoms, _ = speech((0, 1, 3))
    assert solo_slots(np.zeros((0, 21)), atoms, seconds=4) == []
    assert solo_slots(np.zeros((2, 21)), atoms, seconds=4) == [[], []]


def test_in_a_slot_the_soloist_has_all_the_weight_and_elsewhere_all_are_equal():
    w = weights([[(1.0, 2.0)], [(3.0, 5.0)]], np.array([0.5, 1.0, 1.9, 2.0, 4.0, 9.0]))
    np.testing.assert_array_equal(w[0], [0.5, 1, 1, 0.5, 0, 0.5])
    np.testing.assert_array_equal(w.sum(axis=0), 1)


def test_slots_of_two_soloists_must_not_overlap():
    with pytest.raises(ValueError, match="overlap"):
        weights([[(1.0, 3.0)], [(2.0, 4.0)]], np.arange(5.0))


def slots(**changed):
    atoms, shares = speech((0, 1, 3))
    given = {"shares": shares, "seconds": 4.0, **changed}
    return solo_slots(given.pop("shares"), atoms, **given)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: slots(delta=0), "delta is 0"),
        (lambda: slots(delta=np.nan), "delta is nan"),
        (lambda: slots(purity=0.2), "purity=0.2"),
        (lambda: slots(seconds=0), "seconds=0"),
        (lambda: slots(shares=np.ones((2, 9))), "shares of 9 audio atoms; the book has 21"),
        (lambda: slots(shares=np.full((2, 21), np.nan)), "NaN"),
        (lambda: weights([], np.arange(3.0)), "no source"),
        (lambda: weights([[]], np.array([np.nan])), "NaN"),
    ],
)
def test_bad_input_is_refused_with_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()
