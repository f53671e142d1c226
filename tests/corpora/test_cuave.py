"""CUAVE: films of pairs in turn, split by the reader's own table of who speaks when."""

import numpy as np
import pytest

from avsep_core import clip as clips
from avsep_core.clip import Clip
from avsep_core.corpora import CorpusError, open_corpus
from avsep_core.corpora.dialogues import fixed_dialogues, make_dialogue
from avsep_core.synthetic.duologue import FPS, perform

LEFT, RIGHT = ((1.0, 5.0), (10.0, 13.5)), ((5.6, 9.5), (14.0, 18.5))
TABLE = "clip,start,end,side,sex\n" + "".join(
    f"g20,{a},{b},{side},{sex}\n"
    for side, sex, turns in (("left", "m", LEFT), ("right", "f", RIGHT))
    for a, b in turns
)


@pytest.fixture(scope="module")
def pair():
    """A drawn man and a drawn woman who speak in turn, as tracks."""
    return [perform(who, turns, seconds=20, rate=44100) for who, turns in
            (("t03", LEFT), ("t02", RIGHT))]  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory, pair):
    """CUAVE's groups part with one film, in a quarter of its pixels."""
    root = tmp_path_factory.mktemp("cuave")
    (root / "groups").mkdir()
    small = np.concatenate([part.frames for part in pair], axis=2)
    frames = small.repeat(2, axis=1).repeat(2, axis=2)
    sound = pair[0].audio + pair[1].audio
    film = clips.write(Clip(frames, float(FPS), sound, 44100), root / "film.mp4")
    film.rename(root / "groups" / "g20.mpg")
    (root / "groups" / "turns.csv").write_text(TABLE)
    return root


def test_halves_and_turns_of_the_film_become_two_tracks(tree, pair):
    left, right = open_corpus("cuave", tree).tracks("g20")
    assert left.frames.shape == right.frames.shape and left.frames.shape[1:] == (120, 88, 3)
    begin = 15
    for track, part in zip((left, right), pair, strict=True):
        seen = part.frames[begin : begin + len(track.frames)].astype(float)
        assert np.abs(track.frames - seen).mean() < 6
    assert left.turns[0] == pytest.approx((1 - begin / float(FPS), 5 - begin / float(FPS)))
    assert len(left.turns) == len(right.turns) == 2
    times = np.arange(len(left.audio)) / 8000
    for track, other in ((left, right), (right, left)):
        for a, b in other.turns:
            assert not track.audio[(times > a) & (times < b)].any()
        assert np.abs(track.audio).max() > 0.1


def test_the_papers_protocol_delays_the_man_by_150_frames(tree):
    corpus = open_corpus("cuave", tree)
    item = fixed_dialogues(corpus)[1]
    assert item.name == "cuave_dialogues_test-01" and item.speakers == ("g20-left", "g20-right")
    late, recording = (make_dialogue(corpus, item, **o) for o in ({}, {"shift_frames": 0}))
    n = len(late.clip.frames)
    assert late.names == ("man", "woman") and late.clip.fps == pytest.approx(29.97, abs=1e-3)
    assert len(recording.clip.frames) - n == 150 and late.clip.rate == 8000
    assert np.array_equal(late.clip.frames[:, :, :88], recording.clip.frames[:n, :, :88])
    assert np.array_equal(late.clip.frames[:, :, 88:], recording.clip.frames[150:, :, 88:])
    assert np.array_equal(late.sources.sum(axis=0), late.clip.audio)
    assert recording.solo == recording.turns and late.solo != late.turns
    assert late.mouths is None


def test_levels_stay_as_recorded(tree):
    corpus = open_corpus("cuave", tree)
    item = fixed_dialogues(corpus)[1]
    recording = make_dialogue(corpus, item, shift_frames=0)
    tracks = corpus.tracks("g20")
    made = np.sqrt(np.mean(recording.sources.astype(float) ** 2, axis=1))
    own = np.array([np.sqrt(np.mean(track.audio.astype(float) ** 2)) for track in tracks])
    assert made[0] / made[1] == pytest.approx(own[0] / own[1], rel=1e-3)


