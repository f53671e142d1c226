"""The losses of co-separation, each beside what it promises."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from avsep_core.co_separation.network import KINDS, spectrogram
from avsep_core.co_separation.objective import (
    LAMBDA,
    Objective,
    added_up,
    co_separation_loss,
    loudness_weight,
    ratio_targets,
)
from tests.co_separation.small import TINY, batch, separator


def test_targets_add_up_to_one_also_in_silence():
    X = spectrogram(batch()["sounds"], TINY.bins)
    X[0, :, :3] = 0
    target = ratio_targets(X)
    assert torch.allclose(target.sum(1), torch.ones_like(target[:, 0]))
    assert target.min() >= 0 and target.max() <= 1


def test_a_perfect_separation_has_no_loss_on_masks_nor_on_spectrograms():
    X = spectrogram(batch()["sounds"], TINY.bins)
    target, total = ratio_targets(X), X.sum(1)
    share = torch.rand(2, 3, TINY.bins, TINY.frames).softmax(1)  # how three objects share video 1
    masks = torch.cat([share * target[:, :1], target[:, 1:]], dim=1)
    video = torch.tensor([0, 0, 0, 1, 2, 2, 2, 3])
    added = added_up(masks.flatten(0, 1), video, 4).unflatten(0, (2, 2))
    assert co_separation_loss(added, target, loudness_weight(total)) < 1e-5
    assert co_separation_loss(added * total[:, None], X, torch.ones_like(total)) < 1e-4


def test_masks_are_added_within_their_own_video():
    masks = torch.arange(1.0, 5.0)[:, None, None].expand(4, 2, 2)
    added = added_up(masks, torch.tensor([1, 0, 1, 2]), 4)
    assert added[:, 0, 0].tolist() == [2, 4, 4, 0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("on", ["masks", "spectrograms"])
def test_the_order_of_a_video_s_objects_does_not_matter(kind, on):
    given, turned = batch(), batch()
    order = [1, 2, 0, 3, 4, 5]
    for name in ("pictures", "video", "label", "there", "present"):
        turned[name] = given[name][:, order]
    net = separator(kind=kind)
    loss = Objective(net.architecture, on=on)
    assert torch.allclose(loss(net, given), loss(net, turned), rtol=1e-4)


def test_what_lies_in_an_empty_slot_does_not_matter():
    given, other = batch(), batch()
    other["pictures"][:, 5] = 255 - other["pictures"][:, 5]
    other["label"][:, 5] = 1
    assert torch.equal(Objective(TINY)(separator(), given), Objective(TINY)(separator(), other))


def test_lambda_weighs_the_naming_of_separated_sounds():
    given, net = batch(), separator()
    with torch.no_grad():
        pair, slot = given["there"].nonzero(as_tuple=True)
        mixture = spectrogram(given["sounds"].sum(1), TINY.bins)
        masks, scores = net(mixture, given["pictures"][pair, slot] / 255, pair)
        assert torch.equal(scores, net.sounds_like(masks * mixture[pair]))
        named = F.cross_entropy(scores, given["label"][pair, slot])
        plain, weighed = (Objective(TINY, consistency=c)(net, given) for c in (0, LAMBDA))
    assert torch.allclose(weighed, plain + LAMBDA * named, rtol=1e-5)


def test_whole_videos_are_named_by_all_the_classes_that_they_hold():
    given, net = batch(), separator(kind="mix_and_separate")
    loss = Objective(net.architecture, consistency=1)
    before = loss(net, given)
    given["present"][:, :, 0] = 1
    given["present"][:, :, 1:] = -1
    assert not torch.allclose(before, loss(net, given))


def test_quiet_bins_count_least():
    weight = loudness_weight(torch.tensor([0.0, 1.0, 1e9]))
    assert torch.allclose(weight, torch.tensor([1e-3, 0.6931, 10.0]), atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_steps_lower_the_loss(kind):
    net, given = separator(kind=kind).train(), batch()
    adam, losses = torch.optim.Adam(net.parameters(), 1e-3), []
    for _ in range(12):
        loss = Objective(net.architecture)(net, given)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.95 * losses[0]


@pytest.mark.parametrize("wrong", [{"on": "waves"}, {"consistency": -1.0}])
def test_a_loss_that_is_not_in_the_paper_is_refused(wrong):
    with pytest.raises(ValueError, match="expected masks or spectrograms"):
        Objective(TINY, **wrong)


def test_consistency_is_not_left_out_in_silence():
    """A network without a classifier learns without it only where that was asked for."""
    deaf = replace(TINY, hearing=0)
    with pytest.raises(ValueError, match=r"consistency=0.05 .*hearing=0"):
        Objective(deaf)
    assert torch.isfinite(Objective(deaf, consistency=0)(separator(hearing=0), batch()))
