"""What a training leaves behind: weights that ship, a checkpoint, a log and its curve."""

from __future__ import annotations

import copy
import hashlib
import itertools
import math
import os
import time

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import nn

from avsep_core import runs, weights
from avsep_core.runs import Run, learning_curve
from tests.test_training import Sums, check, equal, error, fit, make

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def figures_closed():
    yield
    plt.close("all")


def build(architecture) -> nn.Module:
    width = architecture["width"]
    return nn.Sequential(nn.Linear(8, width), nn.BatchNorm1d(width), nn.Linear(width, 1))


CARD = {"architecture": {"width": 5}, "seed": 0, "data": "sums", "scores": {"loss": 0.25}}


@pytest.fixture
def network() -> nn.Module:
    """A network whose running statistics have moved away from where they began."""
    torch.manual_seed(3)
    made = build(CARD["architecture"])
    for _ in range(4):
        made(3 + 10 * torch.randn(16, 8))
    return made.eval()


@pytest.fixture
def saved(tmp_path, network):
    return weights.save(network, tmp_path / "small.safetensors", card=CARD)


def test_weights_come_back_in_16_bits_and_running_statistics_exactly(saved, network):
    loaded = weights.load(saved, build)
    for name, x in network.state_dict().items():
        y = loaded.state_dict()[name]
        assert y.dtype == x.dtype
        if "running" in name or "tracked" in name:
            assert torch.equal(y, x)
        else:
            assert torch.equal(y, x.half().float())
            assert ((y - x).abs() <= 2.0**-11 * x.abs()).all(), "11 bits of a number are kept"
    assert not any(module.training for module in loaded.modules())
    assert load_file(saved)["0.weight"].dtype == torch.float16


def test_weights_can_be_kept_in_full(tmp_path, network):
    path = weights.save(network, tmp_path / "new" / "full.safetensors", card=CARD, bits=32)
    assert equal(weights.load(path, build).state_dict(), network.state_dict())


def test_in_8_bits_each_number_is_off_by_half_a_step_of_its_row(tmp_path, network):
    path = weights.save(network, tmp_path / "small.safetensors", card=CARD, bits=8)
    loaded = dict(weights.load(path, build).named_parameters())
    for name, x in network.named_parameters():
        step = x.abs().flatten(1).amax(1, keepdim=True) / 127 if x.ndim > 1 else 2.0**-10 * x.abs()
        assert ((loaded[name] - x).abs() <= 0.5001 * step).all()
    assert load_file(path)["0.weight"].dtype == torch.int8


def test_a_card_says_what_the_weights_are(saved):
    card = weights.card(saved)
    assert card.pop("sha256") == hashlib.sha256(saved.read_bytes()).hexdigest()
    assert card == CARD


@pytest.mark.parametrize("count", [0, 1, 59, 60, 61, 1000])
def test_a_loss_curve_is_thinned_to_sixty_points_with_both_ends(tmp_path, network, count):
    curve = [[k, 1 / (k + 1)] for k in range(count)]
    path = weights.save(network, tmp_path / "a.safetensors", card={**CARD, "loss_curve": curve})
    kept = weights.card(path)["loss_curve"]
    assert len(kept) == min(count, 60)
    assert kept[:1] == curve[:1] and kept[-1:] == curve[-1:]
    assert all(a[0] < b[0] for a, b in itertools.pairwise(kept))


def test_two_layers_that_share_their_weights_come_back_sharing_them(tmp_path):
    def tied(architecture):
        made = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
        made[1].weight = made[0].weight
        return made

    made = tied({})
    path = weights.save(made, tmp_path / "tied.safetensors", card={"architecture": {}})
    loaded = weights.load(path, tied)
    assert loaded[1].weight is loaded[0].weight
    assert torch.equal(loaded[0].weight, made[0].weight.half().float())


@settings(max_examples=40)
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7), cut=st.booleans())
def test_weights_that_are_damaged_anywhere_are_refused_by_their_name(
    tmp_path_factory, place, bit, cut
):
    folder = tmp_path_factory.mktemp("damaged")
    path = weights.save(build({"width": 2}), folder / "small.safetensors", card=CARD)
    raw = bytearray(path.read_bytes())
    place %= len(raw)
    if cut:
        del raw[place:]
    else:
        raw[place] ^= 1 << bit
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=r"small\.safetensors is damaged.*`make weights`"):
        weights.load(path, build)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"sha256": "0"}', '{"architecture": {}}'])
