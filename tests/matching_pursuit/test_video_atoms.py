"""What video atoms promise: found in the first frame, followed to a part of a pixel, held there."""

import tracemalloc

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from avsep_core.matching_pursuit.tracking import stamp
from avsep_core.matching_pursuit.video import VideoAtoms, contrast, video_atoms

FPS = 30.0
SIZE = (64, 96)
LINES = [  # x, y, angle, along, across, height in grey levels
    (30, 20, 0.0, 6, 2.0, -60), (70, 24, 1.2, 5, 1.5, 50), (22, 46, 2.2, 4, 2.0, 50),
    (74, 48, 0.3, 6, 2.2, -50), (50, 34, 1.6, 5, 1.8, 60), (48, 56, 0.0, 7, 1.5, 50),
]  # fmt: skip


def film(shifts, *, noise=0.0, seed=0):
    """Lines on grey, of which the first moves by `shifts` (T, 2) px: (T, H, W) float32."""
    rng = np.random.default_rng(seed)
    frames = np.full((len(shifts), *SIZE), 120.0)
    for frame, shift in zip(frames, shifts, strict=True):
        for k, (x, y, angle, along, across, height) in enumerate(LINES):
            dx, dy = shift if k == 0 else (0, 0)
            row = np.array([x + dx, y + dy, angle, np.log(along), np.log(across)])
            stamp(frame, row, float(height))
        frame += noise * rng.normal(size=SIZE)
    return frames.astype(np.float32)


def nearest(atoms, x, y):
    """The strongest atom within 4 px of a place in the first frame."""
    near = np.hypot(*(atoms.position[:, 0] - (x, y)).T) < 4
    return int(np.argmax(np.where(near, np.abs(atoms.coefficient[:, 0]), -1)))


def still(frames):
    return np.zeros((frames, 2))


@pytest.fixture(scope="module")
def swinging():
    """Ninety frames in which one line swings across itself by 2.5 px, and its atoms."""
    shifts = still(90)
    shifts[:, 1] = 2.5 * np.sin(2 * np.pi * np.arange(90) / 25)
    frames = film(shifts, noise=2.0)
    return shifts, frames, video_atoms(frames, fps=FPS, n_atoms=10)


def test_a_line_that_swings_is_followed_to_a_tenth_of_a_pixel(swinging):
    shifts, _, atoms = swinging
    n = nearest(atoms, 30, 20)
    moved = atoms.position[n] - atoms.position[n].mean(axis=0)
    wanted = shifts - shifts.mean(axis=0)
    assert np.abs(moved[:, 1] - wanted[:, 1]).max() < 0.3
    assert np.sqrt(np.mean((moved[:, 1] - wanted[:, 1]) ** 2)) < 0.1
    assert np.abs(moved[:, 0]).max() < 0.3


def test_lines_that_rest_rest_although_another_swings(swinging):
    _, _, atoms = swinging
    for x, y, *_ in LINES[1:]:
        d = atoms.displacement[nearest(atoms, x, y)]
        assert d.std() < 0.05


def test_camera_noise_alone_moves_atoms_by_less_than_a_tenth_of_a_pixel():
    atoms = video_atoms(film(still(60), noise=3.0), fps=FPS, n_atoms=6)
    assert atoms.displacement.std(axis=1).max() < 0.1


def test_motion_along_a_line_is_not_seen():
    shifts = still(60)
    shifts[:, 0] = 0.8 * np.sin(2 * np.pi * np.arange(60) / 20)
    along = video_atoms(film(shifts), fps=FPS, n_atoms=8)
    across = video_atoms(film(shifts[:, ::-1]), fps=FPS, n_atoms=8)
    seen = [np.ptp(a.position[nearest(a, 30, 20)], axis=0).max() for a in (along, across)]
    assert seen[1] > 1.3
    assert seen[0] < seen[1]


def test_an_atom_comes_back_after_a_thousand_swings():
    shifts = still(1050)
    shifts[:-40, 1] = 1.5 * (1 - np.cos(2 * np.pi * np.arange(1010) / 10.1))
    atoms = video_atoms(film(shifts, noise=2.0), fps=FPS, n_atoms=6)
    for x, y, *_ in LINES:
        n = nearest(atoms, x, y)
        assert np.hypot(*(atoms.position[n, -1] - atoms.position[n, 0])) < 0.5


def test_a_line_that_walks_slowly_takes_its_rest_along():
    shifts = still(300)
    shifts[:, 1] = np.linspace(0, 12, 300)
    atoms = video_atoms(film(shifts, noise=2.0), fps=FPS, n_atoms=6)
    n = nearest(atoms, 30, 20)
    assert atoms.position[n, -1, 1] - atoms.position[n, 0, 1] == pytest.approx(12, abs=0.2)


