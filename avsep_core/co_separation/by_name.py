"""Where the instruments are in films of the real world: a maintained detector that reads names.

OWLv2 compares each patch of a picture with each name (Minderer and others, Scaling open-vocabulary
object detection, 2023).

Taught in `notebooks/05_co_separation.ipynb`, section "Objects".
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from huggingface_hub import snapshot_download

from ..checks import within
from ..synthetic.band import INSTRUMENTS
from .detector import Detection, checked

REPOSITORY = "google/owlv2-base-patch16-ensemble"
"""What is downloaded from huggingface.co: 620 MB under the licence Apache 2.0."""
REVISION = "cfd3195ba4ea9592eec887ded089f4c08eff231d"
"""Its commit."""
OVERLAP = 0.5
"""Of two boxes of one class that overlap by more, intersection over union, the surer one stays."""
_PAGE = f"https://huggingface.co/{REPOSITORY}"
# The numbers that CLIP's pictures are normalised with, red, green and blue.
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
_SPREAD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


def prompt(name: str) -> str:
    """What is asked for a class: "acoustic_guitar" -> "a photo of an acoustic guitar"."""
    words = " ".join(name.replace("_", " ").split())
    return f"a photo of {'an' if words[0].lower() in 'aeio' else 'a'} {words}"


def squared(frame: np.ndarray, side: int) -> torch.Tensor:
    """A picture as OWLv2 takes it: black below or on the right makes it square, (H, W, 3) uint8 ->
    (3, side, side) float32, normalised."""
    height, width = frame.shape[:2]
    longer = max(height, width)
    square = np.zeros((longer, longer, 3), np.uint8)
    square[:height, :width] = frame
    way = cv2.INTER_AREA if longer > side else cv2.INTER_LINEAR
    square = cv2.resize(square, (side, side), interpolation=way)
    return torch.from_numpy((np.float32(square) / 255 - _MEAN) / _SPREAD).permute(2, 0, 1)


def unsquared(boxes: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Boxes in a squared picture, clipped to what it was before, of `shape`, height and width in
    px: (n, 4) middle x, middle y, width, height as parts of the square's side -> (n, 4) x, y,
    width, height in px."""
    middle, half = max(shape) * boxes[:, :2], max(shape) * boxes[:, 2:] / 2
    low, high = (np.clip(corner, 0, shape[::-1]) for corner in (middle - half, middle + half))
    return np.hstack([low, high - low])


class ByName:
    """Finds objects by their names; `names` are its classes.

    Parameters
    ----------
    network, tokenizer : an OWLv2 and what reads words for it, from the library `transformers`
    names : of the classes, a word or a few for each; "_" counts as a space

    Raises
    ------
    ValueError : no names, one twice, one that is empty or no text, or too long for the network
    """

    def __init__(self, network: Any, tokenizer: Any, names: Sequence[str]) -> None:
        good = not isinstance(names, str) and len(names) == len(set(names)) > 0
        if not good or not all(isinstance(name, str) and name.strip(" _") for name in names):
            raise ValueError(f"names={names!r} given; expected one or more words, each once")
        self.names = tuple(names)
        self._network = network.eval()
        longest = network.config.text_config.max_position_embeddings
        asked = [prompt(name) for name in self.names]
        for name, one in zip(self.names, tokenizer(asked)["input_ids"], strict=True):
            if len(one) > longest:
                raise ValueError(
                    f"{name!r} makes {len(one)} tokens; the detector reads {longest}: shorten it"
                )
        self._words = tokenizer(
            asked, padding="max_length", max_length=longest, return_tensors="pt"
        ).to(network.device)

    @torch.no_grad()
    def detect(self, frames: np.ndarray, *, least: float = 0.2) -> list[list[Detection]]:
        """Find objects in pictures, one picture after the other.

        Parameters
        ----------
        frames : (T, H, W, 3) uint8
        least : confidence below which nothing is told, 0…1

        Returns
        -------
        For each picture its detections, the surest first. Each box has the class that fits it best
        and lies in the picture; boxes of one class overlap by at most `OVERLAP`, those of two
        classes by any amount

        Raises
        ------
        ValueError : pictures of another shape or type, or an impossible `least`
        """
        checked(frames)
        within(least, "least", 0, 1)
        side = self._network.config.vision_config.image_size
        found = []
        for frame in frames:
            picture = squared(frame, side)[None].to(self._network.device)
            told = self._network(pixel_values=picture, **self._words)
            best, label = told.logits[0].max(-1)
            sure, label = torch.sigmoid(best).cpu().numpy(), label.cpu().numpy()
            boxes = unsquared(told.pred_boxes[0].cpu().numpy(), frame.shape[:2])
            seen = (sure >= least) & (boxes[:, 2:] >= 1).all(1)
            found.append(self._surest(boxes[seen], sure[seen], label[seen]))
        return found

    def _surest(self, boxes: np.ndarray, sure: np.ndarray, label: np.ndarray) -> list[Detection]:
        """The boxes that none of their class suppresses, the surest first."""
        kept = cv2.dnn.NMSBoxesBatched(boxes.tolist(), sure.tolist(), label.tolist(), 0.0, OVERLAP)
        return [
            Detection(self.names[label[k]], float(sure[k]), tuple(boxes[k].tolist()))
            for k in sorted(kept, key=lambda k: -sure[k])
        ]


