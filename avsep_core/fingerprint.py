"""Fingerprints of code, so that a stored result is never taken for the result of other code.

A stored item of the ledger counts only while three things are as they were: the settings that
the chapter names, the package's source files, and the function that computed the item.

Taught in `notebooks/00_foundations.ipynb`, section "Measure it".
"""

from __future__ import annotations

import dataclasses
import dis
import functools
import hashlib
import os
import subprocess
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SOURCES = ("*.py", "*.csv", "*.json")
WEIGHTS = ("data", "weights")
LARGEST_ARRAY = 2**24  # bytes; larger arrays count by shape and type only


ROOMS = ("matching_pursuit", "low_rank", "looking_to_listen", "deep_clustering", "co_separation")


@functools.cache
def of_package(chapter: str = "side_by_side", folder: Path | None = None) -> str:
    """A digest of the package: its source files, fixed lists and tables.

    Weights are left out: a result depends on those that it uses, and names the digest on their
    card among its settings.

    Parameters
    ----------
    chapter : the rooms of the other papers are left out, since no room may use another;
        "side_by_side" uses them all
    folder : the package's folder; default: the one that is imported

    Returns
    -------
    64 hexadecimal digits, the same on every machine and wherever the package is installed.
    Computed once a process.
    """
    folder = folder or Path(__file__).parent
    others = set() if chapter == "side_by_side" else set(ROOMS) - {chapter}
    whole = hashlib.sha256()
    files = sorted(
        (path.relative_to(folder).as_posix(), path)
        for pattern in SOURCES
        for path in folder.rglob(pattern)
        if (parts := path.relative_to(folder).parts)[0] not in others and parts[:2] != WEIGHTS
    )
    for name, path in files:
        whole.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def commit(root: Path) -> str | None:
    """The commit of a checkout of this project, with "+" where its code was changed since.

    Parameters
    ----------
    root : the checkout's folder

    Returns
    -------
    40 hexadecimal digits, perhaps with "+"; None where `root` is no checkout, git is missing, or
    the imported package is not the one that lies there.
    """
    own = Path(__file__).parent
    there = root / "avsep_core"
    if not there.is_dir() or (
        own != there.resolve() and of_package(folder=there.resolve()) != of_package()
    ):
        return None
    calm = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", *words],
            cwd=root,
            env=calm,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return None
        changed = git("status", "--porcelain", "--", "avsep_core", "notebooks")
        return git("rev-parse", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def device_name(device: str) -> str:
    """A device in words: "cpu", or "cuda (its product name)"."""
    if device.startswith("cuda"):
        import torch

        if torch.cuda.is_available():
            return f"cuda ({torch.cuda.get_device_name(device)})"
    return device


def of_function(function: Callable[..., Any]) -> str:
    """A digest of what a function does: its own code and all that it refers to.

    It follows the functions of the same module that the function calls, its default arguments,
    the variables that it closes over and the global variables that it reads: numbers, strings,
    lists, dictionaries, arrays and dataclasses count by their content. Objects of other kinds (a
    network, a corpus) count by their type only: name in the settings what makes them differ.

    Parameters
    ----------
    function : any callable

    Returns
    -------
    64 hexadecimal digits. Renaming a comment or moving the function changes nothing; a changed
    constant, operation or helper does. Another version of Python gives another digest.
    """
    return hashlib.sha256("\n".join(_describe(function, "", set())).encode()).hexdigest()


def _describe(value: Any, home: str, seen: set[int]) -> Iterator[str]:
    """The parts of a value's content, in a fixed order."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        yield f"{kind} {value!r}"
        return
    # `seen` breaks cycles: a function that calls itself, a list that holds itself.
    if id(value) in seen:
        yield "again"
        return
    seen.add(id(value))
    if isinstance(value, types.FunctionType):
        yield from _describe_function(value, home, seen)
    elif isinstance(value, functools.partial):
        for part in (value.func, value.args, value.keywords):
            yield from _describe(part, home, seen)
    elif isinstance(value, types.MethodType):
        yield from _describe(value.__func__, home, seen)
        yield from _describe(value.__self__, home, seen)
    elif isinstance(value, (types.ModuleType, type)):
        yield f"{kind} {value.__name__}"
        if isinstance(value, type) and value.__module__ == home:
            for name, content in sorted(vars(value).items()):
                if callable(content):
                    yield from _describe(content, home, seen)
                    yield name
    elif isinstance(value, dict):
        yield f"{kind} {len(value)}"
        for key, content in value.items():
            yield from _describe(key, home, seen)
            yield from _describe(content, home, seen)
    elif isinstance(value, (list, tuple)):
        yield f"{kind} {len(value)}"
        for content in value:
            yield from _describe(content, home, seen)
    elif isinstance(value, (set, frozenset)):
        yield f"{kind} {sorted(map(repr, value))}"
    elif hasattr(value, "dtype") and hasattr(value, "tobytes"):
        yield f"{kind} {value.dtype} {getattr(value, 'shape', ())}"
        if getattr(value, "nbytes", 0) <= LARGEST_ARRAY:
            yield hashlib.sha256(value.tobytes()).hexdigest()
    elif dataclasses.is_dataclass(value):
        yield kind
        for field in dataclasses.fields(value):
            # Private fields are caches, which grow as items are computed.
            if not field.name.startswith("_"):
                yield field.name
                yield from _describe(getattr(value, field.name, None), home, seen)
    else:
        yield kind
        if type(value).__module__ == home:
            yield from _describe(type(value), home, seen)
    seen.discard(id(value))


def _describe_function(function: types.FunctionType, home: str, seen: set[int]) -> Iterator[str]:
    home = home or function.__module__
    if function.__module__ != home:
        # Libraries count by name; the package's own files are in `of_package` already.
        yield f"{function.__module__}.{function.__qualname__}"
        return
    yield from _describe_code(function.__code__, function.__doc__)
    for part in (function.__defaults__, function.__kwdefaults__):
        yield from _describe(part, home, seen)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name
        try:
            yield from _describe(cell.cell_contents, home, seen)
        except ValueError:
            yield "empty"
    for name in sorted(set(_globals_read(function.__code__))):
        yield name
        if name in function.__globals__:
            yield from _describe(function.__globals__[name], home, seen)


def _describe_code(code: types.CodeType, docstring: str | None = None) -> Iterator[str]:
    yield code.co_code.hex()
    yield f"{code.co_names} {code.co_varnames} {code.co_freevars} {code.co_argcount}"
    for place, constant in enumerate(code.co_consts):
        if isinstance(constant, types.CodeType):
            yield from _describe_code(constant)
        elif place > 0 or docstring is None or constant != docstring:
            yield from _describe(constant, "", set())


def _globals_read(code: types.CodeType) -> Iterator[str]:
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield step.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _globals_read(constant)
