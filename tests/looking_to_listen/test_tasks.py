"""Mixtures without end: numbered, balanced, levelled, and with faces that belong to the voices."""

from collections import Counter

import numpy as np
import pytest
import torch

from avsep_core.corpora import store
from avsep_core.corpora.noisy import SPREAD, TASKS
from avsep_core.looking_to_listen.tasks import FPS, Mixtures
from avsep_core.looking_to_listen.vectors import SIZE

RATE, PICTURES, CLIPS = 4000, 30, 8
STEP = RATE // FPS


def example(number):
    """Noise that is louder in each picture than in the one before; four women, four men."""
    rng = np.random.default_rng(number)
    loud = np.repeat(np.arange(1, PICTURES + 1) / PICTURES, STEP)
    signs = np.where(rng.random(len(loud)) < 0.5, -1, 1)
    faces = np.zeros((PICTURES, store.SIDE, store.SIDE), np.uint8)
    who, sex = f"p{number % 8}", "fm"[number % 2]
    return store.Example(who, sex, 0.9 * signs * loud, faces, np.zeros(PICTURES, np.float32))


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Eight clips; the first two numbers of a vector tell which clip and which picture it is of."""
    made = store.write(tmp_path_factory.mktemp("clips") / "all", example, CLIPS, rate=RATE)
    vectors = np.ones((CLIPS, PICTURES, SIZE), np.float16)
    vectors[..., 0] = np.arange(1, CLIPS + 1)[:, None]
    vectors[..., 1] = np.arange(1, PICTURES + 1)
    np.save(made.folder / "vectors.npy", vectors)
    return made


NOISES = np.random.default_rng(5).standard_normal((3, 2 * RATE)).astype(np.float16)


def mixtures(clips, task="2s_clean", **options):
    options = {"rate": RATE, "seconds": 0.8, "noises": NOISES, "missing": 0.0, **options}
    return Mixtures(task, [clips], **options)


def equal(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_a_mixture_depends_on_its_number_and_the_seed_alone(clips):
    first, again = (mixtures(clips, "2s_noise", missing=0.5) for _ in range(2))
    want = [first[n] for n in range(4)]
    assert all(equal(again[n], want[n]) for n in (3, 0, 3, 2, 1))
    assert not torch.equal(want[0]["mixture"], want[1]["mixture"])
    other = mixtures(clips, "2s_noise", missing=0.5, seed=1)
    assert not torch.equal(other[0]["mixture"], want[0]["mixture"])


@pytest.mark.parametrize("task", TASKS)
def test_voices_and_noise_sum_to_a_mixture_of_power_one(clips, task):
    talkers, noisy = TASKS[task]
    made = mixtures(clips, task)
    for n in range(5):
        x = made[n]
        assert x["sources"].shape == (talkers, 0.8 * RATE)
        assert x["vectors"].shape == (talkers, 20, SIZE) and ("noise" in x) is noisy
        total = x["sources"].sum(0) + (x["noise"] if noisy else 0)
        torch.testing.assert_close(total, x["mixture"], atol=1e-5, rtol=0)
        assert x["mixture"].square().mean().item() == pytest.approx(1, rel=1e-4)


def test_levels_differ_by_some_decibels_from_voice_to_voice(clips):
    made = mixtures(clips)
    power = torch.stack([made[n]["sources"].square().mean(1) for n in range(60)])
    gaps = 10 * torch.log10(power[:, 0] / power[:, 1])
    assert gaps.abs().max() <= 2 * SPREAD + 0.01 and gaps.std() > 2


@pytest.mark.parametrize("task", ["2s_clean", "3s_clean"])
def test_half_of_the_mixtures_are_of_one_sex_and_nobody_talks_twice(clips, task):
    made = mixtures(clips, task)
    kinds = Counter()
    for n in range(200):
        people = (made[n]["vectors"][:, 0, 0] - 1).int().tolist()
        assert len(set(people)) == len(people)
        kind = "same" if len({who % 2 for who in people}) == 1 else "different"
        assert made.kind(n) == kind
        kinds[kind] += 1
    assert abs(kinds["same"] - 100) < 25


def test_one_talker_alone_is_of_one_sex(clips):
    assert {mixtures(clips, "1s_noise").kind(n) for n in range(5)} == {"same"}


def test_faces_and_voices_begin_at_the_same_instant(clips):
    """Here the picture's number is also how loud the voice is in it."""
    x = mixtures(clips)[3]
    for voice, vectors in zip(x["sources"], x["vectors"], strict=True):
        loud = voice.reshape(20, STEP).abs().mean(1)
        torch.testing.assert_close(loud / loud[0], vectors[:, 1] / vectors[0, 1], rtol=1e-3, atol=0)


def test_clips_of_another_rate_are_brought_to_the_rate_asked_for(clips):
    assert mixtures(clips, rate=2000, noises=None)[0]["mixture"].shape == (1600,)


def test_faces_that_turn_away_are_zeros_and_one_stretch_stays(clips):
    whole, cut = mixtures(clips), mixtures(clips, missing=1.0)
    for n in range(6):
        for before, after in zip(whole[n]["vectors"], cut[n]["vectors"], strict=True):
            seen = (after != 0).any(1)
            assert 0 < seen.sum() < 20
            assert torch.equal(after, before * seen[:, None])
            assert (seen.int().diff() == 1).sum() <= 1, "one stretch"
        assert torch.equal(whole[n]["sources"], cut[n]["sources"])


def test_a_task_nobody_knows_and_noise_that_lacks_are_refused(clips):
    with pytest.raises(ValueError, match="expected one of 1s_noise, 2s_clean"):
        mixtures(clips, "4s_clean")
    with pytest.raises(ValueError, match="give an array of noises"):
        mixtures(clips, "2s_noise", noises=None)
    assert "noise" not in mixtures(clips, "2s_clean")[0], "noises that no one asked for"


def test_stores_too_small_for_their_mixtures_are_refused(clips, tmp_path):
    with pytest.raises(ValueError, match="of 30 pictures"):
        mixtures(clips, seconds=1.6)
    with pytest.raises(ValueError, match="noises of 100 samples"):
        mixtures(clips, "2s_noise", seconds=0.8, noises=NOISES[:, :100])
    few = store.write(tmp_path / "few", example, 4, rate=RATE)
    with pytest.raises(ValueError, match="no vectors"):
        mixtures(few)
    np.save(few.folder / "vectors.npy", np.ones((4, PICTURES, SIZE), np.float16))
    assert mixtures(few)[0]["sources"].shape[0] == 2
    with pytest.raises(ValueError, match="2 talkers of a sex"):
        mixtures(few, "3s_clean")
