"""A band that is made up: each instrument has its timbre, whoever plays and whatever is played."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.fft import dct

from avsep_core.synthetic.notes import LEVEL, Note
from avsep_core.synthetic.orchestra import INSTRUMENTS, RANGE, Tune, melody, play, room

RATE = 11025
HELD = ("accordion", "cello", "clarinet", "flute", "saxophone", "trumpet", "violin")
ONE_VOICE = ("cello", "clarinet", "flute", "saxophone", "trumpet", "violin")


def rng(seed=0):
    return np.random.default_rng(seed)


def one(instrument, pitch=66, *, strength=0.7, seconds=1.0, seed=0, rate=RATE):
    """A note that begins at once, and its pitch in Hz."""
    note = Note(0, seconds, pitch, strength)
    audio = play(instrument, (note,), seconds=seconds + 0.3, rate=rate, rng=rng(seed))
    return audio.astype(float), note.hertz


def spectrum(audio, rate=RATE, size=2**17):
    power = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), size)) ** 2
    return np.arange(len(power)) * rate / size, power


def partials(audio, hertz, count):
    """Power at 1, 2, … count times `hertz`."""
    f, power = spectrum(audio)
    return np.array(
        [power[np.abs(f - k * hertz) < 0.1 * hertz].sum() for k in 1 + np.arange(count)]
    )


def centre(audio):
    f, power = spectrum(audio)
    return float((f * power).sum() / power.sum())


def in_time(audio, start, end):
    return audio[round(start * RATE) : round(end * RATE)]


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_the_same_seed_gives_the_same_music_at_the_same_level(instrument):
    first, again, other = (melody(instrument, seconds=4, rng=rng(seed)) for seed in (5, 5, 6))
    assert first == again != other
    a, b = (play(instrument, first, seconds=4, rng=rng(7)) for _ in range(2))
    assert a.dtype == np.float32 and a.shape == (4 * RATE,)
    assert np.array_equal(a, b)
    assert np.sqrt(np.mean(a.astype(float) ** 2)) == pytest.approx(LEVEL, rel=1e-3)


@pytest.mark.parametrize("instrument", INSTRUMENTS)
@pytest.mark.parametrize("seconds", [1, 3.3, 20])
def test_a_melody_keeps_within_its_time_its_range_and_one_key(instrument, seconds):
    scales = ({0, 2, 4, 5, 7, 9, 11}, {0, 2, 3, 5, 7, 8, 10})
    low, high = RANGE[instrument]
    for seed in range(10):
        notes = melody(instrument, seconds=seconds, rng=rng(seed))
        assert notes and max(n.end for n in notes) <= seconds
        assert [n.start for n in notes] == sorted(n.start for n in notes)
        assert low <= min(n.pitch for n in notes) <= max(n.pitch for n in notes) <= high
        used = {n.pitch for n in notes}
        assert any({(p - k) % 12 for p in used} <= scale for k in range(12) for scale in scales)


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_phrases_are_parted_by_silence(instrument):
    notes = melody(instrument, seconds=10, rng=rng(3))
    audio = play(instrument, notes, seconds=10, rng=rng(0)).astype(float)
    times = np.arange(len(audio)) / RATE
    silent = np.ones(len(audio), bool)
    for note in notes:
        silent &= (times < note.start - 0.002) | (times > note.end + 0.35)
    assert silent.sum() > 0.3 * RATE
    assert np.sqrt(np.mean(audio[silent] ** 2)) < 0.01 * LEVEL


def test_who_plays_one_tune_plays_in_one_key():
    tune = Tune.drawn(rng(4))
    allowed = {(tune.key + step) % 12 for step in tune.scale}
    for instrument in INSTRUMENTS:
        notes = melody(instrument, seconds=10, rng=rng(1), tune=tune)
        assert {n.pitch % 12 for n in notes} <= allowed


def test_any_two_instruments_share_16_semitones_and_the_cello_shares_a_fifth():
    for a, b in combinations(INSTRUMENTS, 2):
        shared = min(RANGE[a][1], RANGE[b][1]) - max(RANGE[a][0], RANGE[b][0])
        assert shared >= (7 if "cello" in (a, b) else 16)


@pytest.mark.parametrize("instrument", ONE_VOICE)
def test_bows_and_winds_play_one_note_at_a_time_and_bind_some_of_them(instrument):
    notes = melody(instrument, seconds=30, rng=rng(1))
    for before, after in pairwise(notes):
        assert before.end <= after.start + 1e-6
        assert not after.slurred or before.end == pytest.approx(after.start)
    assert 0.05 < np.mean([n.slurred for n in notes]) < 0.7


def test_a_guitarist_strums_chords_and_an_accordionist_has_chords_in_the_left_hand():
    guitar = melody("acoustic_guitar", seconds=20, rng=rng(1))
    close = [sum(0 <= n.start - m.start < 0.05 for n in guitar) for m in guitar]
    assert max(close) == 4
    accordion = melody("accordion", seconds=20, rng=rng(1))
    right, left = ([n.pitch for n in accordion if n.hand == hand] for hand in (0, 1))
    assert min(len(right), len(left)) > 15
    assert np.mean(right) > np.mean(left) + 7


def test_no_mallet_strikes_two_bars_at_once():
    for seed in range(5):
        notes = melody("xylophone", seconds=20, rng=rng(seed))
        for hand in (0, 1):
            mine = [n for n in notes if n.hand == hand]
            assert len(mine) > 15
            assert min(b.start - a.start for a, b in pairwise(mine)) > 0.03
        together = [(a, b) for a, b in combinations(notes, 2) if a.start == b.start]
        assert all({a.hand, b.hand} == {0, 1} for a, b in together)


@pytest.mark.parametrize("instrument", HELD)
@pytest.mark.parametrize("pitch", [57, 66, 77])
def test_the_harmonic_series_of_a_held_note_stands_at_its_pitch(instrument, pitch):
    audio, hertz = one(instrument, pitch)
    f, power = spectrum(in_time(audio, 0.2, 1))
    candidates = hertz * 2 ** np.arange(-1.1, 1.1, 0.005)
    comb = [
        sum(np.sqrt(np.interp(k * c, f, power)) / np.sqrt(k) for k in range(1, 9))
        for c in candidates
    ]
    assert candidates[np.argmax(comb)] == pytest.approx(hertz, rel=0.03)


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_partials_end_below_half_the_rate_so_that_none_folds_back(instrument):
    audio, hertz = one(instrument, 84, seconds=0.6, strength=1)
    f, power = spectrum(in_time(audio, 0.15, 0.6))
    assert power[f > 0.48 * RATE].sum() < 1e-4 * power.sum()
    if instrument in HELD:
        number = f / hertz
        harmonic = np.abs(number - np.round(number)) < 0.05
        assert power[harmonic].sum() > 0.97 * power.sum()


def test_even_partials_of_a_clarinet_lie_below_the_odd_ones_and_a_saxophones_do_not():
    for seed in range(6):
        level = {
            name: 10 * np.log10(partials(in_time(one(name, 57, seed=seed)[0], 0.2, 1), 220, 5))
            for name in ("clarinet", "saxophone")
        }
        odd, even = level["clarinet"][[0, 2, 4]], level["clarinet"][[1, 3]]
        assert even[0] < min(odd[:2]) - 3 and even[1] < min(odd[1:]) - 3
        assert level["saxophone"][1] > level["clarinet"][1] + 6


def test_a_trumpet_brightens_with_its_strength_more_than_a_clarinet_does():
    def gain(instrument, seed):
        loud, soft = (one(instrument, 64, strength=s, seed=seed)[0] for s in (1.0, 0.35))
        return centre(loud) / centre(soft)

    trumpet, clarinet = ([gain(i, seed) for seed in range(6)] for i in ("trumpet", "clarinet"))
    assert min(trumpet) > 1.25 and np.mean(trumpet) > np.mean(clarinet)


def test_a_trumpet_note_is_brighter_while_it_is_louder():
    audio, _ = one("trumpet", 64, strength=1)
    assert centre(in_time(audio, 0.03, 0.08)) > 1.1 * centre(in_time(audio, 1.005, 1.05))


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_what_is_plucked_or_struck_dies_away_and_what_is_blown_or_bowed_lasts(instrument):
    audio, _ = one(instrument, 66, seconds=1.2)
    left = np.mean(in_time(audio, 0.9, 1.1) ** 2) / np.mean(in_time(audio, 0.1, 0.3) ** 2)
    assert left > 0.5 if instrument in HELD else left < 0.2


def test_partials_of_a_xylophone_stand_near_1_3_and_6_and_not_at_2():
    audio, hertz = one("xylophone", 66)
    level = partials(in_time(audio, 0.01, 0.3), hertz, 6)
    assert level[1] < 0.05 * level[2]
    assert max(level[[3, 4]]) < level[2] < level[0]


def test_the_high_partials_of_a_guitar_die_first():
    for seed in range(4):
        audio, _ = one("acoustic_guitar", 57, seconds=1.5, seed=seed)
        early, late = (partials(in_time(audio, t, t + 0.4), 220, 8) for t in (0.02, 1.0))
        assert late.sum() < 0.3 * early.sum()
        assert late[4:].sum() / late[0] < 0.1 * early[4:].sum() / early[0]


def test_two_reeds_of_an_accordion_beat_and_the_reed_of_a_clarinet_does_not():
    def depth(instrument, seed):
        audio = in_time(one(instrument, 76, seconds=2, seed=seed)[0], 0.3, 1.9)
        level = np.sqrt((audio[: len(audio) // 110 * 110].reshape(-1, 110) ** 2).mean(1))
        return level.std() / level.mean()

    swing = [[depth(i, seed) for seed in range(5)] for i in ("accordion", "clarinet")]
    assert min(swing[0]) > 2 * max(swing[1])


def test_a_flute_trembles_in_loudness_and_a_violin_in_pitch():
    def swings(instrument, seed):
        """How much the level (share) and the pitch (cents) of the fundamental move."""
        audio, hertz = one(instrument, 69, seconds=1.5, seed=seed)
        f, spectrum = np.fft.fftfreq(len(audio), 1 / RATE), np.fft.fft(audio)
        turning = np.fft.ifft(spectrum * (np.abs(f / hertz - 1) < 0.1))
        turning = in_time(turning, 0.4, 1.4)
        cents = 1200 / np.log(2) * np.diff(np.unwrap(np.angle(turning))) * RATE / (6.283 * hertz)
        return np.abs(turning).std() / np.abs(turning).mean(), cents.std()

    flute, violin = (
        np.median([swings(i, seed) for seed in range(8)], 0) for i in ("flute", "violin")
    )
    assert flute[0] > 1.3 * violin[0] and violin[1] > 1.5 * flute[1]


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_two_players_of_one_instrument_differ(instrument):
    level = [
        10 * np.log10(partials(one(instrument, 62, seed=seed)[0], 293.7, 7)[[0, 2, 6]])
        for seed in range(4)
    ]
    for a, b in combinations(level, 2):
        assert np.abs((a - a[0]) - (b - b[0])).max() > 0.5


def features(audio):
    """Means of mel cepstra over time, their spread and how fast they move: (60,)."""
    frames = np.lib.stride_tricks.sliding_window_view(audio, 512)[::256] * np.hanning(512)
    f, mel = np.fft.rfftfreq(512, 1 / RATE), np.geomspace(80, 5200, 33)
    away = np.abs(np.log(np.maximum(f, 1)) - np.log(mel)[:, None]) / np.log(mel[1] / mel[0])
    level = np.log(np.abs(np.fft.rfft(frames)) ** 2 @ np.maximum(1 - 0.8 * away, 0).T + 1e-6)
    sounding = level[level.mean(1) > np.quantile(level.mean(1), 0.3)]
    cepstra = dct(sounding, norm="ortho")[:, :20]
    moves = np.abs(np.diff(cepstra, axis=0))
    return np.concatenate([cepstra.mean(0), cepstra.std(0), moves.mean(0)])


def nearest_centre(known, unknown):
    """Share of `unknown` (kinds, clips, features) whose nearest centre of `known` is its own."""
    spread = np.sqrt(known.var(1).mean(0))
    away = (unknown[:, :, None] - known.mean(1)) / spread
    found = (away**2).sum(-1).argmin(-1)
    return float(np.mean(found == np.arange(len(known))[:, None]))


def test_timbre_tells_the_instruments_apart_where_pitch_does_not():
    timbre, pitch = np.zeros((9, 12, 60)), np.zeros((9, 12, 1))
    for kind, instrument in enumerate(INSTRUMENTS):
        for clip in range(12):
            draw = np.random.default_rng([clip, kind])
            notes = melody(instrument, seconds=4, rng=draw)
            timbre[kind, clip] = features(play(instrument, notes, seconds=4, rng=draw))
            pitch[kind, clip] = np.mean([n.pitch for n in notes])
    by_timbre = nearest_centre(timbre[:, :8], timbre[:, 8:])
    by_pitch = nearest_centre(pitch[:, :8], pitch[:, 8:])
    assert by_timbre > 0.6 and by_pitch < 0.5 and by_timbre > by_pitch + 0.2


def test_a_room_prolongs_a_sound_and_keeps_its_size_and_its_start():
    audio = np.pad(0.1 * in_time(one("xylophone", 72)[0], 0, 0.05), (RATE // 5, RATE))
    rooms = np.array([room(audio, rate=RATE, rng=rng(seed)) for seed in range(12)])
    assert rooms.shape == (12, len(audio)) and rooms.dtype == np.float32
    power = rooms.astype(float) ** 2
    assert power.mean(1) == pytest.approx(np.full(12, np.mean(audio**2)), rel=1e-3)
    before, soon, late = (in_time(power.mean(0), t, t + 0.1).mean() for t in (0, 0.27, 1.1))
    assert soon > 3 * late and late < 1.5 * before
    for wet in rooms:
        shifts = [np.dot(np.roll(wet, -shift), audio) for shift in range(-200, 200)]
        assert np.argmax(shifts) == 200
    assert not room(np.zeros(RATE), rate=RATE, rng=rng()).any()


def test_no_notes_are_silence():
    assert not play("flute", (), seconds=1, rng=rng()).any()


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="'tuba' given; expected one of accordion"):
        melody("tuba", seconds=4, rng=rng())
    with pytest.raises(ValueError, match="'tuba' given; expected one of accordion"):
        play("tuba", (), seconds=4, rng=rng())
    with pytest.raises(ValueError, match=r"seconds=0\.2"):
        melody("flute", seconds=0.2, rng=rng())
    with pytest.raises(ValueError, match="before the end"):
        play("flute", (Note(2, 1, 60, 0.5),), seconds=1, rng=rng())
    with pytest.raises(ValueError, match="rate is 100"):
        play("flute", (), seconds=1, rate=100, rng=rng())
    with pytest.raises(ValueError, match="rate is 100"):
        room(np.zeros(10), rate=100, rng=rng())
