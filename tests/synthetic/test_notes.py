"""Made-up music: notes at their pitch, in one key, with rests in which nothing sounds."""

import numpy as np
import pytest

from avsep_core.synthetic.notes import (
    INSTRUMENTS,
    LEVEL,
    Note,
    loudness,
    sound,
    strokes,
    tune,
)

RATE = 8000


def rng(seed=0):
    return np.random.default_rng(seed)


def one(instrument, pitch, *, strength=0.7, seconds=1.0, rate=RATE):
    """A single note that begins at 0.1 s."""
    note = Note(0.1, seconds, pitch, strength)
    return sound(instrument, (note,), seconds=seconds + 0.4, rate=rate, rng=rng(pitch)), note


def spectrum(audio, rate, size=2**18):
    power = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), size)) ** 2
    return np.arange(len(power)) * rate / size, power


@pytest.mark.parametrize("instrument", INSTRUMENTS)
@pytest.mark.parametrize("pitch", [48, 62, 73, 81])
def test_a_note_sounds_at_its_pitch_within_20_cents(instrument, pitch):
    audio, note = one(instrument, pitch)
    hertz, power = spectrum(audio[1600:8000], RATE)
    near = np.abs(hertz / note.hertz - 1) < 0.05
    found = hertz[near][power[near].argmax()]
    assert abs(1200 * np.log2(found / note.hertz)) < 20
    below = (hertz > 30) & (hertz < 0.9 * note.hertz)
    assert power[below].max() < 0.02 * power[near].max()


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_partials_stand_at_multiples_so_that_nothing_is_folded_back(instrument):
    audio, note = one(instrument, 79)
    hertz, power = spectrum(audio[1600:8000], RATE)
    number = hertz / note.hertz
    harmonic = np.abs(number - np.round(number)) < 0.05
    assert power[harmonic].sum() > 0.98 * power.sum()


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_a_stronger_note_is_brighter(instrument):
    def centre(strength):
        hertz, power = spectrum(one(instrument, 57, strength=strength)[0][800:2400], RATE)
        return (hertz * power).sum() / power.sum()

    assert centre(1.0) > 1.1 * centre(0.3)


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_rests_are_silent(instrument):
    notes = tune(instrument, seconds=8, rng=rng(3))
    audio = sound(instrument, notes, seconds=8, rate=RATE, rng=rng())
    assert np.isfinite(audio).all()
    times = np.arange(len(audio)) / RATE
    playing = np.zeros(len(audio), bool)
    for note in notes:
        playing |= (times >= note.start - 0.001) & (times < note.end + 0.1)
    assert 0.05 < (~playing).mean() < 0.5
    assert np.abs(audio[~playing]).max() < 1e-3 * np.abs(audio).max()


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_phrases_are_parted_by_rests_of_at_least_0_4_seconds(instrument):
    for seed in range(5):
        notes = tune(instrument, seconds=10, rng=rng(seed))
        ends = np.maximum.accumulate([n.end for n in notes])
        gaps = np.array([n.start for n in notes])[1:] - ends[:-1]
        rests = gaps[gaps > 0.25]
        assert len(rests) >= 2 and rests.min() > 0.39 and rests.max() < 1.2
        assert ends[-1] < 10


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_a_tune_keeps_to_one_key(instrument):
    scales = {(0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)}
    for seed in range(5):
        used = {n.pitch for n in tune(instrument, seconds=20, rng=rng(seed))}
        keys = [k for k in range(12) for s in scales if {(p - k) % 12 for p in used} <= set(s)]
        assert keys and len(used) > 5


def test_the_left_hand_of_a_pianist_plays_below_the_right():
    notes = tune("piano", seconds=20, rng=rng(1))
    right, left = ([n.pitch for n in notes if n.hand == hand] for hand in (0, 1))
    assert len(left) > 8 and max(left) < min(right)
    right, left = (len({n.start for n in notes if n.hand == hand}) for hand in (0, 1))
    assert right > 1.5 * left


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_the_same_seed_gives_the_same_music(instrument):
    first, again, other = (tune(instrument, seconds=4, rng=rng(seed)) for seed in (5, 5, 6))
    assert first == again != other
    a, b = (sound(instrument, first, seconds=4, rng=rng(7)) for _ in range(2))
    assert a.dtype == np.float32 and a.shape == (32000,)
    assert np.array_equal(a, b)
    assert np.sqrt(np.mean(a.astype(float) ** 2)) == pytest.approx(LEVEL, rel=1e-3)


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_loudness_by_the_notes_is_the_envelope_of_the_sound(instrument):
    notes = tune(instrument, seconds=8, rng=rng(2))
    audio = sound(instrument, notes, seconds=8, rate=RATE, rng=rng())
    heard = np.sqrt((audio.reshape(200, 320) ** 2).mean(1))
    known = loudness(instrument, notes, (np.arange(200) + 0.5) / 25)
    assert known.min() == 0 and known.max() == 1
    assert np.corrcoef(heard, known)[0, 1] > 0.8


def test_a_violin_lasts_where_a_guitar_dies_away():
    def left(instrument):
        audio = one(instrument, 60, seconds=1.5)[0]
        early, late = audio[1600:3200], audio[10400:12000]
        return float(np.sum(late**2) / np.sum(early**2))

    assert left("violin") > 0.5 and left("piano") < 0.4 and left("guitar") < 0.05


def test_strings_of_a_strum_and_slurred_notes_are_one_movement():
    strum = [Note(1 + 0.012 * k, 0.5, 50 + 4 * k, 0.2 * k) for k in range(4)]
    taken = strokes([*strum, Note(1.6, 0.3, 60, 0.5)])
    assert [s.start for s in taken] == [1, 1.6]
    assert taken[0].end == pytest.approx(1.536) and taken[0].strength == pytest.approx(0.6)
    bowed = strokes([Note(0, 0.5, 60, 0.5), Note(0.5, 0.5, 62, 0.9, slurred=True)])
    assert [(s.start, s.end) for s in bowed] == [(0, 1)]


def test_no_notes_are_silence():
    assert not sound("piano", (), seconds=1, rng=rng()).any()


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="'flute' given; expected one of piano"):
        tune("flute", seconds=4, rng=rng())
    with pytest.raises(ValueError, match=r"seconds=0\.2"):
        tune("piano", seconds=0.2, rng=rng())
    with pytest.raises(ValueError, match="pitch=200"):
        Note(0, 1, 200, 0.5)
    with pytest.raises(ValueError, match="before the end"):
        sound("piano", (Note(2, 1, 60, 0.5),), seconds=1, rng=rng())
    with pytest.raises(ValueError, match="rate is 100"):
        sound("piano", (), seconds=1, rate=100, rng=rng())
