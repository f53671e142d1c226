"""Where the instruments are: a small detector for drawn films, and one by name for real ones.

The small one marks the middle of each object on a map of its class and tells its size there (after
Zhou and others, Objects as points, 2019).

Taught in `notebooks/05_co_separation.ipynb`, section "Objects".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

STRIDE = 8
"""Pixels of a picture to one of the map."""


@dataclass(frozen=True)
class Detection:
    """An object in a picture: its `name`, how sure the detector is, 0…1, and its `box` (x, y,
    width, height) in px."""

    name: str
    confidence: float
    box: tuple[float, float, float, float]


class Finder(Protocol):
    """A detector of any kind: its classes, and what it finds in (T, H, W, 3) uint8."""

    names: tuple[str, ...]

    def detect(self, frames: np.ndarray, *, least: float = ...) -> list[list[Detection]]:
        """For each picture its detections of at least a confidence, the surest first."""


def checked(frames: np.ndarray) -> np.ndarray:
    """Pictures that a detector takes, as they are; ValueError if not (T, H, W, 3) uint8."""
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8:
        raise ValueError(
            f"pictures of shape {frames.shape} and type {frames.dtype}; expected (T, H, W, 3) uint8"
        )
    return frames


class Detector(nn.Module):
    """Maps of where objects of each class have their middle, and how large they are.

    Parameters
    ----------
    names : the classes
    width : filters of the first layer, doubled twice
    height : px of the pictures it learns from, to which `detect` brings others; None leaves them
    """

    def __init__(self, names: Sequence[str], width: int = 16, height: int | None = None) -> None:
        super().__init__()
        self.names, self.height = tuple(names), height
        layers: list[nn.Module] = []
        before = 3
        for after in (width, 2 * width, 4 * width):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
            layers += [nn.Conv2d(after, after, 3, 1, 1), nn.BatchNorm2d(after), nn.ReLU()]
            before = after
        for wide in (2, 4, 1):  # sees 112 px at a time
            layers += [nn.Conv2d(before, before, 3, 1, wide, wide), nn.BatchNorm2d(before)]
            layers.append(nn.ReLU())
        self.trunk = nn.Sequential(*layers)
        self.middle = nn.Conv2d(before, len(self.names), 1)
        self.size = nn.Conv2d(before, 4, 1)
        nn.init.constant_(self.middle.get_parameter("bias"), -4.0)  # objects are rare

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Read pictures.

        Parameters
        ----------
        pictures : (batch, 3, h, w) float, 0…1

        Returns
        -------
        (batch, classes, h / 8, w / 8) before the sigmoid, and (batch, 4, h / 8, w / 8): where the
        middle lies beside the cell's corner, in cells, and log width and height, in cells
        """
        found = self.trunk(4 * (pictures - 0.45))
        return self.middle(found), self.size(found)

    @torch.no_grad()
    def detect(self, frames: np.ndarray, *, least: float = 0.3) -> list[list[Detection]]:
        """Find objects in pictures, in eval mode; the mode it was in is left as it was.

        Parameters
        ----------
        frames : (T, H, W, 3) uint8
        least : confidence below which nothing is told, 0…1

        Returns
        -------
        For each picture its detections, the surest first; of one class only the surest within
        three cells

        Raises
        ------
        ValueError : pictures of another shape or type
        """
        scale = checked(frames).shape[1] / (self.height or frames.shape[1])
        if scale != 1:
            size = (max(round(frames.shape[2] / scale), 1), round(frames.shape[1] / scale))
            way = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
            frames = np.stack([cv2.resize(frame, size, interpolation=way) for frame in frames])
        device = next(self.parameters()).device
        pictures = torch.from_numpy(np.array(frames)).permute(0, 3, 1, 2).to(device) / 255
        learning = self.training
        maps, sizes = self.eval()(pictures)
        self.train(learning)
        sure = torch.sigmoid(maps)
        sure = sure * (sure == F.max_pool2d(sure, 3, 1, 1)) * (sure >= least)
        found: list[list[Detection]] = [[] for _ in frames]
        for t, c, y, x in sure.nonzero().tolist():
            dx, dy, w, h = sizes[t, :, y, x].tolist()
            width, height = STRIDE * float(np.exp(w)), STRIDE * float(np.exp(h))
            left, top = STRIDE * (x + dx) - width / 2, STRIDE * (y + dy) - height / 2
            box = (scale * left, scale * top, scale * width, scale * height)
            found[t].append(Detection(self.names[c], float(sure[t, c, y, x]), box))
        return [sorted(one, key=lambda d: -d.confidence) for one in found]


def marked(
    boxes: torch.Tensor, labels: torch.Tensor, classes: int, shape: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What a detector should say of pictures.

    Parameters
    ----------
    boxes : (batch, slots, 4) x, y, width, height in px
    labels : (batch, slots) int64, -1 where a slot is empty
    classes : how many
    shape : rows and columns of the map

    Returns
    -------
    (batch, classes, *shape), 1 at each middle and less around it; (batch, 4, *shape) as
    `Detector.forward`; (batch, *shape) bool, where an object's middle lies
    """
    rows, columns = shape
    batch = len(boxes)
    middle = torch.zeros(batch, classes, rows, columns)
    size, there = torch.zeros(batch, 4, rows, columns), torch.zeros(batch, rows, columns).bool()
    cells = boxes / STRIDE
    grid_y, grid_x = torch.arange(rows) + 0.5, torch.arange(columns) + 0.5
    for b, k in (labels >= 0).nonzero().tolist():
        x, y, w, h = cells[b, k]
        cx, cy = x + w / 2, y + h / 2
        column, row = (int(v.clamp(0, most - 1)) for v, most in ((cx, columns), (cy, rows)))
        spread = ((grid_x - column - 0.5) / (0.1 * w + 0.3)) ** 2
        blob = torch.exp(-0.5 * (spread + ((grid_y - row - 0.5) / (0.1 * h + 0.3))[:, None] ** 2))
        label = int(labels[b, k])
        middle[b, label] = torch.maximum(middle[b, label], blob)
        size[b, :, row, column] = torch.stack([cx - column, cy - row, w.log(), h.log()])
        there[b, row, column] = True
    return middle, size, there


def detection_loss(network: nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """The loss of a detector: focal on the maps, absolute error of the sizes, a scalar.

    Parameters
    ----------
    network : a `Detector`
    batch : `pictures` (batch, 3, h, w) uint8, `boxes` and `labels` as in `marked`
    """
    maps, sizes = network(batch["pictures"].float() / 255)
    told = marked(batch["boxes"].cpu(), batch["labels"].cpu(), maps.shape[1], maps.shape[2:])
    middle, size, there = (part.to(maps.device) for part in told)
    right = middle == 1
    missed = -F.logsigmoid(maps) * (1 - torch.sigmoid(maps)) ** 2 * right
    false = -F.logsigmoid(-maps) * torch.sigmoid(maps) ** 2 * (1 - middle) ** 4 * ~right
    count = there.sum().clamp_min(1)
    off = ((sizes - size).abs().sum(1) * there).sum()
    return (missed.sum() + false.sum() + off) / count


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes (x, y, width, height)."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(wide, 0.0) * max(high, 0.0)
    return both / (a[2] * a[3] + b[2] * b[3] - both)
