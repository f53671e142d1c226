"""What a detector and a separator are told of themselves while they learn."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from avsep_core.co_separation.detector import Detection, Detector
from avsep_core.co_separation.network import KINDS, Separator
from avsep_core.co_separation.objects import SIDE, Objects
from avsep_core.co_separation.validation import Finding, Validation, found_in, matched
from avsep_core.corpora.solo_pairs import PairItem
from avsep_core.scores import bss_eval
from tests.co_separation.small import TINY, separator

BOXES = np.array([[0, 0, 10, 10], [40, 0, 10, 10]], float)


def box(name, x):
    return Detection(name, 0.9, (x, 0.0, 10.0, 10.0))


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([box("a", 0), box("b", 40)], (2, 0, 0)),
        ([box("a", 1), box("a", 2)], (1, 1, 1)),
        ([box("b", 0), box("a", 40)], (0, 2, 2)),
        ([box("a", 8)], (0, 1, 2)),
        ([], (0, 0, 2)),
    ],
    ids=["both", "one twice", "names swapped", "beside", "nothing"],
)
def test_an_object_is_found_once_by_a_box_of_its_class(found, told):
    assert matched(found, ["a", "b"], BOXES) == told


class Store:
    """Two pictures of two players each, with boxes."""

    instruments = [("a", "b")]  # noqa: RUF012
    boxes = np.array([[BOXES, BOXES]], np.float32)

    def views(self, number):
        return np.zeros((2, 40, 60, 3), np.uint8)


def test_precision_and_recall_are_over_all_pictures_of_a_store():
    detector = Detector(("a", "b"))
    detector.detect = lambda frames, *, least: [[box("a", 0), box("a", 40), box("b", 40)], []]
    found = found_in(detector, Store())
    assert found == {"precision": 2 / 3, "recall": 2 / 4}
    assert Finding(Store())(detector) == {"loss": pytest.approx(1 - 7 / 12), **found}


class Solos:
    """Two sounds without a common frequency."""

    def __init__(self, samples):
        time = np.arange(samples) / 11025
        self.audio = np.stack([np.sin(2 * np.pi * f * time) for f in (400, 2000)])
        self.audio = np.rint(20000 * self.audio).astype(np.int16)


class Halves(Separator):
    """Gives low sounds to dark pictures, and high ones to bright pictures."""

    def forward(self, mixture, pictures, of):
        low = (torch.arange(mixture.shape[1]) < 0.6 * mixture.shape[1]).float()[None, :, None]
        bright = pictures.mean((1, 2, 3)).round()[:, None, None]
        return (bright * (1 - low) + (1 - bright) * low).expand_as(mixture[of]), None


def seen(first, other):
    """(2, MOST, 1, SIDE, SIDE, 3): a grey for each solo."""
    pictures = np.zeros((2, 2, 1, SIDE, SIDE, 3), np.uint8)
    pictures[0], pictures[1] = first, other
    return pictures


def scored(network, windows, whole, count=1):
    found = Objects(windows, np.full((2, 2), count), np.zeros((2, 2), int), whole[:, 0])
    items = [PairItem("both", "validation", ("a", "b"), (0, 1))]
    told = Validation(Solos(TINY.samples), found, items)(network)
    assert told["loss"] == -told["sdr"]
    return told["sdr"]


RIGHT, SWAPPED = seen(0, 255), seen(255, 0)


def test_a_network_that_copies_the_mixture_scores_what_the_mixture_does():
    network = separator()
    torch.nn.init.zeros_(network.unet.up[-1][0].weight)
    torch.nn.init.zeros_(network.unet.up[-1][0].bias)
    sources = Solos(TINY.samples).audio.astype(float)
    mixture = np.broadcast_to(sources.sum(0), sources.shape)
    wanted = bss_eval(sources, mixture, permute=False).sdr.mean()
    assert scored(network, RIGHT, RIGHT) == pytest.approx(wanted, abs=0.05)


def test_a_sound_counts_for_the_solo_whose_picture_asked_for_it():
    network = Halves(TINY).eval()
    assert scored(network, RIGHT, SWAPPED) > 10
    assert scored(network, SWAPPED, RIGHT) < -10


@pytest.mark.parametrize("kind", KINDS[1:])
def test_whole_videos_are_told_by_their_whole_picture(kind):
    network = Halves(replace(TINY, kind=kind)).eval()
    assert scored(network, SWAPPED, RIGHT) > 10


def test_a_solo_in_which_nothing_was_detected_is_told_by_its_whole_picture():
    assert scored(Halves(TINY).eval(), SWAPPED, RIGHT, count=0) > 10
