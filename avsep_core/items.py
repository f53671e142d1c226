"""Results that survive an interruption: one line of JSON an item, appended once and never changed.

Taught in `notebooks/00_foundations.ipynb`, section "Measure it".
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def plain(value: Any, name: str = "value") -> Any:
    """A value as JSON knows it: dict, list, str, int, float, bool, None.

    Parameters
    ----------
    value : anything made of those, tuples, numpy scalars and arrays, torch tensors
    name : what to call it in an error

    Returns
    -------
    The same content. Tuples and arrays become lists, keys of dictionaries become strings.

    Raises
    ------
    ValueError for NaN, an infinity, or anything that JSON cannot hold.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if hasattr(value, "tolist"):
        return plain(value.tolist(), name)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{name} is {value}; a result must be finite (None says: no result)")
        return float(value)
    if isinstance(value, Mapping):
        return {str(key): plain(part, f"{name}[{key!r}]") for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part, f"{name}[{place}]") for place, part in enumerate(value)]
    raise ValueError(
        f"{name} is of type {type(value).__name__}; a result is made of numbers, strings, lists "
        "and dictionaries. Return what is scored, not the object that was scored"
    )


class Store:
    """Stored items of one file.

    Each record is written by a single append of "newline, JSON, newline" and forced to the disk.
    So a process that is killed leaves at most one torn line, which readers skip and which cannot
    run into the next record; and processes that write at the same time do not mix their lines.

    Parameters
    ----------
    path : the file; it need not exist yet

    Taught in `notebooks/00_foundations.ipynb`, section "Measure it".
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records: dict[tuple[str, str], dict[str, Any]] = {}
        if path.exists():
            for line in path.read_bytes().split(b"\n"):
                record = _read(line)
                if record is not None:
                    self._records[record["key"], record["digest"]] = record

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: str, digest: str) -> dict[str, Any] | None:
        """The record {key, digest, seconds, value}, or None if this one was never finished."""
        return self._records.get((key, digest))

    def put(self, key: str, digest: str, value: Any, seconds: float) -> dict[str, Any]:
        """Store a value for good and return its record, as it will be read back.

        Raises
        ------
        ValueError if the value is not finite or not made of plain data. OSError if the disk is
        full; what was written of the line then counts as torn.
        """
        record = {"key": key, "digest": digest, "seconds": seconds, "value": plain(value, key)}
        line = b"\n" + json.dumps(record, allow_nan=False).encode() + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            if os.write(handle, line) != len(line):
                raise OSError(f"only a part of item {key!r} fitted into {self.path}: disk full?")
            os.fsync(handle)
        finally:
            os.close(handle)
        self._records[key, digest] = record
        return record


def _read(line: bytes) -> dict[str, Any] | None:
    """The record of one line; None for an empty, torn or foreign line."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    good = (
        isinstance(record, dict)
        and "value" in record
        and all(isinstance(record.get(name), str) for name in ("key", "digest"))
        and isinstance(record.get("seconds"), (int, float))
    )
    return record if good else None
