"""The ledger: what is measured is stored, decided and shown by rule, and nothing is lost."""

import json
import math
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core import __version__, fingerprint, glue, ledgers, papers, scoreboard
from avsep_core.items import Store, plain
from avsep_core.results import Ledger, LedgerError, load, project_root, verdict
from avsep_core.scores import Interval, bootstrap

VALUES = [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
TALKERS = ["a", "a", "b", "b", "c", "c"]


def ledger(folder: Path, **choice) -> Ledger:
    choice = {"profile": "quick", "corpus": "synthetic", **choice}
    return Ledger(choice.pop("chapter", "deep_clustering"), folder=folder, **choice)


def measure(book: Ledger, shift: float = 0.0) -> Ledger:
    """A small chapter: one row of the paper's table, one experiment of its own, two claims."""
    values = [v + shift for v in VALUES]
    book.score(
        "table_3", "avdc", "dsdr_ff", values, groups=TALKERS, group="synthetic", paper_group="grid"
    )
    book.score("controls", "frozen", "dsdr", values, groups=TALKERS)
    book.claim("gains", "It gains more than 1 dB", bootstrap(values, TALKERS), threshold=1.0)
    book.claim("wonder", "It gains more than 99 dB", bootstrap(values, TALKERS), threshold=99.0)
    return book


# ---- scores -------------------------------------------------------------------------------------


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


# ---- claims -------------------------------------------------------------------------------------


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


# ---- the file -----------------------------------------------------------------------------------


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


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = measure(ledger(tmp_path, profile="report")).save()
    before = path.read_bytes()
    with pytest.raises(ValueError):
        ledgers.write_json({"value": math.nan}, path)
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


# ---- items --------------------------------------------------------------------------------------


def test_an_item_is_computed_once_and_comes_back_the_same(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return {"sdr": np.arange(3.0), "n": np.int64(2), 8: ("a", None, True)}

    first = ledger(tmp_path).item("one", compute)
    assert first == {"sdr": [0.0, 1.0, 2.0], "n": 2, "8": ["a", None, True]}
    # `calls` has grown, and the function reads it: to the ledger this is another function.
    stored = ledger(tmp_path).item("one", lambda: {"sdr": 1})
    assert stored == {"sdr": 1}
    assert ledger(tmp_path).item("one", lambda: {"sdr": 1}) == stored
    assert len(calls) == 1


def count(log: Path) -> int:
    """Adds a line to a file and returns how many there are: shows how often it was called."""
    with log.open("a") as file:
        file.write("x")
    return len(log.read_text())


def test_an_item_is_computed_again_when_settings_or_code_changed(tmp_path, monkeypatch):
    def item(book, **settings):
        return book.item("one", lambda: count(tmp_path / "log"), **settings)

    assert [item(ledger(tmp_path), window=w) for w in (32, 32, 64, 32)] == [1, 1, 2, 1]
    monkeypatch.setattr(fingerprint, "of_package", lambda chapter: "other code")
    assert [item(ledger(tmp_path), window=32) for _ in range(2)] == [3, 3]


def test_items_of_another_corpus_profile_or_device_are_others(tmp_path):
    books = [{}, {"corpus": "grid"}, {"profile": "report"}, {"device": "cuda"}, {}]
    log = tmp_path / "log"
    found = [ledger(tmp_path, **b).item("one", lambda: count(log)) for b in books]
    assert found == [1, 2, 3, 4, 1]


def test_a_caller_who_changes_what_it_got_does_not_change_what_is_stored(tmp_path):
    book = ledger(tmp_path)
    first = book.item("one", lambda: [1, 2])
    first.append(3)
    assert book.item("one", lambda: [1, 2]) == [1, 2]


@pytest.mark.parametrize("value", [math.nan, [1.0, math.inf], {"a": object()}, {1, 2}])
def test_an_item_that_json_cannot_hold_is_refused_and_not_stored(tmp_path, value):
    with pytest.raises(LedgerError, match="item 'one'"):
        ledger(tmp_path).item("one", lambda: value)
    assert not list(tmp_path.rglob("*.jsonl"))


def test_an_item_that_fails_is_tried_again(tmp_path):
    book = ledger(tmp_path)
    with pytest.raises(ZeroDivisionError):
        book.item("one", lambda: 1 / 0)
    assert book.item("one", lambda: 5) == 5


@given(st.data())
def test_a_file_cut_anywhere_gives_back_all_whole_items_and_takes_new_ones(data):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items.jsonl"
        store = Store(path)
        ends = []
        for n in range(4):
            store.put(f"item {n}", "d", {"text": "a\nb\u2028", "n": n}, 0.1)
            ends.append(path.stat().st_size)
        cut = data.draw(st.integers(0, ends[-1]))
        os.truncate(path, cut)
        whole = sum(end - 1 <= cut for end in ends)
        again = Store(path)
        assert len(again) == whole
        again.put("later", "d", [1], 0.1)
        last = Store(path)
        assert len(last) == whole + 1
        assert last.get("later", "d")["value"] == [1]
        assert all(last.get(f"item {n}", "d")["value"]["n"] == n for n in range(whole))


@given(st.binary(max_size=60))
def test_foreign_bytes_in_the_file_are_skipped(noise):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items.jsonl"
        Store(path).put("one", "d", 1, 0.1)
        with path.open("ab") as file:
            file.write(noise)
        Store(path).put("two", "d", 2, 0.1)
        assert [Store(path).get(key, "d")["value"] for key in ("one", "two")] == [1, 2]


def test_a_full_disk_is_an_error_and_the_torn_line_is_skipped(tmp_path, monkeypatch):
    store = Store(tmp_path / "items.jsonl")
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, line: write(handle, line[:20]))
        with pytest.raises(OSError, match="'one'"):
            store.put("one", "d", 1, 0.1)
    assert store.get("one", "d") is None
    store.put("two", "d", 2, 0.1)
    assert len(Store(store.path)) == 1


WRITER = """
import sys
from pathlib import Path
from avsep_core.items import Store
store = Store(Path(sys.argv[1]))
for n in range(60):
    store.put(f"{sys.argv[2]}-{n}", "d", sys.argv[2] * 3000, 0.1)
"""


def test_processes_that_write_at_the_same_time_do_not_mix_their_lines(tmp_path):
    path = tmp_path / "items.jsonl"
    root = Path(__file__).parents[1]
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], cwd=root) for name in "ab"
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    store = Store(path)
    assert len(store) == 120
    for name in "ab":
        assert all(store.get(f"{name}-{n}", "d")["value"] == name * 3000 for n in range(60))


