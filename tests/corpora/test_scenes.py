"""An item as networks that look take it: each talker's own face, from their own picture."""

from dataclasses import replace

import numpy as np
import pytest

from avsep_core.clip import Clip
from avsep_core.corpora import scenes
from avsep_core.corpora.mixtures import Item
from avsep_core.corpora.noisy import NoisyItem
from avsep_core.corpora.store import SIDE, grey_crops
from avsep_core.corpora.synthetic import Synthetic
from avsep_core.faces import NoFaceError, follow
from avsep_core.synthetic import talkers

WORDS = ("command:4", "command:5")


class Brief(Synthetic):
    """The synthetic corpus, with utterances of 0.6 s."""

    def clip(self, speaker, utterance, *, fps=25.0, rate=16000):
        seed = int(utterance.partition(":")[2])
        return talkers.speak(speaker, seed=seed, seconds=0.6, fps=fps, rate=rate).clip


class Faceless(Brief):
    """The same, with the lens cap on."""

    def clip(self, speaker, utterance, **options):
        clip = super().clip(speaker, utterance, **options)
        return Clip(0 * clip.frames, clip.fps, clip.audio, clip.rate, clip.name)


ITEM = Item("toy-0", ("t01", "t02"), WORDS, (0.0, -2.0), "fm")


@pytest.fixture(scope="module")
def made():
    return scenes.scene(Brief(), ITEM)


def test_voices_add_up_to_the_mixture_at_the_rate_asked_for(made):
    assert made.rate == 8000 and made.sources.shape == (2, 4800) and made.noise is None
    np.testing.assert_allclose(made.sources.sum(0), made.mixture, atol=1e-6)
    level = np.sqrt(np.mean(made.sources**2, axis=1))
    assert 20 * np.log10(level[1] / level[0]) == pytest.approx(-2, abs=0.01)
    wide = scenes.scene(Brief(), ITEM, rate=16000)
    assert wide.rate == 16000 and wide.mixture.shape == (9600,)
    np.testing.assert_array_equal(wide.faces, made.faces)


def test_each_talker_s_face_is_followed_in_that_talker_s_own_picture(made):
    assert made.faces.shape == (2, 15, SIDE, SIDE) and made.faces.dtype == np.uint8
    assert made.seen.shape == (2, 15) and made.seen.dtype == bool and made.seen.mean() > 0.9
    for k, (who, words) in enumerate(zip(ITEM.speakers, ITEM.utterances, strict=True)):
        frames = Brief().clip(who, words, rate=8000).frames
        np.testing.assert_array_equal(made.faces[k], grey_crops(frames, follow(frames)[0].boxes))


def test_a_noise_is_a_part_of_the_mixture_that_has_no_face(made):
    noisy = NoisyItem(**vars(ITEM), noise="wind:3", noise_db=-10.0)
    found = scenes.scene(Brief(), noisy)
    assert found.sources.shape == (2, 4800) and len(found.faces) == 2
    np.testing.assert_allclose(found.sources.sum(0) + found.noise, found.mixture, atol=1e-6)
    np.testing.assert_array_equal(found.faces, made.faces)
    assert scenes.scene(Brief(), replace(noisy, noise="")).noise is None


def test_a_talker_without_a_face_is_refused():
    with pytest.raises(NoFaceError, match="asked to follow 1 face"):
        scenes.scene(Faceless(), ITEM)
