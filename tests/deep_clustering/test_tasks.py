"""Mixtures without end: numbered, levelled, and with lips that belong to the voices."""

import numpy as np
import pytest
import torch

from avsep_core.corpora import store
from avsep_core.deep_clustering import tasks
from avsep_core.deep_clustering.features import FPS, STFT, levels, lips, motion
from avsep_core.deep_clustering.network import Pictures
from avsep_core.deep_clustering.tasks import FINE, SPREAD, Mixtures, level_statistics
from tests.deep_clustering.small import TINY, murmurs

COUNT, CLIPS, SIZE = 20, 8, (32, 48)
STEP = STFT.rate // FPS
SECONDS = 0.4  # ten pictures


def example(number):
    """A voice that is louder in each picture, and a face that is brighter; four women, four men."""
    signs = np.where(np.random.default_rng(number).random(COUNT * STEP) < 0.5, -1, 1)
    loud = np.repeat(np.arange(1, COUNT + 1) / COUNT, STEP)
    faces = np.empty((COUNT, store.SIDE, store.SIDE), np.uint8)
    faces[:] = (10 * np.arange(1, COUNT + 1) + number)[:, None, None]
    return store.Example(f"p{number}", "fm"[number % 2], 0.9 * signs * loud, faces, np.ones(COUNT))


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return store.write(tmp_path_factory.mktemp("clips") / "all", example, CLIPS, rate=STFT.rate)


@pytest.fixture(scope="module")
def flickering(tmp_path_factory):
    """Faces in which each pixel has a life of its own."""
    folder = tmp_path_factory.mktemp("flickering") / "all"
    return store.write(folder, murmurs("a", seconds=0.8), 6, rate=STFT.rate)


def pictures():
    torch.manual_seed(0)
    return Pictures(TINY).eval()


def test_a_mixture_depends_on_its_number_and_the_seed_alone(clips):
    first, again = (Mixtures([clips], seconds=SECONDS, size=SIZE) for _ in range(2))
    want = [first[n] for n in range(3)]
    for n in (2, 0, 2, 1):
        found = again[n]
        assert all(torch.equal(found[name], x) for name, x in want[n].items())
    other = Mixtures([clips], seconds=SECONDS, seed=1)
    assert not torch.equal(other[0]["sources"], want[0]["sources"])


@pytest.mark.parametrize("talkers", [1, 2, 3])
def test_one_voice_is_the_loudest_and_the_others_are_up_to_five_decibels_below(clips, talkers):
    made = Mixtures([clips], talkers=talkers, seconds=SECONDS)
    power = torch.stack([made[n]["sources"].square().mean(1) for n in range(40)])
    assert power.shape == (40, talkers)
    below = 10 * torch.log10(power).sort(descending=True).values
    torch.testing.assert_close(below[:, 0], torch.zeros(40), atol=1e-4, rtol=0)
    assert below.min() >= -SPREAD - 1e-4
    if talkers > 1:
        assert below[:, 1:].std() > 1 and len(set(power.argmax(1).tolist())) == talkers


def test_half_of_the_mixtures_are_of_one_sex_as_kind_says(clips):
    made = Mixtures([clips], seconds=SECONDS, size=SIZE)
    same = 0
    for n in range(120):
        who = made[n]["mouths"][:, 0, 0, 0] % 10
        kind = "same" if who[0] % 2 == who[1] % 2 else "different"
        assert made.kind(n) == kind and who[0] != who[1]
        same += kind == "same"
    assert abs(same - 60) < 20


