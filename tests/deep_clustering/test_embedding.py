"""From an embedding to masks: what is planted in it comes out, by ear or by eye."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch

from avsep_core.deep_clustering import embedding
from avsep_core.deep_clustering.clustering import kmeans
from avsep_core.deep_clustering.embedding import Embedding, cluster, embed, masks_of
from avsep_core.deep_clustering.features import STFT, lips, loud, motion
from avsep_core.deep_clustering.network import shown
from tests.deep_clustering.small import TINY, network, split

FRAMES, FREQ = 60, 20
OWN = np.array([0.6, 0.0, -0.8], np.float32)
MIDDLE = slice(20, 40)


@pytest.fixture
def loudest():
    """Which of three talkers is the loudest in each bin, (frames, freq)."""
    return np.random.default_rng(3).integers(0, 3, (FRAMES, FREQ))


def ideal(loudest, voices=3):
    return (np.arange(voices)[:, None, None] == loudest.T).astype(float)


def planted(loudest, faces, *, heard=True, blur=0.1):
    """An embedding that says of each bin whose it is: by ear, and for each of some faces.

    The bins of a face lie along `OWN` in its part, those of others against it.
    """
    rng = np.random.default_rng(4)
    parts = [np.eye(3)[loudest]] if heard else []
    parts += [np.where((loudest == k)[..., None], OWN, -OWN) for k in faces]
    V = np.concatenate(parts, axis=-1)
    V = V + blur * rng.standard_normal(V.shape)
    V = (V / np.linalg.norm(V, axis=-1, keepdims=True)).astype(np.float32)
    whole = np.ones(loudest.shape, bool)
    own = OWN if len(faces) else OWN[:0]
    return Embedding(V, whole, np.ones((FRAMES, V.shape[-1]), bool), own, 3 * heard)


def hidden(found, face, when):
    """The same, where a face cannot be seen for a while and its part of the embedding is wrong."""
    V, observed = found.V.copy(), found.observed.copy()
    first = found.heard + face * len(OWN)
    V[when, :, first : first + len(OWN)] = 3
    observed[when, first : first + len(OWN)] = False
    return replace(found, V=V, observed=observed)


def test_perfect_embeddings_give_the_ideal_masks_back(loudest):
    by_ear = cluster(planted(loudest, []), 3)
    truth = ideal(loudest)
    assert any(np.array_equal(by_ear[list(order)], truth) for order in permutations(range(3)))
    np.testing.assert_array_equal(cluster(planted(loudest, [0, 1, 2]), 3), truth)


@pytest.mark.parametrize("faces", list(permutations(range(3))))
def test_each_face_gets_its_own_voice_in_any_order_of_the_faces(loudest, faces):
    found = cluster(planted(loudest, faces), 3)
    np.testing.assert_array_equal(found, ideal(loudest)[list(faces)])


@pytest.mark.parametrize("faces", [(0,), (2,), (2, 0), (1, 2)])
def test_voices_beyond_the_faces_come_last(loudest, faces):
    found, truth = cluster(planted(loudest, faces), 3), ideal(loudest)
    np.testing.assert_array_equal(found[: len(faces)], truth[list(faces)])
    rest = found[len(faces) :]
    left = [k for k in range(3) if k not in faces]
    assert np.array_equal(rest, truth[left]) or np.array_equal(rest, truth[left[::-1]])


def test_a_face_owns_the_cluster_whose_bins_lie_along_its_direction(loudest):
    found = planted(loudest, [2, 0, 1])
    assert embedding.order(found, loudest.ravel(), 3).tolist() == [2, 0, 1]
    away = replace(found, own=-OWN)
    assert embedding.order(away, loudest.ravel(), 3).tolist() != [2, 0, 1]


@pytest.mark.parametrize("face", [0, 1, 2])
def test_a_face_that_is_hidden_for_a_while_keeps_its_voice(loudest, face):
    """Section III-C: what k-means would take at its word, k-POD leaves out."""
    found = hidden(planted(loudest, [0, 1, 2]), face, MIDDLE)
    np.testing.assert_array_equal(cluster(found, 3), ideal(loudest))
    fooled = kmeans(found.V[found.counted], 3)[0].reshape(loudest.shape)[MIDDLE]
    assert len(set(fooled.ravel().tolist())) < 3, "k-means takes all of the stretch for one voice"


def test_a_face_that_is_never_seen_leaves_the_others_theirs(loudest):
    found = cluster(hidden(planted(loudest, [0, 1, 2]), 1, slice(None)), 3)
    np.testing.assert_array_equal(found, ideal(loudest), "the hidden face gets what is left over")


def test_faces_that_are_never_seen_at_once_keep_their_voices(loudest):
    found = planted(loudest, [0, 1, 2])
    for face in range(3):
        found = hidden(found, face, np.arange(FRAMES) % 3 == face)
    np.testing.assert_array_equal(cluster(found, 3), ideal(loudest))


def test_without_sound_in_the_embedding_a_moment_without_faces_is_shared_out(loudest):
    """AVDC without the audio embedding knows nothing there; a guess would be somebody's voice."""
    found = planted(loudest, [0, 1, 2], heard=False)
    for face in range(3):
        found = hidden(found, face, MIDDLE)
    masks = cluster(found, 3)
    assert (masks[:, :, MIDDLE] == 1 / 3).all()
    seen = np.ones(FRAMES, bool)
    seen[MIDDLE] = False
    np.testing.assert_array_equal(masks[:, :, seen], ideal(loudest)[:, :, seen])


