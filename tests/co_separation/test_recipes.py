"""Recipes: a network a row of the tables, all of them seeing through one trunk."""

import os
import shutil
import signal
from dataclasses import asdict, replace
from itertools import combinations
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from avsep_core import papers, weights
from avsep_core.co_separation import recipes
from avsep_core.co_separation.detector import Detector
from avsep_core.co_separation.network import KINDS, Architecture, compact
from avsep_core.co_separation.objective import LAMBDA, Objective
from avsep_core.co_separation.objects import objects
from avsep_core.co_separation.recipes import CHAPTER, NAMES, RECIPES, STORES, TOY, Drawn
from avsep_core.corpora import solo_pairs
from avsep_core.corpora.solo_pairs import PairItem, fixed_pairs
from avsep_core.synthetic.band import INSTRUMENTS
from tests.co_separation.small import TINY
from tests.co_separation.test_tasks import Truth
from tests.test_training import equal as same

CLEAN = (("violin",), ("flute",), ("violin", "cello"), ("saxophone", "flute"))
SMALL = Architecture(**{**TINY.described(), "classes": len(INSTRUMENTS)})
AIDS = ("detector", "pictures", "miml")
SEPARATE = (*(f"{kind}_0" for kind in KINDS), "co_separation_1")


def shrink(patch, shelf):
    """Small stores, small networks, and a detector that finds what is there."""
    patch.setattr(weights, "FOLDER", shelf)
    patch.setitem(STORES, "clean", Drawn(CLEAN, len(CLEAN), silent=0))
    patch.setitem(STORES, "toy", Drawn(TOY, len(TOY), silent=0))
    patch.setattr(recipes, "VALIDATION", 2)
    patch.setattr(solo_pairs, "SECONDS", 2.0)
    both = PairItem("both", "validation", INSTRUMENTS[:2], (0, 1))
    patch.setattr(solo_pairs, "fixed_pairs", lambda split: [both])
    patch.setattr(recipes, "compact", lambda **changes: replace(SMALL, **changes))
    patch.setattr(recipes, "objects", lambda store, _: objects(store, Truth(store)))
    for name in recipes.BATCH:
        patch.setitem(recipes.BATCH, name, 2)


def follow(name, folder, **options):
    return recipes.follow(name, folder, device="cpu", progress=False, **options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Small stores, and small networks that were shipped."""
    folder = tmp_path_factory.mktemp("band")
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch, folder / "weights")
        for name in (*AIDS, *SEPARATE):
            follow(name, folder / "stores", steps=2)
        recipes.prepare(folder / "stores", "toy")
    return folder


@pytest.fixture
def workshop(trained, tmp_path, monkeypatch):
    """A folder of one's own, with the same stores and weights."""
    shrink(monkeypatch, tmp_path / "weights")
    shutil.copytree(trained, tmp_path, ignore=shutil.ignore_patterns("runs"), dirs_exist_ok=True)
    return tmp_path / "stores"


def trunk(network):
    return network.trunk if hasattr(network, "trunk") else network.see.trunk


def equal(one, other):
    return same(one.state_dict(), other.state_dict())


def card(name):
    return weights.card(weights.shipped(CHAPTER, name))


# --- what is shipped ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "scores"),
    [
        ("detector", {"loss", "precision", "recall"}),
        ("pictures", {"loss", "window", "whole"}),
        ("miml", set()),
        *((name, {"loss", "sdr"}) for name in SEPARATE),
    ],
)
def test_a_network_is_shipped_with_a_card_that_tells_how_it_was_trained(workshop, name, scores):
    told = card(name)
    assert told["steps"] == 2 and told["batch"] == 2 and told["precision"] == "no"
    assert told["data"] == "4 drawn performances, clean, of 2 s"
    assert told["seed"] == (RECIPES[name].seed if name in RECIPES else 0)
    assert scores <= set(told["scores"])


def test_the_detector_the_names_and_the_templates_come_back(workshop):
    finder, naming, miml = recipes.detector(), recipes.pictures(), recipes.miml()
    assert isinstance(finder, Detector) and finder.names == INSTRUMENTS
    assert naming.name.out_features == miml.classes == len(INSTRUMENTS)
    assert card("pictures")["architecture"] == SMALL.described()
    assert not any(network.training for network in (finder, naming, miml))
    heard = {INSTRUMENTS.index(name) for cast in CLEAN for name in cast}
    there = set(miml.count.nonzero().flatten().tolist())
    assert there and there <= heard, "templates were gathered, of classes that were seen"


@pytest.mark.parametrize("name", SEPARATE)
def test_a_network_of_each_kind_comes_back_without_a_classifier_that_nobody_asks_for(
    workshop, name
):
    network, recipe = recipes.load(name), RECIPES[name]
    assert not network.training
    hearing = SMALL.hearing if recipe.ears else 0
    wanted = replace(SMALL, kind=recipe.kind, hearing=hearing, modulated=recipe.modulated)
    assert network.architecture == wanted
    assert hasattr(network, "listen") is recipe.ears
    kept = load_file(weights.shipped(CHAPTER, name))
    assert any(part.startswith("listen.") for part in kept) is recipe.ears
    assert kept["unet.down.0.0.weight"].dtype == torch.int8


