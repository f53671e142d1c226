"""Dialogues: two in turn, one delayed in sound and picture alike, and every source known."""

import shutil
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from itertools import pairwise

import numpy as np
import pytest

from avsep_core import clip as clips
from avsep_core.clip import Clip
from avsep_core.corpora import CorpusError, Speaker, grid, mixtures, open_corpus, recorded
from avsep_core.corpora.base import Corpus
from avsep_core.corpora.dialogue_lists import parse, text
from avsep_core.corpora.dialogues import (
    DialogueItem,
    Track,
    fixed_dialogues,
    make_dialogue,
    overlap,
)
from avsep_core.synthetic.talkers import speak
from tests.films import example

LISTS = resources.files("avsep_core.corpora") / "lists"
PAIR = DialogueItem("toy", "fm", ("t03", "t02"), (("digits:5",), ("digits:5",)), (0.0, -2.0), 1)
SHORT = {"solo_seconds": 1.0}


def listed(name):
    return parse((LISTS / f"{name}.csv").read_text())


@pytest.fixture(scope="module")
def corpus():
    return open_corpus("synthetic")


@pytest.fixture(scope="module")
def late(corpus):
    return make_dialogue(corpus, PAIR, **SHORT)


@pytest.fixture(scope="module")
def recording(corpus):
    return make_dialogue(corpus, PAIR, shift_frames=0, **SHORT)


def test_sources_sum_to_the_mixture_exactly(late):
    assert late.sources.dtype == np.float32 and late.clip.rate == 8000
    assert np.array_equal(late.sources.sum(axis=0), late.clip.audio)
    assert late.names == ("man", "woman") and late.off_screen is None
    assert late.clip.frames.shape[1:] == (120, 176, 3)
    assert len(late.clip.audio) == round(len(late.clip.frames) / late.clip.fps * 8000)


def test_the_picture_is_delayed_by_exactly_as_much_as_the_sound(late, recording):
    n = len(late.clip.frames)
    assert len(recording.clip.frames) - n == 150
    left, right = (film.clip.frames[:, :, half] for film, half in (
        (late, slice(0, 88)), (late, slice(88, 176))))  # fmt: skip
    assert np.array_equal(right, recording.clip.frames[:n, :, 88:])
    assert np.array_equal(left, recording.clip.frames[150:, :, :88])
    samples = late.sources.shape[1]
    delayed, other = recording.sources[1, :samples], recording.sources[0, 40040:]
    for mine, theirs in ((late.sources[1], delayed), (late.sources[0], other[:samples])):
        gain = np.abs(mine).max() / np.abs(theirs).max()
        assert np.allclose(mine, gain * theirs, atol=1e-5)


def test_turns_overlap_after_the_shift_and_not_before(late, recording):
    assert recording.solo == recording.turns
    together = [sum(b - a for a, b in d.turns[0]) - sum(b - a for a, b in d.solo[0])
                for d in (late, recording)]  # fmt: skip
    assert together[0] > 7 and together[1] == 0
    assert all(0.3 < sum(b - a for a, b in slots) < 2.5 for slots in late.solo)


def test_solo_slots_hold_one_voice_only(late):
    times = np.arange(late.sources.shape[1]) / 8000
    for who in (0, 1):
        for a, b in late.solo[who]:
            inside = (times > a) & (times < b)
            assert np.abs(late.sources[1 - who, inside]).max(initial=0) < 1e-3


def test_levels_are_those_of_the_voices_while_they_speak(late):
    times = np.arange(late.sources.shape[1]) / 8000
    levels = []
    for source, turns in zip(late.sources, late.turns, strict=True):
        speaks = np.any([(times >= a) & (times <= b) for a, b in turns], axis=0)
        levels.append(10 * np.log10(np.mean(source[speaks].astype(float) ** 2)))
    assert levels[1] - levels[0] == pytest.approx(-2, abs=0.05)


def test_mouth_boxes_lie_on_the_right_talkers_half(late):
    assert late.mouths.shape == (2, len(late.clip.frames), 4)
    centres = late.mouths[..., 0] + late.mouths[..., 2] / 2
    assert np.abs(centres[0] - 44).max() < 10 and np.abs(centres[1] - 132).max() < 10
    grey = late.clip.frames.astype(float).mean(-1)
    for k in (0, 1):
        x, y, w, h = late.mouths[k].mean(axis=0).astype(int)
        inside = grey[:, y : y + h, x : x + w].var(axis=0).mean()
        half = grey[:, :, 88 * k : 88 * (k + 1)].var(axis=0)
        assert inside > 2 * np.median(half)


