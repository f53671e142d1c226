"""JIVE splits two modalities into what they share, what each has alone, and a rest."""

import numpy as np
import pytest
import torch

from avsep_core.low_rank.jive import Jive, jive, magnitude

ROWS = (60, 30)
T = 24
RANKS = {"rank": 2, "individual_ranks": (3, 3)}


def courses(rng, count, frames=T):
    """(frames, count) orthonormal time courses with mean zero."""
    Q = np.linalg.qr(np.column_stack([np.ones(frames), rng.normal(size=(frames, count))]))[0]
    return Q[:, 1:]


def planted(rng, *, noise=0.0, frames=T):
    """V and A with a joint part of rank 2, individual parts H of ranks 3 and 1, and a mean."""
    Q = courses(rng, 6, frames)
    own = (Q[:, 2:5], Q[:, 5:6])
    J, H, X = [], [], []
    for rows, U in zip(ROWS, own, strict=True):
        J.append(3 * rng.normal(size=(rows, 2)) @ Q[:, :2].T)
        H.append(2 * rng.normal(size=(rows, U.shape[1])) @ U.T)
        X.append(J[-1] + H[-1] + noise * rng.normal(size=(rows, frames)))
        X[-1] += 1 + np.abs(X[-1]).max() + rng.uniform(size=(rows, 1))
    return X, J, H


def centred(X):
    X = X - X.mean(axis=1, keepdims=True)
    return X / np.linalg.norm(X)


def cut(X, rank):
    """The best approximation of a rank, by a full SVD."""
    u, s, vt = np.linalg.svd(X, full_matrices=False)
    return (u[:, :rank] * s[:rank]) @ vt[:rank]


def printed(V, A, rank, own, iterations):
    """Lock's iterations line by line, on matrices of full size: J of the stack, I_v and I_a."""
    X = [centred(V), centred(A)]
    H = [np.zeros_like(x) for x in X]
    for _ in range(iterations):
        stack = np.vstack([x - i for x, i in zip(X, H, strict=True)])
        W = np.linalg.svd(stack, full_matrices=False)[2][:rank].T
        J = np.split(cut(stack, rank), [len(V)])
        away = np.eye(len(W)) - W @ W.T
        H = [cut((x - j) @ away, r) for x, j, r in zip(X, J, own, strict=True)]
    return J, H


def test_planted_joint_and_individual_parts_are_found_again(rng):
    (V, A), J, H = planted(rng)
    found = jive(V, A, rank=2, individual_ranks=(3, 1), tolerance=0, max_iterations=200)
    assert found.residuals[-1] < 1e-6
    for got, want in zip((found.J_v, found.J_a, found.I_v, found.I_a), (*J, *H), strict=True):
        np.testing.assert_allclose(got, want, atol=1e-3 * np.abs(want).max())


def test_noise_stays_in_the_rest(rng):
    (V, A), J, _ = planted(rng, noise=0.1, frames=80)
    found = jive(V, A, rank=2, individual_ranks=(3, 1))
    for got, want in zip((found.J_v, found.J_a), J, strict=True):
        assert np.linalg.norm(got - want) < 0.1 * np.linalg.norm(want)
    assert np.std(found.E_v) == pytest.approx(0.1, rel=0.15)


def test_small_matrices_give_what_the_printed_iterations_give(rng):
    V, A = rng.normal(size=(60, T)), rng.uniform(size=(30, T))
    J, H = printed(V, A, 2, (3, 1), iterations=400)
    found = jive(V, A, rank=2, individual_ranks=(3, 1), tolerance=0, max_iterations=400)
    for X, got in ((V, (found.J_v, found.I_v)), (A, (found.J_a, found.I_a))):
        k = 0 if X is V else 1
        scale = np.linalg.norm(X - X.mean(axis=1, keepdims=True))
        np.testing.assert_allclose(got[0] / scale, J[k], atol=1e-4)
        np.testing.assert_allclose(got[1] / scale, H[k], atol=1e-4)


def test_one_iteration_is_the_printed_one(rng):
    V, A = rng.normal(size=(60, T)), rng.uniform(size=(30, T))
    J, H = printed(V, A, 2, (3, 1), iterations=1)
    found = jive(V, A, rank=2, individual_ranks=(3, 1), max_iterations=1)
    scale = np.linalg.norm(V - V.mean(axis=1, keepdims=True))
    np.testing.assert_allclose(found.J_v / scale, J[0], atol=1e-6)
    np.testing.assert_allclose(found.I_v / scale, H[0], atol=1e-6)
    assert not found.converged


@pytest.mark.parametrize("ranks", [(1, (0, 0)), (2, (3, 1)), (5, (4, 9))])
def test_the_residual_never_grows_and_is_that_of_the_parts(rng, ranks):
    V, A = rng.normal(size=(60, T)), rng.uniform(size=(30, T)) ** 3
    found = jive(V, A, rank=ranks[0], individual_ranks=ranks[1], tolerance=0, max_iterations=60)
    assert (np.diff(found.residuals) <= 1e-12).all()
    parts = [
        np.linalg.norm(E) / np.linalg.norm(X - X.mean(axis=1, keepdims=True))
        for X, E in ((V, found.E_v), (A, found.E_a))
    ]
    assert found.residuals[-1] == pytest.approx(np.linalg.norm(parts) / np.sqrt(2), rel=1e-5)


