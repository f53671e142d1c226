"""What a detector and a separator are told of themselves while they learn."""

import numpy as np
import pytest
import torch

from avsep_core.co_separation.detector import Detection
from avsep_core.co_separation.objects import SIDE, Objects
from avsep_core.co_separation.validation import Validation, matched
from avsep_core.corpora.solo_pairs import PairItem
from tests.co_separation.small import separator

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


class Solos:
    """Two sounds without a common frequency."""

    def __init__(self, samples):
        time = np.arange(samples) / 11025
        self.audio = np.stack([np.sin(2 * np.pi * f * time) for f in (400, 2000)])
        self.audio = np.rint(20000 * self.audio).astype(np.int16)


def test_a_network_that_copies_the_mixture_scores_zero_decibels():
    network = separator().eval()
    torch.nn.init.zeros_(network.unet.up[-1][0].weight)
    torch.nn.init.zeros_(network.unet.up[-1][0].bias)
    pictures = np.zeros((2, 2, 1, SIDE, SIDE, 3), np.uint8)
    found = Objects(pictures, np.ones((2, 2), int), np.zeros((2, 2), int), pictures[:, 0])
    check = Validation(
        Solos(network.architecture.samples), found, [PairItem("both", ("a", "b"), (0, 1))]
    )
    told = check(network)
    # The filter that BSS Eval grants an estimate takes a little of the other sound away.
    assert told["sdr"] == pytest.approx(0, abs=0.5) and told["loss"] == -told["sdr"]
