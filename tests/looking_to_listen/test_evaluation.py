"""Scoring: whose voice is whose, what oracles reach, and which part of a face matters when."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from avsep_core.corpora import scenes
from avsep_core.corpora.noisy import NoisyItem
from avsep_core.corpora.synthetic import Synthetic
from avsep_core.looking_to_listen import evaluation
from avsep_core.looking_to_listen.evaluation import Scene, improvement, oracle, voices
from avsep_core.looking_to_listen.network import compact
from avsep_core.looking_to_listen.representation import POWER
from avsep_core.looking_to_listen.vectors import SIZE, FaceNetwork
from avsep_core.scores import si_sdr
from avsep_core.synthetic import talkers


class Brief(Synthetic):
    """The synthetic corpus, with utterances of 0.8 s."""

    def clip(self, speaker, utterance, *, fps=25.0, rate=16000):
        return talkers.speak(speaker, seed=4, seconds=0.8, fps=fps, rate=rate).clip


def item(noise=""):
    voice = ("command:4", "command:4")
    return NoisyItem("toy-0", ("t01", "t02"), voice, (0.0, -2.0), "fm", noise, -10.0)


@pytest.fixture(scope="module")
def drawn():
    """Two drawn voices of 1.5 s, without pictures."""
    said = [talkers.speak_audio(who, kind="sentence", seconds=1.5, rate=8000)
            for who in ("t01", "t02")]  # fmt: skip
    sources = np.stack([voice / np.sqrt(np.mean(voice**2)) for voice in said])
    nothing = np.zeros((2, 37, SIZE), np.float32)
    seen = np.ones(0, bool)
    return Scene(item(), sources.sum(0), sources, None, np.zeros(0), seen, 8000, nothing)


class Louder(nn.Module):
    """Gives each face the mixture, louder the larger the first number of the face's vectors."""

    def __init__(self, faces, voices=None):
        super().__init__()
        self.architecture = compact(faces=faces, voices=voices or faces)
        self.place = nn.Parameter(torch.zeros(1))

    def forward(self, X, vectors=None):
        size = torch.ones(1, self.architecture.voices)
        if vectors is not None:
            size = vectors[..., 0].mean(-1)
        M = torch.zeros(1, size.shape[1], *X.shape[1:])
        M[:, :, 0] = size[..., None, None] ** POWER
        return M


def loudness(found, scene):
    return np.linalg.norm(found, axis=1) / np.linalg.norm(scene.mixture)


def told(*sizes):
    """Vectors whose first number is the size."""
    vectors = np.zeros((len(sizes), 37, SIZE), np.float32)
    vectors[..., 0] = np.array(sizes)[:, None]
    return vectors


@pytest.mark.parametrize("faces", [1, 2])
def test_each_talker_gets_the_voice_of_their_own_face(drawn, faces):
    found = voices(Louder(faces), drawn, told(3, 0.5))
    assert found.shape == (2, 12000)
    np.testing.assert_allclose(loudness(found, drawn), [3, 0.5], rtol=0.03)


def test_a_network_for_two_faces_is_asked_for_each_of_three_talkers(drawn):
    three = Scene(
        drawn.item, drawn.mixture, np.stack([*drawn.sources, drawn.sources[0]]), None,
        drawn.faces, drawn.seen, 8000, told(1, 2, 4),
    )  # fmt: skip
    asked = []
    network = Louder(2)
    network.register_forward_hook(lambda module, given, M: asked.append(given[1][0, :, 0, 0]))
    found = voices(network, three)
    np.testing.assert_allclose(loudness(found, three), [1, 2, 4], rtol=0.03)
    assert [pair.tolist() for pair in asked] == [[1, 2], [2, 4], [4, 1]]


def test_without_faces_the_voices_come_as_they_are(drawn):
    assert voices(Louder(0, 2), drawn).shape == (2, 12000)


def test_the_references_themselves_improve_most_and_the_mixture_not_at_all(drawn):
    assert (improvement(drawn, drawn.sources) > 30).all()
    twice = np.stack([drawn.mixture, drawn.mixture])
    np.testing.assert_allclose(improvement(drawn, twice), 0, atol=0.1)


def test_audio_only_voices_may_come_in_any_order(drawn):
    noisy = drawn.sources + 0.1 * drawn.sources[::-1]
    right = improvement(drawn, noisy)
    np.testing.assert_allclose(improvement(drawn, noisy[::-1], permute=True), right, atol=1e-3)
    assert (improvement(drawn, noisy[::-1]) < right - 10).all()


