"""Figures carry titles, units and fixed scales, and a slider shows what was drawn for its value."""

from __future__ import annotations

import base64
import io
import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from avsep_core.listen import Html, explore, show_masks, show_spectrogram, show_waveforms, style
from avsep_core.spectrogram import STFTS

matplotlib.use("Agg")
FOUNDATIONS = STFTS["foundations"]
RATE = 16000


@pytest.fixture(autouse=True)
def figures_closed():
    with matplotlib.rc_context():
        yield
    plt.close("all")


def chirp(seconds=1.0):
    t = np.arange(int(RATE * seconds)) / RATE
    return 0.4 * np.sin(2 * np.pi * (500 + 1500 * t) * t)


def test_a_spectrogram_has_units_on_three_axes_and_ends_at_nought_decibels():
    ax = show_spectrogram(chirp(), FOUNDATIONS, title="A chirp")
    assert ax.get_xlabel() == "time (s)"
    assert ax.get_ylabel() == "frequency (kHz)"
    assert ax.get_title(loc="left") or ax.get_title() == "A chirp"
    assert ax.figure.axes[1].get_ylabel() == "level (dB)"
    image = ax.images[0]
    assert image.get_clim() == (-80.0, 0.0)
    assert image.get_array().max() == pytest.approx(0.0)
    assert ax.get_ylim()[1] == pytest.approx(8.0, abs=0.02)


def test_a_spectrogram_can_be_measured_against_another_ones_loudest_bin():
    loudest = np.abs(FOUNDATIONS.forward(chirp())).max()
    ax = show_spectrogram(0.1 * chirp(), FOUNDATIONS, reference=loudest)
    assert ax.images[0].get_array().max() == pytest.approx(-20.0)


def test_a_bin_is_drawn_at_its_own_time_and_frequency():
    S = np.zeros((257, 126))
    S[64, 50] = 1.0
    ax = show_spectrogram(S, FOUNDATIONS)
    left, right, bottom, top = ax.images[0].get_extent()
    assert left + 50.5 * (right - left) / 126 == pytest.approx(50 * 128 / RATE)
    assert bottom + 64.5 * (top - bottom) / 257 == pytest.approx(2.0)


def test_audio_and_its_spectrogram_are_drawn_alike_and_silence_is_allowed():
    one = show_spectrogram(chirp(), FOUNDATIONS).images[0].get_array()
    two = show_spectrogram(FOUNDATIONS.forward(chirp()), FOUNDATIONS).images[0].get_array()
    assert np.allclose(one, two)
    assert show_spectrogram(np.zeros(RATE), FOUNDATIONS).images[0].get_array().max() == -80.0


def test_masks_are_always_drawn_from_nought_to_one():
    masks = np.stack([np.full((257, 20), 0.3), np.full((257, 20), 0.7)])
    axes = show_masks(masks, FOUNDATIONS, ["left", "right"], title="Masks")
    assert [ax.get_title() or ax.get_title(loc="left") for ax in axes] == ["left", "right"]
    assert all(ax.images[0].get_clim() == (0.0, 1.0) for ax in axes)
    (turned,) = show_masks([0.3j * np.ones((257, 20))], FOUNDATIONS, ["left"])
    assert np.allclose(turned.images[0].get_array(), 0.3)


def test_waveforms_share_their_scales():
    axes = show_waveforms({"loud": chirp(), "soft": 0.1 * chirp()}, RATE, title="Two")
    assert axes[0].get_ylim() == axes[1].get_ylim()
    assert axes[-1].get_xlabel() == "time (s)"
    assert show_waveforms({"silence": np.zeros(10)}, RATE)[0].get_ylim() == (-1.0, 1.0)


