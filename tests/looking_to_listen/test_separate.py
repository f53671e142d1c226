"""One door: a film with faces goes in, a voice for each face comes out."""

import json

import numpy as np
import pytest

from avsep_core import weights
from avsep_core.clip import Clip, resample, side_by_side
from avsep_core.faces import NoFaceError, Track
from avsep_core.looking_to_listen import separate as door
from avsep_core.looking_to_listen.network import Network, compact, shipped_separator
from avsep_core.looking_to_listen.separate import apply, separate
from avsep_core.looking_to_listen.vectors import SIZE, FaceNetwork
from avsep_core.synthetic import talkers
from tests.films import example

SMALL = dict(audio=2, last=1, visual=2, lstm=8, fc=16)


def network(faces=2, **changes):
    """A narrow network that has learnt nothing."""
    return Network(compact(faces=faces, voices=faces, **{**SMALL, **changes})).eval()


@pytest.fixture(scope="module")
def seer():
    return FaceNetwork(2, (2, 4, 4, 4)).eval()


@pytest.fixture(scope="module")
def pair():
    """Two drawn talkers side by side for 0.8 s, and where their faces are."""
    said = [talkers.speak(who, seed=3, seconds=0.8, rate=8000) for who in ("t01", "t02")]
    film = side_by_side([one.clip for one in said])
    right = said[1].face + [said[0].clip.frames.shape[2], 0, 0, 0]
    return film, [Track.known(said[0].face), Track.known(right)]


def test_each_face_gets_a_voice_a_mask_and_a_place(pair, seer):
    film, known = pair
    found = separate(film, 2, network=network(), seer=seer)
    assert found.voices.shape == (2, len(film.audio)) and found.rate == 8000
    assert found.names == ("face 1", "face 2") and found.background is None
    assert found.masks.shape == (2, 101, 78) and np.iscomplexobj(found.masks)
    assert found.regions.shape == (2, 20, 4) and found.clip is film
    for box, track in zip(found.regions, known, strict=True):
        gap = np.abs(box[:, 0] + box[:, 2] / 2 - track.boxes[:, 0] - track.boxes[:, 2] / 2)
        assert gap.max() < 15, "face 1 is the left one"


def test_where_there_is_noise_the_rest_is_background(pair, seer):
    film, known = pair
    found = separate(film, known, network=network(background=True), seer=seer)
    assert found.voices.shape == (2, len(film.audio)) and len(found.masks) == 2
    assert found.background.shape == film.audio.shape and found.background.any()


def test_one_face_of_two_may_be_listened_to(pair, seer):
    film, known = pair
    for faces in (1, known[1:]):
        found = separate(film, faces, network=network(1), seer=seer)
        assert found.names == ("face 1",) and found.regions.shape == (1, 20, 4)


def test_without_a_number_all_faces_are_followed(pair, seer):
    assert len(separate(pair[0], network=network(), seer=seer).voices) == 2


@pytest.mark.parametrize("name", ["av2_2s_clean", "av3_3s_clean"])
def test_voices_change_places_with_their_faces(name):
    made = shipped_separator(name)
    who = ("t06", "t47", "t14")[: made.architecture.faces]
    said = [talkers.speak(talker, seed=5, rate=8000) for talker in who]
    width = said[0].clip.frames.shape[2]
    known = [Track.known(one.face + [k * width, 0, 0, 0]) for k, one in enumerate(said)]
    film = side_by_side([one.clip for one in said])
    found = separate(film, known, network=made).voices
    turned = separate(film, known[::-1], network=made).voices[::-1]
    alike = np.corrcoef(found, turned)[: len(who), len(who) :]
    assert np.diag(alike).min() > 0.8
    assert (alike - np.diag(np.diag(alike))).max() < np.diag(alike).min() - 0.3


def test_voices_are_what_the_network_makes_of_sound_and_faces(pair, seer):
    film, known = pair
    made, vectors = network(), [door.track_vectors(seer, film.frames, track) for track in known]
    found = separate(film, known, network=made, seer=seer)
    voices, masks = apply(made, film.audio, np.stack(vectors))
    np.testing.assert_array_equal(found.voices, voices)
    np.testing.assert_array_equal(found.masks, masks)


def test_twice_as_loud_in_is_twice_as_loud_out(rng):
    made, vectors = network(), rng.standard_normal((2, 20, SIZE))
    audio = rng.standard_normal(6400)
    soft, masks = apply(made, audio, vectors)
    for gain in (2.0, 1e-3):
        loud, again = apply(made, gain * audio, vectors)
        np.testing.assert_allclose(loud, gain * soft, atol=1e-4 * gain)
        np.testing.assert_allclose(again, masks, atol=1e-3)