def test_a_damaged_card_is_refused_by_its_name(saved, text):
    saved.with_suffix(".json").write_text(text)
    with pytest.raises(ValueError, match=r"small\.json is damaged.*reinstall"):
        weights.load(saved, build)


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_a_missing_file_is_named(saved, suffix):
    saved.with_suffix(suffix).unlink()
    with pytest.raises(ValueError, match=rf"small\{suffix} is missing.*`make weights`"):
        weights.load(saved, build)


def test_weights_that_do_not_fit_their_architecture_are_refused_tensor_by_tensor(saved):
    with pytest.raises(ValueError, match=r"0\.weight has shape \(5, 8\), not \(6, 8\).*3 more"):
        weights.load(saved, lambda _: build({"width": 6}))
    with pytest.raises(ValueError, match=r"1\.num_batches_tracked is not known, 1\.run"):
        weights.load(saved, lambda _: nn.Sequential(nn.Linear(8, 5), nn.Linear(5, 1)))
    with pytest.raises(ValueError, match=r"small\.safetensors: no network.*KeyError\('depth'\)"):
        weights.load(saved, lambda architecture: build(architecture["depth"]))


@pytest.mark.parametrize("value, bits", [(math.nan, 32), (math.inf, 16), (1e6, 16), (1e6, 8)])
def test_weights_that_cannot_be_kept_are_refused_before_anything_is_written(
    tmp_path, network, value, bits
):
    network[2].bias.data[0] = value
    with pytest.raises(ValueError, match=r"2\.bias holds NaN, an infinity or a value beyond"):
        weights.save(network, tmp_path / "a.safetensors", card=CARD, bits=bits)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name, card, says",
    [
        ("a.pt", CARD, "must end in .safetensors"),
        ("a.safetensors", {"seed": 0}, "no `architecture`"),
        ("a.safetensors", {**CARD, "loss": math.nan}, "must be finite"),
        ("a.safetensors", {**CARD, "made": object()}, "of type object"),
    ],
)
def test_a_name_or_card_that_cannot_be_is_refused(tmp_path, network, name, card, says):
    with pytest.raises(ValueError, match=says):
        weights.save(network, tmp_path / name, card=card)
    assert not list(tmp_path.iterdir())


def test_shipped_weights_are_found_by_chapter_and_name(tmp_path, network, monkeypatch):
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    assert weights.names("low_rank") == []
    for name in ("visual", "audio"):
        weights.save(network, tmp_path / "low_rank" / f"{name}.safetensors", card=CARD)
    assert weights.names("low_rank") == ["audio", "visual"]
    loaded = weights.load(weights.shipped("low_rank", "audio"), build)
    assert torch.equal(loaded[1].running_mean, network[1].running_mean)
    with pytest.raises(ValueError, match=r"deep\.safetensors is missing; .*: audio, visual;"):
        weights.shipped("low_rank", "deep")


@pytest.fixture
def finished(tmp_path):
    fit(make(), 10, folder=tmp_path, validate=check)
    return tmp_path


@pytest.mark.parametrize(
    "changed, says",
    [
        ({"rate": 0.02}, "rate was 0.01 and is 0.02"),
        ({"batch": 8, "seed": 3}, "batch was 4 and is 8; seed was 0 and is 3"),
        ({"decay": "cosine"}, "decay was 'none' and is 'cosine'"),
    ],
)
def test_a_folder_of_another_plan_is_refused(finished, changed, says):
    with pytest.raises(ValueError, match=says) as told:
        fit(make(), folder=finished, **changed)
    assert str(finished) in str(told.value) and "another folder" in str(told.value)


def test_under_a_cosine_the_number_of_steps_decides_the_rate_and_cannot_be_changed(tmp_path):
    fit(make(), 10, folder=tmp_path, decay="cosine")
    with pytest.raises(ValueError, match="steps was 10 and is 20"):
        fit(make(), 20, folder=tmp_path, decay="cosine")


