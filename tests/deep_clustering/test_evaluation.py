"""Scoring: rows of the tables by name, AV-Match on top of DC, and what ideal masks reach."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from avsep_core.corpora.mixtures import Item
from avsep_core.corpora.scenes import Scene
from avsep_core.deep_clustering import evaluation
from avsep_core.deep_clustering.evaluation import all_masks, matched, scored
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


def test_rows_are_named_as_in_the_tables_with_their_starred_ones_beside_them(drawn):
    rows = {"dc": "dc", "upit": "upit", "avdc": "avdc", "dc_spk3": "dc", "woa": "woa"}
    found = all_masks(drawn, {row: network(kind) for row, kind in rows.items()}, Matcher(TINY))
    assert set(found) == {
        "dc", "dc_opt", "upit", "upit_opt", "avdc", "avdc_opt", "dc_spk3", "dc_opt_spk3",
        "woa", "woa_opt", "av_match", "ibm",
    }  # fmt: skip
    for row, masks in found.items():
        assert masks.shape == found["ibm"].shape, row
        np.testing.assert_allclose(masks.sum(0), 1, atol=1e-5, err_msg=row)


def test_the_starred_row_is_the_same_masks_in_the_best_order_of_each_frame(drawn):
    found = all_masks(drawn, {"dc": network("dc")})
    plain, best = found["dc"], found["dc_opt"]
    same = (best == plain).all(axis=(0, 1))
    turned = (best == plain[::-1]).all(axis=(0, 1))
    assert (same | turned).all() and turned.any()
    truth = found["ibm"]
    assert np.abs(best - truth).sum() <= np.abs(plain - truth).sum()


def test_a_face_that_is_hidden_for_a_while_does_not_count_there(drawn):
    other = drawn.faces.copy()
    other[1, 7:23] = 0  # well inside: a picture is seen with its neighbours
    made = {"avdc": network()}
    one, two = (all_masks(s, made)["avdc"] for s in (drawn, replace(drawn, faces=other)))
    np.testing.assert_array_equal(one, two)
    there = [replace(drawn, faces=f, seen=drawn.seen | True) for f in (drawn.faces, other)]
    one, two = (all_masks(s, made)["avdc"] for s in there)
    assert not np.array_equal(one, two), "it does where it is seen"


def test_three_talkers_have_rows_too():
    found = all_masks(scene(split(voices=3)), {"avdc": network(), "dc_spk2": network("dc")})
    assert set(found) == {"avdc", "avdc_opt", "dc_spk2", "dc_opt_spk2", "ibm"}
    assert all(masks.shape[0] == 3 for masks in found.values())


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


def test_av_match_repairs_dc_and_needs_no_other_network_to_look_by(apart):
    torch.manual_seed(0)
    found = all_masks(apart, {"dc": network("dc")}, Matcher(TINY))
    assert set(found) == {"dc", "dc_opt", "av_match", "ibm"}
    frames = found["av_match"] - found["dc"]
    turned = found["av_match"] - found["dc"][::-1]
    assert ((frames == 0).all((0, 1)) | (turned == 0).all((0, 1))).all()
    with pytest.raises(ValueError, match="'dc', which is not among the networks"):
        all_masks(apart, {"upit": network("upit")}, Matcher(TINY))


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