@pytest.mark.parametrize("name", SEPARATE)
def test_all_networks_see_through_one_trunk_that_is_kept_once(workshop, name):
    assert equal(trunk(recipes.load(name)), recipes.pictures().see.trunk)
    path = weights.shipped(CHAPTER, name)
    kept = load_file(path)
    assert kept and not [x for x in kept if x.startswith(("see.trunk.", "trunk."))]
    weights.shipped(CHAPTER, "pictures").unlink()
    with pytest.raises(ValueError, match=r"pictures\.safetensors is missing"):
        recipes.load(name)


# --- how it is trained --------------------------------------------------------------------------


def stopping(at):
    """An objective during which, at one step, the training is told to stop."""
    calls = iter(range(1000))

    class Stopping(Objective):
        def __call__(self, network, batch):
            if network.training and next(calls) == at:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().__call__(network, batch)

    return Stopping


def test_a_training_that_was_stopped_ships_nothing_and_then_goes_on(workshop, monkeypatch):
    name = "co_separation_2"
    monkeypatch.setattr(recipes, "Objective", stopping(at=1))
    with pytest.raises(KeyboardInterrupt, match=f"{name} was stopped at step 2 of 4"):
        follow(name, workshop, steps=4)
    assert name not in weights.names(CHAPTER)
    monkeypatch.setattr(recipes, "Objective", Objective)
    follow(name, workshop, steps=4)
    resumed = recipes.load(name)
    shutil.rmtree(workshop / "runs")
    follow(name, workshop, steps=4)
    assert equal(resumed, recipes.load(name))
    assert card(name)["steps"] == 4


def asked(name, folder, monkeypatch):
    """The loss, the examples and the plan of the training that a recipe asks for."""
    told = []

    def train(network, loss, data, *, plan, **options):
        told.extend([loss, data, plan])
        raise InterruptedError

    with monkeypatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(recipes.training, "train", train)
        follow(name, folder)
    return told


def test_a_recipe_decides_what_is_learnt_from_and_what_is_left_out(workshop, monkeypatch):
    loss, data, plan = asked("co_separation_2", workshop, monkeypatch)
    assert (loss.consistency, loss.on, data.seed, plan.seed) == (LAMBDA, "masks", 2, 2)
    assert plan.steps == recipes.STEPS["main"] and data.scenes is not None
    assert sorted(data.usable) == [0, 1, 2, 3]

    loss, data, plan = asked("row_large_lambda", workshop, monkeypatch)
    assert loss.consistency == 10 * LAMBDA and plan.steps == recipes.STEPS["row"]
    assert asked("row_spectrograms", workshop, monkeypatch)[0].on == "spectrograms"
    assert asked("row_no_scene", workshop, monkeypatch)[1].scenes is None
    duets, solos = (
        asked(name, workshop, monkeypatch)[1]
        for name in ("row_duets_mix_and_separate", "sound_of_pixels_solos_0")
    )
    assert sorted(duets.usable) == [2, 3] and sorted(solos.usable) == [0, 1]
    assert duets.architecture.kind == "mix_and_separate"

    loss, data, _ = asked("co_separation_toy_free", workshop, monkeypatch)
    assert loss.consistency == 0
    assert {frozenset(cast) for cast in data.store.instruments} == {frozenset(c) for c in TOY}


@pytest.mark.parametrize(
    ("missing", "name"),
    [
        *(("detector", name) for name in (*AIDS[1:], *SEPARATE[:3])),
        *(("pictures", name) for name in SEPARATE[:3]),
    ],
)
def test_a_network_that_needs_another_is_refused_before_anything_is_drawn(
    workshop, monkeypatch, missing, name
):
    monkeypatch.setattr(recipes, "prepare", None)
    weights.shipped(CHAPTER, missing).unlink()
    with pytest.raises(ValueError, match=rf"{missing}\.safetensors is missing"):
        follow(name, workshop, steps=2)


# --- names --------------------------------------------------------------------------------------


def test_a_recipe_nobody_wrote_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no recipe 'co_separation_9'; there are detector, pic"):
        recipes.follow("co_separation_9", tmp_path)
    with pytest.raises(ValueError, match="no store 'test'; there are validation, clean, noisy"):
        recipes.prepare(tmp_path, "test")
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_no_recipe_is_refused_before_anything_is_trained(capsys, monkeypatch):
    monkeypatch.setattr(recipes, "follow", None)
    with pytest.raises(SystemExit):
        recipes.main(["detector", "co_separation_9"])
    assert "no recipe 'co_separation_9'; there are detector, pic" in capsys.readouterr().err


