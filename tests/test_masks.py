"""What the ideal masks promise, and what they keep."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avsep_core.masks import apply, ideal_binary, ideal_complex, ideal_ratio, ideal_real
from avsep_core.spectrogram import STFTS

MASKS = [ideal_binary, ideal_ratio, ideal_complex, ideal_real]


def spectra(sources=2, seed=0, shape=(5, 7)):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(sources, *shape)) + 1j * rng.normal(size=(sources, *shape))


def error(masks, S):
    """Energy that masks leave wrong, (freq, frames)."""
    return (np.abs(S - apply(masks, S.sum(axis=0))) ** 2).sum(axis=0)


@given(sources=st.integers(1, 4), seed=st.integers(0, 99))
def test_binary_masks_give_each_bin_to_its_loudest_source(sources, seed):
    S = spectra(sources, seed)
    masks = ideal_binary(S)
    assert set(np.unique(masks)) <= {0.0, 1.0}
    np.testing.assert_array_equal(masks.sum(axis=0), 1)
    np.testing.assert_array_equal(masks.argmax(axis=0), np.abs(S).argmax(axis=0))


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_of_equally_loud_sources_the_first_takes_the_bin(kind):
    S = kind(np.array([1, 3j, 3, 0]).reshape(4, 1, 1) * np.ones((4, 2, 2)))
    assert ideal_binary(S)[:, 0, 0].tolist() == [0, 1, 0, 0]
    assert ideal_binary(S * 0)[:, 0, 0].tolist() == [1, 0, 0, 0]


@given(sources=st.integers(1, 4), power=st.floats(0.1, 50), seed=st.integers(0, 99))
def test_ratio_masks_share_out_each_bin_that_sounds(sources, power, seed):
    S = spectra(sources, seed)
    S[:, 0] = 0
    masks = ideal_ratio(S, power)
    assert (masks >= 0).all()
    np.testing.assert_allclose(masks[:, 1:].sum(axis=0), 1)
    assert not masks[:, 0].any()


def test_powers_lead_the_ratio_mask_from_magnitudes_over_energies_to_the_binary_mask():
    S = np.array([3.0, 4.0j]).reshape(2, 1, 1)
    assert ideal_ratio(S)[:, 0, 0] == pytest.approx([3 / 7, 4 / 7])
    assert ideal_ratio(S, power=2)[:, 0, 0] == pytest.approx([9 / 25, 16 / 25])
    np.testing.assert_allclose(ideal_ratio(S, power=1000), ideal_binary(S), atol=1e-9)


def test_ratio_masks_of_a_whisper_are_those_of_a_shout():
    S = spectra()
    np.testing.assert_allclose(ideal_ratio(1e-200 * S, power=2), ideal_ratio(S, power=2))


@given(sources=st.integers(1, 4), seed=st.integers(0, 99))
def test_complex_masks_give_the_sources_back_exactly(sources, seed):
    S = spectra(sources, seed)
    masks = ideal_complex(S)
    np.testing.assert_allclose(apply(masks, S.sum(axis=0)), S, atol=1e-10)
    np.testing.assert_allclose(masks.sum(axis=0), 1, atol=1e-10)


def test_complex_masks_give_even_the_waveforms_back():
    stft = STFTS["foundations"]
    s = np.random.default_rng(0).normal(size=(3, 9000))
    S = stft.forward(s)
    back = stft.inverse(apply(ideal_complex(S), S.sum(axis=0)), 9000)
    np.testing.assert_allclose(back, s, atol=1e-9)


def test_bounded_complex_masks_fail_where_sources_cancel():
    S = np.array([1.0, -0.99]).reshape(2, 1, 1) + 0j
    assert ideal_complex(S)[0].real == pytest.approx(100)
    bounded = ideal_complex(S, bound=10)
    assert bounded[:, 0, 0].tolist() == [10, -10]
    assert ideal_complex(torch.tensor(S), bound=10)[:, 0, 0].tolist() == [10, -10]


def test_nothing_can_be_given_where_the_mixture_is_silent():
    S = np.array([1.0, -1.0]).reshape(2, 1, 1) + 0j
    for mask in (ideal_complex, ideal_real):
        masks = mask(S)
        assert np.isfinite(masks).all()
        np.testing.assert_array_equal(apply(masks, S.sum(axis=0)), 0)
    np.testing.assert_array_equal(ideal_real(S), 0.5)


@given(sources=st.integers(2, 4), seed=st.integers(0, 99))
def test_any_step_away_from_the_best_real_masks_raises_the_error(sources, seed):
    S = spectra(sources, seed)
    masks = ideal_real(S)
    np.testing.assert_allclose(masks.sum(axis=0), 1, atol=1e-9)
    step = np.random.default_rng(seed).normal(size=masks.shape)
    for free in (step, step - step.mean(axis=0)):  # with and without the constraint
        assert (error(masks + 0.1 * free, S) > error(masks, S)).all()


def test_least_squares_with_the_constraint_finds_the_same_real_masks():
    S = spectra(3, shape=(1, 1))[:, 0, 0]
    X = S.sum()
    # Unknowns: three masks and a Lagrange multiplier.
    system = np.ones((4, 4))
    system[:3, :3] = 2 * abs(X) ** 2 * np.eye(3)
    system[3, 3] = 0
    right = np.append(2 * (X.conj() * S).real, 1.0)
    expected = np.linalg.solve(system, right)
    np.testing.assert_allclose(ideal_real(S[:, None, None])[:, 0, 0], expected[:3])
    assert expected[3] == pytest.approx(0)  # the constraint costs nothing


@given(sources=st.integers(2, 4), seed=st.integers(0, 99))
def test_the_oracles_stand_in_order_of_their_freedom(sources, seed):
    S = spectra(sources, seed)
    real = error(ideal_real(S), S)
    assert (error(ideal_complex(S), S) <= real + 1e-9).all()
    for mask in (ideal_binary, ideal_ratio):
        assert (real <= error(mask(S), S) + 1e-9).all()


@pytest.mark.parametrize("mask", MASKS)
def test_masks_of_tensors_and_batches_are_those_of_single_arrays(mask):
    S = spectra(3)
    single = mask(S)
    np.testing.assert_allclose(mask(torch.tensor(S)).numpy(), single)
    np.testing.assert_allclose(mask(np.stack([S[::-1], S]))[1], single)


@pytest.mark.parametrize("mask", MASKS)
def test_masks_do_not_depend_on_how_loud_the_mixture_is(mask):
    S = spectra(3)
    np.testing.assert_allclose(mask(1e-3 * S), mask(S))


@pytest.mark.parametrize("mask", MASKS)
def test_a_single_spectrogram_is_no_set_of_sources(mask):
    with pytest.raises(ValueError, match="add an axis in front"):
        mask(spectra(1)[0])


def test_masks_refuse_what_has_no_meaning():
    S = spectra()
    with pytest.raises(ValueError, match="power is 0"):
        ideal_ratio(S, 0)
    with pytest.raises(ValueError, match="bound is -1"):
        ideal_complex(S, bound=-1)
    with pytest.raises(ValueError, match="do not fit a mixture"):
        apply(ideal_binary(S), S.sum(axis=0)[:-1])
