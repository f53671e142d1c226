"""Players on strings: what moves is tied to the notes, and a silent thing moves by itself."""

from functools import lru_cache

import numpy as np
import pytest

from avsep_core.synthetic import notes
from avsep_core.synthetic.guitar import strumming
from avsep_core.synthetic.scenery import CHANGE
from avsep_core.synthetic.strings import bowing, guitarist, violinist

FPS = 25
SECONDS = 4.0
TIMES = (np.arange(100) + 0.5) / FPS


def rng(seed=0):
    return np.random.default_rng(seed)


def played(instrument, seed=2, seconds=SECONDS):
    return notes.tune(instrument, seconds=seconds, rng=rng(seed))


@lru_cache(maxsize=8)
def guitar(distractor, seed=1, seconds=SECONDS, silent=False):
    tune = () if silent else played("guitar", seconds=seconds)
    return guitarist(tune, seconds=seconds, fps=FPS, rng=rng(seed), distractor=distractor)


@pytest.fixture(scope="module")
def violin():
    return violinist(played("violin"), seconds=SECONDS, fps=FPS, rng=rng(1))


def motion(act, where):
    """Mean change of the pixels in a region from each picture to the next, (T - 1,)."""
    return np.abs(np.diff(act.frames[:, where], axis=0)).mean((1, 2))


def resting(tune, times, margin=0.1):
    """Which instants are farther than `margin` s from any note."""
    return ~np.any([(times > n.start - margin) & (times < n.end + margin) for n in tune], axis=0)


def test_the_bow_moves_in_notes_and_waits_in_rests():
    tune = played("violin")
    fine = np.arange(0, SECONDS, 0.005)
    at, still = bowing(tune, fine), resting(tune, fine, 0)
    speed = np.abs(np.diff(at)) / 0.005
    assert still.sum() > 60 and speed[still[1:] & still[:-1]].max() < 1e-9
    sounding = ~still[1:] & ~still[:-1]
    assert np.median(speed[sounding]) > 0.5
    assert at.min() >= 0 and at.max() <= 1


def test_the_bow_turns_with_each_stroke_and_is_faster_when_louder():
    tune = [notes.Note(0.5 * k, 0.5, 69, s) for k, s in enumerate((0.3, 0.9, 0.3, 0.9))]
    at = bowing(tune, np.arange(0, 2.0001, 0.5))
    steps = np.diff(at)
    assert (np.sign(steps) == [1, -1, 1, -1]).all()
    soft, loud = (float(np.diff(bowing([tune[k]], np.array([0, 2.0])))[0]) for k in (0, 1))
    assert loud > 1.3 * soft > 0


def test_slurred_notes_share_a_stroke():
    tune = [notes.Note(0, 0.3, 69, 0.4), notes.Note(0.3, 0.3, 71, 0.4, slurred=True)]
    assert (np.diff(bowing(tune, np.linspace(0.01, 0.59, 30))) > 0).all()


def test_the_violinist_moves_while_the_violin_sounds(violin):
    moving, still = motion(violin, violin.region), resting(played("violin"), TIMES)
    both = still[1:] & still[:-1]
    assert both.sum() > 8
    assert moving[both].max() < 0.1 * moving[~both].mean()
    loud = 0.5 * (violin.activity[1:] + violin.activity[:-1])
    assert np.corrcoef(moving, loud)[0, 1] > 0.6


def test_the_strumming_hand_is_fastest_at_onsets():
    tune = played("guitar")
    hand = np.abs(np.diff(strumming(tune, TIMES)))
    onsets = np.array([s.start for s in notes.strokes(tune)])
    peaks = [k for k in range(1, 98) if hand[k] > max(hand[k - 1], hand[k + 1], 0.05)]
    away = [np.abs((k + 1) / FPS - onsets).min() * FPS for k in peaks]
    assert len(peaks) >= 0.7 * len(onsets) and max(away) <= 2


def test_the_hand_strums_down_and_up_by_turns():
    tune = [notes.Note(0.5 * k + 0.2, 0.4, 60, 0.7) for k in range(6)]
    rest = strumming(tune, np.arange(6) * 0.5 + 0.6)
    assert (np.sign(rest) == [1, -1, 1, -1, 1, -1]).all()


