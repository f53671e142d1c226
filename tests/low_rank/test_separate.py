"""One door: a clip goes in; a sound, its background and a place come out."""

from dataclasses import replace

import numpy as np
import pytest

from avsep_core import scores
from avsep_core.clip import Clip
from avsep_core.low_rank.separate import separate
from avsep_core.media import resample
from avsep_core.synthetic import stage


def fires(seconds=4.0, rate=8000, seed=0):
    """Two fires that flare up at different times; a chord sounds whenever the left one does.

    Returns the clip with faint noise, the clean chord, and the left fire's region.
    """
    rng = np.random.default_rng(seed)
    T = round(25 * seconds)
    on = np.repeat(rng.random((2, T // 5)) < 0.35, 5, axis=1)
    frames = np.full((T, 36, 48, 3), 70, np.uint8)
    left, right = np.zeros((36, 48), bool), np.zeros((36, 48), bool)
    left[12:20, 8:16] = right[12:20, 32:40] = True
    for place, course in ((left, on[0]), (right, on[1])):
        flames = rng.integers(0, 120, (T, place.sum(), 1)) * course[:, None, None]
        frames[:, place] += flames.astype(np.uint8)
    n = np.arange(round(seconds * rate))
    loud = np.interp(n / rate * 25 - 0.5, np.arange(T), on[0].astype(float))
    chord = 0.2 * loud * sum(np.sin(2 * np.pi * f * n / rate) for f in (440, 880, 1320))
    sound = chord + 0.02 * rng.standard_normal(len(n))
    return Clip(frames, 25.0, sound.astype(np.float32), rate), chord, left


@pytest.fixture(scope="module")
def lit():
    clip, chord, left = fires()
    return clip, chord, left, separate(clip, K=2, lambda1=0.5)


def test_voice_and_background_are_the_mixture(lit):
    clip, _, _, found = lit
    assert found.voices.shape == (1, len(clip.audio)) and found.rate == 8000
    np.testing.assert_allclose(found.voices[0] + found.background, clip.audio, atol=1e-5)
    assert found.masks.shape[0] == 1 and 0 <= found.masks.min() <= found.masks.max() <= 1


def test_the_fire_that_sounds_is_found_and_its_chord_cleaned(lit):
    clip, chord, left, found = lit
    assert found.regions.shape == (1, 36, 48) and found.regions.dtype == bool
    assert scores.f1(found.regions[0], left) > 0.6
    assert scores.nsdr(chord, found.voices[0], clip.audio) > 3


def test_a_clip_of_another_rate_gives_nearly_the_same_answer(lit):
    clip = lit[0]
    finer = clip.with_audio(resample(clip.audio, 8000, 16000), 16000)
    found = separate(finer, K=2, lambda1=0.5)
    assert found.voices.shape == lit[3].voices.shape
    assert scores.f1(found.regions[0], lit[3].regions[0]) > 0.95


def test_the_choice_keeps_one_piece():
    clip = fires()[0]
    whole = separate(clip, K=2, lambda1=0.2).regions[0]
    assert whole[15, 11] and whole[15, 35], "with a small lambda1 both fires are sparse"
    kept = separate(clip, K=2, lambda1=0.2, select=True).regions[0]
    assert kept[15, 11] and not kept[15, 35]


@pytest.mark.parametrize(("how", "named"), [("lambda1", "picture"), ("lambda2", "sound")])
def test_where_nothing_is_sparse_enough_there_is_a_reason_and_no_voice(lit, how, named):
    found = separate(lit[0], **{how: 1000.0})
    assert len(found.voices) == 0
    assert named in found.reason and how in found.reason
    np.testing.assert_allclose(found.background, lit[0].audio, atol=1e-5)


def test_settings_reach_the_solver(lit):
    with pytest.raises(ValueError, match="K=500"):
        separate(lit[0], K=500)
    with pytest.raises(ValueError, match="lambda3"):
        separate(lit[0], lambda3=-1.0)
    with pytest.raises(ValueError, match="threshold"):
        separate(lit[0], threshold=2.0)


def test_the_bow_is_found_and_the_noise_removed():
    scene = stage.perform("violin_yanni", seed=0, seconds=4.0, background="white", snr=0.0)
    found = separate(scene.clip)
    assert scores.f1(found.regions[0], scene.region) > 0.6
    assert scores.nsdr(scene.source, found.voices[0], scene.clip.audio) > 8


def test_of_two_talkers_the_one_who_is_heard_is_kept_and_a_wrong_sound_can_fool_it():
    scene = stage.perform("two_speaker", seed=4, seconds=6.0)
    kept = separate(scene.clip, select=True).regions[0]
    assert (kept & scene.region).sum() > 3 * (kept & scene.distractor).sum()
    late = replace(scene.clip, audio=np.roll(scene.clip.audio, 2 * 8000))
    fooled = separate(late, select=True).regions[0]
    assert scores.f1(fooled, scene.region) < scores.f1(kept, scene.region)
