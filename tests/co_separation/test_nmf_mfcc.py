"""NMF-MFCC: templates that explain a mixture, and the timbres by which they are grouped."""

import numpy as np
import pytest

from avsep_core import scores
from avsep_core.co_separation.nmf_mfcc import factorise, mel_bank, mfcc, nmf_mfcc
from avsep_core.spectrogram import STFTS

STFT = STFTS["co_separation"]
SAMPLES = 65535


def notes(pitches, seed, *, square):
    """About six seconds of notes of a third of a second, in Hz, with rests; (samples,)."""
    rng = np.random.default_rng(seed)
    t = np.arange(SAMPLES) / STFT.rate
    each = STFT.rate // 3
    sound = np.zeros(SAMPLES)
    for first in range(0, SAMPLES, each):
        here = slice(first, first + each)
        wave = np.sin(2 * np.pi * rng.choice(pitches) * t[here])
        decay = np.exp(-3 * (t[here] - t[first]))
        sound[here] = (rng.random() < 0.8) * decay * (np.sign(wave) if square else wave)
    return 0.1 * sound / np.std(sound)


@pytest.fixture(scope="module")
def duet():
    """Low square waves and high pure tones: (2, samples)."""
    low = notes([110, 131, 147, 165], 0, square=True)
    return np.stack([low, notes([1760, 1865, 1976], 1, square=False)])


@pytest.fixture(scope="module")
def magnitudes(duet):
    """|X| of the mixture, (512, 256)."""
    return np.abs(STFT.forward(duet.sum(axis=0)))


def divergence(S, V):
    """Kullback and Leibler's, of magnitudes; 0 log 0 is 0."""
    some = S > 0
    return np.sum(S[some] * np.log(S[some] / V[some])) - S.sum() + V.sum()


# --- sources ------------------------------------------------------------------------------------


def test_two_timbres_are_told_apart(duet):
    mixture = duet.sum(axis=0)
    found = scores.bss_eval(duet, nmf_mfcc(mixture, stft=STFT))
    before = scores.mixture_sdr(duet, mixture)
    assert (found.sdr - before).mean() > 10


def test_two_players_of_the_same_notes_on_the_same_instrument_are_not():
    """Their templates are the same ones, and no mask can give one of them to both."""
    pair = np.stack([notes([110, 131, 147, 165], seed, square=True) for seed in (0, 1)])
    mixture = pair.sum(axis=0)
    found = scores.bss_eval(pair, nmf_mfcc(mixture, stft=STFT))
    assert found.sdr.mean() < scores.mixture_sdr(pair, mixture).mean() + 3


@pytest.mark.parametrize("sources", [2, 3])
def test_the_sources_add_up_to_the_mixture(duet, sources):
    mixture = duet.sum(axis=0)
    voices = nmf_mfcc(mixture, sources, stft=STFT, iterations=5)
    assert voices.shape == (sources, SAMPLES)
    assert np.abs(voices.sum(axis=0) - mixture).max() < 1e-9


def test_the_same_seed_gives_the_same_sources(duet):
    mixture = duet.sum(axis=0)
    first, again, other = (
        nmf_mfcc(mixture, stft=STFT, iterations=10, seed=seed) for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again) and not np.allclose(first, other)


def test_a_louder_mixture_gives_louder_sources(duet):
    mixture = duet.sum(axis=0)
    quiet, loud = (nmf_mfcc(gain * mixture, stft=STFT, iterations=10) for gain in (1, 8))
    assert np.abs(loud - 8 * quiet).max() < 1e-6 * np.abs(loud).max()


# --- templates ----------------------------------------------------------------------------------


def test_no_iteration_raises_the_divergence(magnitudes):
    told = [
        divergence(magnitudes, np.matmul(*factorise(magnitudes, 20, iterations=n)))
        for n in range(1, 30)
    ]
    assert (np.diff(told) < 0).all()


