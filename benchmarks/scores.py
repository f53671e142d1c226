"""BSS Eval beside the library that it must equal: time and largest difference, in one run.

Two batches of a hundred pairs of three-second sounds at 16 kHz: synthetic talkers, whose narrow
spectra make the equations hard, and white noise, where they are easy. Each estimate is its source
with some of the other, a short room and noise. Both libraries score the very same pairs.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

RATE, SECONDS, PAIRS = 16000, 3, 100


def talkers(rng: np.random.Generator) -> np.ndarray:
    """Pairs of different talkers, (pairs, 2, samples)."""
    from avsep_core.synthetic.talkers import TALKERS, speak_audio

    length = RATE * SECONDS
    pairs = []
    for k in range(PAIRS):
        two = rng.choice(len(TALKERS), 2, replace=False)
        voices = [
            speak_audio(TALKERS[i], kind="sentence", seed=k, seconds=float(SECONDS), rate=RATE)
            for i in two
        ]
        pairs.append([np.pad(v, (0, max(0, length - len(v))))[:length] for v in voices])
    return np.array(pairs, dtype=np.float64)


def noises(rng: np.random.Generator) -> np.ndarray:
    """Pairs of white noises, (pairs, 2, samples)."""
    return rng.normal(size=(PAIRS, 2, RATE * SECONDS))


def spoil(S: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Estimates: leakage, a short room, noise, and now and then the other order."""
    S = S / S.std(axis=-1, keepdims=True)
    E = S + rng.uniform(0.05, 0.5, size=(PAIRS, 2, 1)) * S[:, ::-1]
    for e in E.reshape(-1, E.shape[-1]):
        room = rng.normal(size=40) * np.exp(-np.arange(40) / 8)
        e[:] = lfilter(np.eye(1, 40)[0] + 0.2 * room, 1, e)
    E += 10 ** rng.uniform(-3, -1, size=(PAIRS, 2, 1)) * rng.normal(size=E.shape)
    swap = rng.random(PAIRS) < 0.5
    E[swap] = E[swap, ::-1]
    return E


def main() -> None:
    """Print times, their ratio and the largest differences."""
    import mir_eval
    import torch

    from avsep_core.scores import bss_eval

    warnings.simplefilter("ignore", FutureWarning)
    print(
        f"mir_eval {mir_eval.__version__}, torch {torch.__version__} "
        f"with {torch.get_num_threads()} threads"
    )
    for make in (talkers, noises):
        rng = np.random.default_rng(0)
        S = make(rng)
        E = spoil(S, rng)
        bss_eval(S[:2], E[:2])  # first call: libraries load, plans are made
        start = time.perf_counter()
        ours = bss_eval(S, E)
        ours_time = time.perf_counter() - start
        start = time.perf_counter()
        theirs = [mir_eval.separation.bss_eval_sources(s, e) for s, e in zip(S, E, strict=True)]
        theirs_time = time.perf_counter() - start
        differences = [
            np.abs(found - np.array([item[k] for item in theirs])).max()
            for k, found in enumerate(ours[:3])
        ]
        same = all((a == b[3]).all() for a, b in zip(ours.permutation, theirs, strict=True))
        print(
            f"{make.__name__}: {PAIRS} pairs of {SECONDS} s at {RATE} Hz: "
            f"mir_eval {theirs_time:.2f} s, avsep_core {ours_time:.2f} s, "
            f"ratio {theirs_time / ours_time:.1f}; largest difference in dB: "
            f"SDR {differences[0]:.1e}, SIR {differences[1]:.1e}, SAR {differences[2]:.1e}; "
            f"permutations {'equal' if same else 'DIFFER'}"
        )


if __name__ == "__main__":
    main()
