"""Recipes: a network a row of the tables, all of them seeing by the pictures of the lip reader."""

import os
import shutil
import signal
from dataclasses import replace
from functools import partial

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from avsep_core import papers, weights
from avsep_core.corpora import store
from avsep_core.deep_clustering import matching, recipes, separate
from avsep_core.deep_clustering.features import STFT
from avsep_core.deep_clustering.lipreading import LipReader, Reading
from avsep_core.deep_clustering.matching import Matcher, Matching
from avsep_core.deep_clustering.network import shipped_network
from avsep_core.deep_clustering.objective import Objective, Validation
from avsep_core.deep_clustering.recipes import RECIPES, Recipe, Turns
from tests.deep_clustering.small import TINY, murmurs, network, split

KINDS = ("dc", "upit", "avdc", "woa")
NAMES = [f"tiny_{kind}" for kind in KINDS]


@pytest.fixture(scope="module")
def utterances(tmp_path_factory):
    """Small stores, with lips and flow kept beside them."""
    folder = tmp_path_factory.mktemp("utterances")
    for place in ("train_1", "train_2", "validation_1"):
        made = store.write(folder / place, murmurs(place), 6, rate=STFT.rate)
        recipes.Mixtures([made], size=(TINY.height, TINY.width))
    return folder


@pytest.fixture
def workshop(tmp_path, monkeypatch, utterances):
    """A folder with small stores, and another in which weights are shipped."""
    monkeypatch.setattr(weights, "FOLDER", tmp_path / "weights")
    monkeypatch.setitem(RECIPES, "lips", Recipe((1,), TINY, 2, "read"))
    for kind in KINDS:
        monkeypatch.setitem(RECIPES, f"tiny_{kind}", Recipe((2,), replace(TINY, kind=kind), 2))
    monkeypatch.setitem(RECIPES, "tiny_match", Recipe((2,), TINY, 2, "match"))
    monkeypatch.setitem(RECIPES, "tiny_turns", Recipe((2, 3), TINY, 2))
    for name, class_ in (("Validation", Validation), ("Reading", Reading), ("Matching", Matching)):
        monkeypatch.setattr(recipes, name, partial(class_, count=2))
    for name in ("level_statistics", "picture_statistics", "own_direction"):
        monkeypatch.setattr(recipes, name, partial(getattr(recipes, name), count=2))
    shutil.copytree(utterances, tmp_path / "work")
    return tmp_path / "work"


def follow(name, folder, **options):
    return recipes.follow(name, folder, device="cpu", progress=False, **options)


def stopping(at):
    """An objective during which, at one step, the training is told to stop."""
    calls = iter(range(1000))

    class Stopping(Objective):
        def __call__(self, network, batch):
            if network.training and next(calls) == at:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().__call__(network, batch)

    return Stopping


def equal(one, other):
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(
        torch.equal(one[name], x) for name, x in other.items()
    )


def test_a_lip_reader_is_trained_shipped_in_eight_bits_with_its_card_and_loaded(workshop):
    path = follow("lips", workshop)
    card = weights.card(path)
    assert card["architecture"] == TINY.described() and card["steps"] == 2
    assert card["work"] == "read" and card["talkers"] == [1]
    assert {"loss", "correlation"} <= set(card["scores"])
    made = recipes.load("lips")
    assert isinstance(made, LipReader) and not made.training
    assert load_file(path)["guess.weight"].dtype == torch.int8
    assert made.lips.pictures.grey[0].mean() > 0.4, "it knows how bright lips are"


def test_all_networks_are_trained_shipped_and_loaded_and_see_by_the_lip_reader(workshop):
    follow("lips", workshop)
    eyes = recipes.load("lips").lips.pictures
    for name, kind in zip(NAMES, KINDS, strict=True):
        card = weights.card(follow(name, workshop))
        assert card["architecture"]["kind"] == kind and card["talkers"] == [2], name
        assert {"loss", "si_sdr"} <= set(card["scores"]) and card["scores"]["step"] == 2
        made = shipped_network(name)
        assert made.architecture == replace(TINY, kind=kind) and not made.training
        assert (made.level[1] > 0) and (made.level[0] != 0), "it knows how loud bins are"
        if made.architecture.looks:
            assert equal(made.lips.pictures, eyes), "pictures were not trained again"
            torch.testing.assert_close(made.own.norm(), torch.tensor(1.0))
    kept = sorted(file.name for file in (workshop / "train_1").glob("seen_*.npy"))
    assert len(kept) == 1, "what is seen is looked at once for all of them"


