"""The utterances that networks learn from: drawn once, side by side, and found again."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from avsep_core.corpora import store, training_set
from avsep_core.synthetic.talkers import SPLITS

SECONDS = 0.4


def murmurs(split, *, seconds, rate, seed):
    """Stands in for `store.drawn`: two women and two men who murmur, and grey faces."""

    def example(number):
        rng = np.random.default_rng([seed, number])
        sound = 0.1 * rng.standard_normal(round(seconds * rate))
        faces = rng.integers(0, 256, (round(25 * seconds), store.SIDE, store.SIDE), dtype=np.uint8)
        who = SPLITS.get(split, [f"{split} {k}" for k in range(4)])[number % 4]
        return store.Example(who, "fm"[number % 2], sound, faces, np.zeros(len(faces)))

    return example


@pytest.fixture
def quick(monkeypatch):
    """Short utterances that are quick to draw, in one thread: Python's own parser, which reads the
    heads of arrays, is not safe in several (python/cpython issue 106905)."""
    monkeypatch.setattr(training_set.store, "drawn", murmurs)
    monkeypatch.setattr(training_set, "SECONDS", SECONDS)
    monkeypatch.setattr(training_set, "ProcessPoolExecutor", lambda *_, **__: ThreadPoolExecutor(1))


def test_utterances_are_drawn_once_side_by_side(tmp_path, monkeypatch, quick):
    found = training_set.prepare(tmp_path, clips=6)
    assert {split: [len(part) for part in parts] for split, parts in found.items()} == {
        "train": [3, 3], "validation": [8]
    }  # fmt: skip
    one, other = found["train"]
    assert not np.array_equal(one.audio, other.audio)
    monkeypatch.delattr(training_set.store, "drawn")
    assert np.array_equal(training_set.prepare(tmp_path, clips=6)["train"][0].audio, one.audio)


def test_validation_is_of_talkers_that_nobody_trains_on(tmp_path, quick):
    found = training_set.prepare(tmp_path, clips=4)
    for split, parts in found.items():
        assert all(who in SPLITS[split] for part in parts for who in part.speakers)
        assert {part.rate for part in parts} == {training_set.RATE}
    assert not set(SPLITS["train"]) & set(SPLITS["validation"])


def test_a_thirtieth_more_is_drawn_to_validate_on_and_parts_cover_all_clips(monkeypatch, tmp_path):
    asked = {}

    class Pool(ThreadPoolExecutor):
        def __init__(self, n, **_):
            super().__init__(1)

    def noted(place, split, part, count):
        asked[place.name] = count
        store.write(place, murmurs(split, seconds=SECONDS, rate=8000, seed=part), 2, rate=8000)

    monkeypatch.setattr(training_set, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(training_set, "_drawn", noted)
    training_set.prepare(tmp_path, clips=301)
    assert asked == {"train_1": 151, "train_2": 151, "validation_1": 10}


def test_drawing_that_was_stopped_goes_on_with_the_parts_that_lack(tmp_path, monkeypatch, quick):
    training_set.prepare(tmp_path, clips=6)
    kept = store.Store(tmp_path / "train_1").audio.copy()
    (tmp_path / "train_2" / "store.json").unlink()
    found = training_set.prepare(tmp_path, clips=6)["train"]
    assert len(found[1]) == 3
    np.testing.assert_array_equal(found[0].audio, kept)


def test_a_card_says_how_many_clips_of_what_length(tmp_path, quick):
    parts = training_set.prepare(tmp_path, clips=6)["train"]
    told = training_set.told(parts)
    assert told == "synthetic talkers of the train split, 6 clips of 0.4 s"


def test_a_card_does_not_call_filmed_speakers_drawn(tmp_path):
    filmed = store.write(tmp_path, murmurs("someone", seconds=1.0, rate=8000, seed=0), 6, rate=8000)
    assert training_set.told([filmed]) == "4 filmed speakers, 6 clips of 1 s"
