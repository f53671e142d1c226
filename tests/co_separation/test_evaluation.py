"""Every method on one pair of solos, and what a network heard."""

import numpy as np
import pytest
import torch

from avsep_core.co_separation import evaluation, guided_nmf, sliding
from avsep_core.co_separation.detector import Detection, overlap
from avsep_core.co_separation.miml import Miml
from avsep_core.co_separation.network import KINDS, PAPER, Separator
from avsep_core.co_separation.objects import SIDE, Objects, cut, middle
from avsep_core.corpora.solo_pairs import SoloPair
from tests.co_separation.small import TINY, separator

LONG = {"frames": 64}
"""A window that is longer than the way to the next."""


def noise(samples, seed=0):
    return np.random.default_rng(seed).normal(size=samples).astype(np.float32)


def shown(*shape, side=TINY.side, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (*shape, 3, side, side), dtype=np.uint8)


@pytest.fixture(scope="module")
def solos():
    """Two instruments that take turns and share half of their partials: (2, samples)."""
    time = np.arange(2 * PAPER.rate) / PAPER.rate
    first = sum(np.sin(2 * np.pi * f * time) for f in (300, 600, 900, 1200))
    other = sum(np.sin(2 * np.pi * f * time + 1) for f in (450, 900, 1350, 1800))
    turns = 0.6 + 0.4 * np.sign(np.sin(2 * np.pi * 1.3 * time))
    both = np.stack([first * turns, other * (1.2 - turns)])
    return (0.1 * both / both.std(1, keepdims=True)).astype(np.float32)


# --- what is seen -------------------------------------------------------------------------------


class Told:
    """Finds what it is told."""

    names = ("a", "b", "c")

    def __init__(self, *found):
        self.found = found

    def detect(self, frames):
        return self.found


def test_the_surest_object_of_a_video_is_seen_in_its_windows_the_surest_first():
    pictures = np.zeros((3, 40, 60, 3), np.uint8)
    box = (20.0, 10.0, 16.0, 20.0)
    pictures[0, 10:30, 20:36], pictures[2, 10:30, 20:36] = 100, 200
    found = evaluation.seen(pictures, Told(
        [Detection("b", 0.5, box)], [], [Detection("b", 0.9, box), Detection("c", 0.8, box)],
    ))  # fmt: skip
    assert found.label == 1 and found.windows.shape == (2, SIDE, SIDE, 3)
    assert (found.windows[0] == 200).all() and (found.windows[1] == 100).all()
    assert found.whole.shape == (3, SIDE, SIDE, 3) and found.whole.min() == 0
    assert np.array_equal(found.whole[2], cut(pictures[2], (0, 0, 60, 40)))


def test_where_nothing_was_detected_whole_pictures_stand_for_the_object():
    pictures = np.random.default_rng(0).integers(0, 256, (3, 40, 60, 3), dtype=np.uint8)
    found = evaluation.seen(pictures, Told([], [], []))
    assert found.label == -1 and np.array_equal(found.windows, found.whole)


@pytest.mark.parametrize("kind", KINDS)
def test_networks_for_objects_are_shown_windows_and_the_others_whole_pictures(kind):
    windows, whole = (np.full((n, SIDE, SIDE, 3), n, np.uint8) for n in (2, 3))
    made = evaluation.Seen(whole, 0, windows).pictures(separator(kind=kind))
    views = 2 if kind == "co_separation" else 3
    assert made.shape == (views, 3, TINY.side, TINY.side) and (made == views).all()


# --- what is heard ------------------------------------------------------------------------------


class Grey(Separator):
    """Lets through as much as a picture is bright."""

    def forward(self, mixture, pictures, of):
        return pictures.mean((1, 2, 3))[:, None, None].expand_as(mixture[of]), None


def greys(*levels):
    """Views of one object, (views, 3, side, side)."""
    views = [np.full((3, TINY.side, TINY.side), level, np.uint8) for level in levels]
    return np.stack(views)


def test_objects_are_parted_as_if_all_of_their_views_came_at_once():
    network, mixture = Grey(separator(**LONG).architecture).eval(), noise(2 * PAPER.rate)
    views = [greys(0, 51, 102), greys(255, 204, 204)]
    wanted = sliding.separated(network, mixture, np.stack(views), hop=evaluation.HOP)
    found = evaluation.parted(network, mixture, views)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    np.testing.assert_allclose(found, np.outer([0.2, 13 / 15], mixture), atol=1e-4)


def test_objects_may_have_unlike_numbers_of_views():
    network, mixture = Grey(separator(**LONG).architecture).eval(), noise(2 * PAPER.rate)
    found = evaluation.parted(network, mixture, [greys(51), greys(255, 204, 204)])
    np.testing.assert_allclose(found, np.outer([0.2, 13 / 15], mixture), atol=1e-4)


