"""Algorithm 1: the states that add up to the mixture, and the masks made of them."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core.matching_pursuit.spectral_gmm import SpectralGMM, fit
from avsep_core.matching_pursuit.wiener import (
    choose_states,
    refine,
    separate_mixture,
    wiener_masks,
)
from avsep_core.scores import bss_eval
from avsep_core.spectrogram import STFTS

STFT = STFTS["matching_pursuit"]
MEASURES = ["euclidean", "magnitude", "likelihood"]


def model(rng, states=3, bins=20):
    psd = np.exp(rng.normal(scale=2.0, size=(states, bins)))
    return SpectralGMM(rng.dirichlet(np.full(states, 9.0)), psd, np.empty(0))


def gaussian(rng, psd):
    """A spectrum with variances psd (frames, F): (F, frames) complex."""
    S = rng.normal(size=(2, *psd.shape)) / np.sqrt(2)
    return ((S[0] + 1j * S[1]) * np.sqrt(psd)).T


def cost(p, states, models, measure):
    r = sum(m.psd[i] for m, i in zip(models, states, strict=True))
    if measure == "euclidean":
        return np.sum((p - r) ** 2)
    if measure == "magnitude":
        return np.sum((np.sqrt(p) - np.sqrt(r)) ** 2)
    prior = sum(np.log(m.weights[i]) for m, i in zip(models, states, strict=True))
    return np.sum(np.log(r) + p / r) - prior


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("sources", [1, 2, 3])
def test_states_that_add_up_to_the_mixture_are_found(rng, sources, measure):
    models = [model(rng, states=3 + k) for k in range(sources)]
    truth = np.stack([rng.integers(len(m), size=50) for m in models])
    power = sum(m.psd[i] for m, i in zip(models, truth, strict=True)).T
    np.testing.assert_array_equal(choose_states(power, models, measure=measure), truth)


@pytest.mark.parametrize("measure", MEASURES)
def test_no_other_pair_of_states_comes_closer(rng, measure):
    models = [model(rng, 4), model(rng, 3)]
    power = np.exp(rng.normal(scale=2.0, size=(20, 30)))
    found = choose_states(power, models, measure=measure)
    for t in range(30):
        pairs = product(range(4), range(3))
        best = min(pairs, key=lambda pair, t=t: cost(power[:, t], pair, models, measure))
        assert tuple(found[:, t]) == best


def test_thousands_of_pairs_are_tried_piece_by_piece(rng):
    models = [model(rng, 70), model(rng, 80)]
    truth = np.array([[0, 69, 69, 31], [0, 79, 0, 42]])
    power = (models[0].psd[truth[0]] + models[1].psd[truth[1]]).T
    np.testing.assert_array_equal(choose_states(power, models), truth)


def test_on_power_the_loudest_bin_decides_alone():
    """A shout in one bin: its state wins by power, the state of all other bins by magnitude."""
    psd = np.array([[100.0, 4, 4, 4, 4, 4], [81.0, 1, 1, 1, 1, 1]])
    models = [SpectralGMM(np.full(2, 0.5), psd, np.empty(0))]
    power = np.array([[100.0, 1, 1, 1, 1, 1]]).T
    assert choose_states(power, models, measure="euclidean").item() == 0
    assert choose_states(power, models, measure="magnitude").item() == 1


@given(seed=st.integers(0, 99), sources=st.integers(1, 4))
def test_masks_sum_to_one_in_every_bin(seed, sources):
    rng = np.random.default_rng(seed)
    models = [model(rng) for _ in range(sources)]
    states = rng.integers(3, size=(sources, 30))
    masks = wiener_masks(states, models, rng.integers(3, size=(sources, 30)) / 2)
    assert (masks >= 0).all()
    np.testing.assert_allclose(masks.sum(axis=0), 1)


def test_masks_of_two_sources_are_the_printed_ones(rng):
    models, states = [model(rng), model(rng)], rng.integers(3, size=(2, 9))
    w = rng.uniform(0.1, 1, size=(2, 9))
    masks = wiener_masks(states, models, w)
    for t in range(9):
        r1, r2 = models[0].psd[states[0, t]], models[1].psd[states[1, t]]
        M1 = r1 * w[0, t] / (r1 * w[0, t] + r2 * w[1, t])
        np.testing.assert_allclose(masks[0, :, t], M1)
        np.testing.assert_allclose(masks[1, :, t], 1 - M1)


def test_who_sounds_alone_gets_the_whole_mixture_and_no_weights_mean_equal_ones(rng):
    models, states = [model(rng), model(rng)], rng.integers(3, size=(2, 3))
    weights = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    masks = wiener_masks(states, models, weights)
    np.testing.assert_array_equal(masks[0, :, 0], 1)
    np.testing.assert_array_equal(masks[0, :, 1], 0)
    np.testing.assert_array_equal(masks, wiener_masks(states, models, weights + [[0, 0, 0.5]]))


def test_voices_add_up_to_the_mixture(rng):
    mixture = rng.normal(size=5000)
    models = [model(rng, bins=STFT.bins) for _ in range(2)]
    weights = np.full((2, STFT.frames(5000)), 0.5)
    voices, masks, states = separate_mixture(mixture, STFT, models, weights)
    assert voices.shape == (2, 5000)
    assert masks.shape == (2, STFT.bins, STFT.frames(5000))
    assert states.shape == (2, STFT.frames(5000))
    np.testing.assert_allclose(voices.sum(axis=0), mixture, atol=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_low_and_a_high_noise_heard_alone_come_apart(rng, measure):
    low, high = (
        np.fft.irfft(np.fft.rfft(rng.normal(size=24000)) * band)
        for band in (np.arange(12001) < 5500, np.arange(12001) > 6500)
    )
    sources = np.stack([low, high])
    sources[0, 8000:16000] = sources[1, :8000] = 0
    mixture = sources.sum(axis=0)
    times = STFT.times(STFT.frames(24000))
    weights = np.full((2, len(times)), 0.5)
    weights[:, times < 1] = [[1], [0]]
    weights[:, (times >= 1) & (times < 2)] = [[0], [1]]
    power = np.abs(STFT.forward(mixture)) ** 2
    models = [fit(power[:, w == 1], n_states=2) for w in weights]
    voices, *_ = separate_mixture(mixture, STFT, models, weights, measure=measure)
    assert bss_eval(sources, voices, permute=False).sdr.min() > 12


@given(seed=st.integers(0, 99), sources=st.integers(1, 3))
def test_each_round_explains_the_mixture_at_least_as_well(seed, sources):
    rng = np.random.default_rng(seed)
    models = [model(rng, bins=6) for _ in range(sources)]
    power = np.exp(rng.normal(scale=2.0, size=(6, 40)))
    weights = np.full((sources, 40), 1 / sources)
    worst = np.inf
    for _ in range(4):
        states = choose_states(power, models, measure="likelihood")
        explained = sum(cost(power[:, t], states[:, t], models, "likelihood") for t in range(40))
        assert explained <= worst + 1e-9 * abs(worst)
        worst = explained
        models = refine(power, models, weights, rounds=1, measure="likelihood")


def test_true_models_stay_where_they_are_and_wrong_ones_come_closer(rng):
    true = [model(rng, 2) for _ in range(2)]
    labels = rng.integers(2, size=(2, 4000))
    S = [gaussian(rng, m.psd[i]) for m, i in zip(true, labels, strict=True)]
    power = np.abs(sum(S)) ** 2
    weights = np.full((2, 4000), 0.5)
    wrong = [
        SpectralGMM(m.weights, m.psd * np.exp(rng.normal(scale=0.7, size=m.psd.shape)), np.empty(0))
        for m in true
    ]

    def away(models):
        pairs = zip(models, true, strict=True)
        return np.mean([np.abs(np.log(m.psd / t.psd)).mean() for m, t in pairs])

    assert away(refine(power, true, weights, rounds=1, measure="likelihood")) < 0.05
    assert away(refine(power, wrong, weights, rounds=5, measure="likelihood")) < 0.6 * away(wrong)


def test_who_sounds_alone_learns_from_these_frames_as_they_are_and_nobody_else_does(rng):
    power = np.exp(rng.normal(size=(5, 8)))
    models = [SpectralGMM(np.ones(1), np.full((1, 5), 0.01), np.empty(0)) for _ in range(3)]
    weights = np.zeros((3, 8))
    weights[0, :5] = weights[1, 5:] = 1
    first, second, silent = refine(power, models, weights, rounds=1)
    np.testing.assert_allclose(first.psd[0], power[:, :5].mean(axis=1))
    np.testing.assert_allclose(second.psd[0], power[:, 5:].mean(axis=1))
    assert silent is models[2]


def test_no_round_leaves_the_models_and_unused_states_stay(rng):
    models = [model(rng, 3)]
    power = np.repeat(models[0].psd[[1]].T, 6, axis=1)
    weights = np.ones((1, 6))
    assert refine(power, models, weights, rounds=0) == models
    again = refine(power, models, weights)[0]
    np.testing.assert_allclose(again.psd, models[0].psd)
    assert again.weights.tolist() == [0, 1, 0]


def test_states_that_cannot_be_chosen_are_refused(rng):
    two = [model(rng), model(rng)]
    power = np.ones((20, 4))
    for power_given, models, measure, complaint in (
        (power, [], "euclidean", "no models"),
        (power, [model(rng), model(rng, bins=21)], "euclidean", r"\[20, 21\] bins"),
        (power[1:], two, "euclidean", "19 bins for a model of 20"),
        (-power, two, "euclidean", "negative"),
        (power * np.nan, two, "euclidean", "NaN"),
        (power, two, "cosine", "'cosine' is unknown"),
        (power, [model(rng, 101)] * 3, "euclidean", "101 x 101 x 101 combinations"),
    ):
        with pytest.raises(ValueError, match=complaint):
            choose_states(power_given, models, measure=measure)


def test_masks_that_mean_nothing_are_refused(rng):
    two = [model(rng), model(rng)]
    states, weights = np.zeros((2, 4), dtype=int), np.full((2, 4), 0.5)
    for states_given, weights_given, complaint in (
        (states[0], weights, r"states of shape \(4,\)"),
        (states[:1], weights, "for 2 models"),
        (states * 0.5, weights, "whole numbers"),
        (states + 3, weights, r"models of \[3, 3\] states"),
        (states - 1, weights, "from -1"),
        (states, weights[:, 1:], r"\(sources, frames\) = \(2, 4\)"),
        (states, weights + 0.6, "outside 0…1"),
        (states, weights - 0.6, "outside 0…1"),
        (states, weights * np.nan, "NaN"),
    ):
        with pytest.raises(ValueError, match=complaint):
            wiener_masks(states_given, two, weights_given)


def test_mixtures_that_cannot_be_separated_are_refused(rng):
    two = [model(rng, bins=STFT.bins) for _ in range(2)]
    mixture = rng.normal(size=4000)
    weights = np.full((2, STFT.frames(4000)), 0.5)
    with pytest.raises(ValueError, match="Average the channels"):
        separate_mixture(np.stack([mixture, mixture]), STFT, two, weights)
    with pytest.raises(ValueError, match="NaN"):
        separate_mixture(mixture * np.nan, STFT, two, weights)
    with pytest.raises(ValueError, match="at the frames of the mixture's transform"):
        separate_mixture(mixture, STFT, two, weights[:, 1:])
    with pytest.raises(ValueError, match="rounds is -1"):
        refine(np.ones((STFT.bins, 4)), two, np.full((2, 4), 0.5), rounds=-1)
