"""A section that a docstring names exists in the notebook."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r'`(notebooks/\w+\.ipynb)`,\s+section\s+"([^"]+)"')


def headings(notebook: Path) -> set[str]:
    """Headings of a notebook, without their numbers."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    found = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"^[\d.]+\s*(·\s*)?", "", heading).strip() for heading in found}


def named() -> list[tuple[str, str, str]]:
    found = []
    for path in sorted((ROOT / "avsep_core").rglob("*.py")):
        for notebook, section in NAMED.findall(path.read_text(encoding="utf-8")):
            found.append((str(path.relative_to(ROOT)), notebook, " ".join(section.split())))
    return found


def test_docstrings_do_name_sections():
    assert len(named()) > 10


@pytest.mark.parametrize(("module", "notebook", "section"), named())
def test_the_named_section_exists(module, notebook, section):
    assert section in headings(ROOT / notebook), f"{module} names a missing heading"
