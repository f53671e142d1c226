"""The temporal Laplacian: what it adds up, and its eigenvectors."""

import numpy as np
import pytest
from scipy.fft import dct

from avsep_core.low_rank.coupled import temporal_laplacian

T, K = 8, 3


@pytest.mark.parametrize("width", [1, 2, 4])
def test_laplacian_adds_up_squared_differences_of_neighbours(rng, width):
    C, L = rng.normal(size=(K, T)), temporal_laplacian(T, width=width).numpy()
    pairs = sum(np.sum((C[:, d:] - C[:, :-d]) ** 2) for d in range(1, width + 1))
    assert np.trace(C @ L @ C.T) == pytest.approx(pairs)
    np.testing.assert_allclose(L @ np.ones(T), 0, atol=1e-15)


def test_laplacian_of_next_neighbours_is_diagonal_in_the_cosine_transform():
    L = temporal_laplacian(T).numpy()
    waves = dct(np.eye(T), norm="ortho", axis=0)
    values = 2 - 2 * np.cos(np.pi * np.arange(T) / T)
    np.testing.assert_allclose(waves @ L @ waves.T, np.diag(values), atol=1e-14)
