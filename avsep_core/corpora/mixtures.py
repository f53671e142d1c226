"""Mixtures that everybody hears alike: fixed lists, and how an item of a list becomes sound.

    x(t) = sum_k s_k(t),    s_k = c * 10^(g_k / 20) * v_k / rms(v_k)

with the voices v_k cut to one length, gains g_k in dB (the first 0, the others lower), and one
scale c for all that keeps the peak of x at or below PEAK. The sources add up to the mixture
exactly, in float32.

Taught in `notebooks/00_foundations.ipynb`, section "What a mixture is".
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from itertools import combinations

import numpy as np

from ..clip import Clip, side_by_side
from .base import Corpus, CorpusError

LEVEL, PEAK, SILENCE, FARTHEST = 0.1, 0.9, 1e-5, 200
"""Root mean square of a voice at 0 dB, highest peak of a mixture, what counts as silence, and the
largest gain up or down in dB."""


COLUMNS = ("name", "kind", "speakers", "utterances", "gains_db")


@dataclass(frozen=True)
class Item:
    """One line of a list: who says what, how loud.

    `gains_db` are levels relative to the first speaker: 0 for the first, negative for the others.
    `kind` sorts the sexes: "ff", "fm", "mm", "fff", "ffm", …, or "unknown". A CorpusError refuses
    another number of utterances or gains than of speakers, or none.
    """

    name: str
    speakers: tuple[str, ...]
    utterances: tuple[str, ...]
    gains_db: tuple[float, ...]
    kind: str

    def __post_init__(self) -> None:
        counts = [len(self.speakers), len(self.utterances), len(self.gains_db)]
        if min(counts) < 1 or len(set(counts)) > 1:
            raise CorpusError(
                f"item {self.name!r}: {counts[0]} speakers, {counts[1]} utterances and {counts[2]} "
                "gains were given; give at least one speaker, and one of each for every speaker"
            )


@dataclass(frozen=True, eq=False)
class Mixture:
    """What is heard, what it is made of, and what is seen.

    `sources` (n, samples) float32 sum to `mixture` (samples,) float32, at `rate` Hz. `clips` are
    the speakers' pictures, each with its own source as sound; `clip` shows them side by side with
    the mixture as sound. Without video `clips` is empty and `clip` None.
    """

    item: Item
    sources: np.ndarray
    mixture: np.ndarray
    rate: int
    clips: list[Clip] = field(default_factory=list)
    clip: Clip | None = None


def mix(
    voices: Sequence[np.ndarray],
    gains_db: Sequence[float] | None = None,
    *,
    rates: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Bring voices to one level, apply gains, cut to the shortest, and add.

    Parameters
    ----------
    voices : arrays (samples,) float
    gains_db : level of each voice in dB; default all 0
    rates : Hz of each voice, if they are to be checked
    names : what to call the voices in messages

    Returns
    -------
    sources (n, samples) float32, mixture (samples,) float32, their exact sum.

    Raises
    ------
    ValueError : no voice, a silent one, NaN, rates that differ, another number of gains or rates,
        gains beyond FARTHEST, voices that cancel.

    Taught in `notebooks/00_foundations.ipynb`, section "What a mixture is".
    """
    names = list(names) if names is not None else [f"voice {k}" for k in range(len(voices))]
    gains = np.zeros(len(voices)) if gains_db is None else np.asarray(gains_db, float)
    if not len(voices) or len(gains) != len(voices) or len(names) != len(voices):
        raise ValueError(
            f"{len(voices)} voices, {len(gains)} gains and {len(names)} names were given; "
            "give at least one voice, and one gain and one name for each"
        )
    if rates is not None and len(rates) != len(voices):
        raise ValueError(
            f"{len(rates)} rates were given for {len(voices)} voices; give one for each"
        )
    if rates is not None and len(set(rates)) > 1:
        told = ", ".join(f"{name} {rate} Hz" for name, rate in zip(names, rates, strict=True))
        raise ValueError(f"rates differ: {told}; read every voice with the same rate")
    if not (np.abs(gains) <= FARTHEST).all():
        raise ValueError(
            f"gains of {gains.tolist()} dB were given; they must be finite and within "
            f"-{FARTHEST}..{FARTHEST}"
        )
    length = min(len(voice) for voice in voices)
    levelled = []
    for name, voice, gain in zip(names, voices, gains, strict=True):
        wave = np.asarray(voice, np.float64)
        if wave.ndim != 1:
            raise ValueError(f"{name} has shape {wave.shape}; expected mono (samples,)")
        if not np.isfinite(wave).all():
            raise ValueError(f"{name} holds NaN or infinite samples; repair or leave it out")
        wave = wave[:length]
        rms = float(np.sqrt(np.mean(wave**2))) if length else 0.0
        if rms < SILENCE:
            raise ValueError(
                f"{name} is silent (root mean square {rms:.1e}) in the {length} samples that all "
                "voices share; choose another utterance"
            )
        levelled.append(LEVEL * 10 ** (gain / 20) * wave / rms)
    peak = float(np.abs(np.sum(levelled, axis=0)).max())
    if peak <= 1e-9 * float(np.abs(levelled).max()):
        raise ValueError(
            f"{', '.join(names)} cancel each other: their sum is silent; choose other voices"
        )
    scale = min(1.0, PEAK * (1 - 1e-6) / peak)
    sources = (scale * np.stack(levelled)).astype(np.float32)
    return sources, sources.sum(axis=0)


