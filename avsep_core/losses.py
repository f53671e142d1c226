"""Losses that several chapters share: which estimate belongs to which source?

Taught in `notebooks/00_foundations.ipynb`, section "Which estimate is whose? The permutation
question".
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import torch
from scipy.optimize import linear_sum_assignment

# Up to here every assignment is tried; beyond, the Hungarian method finds the best one.
EXHAUSTIVE = 6


def permutation_invariant(pairwise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The least mean loss over all ways to assign estimates to references.

    Parameters
    ----------
    pairwise : (batch, estimates, references) loss of each estimate against each reference, as
        many of one as of the other

    Returns
    -------
    loss : (batch,) mean over the references under the best assignment; gradients flow through
        the chosen entries only
    permutation : (batch, references) integers; estimate `permutation[b, j]` goes to reference j

    Raises
    ------
    ValueError : another shape or type, NaN, -inf, or (beyond `EXHAUSTIVE` sources) no assignment
        of finite loss

    Yu et al., "Permutation invariant training" (2017), section 3. Taught in
    `notebooks/00_foundations.ipynb`, section "Which estimate is whose? The permutation question".
    """
    if not isinstance(pairwise, torch.Tensor) or not pairwise.is_floating_point():
        kind = getattr(pairwise, "dtype", type(pairwise).__name__)
        raise ValueError(f"pairwise losses of type {kind}; expected a torch tensor of real numbers")
    if pairwise.ndim != 3 or pairwise.shape[1] != pairwise.shape[2] or pairwise.shape[1] == 0:
        raise ValueError(
            f"pairwise losses of shape {tuple(pairwise.shape)}; expected (batch, estimates, "
            "references) with as many estimates as references"
        )
    if (torch.isnan(pairwise) | torch.isneginf(pairwise)).any():
        raise ValueError(
            "pairwise losses hold NaN or -inf; no assignment is best. Look for log(0) or 0/0"
        )
    count = pairwise.shape[1]
    if count <= EXHAUSTIVE:
        orders = torch.tensor(list(permutations(range(count))), device=pairwise.device)
        reference = torch.arange(count, device=pairwise.device)
        totals = pairwise[:, orders, reference].mean(dim=-1)
        loss, best = totals.min(dim=1)
        return loss, orders[best]
    table = pairwise.detach().cpu().double().numpy()
    try:
        rows = [linear_sum_assignment(cost.T)[1].tolist() for cost in table]
    except ValueError as error:
        raise ValueError(
            "pairwise losses are infinite under every assignment; look for an overflow"
        ) from error
    permutation = torch.tensor(rows, dtype=torch.long, device=pairwise.device)
    permutation = permutation.reshape(len(pairwise), count)
    return pairwise.gather(1, permutation[:, None, :])[:, 0].mean(dim=-1), permutation


def pit(
    estimates: torch.Tensor,
    references: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Permutation-invariant loss from a loss of two signals.

    Parameters
    ----------
    estimates, references : (batch, sources, ...) of one shape
    loss : takes (batch, sources, 1, ...) and (batch, 1, sources, ...), returns the loss of each
        pair (batch, sources, sources): for instance
        `lambda a, b: (a - b).square().mean(dim=(-2, -1))` for spectrograms

    Returns
    -------
    As `permutation_invariant`

    Raises
    ------
    ValueError : shapes differ, or the loss leaves other axes than batch and sources
    """
    if estimates.shape != references.shape or estimates.ndim < 3:
        raise ValueError(
            f"estimates of shape {tuple(estimates.shape)} and references of shape "
            f"{tuple(references.shape)}; expected (batch, sources, ...), both alike"
        )
    return permutation_invariant(loss(estimates[:, :, None], references[:, None]))


def reorder(estimates: torch.Tensor, permutation: torch.Tensor) -> torch.Tensor:
    """Put estimates into the order of their references.

    Parameters
    ----------
    estimates : (batch, sources, ...)
    permutation : (batch, sources) from `permutation_invariant` or `pit`

    Returns
    -------
    (batch, sources, ...), estimate `permutation[b, j]` at place j

    Raises
    ------
    ValueError : shapes that do not belong together, or a place that is not 0…sources - 1
    """
    if permutation.shape != estimates.shape[:2]:
        raise ValueError(
            f"a permutation of shape {tuple(permutation.shape)} for estimates of shape "
            f"{tuple(estimates.shape)}; expected (batch, sources)"
        )
    places = range(estimates.shape[1])
    if (
        permutation.is_floating_point()
        or permutation.dtype == torch.bool
        or not ((permutation >= 0) & (permutation < len(places))).all()
    ):
        raise ValueError(
            f"the permutation of type {permutation.dtype} names places outside {list(places)}; "
            "expected the integers that `permutation_invariant` returns"
        )
    batch = torch.arange(len(estimates), device=estimates.device)[:, None]
    return estimates[batch, permutation]
