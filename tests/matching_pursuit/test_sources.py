"""What the search for sources promises: their number, their places, who says what."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core.matching_pursuit.sources import assign, find_sources

MOUTHS = np.array([[44.0, 86.0], [132.0, 86.0]])


def crowd(places=MOUTHS, seed=0, moving=10, idle=40, kappa=10.0):
    """Video atoms: around each place some that move with the sound, and many that hardly do."""
    rng = np.random.default_rng(seed)
    near = [place + rng.normal(scale=5, size=(moving, 2)) for place in places]
    position = np.concatenate([*near, rng.uniform((0, 0), (176, 120), (idle, 2))])
    sure = rng.uniform(0.5, 1, len(position))
    sure[: moving * len(places)] *= kappa
    return position, sure


# Counting and placing


@given(seed=st.integers(0, 50), size=st.floats(22, 55))
def test_two_planted_sources_are_found_whatever_the_cluster_size(seed, size):
    found = find_sources(*crowd(seed=seed), cluster_size=size)
    assert len(found) == 2
    np.testing.assert_allclose(found.centroids, MOUTHS, atol=8)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_nobody_says_how_many_sources_there_are(n):
    places = np.stack([30 + 80 * np.arange(n), np.full(n, 60.0)], axis=1)
    found = find_sources(*crowd(places, idle=0), cluster_size=35)
    np.testing.assert_allclose(found.centroids, places, atol=5)


def test_sources_stand_from_left_to_right_also_when_the_right_one_is_surer():
    position, kappa = crowd(idle=0)
    kappa[10:] *= 2
    found = find_sources(position, kappa)
    assert (np.diff(found.centroids[:, 0]) > 0).all()
    assert found.confidence[1] > found.confidence[0]
    np.testing.assert_array_equal(found.members, np.repeat([0, 1], 10))


def test_a_centroid_is_the_mean_of_its_atoms_weighted_by_their_confidence():
    position = np.array([[10.0, 10.0], [20.0, 10.0], [90.0, 10.0]])
    found = find_sources(position, np.array([1.0, 3.0, 4.0]), cluster_size=20)
    np.testing.assert_allclose(found.centroids, [[17.5, 10], [90, 10]])
    np.testing.assert_allclose(found.confidence, [4, 4])


def test_members_are_all_atoms_closer_than_the_cluster_size_moving_or_not():
    position = np.array([[50.0, 50.0], [50.0, 69.9], [50.0, 70.1]])
    found = find_sources(position, np.array([1.0, 0.0, 0.0]), cluster_size=20)
    np.testing.assert_array_equal(found.members, [0, 0, -1])


def test_an_atom_between_two_sources_belongs_to_the_nearer_one():
    position = np.array([[20.0, 0.0], [70.0, 0.0], [44.0, 0.0], [46.0, 0.0]])
    found = find_sources(position, np.array([9.0, 9.0, 0.0, 0.0]), cluster_size=40)
    np.testing.assert_array_equal(found.members, [0, 1, 0, 1])


def test_a_cluster_that_is_hardly_sure_is_dropped():
    position = np.array([[20.0, 50.0], [150.0, 50.0]])
    assert len(find_sources(position, np.array([10.0, 2.9]), cluster_size=30, least=0.3)) == 1
    assert len(find_sources(position, np.array([10.0, 3.1]), cluster_size=30, least=0.3)) == 2


def test_how_loud_the_sound_is_does_not_change_the_sources():
    position, kappa = crowd()
    a, b = find_sources(position, kappa), find_sources(position, 1e-6 * kappa)
    np.testing.assert_allclose(a.centroids, b.centroids)
    np.testing.assert_array_equal(a.members, b.members)


def test_where_nothing_moves_with_the_sound_there_is_no_source_and_a_reason():
    found = find_sources(np.zeros((5, 2)), np.zeros(5))
    assert len(found) == 0
    assert found.centroids.shape == (0, 2)
    assert (found.members == -1).all()
    assert "no video atom moves with the sound" in found.reason
    assert find_sources(*crowd()).reason == ""


# Who says what


def test_the_factor_two_rule_gives_an_atom_to_one_source_or_shares_it():
    members = np.array([0, 0, 1, -1])
    chi = np.array(
        [
            [0.5, 0.5, 0.5, 9.0],  # H = 1, 0.5: twice as much
            [0.5, 0.4, 0.5, 9.0],  # H = 0.9, 0.5: not quite
            [0.0, 0.0, 0.1, 0.0],
            [0.0, 0.0, 0.0, 1.0],  # only an atom that is of no source moved
        ]
    )
    np.testing.assert_allclose(assign(chi, members, 2), [[1, 9 / 14, 0, 0], [0, 5 / 14, 1, 0]])


@given(seed=st.integers(0, 99), sources=st.integers(1, 4), ratio=st.floats(1, 10))
def test_shares_share_out_every_atom_that_anybody_moved_with(seed, sources, ratio):
    rng = np.random.default_rng(seed)
    chi = rng.uniform(size=(30, 12)) * (rng.uniform(size=(30, 12)) < 0.3)
    members = rng.integers(-1, sources, 12)
    shares = assign(chi, members, sources, ratio=ratio)
    assert (shares >= 0).all()
    heard = chi[:, members >= 0].any(axis=1)
    np.testing.assert_allclose(shares.sum(axis=0), heard)


@given(seed=st.integers(0, 99))
def test_a_stricter_ratio_never_gives_more_atoms_to_one_source(seed):
    chi = np.random.default_rng(seed).uniform(size=(50, 6))
    members = np.array([0, 0, 1, 1, 2, -1])
    owned = [(assign(chi, members, 3, ratio=r) == 1).sum() for r in (1.0, 1.5, 2.0, 4.0)]
    assert owned == sorted(owned, reverse=True)


def test_equal_claims_are_shared_equally_even_at_ratio_one():
    np.testing.assert_allclose(assign(np.ones((1, 2)), np.array([0, 1]), 2, ratio=1), 0.5)


def test_without_sources_there_is_nobody_to_give_atoms_to():
    assert assign(np.ones((4, 3)), np.full(3, -1), 0).shape == (0, 4)


def test_the_plain_sum_lets_many_atoms_outvote_one_mouth():
    # Source 0: a mouth and nine eyelashes that moved by chance. Source 1: a mouth.
    members = np.array([0] * 10 + [1])
    chi = np.array([[0.0] + [0.4] * 9 + [1.0]])
    kappa = np.array([50.0] + [5.0] * 9 + [50.0])
    assert assign(chi, members, 2)[:, 0].tolist() == [1, 0]
    assert assign(chi, members, 2, confidence=kappa)[:, 0].tolist() == [0, 1]


def test_a_member_that_is_three_times_as_sure_votes_nine_times():
    chi = np.array([[1.0, 0.0, 0.9]])
    shares = assign(chi, np.array([0, 0, 1]), 2, confidence=np.array([3.0, 1.0, 5.0]))
    np.testing.assert_allclose(shares[:, 0], [0.5, 0.5])


@given(seed=st.integers(0, 99), scale=st.floats(1e-6, 1e6))
def test_how_loud_the_sound_is_does_not_change_who_says_what(seed, scale):
    rng = np.random.default_rng(seed)
    chi, kappa = rng.uniform(size=(20, 8)), rng.uniform(size=8)
    members = rng.integers(-1, 2, 8)
    np.testing.assert_allclose(
        assign(chi, members, 2, confidence=kappa), assign(chi, members, 2, confidence=scale * kappa)
    )


def test_members_who_are_equally_sure_vote_as_their_mean():
    chi = np.array([[0.9, 0.3, 0.6]])
    members = np.array([0, 0, 1])
    shares = assign(chi, members, 2, confidence=np.full(3, 7.0))
    np.testing.assert_allclose(shares[:, 0], [0.5, 0.5])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: find_sources(np.zeros((3, 2)), np.zeros(4)), "4 confidences"),
        (lambda: find_sources(np.zeros((3, 3)), np.zeros(3)), r"expected \(N, 2\)"),
        (lambda: find_sources(np.full((3, 2), np.nan), np.ones(3)), "NaN"),
        (lambda: find_sources(np.zeros((1, 2)), np.array([-1.0])), "negative confidence"),
        (lambda: find_sources(*crowd(), cluster_size=0), "cluster_size is 0"),
        (lambda: find_sources(*crowd(), cluster_size=np.nan), "cluster_size is nan"),
        (lambda: find_sources(*crowd(), least=1.5), "least=1.5"),
        (lambda: assign(np.ones((2, 3)), np.zeros(2, int), 1), "3 video atoms"),
        (lambda: assign(np.ones((2, 3)), np.zeros(3), 1), "whole numbers"),
        (lambda: assign(np.ones((2, 3)), np.array([0, 1, 2]), 2), "other sources"),
        (lambda: assign(-np.ones((2, 3)), np.zeros(3, int), 1), "negative scores"),
        (lambda: assign(np.ones((2, 3)), np.zeros(3, int), 1, ratio=0.5), "ratio=0.5"),
        (lambda: assign(np.ones((2, 3)), np.zeros(3, int), -1), "n_sources is -1"),
        (
            lambda: assign(np.ones((2, 3)), np.zeros(3, int), 1, confidence=np.ones(2)),
            "for 3 video",
        ),
        (lambda: assign(np.ones((2, 1)), np.zeros(1, int), 1, confidence=[-1]), "the least -1"),
    ],
)
def test_bad_input_is_refused_with_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()
