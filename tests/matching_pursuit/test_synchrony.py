"""What synchrony promises: when an audio atom sounds, when a video atom moves, how often both."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core.matching_pursuit.synchrony import (
    activation,
    audio_features,
    confidence,
    jitter,
    peaks,
    scores,
)

FPS = 29.97
T = 300
TIMES = (np.arange(T) + 0.5) / FPS


def atoms(time, spread):
    return SimpleNamespace(time=np.atleast_1d(time), spread=np.atleast_1d(spread))


def bumps(at, height=2.0, width=2.0, n=T):
    """A displacement that swings out and back around the frames `at`."""
    t = np.arange(n)
    return height * sum(np.exp(-0.5 * ((t - a) / width) ** 2) for a in at)


def noise(size, deviation, seed=0):
    return deviation * np.random.default_rng(seed).normal(size=size)


# Audio features


def test_a_feature_is_the_gaussian_of_its_atom():
    (f,) = audio_features(atoms(5.0, 0.2), TIMES)
    assert f.sum() == pytest.approx(1)
    middle = f @ TIMES
    assert middle == pytest.approx(5.0, abs=1e-4)
    assert np.sqrt(f @ (TIMES - middle) ** 2) == pytest.approx(0.2, rel=0.02)


@given(time=st.floats(0.1, 9.9))
def test_an_atom_shorter_than_a_frame_lies_in_its_frame_with_all_its_energy(time):
    (f,) = audio_features(atoms(time, 1e-6), TIMES)
    assert f.sum() == pytest.approx(1)
    assert f[int(time * FPS)] > 0.4


def test_a_feature_is_zero_beyond_three_deviations_and_nowhere_within():
    (f,) = audio_features(atoms(5.0, 0.2), TIMES)
    far = np.abs(TIMES - 5.0)
    assert not f[far > 0.6 + 1 / FPS].any()
    assert (f[far < 0.6 - 1 / FPS] > 0).all()


def test_of_an_atom_at_the_edge_only_the_part_within_the_video_counts():
    f = audio_features(atoms([0.0, -5.0], [0.2, 0.2]), TIMES)
    np.testing.assert_allclose(f.sum(axis=1), [0.5, 0])


# Peaks and activations


def test_peaks_are_found_where_they_were_planted():
    at = [40, 90, 91 + 60, 250]
    found = peaks(bumps(at)[None] + noise((1, T), 0.05), fps=FPS)
    where = np.flatnonzero(found)
    assert len(where) == len(at)
    assert np.abs(where - at).max() <= 2


@given(deviation=st.floats(0.0, 1.0), seed=st.integers(0, 20))
def test_a_tracker_that_only_jitters_hardly_ever_makes_a_peak(deviation, seed):
    still = 50 + noise((10, 900), deviation, seed)
    assert peaks(still, fps=FPS).mean() < 0.02


def test_a_slow_drift_of_the_head_makes_no_peak():
    drift = 3 * np.sin(2 * np.pi * 0.1 * TIMES)
    assert not peaks(drift[None], fps=FPS).any()
    assert peaks((drift + bumps([150]))[None], fps=FPS).sum() == 1


@pytest.mark.filterwarnings("error")
def test_an_atom_that_stands_at_the_end_of_its_reach_makes_no_peak():
    d = bumps([60])
    d[120:160] = 2.0
    assert np.flatnonzero(peaks(d[None], fps=FPS)).tolist() == [60]


def test_jitter_of_white_noise_is_its_deviation_whatever_moves_below():
    shake = noise((1, 20000), 0.3)
    slow = 10 * np.sin(np.arange(20000) / 30)
    assert jitter(shake) == pytest.approx(0.3, rel=0.03)
    assert jitter(shake + slow) == pytest.approx(0.3, rel=0.03)
    assert jitter(slow[None]) < 0.01


def test_peaks_do_not_depend_on_where_the_atom_is():
    d = bumps([40, 90, 150])[None] + noise((1, T), 0.1)
    np.testing.assert_array_equal(peaks(d, fps=FPS), peaks(d + 100, fps=FPS))


@pytest.mark.parametrize("width", [1, 5, 13])
def test_an_activation_is_as_wide_as_the_window_around_each_peak(width):
    y = activation(bumps([100])[None], fps=FPS, width=width)
    expected = np.abs(np.arange(T) - 100) <= width // 2
    np.testing.assert_array_equal(y[0], expected)


def test_windows_that_overlap_do_not_add_up_and_the_edge_cuts_them():
    y = activation(bumps([4, 10])[None], fps=FPS, width=13)
    np.testing.assert_array_equal(np.flatnonzero(y), np.arange(0, 17))
    assert y.max() == 1


# Scores and confidence


def test_a_score_is_the_share_of_an_atoms_energy_that_sounds_while_the_other_moves():
    y = activation(bumps([60, 200])[None], fps=FPS)
    f = audio_features(atoms(TIMES[[60, 66, 130]], [0.005, 1e-6, 0.005]), TIMES)
    chi = scores(f, y)
    np.testing.assert_allclose(chi[:, 0], [1, 1, 0], atol=1e-3)
    (edge,) = scores(audio_features(atoms(TIMES[66] + 0.5 / FPS, 0.01), TIMES), y)
    assert edge[0] == pytest.approx(0.5)


@given(seed=st.integers(0, 50))
def test_scores_are_shares(seed):
    rng = np.random.default_rng(seed)
    f = audio_features(atoms(rng.uniform(0, 10, 20), rng.uniform(0.001, 0.2, 20)), TIMES)
    y = activation(bumps(rng.integers(10, 290, 5))[None], fps=FPS)
    chi = scores(f, y)
    assert (chi >= 0).all()
    assert (chi <= 1 + 1e-12).all()
    np.testing.assert_allclose(chi + scores(f, 1 - y), f.sum(axis=1, keepdims=True))


def test_confidence_sums_the_amplitudes_of_the_atoms_that_meet():
    chi = np.array([[0.5, 0.0], [1e-9, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(confidence(chi, np.array([1.0, 2.0, 4.0])), [3, 4])


def test_a_mouth_that_moves_with_the_sound_is_surer_than_a_brow_that_moves_at_random():
    rng = np.random.default_rng(0)
    syllables = np.arange(20, 280, 26)
    f = audio_features(atoms(TIMES[syllables], np.full(len(syllables), 0.03)), TIMES)
    others = rng.choice(np.arange(20, 280), 4, replace=False)
    y = activation(np.stack([bumps(syllables), bumps(others), 0 * TIMES]), fps=FPS)
    kappa = confidence(scores(f, y), np.ones(len(syllables)))
    assert kappa[0] == len(syllables) > kappa[1] > kappa[2] == 0


# What is refused


def test_fewer_frames_than_the_window_are_refused():
    with pytest.raises(ValueError, match="12 frames given, fewer than the window's 13"):
        activation(np.zeros((3, 12)), fps=FPS)
    with pytest.raises(ValueError, match="odd number of frames"):
        activation(np.zeros((3, 40)), fps=FPS, width=12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: activation(np.zeros(40), fps=FPS), r"expected \(N, T\)"),
        (lambda: activation(np.full((1, 40), np.nan), fps=FPS), "NaN"),
        (lambda: activation(np.zeros((1, 40)), fps=0), "fps=0"),
        (lambda: peaks(np.zeros((1, 40)), fps=FPS, floor=-1), "floor=-1"),
        (lambda: peaks(np.zeros((1, 40)), fps=FPS, seconds=0), "seconds=0"),
        (lambda: audio_features(atoms(1.0, 0.1), np.array([0.0, 1.0, 3.0])), "equal steps"),
        (lambda: audio_features(atoms(1.0, 0.1), np.array([0.0])), "two or more"),
        (lambda: scores(np.zeros((2, 30)), np.zeros((2, 31))), "same frames"),
        (lambda: scores("ab", np.zeros((2, 31))), "no table of numbers"),
        (lambda: confidence(np.zeros((3, 2)), np.zeros(2)), "give as many"),
        (lambda: confidence(np.zeros((1, 2)), np.array([-1.0])), "negative amplitude"),
    ],
)
def test_bad_input_is_refused_with_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()
