"""What the reader hears and sees is what was given, small, safe and the same each time."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from typing import NamedTuple

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from avsep_core import packing
from avsep_core.listen import COLOURS, Html, player, score_table, side_by_side
from avsep_core.spectrogram import STFTS

RATE = 16000


def tone(hertz=440.0, seconds=1.0, rate=RATE, level=0.3):
    return level * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def talk(seed, seconds=3.0, rate=RATE):
    """Noise and harmonics that come and go like syllables."""
    g = np.random.default_rng(seed)
    t = np.arange(int(rate * seconds)) / rate
    pitch = 2 * np.pi * np.cumsum(130 * (1 + 0.1 * np.sin(4 * t + seed))) / rate
    voiced = sum(np.sin(k * pitch) / k**0.8 for k in range(1, 45))
    beat = np.sin(2 * np.pi * 3 * t + seed)
    return 0.1 * voiced * np.clip(beat, 0, 1) + 0.03 * g.standard_normal(len(t)) * (beat < 0)


def moving_boxes(count=75, height=128, width=256):
    """Two noisy, shaded faces' worth of pixels with something that opens and closes."""
    g = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    frames = np.empty((count, height, width, 3), np.uint8)
    for i in range(count):
        image = 90 + 40 * np.sin(x / 19) + 30 * np.cos(y / 23)
        gap = int(8 + 6 * np.sin(i / 3))
        image[88 - gap : 88 + gap, 44:84] = 30
        image[88 - 14 + gap : 88 + 14 - gap, 172:212] = 30
        noisy = image[..., None] * (1.0, 0.85, 0.75) + g.normal(0, 2, (height, width, 3))
        frames[i] = np.clip(noisy, 0, 255)
    return frames


def inside(shown):
    """Unpack what a player holds: its data, as its own script reads them."""
    page = html.unescape(re.search(r'srcdoc="([^"]*)"', shown._repr_html_())[1])
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert len(found) == 1
    return json.loads(found[0])


def decoded_audio(coded):
    with av.open(io.BytesIO(coded)) as container:
        return np.concatenate([f.to_ndarray().ravel() for f in container.decode(audio=0)])


