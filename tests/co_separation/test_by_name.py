"""The detector by name: boxes lie where they were, and what cannot be loaded is refused."""

import json
import shutil
import sys
from functools import partial
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from huggingface_hub import snapshot_download
from safetensors.torch import load_file, save_file

from avsep_core.co_separation import by_name as module
from avsep_core.co_separation.by_name import (
    OVERLAP,
    REPOSITORY,
    REVISION,
    ByName,
    by_name,
    prompt,
    squared,
    unsquared,
)
from avsep_core.co_separation.detector import overlap
from avsep_core.co_separation.objects import cut, surest
from avsep_core.synthetic.band import INSTRUMENTS

transformers = pytest.importorskip("transformers", reason="transformers is not installed")

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = ["!", *LETTERS, *(f"{x}</w>" for x in LETTERS), "<|startoftext|>", "<|endoftext|>"]
SIDE, LONGEST = 96, 40
NAMES = ("cello", "acoustic_guitar")
SHAPES = [(40, 90), (90, 40), (64, 64), (270, 480)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An OWLv2 with random weights, which reads letter by letter, in the published layout."""
    path = tmp_path_factory.mktemp("owl")
    layers = {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }  # fmt: skip
    text = {"vocab_size": len(WORDS), "max_position_embeddings": LONGEST}
    torch.manual_seed(0)
    network = transformers.Owlv2ForObjectDetection(
        transformers.Owlv2Config(
            text_config={**layers, **text, "bos_token_id": 53, "eos_token_id": 54},
            vision_config={**layers, "image_size": SIDE, "patch_size": 8},
            projection_dim=16,
        )
    )
    network.box_head.dense2.weight.data *= 0.02  # each patch tells a box around itself,
    network.box_head.dense2.bias.data = torch.tensor([0.0, 0.0, 1.8, 1.8])  # larger than a patch,
    network.class_head.logit_shift.weight.data *= 0.05  # and is neither certain nor hopeless
    network.class_head.logit_scale.weight.data *= 0.05
    network.save_pretrained(path)
    (path / "vocab.json").write_text(json.dumps({word: k for k, word in enumerate(WORDS)}))
    (path / "merges.txt").write_text("#version: 0.2\n")
    marks = {"bos_token": WORDS[-2], "eos_token": WORDS[-1], "unk_token": WORDS[-1]}
    told = {"tokenizer_class": "CLIPTokenizer", "pad_token": "!", **marks}
    (path / "tokenizer_config.json").write_text(json.dumps(told))
    return path


@pytest.fixture
def copy(folder, tmp_path):
    """A copy of it that a test may damage."""
    return shutil.copytree(folder, tmp_path / "copy")


class Planted:
    """A network that says of every picture of `shape` what it is told to: (class, box in px, how
    sure)."""

    device = "cpu"
    config = SimpleNamespace(
        text_config=SimpleNamespace(max_position_embeddings=LONGEST),
        vision_config=SimpleNamespace(image_size=SIDE),
    )

    def __init__(self, shape, *said):
        self.shape, self.said = shape, said

    def eval(self):
        return self

    def __call__(self, **_):
        logits = torch.full((1, len(self.said), len(NAMES)), -20.0)
        for k, (name, _, sure) in enumerate(self.said):
            logits[0, k, NAMES.index(name)] = np.log(sure / (1 - sure))
        x, y, w, h = np.array([box for _, box, _ in self.said]).T / max(self.shape)
        boxes = torch.from_numpy(np.stack([x + w / 2, y + h / 2, w, h], 1))[None].float()
        return SimpleNamespace(logits=logits, pred_boxes=boxes)


def read(words, **_):
    """A tokenizer for a network that is told what to say."""
    return transformers.BatchEncoding({"input_ids": torch.zeros(len(words), 1)})


def seen(shape, *said, least=0.2):
    """What a detector tells of one picture in which its network sees what was planted."""
    detector = ByName(Planted(shape, *said), read, NAMES)
    return detector.detect(np.zeros((1, *shape, 3), np.uint8), least=least)[0]


def pictures(rng, count, shape):
    """Smooth pictures in colour."""
    coarse = rng.integers(0, 256, (count, 5, 7, 3)).astype(np.uint8)
    return np.stack([cv2.resize(one, shape[::-1]) for one in coarse])


def test_a_class_is_asked_for_as_in_a_caption():
    assert prompt("acoustic_guitar") == "a photo of an acoustic guitar"
    assert prompt("cello") == "a photo of a cello"
    assert prompt(" grand  piano") == "a photo of a grand piano"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_planted_box_comes_back_where_it_was(shape):
    height, width = shape
    box = (0.5 * width, 0.25 * height, 0.3 * width, 0.6 * height)
    (one,) = seen(shape, ("cello", box, 0.7))
    assert one.name == "cello"
    assert one.confidence == pytest.approx(0.7)
    np.testing.assert_allclose(one.box, box, rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_boxes_are_clipped_to_the_picture(shape):
    height, width = shape
    (one,) = seen(shape, ("cello", (-10, -10, 10 + width / 2, 2 * height), 0.7))
    np.testing.assert_allclose(one.box, (0, 0, width / 2, height), rtol=1e-5)
    cut(np.zeros((*shape, 3), np.uint8), one.box)


def test_a_box_in_the_black_beside_the_picture_is_none():
    assert not seen((40, 90), ("cello", (20, 50, 30, 30), 0.9))
    assert not seen((90, 40), ("cello", (50, 20, 30, 30), 0.9))


def test_of_one_class_the_surest_of_boxes_that_overlap_stays_and_of_two_classes_both():
    here, beside = (10, 5, 30, 30), (12, 5, 30, 30)
    assert overlap(here, beside) > OVERLAP
    same = seen((40, 90), ("cello", beside, 0.6), ("cello", here, 0.8))
    assert [d.confidence for d in same] == pytest.approx([0.8])
    two = seen((40, 90), ("acoustic_guitar", beside, 0.6), ("cello", here, 0.8))
    assert [d.name for d in two] == ["cello", "acoustic_guitar"]
    apart = seen((40, 90), ("cello", (60, 5, 25, 30), 0.6), ("cello", here, 0.8))
    assert [d.confidence for d in apart] == pytest.approx([0.8, 0.6])


def test_what_is_less_sure_than_asked_is_not_told():
    said = [("cello", (10, 5, 30, 30), 0.6), ("cello", (60, 5, 25, 30), 0.3)]
    assert [len(seen((40, 90), *said, least=p)) for p in (0.2, 0.5, 0.9)] == [2, 1, 0]


def test_the_surest_of_each_class_become_windows():
    here, beside = (10, 5, 30, 30), (12, 5, 30, 30)
    one = seen((40, 90), ("acoustic_guitar", beside, 0.6), ("cello", here, 0.8))
    found = surest([one, [], one])
    assert list(found) == ["cello", "acoustic_guitar"]
    assert [t for t, _ in found["acoustic_guitar"]] == [0, 2]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_squared_picture_fills_the_upper_left_and_its_box_is_the_whole(shape):
    side = 60
    white = squared(np.full((*shape, 3), 255, np.uint8), side)[0] > 0
    height, width = (round(side * n / max(shape)) for n in shape)
    assert white[: height - 1, : width - 1].all()
    assert not white[height + 1 :].any() and not white[:, width + 1 :].any()
    whole = np.array([[width / 2, height / 2, width, height]]) / side
    np.testing.assert_allclose(unsquared(whole, shape), [[0, 0, shape[1], shape[0]]], rtol=0.02)


@pytest.mark.parametrize("shape", SHAPES)
def test_pictures_are_prepared_as_the_library_prepares_them(rng, shape):
    (picture,) = pictures(rng, 1, shape)
    prepared = transformers.Owlv2ImageProcessorPil(size={"height": SIDE, "width": SIDE})
    theirs = prepared(picture, return_tensors="pt")["pixel_values"][0]
    apart = (squared(picture, SIDE) - theirs).abs()
    assert apart.mean() < 0.02 and apart.quantile(0.9) < 0.05  # they differ at the black's edge


def test_what_it_tells_is_what_the_library_tells_less_what_is_suppressed(rng, folder):
    shape, least = (60, 90), 0.1
    detector, frames = by_name(path=folder, device="cpu"), pictures(rng, 2, shape)
    assert detector.names == INSTRUMENTS
    network = transformers.Owlv2ForObjectDetection.from_pretrained(folder)
    asked = transformers.AutoTokenizer.from_pretrained(folder)(
        [prompt(name) for name in INSTRUMENTS], padding=True, return_tensors="pt"
    )
    for frame, ours in zip(frames, detector.detect(frames, least=least), strict=True):
        with torch.no_grad():
            told = network(pixel_values=squared(frame, SIDE)[None], **asked)
        theirs = transformers.Owlv2ImageProcessorPil().post_process_object_detection(
            told, least, target_sizes=[shape]
        )[0]
        low, high = theirs["boxes"].clip(torch.zeros(4), torch.tensor([90, 60] * 2)).split(2, 1)
        boxes = torch.cat([low, high - low], 1).numpy()
        rest = list(zip(theirs["labels"].tolist(), theirs["scores"].tolist(), boxes, strict=True))
        assert 5 < len(ours) < len(rest)
        for one in ours:
            assert any(
                one.name == INSTRUMENTS[label]
                and one.confidence == pytest.approx(sure, abs=1e-4)
                and np.allclose(one.box, box, atol=0.01)
                for label, sure, box in rest
            )
        for label, sure, box in rest:
            surer = [
                d for d in ours if d.name == INSTRUMENTS[label] and d.confidence >= sure - 1e-4
            ]
            assert min(box[2:]) < 1.01 or max(overlap(d.box, box) for d in surer) > OVERLAP - 0.01


def test_the_names_decide_what_is_found(rng, folder):
    frames = pictures(rng, 1, (60, 90))
    cello, flute = (
        by_name([name], path=folder, device="cpu").detect(frames, least=0)[0]
        for name in ("cello", "flute")
    )
    assert {d.name for d in cello} == {"cello"} and {d.name for d in flute} == {"flute"}
    assert cello[0].confidence != pytest.approx(flute[0].confidence, rel=1e-3)


def test_what_was_downloaded_before_is_taken_without_a_network(folder, tmp_path, monkeypatch):
    kept = partial(snapshot_download, cache_dir=tmp_path, local_files_only=True)
    monkeypatch.setattr(module, "snapshot_download", kept)
    with pytest.raises(ValueError, match=rf"{REPOSITORY} cannot be downloaded .*; check the net"):
        by_name(device="cpu")
    assert not [*tmp_path.rglob("*")]
    place = tmp_path / f"models--{REPOSITORY.replace('/', '--')}" / "snapshots" / REVISION
    shutil.copytree(folder, place)
    assert by_name(["cello"], device="cpu").names == ("cello",)


def test_no_more_is_downloaded_than_is_read(folder, monkeypatch):
    asked = {}
    monkeypatch.setattr(module, "snapshot_download", lambda *_, **k: asked.update(k) or folder)
    by_name(device="cpu")
    assert asked["revision"] == REVISION
    assert not any("bin" in pattern for pattern in asked["allow_patterns"])
    assert all(
        any(file.match(pattern) for pattern in asked["allow_patterns"]) for file in folder.iterdir()
    )


def test_without_the_library(monkeypatch, folder):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError, match="run `pip install transformers`"):
        by_name(path=folder)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "vocab.json"])
def test_a_file_that_is_torn_or_not_there(copy, file):
    whole, before = (copy / file).read_bytes(), sorted(copy.iterdir())
    (copy / file).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=rf"no OWLv2 that can be read .*{REPOSITORY} anew"):
        by_name(path=copy, device="cpu")
    assert sorted(copy.iterdir()) == before
    (copy / file).unlink()
    with pytest.raises(ValueError, match=rf"get all files of https://huggingface.co/{REPOSITORY}"):
        by_name(path=copy, device="cpu")


def test_weights_or_words_that_are_missing_are_not_made_up(copy):
    weights = load_file(copy / "model.safetensors")
    torn = {name: part for name, part in weights.items() if not name.startswith("box_head")}
    save_file(torn, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="lacks weights or words"):
        by_name(path=copy, device="cpu")
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    by_name(path=copy, device="cpu")
    for file in ("vocab.json", "merges.txt"):
        (copy / file).unlink()
    with pytest.raises(ValueError, match="lacks weights or words"):
        by_name(path=copy, device="cpu")


def test_no_folder_and_no_device(tmp_path, folder):
    with pytest.raises(ValueError, match=rf"is no folder with a config\.json; get .*{REPOSITORY}"):
        by_name(path=tmp_path / "none")
    with pytest.raises(ValueError, match="device='tpu' given, which is not there; take"):
        by_name(path=folder, device="tpu")


@pytest.mark.parametrize("names", ["cello", [], ["cello", "cello"], ["_"], [1]])
def test_names_that_are_refused(names):
    with pytest.raises(ValueError, match="expected one or more words, each once"):
        ByName(Planted((40, 90)), read, names)


def test_a_name_too_long_to_read(folder):
    with pytest.raises(ValueError, match=r"'kk+' makes 63 tokens; the detector reads 40: shorten"):
        by_name(["cello", "k" * 52], path=folder, device="cpu")


def test_pictures_that_are_refused(folder):
    detector = ByName(Planted((40, 90)), read, NAMES)
    with pytest.raises(ValueError, match=r"expected \(T, H, W, 3\) uint8"):
        detector.detect(np.zeros((40, 90, 3), np.uint8))
    with pytest.raises(ValueError, match="least=2 given; expected 0 to 1"):
        detector.detect(np.zeros((1, 40, 90, 3), np.uint8), least=2)