def by_name(
    names: Sequence[str] = INSTRUMENTS,
    *,
    path: str | os.PathLike[str] | None = None,
    device: str = "auto",
) -> ByName:
    """A detector of anything that has a name, for films of the real world.

    Its network, an OWLv2 that others trained, needs the library `transformers` (extra `detect`).

    Parameters
    ----------
    names : of the classes, by default those of the drawn band
    path : of a folder with the files of an OWLv2; by default those of `REPOSITORY` are downloaded
        once and kept
    device : "auto" (the best there is), "cpu", "cuda" or "mps"

    Raises
    ------
    ValueError : the library is missing; no such device; the files cannot be had, are damaged or
        of another kind of network; names as in `ByName`
    """
    try:
        import transformers
    except ImportError as error:
        raise ValueError(
            "detection by name needs the package `transformers`: run `pip install transformers`"
        ) from error
    if device == "auto":
        kinds = {"cuda": torch.cuda, "mps": torch.backends.mps}
        device = next((kind for kind, one in kinds.items() if one.is_available()), "cpu")
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device={device!r} given, which is not there; take 'auto'") from error
    if path is None:
        wanted = ["*.json", "*.txt", "*.safetensors"]
        try:
            path = snapshot_download(REPOSITORY, revision=REVISION, allow_patterns=wanted)
        except Exception as error:  # of many kinds: from the hub, the network and the disk
            raise ValueError(
                f"{REPOSITORY} cannot be downloaded ({type(error).__name__}); check the network, "
                f"or get all files of {_PAGE} and give their folder as path"
            ) from error
    if not (Path(path) / "config.json").is_file():
        raise ValueError(f"{path} is no folder with a config.json; get all files of {_PAGE}")
    try:
        kind: Any = transformers.Owlv2ForObjectDetection
        network, told = kind.from_pretrained(
            path, dtype=torch.float32, use_safetensors=True, output_loading_info=True
        )
        tokenizer = transformers.CLIPTokenizer.from_pretrained(path, local_files_only=True)
    except Exception as error:  # of many kinds: a file may be missing, torn or another
        raise ValueError(
            f"{path} holds no OWLv2 that can be read ({type(error).__name__}); get all files of "
            f"{_PAGE} anew"
        ) from error
    # The library fills what is missing with chance, and reads unknown words as the end.
    if told["missing_keys"] or len(tokenizer) != network.config.text_config.vocab_size:
        raise ValueError(
            f"{path} lacks weights or words of an OWLv2; get all files of {_PAGE} anew"
        )
    return ByName(network.to(device), tokenizer, names)
