"""A store of utterances: written once, whole, and gone on with where it was stopped."""

import numpy as np
import pytest

from avsep_core.corpora import store
from avsep_core.corpora.store import SIDE, Example, Store, write
from avsep_core.synthetic.talkers import SPLITS
from tests.films import example as film

RATE, SAMPLES, PICTURES = 4000, 800, 5


def example(number):
    rng = np.random.default_rng(number)
    return Example(
        f"p{number}", "fm"[number % 2], rng.uniform(-1, 1, SAMPLES),
        rng.integers(0, 256, (PICTURES, SIDE, SIDE), dtype=np.uint8),
        rng.random(PICTURES).astype(np.float32),
    )  # fmt: skip


def equal(one, other):
    names = ("audio", "faces", "opening")
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in names)


def test_what_is_written_is_read_back(tmp_path):
    made = write(tmp_path / "clips", example, 4, rate=RATE)
    assert len(made) == 4 and made.rate == RATE
    assert made.speakers == ["p0", "p1", "p2", "p3"] and made.sexes == ["f", "m", "f", "m"]
    for number in range(4):
        want = example(number)
        np.testing.assert_allclose(made.audio[number] / 32767, want.audio, atol=1 / 32767)
        np.testing.assert_array_equal(made.faces[number], want.faces)
        np.testing.assert_allclose(made.opening[number], want.opening, atol=1e-3)
    assert equal(Store(tmp_path / "clips"), made)


@pytest.mark.parametrize("last", [0, 1, 3])
def test_writing_goes_on_where_it_was_stopped(tmp_path, last):
    asked = []

    def stopped(number):
        asked.append(number)
        if number == last:
            raise KeyboardInterrupt
        return example(number)

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a", stopped, 4, rate=RATE)
    with pytest.raises(ValueError, match="no complete store"):
        Store(tmp_path / "a")

    def going_on(number):
        asked.append(number)
        return example(number)

    found = write(tmp_path / "a", going_on, 4, rate=RATE)
    assert asked == [*range(last + 1), *range(last, 4)], "nothing is made twice"
    straight = write(tmp_path / "b", example, 4, rate=RATE)
    assert equal(found, straight) and found.speakers == straight.speakers


def test_a_complete_store_is_found_and_not_made_again(tmp_path):
    made = write(tmp_path, example, 3, rate=RATE)
    assert equal(write(tmp_path, None, 3, rate=RATE), made)


def test_a_folder_with_other_examples_is_refused(tmp_path):
    write(tmp_path, example, 3, rate=RATE)
    for count, rate in ((4, RATE), (3, 8000)):
        with pytest.raises(ValueError, match=r"holds 3 examples with {.rate.: 4000}"):
            write(tmp_path, example, count, rate=rate)
    with pytest.raises(ValueError, match="count"):
        write(tmp_path / "none", example, 0, rate=RATE)


@pytest.mark.parametrize("count", [2, 6])
def test_a_store_begun_for_another_number_is_refused(tmp_path, count):
    def stopped(number):
        if number == 2:
            raise KeyboardInterrupt
        return example(number)

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, stopped, 4, rate=RATE)
    with pytest.raises(ValueError, match=f"begun for .*4.*count.*{count}.* was asked for"):
        write(tmp_path, example, count, rate=RATE)
    assert len(write(tmp_path, example, 4, rate=RATE)) == 4


def test_examples_of_different_length_are_refused(tmp_path):
    def longer(number):
        made = example(number)
        return made if number < 2 else Example(**{**vars(made), "audio": np.zeros(SAMPLES + 1)})

    with pytest.raises(ValueError, match=r"example 2 has audio of shape .801.*cut all clips"):
        write(tmp_path, longer, 4, rate=RATE)
    with pytest.raises(ValueError, match="no complete store"):
        Store(tmp_path)


def test_sound_beyond_full_scale_is_clipped_not_wrapped(tmp_path):
    def loud(number):
        return Example(**{**vars(example(number)), "audio": np.full(SAMPLES, 1.5)})

    assert (write(tmp_path, loud, 1, rate=RATE).audio == 32767).all()


def test_sound_at_another_rate_is_the_same_tone_and_kept(tmp_path):
    def tone(number):
        sound = 0.5 * np.sin(2 * np.pi * 300 * np.arange(SAMPLES) / RATE)
        return Example(**{**vars(example(number)), "audio": sound})

    made = write(tmp_path, tone, 2, rate=RATE)
    assert made.audio_at(RATE) is made.audio
    for rate in (2000, 8000):
        found = made.audio_at(rate)
        want = 0.5 * np.sin(2 * np.pi * 300 * np.arange(SAMPLES * rate // RATE) / rate)
        inside = slice(rate // 20, -rate // 20)
        np.testing.assert_allclose(found[:, inside] / 32768, np.tile(want, (2, 1))[:, inside],
                                   atol=0.01)  # fmt: skip
    assert (tmp_path / "audio_2000.npy").is_file() and len(list(tmp_path.glob(".*"))) == 0


def test_what_goes_with_a_store_is_made_once(tmp_path):
    made, calls = write(tmp_path, example, 2, rate=RATE), []

    def squares():
        calls.append(1)
        return np.arange(5) ** 2

    for _ in range(3):
        assert Store(tmp_path).kept("squares", squares).tolist() == [0, 1, 4, 9, 16]
    assert calls == [1]
    with pytest.raises(RuntimeError):
        made.kept("broken", lambda: (_ for _ in ()).throw(RuntimeError))
    assert sorted(p.name for p in tmp_path.glob("*broken*")) == []


def test_a_folder_without_a_store_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"store\.write"):
        Store(tmp_path / "nothing")


def test_a_drawn_example_depends_on_its_number_and_the_seed_alone():
    draw = store.drawn("train", seconds=0.6, rate=8000)
    one, again = draw(3), store.drawn("train", seconds=0.6, rate=8000)(3)
    assert one.speaker == SPLITS["train"][3] and one.sex in "fm"
    assert one.audio.shape == (4800,) and one.faces.shape == (15, SIDE, SIDE)
    assert one.faces.dtype == np.uint8 and one.opening.shape == (15,)
    assert equal(one, again)
    other = store.drawn("train", seconds=0.6, rate=8000, seed=1)(3)
    assert other.speaker == one.speaker and not np.array_equal(other.faces, one.faces)
    with pytest.raises(ValueError, match="split 'all'; expected one of train"):
        store.drawn("all")


def test_clips_of_your_own_become_examples(tmp_path):
    clip = film(count=6, height=40, width=50, rate=RATE)
    boxes = np.tile([[5.0, 4.0, 30.0, 30.0]], (6, 1))
    made = write(tmp_path, store.filmed([("ann", "f", clip, boxes)]), 1, rate=RATE)
    assert made.speakers == ["ann"] and np.isnan(made.opening).all()
    np.testing.assert_array_equal(made.faces[0], store.grey_crops(clip.frames, boxes))
    with pytest.raises(ValueError, match="no clip was given"):
        store.filmed([])


def test_a_crop_is_grey_and_of_one_size():
    red = np.zeros((2, 40, 60, 3), np.uint8)
    red[..., 0] = 200
    found = store.grey_crops(red, np.tile([5, 5, 20, 20], (2, 1)))
    assert found.shape == (2, SIDE, SIDE) and found.dtype == np.uint8
    assert np.ptp(found) == 0 and found[0, 0, 0] == pytest.approx(0.299 * 200, abs=1)
