"""From a finished training to shipped weights: what the card tells, and what may be taken over."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from avsep_core import weights
from avsep_core.runs import Run
from avsep_core.shipping import ship, start_from
from avsep_core.training import Plan


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch):
    """Where weights are shipped to."""
    monkeypatch.setattr(weights, "FOLDER", tmp_path / "weights")
    return tmp_path / "weights"


def run(steps, *, stopped="steps", checked=True, seconds=90.0):
    """A training of some steps whose loss falls as 1 / step."""
    rows = [{"step": k, "loss": 1 / k} for k in range(1, steps + 1)]
    if checked:
        rows[-1] = {**rows[-1], "validation": {"loss": 0.5, "si_sdr": 3.0}}
    return Run(
        steps=steps, rows=rows, seconds=seconds, steps_per_second=1.0, waiting=0.0, stopped=stopped,
        best=None, best_weights=None, device="abacus",
    )  # fmt: skip


def shipped(network, a_run, **options):
    plan = Plan(steps=10, batch=2, rate=1e-3, seed=7)
    told = {"data": "sums", "batch": 2}
    return ship("toys", "sum", network, a_run, plan, architecture={"size": 3}, told=told, **options)


def test_a_card_tells_what_was_trained_on_what_and_for_how_long(shelf):
    path = shipped(nn.Linear(3, 1), run(4))
    assert path == shelf / "toys" / "sum.safetensors" == weights.shipped("toys", "sum")
    card = weights.card(path)
    assert card["architecture"] == {"size": 3} and card["data"] == "sums" and card["batch"] == 2
    assert card["seed"] == 7 and card["steps"] == 4 and card["parts"] == [4]
    assert card["device"] == "abacus" and card["minutes"] == 1.5
    assert card["scores"] == {"loss": 0.5, "si_sdr": 3.0, "step": 4}
    assert card["loss_curve"] == [[1, 1.0], [2, 0.5], [3, 1 / 3], [4, 0.25]]
    assert card["commit"] and card["made"]


def test_parts_of_a_training_add_up_on_the_card():
    card = None
    for steps in (2, 3, 1):
        card = weights.card(shipped(nn.Linear(3, 1), run(steps), before=card))
    assert card["steps"] == 6 and card["parts"] == [2, 3, 1] and card["minutes"] == 4.5
    assert [step for step, _ in card["loss_curve"]] == [1, 2, 3, 4, 5, 6]
    assert card["scores"]["step"] == 6


def test_without_a_validation_there_are_no_scores():
    assert weights.card(shipped(nn.Linear(3, 1), run(2, checked=False)))["scores"] == {}


def test_a_training_that_was_stopped_leaves_what_was_shipped_before():
    network = nn.Linear(3, 1)
    path = shipped(network, run(2))
    before = path.read_bytes()
    network.weight.data += 1
    with pytest.raises(KeyboardInterrupt, match="sum was stopped at step 3 of 10; call it again"):
        shipped(network, run(3, stopped="interrupted"))
    assert path.read_bytes() == before and weights.card(path)["steps"] == 2


@pytest.mark.parametrize(("bits", "error"), [(8, 1 / 127), (16, 1e-3), (32, 1e-9)])
def test_weights_come_back_as_exactly_as_their_bits_allow(bits, error):
    network = nn.Linear(3, 50)
    path = shipped(network, run(2), bits=bits)
    again = weights.load(path, lambda told: nn.Linear(told["size"], 50))
    gap = (again.weight - network.weight).abs().amax(1) / network.weight.abs().amax(1)
    assert gap.max() <= error / 2 + 1e-9


def test_a_part_that_other_weights_of_the_chapter_hold_is_shipped_once(shelf):
    first = nn.Linear(3, 4)
    weights.save(first, shelf / "toys" / "eyes.safetensors", card={"architecture": {}}, bits=32)
    path = shipped(
        nn.Sequential(first, nn.Linear(4, 1)), run(2), shared={"0.": ("eyes", "")}, bits=32
    )
    assert set(load_file(path)) == {"1.weight", "1.bias"}
    again = weights.load(path, lambda _: nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1)))
    assert torch.equal(again[0].weight, first.weight)


def test_the_common_block_is_taken_over_and_the_rest_stays_as_drawn():
    two, three = nn.Linear(4, 6), nn.Linear(7, 9)
    drawn = {name: x.clone() for name, x in three.state_dict().items()}
    start_from(three, two)
    assert torch.equal(three.weight[:6, :4], two.weight) and torch.equal(three.bias[:6], two.bias)
    assert torch.equal(three.weight[6:], drawn["weight"][6:])
    assert torch.equal(three.weight[:, 4:], drawn["weight"][:, 4:])
    start_from(three, nn.Bilinear(2, 2, 2))
    assert torch.equal(three.weight[:6, :4], two.weight), "tensors of other axes are left alone"


def test_a_smaller_network_takes_the_first_block_of_a_larger_one():
    small, large = nn.Linear(2, 3), nn.Linear(5, 4)
    start_from(small, large)
    assert torch.equal(small.weight, large.weight[:3, :2])
    assert torch.equal(small.bias, large.bias[:3])
    large.weight.data += 1
    assert not torch.equal(small.weight, large.weight[:3, :2]), "a copy, which is trained alone"


def test_running_statistics_are_taken_over_and_parts_of_another_name_are_not():
    mine, other = nn.BatchNorm1d(4), nn.BatchNorm1d(4)
    other(torch.randn(20, 4) + 5)
    start_from(mine, other)
    torch.testing.assert_close(mine.running_mean, other.running_mean)
    assert mine.num_batches_tracked == 1
    stranger = nn.Sequential(nn.BatchNorm1d(4))
    start_from(stranger, other)
    np.testing.assert_array_equal(stranger[0].running_mean, np.zeros(4))
