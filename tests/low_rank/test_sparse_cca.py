"""Sparse CCA finds the fewest pixels that move as the sound does."""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from avsep_core.low_rank.sparse_cca import bands, least_weights, sparse_cca

EXACT = {"tolerance": 1e-6, "n_components": 1}


def noise(rng, *, pixels=80, rows=12, frames=20):
    """A picture and a sound that have nothing in common."""
    return rng.normal(size=(pixels, frames)), rng.uniform(size=(rows, frames))


def planted(rng, *, frames=40, shape=(6, 8)):
    """A picture in which four pixels move as the loudness of the low rows, and where they are."""
    A = rng.uniform(size=(12, frames))
    A[:4] = rng.uniform(size=frames) ** 2 * np.array([[3.0], [2.0], [2.0], [3.0]])
    V = 0.1 * rng.normal(size=(*shape, frames))
    where = np.zeros(shape, bool)
    where[2:4, 4:6] = True
    V[where] = A[0] * rng.uniform(0.8, 1.2, size=(4, 1))
    return V.reshape(-1, frames), A, where.ravel()


def by_one_program(Z, b, s):
    """The same least weights with every pixel in one linear program, on one face."""
    n, d = Z.shape
    A_eq = np.zeros((d + 1, 2 * n + len(b)))
    A_eq[:d] = np.hstack([Z.T, -Z.T, -(np.array(s)[:, None] * b).T])
    A_eq[d, 2 * n :] = 1
    c = np.append(np.ones(2 * n), np.zeros(len(b)))
    return linprog(c, A_eq=A_eq, b_eq=np.append(np.zeros(d), 1)).fun


def test_pixels_of_noise_follow_any_sound_exactly_in_the_frames_that_were_seen(rng):
    V, A = noise(rng)
    found = sparse_cca(V, A, n_bands=4, **EXACT)
    assert found.correlation[0] > 1 - 1e-6


def test_in_frames_never_seen_noise_follows_nothing_and_planted_pixels_still_follow(rng):
    follows = []
    for V, A in (noise(rng, frames=40), planted(rng)[:2]):
        found = sparse_cca(V[:, :20], A[:, :20], n_bands=1, **EXACT)
        new = found.w_v[:, 0] @ V[:, 20:]
        follows.append(np.corrcoef(new, A[:, 20:].sum(axis=0))[0, 1])
    assert abs(follows[0]) < 0.5
    assert follows[1] > 0.6


def test_the_weights_solve_the_equation_and_the_bands_weigh_one(rng):
    V, A = noise(rng)
    found = sparse_cca(V, A, n_bands=3, **EXACT, signs="any")
    moves = V - V.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(
        moves.T @ found.w_v[:, 0], bands(A, 3).T @ found.w_a[:, 0], atol=1e-6
    )
    assert np.abs(found.w_a).sum() == pytest.approx(1)


@pytest.mark.parametrize("signs", ["same", "any"])
def test_few_pixels_at_a_time_cost_what_all_at_once_cost(rng, signs):
    Z, b = rng.normal(size=(200, 12)), rng.normal(size=(3, 12))
    cost, w, u = least_weights(Z, b, signs=signs)
    faces = [(1, 1, 1)]
    if signs == "any":
        faces += [(1, 1, -1), (1, -1, 1), (1, -1, -1)]
    assert cost == pytest.approx(min(by_one_program(Z, b, s) for s in faces), rel=1e-6)
    assert np.abs(w).sum() == pytest.approx(cost)
    np.testing.assert_allclose(Z.T @ w, b.T @ u, atol=1e-8)
    assert (u >= 0).all() or signs == "any"


def test_planted_pixels_are_found(rng):
    V, A, where = planted(rng)
    energy = (sparse_cca(V, A, n_bands=2, **EXACT).P_v ** 2).sum(axis=1)
    assert energy[where].sum() > 0.9 * energy.sum()


def test_nothing_planted_costs_less_than_what_is_found(rng):
    V, A = noise(rng)
    V[7] = 4 * bands(A, 2)[0] + 3
    found = sparse_cca(V, A, n_bands=2, **EXACT)
    norm = np.linalg.norm(V - V.mean(axis=1, keepdims=True))
    assert found.cost[0] <= norm / 4 * (1 + 1e-6)
    assert found.cost[0] == pytest.approx(norm * np.abs(found.w_v).sum())


def test_all_signs_cost_no_more_than_one_sign(rng):
    V, A = noise(rng)
    one, all_ = (sparse_cca(V, A, n_bands=4, signs=s, **EXACT) for s in ("same", "any"))
    assert all_.cost[0] <= one.cost[0] * (1 + 1e-9)
    assert (one.w_a >= 0).all()


def test_each_component_follows_a_new_sound(rng):
    V, A = noise(rng, rows=30)
    found = sparse_cca(V, A, n_bands=4, tolerance=1e-6)
    np.testing.assert_allclose(found.variates.T @ found.variates, np.eye(4), atol=1e-8)
    np.testing.assert_allclose(found.correlation, 1, atol=1e-5)
    np.testing.assert_allclose(np.abs(found.w_a).sum(axis=0), 1)


