"""Run notebooks with papermill, once for each state of the notebook, the package and the lock.

python -m book.execute [CHAPTER] [--profile quick|report|full] [--device auto] [--real]
"""

import argparse
import hashlib
import json
import logging
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROFILES = ("quick", "report", "full")
REAL = {"low_rank": "av_bench", "co_separation": "instruments"}
"""The corpus of real clips that a chapter is run on, and its folder; the others take GRID."""


class NotebookError(RuntimeError):
    """A cell of a notebook failed; the message names the notebook and shows the cell."""


def notebooks(root: Path, chapter: str = "") -> list[Path]:
    """The notebooks in reading order, or those whose name ends in `chapter`.

    Raises ValueError where no notebook has that name.
    """
    found = sorted((root / "notebooks").glob("*.ipynb"))
    if chapter:
        stem = chapter.removesuffix(".ipynb").rpartition("/")[2]
        matches = [p for p in found if p.stem == stem or p.stem.partition("_")[2] == stem]
        if not matches:
            names = ", ".join(p.stem for p in found)
            raise ValueError(f"no notebook {chapter!r}; there are: {names}")
        return matches
    return found


def fingerprint(root: Path, notebook: Path, parameters: dict[str, Any]) -> str:
    """A hash of all that decides what a run of the notebook shows.

    Covers the notebook, the package, the committed results, the lock, the parameters, and the
    version of Python; not the time or the place.
    """
    files = [notebook, root / "requirements.lock"]
    for folder in ("avsep_core", "results"):
        files += [p for p in (root / folder).rglob("*") if p.suffix != ".pyc"]
    return hash_of(files, json.dumps([parameters, platform.python_version()], sort_keys=True))


def hash_of(files: list[Path], text: str = "") -> str:
    """One hash of a text and of the names and contents of files, in any order."""
    digest = hashlib.sha256(text.encode())
    for file in sorted(p for p in files if p.is_file()):
        digest.update(file.name.encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def execute(notebook: Path, output: Path, parameters: dict[str, Any], *, cwd: Path) -> float:
    """Run one notebook and write it, with outputs, to `output`; return the seconds it took.

    A log goes beside the output. Where a cell fails, the half-run notebook stays beside it too,
    as `<name>.failed.ipynb`, `output` is not written, and NotebookError shows the cell.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    # Small matrices are slower on many threads, and many times slower where those must wait.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    output.parent.mkdir(parents=True, exist_ok=True)
    cwd.mkdir(parents=True, exist_ok=True)
    failed = output.with_suffix(".failed.ipynb")
    output.unlink(missing_ok=True)
    log = logging.FileHandler(output.with_suffix(".log"), mode="w")
    logger = logging.getLogger("papermill")
    logger.addHandler(log)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    started = time.monotonic()
    try:
        papermill.execute_notebook(
            notebook,
            failed,
            parameters,
            cwd=str(cwd),
            progress_bar=False,
            log_output=True,
            extra_arguments=["--log-level=CRITICAL"],
        )
    except PapermillExecutionError as error:
        raise NotebookError(
            f"{notebook.name}, cell {error.exec_count}, fails:\n\n{error.source}\n\n"
            f"{error.ename}: {error.evalue}\n(the run so far: {failed})"
        ) from None
    finally:
        logger.removeHandler(log)
        log.close()
    os.replace(failed, output)
    return time.monotonic() - started


def executed(
    root: Path, notebook: Path, *, profile: str, device: str = "auto", say: Any = print
) -> Path:
    """The notebook with outputs in `_build/executed`, run now unless a run of this state is there.

    Beside it stands `<name>.json` with the profile, the device, the seconds and the hash.
    """
    folder = root / "_build" / "executed"
    output = folder / notebook.name
    record = output.with_suffix(".json")
    parameters: dict[str, Any] = {"profile": profile, "device": device}
    wanted = fingerprint(root, notebook, parameters)
    known = json.loads(record.read_text()) if output.is_file() and record.is_file() else {}
    if known.get("hash") == wanted:
        say(f"{notebook.name}: unchanged, its last run is reused")
        return output
    record.unlink(missing_ok=True)
    say(f"{notebook.name}: running ({profile}) …")
    seconds = execute(notebook, output, parameters, cwd=root / "_build" / "work" / notebook.stem)
    text = {"notebook": notebook.name, **parameters, "seconds": round(seconds, 1), "hash": wanted}
    partial = record.with_suffix(".partial")
    partial.write_text(json.dumps(text, indent=1) + "\n")
    os.replace(partial, record)
    say(f"{notebook.name}: ran in {seconds:.0f} s")
    return output


def report(
    root: Path, notebook: Path, *, profile: str, device: str, real: bool, say: Any = print
) -> None:
    """Run one notebook for the ledger in `results/`: on synthetic and, with `real`, on real clips.

    Those are looked for in the folder of AVSEP_SHARED that is named as REAL says. Runs resume item
    by item, and leave their notebooks in `_build/report`.
    """
    name = REAL.get(notebook.stem.partition("_")[2], "grid")
    folder = (root / os.environ.get("AVSEP_SHARED", "../shared/data") / name).resolve()
    corpora: list[dict[str, Any]] = [{"corpus": "synthetic"}]
    if real and folder.is_dir():
        corpora.append({"corpus": name, "data_root": str(folder)})
    elif real:
        say(f"no real clips: {folder} is not there (AVSEP_SHARED names another folder)")
    for corpus in corpora:
        name = f"{notebook.stem}.{corpus['corpus']}"
        output = root / "_build" / "report" / f"{name}.ipynb"
        say(f"{name}: running ({profile}) …")
        parameters = {"profile": profile, "device": device, **corpus}
        work = root / "_build" / "work" / name
        seconds = execute(notebook, output, parameters, cwd=work)
        say(f"{name}: ran in {seconds:.0f} s")


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m book.execute", description=__doc__)
    parser.add_argument("chapter", nargs="?", default="")
    parser.add_argument("--profile", choices=PROFILES, default="quick")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--real", action="store_true", help="also on the real clips")
    options = parser.parse_args(arguments)
    try:
        for notebook in notebooks(ROOT, options.chapter):
            if options.profile == "quick" and not options.real:
                executed(ROOT, notebook, profile="quick", device=options.device)
            else:
                report(
                    ROOT,
                    notebook,
                    profile=options.profile,
                    device=options.device,
                    real=options.real,
                )
    except (NotebookError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
