"""The coupled solver beside Algorithm 1 as it is printed, in one run: time, answer, growth, memory.

120x160 pixels and 321 frequencies over 300 frames, float32, 100 iterations, one thread for both;
times are of the processor. The textbook version takes a thin SVD for each threshold and
`solve_sylvester` for each C. It loses digits in float32, so the answers of both are held against
its own in double precision. Then ours alone, over pictures of four sizes, and the peak memory of
a process of its own: beyond what it was before V was loaded, when the libraries had been imported
and called once on a few numbers.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SETTINGS: dict[str, Any] = dict(K=10, lambda1=0.3, lambda2=0.5, lambda3=0.01, mu=0.6, rho=1.3)
FASTER, SAME, EXPONENT, MEMORY = 5.0, 1e-4, 1.1, 6.0
# A process that does nothing else tells its own peak, not that of whoever started it.
ALONE = """
import pathlib, re, sys
import numpy as np
import torch
from avsep_core.low_rank.coupled import decompose
torch.set_num_threads(1)
def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search("VmHWM: *(.*) kB", status)[1]) / 1024
imported = peak()
few = np.random.default_rng(0).random((40, 9))
decompose(few, few, K=2, iterations=2)
before = peak()
V, A = np.load(sys.argv[1]), np.load(sys.argv[2])
decompose(V, A, K=10, iterations=5, tolerance=1e-30)
print(imported, before, peak(), V.nbytes / 2**20)
"""


def scene(height: int, width: int, frames: int, freq: int = 321) -> tuple[np.ndarray, np.ndarray]:
    """Two blobs that move over a flickering picture, one of them in time with notes over noise.

    Returns V (height * width, frames) and A (freq, frames), float32, of equal norm.
    """
    rng = np.random.default_rng(0)
    t = np.arange(frames) / 25
    y, x = np.mgrid[:height, :width]
    y, x = y / height - 0.5, x / width - 0.5
    loud = (
        np.abs(np.sin(2 * np.pi * 0.9 * t))
        * (rng.random(frames // 25 + 1) < 0.7).repeat(25)[:frames]
    )
    V = np.empty((height * width, frames), np.float32)
    flicker = 0.2 + 0.05 * np.sin(2 * np.pi * np.array([[0.3], [1.1]]) * t)
    for k in range(frames):
        picture = flicker[0, k] + flicker[1, k] * np.cos(9 * x + 4 * y)
        for at, phase, bright in ((-0.25, 3.0 * t[k], loud[k]), (0.25, 5.1 * t[k], 0.6)):
            far = (x - at - 0.05 * np.sin(phase)) ** 2 + (y - 0.1 * np.cos(phase)) ** 2
            picture = picture + bright * np.exp(-far / 0.004)
        V[:, k] = picture.ravel()
    V += 0.02 * rng.standard_normal(V.shape, dtype=np.float32)
    h = np.arange(1, 12)[:, None]
    comb = np.sum(np.exp(-((np.arange(freq) - 12 * h) ** 2) / 4) / h, axis=0)
    A = np.abs(comb[:, None] * loud + 0.15 * rng.normal(size=(freq, frames)))
    return V, (A * np.linalg.norm(V) / np.linalg.norm(A)).astype(np.float32)


def shrink(X: np.ndarray, tau: float) -> np.ndarray:
    """S_tau."""
    return np.sign(X) * np.maximum(np.abs(X) - tau, 0)


class Textbook:
    """Algorithm 1, line by line, in the type of V and A; D and C start as ours do."""

    def __init__(self, V: np.ndarray, A: np.ndarray) -> None:
        from avsep_core.low_rank.coupled import temporal_laplacian

        self.svd_seconds = 0.0
        self.X, kind = (V, A), V.dtype.type
        self.L = temporal_laplacian(V.shape[1]).numpy().astype(kind)
        both = V.T.astype(np.float64) @ V + A.T.astype(np.float64) @ A
        self.C = np.linalg.eigh(both)[1][:, : -SETTINGS["K"] - 1 : -1].T.astype(kind)
        self.D = [X @ self.C.T for X in self.X]
        self.B, self.P, self.Y, self.G = ([np.zeros_like(X) for X in self.X] for _ in range(4))
        self.mu = kind(SETTINGS["mu"] / max(np.linalg.norm(X, 2) for X in self.X))
        weights = SETTINGS["lambda1"], SETTINGS["lambda2"]
        self.weights = [kind(w / max(X.shape) ** 0.5) for w, X in zip(weights, self.X, strict=True)]

    def threshold(self, X: np.ndarray, tau: float) -> np.ndarray:
        """D_tau by a thin SVD."""
        start = time.process_time()
        U, s, Vh = np.linalg.svd(X, full_matrices=False)
        self.svd_seconds += time.process_time() - start
        return (U * np.maximum(s - tau, 0)) @ Vh

    def iterate(self) -> None:
        """Lines 4 to 15."""
        mu, C, X, Y, G = self.mu, self.C, self.X, self.Y, self.G
        both = range(2)
        self.B = [self.threshold(X[m] - self.D[m] @ C + Y[m] / mu, 1 / mu) for m in both]
        self.P = [shrink(self.D[m] @ C + G[m] / mu, self.weights[m] / mu) for m in both]
        R = [X[m] - self.B[m] + Y[m] / mu + self.P[m] - G[m] / mu for m in both]
        self.D = D = [R[m] @ C.T @ np.linalg.inv(C @ C.T) / 2 for m in both]
        M = 2 * (D[0].T @ D[0] + D[1].T @ D[1])
        N = 2 * SETTINGS["lambda3"] / mu * self.L
        self.C = C = scipy.linalg.solve_sylvester(M, N, D[0].T @ R[0] + D[1].T @ R[1])
        for m in both:
            Y[m] = Y[m] + mu * (X[m] - self.B[m] - D[m] @ C)
            G[m] = G[m] + mu * (D[m] @ C - self.P[m])
        self.mu = mu * type(mu)(SETTINGS["rho"])


def ours(V: np.ndarray, A: np.ndarray, iterations: int) -> Any:
    """`decompose` with the settings of this benchmark, never stopped early."""
    from avsep_core.low_rank.coupled import decompose

    return decompose(V, A, iterations=iterations, tolerance=1e-30, **SETTINGS)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the processor that the work took, and its result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def away(found: np.ndarray, wanted: np.ndarray) -> float:
    """Relative distance, Frobenius."""
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def memory(V: np.ndarray, A: np.ndarray) -> tuple[float, ...]:
    """Memory in MB of a process: after import, after a first small call, its peak; and V's."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/V.npy", f"{folder}/A.npy"]
        for path, X in zip(paths, (V, A), strict=True):
            np.save(path, X)
        command = [sys.executable, "-c", ALONE, *paths]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(float(x) for x in run.stdout.split())


