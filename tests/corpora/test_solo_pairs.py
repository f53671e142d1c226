"""Fixed lists of two solos that are mixed: everybody scores the same ones."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from avsep_core.corpora import ensembles, solo_pairs
from avsep_core.corpora.base import CorpusError
from avsep_core.corpora.ensembles import SOLOS, VIEWS
from avsep_core.synthetic.band import INSTRUMENTS

LISTS = ("test", "validation", "toy")


@pytest.mark.parametrize(
    ("name", "cast", "times"),
    [("test", INSTRUMENTS, 3), ("validation", INSTRUMENTS, 1), ("toy", solo_pairs.TOY, 12)],
)
def test_every_two_instruments_meet_equally_often(name, cast, times):
    met = Counter(frozenset(item.instruments) for item in solo_pairs.fixed_pairs(name))
    assert met == {frozenset(both): times for both in combinations(cast, 2)}


def test_no_solo_is_in_two_pairs_of_one_list_or_of_two():
    solos = [
        (item.split, n) for name in LISTS for item in solo_pairs.fixed_pairs(name)
        for n in item.numbers
    ]  # fmt: skip
    assert len(solos) == len(set(solos))


def test_the_toy_mixes_solos_of_the_test_split():
    assert {item.split for item in solo_pairs.fixed_pairs("toy")} == {"test"}


def test_each_three_of_the_toy_have_every_two_instruments():
    items = solo_pairs.fixed_pairs("toy")
    for k in range(0, len(items), 3):
        assert len({frozenset(item.instruments) for item in items[k : k + 3]}) == 3


def test_the_first_third_has_every_two_instruments():
    first = solo_pairs.fixed_pairs()[:36]
    assert len({frozenset(item.instruments) for item in first}) == 36


@pytest.mark.parametrize("name", LISTS)
def test_a_list_reads_back_as_it_was_drawn(name):
    assert solo_pairs.listed(name) == solo_pairs.fixed_pairs(name)


@pytest.mark.parametrize("name", LISTS)
def test_numbers_are_those_of_the_instruments_named(name):
    for item in solo_pairs.fixed_pairs(name):
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


def test_solos_of_any_level_are_mixed_at_one_and_silence_is_refused(rng):
    loud, soft = rng.standard_normal((2, 500)) * [[1.0], [0.01]]
    made = solo_pairs.mixed("both", ("a", "b"), [loud, soft], [np.zeros(1), np.ones(1)])
    level = np.sqrt((made.sources**2).mean(1))
    assert level == pytest.approx([solo_pairs.LEVEL] * 2, rel=1e-4)
    for wrong, silent in ((soft[:400], 0), (0 * soft, 1)):
        with pytest.raises(ValueError, match=rf"both: .*of which {silent} are silent"):
            solo_pairs.mixed("both", ("a", "b"), [loud, wrong], made.pictures)


def test_a_name_without_a_list_is_refused():
    with pytest.raises(CorpusError, match="'train'; take one of test, validation, toy"):
        solo_pairs.fixed_pairs("train")
