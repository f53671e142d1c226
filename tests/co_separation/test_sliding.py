"""A clip of any length, window by window."""

import numpy as np
import pytest
import torch

from avsep_core.co_separation.network import Separator
from avsep_core.co_separation.sliding import separated, starts
from tests.co_separation.small import TINY, separator

PICTURES = np.random.default_rng(0).integers(0, 256, (2, 1, 3, 32, 32), dtype=np.uint8)


def noise(samples):
    return np.random.default_rng(1).normal(size=samples).astype(np.float32)


class Half(Separator):
    """Lets half of everything through."""

    def forward(self, mixture, pictures, of):
        return torch.full((len(of), *mixture.shape[1:]), 0.5), None


def test_every_sample_lies_in_a_window_and_the_last_window_ends_with_the_sound():
    for samples in (50, 100, 101, 340):
        for hop in (30, 100, 150):
            begun = starts(samples, 100, hop)
            assert begun[0] == 0 and begun[-1] == max(samples - 100, 0)
            assert np.diff([*begun, begun[-1] + 100]).max() <= 100


def test_one_mask_for_all_windows_gives_back_the_same_part_of_the_sound():
    sound = noise(3 * TINY.samples + 77)
    made = separated(Half(TINY), sound, PICTURES, hop=0.2)
    assert made.shape == (2, len(sound))
    assert np.allclose(made, sound / 2, atol=1e-4)


def test_a_sound_of_one_window_is_separated_at_once():
    sound = noise(TINY.samples)
    assert np.allclose(
        separated(separator(), sound, PICTURES, hop=0.1),
        separated(separator(), sound, PICTURES, hop=100),
    )


def test_a_short_sound_is_padded_and_cut_again():
    assert separated(Half(TINY), noise(500), PICTURES).shape == (2, 500)


def test_views_of_one_object_are_averaged():
    sound = noise(TINY.samples)
    a, b = (separated(separator(), sound, PICTURES[k : k + 1])[0] for k in (0, 1))
    both = separated(separator(), sound, PICTURES.reshape(1, 2, 3, 32, 32))[0]
    assert np.allclose(both, (a + b) / 2, atol=1e-5)


def test_objects_do_not_change_each_other():
    sound = noise(2 * TINY.samples)
    both = separated(separator(), sound, PICTURES)
    assert np.allclose(both[::-1], separated(separator(), sound, PICTURES[::-1]), atol=1e-5)


@pytest.mark.parametrize(
    ("sound", "pictures", "words"),
    [
        (noise(100), PICTURES[:, 0], r"expected \(objects, views, 3, 32, 32\)"),
        (noise(100), PICTURES[:0], "one object"),
        (noise(100)[None], PICTURES, r"expected \(samples,\)"),
        (np.array([1, np.nan]), PICTURES, "finite"),
        (noise(0), PICTURES, "not empty"),
    ],
)
def test_what_cannot_be_separated_is_refused(sound, pictures, words):
    with pytest.raises(ValueError, match=words):
        separated(separator(), sound, pictures)
