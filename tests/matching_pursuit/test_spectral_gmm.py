"""What a spectral GMM learns from frames in which one source sounds alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from avsep_core.matching_pursuit.spectral_gmm import fit

BINS = 40


def planted(rng, *, states=3, frames=900, bins=BINS):
    """Power of frames drawn from known states: (F, frames), weights (Q,), psd (Q, F), labels."""
    weights = np.arange(states, 0, -1) / np.arange(1, states + 1).sum()
    psd = np.exp(rng.normal(scale=1.0, size=(states, bins)))
    labels = rng.choice(states, size=frames, p=weights)
    S = rng.normal(size=(2, frames, bins)) / np.sqrt(2)
    return ((S[0] ** 2 + S[1] ** 2) * psd[labels]).T, weights, psd, labels


def test_planted_states_are_found_again(rng):
    power, weights, psd, labels = planted(rng)
    model = fit(power, n_states=3)
    np.testing.assert_allclose(model.weights, weights, atol=0.05)
    # The mean of n exponential powers strays by 1/sqrt(n): 150 frames or more give 8 %.
    np.testing.assert_allclose(np.log(model.psd), np.log(psd), atol=0.4)
    assert (model.log_joint(power).argmax(axis=0) == labels).mean() > 0.99


@given(seed=st.integers(0, 999), states=st.integers(1, 6), floor=st.sampled_from([1e-9, 1e-2, 1]))
def test_the_likelihood_never_falls_with_any_floor(seed, states, floor):
    rng = np.random.default_rng(seed)
    power, *_ = planted(rng, states=4, frames=60, bins=5)
    found = fit(power, n_states=states, floor=floor, seed=seed).log_likelihood
    assert (np.diff(found) >= -1e-9 * np.abs(found[1:])).all()


def test_one_state_is_the_mean_power(rng):
    power, *_ = planted(rng)
    model = fit(power, n_states=1)
    assert model.weights.tolist() == [1.0]
    np.testing.assert_allclose(model.psd[0], power.mean(axis=1))
