"""Mixtures: fixed, balanced, speaker-disjoint, and exactly the sum of their sources."""

import shutil
from collections import Counter
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core import clip as clips
from avsep_core.corpora import CorpusError, Speaker, drawing, grid, mixtures, noisy, open_corpus
from avsep_core.corpora.base import Corpus
from avsep_core.corpora.mixtures import Item, fixed_list, make, mix
from tests.films import example, murmur

KINDS = {2: ["ff", "fm", "mm"], 3: ["fff", "ffm", "fmm", "mmm"]}
LISTS = resources.files("avsep_core.corpora") / "lists"


class Toy(Corpus):
    """Two people who murmur; the second is heard for a little longer."""

    name = lists = "toy"

    @property
    def speakers(self):
        return [Speaker("a", "f"), Speaker("b", "m")]

    def clip(self, speaker, utterance, *, fps=25.0, rate=16000):
        film = example(count=20 if speaker == "a" else 25, fps=fps, rate=rate)
        if utterance == "silent":
            return film.with_audio(0 * film.audio)
        if utterance == "other rate":
            return film.with_audio(film.audio, 8000)
        return film.with_audio(murmur(len(film.audio), ord(speaker)))

    def audio(self, speaker, utterance, rate=16000, *, fps=25.0):
        return self.clip(speaker, utterance, fps=fps, rate=rate).audio


PAIR = Item("toy-0", ("a", "b"), ("x", "x"), (0.0, -4.5), "fm")


@given(
    gains=st.lists(st.floats(-30, 5), min_size=1, max_size=4),
    seed=st.integers(0, 99),
    loud=st.floats(1e-3, 30),
)
def test_sources_sum_exactly_and_have_the_gains_asked_for(gains, seed, loud):
    voices = [loud * (k + 1) * murmur(3000 + 100 * k, seed + k) for k in range(len(gains))]
    sources, mixture = mix(voices, gains)
    assert sources.shape == (len(gains), 3000) and sources.dtype == mixture.dtype == np.float32
    assert np.array_equal(sources.sum(axis=0), mixture)
    assert np.abs(mixture).max() <= mixtures.PEAK
    levels = 10 * np.log10(np.mean(sources.astype(float) ** 2, axis=1))
    assert np.allclose(levels - levels[0], np.array(gains) - gains[0], atol=1e-3)
    if np.abs(mixture).max() < 0.99 * mixtures.PEAK:
        assert np.allclose(levels, 20 * np.log10(mixtures.LEVEL) + np.array(gains), atol=1e-3)


def test_one_scale_keeps_the_peak_in_bounds():
    click = np.zeros(4000)
    click[7] = 1.0
    sources, mixture = mix([click, murmur(4000)])
    assert np.abs(mixture).max() == pytest.approx(mixtures.PEAK, rel=1e-5)
    assert np.mean(sources[0] ** 2) == pytest.approx(np.mean(sources[1] ** 2), rel=1e-4)


@pytest.mark.parametrize(
    "voices, options, told",
    [
        ([murmur(99), np.zeros(99)], {"names": ["anna", "berta"]}, "berta is silent"),
        ([murmur(99), np.r_[np.zeros(99), murmur(99)]], {}, "silent"),
        ([np.full(99, np.nan)], {"names": ["anna"]}, "anna holds NaN"),
        ([murmur(99), murmur(99)], {"rates": [8000, 16000]}, "rates differ"),
        ([murmur(99)], {"gains_db": [0, 0]}, "2 gains"),
        ([murmur(99)], {"gains_db": [np.inf]}, "finite"),
        ([], {}, "at least one voice"),
        ([np.ones((2, 99))], {}, "mono"),
        ([np.zeros(0)], {}, "silent"),
    ],
)
def test_voices_that_cannot_be_mixed_are_refused(voices, options, told):
    with pytest.raises(ValueError, match=told):
        mix(voices, **options)


def test_a_mixture_shows_each_speaker_with_its_own_source():
    mixed = make(Toy(), PAIR)
    assert mixed.sources.shape == (2, 12800)
    assert np.array_equal(mixed.sources.sum(axis=0), mixed.mixture)
    assert [clip.name for clip in mixed.clips] == ["a", "b"]
    for clip, source in zip(mixed.clips, mixed.sources, strict=True):
        assert np.array_equal(clip.audio, source) and len(clip.frames) == 20
    assert mixed.clip.frames.shape == (20, 32, 96, 3)
    assert np.array_equal(mixed.clip.audio, mixed.mixture)


def test_leaving_the_pictures_out_does_not_change_the_sound():
    seen, heard = make(Toy(), PAIR), make(Toy(), PAIR, video=False)
    assert np.array_equal(seen.sources, heard.sources)
    assert heard.clips == [] and heard.clip is None