def decoded_video(coded):
    with av.open(io.BytesIO(coded)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


def as_picture(text):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")).astype(float)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100])
def test_a_coded_track_comes_back_in_time_and_close(rate):
    sound = talk(1, seconds=1.2, rate=rate)
    back = packing.trim(decoded_audio(packing.mp3(sound, rate)), len(sound))
    lags = np.arange(-40, 41)
    likeness = [np.dot(back[50:-50], np.roll(sound, k)[50:-50]) for k in lags]
    assert lags[int(np.argmax(likeness))] == 0
    error = np.sum((back - sound) ** 2) / np.sum(sound**2)
    assert -10 * np.log10(error) > 12


@pytest.mark.parametrize("delay", [0, 529, 1105, 1681])
def test_a_decoder_that_delays_by_any_usual_amount_changes_nothing(delay):
    sound = talk(2, seconds=0.5)
    decoded = decoded_audio(packing.mp3(sound, RATE))
    late = np.concatenate([np.zeros(delay, np.float32), decoded])
    assert np.array_equal(packing.trim(late, 8000), packing.trim(decoded, 8000))


def test_a_track_without_its_pulse_is_refused():
    with pytest.raises(ValueError, match="no pulse"):
        packing.trim(np.zeros(9000), 100)


def test_the_page_holds_the_sounds_that_were_given():
    given_tracks = {"mixture": talk(1) + talk(2), "estimate": talk(1)}
    data = inside(player(given_tracks, RATE))
    assert [t["name"] for t in data["tracks"]] == ["mixture", "estimate"]
    for track, sound in zip(data["tracks"], given_tracks.values(), strict=True):
        back = packing.trim(decoded_audio(base64.b64decode(track["audio"])), len(sound))
        assert np.sum((back - sound) ** 2) < 0.06 * np.sum(sound**2)


def test_three_seconds_of_two_faces_and_five_tracks_stay_under_400_kilobytes():
    one, two = talk(1), talk(2)
    tracks = {"mixture": one + two, "estimate 1": one, "estimate 2": two}
    tracks |= {"reference 1": 0.9 * one, "oracle 1": 0.8 * one}
    mask = np.random.default_rng(0).random((257, 376))
    masks = {name: mask for name in tracks}
    shown = player(tracks, RATE, frames=moving_boxes(), masks=masks)
    assert len(shown._repr_html_().encode()) < 400_000


def test_equal_input_gives_equal_pages():
    def build():
        return player({"a": talk(3, 0.5)}, RATE, frames=moving_boxes(12)).html

    assert build() == build()


def test_frames_come_back_in_number_and_in_looks():
    frames = moving_boxes(30)
    data = inside(player({"a": tone(seconds=1.2)}, RATE, frames=frames))
    back = decoded_video(base64.b64decode(data["video"]))
    assert back.shape == frames.shape
    assert np.abs(back.astype(float) - frames).mean() < 6


def test_large_and_odd_frames_are_made_to_fit():
    assert packing.shrink(np.zeros((2, 576, 1440, 3), np.uint8)).shape == (2, 204, 512, 3)
    assert packing.shrink(np.zeros((2, 75, 101, 3), np.uint8)).shape == (2, 76, 102, 3)
    data = inside(player({"a": tone()}, RATE, frames=np.zeros((5, 33, 47, 3), np.uint8)))
    assert (data["width"], data["height"]) == (48, 34)


def test_too_loud_tracks_are_turned_down_together_and_the_reader_is_told():
    data = inside(player({"loud": tone(level=2.0), "soft": tone(level=0.2)}, RATE))
    loud, soft = (
        packing.trim(decoded_audio(base64.b64decode(t["audio"])), RATE) for t in data["tracks"]
    )
    assert np.std(loud) / np.std(soft) == pytest.approx(10, rel=0.02)
    assert np.abs(loud[100:-100]).max() < 1.05
    assert "6.0 dB softer" in data["note"]


def test_a_silent_estimate_can_be_shown_and_is_named():
    data = inside(player({"mixture": tone(), "estimate": np.zeros(RATE)}, RATE))
    assert "Silent: estimate" in data["note"]
    assert as_picture(data["tracks"][1]["picture"]).max() < 20
    assert inside(player({"nothing": np.zeros(RATE)}, RATE))["tracks"]


def test_the_picture_is_brightest_at_the_tones_height_and_time():
    sound = np.zeros(RATE)
    sound[8000:] = tone(2000, seconds=0.5)
    image = as_picture(inside(player({"a": sound}, RATE))["tracks"][0]["picture"]).sum(2)
    row = image.argmax() // image.shape[1]
    assert 1 - row / image.shape[0] == pytest.approx(2000 / 8000, abs=0.02)
    early, late = np.split(image, [image.shape[1] // 2], axis=1)
    assert early[:, :-3].mean() < 0.2 * late.mean()


def test_a_mask_is_drawn_on_the_scale_from_nought_to_one():
    mask = np.zeros((257, 126))
    mask[128:] = 1.0
    data = inside(player({"a": tone()}, RATE, stft=STFTS["foundations"], masks={"a": mask}))
    image = as_picture(data["tracks"][0]["mask"]).mean(axis=(1, 2))
    assert image[: len(image) // 2 - 3].min() > image[len(image) // 2 + 3 :].max() + 50
    assert data["scales"]["mask"]["labels"] == ["0", "1"]
    half = inside(player({"a": tone()}, RATE, masks={"a": 0.5j * np.ones((257, 126))}))
    real = inside(player({"a": tone()}, RATE, masks={"a": 0.5 * np.ones((257, 126))}))
    assert half["tracks"][0]["mask"] == real["tracks"][0]["mask"]


@given(frames=st.integers(2, 900), freq=st.integers(1, 300), columns=st.integers(2, 500))
@settings(deadline=None, max_examples=25)
def test_a_column_of_the_grid_shows_its_own_time(frames, freq, columns):
    times = (np.arange(frames) + 0.5) / frames
    values = np.tile(times, (freq, 1))
    grid = packing.on_grid(values, times, 1.0, columns=columns, rows=64)
    centres = (np.arange(grid.shape[1]) + 0.5) / grid.shape[1]
    assert np.abs(grid - centres).max() <= 0.5 / grid.shape[1] + 0.5 / frames + 1e-9
    assert grid.shape[0] == min(64, freq)


def test_names_never_become_markup():
    nasty = '</script><b onclick="x">&'
    shown = player({nasty: tone()}, RATE, title='"><script>alert(1)</script>')
    data = inside(shown)
    assert data["tracks"][0]["name"] == nasty
    outer = re.sub(r'srcdoc="[^"]*"', "", shown.html)
    assert outer.count("<") == 2
    assert "<b onclick" not in side_by_side({"<b onclick=x>": shown}).html
    assert "<i>" not in score_table([{"name": "<i>", "sdr": 1.0}], caption="<i>").html


def test_nothing_is_fetched_from_anywhere():
    page = html.unescape(player({"a": tone()}, RATE, frames=moving_boxes(5)).html)
    assert not re.search(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", page)


def test_a_plain_text_display_gets_one_short_line():
    shown = player({"mixture": tone(), "estimate": tone()}, RATE)
    bundle = shown._repr_mimebundle_()
    assert bundle["text/html"] == shown._repr_html_()
    assert bundle["text/plain"] == repr(shown)
    assert "mixture, estimate" in repr(shown)
    assert len(repr(shown)) < 100


GOOD = tone()
BAD = {
    "no tracks": ({}, {}, "at least one track"),
    "a name that is empty": ({" ": GOOD}, {}, "name"),
    "a name that is a number": ({3: GOOD}, {}, "name"),
    "stereo": ({"a": np.zeros((2, 9))}, {}, "one channel"),
    "no samples": ({"a": np.zeros(0)}, {}, "one channel"),
    "complex samples": ({"a": GOOD * 1j}, {}, "one channel"),
    "integers": ({"a": np.ones(99, np.int16)}, {}, "integers"),
    "NaN": ({"a": np.where(np.arange(RATE) == 5, np.nan, GOOD)}, {}, "NaN"),
    "two lengths": ({"a": GOOD, "b": GOOD[:-1]}, {}, "differ in length"),
    "no rate": ({"a": GOOD}, {"rate": 0}, "rate"),
    "a negative rate": ({"a": GOOD}, {"rate": -16000}, "rate"),
    "a rate that is not whole": ({"a": GOOD}, {"rate": 16000.5}, "rate"),
    "grey frames": ({"a": GOOD}, {"frames": np.zeros((4, 8, 8), np.uint8)}, "frames"),
    "float frames": ({"a": GOOD}, {"frames": np.zeros((4, 8, 8, 3))}, "frames"),
    "no frames": ({"a": GOOD}, {"frames": np.zeros((0, 8, 8, 3), np.uint8)}, "frames"),
    "no fps": ({"a": GOOD}, {"frames": np.zeros((4, 8, 8, 3), np.uint8), "fps": 0}, "fps"),
    "another rate's transform": ({"a": GOOD}, {"stft": STFTS["deep_clustering"]}, "STFT"),
    "a mask for nobody": ({"a": GOOD}, {"masks": {"b": np.ones((3, 3))}}, "no track"),
    "a mask without axes": ({"a": GOOD}, {"masks": {"a": np.ones(3)}}, "shape"),
    "a mask with NaN": ({"a": GOOD}, {"masks": {"a": np.full((3, 3), np.nan)}}, "finite"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_words(case):
    tracks, options, words = BAD[case]
    with pytest.raises(ValueError, match=words):
        player(tracks, **{"rate": RATE} | options)


@given(samples=st.integers(1, 2000), rate=st.sampled_from([1000, 7919, 16000, 48000, 96000]))
@settings(deadline=None, max_examples=12)
def test_a_player_can_be_built_for_any_length_and_rate(samples, rate):
    data = inside(player({"a": np.linspace(-0.5, 0.5, samples)}, rate))
    assert data["seconds"] == pytest.approx(samples / rate)
    assert data["rate"] in packing.MP3_RATES


def test_torch_tensors_are_tracks_too():
    import torch

    a, b = (player({"a": x}, RATE).html for x in (torch.tensor(GOOD), GOOD))
    assert a == b


def test_side_by_side_keeps_names_and_order_and_needs_something_to_show():
    both = side_by_side({"left": Html("<p>1</p>"), "right": Html("<p>2</p>")}).html
    assert both.index("left") < both.index("<p>1</p>") < both.index("right") < both.index("<p>2")
    with pytest.raises(ValueError, match="nothing"):
        side_by_side({})
    with pytest.raises(ValueError, match="'x' is a int"):
        side_by_side({"x": 3})


class Range(NamedTuple):
    value: float
    low: float
    high: float
    n: int


def test_a_table_names_its_rows_columns_and_caption_for_those_who_cannot_see_it():
    shown = score_table(
        [
            {"method": "mixture", "sdr": 0.12, "stoi": 0.666, "n": 60},
            {"method": "oracle", "sdr": Range(12.34, 11.9, 12.8, 60), "stoi": None, "n": 60},
        ],
        paper={"oracle": {"sdr": 13.1}},
        caption="What masks can reach",
    ).html
    assert "<caption>What masks can reach</caption>" in shown
    assert shown.count('scope="col"') == 5
    assert shown.count('scope="row"') == 2
    assert "12.3 [11.9, 12.8]" in shown
    assert "SDR (dB), paper" in shown
    assert '<td class="paper">13.1</td>' in shown
    assert "<td>0.67</td>" in shown
    assert "<td>0.1</td>" in shown


def test_numbers_in_tables_have_a_true_minus_sign_and_words_for_what_is_no_number():
    cells = score_table([{"name": "x", "a": -3.21, "b": np.inf, "c": np.nan, "d": "so-so"}]).html
    for cell in ("\u22123.2", "∞", "–"):
        assert f"<td>{cell}</td>" in cells
    assert '<td class="text">so-so</td>' in cells


def test_a_table_that_does_not_fit_together_is_refused():
    with pytest.raises(ValueError, match="no rows"):
        score_table([])
    with pytest.raises(ValueError, match="columns"):
        score_table([{"a": 1, "b": 2}, {"a": 1}])
    with pytest.raises(ValueError, match="first column"):
        score_table([{"a": "x", "b": 2}], paper={"y": {"b": 3}})


def contrast(one, other):
    def light(colour):
        c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        c = np.where(c <= 0.03928, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        return c @ (0.2126, 0.7152, 0.0722)

    a, b = sorted((light(one), light(other)))
    return (b + 0.05) / (a + 0.05)


def test_words_in_figures_stand_out_from_their_paper():
    assert contrast(COLOURS["ink"], COLOURS["paper"]) > 7
    assert contrast(COLOURS["soft"], COLOURS["paper"]) > 4.5
