"""One door: a film with faces goes in, a voice for each face comes out."""

import numpy as np
import pytest

from avsep_core import weights
from avsep_core.clip import Clip, at_fps, resample, side_by_side
from avsep_core.corpora.store import grey_crops
from avsep_core.deep_clustering import separate as door
from avsep_core.deep_clustering.embedding import features, masks_of
from avsep_core.deep_clustering.features import FPS, STFT
from avsep_core.deep_clustering.network import shipped_network
from avsep_core.deep_clustering.separate import separate
from avsep_core.faces import NoFaceError, Track
from avsep_core.synthetic import talkers
from tests.deep_clustering.small import network
from tests.films import example

BY_EAR = "no face was seen: voices are told apart by ear, and nobody knows whose they are"


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """Narrow networks in place of the shipped ones; the names that were asked for."""
    names = []

    def shipped(name):
        names.append(name)
        return network(name.partition("_")[0])

    monkeypatch.setattr(door, "shipped", shipped)
    return names


@pytest.fixture(scope="module")
def pair():
    """Two drawn talkers side by side for 0.8 s, and where their faces are."""
    said = [talkers.speak(who, seed=3, seconds=0.8, rate=16000) for who in ("t01", "t02")]
    film = side_by_side([one.clip for one in said])
    right = said[1].face + [said[0].clip.frames.shape[2], 0, 0, 0]
    return film, [Track.known(said[0].face), Track.known(right)]


def test_each_face_gets_a_voice_a_mask_and_a_place(pair, asked):
    film, known = pair
    found = separate(film)
    assert found.voices.shape == (2, 0.8 * STFT.rate) and found.rate == STFT.rate
    assert found.names == ("face 1", "face 2") and not found.reason and asked == ["avdc"]
    assert found.masks.shape == (2, 129, 101)
    assert set(np.unique(found.masks)) <= {0, 0.5, 1} and (found.masks.sum(0) == 1).all()
    assert found.regions.shape == (2, 20, 4) and found.clip is film
    for box, track in zip(found.regions, known, strict=True):
        gap = np.abs(box[:, 0] + box[:, 2] / 2 - track.boxes[:, 0] - track.boxes[:, 2] / 2)
        assert gap.max() < 15, "face 1 is the left one"


def test_voices_add_up_to_the_mixture(pair):
    film, known = pair
    audio = resample(film.audio, film.rate, STFT.rate)
    np.testing.assert_allclose(separate(film, known).voices.sum(0), audio, atol=1e-4)


def test_masks_are_what_the_network_makes_of_sound_and_faces(pair):
    film, known = pair
    made = network("woa")
    seen = np.stack([grey_crops(film.frames, track.boxes) for track in known])
    audio = resample(film.audio, film.rate, STFT.rate)
    masks = masks_of(made, audio, features(made.lips.pictures, seen), voices=2, seed=5)
    np.testing.assert_array_equal(separate(film, known, network=made, seed=5).masks, masks)


def test_tracks_in_another_order_give_the_same_voices_in_that_order(pair):
    film, known = pair
    one, other = separate(film, known), separate(film, known[::-1])
    np.testing.assert_array_equal(one.voices, other.voices[::-1])
    np.testing.assert_array_equal(one.regions, other.regions[::-1])


def test_people_who_speak_and_are_not_seen_come_last(pair, asked):
    film, known = pair
    found = separate(film, known, speakers=3)
    assert found.names == ("face 1", "face 2", "unseen 1") and asked == ["avdc_3"]
    assert found.reason.startswith("1 of 3 voices have no face")
    assert found.voices.shape[0] == len(found.masks) == 3 and len(found.regions) == 2
    alone = separate(film, known[:1], speakers=2)
    assert alone.names == ("face 1", "unseen 1") and alone.voices.any(1).all()


def test_beyond_three_voices_the_network_for_three_is_asked(pair, asked):
    film, known = pair
    found = separate(film, known, speakers=5)
    assert found.names[2:] == ("unseen 1", "unseen 2", "unseen 3") and asked == ["avdc_3"]


def test_without_a_face_the_voices_are_told_apart_by_ear_and_it_says_so(asked):
    film = example(count=12, height=64, width=96)
    found = separate(film, speakers=2)
    assert found.names == ("voice 1", "voice 2") and found.reason == BY_EAR and asked == ["dc"]
    assert found.regions is None and found.voices.shape == (2, 0.48 * STFT.rate)
    assert separate(film, speakers=4).names[-1] == "voice 4" and asked[-1] == "dc_3"


def test_tracks_of_faces_that_are_never_seen_are_as_good_as_none(pair, asked):
    film, known = pair
    unseen = [Track.known(track.boxes, seen=np.zeros(20, bool)) for track in known]
    found = separate(film, unseen)
    assert found.names == ("voice 1", "voice 2") and found.reason == BY_EAR and asked == ["dc"]
    half = separate(film, [known[0], unseen[1]])
    assert half.names == ("face 1", "face 2") and not half.reason and asked[-1] == "avdc"


