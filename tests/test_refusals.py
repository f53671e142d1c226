"""What cannot be meant is refused with a sentence, and never answered with a number."""

import json
import math

import numpy as np
import pytest
import torch

from avsep_core import faces, masks, scores
from avsep_core.exercises import check
from avsep_core.listen import explore, player, score_table
from avsep_core.losses import permutation_invariant, reorder
from avsep_core.results import Ledger, LedgerError
from avsep_core.separation import Separation
from avsep_core.spectrogram import STFT, STFTS, decibels

RATE = 16000
MASKS = [masks.ideal_binary, masks.ideal_ratio, masks.ideal_complex, masks.ideal_real]


# --- masks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize("bad", [math.nan, math.inf, complex(0, math.nan)])
def test_a_bin_without_a_value_belongs_to_nobody(mask, kind, bad):
    S = np.ones((2, 3, 4), complex)
    mask(kind(S))
    S[1, 2, 3] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        mask(kind(S))


@pytest.mark.parametrize("mask", MASKS)
def test_masks_need_an_array_with_a_source(mask):
    with pytest.raises(ValueError, match="one source or more"):
        mask(np.ones((0, 3, 4), complex))
    for strange in ([[[1j]]], None, np.array([[["a"]]])):
        with pytest.raises(ValueError, match="numpy array or torch"):
            mask(strange)
    with pytest.raises(ValueError, match="numpy array or torch"):
        masks.apply([[[1.0]]], np.ones((1, 1)))


# --- scores -------------------------------------------------------------------------------------


def speech(seconds=2.0):
    t = np.arange(int(RATE * seconds)) / RATE
    noise = np.random.default_rng(0).normal(size=len(t))
    return 0.1 * noise * (1.1 + np.sin(2 * np.pi * 3 * t))


@pytest.mark.parametrize("gain", [1e-300, 1e-20, 1.0, 1e20, 1e300])
def test_intelligibility_has_no_level(gain):
    pytest.importorskip("pystoi")
    s = speech()
    e = s + 0.1 * np.random.default_rng(1).normal(size=len(s))
    assert scores.stoi(s * gain, s * gain, RATE) == pytest.approx(1, abs=1e-6)
    assert scores.stoi(s * gain, e, RATE) == pytest.approx(scores.stoi(s, e, RATE), abs=1e-6)
    assert scores.stoi(s, e, float(RATE)) == scores.stoi(s, e, RATE)


@pytest.mark.parametrize("rate", [0, -1, 16000.5, math.nan, math.inf, "16000", None])
def test_intelligibility_at_no_rate_has_no_meaning(rate):
    with pytest.raises(ValueError, match="whole number of Hz"):
        scores.stoi(speech(), speech(), rate)


def test_perception_of_nan_is_refused():
    s = speech()
    for score in (scores.stoi, scores.pesq):
        with pytest.raises(ValueError, match="NaN"):
            score(s, np.where(np.arange(len(s)) == 9, np.nan, s), RATE)


@pytest.mark.parametrize(
    "strange", [None, "ab", [["a", "b"]], [[1.0, 2.0], [1.0]], np.zeros((0, 2, 2048))]
)
def test_what_is_no_batch_of_sounds_has_no_score(strange):
    with pytest.raises(ValueError, match="references"):
        scores.bss_eval(strange, strange)


@pytest.mark.parametrize(
    "wish",
    [{"values": ["a"]}, {"values": None}, {"repeats": 1.5}, {"level": "a"}, {"level": math.nan}],
)
def test_an_interval_needs_numbers(wish):
    with pytest.raises(ValueError, match=r"values|repeats"):
        scores.bootstrap(**({"values": [1.0, 2.0]} | wish))


# --- the ledger ---------------------------------------------------------------------------------


def ledger(folder):
    return Ledger("foundations", profile="quick", corpus="synthetic", folder=folder)


@pytest.mark.parametrize(
    "interval", [(2, 3, 1, 5), (2, math.nan, 3, 5), (2, 1, math.nan, 5), (4, 1, 3, 5), (0, 1, 3, 5)]
)
def test_an_effect_outside_its_interval_decides_nothing(tmp_path, interval):
    book = ledger(tmp_path)
    with pytest.raises(LedgerError, match="does not lie in its interval"):
        book.claim("gains", "It gains", scores.Interval(*interval))
    assert not book.verdicts
    whole = scores.Interval(2, -math.inf, math.inf, 1)
    assert book.claim("gains", "It gains", whole) == "undecided"
    same = scores.bootstrap([0.1] * 7)
    assert book.claim("gains", "It gains", same) == "reproduced"


@pytest.mark.parametrize("part", ["scores", "claims"])
@pytest.mark.parametrize("entry", [1, None, {}, {"corpus": 3}])
def test_a_damaged_ledger_is_named(tmp_path, part, entry):
    path = ledger(tmp_path).save()
    path.write_text(json.dumps({**json.loads(path.read_text()), part: [entry]}))
    with pytest.raises(LedgerError, match=path.name):
        ledger(tmp_path).save()


def test_a_ledger_lies_in_a_folder_and_begins_empty(tmp_path):
    with pytest.raises(LedgerError, match="nothing is recorded yet"):
        ledger(tmp_path).table("zz")
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="is a file"):
        ledger(tmp_path / "file")


# --- exercises ----------------------------------------------------------------------------------


class Trap:
    def __array__(self, *_, **__):
        raise KeyError("no numbers here")


STRANGE = [
    torch.tensor(1.0, requires_grad=True), 10**400, "1.0", b"1", np.array("1.0"), np.array(1 + 1j),
    np.timedelta64(1), [[1], [1, 2]], Trap(), np.array("1", dtype=object),
]  # fmt: skip


