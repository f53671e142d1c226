"""Algorithm 1: the states that add up to the mixture, and the masks made of them."""

import numpy as np
import pytest

from avsep_core.matching_pursuit.spectral_gmm import SpectralGMM
from avsep_core.matching_pursuit.wiener import choose_states, separate_mixture, wiener_masks
from avsep_core.spectrogram import STFTS

STFT = STFTS["matching_pursuit"]


def model(rng, states=3, bins=20):
    psd = np.exp(rng.normal(scale=2.0, size=(states, bins)))
    return SpectralGMM(np.full(states, 1 / states), psd, np.empty(0))


@pytest.mark.parametrize("measure", ["euclidean", "likelihood"])
@pytest.mark.parametrize("sources", [1, 2, 3])
def test_states_that_add_up_to_the_mixture_are_found(rng, sources, measure):
    models = [model(rng, states=3 + k) for k in range(sources)]
    truth = np.stack([rng.integers(len(m), size=50) for m in models])
    power = sum(m.psd[i] for m, i in zip(models, truth, strict=True)).T
    np.testing.assert_array_equal(choose_states(power, models, measure=measure), truth)


def test_masks_sum_to_one_in_every_bin(rng):
    models = [model(rng) for _ in range(3)]
    states = rng.integers(3, size=(3, 50))
    masks = wiener_masks(states, models, rng.uniform(size=(3, 50)))
    assert (masks >= 0).all()
    np.testing.assert_allclose(masks.sum(axis=0), 1)


def test_voices_add_up_to_the_mixture(rng):
    mixture = rng.normal(size=5000)
    models = [model(rng, bins=STFT.bins) for _ in range(2)]
    weights = np.full((2, STFT.frames(5000)), 0.5)
    voices, masks, states = separate_mixture(mixture, STFT, models, weights)
    assert voices.shape == (2, 5000)
    assert masks.shape == (2, STFT.bins, STFT.frames(5000))
    assert states.shape == (2, STFT.frames(5000))
    np.testing.assert_allclose(voices.sum(axis=0), mixture, atol=1e-12)