def test_a_face_that_is_away_is_missing_there_whatever_is_in_the_picture(pair):
    film, known = pair
    gone = np.arange(20) < 8
    away = [known[0], Track.known(known[1].boxes, seen=~gone)]
    found = separate(film, away)
    assert found.names == ("face 1", "face 2") and found.voices.any(1).all()
    frames = film.frames.copy()
    frames[:7, :, film.frames.shape[2] // 2 :] = 0  # the eighth is next to one that is seen
    dark = Clip(frames, film.fps, film.audio, film.rate, "dark")
    np.testing.assert_array_equal(separate(dark, away).masks, found.masks)
    assert not np.array_equal(separate(dark, known).masks, separate(film, known).masks)


def test_faces_that_are_never_seen_at_once_will_do(pair):
    film, known = pair
    early = np.arange(20) < 10
    turns = [Track.known(t.boxes, seen=s) for t, s in zip(known, (early, ~early), strict=True)]
    assert separate(film, turns).names == ("face 1", "face 2")


def tracks(count):
    """Two places in a small film."""
    return [Track.known(np.tile([[x, 8.0, 40.0, 40.0]], (count, 1))) for x in (4.0, 50.0)]


@pytest.mark.parametrize(
    ("rate", "fps", "count"), [(44100, 25, 12), (16000, 30, 20), (8000, 25, 1), (16000, 12.5, 9)]
)
def test_any_rate_any_frame_rate_and_a_single_picture_will_do(rate, fps, count):
    film = example(count=count, fps=fps, height=64, width=96, rate=rate)
    found = separate(film, tracks(count))
    assert found.voices.shape == (2, len(resample(film.audio, rate, STFT.rate)))
    assert found.rate == STFT.rate and found.regions.shape == (2, count, 4)


def test_pictures_of_another_rate_are_shown_at_their_instants():
    film = example(count=24, fps=30, height=64, width=96)
    slow = Clip(at_fps(film.frames, 30, FPS), FPS, film.audio, film.rate, "slow")
    one, other = separate(film, tracks(24)), separate(slow, tracks(20))
    np.testing.assert_array_equal(one.masks, other.masks)


@pytest.mark.parametrize("count", [5, 40])
def test_pictures_may_end_before_the_sound_or_after_it(count):
    film = example(count=20, height=64, width=96)
    frames = np.resize(film.frames, (count, *film.frames.shape[1:]))
    found = separate(Clip(frames, 25.0, film.audio, film.rate, "uneven"), tracks(count))
    assert found.voices.shape == (2, 0.8 * STFT.rate) and found.voices.any(1).all()


def refused(told, film, *args, error=ValueError, **options):
    with pytest.raises(error, match=told):
        separate(film, *args, **options)


def test_silent_and_very_short_clips_are_refused(pair):
    film, known = pair
    refused("is silent", film.with_audio(0 * film.audio), known)
    loudest = min(int(np.abs(film.audio).argmax()), len(film.audio) - 300)
    short = Clip(film.frames[:1], 25.0, film.audio[loudest : loudest + 300], 16000, "blink")
    one = [Track.known(track.boxes[:1]) for track in known]
    refused(r"'blink' lasts 0.018. s.*0\.032 s", short, one)


def test_one_voice_cannot_be_clustered(pair):
    film, known = pair
    refused(r"1 voice\(s\) and 1 face\(s\).*speakers=2", film, known[:1])
    refused(r"1 voice\(s\) and 1 face\(s\)", film, 1)
    refused(r"1 voice\(s\) and 0 face\(s\)", example(count=6, height=64, width=96), speakers=1)


def test_fewer_speakers_than_faces_and_numbers_that_are_none_are_refused(pair):
    film, known = pair
    refused(r"2 voice\(s\) and 3 face\(s\)", film, [*known, known[0]], speakers=2)
    for speakers in (0, 2.5, "two"):
        refused("speakers is .*whole number of people", film, known, speakers=speakers)


@pytest.mark.parametrize("kind", ["dc", "upit"])
def test_a_network_that_does_not_look_is_refused(pair, kind):
    refused(f"kind '{kind}' sees no faces", *pair, network=network(kind))


def test_clips_without_enough_faces_are_refused(pair):
    nobody = example(count=6, height=64, width=96)
    refused("no face was found.*speakers=2 to tell voices apart by ear", nobody, error=NoFaceError)
    with pytest.raises(NoFaceError, match="asked to follow 3 faces") as error:
        separate(pair[0], 3, speakers=3)
    assert "by ear" not in str(error.value), "who asks for faces is not told to listen"


def test_tracks_that_do_not_fit_the_clip_are_refused(pair):
    film, known = pair
    part = [Track.known(known[0].boxes[:7])]
    refused("a track of 7 frames was given for a clip of 20", film, [known[0], *part])
    refused("neither a number nor tracks", film, [])
    refused("neither a number nor tracks", film, known[0])


def test_shipped_networks_are_named_where_they_are_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    made = network()
    path = tmp_path / "deep_clustering" / "avdc.safetensors"
    weights.save(made, path, card={"architecture": made.architecture.described()}, bits=8)
    loaded = shipped_network("avdc")
    assert loaded.architecture == made.architecture and not loaded.training
    np.testing.assert_array_equal(loaded.own, made.own)
    with pytest.raises(ValueError, match=r"dc\.safetensors is missing.*there are: avdc"):
        shipped_network("dc")


@pytest.mark.parametrize("name", ["avdc", "avdc_3"])
def test_shipped_networks_give_each_face_its_own_voice_wherever_it_sits(name):
    made = shipped_network(name)
    who = ("t06", "t47", "t14")[: made.architecture.voices]
    said = [talkers.speak(talker, seed=5, rate=STFT.rate) for talker in who]
    width = said[0].clip.frames.shape[2]
    known = [Track.known(one.face + [k * width, 0, 0, 0]) for k, one in enumerate(said)]
    film = side_by_side([one.clip for one in said])
    found = separate(film, known, network=made).voices
    own = np.corrcoef([one.clip.audio for one in said], found)[: len(who), len(who) :]
    others = own - 2 * np.diag(np.diag(own))
    assert (np.diag(own) > others.max(axis=0) + 0.1).all(), "each voice is its own talker's"
    turned = separate(film, known[::-1], network=made).voices[::-1]
    np.testing.assert_allclose(turned, found, atol=1e-4)
