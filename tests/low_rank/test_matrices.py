"""From a clip to V and A and back: instants meet, places are kept, masks give the sound again."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from avsep_core.clip import Clip
from avsep_core.low_rank import matrices
from avsep_core.low_rank.matrices import STFT, grey, of_clip

FPS = [15.0, 23.976, 25.0, 30.0, 50.0]


def film(*, count=30, fps=25.0, height=24, width=40, rate=8000, seed=0):
    """Random pictures with noise in the background and a tone that comes and goes."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    t = np.arange(round(count / fps * rate)) / rate
    audio = 0.3 * np.sin(2 * np.pi * 1000 * t) * np.sin(2 * np.pi * 2 * t) ** 2
    return Clip(frames, fps, (audio + 0.02 * rng.normal(size=len(t))).astype(np.float32), rate)


def still(clip, level=90):
    """The clip with one grey level everywhere."""
    return Clip(np.full_like(clip.frames, level), clip.fps, clip.audio, clip.rate)


def blinking(clip, y, x, height=1, width=1, *, level=200):
    """A grey picture in which a block changes at random between the grey and a level."""
    frames = still(clip).frames
    on = np.random.default_rng(3).random(len(frames)) < 0.5
    frames[on, y : y + height, x : x + width] = level
    return Clip(frames, clip.fps, clip.audio, clip.rate)


def changing(seen):
    """The map of what deviates from its mean over time."""
    return seen.picture(seen.V - seen.V.mean(axis=1, keepdims=True))


def test_at_25_pictures_a_second_the_columns_of_A_are_frames_of_the_stft():
    seen = of_clip(film())
    X = np.abs(STFT.forward(seen.mixture))
    np.testing.assert_allclose(seen.times, np.arange(1, 30) / 25)
    np.testing.assert_allclose(seen.times, STFT.times(X.shape[1])[1:30])
    np.testing.assert_allclose(seen.A, seen.scale * X[:, 1:30], rtol=1e-6, atol=1e-7)


def test_a_column_of_V_is_the_mean_of_the_pictures_on_both_sides_of_the_instant():
    clip = film()
    seen = of_clip(clip, stride=2)
    assert seen.shape == (12, 20) and seen.size == (24, 40)
    pictures = np.stack([g.ravel() for g in grey(clip.frames, (12, 20))], axis=1)
    mean = (pictures[:, 1:] + pictures[:, :-1]) / 2
    size = np.linalg.norm(seen.V) / np.linalg.norm(mean)
    np.testing.assert_allclose(seen.V, size * mean, rtol=1e-5)


@pytest.mark.parametrize("picture", ["pixels", "motion"])
def test_a_flash_and_a_click_at_one_instant_lie_in_one_column(picture):
    clip, k = film(), 14
    frames, audio = still(clip).frames, np.zeros_like(clip.audio)
    frames[k:, 5:9, 7:11] = 200  # between pictures k - 1 and k lies the instant k / 25
    audio[round(k / 25 * clip.rate)] = 1
    seen = of_clip(Clip(frames, clip.fps, audio, clip.rate), picture=picture)
    assert seen.A.sum(axis=0).argmax() == k - 1
    pixel = seen.V.reshape(*seen.shape, -1)[6, 8]
    if picture == "motion":
        assert pixel.argmax() == k - 1
    else:
        assert pixel[k - 1] == pytest.approx((pixel[0] + pixel[-1]) / 2)


def test_a_picture_red_green_and_blue_counts_as_the_eye_weighs_them():
    frames = np.eye(3, dtype=np.uint8).reshape(3, 1, 1, 3) * 200
    levels = [float(g[0, 0]) for g in grey(frames, (1, 1))]
    np.testing.assert_allclose(levels, [59.8, 117.4, 22.8], rtol=1e-5)


@pytest.mark.parametrize("fps", FPS)
@pytest.mark.parametrize("balance", [0.1, 1.0, 7.0])
def test_both_matrices_have_one_norm_for_all_clips_and_the_balance_scales_the_picture(fps, balance):
    for picture in ("pixels", "motion"):
        seen = of_clip(film(fps=fps), picture=picture, balance=balance)
        unit = np.sqrt(len(seen.times))
        assert np.linalg.norm(seen.A) == pytest.approx(unit, rel=1e-5)
        assert np.linalg.norm(seen.V) == pytest.approx(balance * unit, rel=1e-5)
        assert seen.V.dtype == seen.A.dtype == np.float32