def test_a_matcher_is_trained_shipped_and_loaded(workshop):
    follow("lips", workshop)
    card = weights.card(follow("tiny_match", workshop))
    assert card["work"] == "match" and {"loss", "right"} <= set(card["scores"])
    made = recipes.load("tiny_match")
    assert isinstance(made, Matcher) and not made.training
    scores = made(torch.randn(1, 2, 20, 129), torch.rand(1, 2, 4, TINY.pictured))
    assert torch.isfinite(matching.evidence(scores)).all()


def test_a_network_may_learn_from_two_and_three_talkers_in_turn(workshop):
    follow("lips", workshop)
    assert weights.card(follow("tiny_turns", workshop))["talkers"] == [2, 3]


def test_a_training_that_was_stopped_ships_nothing_and_then_goes_on(workshop, monkeypatch):
    monkeypatch.setitem(RECIPES, "tiny_dc", replace(RECIPES["tiny_dc"], steps=4))
    monkeypatch.setattr(recipes, "Objective", stopping(at=1))
    with pytest.raises(KeyboardInterrupt, match="tiny_dc was stopped at step 2 of 4"):
        follow("tiny_dc", workshop)
    assert weights.names("deep_clustering") == []
    monkeypatch.setattr(recipes, "Objective", Objective)
    follow("tiny_dc", workshop)
    resumed = shipped_network("tiny_dc")
    shutil.rmtree(workshop / "runs")
    follow("tiny_dc", workshop)
    assert equal(resumed, shipped_network("tiny_dc"))


def test_more_steps_begin_with_the_shipped_weights_and_are_added_up(workshop, monkeypatch):
    follow("tiny_dc", workshop, steps=2)
    first, begun, start, seeds = shipped_network("tiny_dc"), [], recipes.start_from, []
    monkeypatch.setattr(
        recipes, "start_from", lambda mine, other: (start(mine, other), begun.append(other))
    )

    class Noted(recipes.Mixtures):
        def __init__(self, *args, seed, **options):
            seeds.append(seed)
            super().__init__(*args, seed=seed, **options)

    monkeypatch.setattr(recipes, "Mixtures", Noted)
    card = weights.card(follow("tiny_dc", workshop, steps=1, more=True))
    assert card["steps"] == 3 and card["parts"] == [2, 1] and card["scores"]["step"] == 3
    assert [step for step, _ in card["loss_curve"]] == [2, 3]
    assert equal(begun[0], first)
    assert seeds == [2, 1], "mixtures that were not met before, and the same check"
    assert torch.equal(shipped_network("tiny_dc").level, first.level)


@pytest.mark.parametrize("name", ["tiny_avdc", "tiny_woa", "tiny_match"])
def test_networks_that_look_wait_for_the_lip_reader(workshop, monkeypatch, name):
    monkeypatch.setattr(recipes, "prepare", None)
    with pytest.raises(ValueError, match=r"lips\.safetensors is missing"):
        follow(name, workshop)