def test_a_folder_of_another_network_is_refused_and_the_network_left_as_it_was(finished):
    other = make()
    other[4] = nn.Linear(8, 2)
    before = copy.deepcopy(other.state_dict())
    with pytest.raises(ValueError, match=r"4\.weight has shape \(1, 8\), not \(2, 8\), 4\.bias"):
        fit(other, folder=finished)
    assert equal(other.state_dict(), before)
    frozen = make()
    frozen[0].requires_grad_(False)
    with pytest.raises(ValueError, match="trained was"):
        fit(frozen, folder=finished)


@settings(max_examples=60)
@given(st.data())
def test_a_checkpoint_that_is_damaged_anywhere_is_refused_by_its_name(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    fit(nn.Linear(8, 1), 2, folder=folder)
    path = folder / runs.CHECKPOINT
    raw = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, 10**6)) % len(raw)
    if data.draw(st.booleans()):
        raw[place] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del raw[place:]
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=r"checkpoint\.safetensors is damaged"):
        fit(nn.Linear(8, 1), 4, folder=folder)


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(finished, monkeypatch):
    path = finished / runs.CHECKPOINT
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            fit(make(), 20, folder=finished, validate=check)
    assert path.read_bytes() == before
    assert {file.name for file in finished.iterdir()} == {
        runs.CHECKPOINT, runs.BEST, runs.LOG
    }  # fmt: skip


def test_a_learning_curve_shows_training_and_validation_against_steps(tmp_path):
    run = fit(make(), 40, folder=tmp_path, validate=check)
    for source in (run, tmp_path, str(tmp_path)):
        ax = learning_curve(source, title="A small network")
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "loss")
        assert "A small network" in (ax.get_title(), ax.get_title(loc="left"))
        training, validation = ax.get_lines()
        assert training.get_ydata().tolist() == run.losses.tolist()
        assert validation.get_xdata().tolist() == [15, 30, 40]
        assert training.get_linestyle() != validation.get_linestyle()
        labels = [text.get_text() for text in ax.get_legend().get_texts()]
        assert labels == ["training: loss", "validation: loss"]


def test_a_long_noisy_curve_is_drawn_smoothed_over_its_raw_points():
    rows = [{"step": k, "loss": 1 + (-1) ** k * 0.5} for k in range(1, 201)]
    run = Run(
        steps=200, rows=rows, seconds=1.0, steps_per_second=1.0, waiting=0.0, stopped="steps",
        best=None, best_weights=None, device="cpu",
    )  # fmt: skip
    raw, smooth = learning_curve(run).get_lines()
    assert len(raw.get_ydata()) == 200
    assert np.abs(smooth.get_ydata() - 1).max() < 0.1


def test_a_curve_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing is logged"):
        learning_curve(tmp_path)


def test_the_log_lists_the_rate_that_was_used_and_the_mean_loss_since_the_line_before():
    each, network = [], make()

    def loss(network, batch):
        value = error(network, batch)
        each.append(value.item())
        return value

    run = fit(network, 10, loss=loss, warmup=8)
    assert [row["step"] for row in run.rows] == [3, 6, 9, 10]
    means = [np.mean(each[a:b]) for a, b in [(0, 3), (3, 6), (6, 9), (9, 10)]]
    assert np.allclose(run.losses, means)
    assert run.curve == [[row["step"], row["loss"]] for row in run.rows]
    assert [row["rate"] for row in run.rows] == [0.01 * k / 8 for k in (3, 6, 8, 8)]


def test_the_share_of_time_spent_waiting_for_data_is_measured():
    class Slow(Sums):
        def __getitem__(self, n):
            time.sleep(0.01)
            return super().__getitem__(n)

    def heavy(network, batch):
        time.sleep(0.04)
        return error(network, batch)

    starved = fit(make(), 6, data=Slow())
    assert 0.7 < starved.waiting < 1 and starved.rows[-1]["waiting"] > 0.7
    assert fit(make(), 6, loss=heavy).waiting < 0.3
    assert starved.device == "cpu" and 1 < starved.steps_per_second < 25


def test_the_time_of_validations_does_not_count_as_speed_of_training():
    def validate(network):
        time.sleep(0.5)
        return check(network)

    run = fit(make(), 10, validate=validate)
    assert run.seconds > 0.5
    assert run.steps / run.steps_per_second < run.seconds - 0.45
