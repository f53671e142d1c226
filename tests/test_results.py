"""The ledger: what is measured is stored, decided and shown by rule, and nothing is lost."""

import json
import math
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core import __version__, fingerprint, ledgers, papers
from avsep_core.results import Ledger, LedgerError, load, project_root, verdict
from avsep_core.scores import Interval, bootstrap
from tests.small_ledger import TALKERS, VALUES, ledger, measure


def test_a_score_is_the_bootstrap_over_talkers_beside_the_papers_number(tmp_path):
    book = ledger(tmp_path)
    found = book.score("table_3", "avdc", "dsdr_ff", VALUES, groups=TALKERS, paper_group="grid")
    assert found == bootstrap(VALUES, TALKERS)
    (entry,) = book.as_dict()["scores"]
    assert entry["value"] == pytest.approx(found.value)
    assert entry["ci95"] == pytest.approx([found.low, found.high])
    assert entry["n"] == len(VALUES)
    assert entry["group"] == entry["corpus"] == "synthetic"
    key = ("deep_clustering", "table_3", "grid", "avdc", "dsdr_ff")
    assert (entry["paper"], entry["paper_group"]) == (papers.paper(*key), "grid")
    assert tuple(entry["paper_source"]) == key


def test_an_experiment_of_ones_own_has_no_number_of_the_paper(tmp_path):
    book = ledger(tmp_path)
    book.score("controls", "frozen", "dsdr", VALUES)
    (entry,) = book.as_dict()["scores"]
    assert entry["paper"] is entry["paper_group"] is entry["paper_source"] is None


def test_a_number_that_the_paper_lacks_is_refused_unless_one_says_so(tmp_path):
    book = ledger(tmp_path)
    for row, column, listed in (("avcd", "dsdr", "avdc"), ("avdc", "si_sdr", "dsdr_ff")):
        with pytest.raises(ValueError, match=listed):
            book.score("table_3", row, column, VALUES, paper_group="grid")
    assert book.as_dict()["scores"] == []
    book.score("table_3", "avdc", "si_sdr", VALUES, paper=False)
    assert book.as_dict()["scores"][0]["paper"] is None


def test_a_block_of_a_table_of_ones_own_is_refused(tmp_path):
    with pytest.raises(ValueError, match="table_6"):
        ledger(tmp_path).score("controls", "avdc", "dsdr", VALUES, paper_group="grid")


def test_another_papers_number_can_stand_beside_a_score(tmp_path):
    book = ledger(tmp_path, chapter="foundations")
    other = ("looking_to_listen", "table_6", "", "oracle_crm", "sdr")
    book.score("paper_oracles", "crm", "sdr", VALUES, paper=other)
    (entry,) = book.as_dict()["scores"]
    assert (entry["paper"], entry["paper_group"]) == (papers.paper(*other), "")
    with pytest.raises(ValueError, match="oracle_crm"):
        book.score("paper_oracles", "crm", "sdr", VALUES, paper=(*other[:3], "oracle", "sdr"))
    with pytest.raises(ValueError, match="chapter, table, group, row, column"):
        book.score("paper_oracles", "crm", "sdr", VALUES, paper=other[:3])


@pytest.mark.parametrize("values", [[1.0, math.nan], [math.inf], [], [[1.0, 2.0]]])
def test_values_that_are_no_list_of_numbers_are_refused_with_the_rows_name(tmp_path, values):
    book = ledger(tmp_path)
    with pytest.raises(LedgerError, match="controls/synthetic/frozen/dsdr"):
        book.score("controls", "frozen", "dsdr", values)
    assert book.as_dict()["scores"] == []


def test_a_score_recorded_again_replaces_itself_and_keeps_its_place(tmp_path):
    book = measure(ledger(tmp_path))
    places = [(e["table"], e["row"]) for e in book.as_dict()["scores"]]
    book.score("table_3", "avdc", "dsdr_ff", [1.0, 2.0], paper_group="grid")
    scores = book.as_dict()["scores"]
    assert [(e["table"], e["row"]) for e in scores] == places
    assert scores[0]["n"] == 2


def test_one_talker_alone_leaves_the_interval_open(tmp_path):
    book = ledger(tmp_path)
    book.score("controls", "frozen", "dsdr", [3.0, 4.0], groups=["a", "a"])
    status = book.claim("gains", "It gains", bootstrap([3.0, 4.0], ["a", "a"]))
    book.save()
    saved = load("deep_clustering", "quick", tmp_path)
    assert saved["scores"][0]["ci95"] == [None, None]
    assert status == saved["claims"][0]["status"] == "undecided"


def test_numpy_scalars_become_plain_numbers(tmp_path):
    book = ledger(tmp_path)
    ready = Interval(np.float32(0.1), np.float64(0.0), np.float32(0.5), np.int64(7))
    book.score("controls", "frozen", "dsdr", ready)
    (entry,) = book.as_dict()["scores"]
    assert entry["value"] == 0.1 and type(entry["value"]) is float
    assert type(entry["n"]) is int
    json.loads(book.save().read_text(), parse_constant=pytest.fail)


