"""Fixed lists of two solos that are mixed: everybody scores the same ones."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from avsep_core.corpora import ensembles, solo_pairs
from avsep_core.corpora.base import CorpusError
from avsep_core.corpora.ensembles import SOLOS, VIEWS
from avsep_core.synthetic.band import INSTRUMENTS

SPLITS = ("test", "validation")


@pytest.mark.parametrize(("split", "times"), [("test", 3), ("validation", 1)])
def test_every_two_instruments_meet_equally_often(split, times):
    met = Counter(frozenset(item.instruments) for item in solo_pairs.fixed_pairs(split))
    assert met == {frozenset(both): times for both in combinations(INSTRUMENTS, 2)}


@pytest.mark.parametrize("split", SPLITS)
def test_no_solo_is_in_two_pairs(split):
    numbers = [n for item in solo_pairs.fixed_pairs(split) for n in item.numbers]
    assert len(numbers) == len(set(numbers))


def test_the_first_third_has_every_two_instruments():
    first = solo_pairs.fixed_pairs()[:36]
    assert len({frozenset(item.instruments) for item in first}) == 36


@pytest.mark.parametrize("split", SPLITS)
def test_a_list_reads_back_as_it_was_drawn(split):
    assert solo_pairs.listed(split) == solo_pairs.fixed_pairs(split)


def test_numbers_are_those_of_the_instruments_named():
    for item in solo_pairs.fixed_pairs():
        assert tuple(SOLOS[n % len(SOLOS)][0] for n in item.numbers) == item.instruments


def test_both_solos_of_a_pair_are_equally_loud_and_add_up():
    made = solo_pairs.pair(solo_pairs.fixed_pairs()[0], seconds=2)
    level = np.sqrt((made.sources**2).mean(1))
    assert level == pytest.approx([solo_pairs.LEVEL] * 2, rel=1e-4)
    assert np.array_equal(made.mixture, made.sources[0] + made.sources[1])
    assert [len(seen) for seen in made.pictures] == [VIEWS, VIEWS]


def test_a_pair_mixes_the_very_solos_of_a_store_of_its_split(tmp_path):
    kept = ensembles.write(tmp_path / "v", ensembles.drawn(SOLOS, split="validation", seconds=2), 2)
    both = (SOLOS[1][0], SOLOS[0][0])
    made = solo_pairs.pair(solo_pairs.PairItem("0", "validation", both, (1, 0)), seconds=2)
    for k, number in enumerate((1, 0)):
        assert np.array_equal(made.pictures[k], kept.views(number))
        likeness = np.corrcoef(made.sources[k], kept.audio[number])[0, 1]
        assert likeness == pytest.approx(1, abs=1e-4)


def test_a_split_without_a_list_is_refused():
    with pytest.raises(CorpusError, match="'train'; take test or validation"):
        solo_pairs.fixed_pairs("train")
