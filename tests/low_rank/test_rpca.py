"""Robust PCA: what was planted comes back exactly, up to where theory says that it cannot."""

import numpy as np
import pytest
import torch

from avsep_core.low_rank.rpca import rpca

SETTINGS = dict(lam=1.0, mu=1.25, rho=1.2, iterations=200, tolerance=1e-7)


def planted(rng, rank, share, shape=(60, 60)):
    """A matrix of low rank and one with a share of large entries, (rows, columns) each."""
    B = rng.normal(size=(shape[0], rank)) @ rng.normal(size=(rank, shape[1]))
    P = np.where(rng.random(shape) < share, 10 * rng.normal(size=shape), 0.0)
    return B, P


def error(found, truth):
    return np.linalg.norm(found.numpy() - truth) / np.linalg.norm(truth)


@pytest.mark.parametrize("shape", [(60, 60), (150, 40), (40, 150)])
def test_planted_parts_are_recovered_exactly(rng, shape):
    B, P = planted(rng, 3, 0.05, shape)
    found = rpca(B + P, **SETTINGS)
    assert error(found.low_rank, B) < 1e-5
    assert error(found.sparse, P) < 1e-5
    assert found.ranks[-1] == 3


def test_spoiled_entries_are_found_one_by_one(rng):
    B, P = planted(rng, 3, 0.05)
    found = rpca(B + P, **SETTINGS).sparse.numpy()
    np.testing.assert_array_equal(np.abs(found) > 1e-3, np.abs(P) > 1e-3)


def test_recovery_has_two_sides_and_a_sharp_edge(rng):
    """The phase transition: exact where rank and share are small, far off where either is not."""
    errors = {
        (rank, share): error(rpca(B + P, **SETTINGS).low_rank, B)
        for rank in (2, 5, 25)
        for share in (0.02, 0.08, 0.5)
        for B, P in [planted(rng, rank, share)]
    }
    for (rank, share), e in errors.items():
        if rank <= 5 and share <= 0.08:
            assert e < 1e-5
        else:
            assert e > 0.05


def test_both_parts_add_up_to_the_matrix_as_well_as_the_last_residual_says(rng):
    X = sum(planted(rng, 4, 0.1))
    for iterations in (5, 20, 200):
        found = rpca(X, **SETTINGS | {"iterations": iterations})
        gap = np.linalg.norm(X - (found.low_rank + found.sparse).numpy()) / np.linalg.norm(X)
        assert gap == pytest.approx(found.residuals[-1], rel=1e-6)
        assert len(found.residuals) == len(found.ranks) <= iterations


def test_residuals_fall_below_the_tolerance_and_then_it_stops(rng):
    X = sum(planted(rng, 3, 0.05))
    for tolerance in (1e-3, 1e-7):
        r = rpca(X, **SETTINGS | {"tolerance": tolerance}).residuals
        assert r[-1] < tolerance <= min(r[:-1])
        assert len(r) < 200


def test_more_weight_on_the_sparse_part_leaves_fewer_entries_in_it(rng):
    X = sum(planted(rng, 3, 0.05)) + 0.1 * rng.normal(size=(60, 60))
    counts = [
        int((rpca(X, **SETTINGS | {"lam": lam}).sparse.abs() > 1e-4).sum())
        for lam in (0.5, 1.0, 2.0)
    ]
    assert counts[0] > counts[1] > counts[2] > 0


def test_no_split_made_for_another_weight_costs_less(rng):
    B, P = planted(rng, 3, 0.05, (80, 30))
    X = B + P + 0.3 * rng.normal(size=B.shape)
    slow = SETTINGS | {"rho": 1.05, "iterations": 500}

    def cost(lam):
        found = rpca(X, **slow | {"lam": lam})
        sparse = np.abs(found.sparse.numpy()).sum() / np.sqrt(80)
        return np.linalg.norm(found.low_rank.numpy(), "nuc") + sparse

    assert cost(1.0) < min(cost(0.95), cost(1.05)) * (1 - 1e-5)


def test_scale_of_the_matrix_does_not_matter(rng):
    X = sum(planted(rng, 3, 0.05))
    for factor in (1e-3, 255.0):
        small, large = rpca(X, **SETTINGS), rpca(factor * X, **SETTINGS)
        np.testing.assert_allclose(large.sparse / factor, small.sparse, atol=1e-8)


def test_turned_matrix_gives_turned_parts(rng):
    X = sum(planted(rng, 3, 0.05, (90, 40)))
    there, back = rpca(X, **SETTINGS), rpca(X.T, **SETTINGS)
    torch.testing.assert_close(there.low_rank, back.low_rank.T)
    torch.testing.assert_close(there.sparse, back.sparse.T)


def test_float32_recovers_to_five_digits(rng):
    B, P = planted(rng, 3, 0.05)
    found = rpca((B + P).astype(np.float32), **SETTINGS | {"tolerance": 1e-6})
    assert found.sparse.dtype == torch.float32
    assert found.residuals[-1] < 1e-6
    assert error(found.low_rank, B) < 1e-5
