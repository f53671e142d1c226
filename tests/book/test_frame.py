"""The frame of the house: versions, targets, workflows and files fit together."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = "test book check real test-slow notebook bench results"


def locked() -> dict[str, Requirement]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    names = [canonicalize_name(r.name) for r in wanted]
    assert len(set(names)) == len(names), "a package stands in the lock twice"
    return dict(zip(names, wanted, strict=True))


def version(requirement: Requirement) -> str:
    (pin,) = requirement.specifier
    assert pin.operator == "==" and "+" not in pin.version and "*" not in pin.version, requirement
    return pin.version


def committed() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_the_lock_names_one_exact_version_of_each_package():
    assert len([version(r) for r in locked().values()]) > 100


def test_the_lock_lies_in_every_range_of_the_package_and_its_extras():
    pins = locked()
    ranges = list(PROJECT["dependencies"])
    for extra in PROJECT["optional-dependencies"].values():
        ranges += extra
    for text in ranges:
        wanted = Requirement(text)
        pin = pins[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(version(pin)), f"{pin} is outside {wanted}"


def test_the_decided_versions_are_kept():
    pins = {name: version(r) for name, r in locked().items()}
    assert pins["torch"] == "2.13.0" and pins["jupyter-book"] == "1.0.4.post1"
    assert pins["mir-eval"].startswith("0.8") and pins["opencv-python-headless"].startswith("4")


def test_ranges_leave_room_for_what_colab_brings():
    for text in PROJECT["dependencies"]:
        wanted = Requirement(text)
        assert not any(s.operator in ("==", "~=") for s in wanted.specifier), text
        if wanted.name in ("torch", "numpy", "scipy", "matplotlib"):
            assert not any(s.operator.startswith("<") for s in wanted.specifier), text


@pytest.mark.skipif(
    Path(sys.prefix) != ROOT / ".venv", reason="only says something about the environment of make"
)
def test_the_environment_holds_what_the_lock_says_and_nothing_of_it_is_missing():
    for name, wanted in locked().items():
        if wanted.marker and not wanted.marker.evaluate():
            continue
        built = name in ("pesq", "libsvm-official", "visqol-python")
        if built and f"{name}==" not in (ROOT / ".venv" / "lock.txt").read_text():
            continue
        found = importlib.metadata.version(name)
        assert found.partition("+")[0] == version(wanted), name
        for text in importlib.metadata.requires(name) or []:
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                assert canonicalize_name(need.name) in {*locked(), "pip"}, f"{name} needs {need}"


def test_conda_users_get_the_locked_versions_too():
    wanted = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (pip,) = [part["pip"] for part in wanted if isinstance(part, dict)]
    assert "--requirement requirements.lock" in pip
    assert any(part.startswith("--editable .[") for part in pip)


def test_make_alone_lists_every_target():
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = re.findall(r"^  ([a-z-]+) +\S", done.stdout, flags=re.M)
    assert set(TARGETS.split()) <= set(listed)


def test_ci_runs_every_step_in_order():
    text = (ROOT / ".ci" / "run").read_text()
    assert "test book check real test-slow" in text and "set -euo pipefail" in text
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_setup_refuses_an_old_python_with_a_word_of_help(tmp_path):
    old = tmp_path / "python-old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        [ROOT / ".ci" / "setup"],
        env={**os.environ, "PYTHON": str(old)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "3.11 or newer" in done.stderr and str(old) in done.stderr


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, avsep_core; print({'torch', 'cv2', 'av', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_every_data_file_of_the_package_travels_in_a_wheel():
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = tool["package-data"]["*"]
    for file in (p for p in committed() if p.is_relative_to(ROOT / "avsep_core")):
        fits = any(file.match(pattern) for pattern in patterns)
        assert file.suffix == ".py" or fits, f"{file.name} is matched by no package-data pattern"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_pin_actions_and_ask_for_little(path):
    text = path.read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {} and "concurrency" in workflow
    for use in re.findall(r"uses: (.+)", text):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] and "permissions" in job
        for step in job["steps"]:
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
            assert "${{" not in step.get("run", "")


def test_no_file_names_a_package_host_or_leaves_work_undone():
    names = ("py" + "pi\\.org", "python" + "hosted", "registry\\.npm" + "js")
    hosts = rf"\b({'|'.join(names)})"
    undone = r"\b(" + "TO" + "DO|FIX" + "ME)\\b"
    for file in committed():
        if file.suffix in {".py", ".md", ".yml", ".toml", ".json", ".ipynb", ".lock", ""}:
            text = file.read_text(encoding="utf-8", errors="replace")
            found = re.search(f"{hosts}|{undone}", text)
            assert not found, f"{file.relative_to(ROOT)}: {found and found.group(0)}"


def test_no_program_is_longer_than_a_reader_can_hold():
    long = {
        p.name: lines
        for p in committed()
        if p.suffix == ".py" and (lines := len(p.read_text().splitlines())) > 390
    }
    assert long == {}
