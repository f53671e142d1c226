"""A checker accepts what is right and refuses the rest, whatever a reader types."""

import numpy as np
import pytest

from avsep_core.exercises import check


def test_no_answer_is_neither_right_nor_an_error():
    verdict = check(None, lambda: 1.0, tolerance=0)
    assert not verdict.right and "No answer" in repr(verdict)


def test_an_answer_within_the_tolerance_is_right_and_beyond_it_is_not():
    assert check([1.0, 2.04], lambda: (1.0, 2.0), tolerance=0.05).right
    wrong = check([1.0, 2.06], lambda: (1.0, 2.0), tolerance=0.05, hint="Look again.")
    assert not wrong.right and "Look again." in repr(wrong)


@pytest.mark.parametrize("answer", ["two", {"a": 1}, object(), [1, 2, 3], [[1, 2]], np.nan])
def test_a_strange_answer_is_wrong_and_does_not_raise(answer):
    assert not check(answer, lambda: (1.0, 2.0), tolerance=1.0).right


def test_nan_is_never_right():
    assert not check((np.nan, 2.0), lambda: (1.0, 2.0), tolerance=10).right
