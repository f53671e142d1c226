"""What a network makes of one mixture: an embedding a bin, clusters, masks, and whose they are.

Taught in `notebooks/04_deep_clustering.ipynb`, section "Clustering".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from . import clustering
from .features import STFT, levels, lips, loud, motion
from .network import Network, Pictures, shown


@dataclass(frozen=True, eq=False)
class Embedding:
    """The embedding of a mixture's bins.

    `V` (frames, freq, dimensions) float32; `counted` (frames, freq) bool, the bins that are
    clustered; `observed` (frames, dimensions) bool, False where a face was not seen; `own` (D / 2,)
    and `heard`, D, as in `Network`.
    """

    V: np.ndarray
    counted: np.ndarray
    observed: np.ndarray
    own: np.ndarray
    heard: int

    def face(self, number: int) -> np.ndarray:
        """The part of the embedding that belongs to a face, (frames, freq, D / 2)."""
        first = self.heard + number * len(self.own)
        return self.V[..., first : first + len(self.own)]


@torch.no_grad()
def features(pictures: Pictures, faces: np.ndarray) -> np.ndarray:
    """What is seen in grey face crops.

    Parameters
    ----------
    pictures : of a network
    faces : (faces, T, side, side) uint8, 25 a second

    Returns
    -------
    (faces, T, pictured) float32
    """
    pictures.eval()
    device = next(pictures.parameters()).device
    found = []
    for mouths in lips(faces, pictures.size):
        given = torch.from_numpy(mouths), torch.from_numpy(motion(mouths))
        found.append(pictures(*(x[None].to(device) for x in given))[0].cpu().numpy())
    return np.stack(found)


@torch.no_grad()
def embed(
    network: Network,
    audio: np.ndarray,
    features: np.ndarray | None = None,
    *,
    seen: np.ndarray | None = None,
) -> Embedding:
    """Run a network on sound, and on what is seen.

    Parameters
    ----------
    network : on any device
    audio : (samples,) at `STFT.rate`
    features : (faces, T, pictured) of `features`, for a network that looks
    seen : (faces, T) bool; pictures that are not seen count as missing, and so do those parts of
        the embedding (section III-C)

    Returns
    -------
    Embedding; for uPIT `V` holds its masks
    """
    network.eval()
    a, device = network.architecture, next(network.parameters()).device
    X = STFT.forward(torch.from_numpy(np.ascontiguousarray(audio, np.float32)))
    given = []
    if features is not None:
        seen = np.ones(features.shape[:2], bool) if seen is None else seen
        given = [torch.from_numpy(np.where(seen[..., None], features, 0))[None].float().to(device)]
    V = network(levels(X)[None].to(device), *given)[0].float().cpu().numpy()
    observed = np.ones((len(V), V.shape[-1]), bool)
    own = network.own.cpu().numpy() if a.looks else np.zeros(0, np.float32)
    heard = V.shape[-1] - len(own) * (0 if seen is None or not a.looks else len(seen))
    if a.looks and seen is not None:
        there = seen[:, shown(len(V), seen.shape[1]).numpy()]
        observed[:, heard:] = np.repeat(there.T, len(own), axis=1)
    return Embedding(V, loud(X).numpy(), observed, own, heard)


def cluster(found: Embedding, voices: int, *, seed: int = 0) -> np.ndarray:
    """Masks of the clusters of an embedding, each named after a face where there are any.

    k-means, or k-POD where parts are missing. Dimensions that are missing all the time are left
    out. Bins that were not clustered are shared out evenly.

    Parameters
    ----------
    found : of `embed`
    voices : how many clusters
    seed : of k-means

    Returns
    -------
    (voices, freq, frames); the k-th is that of face k, if the network looks; voices beyond the
    faces come last
    """
    found = replace(found, counted=found.counted & found.observed.any(axis=1, keepdims=True))
    ever = found.observed.any(axis=0)
    points = found.V[found.counted][:, ever]
    there = np.broadcast_to(found.observed[:, None], found.V.shape)[found.counted][:, ever]
    if there.all():
        labels, _ = clustering.kmeans(points, voices, seed=seed)
    else:
        labels, _ = clustering.kpod(points, there, voices, seed=seed)
    masks = clustering.masks(labels, found.counted, voices)
    return masks[order(found, labels, voices)] if len(found.own) else masks


def order(found: Embedding, labels: np.ndarray, voices: int) -> np.ndarray:
    """Which cluster belongs to which face: the assignment whose bins look most like their face's.

    A cluster fits a face by the mean, over its bins, of that face's part of the embedding along
    `own`, less the mean over the bins of all others.

    Parameters
    ----------
    found : of a network that looks
    labels : (counted bins,)
    voices : how many clusters

    Returns
    -------
    (voices,) integers: cluster `order[k]` goes to face k
    """
    faces = (found.V.shape[-1] - found.heard) // len(found.own)
    fits = np.zeros((voices, faces))
    for k in range(faces):
        along = found.face(k)[found.counted] @ found.own
        there = np.broadcast_to(found.observed[:, found.heard + k * len(found.own), None],
                                found.counted.shape)[found.counted]  # fmt: skip
        for c in range(voices):
            mine, others = along[there & (labels == c)], along[there & (labels != c)]
            fits[c, k] = (mine.mean() if len(mine) else 0) - (others.mean() if len(others) else 0)
    rows, columns = linear_sum_assignment(-fits)
    first = rows[np.argsort(columns)]
    return np.concatenate([first, np.setdiff1d(np.arange(voices), first)]).astype(int)


def sounds(masks: np.ndarray, X: np.ndarray, length: int) -> np.ndarray:
    """Masked mixtures as sound: (voices, freq, frames), (freq, frames) -> (voices, samples)."""
    return STFT.inverse(masks * X, length, floor=0.1)


def masks_of(
    network: Network,
    audio: np.ndarray,
    features: np.ndarray | None = None,
    *,
    voices: int,
    seen: np.ndarray | None = None,
    seed: int = 0,
) -> np.ndarray:
    """From sound to masks, whatever the network: (voices, freq, frames).

    Parameters
    ----------
    network, audio, features, seen : as for `embed`
    voices, seed : as for `cluster`
    """
    found = embed(network, audio, features, seen=seen)
    if network.architecture.kind == "upit":
        return found.V.transpose(2, 1, 0)
    return cluster(found, voices, seed=seed)
