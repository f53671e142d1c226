"""The player, opened in a browser whose network is cut."""

from __future__ import annotations

import time

import av
import numpy as np
import pytest

from avsep_core.listen import player, side_by_side

RATE = 16000
SECONDS = 3
CLICKS = (0.5, 1.37, 2.9)
HOSTILE = "</script><img src=x onerror='player.hacked=1'>&amp;"


def numbered_frames(count: int = 75) -> np.ndarray:
    """Frames that carry their own number as eight black or white blocks, two faces wide."""
    frames = np.full((count, 128, 256, 3), 90, np.uint8)
    for i, frame in enumerate(frames):
        for bit in range(8):
            frame[32:96, 32 * bit : 32 * bit + 32] = 235 if i >> bit & 1 else 20
    return frames


def tracks() -> dict[str, np.ndarray]:
    """Unlike tracks which all click at the same instants."""
    t = np.arange(RATE * SECONDS) / RATE
    noise = np.random.default_rng(0).standard_normal(len(t))
    out = {
        "mixture": 0.1 * np.sin(2 * np.pi * 440 * t),
        "estimate": 0.03 * noise,
        "reference": 0.1 * np.sin(2 * np.pi * 200 * t * (1 + t)),
        HOSTILE: np.zeros(len(t)),
    }
    for x in out.values():
        for click in CLICKS:
            x[int(click * RATE)] = 0.9
    return out


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    mask = np.tile(np.linspace(0, 1, 376), (257, 1))
    shown = player(
        tracks(), RATE, frames=numbered_frames(), masks={"estimate": mask}, title="Two talkers"
    )
    path = tmp_path_factory.mktemp("player") / "page.html"
    path.write_text(
        "<!doctype html><html data-theme=light><meta charset=utf-8><title>p</title>"
        f"<body><div id=here></div><template id=piece>{shown._repr_html_()}</template>"
        "<script>here.innerHTML = piece.innerHTML</script></body></html>",
        encoding="utf-8",
    )
    return path


@pytest.fixture()
def frame(browser, page_file):
    """The player's own window, inserted the way a widget inserts HTML."""
    context = browser.new_context(offline=True, viewport={"width": 900, "height": 700})
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: said.append(str(e)))
    page.on("request", lambda r: asked.append(r.url))
    page.goto(page_file.as_uri())
    inner = page.wait_for_selector("iframe").content_frame()
    inner.wait_for_function("window.player && player.video.readyState >= 2")
    yield inner
    error = inner.evaluate("player.error")
    context.close()
    assert error is None
    assert said == []
    assert [u for u in asked if not u.startswith(("file:", "blob:", "data:", "about:"))] == []


def seen_number(frame) -> int:
    """Read the number off the frame that the video shows."""
    return frame.evaluate(
        """() => {
            const c = document.createElement('canvas');
            const g = c.getContext('2d', { willReadFrequently: true });
            c.width = 256; c.height = 128;
            g.drawImage(player.video, 0, 0, 256, 128);
            const white = (bit) => g.getImageData(32 * bit + 16, 64, 1, 1).data[0] > 128;
            return [0, 1, 2, 3, 4, 5, 6, 7].reduce((n, bit) => n + (white(bit) << bit), 0); }"""
    )


# Where each track's clicks are after decoding, in seconds.
CLICKS_FOUND = """async (clicks) => (await player.decode()).map((b) => {
            const x = b.getChannelData(0);
            return clicks.map((t) => {
                const from = Math.round((t - 0.02) * 48000);
                const near = x.slice(from, from + 1920).map(Math.abs);
                return (from + near.indexOf(Math.max(...near))) / 48000; }); })"""


def test_every_track_decodes_in_time_with_the_others(frame):
    found = np.array(frame.evaluate(CLICKS_FOUND, list(CLICKS)))
    assert np.abs(found - CLICKS).max() <= 1.5 / RATE


