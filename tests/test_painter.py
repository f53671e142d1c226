"""What is painted is what is heard: the page holds the bins, and its sound is the package's own."""

from __future__ import annotations

import base64
import html
import json
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup

from avsep_core.listen import player
from avsep_core.painter import paint
from avsep_core.spectrogram import STFT, STFTS

SETTING = STFTS["deep_clustering"]
# Lengths of DFT: a power of two, an even number, an odd one; with and without centring.
SETTINGS = [
    SETTING,
    STFTS["looking_to_listen"],
    STFT("fifths", rate=8000, window=640, hop=320, fft=640, centred=True),
    STFT("odd", rate=8000, window=105, hop=40, fft=105, centred=True, shape="sqrt_hann"),
    STFT("bare", rate=8000, window=64, hop=48, fft=128, centred=False, shape="rectangular"),
]


def sound_like(stft, seconds=0.6):
    """A mixture of two tones, the lower one first, over noise: samples and spectrogram."""
    t = np.arange(int(seconds * stft.rate)) / stft.rate
    x = 0.2 * np.sin(2 * np.pi * 600 * t) * (t < 0.4) + 0.2 * np.sin(2 * np.pi * 2500 * t)
    X = stft.forward(x + 0.01 * np.random.default_rng(0).standard_normal(len(t)))
    return X, (X.shape[1] - 1) * stft.hop + (0 if stft.centred else stft.window)


