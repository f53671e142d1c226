"""Who speaks in a mixture: nobody twice, everybody sometimes, half the time one sex alone."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from avsep_core.corpora.casting import Casting


def shelf(*who, pictures=30):
    """A store of clips of the talkers named, such as "f0": the letter is the sex."""
    faces = np.zeros((len(who), pictures, 1, 1), np.uint8)
    return SimpleNamespace(faces=faces, speakers=list(who), sexes=[name[0] for name in who])


EIGHT = [f"{sex}{k}" for k in range(4) for sex in "fm"]


def cast(stores, count=400, talkers=2):
    made = Casting(stores, talkers=talkers, pictures=20)
    return [made.people(np.random.default_rng(n)) for n in range(count)]


@pytest.mark.parametrize("talkers", [2, 3])
def test_every_second_mixture_is_of_one_sex(talkers):
    kinds = Counter(
        len({sex for sex, _ in people}) for people in cast([shelf(*EIGHT)], 400, talkers)
    )
    assert set(kinds) == {1, 2} and abs(kinds[1] - 200) < 40


@pytest.mark.parametrize("talkers", [1, 2, 3, 4])
def test_nobody_talks_twice_and_everybody_talks(talkers):
    found = cast([shelf(*EIGHT)], 200, talkers)
    assert all(len(set(people)) == len(people) == talkers for people in found)
    assert {who for people in found for _, who in people} == set(EIGHT)
    assert all(who[0] == sex for people in found for sex, who in people)


def test_where_there_is_one_sex_all_are_of_it():
    assert all(sex == "m" for people in cast([shelf("m0", "m1", "m2")]) for sex, _ in people)


def test_the_same_numbers_draw_the_same_people_and_stretches():
    made = Casting([shelf(*EIGHT), shelf(*EIGHT)], talkers=2, pictures=20)

    def drawn(seed):
        rng = np.random.default_rng(seed)
        return [(person, made.stretch(person, rng)) for person in made.people(rng)]

    assert drawn(3) == drawn(3) != drawn(4)


def test_a_stretch_lies_within_a_clip_of_the_person_and_each_of_them_is_used():
    first, second = shelf("f0", "f1", "f0", pictures=21), shelf("f1", "f0", pictures=25)
    made = Casting([first, second], talkers=1, pictures=20)
    rng = np.random.default_rng(0)
    found = {made.stretch(("f", "f0"), rng) for _ in range(300)}
    assert {(s, k) for s, k, _ in found} == {(0, 0), (0, 2), (1, 1)}
    assert {t for s, _, t in found if s == 0} == {0, 1}
    assert {t for s, _, t in found if s == 1} == {0, 1, 2, 3, 4, 5}


def test_a_person_with_one_clip_speaks_as_often_as_one_with_many():
    found = cast([shelf("f0", *["f1"] * 9)], talkers=1)
    share = np.mean([people[0][1] == "f0" for people in found])
    assert share == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("pictures", [0, 31])
def test_mixtures_that_no_clip_can_fill_are_refused(pictures):
    with pytest.raises(ValueError, match=f"mixtures of {pictures} pictures from clips of 30"):
        Casting([shelf(*EIGHT), shelf(*EIGHT, pictures=40)], talkers=2, pictures=pictures)


def test_more_talkers_than_there_are_of_a_sex_are_refused():
    with pytest.raises(ValueError, match="1 talkers of a sex for mixtures of 2"):
        Casting([shelf("f0", "f1", "m0", "m0")], talkers=2, pictures=20)
