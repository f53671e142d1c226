"""A desk holds the sounds it was given, in step and unclipped, and boxes where objects are."""

from __future__ import annotations

import base64
import html
import io
import itertools
import json
import re

import av
import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from avsep_core import packing
from avsep_core.desk import desk

RATE, SECONDS = 11025, 2
HOSTILE = "</script><img src=x onerror='desk.hacked=1'>&amp;"


def trio():
    """Two tones that come and go, and a soft one that stays."""
    t = np.arange(RATE * SECONDS) / RATE
    return {
        "violin": 0.25 * np.sin(2 * np.pi * 880 * t) * (1 + np.sin(5 * t)) / 2,
        "guitar": 0.25 * np.sin(2 * np.pi * 220 * t) * (1 + np.sin(9 * t)) / 2,
        "the rest": 0.05 * np.sin(2 * np.pi * 1500 * t),
    }


def scene(height=120, width=224):
    """A smooth picture with a dark and a light object, and the boxes around them."""
    y, x = np.mgrid[:height, :width]
    frame = np.repeat((90 + x * 60 / width + y * 40 / height)[..., None], 3, axis=2)
    boxes = {"violin": (10, 20, 60, 50), "guitar": (120, 60, 80, 40)}
    for (left, top, wide, high), grey in zip(boxes.values(), (20, 235), strict=True):
        frame[top : top + high, left : left + wide] = grey
    return frame.astype(np.uint8), boxes


def page_of(shown):
    page = html.unescape(re.search(r'srcdoc="([^"]*)"', shown._repr_html_())[1])
    return BeautifulSoup(page, "html.parser")


def inside(shown):
    return json.loads(page_of(shown).find("script", id="data").string)


def decoded(track, length=RATE * SECONDS):
    with av.open(io.BytesIO(base64.b64decode(track["audio"]))) as container:
        whole = np.concatenate([f.to_ndarray().ravel() for f in container.decode(audio=0)])
    return packing.trim(whole, length)


def error_db(made, wanted):
    return 10 * np.log10(np.sum((made - wanted) ** 2) / np.sum(wanted**2))


def test_the_page_holds_every_sound_in_order_and_a_box_only_for_those_that_are_seen():
    data = inside(desk(*scene(), trio(), RATE, title="A trio"))
    assert [t["name"] for t in data["tracks"]] == ["violin", "guitar", "the rest"]
    for track, sound in zip(data["tracks"], trio().values(), strict=True):
        assert error_db(decoded(track), sound) < -12
    assert [bool(t["box"]) for t in data["tracks"]] == [True, True, False]
    assert data["title"] == "A trio" and data["note"] == ""


def test_boxes_lie_on_their_objects_whatever_the_size_at_which_the_picture_is_kept():
    for height, width in ((120, 224), (121, 225), (480, 900)):
        frame, boxes = scene(height, width)
        data = inside(desk(frame, boxes, trio(), RATE))
        coded = io.BytesIO(base64.b64decode(data["photo"]))
        image = np.asarray(Image.open(coded).convert("L")).astype(float)
        assert image.shape[0] <= 288 and image.shape[1] <= 512
        for track, grey in zip(data["tracks"], (20, 235), strict=False):
            size = np.array([*image.shape[::-1], *image.shape[::-1]])
            left, top, wide, high = np.array(track["box"]) * size
            rows = slice(round(top) + 2, round(top + high) - 2)
            assert np.abs(image[rows, round(left) + 2 : round(left + wide) - 2] - grey).max() < 12
            assert np.abs(image[rows, round(left + wide) + 2] - grey).min() > 40


def test_two_sounds_of_six_seconds_stay_under_400_kilobytes():
    rng = np.random.default_rng(0)
    sounds = {name: 0.1 * rng.standard_normal(6 * RATE) for name in ("violin", "guitar")}
    noisy = rng.integers(0, 256, (120, 224, 3), dtype=np.uint8)
    shown = desk(noisy, scene()[1], sounds, RATE)
    assert len(shown._repr_html_().encode()) < 400_000


