"""One door: a film of a band goes in, and each object's sound comes out."""

import numpy as np
import pytest

from avsep_core.clip import Clip, resample
from avsep_core.co_separation import recipes
from avsep_core.co_separation import separate as door
from avsep_core.co_separation.detector import Detection
from avsep_core.co_separation.network import PAPER, Separator
from avsep_core.co_separation.separate import FEWEST, VIEWS, NoObjectError, separate
from tests.co_separation.small import TINY, separator
from tests.films import example

BOXES = [(2.0, 3.0, 20.0, 24.0), (50.0, 20.0, 30.0, 40.0)]


class Band:
    """Finds a violin that wanders to the right, and a tuba that stays on the left; in the first
    picture, less surely, a flute."""

    names = ("violin", "tuba", "flute", "cello")

    def detect(self, frames):
        made = []
        for t in range(len(frames)):
            tuba = Detection("tuba", 0.8, (5.0, 10.0, 30.0, 30.0))
            made.append([Detection("violin", 0.9 + 0.01 * t, (50.0 + t, 8.0, 20.0, 40.0)), tuba])
        made[0].append(Detection("flute", 0.4, (60.0, 0.0, 10.0, 10.0)))
        return made


class Blind(Band):
    """Finds nothing."""

    def detect(self, frames):
        return [[] for _ in frames]


class Bright(Separator):
    """Lets through as much as its picture is bright."""

    def forward(self, mixture, pictures, of):
        masks = pictures.mean((1, 2, 3))[:, None, None]
        return masks.expand(-1, *mixture.shape[1:]), None


BRIGHT = Bright(TINY)


@pytest.fixture(scope="module")
def film():
    """The left half has a fifth of full brightness, the right four fifths."""
    film = example(count=20, height=64, width=96)
    frames = np.full_like(film.frames, 51)
    frames[:, :, 48:] = 204
    return Clip(frames, film.fps, film.audio, film.rate, film.name)


def heard(film):
    return resample(film.audio, film.rate, PAPER.rate)


def test_each_object_that_is_found_gets_a_voice_a_name_and_a_place(film):
    found = separate(film, network=BRIGHT, detector=Band())
    assert found.names == ("tuba", "violin"), "from left to right; the flute is seen once"
    assert found.voices.shape == (2, round(film.seconds * PAPER.rate)) and found.rate == PAPER.rate
    assert found.voices.any(1).all() and found.clip is film
    assert found.regions.shape == (2, len(film.frames), 4)
    assert (found.regions[0] == (5, 10, 30, 30)).all()


def test_of_a_box_that_leaves_the_picture_the_region_is_what_lies_within(film):
    height, width = film.frames.shape[1:3]
    given = [(-10.0, 5.0, 40.0, 20.0), (width - 20.0, height - 8.0, 50.0, 30.0)]
    found = separate(film, given, network=BRIGHT).regions[:, 0]
    assert found.tolist() == [[0, 5, 30, 20], [width - 20, height - 8, 20, 8]]


def test_boxes_move_with_what_is_seen(film):
    x = separate(film, ["violin"], network=BRIGHT, detector=Band()).regions[0, :, 0]
    assert (x[:2] == 50).all() and (x[-2:] == 50 + VIEWS - 1).all(), "the outermost stand still"
    assert (np.diff(x[1:-1]) > 0).all() and np.diff(x).max() < 1, "between them, bit by bit"


@pytest.mark.parametrize("objects", [["violin", "tuba", "flute"], BOXES, 1])
def test_voices_and_background_add_up_to_the_mixture(film, objects):
    found = separate(film, objects, network=BRIGHT, detector=Band())
    assert found.background.any()
    np.testing.assert_allclose(found.voices.sum(0) + found.background, heard(film), atol=1e-6)


def test_each_voice_is_what_its_box_lets_through(film):
    found = separate(film, BOXES, network=BRIGHT)
    for voice, part in zip(found.voices, (0.2, 0.8), strict=True):
        np.testing.assert_allclose(voice, part * heard(film), atol=1e-5)
    named = separate(film, ["violin", "tuba"], network=BRIGHT, detector=Band())
    np.testing.assert_allclose(named.voices, found.voices[::-1], atol=1e-6)