@pytest.mark.parametrize("answer", STRANGE, ids=lambda x: type(x).__name__)
def test_a_strange_answer_is_wrong_with_a_sentence(answer):
    verdict = check(answer, lambda: 1.0, tolerance=0.1)
    assert not verdict.right and verdict.text.startswith("Not yet")
    assert check(torch.tensor(1.0), lambda: 1.0, tolerance=0.1).right


# --- what a page shows --------------------------------------------------------------------------


@pytest.mark.parametrize("values", [[0.001, 0.002, 0.003], [2.01, 2.02], [1e-30, 2e-30], [1, 2.5]])
def test_every_step_of_a_slider_has_a_label_of_its_own(values):
    shown = explore(lambda v: score_table([{"v": v}]), label="gain", values=values)
    labels = [word for word, _ in shown.children[0].options]
    assert [float(word.replace("\u2212", "-")) for word in labels] == pytest.approx(values)
    with pytest.raises(ValueError, match="twice"):
        explore(lambda v: score_table([{"v": v}]), label="gain", values=[*values, values[0]])


def test_a_table_shows_every_number_it_is_given():
    rows = [{"name": "x", "sdr": torch.tensor(6.25)}, {"name": "y", "sdr": np.array(1.5)}]
    shown = score_table(rows, paper={"x": {"sdr": torch.tensor(7.0)}})._repr_html_()
    assert "tensor" not in shown and ">6.2<" in shown and ">1.5<" in shown and ">7.0<" in shown
    with pytest.raises(ValueError, match="sdrr"):
        score_table(rows, paper={"x": {"sdrr": 7}})


@pytest.mark.parametrize("shape", [(3, 3), (257, 125), (256, 126)])
def test_a_mask_belongs_to_the_spectrogram_above_it(shape):
    sound = {"a": 0.1 * np.ones(RATE)}
    with pytest.raises(ValueError, match=r"\(257, 126\)"):
        player(sound, RATE, stft=STFTS["foundations"], masks={"a": np.ones(shape)})


# --- separations, losses, transforms ------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": 16000.7}, "whole number of Hz"),
        ({"rate": math.nan}, "whole number of Hz"),
        ({"background": np.full(5, np.nan)}, "background"),
        ({"background": np.full(5, "a")}, "background"),
        ({"clip": "x"}, "type str"),
        ({"names": (1, 2)}, "words"),
        ({"names": ("a", " ")}, "words"),
    ],
)
def test_a_separation_holds_what_can_be_heard(change, message):
    good = {"voices": np.zeros((2, 5)), "rate": 16000.0, "names": ("a", "b")}
    assert Separation(**good).rate == RATE
    with pytest.raises(ValueError, match=message):
        Separation(**(good | change))


def test_voices_are_not_written_into_a_file(tmp_path):
    (tmp_path / "file").write_text("kept")
    found = Separation(np.zeros((1, 5)), RATE, ("a",))
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ValueError, match="is a file"):
            found.write(place)
    assert (tmp_path / "file").read_text() == "kept"


def test_losses_without_a_best_assignment_are_refused():
    for count in (2, 7):
        for bad in (np.ones((1, count, count)), torch.ones(1, count, count, dtype=torch.long)):
            with pytest.raises(ValueError, match="torch tensor of real numbers"):
                permutation_invariant(bad)
        with pytest.raises(ValueError, match="-inf"):
            permutation_invariant(torch.full((1, count, count), -math.inf))
    with pytest.raises(ValueError, match="infinite under every assignment"):
        permutation_invariant(torch.full((1, 7, 7), math.inf))


@pytest.mark.parametrize("order", [[[0, 2]], [[0, -1]], [[0.0, 1.0]], [[True, False]]])
def test_no_estimate_has_a_place_outside_the_list(order):
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        reorder(torch.zeros(1, 2, 5), torch.tensor(order))


@pytest.mark.parametrize("key", ["rate", "window", "hop", "fft"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, 8.5, "8", None])
def test_a_transform_counts_in_whole_numbers(key, bad):
    good = {"rate": 8000, "window": 8, "hop": 4, "fft": 8, "centred": True}
    with pytest.raises(ValueError, match=f"{key} is .*whole number"):
        STFT("mine", **(good | {key: bad}))


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_there_is_no_loudness_relative_to_nan(kind):
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="NaN or infinite"):
            decibels(kind([1.0, bad]))
    with pytest.raises(ValueError, match="floor"):
        decibels(kind([1.0]), floor=math.nan)


# --- faces --------------------------------------------------------------------------------------


@pytest.mark.parametrize("box", [(1e9, 0, 9, 9), (0, -1e30, 9, 9), (0, 0, 1e6, 9), (0, 0, 9, 1e30)])
def test_no_picture_has_such_a_box(box):
    with pytest.raises(ValueError, match="give boxes in their px"):
        faces.crop(np.zeros((2, 64, 64, 3), np.uint8), np.array([box, box]), size=(8, 8))


@pytest.mark.parametrize("size", [8, (8, 8, 3), (8.5, 8), (8, math.nan), (8, 0), "ab", (8, 10**9)])
def test_a_crop_has_a_height_and_a_width(size):
    with pytest.raises(ValueError, match="size"):
        faces.crop(np.zeros((1, 64, 64, 3), np.uint8), np.array([[0, 0, 9, 9]]), size=size)


@pytest.mark.parametrize("count", [1.5, math.nan, 0, "1"])
def test_faces_are_counted_in_whole_numbers(count):
    with pytest.raises(ValueError, match="faces"):
        faces.follow(np.zeros((1, 64, 64, 3), np.uint8), faces=count)