def test_the_phase_is_what_a_ratio_mask_lacks(drawn):
    """Table 6: the noisy phase is worst. It ranks the clean phase above the complex mask, though.

    With both kept within 1 that cannot be: the square -1…1 of complex masks holds the disc that
    ratio masks with the clean phase can reach, so its nearest point is at least as near.
    """
    inside = slice(100, 11900)

    def score(kind):
        return si_sdr(drawn.sources[:, inside], oracle(drawn, kind)[:, inside])

    ratio, both, clean = (score(kind) for kind in ("ratio", "complex", "ratio_clean_phase"))
    assert (ratio + 1 < clean).all() and (clean < both + 0.1).all()
    with pytest.raises(ValueError, match="expected ratio, complex or ratio_clean_phase"):
        oracle(drawn, "binary")


def test_the_noise_is_a_part_of_the_mixture_that_oracles_know(drawn):
    noise = 0.3 * np.random.default_rng(0).standard_normal(12000)
    loud = Scene(
        drawn.item, drawn.mixture + noise, drawn.sources, noise, drawn.faces, drawn.seen, 8000,
        drawn.vectors,
    )  # fmt: skip
    found = oracle(loud, "ratio_clean_phase")
    assert found.shape == (2, 12000)
    assert (si_sdr(loud.sources, found) > 5).all()


def test_wrong_pictures_are_late_still_or_missing(rng):
    vectors = rng.standard_normal((2, 9, SIZE))
    late = evaluation.shifted(vectors, 2)
    np.testing.assert_array_equal(late[:, 2:], vectors[:, :-2])
    np.testing.assert_array_equal(evaluation.shifted(late, -2), vectors)
    still = evaluation.frozen(vectors)
    assert still.shape == vectors.shape and not np.diff(still, axis=1).any()
    np.testing.assert_array_equal(still[:, 0], vectors[:, 4])
    few = evaluation.kept(vectors, 3)
    np.testing.assert_array_equal(few[:, 3:6], vectors[:, 3:6])
    assert (few != 0).any(-1).sum(1).tolist() == [3, 3]
    np.testing.assert_array_equal(evaluation.kept(vectors, 9), vectors)
    assert not evaluation.kept(vectors, 0).any()


def test_a_scene_has_vectors_of_its_faces_and_zeros_where_none_was_seen(monkeypatch):
    seer = FaceNetwork(2, (2, 4, 4, 4)).eval()
    made = evaluation.scene(Brief(), item("wind:3"), seer)
    assert made.faces.shape == (2, 20, 64, 64) and made.vectors.shape == (2, 20, SIZE)
    assert made.sources.shape == (2, 6400) and made.noise.shape == (6400,)
    gone = replace(scenes.scene(Brief(), item()), seen=np.arange(40).reshape(2, 20) < 30)
    monkeypatch.setattr(scenes, "scene", lambda *_, **options: gone)
    found = evaluation.scene(Brief(), item(), seer)
    np.testing.assert_array_equal(found.vectors[0], made.vectors[0])
    assert found.vectors[1, :10].any() and not found.vectors[1, 10:].any()


class Chin(nn.Module):
    """Its vectors hold how bright one place of the face is, and nothing else."""

    def __init__(self):
        super().__init__()
        self.place = nn.Parameter(torch.zeros(1))

    def vectors(self, faces):
        found = torch.zeros(len(faces), SIZE)
        found[:, 0] = 1 + faces[:, 48:52, 28:32].float().mean((1, 2)) / 100
        return found


def test_the_occluder_finds_the_place_that_a_network_looks_at(drawn):
    faces = np.full((2, 37, 64, 64), 60, np.uint8)
    faces[:, :, 44:56, 24:36] = 200
    seer = Chin()
    vectors = np.stack([seer.vectors(torch.from_numpy(f)).numpy() for f in faces])
    there = np.ones((2, 37), bool)
    looked_at = Scene(drawn.item, drawn.mixture, drawn.sources, None, faces, there, 8000, vectors)
    found = evaluation.occluder_map(Louder(2), seer, looked_at, 1, frame=18, side=12, step=8)
    assert found.shape == (7, 7)
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert 8 * row <= 48 < 8 * row + 12 and 8 * column <= 28 < 8 * column + 12
    assert found[0, 0] < found.max() - 40, "elsewhere the patch changes nothing"
