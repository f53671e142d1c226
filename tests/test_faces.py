"""Lessons about faces: found where they were drawn, followed without jitter, cut out steadily."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core import faces
from avsep_core.faces import NoFaceError, Track
from avsep_core.synthetic import talkers

MOUTH = np.array([64.0, 92.0])  # px: where `drawing` puts the mouth of a head that stands still


def drawing(opening: float, skin: tuple[int, int, int] = (225, 180, 150)) -> np.ndarray:
    """Draw a plain face, 256 x 256, with the mouth open by 0 to 1 and its centre at (128, 184)."""
    picture = np.full((256, 256, 3), (120, 150, 170), np.uint8)

    def oval(
        centre: tuple[int, int],
        radii: tuple[int, int],
        colour: tuple[int, int, int],
        arc: tuple[int, int] = (0, 360),
        thick: int = -1,
    ) -> None:
        cv2.ellipse(picture, centre, radii, 0, *arc, colour, thick, cv2.LINE_AA)

    oval((128, 118), (78, 98), (60, 40, 30))
    oval((128, 138), (66, 86), skin)
    for x in (102, 154):
        oval((x, 120), (17, 10), (190, 140, 115))
        oval((x, 122), (12, 6), (250, 250, 250))
        oval((x, 122), (6, 6), (50, 30, 20))
        oval((x, 110), (18, 9), (70, 45, 30), (200, 340), 5)
    oval((128, 150), (9, 16), (205, 155, 125))
    oval((128, 162), (13, 5), (170, 115, 95))
    oval((128, 184), (26, 8 + round(10 * opening)), (180, 80, 80))
    oval((128, 184), (20, 1 + round(9 * opening)), (60, 20, 25))
    return cv2.GaussianBlur(picture, (0, 0), 2)


def talking(path: np.ndarray, skin: tuple[int, int, int] = (225, 180, 150)) -> np.ndarray:
    """Film the drawn face at 128 x 128, head moved along `path` (frames, 2) px, camera noisy."""
    noise = np.random.default_rng(0)
    film = []
    for frame, (x, y) in enumerate(path):
        picture = cv2.warpAffine(
            drawing(abs(np.sin(0.28 * frame)), skin),
            np.array([[0.5, 0, x - 0.25], [0, 0.5, y - 0.25]]),
            (128, 128),
            borderMode=cv2.BORDER_REPLICATE,
        )
        film.append(np.clip(picture + noise.normal(0, 2, picture.shape), 0, 255))
    return np.array(film, np.uint8)


def sway(frames: int) -> np.ndarray:
    """Move a head by some 9 px to the sides and 5 px up and down, in under a second."""
    seconds = np.arange(frames) / 25
    return np.stack([9 * np.sin(5 * seconds), 5 * np.cos(3.8 * seconds)], axis=1)


def centres(boxes: np.ndarray) -> np.ndarray:
    return boxes[:, :2] + boxes[:, 2:] / 2


def rms_step(points: np.ndarray) -> float:
    return float(np.sqrt((np.diff(points, axis=0) ** 2).sum(axis=1).mean()))


@pytest.fixture(scope="module")
def still() -> np.ndarray:
    return talking(np.zeros((40, 2)))


@pytest.fixture(scope="module")
def swaying() -> np.ndarray:
    return talking(sway(40))


@pytest.mark.parametrize("side", [64, 128, 256, 512])
def test_a_face_is_found_where_it_was_drawn_at_every_picture_size(side: int) -> None:
    picture = cv2.resize(drawing(0.3), (side, side), interpolation=cv2.INTER_AREA)
    boxes = faces.detect(picture)
    assert boxes.shape == (1, 4) and boxes.dtype == np.float32
    assert np.allclose(centres(boxes)[0] / side, (0.5, 0.52), atol=0.03)


def test_faces_in_one_picture_come_from_left_to_right() -> None:
    small = cv2.resize(drawing(0), (128, 128), interpolation=cv2.INTER_AREA)
    boxes = faces.detect(np.concatenate([small, small, small], axis=1))
    assert np.allclose(centres(boxes)[:, 0], [64, 192, 320], atol=5)


def test_a_picture_without_a_face_gives_an_empty_list_of_boxes(rng: np.random.Generator) -> None:
    noise = rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    assert faces.detect(noise).shape == (0, 4)


def test_lip_box_stays_on_the_mouth_of_a_swaying_head(swaying: np.ndarray) -> None:
    (track,) = faces.follow(swaying)
    error = centres(track.lips) - (MOUTH + sway(40))
    assert track.seen.all()
    assert np.abs(error).max() < 2
    assert error.std(axis=0).max() < 0.5


def test_lip_box_grows_with_a_head_that_comes_closer() -> None:
    zoom = 1 + 0.25 * np.linspace(-1, 1, 40)
    film = np.stack(
        [
            cv2.warpAffine(
                drawing(abs(np.sin(0.28 * t))),
                np.array([[z / 2, 0, 64 * (1 - z)], [0, z / 2, 64 * (1 - z)]]),
                (128, 128),
                borderMode=cv2.BORDER_REPLICATE,
            )
            for t, z in enumerate(zoom)
        ]
    )
    (track,) = faces.follow(film)
    growth = track.lips[:, 2] / track.lips[:, 2].mean()
    assert np.abs(growth / (zoom / zoom.mean()) - 1).max() < 0.05
    assert np.abs(centres(track.lips) - (64 + zoom[:, None] * (MOUTH - 64))).max() < 3


@pytest.mark.parametrize("light", [0.15, 0.5])
def test_a_face_in_dim_light_is_followed_as_in_bright_light(
    light: float, swaying: np.ndarray
) -> None:
    (bright,), (dim,) = faces.follow(swaying), faces.follow((swaying * light).astype(np.uint8))
    assert dim.seen.all()
    assert np.abs(dim.lips - bright.lips).max() < 2


def test_speech_does_not_move_the_lip_box(still: np.ndarray) -> None:
    (track,) = faces.follow(still)
    assert rms_step(centres(track.lips)) < 0.2
    assert np.ptp(track.lips[:, 2]) < 1


def test_flow_and_cascade_together_jitter_less_than_the_cascade_alone(still: np.ndarray) -> None:
    alone = np.concatenate([faces.detect(frame) for frame in still])
    assert len(alone) == len(still)
    together = faces.follow(still)[0].boxes
    assert rms_step(centres(together)) < 0.05 * rms_step(centres(alone))


def test_two_faces_keep_their_order_and_are_never_swapped() -> None:
    path = sway(40)
    pale, dark = (235, 200, 175), (150, 105, 80)
    film = np.concatenate([talking(path, dark), talking(-path, pale)], axis=2)
    left, right = faces.follow(film, faces=2)
    assert np.abs(centres(left.lips) - (MOUTH + path)).max() < 2.5
    assert np.abs(centres(right.lips) - (MOUTH + (128, 0) - path)).max() < 2.5
    assert faces.crop_lips(film, left).mean() < faces.crop_lips(film, right).mean() - 30


def test_one_face_that_jumps_and_comes_back_is_never_counted_as_two() -> None:
    jump = np.zeros((40, 2))
    jump[8:14, 0], jump[14:24, 0] = 75, np.linspace(75, 0, 10)
    wide = np.pad(talking(0 * jump), ((0, 0), (0, 0), (0, 80), (0, 0)), mode="edge")
    film = np.stack(
        [
            cv2.warpAffine(
                frame,
                np.array([[1, 0, x], [0, 1, 0]]),
                (208, 128),
                borderMode=cv2.BORDER_REPLICATE,
            )
            for frame, (x, _) in zip(wide, jump, strict=True)
        ]
    )
    with pytest.raises(NoFaceError, match="found 1"):
        faces.follow(film, faces=2)
    assert len(faces.follow(film)) == 1


def test_the_faces_with_most_evidence_are_kept_when_fewer_are_asked_for(
    still: np.ndarray,
) -> None:
    leaving = still.copy()
    leaving[28:] = leaving[:1, :2, :2].mean(axis=(1, 2), keepdims=True)
    (track,) = faces.follow(np.concatenate([leaving, still], axis=2))
    assert np.allclose(centres(track.lips), MOUTH + (128, 0), atol=2.5)


def test_a_face_hidden_for_a_while_is_marked_and_interpolated(swaying: np.ndarray) -> None:
    film = swaying.copy()
    film[15:21, 40:, :] = 90
    (track,) = faces.follow(film)
    assert not track.seen[15:21].any() and track.seen[:15].all() and track.seen[21:].all()
    assert np.abs(centres(track.lips) - (MOUTH + sway(40))).max() < 4


def test_a_face_that_comes_late_is_marked_as_missing_before(still: np.ndarray) -> None:
    film = still.copy()
    film[:9] = 128
    (track,) = faces.follow(film)
    assert np.array_equal(np.flatnonzero(~track.seen), np.arange(9))
    assert np.allclose(centres(track.lips), MOUTH, atol=2.5)


def test_a_face_seen_too_rarely_is_an_error_that_says_how_often_it_was_seen(
    still: np.ndarray,
) -> None:
    film = still.copy()
    film[10:] = 128
    with pytest.raises(NoFaceError, match=r"frames in which faces were seen: 10\)"):
        faces.follow(film)
    (track,) = faces.follow(film, at_least=0.2)
    assert track.seen.sum() == 10 and np.isfinite(track.lips).all()


def test_more_faces_than_are_there_is_an_error_that_says_what_to_do(still: np.ndarray) -> None:
    with pytest.raises(
        NoFaceError, match=r"asked to follow 2 faces, found 1.*as many faces as there are"
    ):
        faces.follow(still, faces=2)
    with pytest.raises(NoFaceError, match=r"faces were seen: none.*crop the frames"):
        faces.follow(np.full((3, 64, 64, 3), 100, np.uint8))


def test_a_single_frame_can_be_followed(still: np.ndarray) -> None:
    (track,) = faces.follow(still[:1])
    assert len(track) == 1 and track.boxes.shape == track.lips.shape == (1, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: faces.follow(f[:0]), "empty"),
        (lambda f: faces.follow(f[0]), r"\(frames, height, width, 3\)"),
        (lambda f: faces.follow(f.astype(np.float32)), "uint8"),
        (lambda f: faces.follow(f[..., 0]), "given"),
        (lambda f: faces.follow(f[:, :40]), "at least 48 px"),
        (lambda f: faces.follow(f, faces=0), "1 or more"),
        (lambda f: faces.follow(f, at_least=0), "at_least"),
        (lambda f: faces.follow(f, smallest=2), "smallest"),
        (lambda f: faces.detect(f[0, :, :40]), "at least 48 px"),
        (lambda f: faces.detect(f), "single picture"),
        (lambda f: faces.crop(f, np.ones((3, 4)), size=(8, 8)), "as many boxes"),
        (lambda f: faces.crop(f, np.ones((len(f), 4)), size=(0, 8)), "size"),
        (lambda f: faces.crop(f, np.zeros((len(f), 4)), size=(8, 8)), "above zero"),
        (lambda f: faces.flow(f[:1]), "two frames"),
        (lambda f: faces.flow(f[:, :8]), "at least 16 px"),
        (lambda f: Track.known(np.ones((3, 4)), np.ones((2, 4))), "3, 2 and 3"),
        (lambda f: Track.known(np.ones(4)), r"\(frames, 4\)"),
        (lambda f: Track.known(np.zeros((3, 4))), "above zero"),
    ],
)
def test_bad_input_is_a_clear_error(
    call: Callable[[np.ndarray], object], message: str, still: np.ndarray
) -> None:
    with pytest.raises(ValueError, match=message):
        call(still)


def test_a_crop_at_whole_pixels_and_scale_one_copies_the_pixels(rng: np.random.Generator) -> None:
    frames = rng.integers(0, 256, (4, 60, 70, 3), dtype=np.uint8)
    boxes = np.array([[3 + t, 5, 48, 32] for t in range(4)])
    crops = faces.crop(frames, boxes, size=(32, 48))
    for t in range(4):
        assert np.array_equal(crops[t], frames[t, 5:37, 3 + t : 51 + t])


def test_a_crop_by_half_a_pixel_is_the_mean_of_neighbours(rng: np.random.Generator) -> None:
    frames = rng.integers(0, 256, (1, 60, 70, 3), dtype=np.uint8)
    crop = faces.crop(frames, np.array([[3.5, 5, 48, 32]]), size=(32, 48))[0].astype(float)
    part = frames[0, 5:37, 3:52].astype(float)
    assert np.abs(crop - (part[:, :-1] + part[:, 1:]) / 2).max() <= 1


def test_a_crop_at_a_third_of_the_scale_averages_nine_pixels(rng: np.random.Generator) -> None:
    frames = rng.integers(0, 256, (1, 108, 150, 3), dtype=np.uint8)
    crop = faces.crop(frames, np.array([[4, 6, 144, 96]]), size=(32, 48))[0].astype(float)
    blocks = frames[0, 6:102, 4:148].reshape(32, 3, 48, 3, 3).mean(axis=(1, 3))
    assert np.abs(crop - blocks).max() <= 1


def test_the_picture_does_not_breathe_when_boxes_change_their_size(still: np.ndarray) -> None:
    frames = np.repeat(still[:1], 5, axis=0)
    sizes = np.array([30, 33, 36, 39, 42])[:, None] * (1.5, 1)
    boxes = np.concatenate([MOUTH - sizes / 2, sizes], axis=1)
    crops = faces.crop(frames, boxes, size=(32, 48))
    assert (crops == crops[:1]).all()


def test_a_crop_keeps_proportions_and_shows_more_instead() -> None:
    square = np.zeros((1, 100, 100, 3), np.uint8)
    square[:, 40:60, 40:60] = 255
    crop = faces.crop(square, np.array([[30, 30, 40, 40]]), size=(20, 60))[0, :, :, 0] > 127
    assert crop.any(axis=0).sum() == crop.any(axis=1).sum() == 10


def test_beyond_the_frame_the_edge_is_repeated() -> None:
    frames = np.full((1, 50, 50, 3), 77, np.uint8)
    assert (faces.crop(frames, np.array([[-30, 40, 48, 32]]), size=(32, 48)) == 77).all()


def test_known_boxes_make_a_track_that_is_seen_everywhere(still: np.ndarray) -> None:
    face = np.tile([24, 25, 81, 81], (len(still), 1))
    lips = np.tile([45, 80, 38, 24], (len(still), 1))
    track = Track.known(face, lips)
    assert track.seen.all() and np.array_equal(track.lips, lips)
    assert faces.crop_lips(still, track).shape == (len(still), 32, 48, 3)
    usual = centres(Track.known(face).lips)
    assert np.allclose(usual, MOUTH, atol=2.5)


def texture(rng: np.random.Generator) -> np.ndarray:
    """Paint something to follow: smooth noise over the whole range of brightness."""
    noise = cv2.GaussianBlur(rng.uniform(0, 255, (80, 96, 3)), (0, 0), 2.5)
    return ((noise - noise.min()) / np.ptp(noise) * 255).astype(np.uint8)


@given(dx=st.floats(-3, 3), dy=st.floats(-3, 3), seed=st.integers(0, 9))
def test_flow_recovers_a_known_shift_to_a_tenth_of_a_pixel(dx: float, dy: float, seed: int) -> None:
    paper = texture(np.random.default_rng(seed))
    film = np.stack(
        [
            cv2.warpAffine(paper, np.array([[1, 0, t * dx - 24], [0, 1, t * dy - 24]]), (48, 32))
            for t in (0.0, 1.0)
        ]
    )
    motion = faces.flow(film)
    assert motion.shape == (1, 32, 48, 2) and motion.dtype == np.float32
    inner = motion[0, 4:-4, 4:-4]
    assert np.abs(np.median(inner, axis=(0, 1)) - (dx, dy)).max() < 0.1


def test_flow_sees_motion_as_small_as_a_lip(rng: np.random.Generator) -> None:
    paper = texture(rng)[24:56, 24:72]
    y, x = np.mgrid[:32, :48].astype(np.float32)
    opening = 1.5 * np.exp(-(((x - 24) / 12) ** 2) - ((y - 16) / 3) ** 2).astype(np.float32)
    parted = cv2.remap(paper, x, y - opening, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    motion = faces.flow(np.stack([paper, parted]))[0]
    assert motion[14:19, 20:28, 1].mean() > 0.5
    assert np.abs(motion[:6]).mean() < 0.15 and np.abs(motion[26:]).mean() < 0.15


def test_a_frozen_picture_has_no_flow(still: np.ndarray) -> None:
    assert not faces.flow(still[[0, 0, 0]]).any()


def test_lips_move_and_the_nose_does_not(still: np.ndarray) -> None:
    (track,) = faces.follow(still)
    lips = faces.flow(faces.crop_lips(still, track))
    nose_boxes = track.lips - np.array([0, 0.9, 0, 0]) * track.lips[:, 3:]
    nose = faces.flow(faces.crop(still, nose_boxes, size=(32, 48)))
    assert np.abs(lips).mean() > 3 * np.abs(nose).mean()


@pytest.mark.parametrize("ids", [("t00", "t13"), ("t22", "t35"), ("t48", "t61")])
def test_lips_of_drawn_talkers_side_by_side_are_found_to_a_few_pixels(ids: tuple[str, str]) -> None:
    pair = [talkers.speak(name, seed=3, seconds=2.0) for name in ids]
    both = np.concatenate([one.clip.frames for one in pair], axis=2)
    for index, found in enumerate(faces.follow(both, faces=2)):
        error = centres(found.lips) - centres(pair[index].lips) - (128 * index, 0)
        assert found.seen.all()
        assert np.abs(error.mean(axis=0)).max() < 4
        assert error.std(axis=0).max() < 1
        width = np.median(found.lips[:, 2]) / np.median(pair[index].lips[:, 2])
        assert 0.75 < width < 1.33


@pytest.mark.parametrize("name", ["t02", "t30", "t46"])
def test_a_dark_face_before_a_bright_wall_is_seen_in_every_frame(name: str) -> None:
    one = talkers.speak(name, seed=5, seconds=1.0)
    face = one.face.mean(axis=0)
    y, x = np.mgrid[:128, :128]
    middle, radii = face[:2] + face[2:] / 2, face[2:] / 1.8
    head = ((x - middle[0]) / radii[0]) ** 2 + ((y - middle[1]) / radii[1]) ** 2 < 1
    film = np.where(head[..., None], one.clip.frames // 6, one.clip.frames // 2 + 127)
    (track,) = faces.follow(film.astype(np.uint8))
    assert track.seen.all()
    assert np.abs(centres(track.lips) - centres(one.lips)).max() < 5