def test_the_guitarists_motion_follows_the_sound_and_not_another_sound():
    act = guitar("none")
    moving = motion(act, act.region)

    def agreement(seed):
        tune = played("guitar", seed)
        audio = notes.sound("guitar", tune, seconds=SECONDS, rng=rng())
        heard = np.sqrt((audio.reshape(100, 320) ** 2).mean(1))
        return np.corrcoef(moving, heard[1:])[0, 1]

    assert agreement(2) > 0.45
    assert max(agreement(seed) for seed in range(10, 20)) < agreement(2)


def recurrence(act):
    """Highest autocorrelation of the thing's motion at lags of 0.36 to 1.8 s."""
    moving = motion(act, act.distractor)
    found = []
    for lag in range(9, 45):
        found.append(np.corrcoef(moving[lag:], moving[:-lag])[0, 1])
    return max(found)


@pytest.mark.parametrize("seed", [1, 4])
def test_a_repeating_thing_repeats_and_a_wandering_one_does_not(seed):
    assert recurrence(guitar("repeats", seed, 5.0)) > 0.9
    assert recurrence(guitar("wanders", seed, 5.0)) < 0.8


def test_a_wandering_thing_moves_as_much_as_a_repeating_one():
    a, b = (guitar(kind, 1, 5.0) for kind in ("repeats", "wanders"))
    amount = [motion(act, act.distractor).mean() * act.distractor.sum() for act in (a, b)]
    assert 0.5 < amount[1] / amount[0] < 2
    assert 0.6 < b.distractor.sum() / a.distractor.sum() < 1.6


def test_a_frozen_thing_is_still():
    act = guitar("none")
    thing = guitar("repeats").distractor
    assert not act.distractor.any()
    assert motion(act, thing).max() < 0.3 < motion(guitar("repeats"), thing).mean()


def test_the_things_motion_does_not_change_the_player():
    a, b = guitar("repeats"), guitar("none")
    assert np.array_equal(a.region, b.region)
    assert np.array_equal(a.frames[:, a.region], b.frames[:, a.region])


def test_who_plays_nothing_stays_below_the_threshold():
    for act in (
        guitar("none", seconds=2.0, silent=True),
        violinist((), seconds=2.0, fps=FPS, rng=rng(1)),
    ):
        steps = np.abs(np.diff(act.frames, axis=0)).mean(-1)
        assert 0 < steps.max() < CHANGE
        assert not act.region.any() and not act.activity.any()


def test_regions_are_of_a_plausible_size_and_apart(violin):
    for act in (violin, guitar("repeats"), guitar("wanders")):
        assert act.frames.shape == (100, 120, 160, 3) and act.frames.dtype == np.float32
        assert act.frames.min() >= 0 and act.frames.max() <= 255
        assert 0.03 < act.region.mean() < 0.09
        assert not (act.region & act.distractor).any()
        assert act.activity.min() >= 0 and act.activity.max() == 1
    assert not violin.distractor.any()
    assert 0.02 < guitar("repeats").distractor.mean() < 0.08


def test_motion_lies_in_the_region(violin):
    change = (np.abs(np.diff(violin.frames, axis=0)).mean(-1) ** 2).sum(0)
    assert change[violin.region].sum() > 0.95 * change.sum()


def test_the_same_seed_gives_the_same_picture_and_another_one_another_player(violin):
    again, other = (
        violinist(played("violin"), seconds=SECONDS, fps=FPS, rng=rng(seed)) for seed in (1, 2)
    )
    assert np.array_equal(violin.frames, again.frames)
    assert np.abs(violin.frames - other.frames).mean() > 5


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="distractor 'jumps' given; expected one of repeats"):
        guitarist((), seconds=1, fps=FPS, rng=rng(), distractor="jumps")
    with pytest.raises(ValueError, match="seconds=-1"):
        violinist((), seconds=-1, fps=FPS, rng=rng())
    with pytest.raises(ValueError, match="fps=0"):
        violinist((), seconds=1, fps=0, rng=rng())
