"""Sounds and lips: scores, evidence and the path through it."""

import numpy as np
import torch

from avsep_core.deep_clustering import matching, network


def test_swapping_sounds_turns_the_evidence_round():
    torch.manual_seed(0)
    a = network.compact(hidden=8, feature=6, filters=(2, 2, 4, 4), seeing=5)
    made = matching.Matcher(a).eval()
    level, mouths = torch.randn(1, 2, 20, 129), torch.randint(0, 256, (1, 2, 4, 32, 48))
    flow = torch.randn(1, 2, 4, 2, 32, 48)
    scores = made(level, mouths, flow)
    assert scores.shape == (1, 20, 2, 2)
    turned = made(level.flip(1), mouths, flow)
    assert torch.allclose(matching.evidence(scores), -matching.evidence(turned), atol=1e-5)


def test_loss_falls_as_right_pairs_fit_better():
    good = torch.eye(2).expand(1, 40, 2, 2)
    losses = [float(matching.matching_loss(k * good)) for k in (-1, 0, 1, 5)]
    assert losses == sorted(losses, reverse=True)
    assert abs(losses[1] - np.log(2)) < 1e-6


def test_a_long_stretch_is_swapped_and_a_single_frame_is_not():
    found = np.ones(60)
    found[20:40] = -1
    found[50] = -3
    assert matching.order(found, stay=4).nonzero()[0].tolist() == list(range(20, 40))
    assert not matching.order(np.ones(1)).any()
