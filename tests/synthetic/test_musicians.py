"""Musicians of a band: each moves with the notes it plays, and a box holds what it plays on."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from avsep_core.synthetic import musicians
from avsep_core.synthetic.cast import SPLITS, find
from avsep_core.synthetic.musicians import INSTRUMENTS, STRIP, musician, scene
from avsep_core.synthetic.notes import Note
from avsep_core.synthetic.played_easel import Easel
from avsep_core.synthetic.played_places import PLACES, place

SECONDS = 6.0
STEP = 0.04
TIMES = np.arange(0, SECONDS, STEP)
LOWEST = {
    "accordion": 60, "acoustic_guitar": 50, "cello": 40, "clarinet": 60, "flute": 66,
    "saxophone": 55, "trumpet": 60, "violin": 60, "xylophone": 72,
}  # fmt: skip
LONG = ("accordion", "cello", "violin")
ONSETS = (0.6, 0.95, 1.5, 2.9, 3.4, 3.75)


def rng(seed=0):
    return np.random.default_rng(seed)


def tune(instrument, onsets=ONSETS):
    """Two phrases with a rest of about a second between them."""
    low = LOWEST[instrument]
    return [
        Note(start, 0.33, low + (7 * k) % 17, 0.6 + 0.1 * (k % 4), hand=k % 2)
        for k, start in enumerate(onsets)
    ]


def player(instrument, seed=0, **choices):
    return musician(instrument, tune(instrument), seconds=SECONDS, rng=rng(seed), **choices)


def picture(who, time, grey=128.0):
    frame = np.full((120, STRIP, 3), grey, np.float32)
    who.draw(frame, time)
    return frame


@cache
def motion(instrument, playing=True):
    """Sum of what changes from each picture to the next when the body does not sway, (T - 1,)."""
    who = replace(player(instrument, playing=playing), sway=0.0)
    film = np.stack([picture(who, t) for t in TIMES])
    return np.abs(np.diff(film, axis=0)).sum((1, 2, 3))


def near(times, before, after):
    """Which of `times` lie from `before` s before an onset to `after` s after it."""
    return np.any([(times > s - before) & (times < s + after) for s in ONSETS], axis=0)


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_the_same_seed_gives_the_same_picture_and_another_seed_another_one(instrument):
    a, b, c = (player(instrument, seed) for seed in (1, 1, 2))
    assert np.array_equal(picture(a, 1.1), picture(b, 1.1)) and a.box(1.1) == b.box(1.1)
    assert np.abs(picture(a, 1.1) - picture(c, 1.1)).mean() > 3


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_a_picture_does_not_depend_on_which_were_drawn_before(instrument):
    a, b = player(instrument), player(instrument)
    for time in (0.2, 4.0, 1.7):
        picture(a, time)
    assert np.array_equal(picture(a, 0.8), picture(b, 0.8))


class Bare(Easel):
    """An easel on which nobody holds an instrument, nor has hands."""

    def rod(self, *args, held=False, **choices):
        if not held:
            super().rod(*args, **choices)

    def piece(self, *args, held=False):
        if not held:
            super().piece(*args)


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_the_box_holds_the_instrument_and_the_hands_and_little_more(instrument, monkeypatch):
    for seed in range(4):
        who = player(instrument, seed)
        for time in (0.7, 1.62, 3.42):
            x, y, w, h = who.box(time)
            whole = picture(who, time)
            with monkeypatch.context() as patched:
                patched.setattr(musicians, "Easel", Bare)
                without = picture(who, time)
            rows, columns = np.nonzero(np.abs(whole - without).max(-1) > 6)
            assert columns.min() >= x - 1.5 and columns.max() + 1 <= x + w + 1.5
            assert rows.min() >= y - 1.5 and rows.max() + 1 <= y + h + 1.5
            seen = (np.ptp(columns) + 1) * (np.ptp(rows) + 1)
            assert seen > 0.75 * w * h


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_the_box_stays_inside_the_picture(instrument):
    for seed in range(6):
        who = player(instrument, seed)
        for time in TIMES[::5]:
            x, y, w, h = who.box(time)
            assert x >= 0 and y >= 0 and x + w <= STRIP and y + h <= 120


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_the_picture_moves_with_the_notes_and_rests_in_rests(instrument):
    moving, middles = motion(instrument), TIMES[:-1] + STEP / 2
    resting = ~near(middles, 0.35, 1.0)
    playing = near(middles, 0.0, 0.33) if instrument in LONG else near(middles, 0.06, 0.14)
    assert resting.sum() > 10
    assert moving[playing].mean() > 20 * moving[resting].mean()


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_the_motion_fits_its_own_notes_better_than_the_same_notes_at_another_time(instrument):
    moving, middles = motion(instrument), TIMES[:-1] + STEP / 2
    wanted = near(middles, 0.0, 0.33) if instrument in LONG else near(middles, 0.08, 0.16)
    fit = {k: np.corrcoef(moving, np.roll(wanted, k))[0, 1] for k in range(-12, 13)}
    assert fit[0] > 0.4
    assert abs(max(fit, key=fit.get)) * STEP <= 0.09


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_who_does_not_play_keeps_hands_still_and_sways(instrument):
    assert motion(instrument, playing=False).max() == 0
    silent = player(instrument, playing=False)
    assert np.abs(picture(silent, 0.1) - picture(silent, 1.5)).max() > 10


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_before_the_first_note_nobody_sees_who_will_play(instrument):
    a, b = player(instrument), player(instrument, playing=False)
    assert np.array_equal(picture(a, 0.1), picture(b, 0.1)) and a.box(0.1) == b.box(0.1)
    assert not np.array_equal(picture(a, 1.0), picture(b, 1.0))


@pytest.mark.parametrize("instrument", ["violin", "cello"])
def test_the_bow_hand_goes_to_and_fro_and_waits_in_rests(instrument):
    at = player(instrument).player.at
    ends = [(at(n.start), at(n.end)) for n in tune(instrument)]
    ways = np.sign([end - start for start, end in ends])
    assert (ways[1:] == -ways[:-1]).all()
    for time in np.arange(2.0, 2.8, 0.1):
        assert abs(at(time + 0.05) - at(time)) < 1e-9


def test_bellows_move_while_notes_sound_and_only_then():
    opened = player("accordion").player.open
    for note in tune("accordion"):
        assert abs(opened(note.end) - opened(note.start)) > 0.1
    assert opened(1.9) == opened(2.8)
    assert 0 <= min(map(opened, TIMES)) < max(map(opened, TIMES)) <= 1


def test_a_mallet_is_on_the_bar_of_its_pitch_when_it_sounds_and_up_before():
    who = player("xylophone").player
    for note in tune("xylophone"):
        across, down, up = who.hands[note.hand]
        assert np.allclose((across(note.start), down(note.start)), who.spot(note.pitch), atol=0.5)
        assert up(note.start) < 0.6 < 3 < up(note.start - 0.1)


def test_low_bars_lie_to_the_players_left_hand():
    spots = [player("xylophone").player.spot(p)[0] for p in (72, 76, 79, 84)]
    assert spots == sorted(spots, reverse=True)


def test_a_hand_without_notes_rests():
    notes = [replace(n, hand=0) for n in tune("xylophone")]
    who = musician("xylophone", notes, seconds=SECONDS, rng=rng()).player
    for curve in who.hands[1]:
        assert np.ptp([curve(t) for t in TIMES]) == 0


def test_each_pitch_of_the_trumpet_has_its_valves():
    notes = [Note(0.5, 0.4, 58, 0.8), Note(1.5, 0.4, 59, 0.8), Note(2.5, 0.4, 63, 0.8)]
    pressed = musician("trumpet", notes, seconds=4, rng=rng()).player.pressed
    down = [[round(valve(n.start + 0.2)) for valve in pressed] for n in notes]
    assert down == [[0, 0, 0], [1, 1, 1], [1, 0, 0]]  # written C, C sharp and F


@pytest.mark.parametrize("instrument", ["clarinet", "flute", "saxophone", "trumpet"])
def test_the_horn_dips_at_each_onset(instrument):
    pose = player(instrument).player.pose
    for start in ONSETS:
        assert pose(start + 0.03)[1][1] > pose(start - 0.07)[1][1] + 0.6


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_a_mirrored_musician_is_the_mirror_image(instrument):
    a = player(instrument)
    b = replace(a, mirrored=not a.mirrored)
    assert np.array_equal(picture(a, 1.6)[:, ::-1], picture(b, 1.6))
    (x, y, w, h), (u, v, p, q) = a.box(1.6), b.box(1.6)
    assert np.allclose((STRIP - x - w, y, w, h), (u, v, p, q))
    assert {player(instrument, seed).mirrored for seed in range(8)} == {False, True}


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_musician_can_stand_anywhere_in_a_picture(mirrored):
    who = replace(player("flute"), mirrored=mirrored)
    frame = np.full((120, 3 * STRIP, 3), 128, np.float32)
    who.draw(frame, 1.6, left=STRIP)
    assert np.allclose(frame[:, STRIP : 2 * STRIP], picture(who, 1.6), atol=2)


def test_only_the_people_who_may_play_do():
    skins = {tuple(np.float32(find(name).look.skin)) for name in SPLITS["test"]}
    for seed in range(8):
        who = player("flute", seed, people=SPLITS["test"])
        assert tuple(who.player.person.skin) in skins


def band(playing=(True, False, True)):
    group = [
        player(name, seed, playing=plays)
        for seed, (name, plays) in enumerate(
            zip(("violin", "accordion", "flute"), playing, strict=True)
        )
    ]
    return scene(group, rng=rng(3))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_scene_has_a_strip_for_each_musician(count):
    stage = scene(band().musicians[:count], rng=rng())
    drawn, boxes = stage.picture(1.0), stage.boxes(1.0)
    assert drawn.shape == (120, count * STRIP, 3) and drawn.dtype == np.float32
    assert 0 <= drawn.min() < drawn.max() <= 255
    assert boxes.shape == (count, 4) and boxes.dtype == np.float32


def test_the_boxes_of_three_musicians_do_not_meet():
    stage = band()
    for time in TIMES[::10]:
        boxes = stage.boxes(time)
        assert (boxes[:-1, 0] + boxes[:-1, 2] <= boxes[1:, 0]).all()


def test_another_musicians_notes_do_not_move_a_box():
    a, b = band((True, False, True)), band((True, True, True))
    assert np.array_equal(a.boxes(1.0)[[0, 2]], b.boxes(1.0)[[0, 2]])
    assert not np.array_equal(a.boxes(1.0)[1], b.boxes(1.0)[1])


def test_drawing_leaves_the_background_as_it_is():
    stage = band()
    before = stage.back.copy()
    stage.picture(1.0)
    assert np.array_equal(before, stage.back)


@pytest.mark.parametrize("kind", PLACES)
def test_places_are_varied_and_bright_enough(kind):
    a, b = (place(kind, 224, rng(seed)) for seed in (1, 2))
    assert a.shape == (120, 224, 3) and a.dtype == np.float32
    assert np.abs(a - b).mean() > 5
    assert a.min() >= 0 and a.max() <= 255 and a.mean() > 15


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="instrument 'drum' given; expected one of accordion"):
        musician("drum", (), seconds=1, rng=rng())
    with pytest.raises(ValueError, match="seconds=0"):
        musician("flute", (), seconds=0, rng=rng())
    with pytest.raises(ValueError, match="nobody in `people`"):
        musician("flute", (), seconds=1, rng=rng(), people=())
    with pytest.raises(ValueError, match="no talker 'x99'"):
        musician("flute", (), seconds=1, rng=rng(), people=["x99"])
    with pytest.raises(ValueError, match="0 musicians given"):
        scene((), rng=rng())
    with pytest.raises(ValueError, match="place 'moon'"):
        place("moon", 112, rng())


@pytest.mark.parametrize("time", [-0.1, 1.1, float("nan")])
def test_there_is_no_picture_outside_the_film(time):
    who = musician("flute", (), seconds=1, rng=rng())
    stage = scene([who], rng=rng())
    for look in (who.box, stage.picture, stage.boxes, lambda t: picture(who, t)):
        with pytest.raises(ValueError, match="time="):
            look(time)


def test_a_picture_of_another_shape_or_type_is_refused():
    who = musician("flute", (), seconds=1, rng=rng())
    for frame in (np.zeros((100, STRIP, 3), np.float32), np.zeros((120, STRIP, 3), np.uint8)):
        with pytest.raises(ValueError, match=r"expected \(120, width, 3\) float32"):
            who.draw(frame, 0.5)
