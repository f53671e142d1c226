"""Mixtures to train on, without end: each a function of its number (section IV-A1).

Taught in `notebooks/04_deep_clustering.ipynb`, section "The data".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch

from ..corpora.casting import Casting
from ..corpora.store import Store
from .features import FPS, STFT, levels, lips, motion
from .network import Pictures

SPREAD = 5.0
"""The mixtures' range of levels in dB: 0 to 5 between the loudest talker and another."""
FINE = 16
"""Flow is kept in sixteenths of a pixel, up to 8 px."""


def prepare(store: Store, size: tuple[int, int] = (32, 48)) -> tuple[np.ndarray, np.ndarray]:
    """Lips and their flow of every clip of a store, kept beside it.

    Returns
    -------
    mouths (clips, T, *size) uint8; flow (clips, T, 2, *size) int8, in sixteenths of a px
    """
    name = "{}x{}".format(*size)
    mouths = store.kept(f"lips_{name}", lambda: np.stack([lips(f, size) for f in store.faces]))
    flow = store.kept(
        f"flow_{name}",
        lambda: np.stack(
            [np.rint(motion(m) * FINE).clip(-127, 127).astype(np.int8) for m in mouths]
        ),
    )
    return mouths, flow


@torch.no_grad()
def seen(store: Store, pictures: Pictures) -> np.ndarray:
    """What a finished network for pictures sees in every clip of a store, kept beside it.

    Returns
    -------
    (clips, T, pictured) float16
    """
    tensors = [x.cpu().numpy().tobytes() for x in pictures.state_dict().values()]
    digest = hashlib.sha256(b"".join(tensors)).hexdigest()[:12]
    device = next(pictures.parameters()).device

    def made() -> np.ndarray:
        pictures.eval()
        parts = []
        for mouths, flow in zip(*prepare(store, pictures.size), strict=True):
            given = (
                torch.from_numpy(mouths.copy()),
                torch.from_numpy(flow.astype(np.float32) / FINE),
            )
            found = pictures(*(x[None].to(device) for x in given))[0]
            parts.append(found.half().cpu().numpy())
        return np.stack(parts)

    return store.kept(f"seen_{digest}", made)


class Mixtures(torch.utils.data.Dataset):
    """Mixtures of a number of talkers, half of them of one sex: number -> example.

    An example holds `sources` (talkers, samples), which sum to the mixture, and, with lips,
    `mouths` (talkers, T, height, width) uint8 and `flow` (talkers, T, 2, height, width) float16 in
    px a picture; or, with a network for pictures, `features` (talkers, T, pictured) float16.

    Parameters
    ----------
    stores : utterances of one split
    talkers : how many speak
    seconds : length, a whole number of pictures
    size : of the lips in px; None leaves them out
    pictures : a finished network that has seen the lips already
    spoilt : how often the features of a face are spoilt, 0…1: a stretch is hidden, or they come up
        to 3 pictures late or early, or are somebody else's
    seed : another seed, other mixtures

    Raises
    ------
    ValueError : as `corpora.casting.Casting`
    """

    def __init__(
        self,
        stores: Sequence[Store],
        *,
        talkers: int = 2,
        seconds: float = 1.28,
        size: tuple[int, int] | None = None,
        pictures: Pictures | None = None,
        spoilt: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.spoilt, self.seed, self.pictures = spoilt, seed, round(seconds * FPS)
        self.casting = Casting(stores, talkers=talkers, pictures=self.pictures)
        self.audio = [store.audio_at(STFT.rate) for store in stores]
        self.lips = [prepare(store, size) for store in stores] if size else None
        self.features = [seen(store, pictures) for store in stores] if pictures else None

    def kind(self, number: int) -> str:
        """Of mixture `number`: "same" where all talkers are of one sex, else "different"."""
        people = self.casting.people(np.random.default_rng([self.seed, number]))
        return "same" if len({sex for sex, _ in people}) == 1 else "different"

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        """Mixture `number`."""
        rng = np.random.default_rng([self.seed, number])
        people = self.casting.people(rng)
        stretches = [self.casting.stretch(person, rng) for person in people]
        step = STFT.rate // FPS
        sources = np.stack(
            [self.audio[s][k, step * t : step * (t + self.pictures)] for s, k, t in stretches]
        ).astype(np.float32)
        gains = 10 ** (-rng.uniform(0, SPREAD, len(people)) / 20)
        gains[int(rng.integers(len(people)))] = 1.0
        sources *= (gains / np.sqrt(np.mean(sources**2, axis=1) + 1e-2))[:, None]
        example = {"sources": torch.from_numpy(sources.astype(np.float32))}
        if self.lips is not None:
            cut = [[x[k, t : t + self.pictures] for x in self.lips[s]] for s, k, t in stretches]
            mouths, flow = (np.stack(part) for part in zip(*cut, strict=True))
            example["mouths"] = torch.from_numpy(mouths)
            example["flow"] = torch.from_numpy(flow.astype(np.float16) / FINE)
        if self.features is not None:
            found = np.stack([self._seen(*stretch) for stretch in stretches])
            for face in found:
                if rng.random() < self.spoilt:
                    self._spoil(face, rng)
            example["features"] = torch.from_numpy(found)
        return example

    def _seen(self, s: int, k: int, t: int) -> np.ndarray:
        assert self.features is not None
        return self.features[s][k, t : t + self.pictures]

    def _spoil(self, face: np.ndarray, rng: np.random.Generator) -> None:
        """Spoil what is seen of a face, (T, pictured), in place."""
        way = int(rng.integers(3))
        if way == 0:
            length = int(rng.integers(1, len(face) + 1))
            first = int(rng.integers(len(face) - length + 1))
            face[first : first + length] = 0
        elif way == 1:
            face[:] = np.roll(
                face, int(rng.integers(1, 4)) * (1 - 2 * int(rng.integers(2))), axis=0
            )
        else:
            anybody = self.casting.people(rng)[0]
            face[:] = self._seen(*self.casting.stretch(anybody, rng))


def level_statistics(mixtures: Mixtures, count: int = 100) -> torch.Tensor:
    """Mean and deviation of the mixtures' levels, (2,): a network's `level` (section IV-A3)."""
    heard = torch.stack([levels(STFT.forward(mixtures[n]["sources"].sum(0))) for n in range(count)])
    return torch.stack([heard.mean(), heard.std()])


def picture_statistics(mixtures: Mixtures, count: int = 300) -> tuple[torch.Tensor, torch.Tensor]:
    """Statistics of grey lips and their flow: `grey` (2, H, W) and `moved` (2, 2) of `Pictures`.

    A hundredth is added to a pixel's deviation, for those that hardly change.
    """
    examples = [mixtures[n] for n in range(count)]
    grey = torch.cat([one["mouths"].flatten(0, 1).float() / 255 for one in examples])
    flow = torch.cat([one["flow"].flatten(0, 1).float() for one in examples])
    return (
        torch.stack([grey.mean(0), grey.std(0) + 0.01]),
        torch.stack([flow.mean((0, 2, 3)), flow.std((0, 2, 3))]),
    )
