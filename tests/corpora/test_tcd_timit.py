"""TCD-TIMIT: 59 volunteers, and sentences named by their place among a volunteer's films."""

import shutil
from collections import Counter
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest

from avsep_core import clip as clips
from avsep_core import faces
from avsep_core.clip import Clip
from avsep_core.corpora import CorpusError, Speaker, mixtures, open_corpus
from avsep_core.corpora.tcd_timit import SPLITS, VOLUNTEERS
from avsep_core.synthetic.talkers import speak
from tests.films import example

SI = [f"si{number}" for number in range(460, 2260, 50)]
SX = [f"sx{number}" for number in range(3, 423, 7)]
SENTENCES = ["sa1", "sa2", *SI, *SX]
LISTS = resources.files("avsep_core.corpora") / "lists"


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A second at 29.97 pictures a second, which stands for any sentence."""
    return clips.write(example(count=30, fps=29.97), tmp_path_factory.mktemp("film") / "film.mp4")


def fill(folder, film, sentences=SENTENCES, suffix=".mp4"):
    """A folder with a film of every sentence."""
    folder.mkdir(parents=True)
    for sentence in sentences:
        shutil.copy(film, folder / f"{sentence}{suffix}")


@pytest.fixture
def root(tmp_path, film):
    """The official layout with one volunteer, a lipspeaker and what else may lie there."""
    front = tmp_path / "volunteers" / "08F" / "Clips" / "straightcam"
    fill(front, film)
    fill(front.with_name("30degcam"), film, ["sa1"])
    fill(tmp_path / "lipspeakers" / "Lipspkr1" / "Clips" / "straightcam", film, ["sa1"])
    for other in ("sa1.wav", "si460.txt", "._sx3.mp4", "si1_16khz.mp4", "sx3.part.mp4"):
        (front / other).write_bytes(b"x")
    return tmp_path


def test_parts_share_nobody_and_have_the_papers_numbers_of_men_and_women(root):
    corpus = open_corpus("tcd_timit", root)
    assert Speaker("01M", "m") in corpus.speakers and Speaker("59F", "f") in corpus.speakers
    assert [int(volunteer[:2]) for volunteer in VOLUNTEERS] == list(range(1, 60))
    assert Counter(speaker.sex for speaker in corpus.speakers) == {"m": 32, "f": 27}
    everybody = [volunteer for ids in corpus.splits.values() for volunteer in ids]
    assert sorted(everybody) == sorted(VOLUNTEERS)
    men = {part: sum(who[-1] == "M" for who in ids) for part, ids in corpus.splits.items()}
    assert men == {"test": 6, "validation": 6, "train": 20}
    assert {part: len(ids) for part, ids in corpus.splits.items()} == {
        "test": 11, "validation": 11, "train": 37,
    }  # fmt: skip


def test_a_place_counts_the_names_in_small_letters_sorted_as_text(root, film):
    mixed = root / "volunteers" / "09F" / "Clips" / "straightcam"
    fill(mixed, film, [name.upper() for name in SENTENCES[::2]], ".MP4")
    for name in SENTENCES[1::2]:
        shutil.copy(film, mixed / f"{name}.mp4")
    corpus = open_corpus("tcd_timit", root)
    for place, sentence in (
        ("#1", "sa1"), ("#2", "sa2"), ("#3", "si1010"), ("#28", "si460"), ("#38", "si960"),
        ("#39", "sx10"), ("#40", "sx101"), ("#98", "sx94"),
    ):  # fmt: skip
        assert corpus.file("08F", place).name == f"{sentence}.mp4"
        assert corpus.file("09F", place).name.lower() == f"{sentence}.mp4"
    assert corpus.file("09F", "si460") == corpus.file("09F", "SI460") == corpus.file("09F", "#28")
    assert corpus.utterances("08F") == corpus.utterances("09F") == sorted(SENTENCES)


@pytest.mark.parametrize("change, count", [("less", 97), ("more", 99)])
def test_no_place_is_certain_where_a_film_is_missing_or_too_many(root, film, change, count):
    front = root / "volunteers" / "08F" / "Clips" / "straightcam"
    if change == "less":
        (front / "sa1.mp4").unlink()
    else:
        shutil.copy(film, front / "sx4.mp4")
    corpus = open_corpus("tcd_timit", root)
    with pytest.raises(CorpusError, match=f"{count} films of sentences where 98"):
        corpus.clip("08F", "#17")
    assert corpus.file("08F", "si460") == front / "si460.mp4"


def test_pictures_and_sound_come_at_the_rates_asked_for(root):
    corpus = open_corpus("tcd_timit", root)
    seen = corpus.clip("08F", "#28", rate=8000)
    assert (seen.fps, len(seen.frames), seen.rate, seen.name) == (25, 25, 8000, "si460")
    assert np.array_equal(corpus.audio("08F", "si460", 8000), seen.audio)
    assert len(corpus.clip("08F", "si460", fps=12.5).frames) == 13


def test_high_pictures_shrink_to_540_rows_in_which_a_face_is_followed(root, film):
    said = speak("t03", seconds=0.8, size=512)
    wide = np.full((20, 720, 1280, 3), 90, np.uint8)
    wide[:, 150:662, 400:912] = said.clip.frames
    clips.write(Clip(wide, 25.0, said.clip.audio, 16000), film.with_name("wide.mp4"))
    front = root / "volunteers" / "08F" / "Clips" / "straightcam"
    shutil.copy(film.with_name("wide.mp4"), front / "sa2.mp4")
    corpus = open_corpus("tcd_timit", root)
    seen = corpus.clip("08F", "sa2")
    assert seen.frames.shape == (20, 540, 960, 3)
    found = faces.follow(seen.frames)[0].boxes
    drawn = 0.75 * (said.face + [400, 150, 0, 0])
    off = (found[:, :2] + found[:, 2:] / 2) - (drawn[:, :2] + drawn[:, 2:] / 2)
    assert np.abs(off).max() < 0.2 * drawn[:, 2].min()
    assert corpus.clip("08F", "sa1").frames.shape[1:] == (32, 48, 3)


@pytest.mark.parametrize("place", ["08F/Clips/straightcam", "volunteers/08F/straightcam"])
def test_the_folder_of_volunteers_itself_or_one_without_clips_will_do(tmp_path, film, place):
    fill(tmp_path / place, film, ["sa1"])
    assert open_corpus("tcd_timit", tmp_path).file("08F", "sa1") == tmp_path / place / "sa1.mp4"


def test_what_lacks_is_named_with_where_to_get_it(root, tmp_path_factory):
    corpus = open_corpus("tcd_timit", root)
    front = root / "volunteers" / "08F" / "Clips" / "straightcam"
    (front / "sx3.mp4").write_bytes(b"x")
    lipspeakers = tmp_path_factory.mktemp("other")
    (lipspeakers / "lipspeakers" / "Lipspkr1").mkdir(parents=True)
    missing = {
        "no data_root": lambda: open_corpus("tcd_timit"),
        str(root / "nowhere"): lambda: open_corpus("tcd_timit", root / "nowhere"),
        "volunteers/01M/Clips/straightcam": lambda: open_corpus("tcd_timit", lipspeakers),
        str(root / "volunteers/09F/Clips/straightcam"): lambda: corpus.utterances("09F"),
        str(front / "si461.mp4"): lambda: corpus.clip("08F", "si461"),
        str(front / "sx3.mp4"): lambda: corpus.clip("08F", "sx3"),
        "sx3": lambda: corpus.audio("08F", "sx3"),
    }
    for expected, act in missing.items():
        with pytest.raises(CorpusError) as caught:
            act()
        assert expected in str(caught.value) and "https://sigmedia.tcd.ie" in str(caught.value)


@pytest.mark.parametrize("utterance", ["#0", "#99", "17", "#", "sb1", "si460.mp4", "../sa1"])
def test_other_names_are_refused_with_those_expected(root, utterance):
    with pytest.raises(CorpusError, match=r"sa1, si988 or sx114, or its place, #1 to #98"):
        open_corpus("tcd_timit", root).clip("08F", utterance)


def test_who_is_no_volunteer_is_refused(root):
    with pytest.raises(CorpusError, match="no speaker '08M'"):
        open_corpus("tcd_timit", root).clip("08M", "sa1")


@pytest.mark.parametrize("talkers", [2, 3])
@pytest.mark.parametrize("split, length", [("test", 60), ("validation", 30)])
def test_lists_are_balanced_and_name_people_of_their_part_by_places(talkers, split, length):
    items = mixtures.parse((LISTS / f"tcd_timit_{talkers}_{split}.csv").read_text())
    assert len(items) == length
    kinds = Counter(item.kind for item in items)
    same = sum(count for kind, count in kinds.items() if len(set(kind)) == 1)
    assert 2 * same == length and len(kinds) == talkers + 1
    for item in items:
        assert mixtures.kind([who[-1].lower() for who in item.speakers]) == item.kind
        assert len(set(item.speakers)) == talkers and set(item.speakers) <= set(SPLITS[split])
        assert len(set(item.utterances)) == talkers
        assert all(said[0] == "#" and 3 <= int(said[1:]) <= 98 for said in item.utterances)
    used = Counter(who for item in items for who in item.speakers)
    for sex in "FM":
        counts = [used[who] for who in SPLITS[split] if who[-1] == sex]
        assert min(counts) > 0 and max(counts) - min(counts) <= 1
    said = [pair for i in items for pair in zip(i.speakers, i.utterances, strict=True)]
    assert len(set(said)) == talkers * length


def test_an_item_of_the_list_becomes_a_mixture_of_the_sentences_at_its_places(root, film):
    other = clips.write(replace(clips.read(film), audio=example(count=25).audio[::-1].copy()),
                        film.with_name("other.mp4"))  # fmt: skip
    corpus = open_corpus("tcd_timit", root)
    item = mixtures.fixed_list(corpus)[0]
    for who, shown in zip(item.speakers, (film, other), strict=True):
        fill(root / "volunteers" / who / "Clips" / "straightcam", shown)
    mixed = mixtures.make(corpus, item, rate=8000)
    assert item.name == "tcd_timit_2_test-00" and mixed.sources.shape == (2, 8000)
    assert mixed.clip.frames.shape == (25, 32, 96, 3)
    for who, said, source in zip(item.speakers, item.utterances, mixed.sources, strict=True):
        own = corpus.audio(who, sorted(SENTENCES)[int(said[1:]) - 1], 8000)
        assert np.corrcoef(own, source)[0, 1] > 0.9999
    assert abs(np.corrcoef(mixed.sources)[0, 1]) < 0.5
