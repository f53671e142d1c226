"""The door of the matching-pursuit chapter: what comes out for what goes in."""

from dataclasses import replace

import numpy as np
import pytest

from avsep_core import corpora
from avsep_core.clip import Clip
from avsep_core.corpora import dialogues
from avsep_core.matching_pursuit.analysis import analyse, small
from avsep_core.matching_pursuit.drawing import outlined
from avsep_core.matching_pursuit.separate import probabilistic, separate
from avsep_core.matching_pursuit.sources import Sources, assign, find_sources


@pytest.fixture(scope="module")
def talk():
    people = corpora.open_corpus("synthetic")
    items = dialogues.fixed_dialogues(people, split="validation")
    return dialogues.make_dialogue(people, next(i for i in items if i.kind == "fm"))


@pytest.fixture(scope="module")
def clip(talk):
    return talk.clip.trim(0, 16)


@pytest.fixture(scope="module")
def seen(clip):
    return analyse(clip, n_audio_atoms=800, n_video_atoms=60)


def told(seen, talk):
    """The analysis with two sources at the mouths, and every audio atom with its true owner."""
    middle = np.median(talk.mouths[:, :, :2] + talk.mouths[:, :, 2:] / 2, axis=1)
    members = np.linalg.norm(seen.place[:, None] - middle, axis=2).argmin(axis=1)
    found = Sources(middle, members, np.ones(2), 20.0)
    inside = [[any(a <= t < b for a, b in own) for t in seen.book.time] for own in talk.turns]
    talking = np.array(inside, float)
    return replace(seen, sources=found, shares=talking / np.maximum(talking.sum(axis=0), 1))


def test_the_voices_and_the_rest_add_up_to_the_mixture(clip, seen, talk):
    for found in (separate(clip, analysis=told(seen, talk)), probabilistic(clip, analysis=seen)):
        total = found.voices.sum(axis=0) + found.background
        np.testing.assert_allclose(total, seen.mixture, atol=1e-5)


def test_with_true_owners_each_voice_is_nearer_its_own_talker(clip, seen, talk):
    result = separate(clip, analysis=told(seen, talk))
    assert result.reason == "" and result.masks.shape[0] == 2
    truth = talk.sources[:, : len(clip.audio)]
    gains = [row["dsdr"] for row in result.score(truth, mixture=clip.audio, permute=False)]
    assert min(gains) > 2


def test_in_a_solo_slot_the_soloist_has_everything(clip, seen, talk):
    known = told(seen, talk)
    result = separate(clip, analysis=known)
    (start, end), *_ = known.slots()[0]
    piece = slice(round((start + 0.1) * 8000), round((end - 0.1) * 8000))
    np.testing.assert_allclose(result.voices[0, piece], seen.mixture[piece], atol=1e-5)
    assert np.abs(result.voices[1, piece]).max() < 1e-5


def test_who_never_sounds_alone_gets_atoms_and_the_reason(clip, seen, talk):
    known = told(seen, talk)
    mixed = replace(known, shares=np.full_like(known.shares, 0.5))
    result = separate(clip, analysis=mixed)
    assert "source 1 never sounds alone for longer than 1 s" in result.reason
    np.testing.assert_allclose(result.voices, probabilistic(clip, analysis=mixed).voices)


def test_a_single_source_owns_the_whole_soundtrack(clip, seen):
    one = Sources(np.array([[40.0, 80.0]]), np.zeros(len(seen.video), int), np.ones(1), 20.0)
    alone = replace(seen, sources=one, shares=assign(seen.chi, one.members, 1))
    result = separate(clip, analysis=alone)
    assert result.names == ("source 1",)
    np.testing.assert_allclose(result.voices[0], seen.mixture, atol=1e-6)


def test_where_nothing_moves_with_the_sound_there_is_no_voice_but_a_reason(clip, seen):
    nobody = find_sources(seen.place, np.zeros(len(seen.video)))
    empty = replace(seen, sources=nobody, shares=assign(seen.chi, nobody.members, 0))
    for result in (separate(clip, analysis=empty), probabilistic(clip, analysis=empty)):
        assert result.voices.shape == (0, len(seen.mixture))
        assert "no video atom moves with the sound" in result.reason
    assert outlined(clip.frames[:3], empty).shape == (3, 240, 352, 3)


def test_the_box_of_a_source_is_in_pixels_of_the_clip(clip, seen, talk):
    large = replace(clip, frames=np.zeros((1, 240, 352, 3), np.uint8))
    near, far = (
        separate(c, analysis=told(seen, talk)).regions
        for c in (clip, replace(large, audio=clip.audio))
    )
    np.testing.assert_allclose(far, 2 * near)


def test_outlines_are_drawn_on_the_sources_and_nowhere_else(clip, seen, talk):
    plain = replace(seen, sources=find_sources(seen.place, np.zeros(len(seen.video))))
    changed = (outlined(clip.frames, told(seen, talk)) != outlined(clip.frames, plain)).any(axis=3)
    assert changed.any(axis=(1, 2)).all()


def test_pictures_are_brought_to_the_papers_size():
    assert small(np.zeros((2, 480, 720, 3), np.uint8)).shape == (2, 120, 180, 3)


# --- what is refused ----------------------------------------------------------------------------


def test_silence_and_still_pictures_are_refused(clip):
    with pytest.raises(ValueError, match="silent"):
        separate(clip.trim(0, 2).with_audio(np.zeros(16000, np.float32)))
    still = Clip(np.repeat(clip.frames[:1], 60, axis=0), clip.fps, clip.audio[:16000], 8000)
    with pytest.raises(ValueError, match=r"still|constant|change"):
        separate(still)
    grey = replace(still, frames=np.full_like(still.frames, 90))
    with pytest.raises(ValueError, match=r"still|constant|change|nothing"):
        separate(grey)


@pytest.mark.parametrize("frames", [1, 12])
def test_fewer_frames_than_the_activation_window_are_refused(clip, frames):
    with pytest.raises(ValueError, match=f"{frames} frames given, fewer than the window's 13"):
        separate(replace(clip, frames=clip.frames[:frames]))


def test_sound_shorter_than_the_longest_atom_is_refused(clip):
    with pytest.raises(ValueError, match="2048"):
        separate(clip.with_audio(clip.audio[:1500]))


def test_an_analysis_of_another_clip_is_refused(clip, seen):
    with pytest.raises(ValueError, match="give the analysis of this clip"):
        separate(clip.trim(0, 8), analysis=seen)
    with pytest.raises(ValueError, match="give atoms of this clip"):
        analyse(clip.trim(0, 8), book=seen.book)
