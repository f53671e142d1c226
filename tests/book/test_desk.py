"""What is mixed is what is heard: the desk, opened in a browser whose network is cut."""

from __future__ import annotations

import numpy as np
import pytest

from avsep_core.desk import desk
from avsep_core.listen import player
from tests.test_desk import HOSTILE, RATE, SECONDS, trio

FRAME = np.full((120, 224, 3), 120, np.uint8)
BOXES = {"violin": (10, 20, 60, 50), "guitar": (120, 60, 80, 40)}


def error_db(made, wanted):
    return 10 * np.log10(np.sum((made - wanted) ** 2) / np.sum(wanted**2))


# A browser in which every sound is made at once and kept, instead of played.
RECORDER = """window.AudioContext = class extends OfflineAudioContext {
  constructor() { super(1, 48000 * 3, 48000); window.recorder = this; }
  resume() { return Promise.resolve(); }
};"""


def heard(frame):
    """What the loudspeaker gets, at the rate of the sounds, from their beginning."""
    frame.evaluate("desk.play()")
    frame.wait_for_function("desk.playing")
    made = frame.evaluate(
        "async () => Array.from((await recorder.startRendering()).getChannelData(0))"
    )
    at = (0.03 + np.arange(RATE * SECONDS) / RATE) * 48000
    return np.interp(at, np.arange(len(made)), made)


def settled(frame, gains):
    """Wait until the volumes of the running sounds are these."""
    near = "desk.gains && desk.gains.every((g, i) => Math.abs(g - gains[i]) < 1e-3)"
    frame.wait_for_function(f"gains => {near}", arg=gains)


def fader(frame, name):
    return frame.get_by_role("slider", name=f"Volume of {name}")


def test_all_sounds_at_full_volume_are_the_mixture(opened):
    (frame,) = opened(desk(FRAME, BOXES, trio(), RATE), script=RECORDER)
    assert error_db(heard(frame), sum(trio().values())) < -20


def test_a_click_on_a_box_leaves_one_sound_at_its_own_level(opened):
    (frame,) = opened(desk(FRAME, BOXES, trio(), RATE), script=RECORDER)
    frame.get_by_role("button", name="Hear guitar alone").click()
    assert error_db(heard(frame), trio()["guitar"]) < -20


def test_a_slider_turns_its_own_sound_down_by_what_it_says(opened):
    (frame,) = opened(desk(FRAME, BOXES, trio(), RATE), script=RECORDER)
    fader(frame, "guitar").fill("-6")
    fader(frame, "the rest").fill("-40")
    assert frame.locator("output:text-is('\u22126 dB')").count() == 1
    assert fader(frame, "the rest").get_attribute("aria-valuetext") == "off"
    wanted = trio()["violin"] + 10 ** (-6 / 20) * trio()["guitar"]
    assert error_db(heard(frame), wanted) < -20


def test_a_click_in_the_running_picture_leaves_one_and_a_second_brings_all_back(opened):
    (frame,) = opened(desk(FRAME, BOXES, trio(), RATE))
    frame.get_by_role("button", name="loop").click()
    box = frame.get_by_role("button", name="Hear violin alone")
    box.click()
    settled(frame, [1, 0, 0])
    assert box.get_attribute("aria-pressed") == "true"
    assert frame.get_by_role("status").inner_text() == "violin alone"
    box.click()
    settled(frame, [1, 1, 1])
    assert frame.evaluate("[desk.alone, desk.playing, desk.error]") == [None, True, None]


def test_a_slider_works_while_the_sound_runs_and_what_is_moved_is_heard(opened):
    (frame,) = opened(desk(FRAME, BOXES, trio(), RATE))
    frame.get_by_role("button", name="loop").click()
    frame.get_by_role("button", name="Hear guitar alone").click()
    fader(frame, "guitar").fill("-20")
    settled(frame, [0, 0.1, 0])
    fader(frame, "violin").fill("-20")
    settled(frame, [0.1, 0.1, 1])
    fader(frame, "guitar").fill("-40")
    settled(frame, [0.1, 0, 1])
    frame.get_by_role("button", name="Hear guitar alone").click()  # it was off: it comes back
    settled(frame, [0, 1, 0])
    frame.get_by_role("button", name="reset").click()
    settled(frame, [1, 1, 1])


def test_the_smaller_of_two_boxes_can_be_clicked_within_the_larger(opened):
    boxes = {"violin": (60, 40, 30, 30), "guitar": (10, 10, 200, 100)}
    for order in (boxes, dict(reversed(boxes.items()))):
        (frame,) = opened(desk(FRAME, order, trio(), RATE))
        frame.get_by_role("button", name="Hear guitar alone").click(position={"x": 400, "y": 150})
        frame.get_by_role("button", name="Hear violin alone").click()
        assert frame.evaluate("desk.alone") == "violin"


def test_the_keyboard_reaches_everything(opened):
    (frame,) = opened(desk(FRAME, BOXES, trio(), RATE))
    keys, names = frame.page.keyboard, []
    focus = "document.activeElement.ariaLabel || document.activeElement.innerText"
    for _ in range(10):
        keys.press("Tab")
        names.append(frame.evaluate(focus))
    sounds = ["Volume of violin", "Volume of guitar", "Volume of the rest"]
    boxes = ["Hear violin alone", "Hear guitar alone"]
    rest = ["Play", "Position in the clip", "reset", "loop", "keys"]
    assert names == boxes + sounds + rest
    fader(frame, "violin").focus()
    keys.press("ArrowLeft")
    assert fader(frame, "violin").get_attribute("aria-valuetext") == "\u22121 dB"
    keys.press("Home")
    assert fader(frame, "violin").get_attribute("aria-valuetext") == "off"
    keys.press("r")
    assert fader(frame, "violin").get_attribute("aria-valuetext") == "0 dB"
    keys.press("3")  # it has no box
    assert frame.evaluate("[desk.alone, desk.playing]") == [None, False]
    keys.press("l")
    keys.press("2")
    frame.wait_for_function("desk.playing && desk.alone === 'guitar'")
    keys.press("Space")
    assert not frame.evaluate("desk.playing")
    frame.get_by_role("slider", name="Position in the clip").focus()
    keys.press("End")
    assert frame.evaluate("desk.time") == pytest.approx(SECONDS)


def test_starting_one_silences_the_other(opened):
    one, other = opened(desk(FRAME, BOXES, trio(), RATE), player(trio(), RATE))
    other.evaluate("player.play()")
    other.wait_for_function("player.playing")
    one.get_by_role("button", name="loop").click()
    one.get_by_role("button", name="Hear violin alone").click()
    one.wait_for_function("desk.playing")
    assert not other.evaluate("player.playing")
    other.evaluate("player.play()")
    one.wait_for_function("!desk.playing")


def test_the_frame_takes_the_height_of_the_desk_and_the_colours_of_the_page(opened):
    (frame,) = opened(desk(FRAME, BOXES, {HOSTILE: trio()["violin"]} | trio(), RATE))
    assert frame.evaluate("desk.sounds[0]") == HOSTILE
    assert frame.evaluate("desk.hacked") is None
    card = frame.locator("#card").bounding_box()
    assert 0 <= frame.page.locator("iframe").bounding_box()["height"] - card["height"] <= 4
    for width in (900, 420):
        frame.page.set_viewport_size({"width": width, "height": 800})
        assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ink = "getComputedStyle(document.body).color"
    light = frame.evaluate(ink)
    frame.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    frame.wait_for_function(f"{ink} !== '{light}'")
