"""Scoring: rows of the tables by name, AV-Match on top of DC, and what ideal masks reach."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from avsep_core.corpora.mixtures import Item
from avsep_core.corpora.scenes import Scene
from avsep_core.deep_clustering import evaluation
from avsep_core.deep_clustering.clustering import best_frames
from avsep_core.deep_clustering.embedding import features
from avsep_core.deep_clustering.evaluation import matched, scored, separated
from avsep_core.deep_clustering.features import STFT
from avsep_core.deep_clustering.matching import Matcher
from avsep_core.synthetic import talkers
from tests.deep_clustering.small import TINY, network, split


def scene(sources):
    """Sounds of a scene, and faces that flicker; one of them is hidden for a while."""
    count, pictures = len(sources), sources.shape[1] // 320
    who = tuple(f"t0{k}" for k in range(count))
    item = Item("toy-0", who, who, (0.0,) * count, "f" * count)
    faces = np.random.default_rng(0).integers(0, 256, (count, pictures, 64, 64), dtype=np.uint8)
    seen = np.ones((count, pictures), bool)
    seen[1, 5:25] = False
    return Scene(item, sources.sum(0), sources, None, faces, seen, STFT.rate)


@pytest.fixture(scope="module")
def drawn():
    """Two drawn voices of 1.5 s."""
    said = [talkers.speak_audio(who, kind="sentence", seconds=1.5, rate=STFT.rate)
            for who in ("t01", "t02")]  # fmt: skip
    return scene(np.stack([voice / np.sqrt(np.mean(voice**2)) for voice in said]))


@pytest.fixture(scope="module")
def apart():
    """Two voices that share no bin: a low and a high one."""
    return scene(split())


def test_ideal_masks_give_each_bin_to_one_talker(drawn):
    masks = evaluation.ideal(drawn)
    assert masks.shape[:2] == (2, 129) and set(np.unique(masks)) == {0, 1}
    assert (masks.sum(0) == 1).all()


@pytest.mark.parametrize("kind", ["dc", "upit", "avdc", "woa"])
def test_masks_of_any_kind_of_network_share_the_mixture_out(drawn, kind):
    masks = separated(network(kind), drawn)
    assert masks.shape == evaluation.ideal(drawn).shape
    np.testing.assert_allclose(masks.sum(0), 1, atol=1e-5)


def test_the_optimal_order_turns_frames_and_never_fits_worse(drawn):
    plain, truth = separated(network("dc"), drawn), evaluation.ideal(drawn)
    best = best_frames(plain, truth)
    same = (best == plain).all(axis=(0, 1))
    turned = (best == plain[::-1]).all(axis=(0, 1))
    assert (same | turned).all() and turned.any()
    assert np.abs(best - truth).sum() <= np.abs(plain - truth).sum()


def test_a_face_that_is_hidden_for_a_while_does_not_count_there(drawn):
    other = drawn.faces.copy()
    other[1, 7:23] = 0  # well inside: a picture is seen with its neighbours
    made = network()
    one, two = (separated(made, s) for s in (drawn, replace(drawn, faces=other)))
    np.testing.assert_array_equal(one, two)
    open_eyes = [replace(drawn, faces=f, seen=drawn.seen | True) for f in (drawn.faces, other)]
    one, two = (separated(made, s) for s in open_eyes)
    assert not np.array_equal(one, two), "it does where it is seen"
    hidden = separated(made, open_eyes[0], there=drawn.seen)
    np.testing.assert_array_equal(hidden, separated(made, drawn))


def test_features_that_were_kept_are_as_good_as_faces(drawn):
    made = network()
    kept = features(made.lips.pictures, drawn.faces)
    np.testing.assert_array_equal(separated(made, drawn, kept), separated(made, drawn))


def test_three_talkers_get_three_masks_from_networks_for_any_number():
    for kind in ("dc", "avdc"):
        assert separated(network(kind), scene(split(voices=3))).shape[0] == 3


class Knowing(torch.nn.Module):
    """Fits the low voice to the face in which it sees 0, the high one to that with 1."""

    def __init__(self):
        super().__init__()
        self.architecture = TINY
        self.place = torch.nn.Parameter(torch.zeros(1))

    def forward(self, level, features):
        loud = (level > -5).float()
        high = (loud[..., 64:].sum(-1) - loud[..., :64].sum(-1)).transpose(1, 2)
        return high[..., None] * (features[..., 0, 0] - 0.5)[:, None, None]


def faces(*numbers):
    return np.broadcast_to(np.array(numbers, np.float32)[:, None, None], (len(numbers), 32, 4))


def test_frames_that_were_swapped_are_put_back_by_what_fits_the_lips(apart):
    truth = evaluation.ideal(apart)
    swapped = truth.copy()
    swapped[:, :, 50:110] = swapped[::-1, :, 50:110]
    found = matched(Knowing(), swapped, apart.mixture, faces(0, 1).copy())
    wrong = np.nonzero((found != truth).any(axis=(0, 1)))[0]
    assert all(min(abs(t - 50), abs(t - 110)) < 4 or t < 4 or t > 156 for t in wrong), wrong
    back = matched(Knowing(), swapped, apart.mixture, faces(1, 0).copy())
    np.testing.assert_array_equal(back, found[::-1])


def test_av_match_is_for_two_voices_and_two_faces(apart):
    masks = np.ones((3, 129, 161))
    with pytest.raises(ValueError, match="3 voices and 2 faces"):
        matched(Knowing(), masks, apart.mixture, faces(0, 1))
    with pytest.raises(ValueError, match="2 voices and 3 faces"):
        matched(Knowing(), masks[:2], apart.mixture, faces(0, 1, 1))


def test_av_match_only_turns_frames(apart):
    torch.manual_seed(0)
    masks = separated(network("dc"), apart)
    matcher = Matcher(TINY)
    found = matched(matcher, masks, apart.mixture, features(matcher.lips.pictures, apart.faces))
    alike, turned = found == masks, found == masks[::-1]
    assert (alike.all((0, 1)) | turned.all((0, 1))).all()


def test_ideal_masks_gain_most_and_the_mixture_itself_gains_nothing(drawn):
    truth = evaluation.ideal(drawn)
    masks = {"ibm": truth, "half": 0.5 + 0.2 * truth, "mixture": np.ones(truth.shape)}
    found = scored(drawn, masks)
    assert set(found) == set(masks)
    assert all(len(values) == 2 for row in found.values() for values in row.values())
    assert set(found["ibm"]) == {"dsdr", "sdr", "sir", "sar"}
    np.testing.assert_allclose(found["mixture"]["dsdr"], 0, atol=1e-3)
    assert min(found["ibm"]["dsdr"]) > max(found["half"]["dsdr"]) > 0.5
    assert min(found["ibm"]["dsdr"]) > 8


def test_voices_in_another_order_score_alike_unless_the_order_counts(drawn):
    truth = evaluation.ideal(drawn)
    masks = {"right": truth, "turned": truth[::-1]}
    free, strict = (scored(drawn, masks, permute=permute) for permute in (True, False))
    np.testing.assert_allclose(free["turned"]["sdr"], free["right"]["sdr"], atol=1e-6)
    np.testing.assert_allclose(strict["right"]["sdr"], free["right"]["sdr"], atol=1e-6)
    assert max(strict["turned"]["dsdr"]) < 0