def test_a_mask_of_ones_gives_the_mixture_back(film):
    white = Clip(np.full_like(film.frames, 255), film.fps, film.audio, film.rate)
    found = separate(white, BOXES, network=BRIGHT)
    for voice in found.voices:
        np.testing.assert_allclose(voice, heard(film), atol=1e-5)
    np.testing.assert_allclose(found.background, -heard(film), atol=1e-5)


def test_an_object_is_shown_by_the_pictures_in_which_it_is_seen(film):
    class Late(Band):
        def detect(self, frames):
            box = (10.0, 10.0, 20.0, 20.0)
            return [[Detection("cello", 0.9, box)] if t >= 5 else [] for t in range(len(frames))]

    frames = film.frames.copy()
    frames[10:] = 204
    turned = Clip(frames, film.fps, film.audio, film.rate)
    late = separate(turned, network=BRIGHT, detector=Late())
    np.testing.assert_allclose(late.voices[0], 0.8 * heard(film), atol=1e-5)
    through = separate(turned, BOXES[:1], network=BRIGHT)
    np.testing.assert_allclose(through.voices[0], 0.5 * heard(film), atol=1e-5)


def test_objects_in_another_order_give_the_same_voices_in_that_order(film):
    for one, other in (
        (["violin", "flute", "tuba"], ["tuba", "flute", "violin"]),
        (BOXES, BOXES[::-1]),
    ):
        a, b = (separate(film, o, network=BRIGHT, detector=Band()) for o in (one, other))
        np.testing.assert_allclose(a.voices, b.voices[::-1], atol=1e-6)
        np.testing.assert_array_equal(a.regions, b.regions[::-1])
        assert not np.allclose(a.voices[0], a.voices[-1], atol=1e-3)


def test_who_is_not_asked_for_does_not_change_a_voice(film):
    both, alone = (separate(film, b, network=BRIGHT) for b in (BOXES, BOXES[1:]))
    np.testing.assert_allclose(alone.voices[0], both.voices[1], atol=1e-6)
    assert len(alone.voices) == 1 and alone.background.any()


def test_twice_as_loud_in_is_twice_as_loud_out(film):
    soft = separate(film, BOXES, network=separator()).voices
    for gain in (2.0, 1e-3):
        loud = separate(film.with_audio(gain * film.audio), BOXES, network=separator()).voices
        np.testing.assert_allclose(loud, gain * soft, atol=1e-4 * gain)


def test_the_surest_are_taken_where_a_number_is_asked_for(film):
    for wanted, names in (
        (1, ("violin",)),
        (2, ("tuba", "violin")),
        (3, ("tuba", "flute", "violin")),
    ):
        assert separate(film, wanted, network=BRIGHT, detector=Band()).names == names


def test_who_is_seen_too_seldom_must_be_asked_for(film):
    assert 1 / VIEWS < FEWEST
    assert separate(film, "flute", network=BRIGHT, detector=Band()).names == ("flute",)


def test_detections_bring_their_names_and_two_of_a_class_are_numbered(film):
    given = [Detection(n, 0.5, b) for n, b in zip(("violin", "violin"), BOXES, strict=True)]
    found = separate(film, given, network=BRIGHT)
    assert found.names == ("violin", "violin 2")
    assert separate(film, given * 2, network=BRIGHT).names[2:] == ("violin 3", "violin 4")
    plain = separate(film, np.array(BOXES), network=BRIGHT)
    assert plain.names == ("object 1", "object 2")
    np.testing.assert_array_equal(found.voices, plain.voices)
    assert (found.regions == np.array(BOXES)[:, None]).all()


@pytest.mark.parametrize("rate", [8000, 11025, 44100])
def test_any_audio_rate_will_do(rate):
    film = example(count=12, height=64, width=96, rate=rate)
    found = separate(film, BOXES, network=BRIGHT)
    assert found.voices.shape == (2, len(heard(film))) and found.rate == PAPER.rate
    assert abs(len(heard(film)) / PAPER.rate - film.seconds) < 1e-3


