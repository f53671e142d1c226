"""Scenes: what is heard is what moves, the truth is the drawing's, and the rest is silent."""

import numpy as np
import pytest

from avsep_core.synthetic import scenery, stage
from avsep_core.synthetic.pair import converse

SECONDS, HOP = 6.0, 320


@pytest.fixture(scope="module")
def scenes():
    """Two seeds of each kind, with white noise as loud as the source."""
    return {
        (kind, seed): stage.perform(kind, seed=seed, seconds=SECONDS, background="white")
        for kind in stage.SCENES
        for seed in (0, 1)
    }


@pytest.fixture(scope="module")
def moods():
    """The two scenes with a thing that moves beside the player, in each of its moods."""
    return {
        (kind, mood): stage.perform(kind, seed=2, seconds=SECONDS, distractor=mood)
        for kind in ("wooden_horse", "guitar_solo")
        for mood in scenery.DISTRACTORS
    }


def motion(scene, mask):
    """Mean change from picture to picture inside a mask, (T - 1,)."""
    grey = scene.clip.frames.astype(np.float32).mean(-1)[:, mask]
    return np.abs(np.diff(grey, axis=0)).mean(1)


def loudness(scene):
    power = np.square(scene.source).reshape(-1, HOP).mean(1)
    return np.sqrt(power)[1:]


def agreement(a, b):
    """Correlation of two curves, each a mean over a fifth of a second."""
    box = np.ones(5) / 5
    return float(np.corrcoef(np.convolve(a, box, "same"), np.convolve(b, box, "same"))[0, 1])


def recurrence(scene):
    """How alike the distractor's most alike pictures are that lie 0.6 to 2.4 s apart, 0 = twins."""
    grey = scene.clip.frames.astype(np.float32).mean(-1)[:, scene.distractor]
    apart = [np.abs(grey[lag:] - grey[:-lag]).mean() for lag in range(15, 61)]
    return min(apart) / np.mean(apart)


@pytest.mark.parametrize("kind", stage.SCENES)
def test_a_scene_has_the_format_that_is_promised(scenes, kind):
    scene = scenes[kind, 0]
    assert scene.clip.frames.shape == (150, 120, 160, 3) and scene.clip.fps == stage.FPS
    assert scene.source.shape == scene.background.shape == scene.clip.audio.shape == (48000,)
    assert scene.source.dtype == scene.background.dtype == np.float32
    assert scene.region.shape == scene.distractor.shape == (120, 160)
    assert scene.activity.shape == (150,) and scene.activity.min() >= 0
    assert scene.activity.max() == pytest.approx(1, abs=0.02)
    assert np.sqrt(np.mean(scene.source**2)) == pytest.approx(0.08, rel=0.02)


@pytest.mark.parametrize("kind", stage.SCENES)
def test_the_same_seed_gives_the_same_clip_and_another_seed_another(kind):
    here, again, other = (
        stage.perform(kind, seed=seed, seconds=1.5, background="hum") for seed in (1, 1, 0)
    )
    assert np.array_equal(again.clip.frames, here.clip.frames)
    assert np.array_equal(again.clip.audio, here.clip.audio)
    assert np.array_equal(again.region, here.region)
    assert np.abs(other.clip.frames[0].astype(float) - here.clip.frames[0]).mean() > 5
    assert abs(np.corrcoef(other.source, here.source)[0, 1]) < 0.3


def test_the_mixture_is_source_and_background_and_no_more(scenes):
    for scene in scenes.values():
        assert np.array_equal(scene.clip.audio, scene.source + scene.background)


@pytest.mark.parametrize("snr", [-5.0, 0.0, 12.5])
@pytest.mark.parametrize("background", ["white", "hum", "music", "babble"])
def test_the_background_is_as_loud_as_was_asked_for(background, snr):
    scene = stage.perform("violin_yanni", seconds=1, background=background, snr=snr)
    ratio = np.mean(scene.source.astype(float) ** 2) / np.mean(scene.background.astype(float) ** 2)
    assert 10 * np.log10(ratio) == pytest.approx(snr, abs=0.1)


def test_background_and_distractor_change_neither_the_source_nor_its_region(scenes, moods):
    quiet = stage.perform("violin_yanni", seed=1, seconds=SECONDS)
    assert not quiet.background.any()
    assert np.array_equal(quiet.source, scenes["violin_yanni", 1].source)
    assert np.array_equal(quiet.clip.frames, scenes["violin_yanni", 1].clip.frames)
    for kind in ("wooden_horse", "guitar_solo"):
        for mood in ("wanders", "none"):
            assert np.array_equal(moods[kind, mood].source, moods[kind, "repeats"].source)
            differ = moods[kind, mood].region != moods[kind, "repeats"].region
            assert differ.mean() < 0.002


def test_region_and_distractor_are_plausible_and_lie_apart(scenes):
    for (kind, _), scene in scenes.items():
        assert 0.02 < scene.region.mean() < 0.12
        assert (scene.region & scene.distractor).sum() <= 0.05 * scene.region.sum()
        assert scene.distractor.any() == (kind != "violin_yanni")


