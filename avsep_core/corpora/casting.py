"""Who speaks in a mixture that nobody listed: talkers and stretches drawn from stores.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "The data".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .store import Store


class Casting:
    """Draws talkers and stretches of their clips for mixtures without end.

    Parameters
    ----------
    stores : utterances of one split
    talkers : how many speak in a mixture
    pictures : length of a mixture

    Raises
    ------
    ValueError : clips shorter than the mixtures, fewer talkers of a sex than a mixture has
    """

    def __init__(self, stores: Sequence[Store], *, talkers: int, pictures: int) -> None:
        self.talkers, self.pictures = talkers, pictures
        self.lengths = [store.faces.shape[1] for store in stores]
        if not 1 <= pictures <= min(self.lengths):
            raise ValueError(
                f"mixtures of {pictures} pictures from clips of {min(self.lengths)} pictures; take "
                "fewer `seconds`"
            )
        self.clips: dict[str, dict[str, list[tuple[int, int]]]] = {}
        for s, store in enumerate(stores):
            for k, (who, sex) in enumerate(zip(store.speakers, store.sexes, strict=True)):
                self.clips.setdefault(sex, {}).setdefault(who, []).append((s, k))
        least = min(map(len, self.clips.values()))
        if least < talkers:
            raise ValueError(
                f"{least} talkers of a sex for mixtures of {talkers}; add clips of others"
            )

    def people(self, rng: np.random.Generator) -> list[tuple[str, str]]:
        """Sex and id of different talkers; in every second mixture all are of one sex."""
        kinds = sorted(self.clips)
        if rng.random() < 0.5 and len(kinds) > 1 and self.talkers > 1:
            first = int(rng.integers(len(kinds))) if self.talkers > 2 else 0
            sexes = [kinds[(first + k) % len(kinds)] for k in rng.permutation(self.talkers)]
        else:
            sexes = [kinds[int(rng.integers(len(kinds)))]] * self.talkers
        found: list[tuple[str, str]] = []
        for sex in sexes:
            free = [who for who in self.clips[sex] if (sex, who) not in found]
            found.append((sex, free[int(rng.integers(len(free)))]))
        return found

    def stretch(self, person: tuple[str, str], rng: np.random.Generator) -> tuple[int, int, int]:
        """A stretch of a talker's clips: store, clip and first picture."""
        theirs = self.clips[person[0]][person[1]]
        s, k = theirs[int(rng.integers(len(theirs)))]
        return s, k, int(rng.integers(self.lengths[s] - self.pictures + 1))