def test_lips_and_voices_begin_at_the_same_instant(clips):
    """Here a picture's brightness is also how loud the voice is in it."""
    example = Mixtures([clips], seconds=SECONDS, size=SIZE)[2]
    assert example["mouths"].shape == (2, 10, *SIZE) and example["mouths"].dtype == torch.uint8
    assert example["flow"].shape == (2, 10, 2, *SIZE)
    for voice, mouths in zip(example["sources"], example["mouths"], strict=True):
        loud = voice.reshape(10, STEP).abs().mean(1)
        bright = (mouths[:, 16, 24] // 10).float()
        torch.testing.assert_close(loud / loud[0], bright / bright[0], rtol=1e-3, atol=0)


def test_without_lips_a_mixture_is_sound_alone(clips):
    assert set(Mixtures([clips], seconds=SECONDS)[0]) == {"sources"}


def test_clips_of_another_rate_are_brought_to_that_of_the_transform(tmp_path):
    made = store.write(tmp_path / "wide", murmurs("a", seconds=0.8, rate=16000), 4, rate=16000)
    assert Mixtures([made], seconds=SECONDS)[0]["sources"].shape == (2, 0.4 * STFT.rate)


def test_lips_and_flow_are_kept_beside_the_store_to_a_sixteenth_of_a_pixel(flickering, monkeypatch):
    mouths, flow = tasks.prepare(flickering, SIZE)
    np.testing.assert_array_equal(mouths[3], lips(np.array(flickering.faces[3]), SIZE))
    true = motion(mouths[3])
    slow = np.abs(true) < 127 / FINE
    assert slow.mean() > 0.9
    assert np.abs(flow[3] / FINE - true)[slow].max() <= 0.5 / FINE
    monkeypatch.setattr(tasks, "motion", None)
    np.testing.assert_array_equal(tasks.prepare(flickering, SIZE)[1], flow)


def test_what_a_finished_network_sees_is_cut_from_whole_clips(flickering):
    eyes = pictures()
    looking = Mixtures([flickering], seconds=SECONDS, size=SIZE)
    seen = Mixtures([flickering], seconds=SECONDS, pictures=eyes)
    for n in range(3):
        lips, features = looking[n], seen[n]["features"]
        assert torch.equal(lips["sources"], seen[n]["sources"])
        assert features.shape == (2, 10, TINY.pictured) and features.dtype == torch.float16
        with torch.no_grad():
            alone = eyes(lips["mouths"], lips["flow"])
        inside = slice(1, -1)  # at the ends the stretch lacks the neighbours that the clip has
        torch.testing.assert_close(
            features[:, inside].float(), alone[:, inside], atol=2e-3, rtol=2e-3
        )


def test_another_network_for_pictures_does_not_get_what_the_first_one_saw(flickering, monkeypatch):
    eyes = pictures()
    first = tasks.seen(flickering, eyes)
    monkeypatch.setattr(tasks, "prepare", None)
    np.testing.assert_array_equal(tasks.seen(flickering, pictures()), first)
    eyes.inside.bias.data += 1
    with pytest.raises(TypeError):
        tasks.seen(flickering, eyes)


def test_levels_of_the_training_data_come_to_mean_zero_and_deviation_one(clips):
    made = Mixtures([clips], seconds=SECONDS)
    mean, deviation = level_statistics(made, 30)
    told = torch.stack([levels(STFT.forward(made[n]["sources"].sum(0))) for n in range(30)])
    scaled = (told - mean) / deviation
    assert abs(scaled.mean()) < 1e-4 and scaled.std() == pytest.approx(1, abs=1e-4)


def test_pictures_of_the_training_data_come_to_mean_zero_and_deviation_one(flickering):
    made = Mixtures([flickering], talkers=1, seconds=SECONDS, size=SIZE)
    grey, moved = tasks.picture_statistics(made, 30)
    assert grey.shape == (2, *SIZE) and moved.shape == (2, 2)
    examples = [made[n] for n in range(30)]
    mouths = torch.cat([one["mouths"][0] for one in examples]) / 255
    scaled = (mouths - grey[0]) / grey[1]
    assert scaled.mean(0).abs().max() < 1e-4, "every pixel by itself"
    assert scaled.std(0).min() > 0.9 and scaled.std(0).max() < 1
    flow = torch.cat([one["flow"][0] for one in examples]).float()
    scaled = (flow - moved[0][:, None, None]) / moved[1][:, None, None]
    torch.testing.assert_close(scaled.mean((0, 2, 3)), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std((0, 2, 3)), torch.ones(2), atol=1e-3, rtol=0)


def test_pixels_that_never_change_do_not_blow_up(clips):
    grey, _ = tasks.picture_statistics(Mixtures([clips], seconds=0.04, size=SIZE), 1)
    assert (grey[1] >= 0.01).all()


def test_spoilt_lips_are_hidden_or_late_or_somebody_elses_and_the_sound_stays(flickering):
    eyes = pictures()
    plain, spoilt = (
        Mixtures([flickering], seconds=0.6, pictures=eyes, spoilt=often) for often in (0.0, 1.0)
    )
    ways = {"hidden": 0, "shifted": 0, "strange": 0}
    for n in range(20):
        right, wrong = plain[n], spoilt[n]
        assert torch.equal(right["sources"], wrong["sources"])
        for a, b in zip(right["features"], wrong["features"], strict=True):
            if any(torch.equal(b, a.roll(k, 0)) for k in (-3, -2, -1, 1, 2, 3)):
                ways["shifted"] += 1
            elif ((b == a) | (b == 0)).all():
                ways["hidden"] += 1
                blank = (b == 0).all(1).nonzero()[:, 0]
                assert len(blank) == blank[-1] - blank[0] + 1, "in one stretch"
            else:
                ways["strange"] += 1
    assert min(ways.values()) >= 5
