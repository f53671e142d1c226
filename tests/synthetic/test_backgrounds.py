"""Background sounds: each has the structure that its name promises."""

import numpy as np
import pytest

from avsep_core.synthetic.backgrounds import BACKGROUNDS, BAR, background

RATE, SECONDS = 8000, 8.0


def make(kind, seed=0, **options):
    return background(kind, SECONDS, RATE, np.random.default_rng(seed), **options)


def spectrum(sound):
    return np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2


@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_a_background_has_the_length_asked_for_and_power_one(kind):
    sound = make(kind)
    assert sound.shape == (64000,) and sound.dtype == np.float32
    assert np.mean(sound.astype(float) ** 2) == pytest.approx(float(kind != "none"), abs=1e-3)


@pytest.mark.parametrize("kind", BACKGROUNDS[1:])
def test_the_same_seed_sounds_the_same_and_another_does_not(kind):
    assert np.array_equal(make(kind), make(kind))
    assert not np.array_equal(make(kind), make(kind, seed=1))


def test_white_noise_is_flat_and_gaussian():
    sound = make("white")
    bands = [band.mean() for band in np.array_split(spectrum(sound), 16)]
    assert max(bands) / min(bands) < 1.3
    assert np.mean(sound**4) == pytest.approx(3, abs=0.15)


def test_hum_is_nothing_but_multiples_of_fifty_hertz_odd_and_even():
    power = spectrum(make("hum"))
    hertz = np.fft.rfftfreq(64000, 1 / RATE)
    near = np.abs(hertz - 50 * np.round(hertz / 50)) < 0.8
    assert power[near].sum() / power.sum() > 0.999
    lines = np.array([power[np.abs(hertz - 50 * k) < 0.8].sum() for k in range(1, 9)])
    assert (lines > 0.002 * power.sum()).all()


def test_hum_drifts_slowly_in_level():
    levels = np.sqrt(np.mean(make("hum").reshape(-1, 1600) ** 2, axis=1))
    assert 0.03 < levels.std() / levels.mean() < 0.3
    assert np.abs(np.diff(levels)).max() < 0.1 * levels.mean()


def test_music_repeats_after_a_bar_sample_for_sample_so_its_spectrogram_has_a_low_rank():
    sound = make("music")
    bar = round(BAR * RATE)
    assert np.array_equal(sound[bar:], sound[:-bar])
    frames = np.abs(np.fft.rfft(sound.reshape(-1, 320) * np.hanning(320), axis=1))
    strength = np.linalg.svd(frames, compute_uv=False) ** 2
    noise = np.linalg.svd(
        np.abs(np.fft.rfft(make("white").reshape(-1, 320), axis=1)), compute_uv=False
    )
    assert strength[:8].sum() / strength.sum() > 0.97
    assert strength[:8].sum() / strength.sum() > (noise[:8] ** 2).sum() / (noise**2).sum() + 0.05


def test_babble_is_speech_of_many_without_pauses():
    levels = np.sqrt(np.mean(make("babble").reshape(-1, 800) ** 2, axis=1))
    assert levels.min() > 0.1 * levels.mean()
    power, hertz = spectrum(make("babble")), np.fft.rfftfreq(64000, 1 / RATE)
    assert power[(hertz > 80) & (hertz < 1500)].sum() / power.sum() > 0.7


def test_a_talker_who_is_seen_can_be_kept_out_of_the_babble():
    kept = [f"t{k:02d}" for k in range(8)]
    asked = [f"t{k:02d}" for k in range(8, 64)]
    few = background("babble", 1.0, RATE, np.random.default_rng(0), without=asked)
    assert not np.array_equal(
        few, background("babble", 1.0, RATE, np.random.default_rng(0), without=asked + kept[:1])
    )


@pytest.mark.parametrize(
    ("kind", "seconds", "rate", "message"),
    [
        ("rain", 1.0, 8000, "'rain'.*white, hum, music, babble"),
        ("white", 0.0, 8000, "seconds"),
        ("white", 1.0, 10, "rate"),
    ],
)
def test_what_cannot_be_made_is_refused(kind, seconds, rate, message):
    with pytest.raises(ValueError, match=message):
        background(kind, seconds, rate, np.random.default_rng(0))
