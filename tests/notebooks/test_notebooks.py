"""What every notebook keeps to, checked without running it."""

import ast
import itertools
import json
import re
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PARAMETERS = {
    "profile": "quick",
    "corpus": "synthetic",
    "data_root": None,
    "seed": 0,
    "device": "auto",
}
MODULES = {
    "scikit-learn": "sklearn",
    "opencv-python-headless": "cv2",
    "ipython": "IPython",
    "fast-bss-eval": "fast_bss_eval",
}

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list:
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


def python(cell) -> ast.Module:
    """The cell's program, with the lines that only a notebook understands left out."""
    return ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", cell.source, flags=re.M))


def test_it_is_a_valid_notebook_with_a_name_for_every_cell(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    names = [cell.id for cell in notebook.cells]
    assert len(set(names)) == len(names)
    assert notebook.metadata.kernelspec.name == "python3"
    assert re.fullmatch(r"\d\d_[a-z_]+", path.stem)


def test_no_output_is_kept_in_it(path):
    for cell in code_cells(path):
        assert not cell.outputs and cell.execution_count is None, cell.source
    assert "widgets" not in json.loads(path.read_text())["metadata"]


def test_exactly_one_cell_holds_the_five_parameters_with_their_defaults(path):
    tagged = [c for c in code_cells(path) if "parameters" in c.metadata.get("tags", [])]
    assert len(tagged) == 1
    found = {}
    exec(compile(tagged[0].source, path.name, "exec"), {}, found)
    assert found == PARAMETERS


def test_code_cells_are_short_enough_to_teach_from(path):
    long = [c.source.splitlines()[0] for c in code_cells(path) if c.source.count("\n") >= 22]
    assert long == []


def test_code_cells_are_programs(path):
    for cell in code_cells(path):
        python(cell)


def test_it_runs_alone_on_what_the_package_brings(path):
    names = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    packages = [re.split(r"[<>=!~;\[ ]", name)[0] for name in names]
    known = {MODULES.get(name, name) for name in packages} | {"avsep_core"}
    known |= set(sys.stdlib_module_names)
    for cell in code_cells(path):
        for node in python(cell).body:
            if isinstance(node, ast.Import):
                roots = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                roots = {(node.module or "").partition(".")[0]}
            else:
                continue
            assert roots <= known, f"{roots - known} is not among the package's requirements"


def test_it_opens_with_a_title_and_its_headings_leave_out_no_level(path):
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].cell_type == "markdown" and cells[0].source.startswith("# ")
    text = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, flags=re.M)]
    assert levels.count(1) == 1
    for above, below in itertools.pairwise(levels):
        assert below <= above + 1


def test_exercises_have_hidden_solutions(path):
    hidden = [c for c in code_cells(path) if "hide-cell" in c.metadata.get("tags", [])]
    solutions = [c for c in hidden if re.search(r"solution", c.source, re.I)]
    assert len(solutions) >= 5


def test_pages_of_the_book_keep_in_step_with_its_name(path):
    assert f"notebooks/{path.stem}" in (ROOT / "_toc.yml").read_text()