@pytest.mark.parametrize("fps", [15.0, 23.976, 30.0])
def test_at_other_frame_rates_A_is_interpolated_in_time(fps):
    seen = of_clip(film(fps=fps))
    X = np.abs(STFT.forward(seen.mixture))
    at = STFT.times(X.shape[1])
    plain = np.stack([np.interp(seen.times, at, row) for row in X])
    np.testing.assert_allclose(seen.A, seen.scale * plain, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("fps", FPS)
def test_the_whole_of_A_gives_the_mixture_back_and_nothing_gives_silence(fps):
    seen = of_clip(film(fps=fps))
    sound = seen.sound(seen.A)
    assert sound.dtype == np.float32
    np.testing.assert_allclose(sound, seen.mixture, atol=1e-6)
    np.testing.assert_allclose(seen.sound(torch.from_numpy(seen.A)), sound)
    assert not seen.sound(0 * seen.A).any()
    np.testing.assert_allclose(seen.sound(0.25 * seen.A), seen.mixture / 4, atol=1e-6)


@pytest.mark.parametrize("fps", [15.0, 25.0, 30.0])
def test_a_share_is_never_below_nothing_and_never_above_the_mixture(fps, rng):
    seen = of_clip(film(fps=fps))
    P_a = seen.A * rng.normal(0.5, 2, seen.A.shape)
    mask = seen.mask(P_a)
    assert mask.shape == STFT.forward(seen.mixture).shape
    assert mask.min() == 0 and mask.max() == 1
    np.testing.assert_array_equal(mask, seen.mask(np.clip(P_a, 0, seen.A)))
    np.testing.assert_array_equal(seen.mask(5 * seen.A), 1)
    np.testing.assert_array_equal(seen.mask(-seen.A), 0)


@pytest.mark.parametrize("fps", [15.0, 25.0, 30.0])
def test_a_share_that_rises_with_time_rises_at_the_same_instants_in_the_mask(fps):
    seen = of_clip(film(fps=fps))
    at = STFT.times(STFT.frames(len(seen.mixture)))
    wanted = np.interp(at, seen.times, seen.times / 2)
    mask = seen.mask(seen.A * seen.times / 2)
    np.testing.assert_allclose(mask, np.broadcast_to(wanted, mask.shape), atol=1e-6)


def test_the_part_of_one_of_two_tones_is_heard_as_that_tone():
    clip = film()
    t = np.arange(len(clip.audio)) / clip.rate
    low, high = (np.sin(2 * np.pi * f * t) for f in (500, 2000))
    seen = of_clip(clip.with_audio((low + high).astype(np.float32)))
    below = seen.A * (STFT.freqs() < 1000)[:, None]
    inner = slice(400, -400)
    assert np.abs(seen.sound(below) - low)[inner].max() < 0.01


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100])
def test_a_tone_lies_in_the_same_row_whatever_the_rate_of_the_clip(rate):
    seen = of_clip(film(rate=rate))
    assert len(seen.mixture) == pytest.approx(30 / 25 * 8000, abs=1)
    assert STFT.freqs()[seen.A.sum(axis=1).argmax()] == 1000