def test_without_individual_parts_the_joint_part_is_the_svd_of_the_stack(rng):
    V, A = rng.normal(size=(60, T)), rng.uniform(size=(30, T))
    found = jive(V, A, rank=3, individual_ranks=(0, 0))
    want = cut(np.vstack([centred(V), centred(A)]), 3)[:60]
    np.testing.assert_allclose(found.J_v, want * np.linalg.norm(V - V.mean(1)[:, None]), atol=1e-5)
    assert not found.I_v.any()
    assert found.iterations == 2


def test_joint_rows_are_orthogonal_to_individual_rows_and_ranks_are_as_asked(rng):
    V, A = rng.normal(size=(60, T)), rng.uniform(size=(30, T))
    found = jive(V, A, rank=3, individual_ranks=(5, 2))
    for J, H, r in ((found.J_v, found.I_v, 5), (found.J_a, found.I_a, 2)):
        assert np.linalg.matrix_rank(J, tol=1e-4) == 3
        assert np.linalg.matrix_rank(H, tol=1e-4) == r
        assert np.abs(J @ H.T).max() < 1e-4
    np.testing.assert_allclose(found.scores.T @ found.scores, np.eye(3), atol=1e-12)


def test_mean_joint_individual_and_rest_make_the_whole(rng):
    V, A = rng.normal(size=(60, T)), rng.uniform(size=(30, T))
    found = jive(V, A, **RANKS)
    whole = found.J_a + found.I_a + found.E_a + A.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(whole, A, atol=1e-6)


def test_a_louder_sound_shares_the_same_with_the_picture(rng):
    V, A = rng.normal(size=(60, T)), rng.uniform(size=(30, T))
    a, b = (jive(V, gain * A, **RANKS) for gain in (1, 100))
    np.testing.assert_allclose(b.P_v, a.P_v, atol=1e-5)
    np.testing.assert_allclose(b.P_a, 100 * a.P_a, atol=1e-3)


def test_shared_sound_is_a_part_of_the_sound(rng):
    V, A = rng.normal(size=(60, T)), rng.uniform(size=(30, T))
    P_a = jive(V, A, rank=4, individual_ranks=(3, 3)).P_a
    assert (P_a >= 0).all()
    assert (P_a <= A.astype(np.float32)).all()


def test_a_row_gets_back_of_its_mean_what_is_shared_of_its_change(rng):
    shared, noise = 2 * courses(rng, 2).T
    A = 5 + np.vstack([shared, shared + noise, noise])
    P = magnitude(np.vstack([shared, shared, 0 * shared]), A)
    np.testing.assert_allclose(P.mean(axis=1), [5, 2.5, 0])
    np.testing.assert_allclose(P[0], A[0])


def test_tensors_come_back_as_tensors(rng):
    V, A = rng.normal(size=(60, T)), rng.uniform(size=(30, T))
    found = jive(torch.tensor(V), torch.tensor(A), **RANKS)
    assert isinstance(found, Jive)
    assert isinstance(found.P_v, torch.Tensor)
    np.testing.assert_array_equal(found.P_a.numpy(), jive(V, A, **RANKS).P_a)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda V, A: {"A": A[:, 1:]}, "V has 24 frames and A has 23"),
        (lambda V, A: {"V": V[:, :1], "A": A[:, :1]}, "two or more"),
        (lambda V, A: {"V": np.where(V > 0, np.nan, V)}, "NaN"),
        (lambda V, A: {"A": 0 * A}, "silent"),
        (lambda V, A: {"V": V[:, :1] + 0 * V}, "picture V is the same in all 24 frames"),
        (lambda V, A: {"A": A - 1}, "magnitudes"),
        (lambda V, A: {"rank": 0}, "rank is 0"),
        (lambda V, A: {"rank": 21}, "joint rank 21 and individual rank 3.*24 frames.*rank 23"),
        (lambda V, A: {"individual_ranks": (3, 28)}, "sound of 30 rows"),
        (lambda V, A: {"individual_ranks": 3}, "two numbers"),
        (lambda V, A: {"individual_ranks": (1, -1)}, "rank of the sound is -1"),
        (lambda V, A: {"max_iterations": 0}, "max_iterations is 0"),
        (lambda V, A: {"tolerance": -1}, "tolerance=-1"),
    ],
)
def test_what_cannot_be_split_is_refused(rng, change, complaint):
    V, A = rng.normal(size=(60, T)), rng.uniform(size=(30, T))
    with pytest.raises(ValueError, match=complaint):
        jive(**{"V": V, "A": A, **RANKS, **change(V, A)})