def main() -> int:
    """Print time, answer, growth and memory; return 1 where one misses its bound."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iterations", type=int, default=100)
    args = parser.parse_args()
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    good = []

    def line(text: str, within: bool) -> None:
        good.append(within)
        print(f"{text}: {'within' if within else 'MISSES'} the bound")

    print(f"numpy {np.__version__}, scipy {scipy.__version__}, torch {torch.__version__}")
    V, A = scene(120, 160, 300)
    few = args.iterations
    with threadpool_limits(1):
        ours(V[:500], A, 2)
        book = Textbook(V, A)
        runs, slow = [timed(lambda: ours(V, A, few))], 0.0
        for k in range(few):
            slow += timed(book.iterate)[0]
            if k in (few // 2, few - 1):
                runs.append(timed(lambda: ours(V, A, few)))
        exact = Textbook(V.astype(np.float64), A.astype(np.float64))
        for _ in range(few):
            exact.iterate()
    fast = float(np.median([seconds for seconds, _ in runs]))
    found = runs[0][1]
    print(
        f"{few} iterations of {V.shape} and {A.shape} in float32: ours {fast:.1f} s, median of "
        f"{', '.join(f'{seconds:.1f}' for seconds, _ in runs)}; textbook {slow:.1f} s, of which "
        f"{book.svd_seconds:.1f} s in SVDs"
    )
    line(f"textbook / ours {slow / fast:.1f} (wanted: {FASTER:g} or more)", slow / fast >= FASTER)
    for name in ("P", "B"):
        for m, part in enumerate((found.video, found.audio)):
            wanted = getattr(exact, name)[m]
            distance = away(getattr(part, name).numpy(), wanted)
            line(
                f"{name}_{'va'[m]} away from the textbook in double precision: {distance:.1e} "
                f"(wanted: {SAME:g} or less; textbook in float32: "
                f"{away(getattr(book, name)[m], wanted):.1e})",
                distance <= SAME,
            )

    pixels, seconds = [], []
    for height, width in ((30, 40), (60, 80), (120, 160), (240, 320)):
        V, A = scene(height, width, 150)
        best = min(timed(partial(ours, V, A, 5))[0] for _ in range(5))
        pixels.append(height * width)
        seconds.append(best)
        print(f"ours, {height}x{width} pixels, 150 frames: {best / 5 * 1000:.1f} ms an iteration")
    exponent = float(np.polyfit(np.log(pixels[1:]), np.log(seconds[1:]), 1)[0])
    line(
        f"time grows with pixels to the power {exponent:.2f} (wanted: {EXPONENT:g} or less)",
        exponent <= EXPONENT,
    )

    imported, called, peak, size = memory(*scene(120, 160, 300))
    line(
        f"peak of a process of its own {peak:.0f} MB, {imported:.0f} MB of it imports, "
        f"{called - imported:.0f} MB loaded by a first small call, {peak - called:.0f} MB the "
        f"rest: {(peak - called) / size:.2f} times V's {size:.0f} MB, V itself and all sound "
        f"counted (wanted: {MEMORY:g} or less)",
        peak - called <= MEMORY * size,
    )
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
