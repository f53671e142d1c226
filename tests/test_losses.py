"""The permutation question, answered inside a loss."""

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avsep_core.losses import EXHAUSTIVE, permutation_invariant, pit, reorder


def table(batch, count, seed=0):
    return torch.randn(batch, count, count, generator=torch.Generator().manual_seed(seed))


def squared(a, b):
    return (a - b).square().mean(dim=-1)


@given(count=st.integers(1, EXHAUSTIVE + 1), seed=st.integers(0, 999))
def test_no_assignment_is_better(count, seed):
    costs = table(2, count, seed)
    loss, permutation = permutation_invariant(costs)
    for b in range(2):
        tried = [
            sum(costs[b, i, j].item() for j, i in enumerate(order)) / count
            for order in permutations(range(count))
        ]
        assert loss[b].item() == pytest.approx(min(tried), abs=1e-5)
        chosen = sum(costs[b, i, j].item() for j, i in enumerate(permutation[b].tolist()))
        assert chosen / count == pytest.approx(min(tried), abs=1e-5)
        assert sorted(permutation[b].tolist()) == list(range(count))


@given(seed=st.integers(0, 999), order=st.permutations(range(4)))
def test_shuffling_the_references_shuffles_the_answer_and_keeps_the_loss(seed, order):
    costs = table(3, 4, seed)
    loss, permutation = permutation_invariant(costs)
    again, shuffled = permutation_invariant(costs[:, :, order])
    torch.testing.assert_close(again, loss)
    assert torch.equal(shuffled, permutation[:, order])


@given(seed=st.integers(0, 999), order=st.permutations(range(4)))
def test_shuffled_estimates_are_put_back_in_order(seed, order):
    sources = torch.randn(2, 4, 10, generator=torch.Generator().manual_seed(seed))
    estimates = sources[:, order]
    loss, permutation = pit(estimates, sources, squared)
    assert torch.equal(loss, torch.zeros(2))
    assert torch.equal(reorder(estimates, permutation), sources)


@pytest.mark.parametrize("count", [3, EXHAUSTIVE + 2])
def test_gradients_flow_through_the_chosen_pairs_only(count):
    costs = table(2, count).requires_grad_()
    loss, permutation = permutation_invariant(costs)
    loss.sum().backward()
    expected = torch.zeros(2, count, count)
    for b in range(2):
        expected[b, permutation[b], torch.arange(count)] = 1 / count
    torch.testing.assert_close(costs.grad, expected)


def test_each_item_of_a_batch_has_its_own_permutation():
    sources = torch.randn(1, 2, 50)
    estimates = torch.cat([sources, sources.flip(1)])
    _, permutation = pit(estimates, sources.expand(2, -1, -1), squared)
    assert permutation.tolist() == [[0, 1], [1, 0]]


def test_training_with_it_finds_the_sources_in_any_order():
    rng = np.random.default_rng(0)
    sources = torch.tensor(rng.normal(size=(1, 3, 40)))
    start = sources[:, [2, 0, 1]] + 0.3 * torch.tensor(rng.normal(size=(1, 3, 40)))
    estimates = start.clone().requires_grad_()
    optimiser = torch.optim.SGD([estimates], lr=30.0)
    for _ in range(60):
        optimiser.zero_grad()
        loss, permutation = pit(estimates, sources, squared)
        loss.sum().backward()
        optimiser.step()
    assert permutation.tolist() == [[1, 2, 0]]
    torch.testing.assert_close(estimates.detach()[:, permutation[0]], sources, atol=1e-3, rtol=0)


def test_losses_that_have_no_best_assignment_are_refused():
    for bad, message in [
        (torch.zeros(2, 3), r"shape \(2, 3\)"),
        (torch.zeros(2, 3, 2), "as many estimates as references"),
        (torch.zeros(2, 0, 0), "as many"),
        (torch.full((1, 2, 2), torch.nan), "NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            permutation_invariant(bad)
    with pytest.raises(ValueError, match="both alike"):
        pit(torch.zeros(1, 2, 5), torch.zeros(1, 3, 5), squared)
    with pytest.raises(ValueError, match="pairwise losses of shape"):
        pit(torch.zeros(1, 2, 5, 5), torch.zeros(1, 2, 5, 5), squared)
    with pytest.raises(ValueError, match="a permutation of shape"):
        reorder(torch.zeros(1, 2, 5), torch.zeros(1, 3, dtype=torch.long))
