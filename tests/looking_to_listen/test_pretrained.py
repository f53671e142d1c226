"""Face networks by name: read by OpenCV, downloaded once, never another file than the published."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from avsep_core.looking_to_listen import pretrained, vectors

# A network without weights: means over 16 x 16 px, 49 numbers for each of three colours.
POOLING = """
input: "data"
input_dim: 1
input_dim: 3
input_dim: 112
input_dim: 112
layer { name: "mean" type: "Pooling" bottom: "data" top: "mean"
        pooling_param { pool: AVE kernel_size: %d stride: %d } }
layer { name: "flat" type: "Flatten" bottom: "mean" top: "flat" }
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "faces.prototxt"
    path.write_text(POOLING % (16, 16))
    return path


@pytest.fixture
def published(monkeypatch, file):
    """As if this file were the published one."""
    made = replace(
        pretrained.PUBLISHED["sface"], sha256=hashlib.sha256(file.read_bytes()).hexdigest()
    )
    monkeypatch.setitem(pretrained.PUBLISHED, "sface", made)
    return file


def test_its_numbers_fill_the_head_of_the_vector(file):
    faces = np.repeat(np.repeat(np.arange(49).reshape(7, 7) * 5, 16, 0), 16, 1).astype(np.uint8)
    found = pretrained.Pretrained(file).vectors(torch.from_numpy(np.stack([faces, 255 - faces])))
    assert found.shape == (2, vectors.SIZE)
    np.testing.assert_allclose(found[0, :49], np.arange(49) * 5)
    np.testing.assert_allclose(found[1, 49:98], 255 - np.arange(49) * 5)
    assert not found[:, 147:].any()


def test_face_vectors_takes_it_and_resizes_our_crops(file):
    faces = np.full((2, 3, vectors.SIDE, vectors.SIDE), 90, np.uint8)
    found = vectors.face_vectors(pretrained.Pretrained(file), faces, batch=4)
    assert found.shape == (2, 3, vectors.SIZE)
    np.testing.assert_allclose(found[..., :147], 90, rtol=1e-5)


def test_by_name_from_a_file_that_is_here(published):
    assert pretrained.pretrained("sface", path=published).side == 112


def test_by_name_it_is_downloaded(published, monkeypatch):
    asked = []
    monkeypatch.setattr(
        pretrained, "hf_hub_download", lambda *words: asked.append(words) or str(published)
    )
    assert pretrained.pretrained().side == 112
    assert asked == [("opencv/face_recognition_sface", "face_recognition_sface_2021dec.onnx")]


def test_another_file_than_the_published_one(file):
    with pytest.raises(ValueError, match=r"is not the published face_recognition_sface.*get it"):
        pretrained.pretrained(path=file)


def test_without_a_network(monkeypatch):
    def down(*_):
        raise OSError("no route")

    monkeypatch.setattr(pretrained, "hf_hub_download", down)
    with pytest.raises(ValueError, match=r"cannot be downloaded \(OSError\).*give its path"):
        pretrained.pretrained()


def test_what_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no face network 'arc'; there are sface"):
        pretrained.pretrained("arc")
    with pytest.raises(ValueError, match="is no file; get face_recognition_sface"):
        pretrained.pretrained(path=tmp_path / "none.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"torn")
    with pytest.raises(ValueError, match="no network that OpenCV can read; give an ONNX file"):
        pretrained.Pretrained(broken)
    wide = tmp_path / "wide.prototxt"
    wide.write_text(POOLING % (2, 2))
    with pytest.raises(ValueError, match="expected at most 1024 numbers"):
        pretrained.Pretrained(wide).vectors(torch.zeros(1, 64, 64, dtype=torch.uint8))
