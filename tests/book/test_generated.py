"""Pages made from ledgers say what was measured, on what, and what was not."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from avsep_core import papers
from avsep_core.results import Ledger
from avsep_core.scores import bootstrap

SOURCE = Path(__file__).parents[2] / "book" / "generated.py"
_spec = importlib.util.spec_from_file_location("generated", SOURCE)
generated = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generated)

VALUES = [4.0, 5.0, 6.0, 7.0]


def measure(root: Path, *, profile="report", corpus="synthetic", shift=0.0) -> None:
    book = Ledger("deep_clustering", profile=profile, corpus=corpus, folder=root)
    values = [v + shift for v in VALUES]
    book.score("table_3", "avdc", "dsdr_ff", values, group=corpus, paper_group="grid")
    for column in ("dsdr", "sdr"):
        book.score("controls", "frozen", column, values)
    book.claim("gains", "It gains | more than *1* dB", bootstrap(values), threshold=1.0)
    book.save()


def lines(page: str, start: str) -> list[list[str]]:
    """The cells of all lines of tables that begin with this word."""
    split = [re.split(r"(?<!\\)\|", line)[1:-1] for line in page.splitlines() if line[:1] == "|"]
    found = [[cell.strip() for cell in row] for row in split]
    return [row for row in found if row[0].startswith(start)]


def test_with_no_ledger_the_scorecard_says_that_nothing_is_measured(tmp_path):
    page = generated.scorecard(tmp_path)
    waiting = len([key for key in papers.numbers() if key[0] == "low_rank"])
    assert f"Low rank and sparsity: nothing measured yet: {waiting} numbers" in page
    assert "Foundations: nothing measured yet.\n" in page
    assert "reproduced on" not in page


def test_a_score_stands_beside_the_papers_number_and_both_name_their_corpus(tmp_path):
    measure(tmp_path)
    page = generated.scorecard(tmp_path)
    ((method, score, paper, here, n),) = lines(page, "avdc")
    printed = papers.paper("deep_clustering", "table_3", "grid", "avdc", "dsdr_ff")
    assert (method, score, n) == ("avdc", "ΔSDR ff (dB)", "4")
    assert paper == f"{printed:.2f} on GRID"
    assert here.startswith("5.5 \\[")
    assert "*Measured by: report, synthetic, cpu, version" in page


def test_an_experiment_of_ones_own_takes_one_line_a_method(tmp_path):
    measure(tmp_path)
    page = generated.scorecard(tmp_path)
    (row,) = lines(page, "frozen")
    assert len(row) == 4 and row[-1] == "4"
    assert "| method | ΔSDR (dB) | SDR (dB) | n |" in page


def test_a_verdict_names_its_corpus_and_what_was_not_tested_says_so(tmp_path):
    measure(tmp_path)
    ((claim, bound, synthetic, real),) = lines(generated.scorecard(tmp_path), "It gains")
    assert claim == r"It gains \| more than \*1\* dB"
    assert bound == "1"
    assert synthetic.startswith("reproduced on synthetic: 5.5")
    assert real == "not tested"
    measure(tmp_path, corpus="grid", shift=-9.0)
    ((_, _, grid, synthetic),) = lines(generated.scorecard(tmp_path), "It gains")
    assert grid.startswith("not reproduced on grid: −3.5")
    assert synthetic.startswith("reproduced on synthetic")


def test_what_a_measured_chapter_still_lacks_is_counted(tmp_path):
    measure(tmp_path)
    page = generated.scorecard(tmp_path)
    whole = len([key for key in papers.numbers() if key[0] == "deep_clustering"])
    assert (
        f"Audio-visual deep clustering: {whole - 1} of the paper's {whole} numbers have no" in page
    )
    assert "Audio-visual deep clustering: nothing measured on real recordings." in page
    measure(tmp_path, corpus="grid")
    assert "nothing measured on real" not in generated.scorecard(tmp_path)


def test_report_and_full_stand_side_by_side_and_quick_is_left_out(tmp_path):
    measure(tmp_path)
    measure(tmp_path, profile="full", shift=1.0)
    measure(tmp_path, profile="quick", shift=50.0)
    page = generated.scorecard(tmp_path)
    assert [row[3][:3] for row in lines(page, "avdc")] == ["5.5", "6.5"]
    assert "55.5" not in page and "quick" not in page


def test_every_line_of_a_table_has_as_many_cells_as_its_head(tmp_path):
    for corpus in ("synthetic", "grid"):
        measure(tmp_path, corpus=corpus)
        for block in generated.scorecard(tmp_path).split("\n\n"):
            if block.startswith("|"):
                counts = {len(re.split(r"(?<!\\)\|", line)) for line in block.splitlines()}
                assert len(counts) == 1, block


def test_headings_are_all_different(tmp_path):
    measure(tmp_path)
    measure(tmp_path, profile="full")
    found = [x for x in generated.scorecard(tmp_path).splitlines() if x.startswith("#")]
    assert len(found) == len(set(found)) > 4


def test_the_scorecard_links_only_to_notebooks_that_exist(tmp_path):
    measure(tmp_path)
    assert "{doc}" not in generated.scorecard(tmp_path)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "04_deep_clustering.ipynb").touch()
    assert "{doc}`/notebooks/04_deep_clustering`" in generated.scorecard(tmp_path)


def test_a_damaged_ledger_stops_the_page(tmp_path):
    measure(tmp_path)
    (tmp_path / "results" / "deep_clustering.report.json").write_text("{")
    with pytest.raises(ValueError, match=r"deep_clustering\.report\.json"):
        generated.scorecard(tmp_path)


def executed(folder: Path, name: str, **marks) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"cells": [], "metadata": {"papermill": marks}, "nbformat": 4, "nbformat_minor": 5}
    (folder / name).write_text(json.dumps(whole))


def test_run_times_come_from_the_runs_themselves(tmp_path):
    folder = tmp_path / "_build" / "executed"
    given = {"profile": "quick", "device": "auto"}
    executed(folder, "04_deep_clustering.ipynb", duration=83.4, parameters=given)
    executed(folder, "05_co_separation.ipynb", duration=None, exception=True, parameters=given)
    page = generated.run_times(tmp_path, folder)
    assert lines(page, "{doc}`/notebooks/04") == [
        ["{doc}`/notebooks/04_deep_clustering`", "quick", "auto", "1 min 23 s"]
    ]
    assert lines(page, "{doc}`/notebooks/05")[0][-1] == "did not finish"
    assert "Nothing has been measured for it yet" in page
    measure(tmp_path, profile="quick")
    measure(tmp_path)
    page = generated.run_times(tmp_path, folder)
    assert lines(page, "{doc}`/notebooks/04")[0][2] == "cpu"
    assert lines(page, "Audio-visual deep clustering")[0][:4] == [
        "Audio-visual deep clustering",
        "report",
        "synthetic",
        "cpu",
    ]


def test_with_no_run_the_page_says_so(tmp_path):
    assert "No notebook was run" in generated.run_times(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3599.7, "1 h 0 min"),
        (4171.2, "1 h 9 min"),
    ],
)
def test_durations_never_show_sixty_of_anything(seconds, words):
    assert generated.duration(seconds) == words
