"""Corpora: each finds its people, and says what is missing and where to get it."""

import shutil

import numpy as np
import pytest

from avsep_core import clip as clips
from avsep_core.corpora import CorpusError, Speaker, grid, open_corpus
from avsep_core.corpora.grid import alignment
from tests.films import example


@pytest.fixture(scope="session")
def short(tmp_path_factory):
    """A film of three seconds, which stands for any recording."""
    folder = tmp_path_factory.mktemp("short")
    return clips.write(example(count=75), folder / "film.mp4")


@pytest.fixture
def official(tmp_path, short):
    """GRID's official layout with one talker."""
    (tmp_path / "s4" / "video" / "mpg_6000").mkdir(parents=True)
    (tmp_path / "alignments" / "s4").mkdir(parents=True)
    for name in ("bbaf2n", "pwij3p", "sbwzzn", "no_grid_name"):
        shutil.copy(short, tmp_path / "s4" / "video" / "mpg_6000" / f"{name}.mpg")
    (tmp_path / "alignments" / "s4" / "bbaf2n.align").write_text(
        "0 23750 sil\n23750 29500 bin\n\n29500 75000 sil\n"
    )
    return tmp_path


def test_grid_has_33_people_with_video_in_parts_that_share_nobody():
    parts = list(grid.SPLITS.values())
    everybody = [talker for part in parts for talker in part]
    assert sorted(everybody) == sorted(grid.TALKERS) and len(set(everybody)) == 33
    assert len(grid.WOMEN) == 16 and "s21" not in everybody
    for part in ("test", "validation"):
        women = sum(talker in grid.WOMEN for talker in grid.SPLITS[part])
        assert 2 * women == len(grid.SPLITS[part])


def test_grid_finds_an_utterance_by_its_colour_letter_and_digit(official):
    corpus = open_corpus("grid", official)
    assert corpus.file("s4", "b-f-2").name == "bbaf2n.mpg"
    assert corpus.file("s4", "b-z-z").name == "sbwzzn.mpg"
    assert corpus.file("s4", "pwij3p").name == "pwij3p.mpg"
    assert corpus.utterances("s4") == ["bbaf2n", "pwij3p", "sbwzzn"]
    assert corpus.sex("s4") == "f" and Speaker("s1", "m") in corpus.speakers
    found = corpus.clip("s4", "w-j-3", fps=12.5, rate=8000)
    assert len(found.frames) == 38 and found.rate == 8000 and found.name == "pwij3p"
    assert np.array_equal(corpus.audio("s4", "w-j-3", 8000, fps=12.5), found.audio)


def test_grid_words_are_in_seconds(official):
    words = open_corpus("grid", official).words("s4", "b-f-2")
    assert [word.text for word in words] == ["sil", "bin", "sil"]
    assert words[1].start == 0.95 and words[1].end == 1.18 and words[-1].end == 3.0


@pytest.mark.parametrize("line", ["0 100", "a b sil", "200 100 sil", "1 2 3 4"])
def test_damaged_word_times_are_refused(tmp_path, line):
    (tmp_path / "a.align").write_text(f"0 100 sil\n{line}\n")
    with pytest.raises(CorpusError, match="line 2"):
        alignment(tmp_path / "a.align")


def test_grid_says_which_file_is_missing_and_where_to_get_it(official, tmp_path_factory):
    corpus = open_corpus("grid", official)
    missing = {
        "s4/?g?a1?.mpg": lambda: corpus.clip("s4", "g-a-1"),
        "s10": lambda: corpus.clip("s10", "g-a-1"),
        "alignments/s4/pwij3p.align": lambda: corpus.words("s4", "pwij3p"),
        "s1": lambda: open_corpus("grid", tmp_path_factory.mktemp("nothing")),
        "nowhere": lambda: open_corpus("grid", official / "nowhere"),
        "data_root": lambda: open_corpus("grid"),
    }
    for expected, act in missing.items():
        with pytest.raises(CorpusError) as caught:
            act()
        told = str(caught.value)
        assert expected in told and grid.RECORD in told and "avsep download grid" in told