def test_plain_keeps_whole_numbers_whole():
    found = plain({"a": np.array([1, 2]), "b": np.bool_(True), "c": Interval(1.0, 0.0, 2.0, 3)})
    assert found == {"a": [1, 2], "b": True, "c": [1.0, 0.0, 2.0, 3]}
    assert type(found["a"][0]) is int and found["b"] is True


def test_seconds_count_the_items_of_an_earlier_run(tmp_path):
    path = ledger(tmp_path)._items.path
    ledger(tmp_path).item("one", lambda: 1)
    line = json.loads(path.read_text())
    path.write_text(json.dumps({**line, "seconds": 500.0}) + "\n")
    book = ledger(tmp_path)
    assert book.as_dict()["runs"]["synthetic"]["seconds"] < 100
    book.item("one", lambda: 1)
    assert 500 <= book.as_dict()["runs"]["synthetic"]["seconds"] < 600


# ---- glue ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [6.125, -3, "it's 7 dB", 1e-9, True])
def test_the_glued_record_is_the_one_that_myst_nb_makes(value):
    myst_nb = pytest.importorskip("myst_nb")
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    InteractiveShell.instance()
    try:
        with capture_output() as theirs:
            myst_nb.glue("gain", value, display=False)
        with capture_output() as ours:
            glue.show("gain", value)
    finally:
        InteractiveShell.clear_instance()
    (a,), (b,) = theirs.outputs, ours.outputs
    assert (a.data, a.metadata) == (b.data, b.metadata)


def test_a_numpy_number_is_glued_as_a_plain_one(tmp_path):
    data, _ = glue.record("gain", np.float64(6.5))
    assert list(data.values()) == ["6.5"]
    assert ledger(tmp_path).glue("gain", np.float32(0.5)) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("a:b", 1), ("a b", 1), ("", 1), ("gain", math.nan), ("gain", [1]), ("gain", None)],
)
def test_what_the_glue_role_cannot_read_is_refused(name, value):
    with pytest.raises(LedgerError, match="glue"):
        glue.record(name, value)


def test_few_decimals_where_the_interval_is_wide_and_more_where_it_is_narrow():
    def shown(value, low, high):
        return scoreboard.measured({"value": value, "ci95": [low, high], "n": 3})

    assert shown(6.123, 5.4, 6.8) == "6.1 [5.4, 6.8]"
    assert shown(0.8731, 0.851, 0.893) == "0.87 [0.85, 0.89]"
    assert shown(-3.24, -3.5, -3.0) == "−3.2 [−3.5, −3.0]"
    assert shown(0.8731, 0.8702, 0.8763) == "0.873 [0.870, 0.876]"
    effect = {"effect": 0.11, "ci95": [0.04, 0.31], "n": 3}
    assert scoreboard.measured(effect, "effect") == "0.11 [0.04, 0.31]", "it is above zero"
    assert shown(6.123, None, None) == "6.12, no interval"


