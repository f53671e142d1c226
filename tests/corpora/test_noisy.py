"""Voices with and without noise: four fixed lists, and items that become exactly what they say."""

from collections import Counter
from importlib import resources

import numpy as np
import pytest

from avsep_core.corpora import CorpusError, mixtures, noisy, open_corpus
from avsep_core.corpora.mixtures import Item, fixed_list, make
from avsep_core.corpora.noisy import NOISE_GAIN, SPREAD, TASKS, NoisyItem, make_noisy, task_list
from avsep_core.synthetic.noises import NOISES
from tests.corpora.test_mixtures import PAIR, Toy

LISTS = resources.files("avsep_core.corpora") / "lists"
LOUD = NoisyItem(**vars(PAIR), noise="wind:12", noise_db=-7.5)


@pytest.mark.parametrize("task", TASKS)
def test_a_list_has_100_items_of_talkers_nothing_was_trained_on(task):
    corpus = open_corpus("synthetic")
    items = task_list(corpus, task)
    talkers, has_noise = TASKS[task]
    assert len(items) == 100 == len({item.name for item in items})
    test = set(corpus.splits["test"])
    assert {speaker for item in items for speaker in item.speakers} == test
    for item in items:
        assert len(set(item.speakers)) == talkers and bool(item.noise) is has_noise
        assert mixtures.kind([corpus.sex(speaker) for speaker in item.speakers]) == item.kind


@pytest.mark.parametrize(
    "task, counts",
    [
        ("1s_noise", {"f": 50, "m": 50}),
        ("2s_clean", {"ff": 25, "fm": 50, "mm": 25}),
        ("2s_noise", {"ff": 25, "fm": 50, "mm": 25}),
        ("3s_clean", {"fff": 25, "ffm": 25, "fmm": 25, "mmm": 25}),
    ],
)
def test_kinds_and_talkers_are_balanced(task, counts):
    items = task_list(open_corpus("synthetic"), task)
    assert Counter(item.kind for item in items) == counts
    used = Counter(speaker for item in items for speaker in item.speakers)
    assert max(used.values()) - min(used.values()) <= 4
    said = [one for item in items for one in item.utterances]
    assert len(set(said)) == len(said)


def test_no_utterance_is_in_two_lists():
    lists = [task_list(open_corpus("synthetic"), task) for task in TASKS]
    said = [one for items in lists for item in items for one in item.utterances]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("task", ["1s_noise", "2s_noise"])
def test_noises_take_turns_and_levels_fill_their_range(task):
    items = task_list(open_corpus("synthetic"), task)
    kinds = Counter(item.noise.split(":")[0] for item in items)
    assert set(kinds) == set(NOISES) and max(kinds.values()) - min(kinds.values()) <= 1
    assert len({item.noise for item in items}) == 100
    levels = np.array([item.noise_db for item in items]) - 20 * np.log10(NOISE_GAIN)
    assert np.abs(levels).max() <= SPREAD + 0.01 and abs(levels.mean()) < 1
    assert levels.min() < -4 and levels.max() > 4
    by_kind = Counter((item.noise.split(":")[0], item.kind) for item in items)
    assert len(by_kind) == len(kinds) * len({item.kind for item in items}), "every pairing occurs"


@pytest.mark.parametrize("task", TASKS)
def test_a_list_written_as_text_is_read_back(task):
    items = task_list(open_corpus("synthetic"), task)
    assert noisy.text(items) == (LISTS / f"synthetic_{task}_test.csv").read_text(encoding="utf-8")


def test_sources_and_noise_sum_to_the_mixture():
    mixed = make_noisy(Toy(), LOUD)
    assert mixed.sources.shape == (3, len(mixed.mixture))
    np.testing.assert_array_equal(mixed.sources.sum(axis=0), mixed.mixture)


def test_the_noise_is_as_loud_as_the_item_says():
    for level in (-20.0, 0.0, 3.0):
        item = NoisyItem(**vars(PAIR), noise="street:4", noise_db=level)
        power = np.mean(make_noisy(Toy(), item, video=False).sources.astype(float) ** 2, axis=1)
        gains = 10 * np.log10(power / power[0])
        np.testing.assert_allclose(gains, [*PAIR.gains_db, level], atol=1e-3)


def test_the_same_item_has_the_same_noise_and_another_seed_another():
    first, again = (make_noisy(Toy(), LOUD, video=False).sources for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = NoisyItem(**{**vars(LOUD), "noise": "wind:13"})
    assert not np.allclose(make_noisy(Toy(), other, video=False).sources[2], first[2], atol=0.01)


def test_pictures_go_with_voices_and_never_with_noise():
    mixed = make_noisy(Toy(), LOUD)
    assert [clip.name for clip in mixed.clips] == ["a", "b"]
    for clip, source in zip(mixed.clips, mixed.sources, strict=False):
        np.testing.assert_array_equal(clip.audio, source)
    np.testing.assert_array_equal(mixed.clip.audio, mixed.mixture)
    heard = make_noisy(Toy(), LOUD, video=False)
    np.testing.assert_array_equal(heard.mixture, mixed.mixture)
    assert heard.clips == [] and heard.clip is None


@pytest.mark.parametrize("item", [PAIR, NoisyItem(**vars(PAIR))])
def test_without_noise_an_item_is_mixed_as_any_other(item):
    plain, found = make(Toy(), PAIR), make_noisy(Toy(), item)
    np.testing.assert_array_equal(found.sources, plain.sources)
    np.testing.assert_array_equal(found.mixture, plain.mixture)
    assert found.item is item


def test_one_voice_in_noise_is_a_mixture():
    one = NoisyItem("one", ("a",), ("x",), (0.0,), "f", "alarms:1", -10.0)
    mixed = make_noisy(Toy(), one)
    assert mixed.sources.shape[0] == 2 and len(mixed.clips) == 1
    assert mixed.clip.frames.shape == mixed.clips[0].frames.shape


def test_babble_leaves_out_those_who_talk(monkeypatch):
    from avsep_core.synthetic import noises

    asked = []

    def spied(kind, seconds, rate, rng, *, without):
        asked.append((kind, tuple(without)))
        return rng.standard_normal(round(seconds * rate))

    monkeypatch.setattr(noises, "noise", spied)
    make_noisy(Toy(), NoisyItem(**vars(PAIR), noise="babble:1"), video=False)
    assert asked == [("babble", ("a", "b"))]


def test_tasks_without_a_list_are_refused():
    with pytest.raises(CorpusError, match="expected one of 1s_noise, 2s_clean"):
        task_list(Toy(), "2s")
    with pytest.raises(CorpusError, match="toy: there is no list for task '2s_noise'"):
        task_list(Toy(), "2s_noise")


def test_other_corpora_take_their_lists_of_two_and_three():
    corpus = Toy()
    corpus.lists = "grid"
    for task, talkers in (("2s_clean", 2), ("3s_clean", 3)):
        assert task_list(corpus, task) == fixed_list(corpus, talkers=talkers)


def test_an_unknown_noise_is_refused():
    item = NoisyItem(**vars(PAIR), noise="hum:3")
    with pytest.raises(ValueError, match="noise 'hum' given"):
        make_noisy(Toy(), item, video=False)


def test_noise_is_drawn_from_the_name_of_a_list():
    items = [Item(f"list-{k}", ("a",), ("x",), (0.0,), "f") for k in range(12)]
    drawn = noisy.add_noise(items, NOISES)
    assert drawn == noisy.add_noise(items, NOISES)
    assert {item.noise.split(":")[0] for item in drawn[:6]} == set(NOISES)
