"""From performances to pairs of videos, each with what was detected in it."""

import numpy as np
import pytest
import torch

from avsep_core.co_separation.detector import Detection
from avsep_core.co_separation.network import KINDS
from avsep_core.co_separation.objective import Objective
from avsep_core.co_separation.objects import SIDE, Objects, cut, middle, objects, surest
from avsep_core.co_separation.tasks import Pairs, Pictures, places
from avsep_core.corpora import ensembles
from avsep_core.synthetic.band import INSTRUMENTS
from tests.co_separation.small import TINY, separator


class Truth:
    """Finds what is there, and knows where."""

    names = INSTRUMENTS

    def __init__(self, store):
        self.left = [
            [
                [
                    Detection(name, 0.9 - 0.1 * k, tuple(store.boxes[n, t, k].tolist()))
                    for k, name in enumerate(store.instruments[n])
                ]
                for t in range(ensembles.VIEWS)
            ]
            for n in range(len(store))
        ]

    def detect(self, frames):
        return self.left.pop(0)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    casts = [("violin",), ("flute", "cello"), ("trumpet",), ("violin", "accordion")]
    return ensembles.write(
        tmp_path_factory.mktemp("band") / "few", ensembles.drawn(casts, seconds=2), 4
    )


@pytest.fixture(scope="module")
def found(store):
    return objects(store, Truth(store))


def pairs(store, found, **settings):
    a = separator(classes=len(INSTRUMENTS), kind=settings.pop("kind", "co_separation")).architecture
    return Pairs(store, found, a, **settings)


def test_a_window_shows_what_lies_in_the_box():
    frame = np.zeros((40, 60, 3), np.uint8)
    frame[10:20, 30:50] = 200
    assert cut(frame, (30, 10, 20, 10), 8).min() == 200
    assert cut(frame, (0, 0, 60, 40), 8).mean() == pytest.approx(200 * 200 / 2400, abs=8)
    assert cut(frame, (50, 30, 40, 40), 8).shape == (8, 8, 3), "over the edge"


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (70, 0, 5, 5), (-9, 0, 5, 5)])
def test_a_box_without_a_picture_is_refused(box):
    with pytest.raises(ValueError, match="meets the picture"):
        cut(np.zeros((40, 60, 3), np.uint8), box)


def test_the_two_surest_classes_of_a_video_are_kept():
    def d(name, confidence):
        return Detection(name, confidence, (0, 0, 1, 1))

    seen = [[d("a", 0.5), d("b", 0.6), d("a", 0.9)], [d("c", 0.7), d("a", 0.95)]]
    kept = surest(seen)
    assert list(kept) == ["a", "c"]
    assert [(t, one.confidence) for t, one in kept["a"]] == [(1, 0.95), (0, 0.9)]


def test_objects_are_kept_with_their_class_and_windows(store, found):
    for n, names in enumerate(store.instruments):
        told = [INSTRUMENTS[c] for c in found.labels[n] if c >= 0]
        assert sorted(told) == sorted(names)
        assert found.count[n].tolist() == [3] * len(names) + [0] * (2 - len(names))
        assert found.windows[n, : len(names)].std() > 10


def test_a_pair_is_a_function_of_its_number(store, found):
    made = pairs(store, found)
    a, b, other = made[3], made[3], made[4]
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["sounds"], other["sounds"])


def test_videos_of_a_pair_share_no_class(store, found):
    made = pairs(store, found)
    for number in range(30):
        first, other = made.videos(number)
        assert set(store.instruments[first]).isdisjoint(store.instruments[other])


def test_each_video_has_its_objects_and_a_scene(store, found):
    made = pairs(store, found)
    for number in range(6):
        pair = made[number]
        for k, n in enumerate(made.videos(number)):
            mine = pair["label"][pair["there"] & (pair["video"] == k)].tolist()
            names = [INSTRUMENTS.index(name) for name in store.instruments[n]]
            assert sorted(mine) == sorted([*names, len(INSTRUMENTS)])


def test_without_scenes_there_are_objects_only(store, found):
    pair = pairs(store, found, scenes=False)[0]
    assert int(pair["label"].max()) < len(INSTRUMENTS)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_whole_videos_have_one_picture_and_all_their_classes(store, found, kind):
    made = pairs(store, found, kind=kind)
    pair = made[2]
    assert pair["pictures"].shape == (2, 3, TINY.side, TINY.side) and pair["there"].all()
    for k, n in enumerate(made.videos(2)):
        there = {INSTRUMENTS[c] for c in pair["present"][k].tolist() if c >= 0}
        assert there == set(store.instruments[n])


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_are_what_the_loss_takes(store, found, kind):
    made = pairs(store, found, kind=kind)
    batch = torch.utils.data.default_collate([made[n] for n in range(2)])
    net = separator(kind=kind, classes=len(INSTRUMENTS))
    assert torch.isfinite(Objective(net.architecture)(net, batch))


def test_sounds_of_a_pair_are_about_equally_loud(store, found):
    for number in range(4):
        level = pairs(store, found)[number]["sounds"].square().mean(1).sqrt()
        assert torch.allclose(level.log10(), torch.tensor(0.1).log10(), atol=0.13)


def test_videos_that_all_share_a_class_cannot_be_paired(store, found):
    same = Objects(found.windows, found.count, np.where(found.labels >= 0, 2, -1), found.whole)
    with pytest.raises(ValueError, match="no two of which share no class"):
        pairs(store, same)


def test_places_differ_and_nobody_is_there():
    made = places(10)
    assert made.shape == (10, SIDE, SIDE, 3) and np.unique(made.mean((1, 2, 3))).size == 10


def test_a_picture_comes_with_the_boxes_of_its_objects(store):
    made = Pictures(store, INSTRUMENTS)
    for number in range(8):
        one = made[number]
        there = one["labels"] >= 0
        assert one["pictures"].shape == (3, 120, 336)
        assert 1 <= int(there.sum()) <= 2 and (one["boxes"][there][:, 2:] > 5).all()
        middle = one["boxes"][there][:, 0] + one["boxes"][there][:, 2] / 2
        assert (middle > 0).all() and (middle < 112 * there.sum()).all()


def test_only_videos_of_those_given_in_which_something_is_detected_are_paired(store, found):
    among = range(2, len(store))
    made = pairs(store, found, among=among)
    seen = {n for number in range(40) for n in made.videos(number)}
    assert seen and seen <= set(among) and (found.labels[sorted(seen)] >= 0).any(1).all()


def test_a_network_that_sees_more_than_is_kept_is_refused(store, found):
    a = separator(classes=len(INSTRUMENTS), side=SIDE + 1).architecture
    with pytest.raises(ValueError, match="sees 65 px; the pictures that are kept have 64"):
        Pairs(store, found, a)


def test_the_middle_of_a_picture_is_what_a_network_sees():
    picture = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    picture[0, 4:60, 4:60] = 1, 2, 3
    assert (middle(picture, 56) == np.array([1, 2, 3])[:, None, None]).all()
    assert middle(picture, SIDE).shape == (1, 3, SIDE, SIDE)
    with pytest.raises(ValueError, match=r"side of 65 px; expected .*1 to 64"):
        middle(picture, SIDE + 1)
