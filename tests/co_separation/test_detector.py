"""The detector: what it should say, what it says, and that it learns."""

import numpy as np
import pytest
import torch

from avsep_core.co_separation.detector import (
    STRIDE,
    Detection,
    Detector,
    detection_loss,
    marked,
    overlap,
)

NAMES = ("disc", "bar")


def picture(name, x, y, size=24):
    """A dark picture with a bright disc, or a bar as high as wide is long, and its box."""
    frame = np.full((64, 96, 3), 40, np.uint8)
    if name == "disc":
        rows, columns = np.mgrid[:64, :96]
        frame[(rows - y) ** 2 + (columns - x) ** 2 <= (size / 2) ** 2] = 220
        return frame, (x - size / 2, y - size / 2, size, size)
    frame[y - 4 : y + 4, x - size // 2 : x + size // 2] = (90, 220, 90)
    return frame, (x - size / 2, y - 4, size, 8)


def batch(seed, count=8):
    rng = np.random.default_rng(seed)
    made = [
        (NAMES[k % 2], *picture(NAMES[k % 2], int(rng.integers(16, 80)), int(rng.integers(16, 48))))
        for k in range(count)
    ]
    return {
        "pictures": torch.from_numpy(np.stack([f for _, f, _ in made])).permute(0, 3, 1, 2),
        "boxes": torch.tensor([[box] for *_, box in made], dtype=torch.float32),
        "labels": torch.tensor([[NAMES.index(name)] for name, *_ in made]),
    }


def test_marks_lie_in_the_middle_of_each_object_and_tell_its_size():
    boxes = torch.tensor([[[8.0, 16.0, 32.0, 16.0], [0.0, 0.0, 1.0, 1.0]]])
    middle, size, there = marked(boxes, torch.tensor([[1, -1]]), 2, (8, 12))
    assert there.sum() == 1 and there[0, 3, 3], "the middle is (24, 24) px, eight to a cell"
    assert middle[0, 1, 3, 3] == 1 and middle.max() == 1 and not middle[0, 0].any()
    dx, dy, w, h = size[0, :, 3, 3]
    assert (STRIDE * (3 + dx), STRIDE * (3 + dy)) == (24, 24)
    assert torch.allclose(STRIDE * torch.stack([w, h]).exp(), torch.tensor([32.0, 16.0]))


def test_a_network_that_says_what_it_should_has_hardly_a_loss_and_finds_the_boxes():
    given = batch(0)

    class Knows(Detector):
        def forward(self, pictures):
            middle, size, _ = marked(given["boxes"], given["labels"], 2, (8, 12))
            return torch.where(middle == 1, 12.0, -12.0), size

    knows = Knows(NAMES, width=2)
    assert detection_loss(knows, given) < 1e-2
    frames = given["pictures"].permute(0, 2, 3, 1).numpy()
    for found, box, label in zip(
        knows.detect(np.ascontiguousarray(frames)), given["boxes"], given["labels"], strict=True
    ):
        assert [d.name for d in found] == [NAMES[int(label)]]
        assert overlap(found[0].box, box[0].tolist()) > 0.999


def test_it_learns_to_find_what_it_has_not_seen():
    torch.manual_seed(0)
    net = Detector(NAMES, width=8)
    adam = torch.optim.Adam(net.parameters(), 5e-3)
    for step in range(120):
        loss = detection_loss(net, batch(step))
        adam.zero_grad()
        loss.backward()
        adam.step()
    given = batch(999, count=20)
    frames = np.ascontiguousarray(given["pictures"].permute(0, 2, 3, 1).numpy())
    right = 0
    for found, box, label in zip(
        net.eval().detect(frames), given["boxes"], given["labels"], strict=True
    ):
        best = found[0] if found else Detection("", 0, (0, 0, 1, 1))
        right += best.name == NAMES[int(label)] and overlap(best.box, box[0].tolist()) > 0.5
    assert right >= 16


def test_overlap_is_the_shared_part_of_both():
    assert overlap((0, 0, 4, 4), (0, 0, 4, 4)) == 1
    assert overlap((0, 0, 4, 4), (2, 0, 4, 4)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 4, 4), (5, 5, 4, 4)) == 0


def test_nothing_is_told_below_the_asked_confidence():
    net = Detector(NAMES, width=2).eval()
    frames = np.zeros((2, 64, 64, 3), np.uint8)
    assert net.detect(frames, least=0.9) == [[], []]
    assert all(d.confidence >= 1e-3 for one in net.detect(frames, least=1e-3) for d in one)


@pytest.mark.parametrize(("height", "times"), [(None, 1), (64, 1), (128, 2), (32, 0.5)])
def test_it_sees_pictures_as_high_as_those_it_learnt_from_and_boxes_fit_those_given(height, times):
    seen = []

    class Marks(Detector):
        def forward(self, pictures):
            seen.append((tuple(pictures.shape[2:]), self.training))
            rows, columns = (side // STRIDE for side in pictures.shape[2:])
            box = torch.tensor([[[8.0, 8.0, 16.0, 8.0]]])
            middle, size, _ = marked(box, torch.tensor([[0]]), 2, (rows, columns))
            return torch.where(middle == 1, 12.0, -12.0), size

    finder = Marks(NAMES, width=2, height=height)
    (found,) = finder.detect(np.zeros((1, 64, 96, 3), np.uint8))
    assert seen == [((round(64 * times), round(96 * times)), False)] and finder.training
    np.testing.assert_allclose(found[0].box, np.array([8, 8, 16, 8]) / times, rtol=1e-5)


@pytest.mark.parametrize("frames", [np.zeros((64, 64, 3), np.uint8), np.zeros((1, 64, 64, 3))])
def test_pictures_of_another_shape_or_type_are_refused(frames):
    with pytest.raises(ValueError, match=r"expected \(T, H, W, 3\) uint8"):
        Detector(NAMES, width=2).detect(frames)
