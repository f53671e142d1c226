"""Face networks that others trained on real faces, by name.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "Face vectors".
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from huggingface_hub import hf_hub_download
from torch import nn

from .vectors import SIZE


@dataclass(frozen=True)
class Published:
    """Where a network is published, its SHA-256, and the side in px of the pictures it takes."""

    repository: str
    file: str
    sha256: str
    side: int


PUBLISHED = {
    # Zhong and others, SFace (2021); in OpenCV's collection of models, licence Apache 2.0.
    "sface": Published(
        "opencv/face_recognition_sface",
        "face_recognition_sface_2021dec.onnx",
        "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
        112,
    )
}
"""Name -> network."""


class Pretrained(nn.Module):
    """Face vectors from a recognition network in a file that OpenCV can read, such as ONNX.

    What the network gives for a picture, its lowest layer without spatial axes, fills the first
    numbers of the face vector (128 with SFace); the others are zero. It cannot be trained further.

    Parameters
    ----------
    path : of the network, which takes (N, 3, side, side) and gives at most `SIZE` numbers a picture
    side : px

    Raises ValueError where OpenCV cannot read it.
    """

    def __init__(self, path: str | os.PathLike[str], *, side: int = 112) -> None:
        super().__init__()
        self.side = side
        try:
            self._network = cv2.dnn.readNet(os.fspath(path))
        except cv2.error as error:
            raise ValueError(
                f"{path} is no network that OpenCV can read; give an ONNX file that is whole"
            ) from error

    def vectors(self, faces: torch.Tensor) -> torch.Tensor:
        """(N, height, width) uint8 grey -> (N, SIZE) float32."""
        pictures = [cv2.cvtColor(face, cv2.COLOR_GRAY2BGR) for face in faces.cpu().numpy()]
        self._network.setInput(cv2.dnn.blobFromImages(pictures, 1.0, (self.side, self.side)))
        found = self._network.forward()
        wide = int(np.prod(found.shape[1:]))
        if len(found) != len(pictures) or wide > SIZE:
            raise ValueError(
                f"the face network gives {found.shape} for {len(pictures)} pictures; expected at "
                f"most {SIZE} numbers for each"
            )
        padded = np.zeros((len(pictures), SIZE), np.float32)
        padded[:, :wide] = found.reshape(len(pictures), wide)
        return torch.from_numpy(padded)


def pretrained(name: str = "sface", *, path: str | os.PathLike[str] | None = None) -> Pretrained:
    """A maintained face-recognition network, for films of real people.

    Its vectors are not those that the shipped separation networks were trained on: train one on
    them, `recipes.follow(..., seer=pretrained())`, in a folder of its own.

    Parameters
    ----------
    name : a key of `PUBLISHED`
    path : of its file, where it is here already; by default it is downloaded once and kept

    Raises
    ------
    ValueError : no such name; the file cannot be had, or is another than the published one

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "Face vectors".
    """
    if name not in PUBLISHED:
        raise ValueError(f"no face network {name!r}; there are {', '.join(PUBLISHED)}")
    wanted = PUBLISHED[name]
    page = f"https://huggingface.co/{wanted.repository}"
    if path is None:
        try:
            path = hf_hub_download(wanted.repository, wanted.file)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{name} cannot be downloaded ({type(error).__name__}); check the network, or get "
                f"{wanted.file} from {page} and give its path"
            ) from error
    if not Path(path).is_file():
        raise ValueError(f"{path} is no file; get {wanted.file} from {page}")
    if hashlib.sha256(Path(path).read_bytes()).hexdigest() != wanted.sha256:
        raise ValueError(
            f"{path} is not the published {wanted.file}, or is damaged; get it from {page}"
        )
    return Pretrained(path, side=wanted.side)
