"""Items: computed once, kept through any interruption, never taken for those of other code."""

import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core import fingerprint
from avsep_core.items import Store, plain
from avsep_core.results import Ledger, LedgerError
from avsep_core.scores import Interval


def ledger(folder: Path, **choice) -> Ledger:
    choice = {"profile": "quick", "corpus": "synthetic", **choice}
    return Ledger(choice.pop("chapter", "deep_clustering"), folder=folder, **choice)


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


def test_a_store_gives_back_what_it_has_just_taken(tmp_path):
    store = Store(tmp_path / "items.jsonl")
    record = store.put("one", "d", (1, 2), 0.1)
    assert store.get("one", "d") == record == Store(store.path).get("one", "d")
    assert store.get("one", "another digest") is None


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