def test_a_blindfolded_network_lets_through_what_it_lets_through_for_a_window_with_that_vector():
    network, mixture, pictures = separator(), noise(PAPER.rate), shown(2)
    with torch.no_grad():
        vector = network.see(torch.from_numpy(pictures[:1]) / 255)[0]
    wanted = evaluation.parted(network, mixture, [pictures[:1]])
    told = evaluation.parted(evaluation.blindfolded(network, vector), mixture, [pictures[1:]])
    np.testing.assert_allclose(told, wanted, atol=1e-6)
    seeing = evaluation.parted(network, mixture, [pictures[1:]])
    assert np.abs(seeing - wanted).max() > 1e-5, "the network itself still sees"


def test_mean_vectors_are_those_of_the_windows_that_were_found():
    network, rng = separator(), np.random.default_rng(0)
    windows = rng.integers(0, 256, (3, 2, 2, SIDE, SIDE, 3), dtype=np.uint8)
    labels = np.array([[1, 2], [1, -1], [2, -1]])
    count = np.array([[2, 1], [1, 0], [2, 0]])
    found = Objects(windows, count, labels, windows[:, 0])
    told = evaluation.mean_vectors(network, found)
    assert told.keys() == {1, 2}
    three = middle(np.stack([*windows[0, 0], windows[1, 0, 0]]), TINY.side)
    with torch.no_grad():
        wanted = network.see(torch.from_numpy(three) / 255).mean(0)
    torch.testing.assert_close(told[1], wanted)


@pytest.fixture(scope="module")
def templates():
    """A network that knows a low and a high class."""
    network = Miml(3, most=1)
    for label in range(2):
        spectrum = torch.full((1, PAPER.bins), 1e-3)
        spectrum[0, 250 * label : 250 * (label + 1)] = 1
        network.keep(label, spectrum)
    return network


def test_templates_of_the_classes_in_view_part_a_mixture(templates):
    mixture = noise(8000)
    found = evaluation.by_templates(templates, mixture, [1, 0])
    assert np.array_equal(found, guided_nmf.separated(templates, mixture, [1, 0]))
    high = np.abs(np.fft.rfft(found)[:, 2000:]).sum(1)
    assert high[0] > 3 * high[1]


@pytest.mark.parametrize("labels", [[-1, 1], [1, -1], [1, 1], [0, 1, 0]])
def test_without_a_class_of_its_own_each_object_gets_its_share_of_the_mixture(templates, labels):
    mixture = noise(8000)
    found = evaluation.by_templates(templates, mixture, labels)
    assert found.shape == (len(labels), 8000)
    np.testing.assert_allclose(found, [mixture / len(labels)] * len(labels))


# --- scores -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tables(solos):
    """Scores of estimates in the right order, exchanged, and of the mixture itself."""
    pair = SoloPair("000-flute-cello", ("flute", "cello"), solos, PAPER.rate, (None, None))
    right = solos + 0.01 * noise(solos.shape)
    sounds = {"right": right, "exchanged": right[::-1], "mixture": np.stack([pair.mixture] * 2)}
    strict = evaluation.scored(pair, sounds)
    return strict, evaluation.scored(pair, sounds, permute=True)


def test_scores_tell_what_was_gained_over_the_mixture(tables):
    strict, _ = tables
    assert set(strict) == {"right", "exchanged", "mixture"}
    for row in strict.values():
        assert set(row) == {"sdr", "sir", "sar", "dsdr"}
        assert all(len(values) == 2 for values in row.values())
    np.testing.assert_allclose(strict["mixture"]["dsdr"], 0, atol=1e-3)
    gain = np.subtract(strict["right"]["sdr"], strict["mixture"]["sdr"])
    np.testing.assert_allclose(strict["right"]["dsdr"], gain, atol=1e-3)
    assert gain.min() > 10


def test_no_order_is_searched_unless_it_is_asked_for(tables):
    strict, free = tables
    assert max(strict["exchanged"]["sdr"]) < min(strict["right"]["sdr"]) - 10
    np.testing.assert_allclose(free["exchanged"]["sdr"], strict["right"]["sdr"], atol=1e-6)
    np.testing.assert_allclose(free["right"]["sdr"], strict["right"]["sdr"], atol=1e-6)


# --- what the classifier hears ------------------------------------------------------------------


