"""The bank of noises: each kind has the property that one knows it by."""

import numpy as np
import pytest
from scipy.signal import hilbert

from avsep_core.synthetic.noises import NOISES, noise
from avsep_core.synthetic.talkers import TALKERS

RATE, SECONDS = 16000, 3.0
SEEDS = range(6)


def make(kind, seed=0, seconds=SECONDS, **options):
    return noise(kind, seconds, RATE, np.random.default_rng(seed), **options).astype(float)


def frames(sound, size=512):
    """Power spectra of windows half overlapping, (T, F)."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, size)[:: size // 2]
    return np.abs(np.fft.rfft(windows * np.hanning(size), axis=1)) ** 2


def share(sound, low, high):
    """The part of the energy that lies between `low` and `high` Hz."""
    power, hertz = np.abs(np.fft.rfft(sound)) ** 2, np.fft.rfftfreq(len(sound), 1 / RATE)
    return power[(hertz >= low) & (hertz < high)].sum() / power.sum()


def flatness(sound):
    """Geometric over arithmetic mean of the power from 0.5 to 4 kHz, of the middle loud frame."""
    power = frames(sound)[:, 16:128]
    loud = power[power.sum(axis=1) > np.median(power.sum(axis=1))]
    return np.median(np.exp(np.log(loud + 1e-12).mean(axis=1)) / loud.mean(axis=1))


def levels(sound, size=800):
    """Root mean square of stretches of `size` samples."""
    return np.sqrt(np.mean(sound[: len(sound) // size * size].reshape(-1, size) ** 2, axis=1))


@pytest.mark.parametrize("kind", NOISES)
def test_a_noise_has_the_length_asked_for_and_power_one(kind):
    sound = noise(kind, 1.23, RATE, np.random.default_rng(3))
    assert sound.shape == (19680,) and sound.dtype == np.float32
    assert np.mean(sound.astype(float) ** 2) == pytest.approx(1, abs=1e-3)
    assert len(noise(kind, 0.5, 8000, np.random.default_rng(4))) == 4000


@pytest.mark.parametrize("kind", NOISES[1:])
def test_half_a_second_of_any_noise_is_never_silent(kind):
    for seed in range(60):
        sound = noise(kind, 0.5, 8000, np.random.default_rng(seed))
        assert np.mean(sound.astype(float) ** 2) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("kind", NOISES)
def test_the_same_seed_sounds_the_same_and_another_does_not(kind):
    first, other = make(kind), make(kind, seed=1)
    assert np.array_equal(first, make(kind))
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.1


@pytest.mark.parametrize("kind", NOISES)
def test_clips_of_a_kind_differ_in_colour_too(kind):
    spectra = np.array([frames(make(kind, s))[:, 1:].mean(axis=0) for s in range(3)])
    decibels = 10 * np.log10(spectra + 1e-9)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(decibels[a] - decibels[b]).mean() > 1


def test_babble_swells_and_falls_with_the_syllables_of_speech():
    """Speech changes its level 2 to 8 times a second; wind is slower, a bare hiss has no beat."""

    def beat(sound):
        envelope = np.abs(hilbert(sound))
        level = envelope.reshape(-1, 160).mean(axis=1)
        power = np.abs(np.fft.rfft(level - level.mean())) ** 2
        hertz = np.fft.rfftfreq(len(level), 0.01)
        return power[(hertz >= 2) & (hertz <= 8)].sum() / power.sum()

    babbles = np.mean([beat(make("babble", s)) for s in range(3)])
    hiss = np.mean([beat(np.random.default_rng(s).standard_normal(48000)) for s in range(3)])
    assert babbles > 0.3 and hiss < 0.2
    assert share(make("babble"), 80, 4000) > 0.9


def test_a_talker_who_is_seen_can_be_kept_out_of_the_babble():
    ids = [talker.id for talker in TALKERS]
    few = make("babble", seconds=1, without=ids[7:])
    assert np.array_equal(few, make("babble", seconds=1, without=tuple(ids[7:])))
    assert not np.array_equal(few, make("babble", seconds=1, without=ids[6:]))
    with pytest.raises(ValueError, match="leave at least one"):
        make("babble", without=ids)
    assert np.array_equal(make("wind", without=ids), make("wind"))


def test_a_street_rumbles_and_its_level_changes_slowly_as_cars_pass():
    for seed in SEEDS:
        sound = make("street", seed, 6.0)
        assert share(sound, 0, 1000) > 0.5
        slow = np.convolve(levels(sound), np.ones(5) / 5, "valid")
        assert slow.max() > 1.25 * slow.min()
        assert np.abs(np.diff(slow)).max() < 0.5 * slow.mean()


def test_music_keeps_to_twelve_pitches_an_octave():
    """Peaks of its spectrum lie on the steps of one tuning far better than chance lets them."""
    off = []
    for seed in SEEDS:
        sound = make("music", seed, 6.0)
        power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 4 * len(sound))) ** 2
        hertz = np.fft.rfftfreq(4 * len(sound), 1 / RATE)
        inside = np.flatnonzero((hertz > 200) & (hertz < 1000))
        tops = inside[(power[inside] > power[inside - 1]) & (power[inside] > power[inside + 1])]
        tops = tops[np.argsort(power[tops])[-12:]]
        turn = np.exp(2j * np.pi * 12 * np.log2(hertz[tops]))
        off.append(np.abs(turn.mean()))
    assert np.mean(off) > 0.75  # 12 random peaks: 0.26


def test_wind_is_low_and_comes_in_gusts():
    for seed in SEEDS:
        sound = make("wind", seed, 10.0)
        assert share(sound, 0, 500) > 0.9
        gusts = levels(sound, 8000)
        assert gusts.max() > 1.5 * gusts.min()


def test_alarms_are_tones_and_the_other_noises_are_not():
    """Spectral flatness is 1 for white noise and near 0 for a tone."""
    alarms = [flatness(make("alarms", s)) for s in range(12)]
    rough = [flatness(make(kind, s)) for kind in ("street", "applause") for s in SEEDS]
    assert np.median(alarms) < 0.02 and max(alarms) < 0.07 < min(rough)


def test_applause_is_broadband_and_made_of_bursts():
    """Its energy spreads over all octaves, and short peaks stand far above the mean level."""
    for seed in SEEDS:
        sound = make("applause", seed)
        octaves = [share(sound, f, 2 * f) for f in (500, 1000, 2000)]
        assert min(octaves) > 0.01 and max(octaves) < 0.7
        assert np.mean(sound**4) > 5  # Gaussian noise: 3
        assert levels(sound, 32).max() > 4


def test_applause_swells_and_dies_away():
    thick = []
    for seed in SEEDS:
        quiet_and_loud = np.percentile(levels(make("applause", seed, 10.0), 8000), [5, 95])
        thick.append(quiet_and_loud[1] / quiet_and_loud[0])
    assert np.median(thick) > 1.3


@pytest.mark.parametrize(
    ("kind", "seconds", "rate", "message"),
    [
        ("rain", 1.0, 8000, "'rain'.*babble, street, music, wind, alarms, applause"),
        ("wind", 0.1, 8000, "seconds=0.1 given; expected 0.5 to 120"),
        ("wind", float("nan"), 8000, "seconds"),
        ("wind", 1.0, 100, "rate"),
        ("babble", 1.0, 8000.5, "rate"),
    ],
)
def test_what_cannot_be_made_is_refused(kind, seconds, rate, message):
    with pytest.raises(ValueError, match=message):
        noise(kind, seconds, rate, np.random.default_rng(0))