def test_an_unusable_utterance_is_named():
    with pytest.raises(ValueError, match="toy-0: b silent is silent"):
        make(Toy(), Item("toy-0", ("a", "b"), ("x", "silent"), (0.0, 0.0), "fm"))
    with pytest.raises(ValueError, match="rates differ"):
        make(Toy(), Item("toy-0", ("a", "b"), ("x", "other rate"), (0.0, 0.0), "fm"))


@pytest.mark.parametrize("corpus", ["synthetic", "grid"])
@pytest.mark.parametrize("talkers", [2, 3])
@pytest.mark.parametrize("split, length", [("test", 60), ("validation", 30)])
def test_lists_are_balanced_and_speaker_disjoint(corpus, talkers, split, length):
    items = mixtures.parse((LISTS / f"{corpus}_{talkers}_{split}.csv").read_text())
    other = "validation" if split == "test" else "test"
    others = mixtures.parse((LISTS / f"{corpus}_{talkers}_{other}.csv").read_text())
    assert len(items) == length and len({item.name for item in items}) == length
    counts = Counter(item.kind for item in items)
    same, mixed = counts["ff"] + counts["mm"], counts["fm"]
    if talkers == 2:
        assert same == mixed and abs(counts["ff"] - counts["mm"]) <= 1
    else:
        assert max(counts.values()) - min(counts.values()) <= 1
    assert sorted(counts) == KINDS[talkers]
    used = Counter(speaker for item in items for speaker in item.speakers)
    assert max(used.values()) - min(used.values()) <= 2
    assert not set(used) & {speaker for item in others for speaker in item.speakers}
    said = [pair for i in items for pair in zip(i.speakers, i.utterances, strict=True)]
    assert len(set(said)) == len(said) == talkers * length
    for item in items:
        assert len(set(item.speakers)) == len(item.gains_db) == talkers
        assert item.gains_db[0] == 0 and all(-5 <= gain <= 0 for gain in item.gains_db)
    assert {item.kind for item in items[: len(KINDS[talkers]) + 1]} == set(KINDS[talkers])


@pytest.mark.parametrize("talkers", [2, 3])
def test_gains_fill_their_range_and_do_not_favour_a_sex(talkers):
    items = mixtures.parse((LISTS / f"synthetic_{talkers}_test.csv").read_text())
    deepest = [item.gains_db[1] for item in items]
    assert np.mean(deepest) == pytest.approx(-2.5, abs=0.6)
    assert min(deepest) < -4.4 and max(deepest) > -0.6
    sexes = {talker.id: talker.sex for talker in open_corpus("synthetic").speakers}
    first = [sexes[item.speakers[0]] for item in items if len(set(item.kind)) == 2]
    assert 0.3 < first.count("f") / len(first) < 0.7


def test_grid_lists_name_utterances_and_talkers_that_exist():
    for talkers in (2, 3):
        for split in ("test", "validation"):
            for item in mixtures.parse((LISTS / f"grid_{talkers}_{split}.csv").read_text()):
                assert all(grid.UTTERANCE.fullmatch(said) for said in item.utterances)
                assert set(item.speakers) <= set(grid.SPLITS[split])
                sexes = ["f" if speaker in grid.WOMEN else "m" for speaker in item.speakers]
                assert mixtures.kind(sexes) == item.kind


def test_synthetic_lists_use_their_split_and_all_kinds_of_text_alike():
    corpus = open_corpus("synthetic")
    for talkers in (2, 3):
        for split in ("test", "validation"):
            items = fixed_list(corpus, talkers=talkers, split=split)
            texts = Counter(said.split(":")[0] for item in items for said in item.utterances)
            assert len(texts) == 3 and len(set(texts.values())) == 1
            for item in items:
                assert set(item.speakers) <= set(corpus.splits[split])
                assert mixtures.kind([corpus.sex(s) for s in item.speakers]) == item.kind


@pytest.mark.parametrize("talkers", [2, 3])
def test_sixty_mixtures_of_each_pairing_of_test_talkers_in_words_of_their_own(talkers):
    corpus = open_corpus("synthetic")
    items = fixed_list(corpus, talkers=talkers, split="pairings")
    assert set(Counter(item.kind for item in items).values()) == {60}
    assert {item.kind for item in items[: len(set(i.kind for i in items)) + 1]} == {
        item.kind for item in items
    }
    used = Counter(speaker for item in items for speaker in item.speakers)
    assert set(used) == set(corpus.splits["test"]) and max(used.values()) - min(used.values()) <= 2
    said = {one for item in items for one in item.utterances}
    assert len(said) == talkers * len(items)
    others = [
        fixed_list(corpus, talkers=k, split=s) for k in (2, 3) for s in ("test", "validation")
    ]
    others += [noisy.task_list(corpus, task) for task in noisy.TASKS]
    others.append(fixed_list(corpus, talkers=5 - talkers, split="pairings"))
    assert not said & {one for each in others for item in each for one in item.utterances}


