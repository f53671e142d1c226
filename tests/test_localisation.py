"""F1 and L_c: the second can be raised by finding less."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core.scores import f1, l_c

TRUTH = np.zeros((10, 12), dtype=bool)
TRUTH[2:6, 3:8] = True


@given(seed=st.integers(0, 999), share=st.floats(0.05, 0.95))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(seed, share):
    found = np.random.default_rng(seed).random(TRUTH.shape) < share
    both = (found & TRUTH).sum()
    if both == 0:
        assert f1(found, TRUTH) == 0
    else:
        precision, recall = both / found.sum(), both / TRUTH.sum()
        expected = 2 * precision * recall / (precision + recall)
        assert f1(found, TRUTH) == pytest.approx(expected)
    assert f1(found, TRUTH) == f1(TRUTH, found) if found.any() else True


def test_f1_is_one_for_the_region_itself_and_zero_for_nothing():
    assert f1(TRUTH, TRUTH) == 1
    assert f1(~TRUTH, TRUTH) == 0
    assert f1(np.zeros_like(TRUTH), TRUTH) == 0


def test_l_c_follows_the_papers_formula():
    image = np.zeros((2, 4))
    truth = np.array([[True, True, True, False], [False] * 4])
    image[0] = [1, -2, 0, 3]
    # Right: two pixels of energy 1 + 4; all energy is 14; R_1 + R_2 = 8 and R_c = 2.
    assert l_c(image, truth) == pytest.approx(5 / 14 * 8 / 2)


def test_l_c_of_the_true_region_is_the_picture_over_the_region():
    assert l_c(TRUTH.astype(float), TRUTH) == pytest.approx(120 / 20)
    assert l_c(np.ones(TRUTH.shape), TRUTH) == pytest.approx(20 / 120 * 120 / 20)


def test_finding_less_of_the_source_raises_l_c_while_f1_falls():
    part = TRUTH & (np.arange(12) < 4)
    assert l_c(part.astype(float), TRUTH) > 4 * l_c(TRUTH.astype(float), TRUTH)
    assert f1(part, TRUTH) < f1(TRUTH, TRUTH)


@given(gain=st.floats(1e-300, 1e300))
def test_l_c_does_not_depend_on_brightness(gain):
    image = np.random.default_rng(0).normal(size=TRUTH.shape)
    assert l_c(-gain * image, TRUTH) == pytest.approx(l_c(image, TRUTH))


def test_l_c_is_zero_where_nothing_is_found_or_nothing_is_right():
    assert l_c(np.zeros(TRUTH.shape), TRUTH) == 0
    assert l_c((~TRUTH).astype(float), TRUTH) == 0


def test_regions_that_have_no_meaning_are_refused():
    with pytest.raises(ValueError, match="two boolean arrays of one shape"):
        f1(TRUTH.astype(float), TRUTH)
    with pytest.raises(ValueError, match="one shape"):
        f1(TRUTH[1:], TRUTH)
    with pytest.raises(ValueError, match="one shape"):
        l_c(np.ones((10, 11)), TRUTH)
    with pytest.raises(ValueError, match="true region is empty"):
        f1(TRUTH, np.zeros_like(TRUTH))
    with pytest.raises(ValueError, match="NaN"):
        l_c(np.full(TRUTH.shape, np.nan), TRUTH)
