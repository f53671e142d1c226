"""A fingerprint changes when what a function does changes, and only then."""

import functools
import subprocess
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from avsep_core import fingerprint
from avsep_core.fingerprint import commit, of_function, of_package


def cell(source: str) -> types.FunctionType:
    """The function `measure` of a notebook that holds this source."""
    names: dict = {"__name__": "__main__", "np": np}
    exec(source, names)
    return names["measure"]


BASE = """
scale = 2
def helper(x):
    return x * scale
def measure(item=3):
    return [helper(item), "a"]
"""


def test_the_same_source_has_the_same_fingerprint():
    assert of_function(cell(BASE)) == of_function(cell(BASE))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("scale = 2", "scale = 3"),
        ("x * scale", "x + scale"),
        ("item=3", "item=4"),
        ('"a"', '"b"'),
        ("helper(item)", "helper(item + 1)"),
    ],
)
def test_a_changed_value_operation_default_or_helper_shows(old, new):
    assert of_function(cell(BASE)) != of_function(cell(BASE.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("scale = 2", "# a comment\n\nscale = 2"),
        ("def measure(item=3):", 'def measure(item=3):\n    """A docstring."""'),
        ("scale = 2", "scale = 2\nunused = 5"),
    ],
)
def test_comments_docstrings_and_neighbours_do_not(old, new):
    documented = BASE.replace("def measure(item=3):", 'def measure(item=3):\n    """Another."""')
    same = {of_function(cell(BASE)), of_function(cell(BASE.replace(old, new)))}
    if "docstring" in new:
        same = {of_function(cell(documented)), of_function(cell(BASE.replace(old, new)))}
    assert len(same) == 1


def test_a_text_in_a_lambda_or_a_comprehension_counts():
    # Python keeps a docstring where others keep their first constant.
    for source in ("measure = lambda: {!r}", "def measure(): return [{!r} for _ in range(3)]"):
        assert of_function(cell(source.format("a"))) != of_function(cell(source.format("b")))


def test_what_a_closure_holds_counts():
    def closed(value):
        return lambda: value

    assert of_function(closed(1)) != of_function(closed(2))
    assert of_function(closed([1, {"a": 2}])) == of_function(closed([1, {"a": 2}]))
    assert of_function(closed(np.zeros(3))) != of_function(closed(np.ones(3)))
    assert of_function(closed(functools.partial(max, 1))) != of_function(
        closed(functools.partial(max, 2))
    )


def test_a_dataclass_counts_by_its_fields_but_not_by_its_caches():
    @dataclass
    class Setting:
        rate: int
        _cache: dict = field(default_factory=dict)

    def reader(setting):
        return lambda: setting.rate

    assert of_function(reader(Setting(8000))) != of_function(reader(Setting(16000)))
    assert of_function(reader(Setting(8000, {"a": 1}))) == of_function(reader(Setting(8000)))


def test_a_class_of_the_notebook_counts_by_its_methods():
    source = "class Method:\n    def run(self): return {}\nmethod = Method()\n"
    source += "def measure(): return method.run()"
    assert of_function(cell(source.format(1))) != of_function(cell(source.format(2)))
    assert of_function(cell(source.format(1))) == of_function(cell(source.format(1)))


def test_functions_that_call_each_other_come_to_an_end():
    source = "def odd(n): return n and measure(n - 1)\ndef measure(n=9): return not n or odd(n - 1)"
    assert len(of_function(cell(source))) == 64


def test_the_package_counts_by_its_sources_and_data(tmp_path):
    def whole(chapter="side_by_side"):
        of_package.cache_clear()
        return of_package(chapter, tmp_path)

    (tmp_path / "low_rank").mkdir()
    (tmp_path / "scores.py").write_text("a = 1\n")
    (tmp_path / "low_rank" / "model.py").write_text("a = 1\n")
    before, without = whole(), whole("co_separation")
    (tmp_path / "notes.txt").write_text("no part of it")
    assert whole() == before
    (tmp_path / "low_rank" / "model.py").write_text("a = 2\n")
    assert whole() != before
    assert whole("co_separation") == without, "no room uses another's"
    (tmp_path / "data" / "weights").mkdir(parents=True)
    (tmp_path / "data" / "weights" / "mask.json").write_text("{}")
    assert whole("co_separation") == without, "weights are named by those who use them"
    (tmp_path / "data" / "list.json").write_text("{}")
    assert whole("co_separation") != without
    without = whole("co_separation")
    (tmp_path / "scores.py").write_text("a = 2\n")
    assert whole("co_separation") != without
    of_package.cache_clear()


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """A git checkout whose package is the one that is imported."""
    package = tmp_path / "avsep_core"
    package.mkdir()
    (package / "fingerprint.py").write_text("code = 1\n")
    words = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "one"]
    for command in (["init", "-q"], ["add", "."], words):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.setattr(fingerprint, "__file__", str(package / "fingerprint.py"))
    of_package.cache_clear()
    yield tmp_path
    of_package.cache_clear()


def test_the_commit_is_the_checkouts_and_says_when_the_code_was_changed(checkout):
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert commit(checkout) == head
    (checkout / "results").mkdir()
    (checkout / "results" / "new.json").write_text("{}")
    assert commit(checkout) == head, "a ledger is no code"
    (checkout / "avsep_core" / "fingerprint.py").write_text("code = 2\n")
    assert commit(checkout) == head + "+"


def test_there_is_no_commit_outside_a_checkout_or_for_another_package(checkout, tmp_path_factory):
    alone = tmp_path_factory.mktemp("alone")
    assert commit(alone) is None
    (alone / "avsep_core").mkdir()
    (alone / "avsep_core" / "clip.py").write_text("other code\n")
    subprocess.run(["git", "init", "-q"], cwd=alone, check=True)
    assert commit(alone) is None


def test_importing_the_ledger_loads_nothing_heavy():
    heavy = "{'torch', 'cv2', 'av', 'matplotlib', 'IPython', 'myst_nb'}"
    code = f"import sys, avsep_core.results; sys.exit(str(sorted({heavy} & set(sys.modules))))"
    root = Path(__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert run.stderr.strip() == "[]"


def test_a_processor_is_its_own_name():
    assert fingerprint.device_name("cpu") == "cpu"