# ---- tables -------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Reads a table as a list of rows of (tag, scope, text)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[list[str]]] = []
        self.caption, self._caption = "", False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append([tag, dict(attrs).get("scope", ""), ""])
        self._caption |= tag == "caption"

    def handle_data(self, data):
        if self._caption:
            self.caption += data
        elif self.rows and self.rows[-1]:
            self.rows[-1][-1][2] += data

    def handle_endtag(self, tag):
        if tag == "caption":
            self._caption = False


def test_a_table_says_what_is_paper_what_is_report_and_what_is_this_run(tmp_path):
    measure(ledger(tmp_path, profile="report"), 2.0).save()
    book = measure(ledger(tmp_path))
    found = Reader(book.table("table_3").html)
    assert [cell[2] for cell in found.rows[0]] == [
        "method", "paper", "report, n = 6", "this run, n = 6"
    ]  # fmt: skip
    method, paper, report, here = (cell[2] for cell in found.rows[1])
    assert method == "avdc"
    assert paper.endswith("on GRID")
    assert report.startswith("8.5 [") and here.startswith("6.5 [")
    assert "quick, synthetic, cpu" in found.caption and "report, synthetic" in found.caption


def test_every_cell_of_a_table_has_headers_that_a_screen_reader_can_name(tmp_path):
    book = measure(ledger(tmp_path))
    book.score("controls", "frozen", "sdr", VALUES)
    book.score("controls", "late", "sdr", VALUES[:3])
    for table in ("table_3", "controls"):
        found = Reader(book.table(table).html)
        assert found.caption
        assert all(cell[:2] == ["th", "col"] for cell in found.rows[0])
        assert all(row[0][0] == "th" and row[0][1] in ("row", "rowgroup") for row in found.rows[1:])
        assert len({len(row) for row in found.rows}) == 1


def test_counts_stand_in_the_cells_where_they_differ(tmp_path):
    book = ledger(tmp_path)
    book.score("controls", "frozen", "sdr", VALUES)
    book.score("controls", "late", "sdr", VALUES[:3])
    found = Reader(book.table("controls").html)
    assert [row[-1][2].rpartition(", ")[2] for row in found.rows[1:]] == ["n = 6", "n = 3"]


def test_rows_and_columns_can_be_chosen_named_and_put_in_order(tmp_path):
    book = ledger(tmp_path)
    for row in ("mixture", "irm"):
        for column in ("sdr", "pesq", "dsdr_ff"):
            book.score("own", row, column, VALUES)
    shown = book.table(
        "own", rows=["irm", "mixture"], columns=["dsdr_ff", "sdr"], labels={"irm": "ratio <mask>"}
    )
    found = Reader(shown.html)
    assert [cell[2] for cell in found.rows[0]][-2:] == ["ΔSDR ff (dB)", "SDR (dB)"]
    assert [row[0][2] for row in found.rows[1:]] == ["ratio <mask>", "mixture"]
    for wrong in ({"rows": ["ibm"]}, {"columns": ["sir"]}):
        with pytest.raises(ValueError, match="recorded are"):
            book.table("own", **wrong)
    with pytest.raises(ValueError, match="'own'"):
        book.table("table_3")


def test_without_a_report_the_table_says_so(tmp_path):
    book = measure(ledger(tmp_path))
    for shown in (book.table("table_3"), book.claims()):
        assert "No committed report on synthetic" in Reader(shown.html).caption
        assert "<table" in shown._repr_html_()


def test_the_report_of_another_corpus_is_not_shown_beside_this_one(tmp_path):
    measure(ledger(tmp_path, profile="report", corpus="grid"), 2.0).save()
    found = Reader(measure(ledger(tmp_path)).table("table_3").html)
    assert [cell[2] for cell in found.rows[0]] == ["method", "paper", "this run, n = 6"]


def test_claims_name_their_verdict_its_corpus_and_the_report(tmp_path):
    measure(ledger(tmp_path, profile="report"), -5.0).save()
    shown = measure(ledger(tmp_path)).claims()
    rows = [[cell[2] for cell in row] for row in Reader(shown.html).rows]
    assert rows[0] == ["claim", "effect above", "report", "this run"]
    assert rows[1][2].startswith("undecided on synthetic: 1.5 [")
    assert rows[1][3].startswith("reproduced on synthetic: 6.5 [")
    assert "gains: reproduced" in repr(shown)
