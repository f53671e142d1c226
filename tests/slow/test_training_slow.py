"""A training that is killed, or spread over processes, comes to the end that it would have had."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from avsep_core.runs import BEST, CHECKPOINT, LOG, logged

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
STEPS = 60
pytestmark = pytest.mark.slow

RUN = '''
import sys, time
import torch
from torch import nn
from avsep_core.training import Plan, train

folder, batch, frozen, pause = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "frozen", sys.argv[4]


class Sums:
    """Example n: 8 numbers drawn from seed n, and their sum."""

    def __getitem__(self, n):
        time.sleep(float(pause))
        x = torch.randn(8, generator=torch.Generator().manual_seed(n))
        return {"x": x, "y": x.sum()[None]}


def loss(network, batch):
    return (network(batch["x"]) - batch["y"]).square().mean()


def check(network):
    batch = torch.utils.data.default_collate([Sums()[n] for n in range(10**6, 10**6 + 16)])
    return {"loss": float(loss(network, batch))}


torch.manual_seed(1)
layers = nn.Linear(8, 200), nn.BatchNorm1d(200), nn.Tanh(), nn.Dropout(0.2), nn.Linear(200, 1)
network = nn.Sequential(*layers)
if frozen:
    network[1].eval()
    network[3].eval()
plan = Plan(steps=60, batch=batch, rate=1e-2, check_every=15, save_every=4, log_every=2)
workers = int(sys.argv[5]) if len(sys.argv) > 5 else 0
run = train(
    network, loss, Sums(), plan=plan, folder=folder, validate=check, workers=workers, progress=False
)
sys.exit(0 if run.stopped == "steps" else 3)
'''
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def script(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("script") / "run.py"
    path.write_text(RUN)
    return path


def start(command: list, folder: Path, batch=8, frozen="", pause=0.0, workers=0):
    whole = [*command, folder, batch, frozen, pause, workers]
    return subprocess.Popen([str(x) for x in whole], env=ENVIRONMENT, stderr=subprocess.PIPE)


def finish(process) -> int:
    told = process.communicate(timeout=300)[1].decode()
    assert process.returncode in (0, 3), told
    return process.returncode


def rows(folder: Path) -> list[dict]:
    clock = ("seconds", "waiting")
    return [{k: v for k, v in row.items() if k not in clock} for row in logged(folder)]


def same_files(one: Path, other: Path) -> bool:
    """The same tensors, bit by bit: weights, moments of Adam, best weights."""
    for name in (CHECKPOINT, BEST):
        a, b = load_file(one / name), load_file(other / name)
        if a.keys() != b.keys() or not all((a[k] == b[k]).all() for k in a):
            return False
    return True


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, script) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert finish(start([sys.executable, script], folder)) == 0
    return folder


def touched(folder: Path) -> int:
    return (folder / LOG).stat().st_mtime_ns if (folder / LOG).exists() else 0


def wait_for_a_line(folder: Path, process, since: int = 0) -> None:
    """Wait until the log is written to, as it is when a run is taken up and while it goes on."""
    deadline = time.monotonic() + 300
    while touched(folder) <= since:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("seed, workers", [(0, 0), (1, 2)])
def test_a_run_that_is_killed_again_and_again_loses_nothing(
    tmp_path, script, undisturbed, seed, workers
):
    draw, steps = random.Random(seed), []
    for _ in range(3):
        before = touched(tmp_path)
        process = start([sys.executable, script], tmp_path, pause=0.01, workers=workers)
        wait_for_a_line(tmp_path, process, before)
        time.sleep(draw.uniform(0.0, 0.8))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=300)
        assert process.returncode == -signal.SIGKILL, "it came to its end before it was killed"
        steps.append(rows(tmp_path)[-1]["step"] if rows(tmp_path) else 0)
    assert 0 < max(steps) < STEPS
    assert finish(start([sys.executable, script], tmp_path)) == 0
    assert same_files(tmp_path, undisturbed)
    assert rows(tmp_path) == rows(undisturbed), "no step is missing and none is listed twice"


def test_a_kill_while_the_checkpoint_is_written_leaves_one_that_is_whole(
    tmp_path, script, undisturbed
):
    """Killed at the moment at which the new file lies half-written beside the old one."""
    process = start([sys.executable, script], tmp_path, pause=0.002)
    part, deadline = tmp_path / f".{CHECKPOINT}.part", time.monotonic() + 300
    while not part.exists():
        assert process.poll() is None and time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=300)
    assert finish(start([sys.executable, script], tmp_path)) == 0
    assert same_files(tmp_path, undisturbed)
    assert rows(tmp_path) == rows(undisturbed)
    assert not part.exists(), "what was left half-written is gone"


LAUNCHERS = {
    "torchrun": [BIN / "torchrun", "--nproc-per-node", "2"],
    "accelerate": [BIN / "accelerate", "launch", "--multi_gpu", "--num_processes", "2"],
}


@pytest.fixture(scope="module")
def alone(tmp_path_factory, script) -> Path:
    """One process, with batch norm and dropout frozen: there the mean over a batch is all."""
    folder = tmp_path_factory.mktemp("alone")
    assert finish(start([sys.executable, script], folder, frozen="frozen")) == 0
    return folder


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_processes_learn_from_the_same_examples_as_one(tmp_path, script, alone, launcher):
    assert finish(start([*LAUNCHERS[launcher], script], tmp_path, frozen="frozen")) == 0
    mine, theirs = rows(tmp_path), rows(alone)
    assert [row["step"] for row in mine] == [row["step"] for row in theirs]
    for key in ("loss", "norm", "rate"):
        assert np.allclose([r[key] for r in mine], [r[key] for r in theirs], rtol=1e-3), key
    a, b = load_file(tmp_path / BEST), load_file(alone / BEST)
    assert all(np.allclose(a[name], b[name], atol=1e-4) for name in b)


def test_one_process_can_go_on_where_two_were_terminated(tmp_path, script, alone):
    process = start([*LAUNCHERS["torchrun"], script], tmp_path, frozen="frozen", pause=0.02)
    wait_for_a_line(tmp_path, process)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=300)
    held = rows(tmp_path)
    assert 0 < held[-1]["step"] < STEPS
    assert finish(start([sys.executable, script], tmp_path, frozen="frozen")) == 0
    losses = [[row["loss"] for row in rows(folder)] for folder in (tmp_path, alone)]
    assert np.allclose(*losses, rtol=1e-3)


def test_processes_that_cannot_share_a_batch_say_so(tmp_path, script):
    process = start([*LAUNCHERS["torchrun"], script], tmp_path, batch=7)
    told = process.communicate(timeout=300)[1].decode()
    assert process.returncode != 0
    assert "a batch of 7 for 2 processes; take a multiple of 2" in told
    assert not (tmp_path / LOG).exists()


def test_a_terminated_run_ends_by_itself_with_a_checkpoint_of_its_last_step(
    tmp_path, script, undisturbed
):
    process = start([sys.executable, script], tmp_path, pause=0.01, workers=2)
    wait_for_a_line(tmp_path, process)
    process.send_signal(signal.SIGTERM)
    assert finish(process) == 3
    assert (tmp_path / CHECKPOINT).exists()
    assert finish(start([sys.executable, script], tmp_path)) == 0
    assert same_files(tmp_path, undisturbed)
    assert rows(tmp_path) == rows(undisturbed)