def test_an_atom_waits_where_it_rests_while_its_line_is_hidden():
    frames = film(still(60))
    frames[20:40, 12:30, 12:50] = 120.0
    atoms = video_atoms(frames, fps=FPS, n_atoms=6)
    n = nearest(atoms, 30, 20)
    assert np.hypot(*(atoms.position[n] - atoms.position[n, 0]).T).max() < 3
    np.testing.assert_allclose(atoms.position[n, -1], atoms.position[n, 0], atol=0.1)
    assert atoms.coefficient[n, 30] / atoms.coefficient[n, 0] < 0.2


def test_displacement_is_the_distance_from_where_an_atom_rests(swinging):
    shifts, _, atoms = swinging
    assert atoms.displacement.shape == (10, 90)
    away = atoms.position - np.median(atoms.position, axis=1, keepdims=True)
    np.testing.assert_allclose(atoms.displacement**2, (away**2).sum(axis=2), rtol=1e-4, atol=1e-6)
    d = atoms.displacement[nearest(atoms, 30, 20)]
    wanted = np.abs(shifts[:, 1] - np.median(shifts[:, 1]))
    assert np.sqrt(np.mean((d - wanted) ** 2)) < 0.15


def test_lighter_frames_give_the_same_tracks(swinging):
    _, frames, atoms = swinging
    lighter = video_atoms(frames + 25, fps=FPS, n_atoms=10)
    np.testing.assert_allclose(lighter.position, atoms.position, atol=0.02)


def test_twice_the_contrast_gives_nearly_the_same_picture():
    frame = film(still(1))[0]
    weak, strong = contrast(120 + 0.5 * (frame - 120)), contrast(frame)
    assert np.corrcoef(weak.ravel(), strong.ravel())[0, 1] > 0.98
    assert 0.9 < np.linalg.norm(strong) / np.linalg.norm(weak) < 1.3
    np.testing.assert_allclose(contrast(frame + 30), strong, atol=1e-3)


def test_colour_is_seen_by_its_brightness():
    grey = film(still(3), noise=1.0)
    grey[1:] += 5
    colour = np.repeat(grey[..., None], 3, axis=-1)
    one, other = (video_atoms(f, fps=FPS, n_atoms=5) for f in (grey, colour))
    np.testing.assert_allclose(one.position, other.position, atol=1e-2)


def test_the_same_film_gives_the_same_atoms(swinging):
    _, frames, atoms = swinging
    again = video_atoms(frames, fps=FPS, n_atoms=10)
    for name in ("position", "angle", "scales", "coefficient"):
        np.testing.assert_array_equal(getattr(again, name), getattr(atoms, name))


def test_the_first_atoms_are_the_same_however_many_are_asked_for():
    frames = film(still(2), noise=1.0)
    frames[1] += 1
    few, many = (video_atoms(frames, fps=FPS, n_atoms=n) for n in (4, 8))
    assert len(few) == 4
    np.testing.assert_allclose(few.position[:, 0], many.position[:4, 0], atol=0.3)


def test_each_atom_brings_the_picture_nearer():
    frames = film(still(2), noise=1.0)
    frames[1] += 1
    atoms = video_atoms(frames, fps=FPS, n_atoms=12)
    picture = contrast(frames[0])
    left = [np.sum((picture - atoms.render(0, np.arange(n))) ** 2) for n in range(0, 13, 3)]
    assert (np.diff(left) < 0).all()
    assert left[-1] < 0.25 * left[0]


def test_a_picture_of_some_atoms_is_the_sum_of_their_pictures(swinging):
    _, _, atoms = swinging
    alone = sum(atoms.render(7, [n]) for n in range(10))
    np.testing.assert_allclose(atoms.render(7), alone, atol=1e-12)
    some = np.arange(10) < 4
    np.testing.assert_allclose(atoms.render(7, some), atoms.render(7, range(4)))
    assert not atoms.render(7, []).any()


def test_a_rendered_atom_has_the_norm_of_its_coefficient(swinging):
    _, _, atoms = swinging
    for n in range(10):
        norm = np.linalg.norm(atoms.render(5, [n]))
        assert norm == pytest.approx(abs(atoms.coefficient[n, 5]), rel=1e-5)


def test_outlines_lie_around_the_place_and_along_the_line(swinging):
    _, _, atoms = swinging
    n = nearest(atoms, 70, 24)
    polygon = atoms.outlines(3, [n])[0]
    np.testing.assert_allclose(polygon.mean(axis=0), atoms.position[n, 3], atol=1e-4)
    away = polygon - polygon.mean(axis=0)
    line = np.array([np.cos(atoms.angle[n, 3]), np.sin(atoms.angle[n, 3])])
    assert np.abs(away @ line).max() == pytest.approx(2 * atoms.scales[n, 3, 0], rel=0.02)
    assert len(atoms.outlines(3)) == 10