def test_bins_that_are_not_counted_are_shared_out(loudest, rng):
    found = planted(loudest, [0, 1, 2])
    found = replace(found, counted=rng.random(loudest.shape) < 0.7)
    masks = cluster(found, 3)
    assert (masks[:, ~found.counted.T] == 1 / 3).all()
    kept = np.broadcast_to(found.counted.T, masks.shape)
    np.testing.assert_array_equal(masks[kept], ideal(loudest)[kept])


@pytest.fixture(scope="module")
def mixture():
    return split().sum(0)


def test_masks_that_a_network_gives_itself_are_not_clustered(mixture):
    made = network("upit", voices=3)
    masks = masks_of(made, mixture, voices=3)
    found = embed(made, mixture)
    assert masks.shape == (3, 129, len(found.V))
    np.testing.assert_array_equal(masks, found.V.transpose(2, 1, 0))
    np.testing.assert_allclose(masks.sum(0), 1, atol=1e-5)


def test_an_embedding_knows_the_bins_that_count_and_whose_part_is_where(mixture, rng):
    seen = rng.random((2, 32, TINY.pictured)).astype(np.float32)
    found = embed(network(), mixture, seen)
    X = STFT.forward(torch.from_numpy(mixture))
    np.testing.assert_array_equal(found.counted, loud(X))
    assert found.V.shape == (161, 129, 4 + 2 * 2) and found.observed.all()
    assert found.heard == 4
    assert found.face(1).shape == (161, 129, 2)
    np.testing.assert_array_equal(found.face(1), found.V[..., 6:8])


@pytest.mark.parametrize(("kind", "heard"), [("avdc", 4), ("woa", 0)])
def test_pictures_in_which_a_face_is_not_seen_do_not_count(mixture, rng, kind, heard):
    made = network(kind)
    features = rng.random((2, 32, TINY.pictured)).astype(np.float32)
    seen = np.ones((2, 32), bool)
    seen[1, 10:20] = False
    found = embed(made, mixture, features, seen=seen)
    assert found.heard == heard
    when = seen[1][shown(161, 32).numpy()]
    np.testing.assert_array_equal(found.observed[:, heard + 2 :], np.repeat(when[:, None], 2, 1))
    assert found.observed[:, : heard + 2].all(), "the other face and the sound are there"
    other = features.copy()
    other[1, 10:20] = 99
    np.testing.assert_array_equal(embed(made, mixture, other, seen=seen).V, found.V)
    assert not np.allclose(embed(made, mixture, other).V, embed(made, mixture, features).V)


def test_swapping_faces_swaps_the_names_and_nothing_in_the_sound(mixture, rng):
    made, features = network(), rng.random((2, 32, TINY.pictured)).astype(np.float32)
    one, other = (masks_of(made, mixture, x, voices=2) for x in (features, features[::-1].copy()))
    np.testing.assert_array_equal(one, other[::-1])
    assert not np.array_equal(one, masks_of(made, mixture, features[:1], voices=2))


def test_faces_are_looked_at_through_their_lips(rng):
    faces = rng.integers(0, 256, (2, 5, 64, 64), dtype=np.uint8)
    made = network()
    mouths = lips(faces, (TINY.height, TINY.width))
    flow = np.stack([motion(m) for m in mouths])
    with torch.no_grad():
        wanted = made.look(torch.from_numpy(mouths)[None], torch.from_numpy(flow)[None])[0]
    found = embedding.features(made.lips.pictures, faces)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_masks_that_add_up_to_one_make_sounds_that_add_up_to_the_mixture(mixture, rng):
    X = STFT.forward(mixture.astype(np.float64))
    share = rng.random(X.shape)
    found = embedding.sounds(np.stack([share, 1 - share]), X, len(mixture))
    assert found.shape == (2, len(mixture))
    np.testing.assert_allclose(found.sum(0), mixture, atol=1e-6)
