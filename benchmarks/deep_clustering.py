"""Training steps a second and waiting for data; a clip separated; k-means; memory over the length.

Two threads, the compact architecture. Steps are taken on a small store that is drawn first; a
mixture of 3 s is separated from lips and sound to its voices, clustering included. Memory is the
peak of a process of its own beyond what it was when everything had been imported and called once:
it must grow in a straight line, which a matrix over all pairs of bins would not.
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

SECONDS, WAITING, BEND = 1.0, 0.1, 0.25
"""Most for a mixture, largest share of waiting, and largest departure of memory from a line."""

LENGTHS = (10, 20, 30, 40)
ALONE = """
import pathlib, re, sys
import numpy as np
import torch
from avsep_core.deep_clustering.network import Network, compact
from avsep_core.deep_clustering.embedding import masks_of
from avsep_core.deep_clustering.objective import affinity
torch.set_num_threads(2)
def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search("VmHWM: *(.*) kB", status)[1]) / 1024
network, rng = Network(compact()), np.random.default_rng(0)
def run(seconds):
    sound = rng.normal(size=8000 * seconds).astype("f4")
    masks_of(network, sound, rng.normal(size=(2, 25 * seconds, 64)).astype("f4"), voices=2)
    V = torch.randn(1, 125 * 129 * seconds, 40, requires_grad=True)
    affinity(V, torch.rand(1, V.shape[1], 2).round()).sum().backward()
run(1)
before = peak()
run(int(sys.argv[1]))
print(peak() - before)
"""


def trained() -> tuple[float, float]:
    """Steps a second of AVDC and the share of waiting, of forty steps of eight mixtures."""
    import torch

    from avsep_core import training
    from avsep_core.corpora import store
    from avsep_core.deep_clustering import network, objective, recipes, tasks

    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        few = store.write(folder, store.drawn("train", rate=8000), 16, rate=8000)
        made = network.Network(network.compact())
        pictures = made.lips.pictures
        pictures.load_state_dict(recipes.load("lips").lips.pictures.state_dict())
        pictures.eval().requires_grad_(False)
        run = training.train(
            made, objective.Objective(made.architecture), tasks.Mixtures([few], pictures=pictures),
            plan=training.Plan(steps=40, batch=8, rate=1e-3), device="cpu", progress=False,
        )  # fmt: skip
    return run.steps_per_second, run.waiting


def separated() -> float:
    """Seconds for a mixture of 3 s with two faces, from lips and sound to voices."""
    import torch

    from avsep_core.deep_clustering import embedding, features
    from avsep_core.deep_clustering.separate import shipped

    torch.set_num_threads(2)
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (2, 75, 64, 64), dtype=np.uint8)
    sound = rng.normal(size=3 * features.STFT.rate).astype(np.float32)

    def once() -> None:
        network = shipped("avdc")
        seen = embedding.features(network.lips.pictures, faces)
        masks = embedding.masks_of(network, sound, seen, voices=2)
        embedding.sounds(masks, features.STFT.forward(sound), len(sound))

    once()
    began = time.perf_counter()
    once()
    return time.perf_counter() - began


def clustered() -> tuple[float, float]:
    """Seconds of k-means for 40 000 points of 40 dimensions: scikit-learn's, and that in torch."""
    import torch

    from avsep_core.deep_clustering.clustering import kmeans

    rng = np.random.default_rng(0)
    centres = np.eye(40)[:2]
    points = centres[rng.integers(0, 2, 40000)] + 0.2 * rng.normal(size=(40000, 40))
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    took = []
    for given in (points, torch.from_numpy(points)):
        kmeans(given, 2)
        began = time.perf_counter()
        kmeans(given, 2)
        took.append(time.perf_counter() - began)
    return took[0], took[1]


def memory(seconds: int) -> float:
    """Peak in MB of network, clustering and loss on a sound of so many seconds."""
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
    library, ours = clustered()
    peaks = np.array([memory(seconds) for seconds in LENGTHS])
    slope, start = np.polyfit(LENGTHS, peaks, 1)
    bend = float(np.abs(peaks - slope * np.array(LENGTHS) - start).max() / peaks.max())
    pairs = (125 * 129 * LENGTHS[-1]) ** 2 * 4 / 2**40
    rows = [
        ("AVDC, training steps a second (8 mixtures of 1.28 s)", f"{pace:.2f}", ""),
        ("share of the time without data", f"{waiting:.1%}", f"at most {WAITING:.0%}"),
        ("3 s with two faces, lips to voices, in s", f"{took:.2f}", f"at most {SECONDS:g}"),
        ("k-means of 40 000 bins, scikit-learn, in s", f"{library:.3f}", ""),
        ("k-means of 40 000 bins, torch on the CPU, in s", f"{ours:.3f}", ""),
        ("memory, MB a second of sound", f"{slope:.1f}", ""),
        (f"  all pairs of bins of {LENGTHS[-1]} s would be, TB", f"{pairs:.1f}", ""),
        ("departure from a straight line", f"{bend:.1%}", f"at most {BEND:.0%}"),
    ]
    for name, value, bound in rows:
        print(f"{name:<54} {value:>8}  {bound}")
    if waiting > WAITING or took > SECONDS or bend > BEND:
        raise SystemExit("a bound is broken")


if __name__ == "__main__":
    main()
