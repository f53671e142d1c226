"""Learning to see: pictures of one colour a class are named by their colour."""

from collections import Counter

import numpy as np
import pytest
import torch

from avsep_core.co_separation import naming
from avsep_core.co_separation.naming import Glances, Named, Naming, naming_loss
from avsep_core.co_separation.objects import MOST, SIDE, Objects
from tests.co_separation.small import TINY

VIEWS = 3
WINDOW, WHOLE = 180, 90
"""How bright windows and whole pictures are, in the channels of their classes."""


@pytest.fixture(autouse=True)
def mottled_places(monkeypatch):
    """Places of many shades."""
    rng = np.random.default_rng(0)
    kept = rng.integers(0, 256, (10, SIDE, SIDE, 3), dtype=np.uint8)
    monkeypatch.setattr(naming, "places", lambda: kept)


def coloured(labels, level):
    """A picture that is bright in one channel a class, such as [0, 2]."""
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    picture[..., list(labels)] = level
    return picture


def planted(labels, count=VIEWS):
    """Videos whose objects have colours, and which are white where nothing was detected."""
    labels = np.array(labels)
    windows = np.full((len(labels), MOST, VIEWS, SIDE, SIDE, 3), 255, np.uint8)
    whole = np.full((len(labels), VIEWS, SIDE, SIDE, 3), 255, np.uint8)
    for n, mine in enumerate(labels):
        there = [c for c in mine if c >= 0]
        for slot, label in enumerate(there):
            windows[n, slot, :count] = coloured([label], WINDOW)
        if there:
            whole[n] = coloured(there, WHOLE)
    return Objects(windows, np.where(labels >= 0, count, 0), labels, whole)


class Reader(Naming):
    """Knows the colours, and that a place has more than one shade."""

    def forward(self, pictures):
        flat = pictures.flatten(2).std(2).amax(1, keepdim=True) < 1e-3
        return torch.where(flat & (pictures.mean((2, 3)) > 0.1), 10.0, -10.0)


def loss(network, glances, count=40):
    batch = torch.utils.data.default_collate([glances[n] for n in range(count)])
    return float(naming_loss(network, batch))


def test_a_glance_is_a_function_of_its_number():
    found = planted([[0, -1], [1, 2]])
    made, other = Glances(found, TINY), Glances(found, TINY, seed=1)
    for number in range(5):
        one = made[number]
        assert all(torch.equal(one[name], made[number][name]) for name in one)
        assert not torch.equal(one["picture"], made[number + 1]["picture"])
        assert not torch.equal(one["picture"], other[number]["picture"])


@pytest.mark.parametrize("count", [1, VIEWS])
def test_labels_say_what_is_shown_and_nothing_is_shown_that_was_not_detected(count):
    """A window is of one class, a whole picture of all of its video, a place of none."""
    made = Glances(planted([[0, -1], [1, 2], [-1, -1]], count), TINY)
    met = Counter()
    for number in range(200):
        picture, there = made[number].values()
        assert picture.shape == (3, TINY.side, TINY.side) and picture.dtype == torch.uint8
        shades = picture.flatten(1).float()
        if shades.std(1).max() > 0:
            assert not there.any()
            met["place"] += 1
            continue
        assert torch.equal(there, (shades.mean(1) > 40).float())
        kind = "window" if shades.max() > 125 else "whole"
        assert there.sum() == 1 or kind == "whole"
        met[kind, int(there.sum())] += 1
    assert 5 <= met["place"] <= 40
    assert min(met["window", 1], met["whole", 1] + met["whole", 2]) > 50
    assert met["whole", 1] and met["whole", 2], "whole pictures of solos and of duets"


def test_who_is_right_and_sure_has_nothing_to_learn_and_who_is_wrong_has_much():
    made, reader = Glances(planted([[0, -1], [1, 2]]), TINY), Reader(TINY)
    assert loss(reader, made) < 1e-3
    assert loss(lambda pictures: -reader(pictures), made) > 9.9
    assert loss(lambda pictures: 0 * reader(pictures), made) == pytest.approx(np.log(2))


def test_right_names_are_counted_of_windows_and_of_whole_pictures():
    found = planted([[0, -1], [1, -1], [2, -1], [0, -1], [-1, -1]], count=1)
    assert Named(found)(Reader(TINY)) == {"loss": 0, "window": 1, "whole": 1}
    found.windows[3, 0, 0] = coloured([1], WINDOW)
    assert Named(found)(Reader(TINY)) == {"loss": 1 / 8, "window": 3 / 4, "whole": 1}
    found.whole[1, 2] = coloured([0], WHOLE)
    told = Named(found)(Reader(TINY))
    assert told["whole"] == pytest.approx(11 / 12) and told["window"] == 3 / 4
    assert told["loss"] == pytest.approx(1 - (11 / 12 + 3 / 4) / 2)


def test_videos_in_which_nothing_was_detected_are_refused():
    nothing = planted([[-1, -1], [-1, -1]])
    for made in (lambda: Glances(nothing, TINY), lambda: Named(nothing)):
        with pytest.raises(ValueError, match="2 videos, and nothing was detected in any; give"):
            made()
