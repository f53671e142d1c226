"""AVSpeech: tables without films, films without order, and one corpus out of both."""

import shutil

import numpy as np
import pytest

from avsep_core import clip as clips
from avsep_core.corpora import CorpusError, Speaker, open_corpus
from avsep_core.corpora.avspeech import AVSpeech
from avsep_core.synthetic.talkers import speak
from tests.films import example

TRAIN = """\
0000000flat,90.090000,93.730000,0.492188,0.311111
0000000flat,121.500000,124.900000,0.25,0.5
000_nes-ted,7.0,10.04,0.6,0.4
00000absent,0.0,5.0,0.5,0.5
"""
TEST = "00000000one,33.366000,34.300000,0.7,0.2\n"


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Four seconds that stand for any film."""
    return clips.write(example(count=100), tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture
def root(tmp_path, film):
    """Both tables, and films under the three kinds of names."""
    (tmp_path / "avspeech_train.csv").write_text(TRAIN)
    (tmp_path / "avspeech_test.csv").write_text(TEST)
    for name in (
        "0000000flat_90.090000_93.730000.mp4", "clips/0000000flat_121.5.mp4",
        "000_nes-ted/7_10.04.mp4", "00000000one_33.mp4", "unknown_one_5.mp4", "any name.mp4",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        shutil.copy(film, path)
    return tmp_path


def test_films_are_found_under_each_of_their_three_names(root):
    corpus = AVSpeech(root)
    assert isinstance(open_corpus("avspeech", root), AVSpeech)
    assert [s.id for s in corpus.speakers] == ["00000000one", "0000000flat", "000_nes-ted"]
    assert corpus.speakers[0] == Speaker("00000000one", "unknown")
    assert corpus.sex("0000000flat") == "unknown"
    assert corpus.utterances("0000000flat") == ["90.09_93.73", "121.50_124.90"]
    assert corpus.segment("000_nes-ted", "7.00_10.04").file.name == "7_10.04.mp4"
    assert corpus.segment("00000000one", "33.37_34.30").file.name == "00000000one_33.mp4"


def test_the_face_is_where_the_table_says(root):
    corpus = AVSpeech(root)
    assert corpus.face_centre("0000000flat", "90.09_93.73") == (0.492188, 0.311111)
    assert corpus.face_centre("00000000one", "33.37_34.30") == (0.7, 0.2)


def test_a_clip_lasts_as_long_as_its_segment_and_sounds_as_without_pictures(root):
    """The film of the test part goes on for four seconds, its segment for 0.934."""
    corpus = AVSpeech(root)
    for speaker, utterance, frames in (
        ("00000000one", "33.37_34.30", 23), ("0000000flat", "90.09_93.73", 91),
    ):  # fmt: skip
        clip = corpus.clip(speaker, utterance)
        assert len(clip.frames) == frames and len(clip.audio) == frames * 640
        assert np.array_equal(clip.audio, corpus.audio(speaker, utterance))
    slow = corpus.clip("00000000one", "33.37_34.30", fps=10, rate=8000)
    assert np.array_equal(slow.audio, corpus.audio("00000000one", "33.37_34.30", 8000, fps=10))


def test_parts_are_as_given_and_a_tenth_of_training_is_for_validation(tmp_path):
    ids = [f"video{k:06d}" for k in range(400)]
    (tmp_path / "avspeech_train.csv").write_text("".join(f"{i},1.0,5.0,0.5,0.5\n" for i in ids))
    (tmp_path / "avspeech_test.csv").write_text(
        f"{ids[0]},9.0,15.0,0.5,0.5\ntestvideo01,1.0,4.0,0.5,0.5\n"
    )
    for name in [*(f"{i}_1" for i in ids), f"{ids[0]}_9", "testvideo01_1"]:
        (tmp_path / f"{name}.mp4").touch()
    splits = AVSpeech(tmp_path).splits
    assert list(splits) == ["train", "validation", "test"]
    assert splits["test"] == ["testvideo01", ids[0]]
    assert len(splits["validation"]) == pytest.approx(40, abs=15)
    everybody = [who for ids in splits.values() for who in ids]
    assert sorted(everybody) == sorted([*ids, "testvideo01"])
    assert AVSpeech(tmp_path).splits == splits


def test_a_split_opens_its_own_part_alone(root):
    whole = AVSpeech(root)
    assert [s.id for s in AVSpeech(root, "test").speakers] == ["00000000one"]
    for part, ids in whole.splits.items():
        if ids:
            assert [s.id for s in AVSpeech(root, part).speakers] == ids
        else:
            with pytest.raises(CorpusError, match=f"none is of the split '{part}'"):
                AVSpeech(root, part)
    with pytest.raises(CorpusError, match="'dev'; expected one of train, validation, test"):
        AVSpeech(root, "dev")


def test_of_two_faces_the_one_that_the_table_points_at_is_followed(tmp_path):
    pair = [speak(who, seconds=1.0) for who in ("t02", "t03")]
    film = clips.side_by_side([one.clip for one in pair])
    clips.write(film, tmp_path / "0000twoface_2.mp4")
    clips.write(film.trim(0, 0.4), tmp_path / "0000twoface_9.mp4")
    rows = "".join(f"0000twoface,{t},{t + 1},{x},0.5\n" for t, x in ((2.0, 0.75), (9.0, 0.25)))
    (tmp_path / "avspeech_train.csv").write_text(rows)
    corpus = AVSpeech(tmp_path)
    clip, track = corpus.track("0000twoface", "2.00_3.00")
    assert len(track) == len(clip.frames) == 25
    assert np.abs(track.boxes[:, :2] - pair[1].face[:, :2] - [128, 0]).max() < 16
    with pytest.raises(CorpusError, match=r"lasts 0\.40 s where 1\.00 s"):
        corpus.audio("0000twoface", "9.00_10.00")


def test_a_centre_beside_all_faces_is_refused(tmp_path):
    clips.write(speak("t02", seconds=1.0).clip, tmp_path / "00000corner_0.mp4")
    (tmp_path / "avspeech_train.csv").write_text("00000corner,0,1,0.02,0.02\n")
    with pytest.raises(CorpusError, match=r"\(3, 3\) px lies in none of the 1 faces"):
        AVSpeech(tmp_path).track("00000corner", "0.00_1.00")


def test_a_part_of_the_films_gives_the_same_parts(root):
    """Where somebody belongs depends on their id alone."""
    before = {who: part for part, ids in AVSpeech(root).splits.items() for who in ids}
    (root / "000_nes-ted" / "7_10.04.mp4").unlink()
    after = {who: part for part, ids in AVSpeech(root).splits.items() for who in ids}
    assert after == {who: before[who] for who in after} and len(after) == 2


def test_tables_may_lie_elsewhere_and_one_suffices(root, tmp_path_factory):
    tables = tmp_path_factory.mktemp("tables")
    (root / "avspeech_train.csv").rename(tables / "avspeech_train.csv")
    corpus = AVSpeech(root, tables=tables)
    assert [s.id for s in corpus.speakers] == ["0000000flat", "000_nes-ted"]


def test_what_is_missing_is_named_with_where_to_get_it(root, tmp_path_factory):
    corpus, empty = AVSpeech(root), tmp_path_factory.mktemp("empty")
    bare = tmp_path_factory.mktemp("bare")
    shutil.copy(root / "avspeech_test.csv", bare)
    missing = {
        "'00000absent'": lambda: corpus.clip("00000absent", "0.00_5.00"),
        "no segment '1_2' here; it has 90.09": lambda: corpus.audio("0000000flat", "1_2"),
        "no film of 'nobody'": lambda: corpus.sex("nobody"),
        r"avspeech_train\.csv or .*avspeech_test\.csv": lambda: AVSpeech(empty),
        "found 0 films": lambda: AVSpeech(bare),
        "nowhere": lambda: AVSpeech(root / "nowhere"),
        "data_root": lambda: open_corpus("avspeech"),
    }
    for expected, act in missing.items():
        with pytest.raises(CorpusError, match=expected) as caught:
            act()
        assert "looking-to-listen.github.io" in str(caught.value)


def test_a_damaged_film_is_named(root):
    (root / "00000000one_33.mp4").write_bytes(b"not a film")
    corpus = AVSpeech(root)
    for act in (corpus.clip, corpus.audio):
        with pytest.raises(CorpusError, match=r"00000000one_33\.mp4.*remove it"):
            act("00000000one", "33.37_34.30")


@pytest.mark.parametrize(
    "line",
    ["000_nes-ted,1.0,2.0,0.5", "000_nes-ted,2.0,1.0,0.5,0.5", "000_nes-ted,1,2,640,360",
     "000_nes-ted,a,2,0,0", "only words"],
)  # fmt: skip
def test_a_damaged_line_is_named(root, line):
    (root / "avspeech_test.csv").write_text(TEST + line + "\n")
    with pytest.raises(CorpusError, match=r"avspeech_test\.csv, line 2 .*expected YouTube ID"):
        AVSpeech(root)