def test_a_mask_of_one_gives_the_mixture_back(rng):
    class Open(Network):
        def forward(self, X, vectors=None):
            M = X.new_zeros(1, 1, 2, *X.shape[2:])
            M[:, :, 0] = 1
            return M

    audio = rng.standard_normal(6400).astype(np.float32)
    made = Open(compact(faces=0, voices=1, **SMALL))
    voices, masks = apply(made, audio, None)
    np.testing.assert_allclose(voices[0, 60:-100], audio[60:-100], atol=1e-4)
    assert (masks == 1).all()
    assert not apply(made, 0 * audio, None)[0].any(), "silence stays silence"


def test_magnitude_masks_are_real(rng):
    _, masks = apply(network(mask="magnitude"), rng.standard_normal(800), np.ones((2, 3, SIZE)))
    assert masks.shape == (2, 101, 8) and masks.dtype == np.float32 and masks.min() >= 0


def test_a_face_that_leaves_is_missing_there_and_the_rest_goes_on(pair, seer):
    film, known = pair
    made = network()
    for seen in (np.arange(20) < 8, np.zeros(20, bool)):
        gone = [known[0], Track.known(known[1].boxes, seen=seen)]
        assert not door.track_vectors(seer, film.frames, gone[1])[~seen].any()
        found = separate(film, gone, network=made, seer=seer)
        assert np.isfinite(found.voices).all() and found.voices.any(1).all()


@pytest.mark.parametrize("rate, fps, count", [(44100, 25, 12), (16000, 30, 20), (8000, 25, 1)])
def test_any_rate_any_frame_rate_and_a_single_picture_will_do(seer, rate, fps, count):
    film = example(count=count, fps=fps, height=64, width=96, rate=rate)
    boxes = [np.tile([[x, 8.0, 40.0, 40.0]], (count, 1)) for x in (4.0, 50.0)]
    found = separate(film, [Track.known(b) for b in boxes], network=network(), seer=seer)
    assert found.voices.shape == (2, len(resample(film.audio, rate, 8000)))
    assert found.rate == 8000 and found.regions.shape == (2, count, 4)


def refused(told, film, *args, error=ValueError, **options):
    with pytest.raises(error, match=told):
        separate(film, *args, **options)


def test_clips_without_enough_faces_are_refused(pair):
    refused("no face was found", example(count=6, height=64, width=96), error=NoFaceError)
    refused("asked to follow 3 faces", pair[0], 3, error=NoFaceError)


def test_silent_and_very_short_clips_are_refused(pair, seer):
    film, known = pair
    refused("is silent", film.with_audio(0 * film.audio), 2)
    loudest = min(int(np.abs(film.audio).argmax()), len(film.audio) - 150)
    short = Clip(film.frames[:1], 25.0, film.audio[loudest : loudest + 150], 8000, "blink")
    tracks = [Track.known(track.boxes[:1]) for track in known]
    refused("'blink' lasts 0.018. s.*0.025 s", short, tracks, network=network(), seer=seer)


def test_networks_for_another_number_of_faces_are_refused(pair):
    film, known = pair
    refused("2 faces .* network for 3", film, known, network=network(3))
    refused("4 faces .* networks for 1, 2, 3 faces without noise", film, known * 2)
    refused("3 faces .* networks for 1, 2 faces with noise", film, [*known, known[0]], noise=True)


def test_tracks_that_do_not_fit_the_clip_are_refused(pair):
    film, known = pair
    part = [Track.known(known[0].boxes[:7])]
    refused("a track of 7 frames was given for a clip of 20", film, part)
    refused("neither a number nor tracks", film, [])
    refused("neither a number nor tracks", film, [known[0].boxes])


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """The file of a small network among the shipped weights."""
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    made = network(1)
    path = tmp_path / "looking_to_listen" / "one.safetensors"
    return weights.save(made, path, card={"architecture": made.architecture.described()})


def test_shipped_weights_make_the_network_again(shipped):
    made = shipped_separator("one")
    assert made.architecture == network(1).architecture and not made.training
    with pytest.raises(ValueError, match=r"two\.safetensors is missing.*there are: one"):
        shipped_separator("two")


def test_damaged_weights_are_refused_by_name(shipped):
    raw = bytearray(shipped.read_bytes())
    raw[-9] ^= 1
    shipped.write_bytes(bytes(raw))
    with pytest.raises(ValueError, match=r"one\.safetensors is damaged"):
        shipped_separator("one")


@pytest.mark.parametrize(
    "changes, told", [({"visual": 3}, "does not fit"), ({"width": 3}, "no network has"),
                      ({"kernel": 4}, "no network has")],
)  # fmt: skip
def test_weights_of_another_architecture_are_refused_by_name(shipped, changes, told):
    card = shipped.with_suffix(".json")
    content = json.loads(card.read_text())
    content["architecture"].update(changes)
    card.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"one\.safetensors.*{told}"):
        shipped_separator("one")