@given(st.floats(-10, 10), st.floats(0, 5), st.floats(0, 5), st.floats(-10, 10), st.floats(0.01, 5))
def test_a_verdict_follows_from_the_interval_and_moves_with_it(value, down, up, threshold, step):
    low, high = value - down, value + up
    order = ["not reproduced", "undecided", "reproduced"]
    here = verdict(low, high, threshold)
    assert (here == "reproduced") == (low > threshold)
    assert (here == "not reproduced") == (high <= threshold)
    assert order.index(verdict(low, high, threshold + step)) <= order.index(here)
    # A wider interval of the same effect never decides what a narrow one leaves open.
    wider = verdict(low - step, high + step, threshold)
    assert wider in (here, "undecided")
    assert verdict(None, None, threshold) == "undecided"


def test_a_claim_that_less_is_better_is_turned_round(tmp_path):
    errors_a, errors_b = np.array([1.0, 1.5, 1.2]), np.array([3.0, 3.1, 2.8])
    book = ledger(tmp_path)
    assert book.claim("better", "A errs less than B", bootstrap(errors_b - errors_a)) == (
        "reproduced"
    )
    assert book.claim("worse", "B errs less than A", bootstrap(errors_a - errors_b)) == (
        "not reproduced"
    )


@pytest.mark.parametrize("effect", [(math.nan, 0, 1, 3), 2.0, (1.0, 2.0), ("a", "b", "c", 1)])
def test_an_effect_without_interval_is_refused_with_the_claims_name(tmp_path, effect):
    with pytest.raises(LedgerError, match="gains"):
        ledger(tmp_path).claim("gains", "It gains", effect)


def test_a_saved_ledger_is_read_back_and_lies_where_its_profile_says(tmp_path):
    for profile, place in (("quick", "_build/results"), ("report", "results"), ("full", "results")):
        path = measure(ledger(tmp_path, profile=profile)).save()
        assert path == tmp_path / place / f"deep_clustering.{profile}.json"
        found = load("deep_clustering", profile, tmp_path)
        assert [c["status"] for c in found["claims"]] == ["reproduced", "not reproduced"]
        assert set(found["runs"]["synthetic"]) == {"device", "commit", "version", "date", "seconds"}
    assert load("low_rank", "report", tmp_path) is None


def test_two_runs_that_measure_the_same_write_the_same_bytes(tmp_path):
    texts = []
    for name, corpora in (("one", ("synthetic", "grid")), ("two", ("grid", "synthetic"))):
        for corpus in corpora:
            path = measure(ledger(tmp_path / name, corpus=corpus), len(corpus)).save()
        content = json.loads(path.read_text())
        for run in content["runs"].values():
            run["date"] = run["seconds"] = ""
        texts.append(json.dumps(content))
    assert texts[0] == texts[1]


def test_another_corpus_stays_when_one_is_measured_again(tmp_path):
    measure(ledger(tmp_path, corpus="grid"), 1.0).save()
    grid = load("deep_clustering", "quick", tmp_path)
    book = ledger(tmp_path)
    book.score("controls", "gone_next_time", "dsdr", VALUES)
    book.save()
    measure(ledger(tmp_path), 2.0).save()
    both = load("deep_clustering", "quick", tmp_path)
    for part in ("scores", "claims"):
        assert [e for e in both[part] if e["corpus"] == "grid"] == grid[part]
    assert both["runs"]["grid"] == grid["runs"]["grid"]
    assert all(e["row"] != "gone_next_time" for e in both["scores"])


@pytest.mark.parametrize(
    "text", ["", '{"chapter": "deep_clus', '{"chapter": "low_rank", "profile": "quick"}', "[1]"]
)
def test_a_damaged_ledger_is_refused_and_left_as_it_is(tmp_path, text):
    path = tmp_path / "_build" / "results" / "deep_clustering.quick.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(LedgerError, match=r"deep_clustering\.quick\.json"):
        measure(ledger(tmp_path)).save()
    assert path.read_text() == text


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("no room")

    path = measure(ledger(tmp_path, profile="report")).save()
    before = path.read_bytes()
    with pytest.raises(ValueError):
        ledgers.write_json({"value": math.nan}, path)
    with monkeypatch.context() as patch, pytest.raises(OSError, match="no room"):
        patch.setattr(os, "replace", fail)
        ledgers.write_json({"value": 1}, path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"chapter": "deep_klustering"}, "deep_clustering"),
        ({"profile": "fast"}, "quick, report, full"),
        ({"corpus": "../grid"}, "plain word"),
        ({"device": "auto"}, "cpu"),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_are_known(tmp_path, choice, said):
    with pytest.raises(LedgerError, match=said):
        ledger(tmp_path, **choice)


def test_the_book_is_found_upward_and_a_lone_folder_is_its_own(tmp_path, monkeypatch):
    (tmp_path / "book" / "avsep_core").mkdir(parents=True)
    (tmp_path / "book" / "_config.yml").touch()
    deep = tmp_path / "book" / "_build" / "work"
    deep.mkdir(parents=True)
    assert project_root(deep) == tmp_path / "book"
    assert project_root(tmp_path) == tmp_path
    monkeypatch.chdir(deep)
    book = Ledger("foundations", profile="quick", corpus="synthetic")
    assert book.save() == tmp_path / "book" / "_build" / "results" / "foundations.quick.json"


def test_a_run_names_the_commit_or_else_the_version(tmp_path, monkeypatch):
    assert ledger(tmp_path).as_dict()["runs"]["synthetic"]["commit"] == __version__
    monkeypatch.setattr(fingerprint, "commit", lambda root: "0123456789abcdef" * 2 + "01234567+")
    run = ledger(tmp_path).as_dict()["runs"]["synthetic"]
    assert (run["commit"][-1], run["version"]) == ("+", __version__)
