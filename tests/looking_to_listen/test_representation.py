"""Power-law spectrograms and complex masks: what they keep, and what a squeezed mask loses."""

import numpy as np
import pytest
import torch

from avsep_core.looking_to_listen import representation as sound
from avsep_core.scores import si_sdr
from avsep_core.synthetic.talkers import speak_audio

K, C = sound.K, sound.C


def noise(*shape):
    """Complex noise in double precision."""
    return torch.randn(*shape, dtype=torch.complex128)


@pytest.fixture(scope="module")
def voices():
    """Two drawn voices at 8 kHz, (2, samples) float64."""
    said = [speak_audio(who, kind="sentence", seconds=1.5, rate=8000) for who in ("t01", "t02")]
    return torch.from_numpy(np.stack(said).astype(np.float64))


def in_the_power_law_domain(voices):
    """Power-law spectrograms of the sources and of their sum, as complex numbers."""
    S = sound.COMPACT.forward(voices)
    return (torch.complex(*sound.power_law(X).unbind(-3)) for X in (S, S.sum(0)))


def ideal_masks(S, X):
    """Of each source; zero where the mixture is."""
    return torch.where(X == 0, torch.zeros_like(S), S / X)


def heard(masks, X, length):
    """What complex masks make of a complex power-law spectrogram X."""
    M = torch.stack([masks.real, masks.imag], dim=1)[None]
    found = sound.times(M, torch.stack([X.real, X.imag])[None])[0]
    return sound.COMPACT.inverse(sound.undo_power_law(found), length)


def test_three_seconds_are_298_frames_at_either_rate():
    for stft, bins in ((sound.PAPER, 257), (sound.COMPACT, 101)):
        x = torch.randn(3 * stft.rate)
        assert sound.power_law(stft.forward(x)).shape == (2, 298, bins)


def test_power_law_bends_magnitudes_and_keeps_phases():
    X = noise(5, 7)
    Y = torch.complex(*sound.power_law(X)).T
    torch.testing.assert_close(Y.abs(), X.abs() ** 0.3)
    torch.testing.assert_close(Y.angle(), X.angle())


def test_power_law_and_its_inverse_undo_each_other():
    X = noise(3, 5, 7)
    X[0, 0, 0] = 0
    Y = sound.power_law(X)
    assert Y.shape == (3, 2, 7, 5) and not Y[0, :, 0, 0].any()
    torch.testing.assert_close(sound.undo_power_law(Y), X)
    torch.testing.assert_close(sound.power_law(sound.undo_power_law(Y)), Y)


def test_compression_is_a_sigmoid_stretched_to_both_signs():
    M = torch.linspace(-60, 60, 241, dtype=torch.float64)
    O = sound.compress_mask(M)  # noqa: E741
    torch.testing.assert_close(O, K * (2 * torch.sigmoid(C * M) - 1))
    torch.testing.assert_close(O, K * (1 - torch.exp(-C * M)) / (1 + torch.exp(-C * M)))
    assert O.abs().max() < K and torch.equal(O.sign(), M.sign())
    torch.testing.assert_close(sound.expand_mask(O), M)


def test_small_mask_values_pass_at_a_slope_of_one_half():
    M = torch.tensor([-0.2, 0.1], dtype=torch.float64)
    torch.testing.assert_close(sound.compress_mask(M), K * C / 2 * M, rtol=1e-3, atol=0)


def test_times_is_the_complex_product_and_with_one_channel_a_gain():
    X, M = noise(2, 4, 3), noise(2, 3, 4, 3)
    split = torch.stack([X.real, X.imag], dim=1)
    found = sound.times(torch.stack([M.real, M.imag], dim=2), split)
    torch.testing.assert_close(torch.complex(*found.unbind(2)), M * X[:, None])
    gain = torch.rand(2, 3, 1, 4, 3, dtype=torch.float64)
    found = torch.complex(*sound.times(gain, split).unbind(2))
    torch.testing.assert_close(found, gain[:, :, 0] * X[:, None])


def test_the_ideal_complex_mask_gives_the_voices_back(voices):
    S, X = in_the_power_law_domain(voices)
    found = heard(ideal_masks(S, X), X, voices.shape[1])
    inside = sound.COMPACT.covered(voices.shape[1])
    torch.testing.assert_close(found[:, inside], voices[:, inside], atol=1e-6, rtol=0)


def test_a_mask_squeezed_to_positive_values_cannot(voices):
    """Where voices cancel, the mask of one must turn the mixture's phase by more than 90 degrees.

    Clipping is the best that positive real and imaginary parts can do: the error in a bin is
    |X|^2 |M - M*|^2.
    """
    S, X = in_the_power_law_domain(voices)
    ideal = ideal_masks(S, X)
    assert (ideal.real < 0).double().mean() > 0.05 and (ideal.imag < 0).double().mean() > 0.3
    inside = sound.COMPACT.covered(voices.shape[1])

    def score(masks):
        return si_sdr(voices[:, inside], heard(masks, X, voices.shape[1])[:, inside])

    squeezed = torch.complex(ideal.real.clamp_min(0), ideal.imag.clamp_min(0))
    bounded = torch.complex(ideal.real.clamp(-K, K), ideal.imag.clamp(-K, K))
    assert (score(squeezed) < 25).all()
    assert (score(bounded) > score(squeezed) + 20).all(), "within -K…K nearly nothing is lost"


def test_perfect_estimates_cost_nothing_and_an_error_its_energy():
    Y = torch.randn(2, 3, 2, 6, 5)
    assert not sound.squared_error(Y, Y).any()
    moved = Y.clone()
    moved[1, 2, :, 0, 0] += torch.tensor([3.0, 4.0])
    cost = sound.squared_error(moved, Y)
    assert cost[1, 2].item() == pytest.approx(25 / 30, rel=1e-5)
    assert cost.count_nonzero() == 1


def test_pairs_hold_each_estimate_against_each_voice():
    A, B = torch.randn(2, 2, 3, 2, 6, 5)
    pairs = sound.pairwise_error(A, B)
    torch.testing.assert_close(pairs.diagonal(dim1=1, dim2=2), sound.squared_error(A, B))
    swapped = sound.squared_error(A[:, [0]], B[:, [2]])[:, 0]
    torch.testing.assert_close(pairs[:, 0, 2], swapped)