def test_a_recipe_nobody_wrote_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no recipe 'avdc_4'; there are lips, dc"):
        recipes.follow("avdc_4", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_no_recipe_is_refused_before_anything_is_trained(capsys, monkeypatch):
    monkeypatch.setattr(recipes, "follow", None)
    with pytest.raises(SystemExit):
        recipes.main(["lips", "avdc_4"])
    assert "no recipe 'avdc_4'; there are lips, dc" in capsys.readouterr().err


def test_recipes_are_followed_by_name_or_all_of_them(monkeypatch):
    asked = []
    monkeypatch.setattr(recipes, "follow", lambda name, folder, **options: asked.append(name))
    recipes.main(["dc", "avdc"])
    assert asked == ["dc", "avdc"]
    asked.clear()
    recipes.main([])
    assert asked == list(RECIPES) and asked[0] == "lips"


def test_sets_of_mixtures_take_turns_from_batch_to_batch():
    twos, threes = ([f"{k} talkers, {n}" for n in range(40)] for k in (2, 3))
    turns = Turns([twos, threes], batch=8)
    for batch in range(4):
        numbers = range(8 * batch, 8 * batch + 8)
        assert [turns[n] for n in numbers] == [(twos, threes)[batch % 2][n] for n in numbers]


class Pointing(nn.Module):
    """Moves the bins of a face along a direction in its part of the embedding, wherever it is."""

    def __init__(self, direction, faces):
        super().__init__()
        self.architecture = replace(TINY, embedding=6)
        self.direction, self.faces = nn.Parameter(direction), faces

    def forward(self, level, features):
        row = torch.arange(level.shape[-1]) * self.faces // level.shape[-1]
        parts = [torch.randn(*level.shape, 6)]
        for k in range(self.faces):
            mine = (row == k).float()[:, None] - 0.5
            parts.append(7 + (mine * self.direction).expand(*level.shape, 3))
        return torch.cat(parts, dim=-1)


@pytest.mark.parametrize("faces", [2, 3])
def test_the_direction_in_which_the_bins_of_a_face_lie_is_found(faces):
    sources = torch.from_numpy(split(voices=faces))
    mixtures = [{"sources": sources, "features": torch.zeros(faces, 32, TINY.pictured)}] * 2
    direction = torch.tensor([3.0, -4.0, 0.0])
    found = recipes.own_direction(Pointing(direction, faces), mixtures, count=2)
    torch.testing.assert_close(found, direction / 5, atol=0.02, rtol=0)


def rows(table):
    """Row names of a table of the paper."""
    return {key[3] for key in papers.numbers() if key[:2] == ("deep_clustering", table)}


def test_every_row_of_tables_1_and_2_has_its_recipe_at_half_the_size():
    default = RECIPES["row_dim_64"].architecture
    for row in rows("table_1"):
        size = int(row.removeprefix("dim_")) // 2
        assert RECIPES[f"row_dim_{size}"].architecture == replace(default, feature=size)
    for row in rows("table_2"):
        half = int(row.removeprefix("half_d_")) // 2
        recipe = RECIPES.get(f"row_half_d_{half}", RECIPES["row_dim_64"])
        assert recipe.architecture == replace(default, embedding=2 * half)
    found = [recipe for name, recipe in RECIPES.items() if name.startswith("row_")]
    assert len(found) == 4 + 2
    assert {(r.steps, r.talkers) for r in found} == {(recipes.STEPS["row"], (2, 3))}, "one budget"


@pytest.mark.parametrize(("table", "talkers"), [(3, 2), (4, 3), (5, 2), (6, 3)])
def test_every_row_of_tables_3_to_6_has_its_recipe(table, talkers):
    for row in rows(f"table_{table}") - {"ibm"}:
        name, *more = row.replace("av_match", "match").split("_")
        other = [int(word[3:]) for word in more if word.startswith("spk")]
        count = other[0] if other else talkers
        recipe = RECIPES[name + ("_3" if count == 3 else "")]
        assert recipe.talkers == (count,), row
        if name == "match":
            assert recipe.work == "match"
        else:
            assert recipe.architecture.kind == name and recipe.architecture.voices == count


@pytest.mark.parametrize("talkers", [2, 3])
def test_networks_that_are_compared_share_one_budget(talkers):
    found = [r for r in RECIPES.values() if r.talkers == (talkers,) and r.work == "separate"]
    assert len(found) == 4 and len({(r.steps, r.rate) for r in found}) == 1


@pytest.mark.parametrize("name", RECIPES)
def test_every_shipped_network_has_the_steps_of_its_recipe(name):
    card = weights.card(weights.shipped("deep_clustering", name))
    assert card["steps"] == sum(card["parts"]) == card["scores"]["step"] == RECIPES[name].steps
    assert card["architecture"] == RECIPES[name].architecture.described()


def test_the_networks_that_separate_takes_by_itself_have_recipes():
    for known, kind in ((separate.LOOKING, "avdc"), (separate.LISTENING, "dc")):
        for voices, name in known.items():
            assert RECIPES[name].architecture.kind == kind
            assert RECIPES[name].talkers == (voices,)


def test_the_size_of_a_network_does_not_hang_on_how_many_talk():
    """Only uPIT has outputs for a number of voices; the others may be asked for any number."""
    for kind in KINDS:
        two, three = (network(kind, voices=n).state_dict() for n in (2, 3))
        alike = all(two[name].shape == x.shape for name, x in three.items())
        assert alike is (kind != "upit")
