"""Face vectors: who is there and how the mouth moves, in numbers that a linear map can read."""

import numpy as np
import pytest
import torch

from avsep_core.corpora import store
from avsep_core.faces import Track
from avsep_core.looking_to_listen import vectors as seeing
from avsep_core.looking_to_listen.vectors import SIZE, FaceNetwork, face_vectors, probe
from avsep_core.synthetic.talkers import SPLITS, find

SIDE = store.SIDE


@pytest.fixture(scope="module")
def seer():
    return seeing.shipped_network()


def films(split, numbers):
    """(clips, T, SIDE, SIDE) faces and (clips, T) openings of drawn talkers."""
    example = store.drawn(split, seconds=1.2, rate=8000, seed=7)
    made = [example(n) for n in numbers]
    return np.stack([x.faces for x in made]), np.stack([x.opening for x in made])


def test_the_mouth_can_be_read_from_faces_never_seen_before(seer):
    """The paper's vectors come from face recognition; a probe tells whether the lips are left."""
    seen, opening = films("train", range(40))
    new, wanted = films("test", range(16))
    # As the separation network takes them: who it is goes out with the mean over a clip.
    moved = [x - x.mean(axis=1, keepdims=True) for x in (opening, wanted)]
    known, unknown = (
        (v - v.mean(axis=1, keepdims=True)).reshape(-1, SIZE)
        for v in (face_vectors(seer, seen), face_vectors(seer, new))
    )
    assert probe(known, moved[0].ravel(), test=(unknown, moved[1].ravel())) >= 0.8


def test_a_probe_finds_a_linear_plant_and_nothing_in_noise(rng):
    V, W = rng.standard_normal((2, 300, 20))
    w = rng.standard_normal(20)
    assert probe(V, V @ w + 3, test=(W, W @ w + 3)) == pytest.approx(1, abs=1e-3)
    told = probe(V, rng.standard_normal(300), test=(W, rng.standard_normal(300)))
    assert told <= 0.1


def test_a_probe_does_not_mind_offsets(rng):
    V, W = rng.standard_normal((2, 200, 10))
    y, z = V[:, 0] ** 2 + V[:, 1], W[:, 0] ** 2 + W[:, 1]
    plain = probe(V, y, test=(W, z))
    assert probe(V + 5, y - 40, test=(W + 5, z - 40)) == pytest.approx(plain)


def test_people_are_told_apart_and_brightness_does_not_count(seer):
    """The network knows the talkers of the training split; others only have vectors."""
    people = SPLITS["train"]
    faces, _ = films("train", range(4))
    with torch.no_grad():
        scores, _ = seer(torch.from_numpy(faces[:, ::6].reshape(-1, SIDE, SIDE).copy()))
    right = np.repeat(range(4), faces[:, ::6].shape[1])
    assert (scores.argmax(1).numpy() == right).mean() > 0.8
    assert len(people) == scores.shape[1] and find(people[0]).id == people[0]
    dim = (faces[0, :3] * 0.6).astype(np.uint8)
    plain, darker = face_vectors(seer, faces[0, :3]), face_vectors(seer, dim)
    assert np.linalg.norm(plain - darker) < 0.2 * np.linalg.norm(plain)


def test_vectors_do_not_depend_on_the_company(seer, rng):
    faces = rng.integers(0, 256, (2, 3, SIDE, SIDE), dtype=np.uint8)
    found = face_vectors(seer, faces)
    assert found.shape == (2, 3, SIZE) and found.dtype == np.float32
    np.testing.assert_allclose(face_vectors(seer, faces, batch=1), found, atol=1e-3)
    np.testing.assert_allclose(face_vectors(seer, faces[1, 2]), found[1, 2], atol=1e-3)


def test_frames_in_which_a_face_is_not_seen_are_zeros(seer, rng):
    frames = rng.integers(0, 256, (6, 80, 90, 3), dtype=np.uint8)
    boxes = np.tile([10.0, 8.0, 60.0, 60.0], (6, 1))
    seen = np.array([True, True, False, False, True, True])
    found = seeing.track_vectors(seer, frames, Track.known(boxes, seen=seen))
    assert found.shape == (6, SIZE) and not found[~seen].any()
    assert found[seen].any(axis=1).all()
    want = face_vectors(seer, store.grey_crops(frames, boxes))
    np.testing.assert_array_equal(found[seen], want[seen])
    with pytest.raises(ValueError, match="6 frames need as many boxes"):
        seeing.track_vectors(seer, frames, Track.known(boxes[:5]))


@pytest.mark.parametrize(
    "faces",
    [
        np.zeros((2, 32, 32), np.uint8),
        np.zeros((2, SIDE, SIDE), np.float32),
        np.zeros((2, SIDE, SIDE, 3), np.uint8),
        np.zeros((0, SIDE, SIDE), np.uint8),
    ],
)
def test_pictures_of_another_kind_are_refused(faces):
    with pytest.raises(ValueError, match="grey_crops"):
        face_vectors(FaceNetwork(2, (2, 4, 4, 4)), faces)


def test_a_store_keeps_the_vectors_it_was_given(tmp_path, rng):
    def example(number):
        faces = rng.integers(0, 256, (3, SIDE, SIDE), dtype=np.uint8)
        return store.Example(f"p{number}", "f", np.zeros(480), faces, np.zeros(3))

    made = store.write(tmp_path / "clips", example, 2, rate=4000)
    small = FaceNetwork(2, (2, 4, 4, 4)).eval()
    found = seeing.store_vectors(made, small)
    assert found.shape == (2, 3, SIZE) and found.dtype == np.float16
    np.testing.assert_allclose(found, face_vectors(small, made.faces), atol=1e-2)
    again = seeing.store_vectors(store.Store(tmp_path / "clips"), FaceNetwork(2, (2, 4, 4, 4)))
    np.testing.assert_array_equal(again, found)


def test_a_picture_is_mirrored_at_every_second_chance_and_named(tmp_path):
    half = np.zeros((4, SIDE, SIDE), np.uint8)
    half[..., : SIDE // 2] = 200
    people = ["ann", "bob"]

    def example(number):
        return store.Example(people[number], "fm"[number], np.zeros(64), half, np.full(4, 0.5))

    pictures = seeing.Pictures([store.write(tmp_path / "s", example, 2, rate=400)], people, seed=3)
    many = [pictures[n] for n in range(60)]
    turned = sum(int(x["face"][0, 0]) == 0 for x in many)
    assert 15 < turned < 45 and {int(x["person"]) for x in many} == {0, 1}
    assert all(x["opening"].item() == 0.5 for x in many)
    assert torch.equal(pictures[7]["face"], many[7]["face"])


def test_without_expression_the_opening_of_the_mouth_costs_nothing():
    small = FaceNetwork(3, (2, 4, 4, 4))
    batch = {
        "face": torch.randint(0, 256, (4, SIDE, SIDE), dtype=torch.uint8),
        "person": torch.tensor([0, 1, 2, 0]), "opening": torch.rand(4),
    }  # fmt: skip
    plain = seeing.recognition_loss(small, batch, expression=0)
    moved = {**batch, "opening": batch["opening"] + 1}
    assert torch.equal(seeing.recognition_loss(small, moved, expression=0), plain)
    assert seeing.recognition_loss(small, batch) > plain
    plain.backward()
    assert small.opening.weight.grad is None or not small.opening.weight.grad.any()
