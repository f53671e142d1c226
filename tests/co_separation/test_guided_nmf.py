"""Separation by known templates: three classes, each with a comb of its own and three notes."""

import numpy as np
import pytest
import torch

from avsep_core import scores
from avsep_core.co_separation.guided_nmf import loudness, separated
from avsep_core.co_separation.miml import Miml
from avsep_core.co_separation.network import PAPER

CLASSES, SAMPLES = 3, 22050


def note(label, number):
    """Bins in which a note sounds."""
    return np.arange(30, 420, 30) + 10 * label + 3 * number


def solo(label, rng):
    """Notes of a fifth of a second; (SAMPLES,)."""
    t = np.arange(SAMPLES)[:, None] / PAPER.fft
    sound = np.zeros(SAMPLES)
    for number in range(3):
        waves = np.sin(2 * np.pi * (t * note(label, number) + rng.random(13)))
        heard = (rng.random(10) * (rng.random(10) < 0.5)).repeat(SAMPLES // 10)
        sound += heard * waves.sum(axis=1)
    return 0.1 * sound / np.std(sound)


@pytest.fixture(scope="module")
def network():
    """One that was given the spectra of the notes as templates."""
    net = Miml(CLASSES, most=3)
    for label in range(CLASSES):
        spectra = torch.zeros(3, PAPER.bins)
        for number in range(3):
            bins = torch.from_numpy(note(label, number))
            spectra[number, bins] = 1.0
            spectra[number, bins - 1] = spectra[number, bins + 1] = 0.5  # of the Hann window
        net.keep(label, spectra)
    return net


@pytest.fixture(scope="module")
def duet():
    """Classes 0 and 2: (2, SAMPLES)."""
    rng = np.random.default_rng(1)
    return np.stack([solo(0, rng), solo(2, rng)])


def drawn(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)).double() + 0.01


# --- sounds -------------------------------------------------------------------------------------


def test_combs_that_do_not_overlap_are_separated_well(network, duet):
    found = separated(network, duet.sum(axis=0), [0, 2])
    assert scores.bss_eval(duet, found, permute=False).sdr.min() > 15


def test_a_wrong_class_beside_it_spoils_the_right_one(network, duet):
    """Nothing explains what class 2 plays, so that both who are named share it."""
    mixture = duet.sum(axis=0)
    right, wrong = (
        scores.bss_eval(duet[:1], separated(network, mixture, [0, other])[:1]).sdr[0]
        for other in (2, 1)
    )
    assert right > wrong + 10


def test_estimates_follow_the_order_of_the_classes(network, duet):
    mixture = duet.sum(axis=0)
    one, other = separated(network, mixture, [0, 2]), separated(network, mixture, [2, 0])
    assert np.abs(one - other[::-1]).max() < 1e-5


@pytest.mark.parametrize("classes", [[1], [0, 2], [2, 1, 0]])
def test_estimates_add_up_to_the_mixture(network, duet, classes):
    """Also where a class that is named is not heard, and where one that is heard is not named."""
    mixture = duet.sum(axis=0)
    found = separated(network, mixture, classes)
    assert found.shape == (len(classes), SAMPLES) and found.dtype == np.float32
    assert np.abs(found.sum(axis=0) - mixture).max() < 1e-5


def test_a_louder_mixture_gives_louder_estimates(network, duet):
    mixture = duet.sum(axis=0)
    quiet, loud = (separated(network, gain * mixture, [0, 2]) for gain in (1e-6, 1e3))
    assert np.abs(loud - 1e9 * quiet).max() < 1e-4 * np.abs(loud).max()


@pytest.mark.parametrize("samples", [1, 100, 5001])
def test_a_sound_of_any_length_is_separated(network, samples):
    sound = np.sin(np.arange(1, samples + 1))
    assert np.abs(separated(network, sound, [0, 1]).sum(axis=0) - sound).max() < 1e-5


# --- loudness -----------------------------------------------------------------------------------


def divergence(S, V):
    """Kullback and Leibler's, of magnitudes that are not zero."""
    return float((S * (S / V).log() - S + V).sum())


def test_with_templates_fixed_the_divergence_falls_and_each_frame_keeps_its_sum():
    S, W = drawn(64, 40), drawn(64, 6)
    models = [W @ loudness(S, W, iterations=n) for n in (1, 2, 5, 20)]
    assert (np.diff([divergence(S, V) for V in models]) < 0).all()
    for V in models:
        assert torch.allclose(V.sum(0), S.sum(0))


def test_loudness_of_templates_that_never_overlap_is_found_at_once():
    W = torch.zeros(8, 2)
    W[:4, 0], W[4:, 1] = torch.tensor([1.0, 2, 3, 4]), torch.tensor([4.0, 3, 2, 1])
    planted = torch.tensor([[1.0, 0, 2], [3, 4, 0]])
    assert torch.allclose(loudness(W @ planted, W, iterations=1), planted)


def test_loudness_of_templates_that_overlap_is_found_in_time():
    W, planted = drawn(64, 4), drawn(4, 10)
    assert torch.allclose(loudness(W @ planted, W, iterations=3000), planted, atol=1e-2)


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sound, classes, told",
    [
        (np.zeros(5000), [0], r"shape \(5000,\); expected \(samples,\), finite and not silent"),
        (np.ones((2, 5000)), [0], r"shape \(2, 5000\)"),
        (np.full(5000, np.nan), [0], "finite"),
        (np.ones(5000), [], r"classes \[\]; expected one or more"),
        (np.ones(5000), [0, 0], r"classes \[0, 0\].*each once.*same templates"),
        (np.ones(5000), [0, 3], r"classes \[0, 3\].*from 0 to 2"),
        (np.ones(5000), [0, -1], r"classes \[0, -1\]"),
    ],
)
def test_what_cannot_be_separated_is_refused_with_the_reason(network, sound, classes, told):
    with pytest.raises(ValueError, match=told):
        separated(network, sound, classes)


def test_a_class_without_templates_is_refused_by_its_number():
    net = Miml(CLASSES)
    net.keep(0, torch.ones(2, PAPER.bins))
    with pytest.raises(ValueError, match=r"class 2 has no templates; call miml\.gather"):
        separated(net, np.ones(5000), [0, 2])


def test_no_iteration_is_refused(network):
    with pytest.raises(ValueError, match="iterations is 0"):
        separated(network, np.ones(5000), [0], iterations=0)