def test_an_iteration_is_the_two_updates_that_the_page_writes_down(magnitudes):
    W, H = factorise(magnitudes, 20, iterations=7)
    ones = np.ones_like(magnitudes)
    W = W * (magnitudes / (W @ H) @ H.T) / (ones @ H.T)
    H = H * (W.T @ (magnitudes / (W @ H))) / (W.T @ ones)
    for mine, theirs in zip((W, H), factorise(magnitudes, 20, iterations=8), strict=True):
        assert np.allclose(mine, theirs, rtol=1e-6, atol=1e-9 * mine.max())


def test_two_templates_that_never_overlap_are_found_again(rng):
    """Each must be silent now and then: else a little of one can be mixed into the other."""
    spectra = np.zeros((40, 2))
    spectra[:20, 0], spectra[20:, 1] = rng.random(20) + 0.1, rng.random(20) + 0.1
    loud = rng.random((2, 60)) * (rng.random((2, 60)) < 0.7)
    W, H = factorise(spectra @ loud, 2, iterations=500)
    assert (W >= 0).all() and (H >= 0).all()
    found = W / W.sum(axis=0)
    for spectrum in (spectra / spectra.sum(axis=0)).T:
        assert np.abs(found - spectrum[:, None]).max(axis=0).min() < 1e-3


# --- timbre -------------------------------------------------------------------------------------


def test_timbre_has_no_level(magnitudes):
    W, _ = factorise(magnitudes, 8, iterations=20)
    told = mfcc(W, STFT)
    assert told.shape == (8, 13)
    assert np.allclose(mfcc(W * np.geomspace(1e-6, 1e6, 8), STFT), told)


def test_cepstra_are_those_of_librosa(magnitudes):
    librosa = pytest.importorskip("librosa")
    bank = librosa.filters.mel(sr=STFT.rate, n_fft=STFT.fft, n_mels=26)
    assert np.abs(mel_bank(STFT) - bank).max() < 1e-7
    W, _ = factorise(magnitudes, 8, iterations=20)
    for template, told in zip(W.T, mfcc(W, STFT), strict=True):
        bands = librosa.power_to_db(bank @ template[:, None] ** 2, ref=np.max)
        assert np.abs(librosa.feature.mfcc(S=bands, n_mfcc=14)[1:, 0] - told).max() < 1e-2


def test_no_frequency_is_passed_over_and_none_counts_in_more_than_two_bands():
    counted = (mel_bank(STFT) > 0).sum(axis=0)
    assert (counted[1 : STFT.bins - 1] >= 1).all() and counted.max() == 2


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, told",
    [
        ({"audio": np.zeros(SAMPLES)}, "mixture is silent"),
        ({"audio": np.zeros((2, SAMPLES))}, r"shape \(2, 65535\) given; expected one mixture"),
        ({"audio": np.zeros(0)}, "too short"),
        ({"audio": np.ones(50 * 256 - 1)}, r"has 50 frames for 50 templates.*longer sound"),
        ({"audio": np.full(SAMPLES, np.nan)}, "NaN or infinite"),
        ({"sources": 1}, "sources is 1; give a whole number of sources, 2 or more"),
        ({"sources": 3, "templates": 2}, "templates is 2; give a whole number of templates, 3 or"),
        ({"iterations": 0}, "iterations is 0"),
    ],
)
def test_what_cannot_be_separated_is_refused_with_the_reason(change, told):
    mixture = {"audio": np.ones(SAMPLES), "sources": 2} | change
    with pytest.raises(ValueError, match=told):
        nmf_mfcc(**mixture, stft=STFT)


@pytest.mark.parametrize(
    "S", [np.zeros((4, 5)), -np.ones((4, 5)), np.ones(4), 1j * np.ones((4, 5)), [[np.inf, 1]]]
)
def test_only_magnitudes_are_factorised(S):
    with pytest.raises(ValueError, match=r"expected magnitudes \(freq, frames\).*np\.abs"):
        factorise(S, 2)


def test_templates_of_another_transform_are_refused():
    with pytest.raises(ValueError, match=r"shape \(257, 3\) given; expected \(512, templates\)"):
        mfcc(np.ones((257, 3)), STFT)