@pytest.mark.parametrize("count", [1, 3, VIEWS + 1])
def test_clips_of_few_pictures_and_shorter_than_the_networks_window_will_do(count):
    film = example(count=count, fps=count / 0.3, height=64, width=96)
    assert len(heard(film)) < TINY.samples
    found = separate(film, network=BRIGHT, detector=Band())
    assert found.voices.shape == (len(found.names), len(heard(film)))
    assert found.regions.shape == (len(found.names), count, 4)


def test_a_network_in_training_mode_separates_as_in_eval_mode(film):
    still = separate(film, BOXES, network=separator()).voices
    np.testing.assert_array_equal(separate(film, BOXES, network=separator().train()).voices, still)


def test_shipped_weights_are_loaded_once_and_only_where_none_are_given(film, monkeypatch):
    asked = []
    monkeypatch.setattr(recipes, "detector", lambda: asked.append("detector") or Band())
    monkeypatch.setattr(recipes, "load", lambda name: asked.append(name) or BRIGHT)
    door.shipped.cache_clear()
    try:
        separate(film, BOXES, network=BRIGHT)
        assert not asked
        for _ in range(2):
            assert separate(film).names == ("tuba", "violin")
        assert asked == ["detector", "co_separation_0"]
    finally:
        door.shipped.cache_clear()


def refused(told, film, *args, error=ValueError, **options):
    with pytest.raises(error, match=told):
        separate(film, *args, **{"network": BRIGHT, "detector": Band(), **options})


def test_what_is_not_seen_cannot_be_listened_to(film):
    lost = "no object found in 8 pictures of clip 'example'; wanted 1 or more, out of violin, tuba"
    refused(lost, film, detector=Blind(), error=NoObjectError)
    seen = "violin, tuba, flute found in 8 pictures of clip 'example'; wanted"
    refused(f"{seen} 4 or more.*give boxes", film, 4, error=NoObjectError)
    refused(f"{seen} cello and tuba", film, ["cello", "tuba"], error=NoObjectError)


def test_names_off_the_vocabulary_and_names_given_twice_are_refused(film):
    refused(r"'gong'.*each once, out of violin, tuba, flute, cello.*give boxes", film, ["gong"])
    refused("each once", film, ["tuba", "tuba"])


@pytest.mark.parametrize(
    ("box", "told"),
    [
        (
            (97, 0, 10, 10),
            "96 x 64 px; give one with an area that meets the picture",
        ),
        ((-20, 0, 20, 10), "that meets the picture"),
        ((0, 0, 0, 10), "with an area"),
        ((0, 0, 10, -1), "with an area"),
        ((0, np.nan, 10, 10), "in pictures of 96 x 64 px; expected x, y, width, height"),
        ((0, 0, np.inf, 10), "expected x, y, width, height"),
        ((0, 0, 1e6, 1e6), "at most twice the picture's"),
        ((0, 0, 10), "expected x, y, width, height"),
        ("tuba", "expected x, y, width, height"),
    ],
)
def test_boxes_that_show_nothing_are_refused(film, box, told):
    refused(told, film, [BOXES[0], box])


def test_other_kinds_of_objects_are_refused(film):
    for objects in ([], np.zeros((0, 4)), {"violin": 1}, film):
        refused("neither a number nor a list that holds something", film, objects)
    refused("in a list", film, BOXES[0])
    for number in (0, -1, 1.5, np.nan):
        refused("give a whole number of objects", film, number)


def test_silent_and_very_short_clips_are_refused(film):
    refused("'example' is silent below 5.5 kHz", film.with_audio(0 * film.audio))
    blink = Clip(film.frames[:1], 25.0, film.audio[:1400], film.rate, "blink")
    refused(r"'blink' lasts 0.0875 s.*one window of 0.0927 s", blink)


def test_what_is_no_clip_is_refused():
    refused(r"of type str.*clip\.read\(path\)", "band.mp4")


@pytest.mark.parametrize("kind", ["mix_and_separate", "sound_of_pixels"])
def test_networks_that_see_whole_pictures_are_refused(film, kind):
    refused(f"{kind}' sees whole pictures", film, network=separator(kind=kind))


def test_a_hop_of_nothing_is_refused(film):
    refused("hop=0 given", film, hop=0)
