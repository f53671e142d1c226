"""From embeddings to masks: k-means, k-POD where entries are missing, and who is who.

Taught in `notebooks/04_deep_clustering.ipynb`, section "Clustering".
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import torch
from sklearn.cluster import KMeans

RESTARTS, ROUNDS = 4, 50


def kmeans(
    points: np.ndarray | torch.Tensor, clusters: int, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Group points around centroids: an array by scikit-learn, a tensor by torch where it lies.

    Parameters
    ----------
    points : (points, dimensions) real, an array, or a tensor on any device
    clusters : how many
    seed : of the first centroids, which k-means++ draws; the best of a few draws is kept

    Returns
    -------
    labels (points,) integers, centroids (clusters, dimensions)

    Raises
    ------
    ValueError : fewer points than clusters, or entries that are not finite
    """
    if points.ndim != 2 or not 1 <= clusters <= len(points):
        raise ValueError(
            f"points of shape {tuple(points.shape)} for {clusters} clusters; expected (points, "
            "dimensions) with at least one point a cluster"
        )
    if isinstance(points, torch.Tensor):
        if not torch.isfinite(points).all():
            raise ValueError("points hold NaN or an infinity; `kpod` takes missing entries")
        return _in_torch(points, clusters, seed)
    if not np.isfinite(points).all():
        raise ValueError("points hold NaN or an infinity; `kpod` takes missing entries")
    found = KMeans(clusters, n_init=RESTARTS, max_iter=ROUNDS, random_state=seed).fit(points)
    return found.labels_, found.cluster_centers_


def _in_torch(points: torch.Tensor, clusters: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    drawn, best = torch.Generator().manual_seed(seed), float("inf")
    for _ in range(RESTARTS):
        found = points[torch.randint(len(points), (1,), generator=drawn).to(points.device)]
        while len(found) < clusters:  # k-means++: far points are likelier
            far = torch.cdist(points, found).amin(1).square().cpu() + 1e-12
            found = torch.cat([found, points[torch.multinomial(far, 1, generator=drawn)]])
        labels = torch.full((len(points),), -1, device=points.device)
        for _ in range(ROUNDS):
            distance, new = torch.cdist(points, found).min(1)
            if torch.equal(new, labels):
                break
            labels = new
            sums = torch.zeros_like(found).index_add_(0, labels, points)
            count = torch.bincount(labels, minlength=clusters)[:, None]
            found = torch.where(count > 0, sums / count.clamp_min(1), found)
        spread = float(distance.square().sum())
        if spread < best:
            best, kept = spread, (labels.cpu().numpy(), found.cpu().numpy())
    return kept


def kpod(
    points: np.ndarray, observed: np.ndarray, clusters: int, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """k-means of points with missing entries: the end of Algorithm 1 (Chi et al. 2016).

    A point goes to the centroid that is nearest in the coordinates it has; a coordinate of a
    centroid is the mean of what is known of it; until no label changes. Filling what is missing
    with the centroid's and clustering again would then change nothing. With nothing missing it is
    `kmeans`.

    Parameters
    ----------
    points : (points, dimensions) real; what stands in a missing entry does not count
    observed : bool, of the same shape
    clusters, seed : as for `kmeans`; begun with the points of which all is observed, or, if they
        are too few, with all points, their missing entries filled with the mean of the others'

    Returns
    -------
    labels (points,) integers, centroids (clusters, dimensions)

    Raises
    ------
    ValueError : shapes that differ; dimensions that are never observed; as `kmeans`
    """
    if points.shape != observed.shape or observed.dtype != bool:
        raise ValueError(
            f"points of shape {points.shape}, observed {observed.shape} of {observed.dtype}; "
            "expected bool of the same shape"
        )
    if not observed.any(axis=0).all():
        raise ValueError(
            f"{(~observed.any(axis=0)).sum()} of {points.shape[1]} dimensions are never observed; "
            "leave out the dimensions that are always missing"
        )
    whole = observed.all(axis=1)
    if whole.sum() < clusters:
        begun = np.where(observed, points, points.mean(axis=0, where=observed))
    else:
        begun = points[whole]
    labels, found = kmeans(begun, clusters, seed=seed)
    if whole.all():
        return labels, found
    labels = np.full(len(points), -1)
    for _ in range(ROUNDS):
        distance = np.stack(
            [np.sum(np.where(observed, points - centre, 0) ** 2, axis=1) for centre in found]
        )
        new = distance.argmin(axis=0)
        if np.array_equal(new, labels):
            break
        labels = new
        for c in range(clusters):
            known = observed[labels == c]
            total = np.where(known, points[labels == c], 0).sum(axis=0)
            count = known.sum(axis=0)
            found[c] = np.where(count > 0, total / np.maximum(count, 1), found[c])
    return labels, found


def masks(labels: np.ndarray, counted: np.ndarray, clusters: int) -> np.ndarray:
    """Binary masks from the labels of the bins that were clustered.

    Parameters
    ----------
    labels : (points,) of the bins in which `counted` is true, in their order
    counted : (frames, freq) bool
    clusters : how many masks

    Returns
    -------
    (clusters, freq, frames) real; bins that were not clustered are shared out evenly
    """
    made = np.full((clusters, *counted.shape), 1 / clusters)
    made[:, counted] = np.arange(clusters)[:, None] == labels
    return made.transpose(0, 2, 1)


def best_frames(estimates: np.ndarray, ideal: np.ndarray) -> np.ndarray:
    """Give each frame of some masks the order that fits the ideal ones best (the starred rows).

    The fit is sum_f of estimate times ideal mask, in which bins that are shared out evenly do not
    count. The mean is not taken out first: where one voice speaks alone, nothing would be left.

    Parameters
    ----------
    estimates, ideal : (sources, freq, frames)

    Returns
    -------
    The estimates, each frame in its best order; where orders fit alike, in the one that stands
    """
    orders = np.array(list(permutations(range(len(estimates)))))  # the first changes nothing
    pairs = np.einsum("aft,bft->abt", estimates, ideal)
    fit = np.stack([sum(pairs[a, b] for b, a in enumerate(order)) for order in orders])
    best = orders[np.round(fit, 6).argmax(axis=0)]  # (frames, sources): estimate best[t, b] for b
    return np.stack(
        [estimates[best[:, b], :, np.arange(estimates.shape[2])].T for b in range(len(estimates))]
    )
