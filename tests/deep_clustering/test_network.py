"""The networks: shapes, any length, what stands where in an embedding, and what they refuse."""

import pytest
import torch

from avsep_core.deep_clustering import network as room
from tests.deep_clustering.small import TINY, network, pictures


def levels(frames=20, batch=1):
    return torch.randn(batch, frames, 129)


def eyes(made, faces=2, count=4, batch=1):
    """What the network is given beside the levels."""
    return {"lips": pictures(faces, count, batch)} if made.architecture.looks else {}


@pytest.mark.parametrize(("kind", "wide"), [("dc", 4), ("avdc", 8), ("woa", 4)])
def test_embeddings_have_length_one(kind, wide):
    made = network(kind)
    V = made(levels(), **eyes(made))
    assert V.shape == (1, 20, 129, wide)
    torch.testing.assert_close(V.norm(dim=-1), torch.ones(1, 20, 129))


def test_masks_of_upit_add_up_to_one():
    M = network("upit", voices=3)(levels(7, 2))
    assert M.shape == (2, 7, 129, 3)
    torch.testing.assert_close(M.sum(-1), torch.ones(2, 7, 129))


@pytest.mark.parametrize("faces", [1, 2, 3, 5])
def test_any_number_of_faces(faces):
    made = network()
    assert made(levels(10), **eyes(made, faces, 2)).shape[-1] == 4 + 2 * faces


@pytest.mark.parametrize(("frames", "count"), [(1, 1), (6, 1), (376, 75), (400, 75)])
def test_any_length(frames, count):
    made = network()
    assert made(levels(frames), **eyes(made, 2, count)).shape[1] == frames


def test_swapping_faces_swaps_their_parts_of_the_embedding():
    made, level = network(), levels()
    seen = made.look(*pictures(2))
    V, W = made(level, seen), made(level, seen.flip(1))
    torch.testing.assert_close(V[..., [0, 1, 2, 3, 6, 7, 4, 5]], W)


@pytest.mark.parametrize("kind", ["avdc", "woa"])
def test_pictures_that_were_looked_at_before_are_as_good_as_lips(kind):
    made, level, lips = network(kind), levels(batch=2), pictures(2, batch=2)
    seen = made.look(*lips)
    assert seen.shape == (2, 2, 4, TINY.pictured) and (seen >= 0).all()
    torch.testing.assert_close(made(level, lips=lips), made(level, seen))


def test_gradients_reach_the_first_convolution_through_lips_and_not_through_what_was_seen():
    made, level, lips = network(), levels(), pictures(2)
    first = made.lips.pictures.look[0].weight
    with torch.no_grad():
        seen = made.look(*lips)
    made(level, seen)[..., 0].sum().backward()
    assert first.grad is None and made.lips.lstm.weight_ih_l0.grad.any()
    made(level, lips=lips)[..., 0].sum().backward()
    assert first.grad.any()


@pytest.mark.parametrize("kind", ["dc", "avdc", "woa"])
def test_bins_that_are_asked_for_have_the_embeddings_they_have_among_all(kind):
    made, level = network(kind), levels(batch=3)
    counted = torch.rand(3, 20, 129) < 0.3
    counted[1] = False
    more = eyes(made, batch=3)
    picked = made(level, **more, counted=counted)
    assert picked.shape[0] == counted.sum()
    torch.testing.assert_close(picked, made(level, **more)[counted])


def test_each_picture_is_seen_by_itself_and_its_two_neighbours():
    made = network()
    mouths, flow = pictures(1, 9)
    before = made.look(mouths, flow)
    mouths[:, :, 4] = 255 - mouths[:, :, 4]
    changed = (made.look(mouths, flow) != before).any(-1)[0, 0]
    assert changed.nonzero()[:, 0].tolist() == [3, 4, 5]


def test_a_lamp_that_lights_all_pictures_is_part_of_their_mean_and_changes_nothing():
    """Section IV-A3: lips are seen as they differ from the mean of the training data."""
    made = network().lips.pictures
    mouths, flow = (x[0] for x in pictures(1, 6))
    dark = (mouths // 2).float()
    made.grey = torch.stack([dark.mean((0, 1)) / 255, dark.std((0, 1)) / 255])
    found = made(dark, flow)
    made.grey[0] += 100 / 255
    torch.testing.assert_close(made(dark + 100, flow), found)


def test_pictures_go_with_frames():
    assert room.shown(12, 3).tolist() == [0] * 5 + [1] * 5 + [2, 2]
    assert room.shown(8, 1).tolist() == [0] * 8


def test_paper_sizes():
    parts = dict(room.Network(room.Architecture()).named_children())
    assert parts["shared"].num_layers == 3
    assert parts["embed"].out_features == 129 * 40
    assert parts["embed_joined"].out_features == 129 * 20
    assert parts["join"].input_size == 256
    assert parts["lips"].pictures.inside.in_features == 64 * 10 * 15
    assert parts["lips"].lstm.input_size == parts["lips"].out.out_features == 128


def test_architecture_comes_back_from_its_card():
    assert room.Architecture(**TINY.described()) == TINY


@pytest.mark.parametrize("given", ["lips", "features"])
def test_a_network_that_only_hears_refuses_lips(given):
    for kind in ("dc", "upit"):
        with pytest.raises(ValueError, match=f"lips for a network of kind '{kind}'.*never"):
            network(kind)(levels(), **{given: pictures(2)})


@pytest.mark.parametrize("kind", ["avdc", "woa"])
def test_a_network_that_looks_refuses_to_go_without_lips(kind):
    with pytest.raises(ValueError, match=f"no lips for a network of kind '{kind}'.*always"):
        network(kind)(levels())


def test_strange_architectures_are_refused():
    with pytest.raises(ValueError, match="expected one of dc"):
        room.compact(kind="gan")
    for changes in ({"embedding": 21}, {"stacked": 2}, {"filters": (4, 8)}):
        with pytest.raises(ValueError, match="expected an even, an odd number, and four"):
            room.compact(**changes)
