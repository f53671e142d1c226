"""The affinity loss and uPIT's, as lessons."""

import pytest
import torch
from torch.nn.functional import normalize

from avsep_core.deep_clustering import objective


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
