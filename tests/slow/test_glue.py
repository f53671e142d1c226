"""Numbers that notebooks lay down arrive in the prose of the built pages."""

import subprocess
import sys
from html import unescape
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
CONF = """
extensions = ["myst_nb"]
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "colon_fence", "attrs_inline", "linkify"]
html_theme = "basic"
"""
MEASURE = """
import numpy as np
from avsep_core.results import Ledger
book = Ledger("{chapter}", profile="report", corpus="synthetic", folder="{folder}")
found = book.score("own", "irm", "dsdr", np.arange(8) + {shift})
book.claim("gains", "It gains | *more* than $1 or {{doc}}`x`", found)
book.glue("gain", found.value)
book.glue("words", "about seven")
book.save()
"""
PROSE = "A gain of {glue:text}`gain:.1f` dB, in words {glue:text}`words`; whole {glue:}`gain`."
PAGE = """# Side by side

First {glue:text}`notebooks/00_foundations.ipynb::gain:.2f`, then
{glue:text}`notebooks/01_matching_pursuit.ipynb::gain:.2f`.

```{toctree}
notebooks/00_foundations
notebooks/01_matching_pursuit
book/scorecard
book/run_times
```
"""


def run_notebook(path: Path, chapter: str, folder: Path, shift: float) -> None:
    """Execute a small chapter, with the name `gain` that the other one uses too."""
    import papermill

    cells = [
        nbformat.v4.new_markdown_cell(f"# {chapter}\n\n{PROSE}"),
        nbformat.v4.new_code_cell(MEASURE.format(chapter=chapter, folder=folder, shift=shift)),
    ]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec})
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    papermill.execute_notebook(path, path, progress_bar=False, cwd=str(ROOT))


@pytest.mark.slow
def test_glued_numbers_and_made_pages_pass_through_sphinx_without_a_warning(tmp_path, monkeypatch):
    pytest.importorskip("myst_nb")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    monkeypatch.syspath_prepend(str(ROOT))
    source = tmp_path / "source"
    for number, chapter in enumerate(("foundations", "matching_pursuit")):
        path = source / "notebooks" / f"0{number}_{chapter}.ipynb"
        run_notebook(path, chapter, tmp_path, shift=2.75 + number)
    make = (
        "import sys; from pathlib import Path; from book import generated; "
        "root, source = Path(sys.argv[1]), Path(sys.argv[2]); "
        "(source / 'book').mkdir(); "
        "(source / 'book/scorecard.md').write_text(generated.scorecard(root)); "
        "(source / 'book/run_times.md').write_text("
        "generated.run_times(root, source / 'notebooks'))"
    )
    command = [sys.executable, "-c", make, str(tmp_path), str(source)]
    subprocess.run(command, cwd=ROOT, check=True)
    (source / "conf.py").write_text(CONF)
    (source / "index.md").write_text(PAGE)
    out = tmp_path / "html"
    build = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "-n", "--keep-going", str(source), str(out)],
        capture_output=True,
        text=True,
    )
    assert build.returncode == 0, build.stderr
    first = unescape((out / "notebooks/00_foundations.html").read_text())
    # The mean of 0 … 7 is 3.5; the two chapters add 2.75 and 3.75.
    assert ">6.2</span> dB" in first
    assert ">about seven</span>" in first
    assert ">7.2</span> dB" in unescape((out / "notebooks/01_matching_pursuit.html").read_text())
    both = unescape((out / "index.html").read_text())
    assert ">6.25</span>" in both and ">7.25</span>" in both
    scorecard = unescape((out / "book/scorecard.html").read_text())
    assert "It gains | *more* than $1 or {doc}`x`" in scorecard
    assert "reproduced on synthetic" in scorecard
