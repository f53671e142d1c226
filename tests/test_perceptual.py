"""PESQ and STOI fall with noise, and say what they need."""

import sys

import numpy as np
import pytest
from scipy.signal import lfilter

from avsep_core.scores import pesq, stoi


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


@pytest.mark.parametrize("score", [pesq, stoi])
def test_a_missing_package_is_named_with_the_way_to_get_it(score, monkeypatch):
    name = "pesq" if score is pesq else "pystoi"
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=f"pip install {name}"):
        score(voice(16000), voice(16000), 16000)


def test_pesq_has_two_rates_only():
    with pytest.raises(ValueError, match=r"PESQ at 11025 Hz.*Resample"):
        pesq(voice(11025), voice(11025), 11025)
    with pytest.raises(ValueError, match="whole number of Hz"):
        stoi(voice(8000), voice(8000), 0)


@pytest.mark.parametrize("score", [pesq, stoi])
def test_signals_without_speech_cannot_be_judged(score):
    pytest.importorskip("pesq")
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
