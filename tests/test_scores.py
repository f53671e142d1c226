"""What the scores mean, and what they refuse to score."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from avsep_core import scores
from avsep_core.scores import CEILING, bss_eval, delta_sdr, mixture_sdr, nsdr, si_sdr

seeds = st.integers(0, 10_000)


def separation(seed=0, count=2, n=2400, leak=0.2, noise=0.1):
    """References, and estimates with leakage and noise, in order."""
    rng = np.random.default_rng(seed)
    S = lfilter([1], [1, -0.9], rng.normal(size=(count, n)))
    E = S + leak * rng.normal(size=(count, count)) @ S + noise * rng.normal(size=S.shape)
    return S, E


def power(db):
    return 10 ** (np.asarray(db) / 10)


# --- BSS Eval -----------------------------------------------------------------------------------


@given(seed=seeds, order=st.permutations(range(3)))
def test_shuffled_estimates_are_found_again(seed, order):
    S, E = separation(seed, 3)
    plain, shuffled = bss_eval(S, E, permute=False), bss_eval(S, E[order])
    np.testing.assert_array_equal(np.array(order)[shuffled.permutation], np.arange(3))
    for a, b in zip(plain[:3], shuffled[:3], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@given(seed=seeds, order=st.permutations(range(3)))
def test_shuffled_references_shuffle_the_scores(seed, order):
    S, E = separation(seed, 3)
    plain, shuffled = bss_eval(S, E), bss_eval(S[order], E)
    for a, b in zip(plain[:3], shuffled[:3], strict=True):
        np.testing.assert_allclose(a[order], b, atol=1e-4)


@given(seed=seeds, gains=st.lists(st.floats(1e-3, 1e3), min_size=4, max_size=4))
def test_no_loudness_and_no_sign_changes_a_score(seed, gains):
    S, E = separation(seed)
    g = np.array(gains).reshape(2, 2, 1) * [[[1], [-1]]]
    for a, b in zip(bss_eval(S, E), bss_eval(g[0] * S, g[1] * E), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@given(seed=seeds)
def test_interference_and_artefacts_add_up_to_the_distortion(seed):
    S, E = separation(seed)
    found = bss_eval(S, E, permute=False)
    # The two errors are orthogonal: 1/SDR = 1/SIR + (1 + 1/SIR) / SAR.
    sum_ = 1 / power(found.sir) + (1 + 1 / power(found.sir)) / power(found.sar)
    np.testing.assert_allclose(1 / power(found.sdr), sum_, rtol=1e-4)
    assert (found.sir >= found.sdr).all()
    assert (found.sar >= found.sdr - 1e-3).all()


def test_a_perfect_estimate_scores_the_ceiling():
    S, _ = separation()
    found = bss_eval(S, S)
    for score in found[:3]:
        np.testing.assert_array_equal(score, CEILING)
    np.testing.assert_array_equal(si_sdr(S, 3 * S), CEILING)


def test_a_filter_of_512_taps_is_forgiven_and_a_longer_delay_is_not():
    rng = np.random.default_rng(0)
    S = np.pad(rng.normal(size=(2, 4000)), ((0, 0), (0, 600)))
    late = [np.roll(S, k, axis=1) for k in (511, 512)]
    assert bss_eval(S, late[0], permute=False).sdr.min() > 90
    assert bss_eval(S, late[1], permute=False).sdr.max() < -3
    assert si_sdr(S, late[0]).max() < -20


def test_a_copy_of_the_mixture_has_no_artefacts_at_all():
    S, _ = separation()
    mixture = S.sum(axis=0)
    copied = bss_eval(S, np.stack([mixture, mixture]))
    np.testing.assert_array_equal(copied.sar, CEILING)
    assert np.abs(copied.sdr).max() < 3
    # Rounded to 16 bits, as files are, it still looks superb.
    stored = np.round(mixture / np.abs(mixture).max() * 32767)
    assert 75 < bss_eval(S, np.stack([stored, stored])).sar.min() < 100


def test_one_source_has_nobody_to_interfere():
    S, E = separation(count=1)
    found = bss_eval(S, E)
    assert found.sir == CEILING
    np.testing.assert_array_equal(found.sar, found.sdr)
    assert found.permutation.tolist() == [0]


# --- gains --------------------------------------------------------------------------------------


@given(seed=seeds)
def test_the_mixture_gains_nothing_over_itself(seed):
    S, _ = separation(seed)
    mixture = S.sum(axis=0)
    copies = np.stack([mixture, mixture])
    np.testing.assert_allclose(delta_sdr(S, copies, mixture, permute=False), 0, atol=1e-9)
    np.testing.assert_allclose(nsdr(S[0], mixture, mixture), 0, atol=1e-9)


@given(seed=seeds)
def test_delta_sdr_is_the_sdr_of_the_estimate_minus_that_of_the_mixture(seed):
    S, E = separation(seed)
    mixture = S.sum(axis=0)
    gain = delta_sdr(S, E[::-1], mixture)
    before = bss_eval(S, np.stack([mixture, mixture]), permute=False).sdr
    np.testing.assert_allclose(mixture_sdr(S, mixture), before, atol=1e-9)
    np.testing.assert_allclose(gain, bss_eval(S, E).sdr - before, atol=1e-4)


def test_nsdr_needs_no_other_source_than_the_clean_one():
    S, E = separation()
    mixture = S.sum(axis=0)
    np.testing.assert_allclose(nsdr(S, E, np.stack([mixture] * 2)), delta_sdr(S, E, mixture))
    assert nsdr(S[0], E[0], mixture).shape == ()


def test_gains_of_a_batch_are_those_of_its_items():
    pairs = [separation(seed) for seed in (1, 2)]
    S, E = (np.stack(x) for x in zip(*pairs, strict=True))
    gain = delta_sdr(torch.tensor(S), torch.tensor(E), torch.tensor(S.sum(axis=1)))
    np.testing.assert_allclose(gain[1], delta_sdr(S[1], E[1], S[1].sum(axis=0)), atol=1e-4)


# --- SI-SDR -------------------------------------------------------------------------------------


@given(seed=seeds)
def test_si_sdr_never_exceeds_sdr_for_it_forgives_less(seed):
    S, E = separation(seed)
    assert (si_sdr(S, E) <= bss_eval(S, E, permute=False).sdr + 1e-4).all()


@given(seed=seeds, gain=st.floats(1e-6, 1e6))
def test_si_sdr_is_the_signal_to_noise_ratio_of_orthogonal_noise_at_any_gain(seed, gain):
    rng = np.random.default_rng(seed)
    s, noise = rng.normal(size=(2, 500))
    noise -= (noise @ s) / (s @ s) * s
    expected = 10 * np.log10((s @ s) / (noise @ noise))
    assert si_sdr(s, gain * (s + noise)) == pytest.approx(expected, abs=1e-6)


def test_a_constant_offset_is_forgiven_only_without_the_mean():
    rng = np.random.default_rng(0)
    s = rng.normal(size=1000)
    s -= s.mean()
    assert si_sdr(s, s + 1) == pytest.approx(0, abs=0.3)
    assert si_sdr(s + 2, s + 1, zero_mean=True) == CEILING


def test_an_unrelated_estimate_falls_to_the_lower_end():
    s = np.tile([1.0, -1.0], 50)
    assert si_sdr(s, np.ones(100)) == -CEILING


# --- what cannot be scored ----------------------------------------------------------------------


@pytest.mark.parametrize("score", [bss_eval, si_sdr])
def test_signals_that_cannot_be_scored_are_named(score):
    S, E = separation()
    silent, broken = E.copy(), E.copy()
    silent[1] = 0
    broken[0, 7] = np.nan
    for references, estimates, message in [
        (S, silent, r"estimate \[1\] is silent"),
        (silent, E, r"reference \[1\] is silent"),
        (S, broken, "estimates hold NaN"),
        (broken, E, "references hold NaN"),
        (S, E[:, :-1], r"\(2, 2400\).*\(2, 2399\).*one length and at one rate"),
        (S, E[:1], "as many estimates as references"),
        (S[:1], E, "as many estimates as references"),
        (S + 0j, E, "expected real samples"),
        (np.zeros((2, 0)), np.zeros((2, 0)), "expected real samples"),
        (np.float64(1), np.float64(1), "expected real samples"),
    ]:
        with pytest.raises(ValueError, match=message):
            score(references, estimates)


def test_bss_eval_refuses_what_only_it_cannot_score():
    S, E = separation()
    with pytest.raises(ValueError, match=r"\(\.\.\., sources, samples\)"):
        bss_eval(S[0], E[0])
    with pytest.raises(ValueError, match="1024 samples of 2 sources with filters of 512 taps"):
        bss_eval(S[:, :1024], E[:, :1024])
    with pytest.raises(ValueError, match="0 taps"):
        bss_eval(S, E, filter_length=0)
    with pytest.raises(ValueError, match="references 0 and 1 are the same sound"):
        bss_eval(np.stack([S[0], -3 * S[0]]), E)
    with pytest.raises(ValueError, match="0 sources"):
        bss_eval(S[:0], E[:0])
    with pytest.raises(ValueError, match="Cut both to one length"):
        delta_sdr(S, E, S[0, :-1])
    with pytest.raises(ValueError, match=r"estimate .* is silent"):
        mixture_sdr(S, 0 * S[0])
    with pytest.raises(ValueError, match="all equal"):
        si_sdr(S, np.ones_like(S), zero_mean=True)


def test_the_silent_item_of_a_batch_is_pointed_at():
    S, E = (np.stack([x, x]) for x in separation())
    E[1, 0] = 0
    with pytest.raises(ValueError, match=r"estimate \[1, 0\] is silent"):
        bss_eval(S, E)


def test_every_score_comes_through_one_door():
    assert all(hasattr(scores, name) for name in scores.__all__)