def test_the_same_item_gives_the_same_dialogue(corpus, late):
    again = make_dialogue(corpus, PAIR, **SHORT)
    assert np.array_equal(again.clip.frames, late.clip.frames)
    assert np.array_equal(again.sources, late.sources)


def test_somebody_off_screen_is_heard_and_not_seen(corpus, late):
    joined = make_dialogue(corpus, PAIR, third="t50", **SHORT)
    assert np.array_equal(joined.clip.frames, late.clip.frames)
    voices = np.concatenate([joined.sources, joined.off_screen[None]])
    assert np.array_equal(voices.sum(axis=0), joined.clip.audio)
    assert len(joined.off_turns) == 2 and np.abs(joined.off_screen).max() > 0.1
    assert all(a < joined.clip.seconds for a, _ in joined.off_turns)
    alone = [sum(b - a for slots in d.solo for a, b in slots) for d in (joined, late)]
    assert alone[0] < alone[1]


def test_nobody_is_alone_where_both_always_talk(corpus):
    busy = make_dialogue(corpus, PAIR, always=True, **SHORT)
    assert all(sum(b - a for a, b in slots) < 1 for slots in busy.solo)
    for source, turns in zip(busy.sources, busy.turns, strict=True):
        assert len(turns) == 1 and turns[0][1] - turns[0][0] > 0.95 * busy.clip.seconds
        level = np.abs(source[: len(source) // 8000 * 8000]).reshape(-1, 8000).max(axis=1)
        assert level.min() > 0.05 * level.max()


def test_talkers_who_walk_say_the_same(corpus, late):
    walk = make_dialogue(corpus, PAIR, moving=True, **SHORT)
    assert np.array_equal(walk.sources, late.sources)
    assert (np.ptp(walk.mouths[..., 0], axis=1) > 20).all()


@pytest.mark.parametrize(
    "change, options, told",
    [
        ({}, {"shift_frames": -1}, "shift_frames is -1; give a whole number of pictures"),
        ({}, {"shift_frames": 100_000}, "so that 2 s remain"),
        ({"says": (("sentence:1",), ("x",))}, {}, "expected digits:seed"),
        ({"speakers": ("t99", "t02")}, {}, "t99"),
    ],
)
def test_dialogues_that_cannot_be_made_are_refused(corpus, change, options, told):
    with pytest.raises(ValueError, match=told):
        make_dialogue(corpus, replace(PAIR, **change), **SHORT, **options)


def test_a_talker_whom_the_shift_silences_is_named():
    frames, audio = np.zeros((200, 120, 88, 3), np.uint8), np.zeros(64000)
    spoken = audio.copy()
    spoken[2000:9000] = np.random.default_rng(0).standard_normal(7000)
    tracks = [Track(frames, spoken, ((0.25, 1.1),)), Track(frames, spoken, ((0.25, 1.1),))]
    with pytest.raises(ValueError, match="toy: t03 is silent"):
        overlap(PAIR, tracks, ("m", "f"), fps=25.0, shift_frames=100)


@pytest.mark.parametrize(
    "name, size",
    [("synthetic_dialogues_test", 4), ("synthetic_dialogues_validation", 4),
     ("grid_dialogues_test", 4), ("grid_dialogues_validation", 4),
     ("grid_sample_dialogues_test", 2)],
)  # fmt: skip
def test_lists_are_balanced_in_sex_side_and_delay(name, size):
    items = listed(name)
    assert Counter(item.kind for item in items) == {"ff": size, "fm": size, "mm": size}
    assert {item.kind for item in items[:3]} == {"ff", "fm", "mm"}
    used = Counter(speaker for item in items for speaker in item.speakers)
    assert max(used.values()) - min(used.values()) <= 1
    for kind in ("ff", "fm", "mm"):
        sides = Counter(item.delayed for item in items if item.kind == kind)
        assert sides[0] == sides[1] == size // 2
    for item in items:
        assert max(item.gains_db) == 0 and min(item.gains_db) >= -3
        assert len(set(item.speakers)) == 2 and text([item]).splitlines()[1] in text(items)


@pytest.mark.parametrize("part", ["test", "validation"])
def test_women_sit_left_and_right_and_are_delayed_and_not_alike(corpus, part):
    for name, sex in (("synthetic", corpus.sex), ("grid", lambda s: "fm"[s not in grid.WOMEN])):
        items = [item for item in listed(f"{name}_dialogues_{part}") if item.kind == "fm"]
        women = [[sex(s) for s in item.speakers].index("f") for item in items]
        combinations = Counter((w, item.delayed == w) for w, item in zip(women, items, strict=True))
        assert len(combinations) == 4 and set(combinations.values()) == {1}


def test_no_talker_and_no_word_is_in_two_splits_or_twice_in_one(corpus):
    for name, splits in (("synthetic", corpus.splits), ("grid", grid.SPLITS)):
        parts = {part: listed(f"{name}_dialogues_{part}") for part in ("test", "validation")}
        for part, items in parts.items():
            assert {s for item in items for s in item.speakers} <= set(splits[part])
            said = [(s, u) for i in items for s, us in zip(i.speakers, i.says, strict=True)
                    for u in us]  # fmt: skip
            assert len(set(said)) == len(said)
    seeds = [item.says[0] for part in ("test", "validation")
             for item in listed(f"synthetic_dialogues_{part}")]  # fmt: skip
    assert len(set(seeds)) == len(seeds) == 24


def test_lists_are_read_through_their_corpus(corpus):
    items = fixed_dialogues(corpus)
    assert len(items) == 12 and items == listed("synthetic_dialogues_test")
    assert len(fixed_dialogues(corpus, split="validation")) == 12
    with pytest.raises(CorpusError, match=r"synthetic_dialogues_train\.csv"):
        fixed_dialogues(corpus, split="train")


@pytest.mark.parametrize(
    "line, told",
    [
        ("a,fm,t1,t2,x,y,0,left", "line 2"),
        ("a,fm,t1,t2,x,y,0 loud,left", "line 2"),
        ("a,fm,t1,t2,x,y,0 0,middle", "left or right"),
        ("a,fm,t1", "line 2"),
    ],
)
def test_a_damaged_list_is_refused_by_line(line, told):
    head = "name,kind,left,right,left_says,right_says,gains_db,delayed"
    with pytest.raises(CorpusError, match=told):
        parse(f"{head}\n{line}\n")
    with pytest.raises(CorpusError, match="no column"):
        parse("name,kind\na,fm\n")


class Filmed(Corpus):
    """Two drawn people, of whom there are recordings of 3 s, as of real ones."""

    name = lists = "filmed"

    @property
    def speakers(self):
        return [Speaker("t34", "f"), Speaker("t35", "m")]

    def clip(self, speaker, utterance, *, fps=25.0, rate=16000):
        return filmed(speaker, utterance, fps, rate)

    def audio(self, speaker, utterance, rate=16000, *, fps=25.0):
        return filmed(speaker, utterance, fps, rate).audio


@lru_cache
def filmed(speaker, utterance, fps, rate):
    if utterance == "nobody":
        return replace(example(count=75, height=96, width=96, rate=rate), name="nobody")
    film = speak(speaker, kind="command", seed=int(utterance), seconds=3.4, fps=fps, rate=rate)
    pad = round(0.6 * rate)
    audio = np.concatenate([np.zeros(pad), film.clip.audio, np.zeros(pad)])
    frames = np.pad(film.clip.frames, ((15, 15), (0, 0), (0, 0), (0, 0)), mode="edge")
    return Clip(frames, fps, audio.astype(np.float32), rate, utterance)


REAL = DialogueItem("real", "fm", ("t34", "t35"), (("1", "2"), ("3", "4")), (0.0, 0.0), 0)


def test_recordings_are_laid_in_turn_and_each_is_used_once():
    (left, right), shift = recorded.in_turn(Filmed(), REAL)
    count = 4 * 115
    for track in (left, right):
        assert track.frames.shape == (count, 120, 88, 3) and track.mouth.shape == (count, 4)
        assert len(track.audio) == count * 320 and len(track.turns) == 2
    before = sorted(left.turns + right.turns)
    assert all(a[1] < b[0] for a, b in pairwise(before))
    assert before[0] == left.turns[0]
    sound = [Filmed().audio("t34", said, 8000) for said in ("1", "2")]
    energy = sum(float(np.sum(each**2.0)) for each in sound)
    assert float(np.sum(left.audio**2.0)) == pytest.approx(energy, rel=1e-3)
    made = overlap(REAL, (left, right), ("f", "m"), fps=25.0, shift_frames=shift)
    assert len(made.clip.frames) == count - shift and made.clip.fps == 25
    assert np.array_equal(made.sources.sum(axis=0), made.clip.audio)
    assert sum(b - a for a, b in made.solo[0]) < sum(b - a for a, b in made.turns[0])


def test_who_listens_shows_own_silent_pictures_to_and_fro():
    take = recorded._take(Filmed().clip("t34", "1", rate=8000))
    quiet = recorded._listening(None, take, 40)[0]
    silent = take.frames[: take.quiet[0]]
    assert all((silent == frame).all(axis=(1, 2, 3)).any() for frame in quiet)
    assert np.array_equal(quiet[-1], take.frames[1])
    assert recorded._to_and_fro(4, 8).tolist() == [1, 2, 3, 2, 1, 0, 1, 2]
    assert recorded._to_and_fro(1, 3).tolist() == [0, 0, 0]


def test_one_sentence_each_still_leaves_time_alone():
    made = make_dialogue(Filmed(), replace(REAL, says=(("1",), ("3",))))
    for turns, alone in zip(made.turns, made.solo, strict=True):
        assert len(turns) == 1
        assert 1.1 < sum(b - a for a, b in alone) < turns[0][1] - turns[0][0] - 0.2


def test_speech_is_found_between_silences(rng):
    audio = 0.001 * rng.standard_normal(24000)
    audio[6400:14400] += 0.2 * rng.standard_normal(8000)
    audio[20000:20300] += 0.5
    begin, end = recorded.when_spoken(audio, 8000)
    assert begin == pytest.approx(0.8, abs=0.05) and end == pytest.approx(1.8, abs=0.05)
    for nothing in (np.zeros(24000), rng.standard_normal(24000)):
        with pytest.raises(CorpusError, match="no speech stands out"):
            recorded.when_spoken(nothing, 8000)


def test_what_recordings_cannot_do_is_refused():
    with pytest.raises(CorpusError, match="only synthetic talkers"):
        make_dialogue(Filmed(), REAL, moving=True)
    with pytest.raises(CorpusError, match=r"filmed: t35 nobody: .*face"):
        make_dialogue(Filmed(), replace(REAL, says=(("1",), ("nobody",))))


def test_own_videos_are_put_in_turn_pair_by_pair(tmp_path):
    for name, said in (("anna", "1"), ("ben", "3")):
        talker = {"anna": "t34", "ben": "t35"}[name]
        clips.write(Filmed().clip(talker, said), tmp_path / f"{name}.mp4")
    own = open_corpus("folder", tmp_path)
    (item,) = fixed_dialogues(own)
    assert item.speakers == ("anna", "ben") and item.kind == "unknown"
    made = make_dialogue(own, item)
    assert made.names == ("left", "right")
    assert made.clip.frames.shape[1:] == (120, 176, 3) and made.mouths is not None
    shutil.copy(tmp_path / "anna.mp4", tmp_path / "c.mp4")
    names = [item.name for item in fixed_dialogues(open_corpus("folder", tmp_path))]
    assert names == ["folder-dialogue-000", "folder-dialogue-001", "folder-dialogue-002"]


def test_real_people_of_the_sample_speak_in_turn(shared_data):
    corpus = open_corpus("grid", shared_data / "grid")
    items = fixed_dialogues(corpus)
    for item in items:
        assert mixtures.kind([corpus.sex(speaker) for speaker in item.speakers]) == item.kind
        for speaker, says in zip(item.speakers, item.says, strict=True):
            assert all(corpus.file(speaker, said).is_file() for said in says)
    made = make_dialogue(corpus, items[1])
    assert np.array_equal(made.sources.sum(axis=0), made.clip.audio)
    assert made.clip.frames.shape[1:] == (120, 176, 3)
    assert all(sum(b - a for a, b in slots) > 1 for slots in made.solo)
    centres = made.mouths[..., :2] + made.mouths[..., 2:] / 2
    assert np.abs(centres[..., 0] - [[44], [132]]).max() < 10
    assert centres[..., 1].min() > 70 and centres[..., 1].max() < 105