def test_shifted_tracks_are_the_same_motion_at_another_time(swinging):
    _, _, atoms = swinging
    later = atoms.shifted(0.5)
    np.testing.assert_array_equal(later.position[:, 15:], atoms.position[:, :-15])
    np.testing.assert_array_equal(later.position[:, :15], atoms.position[:, -15:])
    np.testing.assert_array_equal(later.shifted(-0.5).displacement, atoms.displacement)
    np.testing.assert_array_equal(later.coefficient[:, 15], atoms.coefficient[:, 0])


def test_tracks_at_chosen_frames_are_those_frames_tracks(swinging):
    _, _, atoms = swinging
    few = atoms.taken([7, 3, 3])
    np.testing.assert_array_equal(few.position[:, 1], atoms.position[:, 3])
    np.testing.assert_array_equal(few.render(0), atoms.render(7))
    assert few.scales.shape == (10, 3, 2)


def test_memory_does_not_grow_with_the_film_but_for_the_tracks():
    def peak(frames):
        tracemalloc.start()
        video_atoms(frames, fps=FPS, n_atoms=5)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    short = film(still(20), noise=1.0)
    video_atoms(short, fps=FPS, n_atoms=5)
    tracks = 180 * 5 * 6 * 8 * 2
    assert peak(np.tile(short, (10, 1, 1))) < peak(short) + tracks


@pytest.mark.parametrize(
    ("frames", "more", "message"),
    [
        (film(still(1)), {}, "one frame was given"),
        (film(still(9)), {}, "the film never changes"),
        (np.full((9, *SIZE), 9.0) + np.arange(9).reshape(9, 1, 1), {}, "first frame is plain"),
        (np.zeros((9, 40)), {}, "expected .T, H, W, 3. RGB or .T, H, W. grey"),
        (np.zeros((9, *SIZE, 4), np.uint8), {}, "expected .T, H, W, 3. RGB"),
        (np.zeros((9, *SIZE), complex), {}, "complex"),
        (np.array("film"), {}, "expected .T, H, W, 3."),
        (film(still(9)) * np.nan, {}, "NaN or infinite"),
        (film(still(9)) / 255, {}, "Multiply frames of 0 to 1 by 255"),
        (np.random.default_rng(0).random((9, 8, 96)) * 255, {}, "smaller than an atom"),
        (film(still(9), noise=1), {"n_atoms": 0}, "n_atoms is 0"),
        (film(still(9), noise=1), {"n_atoms": 2.5}, "n_atoms is 2.5"),
        (film(still(9), noise=1), {"n_atoms": 400}, "hold at most 384"),
        (film(still(9), noise=1), {"fps": 0}, "fps=0 given"),
        (film(still(9), noise=1), {"fps": float("nan")}, "fps=nan given"),
    ],
)
def test_films_without_meaning_are_refused_with_what_to_do(frames, more, message):
    with pytest.raises(ValueError, match=message):
        video_atoms(frames, **{"fps": FPS, "n_atoms": 5, **more})


def test_frames_and_shifts_that_do_not_exist_are_refused(swinging):
    _, _, atoms = swinging
    for frame in (-1, 90):
        with pytest.raises(ValueError, match="give one from 0 to 89"):
            atoms.render(frame)
    with pytest.raises(ValueError, match="seconds=nan"):
        atoms.shifted(float("nan"))


def mouth_of(spoken, atoms):
    """Which atoms mostly lie in the talker's lips box or within 3 px of it."""
    x, y, w, h = np.median(spoken.lips, axis=0)
    place = np.median(atoms.position, axis=1)
    within_x = (place[:, 0] > x - 3) & (place[:, 0] < x + w + 3)
    return np.flatnonzero(within_x & (place[:, 1] > y - 3) & (place[:, 1] < y + h + 3))


def test_atoms_on_a_talkers_mouth_move_as_it_opens():
    from avsep_core.synthetic.talkers import speak

    spoken = speak("t34", kind="digits", seed=4, seconds=6.0, fps=29.97, size=120, rate=8000)
    atoms = video_atoms(spoken.clip.frames, fps=29.97, n_atoms=50)
    assert isinstance(atoms, VideoAtoms)
    mouth = mouth_of(spoken, atoms)
    assert len(mouth) >= 3
    tracks = np.vstack([atoms.position[..., 1], spoken.opening])
    quick = tracks - gaussian_filter1d(tracks, 15, axis=1)  # less the head's own motion
    with_opening = np.abs(np.corrcoef(quick)[-1, :-1])
    assert np.sort(with_opening[mouth])[-2] > 0.7
    assert np.median(np.delete(with_opening, mouth)) < 0.3
    assert quick[mouth].std(axis=1).max() > 4 * np.median(quick[:-1].std(axis=1))
