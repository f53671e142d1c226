"""Tables of the ledger: readable by eye and by screen reader, and clear about who measured what."""

from html.parser import HTMLParser

import pytest

from avsep_core import scoreboard
from tests.small_ledger import VALUES, ledger, measure


def test_few_decimals_where_the_interval_is_wide_and_more_where_it_is_narrow():
    def shown(value, low, high):
        return scoreboard.measured({"value": value, "ci95": [low, high], "n": 3})

    assert shown(6.123, 5.4, 6.8) == "6.1 [5.4, 6.8]"
    assert shown(0.8731, 0.851, 0.893) == "0.87 [0.85, 0.89]"
    assert shown(-3.24, -3.5, -3.0) == "−3.2 [−3.5, −3.0]"
    assert shown(0.8731, 0.8702, 0.8763) == "0.873 [0.870, 0.876]"
    effect = {"effect": 0.11, "ci95": [0.04, 0.31], "n": 3}
    assert scoreboard.measured(effect, "effect") == "0.11 [0.04, 0.31]", "it is above zero"
    assert shown(0.8, 0.6, 1.0) == "0.80 [0.60, 1.00]", "a share"
    assert shown(-0.01, -2.4, 2.1) == "0.0 [−2.4, 2.1]", "no negative zero"
    assert shown(100.0, 100.0, 100.0) == "100.0 [100.0, 100.0]"
    assert shown(6.123, None, None) == "6.12, no interval"


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
        data = data.replace("\N{NO-BREAK SPACE}", " ")
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


def test_groups_can_be_chosen_and_named(tmp_path):
    for profile, shift in (("report", 1.0), ("quick", 0.0)):
        book = ledger(tmp_path, profile=profile)
        for group, more in (("horse", 0.0), ("violin", 20.0)):
            values = [v + shift + more for v in VALUES]
            book.score("controls", "frozen", "dsdr", values, group=group)
        book.save()
    names = [row[0][2] for row in Reader(book.table("controls").html).rows[1:]]
    assert names == ["frozen, horse", "frozen, violin"]
    named = Reader(book.table("controls", labels={"horse": "the rocking horse"}).html).rows[1:]
    assert named[0][0][2] == "frozen, the rocking horse"
    (only,) = Reader(book.table("controls", groups=["violin"]).html).rows[1:]
    assert [cell[2].partition(" ")[0] for cell in only] == ["frozen", "27.5", "26.5"]
    with pytest.raises(ValueError, match="no group 'cello'"):
        book.table("controls", groups=["cello"])


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