@pytest.mark.parametrize(
    "draw, words",
    [
        (lambda: show_spectrogram(np.zeros((9, 9)), FOUNDATIONS), "shape"),
        (lambda: show_spectrogram(np.full(RATE, np.nan), FOUNDATIONS), "finite"),
        (lambda: show_masks(np.ones((257, 3)), FOUNDATIONS, ["a"]), "sources"),
        (lambda: show_masks(np.ones((2, 257, 3)), FOUNDATIONS, ["a"]), "2 masks and 1 names"),
        (lambda: show_waveforms({}, RATE), "no waveforms"),
        (lambda: show_waveforms({"a": np.ones(9)}, 0), "rate"),
        (lambda: show_waveforms({"a": np.ones((2, 9))}, RATE), "samples"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(draw, words):
    with pytest.raises(ValueError, match=words):
        draw()
    assert not plt.get_fignums()


def test_the_style_tells_lines_apart_without_colour_and_writes_no_small_letters():
    style()
    cycle = list(matplotlib.rcParams["axes.prop_cycle"])
    assert len({str(c["linestyle"]) for c in cycle}) == len({c["color"] for c in cycle}) == 6
    ax = plt.subplots()[1]
    ax.plot([1, 2], label="a")
    ax.legend()
    ax.set(xlabel="x (m)", ylabel="y (m)", title="T")
    words = [t for t in ax.figure.findobj(matplotlib.text.Text) if t.get_text()]
    assert min(t.get_fontsize() for t in words) >= 10


def pages(box):
    slider, stack = box.children
    return slider, stack, [page.value for page in stack.children]


def test_a_slider_shows_for_each_value_what_was_drawn_for_it():
    def draw(level):
        figure, ax = plt.subplots(figsize=(1, 1), dpi=20, facecolor=(level, level, level))
        ax.set_axis_off()
        return figure

    slider, stack, shown = pages(explore(draw, label="level", values=[0.0, 0.5, 1.0], start=0.5))
    assert (slider.index, stack.selected_index) == (1, 1)
    assert [word for word, _ in slider.options] == ["0.00", "0.50", "1.00"]
    for level, page in zip((0, 128, 255), shown, strict=True):
        code = re.search(r"base64,([^\"]+)", page)[1]
        image = np.asarray(Image.open(io.BytesIO(base64.b64decode(code))).convert("RGB"))
        assert abs(int(image[0, 0, 0]) - level) <= 1
    assert 'alt="level: 0.50"' in shown[1]


def test_a_slider_is_tied_to_its_pictures_in_the_browser():
    from ipywidgets.embed import dependency_state

    box = explore(lambda v: Html(f"<p>{v}</p>"), label="gain", values=[0, 5], unit="dB")
    slider, stack, shown = pages(box)
    assert shown == ["<p>0</p>", "<p>5</p>"]
    assert [word for word, _ in slider.options] == ["0 dB", "5 dB"]
    models = {m["model_name"]: m["state"] for m in dependency_state(box).values()}
    assert models["LinkModel"]["source"] == [f"IPY_MODEL_{slider.model_id}", "index"]
    assert models["LinkModel"]["target"] == [f"IPY_MODEL_{stack.model_id}", "selected_index"]


def test_drawing_for_a_slider_leaves_no_figure_open_and_accepts_axes_and_none():
    mine = plt.figure()

    def nothing_returned(v):
        plt.figure(figsize=(1, 1))
        plt.plot([v])

    made = [
        explore(lambda v: plt.subplots(figsize=(1, 1))[1], label="a", values=[1, 2]),
        explore(lambda v: list(plt.subplots(1, 2)[1]), label="a", values=[1, 2]),
        explore(nothing_returned, label="a", values=[1, 2]),
    ]
    assert all("<img" in page for box in made for page in pages(box)[2])
    assert plt.get_fignums() == [mine.number]


def test_a_slider_that_has_nothing_to_show_is_refused_in_words():
    with pytest.raises(ValueError, match="two or more"):
        explore(lambda v: None, label="a", values=[1])
    with pytest.raises(ValueError, match="not among"):
        explore(lambda v: None, label="a", values=[1, 2], start=3)
    with pytest.raises(ValueError, match="no HTML"):
        explore(lambda v: None, label="a", values=[1, 2])
    with pytest.raises(ZeroDivisionError):
        explore(lambda v: plt.figure() and 1 / 0, label="a", values=[1, 2])
    assert not plt.get_fignums()


def test_tabs_take_the_place_of_a_stack_where_ipywidgets_is_old(monkeypatch):
    import ipywidgets

    monkeypatch.delattr(ipywidgets, "Stack")
    _, tabs, shown = pages(explore(lambda v: Html(f"{v}"), label="a", values=[1, 2], unit="ms"))
    assert isinstance(tabs, ipywidgets.Tab)
    assert shown == ["1", "2"]
    assert tabs.get_title(1) == "2 ms"
