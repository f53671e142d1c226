"""Training: the same run, interrupted or not, and a clear stop where something goes wrong."""

from __future__ import annotations

import copy
import itertools
import json
import math
import os
import signal
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import nn

from avsep_core import runs
from avsep_core.runs import Run
from avsep_core.training import Plan, TrainingStopped, train

PLANTED = torch.linspace(-1, 1, 8)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Sums:
    """Example n: 8 numbers drawn from seed n, and their weighted sum. Notes what is asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        self.asked.append(n)
        x = torch.randn(8, generator=torch.Generator().manual_seed(n))
        return {"number": torch.tensor(n), "x": x, "y": (PLANTED @ x)[None]}


def error(network, batch):
    return (network(batch["x"]) - batch["y"]).square().mean()


def check(network) -> dict[str, float]:
    batch = torch.utils.data.default_collate([Sums()[n] for n in range(10**6, 10**6 + 32)])
    return {"loss": float(error(network, batch))}


def make(seed: int = 1) -> nn.Module:
    """A network with all that can go wrong in a resumption: dropout, running statistics."""
    torch.manual_seed(seed)
    layers = nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 1)
    return nn.Sequential(*layers)


def plan(steps: int = 40, **changed) -> Plan:
    habit = {"batch": 4, "rate": 1e-2, "check_every": 15, "save_every": 10, "log_every": 3}
    return Plan(steps=steps, **{**habit, **changed})


def fit(network, steps=40, *, loss=error, data=None, folder=None, validate=None, **changed) -> Run:
    workers = changed.pop("workers", 0)
    return train(
        network, loss, data or Sums(), plan=plan(steps, **changed), folder=folder,
        validate=validate, device="cpu", workers=workers, progress=False,
    )  # fmt: skip


def equal(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def without_clock(rows):
    return [{k: v for k, v in row.items() if k not in ("seconds", "waiting")} for row in rows]


def at(step: int, do, loss=error):
    """A loss that does something when the examples of a step arrive."""

    def found(network, batch):
        if batch["number"][0] == step * len(batch["number"]):
            do()
        return loss(network, batch)

    return found


def interrupt(number=signal.SIGTERM):
    return lambda: os.kill(os.getpid(), number)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    torch.set_num_threads(1)
    folder, network = tmp_path_factory.mktemp("undisturbed"), make()
    return fit(network, folder=folder, validate=check), network, folder


def test_a_planted_line_is_found():
    network = nn.Linear(8, 1, bias=False)
    run = fit(network, 400, batch=16, rate=0.03)
    assert run.stopped == "steps" and run.steps == 400
    assert run.losses[-1] < 1e-4 < 0.1 < run.losses[0]
    assert torch.allclose(network.weight[0], PLANTED, atol=1e-2)


@pytest.mark.parametrize("step", [1, 20, 28, 38])
@pytest.mark.parametrize("signalled", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(
    tmp_path, undisturbed, step, signalled
):
    whole, trained, there = undisturbed
    first = fit(make(), folder=tmp_path, validate=check, loss=at(step, interrupt(signalled)))
    assert first.stopped == "interrupted" and first.steps == step + 1
    network = make(seed=99)
    run = fit(network, folder=tmp_path, validate=check)
    assert equal(network.state_dict(), trained.state_dict())
    assert without_clock(run.rows) == without_clock(whole.rows)
    assert run.best == whole.best and equal(run.best_weights, whole.best_weights)
    name = runs.CHECKPOINT
    assert equal(load_file(tmp_path / name), load_file(there / name)), "the moments of Adam as well"


def test_a_run_that_fails_without_warning_goes_on_from_its_last_checkpoint(tmp_path, undisturbed):
    def fail():
        raise OSError("the disk with the data is gone")

    with pytest.raises(OSError, match="disk"):
        fit(make(), folder=tmp_path, validate=check, loss=at(27, fail))
    lines = (tmp_path / runs.LOG).read_text()
    assert '"step": 27' in lines
    (tmp_path / runs.LOG).write_text(lines + '{"step": 28, "lo')
    data, network = Sums(), make(seed=99)
    run = fit(network, folder=tmp_path, validate=check, data=data)
    assert data.asked[0] == 4 * 20, "the last checkpoint is that of step 20"
    assert equal(network.state_dict(), undisturbed[1].state_dict())
    assert without_clock(run.rows) == without_clock(undisturbed[0].rows)
    logged = [json.loads(line) for line in (tmp_path / runs.LOG).read_text().splitlines()]
    assert logged == run.rows, "no step is listed twice"


def test_a_finished_run_is_not_trained_again_but_can_be_made_longer(tmp_path):
    whole = make()
    fit(whole, 30, save_every=7)
    fit(make(), 20, folder=tmp_path)
    data, network = Sums(), make(seed=99)
    assert fit(network, 20, folder=tmp_path, data=data).steps == 20
    assert not data.asked
    fit(network, 30, folder=tmp_path, data=data, save_every=5)
    assert data.asked[0] == 20 * 4
    assert equal(network.state_dict(), whole.state_dict())


def test_step_k_learns_from_the_examples_k_times_batch_onwards():
    seen = []

    def loss(network, batch):
        seen.append(batch["number"].tolist())
        return error(network, batch)

    fit(make(), 5, loss=loss, batch=3)
    assert seen == [[3 * k, 3 * k + 1, 3 * k + 2] for k in range(5)]


def test_workers_bring_the_same_batches_and_lose_nothing_when_interrupted(tmp_path, undisturbed):
    loss = at(12, interrupt(signal.SIGINT))
    assert fit(make(), folder=tmp_path, workers=2, loss=loss, validate=check).steps == 13
    network = make(seed=99)
    fit(network, folder=tmp_path, workers=1, validate=check)
    assert equal(network.state_dict(), undisturbed[1].state_dict())


def test_a_second_interrupt_ends_it_at_once():
    def twice():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(make(), loss=at(3, twice))
    assert signal.getsignal(signal.SIGINT) is before, "the signals are given back"


def spoiled(network, batch):
    return error(network, batch) * math.nan


def steep(network, batch):
    """Finite at zero, with a gradient that is not."""
    return (network(batch["x"]) * 0).abs().sqrt().mean()


@pytest.mark.parametrize("wrong, says", [(spoiled, "loss is nan"), (steep, "norm (nan|inf)")])
def test_a_loss_that_is_not_finite_stops_and_the_weights_before_it_are_kept(tmp_path, wrong, says):
    before = make()
    fit(before, 12)

    def loss(network, batch):
        return (wrong if batch["number"][0] >= 48 else error)(network, batch)

    network = make()
    with pytest.raises(TrainingStopped, match=rf"step 12: .*{says}.*last good loss: .* at step 12"):
        fit(network, loss=loss, folder=tmp_path)
    assert equal(network.state_dict(), before.state_dict()), "running statistics as well"
    assert all(p.grad is None for p in network.parameters())
    again, data = make(seed=99), Sums()
    fit(again, 13, folder=tmp_path, data=data)
    assert min(data.asked) == 48, "it goes on from step 12"


def test_a_loss_that_is_bad_from_the_first_step_leaves_a_folder_that_can_be_taken_up(tmp_path):
    with pytest.raises(TrainingStopped, match="none yet"):
        fit(make(), loss=spoiled, folder=tmp_path)
    network, fresh = make(), make()
    fit(network, folder=tmp_path)
    fit(fresh)
    assert equal(network.state_dict(), fresh.state_dict())


def test_the_best_weights_are_kept_and_patience_ends_the_run(tmp_path):
    values = iter([3.0, 2.0, math.nan, 2.5, 2.0, 1.0])
    states = []

    def validate(network):
        assert not any(module.training for module in network.modules())
        assert not torch.is_grad_enabled()
        states.append(copy.deepcopy(network.state_dict()))
        return {"loss": 9.0, "error": next(values)}

    changed = {"check_every": 5, "watch": "error", "patience": 3}
    network = make()
    run = fit(network, 100, folder=tmp_path, validate=validate, **changed)
    assert (run.stopped, run.steps) == ("patience", 25)
    assert run.best == {"step": 10, "loss": 9.0, "error": 2.0}
    assert [row["error"] for row in run.validation] == [3.0, 2.0, None, 2.5, 2.0]
    assert equal(run.best_weights, states[1])
    assert equal(load_file(tmp_path / runs.BEST), states[1])
    assert equal(network.state_dict(), states[-1])
    assert all(module.training for module in network.modules())
    assert fit(make(), 100, folder=tmp_path, validate=validate, **changed).steps == 25
    longer = fit(make(), 30, folder=tmp_path, validate=validate, **{**changed, "patience": 4})
    assert longer.best["error"] == 1.0


def test_a_budget_of_minutes_ends_a_run_in_good_order_and_counts_all_its_parts(tmp_path):
    slow = at(5, lambda: time.sleep(0.7))
    first = fit(make(), folder=tmp_path, minutes=0.01, loss=slow, validate=check)
    assert (first.stopped, first.steps) == ("minutes", 6)
    assert first.rows[-1]["validation"] == {"loss": first.best["loss"]}
    assert fit(make(), folder=tmp_path, minutes=0.01).steps == 6
    assert fit(make(), folder=tmp_path, validate=check).stopped == "steps"


@given(st.integers(0, 50), st.integers(1, 40), st.integers(0, 200))
def test_the_rate_rises_through_the_warm_up_and_is_halved_again_and_again(warmup, half, step):
    p = plan(100, warmup=warmup, halve_every=half)
    assert 0 < p.rate_at(step) <= p.rate
    if step < warmup:
        assert p.rate_at(step) <= p.rate * (step + 1) / warmup
    else:
        assert p.rate_at(step + half) == p.rate_at(step) / 2


def test_a_cosine_begins_at_the_rate_has_half_of_it_midway_and_ends_near_zero():
    p = plan(100, decay="cosine")
    assert p.rate_at(0) == p.rate
    assert p.rate_at(50) == pytest.approx(p.rate / 2)
    assert 0 < p.rate_at(99) < p.rate / 1000
    assert all(a > b for a, b in itertools.pairwise(map(p.rate_at, range(100))))


def test_a_gradient_is_clipped_to_its_norm_and_the_log_shows_it_before_that(tmp_path):
    run = fit(make(), 1, folder=tmp_path, clip=0.5, loss=lambda n, b: 1000 * error(n, b))
    held = load_file(tmp_path / runs.CHECKPOINT)
    # Adam's first moment begins as a tenth of the gradient.
    first = [x for name, x in held.items() if name.startswith("exp_avg.")]
    assert math.sqrt(sum(float(x.square().sum()) for x in first)) == pytest.approx(0.05, rel=1e-4)
    assert run.rows[0]["norm"] > 10


def test_parts_in_eval_mode_stay_there_and_frozen_parameters_stay_put():
    network = make()
    network[1].eval()
    network[0].requires_grad_(False)
    before = copy.deepcopy(network.state_dict())
    fit(network, 10, validate=check, check_every=3)
    after = network.state_dict()
    still = {name for name in after if torch.equal(after[name], before[name])}
    assert still == {n for n in after if n.startswith("0.") or "running" in n or "tracked" in n}
    assert network.training and not network[1].training
    loaded = make().eval()
    fit(loaded, 2)
    assert loaded[1].training, "a network that is in eval mode as a whole is meant to be trained"


def test_training_leaves_the_caller_s_random_numbers_and_the_network_s_forward_alone():
    network = make()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(network, 4, precision="bf16")
    assert torch.equal(torch.rand(3), expected)
    x = torch.randn(4, 8)
    network.eval()
    assert torch.equal(network(x), network[4](network[2](network[1](network[0](x)))))
    assert torch.equal(copy.deepcopy(network)(x), network(x))


def test_in_half_precision_the_network_computes_in_16_bits_and_learns_as_well():
    kinds = []

    class Watched(nn.Linear):
        def forward(self, x):
            y = super().forward(x)
            kinds.append(y.dtype)
            return y

    torch.manual_seed(0)
    network = nn.Sequential(Watched(8, 1))
    run = fit(network, 150, precision="bf16", batch=16, rate=0.03)
    assert set(kinds) == {torch.bfloat16}
    assert network[0].weight.dtype == torch.float32
    assert run.losses[-1] < run.losses[0] / 100
    fit(nn.Sequential(Watched(8, 1)), 1)
    assert kinds[-1] == torch.float32, "the next run in the same process has its own precision"


@pytest.mark.parametrize(
    "changed, says",
    [
        ({"steps": 0}, "steps is 0; give a whole number of steps, 1 or more"),
        ({"batch": 2.5}, "batch is 2.5; give a whole number of examples"),
        ({"rate": 0}, "rate=0 given"),
        ({"rate": math.nan}, "rate=nan given"),
        ({"clip": -1}, "clip=-1 given"),
        ({"halve_every": 0}, "halve_every is 0"),
        ({"patience": 0}, "patience is 0"),
        ({"check_every": None}, "check_every is None"),
        ({"minutes": -1}, "minutes=-1 given"),
        ({"decay": "linear"}, "decay='linear' given; take one of none, cosine"),
        ({"precision": "fp8"}, "precision='fp8' given; take one of no, bf16, fp16"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(changed, says):
    with pytest.raises(ValueError, match=says):
        plan(**changed)


@pytest.mark.parametrize(
    "wrong, says",
    [
        ({"loss": lambda n, b: (n(b["x"]) - b["y"]).square()[:, 0]}, "single number"),
        ({"loss": lambda n, b: 1.0}, "the loss is 1.0; expected a single number"),
        ({"loss": lambda n, b: error(n, b).detach()}, "with a gradient"),
        ({"data": [{}] * 4}, "batch of step 0 is empty"),
        ({"data": [torch.zeros(3)] * 4}, "an example is a dict of tensors"),
        ({"validate": lambda n: {"sdr": 1.0}}, r"gives \['sdr'\]; the plan watches 'loss'"),
        ({"workers": -1}, "workers is -1"),
        ({"precision": "fp16"}, "fp16' needs a GPU"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_says_why(wrong, says):
    with pytest.raises(ValueError, match=says):
        fit(make(), **wrong)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "gpu", ""])
def test_a_device_that_is_not_there_is_refused(device):
    with pytest.raises(ValueError, match=f"device='{device}' given; auto, cpu"):
        train(make(), error, Sums(), plan=plan(), device=device, progress=False)


def test_a_network_without_anything_to_train_is_refused():
    with pytest.raises(ValueError, match="no parameter that requires a gradient"):
        fit(make().requires_grad_(False))
