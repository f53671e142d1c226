"""Recipes: a row of the paper each, one budget a column, and a training that may be stopped."""

import os
import shutil
import signal
from functools import partial

import numpy as np
import pytest
import torch

from avsep_core import papers, weights
from avsep_core.corpora import store
from avsep_core.corpora.noisy import TASKS
from avsep_core.looking_to_listen import recipes, separate
from avsep_core.looking_to_listen.network import Network, compact, shipped_separator
from avsep_core.looking_to_listen.objective import Objective, Validation
from avsep_core.looking_to_listen.recipes import RECIPES, Recipe
from avsep_core.looking_to_listen.vectors import SIZE
from avsep_core.synthetic.noises import NOISES

ROWS = {"audio_only_pit": "ao", "av_1_face": "av1", "av_2_faces": "av2", "av_3_faces": "av3"}
TINY = compact(audio=2, last=1, visual=2, lstm=4, fc=8)


def murmurs(split, *, seconds, rate, seed):
    """Stands in for `store.drawn`: two women and two men who murmur, and grey faces."""

    def example(number):
        rng = np.random.default_rng([seed, number])
        sound = 0.1 * rng.standard_normal(round(seconds * rate))
        faces = rng.integers(0, 256, (round(25 * seconds), store.SIDE, store.SIDE), dtype=np.uint8)
        who = f"{split}{number % 4}"
        return store.Example(who, "fm"[number % 2], sound, faces, np.zeros(len(faces)))

    return example


@pytest.fixture
def workshop(tmp_path, monkeypatch):
    """A folder with small stores, and another in which weights are shipped."""
    monkeypatch.setattr(weights, "FOLDER", tmp_path / "weights")
    monkeypatch.setitem(RECIPES, "tiny", Recipe("2s_clean", TINY, 4))
    monkeypatch.setitem(RECIPES, "tiny_noisy", Recipe("2s_noise", TINY, 2, "tiny"))
    monkeypatch.setattr(recipes, "Validation", partial(Validation, count=2))
    monkeypatch.setattr(recipes, "shipped_network", lambda: None)
    for place in ("train_1", "train_2", "validation_1"):
        example = murmurs(place, seconds=3.0, rate=8000, seed=len(place))
        made = store.write(tmp_path / "work" / place, example, 4, rate=8000)
        vectors = np.random.default_rng(1).standard_normal((4, 75, SIZE))
        np.save(made.folder / "vectors.npy", vectors.astype(np.float16))
    return tmp_path / "work"


def stopping(at):
    """An objective during which, at one step, the training is told to stop."""
    calls = iter(range(1000))

    class Stopping(Objective):
        def __call__(self, network, batch):
            if network.training and next(calls) == at:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().__call__(network, batch)

    return Stopping


def follow(name, folder, **options):
    return recipes.follow(name, folder, device="cpu", progress=False, **options)


def test_a_network_is_trained_shipped_with_its_card_and_loaded(workshop):
    path = follow("tiny", workshop)
    card = weights.card(path)
    assert card["architecture"] == TINY.described() and card["steps"] == 4
    assert card["task"] == "2s_clean" and card["start"] is None
    assert {"loss", "si_sdr"} <= set(card["scores"]) and len(card["loss_curve"]) >= 1
    network = shipped_separator("tiny")
    assert network.architecture == TINY and not network.training
    audio = np.random.default_rng(0).standard_normal(4000)
    assert separate.apply(network, audio, np.zeros((2, 12, SIZE)))[0].shape == (2, 4000)


def test_a_training_that_was_stopped_ships_nothing_and_then_goes_on(workshop, monkeypatch):
    monkeypatch.setattr(recipes, "Objective", stopping(at=1))
    with pytest.raises(KeyboardInterrupt, match="tiny was stopped at step 2 of 4"):
        follow("tiny", workshop)
    assert "tiny" not in weights.names("looking_to_listen")
    monkeypatch.setattr(recipes, "Objective", Objective)
    follow("tiny", workshop)
    resumed = shipped_separator("tiny").state_dict()
    shutil.rmtree(workshop / "runs")
    follow("tiny", workshop)
    straight = shipped_separator("tiny").state_dict()
    assert all(torch.equal(resumed[name], x) for name, x in straight.items())


def test_more_steps_begin_with_the_shipped_weights_and_are_added_up(workshop, monkeypatch):
    follow("tiny", workshop, steps=2)
    first, begun, start = shipped_separator("tiny"), [], recipes.start_from
    monkeypatch.setattr(
        recipes, "start_from", lambda mine, other: (start(mine, other), begun.append(other))
    )
    card = weights.card(follow("tiny", workshop, steps=3, more=True))
    assert card["steps"] == 5 and card["parts"] == [2, 3]
    assert [step for step, _ in card["loss_curve"]] == [2, 5]
    assert card["scores"]["step"] == 5
    assert all(torch.equal(begun[0].state_dict()[k], x) for k, x in first.state_dict().items())


