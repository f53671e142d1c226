"""Arrays of many examples on disk: made once, one after the other, and mapped into memory.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "The data".
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from ..checks import whole

TALE = "store.json"
"""Written last: where it lies, a folder is complete."""

LEFT_OUT = "left_out"

Example = tuple[Mapping[str, np.ndarray], Any]


def keep(
    folder: Path, example: Callable[[int], Example], count: int, *, told: Mapping[str, Any]
) -> None:
    """Make `count` examples and keep them; go on where an earlier call was stopped.

    Parameters
    ----------
    folder : made if it is missing; a complete one is left as it is
    example : number -> arrays by name, all examples of one shape, and what else to remember of it;
        one without any array is left out: it is remembered, and the next takes its place
    count : how many
    told : settings, which must be the same when it is called again

    Raises
    ------
    ValueError : examples of different shapes; a folder that holds another number of them, or was
        made with other settings
    """
    count = whole(count, "count")
    if (folder / TALE).is_file():
        kept = tale(folder)
        settings = {name: kept.get(name) for name in told}
        made = len(kept["examples"]) + len(kept.get(LEFT_OUT, ()))
        if made != count or settings != dict(told):
            raise ValueError(
                f"{folder} holds {made} examples with {settings}, {count} with {dict(told)} were "
                "asked for; choose another folder or remove this one"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "done.jsonl"
    plan = {"count": count, **told}
    if not log.is_file():
        log.write_text(json.dumps(plan) + "\n", encoding="utf-8")
    begun, *past = (json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())
    if begun != plan:
        raise ValueError(
            f"{folder} was begun for {begun}, {plan} was asked for; choose another folder or "
            "remove this one"
        )
    out = [entry[LEFT_OUT] for entry in past if _left_out(entry)]
    done = [entry for entry in past if not _left_out(entry)]
    arrays: dict[str, np.memmap] = {}
    with log.open("a", encoding="utf-8") as file:
        for number in range(len(past), count):
            parts, remembered = example(number)
            for name, part in parts.items():
                if name not in arrays:
                    arrays[name] = _mapped(folder / f"{name}.npy", part, count, bool(done))
                if part.shape != arrays[name].shape[1:]:
                    raise ValueError(
                        f"example {number} has {name} of shape {part.shape}, the first had "
                        f"{arrays[name].shape[1:]}; cut all clips to one length"
                    )
                arrays[name][len(done)] = part
            (done if parts else out).append(remembered)
            file.write(json.dumps(remembered if parts else {LEFT_OUT: remembered}) + "\n")
            file.flush()
    for array in arrays.values():
        array.flush()
    part_file = folder / f".{TALE}"
    part_file.write_text(json.dumps({**told, "examples": done, LEFT_OUT: out}), encoding="utf-8")
    os.replace(part_file, folder / TALE)


def tale(folder: Path) -> dict[str, Any]:
    """What a complete folder tells of itself: its settings, `examples`, one entry each, and
    `left_out`, an entry for each that was left out.

    Raises
    ------
    ValueError : the folder is missing or not complete
    """
    if not (folder / TALE).is_file():
        raise ValueError(
            f"{folder} holds no complete store; make one with `store.write` or its like"
        )
    found: dict[str, Any] = json.loads((folder / TALE).read_text(encoding="utf-8"))
    return found


def mapped(folder: Path, name: str) -> np.ndarray:
    """An array of a folder, mapped into memory to be read: of what was kept, then some zeros where
    examples were left out."""
    found: np.ndarray = np.load(folder / f"{name}.npy", mmap_mode="r")
    return found


def _left_out(entry: Any) -> bool:
    return isinstance(entry, dict) and set(entry) == {LEFT_OUT}


def _mapped(path: Path, part: np.ndarray, count: int, there: bool) -> np.memmap:
    if there:
        return open_memmap(path, mode="r+")
    return open_memmap(path, mode="w+", dtype=part.dtype, shape=(count, *part.shape))
