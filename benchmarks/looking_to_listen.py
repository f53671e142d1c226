"""Training steps a second and waiting for data; a clip separated; memory over the clip's length.

Two threads, the compact architecture. Steps are taken on a small store that is drawn first; a clip
of 3 s is separated from its file's pictures to its voices, faces found and followed. Memory is the
peak of a process of its own beyond what it was when everything had been imported and called once.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SECONDS, WAITING, BEND = 2.0, 0.1, 0.25
"""Most for a clip, largest share of waiting, and largest departure of memory from a line."""

LENGTHS = (20, 40, 60, 80)
ALONE = """
import pathlib, re, sys
import numpy as np
import torch
from avsep_core.looking_to_listen.network import Network, compact
from avsep_core.looking_to_listen.separate import apply
torch.set_num_threads(2)
def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search("VmHWM: *(.*) kB", status)[1]) / 1024
network, rng = Network(compact()), np.random.default_rng(0)
def run(seconds):
    sound = rng.normal(size=8000 * seconds).astype("f4")
    apply(network, sound, rng.normal(size=(2, 25 * seconds, 1024)).astype("f4"))
run(1)
before = peak()
run(int(sys.argv[1]))
print(peak() - before)
"""


def trained() -> tuple[float, float]:
    """Steps a second and the share of waiting, of forty steps of eight mixtures."""
    import torch

    from avsep_core import training
    from avsep_core.corpora import store
    from avsep_core.looking_to_listen import network, objective, tasks, vectors

    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        few = store.write(folder, store.drawn("train", rate=8000), 16, rate=8000)
        vectors.store_vectors(few, vectors.shipped_network())
        a = network.compact()
        run = training.train(
            network.Network(a), objective.Objective(a), tasks.Mixtures("2s_clean", [few]),
            plan=training.Plan(steps=40, batch=8, rate=1e-3), device="cpu", progress=False,
        )  # fmt: skip
    return run.steps_per_second, run.waiting


def separated() -> float:
    """Seconds for a clip of 3 s with two faces, the second time."""
    import torch

    from avsep_core.clip import side_by_side
    from avsep_core.looking_to_listen.separate import separate
    from avsep_core.synthetic.talkers import speak

    torch.set_num_threads(2)
    pair = [speak(who).clip for who in ("t06", "t47")]
    clip = side_by_side(pair, audio=pair[0].audio + pair[1].audio)
    separate(clip, 2)
    began = time.perf_counter()
    separate(clip, 2)
    return time.perf_counter() - began


def memory(seconds: int) -> float:
    """Peak in MB of the network on a sound of so many seconds."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(seconds)], capture_output=True, text=True, cwd=ROOT
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout)


def main() -> None:
    """Print the table, and fail where a bound is broken."""
    pace, waiting = trained()
    took = separated()
    peaks = np.array([memory(seconds) for seconds in LENGTHS])
    slope, start = np.polyfit(LENGTHS, peaks, 1)
    bend = float(np.abs(peaks - slope * np.array(LENGTHS) - start).max() / peaks.max())
    rows = [
        ("training steps a second (8 mixtures of 1.28 s)", f"{pace:.2f}", ""),
        ("share of the time without data", f"{waiting:.1%}", f"at most {WAITING:.0%}"),
        ("3 s with two faces, separated, in s", f"{took:.2f}", f"at most {SECONDS:g}"),
        ("memory, MB a second of sound", f"{slope:.1f}", ""),
        ("departure from a straight line", f"{bend:.1%}", f"at most {BEND:.0%}"),
    ]
    for name, value, bound in rows:
        print(f"{name:<50} {value:>8}  {bound}")
    if waiting > WAITING or took > SECONDS or bend > BEND:
        raise SystemExit("a bound is broken")


if __name__ == "__main__":
    main()
