"""Training steps a second and waiting for data; a film of ten seconds, from film to sounds.

Two threads, the compact architecture. Steps are taken on a small store that is drawn first, in 32
and in 16 bits.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SECONDS, WAITING = 5.0, 0.1
"""Most for the film, and largest share of waiting."""


def trained() -> dict[str, tuple[float, float]]:
    """Steps a second of each kind and precision, and the share of waiting, of ten steps."""
    import torch

    from avsep_core import training
    from avsep_core.co_separation import network, objective, objects, recipes, tasks
    from avsep_core.corpora import ensembles

    torch.set_num_threads(2)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        casts = [*ensembles.SOLOS, *ensembles.DUETS[::4]]
        store = ensembles.write(folder, ensembles.drawn(casts, seconds=4), 18)
        seen = objects.objects(store, recipes.detector())
        precisions: tuple[Literal["no", "bf16"], ...] = ("no", "bf16")
        for kind in network.KINDS:
            for precision in precisions:
                a = network.compact(kind=kind)
                made = network.Separator(a)
                trunk = made.trunk if kind == "sound_of_pixels" else made.see.trunk
                trunk.eval().requires_grad_(False)
                plan = training.Plan(steps=10, batch=32, rate=1e-3, precision=precision)
                run = training.train(
                    made, objective.Objective(a), tasks.Pairs(store, seen, a), plan=plan,
                    device="cpu", progress=False,
                )  # fmt: skip
                words = f"{kind.replace('_', ' ')}, {'32' if precision == 'no' else '16'} bits"
                found[words] = run.steps_per_second, run.waiting
    return found


def separated() -> float:
    """Seconds for a film of 10 s with two players, detection included."""
    import torch

    from avsep_core.co_separation.separate import separate
    from avsep_core.synthetic import band

    torch.set_num_threads(2)
    rng = np.random.default_rng(0)
    film = band.perform(["violin", "acoustic_guitar"], rng=rng, seconds=10).film(rng)
    separate(film, 2)
    began = time.perf_counter()
    separate(film, 2)
    return time.perf_counter() - began


def main() -> None:
    """Print the table, and fail where a bound is broken."""
    paces, took = trained(), separated()
    waiting = max(wait for _, wait in paces.values())
    rows = [
        (f"steps of 32 pairs a second, {words}", f"{pace:.2f}", "")
        for words, (pace, _) in paces.items()
    ]
    rows += [
        ("largest share of the time without data", f"{waiting:.1%}", f"at most {WAITING:.0%}"),
        ("10 s with two players, film to sounds, in s", f"{took:.2f}", f"at most {SECONDS:g}"),
    ]
    for what, value, bound in rows:
        print(f"{what:58}{value:>10}   {bound}")
    if took > SECONDS or waiting > WAITING:
        raise SystemExit("a bound is broken")


if __name__ == "__main__":
    main()
