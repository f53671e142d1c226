"""AV-MIML: templates of unlabelled videos, and whose sound they are.

Three classes with combs of their own, each with three notes. No video holds one class alone.
"""

from itertools import combinations

import numpy as np
import pytest
import torch

from avsep_core import scores, training, weights
from avsep_core.co_separation import miml
from avsep_core.co_separation.guided_nmf import separated
from avsep_core.co_separation.network import PAPER

CLASSES, NOTES, SECONDS = 3, 3, 2.0
SAMPLES = round(SECONDS * PAPER.rate)
DUETS = list(combinations(range(CLASSES), 2)) * 8


def comb(label):
    """Bins in which a class sounds, and one on either side for the window: (512,) bool."""
    found = np.zeros(PAPER.bins, bool)
    for first in range(30, 420, 30):
        found[first + 10 * label - 1 : first + 10 * label + 8] = True
    return found


def solo(label, rng):
    """Notes of a fifth of a second; (SAMPLES,)."""
    t = np.arange(SAMPLES) / PAPER.rate
    sound = np.zeros(SAMPLES)
    for note in range(NOTES):
        bins = np.arange(30, 420, 30) + 10 * label + 3 * note
        wave = np.sin(2 * np.pi * t[:, None] * bins * PAPER.rate / PAPER.fft + rng.random(13) * 6)
        heard = np.repeat(rng.random(10) * (rng.random(10) < 0.5), SAMPLES // 10 + 1)[:SAMPLES]
        sound += heard * wave.sum(1)
    return 0.1 * sound / np.std(sound)


class Store:
    """What `bases` reads of a store of performances."""

    def __init__(self, sounds):
        self.audio = np.rint(np.stack(sounds) * 8000).astype(np.int16)

    def __len__(self):
        return len(self.audio)


@pytest.fixture(scope="module")
def store():
    rng = np.random.default_rng(0)
    return Store([solo(a, rng) + solo(b, rng) for a, b in DUETS])


@pytest.fixture(scope="module")
def spectra(store):
    return miml.bases(store, templates=8, iterations=50)


@pytest.fixture(scope="module")
def labels():
    """Two classes of each video, and an empty slot."""
    return np.array([(*pair, -1) for pair in DUETS])


@pytest.fixture(scope="module")
def trained(spectra, labels):
    """A network that knows which templates are whose, and its templates."""
    torch.manual_seed(0)
    net = miml.Miml(CLASSES, most=12, hidden=16, concepts=2)
    bags = miml.Bags(spectra, labels, CLASSES, few=3)
    plan = training.Plan(steps=200, batch=16, rate=1e-2, decay="cosine")
    training.train(net, miml.miml_loss, bags, plan=plan, device="cpu", progress=False)
    miml.gather(net, spectra, labels)
    return net


@pytest.fixture(scope="module")
def duet():
    """A new duet of classes 0 and 2: (2, samples)."""
    rng = np.random.default_rng(1)
    return np.stack([solo(0, rng), solo(2, rng)])


def untrained(**sizes):
    torch.manual_seed(0)
    return miml.Miml(**({"classes": CLASSES, "hidden": 16} | sizes)).eval()


def drawn(*shape):
    return torch.rand(*shape, PAPER.bins, generator=torch.Generator().manual_seed(0))


# --- what was learnt ----------------------------------------------------------------------------


def test_classes_that_were_never_heard_alone_are_told_apart(trained, duet):
    mixture = duet.sum(axis=0)
    before = scores.mixture_sdr(duet, mixture)
    found = scores.bss_eval(duet, separated(trained, mixture, [0, 2]), permute=False)
    assert (found.sdr - before).min() > 6


def test_the_templates_of_a_class_lie_mostly_in_its_comb(trained):
    """Not wholly: notes that always come together in a video share a template of it."""
    for label in range(CLASSES):
        kept = trained.templates(label).numpy().mean(axis=0)
        mine, *others = (kept[comb(k % CLASSES)].sum() for k in range(label, label + CLASSES))
        assert mine > 0.5 and mine > 2 * max(others)


# --- the network --------------------------------------------------------------------------------


def test_a_bag_in_another_order_has_the_same_scores():
    net, bag = untrained(), drawn(25)
    shuffled = bag[torch.randperm(25, generator=torch.Generator().manual_seed(1))]
    assert torch.allclose(net(bag), net(shuffled))


def test_a_bag_is_of_a_class_as_much_as_its_best_template():
    net, bag = untrained(), drawn(25)
    alone = torch.stack([net(template[None]) for template in bag])
    assert torch.allclose(net(bag), alone.amax(0))
    best = alone.argmax(0).unique()
    assert torch.allclose(net(bag[best]), net(bag)), "the others may be taken away"


@torch.no_grad()
def test_a_template_is_of_a_class_as_much_as_of_its_best_sub_concept():
    """Sub-concepts that say nothing change nothing; one that says much is believed."""
    net, bag = untrained(concepts=4), drawn(5)
    before, last = net.relation(bag), net.shared[4]
    each = net.sub_concepts(bag)
    last.bias.view(CLASSES, 4)[1] -= 100 * (torch.arange(4) != 2)
    assert torch.allclose(net.relation(bag)[:, 1], each[:, 1, 2])
    assert torch.equal(net.relation(bag)[:, [0, 2]], before[:, [0, 2]])
    last.bias.view(CLASSES, 4)[1, 3] += 200
    assert (net.relation(bag)[:, 1] > before[:, 1] + 50).all()


def test_the_level_of_a_template_does_not_count():
    net, bag = untrained(), drawn(5)
    assert torch.allclose(net.relation(bag), net.relation(1e-4 * bag), atol=1e-5)


def test_the_loss_asks_each_class_that_is_there_to_win_by_one():
    def loss(scores, present):
        return float(miml.miml_loss(lambda _: torch.tensor([scores]), {
            "spectra": torch.zeros(1), "present": torch.tensor([present])}))  # fmt: skip

    assert loss([2.0, 0.5, 1.0], [0, -1, -1]) == 0
    assert loss([2.0, 1.5, 1.0], [0, 1, -1]) == pytest.approx(0.5 / 3)
    assert loss([2.0, 1.5, 1.0], [2, -1, -1]) == pytest.approx((2 + 1.5) / 3)


# --- templates ----------------------------------------------------------------------------------


def test_templates_of_videos_add_up_to_one_and_are_the_same_again(store, spectra):
    assert spectra.shape == (len(DUETS), 8, PAPER.bins) and (spectra >= 0).all()
    assert np.allclose(spectra.sum(axis=2), 1, atol=1e-5)
    again = miml.bases(store, templates=8, iterations=50, videos=2)
    assert np.array_equal(again, spectra[:2])
    other = miml.bases(store, templates=8, iterations=50, videos=2, seed=1)
    assert not np.allclose(other, again)


def test_only_the_beginning_of_a_video_is_heard(store):
    cut = Store(store.audio[:1, : PAPER.rate] / 8000)
    one, same = (miml.bases(s, templates=4, videos=1, seconds=1) for s in (store, cut))
    assert np.array_equal(one, same)


def test_a_template_goes_only_to_a_class_that_is_seen_in_its_video(spectra, labels):
    """Then what is gathered for a class that is seen in one video is of that video."""
    net = untrained(most=99)
    there = miml.gather(net, spectra[:2], np.array([[0], [1]]))
    for label in range(2):
        kept, offered = net.templates(label).numpy(), spectra[label]
        assert len(kept) == there[label] > 0
        assert np.abs(kept[:, None] - offered).sum(2).min(1).max() < 0.05
    assert there[2] == net.count[2] == 0


def test_no_more_templates_are_kept_than_there_is_room_for(trained, spectra, labels):
    there = miml.gather(untrained(most=2), spectra, labels)
    assert there.sum() <= spectra.shape[0] * spectra.shape[1]
    assert (trained.count <= trained.most).all() and (trained.count > trained.most // 2).all()


def test_templates_are_kept_to_within_half_a_step_of_their_root():
    net, given = untrained(most=4), drawn(3) ** 4
    net.keep(1, 7 * given)
    kept = net.templates(1)
    ratio = kept / kept.amax(1, keepdim=True)
    wanted = given / given.amax(1, keepdim=True)
    assert (ratio.sqrt() - wanted.sqrt()).abs().max() <= 0.5 / 255 + 1e-6
    assert torch.allclose(kept.sum(1), torch.ones(3))


def test_what_is_shipped_separates_as_what_was_trained(trained, duet, tmp_path):
    card = {"architecture": trained.described()}
    path = weights.save(trained, tmp_path / "miml.safetensors", card=card)
    back = weights.load(path, lambda told: miml.Miml(**told))
    mixture = duet.sum(axis=0)
    assert np.array_equal(separated(back, mixture, [0, 2]), separated(trained, mixture, [0, 2]))


def test_a_network_of_nine_classes_is_small():
    net = miml.Miml(9)
    assert sum(p.numel() for p in net.parameters()) < 20_000
    held = [2 * p.numel() for p in net.parameters()] + [b.nbytes for b in net.buffers()]
    assert sum(held) < 300_000


# --- bags ---------------------------------------------------------------------------------------


def test_a_bag_is_a_function_of_its_number_and_shows_a_few_templates_of_one_video(spectra, labels):
    bags = miml.Bags(spectra, labels, CLASSES, few=3)
    for number in range(10):
        bag = bags[number]
        assert all(torch.equal(bag[name], bags[number][name]) for name in bag)
        same = (bag["spectra"].numpy()[:, None, None] == spectra).all(3)
        (video,) = np.flatnonzero(same.any((0, 2)))
        assert same[:, video].any(0).sum() == 3, "none of them twice"
        assert bag["present"].tolist() == [*DUETS[video], -1]


def test_a_video_in_which_nothing_is_seen_is_never_shown(spectra, labels):
    some = np.where(np.arange(len(labels))[:, None] == 4, labels, -1)
    bags = miml.Bags(spectra, some, CLASSES, few=1)
    assert all(bags[number]["present"].tolist() == [*DUETS[4], -1] for number in range(20))


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, told",
    [
        ({"videos": 99}, "99 videos asked for; the store holds 2"),
        ({"seconds": 0.5}, "video 0 is silent for 0.5 s"),
        ({"templates": 200}, r"video 0 has \d+ frames for 200 templates"),
        ({"templates": 0}, "templates is 0"),
        ({"seconds": -1}, "seconds=-1 given"),
    ],
)
def test_videos_without_templates_are_refused_by_their_number(change, told):
    late = np.r_[np.zeros(SAMPLES // 2), np.ones(SAMPLES // 2)]
    with pytest.raises(ValueError, match=told):
        miml.bases(Store([late, late]), **change)


@pytest.mark.parametrize(
    "spectra, labels, few, told",
    [
        (np.ones((2, 5, 40)), [[0], [1]], 5, r"shape \(2, 5, 40\); expected .*512"),
        (-np.ones((2, 5, 512)), [[0], [1]], 5, "negative numbers; expected magnitudes"),
        (np.ones((2, 5, 512)), [[0]], 5, r"labels of shape \(1, 1\).*expected \(2, slots\)"),
        (np.ones((2, 5, 512)), [[0], [3]], 5, "0 to 3; expected .* from 0 to 2"),
        (np.ones((2, 5, 512)), [[-1], [-1]], 5, "-1 to -1; .*one class at least"),
        (np.ones((2, 5, 512)), [[0], [1]], 6, "few is 6, but a bag holds 5 templates"),
    ],
)
def test_bags_that_do_not_fit_are_refused(spectra, labels, few, told):
    with pytest.raises(ValueError, match=told):
        miml.Bags(spectra, np.array(labels), CLASSES, few=few)


@pytest.mark.parametrize("spectra", [drawn(3), 0 * drawn(1), -drawn(1), torch.ones(1, 40)])
def test_templates_that_cannot_be_kept_are_refused(spectra):
    with pytest.raises(ValueError, match=r"for class 1; expected .*at most 2 templates"):
        untrained(most=2).keep(1, spectra)


def test_a_network_of_one_class_has_nothing_to_tell_apart():
    with pytest.raises(ValueError, match="classes is 1; give a whole number of classes, 2 or more"):
        miml.Miml(1)