def test_a_decoder_that_leaves_the_codecs_delay_in_is_put_right(browser, tmp_path, monkeypatch):
    whole = av.open

    def without_delay_header(*args, **options):
        if options.get("format") == "mp3":
            options["options"] = {"write_xing": "0"}
        return whole(*args, **options)

    monkeypatch.setattr(av, "open", without_delay_header)
    path = tmp_path / "late.html"
    shown = player(tracks(), RATE)._repr_html_()
    path.write_text(f"<!doctype html><meta charset=utf-8>{shown}", encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    inner = page.wait_for_selector("iframe").content_frame()
    inner.wait_for_function("window.player")
    late = inner.evaluate(
        """async () => {
            const data = JSON.parse(document.getElementById('data').textContent);
            const coded = Uint8Array.from(atob(data.tracks[0].audio), (c) => c.charCodeAt(0));
            const offline = new OfflineAudioContext(1, 1, 48000);
            const raw = (await offline.decodeAudioData(coded.buffer)).getChannelData(0);
            const head = raw.slice(0, (data.lead + data.gap - 200) * 48000 / data.rate);
            return head.indexOf(Math.max(...head)) / 48000 - data.lead / data.rate; }"""
    )
    found = np.array(inner.evaluate(CLICKS_FOUND, list(CLICKS)))
    page.close()
    assert late > 0.03
    assert np.abs(found - CLICKS).max() <= 1.5 / RATE


def test_a_paused_video_shows_exactly_the_frame_under_the_cursor(frame):
    for t in (0.0, 0.5, 1.01, 1.999, 2.97, 0.04):
        frame.evaluate("t => player.seek(t)", t)
        frame.wait_for_function("!player.video.seeking && player.frame !== null")
        frame.wait_for_timeout(80)
        assert seen_number(frame) == min(int(t * 25 + 1e-6), 74) == frame.evaluate("player.frame")


def test_sound_video_and_cursor_run_together(frame):
    frame.evaluate("player.play()")
    frame.wait_for_function("player.playing && player.time > 0.5")
    errors = frame.evaluate(
        """() => new Promise((done) => {
            const seen = [], video = player.video;
            const look = (_, frame) => {
                const left = parseFloat(document.getElementById('cursor').style.left);
                const now = player.time;
                seen.push([frame.mediaTime - now, left / 100 * player.duration - now]);
                player.time < 2.6 ? video.requestVideoFrameCallback(look) : done(seen); };
            video.requestVideoFrameCallback(look); })"""
    )
    video, cursor = np.array(errors).T
    assert len(errors) > 10
    # A frame is shown for 40 ms around its middle: half a frame early or late is in step.
    assert np.median(np.abs(video + 0.02)) <= 0.04
    assert np.median(np.abs(cursor)) <= 0.04


def test_switching_never_stops_time_and_leaves_no_gap(frame):
    frame.evaluate("player.play()")
    frame.wait_for_function("player.playing && player.time > 0.2")
    times, sums = frame.evaluate(
        """() => new Promise((done) => {
            const times = [], sums = [], begun = performance.now();
            const step = () => {
                times.push([performance.now() - begun, player.time]);
                sums.push(player.gains.reduce((a, b) => a + b));
                if (times.length % 8 === 0) player.select((times.length / 8) % 4);
                times.length < 60 ? setTimeout(step, 12) : done([times, sums]); };
            step(); })"""
    )
    wall, heard = np.array(times).T
    assert np.all(np.diff(heard) >= 0)
    assert abs((heard[-1] - heard[0]) - (wall[-1] - wall[0]) / 1000) < 0.1
    assert np.allclose(sums, 1.0, atol=0.02)
    assert frame.evaluate("player.playing")


def test_the_keyboard_does_everything(frame):
    picture = frame.locator("#picture")
    picture.focus()
    keys = frame.page.keyboard
    keys.press("2")
    assert frame.evaluate("player.track") == "estimate"
    keys.press("ArrowDown")
    assert frame.evaluate("player.track") == "reference"
    keys.press("ArrowUp")
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    assert frame.evaluate("player.time") == pytest.approx(0.5)
    keys.press("Shift+ArrowLeft")
    assert frame.evaluate("player.time") == pytest.approx(0.46)
    assert picture.get_attribute("aria-valuetext") == "0.46 of 3.00 seconds"
    keys.press("m")
    assert "mask of estimate" in frame.locator("#live").inner_text()
    assert frame.locator("#images img:visible").get_attribute("alt") == "Mask of estimate"
    keys.press("l")
    assert frame.evaluate("player.loop")
    keys.press("End")
    assert frame.evaluate("player.time") == pytest.approx(3.0)
    keys.press("Home")
    keys.press("Space")
    frame.wait_for_function("player.playing && player.time > 0.1")
    keys.press("Space")
    frame.wait_for_function("!player.playing")
    assert "Paused at" in frame.locator("#live").inner_text()
    width = picture.evaluate("e => getComputedStyle(e).outlineWidth")
    assert float(width.removesuffix("px")) >= 2


def test_screen_readers_meet_a_radio_group_a_slider_and_a_live_region(frame):
    group = frame.get_by_role("radiogroup", name="Track")
    assert group.get_by_role("radio").count() == 4
    group.get_by_role("radio", name="reference").check(force=True)
    assert frame.evaluate("player.track") == "reference"
    assert frame.get_by_role("status").inner_text() == "Track 3 of 4: reference"
    assert frame.get_by_role("slider", name="Position in the clip").count() == 1
    assert frame.get_by_role("button", name="Play", exact=True).count() == 1


def test_a_click_on_the_picture_moves_the_cursor_there(frame):
    picture = frame.locator("#picture")
    box = picture.bounding_box()
    picture.click(position={"x": box["width"] / 3, "y": 20})
    assert frame.evaluate("player.time") == pytest.approx(1.0, abs=0.02)


def test_a_loop_goes_round_and_the_end_stops(frame):
    frame.evaluate("document.getElementById('loop').click(); player.seek(2.8); player.play()")
    frame.wait_for_function("player.playing && player.time > 0.1 && player.time < 1")
    frame.evaluate("document.getElementById('loop').click()")
    frame.evaluate("player.seek(2.8)")
    frame.wait_for_function("!player.playing")
    assert frame.evaluate("player.time") == pytest.approx(3.0)


def test_a_name_is_text_and_never_becomes_markup(frame):
    assert frame.evaluate("player.tracks[3]") == HOSTILE
    assert frame.locator("#tracks label").nth(3).inner_text().endswith(HOSTILE)
    assert frame.evaluate("player.hacked") is None


def test_the_frame_takes_the_height_of_the_player_and_the_colours_of_the_page(frame):
    card = frame.locator("#card").bounding_box()
    outer = frame.page.locator("iframe").bounding_box()
    assert 0 <= outer["height"] - card["height"] <= 4
    ink = "getComputedStyle(document.body).color"
    light = frame.evaluate(ink)
    frame.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    frame.wait_for_function(f"{ink} !== '{light}'")


def test_starting_one_player_pauses_the_other(browser, tmp_path):
    sound = {"tone": 0.1 * np.sin(np.arange(RATE * 2) * 0.1)}
    path = tmp_path / "two.html"
    both = side_by_side({"left": player(sound, RATE), "right": player(sound, RATE)})
    path.write_text(f"<!doctype html><meta charset=utf-8>{both._repr_html_()}", encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    left, right = (f.content_frame() for f in page.query_selector_all("iframe"))
    for one in (left, right):
        one.wait_for_function("window.player")
        one.evaluate("player.play()")
        one.wait_for_function("player.playing")
        time.sleep(0.05)
    assert not left.evaluate("player.playing")
    page.close()
