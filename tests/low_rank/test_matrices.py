"""From a clip to V and A and back: the columns meet, and nothing is lost on the way."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from avsep_core.clip import Clip
from avsep_core.low_rank import matrices

STFT = matrices.STFT


def film(frames=50, height=24, width=40, fps=25.0, rate=8000, seed=0):
    """Grey noise that changes, and noise to hear."""
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    sound = (0.1 * rng.standard_normal(round(frames / fps * rate))).astype(np.float32)
    return Clip(pictures, fps, sound, rate)


def test_a_column_lies_between_two_pictures_and_under_a_window_of_the_sound():
    clip = film()
    seen = matrices.of_clip(clip, stride=1)
    X = np.abs(STFT.forward(clip.audio.astype(np.float64)))
    np.testing.assert_allclose(seen.times, np.arange(1, 50) / 25)
    np.testing.assert_allclose(STFT.times(X.shape[1])[1:50], seen.times)
    np.testing.assert_allclose(seen.A, X[:, 1:50] * seen.scale, rtol=1e-4, atol=1e-6)
    small = np.stack(list(matrices.grey(clip.frames, (24, 40)))).reshape(50, -1).T
    middle = (small[:, 1:] + small[:, :-1]) / 2
    np.testing.assert_allclose(seen.V / seen.V[3, 7], middle / middle[3, 7], rtol=1e-4)


@pytest.mark.parametrize("balance", [0.1, 1.0, 30.0])
def test_both_modalities_have_one_norm_but_for_the_balance(balance):
    seen = matrices.of_clip(film(), balance=balance)
    assert np.linalg.norm(seen.V) / np.linalg.norm(seen.A) == pytest.approx(balance, rel=1e-4)


@pytest.mark.parametrize("fps", [12.5, 15.0, 25.0, 30.0])
def test_the_whole_of_A_sounds_like_the_mixture_at_any_frame_rate(fps):
    clip = film(frames=60, fps=fps)
    seen = matrices.of_clip(clip)
    np.testing.assert_allclose(seen.sound(seen.A), clip.audio, atol=1e-5)
    assert not seen.sound(np.zeros_like(seen.A)).any()
    assert not seen.sound(-seen.A).any()
    np.testing.assert_allclose(seen.sound(5 * seen.A), clip.audio, atol=1e-5)


def test_half_of_A_is_half_of_the_sound():
    seen = matrices.of_clip(film())
    np.testing.assert_allclose(seen.sound(seen.A / 2), seen.mixture / 2, atol=1e-5)


def test_sound_of_another_rate_is_brought_to_8_khz():
    clip = film()
    twice = clip.with_audio(np.repeat(clip.audio, 2), 16000)
    assert len(matrices.of_clip(twice).mixture) == len(clip.audio)


@pytest.mark.parametrize("picture", ["pixels", "motion"])
def test_a_pixel_that_blinks_lights_up_at_its_place(picture):
    clip = film(height=24, width=40)
    frames = np.full_like(clip.frames, 90)
    frames[::6, 16, 30] = 250
    seen = matrices.of_clip(replace(clip, frames=frames), picture=picture, stride=2)
    moves = seen.V - seen.V.mean(axis=1, keepdims=True)
    image = seen.picture(moves)
    assert image.shape == seen.shape == (12, 20)
    assert np.unravel_index(image.argmax(), image.shape) == (8, 15)
    assert (image > 1e-3 * image.max()).sum() == 1


def test_the_stride_brings_a_picture_to_about_sixty_rows_unless_told():
    assert matrices.of_clip(film(frames=5, height=180, width=240)).shape == (60, 80)
    assert matrices.of_clip(film(frames=5, height=180, width=240), stride=6).shape == (30, 40)
    assert matrices.of_clip(film(frames=5, height=20, width=30)).shape == (20, 30)


def test_a_film_too_large_for_memory_is_told_its_need_and_a_stride_that_fits(monkeypatch):
    clip = film(frames=20, height=64, width=64)
    free = SimpleNamespace(available=200_000)
    monkeypatch.setattr(matrices.psutil, "virtual_memory", lambda: free)
    with pytest.raises(ValueError, match=r"need .* GB.* take stride=(\d+)") as told:
        matrices.of_clip(clip, stride=1)
    stride = int(str(told.value).partition("stride=")[2].partition(",")[0])
    assert matrices.of_clip(clip, stride=stride).V.nbytes * matrices.COPIES <= free.available


CLIP = film()
STILL = replace(CLIP, frames=np.repeat(CLIP.frames[:1], 50, axis=0))


def test_where_no_stride_fits_none_is_offered(monkeypatch):
    monkeypatch.setattr(matrices.psutil, "virtual_memory", lambda: SimpleNamespace(available=100))
    with pytest.raises(ValueError, match="take a shorter clip"):
        matrices.of_clip(CLIP)


@pytest.mark.parametrize(
    ("clip", "how", "words"),
    [
        (STILL, {}, "still"),
        (STILL, {"picture": "motion"}, "still"),
        (CLIP.with_audio(np.zeros(16000, np.float32)), {}, "silent"),
        (CLIP.with_audio(np.full(16000, 0.1, np.float32)), {}, "constant"),
        (CLIP.with_audio(np.eye(1, 16000, dtype=np.float32)[0]), {}, "silent"),
        (CLIP.trim(0, 0.08), {}, "three or more"),
        (CLIP.with_audio(CLIP.audio[:8000]), {}, "one length"),
        (CLIP, {"stride": 0}, "stride"),
        (CLIP, {"stride": 1.5}, "stride"),
        (CLIP, {"stride": 25}, "smaller"),
        (CLIP, {"balance": 0}, "balance"),
        (CLIP, {"balance": float("nan")}, "balance"),
        (CLIP, {"picture": "colour"}, "'pixels'"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(clip, how, words):
    with pytest.raises(ValueError, match=words):
        matrices.of_clip(clip, **how)


def test_parts_of_another_clip_are_refused():
    seen = matrices.of_clip(CLIP)
    with pytest.raises(ValueError, match="P_a"):
        seen.sound(seen.A[:, 1:])
    with pytest.raises(ValueError, match="P_v"):
        seen.picture(seen.V[1:])
