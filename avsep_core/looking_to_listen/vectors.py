"""Face vectors: what a face-recognition network knows of a face, 1024 numbers a picture.

The paper takes the lowest layer of such a network that has no spatial axes (section 4.1). Here a
small one learns to tell the drawn talkers of the training split apart.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "Face vectors".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from ..corpora.store import SIDE, Store, grey_crops
from ..faces import Track
from ..weights import load, shipped

SIZE = 1024
"""Numbers in a face vector."""


class Seer(Protocol):
    """A network that makes face vectors."""

    def vectors(self, faces: torch.Tensor) -> torch.Tensor:
        """(N, SIDE, SIDE) uint8 -> (N, SIZE)."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """What it has learnt, on one device; nothing, where it is on the CPU for good."""

    def eval(self) -> Any:
        """Enter evaluation mode."""


class FaceNetwork(nn.Module):
    """Recognise who is in a picture, and how far the mouth is open.

    Four convolutions halve the picture until 4 x 4 places are left, one more squeezes the
    channels, and a fully connected layer drops the places: its output is the face vector. On it
    stand one linear layer that names the talker and one that tells the opening of the lips.

    Parameters
    ----------
    people : how many talkers there are to recognise
    channels : of the four convolutions

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "Face vectors".
    """

    def __init__(self, people: int, channels: Sequence[int] = (32, 64, 128, 192)) -> None:
        super().__init__()
        self.architecture = {"people": people, "channels": list(channels)}
        layers: list[nn.Module] = []
        for before, after in zip([1, *channels], channels, strict=False):
            layers += [
                nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        places = (SIDE // 2 ** len(channels)) ** 2
        layers += [nn.Conv2d(channels[-1], 32, 1), nn.Flatten(), nn.Linear(32 * places, SIZE)]
        self.body = nn.Sequential(*layers)
        self.who = nn.Linear(SIZE, people)
        self.opening = nn.Linear(SIZE, 1)

    def vectors(self, faces: torch.Tensor) -> torch.Tensor:
        """(N, SIDE, SIDE) uint8 -> (N, SIZE): brightness and contrast are taken out first."""
        x = faces.float()
        x = x - x.mean((-1, -2), keepdim=True)
        x = x / (x.pow(2).mean((-1, -2), keepdim=True).sqrt() + 4)  # grey levels of camera noise
        return self.body(x[:, None])

    def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, SIDE, SIDE) uint8 -> scores of the talkers (N, people), opening (N,)."""
        found = torch.relu(self.vectors(faces))
        return self.who(found), self.opening(found)[:, 0]


class Pictures(torch.utils.data.Dataset):
    """Single pictures out of stores, by number: face, talker, opening of the lips.

    Parameters
    ----------
    stores : of one split
    people : ids of the talkers, in the order in which the network counts them
    seed : another seed, other pictures
    """

    def __init__(self, stores: Sequence[Store], people: Sequence[str], *, seed: int = 0) -> None:
        self.stores, self.seed = list(stores), seed
        self.number_of = {person: k for k, person in enumerate(people)}

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        """Picture `number`, mirrored at every second chance."""
        rng = np.random.default_rng([self.seed, number])
        store = self.stores[int(rng.integers(len(self.stores)))]
        clip, frame = int(rng.integers(len(store))), int(rng.integers(store.faces.shape[1]))
        face = store.faces[clip, frame]
        face = face[:, ::-1] if rng.random() < 0.5 else face
        return {
            "face": torch.from_numpy(face.copy()),
            "person": torch.tensor(self.number_of[store.speakers[clip]]),
            "opening": torch.tensor(float(store.opening[clip, frame])),
        }


def recognition_loss(
    network: nn.Module, batch: dict[str, torch.Tensor], *, expression: float = 1.0
) -> torch.Tensor:
    """Cross-entropy of the talker, and `expression` times 20 times the squared opening error.

    With `expression=0` the network learns to recognise people and nothing else, as in the paper.
    """
    scores, opening = network(batch["face"])
    loss = nn.functional.cross_entropy(scores, batch["person"])
    if expression:
        loss = loss + expression * 20 * (opening - batch["opening"]).pow(2).mean()
    return loss


@torch.no_grad()
def face_vectors(network: Seer, faces: np.ndarray, *, batch: int = 256) -> np.ndarray:
    """Vectors of grey face crops.

    Parameters
    ----------
    network : such as `shipped_network` or `pretrained.pretrained`
    faces : (..., SIDE, SIDE) uint8
    batch : pictures at once

    Returns
    -------
    (..., SIZE) float32

    Raises
    ------
    ValueError : another shape or type
    """
    faces = np.asarray(faces)
    if faces.shape[-2:] != (SIDE, SIDE) or faces.dtype != np.uint8 or not faces.size:
        raise ValueError(
            f"faces of shape {faces.shape} and type {faces.dtype}; expected (..., {SIDE}, {SIDE}) "
            "uint8, grey, such as `corpora.store.grey_crops` cuts"
        )
    network.eval()
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    flat = torch.from_numpy(faces.reshape(-1, SIDE, SIDE).copy())
    parts = [network.vectors(part.to(device)).float().cpu() for part in flat.split(batch)]
    return torch.cat(parts).numpy().reshape(*faces.shape[:-2], SIZE)


def store_vectors(store: Store, network: Seer) -> np.ndarray:
    """Vectors of every face in a store, (clips, T, SIZE) float16; kept beside it."""

    def made() -> np.ndarray:
        rows = [face_vectors(network, faces).astype(np.float16) for faces in store.faces]
        return np.stack(rows)

    return store.kept("vectors", made)


def shipped_network() -> FaceNetwork:
    """The face network whose weights come with the package, in evaluation mode."""
    network = load(shipped("looking_to_listen", "faces"), lambda made: FaceNetwork(**made))
    assert isinstance(network, FaceNetwork)
    return network


def track_vectors(network: Seer, frames: np.ndarray, track: Track) -> np.ndarray:
    """Vectors of one face through a clip; zeros where it was not seen (section 4.3).

    Parameters
    ----------
    network : see `shipped_network`
    frames : (T, height, width, 3) uint8 RGB
    track : of these frames

    Returns
    -------
    (T, SIZE) float32

    Raises
    ------
    ValueError : track and frames differ in length
    """
    found = face_vectors(network, grey_crops(frames, track.boxes))
    found[~track.seen] = 0
    return found


def probe(vectors: np.ndarray, values: np.ndarray, *, test: tuple[np.ndarray, np.ndarray]) -> float:
    """How much of a quantity a linear map reads out of face vectors: R^2 on other talkers.

    Ridge regression: w = (V'V + lambda I)^-1 V'y, with lambda a thousandth of the mean diagonal.

    Parameters
    ----------
    vectors, values : (N, SIZE) and (N,) to fit on
    test : the same of other talkers, to measure on

    Returns
    -------
    1 - |y - Vw|^2 / |y - mean y|^2 on the test part
    """
    middle, mean = vectors.mean(0), values.mean()
    V = (vectors - middle).astype(np.float64)
    G = V.T @ V
    w = np.linalg.solve(G + 1e-3 * np.trace(G) / len(G) * np.eye(len(G)), V.T @ (values - mean))
    told = (test[0] - middle) @ w + mean
    return float(1 - np.sum((test[1] - told) ** 2) / np.sum((test[1] - test[1].mean()) ** 2))
