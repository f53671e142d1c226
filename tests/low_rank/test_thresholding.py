"""Two shrinking steps, each the exact answer to a small problem of its own."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from avsep_core.low_rank.thresholding import (
    blocks,
    gram,
    shrinking,
    singular_value_threshold,
    soft_threshold,
)

SHAPES = {"tall": (60, 12), "wide": (9, 40), "square": (15, 15), "one row": (1, 7)}


def by_svd(X, tau):
    """D_tau as it is defined, and the singular values that are left."""
    U, s, Vh = np.linalg.svd(X, full_matrices=False)
    return (U * np.maximum(s - tau, 0)) @ Vh, s[s > tau] - tau


@given(x=st.floats(-5, 5), tau=st.floats(0, 3))
def test_soft_threshold_is_the_least_of_its_sum(x, tau):
    found = float(soft_threshold(torch.tensor(x, dtype=torch.float64), tau))

    def cost(p):
        return tau * abs(p) + (p - x) ** 2 / 2

    other = minimize_scalar(cost, bounds=(-6, 6), method="bounded", options={"xatol": 1e-10})
    assert cost(found) <= other.fun + 1e-12
    assert found == pytest.approx(other.x, abs=1e-4)


def test_soft_threshold_leaves_exact_zeros_and_moves_the_rest_by_tau(rng):
    X = torch.from_numpy(rng.normal(size=(40, 30)))
    P = soft_threshold(X, 0.7)
    small = X.abs() <= 0.7
    assert (P[small] == 0).all()
    torch.testing.assert_close((X - P)[~small], 0.7 * X.sign()[~small])


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("share", [0.01, 0.3, 0.8])
def test_small_gram_matrix_gives_what_a_full_svd_gives(rng, shape, share):
    X = rng.normal(size=shape)
    tau = share * np.linalg.norm(X, 2)
    B, values = singular_value_threshold(torch.from_numpy(X), tau)
    wanted, left = by_svd(X, tau)
    np.testing.assert_allclose(B, wanted, atol=1e-10)
    np.testing.assert_allclose(values, left, atol=1e-10)


def test_float32_agrees_with_a_double_svd_to_six_digits_of_the_largest(rng):
    X = rng.normal(size=(400, 50)) @ np.diag(np.logspace(0, -3, 50))
    tau = 0.002 * np.linalg.norm(X, 2)
    B, _ = singular_value_threshold(torch.from_numpy(X).float(), tau)
    assert B.dtype == torch.float32
    assert np.linalg.norm(B.numpy() - by_svd(X, tau)[0], 2) < 1e-6 * np.linalg.norm(X, 2)


def test_rank_that_a_matrix_has_not_does_not_appear(rng):
    X = rng.normal(size=(50, 4)) @ rng.normal(size=(4, 20))
    B, values = singular_value_threshold(torch.from_numpy(X), 1e-3)
    assert len(values) == 4
    np.testing.assert_allclose(B, by_svd(X, 1e-3)[0], atol=1e-10)


def test_squaring_costs_half_the_digits_of_the_smallest_singular_values(rng):
    """A Gram matrix holds s squared: below 1e-8 of the largest, s drowns in rounding."""
    U, V = (np.linalg.qr(rng.normal(size=(n, 3)))[0] for n in (30, 10))
    for smallest, kept in ((1e-5, True), (1e-11, False)):
        X = (U * [1.0, 0.5, smallest]) @ V.T
        _, values = singular_value_threshold(torch.from_numpy(X), 0.0)
        assert bool(abs(values[2] - smallest) < 1e-3 * smallest) is kept


def test_shrunk_matrix_is_least_its_dual_certificate_says_so(rng):
    """B is least where W = (X - B) / tau has spectral norm 1 at most and <W, B> = |B|_*."""
    X, tau = rng.normal(size=(20, 8)), 3.0
    B, values = singular_value_threshold(torch.from_numpy(X), tau)
    W = (X - B.numpy()) / tau
    assert 0 < len(values) < 8
    assert np.linalg.norm(W, 2) <= 1 + 1e-12
    assert np.sum(W * B.numpy()) == pytest.approx(float(values.sum()))
    assert float(values.sum()) == pytest.approx(np.linalg.norm(B.numpy(), "nuc"))


@given(seed=st.integers(0, 99), size=st.floats(1e-4, 1))
def test_every_step_away_from_the_shrunk_matrix_costs_more(seed, size):
    rng = np.random.default_rng(seed)
    X, tau = rng.normal(size=(9, 6)), 1.5
    B = singular_value_threshold(torch.from_numpy(X), tau)[0].numpy()

    def cost(M):
        return tau * np.linalg.norm(M, "nuc") + np.sum((M - X) ** 2) / 2

    assert cost(B + size * rng.normal(size=X.shape)) > cost(B)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_nothing_survives_a_threshold_above_the_largest_singular_value(rng, shape):
    X = rng.normal(size=shape)
    B, values = singular_value_threshold(torch.from_numpy(X), 1.001 * np.linalg.norm(X, 2))
    assert B.shape == shape
    assert not B.any()
    assert len(values) == 0


def test_gram_is_whole_and_shrinking_reads_only_its_lower_half(rng):
    X = torch.from_numpy(rng.normal(size=(50, 11)))
    G = gram(X)
    torch.testing.assert_close(G, X.T @ X)
    W, values = shrinking(G, 2.0)
    torch.testing.assert_close(shrinking(G.tril(), 2.0), (W, values))
    torch.testing.assert_close(X @ W, torch.from_numpy(by_svd(X.numpy(), 2.0)[0]))


@given(rows=st.integers(1, 3000), columns=st.integers(1, 3000))
def test_blocks_cover_each_row_once(rows, columns):
    assert [k for b in blocks(rows, columns) for k in range(b.start, b.stop)] == list(range(rows))
