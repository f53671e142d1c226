"""A run that is killed goes on where it stopped: nothing lost, nothing twice, the same result."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from avsep_core.items import Store

ROOT = Path(__file__).parents[2]
ITEMS = 24
RUN = '''
import sys, time
from pathlib import Path
import numpy as np
from avsep_core.results import Ledger

folder, log = Path(sys.argv[1]), Path(sys.argv[2])


def measure(n):
    """One mixture: slow enough to be killed in, with a long answer to be torn."""
    time.sleep(0.02)
    rng = np.random.default_rng(n)
    return {"sdr": (rng.normal(size=4) + 6).tolist(), "curve": rng.normal(size=2000).tolist()}


book = Ledger("foundations", profile="report", corpus="synthetic", folder=folder)
values, talkers = [], []
for n in range(24):
    found = book.item(f"two_talkers/{n}", lambda n=n: measure(n), window=512)
    with log.open("a") as file:
        file.write(f"{n}\\n")
    values += found["sdr"]
    talkers += [n % 6] * 4
book.score("two_talkers", "irm", "sdr", values, groups=talkers)
book.claim("gains", "It gains", book.score("own", "irm", "dsdr", values, groups=talkers))
book.save()
'''


def start(folder: Path) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-c", RUN, str(folder), str(folder / "log")]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})


def items_file(folder: Path) -> Path:
    return folder / "_build/results/items/foundations.report.synthetic.cpu.jsonl"


def whole_lines(folder: Path) -> list[str]:
    """The keys of all records that can be read, in the order of the file."""
    keys = []
    for line in items_file(folder).read_bytes().split(b"\n"):
        try:
            keys.append(json.loads(line)["key"])
        except ValueError:
            continue
    return keys


def content(folder: Path) -> dict:
    """The ledger without what may differ between two runs."""
    whole = json.loads((folder / "results" / "foundations.report.json").read_text())
    for run in whole["runs"].values():
        del run["seconds"], run["date"], run["commit"]
    return whole


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert start(folder).wait(120) == 0
    return content(folder)


def kill_after(folder: Path, done: int, delay: float) -> None:
    """Run until so many items are stored, wait a little, and kill without a warning."""
    process = start(folder)
    log = folder / "log"
    deadline = time.monotonic() + 120
    while not log.exists() or len(log.read_text().split()) < done:
        assert process.poll() is None, "it came to its end before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.007, 0.013, 0.021])
@pytest.mark.parametrize("done", [1, 9, 20])
def test_a_killed_run_is_resumed_without_loss_or_repetition(tmp_path, undisturbed, done, delay):
    folder = tmp_path / "run"
    kill_after(folder, done, delay)
    before = whole_lines(folder)
    assert len(before) >= done, "what was reported as done is on the disk"
    assert not (folder / "results").exists(), "no half of a ledger"
    assert start(folder).wait(120) == 0
    assert whole_lines(folder) == [f"two_talkers/{n}" for n in range(ITEMS)]
    assert whole_lines(folder)[: len(before)] == before
    assert content(folder) == undisturbed


@pytest.mark.slow
def test_a_run_that_is_killed_many_times_comes_to_the_same_end(tmp_path, undisturbed):
    folder = tmp_path / "run"
    for _ in range(4):
        (folder / "log").unlink(missing_ok=True)
        stored = len(whole_lines(folder)) if items_file(folder).exists() else 0
        kill_after(folder, stored + 2, 0.01)
        Store(items_file(folder))
    assert start(folder).wait(120) == 0
    assert whole_lines(folder) == [f"two_talkers/{n}" for n in range(ITEMS)]
    assert content(folder) == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("cut", [1, 2, 40, 20_000, 60_000])
def test_a_line_torn_by_a_power_cut_is_computed_again(tmp_path, undisturbed, cut):
    folder = tmp_path / "run"
    kill_after(folder, 12, 0.0)
    path = items_file(folder)
    os.truncate(path, path.stat().st_size - cut)
    kept = whole_lines(folder)
    assert start(folder).wait(120) == 0
    assert whole_lines(folder) == [f"two_talkers/{n}" for n in range(ITEMS)]
    assert whole_lines(folder)[: len(kept)] == kept
    assert content(folder) == undisturbed


@pytest.mark.slow
def test_two_runs_at_once_leave_every_item_readable(tmp_path, undisturbed):
    folder = tmp_path / "run"
    both = [start(folder), start(folder)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert set(whole_lines(folder)) == {f"two_talkers/{n}" for n in range(ITEMS)}
    lines = [x for x in items_file(folder).read_bytes().split(b"\n") if x]
    assert len(lines) == len(whole_lines(folder)), "no line is torn"
    assert content(folder) == undisturbed