def two_blobs(grid):
    """Points around (-1, 0) for the lower half of the frequencies, around (1, 0) for the upper."""
    upper = np.broadcast_to(np.arange(grid[1]) >= grid[1] // 2, grid)
    noise = 0.05 * np.random.default_rng(1).standard_normal((*grid, 2))
    return noise + np.stack([2.0 * upper - 1, np.zeros(grid)], axis=-1), upper


def loud(X):
    return (np.abs(X) > 0.01 * np.abs(X).max()).T


def page_of(shown):
    return BeautifulSoup(
        html.unescape(re.search(r'srcdoc="([^"]*)"', shown._repr_html_())[1]), "html.parser"
    )


def inside(shown):
    return json.loads(page_of(shown).find("script", id="data").string)


def numbers(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


def bits(text, grid):
    return np.unpackbits(numbers(text, np.uint8))[: grid[0] * grid[1]].reshape(grid).astype(bool)


@pytest.fixture(scope="module")
def example():
    X, length = sound_like(SETTING)
    points, upper = two_blobs(X.T.shape)
    return X, length, points, upper, loud(X)


def test_the_mixture_comes_back_within_the_rounding_to_16_bits(example):
    X, length, points, _, counted = example
    data = inside(paint(points, X, counted, SETTING))
    parts = numbers(data["X"], "<i2").reshape(*X.T.shape, 2) * data["scale"]
    error = np.abs(parts[..., 0] + 1j * parts[..., 1] - X.T)
    assert error.max() <= np.abs(X).max() / 32767 / np.sqrt(2) * 1.0001
    assert (data["frames"], data["bins"], data["length"]) == (*X.T.shape, length)
    assert SETTING.frames(length) == X.shape[1]


def test_points_keep_their_places_and_a_round_cloud_stays_round(example):
    X, *_ = example
    angle = np.linspace(0, 2 * np.pi, X.size).reshape(X.T.shape)
    ring = 3.0 + 0.01 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    data = inside(paint(ring, X, np.ones(X.T.shape, bool), SETTING))
    cells = numbers(data["points"], np.uint8).reshape(-1, 2) + 0.5
    shown = (cells / 256 - 0.5) / 0.46
    assert np.abs(shown - np.stack([np.cos(angle), np.sin(angle)], -1).reshape(-1, 2)).max() < 0.01


def test_only_counted_bins_are_points_and_only_they_can_be_painted_at_first(example):
    X, _, points, upper, counted = example
    astray = np.where(counted[..., None], points, np.nan)
    data = inside(paint(astray, X, counted, SETTING, start=upper))
    assert len(numbers(data["points"], np.uint8)) == 2 * counted.sum()
    assert np.array_equal(bits(data["counted"], counted.shape), counted)
    assert np.array_equal(bits(data["start"], counted.shape), counted & upper)
    none = inside(paint(points, X, counted, SETTING))
    assert not bits(none["start"], counted.shape).any()
    right = numbers(data["points"], np.uint8).reshape(-1, 2)[:, 0] > 127
    assert np.array_equal(right, upper[counted])


def test_three_seconds_with_every_bin_stay_under_500_kilobytes():
    rng = np.random.default_rng(0)
    X = SETTING.forward(rng.standard_normal(24000))
    everything = np.ones(X.T.shape, bool)
    shown = paint(rng.standard_normal((*X.T.shape, 2)), X, everything, SETTING, start=everything)
    assert len(shown._repr_html_().encode()) < 500_000


def test_a_mixture_beyond_full_scale_is_turned_down_and_the_reader_is_told(example):
    X, _, points, _, counted = example
    data = inside(paint(points, 10 * X, counted, SETTING))
    assert data["gain"] < 0.5 and "dB softer" in data["note"]
    assert inside(paint(points, X, counted, SETTING))["gain"] == 1.0
    assert inside(paint(points, 0 * X, counted, SETTING))["scale"] > 0


def test_nothing_is_fetched_and_no_title_becomes_markup(example):
    X, _, points, _, counted = example
    shown = paint(points, X, counted, SETTING, title='"></script><b>&')
    page = html.unescape(shown.html)
    assert not re.search(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", page)
    assert not page_of(shown).select("b:not(.swatch), link, img, [src], [href]")
    assert inside(shown)["title"] == '"></script><b>&'
    assert re.sub(r'srcdoc="[^"]*"', "", shown.html).count("<") == 2
    assert len(repr(shown)) < 100 and "points" in repr(shown)


def test_every_view_and_button_has_a_name_and_the_script_finds_what_it_asks_for(example):
    X, _, points, _, counted = example
    page = page_of(paint(points, X, counted, SETTING))
    canvases = page.find_all("canvas")
    assert [c["id"] for c in canvases] == ["plane", "bins"]
    assert all(c["tabindex"] == "0" and "space paints" in c["aria-label"] for c in canvases)
    assert all(b["type"] == "button" and b.get_text().strip() for b in page.find_all("button"))
    assert page.find("input", type="range")["aria-label"]
    asked = set(re.findall(r'\$\("(\w+)"\)', page.find_all("script")[-1].string))
    assert asked <= {tag["id"] for tag in page.find_all(id=True)}


def test_tensors_give_the_same_page_as_arrays(example):
    import torch

    X, _, points, upper, counted = example
    tensors = [torch.tensor(a) for a in (points, X, counted)]
    made = paint(*tensors, SETTING, start=torch.tensor(upper.copy()))
    assert made.html == paint(points, X, counted, SETTING, start=upper).html


WRONG = {
    "points transposed": ({"points": lambda p: p.swapaxes(0, 1)}, r"points have shape"),
    "points in space": ({"points": lambda p: np.concatenate([p, p], -1)}, "points have shape"),
    "complex points": ({"points": lambda p: 1j * p}, "real numbers"),
    "points astray": ({"points": lambda p: p * np.nan}, "points hold NaN"),
    "a real mixture": ({"X": np.abs}, "complex"),
    "a transposed mixture": ({"X": np.transpose}, r"complex \(freq, frames\)"),
    "one frame": ({"X": lambda X: X[:, :1]}, "two frames or more"),
    "a mixture with NaN": ({"X": lambda X: X * np.nan}, "X holds NaN"),
    "counted transposed": ({"counted": np.transpose}, "counted has shape"),
    "counted as numbers": ({"counted": lambda c: c.astype(float)}, "bool"),
    "nothing counted": ({"counted": np.zeros_like}, "no bin"),
    "a start transposed": ({"start": np.transpose}, "start has shape"),
    "a start of labels": ({"start": lambda s: s.astype(int)}, "start .* int64"),
    "another transform": ({"stft": lambda s: STFTS["foundations"]}, "257 frequencies"),
    "no transform": ({"stft": lambda s: 8000}, "stft is a int"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_refused_in_words(example, case):
    X, _, points, upper, counted = example
    changes, words = WRONG[case]
    given = {"points": points, "X": X, "counted": counted, "stft": SETTING, "start": upper}
    for name, change in changes.items():
        given[name] = change(given[name])
    with pytest.raises(ValueError, match=words):
        paint(**given)


def mask_of(frame, grid):
    return np.array(frame.evaluate("painter.mask"), bool).reshape(grid)


def likeness(one, other):
    return np.dot(one, other) / np.sqrt(np.dot(one, one) * np.dot(other, other))


@pytest.mark.parametrize("stft", SETTINGS, ids=lambda s: s.name)
def test_the_browser_makes_the_same_sound_as_the_packages_inverse(opened, stft):
    X, length = sound_like(stft)
    points, _ = two_blobs(X.T.shape)
    start = np.random.default_rng(2).random(X.T.shape) < 0.4
    counted = loud(X)
    (frame,) = opened(paint(points, X, counted, stft, start=start))
    masks = {"painted": start & counted, "rest": counted & ~start, "mixture": np.ones_like(start)}
    for kind, mask in masks.items():
        made = np.array(frame.evaluate("kind => painter.samples(kind)", kind))
        expected = stft.inverse(X * mask.T, length, floor=0.1)
        assert likeness(made, expected) > 0.9999
        assert np.abs(made - expected).max() < 0.003 * np.abs(expected).max()


def test_a_stroke_over_a_blob_paints_its_bins_and_they_are_heard(opened, example):
    X, length, points, upper, counted = example
    (frame,) = opened(paint(points, X, counted, SETTING))
    assert frame.get_by_role("button", name="Play painted").is_disabled()
    frame.locator("#size").fill("60")
    box = frame.locator("#plane").bounding_box()
    mouse, x, y = frame.page.mouse, box["x"] + 0.85 * box["width"], box["y"] + box["height"] / 2
    mouse.move(x, y - 20)
    mouse.down()
    mouse.move(x, y + 20, steps=3)
    mouse.up()
    assert np.array_equal(mask_of(frame, counted.shape), counted & upper)
    expected = SETTING.inverse(X * (counted & upper).T, length, floor=0.1)
    assert likeness(np.array(frame.evaluate("painted()")), expected) > 0.999
    assert "painted" in frame.get_by_role("status").inner_text()
    assert frame.get_by_role("button", name="Play painted").is_enabled()


def test_both_views_show_the_same_bins_and_shift_erases(opened, example):
    X, _, points, upper, counted = example
    (frame,) = opened(paint(points, X, counted, SETTING, start=upper))
    picture = "document.getElementById('plane').toDataURL()"
    before = frame.evaluate(picture)
    box = frame.locator("#bins").bounding_box()
    mouse, keys = frame.page.mouse, frame.page.keyboard
    frame.locator("#size").fill("64")
    keys.down("Shift")
    mouse.move(box["x"] + 1, box["y"] + 1)
    mouse.down()
    for row in (0.1, 0.2, 0.3, 0.4, 0.5):
        mouse.move(box["x"] + box["width"] - 1, box["y"] + row * box["height"])
        mouse.move(box["x"] + 1, box["y"] + row * box["height"])
    mouse.up()
    keys.up("Shift")
    mask = mask_of(frame, counted.shape)
    assert mask.sum() == 0 < (counted & upper).sum()
    assert "0\u202f% of the points" in frame.locator("#share").inner_text()
    assert frame.evaluate(picture) != before


def test_the_brush_in_the_spectrogram_is_round_and_lies_where_the_pointer_is(opened, example):
    X, _, points, _, _ = example
    everything = np.ones(X.T.shape, bool)
    (frame,) = opened(paint(points, X, everything, SETTING))
    frame.evaluate("painter.stroke('bins', [0.25, 0.5], [0.25, 0.5])")
    t, f = np.nonzero(mask_of(frame, X.T.shape))
    box, plane = (frame.locator(name).bounding_box() for name in ("#bins", "#plane"))
    wide = (t.max() - t.min() + 1) / X.shape[1] * box["width"]
    high = (f.max() - f.min() + 1) / X.shape[0] * box["height"]
    brush = 2 * 16 / 256 * plane["width"]
    assert wide == pytest.approx(brush, abs=8) and high == pytest.approx(brush, abs=4)
    assert (t.mean() + 0.5) / X.shape[1] == pytest.approx(0.25, abs=0.01)
    assert (f.mean() + 0.5) / X.shape[0] == pytest.approx(0.5, abs=0.01)


def test_the_keyboard_paints_erases_clears_and_inverts(opened, example):
    X, _, points, _, counted = example
    (frame,) = opened(paint(points, X, counted, SETTING))
    keys, plane = frame.page.keyboard, frame.get_by_role("application", name="Embedding")
    plane.focus()
    keys.press("Space")
    assert not mask_of(frame, counted.shape).any()  # between the blobs there is nothing
    for _ in range(13):
        keys.press("ArrowRight")
    assert re.match(r"[1-9]\d* points under the brush", frame.get_by_role("status").inner_text())
    keys.press("Space")
    some = mask_of(frame, counted.shape)
    assert 0 < some.sum() < counted.sum()
    keys.press("i")
    assert np.array_equal(mask_of(frame, counted.shape), counted & ~some)
    keys.press("i")
    keys.press("e")
    assert frame.locator("#erase").get_attribute("aria-pressed") == "true"
    keys.press("Space")
    assert not mask_of(frame, counted.shape).any()
    keys.press("i")
    keys.press("c")
    assert not mask_of(frame, counted.shape).any()
    keys.press("Tab")
    assert frame.evaluate("document.activeElement.id") == "bins"
    keys.press("ArrowUp")
    assert "Hz" in frame.get_by_role("status").inner_text()


def test_three_buttons_play_and_stop_and_a_player_beside_them_falls_silent(opened, example):
    X, length, points, upper, counted = example
    shown = paint(points, X, counted, SETTING, start=upper)
    tone = {"tone": 0.1 * np.sin(np.arange(16000))}
    frame, other = opened(shown, player(tone, 8000))
    other.evaluate("player.play()")
    other.wait_for_function("player.playing")
    for name in ("painted", "rest", "mixture"):
        frame.get_by_role("button", name=f"Play {name}").click()
        frame.wait_for_function(f"painter.playing === '{name}' && painter.time > 0.02")
    assert not other.evaluate("player.playing")
    assert frame.evaluate("painter.duration") == pytest.approx(length / SETTING.rate)
    frame.wait_for_function("painter.playing === null")  # the end
    frame.get_by_role("button", name="Play rest").click()
    frame.wait_for_function("painter.playing === 'rest'")
    frame.get_by_role("button", name="Stop rest").click()
    assert frame.evaluate("[painter.playing, painter.error]") == [None, None]
    frame.get_by_role("button", name="Play painted").click()
    frame.wait_for_function("painter.playing === 'painted'")
    other.evaluate("player.play()")
    frame.wait_for_function("painter.playing === null")


def test_the_frame_takes_the_height_of_the_widget_and_the_colours_of_the_page(opened, example):
    X, _, points, _, counted = example
    (frame,) = opened(paint(points, X, counted, SETTING))
    card = frame.locator("#card").bounding_box()
    assert 0 <= frame.page.locator("iframe").bounding_box()["height"] - card["height"] <= 4
    for width in (900, 420):
        frame.page.set_viewport_size({"width": width, "height": 800})
        box = frame.locator("#plane").bounding_box()
        assert box["width"] == pytest.approx(box["height"], abs=1) and box["width"] > 200
        assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ink = "getComputedStyle(document.body).color"
    light = frame.evaluate(ink)
    frame.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    frame.wait_for_function(f"{ink} !== '{light}'")
