"""k-means, k-POD, masks and the best order of frames."""

import numpy as np
import pytest
import torch

from avsep_core.deep_clustering import clustering


@pytest.fixture
def blobs():
    """Three round clouds far apart: points (300, 4), which cloud each is of (300,)."""
    rng = np.random.default_rng(0)
    which = np.repeat(np.arange(3), 100)
    return np.eye(4)[which] * 5 + rng.normal(0, 0.3, (300, 4)), which


def same_groups(a, b):
    """Whether two labellings differ in names alone."""
    return len(set(zip(a.tolist(), b.tolist(), strict=True))) == len(set(a)) == len(set(b))


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_clouds_far_apart_are_found(blobs, kind):
    points, which = blobs
    labels, centroids = clustering.kmeans(kind(points), 3, seed=4)
    assert same_groups(labels, which)
    assert np.allclose(centroids[labels[0]], points[:100].mean(axis=0))


def test_torch_and_scikit_learn_end_in_the_same_place(blobs):
    points, _ = blobs
    one = clustering.kmeans(points, 3)[1]
    two = clustering.kmeans(torch.from_numpy(points), 3)[1]
    assert np.allclose(np.sort(one, axis=0), np.sort(two, axis=0), atol=1e-6)


def test_kpod_with_nothing_missing_is_kmeans(blobs):
    points, _ = blobs
    plain = clustering.kmeans(points, 3, seed=1)
    pod = clustering.kpod(points, np.ones(points.shape, bool), 3, seed=1)
    assert np.array_equal(plain[0], pod[0])
    assert np.array_equal(plain[1], pod[1])


def test_kpod_groups_points_by_what_is_left_of_them(blobs):
    points, which = blobs
    rng = np.random.default_rng(1)
    observed = rng.random(points.shape) < 0.8
    observed[::5] = True
    observed[np.arange(300), which] = True  # what tells a cloud from the others is seen
    spoilt = np.where(observed, points, np.nan)
    labels, centroids = clustering.kpod(spoilt, observed, 3)
    assert same_groups(labels, which)
    assert np.isfinite(centroids).all()


def test_kpod_needs_no_point_of_which_all_is_seen(blobs):
    """Two faces that are never seen at once, and what is heard all the time ties them together."""
    points, which = np.tile(blobs[0], (1, 3)), blobs[1]
    observed = np.ones(points.shape, bool)
    observed[::2, 4:8] = observed[1::2, 8:] = False
    labels, centroids = clustering.kpod(np.where(observed, points, np.nan), observed, 3)
    assert same_groups(labels, which)
    assert np.allclose(centroids[labels[0], :4], points[:100, :4].mean(axis=0))


def test_what_stands_in_a_missing_entry_does_not_count(blobs, rng):
    points, _ = blobs
    observed = rng.random(points.shape) < 0.7
    observed[:60] = True
    found = [
        clustering.kpod(np.where(observed, points, x), observed, 3)[0] for x in (0, 99, np.nan)
    ]
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[0], found[2])


def test_masks_count_clustered_bins_whole_and_others_evenly():
    counted = np.array([[True, False], [True, True]])  # (frames, freq)
    made = clustering.masks(np.array([0, 1, 1]), counted, 2)
    assert made.tolist() == [[[1, 0], [0.5, 0]], [[0, 1], [0.5, 1]]]


def test_best_frames_undo_swaps_of_frames():
    rng = np.random.default_rng(2)
    ideal = (rng.random((2, 20, 30)) < 0.5).astype(float)
    ideal[1] = 1 - ideal[0]
    swapped = ideal.copy()
    swapped[:, :, 10:17] = swapped[::-1, :, 10:17]
    assert np.array_equal(clustering.best_frames(swapped, ideal), ideal)


def test_best_frames_know_whose_it_is_where_one_voice_speaks_alone():
    ideal = np.zeros((2, 20, 6))
    ideal[0, :, :3] = ideal[1, :, 3:] = 1
    assert np.array_equal(clustering.best_frames(ideal[:, :, ::-1], ideal), ideal)
    unsure = np.full(ideal.shape, 0.5)
    unsure[0, 0], unsure[1, 0] = 1, 0
    silent = np.zeros(ideal.shape)
    assert np.array_equal(clustering.best_frames(unsure, silent), unsure), "no reason to change"


def test_best_frames_of_three_voices_may_be_soft_and_turned_round():
    rng = np.random.default_rng(3)
    ideal = rng.random((3, 20, 12))
    turned = ideal.copy()
    turned[:, :, 5:] = turned[[1, 2, 0], :, 5:]
    soft = 0.3 + 0.5 * turned
    assert np.allclose(clustering.best_frames(soft, ideal), 0.3 + 0.5 * ideal)


@pytest.mark.parametrize(
    ("points", "clusters", "words"),
    [
        (np.zeros((1, 3)), 2, "at least one point a cluster"),
        (np.zeros(5), 2, "dimensions"),
        (np.full((5, 2), np.nan), 2, "kpod"),
        (torch.full((5, 2), torch.nan), 2, "kpod"),
    ],
)
def test_bad_points_are_refused(points, clusters, words):
    with pytest.raises(ValueError, match=words):
        clustering.kmeans(points, clusters)


def test_kpod_refuses_dimensions_that_are_never_seen():
    observed = np.ones((6, 3), bool)
    observed[:, 2] = False
    with pytest.raises(ValueError, match=r"1 of 3 dimensions are never observed.*always missing"):
        clustering.kpod(np.zeros((6, 3)), observed, 2)
    with pytest.raises(ValueError, match="same shape"):
        clustering.kpod(np.zeros((6, 3)), observed[:2], 2)
