"""Clips: what is written comes back, in step and upright."""

from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import wavfile

from avsep_core.clip import (
    CODECS,
    Clip,
    MediaError,
    at_fps,
    read,
    read_audio,
    resample,
    side_by_side,
    write,
)
from tests.films import RATES, example, film, flat, moving, murmur


@given(
    suffix=st.sampled_from(sorted(CODECS)),
    count=st.integers(10, 20),
    fps=st.sampled_from([12.5, 25.0, 29.97, 30.0]),
    height=st.integers(17, 40),
    width=st.integers(17, 40),
    rate=st.sampled_from(RATES),
)
def test_what_is_written_comes_back(tmp_path_factory, suffix, count, fps, height, width, rate):
    given_clip = example(count=count, fps=fps, height=height, width=width, rate=rate)
    path = write(given_clip, tmp_path_factory.mktemp("trip") / f"a{suffix}")
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    back = read(path, fps=fps, rate=rate)
    assert back.frames.shape == (count, height + height % 2, width + width % 2, 3)
    assert back.fps == fps and back.rate == rate
    assert len(back.audio) == len(given_clip.audio)
    error = back.frames[:, :height, :width].astype(float) - given_clip.frames
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 28
    noise = back.audio - given_clip.audio
    snr = 10 * np.log10(np.sum(given_clip.audio**2) / max(np.sum(noise**2), 1e-20))
    if CODECS[suffix][1].startswith("pcm"):
        assert snr > 55
    middle = slice(len(noise) // 4, -len(noise) // 4)
    lags = np.correlate(back.audio, given_clip.audio[middle], "valid")
    assert abs(int(np.argmax(lags)) - len(noise) // 4) <= 1, "the sound moved in time"


def test_a_rate_that_the_codec_does_not_know_is_converted(tmp_path):
    slow = Clip(moving(25, 32, 32), 25.0, murmur(7000), 7000)
    back = read(write(slow, tmp_path / "a.webm"), rate=7000)
    lags = np.correlate(back.audio, slow.audio[2000:5000], "valid")
    assert len(back.audio) == 7000 and abs(int(np.argmax(lags)) - 2000) <= 1


def test_odd_sizes_are_padded_by_repeating_the_last_row_and_column(tmp_path):
    pictures = np.zeros((3, 33, 31, 3), np.uint8)
    pictures[:, -1], pictures[:, :, -1] = 255, 255
    back = read(write(Clip(pictures, 25, murmur(1920), 16000), tmp_path / "odd.mp4")).frames
    assert back.shape == (3, 34, 32, 3)
    assert back[:, 32:].min() > 180 and back[:, :, 30:].min() > 180
    assert back[:, :31, :29].max() < 80


def test_matroska_keeps_the_sound_exactly(tmp_path):
    loud = example().with_audio(3 * murmur(7680))
    assert np.array_equal(read(write(loud, tmp_path / "a.mkv")).audio, loud.audio)


@given(
    gaps=st.lists(st.integers(11, 130), min_size=4, max_size=12),
    fps=st.sampled_from([10, 25, 30]),
)
def test_variable_frame_rate_takes_the_picture_nearest_in_time(tmp_path_factory, gaps, fps):
    times = np.cumsum([0, *gaps]) / 1000
    levels = np.linspace(20, 235, len(times)).astype(int)
    folder = tmp_path_factory.mktemp("vfr")
    path = film(folder / "v.mkv", flat(levels), times, [(0.0, murmur(32000))])
    back = read(path, fps=fps)
    for k, picture in enumerate(back.frames):
        distance = np.abs(times - k / fps)
        nearest = levels[distance <= distance.min() + 1e-6]
        assert np.abs(picture.mean() - nearest).min() < 4
    assert len(back.audio) == round(len(back.frames) / fps * 16000)


@pytest.mark.skipif(
    not hasattr(av.video.stream.VideoStream, "set_display_rotation"),
    reason="this PyAV cannot write turned pictures",
)
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_turned_and_mirrored_pictures_are_read_upright(tmp_path, degrees, mirrored):
    stored = np.zeros((32, 48, 3), np.uint8)
    stored[:16, :24], stored[:16, 24:] = (200, 40, 40), (40, 200, 40)
    stored[16:, :24] = (40, 40, 200)
    path = film(
        tmp_path / "r.mov", np.stack([stored] * 4), np.arange(4) / 25, [(0.0, murmur(2560))],
        turn=(degrees, mirrored),
    )  # fmt: skip
    seen = np.rot90(stored, degrees // 90)
    seen = seen[:, ::-1] if mirrored else seen
    back = read(path).frames[0]
    assert back.shape == seen.shape
    assert np.abs(back.astype(int) - seen).mean() < 10
    height, width = seen.shape[0] // 2, seen.shape[1] // 2
    small = read(path, size=(height, width)).frames[0]
    assert small.shape == (height, width, 3)
    assert np.abs(small.astype(int) - seen[::2, ::2]).mean() < 25


@pytest.mark.parametrize("start", [0.0, 0.4])
def test_sound_that_starts_later_stays_in_step(tmp_path, start):
    click = np.zeros(8000, np.float32)
    click[1600] = 1.0
    path = film(tmp_path / "a.mkv", flat([9] * 25), np.arange(25) / 25, [(start, click)])
    audio = read(path).audio
    assert np.argmax(np.abs(audio)) == round(start * 16000) + 1600
    assert len(audio) == 16000


def test_sound_that_starts_before_the_pictures_is_cut(tmp_path):
    click = np.zeros(16000, np.float32)
    click[8000] = 1.0
    path = film(tmp_path / "a.mkv", flat([9] * 20), 0.2 + np.arange(20) / 25, [(0.0, click)])
    assert np.argmax(np.abs(read(path).audio)) == 8000 - 3200


def test_a_hole_in_the_sound_stays_a_hole(tmp_path):
    first, second = murmur(4000, 1), murmur(4000, 2)
    pieces = [(0.0, first), (0.5, second)]
    audio = read(film(tmp_path / "a.mkv", flat([9] * 25), np.arange(25) / 25, pieces)).audio
    assert np.array_equal(audio[:4000], first)
    assert not audio[4000:8000].any()
    assert np.array_equal(audio[8000:12000], second)


def test_channels_are_averaged(tmp_path):
    left = murmur(4000)
    wavfile.write(tmp_path / "s.wav", 16000, np.stack([left, -left / 2], axis=1))
    assert np.allclose(read_audio(tmp_path / "s.wav"), left / 4, atol=1e-7)


@pytest.mark.parametrize("kind", ["uint8", "int16", "int32", "float32"])
def test_every_sample_format_has_the_same_scale(tmp_path, kind):
    wave = murmur(4000)
    stored = wave
    if kind == "uint8":
        stored = np.round(wave * 128 + 128)
    elif kind != "float32":
        stored = np.round(wave * 2.0 ** (np.iinfo(kind).bits - 1))
    wavfile.write(tmp_path / "s.wav", 16000, stored.astype(kind))
    coarse = 0.004 if kind == "uint8" else 2e-5
    assert np.abs(read_audio(tmp_path / "s.wav") - wave).max() <= coarse


def test_both_ways_of_reading_give_the_same_sound(tmp_path):
    path = write(example(), tmp_path / "a.mp4")
    assert np.array_equal(read_audio(path), read(path).audio)


def test_none_keeps_what_the_file_has(tmp_path):
    path = write(example(count=15, fps=12.5, rate=11025), tmp_path / "a.mkv")
    back = read(path, fps=None, rate=None)
    assert (back.fps, back.rate, len(back.frames)) == (12.5, 11025, 15)


@given(old=st.sampled_from([*RATES, 22050, 48000]), new=st.sampled_from(RATES))
def test_resampling_moves_no_tone_in_time(old, new):
    frequency = 0.1 * min(old, new)
    tone = np.sin(2 * np.pi * frequency * np.arange(old // 4) / old)
    expected = np.sin(2 * np.pi * frequency * np.arange(-(-len(tone) * new // old)) / new)
    got = resample(tone, old, new)
    assert got.shape == expected.shape and got.dtype == np.float32
    inner = slice(len(got) // 4, -len(got) // 4)
    assert np.abs(got - expected)[inner].max() < 1e-3


def test_resampling_removes_what_the_new_rate_cannot_hold():
    tone = np.sin(2 * np.pi * 6000 * np.arange(16000) / 16000)
    assert np.abs(resample(tone, 16000, 8000)[1000:-1000]).max() < 1e-3


@given(first=st.integers(0, 6), second=st.integers(0, 5), rate=st.sampled_from(RATES))
def test_trimming_twice_is_trimming_once(first, second, rate):
    whole = example(count=14, rate=rate)
    twice = whole.trim(first / 25).trim(second / 25)
    once = whole.trim((first + second) / 25)
    assert np.array_equal(twice.frames, once.frames)
    assert abs(len(twice.audio) - len(once.audio)) <= 1
    shared = min(len(twice.audio), len(once.audio))
    if rate % 25 == 0:
        assert np.array_equal(twice.audio[-shared:], once.audio[-shared:])


@given(cut=st.integers(1, 13))
def test_parts_put_together_are_the_whole(cut):
    whole = example(count=14)
    head, tail = whole.trim(0, cut / 25), whole.trim(cut / 25)
    assert np.array_equal(np.concatenate([head.frames, tail.frames]), whole.frames)
    assert np.array_equal(np.concatenate([head.audio, tail.audio]), whole.audio)
    assert head.seconds + tail.seconds == pytest.approx(whole.seconds)


def test_trimming_between_frames_keeps_sound_and_pictures_in_step():
    whole = example(count=14)
    part = whole.trim(0.1, 0.2)
    first = next(k for k in range(14) if np.array_equal(whole.frames[k], part.frames[0]))
    assert np.array_equal(part.audio, whole.audio[first * 640 :][: len(part.audio)])


@pytest.mark.parametrize("part", [(-0.1, 0.2), (0.4, 0.2), (0.0, 0.0), (9.0, None)])
def test_a_part_outside_the_clip_is_refused(part):
    with pytest.raises(MediaError, match="were asked for"):
        example().trim(*part)


def test_with_audio_changes_only_the_sound():
    clip = example()
    other = clip.with_audio(np.zeros(8000), 8000)
    assert other.frames is clip.frames and other.rate == 8000 and other.seconds == 1.0
    assert other.audio.dtype == np.float32


SIZES = st.tuples(st.integers(2, 9), st.integers(2, 9), st.integers(5, 9))


@given(sizes=st.lists(SIZES, min_size=1, max_size=4))
def test_side_by_side_adds_widths_and_sounds(sizes):
    row = [
        Clip(np.full((t, h, w, 3), 10 * k + 10, np.uint8), 25, np.full(t * 640, 0.1), 16000)
        for k, (h, w, t) in enumerate(sizes)
    ]
    joined = side_by_side(row)
    shortest = min(t for _, _, t in sizes)
    tallest, wide = max(h for h, _, _ in sizes), sum(w for _, w, _ in sizes)
    assert joined.frames.shape == (shortest, tallest, wide, 3)
    edges = np.cumsum([0, *(w for _, w, _ in sizes)])
    for k, (left, right) in enumerate(pairwise(edges)):
        column = joined.frames[0, :, left:right]
        assert (column == 10 * k + 10).any(axis=(1, 2)).sum() == sizes[k][0]
    assert np.allclose(joined.audio, 0.1 * len(row))
    given_sound = np.linspace(0, 1, 100)
    assert np.allclose(side_by_side(row, audio=given_sound).audio, given_sound)


def test_side_by_side_refuses_different_rates():
    with pytest.raises(MediaError, match="different"):
        side_by_side([example(), example(rate=8000)])
    with pytest.raises(MediaError, match="no clip"):
        side_by_side([])


def test_real_films_of_every_kind_are_read(shared_data):
    lengths = {"clearvoice_001.avi": 8.04, "greatesthits_desk.mp4": 6, "duet_guitar_violin.mp4": 10}
    for name, seconds in lengths.items():
        clip = read(shared_data / "video" / name, size=(90, 160))
        assert clip.frames.shape == (round(seconds * 25), 90, 160, 3)
        assert clip.seconds == pytest.approx(seconds) and np.abs(clip.audio).max() > 0.1


def test_real_grid_clips_last_three_seconds(shared_data):
    for path in sorted((shared_data / "grid").glob("*.mpg")):
        clip = read(path)
        assert clip.frames.shape == (75, 288, 360, 3) and clip.seconds == 3.0
        assert np.array_equal(read_audio(path), clip.audio)


def test_pictures_at_another_rate_are_taken_nearest_in_time():
    """Picture k stands for the instant (k + 1/2) / fps."""
    for fps, count in ((30.0, 60), (50.0, 7), (12.5, 9), (25.0, 10), (29.97, 100), (240.0, 3)):
        number = np.arange(count)[:, None] * np.ones(3)
        found = at_fps(number, fps, 25)[:, 0]
        assert len(found) == max(1, round(25 * count / fps))
        middles, wanted = (np.arange(count) + 0.5) / fps, (np.arange(len(found)) + 0.5) / 25
        gaps = np.abs(wanted[:, None] - middles)
        own = gaps[np.arange(len(found)), found.astype(int)]
        assert (own <= gaps.min(1) + 1e-9).all()
