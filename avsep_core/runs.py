"""What a training leaves behind: its log and learning curve, and the checkpoint it goes on from.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "Train it".
"""

from __future__ import annotations

import hashlib
import json
import os
import reprlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.torch
import torch
from torch import nn

from .weights import copied, misfits, write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHECKPOINT, BEST, LOG = "checkpoint.safetensors", "best.safetensors", "log.jsonl"


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """What a training came to.

    Parameters
    ----------
    steps : updates made, over all resumptions
    rows : the lines of the log: step, loss (mean since the line before), rate, norm (of the
        gradient, before clipping), seconds, waiting and, where it was validated, `validation`
    seconds : wall time, over all resumptions
    steps_per_second : without the time of the validations
    waiting : share of that time spent waiting for data, 0 to 1
    stopped : "steps", "patience", "minutes" or "interrupted"
    best : the best validation: step and values; None where there was none
    best_weights : the network's `state_dict` then, on the CPU
    device : its name
    """

    steps: int
    rows: list[dict[str, Any]]
    seconds: float
    steps_per_second: float
    waiting: float
    stopped: str
    best: dict[str, Any] | None
    best_weights: dict[str, torch.Tensor] | None
    device: str

    @property
    def losses(self) -> np.ndarray:
        """(lines,) the loss of each line of the log."""
        return np.array([row["loss"] for row in self.rows])

    @property
    def curve(self) -> list[list[float]]:
        """[step, loss] of each line of the log."""
        return [[row["step"], row["loss"]] for row in self.rows]

    @property
    def validation(self) -> list[dict[str, Any]]:
        """Step and values of each validation."""
        return [{"step": r["step"], **r["validation"]} for r in self.rows if "validation" in r]


def learning_curve(
    run: Run | str | os.PathLike[str],
    *,
    value: str = "loss",
    ax: Axes | None = None,
    title: str = "Learning curve",
) -> Axes:
    """Draw the loss, as it is logged and smoothed, and a value of the validation against steps.

    Parameters
    ----------
    run : what `train` returned, or its folder
    value : which value of the validation
    ax : where to draw; a new figure by default
    title : above the picture

    Raises
    ------
    ValueError : nothing logged

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "Train it".
    """
    import matplotlib.pyplot as plt

    from .pictures import COLOURS

    rows = run.rows if isinstance(run, Run) else logged(run)
    if not rows:
        raise ValueError(f"nothing is logged in {run}; train for `log_every` steps or more")
    ax = ax or plt.subplots()[1]
    steps, losses = np.array([[row["step"], row["loss"]] for row in rows], float).T
    width = 1 + len(rows) // 40
    if width > 1:
        ax.plot(steps, losses, color=COLOURS["line"], linestyle="-", linewidth=0.8)
        steps, losses = (np.convolve(x, np.ones(width) / width, "valid") for x in (steps, losses))
    ax.plot(steps, losses, color=COLOURS["blue"], linestyle="-", label="training: loss")
    checks = [row for row in rows if row.get("validation", {}).get(value) is not None]
    if checks:
        at, found = zip(*[(row["step"], row["validation"][value]) for row in checks], strict=True)
        look: Any = {"color": COLOURS["vermilion"], "linestyle": "--", "marker": "o", "ms": 4}
        ax.plot(at, found, label=f"validation: {value}", **look)
    ax.set_xlabel("step")
    ax.set_ylabel("loss" if value == "loss" else f"loss, {value}")
    ax.set_title(title)
    ax.legend()
    return ax


def log(folder: Path, row: dict[str, Any]) -> None:
    """Append a line to the log of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("a") as file:
        file.write(json.dumps(row) + "\n")


def logged(folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The lines of a log that can be read; one that was torn by a kill is left out."""
    rows, path = [], Path(folder) / LOG
    for line in path.read_bytes().split(b"\n") if path.exists() else ():
        with suppress(ValueError):
            row = json.loads(line)
            if isinstance(row, dict) and {"step", "loss"} <= row.keys():
                rows.append(row)
    return rows


def cut_log(folder: Path, step: int, *, write: bool) -> list[dict[str, Any]]:
    """The lines up to a step, which are all that is left of the log."""
    rows = [row for row in logged(folder) if row["step"] <= step]
    if write and (folder / LOG).exists():
        write_whole(folder / LOG, "".join(json.dumps(row) + "\n" for row in rows).encode())
    return rows


def take_up(
    folder: Path, network: nn.Module, plan: dict[str, Any]
) -> tuple[dict[str, dict[str, torch.Tensor]], dict[str, Any]]:
    """Give a network the weights of the checkpoint in a folder, if there is one.

    Returns its tensors, group -> name -> tensor, and its state, both empty without a checkpoint.
    Raises a ValueError if it is damaged, or of a run with another plan or network.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return {}, {}
    tensors, note = _unpacked(path)
    other = "; ".join(
        f"{name} was {reprlib.repr(note['plan'][name])} and is {reprlib.repr(given)}"
        for name, given in plan.items()
        if note["plan"].get(name, given) != given
    )
    other = misfits(tensors["network"], network.state_dict()) or other
    if other:
        raise ValueError(f"{path} is of another run: {other}. Take another folder")
    network.load_state_dict(tensors["network"])
    return tensors, note["state"]


def put_down(folder: Path, tensors: dict[str, dict[str, Any]], note: dict[str, Any]) -> None:
    """Write a checkpoint: tensors, group -> name -> tensor, and a note; and the group "best"."""
    flat = {f"{group}.{name}": x for group, part in tensors.items() for name, x in part.items()}
    raw = safetensors.torch.save(copied(flat))
    end = 8 + int.from_bytes(raw[:8], "little")
    header, text = json.loads(raw[8:end]), json.dumps(note)
    header["__metadata__"] = {"note": text, "sha256": _digest(header, text, raw[end:])}
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / CHECKPOINT, len(head).to_bytes(8, "little") + head + raw[end:])
    if tensors["best"]:
        write_whole(folder / BEST, safetensors.torch.save(tensors["best"]))


def _unpacked(path: Path) -> tuple[dict[str, dict[str, torch.Tensor]], dict[str, Any]]:
    raw = path.read_bytes()
    try:
        end = 8 + int.from_bytes(raw[:8], "little")
        header = json.loads(raw[8:end])
        found = header.pop("__metadata__")
        good = found["sha256"] == _digest(header, found["note"], raw[end:])
    except (ValueError, KeyError, TypeError, AttributeError):
        good = False
    if not good:
        raise ValueError(f"{path} is damaged; put back a copy, or remove it to begin again")
    tensors: dict[str, dict[str, torch.Tensor]] = {}
    for name, x in safetensors.torch.load(raw).items():
        group, _, rest = name.partition(".")
        tensors.setdefault(group, {})[rest] = x
    return tensors, json.loads(found["note"])


def _digest(header: dict[str, Any], text: str, body: bytes) -> str:
    head = json.dumps([header, text], sort_keys=True).encode()
    return hashlib.sha256(head + body).hexdigest()