def test_grid_refuses_other_names(official):
    corpus = open_corpus("grid", official)
    with pytest.raises(CorpusError, match="colour-letter-digit"):
        corpus.clip("s4", "b-w-2")
    with pytest.raises(CorpusError, match="no speaker 's21'"):
        corpus.clip("s21", "b-f-2")


def test_grid_recordings_that_break_off_are_refused(tmp_path):
    (tmp_path / "s8").mkdir()
    film = clips.write(example(count=8), tmp_path / "a.mp4")
    film.rename(tmp_path / "s8" / "bbaf2n.mpg")
    corpus = open_corpus("grid", tmp_path)
    for act in (corpus.clip, corpus.audio):
        with pytest.raises(CorpusError, match=r"0\.32 s where 3 s"):
            act("s8", "b-f-2")


def test_loose_grid_files_are_one_talker_each(tmp_path, short):
    for name in ("bbaf2n", "brbk7n", "bbab1a"):
        shutil.copy(short, tmp_path / f"{name}.mpg")
    (tmp_path / "s1").mkdir()
    shutil.copy(short, tmp_path / "s1" / "brif6p.mpg")
    corpus = open_corpus("grid", tmp_path)
    sexes = {speaker.id: speaker.sex for speaker in corpus.speakers}
    assert sexes == {"bbaf2n": "m", "brbk7n": "f", "bbab1a": "unknown"}
    assert corpus.clip("brbk7n", "brbk7n").seconds == 3.0
    assert corpus.file("bbaf2n", "brif6p").parent.name == "s1"
    with pytest.raises(CorpusError, match=r"pwij3p\.mpg"):
        corpus.clip("pwij3p", "pwij3p")


def test_real_loose_files_and_word_times_are_found(shared_data):
    corpus = open_corpus("grid", shared_data / "grid")
    assert sorted(speaker.sex for speaker in corpus.speakers) == ["f"] * 3 + ["m"] * 3
    assert corpus.clip("bbaf2n", "brif6p").frames.shape == (75, 288, 360, 3)
    said = [word.text for word in corpus.words("bbaf2n", "bgin3a")]
    assert said == ["sil", "bin", "green", "in", "n", "three", "again", "sil"]


def test_a_folder_of_videos_is_a_corpus(tmp_path, short):
    for name in ("berta.mp4", "anna.mkv"):
        shutil.copy(short, tmp_path / name)
    (tmp_path / "notes.txt").write_text("no film")
    corpus = open_corpus("folder", str(tmp_path))
    assert corpus.speakers == [Speaker("anna", "unknown"), Speaker("berta", "unknown")]
    assert corpus.splits == {"test": ["anna", "berta"]}
    assert np.array_equal(corpus.audio("anna", "clip"), corpus.clip("anna", "clip").audio)
    with pytest.raises(CorpusError, match="called 'clip'"):
        corpus.clip("anna", "another")
    with pytest.raises(CorpusError, match="no speaker 'carla'"):
        corpus.clip("carla", "clip")
    shutil.copy(short, tmp_path / "anna.mp4")
    with pytest.raises(CorpusError, match="rename"):
        open_corpus("folder", tmp_path)


def test_a_folder_without_videos_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="holds no video"):
        open_corpus("folder", tmp_path)
    with pytest.raises(CorpusError, match="one video of each speaker"):
        open_corpus("folder")


def test_an_unknown_corpus_is_refused():
    with pytest.raises(CorpusError, match="synthetic, grid, folder"):
        open_corpus("cuave_of_tomorrow")


def test_only_whole_visible_files_of_a_folder_are_speakers(tmp_path, short):
    for name in ("anna.mp4", "._anna.mpg", ".b.x.part.mp4", "c.part.mp4", "d.mp4.part"):
        shutil.copy(short, tmp_path / name)
    (tmp_path / "e.mp4").mkdir()
    assert open_corpus("folder", tmp_path).speakers == [Speaker("anna", "unknown")]


@pytest.mark.parametrize("line", ["\u00b2 200 sil", "50 200 bin"])
def test_word_times_are_plain_numbers_that_rise(tmp_path, line):
    (tmp_path / "a.align").write_text(f"0 100 sil\n{line}\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="line 2"):
        alignment(tmp_path / "a.align")
