"""The networks: what goes in, what comes out, and what their shapes promise."""

import pytest
import torch

from avsep_core.co_separation.network import (
    KINDS,
    PAPER,
    Architecture,
    ResNet18,
    Seeing,
    Separator,
    compact,
    spectrogram,
    unwarped,
)
from tests.co_separation.small import TINY, separator


def test_six_seconds_are_512_by_256_and_256_by_256_on_the_log_axis():
    a = Architecture()
    assert a.samples == 65535 and 5.9 < a.samples / PAPER.rate < 6
    assert PAPER.forward(torch.zeros(a.samples)).shape == (512, 256)
    assert spectrogram(torch.zeros(2, a.samples), a.bins).shape == (2, 256, 256)


def test_a_mask_of_ones_survives_the_warp_and_back():
    assert torch.allclose(unwarped(torch.ones(128, 5)), torch.ones(512, 5))
    assert torch.allclose(spectrogram(torch.zeros(TINY.samples), 32), torch.zeros(32, 32))


def test_masks_that_add_up_give_sounds_that_add_up_to_the_mixture():
    sound = torch.randn(TINY.samples, generator=torch.Generator().manual_seed(0))
    masks = torch.rand(3, TINY.bins, TINY.frames).softmax(0)
    X = PAPER.forward(sound)
    parts = PAPER.inverse(unwarped(masks) * X, TINY.samples)
    assert torch.allclose(parts.sum(0), sound, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_for_each_picture_between_zero_and_one(kind):
    net = separator(kind=kind)
    X, of = torch.rand(2, TINY.bins, TINY.frames), torch.tensor([0, 0, 1])
    masks, _ = net(X, torch.rand(3, 3, TINY.side, TINY.side), of)
    assert masks.shape == (3, TINY.bins, TINY.frames)
    assert masks.min() >= 0 and masks.max() <= 1


@pytest.mark.parametrize("modulated", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_depends_on_its_own_mixture_and_its_own_picture_only(kind, modulated):
    net, of = separator(kind=kind, modulated=modulated), torch.tensor([0, 1])
    X, pictures = torch.rand(2, TINY.bins, TINY.frames), torch.rand(2, 3, TINY.side, TINY.side)
    pictures[0, :, :, 16:] = 0
    both = net(X, pictures, of)[0]
    alone = net(X[1:], pictures[1:], of[:1])[0]
    assert torch.allclose(both[1:], alone, atol=1e-6)
    for other in (net(X[1:], pictures[:1], of[:1])[0], net(X[:1], pictures[1:], of[:1])[0]):
        assert float((other - alone).detach().abs().max()) > 1e-4


def test_a_resnet_makes_pictures_32_times_smaller_and_eight_times_as_wide():
    assert ResNet18(3, 4)(torch.zeros(1, 3, 64, 96)).shape == (1, 32, 2, 3)
    convolutions = [m for m in ResNet18(3).modules() if isinstance(m, torch.nn.Conv2d)]
    around = sum(m.kernel_size == (1, 1) for m in convolutions)
    assert len(convolutions) - around + 1 == 18, "17 convolutions and the layer that names"


def test_the_paper_s_network_tiles_a_vector_of_512_over_two_by_two_places():
    a = Architecture()
    with torch.device("meta"):
        net = Separator(a)
        seen = Seeing(a)(torch.zeros(1, 3, a.side, a.side))
        low = torch.zeros(1, 1, a.bins, a.frames)
        for layer in net.unet.down:
            low = layer(low)
    assert seen.shape == (1, 512) and low.shape == (1, 512, 2, 2)
    assert net.name.out_features == a.classes + 1


def test_the_classifier_has_one_class_more_than_there_are_objects():
    net = separator()
    assert net.sounds_like(torch.rand(5, TINY.bins, TINY.frames)).shape == (5, TINY.classes + 1)


def test_a_network_is_built_again_from_what_its_card_says():
    told = compact(kind="sound_of_pixels").described()
    assert Architecture(**told).described() == told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "motions"}, "expected one of co_separation, mix_and_separate, sound_of_pixels"),
        ({"bins": 100}, "give multiples of 8"),
        ({"side": 20}, "32 px or more"),
        ({"classes": 0}, "classes"),
    ],
)
def test_an_architecture_that_cannot_be_built_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        separator(**changes)


def test_a_network_without_its_classifier_separates_alike():
    net = separator()
    a = net.architecture
    given = (
        torch.rand(1, a.bins, a.frames),
        torch.rand(2, 3, a.side, a.side),
        torch.zeros(2).long(),
    )
    masks, scores = net.deaf()(*given)
    assert scores is None and torch.equal(masks, net(*given)[0])


@pytest.mark.parametrize("net", [separator(hearing=0), separator(kind="sound_of_pixels")])
def test_a_network_without_a_classifier_does_not_name_sounds(net):
    with pytest.raises(ValueError, match=f"kind {net.architecture.kind} without a classifier"):
        net.sounds_like(torch.rand(1, 32, 32))


def test_scale_one_and_shift_zero_are_the_network_of_the_paper():
    torch.manual_seed(0)
    told = separator(modulated=True)
    plain = separator()
    mine = told.state_dict()
    plain.load_state_dict({name: mine[name] for name in plain.state_dict()})
    X, of = torch.rand(1, TINY.bins, TINY.frames), torch.tensor([0, 0])
    pictures = torch.rand(2, 3, TINY.side, TINY.side)
    assert not torch.equal(told(X, pictures, of)[0], plain(X, pictures, of)[0])
    for layer in told.unet.modulate:
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    assert torch.equal(told(X, pictures, of)[0], plain(X, pictures, of)[0])
