"""How the fixed lists were drawn. `write_lists` makes the committed files again, byte for byte.

Within a kind ("ff", "fm", …) every talker is used equally often, as nearly as the numbers allow;
groups that were not yet used come first; who speaks first (and is loudest) is drawn. Gains are
uniform in 0…5 dB below the first. Only `random.Random.random` is used, whose sequence Python
promises to keep.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

from . import dialogue_lists, grid, noisy, solo_pairs, tcd_timit
from .dialogue_lists import DialogueItem
from .mixtures import Item, kind

DEEPEST = 5.0
"""Largest gain in dB by which a voice is lowered."""

COUNTS = {2: {"ff": 15, "mm": 15, "fm": 30}, 3: {"fff": 15, "ffm": 15, "fmm": 15, "mmm": 15}}
HALVES = {2: {"ff": 8, "mm": 7, "fm": 15}, 3: {"fff": 8, "ffm": 7, "fmm": 8, "mmm": 7}}
HANDFUL = {2: {"ff": 3, "mm": 3, "fm": 9}, 3: {"fff": 1, "ffm": 3, "fmm": 3, "mmm": 1}}
HUNDRED = {
    1: {"f": 50, "m": 50}, 2: {"ff": 25, "mm": 25, "fm": 50},
    3: {"fff": 25, "ffm": 25, "fmm": 25, "mmm": 25},
}  # fmt: skip
PAIRINGS = {2: {"ff": 60, "mm": 60, "fm": 60}, 3: {"fff": 60, "ffm": 60, "fmm": 60, "mmm": 60}}
DIALOGUES = {"ff": 4, "fm": 4, "mm": 4}
MORE = {"bbaf2n": ("bbwm4n", "bgin3a", "brif6p", "bwbg8n")}
"""Other recordings of a talker of the GRID sample."""

KINDS = ("command", "digits", "sentence")


def draw(
    name: str,
    sexes: Mapping[str, str],
    counts: Mapping[str, int],
    utterance: Callable[[str, int, Random], str],
) -> list[Item]:
    """Draw a list of items.

    Parameters
    ----------
    name : of the list; items are called name-00, name-01, …, and it seeds the draw
    sexes : speaker id -> "f" or "m"
    counts : kind -> how many items
    utterance : (speaker, item number, random) -> a name of an utterance not yet used

    Returns
    -------
    Items, the kinds taking turns, so that the first few of a list hold every kind.
    """
    random = Random(name)
    used: Counter[str] = Counter()
    groups: Counter[tuple[str, ...]] = Counter()
    items: list[Item] = []
    for number, wanted in enumerate(_turns(counts)):
        fitting = [
            group
            for group in combinations(sexes, len(wanted))
            if kind([sexes[speaker] for speaker in group]) == wanted
        ]
        lots = {g: (max(used[s] for s in g), sum(used[s] for s in g), groups[g]) for g in fitting}
        group = min(fitting, key=lambda g: (*lots[g], random.random()))
        used.update(group)
        groups[group] += 1
        speakers = sorted(group, key=lambda speaker: random.random())
        gains = [0.0] + [round(-DEEPEST * random.random(), 2) + 0.0 for _ in speakers[1:]]
        said = tuple(utterance(speaker, number, random) for speaker in speakers)
        items.append(Item(f"{name}-{number:02d}", tuple(speakers), said, tuple(gains), wanted))
    return items


def _turns(counts: Mapping[str, int]) -> list[str]:
    """Each kind as often as counted, spread evenly."""
    places = [((k + 0.5) / n, wanted) for wanted, n in counts.items() for k in range(n)]
    return [wanted for _, wanted in sorted(places)]


def synthetic_utterances(offset: int) -> Callable[[str, int, Random], str]:
    """Utterances kind:seed; the kinds in equal thirds, every seed once."""
    seeds = iter(range(offset, offset + 10000))
    return lambda speaker, number, random: f"{KINDS[number % 3]}:{next(seeds)}"


def grid_utterances() -> Callable[[str, int, Random], str]:
    """Utterances colour-letter-digit, none twice for a speaker."""
    taken: set[tuple[str, str]] = set()

    def choose(speaker: str, number: int, random: Random) -> str:
        while True:
            parts = ("bgrw", "abcdefghijklmnopqrstuvxyz", "z123456789")
            said = "-".join(part[int(random.random() * len(part))] for part in parts)
            if (speaker, said) not in taken:
                taken.add((speaker, said))
                return said

    return choose


def tcd_timit_utterances() -> Callable[[str, int, Random], str]:
    """Utterances #3 to #98, which leave out what all read; none twice for a speaker or in an item.

    Some people read the same sentences in the same order: one place would be one text.
    """
    taken: set[tuple[str | int, int]] = set()
    first, last = tcd_timit.EVERYBODYS + 1, tcd_timit.SENTENCES

    def choose(speaker: str, number: int, random: Random) -> str:
        while True:
            place = first + int(random.random() * (last + 1 - first))
            if not taken & {(speaker, place), (number, place)}:
                taken.update({(speaker, place), (number, place)})
                return f"#{place}"

    return choose


def draw_all(talkers: Sequence[tuple[str, str]], splits: Mapping[str, Sequence[str]]) -> dict:
    """Every committed list: file name -> items.

    Parameters
    ----------
    talkers : (id, sex) of the synthetic talkers
    splits : their split -> ids
    """
    lists: dict[str, list[Item]] = {}
    for part, counts in (("test", COUNTS), ("validation", HALVES)):
        for n in (2, 3):
            sexes = {id: sex for id, sex in talkers if id in set(splits[part])}
            offset = 100 + 1000 * n + 5000 * (part == "validation")
            name = f"synthetic_{n}_{part}"
            lists[name] = draw(name, sexes, counts[n], synthetic_utterances(offset))
            name = f"grid_{n}_{part}"
            people = {s: "f" if s in grid.WOMEN else "m" for s in grid.SPLITS[part]}
            lists[name] = draw(name, people, counts[n], grid_utterances())
            name = f"tcd_timit_{n}_{part}"
            people = {s: s[-1].lower() for s in tcd_timit.SPLITS[part]}
            lists[name] = draw(name, people, counts[n], tcd_timit_utterances())
    people = {id: sex for id, sex in talkers if id in set(splits["test"])}
    for n in (2, 3):
        name = f"synthetic_{n}_pairings"
        lists[name] = draw(name, people, PAIRINGS[n], synthetic_utterances(28000 + 1000 * n))
    for n in (2, 3):
        name = f"grid_sample_{n}_test"
        lists[name] = draw(name, grid.SAMPLE, HANDFUL[n], lambda speaker, number, random: speaker)
    return {f"{name}.csv": items for name, items in lists.items()}


def draw_dialogues(
    name: str,
    sexes: Mapping[str, str],
    counts: Mapping[str, int],
    says: Callable[[str, int, Random], str],
) -> list[DialogueItem]:
    """Draw a list of dialogues; parameters as for `draw`.

    Within a kind each combination of who sits left and who is delayed comes equally often: of
    women left and right, of women delayed and of men. Levels differ by up to 3 dB.
    """
    items: list[DialogueItem] = []
    seen: Counter[str] = Counter()
    for item in draw(name, sexes, counts, says):
        turn = seen[item.kind]
        seen[item.kind] += 1
        order = sorted((0, 1), key=lambda k: (sexes[item.speakers[k]], k), reverse=turn % 2 == 1)
        first, second = order
        items.append(
            DialogueItem(
                name=item.name,
                kind=item.kind,
                speakers=(item.speakers[first], item.speakers[second]),
                says=(_several(item.utterances[first]), _several(item.utterances[second])),
                gains_db=(_milder(item.gains_db[first]), _milder(item.gains_db[second])),
                delayed=(turn + 1) // 2 % 2,
            )
        )
    return items


def _several(said: str) -> tuple[str, ...]:
    return tuple(said.split("+"))


def _milder(gain: float) -> float:
    """A gain of 0 to -3 dB out of one of 0 to -5 dB."""
    return round(0.6 * gain, 2) + 0.0


def draw_all_dialogues(
    talkers: Sequence[tuple[str, str]], splits: Mapping[str, Sequence[str]]
) -> dict[str, list[DialogueItem]]:
    """Every committed list of dialogues: file name -> items; parameters as for `draw_all`."""
    lists: dict[str, list[DialogueItem]] = {}
    for part, offset in (("test", 9100), ("validation", 9200)):
        sexes = {id: sex for id, sex in talkers if id in set(splits[part])}
        name = f"synthetic_dialogues_{part}"
        lists[name] = draw_dialogues(name, sexes, DIALOGUES, _seeds(offset))
        name = f"grid_dialogues_{part}"
        people = {s: "f" if s in grid.WOMEN else "m" for s in grid.SPLITS[part]}
        said = grid_utterances()

        def six(speaker: str, number: int, random: Random, said: Any = said) -> str:
            return "+".join(said(speaker, number, random) for _ in range(6))

        lists[name] = draw_dialogues(name, people, DIALOGUES, six)
    name = "grid_sample_dialogues_test"
    lists[name] = draw_dialogues(
        name,
        grid.SAMPLE,
        {"ff": 2, "fm": 2, "mm": 2},
        lambda speaker, number, random: "+".join((speaker, *MORE.get(speaker, ()))),
    )
    name = "cuave_dialogues_test"
    lists[name] = [
        DialogueItem(
            f"{name}-{number:02d}", "fm", (f"{group}-left", f"{group}-right"),
            (("turns",), ("turns",)), (0.0, 0.0), 1,
        )
        for number, group in enumerate(("g12", "g20", "g21"))
    ]  # fmt: skip
    return {f"{name}.csv": items for name, items in lists.items()}


def draw_all_tasks(
    talkers: Sequence[tuple[str, str]], splits: Mapping[str, Sequence[str]]
) -> dict[str, list[noisy.NoisyItem]]:
    """Every committed list of a task: file name -> items; parameters as for `draw_all`."""
    from ..synthetic.noises import NOISES

    sexes = {id: sex for id, sex in talkers if id in set(splits["test"])}
    lists: dict[str, list[noisy.NoisyItem]] = {}
    for k, (task, (voices, noise)) in enumerate(noisy.TASKS.items()):
        name = f"synthetic_{task}_test"
        items = draw(name, sexes, HUNDRED[voices], synthetic_utterances(20000 + 1000 * k))
        clean = [noisy.NoisyItem(**vars(item)) for item in items]
        lists[f"{name}.csv"] = noisy.add_noise(items, NOISES) if noise else clean
    return lists


def _seeds(offset: int) -> Callable[[str, int, Random], str]:
    """One seed for both talkers of a dialogue, which also draws who speaks when."""
    return lambda speaker, number, random: f"digits:{offset + number}"


def text(items: Sequence[Item]) -> str:
    """A list as the text of its file; `mixtures.parse` reads it back."""
    lines = ["name,kind,speakers,utterances,gains_db"]
    for item in items:
        gains = " ".join(f"{gain:g}" for gain in item.gains_db)
        said = " ".join(item.utterances)
        lines.append(f"{item.name},{item.kind},{' '.join(item.speakers)},{said},{gains}")
    return "\n".join(lines) + "\n"


def write_lists(folder: str | os.PathLike[str]) -> list[Path]:
    """Draw every list and write it into `folder`, each whole or not at all; returns the paths."""
    from ..synthetic.talkers import SPLITS, TALKERS

    talkers = [(t.id, t.sex) for t in TALKERS]
    texts = {name: text(items) for name, items in draw_all(talkers, SPLITS).items()}
    for name, dialogue in draw_all_dialogues(talkers, SPLITS).items():
        texts[name] = dialogue_lists.text(dialogue)
    for name, noisy_items in draw_all_tasks(talkers, SPLITS).items():
        texts[name] = noisy.text(noisy_items)
    for split in solo_pairs.ROUNDS:
        texts[f"synthetic_band_{split}.csv"] = solo_pairs.text(solo_pairs.listed(split))
    paths = []
    for name, lines in texts.items():
        path = Path(folder) / name
        part = path.with_name(f".{name}.part")
        part.write_text(lines, encoding="utf-8", newline="\n")
        os.replace(part, path)
        paths.append(path)
    return paths
