"""Weights that share a part with others: it is kept once, and comes back whole."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from avsep_core import weights
from tests.test_training import equal
from tests.test_weights import CARD, build


@pytest.fixture
def network() -> nn.Module:
    """What others take a part of."""
    torch.manual_seed(3)
    return build(CARD["architecture"]).eval()


@pytest.fixture
def saved(tmp_path, network):
    return weights.save(network, tmp_path / "small.safetensors", card=CARD)


def face(architecture) -> nn.Module:
    """The first two layers of `build` as its eyes, and a mouth of its own."""
    return nn.ModuleDict(
        {"eyes": build(architecture)[:2], "mouth": nn.Linear(architecture["width"], 3)}
    )


SHARED = {f"eyes.{k}.": ("small", f"{k}.") for k in range(2)}


def seeing(path) -> nn.Module:
    """A face that took over the eyes of what is saved."""
    made = face(CARD["architecture"])
    made["eyes"].load_state_dict(weights.load(path, build)[:2].state_dict())
    return made


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_a_part_that_other_weights_hold_is_not_written_again_and_comes_back(
    tmp_path, network, bits
):
    made = seeing(weights.save(network, tmp_path / "small.safetensors", card=CARD, bits=bits))
    path = weights.save(made, tmp_path / "face.safetensors", card=CARD, bits=bits, shared=SHARED)
    assert not [name for name in load_file(path) if name.startswith("eyes.")]
    held = weights.card(tmp_path / "small.safetensors")["sha256"]
    assert weights.card(path)["shared"] == {name: [*of, held] for name, of in SHARED.items()}
    loaded = weights.load(path, face)
    assert equal(loaded["eyes"].state_dict(), made["eyes"].state_dict())
    step = made["mouth"].weight.abs().max() / (127 if bits == 8 else 1024)
    assert (loaded["mouth"].weight - made["mouth"].weight).abs().max() <= step


def test_a_file_is_smaller_by_the_part_that_it_shares(tmp_path, saved):
    made = seeing(saved)
    alone = weights.save(made, tmp_path / "alone.safetensors", card=CARD)
    sharing = weights.save(made, tmp_path / "sharing.safetensors", card=CARD, shared=SHARED)
    eyes = sum(x.nbytes for name, x in load_file(alone).items() if name.startswith("eyes."))
    assert alone.stat().st_size - sharing.stat().st_size >= eyes
    assert equal(weights.load(alone, face).state_dict(), weights.load(sharing, face).state_dict())


def test_what_is_shared_may_itself_be_shared(tmp_path, saved):
    made = seeing(saved)
    weights.save(made, tmp_path / "face.safetensors", card=CARD, shared=SHARED)
    shared = {"eyes.": ("face", "eyes.")}
    path = weights.save(made, tmp_path / "twin.safetensors", card=CARD, shared=shared)
    assert set(load_file(path)) == {"mouth.weight", "mouth.bias"}
    assert equal(weights.load(path, face)["eyes"].state_dict(), made["eyes"].state_dict())


@pytest.mark.parametrize("part", ["eyes.0.weight", "eyes.0.bias", "eyes.1.running_var"])
def test_a_part_that_was_changed_cannot_be_shared_and_nothing_is_written(tmp_path, saved, part):
    made = seeing(saved)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    made.state_dict()[part].view(-1)[-1] += 1e-3
    with pytest.raises(ValueError, match=rf"{part} is not what .* holds already: give a network"):
        weights.save(made, tmp_path / "face.safetensors", card=CARD, shared=SHARED)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_more_than_there_is_cannot_be_shared(tmp_path, saved):
    with pytest.raises(ValueError, match=r"eyes\.2\.\w+ is not what .* holds already"):
        weights.save(
            seeing(saved), tmp_path / "face.safetensors", card=CARD, shared={"eyes.": ("small", "")}
        )


@pytest.mark.parametrize(
    ("suffix", "harm", "says"),
    [
        (".safetensors", "missing", r"small\.safetensors is missing"),
        (".json", "missing", r"small\.json is missing"),
        (".safetensors", "damaged", r"small\.safetensors is damaged"),
        (".json", "damaged", r"small\.json is damaged"),
    ],
)
def test_weights_that_others_need_are_named_where_they_are_missing_or_damaged(
    tmp_path, saved, suffix, harm, says
):
    made = seeing(saved)
    path = weights.save(made, tmp_path / "face.safetensors", card=CARD, shared=SHARED)
    other = saved.with_suffix(suffix)
    if harm == "missing":
        other.unlink()
    else:
        other.write_bytes(other.read_bytes()[:-9])
    with pytest.raises(ValueError, match=says):
        weights.load(path, face)
    with pytest.raises(ValueError, match=says):
        weights.save(made, tmp_path / "twin.safetensors", card=CARD, shared=SHARED)
    assert not list(tmp_path.glob("twin.*"))


def test_weights_are_refused_when_those_that_they_share_a_part_with_were_made_anew(
    tmp_path, saved, network
):
    path = weights.save(seeing(saved), tmp_path / "face.safetensors", card=CARD, shared=SHARED)
    with torch.no_grad():
        network[2].bias += 1  # not in the shared part, yet nobody can know
    weights.save(network, saved, card=CARD)
    with pytest.raises(
        ValueError, match=r"face\.safetensors was made with other weights than .*sm"
    ):
        weights.load(path, face)


def test_a_part_that_is_not_there_cannot_be_shared(tmp_path, saved):
    with pytest.raises(ValueError, match=r"no weight in .*small\.safetensors begins with '9\.'"):
        weights.save(
            seeing(saved),
            tmp_path / "face.safetensors",
            card=CARD,
            shared={"eyes.": ("small", "9.")},
        )
    assert not list(tmp_path.glob("face.*"))