def test_almost_all_motion_lies_in_the_region_and_the_distractor(scenes):
    for (kind, _), scene in scenes.items():
        grey = scene.clip.frames.astype(np.float32).mean(-1)
        change = np.square(np.diff(grey, axis=0)).mean(0) - 2 * 1.6**2 / 3
        inside = scene.region | scene.distractor
        share = change[inside].sum() / change.clip(0).sum()
        assert share > (0.3 if kind == "two_speaker" else 0.75), kind


@pytest.mark.parametrize("kind", stage.SCENES)
def test_the_region_moves_with_its_own_sound_and_not_with_that_of_another_seed(scenes, kind):
    own, others = [], []
    for a, b in ((0, 1), (1, 0)):
        curve = motion(scenes[kind, a], scenes[kind, a].region)
        own.append(agreement(curve, loudness(scenes[kind, a])))
        others.append(agreement(curve, loudness(scenes[kind, b])))
    assert min(own) > 0.35
    assert np.mean(own) > np.mean(others) + 0.25


def test_activity_follows_the_loudness_of_the_source(scenes):
    for scene in scenes.values():
        assert np.corrcoef(scene.activity[1:], loudness(scene))[0, 1] > 0.8


def test_a_player_rests_between_phrases(scenes):
    for (kind, _), scene in scenes.items():
        rests = scene.activity < 0.15
        assert 0.03 < rests.mean() < 0.7, kind


@pytest.mark.parametrize("kind", ["wooden_horse", "guitar_solo"])
def test_what_repeats_comes_back_and_what_wanders_does_not(moods, kind):
    assert recurrence(moods[kind, "repeats"]) < 0.35
    assert recurrence(moods[kind, "wanders"]) > 0.5


@pytest.mark.parametrize("kind", ["wooden_horse", "guitar_solo"])
def test_what_wanders_moves_as_fast_and_as_far_as_what_repeats(moods, kind):
    steady, free = moods[kind, "repeats"], moods[kind, "wanders"]
    energy = [motion(s, s.distractor).mean() for s in (steady, free)]
    assert 0.6 < energy[1] / energy[0] < 1.6
    assert 0.6 < free.distractor.sum() / steady.distractor.sum() < 1.7


@pytest.mark.parametrize("kind", ["wooden_horse", "guitar_solo"])
def test_a_frozen_distractor_stands_still(moods, kind):
    place = moods[kind, "repeats"].distractor
    still = moods[kind, "none"]
    assert not still.distractor.any()
    spread = still.clip.frames[:, place].astype(float).std(0)
    assert spread.mean() < 2.2


def test_the_silent_thing_does_not_follow_the_sound(scenes, moods):
    for scene in [moods["wooden_horse", "repeats"], moods["guitar_solo", "repeats"]]:
        assert abs(agreement(motion(scene, scene.distractor), loudness(scene))) < 0.3


def test_the_silent_talker_moves_the_lips_as_much_but_to_other_words():
    scene = stage.perform("two_speaker", seed=5, seconds=12)
    heard, silent = motion(scene, scene.region), motion(scene, scene.distractor)
    assert 0.4 < silent.mean() / heard.mean() < 2.5
    assert agreement(heard, loudness(scene)) > agreement(silent, loudness(scene)) + 0.1


def test_a_talker_told_to_be_still_is_still():
    scene = stage.perform("two_speaker", seed=5, seconds=2, distractor="none")
    left = scene.region[:, :80].any()
    half = slice(80, 160) if left else slice(0, 80)
    assert not scene.distractor.any()
    assert scene.clip.frames[:, :, half].astype(float).std(0).max() < 4


def test_left_and_right_talkers_are_heard_equally_often():
    rngs = (np.random.default_rng(seed) for seed in range(16))
    talks = [converse(seconds=1.0, fps=5.0, rate=8000, rng=rng, distractor="none") for rng in rngs]
    assert 4 <= sum(talk.heard for talk in talks) <= 12
    for talk in talks:
        assert talk.talkers[0] != talk.talkers[1]
        assert talk.act.region[:, 80 * talk.heard :][:, :80].sum() == talk.act.region.sum()


def test_a_pixel_moves_where_it_changes_by_more_than_the_threshold_in_one_step():
    frames = np.zeros((3, 2, 2, 3), np.float32)
    frames[1, 0, 0], frames[1, 0, 1], frames[1:, 1, 0, 0] = 5, 4, 13
    frames[1, 1, 1], frames[2, 1, 1] = 3, 6
    assert np.array_equal(scenery.moved(frames), [[True, False], [True, False]])
    with pytest.raises(ValueError, match="no picture"):
        scenery.moved([])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "trombone"}, "'trombone'.*wooden_horse, violin_yanni, guitar_solo, two_speaker"),
        ({"background": "rain"}, "'rain'.*none, white, hum, music, babble"),
        ({"distractor": "dances"}, "'dances'.*repeats, wanders, none"),
        ({"seconds": 0.2}, "seconds=0.2 given; expected 1 to 60"),
        ({"seconds": 100}, "expected 1 to 60"),
        ({"seconds": np.nan}, "seconds"),
        ({"rate": 100}, "rate"),
        ({"seed": -1}, "seed"),
        ({"snr": np.inf}, "snr"),
    ],
)
def test_what_cannot_be_performed_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        stage.perform(**{"kind": "wooden_horse", **wrong})
