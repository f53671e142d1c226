"""PESQ, STOI and ViSQOL fall with noise, and say what they need."""

import sys
import threading

import numpy as np
import pytest
from scipy.signal import lfilter

from avsep_core.media import resample
from avsep_core.perceptual import C1, nsim
from avsep_core.scores import pesq, stoi, visqol
from avsep_core.synthetic.talkers import speak_audio

PACKAGES = {pesq: "pesq", stoi: "pystoi", visqol: "visqol"}


def voice(rate, seconds=3.0, seed=0):
    """Syllables of a buzz through two formants, with pauses."""
    n = int(rate * seconds)
    t = np.arange(n) / rate
    buzz = ((np.cumsum(np.full(n, 120 + 20 * np.sin(5 * t))) / rate) % 1 < 120 / rate).astype(float)
    for hz in (500 + 200 * np.sin(7 * t[0]), 1500):
        r, angle = 0.97, 2 * np.pi * hz / rate
        buzz = lfilter([1], [1, -2 * r * np.cos(angle), r * r], buzz)
    return 0.1 * buzz / buzz.std() * (np.sin(2 * np.pi * 2.5 * t) > -0.3)


def noisy(x, db, seed=0):
    rng = np.random.default_rng(seed)
    return x + x.std() * 10 ** (-db / 20) * rng.normal(size=len(x))


@pytest.mark.parametrize("rate", [8000, 16000])
def test_pesq_is_at_its_best_for_the_reference_and_falls_with_noise(rate):
    pytest.importorskip("pesq")
    x = voice(rate)
    found = [pesq(x, noisy(x, db), rate) for db in (200, 30, 10)]
    assert found[0] > 4.4
    assert found[0] > found[1] + 0.1 > found[2] + 0.2


@pytest.mark.parametrize("rate", [8000, 16000])
def test_stoi_is_one_for_the_reference_and_falls_with_noise(rate):
    x = voice(rate)
    found = [stoi(x, noisy(x, db), rate) for db in (200, 10, -10)]
    assert found[0] == pytest.approx(1, abs=1e-6)
    assert found[0] > found[1] + 0.02 > found[2] + 0.1


def test_loudness_does_not_matter_to_either():
    pytest.importorskip("pesq")
    x, y = voice(16000), noisy(voice(16000), 10)
    assert pesq(x, 0.3 * y, 16000) == pytest.approx(pesq(x, y, 16000), abs=0.02)
    assert stoi(x, 0.3 * y, 16000) == pytest.approx(stoi(x, y, 16000), abs=1e-6)


@pytest.mark.parametrize("score", PACKAGES)
def test_a_missing_package_is_named_with_the_way_to_get_it(score, monkeypatch):
    name = PACKAGES[score]
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=f"pip install {name}"):
        score(voice(16000), voice(16000), 16000)


def test_pesq_has_two_rates_only():
    with pytest.raises(ValueError, match=r"PESQ at 11025 Hz.*Resample"):
        pesq(voice(11025), voice(11025), 11025)
    with pytest.raises(ValueError, match="whole number of Hz"):
        stoi(voice(8000), voice(8000), 0)


def talker(seconds=2.0):
    return speak_audio("t00", kind="sentence", seed=1, seconds=seconds).astype(float)


def test_visqol_is_highest_for_the_reference_and_falls_as_noise_grows_on_a_talker():
    pytest.importorskip("visqol")
    x = talker()
    found = [visqol(x, noisy(x, db), 16000) for db in (30, 20, 10, 0, -20)]
    assert visqol(x, x, 16000) == 5
    assert 5 > found[0] > found[1] + 0.3 > found[2] + 0.6 > found[3] + 0.9
    assert found[-1] == 1


def test_visqol_hears_neither_level_nor_delay():
    pytest.importorskip("visqol")
    x = talker()
    y = noisy(x, 10)
    found = visqol(x, y, 16000)
    assert visqol(x, 0.3 * y, 16000) == pytest.approx(found, abs=1e-6)
    # Without a level of its own, ViSQOL would give 5 to whatever is quiet enough.
    assert visqol(1e-5 * x, 1e-5 * y, 16000) == pytest.approx(found, abs=1e-6)
    assert visqol(x, np.roll(y, 320), 16000) == pytest.approx(found, abs=0.05)


