"""Clean environments: what conda users install, and what Colab does."""

import os
import re
import shutil
import subprocess
import sys
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
# What is built from source, or needs what is.
COMPILED = r"^(?:pesq|libsvm-official|visqol-python)==.*\n"

pytestmark = pytest.mark.slow


def run(*command, cwd: Path, **environment) -> str:
    """Run a command without the variables that would let this checkout leak in."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    path = os.pathsep.join(
        p for p in keep["PATH"].split(os.pathsep) if Path(p) != Path(sys.prefix) / "bin"
    )
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**keep, "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def empty(folder: Path) -> Path:
    """An empty environment; returns its Python."""
    venv.create(folder, with_pip=True, clear=True)
    return folder / "bin" / "python"


def pip(python: Path, *words, cwd: Path = ROOT) -> str:
    return run(python, "-m", "pip", "--disable-pip-version-check", *words, cwd=cwd)


def copy_of_the_checkout(folder: Path) -> Path:
    """The files that git would clone, so that a build leaves nothing behind in the checkout."""
    names = run("git", "ls-files", "-z", cwd=ROOT).split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def locked(name: str) -> str:
    text = (ROOT / "requirements.lock").read_text()
    return re.search(rf"^{re.escape(name)}==(\S+)", text, flags=re.M).group(1)


def compiled_here() -> bool:
    """Whether the environment that runs this test has PESQ and ViSQOL, which take compilers."""
    from importlib.util import find_spec

    return all(find_spec(name) is not None for name in ("pesq", "libsvm", "visqol"))


def test_the_pip_part_of_the_conda_environment_installs_and_imports(tmp_path):
    parts = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (wanted,) = [part["pip"] for part in parts if isinstance(part, dict)]
    home = copy_of_the_checkout(tmp_path / "home")
    if not compiled_here():
        lock = home / "requirements.lock"
        lock.write_text(re.sub(COMPILED, "", lock.read_text(), flags=re.M))
        wanted = [line.replace(",pesq,visqol", "") for line in wanted]
        assert not any("pesq" in line for line in wanted)
    (home / "wanted.txt").write_text("\n".join(wanted) + "\n")
    python = empty(tmp_path / "environment")
    pip(python, "install", "--quiet", "--requirement", "wanted.txt", cwd=home)
    pip(python, "check")
    code = (
        "import avsep_core, torch, numpy, cv2, jupyterlab\n"
        "from avsep_core import clip, faces, listen, scores, separation\n"
        "print(avsep_core.__file__, numpy.__version__, torch.__version__)"
    )
    file, numpy, torch = run(python, "-c", code, cwd=tmp_path).split()
    assert Path(file).is_relative_to(home)
    assert numpy == locked("numpy") and torch.partition("+")[0] == locked("torch")


def test_a_notebook_runs_alone_on_a_wheel_and_a_newer_numpy(tmp_path):
    home = copy_of_the_checkout(tmp_path / "home")
    python = empty(tmp_path / "environment")
    pip(python, "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path / "wheels", home)
    (wheel,) = (tmp_path / "wheels").glob("avsep_core-*.whl")
    shutil.rmtree(home)
    newer = f"numpy>{locked('numpy')}"
    torch = f"torch=={locked('torch')}"
    pip(python, "install", "--quiet", newer, torch, wheel, "papermill", "ipykernel")
    found = run(python, "-c", "import numpy; print(numpy.__version__)", cwd=tmp_path).strip()
    assert Version(found) > Version(locked("numpy"))

    def runs_alone(notebook: Path) -> None:
        alone = tmp_path / notebook.stem
        alone.mkdir()
        shutil.copy(notebook, alone)
        words = (notebook.name, "run.ipynb", "-p", "profile", "quick")
        run(python, "-m", "papermill", *words, cwd=alone, JUPYTER_PREFER_ENV_PATH="1")
        assert (alone / "run.ipynb").stat().st_size > notebook.stat().st_size

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(runs_alone, sorted((ROOT / "notebooks").glob("*.ipynb"))))


def test_setup_does_nothing_the_second_time_and_works_without_a_compiler(tmp_path):
    home = copy_of_the_checkout(tmp_path / "home")
    lock = home / "requirements.lock"
    small = re.findall(r"^(?:setuptools|wheel|numpy)==\S+$", lock.read_text(), flags=re.M)
    built = re.findall(COMPILED.removesuffix(r"\n"), lock.read_text(), flags=re.M)
    assert len(built) == 3
    lock.write_text("\n".join([*small, *built]) + "\n")
    first = run(home / ".ci" / "setup", cwd=tmp_path, AVSEP_NO_COMPILER="1")
    assert "PESQ and ViSQOL are left out" in first and "Set up in" in first
    python = home / ".venv" / "bin" / "python"
    names = pip(python, "list", cwd=tmp_path)
    assert "avsep-core" in names
    assert not any(line.partition("==")[0] in names for line in built)
    assert run(home / ".ci" / "setup", cwd=tmp_path, AVSEP_NO_COMPILER="1") == ""
    lock.write_text(lock.read_text() + "# moved\n")
    assert "Setting up" in run(home / ".ci" / "setup", cwd=tmp_path, AVSEP_NO_COMPILER="1")
