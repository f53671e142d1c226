"""Sounds and lips: scores, evidence and the path through it."""

import numpy as np
import pytest
import torch

from avsep_core.deep_clustering import matching
from avsep_core.deep_clustering.features import STFT, levels, targets
from tests.deep_clustering.small import TINY, split


@pytest.fixture
def matcher():
    torch.manual_seed(0)
    return matching.Matcher(TINY).eval()


@pytest.fixture
def spectra():
    """Two voices that share no bin, (1, 2, freq, frames)."""
    return STFT.forward(torch.from_numpy(split()))[None]


def test_swapping_sounds_or_faces_turns_the_evidence_round_and_both_keep_it(matcher):
    level, seen = torch.randn(1, 2, 20, 129), torch.rand(1, 2, 4, TINY.pictured)
    scores = matcher(level, seen)
    assert scores.shape == (1, 20, 2, 2)
    e = matching.evidence(scores)
    for sounds, faces, sign in ((1, 0, -1), (0, 1, -1), (1, 1, 1)):
        other = matcher(level.flip(1) if sounds else level, seen.flip(1) if faces else seen)
        torch.testing.assert_close(matching.evidence(other), sign * e)


def test_a_sound_is_scored_by_itself_whatever_else_is_heard(matcher):
    level, seen = torch.randn(1, 3, 20, 129), torch.rand(1, 2, 4, TINY.pictured)
    alone = [matcher(level[:, [k]], seen) for k in range(3)]
    torch.testing.assert_close(matcher(level, seen), torch.cat(alone, dim=2))


def test_evidence_of_one_frame_is_spread_over_a_window():
    scores = torch.zeros(1, 100, 2, 2)
    scores[0, 50, 0, 0] = matching.WINDOW
    e = matching.evidence(scores)[0]
    half = matching.WINDOW // 2
    assert e.nonzero()[:, 0].tolist() == list(range(50 - half, 50 + half + 1))
    torch.testing.assert_close(e[50], torch.tensor(1.0))


def test_loss_falls_as_right_pairs_fit_better():
    good = torch.eye(2).expand(1, 40, 2, 2)
    losses = [float(matching.matching_loss(k * good)) for k in (-1, 0, 1, 5)]
    assert losses == sorted(losses, reverse=True)
    assert losses[1] == pytest.approx(np.log(2))


def test_a_long_stretch_is_swapped_and_a_single_frame_is_not():
    found = np.ones(60)
    found[20:40] = -1
    found[50] = -3
    assert matching.order(found, stay=4).nonzero()[0].tolist() == list(range(20, 40))
    assert not matching.order(np.ones(1)).any()


def test_a_change_that_costs_nothing_follows_every_frame(rng):
    found = rng.standard_normal(50)
    np.testing.assert_array_equal(matching.order(found, stay=0), found < 0)


def test_a_mask_of_ones_leaves_the_levels_of_the_mixture(spectra):
    X = spectra.sum(1, keepdim=True)
    ones = torch.ones(spectra.shape)
    torch.testing.assert_close(matching.masked_levels(ones, X), levels(X).expand(1, 2, -1, -1))


def test_a_mask_of_zeros_leaves_silence_and_half_a_mask_six_decibels_less(spectra):
    X = spectra.sum(1, keepdim=True)
    zeros = torch.zeros(spectra.shape)
    silence = levels(torch.zeros_like(X))
    assert torch.equal(matching.masked_levels(zeros, X), silence.expand(1, 2, -1, -1))
    half = matching.masked_levels(zeros + 0.5, X)
    low = half > silence.amin()
    wanted = levels(X).expand(1, 2, -1, -1)[low] - np.log(2)
    torch.testing.assert_close(half[low], wanted.float())


def test_a_matcher_learns_from_what_ideal_masks_leave_of_each_voice(spectra):
    parts = matching.parts(spectra)
    mine = targets(spectra).permute(0, 3, 1, 2) > 0
    whole = levels(spectra.sum(1, keepdim=True)).expand(1, 2, -1, -1)
    torch.testing.assert_close(parts[mine], whole[mine])
    assert (parts[~mine] == parts.amin()).all()


class Mixtures:
    """Two voices that share no bin; what is seen of a face is 1 in one dimension, its number."""

    def __getitem__(self, number):
        seen = torch.eye(2)[:, None].expand(2, 32, 2)
        return {"sources": torch.from_numpy(split()), "features": seen.half()}


class Knowing(torch.nn.Module):
    """Fits what is low to face 0 and what is high to face 1, or the other way round."""

    def __init__(self, sign=1.0):
        super().__init__()
        self.sign = torch.nn.Parameter(torch.tensor(sign))

    def forward(self, level, features):
        loud = (level > -5).float()
        high = (loud[..., 64:].sum(-1) - loud[..., :64].sum(-1)).transpose(1, 2)
        face = features[:, :, 0, 1] - features[:, :, 0, 0]
        return self.sign * high[..., None] * face[:, None, None]


def test_right_is_the_part_of_the_frames_whose_evidence_favours_the_true_order():
    check = matching.Matching(Mixtures(), count=2)
    right, wrong = check(Knowing()), check(Knowing(-1.0))
    assert right["right"] == 1 and wrong["right"] == 0
    assert right["loss"] < 1e-6 and wrong["loss"] > 10


def test_the_objective_is_the_loss_of_ideal_parts_and_has_a_gradient():
    batch = torch.utils.data.default_collate([Mixtures()[0], Mixtures()[1]])
    made = Knowing(0.01)
    loss = matching.match_objective(made, batch)
    single = matching.Matching(Mixtures(), count=1)(made)["loss"]
    assert loss.item() == pytest.approx(single, rel=1e-5)
    loss.backward()
    assert made.sign.grad < 0, "the more it trusts what it knows, the smaller the loss"
