"""One training loop for all networks: any device, any number of processes, any interruption.

Examples are numbered, and example n is always the same. So the batch of each step is known in
advance, and a run that was interrupted goes on as if nothing had happened.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "Train it".
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import broadcast_object_list, send_to_device
from torch import nn
from tqdm.auto import tqdm

from . import runs
from .checks import whole, within
from .runs import Run
from .weights import copied


class TrainingStopped(RuntimeError):  # noqa: N818
    """A loss or a gradient that is not finite; the weights before it are kept."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What decides a run; a value that cannot be meant is refused with a ValueError.

    Parameters
    ----------
    steps : updates of the weights
    batch : examples a step, over all processes together
    rate : learning rate of Adam, after the warm-up
    clip : largest norm of the gradient; infinity for none
    seed : of dropout and of all else that draws from torch in the training
    warmup : steps over which the rate rises from zero
    halve_every : steps after which the rate is halved, again and again
    decay : "cosine" lets the rate fall to zero over `steps`
    check_every, save_every, log_every : steps from one validation, checkpoint, log line to the next
    watch : the value of the validation whose lowest marks the best weights
    patience : validations without a new best after which the run ends
    precision : "no" (32 bits), "bf16" or "fp16" (on a GPU)
    minutes : wall time, over all resumptions together, after which the run ends
    """

    steps: int
    batch: int
    rate: float
    clip: float = 5.0
    seed: int = 0
    warmup: int = 0
    halve_every: int | None = None
    decay: Literal["none", "cosine"] = "none"
    check_every: int = 1000
    save_every: int = 1000
    log_every: int = 10
    watch: str = "loss"
    patience: int | None = None
    precision: Literal["no", "bf16", "fp16"] = "no"
    minutes: float | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "check_every", "save_every", "log_every"):
            whole(getattr(self, name), name, "examples" if name == "batch" else "steps")
        for name, least in (("seed", 0), ("warmup", 0), ("halve_every", 1), ("patience", 1)):
            if getattr(self, name) is not None or least == 0:
                whole(getattr(self, name), name, "steps or checks", least=least)
        within(self.rate, "rate", 1e-12, 10)
        within(self.clip, "clip", 1e-12, math.inf)
        within(0 if self.minutes is None else self.minutes, "minutes", 0, 1e6)
        for name, known in (("decay", ("none", "cosine")), ("precision", ("no", "bf16", "fp16"))):
            if (given := getattr(self, name)) not in known:
                raise ValueError(f"{name}={given!r} given; take one of {', '.join(known)}")

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, the first of which is 0."""
        rate = self.rate * min(1.0, (step + 1) / max(self.warmup, 1))
        rate *= 0.5 ** (step // (self.halve_every or math.inf))
        if self.decay == "cosine":
            rate *= 0.5 + 0.5 * math.cos(math.pi * min(step / self.steps, 1.0))
        return rate


def train(
    network: nn.Module,
    loss: Callable[[nn.Module, Any], torch.Tensor],
    data: Any,
    *,
    plan: Plan,
    folder: str | os.PathLike[str] | None = None,
    validate: Callable[[nn.Module], Mapping[str, float]] | None = None,
    device: str = "auto",
    workers: int = 0,
    progress: bool = True,
) -> Run:
    """Train a network with Adam.

    Step k learns from the examples k·batch … (k+1)·batch-1. Started by `accelerate launch` or
    `torchrun`, each process takes its equal share of them, and gradients are averaged. With a
    `folder`, a run goes on from its last checkpoint when it is started again. SIGINT and SIGTERM
    end it after the step, with a checkpoint; a second SIGINT ends it at once.

    Parameters
    ----------
    network : trained in place, and left on the device; parts that are in eval mode stay there
    loss : takes the network and a batch, returns a scalar that is a mean over examples
    data : `data[n]` is example n, for any n from 0 on: a dict of tensors, the same each time
    plan : steps, batch, rate, …
    folder : for checkpoint, best weights and log; seen by all processes, written by the first
    validate : in the first process, gives values of the network in eval mode, as {"loss": 0.3}
    device : "auto" (the best there is), "cpu", "cuda" or "mps"
    workers : processes that prepare batches ahead of time
    progress : show a bar

    Returns
    -------
    Run. The network holds the last weights, `run.best_weights` those of the best validation.

    Raises
    ------
    ValueError : a batch that is empty or that the processes cannot share equally, a loss that is no
        number, a folder with a damaged checkpoint or one of another plan or network, and the like
    TrainingStopped : a loss or gradient that is not finite; the weights before that step are kept

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "Train it".
    """
    whole(workers, "workers", "processes", least=0)
    accelerator = _accelerator(plan, device)
    places = [accelerator.device] if accelerator.device.type == "cuda" else []
    with torch.random.fork_rng(devices=places), _signals() as caught:
        place = Path(folder) if folder else None
        loop = _Loop(network, loss, plan, place, validate, accelerator, caught)
        try:
            return loop.run(data, workers, not (progress and accelerator.is_main_process))
        finally:
            accelerator.unwrap_model(network, keep_fp32_wrapper=False)


@dataclass
class _State:
    """How far a run has come: what its checkpoint holds beside tensors; times in seconds."""

    step: int = 0
    seconds: float = 0.0
    waiting: float = 0.0
    checking: float = 0.0
    total: float = 0.0
    count: int = 0
    stale: int = 0
    best: dict[str, Any] | None = None
    scaler: dict[str, Any] = field(default_factory=dict)

    @property
    def active(self) -> float:
        return max(self.seconds - self.checking, 1e-9)


@dataclass
class _Loop:
    network: nn.Module
    loss: Callable[[nn.Module, Any], torch.Tensor]
    plan: Plan
    folder: Path | None
    validate: Callable[[nn.Module], Mapping[str, float]] | None
    accelerator: Accelerator
    caught: list[int]

    def __post_init__(self) -> None:
        self.trained = {n: p for n, p in self.network.named_parameters() if p.requires_grad}
        if not self.trained:
            raise ValueError("the network has no parameter that requires a gradient")
        if not self.network.training:
            self.network.train()
        self.main, self.state, self.rows = self.accelerator.is_main_process, _State(), list[Any]()
        held: dict[str, dict[str, torch.Tensor]] = {}
        if self.folder is not None:
            # When a run ends and how often it is saved does not decide where it goes.
            free = ["minutes", "patience", "save_every"] + ["steps"] * (self.plan.decay == "none")
            plan = {name: x for name, x in self._plan().items() if name not in free}
            held, state = runs.take_up(self.folder, self.network, plan)
            self.state = _State(**state)
            self.rows = runs.cut_log(self.folder, self.state.step, write=self.main)
        self.best = held.get("best", {})
        adam = torch.optim.Adam(self.trained.values(), lr=self.plan.rate)
        self.wrapped, self.optimiser = self.accelerator.prepare(self.network, adam)
        moments: dict[int, Any] = {}
        for k, (name, p) in enumerate(self.trained.items()):
            if name in held.get("step", {}):
                moments[k] = {"step": held["step"][name]}
                for key in ("exp_avg", "exp_avg_sq"):
                    moments[k][key] = torch.empty_like(p).copy_(held[key][name])
        self.optimiser.load_state_dict({**adam.state_dict(), "state": moments})
        if self.accelerator.scaler is not None and self.state.scaler:
            self.accelerator.scaler.load_state_dict(self.state.scaler)

    def run(self, data: Any, workers: int, hidden: bool) -> Run:
        plan, state, device = self.plan, self.state, self.accelerator.device
        share = plan.batch // self.accelerator.num_processes
        first = share * self.accelerator.process_index
        starts = range(state.step * plan.batch + first, plan.steps * plan.batch, plan.batch)
        numbers: Any = (list(range(n, n + share)) for n in starts)
        loader: Any = torch.utils.data.DataLoader(
            data,
            batch_sampler=numbers,
            num_workers=workers,
            worker_init_fn=_deaf,
            pin_memory=device.type == "cuda",
        )
        stopped = self._ended(state.seconds)
        batches = iter(()) if stopped else iter(loader)
        with tqdm(total=plan.steps, initial=state.step, disable=hidden, unit="step") as bar:
            while not stopped:
                began = time.perf_counter()
                batch = next(batches)
                state.waiting += time.perf_counter() - began
                row, seconds, stop = self._step(batch, began)
                state.step += 1
                stopped = "interrupted" if stop else self._ended(seconds)
                regular, new = state.step % plan.check_every == 0, False
                if self.validate and (regular or stopped in ("steps", "minutes")):
                    mark = time.perf_counter()
                    row["validation"], new = self._validated(regular)
                    state.checking += time.perf_counter() - mark
                    stopped = stopped or self._ended(0.0)
                state.seconds += time.perf_counter() - began
                ending = stopped not in ("", "interrupted")
                if state.step % plan.log_every == 0 or "validation" in row or ending:
                    self._log(row)
                    bar.set_postfix(loss=row["loss"], waiting=row["waiting"], refresh=False)
                bar.update()
                if state.step % plan.save_every == 0 or new or stopped:
                    self._save()
        return Run(
            steps=state.step,
            rows=self.rows,
            seconds=state.seconds,
            steps_per_second=state.step / state.active,
            waiting=state.waiting / state.active,
            stopped=stopped,
            best=state.best,
            best_weights=self.best or None,
            device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        )

    def _ended(self, seconds: float) -> str:
        if self.state.step >= self.plan.steps:
            return "steps"
        if self.state.stale >= (self.plan.patience or math.inf):
            return "patience"
        return "" if self.plan.minutes is None or seconds < 60 * self.plan.minutes else "minutes"

    def _step(self, batch: Any, began: float) -> tuple[dict[str, Any], float, bool]:
        """One update: its line for the log, the seconds of the run so far, whether to stop."""
        plan, step, accelerator = self.plan, self.state.step, self.accelerator
        if not isinstance(batch, Mapping) or not batch or not all(map(len, batch.values())):
            raise ValueError(f"the batch of step {step} is empty; an example is a dict of tensors")
        buffers = [buffer.clone() for buffer in self.network.buffers()]
        for group in self.optimiser.param_groups:
            group["lr"] = plan.rate_at(step)
        # What torch draws depends on the step alone, so that no state of a generator need be kept.
        draw = np.random.SeedSequence([plan.seed, step, accelerator.process_index])
        torch.manual_seed(int(draw.generate_state(1, np.uint64)[0]))
        value = self.loss(self.wrapped, send_to_device(batch, accelerator.device, True))
        if not isinstance(value, torch.Tensor) or value.ndim or not value.requires_grad:
            raise ValueError(f"the loss is {value!r}; expected a single number with a gradient")
        accelerator.backward(value)
        norm = accelerator.clip_grad_norm_(self.trained.values(), plan.clip)
        elapsed = self.state.seconds + time.perf_counter() - began
        mine = [value.detach(), norm.detach(), *torch.tensor([elapsed, len(self.caught)])]
        seen = torch.stack([x.to(accelerator.device, torch.float32) for x in mine])
        now, length, seconds, signals = accelerator.reduce(seen, "mean").tolist()
        scaler = accelerator.scaler
        # An overflow of 16 bits is no fault: the step is skipped, and the scale lowered, down to 1.
        skipped = scaler is not None and not math.isfinite(length) and scaler.get_scale() > 1
        if not math.isfinite(now) or not (math.isfinite(length) or skipped):
            self.optimiser.zero_grad()
            for buffer, old in zip(self.network.buffers(), buffers, strict=True):
                buffer.copy_(old)
            self._save()
            last = "{loss:.6g} at step {step}".format(**self.rows[-1]) if self.rows else "none yet"
            raise TrainingStopped(
                f"step {step}: the loss is {now:.6g} and its gradient's norm {length:.6g}; last "
                f"good loss: {last}. The weights before this step are kept. Look at the examples "
                f"from {step * plan.batch}, or take a lower rate and another folder"
            )
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.state.total, self.state.count = self.state.total + now, self.state.count + 1
        row = {"step": step + 1, "rate": plan.rate_at(step), "norm": None if skipped else length}
        return row, seconds, signals > 0

    def _validated(self, regular: bool) -> tuple[dict[str, Any], bool]:
        """The values of a validation, and whether they are the best so far."""
        state, watch, found = self.state, self.plan.watch, [dict[str, Any]()]
        if self.main and self.validate is not None:
            modes = [(module, module.training) for module in self.network.modules()]
            self.network.eval()
            with torch.no_grad():
                found = [dict(self.validate(self.network))]
            for module, mode in modes:
                module.training = mode
        values = broadcast_object_list(found)[0]
        if watch not in values:
            raise ValueError(f"the validation gives {sorted(values)}; the plan watches {watch!r}")
        values = {k: float(v) if math.isfinite(v) else None for k, v in values.items()}
        new = values[watch] is not None and (not state.best or values[watch] < state.best[watch])
        if new:
            state.best, state.stale = {"step": state.step, **values}, 0
            self.best = copied(self.network.state_dict())
        else:
            state.stale += regular
        return values, new

    def _log(self, row: dict[str, Any]) -> None:
        state = self.state
        row["loss"], row["seconds"] = state.total / state.count, round(state.seconds, 3)
        row["waiting"] = round(state.waiting / state.active, 3)
        state.total, state.count = 0.0, 0
        self.rows.append(row)
        if self.folder and self.main:
            runs.log(self.folder, row)

    def _save(self) -> None:
        if not (self.folder and self.main):
            return
        if self.accelerator.scaler is not None:
            self.state.scaler = self.accelerator.scaler.state_dict()
        tensors = {"network": self.network.state_dict(), "best": self.best}
        for name, parameter in self.trained.items():
            for key, x in self.optimiser.state.get(parameter, {}).items():
                tensors.setdefault(key, {})[name] = x
        note = {"plan": self._plan(), "state": asdict(self.state)}
        runs.put_down(self.folder, tensors, note)

    def _plan(self) -> dict[str, Any]:
        return {**asdict(self.plan), "trained": [*self.trained]}


def _accelerator(plan: Plan, device: str) -> Accelerator:
    alone = int(os.environ.get("WORLD_SIZE", "1")) == 1
    AcceleratorState._reset_state(reset_partial_state=alone)
    cpu = device == "cpu" or not (alone or torch.cuda.is_available())
    found = Accelerator(cpu=cpu, mixed_precision=plan.precision)
    if device not in ("auto", found.device.type):
        raise ValueError(f"device={device!r} given; auto, cpu or {found.device.type} can be had")
    if found.device.type == "cpu" and plan.precision == "fp16":
        raise ValueError("precision='fp16' needs a GPU; on a CPU take 'no' or 'bf16'")
    if plan.batch % (n := found.num_processes):
        raise ValueError(f"a batch of {plan.batch} for {n} processes; take a multiple of {n}")
    return found


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Note SIGINT and SIGTERM in a list instead of ending at once."""
    caught: list[int] = []

    def note(number: int, frame: Any) -> None:
        if number == signal.SIGINT and caught:
            raise KeyboardInterrupt
        caught.append(number)

    main = threading.current_thread() is threading.main_thread()
    old = {n: signal.signal(n, note) for n in (signal.SIGINT, signal.SIGTERM) if main}
    try:
        yield caught
    finally:
        for number, handler in old.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _deaf(worker: int) -> None:
    """A worker is ended by its run, not by the signal to which its run still has to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
