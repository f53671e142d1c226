"""What a spectral GMM learns from frames in which one source sounds alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from avsep_core.matching_pursuit.spectral_gmm import FLOOR, N_STATES, SpectralGMM, fit
from avsep_core.spectrogram import STFTS
from avsep_core.synthetic.talkers import SPLITS, speak_audio

STFT = STFTS["matching_pursuit"]


def planted(rng, *, states=3, frames=900, bins=40):
    """Power of frames drawn from known states: (F, frames), weights (Q,), psd (Q, F), labels."""
    weights = np.arange(states, 0, -1) / np.arange(1, states + 1).sum()
    psd = np.exp(rng.normal(scale=1.0, size=(states, bins)))
    labels = rng.choice(states, size=frames, p=weights)
    S = rng.normal(size=(2, frames, bins)) / np.sqrt(2)
    return ((S[0] ** 2 + S[1] ** 2) * psd[labels]).T, weights, psd, labels


def spoken(talker, seed):
    sound = speak_audio(talker, kind="digits", seed=seed, seconds=4, rate=8000)
    return np.abs(STFT.forward(sound)) ** 2


def test_planted_states_are_found_again(rng):
    power, weights, psd, labels = planted(rng)
    model = fit(power, n_states=3)
    np.testing.assert_allclose(model.weights, weights, atol=0.05)
    # The mean of n exponential powers strays by 1/sqrt(n), 8 % for the rarest state.
    np.testing.assert_allclose(np.log(model.psd), np.log(psd), atol=0.4)
    assert (model.log_joint(power).argmax(axis=0) == labels).mean() > 0.99


@given(seed=st.integers(0, 999), states=st.integers(1, 6), floor=st.sampled_from([1e-9, 1e-2, 1]))
def test_the_likelihood_never_falls_with_any_floor(seed, states, floor):
    power, *_ = planted(np.random.default_rng(seed), states=4, frames=60, bins=5)
    found = fit(power, n_states=states, floor=floor, seed=seed).log_likelihood
    assert (np.diff(found) >= -1e-9 * np.abs(found[1:])).all()


def test_em_starts_where_each_state_is_the_mean_of_the_frames_nearest_to_it(rng):
    power, *_ = planted(rng)
    psd = fit(power, n_states=6, n_iterations=0, floor=1e-12).psd
    near = np.linalg.norm(power.T[:, None] - psd, axis=2).argmin(axis=1)
    means = [power[:, near == i].mean(axis=1) for i in range(6)]
    np.testing.assert_allclose(psd, means)


def test_em_climbs_above_its_k_means_start(rng):
    power, *_ = planted(rng, bins=4)
    found = fit(power, n_states=5).log_likelihood
    assert len(found) > 3
    assert found[-1] > found[0] + 0.05


def test_a_step_is_the_two_printed_formulas(rng):
    power, *_ = planted(rng, frames=50, bins=3)
    start = fit(power, n_states=4, n_iterations=0)
    g = np.empty((4, 50))
    for t in range(50):
        for i in range(4):
            r = start.psd[i]
            g[i, t] = start.weights[i] * np.prod(np.exp(-power[:, t] / r) / (np.pi * r))
        g[:, t] /= g[:, t].sum()
    least = FLOOR * power.mean()
    u = g.sum(axis=1) / 50
    r = [
        np.maximum(sum(g[i, t] * power[:, t] for t in range(50)) / sum(g[i]), least)
        for i in range(4)
    ]
    step = fit(power, n_states=4, n_iterations=1)
    order = np.argsort(-u)
    np.testing.assert_allclose(step.weights, u[order])
    np.testing.assert_allclose(step.psd, np.array(r)[order])


def test_a_complex_gaussian_is_two_real_ones(rng):
    S = rng.normal(size=(3, 10)) + 1j * rng.normal(size=(3, 10))
    psd = rng.uniform(0.5, 2, size=(1, 3))
    model = SpectralGMM(np.ones(1), psd, np.empty(0))
    half = norm(scale=np.sqrt(psd[0] / 2)[:, None])
    expected = (half.logpdf(S.real) + half.logpdf(S.imag)).sum(axis=0)
    np.testing.assert_allclose(model.log_joint(np.abs(S) ** 2)[0], expected)


def test_one_state_is_the_mean_power(rng):
    power, *_ = planted(rng)
    model = fit(power, n_states=1)
    assert model.weights.tolist() == [1.0]
    np.testing.assert_allclose(model.psd[0], power.mean(axis=1))


def test_a_state_of_one_frame_is_held_up_by_the_floor():
    power = np.array([[100.0, 0.0], [0.0, 0.0], [0.0, 50.0]])
    model = fit(power, n_states=2, floor=0.1)
    least = 0.1 * 150 / 6
    expected = [[least, least, 50], [100, least, least]]
    np.testing.assert_allclose(sorted(model.psd.tolist()), expected, rtol=1e-6)
    assert np.isfinite(model.log_likelihood).all()


def test_silent_frames_teach_nothing(rng):
    power, *_ = planted(rng, frames=100)
    gaps = np.zeros((40, 60))
    gaps[:, 30:] = 1e-8 * power.mean()
    with_gaps = fit(np.hstack([power, gaps]), n_states=3)
    np.testing.assert_allclose(with_gaps.psd, fit(power, n_states=3).psd)


def test_a_louder_talker_has_the_same_states_louder(rng):
    power, *_ = planted(rng)
    model, loud = fit(power, n_states=4), fit(1024 * power, n_states=4)
    np.testing.assert_allclose(loud.psd, 1024 * model.psd, rtol=1e-6)
    np.testing.assert_allclose(loud.weights, model.weights, rtol=1e-6)


def test_a_short_slot_gives_as_many_states_as_it_has_different_frames(rng):
    power, *_ = planted(rng, frames=10)
    assert len(fit(power)) == 10
    assert len(fit(np.hstack([power, power]))) == 10
    assert len(fit(planted(rng, frames=200)[0])) == N_STATES


def test_one_seed_gives_one_model(rng):
    power, *_ = planted(rng)
    np.testing.assert_array_equal(fit(power, seed=1).psd, fit(power, seed=1).psd)
    assert not np.array_equal(fit(power, seed=1).psd, fit(power, seed=2).psd)


@pytest.mark.parametrize("pair", [("f", "m"), ("f", "f"), ("m", "m")])
def test_speech_never_heard_before_fits_its_own_talker_best(pair):
    by_sex = {sex: SPLITS["validation"][k::2] for k, sex in enumerate("fm")}
    talkers = [by_sex[sex][k] for k, sex in enumerate(pair)]
    models = [fit(spoken(talker, seed=1)) for talker in talkers]
    for k, talker in enumerate(talkers):
        new = spoken(talker, seed=2)
        own, other = (m.log_joint(new).max(axis=0).mean() for m in (models[k], models[1 - k]))
        assert own > other


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda p: {"power": p[0]}, r"shape \(5,\)"),
        (lambda p: {"power": p[:, :0]}, "one frame or more"),
        (lambda p: {"power": p * 1j}, "complex"),
        (lambda p: {"power": p - 1e3}, "squared magnitude"),
        (lambda p: {"power": np.where(p > 1, np.nan, p)}, "NaN"),
        (lambda p: {"power": 0 * p}, "5 silent frames"),
        (lambda p: {"n_states": 0}, "n_states is 0"),
        (lambda p: {"n_states": 6}, "6 states for 5 different frames.*at most 5"),
        (lambda p: {"n_iterations": -1}, "n_iterations is -1"),
        (lambda p: {"floor": 0}, "floor=0"),
    ],
)
def test_what_nobody_can_learn_from_is_refused(rng, change, complaint):
    power, *_ = planted(rng, frames=5)
    with pytest.raises(ValueError, match=complaint):
        fit(**{"power": power, **change(power)})


@pytest.mark.parametrize(
    ("weights", "psd", "complaint"),
    [
        ([0.5, 0.6], np.ones((2, 3)), "sum to 1.1"),
        ([1.5, -0.5], np.ones((2, 3)), "shares"),
        ([1.0], np.ones((2, 3)), r"\(states, freq\)"),
        ([1.0], np.zeros((1, 3)), "not positive"),
        ([1.0], np.full((1, 3), np.nan), "not positive"),
        ([], np.ones((0, 3)), "one state"),
    ],
)
def test_no_mixture_of_gaussians_is_refused(weights, psd, complaint):
    with pytest.raises(ValueError, match=complaint):
        SpectralGMM(np.array(weights), psd, np.empty(0))


def test_frames_of_another_transform_are_refused(rng):
    power, *_ = planted(rng)
    with pytest.raises(ValueError, match="39 bins for a model of 40"):
        fit(power).log_joint(power[1:])
