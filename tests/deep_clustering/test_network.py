"""The networks: shapes, any length, what stands where in an embedding, and what they refuse."""

from dataclasses import replace

import pytest
import torch

from avsep_core.deep_clustering import network

TINY = network.compact(hidden=8, feature=6, embedding=4, filters=(2, 2, 4, 4), seeing=5)


def made(kind, **changes):
    torch.manual_seed(0)
    return network.Network(replace(TINY, kind=kind, **changes)).eval()


def seen(faces, pictures=4, batch=1):
    torch.manual_seed(1)
    return (
        torch.randint(0, 256, (batch, faces, pictures, 32, 48), dtype=torch.uint8),
        torch.randn(batch, faces, pictures, 2, 32, 48),
    )


@pytest.mark.parametrize(("kind", "wide"), [("dc", 4), ("avdc", 8), ("woa", 4)])
def test_embeddings_have_length_one(kind, wide):
    net = made(kind)
    lips = seen(2) if net.architecture.looks else ()
    V = net(torch.randn(1, 20, 129), *lips)
    assert V.shape == (1, 20, 129, wide)
    assert torch.allclose(V.norm(dim=-1), torch.ones(1, 20, 129), atol=1e-5)


def test_masks_of_upit_add_up_to_one():
    M = made("upit", voices=3)(torch.randn(2, 7, 129))
    assert M.shape == (2, 7, 129, 3)
    assert torch.allclose(M.sum(-1), torch.ones(2, 7, 129), atol=1e-5)


@pytest.mark.parametrize("faces", [1, 2, 3, 5])
def test_any_number_of_faces(faces):
    V = made("avdc")(torch.randn(1, 10, 129), *seen(faces, 2))
    assert V.shape[-1] == 4 + 2 * faces


@pytest.mark.parametrize(("frames", "pictures"), [(1, 1), (6, 1), (376, 75), (400, 75)])
def test_any_length(frames, pictures):
    assert made("avdc")(torch.randn(1, frames, 129), *seen(2, pictures)).shape[1] == frames


def test_swapping_faces_swaps_their_parts_of_the_embedding():
    net, level = made("avdc"), torch.randn(1, 20, 129)
    mouths, flow = seen(2)
    V, W = net(level, mouths, flow), net(level, mouths.flip(1), flow.flip(1))
    assert torch.allclose(V[..., [0, 1, 2, 3, 6, 7, 4, 5]], W, atol=1e-5)


def test_pictures_go_with_frames():
    assert network.pictures(12, 3).tolist() == [0] * 5 + [1] * 5 + [2, 2]
    assert network.pictures(8, 1).tolist() == [0] * 8


def test_paper_sizes():
    a = network.Architecture()
    parts = dict(network.Network(a).named_children())
    assert parts["shared"].num_layers == 3
    assert parts["embed"].out_features == 129 * 40
    assert parts["embed_joined"].out_features == 129 * 20
    assert parts["join"].input_size == 256


def test_architecture_comes_back_from_its_card():
    assert network.Architecture(**TINY.described()) == TINY


@pytest.mark.parametrize(
    ("kind", "lips", "words"), [("dc", True, "never"), ("avdc", False, "both")]
)
def test_lips_and_networks_must_fit(kind, lips, words):
    with pytest.raises(ValueError, match=words):
        made(kind)(torch.randn(1, 10, 129), *(seen(2) if lips else ()))


def test_strange_architectures_are_refused():
    with pytest.raises(ValueError, match="expected one of dc"):
        network.compact(kind="gan")
    with pytest.raises(ValueError, match="even"):
        network.compact(embedding=21)
