"""What the chapters' tests on GRID share: a run of the notebook, and its ledger."""

import shutil

import pytest

from avsep_core.ledgers import load
from book import execute


@pytest.fixture(scope="module")
def run(request, shared_data, root):
    """The folder in which the notebook of the module's SLUG has just run on the real clips."""
    slug = request.module.SLUG
    folder = root / "_build" / "real" / slug
    shutil.rmtree(folder, ignore_errors=True)
    (notebook,) = execute.notebooks(root, slug)
    parameters = {"corpus": "grid", "data_root": str(shared_data / "grid"), "profile": "quick"}
    seconds = execute.execute(notebook, folder / notebook.name, parameters, cwd=folder)
    print(f"{notebook.name} on real clips: {seconds:.0f} s")
    return folder


@pytest.fixture(scope="module")
def ledger(request, run, root):
    """The quick ledger that this run has written."""
    found = load(request.module.SLUG, "quick", root)
    assert found is not None and "grid" in found["runs"]
    return found


@pytest.fixture(scope="module")
def value(ledger):
    """Looks a score of the run on GRID up: (table, row, column) -> its value."""

    def look(table, row, column):
        (found,) = [
            s
            for s in ledger["scores"]
            if (s["corpus"], s["table"], s["row"], s["column"]) == ("grid", table, row, column)
        ]
        return found["value"]

    return look