@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("level", [10, 200])
@pytest.mark.parametrize("picture", ["pixels", "motion"])
def test_a_pixel_that_changes_lights_up_the_map_where_it_is(stride, level, picture):
    y, x = 20, 10
    clip = blinking(film(height=30, width=50), y, x, stride, stride, level=level)
    seen = of_clip(clip, stride=stride, picture=picture)
    assert seen.shape == (30 // stride, 50 // stride)
    image = changing(seen)
    assert np.argwhere(image > 1e-3 * image.max()).tolist() == [[y // stride, x // stride]]


def test_the_map_is_the_root_mean_square_over_time():
    seen = of_clip(film(), stride=2)
    t, at = np.arange(29), (7, 13)
    P_v = np.zeros((*seen.shape, 29))
    P_v[at] = 3 * np.where(t % 2, 1, -1)
    P_v[0, 1, 4] = np.sqrt(29)
    for given in (P_v.reshape(-1, 29), torch.from_numpy(P_v.reshape(-1, 29))):
        image = seen.picture(given)
        assert image[at] == pytest.approx(3) and image[0, 1] == pytest.approx(1)
        assert np.count_nonzero(image) == 2


@pytest.mark.parametrize(
    ("height", "width", "shape"), [(120, 160, (60, 80)), (50, 90, (50, 90)), (181, 97, (60, 32))]
)
def test_without_a_stride_the_picture_has_about_sixty_rows(height, width, shape):
    assert of_clip(film(count=5, height=height, width=width)).shape == shape


def test_a_still_pixel_does_not_move_however_bright_it_is():
    clip = blinking(film(), 4, 6, 2, 3)
    clip.frames[:, 15, 30] = 255
    moved = of_clip(clip, picture="motion").V.reshape(24, 40, -1)
    seen = of_clip(clip).V.reshape(24, 40, -1)
    assert not moved[15, 30].any() and seen[15, 30].all()
    assert moved[4:6, 6:9].min() > 0
    moved[4:6, 6:9] = 0
    assert not moved.any()


def test_motion_is_the_same_for_what_brightens_and_what_darkens():
    clip = still(film(), level=0)
    ramp = 4 * np.arange(30, dtype=np.uint8)
    clip.frames[:, 3, 3] = (20 + ramp)[:, None]
    clip.frames[:, 9, 30] = (200 - ramp)[:, None]
    moved = of_clip(clip, picture="motion").V.reshape(24, 40, -1)
    np.testing.assert_allclose(moved[3, 3], moved[9, 30], rtol=1e-3)
    np.testing.assert_allclose(moved[3, 3, 8:-8], moved[3, 3, 15], rtol=1e-3)  # a steady speed


def test_a_picture_too_large_for_memory_is_refused_with_a_stride_that_fits(monkeypatch):
    clip = film(height=60, width=80)
    need = 6 * 4 * 29 * 60 * 80
    monkeypatch.setattr(
        matrices.psutil, "virtual_memory", lambda: SimpleNamespace(available=need - 1)
    )
    told = r"29 instants of 60 x 80 px need 0\.0 GB, and 0\.0 GB are free; take stride=2, or a sh"
    with pytest.raises(ValueError, match=told):
        of_clip(clip, stride=1)
    assert of_clip(clip, stride=2).shape == (30, 40)
    monkeypatch.setattr(matrices.psutil, "virtual_memory", lambda: SimpleNamespace(available=need))
    assert of_clip(clip, stride=1).shape == (60, 80)


def test_where_no_stride_fits_none_is_offered(monkeypatch):
    monkeypatch.setattr(matrices.psutil, "virtual_memory", lambda: SimpleNamespace(available=100))
    with pytest.raises(ValueError, match="free; take a shorter clip"):
        of_clip(film())


def test_the_need_is_told_in_gigabytes(monkeypatch):
    monkeypatch.setattr(matrices, "COPIES", 2**30)
    with pytest.raises(ValueError, match=rf"need {4 * 29 * 24 * 40:.1f} GB, and \d+\.\d GB are"):
        of_clip(film(), stride=1)


def cut(clip, pictures, samples):
    return Clip(clip.frames[:pictures], clip.fps, clip.audio[:samples], clip.rate)


def click(clip):
    """One sample at the very beginning, before the first instant between two pictures."""
    audio = np.zeros_like(clip.audio)
    audio[0] = 1
    return audio


WHOLE = film()
REFUSED = {
    "a still picture": (still(WHOLE), {}, "the picture is still"),
    "a still picture, in motion": (still(WHOLE), {"picture": "motion"}, "the picture is still"),
    "silence": (WHOLE.with_audio(0 * WHOLE.audio), {}, "the sound is silent"),
    "a constant sound": (WHOLE.with_audio(0 * WHOLE.audio + 0.1), {}, "zero or constant"),
    "a click before it all": (WHOLE.with_audio(click(WHOLE)), {}, "the sound is silent"),
    "two pictures": (cut(WHOLE, 2, 640), {}, "2 pictures were given; three or more"),
    "sound too long": (cut(WHOLE, 15, 9600), {}, r"1\.20 s of sound for 15 pictures .*0\.60 s"),
    "sound too short": (cut(WHOLE, 30, 4800), {}, r"0\.60 s of sound for 30 pictures .*trim both"),
    "no stride": (WHOLE, {"stride": 0}, "stride is 0; give a whole number of px"),
    "half a stride": (WHOLE, {"stride": 1.5}, "stride is 1.5"),
    "a stride beyond": (WHOLE, {"stride": 25}, r"stride=25 for pictures of 24 x 40 px"),
    "no balance": (WHOLE, {"balance": 0}, "balance=0"),
    "a balance below zero": (WHOLE, {"balance": -1}, "balance=-1"),
    "a balance that is none": (WHOLE, {"balance": np.nan}, "balance=nan"),
    "another picture": (WHOLE, {"picture": "colour"}, r"'colour'.*'motion' or 'pixels'"),
}


@pytest.mark.parametrize(("clip", "how", "told"), REFUSED.values(), ids=REFUSED)
def test_a_clip_or_setting_of_which_nothing_can_be_told_is_refused(clip, how, told):
    with pytest.raises(ValueError, match=told):
        of_clip(clip, **how)


def test_three_pictures_a_stride_of_the_whole_and_a_little_missing_sound_are_enough():
    seen = of_clip(cut(WHOLE, 3, 960), stride=24)
    assert seen.V.shape == (1, 2) and seen.A.shape == (321, 2) and seen.shape == (1, 1)
    seen = of_clip(cut(WHOLE, 30, 8200))
    np.testing.assert_allclose(seen.sound(seen.A), seen.mixture, atol=1e-6)


def test_a_part_of_another_shape_is_refused_by_name():
    seen = of_clip(WHOLE)
    with pytest.raises(ValueError, match=r"P_a of shape \(321, 28\) for A of \(321, 29\)"):
        seen.sound(seen.A[:, 1:])
    with pytest.raises(ValueError, match=r"P_v of shape \(29, 960\) for V of \(960, 29\)"):
        seen.picture(seen.V.T)
