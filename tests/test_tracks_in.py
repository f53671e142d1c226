"""Which faces a method is to look at: a number, all, or tracks that are known already."""

import numpy as np
import pytest

from avsep_core.clip import side_by_side
from avsep_core.faces import NoFaceError, Track, tracks_in
from avsep_core.synthetic import talkers


@pytest.fixture(scope="module")
def pair():
    """Two drawn talkers side by side for 0.4 s, and where their faces are."""
    said = [talkers.speak(who, seed=3, seconds=0.4, rate=8000) for who in ("t01", "t02")]
    film = side_by_side([one.clip for one in said])
    right = said[1].face + [said[0].clip.frames.shape[2], 0, 0, 0]
    return film.frames, [Track.known(said[0].face), Track.known(right)]


def centres(tracks):
    return np.array([np.median(t.boxes[:, 0] + t.boxes[:, 2] / 2) for t in tracks])


@pytest.mark.parametrize("faces", [None, 2, np.int64(2)])
def test_faces_are_followed_from_left_to_right(pair, faces):
    frames, known = pair
    np.testing.assert_allclose(centres(tracks_in(frames, faces)), centres(known), atol=15)


def test_one_face_may_be_asked_for_though_there_are_two(pair):
    assert len(tracks_in(pair[0], 1)) == 1


@pytest.mark.parametrize("kind", [list, tuple, iter])
def test_tracks_that_are_known_are_taken_as_they_are_in_the_order_given(pair, kind):
    frames, known = pair
    found = tracks_in(frames, kind(known[::-1]))
    assert found == known[::-1], "the same objects: no detector has looked"
    assert tracks_in(0 * frames, known) == known, "in the dark too"


def test_tracks_of_another_length_are_refused(pair):
    frames, known = pair
    short = Track.known(known[1].boxes[:4])
    with pytest.raises(ValueError, match="a track of 4 frames was given for a clip of 10"):
        tracks_in(frames, [known[0], short])


@pytest.mark.parametrize("faces", [[], "two", 2.0, [1, 2]])
def test_what_is_neither_a_number_nor_tracks_is_refused(pair, faces):
    with pytest.raises(ValueError, match="neither a number nor tracks"):
        tracks_in(pair[0], faces)


def test_boxes_and_a_single_track_are_refused(pair):
    frames, known = pair
    for faces in (known[0], known[0].boxes, [t.boxes for t in known]):
        with pytest.raises(ValueError, match="neither a number nor tracks"):
            tracks_in(frames, faces)


def test_more_faces_than_there_are_and_none_are_refused(pair):
    with pytest.raises(NoFaceError, match="asked to follow 3 faces"):
        tracks_in(pair[0], 3)
    with pytest.raises(ValueError, match="faces is 0"):
        tracks_in(pair[0], 0)
