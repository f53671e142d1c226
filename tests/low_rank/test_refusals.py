"""Matrices and numbers of which nothing can be told: each is refused, and says what to do."""

import numpy as np
import pytest
import torch

from avsep_core.low_rank.coupled import decompose, temporal_laplacian
from avsep_core.low_rank.rpca import rpca

SETTINGS = dict(K=2, lambda1=0.3, lambda2=0.5, lambda3=0.01, mu=0.6, rho=1.3, iterations=3)
RPCA = dict(lam=1.0, mu=1.25, rho=1.5, iterations=3)
V = np.random.default_rng(0).random((12, 8))
A = np.random.default_rng(1).random((9, 8))


def spoiled(X, value):
    X = X.copy()
    X[3, 4] = value
    return X


MATRICES = {
    "one axis": (V[0], r"shape \(8,\)"),
    "pictures not yet in columns": (V[None], r"shape \(1, 12, 8\)"),
    "no rows": (V[:0], r"shape \(0, 8\)"),
    "one frame": (V[:, :1], "1 frames; two or more"),
    "silent": (0 * V, r"silent \(all zero\)"),
    "constant": (0 * V + 7, r"constant \(all 7\)"),
    "NaN": (spoiled(V, np.nan), "NaN or infinite"),
    "infinite": (spoiled(V, np.inf), "NaN or infinite"),
    "minus infinite": (spoiled(V, -np.inf), "NaN or infinite"),
    "complex": (V + 0j, "complex"),
    "complex tensor": (torch.from_numpy(V + 0j), "complex"),
    "text": (np.full((12, 8), "a"), "type <U1; give real numbers"),
    "nothing": (None, "type object; give real numbers"),
}


@pytest.mark.parametrize(("X", "complaint"), MATRICES.values(), ids=MATRICES)
def test_a_matrix_that_tells_nothing_is_refused_by_name(X, complaint):
    with pytest.raises(ValueError, match=f"the picture matrix V .*{complaint}"):
        decompose(X, A, **SETTINGS)
    with pytest.raises(ValueError, match=f"the sound matrix A .*{complaint}"):
        decompose(V, X, **SETTINGS)
    with pytest.raises(ValueError, match=f"the matrix X .*{complaint}"):
        rpca(X, **RPCA)


def test_different_numbers_of_frames_are_refused_with_a_way_out():
    with pytest.raises(ValueError, match=r"V has 8 frames and A has 7.*hop.*cut both"):
        decompose(V, A[:, :7], **SETTINGS)


NUMBERS = {
    "K": [0, -1, 2.5, np.nan, "two", None, 9],
    "lambda1": [0, -0.3, np.nan, np.inf, "much", None],
    "lambda2": [0, -0.5, np.nan],
    "lambda3": [0, -0.01, np.nan],
    "mu": [0, -1, np.inf, "small"],
    "rho": [0, -1, 0.99, np.nan, None],
    "iterations": [0, -1, 1.5, np.inf, "all"],
    "tolerance": [0, -1e-6, np.nan],
    "start": ["pca", None, 3],
}


@pytest.mark.parametrize(("name", "value"), [(n, x) for n, xs in NUMBERS.items() for x in xs])
def test_a_setting_beyond_its_range_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"{name} ?(=|is)"):
        decompose(V, A, **SETTINGS | {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("lam", 0), ("lam", np.nan), ("mu", -1), ("rho", 1), ("rho", "fast"), ("rho", np.nan)]
    + [("iterations", 0), ("iterations", 2.5), ("tolerance", 0)],
)
def test_robust_pca_refuses_the_same_and_a_penalty_that_does_not_grow(name, value):
    with pytest.raises(ValueError, match=f"{name} ?(=|is)"):
        rpca(V, **RPCA | {name: value})


def test_a_laplacian_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"L of shape \(7, 7\) for 8 frames"):
        decompose(V, A, **SETTINGS, L=temporal_laplacian(7))


def test_a_start_from_another_clip_is_refused():
    begun = decompose(V, A, **SETTINGS)
    for pixels, freq, K in ((11, 9, 2), (12, 8, 2), (12, 9, 3)):
        with pytest.raises(ValueError, match="same clip and K"):
            decompose(V[:pixels], A[:freq], **SETTINGS | {"K": K}, start=begun)
    with pytest.raises(ValueError, match="same clip and K"):
        decompose(V[:, :7], A[:, :7], **SETTINGS, start=begun)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64, np.float16, np.float32])
def test_counts_masks_and_short_floats_are_taken_as_float32(kind):
    whole = (10 * V).astype(kind) if kind is not bool else V > 0.5
    found = decompose(whole, A, **SETTINGS)
    wanted = decompose(whole.astype(np.float32), A.astype(np.float32), **SETTINGS)
    assert found.P_v.dtype == found.P_a.dtype == torch.float32
    assert torch.equal(found.P_v, wanted.P_v)
    assert rpca(whole, **RPCA).sparse.dtype == torch.float32


def test_tensors_lists_and_turned_arrays_are_taken_as_they_are():
    wanted = decompose(V, A, **SETTINGS).P_v
    tensor = torch.from_numpy(V).requires_grad_()
    turned = torch.from_numpy(V.T.copy()).T
    for given in (tensor, turned, V.tolist(), np.asfortranarray(V)):
        assert torch.equal(decompose(given, A, **SETTINGS).P_v, wanted)


@pytest.mark.parametrize("rows", [1, 2, 8, 40])
def test_fewer_rows_than_frames_and_as_many_components_as_frames_work(rows):
    X = np.random.default_rng(2).random((rows, 8))
    for V_, A_ in ((X, A), (V, X)):
        found = decompose(V_, A_, **SETTINGS | {"K": 8, "iterations": 60})
        assert np.isfinite(found.converged)
        assert found.converged < 1e-4
