"""Mixtures to train on, without end: each a function of its number (section 5.1).

Taught in `notebooks/03_looking_to_listen.ipynb`, section "Four tasks".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..corpora.casting import Casting
from ..corpora.noisy import NOISE_GAIN, SPREAD, TASKS
from ..corpora.store import Store

FPS = 25


class Mixtures(torch.utils.data.Dataset):
    """Mixtures of one task, without end: number -> example.

    An example holds `mixture` (samples,) of root mean square one, `sources` (talkers, samples)
    and, with noise, `noise` (samples,), which sum to it, and `vectors` (talkers, T, SIZE) float32.

    Parameters
    ----------
    task : a key of `corpora.noisy.TASKS`
    stores : utterances with `vectors`, of one split
    noises : (count, samples) float16 or float32 at `rate`, of power one; None without noise
    rate : Hz
    seconds : length, a whole number of pictures
    missing : how often a stretch of the face vectors is blanked, 0…1
    seed : another seed, other mixtures

    Half of the mixtures are of one sex. Raises ValueError for an unknown task, noises or vectors
    that lack, clips or noises shorter than the mixtures, fewer talkers of a sex than a mixture has.
    """

    def __init__(
        self,
        task: str,
        stores: Sequence[Store],
        *,
        noises: np.ndarray | None = None,
        rate: int = 8000,
        seconds: float = 1.28,
        missing: float = 0.2,
        seed: int = 0,
    ) -> None:
        if task not in TASKS:
            raise ValueError(f"task {task!r}; expected one of {', '.join(TASKS)}")
        self.task, self.rate, self.missing, self.seed = task, rate, missing, seed
        self.talkers, noisy = TASKS[task]
        if noisy and noises is None:
            raise ValueError(f"task {task!r} has noise in it; give an array of noises")
        self.noises = noises if noisy else None
        self.pictures = round(seconds * FPS)
        for store in stores:
            if not (store.folder / "vectors.npy").is_file():
                raise ValueError(f"{store.folder} holds no vectors; make them with `store_vectors`")
        self.audio = [store.audio_at(rate) for store in stores]
        self.vectors = [np.load(store.folder / "vectors.npy", mmap_mode="r") for store in stores]
        self._casting = Casting(stores, talkers=self.talkers, pictures=self.pictures)
        if self.noises is not None and self.noises.shape[1] < self.pictures * self.rate // FPS:
            raise ValueError(
                f"noises of {self.noises.shape[1]} samples for mixtures of "
                f"{self.pictures * self.rate // FPS}; take longer ones"
            )

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        """Mixture `number`."""
        rng = np.random.default_rng([self.seed, number])
        picked = [self._clip(who, rng) for who in self._casting.people(rng)]
        gains = 10 ** (rng.uniform(-SPREAD, SPREAD, self.talkers) / 20)
        voices = np.stack([sound for sound, _ in picked])
        voices *= (gains / np.sqrt(np.mean(voices**2, axis=1) + 1e-8))[:, None]
        parts = {"sources": voices}
        mixture = voices.sum(axis=0)
        if self.noises is not None:
            row = self.noises[int(rng.integers(len(self.noises)))]
            start = int(rng.integers(len(row) - len(mixture) + 1))
            noise = row[start : start + len(mixture)].astype(np.float32)
            noise *= NOISE_GAIN * 10 ** (rng.uniform(-SPREAD, SPREAD) / 20)
            mixture, parts["noise"] = mixture + noise, noise
        scale = 1 / np.sqrt(np.mean(mixture**2) + 1e-8)
        faces = np.stack([self._blanked(seen, rng) for _, seen in picked])
        found = {name: torch.from_numpy((scale * part).astype(np.float32)) for name, part in
                 [("mixture", mixture), *parts.items()]}  # fmt: skip
        return {**found, "vectors": torch.from_numpy(faces)}

    def kind(self, number: int) -> str:
        """Of mixture `number`: "same" where all talkers are of one sex, else "different"."""
        people = self._casting.people(np.random.default_rng([self.seed, number]))
        return "same" if len({sex for sex, _ in people}) == 1 else "different"

    def _clip(
        self, person: tuple[str, str], rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        s, k, first = self._casting.stretch(person, rng)
        step = self.rate // FPS
        sound = self.audio[s][k, first * step : (first + self.pictures) * step]
        seen = self.vectors[s][k, first : first + self.pictures]
        return sound.astype(np.float32) / 32768, seen.astype(np.float32)

    def _blanked(self, seen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Sometimes only a stretch of the pictures is left, as where a face turns away."""
        if rng.random() < self.missing:
            length = int(rng.integers(1, len(seen)))
            first = int(rng.integers(len(seen) - length + 1))
            kept = np.zeros_like(seen)
            kept[first : first + length] = seen[first : first + length]
            return kept
        return seen