def test_a_tolerance_leaves_faint_motion_unexplained_with_fewer_pixels(rng):
    V, A, _ = planted(rng)
    loose, exact = (sparse_cca(V, A, n_bands=1, tolerance=t) for t in (0.5, 1e-6))
    assert np.count_nonzero(loose.w_v) < np.count_nonzero(exact.w_v)
    assert loose.correlation[0] < exact.correlation[0]


def test_wavelets_find_regions_where_pixels_find_dots(rng):
    V, A, _ = planted(rng, shape=(12, 16))
    V += 0.3 * rng.normal(size=V.shape)
    used = []
    for shape in (None, (12, 16)):
        found = sparse_cca(V, A, n_bands=1, tolerance=0.2, shape=shape)
        used.append(np.count_nonzero(np.abs(found.P_v).max(axis=1) > 1e-6))
    assert used[1] > 2 * used[0]


def test_wavelet_weights_solve_the_same_equation(rng):
    V, A = noise(rng, pixels=7 * 9)
    found = sparse_cca(V, A, n_bands=2, shape=(7, 9), **EXACT)
    moves = V - V.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(
        moves.T @ found.w_v[:, 0], bands(A, 2).T @ found.w_a[:, 0], atol=1e-6
    )


def test_parts_are_parts_of_picture_and_sound(rng):
    V, A = noise(rng)
    found = sparse_cca(V, A, n_bands=4)
    assert (np.abs(found.P_v) <= np.abs(V.astype(np.float32))).all()
    assert (found.P_a >= 0).all()
    assert (found.P_a <= A.astype(np.float32)).all()
    tensors = sparse_cca(torch.tensor(V), torch.tensor(A), n_bands=4)
    np.testing.assert_array_equal(tensors.P_v.numpy(), found.P_v)
    assert isinstance(tensors.P_a, torch.Tensor)


def test_with_a_component_for_each_band_the_sound_found_owes_nothing_to_the_picture(rng):
    V, A = noise(rng)
    for n, same in ((4, True), (1, False)):
        a, b = (sparse_cca(X, A, n_bands=4, n_components=n).P_a for X in (V, V[:, ::-1]))
        assert np.allclose(a, b, atol=1e-4) == same


def test_a_louder_sound_picks_the_same_pixels(rng):
    V, A = noise(rng)
    a, b = (sparse_cca(v * V, a * A, n_bands=4) for v, a in ((1, 1), (3, 100)))
    np.testing.assert_allclose(b.P_v, 3 * a.P_v, atol=1e-4)
    np.testing.assert_allclose(b.P_a, 100 * a.P_a, rtol=1e-4, atol=1e-4)


def test_bands_share_the_change_and_none_is_silent(rng):
    A = rng.uniform(size=(40, 30)) * np.linspace(2, 0, 40)[:, None] + 1
    A[0] *= 30
    B = bands(A, 6)
    np.testing.assert_allclose(np.linalg.norm(B, axis=1), 1)
    np.testing.assert_allclose(B.mean(axis=1), 0, atol=1e-12)
    assert B[0] @ (A[0] - A[0].mean()) == pytest.approx(np.linalg.norm(A[0] - A[0].mean()))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda V, A: {"A": A[:, 1:]}, "V has 20 frames and A has 19"),
        (lambda V, A: {"V": V[:, :1], "A": A[:, :1]}, "two or more"),
        (lambda V, A: {"V": np.where(V > 0, np.nan, V)}, "NaN"),
        (lambda V, A: {"A": 0 * A}, "silent"),
        (lambda V, A: {"V": V[:, :1] + 0 * V}, "picture V is the same in all 20 frames"),
        (lambda V, A: {"A": A - 1}, "magnitudes"),
        (lambda V, A: {"n_bands": 0}, "n_bands is 0"),
        (lambda V, A: {"n_bands": 13}, "13 bands of 12 rows"),
        (lambda V, A: {"n_bands": 2, "n_components": 3}, "3 components of 2 bands"),
        (lambda V, A: {"n_bands": 11, "signs": "any"}, "1024 linear programs"),
        (lambda V, A: {"signs": "both"}, "signs='both'"),
        (lambda V, A: {"tolerance": 0}, "tolerance=0"),
        (lambda V, A: {"shape": (7, 9)}, "63 pixels and V has 80 rows"),
    ],
)
def test_what_cannot_be_correlated_is_refused(rng, change, complaint):
    V, A = noise(rng)
    with pytest.raises(ValueError, match=complaint):
        sparse_cca(**{"V": V, "A": A, "n_bands": 4, **change(V, A)})


def test_bands_that_cancel_where_the_picture_moves_are_refused(rng):
    V, A = noise(rng)
    V = V[:, :1] * np.sin(np.arange(20))
    A[0], A[1:] = np.arange(20), A[1:] / 10
    A[6] = 10 * np.arange(20)[::-1]
    with pytest.raises(ValueError, match="lower tolerance"):
        sparse_cca(V, A, n_bands=2)


def test_dependent_pixels_are_refused(rng):
    Z = np.repeat(rng.normal(size=(3, 5)), 4, axis=0)
    with pytest.raises(ValueError, match="12 pixels do not span 5 equations"):
        least_weights(Z, rng.normal(size=(2, 5)))