@settings(max_examples=8)
@given(level=st.floats(0.1, 20), phases=st.lists(st.floats(0, 6), min_size=3, max_size=3))
def test_no_mix_clips_and_the_reader_is_told_when_all_are_turned_down(level, phases):
    t = np.arange(2000) / RATE
    sounds = {
        name: level * np.sin(2 * np.pi * hertz * t + phase)
        for name, hertz, phase in zip("abc", (300, 400, 500), phases, strict=True)
    }
    data = inside(desk(scene()[0], {}, sounds, RATE))
    mixes = np.array(list(itertools.product((0, 1), repeat=3)))
    wanted = np.abs(mixes @ np.stack([*sounds.values()])).max()
    loudest = np.abs(mixes @ np.stack([decoded(t, 2000) for t in data["tracks"]])).max()
    assert loudest == pytest.approx(min(1.0, wanted), rel=0.1)
    assert ("dB softer" in data["note"]) == (wanted > 1)


def test_silent_sounds_are_named():
    sounds = trio() | {"the rest": np.zeros(RATE * SECONDS)}
    assert inside(desk(*scene(), sounds, RATE))["note"] == "Silent: the rest."


def test_equal_input_gives_equal_pages_and_tensors_count_as_arrays():
    import torch

    frame, boxes = scene()
    tensors = {name: torch.tensor(x) for name, x in trio().items()}
    arrays = {name: np.array(box, np.float32) for name, box in boxes.items()}
    assert desk(frame, arrays, tensors, RATE).html == desk(frame, boxes, trio(), RATE).html


def test_a_box_that_rounding_put_over_the_edge_is_cut_at_the_edge():
    frame, _ = scene()
    data = inside(desk(frame, {"violin": (-0.3, 60, 224.4, 60.2)}, trio(), RATE))
    assert data["tracks"][0]["box"] == [0, 0.5, 1, 0.5]


def test_nothing_is_fetched_and_no_name_becomes_markup():
    shown = desk(scene()[0], {}, {HOSTILE: trio()["violin"]}, RATE, title='"></script><b>&')
    assert not re.search(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", html.unescape(shown.html))
    assert not page_of(shown).select("b, link, img, [src], [href]")
    assert inside(shown)["tracks"][0]["name"] == HOSTILE
    assert re.sub(r'srcdoc="[^"]*"', "", shown.html).count("<") == 2


def test_a_plain_text_display_gets_one_short_line():
    shown = desk(*scene(), trio(), RATE)
    assert repr(shown) == "<desk: violin, guitar, the rest; 2.00 s; shown as HTML>"


FRAME, BOXES = scene()
GOOD = trio()
BAD = {
    "no sounds": ({"sounds": {}}, "at least one sound"),
    "sounds without names": ({"sounds": [np.zeros(9)]}, "at least one sound"),
    "two lengths": ({"sounds": GOOD | {"violin": np.zeros(9)}}, "sounds differ in length"),
    "stereo": ({"sounds": {"violin": np.zeros((2, 9))}, "boxes": {}}, "one channel"),
    "NaN": ({"sounds": GOOD | {"violin": np.full(RATE * SECONDS, np.nan)}}, "NaN"),
    "no rate": ({"rate": 0}, "rate"),
    "a grey frame": ({"frame": FRAME[..., 0]}, "frame has shape"),
    "a frame of floats": ({"frame": FRAME / 255}, "uint8"),
    "a film": ({"frame": FRAME[None]}, "one picture"),
    "an empty frame": ({"frame": FRAME[:0]}, "one picture"),
    "a box of nothing": ({"boxes": {"drum": BOXES["violin"]}}, "'drum', which has no sound"),
    "a box beyond the right": ({"boxes": {"violin": (180, 0, 50, 50)}}, "within the frame"),
    "a box beyond the left": ({"boxes": {"violin": (-2, 0, 50, 50)}}, "within the frame"),
    "a box beyond the floor": ({"boxes": {"violin": (0, 90, 50, 50)}}, "224 x 120 px"),
    "a flat box": ({"boxes": {"violin": (0, 0, 50, 0)}}, "both sides above 0"),
    "a box of corners": ({"boxes": {"violin": [(0, 0), (9, 9)]}}, "x, y, width and height"),
    "a box with NaN": ({"boxes": {"violin": (0, 0, 5, np.nan)}}, "x, y, width and height"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_words(case):
    changes, words = BAD[case]
    given_ones = {"frame": FRAME, "boxes": BOXES, "sounds": GOOD, "rate": RATE} | changes
    with pytest.raises(ValueError, match=words):
        desk(**given_ones)


def test_the_script_finds_every_element_that_it_asks_for():
    page = page_of(desk(*scene(), trio(), RATE))
    asked = set(re.findall(r'\$\("(\w+)"\)', page.find_all("script")[-1].string))
    assert asked - {"ylabels", "xlabels"} <= {tag["id"] for tag in page.find_all(id=True)}
