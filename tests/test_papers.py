"""The papers' numbers: found by name, and never taken for another's."""

import pytest

from avsep_core import papers


def test_every_number_is_found_by_its_own_name():
    assert len(papers.numbers()) > 700
    for key, number in papers.numbers().items():
        assert papers.number(*key) == number
        assert papers.paper(*key) == number.value


def test_every_block_of_every_table_names_its_recordings():
    blocks = {key[:3] for key in papers.numbers()}
    named = {block: papers.corpus(*block) for block in blocks}
    assert all(named.values())
    # Two blocks of one table are different recordings, unless the table is about one corpus.
    assert named["deep_clustering", "table_3", "grid"] == "GRID"
    assert named["deep_clustering", "table_3", "tcd_timit"] == "TCD-TIMIT"
    assert named["looking_to_listen", "table_6", ""] == "AVSpeech"


def test_no_recordings_are_named_for_a_block_that_no_table_has():
    for (chapter, table), blocks in papers.CORPORA.items():
        there = papers.groups(chapter, table)
        assert there, f"{chapter}/{table}"
        assert set(blocks) in ({"*"}, set(there))


def test_a_dash_in_a_table_is_no_number_and_no_error():
    # A network with two faces as input cannot be asked to enhance a single one.
    key = ("looking_to_listen", "table_3", "", "av_2_faces", "1s_noise")
    assert papers.number(*key) is None
    assert papers.paper(*key) is None


@pytest.mark.parametrize(
    ("key", "listed"),
    [
        (("deep_klustering", "table_3", "grid", "dc", "sdr"), "deep_clustering"),
        (("deep_clustering", "table_9", "grid", "dc", "sdr"), "table_6"),
        (("deep_clustering", "table_3", "grids", "dc", "sdr"), "tcd_timit"),
        (("deep_clustering", "table_3", "grid", "adc", "sdr"), "avdc"),
        (("deep_clustering", "table_3", "grid", "dc", "si_sdr"), "dsdr_ff"),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_exist(key, listed):
    with pytest.raises(papers.PaperError, match=listed):
        papers.number(*key)


def test_recordings_of_an_unknown_block_are_refused():
    with pytest.raises(ValueError, match="single_source"):
        papers.corpus("co_separation", "table_1", "solo")


def test_tables_come_in_the_order_of_the_paper():
    assert papers.tables("deep_clustering") == [f"table_{n}" for n in range(1, 7)]
    assert papers.tables("foundations") == []


def test_a_table_of_ones_own_stands_beside_nothing():
    assert papers.beside("deep_clustering", "controls", "avdc", "dsdr", group="synthetic") is None


def test_the_block_is_the_corpus_where_the_paper_used_it_and_the_only_one_where_it_is_alone():
    place = papers.beside("deep_clustering", "table_3", "avdc", "dsdr", group="grid")
    assert place == ("deep_clustering", "table_3", "grid", "avdc", "dsdr")
    place = papers.beside("looking_to_listen", "table_4", "av_2_faces", "male_male", group="grid")
    assert place == ("looking_to_listen", "table_4", "", "av_2_faces", "male_male")
    with pytest.raises(ValueError, match="'grid', 'tcd_timit'"):
        papers.beside("deep_clustering", "table_3", "avdc", "dsdr", group="synthetic")