def make(
    corpus: Corpus, item: Item, *, rate: int = 16000, fps: float = 25.0, video: bool = True
) -> Mixture:
    """Turn an item of a list into sound and pictures.

    Parameters
    ----------
    corpus : where its speakers are
    item : see `fixed_list`
    rate, fps : Hz and frames per second
    video : False leaves the pictures out, which is faster; the sound is the same

    Returns
    -------
    Mixture

    Raises
    ------
    ValueError : see `mix`; CorpusError where an utterance is missing.
    """
    pairs = list(zip(item.speakers, item.utterances, strict=True))
    clips = [corpus.clip(*pair, fps=fps, rate=rate) for pair in pairs] if video else []
    voices = [clip.audio for clip in clips] or [corpus.audio(*p, rate, fps=fps) for p in pairs]
    rates = [clip.rate for clip in clips] or None
    names = [f"{item.name}: {speaker} {utterance}" for speaker, utterance in pairs]
    sources, mixture = mix(voices, item.gains_db, rates=rates, names=names)
    if not video:
        return Mixture(item, sources, mixture, rate)
    count = min(len(clip.frames) for clip in clips)
    shown = [
        Clip(clip.frames[:count], clip.fps, source, clip.rate, name=speaker)
        for clip, source, speaker in zip(clips, sources, item.speakers, strict=True)
    ]
    return Mixture(item, sources, mixture, shown[0].rate, shown, side_by_side(shown, audio=mixture))


def kind(sexes: Sequence[str]) -> str:
    """The sexes of a mixture's speakers, women first: "fm"; "unknown" where one is unknown."""
    return "".join(sorted(sexes)) if set(sexes) <= {"f", "m"} else "unknown"


def fixed_list(corpus: Corpus, *, talkers: int = 2, split: str = "test") -> list[Item]:
    """The items that everybody scores, read from the committed list of a corpus.

    A folder of your own videos has no list: its items are all pairs (or triples) of its files in
    the order of their names, at equal levels.

    Parameters
    ----------
    corpus : see `corpora.open_corpus`
    talkers : 2 or 3 (own folder: any number that it holds)
    split : "test", "validation", or "pairings": sixty test items of each pairing of sexes, of the
        synthetic corpus only

    Returns
    -------
    Items in the list's order.

    Raises
    ------
    CorpusError : there is no such list, or the folder holds fewer files.
    """
    if corpus.lists == "folder":
        return _everybody(corpus, talkers)
    name = f"{corpus.lists}_{talkers}_{split}.csv"
    folder = resources.files(__package__) / "lists"
    if not (folder / name).is_file():
        names = sorted(file.name for file in folder.iterdir())
        known = ", ".join(each for each in names if each.startswith(corpus.lists))
        raise CorpusError(
            f"{corpus.name}: no fixed list of {talkers} talkers and split {split!r} ({name}); "
            f"there are {known}"
        )
    return parse((folder / name).read_text(encoding="utf-8"))


def parse(text: str) -> list[Item]:
    """Items from a list's text: columns name, kind, speakers, utterances, gains_db.

    Raises CorpusError, which names the line, where a column or a gain is missing or no number.
    """
    reader = csv.DictReader(text.splitlines())
    lacking = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
    if lacking:
        raise CorpusError(
            f"the list has no column {', '.join(lacking)}; expected {', '.join(COLUMNS)}"
        )
    items = []
    for row in reader:
        where = f"line {reader.line_num} of the list"
        if any(row[name] is None for name in COLUMNS):
            raise CorpusError(f"{where} is too short; expected {', '.join(COLUMNS)}")
        try:
            gains = tuple(float(gain) for gain in row["gains_db"].split())
        except ValueError as error:
            raise CorpusError(
                f"{where}: gains_db is {row['gains_db']!r}; expected numbers in dB, such as 0 -3.5"
            ) from error
        speakers, said = tuple(row["speakers"].split()), tuple(row["utterances"].split())
        items.append(Item(row["name"], speakers, said, gains, row["kind"]))
    return items


def _everybody(corpus: Corpus, talkers: int) -> list[Item]:
    speakers = corpus.speakers
    if not 1 <= talkers <= len(speakers):
        raise CorpusError(
            f"{corpus.name}: mixtures of {talkers} talkers need as many videos; "
            f"the folder holds {len(speakers)}: add some"
        )
    groups = combinations(speakers, talkers)
    return [
        Item(
            name=f"{corpus.name}-{talkers}-{number:03d}",
            speakers=tuple(speaker.id for speaker in group),
            utterances=("clip",) * talkers,
            gains_db=(0.0,) * talkers,
            kind=kind([speaker.sex for speaker in group]),
        )
        for number, group in enumerate(groups)
    ]