@pytest.mark.parametrize("samples", [TINY.samples // 2, TINY.samples, 3 * TINY.samples])
def test_probabilities_of_the_classes_add_up_to_one_for_a_sound_of_any_length(samples):
    network = separator()
    embedding, sure = evaluation.heard(network, noise(samples), shown(4))
    assert embedding.shape == (4, 8 * TINY.hearing) and sure.shape == (4, TINY.classes + 1)
    np.testing.assert_allclose(sure.sum(1), 1, atol=1e-5)
    assert (sure > 0).all() and sure.std(0).max() > 0, "pictures matter"
    named = network.name(torch.from_numpy(embedding)).softmax(1).detach().numpy()
    np.testing.assert_allclose(named, sure, atol=1e-5)


def test_the_middle_of_a_sound_is_heard():
    window = TINY.samples
    one, other = noise(3 * window), noise(3 * window, seed=1)
    same_middle = np.concatenate([other[:window], one[window:-window], other[-window:]])
    first, same, unlike = (
        evaluation.heard(separator(), sound, shown(2))[0] for sound in (one, same_middle, other)
    )
    assert np.array_equal(first, same) and not np.allclose(first, unlike)


@pytest.mark.parametrize("changes", [{"hearing": 0}, {"kind": "sound_of_pixels"}])
def test_a_network_without_a_classifier_hears_nothing(changes):
    with pytest.raises(ValueError, match="without a classifier; take one with `hearing` above 0"):
        evaluation.heard(separator(**changes), noise(TINY.samples), shown(1))


def test_clusters_are_pure_and_chance_is_not():
    rng = np.random.default_rng(0)
    labels, points = rng.integers(0, 3, 240), rng.normal(size=(240, 4))
    clusters = points + 20 * np.eye(4)[labels]
    assert evaluation.purity(clusters, labels).all()
    for neighbours in (1, 5):
        share = evaluation.purity(points, labels, neighbours=neighbours).mean()
        assert share == pytest.approx(1 / 3, abs=0.12), "a point has no vote on itself"


def test_points_of_one_film_and_those_without_a_vote_do_not_vouch_for_a_point():
    labels, films = np.repeat([0, 1], 12), np.arange(24)[:, None] // 6
    places = 20.0 * films + np.arange(24)[:, None] / 100  # each film on a heap of its own
    assert evaluation.purity(places, labels).all()
    swapped = places[[*range(6), *range(12, 18), *range(6, 12), *range(18, 24)]]
    assert evaluation.purity(swapped, labels).all(), "its own heap vouches for each"
    assert not evaluation.purity(swapped, labels, films=films)[:6].any()
    assert not evaluation.purity(places, labels, voters=labels == 1)[:12].any()
    with pytest.raises(ValueError, match="0 points may vote on one of 24, 5 are needed"):
        evaluation.purity(places, labels, films=np.zeros((24, 1), int))


# --- where it is --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(120, 112), (120, 336), (40, 60), (90, 20)])
def test_proposals_of_three_sizes_cover_every_pixel_and_lie_inside(shape):
    boxes = np.array(evaluation.proposals(shape))
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2] == boxes[:, 3]).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= np.array(shape[::-1]) + 1e-9).all()
    sizes = np.unique(boxes[:, 2])
    assert len(sizes) == 3
    y, x = np.indices(shape) + 0.5
    for size in sizes:
        left, top = boxes[boxes[:, 2] == size, :2].T[..., None, None]
        met = (x >= left) & (x <= left + size) & (y >= top) & (y <= top + size)
        assert met.any(0).all()
        steps = np.diff(np.unique(left)), np.diff(np.unique(top))
        assert max(map(max, steps)) <= 2 / 3 * size, "a box lies over the next"


class Bright(Separator):
    """Lets all through, and hears class 1 where a picture is bright."""

    def forward(self, mixture, pictures, of):
        scores = torch.zeros(len(of), self.architecture.classes + 1)
        scores[:, 1] = 5 * pictures.mean((1, 2, 3))
        return torch.ones_like(mixture[of]), scores


def test_proposals_are_ranked_by_how_surely_the_sound_is_of_a_class():
    frame, planted = np.zeros((120, 120, 3), np.uint8), (39.0, 39.0, 42.0, 42.0)
    frame[39:81, 39:81] = 255
    network = Bright(separator(side=SIDE).architecture).eval()
    found = evaluation.ranked(network, noise(TINY.samples), frame, 1)
    assert found[0].box == pytest.approx(planted)
    assert found[0].confidence == pytest.approx(np.exp(5) / (np.exp(5) + 3), rel=1e-4)
    sure = [one.confidence for one in found]
    assert sure == sorted(sure, reverse=True) and sure[0] > sure[-1]
    assert sorted(one.box for one in found) == sorted(evaluation.proposals((120, 120)))
    other = evaluation.ranked(network, noise(TINY.samples), frame, 0)
    assert other[-1].box == pytest.approx(planted), "what is of one class is not of another"


def test_the_nearest_box_is_the_one_that_shares_most():
    boxes = np.array([[0, 0, 10, 10], [8, 0, 10, 10], [40, 0, 10, 10]], float)
    for box in ((1, 0, 10, 10), (6, 0, 10, 10), (42, 3, 4, 4)):
        shared = [overlap(box, tuple(one)) for one in boxes]
        assert evaluation.nearest(box, boxes) == np.argmax(shared)
    assert evaluation.nearest((1, 0, 10, 10), boxes) != evaluation.nearest((6, 0, 10, 10), boxes)


def test_no_box_is_near_where_none_is_met():
    assert evaluation.nearest((0, 20, 5, 5), np.array([[0.0, 0, 10, 10]])) == -1
    assert evaluation.nearest((0, 20, 5, 5), np.zeros((0, 4))) == -1
