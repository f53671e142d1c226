"""Matching pursuit of speech three ways, in one run: correlations kept, frames redone, all redone.

Half a minute of synthetic talkers at 8 kHz over six octaves, 5.9 million atoms, 2000 of them
wanted. Times are of the processor, of one thread. `all redone` is run for 20 atoms and multiplied.
Beside them stand the compiled FFTs of the frames that the same atoms meet, with nothing else done:
what a compiled program that keeps the residual cannot do without.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.fft

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

RATE, SECONDS, ATOMS, FEW = 8000, 30, 2000, 20
# A process that does nothing else tells its own peak, not that of whoever started it.
ALONE = """
import pathlib, re, sys
import numpy as np
from avsep_core.matching_pursuit.pursuit import GaborDictionary, matching_pursuit
def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search("VmHWM: *(.*) kB", status)[1]) / 1024
x, before = np.load(sys.argv[1]), peak()
matching_pursuit(x, GaborDictionary(rate=8000), n_atoms=2000)
print(f"{peak():.0f} MB, of which numpy and the signal {before:.0f} MB")
"""


def speech(seconds: int) -> np.ndarray:
    """Synthetic talkers one after the other, (samples,)."""
    from avsep_core.synthetic.talkers import TALKERS, speak_audio

    voices = [
        speak_audio(TALKERS[k % len(TALKERS)], kind="sentence", seed=k, seconds=3.0, rate=RATE)
        for k in range(-(-seconds // 3))
    ]
    return np.concatenate(voices)[: seconds * RATE].astype(np.float64)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the processor that the work took, and its result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def memory(x: np.ndarray) -> str:
    """Peak memory of a fresh process that runs `gram` once."""
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, x)
        file.flush()
        command = [sys.executable, "-c", ALONE, file.name]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def redo_everything(x: np.ndarray, dictionary: Any, n_atoms: int) -> None:
    """Matching pursuit as it is defined: all atoms on each residual."""
    from avsep_core.matching_pursuit.dictionary import best_real_atom

    residual = np.pad(x, dictionary.padding)
    for _ in range(n_atoms):
        best = (-1.0, 0, 0, 0, 0j)
        for s in range(len(dictionary.windows)):
            E, d = best_real_atom(dictionary.correlations(residual, s), dictionary.rho(s))
            frame, bin = (int(k) for k in np.unravel_index(E.argmax(), E.shape))
            best = max(best, (E[frame, bin], s, frame, bin, d[frame, bin]), key=lambda b: b[0])
        _, s, frame, bin, d = best
        start = frame * dictionary.hop(s)
        residual[start : start + dictionary.windows[s]] -= dictionary.atom(s, bin, d)


def only_ffts(x: np.ndarray, dictionary: Any, scales: np.ndarray) -> None:
    """The FFTs that keeping the residual takes, in float64: all frames, then those of each atom."""
    padded = np.pad(x, dictionary.padding)
    for n in dictionary.windows:
        frames = np.lib.stride_tricks.sliding_window_view(padded, n)[:: n // 4]
        for first in range(0, len(frames), 128):
            scipy.fft.rfft(frames[first : first + 128], 2 * n)
    for scale in scales:
        for n in dictionary.windows:
            met = (dictionary.windows[scale] + n) // (n // 4) - 1
            scipy.fft.rfft(padded[: met * n].reshape(met, n), 2 * n)


def main() -> None:
    """Print times, ratios, memory and growth."""
    import numba

    from avsep_core.matching_pursuit.dictionary import GaborDictionary
    from avsep_core.matching_pursuit.pursuit import matching_pursuit

    dictionary = GaborDictionary(rate=RATE)
    x = speech(SECONDS)

    def pursue(n_atoms: int, method: str = "gram", signal: np.ndarray = x) -> tuple[float, Any]:
        return timed(lambda: matching_pursuit(signal, dictionary, n_atoms=n_atoms, method=method))

    print(
        f"numpy {np.__version__}, numba {numba.__version__}; {SECONDS} s at {RATE} Hz, "
        f"{dictionary.size(len(x)) / 1e6:.1f} million atoms"
    )
    first, _ = pursue(1)
    runs = [pursue(ATOMS) for _ in range(7)]
    gram, book = min(seconds for seconds, _ in runs), runs[0][1]
    print(
        f"gram, first call: {first:.2f} s (compiles, or loads what was compiled; makes kernels)\n"
        f"gram: {gram:.3f} s for {ATOMS} atoms, best of 7; {book.snr_db:.3f} dB\n"
        f"gram, peak memory of a process of its own (wanted: below 400 MB): {memory(x)}",
        end="",
    )
    local, exact = min((pursue(ATOMS, "local") for _ in range(2)), key=lambda run: run[0])
    same = all((getattr(book, k) == getattr(exact, k)).all() for k in ("scale", "frame", "bin"))
    print(
        f"local: {local:.2f} s, {local / gram:.1f} times gram (wanted: 4); {exact.snr_db:.3f} dB; "
        f"atoms {'the same' if same else 'not all the same'}"
    )
    everything = timed(lambda: redo_everything(x, dictionary, FEW))[0] * ATOMS / FEW
    print(f"all redone: {everything:.0f} s, {everything / gram:.0f} times gram (wanted: 1000)")
    ffts, _ = timed(lambda: only_ffts(x, dictionary, book.scale))
    print(
        f"FFTs of the frames that the atoms meet: {ffts:.2f} s; gram takes {gram / ffts:.2f} of it"
    )
    for length, atoms in [(30, 1000), (30, 2000), (30, 4000), (30, 8000), (60, 2000), (120, 2000)]:
        y = speech(length)
        seconds = min(pursue(atoms, signal=y)[0] for _ in range(3))
        print(f"gram, {length:3d} s, {atoms} atoms: {seconds:.3f} s")


if __name__ == "__main__":
    main()
