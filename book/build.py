"""Build the site: run the notebooks, stage the pages, and hand them to Jupyter Book.

    python -m book.build [--profile quick] [--device auto] [--linkcheck]

A failing cell or a warning fails the build. What is unchanged is reused. The site is left in
`_build/html`, ready to open from disk.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from book import execute, stage, vendor

ROOT = Path(__file__).resolve().parent.parent


def build(root: Path, *, profile: str, device: str, builder: str = "html") -> Path:
    """Build the site (or only check its links) and return the folder with the result.

    Raises NotebookError where a cell fails, ValueError where a page cannot be staged, and
    RuntimeError where Jupyter Book warns or fails.
    """
    started = time.monotonic()
    if profile == "quick":  # two notebooks side by side, each on one core
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(2 if profile == "quick" else 1) as pool:
        run = partial(execute.executed, root, profile=profile, device=device)
        list(pool.map(run, execute.notebooks(root)))
    ran = time.monotonic()
    files = vendor.fetch(root / "_build" / "vendor")
    tree = stage.stage(root, root / "_build" / "stage", vendor=files)
    state = f"{tree} {execute.hash_of([root / 'requirements.lock', root / 'book' / 'build.py'])}"
    target = root / "_build" / builder
    stamp = root / "_build" / f"{builder}.stamp"
    if builder == "html" and stamp.is_file() and stamp.read_text() == state and target.is_dir():
        print("The pages are unchanged.")
        return target
    stamp.unlink(missing_ok=True)
    for old in (target, root / "_build" / ".doctrees"):
        shutil.rmtree(old, ignore_errors=True)
    sphinx(root, builder)
    if builder == "html":
        finish(root, target)
    stamp.write_text(state)
    now = time.monotonic()
    print(f"Notebooks {ran - started:.0f} s, pages {now - ran:.0f} s: {target / 'index.html'}")
    return target


def sphinx(root: Path, builder: str) -> None:
    """Run Jupyter Book on the staged tree, with warnings as errors."""
    command = [Path(sys.executable).parent / "jupyter-book", "build", root / "_build" / "stage"]
    command += ["--path-output", root, "--builder", builder, "-W", "-n", "--keep-going", "--all"]
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    (root / "_build" / f"{builder}.log").write_text(done.stdout)
    if done.returncode:
        lines = done.stdout.splitlines()
        marks = ("WARNING", "ERROR", "CRITICAL", "broken", "Exception")
        told = [line for line in lines if any(mark in line for mark in marks)]
        raise RuntimeError("Jupyter Book failed:\n" + "\n".join(told or lines[-40:]))


def finish(root: Path, site: Path) -> None:
    """Let the page's own download button give the notebook as written, without outputs.

    Also drop the hints to preload fonts, which browsers refuse for pages opened from disk.
    """
    for source in execute.notebooks(root):
        clean = root / "_build" / "stage" / "downloads" / source.name
        shutil.copy(clean, site / "_sources" / "notebooks" / source.name)
    for page in site.rglob("*.html"):
        text = page.read_text()
        page.write_text(re.sub(r'<link rel="preload" as="font"[^>]*>\n?', "", text))


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m book.build", description=__doc__)
    parser.add_argument("--profile", choices=execute.PROFILES, default="quick")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--linkcheck", action="store_true")
    options = parser.parse_args(arguments)
    builder = "linkcheck" if options.linkcheck else "html"
    try:
        build(ROOT, profile=options.profile, device=options.device, builder=builder)
    except (execute.NotebookError, RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