def test_recipes_are_followed_by_name_or_all_of_them(monkeypatch):
    asked = []
    monkeypatch.setattr(recipes, "follow", lambda name, folder, **options: asked.append(name))
    recipes.main(["miml", "row_whole"])
    assert asked == ["miml", "row_whole"]
    asked.clear()
    recipes.main([])
    assert asked == list(NAMES) and asked[:2] == ["detector", "pictures"]
    assert set(asked) == {*AIDS, *RECIPES}


# --- the rows of the paper ----------------------------------------------------------------------

UNTRAINED = {"nmf_mfcc"}


def kinds(table, group):
    """The kinds of network behind the rows of a table of the paper."""
    rows = {key[3] for key in papers.numbers() if key[:3] == (CHAPTER, table, group)}
    assert rows
    return {row.removeprefix("av_") for row in rows - UNTRAINED}


def budgets(names):
    """What recipes differ in beside their kind."""
    return {replace(RECIPES[name], kind="", ears=False) for name in names}


TABLE_1 = [("single_source", "_solos", 0)]
TABLE_1 += [("multi_source", "", seed) for seed in range(recipes.SEEDS)]


@pytest.mark.parametrize(("group", "end", "seed"), TABLE_1)
def test_every_row_of_table_1_has_its_recipe_and_one_budget(group, end, seed):
    names = [f"{kind}{end}_{seed}" for kind in kinds("table_1", group)]
    assert {RECIPES[name].kind for name in names} == kinds("table_1", group) == set(KINDS)
    (shared,) = budgets(names)
    assert (shared.store, shared.budget, shared.seed) == ("clean", "main", seed)
    assert shared.players == (1 if end else None)


def test_every_row_of_tables_2_and_3_has_its_recipe_and_one_budget():
    noisy = kinds("table_2", "")
    assert "miml" in noisy and "miml" in NAMES
    (shared,) = budgets(f"{kind}_noisy" for kind in noisy - {"miml"})
    assert shared.store == "noisy"
    for group in papers.groups(CHAPTER, "table_3"):
        names = [f"{kind}_toy" for kind in kinds("table_3", group)]
        assert {RECIPES[name].kind for name in names} == kinds("table_3", group)
        (shared,) = budgets(names)
        assert (shared.store, shared.budget) == ("toy", "main")


def test_each_ablation_leaves_out_one_thing():
    whole = asdict(RECIPES["row_whole"])
    for name, recipe in RECIPES.items():
        changed = {field for field, value in asdict(recipe).items() if value != whole[field]}
        if name.startswith("row_") and name != "row_whole":
            assert len(changed - {"kind", "ears"}) == 1, name
    (free,) = budgets(["co_separation_toy_free"])
    assert replace(free, consistency=LAMBDA) in budgets(["co_separation_toy"])
    (without,) = budgets(["co_separation_noisy_no_scene"])
    assert replace(without, scenes=True) in budgets(["co_separation_noisy"])


def test_no_guitar_is_heard_alone_or_with_a_saxophone_where_the_paper_hides_it():
    casts = [set(cast) for cast in STORES["toy"].casts]
    assert {"violin", "acoustic_guitar"} in casts and {"violin", "saxophone"} in casts
    assert {"acoustic_guitar"} not in casts
    assert not any({"acoustic_guitar", "saxophone"} <= cast for cast in casts)


def test_each_cast_of_a_store_plays_equally_often():
    assert all(drawn.count % len(drawn.casts) == 0 for drawn in STORES.values())
    solos, duets = (sum(len(cast) == n for cast in STORES["clean"].casts) for n in (1, 2))
    assert solos == 3 * duets, "about as in MUSIC"


def test_a_duet_has_two_who_play_whoever_else_is_seen():
    store = SimpleNamespace(playing=[(True,), (True, True), (True, False), (True, False, True)])
    assert recipes.of_players(store, 1) == [0] and recipes.of_players(store, 2) == [1]


def test_there_are_as_many_solos_to_validate_on_as_their_list_needs():
    numbers = {number for item in fixed_pairs("validation") for number in item.numbers}
    assert numbers == set(range(recipes.VALIDATION))


def test_networks_are_validated_on_instruments_that_they_have_met():
    assert recipes.validated("clean") == recipes.validated("noisy") == fixed_pairs("validation")
    toy = {frozenset(item.instruments) for item in recipes.validated("toy")}
    assert toy == {frozenset(pair) for pair in combinations(solo_pairs.TOY, 2)}


@pytest.mark.parametrize("name", weights.names(CHAPTER))
def test_every_shipped_network_has_the_steps_and_the_kind_of_its_recipe(name):
    told, recipe = card(name), RECIPES.get(name)
    assert told["steps"] == recipes.STEPS[recipe.budget if recipe else name]
    if recipe:
        network = recipes.load(name)
        hearing = network.architecture.hearing
        wanted = compact(kind=recipe.kind, modulated=recipe.modulated, hearing=hearing)
        assert network.architecture == wanted and told["seed"] == recipe.seed
        assert equal(trunk(network), recipes.pictures().see.trunk)
