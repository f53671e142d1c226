"""Mouths: what a lip-reader can tell apart differs in the pixels, the rest does not."""

import numpy as np
import pytest

from avsep_core.synthetic import talkers
from avsep_core.synthetic.face import film, wander
from avsep_core.synthetic.mouth import TARGETS, move
from avsep_core.synthetic.phonemes import VISEMES, Phoneme, shapes
from tests.synthetic.pixels import crop_lips

TIMES = (np.arange(25) + 0.5) / 25


def between_vowels(symbol, vowel="A:"):
    """Frames of lips that say vowel, symbol, vowel, and nothing else that moves."""
    shape = shapes(symbol)[-1]
    spoken = (
        Phoneme(vowel, 0.2, 0.45, "ah", 0.45),
        Phoneme(symbol, 0.45, 0.57, shape, 0.57),
        Phoneme(vowel, 0.57, 0.8, "ah", 0.8),
    )
    still = wander(np.random.default_rng(0), TIMES, np.zeros_like(TIMES))
    drawn = film(talkers.TALKERS[4], move(spoken, TIMES), still, size=128)
    return crop_lips(drawn.frames, drawn.lips)[12]


def rms(a, b):
    return float(np.sqrt(np.mean((a - b) ** 2)))


@pytest.mark.parametrize("group", [g for g in VISEMES if len(VISEMES[g]) > 1])
def test_sounds_that_look_alike_give_the_same_lips(group):
    first, *others = VISEMES[group]
    for other in others:
        assert rms(between_vowels(first), between_vowels(other)) < 0.1


@pytest.mark.parametrize(
    "pair", ["p A:", "p u:", "p f", "A: u:", "A: i:", "u: i:", "T t", "S s", "w l", "f s", "O: E"]
)
def test_sounds_that_look_different_give_different_lips(pair):
    one, other = pair.split()
    assert rms(between_vowels(one), between_vowels(other)) > 6.0


def test_lips_shut_even_for_the_shortest_closure():
    for length in (0.0, 0.004, 0.02):
        for start in np.arange(0.4, 0.45, 0.007):
            spoken = (
                Phoneme("A:", 0.1, start, "ah", start),
                Phoneme("b", start, start + length + 0.02, "pbm", start + length),
                Phoneme("A:", start + length + 0.02, 0.9, "ah", 0.9),
            )
            mouth = move(spoken, TIMES)
            shut = np.flatnonzero(mouth.open < 0.02)
            near = np.abs(TIMES[shut] - start) < 0.06
            assert near.any()
            before = start - TIMES > 0.1
            assert mouth.open[before].max() > 0.7


def test_a_wider_vowel_opens_the_mouth_wider():
    gaps = []
    for vowel in ("u:", "I", "E", "A:"):
        spoken = (Phoneme(vowel, 0.3, 0.7, shapes(vowel)[-1], 0.7),)
        gaps.append(move(spoken, np.array([0.5])).open[0])
    assert gaps == sorted(gaps) and gaps[-1] > 3 * gaps[0]


def test_a_rounded_neighbour_rounds_the_lips_of_a_consonant_beforehand():
    def rounding(vowel):
        spoken = (
            Phoneme("t", 0.4, 0.5, "td", 0.5),
            Phoneme(vowel, 0.5, 0.7, shapes(vowel)[-1], 0.7),
        )
        return move(spoken, np.array([0.47])).round[0]

    assert rounding("u:") > 0.3 > 0.05 > rounding("i:")


def test_a_mouth_at_rest_before_and_after_speech_is_shut():
    spoken = (Phoneme("A:", 0.4, 0.6, "ah", 0.6),)
    mouth = move(spoken, TIMES)
    assert mouth.open[[0, 1, 2, -3, -2, -1]].max() < 0.05
    assert mouth.open.max() > 0.8


def test_every_mouth_shape_has_a_target_and_every_target_is_a_mouth_shape():
    assert set(TARGETS) == set(VISEMES) | {"rest"}
