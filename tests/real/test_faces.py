"""Lessons about faces, on recordings of people: GRID, a debate, and clips without a usable face."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from avsep_core import clip, faces
from avsep_core.faces import NoFaceError, Track

pytestmark = pytest.mark.real

GRID = ["bbaf2n", "pwij3p", "sbwe5n", "brbk7n", "lbbc2a", "lrwp9a"]
GRID += ["s1/bbwm4n", "s1/bgin3a", "s1/brif6p", "s1/bwbg8n"]

# Where the lips meet in the first frame, x and y in px, read off the enlarged pictures by eye.
MOUTHS = {
    "bbaf2n": (159, 219),
    "pwij3p": (182, 208),
    "sbwe5n": (182, 206),
    "brbk7n": (169, 224),
    "lbbc2a": (188, 233),
    "lrwp9a": (189, 218),
    "s1/bbwm4n": (173, 205),
    "s1/bgin3a": (168, 216),
    "s1/brif6p": (163, 215),
    "s1/bwbg8n": (156, 207),
}


def centres(boxes: np.ndarray) -> np.ndarray:
    return boxes[:, :2] + boxes[:, 2:] / 2


@pytest.fixture(scope="module")
def film(shared_data: Path) -> Callable[[str], np.ndarray]:
    kept: dict[str, np.ndarray] = {}

    def frames(name: str) -> np.ndarray:
        if name not in kept:
            kept[name] = clip.read(shared_data / "grid" / f"{name}.mpg").frames
        return kept[name]

    return frames


@pytest.fixture(scope="module")
def track(film: Callable[[str], np.ndarray]) -> Callable[[str], Track]:
    kept: dict[str, Track] = {}

    def follow(name: str) -> Track:
        if name not in kept:
            (kept[name],) = faces.follow(film(name))
        return kept[name]

    return follow


@pytest.mark.parametrize("name", GRID)
def test_one_face_is_seen_in_every_frame(name: str, track: Callable[[str], Track]) -> None:
    assert len(track(name)) == 75
    assert track(name).seen.all()


@pytest.mark.parametrize("name", GRID)
def test_lip_box_moves_less_than_half_a_pixel_from_frame_to_frame(
    name: str, track: Callable[[str], Track]
) -> None:
    steps = np.diff(centres(track(name).lips), axis=0)
    assert np.sqrt((steps**2).sum(axis=1).mean()) < 0.5


@pytest.mark.parametrize("name", GRID)
def test_lip_box_is_centred_on_the_mouth(name: str, track: Callable[[str], Track]) -> None:
    offset = centres(track(name).lips)[0] - MOUTHS[name]
    assert np.abs(offset).max() < 7


@pytest.mark.parametrize("name", GRID)
def test_the_mouth_is_what_changes_in_the_crops(
    name: str, film: Callable[[str], np.ndarray], track: Callable[[str], Track]
) -> None:
    crops = faces.crop_lips(film(name), track(name)).mean(-1)
    change = crops.var(axis=0)
    middle = change[8:24, 12:36].mean()
    rim = np.concatenate([change[:4].ravel(), change[:, :4].ravel(), change[:, -4:].ravel()])
    assert middle > 4 * rim.mean()


@pytest.mark.parametrize("name", GRID[:6])
def test_lip_box_follows_a_moving_camera(
    name: str, film: Callable[[str], np.ndarray], track: Callable[[str], Track]
) -> None:
    seconds = np.arange(75) / 25
    path = np.stack([8 * np.sin(12.6 * seconds), 5 * np.sin(8.2 * seconds)], axis=1)
    shaken = np.stack(
        [
            cv2.warpAffine(
                frame,
                np.array([[1, 0, x], [0, 1, y]]),
                frame.shape[1::-1],
                borderMode=cv2.BORDER_REPLICATE,
            )
            for frame, (x, y) in zip(film(name), path, strict=True)
        ]
    )
    (shaky,) = faces.follow(shaken)
    error = centres(shaky.lips) - centres(track(name).lips) - path
    assert np.sqrt((error**2).sum(axis=1).mean()) < 1.5


@pytest.mark.parametrize("pair", [("bbaf2n", "lbbc2a"), ("pwij3p", "sbwe5n"), ("brbk7n", "lrwp9a")])
def test_two_people_side_by_side_are_followed_as_each_alone(
    pair: tuple[str, str], film: Callable[[str], np.ndarray], track: Callable[[str], Track]
) -> None:
    both = np.concatenate([film(name) for name in pair], axis=2)
    tracks = faces.follow(both, faces=2)
    for shift, name, found in zip((0, 360), pair, tracks, strict=True):
        assert found.seen.all()
        assert np.abs(centres(found.lips) - centres(track(name).lips) - (shift, 0)).max() < 2.5


def test_two_people_who_turn_their_heads_in_a_debate_are_told_from_a_necktie(
    shared_data: Path,
) -> None:
    debate = clip.read(shared_data / "video" / "clearvoice_001.avi", size=(360, 640)).frames
    left, right = faces.follow(debate, faces=2)
    assert 0.5 < left.seen.mean() < 1 and right.seen.mean() > 0.9
    assert (centres(left.boxes)[:, 0] < 320).all() and (centres(right.boxes)[:, 0] > 320).all()
    assert (centres(left.boxes)[:, 1] < 160).all() and (centres(right.boxes)[:, 1] < 160).all()


@pytest.mark.parametrize("name", ["greatesthits_desk", "solo_violin_vasflow_short5"])
def test_hands_and_profiles_are_an_error_not_a_wrong_box(name: str, shared_data: Path) -> None:
    with pytest.raises(NoFaceError, match=r"A face must look at the camera"):
        faces.follow(clip.read(shared_data / "video" / f"{name}.mp4").frames)
