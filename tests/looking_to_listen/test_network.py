"""The network of Tables 1 and 2: contexts, sizes, masks of both signs, clips of any length."""

import json
from dataclasses import replace

import pytest
import torch

from avsep_core.looking_to_listen import network as net
from avsep_core.looking_to_listen.network import Architecture, Network, compact
from avsep_core.looking_to_listen.recipes import RECIPES
from avsep_core.looking_to_listen.representation import K
from avsep_core.looking_to_listen.vectors import SIZE

SMALL = dict(audio=2, last=1, visual=2, lstm=8, fc=16)


def small(**changes):
    """A compact network, narrow, in evaluation mode."""
    return Network(compact(**{**SMALL, **changes})).eval()


def given(architecture, frames=12, batch=2):
    """A spectrogram, and face vectors where the network takes faces."""
    X = torch.randn(batch, 2, frames, architecture.stft.bins)
    pictures = -(-frames // net.REPEATS)
    faces = architecture.faces
    return X, torch.randn(batch, faces, pictures, SIZE) if faces else None


def felt(stream, *shape):
    """How many places of the input, along time and frequency, one place of the output feels."""
    stream = stream.eval()
    for module in stream.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.constant_(module.weight, 0.1)
    x = torch.ones(1, *shape, requires_grad=True)
    out = stream(x)
    out[0, 0, out.shape[2] // 2, out.shape[3] // 2].backward()
    seen = x.grad[0, 0] != 0
    return int(seen.any(1).sum()), int(seen.any(0).sum())


@pytest.mark.parametrize("kernel, frames, bins", [(5, 511, 283), (3, 259, 145)])
def test_printed_filters_see_511_by_283_and_the_printed_contexts_are_those_of_3_by_3(
    kernel, frames, bins
):
    stream = net.audio_stream(2, 1, 1, kernel)
    assert felt(stream, 2, frames + 8, bins + 8) == (frames, bins)
    over_time = [(1, 1), (7, 1), *((kernel, d) for d, _ in net.AUDIO_DILATIONS), (1, 1)]
    over_freq = [(7, 1), (1, 1), *((kernel, d) for _, d in net.AUDIO_DILATIONS), (1, 1)]
    assert (net.context(over_time), net.context(over_freq)) == (frames, bins)


@pytest.mark.parametrize("kernel, pictures", [(5, 131), (3, 69)])
def test_printed_visual_filters_see_131_pictures_and_the_printed_context_is_that_of_3(
    kernel, pictures
):
    assert felt(net.visual_stream(1, kernel), SIZE, pictures + 8, 1) == (pictures, 1)
    assert net.context([(7, 1), *((kernel, d) for d in net.VISUAL_DILATIONS)]) == pictures


@pytest.mark.parametrize("faces", [1, 2, 3])
def test_the_papers_network_has_the_parameters_of_its_tables(faces):
    def convolutions(channels, filters):
        """Weights of k1 x k2 filters without bias, and two numbers each of batch norm."""
        total = 0
        for k1, k2, width in filters:
            total += k1 * k2 * channels * width + 2 * width
            channels = width
        return total

    table_1 = [(1, 7, 96), (7, 1, 96), *[(5, 5, 96)] * 12, (1, 1, 8)]
    table_2 = [(7, 1, 256), *[(5, 1, 256)] * 5]
    wide, bins = 8 * 257 + faces * 256, 257
    want = {
        "audio": convolutions(2, table_1),
        "visual": convolutions(1024, table_2),
        "lstm": 2 * 4 * (wide + 400 + 2) * 400,
        "head": (800 + 1) * 600 + 2 * (600 + 1) * 600 + (600 + 1) * faces * 2 * bins,
    }
    with torch.device("meta"):
        made = Network(Architecture(faces=faces, voices=faces))
    for name, part in made.named_children():
        assert sum(p.numel() for p in part.parameters()) == want.pop(name), name
    assert not want


def test_complex_masks_reach_both_signs_and_stay_within_K():
    """A mask behind a sigmoid could not be negative; where voices cancel it must be."""
    made = small()
    with torch.no_grad():
        made.head[-1].weight.normal_(std=100)
        M = made(*given(made.architecture))
    assert M.shape == (2, 2, 2, 12, 101)
    for part in M.unbind(2):
        assert part.min() < -K / 2 and part.max() > K / 2
    assert M.abs().max() <= K


def test_magnitude_masks_lie_between_0_and_1():
    made = small(mask="magnitude")
    with torch.no_grad():
        made.head[-1].weight.normal_(std=100)
        M = made(*given(made.architecture))
    assert M.shape == (2, 2, 1, 12, 101) and 0 <= M.min() < 0.1 and 0.9 < M.max() <= 1


def test_masks_begin_near_one_half():
    M = small()(*given(compact())).detach()
    assert M[:, :, 0].mean().item() == pytest.approx(0.5, abs=0.1)
    assert M[:, :, 1].mean().item() == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("frames", [1, 7, 298])
def test_a_clip_may_have_any_length(frames):
    made = small()
    M = made(*given(made.architecture, frames, batch=1))
    assert M.shape == (1, 2, 2, frames, 101) and torch.isfinite(M).all()


def test_features_of_a_cut_are_those_of_the_whole():
    """Batch norm over frames would tie a network to one clip length; over channels it does not."""
    with torch.no_grad():
        stream = net.audio_stream(2, 8, 4, 3).eval()
        X, reach = torch.randn(1, 2, 320, 9), 259 // 2
        whole, cut = stream(X), stream(X[:, :, 20:300])
        inside = slice(reach, 280 - reach)
        torch.testing.assert_close(cut[:, :, inside], whole[:, :, 20:300][:, :, inside])
        assert cut[:, :, inside].any()
        assert not torch.allclose(cut[:, :, :5], whole[:, :, 20:25]), "the edge is felt"


def test_all_faces_go_through_the_same_weights():
    made = small(faces=3, voices=3)
    X, vectors = given(made.architecture)
    vectors[:, 2] = vectors[:, 0]
    seen = []
    made.visual.register_forward_hook(lambda module, x, out: seen.append(out))
    made(X, vectors)
    first, second, third = seen[0].unflatten(0, (2, 3)).unbind(1)
    torch.testing.assert_close(first, third)
    assert not torch.allclose(first, second)
    sizes = [
        sum(p.numel() for p in small(faces=n, voices=n).visual.parameters()) for n in (1, 2, 3)
    ]
    assert len(set(sizes)) == 1


def test_75_pictures_are_298_frames_four_each_and_the_last_two_are_dropped():
    pictures = torch.arange(75.0)[:, None].expand(2, 75, 3)
    frames = net.upsample(pictures, 298)
    assert frames.shape == (2, 298, 3)
    assert torch.equal(frames, pictures.repeat_interleave(4, dim=1)[:, :298])


def test_where_pictures_end_before_the_sound_the_last_one_stays():
    assert net.upsample(torch.tensor([[1.0], [2.0]]), 11)[:, 0].tolist() == [1.0] * 4 + [2.0] * 7


def test_centred_vectors_do_not_tell_who_it_is_only_how_the_face_moves():
    moves, who = torch.randn(2, 9, SIZE), torch.randn(2, 1, SIZE)
    moves[0, 3:5] = 0
    seen = (moves != 0).any(-1, keepdim=True)
    found = net.centred(moves)
    torch.testing.assert_close(net.centred(moves + who * seen), found, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.sum(1), torch.zeros(2, SIZE), atol=1e-5, rtol=0)


def test_missing_faces_stay_zero_and_a_photograph_tells_nothing():
    vectors = torch.randn(1, 9, SIZE)
    vectors[0, 4:] = 0
    assert not net.centred(vectors)[0, 4:].any()
    assert not net.centred(torch.zeros(1, 9, SIZE)).any()
    still = torch.full((1, 8, SIZE), 2.5)
    still[0, 6:] = 0
    assert not net.centred(still).any()


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_builds_and_learns_with_all_its_parts(name):
    a = RECIPES[name].architecture.scaled(0.06)
    made = Network(a)
    M = made(*given(a))
    assert M.shape == (2, a.outputs, made.parts, 12, a.stft.bins)
    M.square().mean().backward()
    for label, p in made.named_parameters():
        assert p.grad is not None and torch.isfinite(p.grad).all(), label


def test_ablations_leave_out_what_they_say():
    parts = {
        name: {part for part, _ in Network(a.scaled(0.06)).named_children()}
        for name, a in ((name, RECIPES[f"row_{name}"].architecture) for name in
                        ("full_crm", "no_blstm", "audio_only", "visual_only", "early_fusion"))
    }  # fmt: skip
    full = {"audio", "visual", "lstm", "head"}
    assert parts["full_crm"] == full and parts["no_blstm"] == full - {"lstm"}
    assert parts["audio_only"] == full - {"visual"} and parts["visual_only"] == full - {"audio"}
    assert parts["early_fusion"] == full - {"visual"} | {"reduce"}


@pytest.mark.parametrize("name", RECIPES)
def test_a_card_holds_the_whole_architecture(name):
    a = RECIPES[name].architecture
    assert Architecture(**json.loads(json.dumps(a.described()))) == a


def test_a_scaled_network_is_narrower_and_else_the_same():
    a = Architecture()
    assert a.scaled(1) == a
    half = a.scaled(0.5, memory=0.25)
    assert (half.audio, half.last, half.visual, half.lstm, half.fc) == (48, 4, 128, 100, 150)
    assert (half.kernel, half.stft) == (a.kernel, a.stft)
    assert replace(a, lstm=0, fc=0).scaled(0.01).lstm == 0, "what is left out stays out"
    assert a.scaled(1e-6).last == 1


@pytest.mark.parametrize(
    "changes, told",
    [
        (dict(faces=4, voices=4), "one to three faces"),
        (dict(faces=2, voices=3), "one mask a face"),
        (dict(faces=0, voices=0), "one voice or more"),
        (dict(kernel=4), "odd"),
        (dict(mask="phase"), "complex or magnitude"),
        (dict(fusion="middle"), "late or early"),
        (dict(faces=0, hearing=False), "only sound"),
        (dict(faces=0, bottleneck=1), "only sound"),
        (dict(hearing=False, fusion="early"), "visual-only"),
    ],
)
def test_networks_that_cannot_be_are_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        compact(**changes)


@pytest.mark.parametrize(
    "X, vectors, told",
    [
        ((1, 2, 8, 257), (1, 2, 2, SIZE), "frames, 101"),
        ((2, 8, 101), (1, 2, 2, SIZE), "frames, 101"),
        ((1, 2, 0, 101), (1, 2, 2, SIZE), "frames, 101"),
        ((1, 2, 8, 101), (1, 3, 2, SIZE), "3 faces were given to a network of 2"),
        ((1, 2, 8, 101), None, "0 faces"),
        ((1, 2, 8, 101), (1, 2, 2, 512), "expected"),
        ((1, 2, 8, 101), (2, 2, SIZE), "expected"),
        ((1, 2, 8, 101), (SIZE,), "expected"),
    ],
)
def test_spectrograms_and_faces_of_another_shape_are_refused(X, vectors, told):
    with pytest.raises(ValueError, match=told):
        small()(torch.ones(X), None if vectors is None else torch.ones(vectors))


def test_a_network_without_faces_takes_none():
    made = small(faces=0, voices=2)
    X, _ = given(made.architecture)
    with pytest.raises(ValueError, match="2 faces were given to a network of 0"):
        made(X, torch.ones(2, 2, 3, SIZE))