def test_a_side_of_a_clip_is_a_speaker(tree):
    corpus = open_corpus("cuave", tree)
    assert [(s.id, s.sex) for s in corpus.speakers] == [("g20-left", "m"), ("g20-right", "f")]
    mine = corpus.clip("g20-right", "turns", fps=15, rate=8000)
    assert mine.frames.shape[1:] == (120, 88, 3) and mine.fps == 15
    assert np.array_equal(corpus.audio("g20-right", "turns", 8000, fps=15), mine.audio)
    with pytest.raises(CorpusError, match="'g12-left' 'turns'"):
        corpus.clip("g20-middle", "turns")
    assert corpus.splits == {"test": ["g20-left", "g20-right"]}


def test_names_in_capitals_and_other_folders_are_found(tree, tmp_path):
    (tmp_path / "DVD" / "GROUPS").mkdir(parents=True)
    (tmp_path / "DVD" / "GROUPS" / "G20.MPG").write_bytes(b"x")
    (tmp_path / "s01m.mpg").write_bytes(b"x")
    (tmp_path / "turns.csv").write_text(TABLE)
    corpus = open_corpus("cuave", tmp_path)
    assert list(corpus.files) == ["g20"] and len(corpus.turns("g20")) == 4


def test_what_lacks_is_named_with_an_example(tree, tmp_path):
    with pytest.raises(CorpusError, match="data_root"):
        open_corpus("cuave")
    with pytest.raises(CorpusError, match=r"groups/g01\.mpg"):
        open_corpus("cuave", tmp_path)
    corpus = open_corpus("cuave", tree)
    with pytest.raises(CorpusError, match=r"groups/g12\.mpg; there are g20\.mpg"):
        make_dialogue(corpus, fixed_dialogues(corpus)[0])
    (tmp_path / "g20.mpg").write_bytes((tree / "groups" / "g20.mpg").read_bytes())
    fresh = open_corpus("cuave", tmp_path)
    assert {speaker.sex for speaker in fresh.speakers} == {"unknown"}
    with pytest.raises(CorpusError) as caught:
        fresh.tracks("g20")
    assert "turns.csv" in str(caught.value) and "g12,3.20,8.55,left,f" in str(caught.value)


@pytest.mark.parametrize(
    "line, told",
    [
        ("g20,5,1,left,m", "line 6"),
        ("g20,x,1,left,m", "line 6"),
        ("g20,20,21,middle,m", "line 6"),
        ("g20,20,21,left,male", "line 6"),
        ("g20,20", "line 6"),
        ("g20,2,7,left,m", "overlap"),
        ("g20,25,26,left,m", "lasts"),
    ],
)
def test_a_wrong_line_of_the_table_is_shown(tree, tmp_path, line, told):
    (tmp_path / "g20.mpg").write_bytes((tree / "groups" / "g20.mpg").read_bytes())
    (tmp_path / "turns.csv").write_text(f"{TABLE}{line}\n")
    with pytest.raises(CorpusError, match=told):
        open_corpus("cuave", tmp_path).tracks("g20")


def test_a_table_without_sexes_leaves_the_choice_to_the_list(tree, tmp_path):
    (tmp_path / "g20.mpg").write_bytes((tree / "groups" / "g20.mpg").read_bytes())
    lines = [line.rsplit(",", 1)[0] for line in TABLE.splitlines()]
    (tmp_path / "turns.csv").write_text("\n".join(lines))
    corpus = open_corpus("cuave", tmp_path)
    made = make_dialogue(corpus, fixed_dialogues(corpus)[1])
    assert made.names == ("left", "right")
    assert made.turns[1][0][0] > made.turns[0][0][0]