def test_another_face_network_makes_the_vectors_where_one_is_named(workshop):
    for place in ("train_1", "train_2", "validation_1"):
        (workshop / place / "vectors.npy").unlink()

    class Mean:
        """Looks at brightness alone."""

        def vectors(self, faces):
            return faces.float().mean((1, 2), keepdim=True)[:, 0].expand(-1, SIZE)

        def parameters(self):
            return iter(())

        def eval(self):
            return self

    follow("tiny", workshop, steps=1, seer=Mean())
    part = store.Store(workshop / "train_1")
    kept = np.load(workshop / "train_1" / "vectors.npy")
    bright = part.faces.mean((2, 3), dtype=np.float64)
    np.testing.assert_allclose(kept, np.repeat(bright[..., None], SIZE, 2), rtol=1e-3)


def test_noises_come_in_and_a_recipe_begins_with_anothers_weights(workshop, monkeypatch):
    bank = np.random.default_rng(2).standard_normal((2, 32000)).astype(np.float16)
    for split in ("train", "validation"):
        np.save(workshop / f"noises_{split}_8000.npy", bank)
    with pytest.raises(ValueError, match=r"tiny\.safetensors is missing"):
        follow("tiny_noisy", workshop)
    begun = []
    monkeypatch.setattr(recipes, "start_from", lambda network, other: begun.append(other))
    follow("tiny", workshop, steps=1)
    assert weights.card(follow("tiny_noisy", workshop))["start"] == "tiny"
    assert begun[0].architecture == TINY


def test_a_recipe_nobody_wrote_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no recipe 'av4_2s_clean'; there are"):
        recipes.follow("av4_2s_clean", tmp_path)


def test_a_name_that_is_no_recipe_is_refused_before_anything_is_trained(capsys):
    with pytest.raises(SystemExit):
        recipes.main(["faces", "av4_2s_clean"])
    assert "no recipe 'av4_2s_clean'; there are faces, " in capsys.readouterr().err


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_shipped_with_the_steps_it_asks_for(name):
    card = weights.card(weights.shipped("looking_to_listen", name))
    assert card["steps"] == sum(card["parts"]) == card["scores"]["step"] == RECIPES[name].steps


def test_a_network_of_three_faces_begins_with_the_streams_of_two():
    two, three = Network(TINY), Network(compact(**{**TINY.described(), "faces": 3, "voices": 3}))
    recipes.start_from(three, two)
    for part in ("audio", "visual"):
        for name, x in getattr(three, part).state_dict().items():
            assert torch.equal(x, getattr(two, part).state_dict()[name]), name
    masks = 2 * 2 * 101
    assert torch.equal(three.head[-1].weight[:masks], two.head[-1].weight)


def paper(table):
    """(row, column) of each printed number of a table."""
    chapter = "looking_to_listen"
    return [key[3:] for key in papers.numbers() if key[:2] == (chapter, table)]


def test_every_row_of_tables_3_and_6_has_its_recipe():
    for row, task in paper("table_3"):
        recipe, (talkers, noisy) = RECIPES[f"{ROWS[row]}_{task}"], TASKS[task]
        a = recipe.architecture
        assert recipe.task == task and a.background is noisy
        assert a.faces == (0 if row.startswith("audio") else int(row[3]))
        assert a.voices == (a.faces or talkers)
    for row, _ in paper("table_6"):
        assert row.startswith("oracle") or RECIPES[f"row_{row}"].task == "2s_clean"
    assert len(RECIPES) == 12 + 9


def test_rows_that_are_compared_share_one_budget():
    def budget(recipe):
        return recipe.steps + (budget(RECIPES[recipe.start]) if recipe.start else 0)

    for task in TASKS:
        column = [r for name, r in RECIPES.items() if r.task == task and name[:3] != "row"]
        assert len({budget(recipe) for recipe in column}) == 1
    ablations = [recipe for name, recipe in RECIPES.items() if name.startswith("row_")]
    assert len({(r.steps, r.start) for r in ablations}) == 1 and ablations[0].start is None


def test_a_recipe_comes_after_the_one_it_begins_with():
    order = list(RECIPES)
    for name, recipe in RECIPES.items():
        assert recipe.start is None or order.index(recipe.start) < order.index(name), name


def test_the_networks_that_separate_takes_by_itself_have_recipes():
    for known, noisy in ((separate.CLEAN, False), (separate.NOISY, True)):
        for faces, name in known.items():
            a = RECIPES[name].architecture
            assert a.faces == faces and a.background is noisy


def test_noises_are_kept_of_every_kind_and_of_power_one(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "NOISE_SECONDS", 0.5)
    bank = recipes.noises(tmp_path, "train", rate=4000, count=len(NOISES))
    assert bank.shape == (len(NOISES), 2000) and bank.dtype == np.float16
    np.testing.assert_allclose(np.square(bank.astype(float)).mean(1), 1, rtol=0.01)
    monkeypatch.setattr(recipes, "noise", None)
    assert np.array_equal(recipes.noises(tmp_path, "train", rate=4000, count=len(NOISES)), bank)


def test_babble_of_a_split_holds_nobody_of_another(tmp_path, monkeypatch):
    quiet = []

    def noise(kind, seconds, rate, rng, *, without):
        quiet.append(set(without))
        return np.ones(8)

    monkeypatch.setattr(recipes, "noise", noise)
    recipes.noises(tmp_path, "validation", rate=8000, count=1)
    splits = recipes.SPLITS
    assert quiet == [{*splits["train"], *splits["test"]}]
    assert not quiet[0] & set(splits["validation"])
