"""The affinity loss and uPIT's, as lessons, and what they make of a network."""

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from avsep_core.deep_clustering import objective
from avsep_core.deep_clustering.features import STFT, levels, loud, targets
from avsep_core.deep_clustering.objective import Objective, Validation
from tests.deep_clustering.small import network, pictures, split


@pytest.fixture
def scene():
    """Embeddings of length one, ideal masks of three sources, weights; two mixtures."""
    torch.manual_seed(0)
    V = normalize(torch.randn(2, 60, 8, dtype=torch.float64), dim=-1)
    Y = torch.eye(3, dtype=torch.float64)[torch.randint(0, 3, (2, 60))]
    return V, Y, torch.rand(2, 60, dtype=torch.float64)


def test_gram_form_equals_the_definition(scene):
    V, Y, w = scene
    assert torch.allclose(objective.affinity(V, Y), objective.slow_affinity(V, Y))
    assert torch.allclose(objective.affinity(V, Y, w), objective.slow_affinity(V, Y, w))


def test_weight_zero_leaves_a_bin_out(scene):
    V, Y, w = scene
    w[:, 30:] = 0
    assert torch.allclose(
        objective.affinity(V, Y, w), objective.affinity(V[:, :30], Y[:, :30], w[:, :30])
    )


def test_turning_the_space_and_naming_sources_anew_changes_nothing(scene):
    V, Y, w = scene
    turn = torch.linalg.qr(torch.randn(8, 8, dtype=torch.float64))[0]
    told = objective.affinity(V, Y, w)
    assert torch.allclose(told, objective.affinity(V @ turn, Y, w))
    assert torch.allclose(told, objective.affinity(V, Y[..., [2, 0, 1]], w))


def test_perfect_embeddings_have_no_loss(scene):
    _, Y, w = scene
    turn = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))[0]
    assert objective.affinity(Y @ turn, Y, w).abs().max() < 1e-12


def test_gradient_of_the_gram_form_is_that_of_the_definition(scene):
    V, Y, w = scene
    grads = []
    for loss in (objective.affinity, objective.slow_affinity):
        x = V.clone().requires_grad_()
        loss(x, Y, w).sum().backward()
        grads.append(x.grad)
    assert torch.allclose(*grads)


def test_utterance_loss_is_zero_for_true_masks_in_any_order():
    torch.manual_seed(1)
    M = torch.rand(2, 10, 6, 2).softmax(-1)
    X = torch.rand(2, 10, 6)
    S = M * X[..., None]
    assert objective.utterance(M.flip(-1), X, S).abs().max() < 1e-12
    swapped = torch.cat([M[:, :5], M[:, 5:].flip(-1)], dim=1)  # one order for all frames counts
    assert objective.utterance(swapped, X, S).min() > 1e-4


def test_a_pair_counts_one_where_one_side_is_wrong_and_the_loss_is_the_mean_over_pairs():
    """Four bins of two sources, one of which is embedded with the other source: six of 16 pairs."""
    Y = torch.eye(2)[torch.tensor([[0, 0, 1, 1]])]
    V = torch.eye(2)[torch.tensor([[0, 0, 1, 0]])]
    assert objective.affinity(V, Y).item() == pytest.approx(6 / 16)


class Split:
    """Mixtures of two voices that share no bin, from a loud one to a soft one."""

    def __getitem__(self, number):
        sources = torch.from_numpy(split(voices=2)) * torch.tensor([[1.0], [0.5]]) / 10**number
        mouths, flow = (x[0] for x in pictures(2, 32))
        return {"sources": sources, "mouths": mouths, "flow": flow}

    def kind(self, number):
        return "same" if number % 2 else "different"


class Knowing(nn.Module):
    """Says of each bin whether it lies in the low voice or in the high one."""

    def __init__(self, wrong=0.0):
        super().__init__()
        self.wrong = nn.Parameter(torch.tensor(wrong))

    def forward(self, level, features=None, *, lips=None, counted=None):
        high = (torch.arange(level.shape[-1]) >= 64).float().expand(level.shape)
        V = torch.stack([1 - high + self.wrong, high - self.wrong], dim=-1)
        return V if counted is None else V[counted]


def batch(*numbers, lips=False):
    found = torch.utils.data.default_collate([Split()[n] for n in numbers])
    return found if lips else {"sources": found["sources"]}


def architecture(kind):
    return network(kind).architecture


def test_the_objective_is_the_mean_of_the_losses_of_loud_bins():
    """Section IV-A3: bins 40 dB below the loudest do not count."""
    made, given = network("dc"), batch(0, 1)
    S = STFT.forward(given["sources"])
    V, Y = made(levels(S.sum(1))).flatten(1, 2), targets(S).flatten(1, 2)
    count = loud(S.sum(1)).flatten(1).float()
    assert 0.5 < count.mean() < 0.99
    loss = Objective(made.architecture)(made, given)
    torch.testing.assert_close(loss, objective.affinity(V, Y, count).mean())


@pytest.mark.parametrize("kind", ["dc", "avdc", "woa", "upit"])
def test_loudness_does_not_change_any_loss(kind):
    made, loss = network(kind), Objective(architecture(kind))
    eyes = made.architecture.looks
    torch.testing.assert_close(
        loss(made, batch(0, lips=eyes)), loss(made, batch(3, lips=eyes)), rtol=1e-4, atol=1e-6
    )


def test_what_was_seen_before_takes_the_place_of_lips():
    made, given = network(), batch(0, lips=True)
    seen = made.look(given["mouths"], given["flow"]).detach()
    loss = Objective(made.architecture)
    other = loss(made, {"sources": given["sources"], "features": seen})
    torch.testing.assert_close(loss(made, given), other)


@pytest.mark.parametrize("kind", ["dc", "upit"])
def test_a_network_that_knows_the_answer_has_no_loss_and_gains_much(kind):
    found = Validation(architecture(kind), Split(), count=2)(Knowing())
    assert set(found) == {"loss", "si_sdr", "same", "different"}
    assert abs(found["loss"]) < 1e-5
    assert min(found["si_sdr"], found["same"], found["different"]) > 20


def test_a_network_that_is_wrong_somewhere_has_a_loss_and_a_gradient_that_says_so():
    made = Knowing(0.1)
    loss = Objective(architecture("dc"))(made, batch(0))
    loss.backward()
    assert loss > 0 and made.wrong.grad > 0


def test_kinds_that_are_not_among_the_mixtures_are_left_out():
    assert "same" not in Validation(architecture("dc"), Split(), count=1)(Knowing())