def test_the_sample_lists_hold_every_pair_and_balanced_triples():
    pairs = mixtures.parse((LISTS / "grid_sample_2_test.csv").read_text())
    assert len({frozenset(item.speakers) for item in pairs}) == len(pairs) == 15
    triples = mixtures.parse((LISTS / "grid_sample_3_test.csv").read_text())
    used = Counter(speaker for item in triples for speaker in item.speakers)
    assert set(used.values()) == {4}


def test_drawing_again_gives_the_committed_lists_byte_for_byte(tmp_path):
    paths = drawing.write_lists(tmp_path)
    committed = sorted(file.name for file in LISTS.iterdir() if file.name.endswith(".csv"))
    assert sorted(path.name for path in paths) == committed
    assert sorted(file.name for file in tmp_path.iterdir()) == committed
    for path in paths:
        assert path.read_bytes() == (LISTS / path.name).read_bytes(), path.name


def test_a_list_that_does_not_exist_is_refused_with_those_that_do(tmp_path):
    corpus = Toy()
    corpus.lists = "grid_sample"
    with pytest.raises(CorpusError, match=r"grid_sample_2_test\.csv"):
        fixed_list(corpus, split="validation")


def test_all_pairs_of_your_own_videos_are_mixed(tmp_path):
    film = clips.write(example(count=15), tmp_path / "c.mp4")
    for name in ("a", "b"):
        shutil.copy(film, tmp_path / f"{name}.mp4")
    corpus = open_corpus("folder", tmp_path)
    items = fixed_list(corpus)
    assert [item.speakers for item in items] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert {item.kind for item in items} == {"unknown"}
    assert [item.speakers for item in fixed_list(corpus, talkers=3)] == [("a", "b", "c")]
    assert make(corpus, items[0]).clip.frames.shape == (15, 32, 96, 3)
    with pytest.raises(CorpusError, match="holds 3: add some"):
        fixed_list(corpus, talkers=4)


def test_every_item_of_the_real_sample_can_be_made(shared_data):
    corpus = open_corpus("grid", shared_data / "grid")
    for talkers in (2, 3):
        for item in fixed_list(corpus, talkers=talkers):
            mixed = make(corpus, item, video=False)
            assert mixed.sources.shape == (talkers, 48000)
            assert mixtures.kind([corpus.sex(speaker) for speaker in item.speakers]) == item.kind
    seen = make(corpus, fixed_list(corpus)[0])
    heard = make(corpus, fixed_list(corpus)[0], video=False)
    assert np.array_equal(seen.mixture, heard.mixture)
    assert seen.clip.frames.shape == (75, 288, 720, 3)


def test_synthetic_utterances_are_named_by_kind_and_seed():
    corpus = open_corpus("synthetic")
    item = fixed_list(corpus)[0]
    mixed = make(corpus, item)
    assert mixed.sources.shape == (2, len(mixed.mixture)) and len(mixed.clips) == 2
    assert np.array_equal(make(corpus, item, video=False).mixture, mixed.mixture)
    for wrong in ("command", "song:1", "command:x"):
        with pytest.raises(CorpusError, match="kind:seed"):
            corpus.audio(item.speakers[0], wrong)
    with pytest.raises(CorpusError, match="no speaker 't99'"):
        corpus.clip("t99", "command:1")


WAVE = murmur(99)


@pytest.mark.parametrize(
    "voices, options, told",
    [
        ([WAVE, -WAVE], {}, "cancel"),
        ([WAVE, WAVE[::-1]], {"gains_db": [0, 7000]}, "within"),
        ([WAVE, WAVE[::-1]], {"rates": [8000]}, "1 rates"),
    ],
)
def test_mixtures_that_would_be_no_sound_are_refused(voices, options, told):
    with pytest.raises(ValueError, match=told):
        mix(voices, **options)


def test_an_item_has_one_utterance_and_one_gain_for_each_speaker():
    for said, gains in ((("x",), (0.0, 0.0)), (("x", "y"), (0.0,))):
        with pytest.raises(CorpusError, match="for every speaker"):
            Item("odd", ("a", "b"), said, gains, "fm")


@pytest.mark.parametrize(
    "text, told",
    [
        ("name,kind\na,fm\n", "no column speakers, utterances, gains_db"),
        ("", "no column"),
        ("name,kind,speakers,utterances,gains_db\na,fm,s1,x,loud\n", "line 2.*'loud'"),
        ("name,kind,speakers,utterances,gains_db\na,fm,s1\n", "line 2.*too short"),
    ],
)
def test_a_damaged_list_is_refused_by_line(text, told):
    with pytest.raises(CorpusError, match=told):
        mixtures.parse(text)
