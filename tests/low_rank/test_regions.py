"""From a map to a region, and which of several regions goes with the sound."""

import numpy as np
import pytest

from avsep_core.low_rank import regions

H, W, T = 60, 80, 100


def blob(*places, size=3):
    """A region of squares around places (row, column)."""
    found = np.zeros((H, W), bool)
    for row, column in places:
        found[row - size : row + size, column - size : column + size] = True
    return found


def pictures(*movers):
    """Frames (T, H, W, 3) in which each region (H, W) follows its course (T,) in 0..1."""
    frames = np.full((T, H, W, 3), 60, np.uint8)
    for place, course in movers:
        frames[:, place] += (120 * course).astype(np.uint8)[:, None, None]
    return frames


def course(seed):
    """A smooth random time course in 0..1."""
    x = np.convolve(np.random.default_rng(seed).normal(size=T + 30), np.hanning(12), "same")[15:-15]
    return (x - x.min()) / np.ptp(x)


def test_the_region_is_where_the_map_reaches_a_share_of_its_largest_value():
    image = np.array([[1.0, 0.5], [0.1, 0.0]])
    assert regions.region(image, threshold=0.5).tolist() == [[True, True], [False, False]]
    assert regions.region(image, threshold=0.0).tolist() == [[True, True], [True, False]]
    assert regions.region(image, threshold=1.0).sum() == 1


def test_an_empty_map_has_an_empty_region():
    assert not regions.region(np.zeros((4, 5))).any()
    assert regions.select(pictures(), np.zeros((H, W)), np.zeros((H, W), bool), course(0)) == []


def test_a_map_grows_to_the_pictures_size_without_moving():
    small = np.zeros((15, 20))
    small[6, 12] = 1.0
    large = regions.spread(small, (H, W))
    row, column = np.unravel_index(large.argmax(), large.shape)
    assert large.shape == (H, W) and 24 <= row <= 27 and 48 <= column <= 51


def test_pieces_that_nearly_touch_are_one_candidate_and_faint_ones_are_none():
    near, far, faint = blob((20, 20)), blob((24, 26), size=2), blob((50, 70))
    image = 1.0 * near + 1.0 * far
    assert len(regions.candidates(image, near | far)) == 1
    image = 1.0 * near + 0.8 * blob((20, 60)) + 0.1 * faint
    found = regions.candidates(image, image > 0)
    assert [part.sum() for part in found] == [36, 36]
    assert found[0][20, 20], "the one with most energy comes first"


def test_pieces_join_across_a_small_gap_and_not_across_a_large_one():
    left = blob((20, 20))
    for gap, count in ((3, 1), (8, 2)):
        both = left | np.roll(left, 6 + gap, axis=1)
        assert len(regions.candidates(1.0 * both, both)) == count


def test_motion_is_the_course_that_the_pixels_share():
    place, wave = blob((30, 40)), course(1)
    found = regions.motion(pictures((place, wave)), place)
    middle = (wave[1:] + wave[:-1]) / 2
    assert abs(np.corrcoef(found, middle)[0, 1]) > 0.999


def test_agreement_knows_no_sign_and_no_scale_but_time():
    wave = course(2)
    assert regions.agreement(wave, wave) == pytest.approx(1)
    assert regions.agreement(-3 * wave + 5, wave) == pytest.approx(1)
    assert regions.agreement(np.roll(wave, 25), wave) < 0.7
    assert regions.agreement(np.ones(T), wave) == 0


def test_a_jitter_from_picture_to_picture_does_not_spoil_the_agreement():
    wave = course(5)
    jitter = np.where(np.arange(T) % 2, 0.5, -0.5)
    assert abs(np.corrcoef(wave + jitter, wave)[0, 1]) < 0.6
    assert regions.agreement(wave + jitter, wave) > 0.95


def test_the_piece_that_follows_the_sound_wins_over_a_stronger_one_that_does_not():
    heard, silent = blob((30, 20)), blob((30, 60))
    wave, other = course(3), course(4)
    image = 1.0 * heard + 2.0 * silent
    frames = pictures((heard, wave * 0.5), (silent, other))
    ranked = regions.select(frames, image, image > 0, (wave[1:] + wave[:-1]) / 2)
    assert [bool(c.region[30, 20]) for c in ranked] == [True, False]
    assert ranked[0].agreement > 0.95 > ranked[1].agreement


def test_the_envelope_is_the_root_of_what_is_positive():
    assert regions.envelope(np.array([[4.0, -1.0], [5.0, 0.0]])).tolist() == [3.0, 0.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_a_map_is_finite_and_never_negative(bad):
    with pytest.raises(ValueError, match="map"):
        regions.region(np.array([[1.0, bad]]))


def test_a_threshold_is_a_share():
    with pytest.raises(ValueError, match="threshold"):
        regions.region(np.ones((2, 2)), threshold=1.5)