def test_visqol_resamples_and_is_kinder_to_narrow_bands():
    pytest.importorskip("visqol")
    x = talker()
    y = noisy(x, 10)
    wide = visqol(resample(x, 16000, 48000), resample(y, 16000, 48000), 48000)
    narrow = visqol(resample(x, 16000, 8000), resample(y, 16000, 8000), 8000)
    assert wide == pytest.approx(visqol(x, y, 16000), abs=0.02)
    assert narrow > wide + 0.2
    with pytest.raises(ValueError, match=r"rate is 4000; .* 8000 or more"):
        visqol(x, y, 4000)


def test_visqol_can_be_asked_by_several_threads():
    pytest.importorskip("visqol")
    x, found = talker(1.0), []
    threads = [threading.Thread(target=lambda: found.append(visqol(x, x, 16000))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [5, 5, 5]


def test_visqol_refuses_silence_that_would_pass_for_perfect_speech():
    pytest.importorskip("visqol")
    late = np.zeros(32000)
    late[-800:] = talker()[4000:4800]
    with pytest.raises(ValueError, match=r"ViSQOL cannot score these 32000 samples"):
        visqol(late, noisy(late, -20), 16000)


def patch(seed=0, shape=(21, 20)):
    """A patch of a spectrogram in dB above its floor, smooth as speech is."""
    rough = np.random.default_rng(seed).normal(size=shape).cumsum(axis=0).cumsum(axis=1)
    return 45 * (rough - rough.min()) / np.ptp(rough)


@pytest.mark.parametrize("local", [True, False])
def test_equal_patches_have_similarity_one_and_order_does_not_matter(local):
    r, d = patch(0), patch(1)
    assert nsim(r, r, local=local) == pytest.approx(1, abs=1e-9)
    assert nsim(r, d, local=local) == nsim(d, r, local=local) < 0.9


@pytest.mark.parametrize("local", [True, False])
def test_similarity_falls_as_noise_grows(local):
    r, noise = patch(), np.random.default_rng(2).normal(size=(21, 20))
    found = [nsim(r, r + sigma * noise, local=local) for sigma in (0, 0.3, 1, 3, 10, 30)]
    assert all(np.diff(found) < 0)


@pytest.mark.parametrize("local", [True, False])
def test_similarity_knows_no_direction_of_time_or_frequency(local):
    r, d = patch(0), patch(0) + np.random.default_rng(2).normal(size=(21, 20))
    for turn in (np.flipud, np.fliplr, np.transpose):
        assert nsim(turn(r), turn(d), local=local) == pytest.approx(nsim(r, d, local=local))


def test_a_louder_copy_loses_in_intensity_only_and_a_mirrored_one_in_structure():
    r = patch()
    m = r.mean()
    intensity = (2 * m * (m + 6) + C1) / (m**2 + (m + 6) ** 2 + C1)
    assert nsim(r, r + 6, local=False) == pytest.approx(intensity)
    assert nsim(r, 2 * m - r, local=False) == pytest.approx(-1, abs=1e-3)


def test_nsim_is_the_similarity_that_visqol_uses():
    package = pytest.importorskip("visqol.nsim")
    for seed in range(3):
        r, d = patch(seed), patch(seed) + np.random.default_rng(seed).normal(size=(21, 20))
        assert nsim(r, d) == pytest.approx(package.measure_patch_similarity(r, d).similarity)


def test_nsim_says_what_is_no_patch():
    r = patch()
    for bad in (r[0], np.zeros((0, 4)), np.where(r > 40, np.nan, r), r + 1j):
        with pytest.raises(ValueError, match=r"expected a patch of a spectrogram, \(bands, frames"):
            nsim(r, bad)
    with pytest.raises(ValueError, match=r"\(21, 20\) and \(21, 19\); give two of one shape"):
        nsim(r, r[:, 1:])


@pytest.mark.parametrize("score", PACKAGES)
def test_signals_without_speech_cannot_be_judged(score):
    pytest.importorskip(PACKAGES[score])
    x = voice(16000)
    click = np.zeros(16000)
    click[5000] = 1.0
    with pytest.raises(ValueError, match=r"cannot score these \d+ samples at 16000 Hz"):
        score(x[:1000], x[:1000], 16000)
    for reference, estimate, message in [
        (0 * x, x, "reference .*is silent"),
        (x, 0 * x, "estimate .*is silent"),
        (x, x[1:], "one length"),
        (x, np.where(x > 0, np.nan, x), "NaN"),
        (np.stack([x, x]), np.stack([x, x]), "one reference"),
    ]:
        with pytest.raises(ValueError, match=message):
            score(reference, estimate, 16000)
