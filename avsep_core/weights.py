"""What a training leaves behind: its weights, its checkpoint, its log and their curve.

Files are written whole or not at all, and one that is damaged is refused by its name.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "Train it".
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors.torch
import torch
from torch import nn

from .items import plain

FOLDER = Path(__file__).parent / "data" / "weights"
ADVICE = "reinstall the package, or train it again with `make weights`"
POINTS = 60
SCALE = ".scale"


def save(
    network: nn.Module,
    path: str | os.PathLike[str],
    *,
    card: Mapping[str, Any],
    bits: Literal[8, 16, 32] = 16,
    shared: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Write a network's weights, and its card beside them.

    Parameters
    ----------
    network : on any device
    path : the file of the weights, `<name>.safetensors`; the card is `<name>.json`. Its folder is
        made if it is missing
    card : needs `architecture`, the dict from which `load` builds the network again; by habit
        also data, seed, steps, loss_curve, device, minutes, commit, scores. Of a `loss_curve`,
        a list such as `Run.curve`, at most 60 points are kept, the first and the last among them
    bits : that a parameter takes. With 8, each row of a matrix is kept in whole numbers from -127
        to 127 and one scale; vectors then take 16. Buffers, such as the running statistics of
        batch norm, stay as they are
    shared : what other weights of the same folder hold already and is not written again: a
        beginning of names here -> name of those weights, the beginning of names there. Should
        those be made anew, these are refused

    Returns
    -------
    The path of the weights.

    Raises
    ------
    ValueError : another suffix, no architecture, a shared part that differs from what the other
        weights hold, a card that JSON cannot hold, a weight that is not finite or too large for 16
        bits
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"weights at {path}; the name must end in .safetensors")
    if not isinstance(card.get("architecture"), Mapping):
        raise ValueError("the card has no `architecture`, the dict from which the network is built")
    parameters = {name for name, _ in network.named_parameters(remove_duplicate=False)}
    tensors, scales = copied(network.state_dict()), {}
    held = {
        here: [other, there, _digest(path.with_name(f"{other}.safetensors"))]
        for here, (other, there) in (shared or {}).items()
    }
    for name, theirs in _shared(path, held).items():
        if name not in tensors or not torch.equal(tensors.pop(name), theirs):
            raise ValueError(
                f"{name} is not what {path.parent} holds already: give a network that took that "
                "part over and left it as it was, or do not share it"
            )
    for name, x in tensors.items():
        if bits < 32 and name in parameters and x.is_floating_point():
            tensors[name] = x.half()
        if not torch.isfinite(tensors[name]).all():
            raise ValueError(f"{name} holds NaN, an infinity or a value beyond 16 bits: not saved")
        if bits == 8 and name in parameters and x.is_floating_point() and x.ndim > 1:
            scale = x.flatten(1).abs().amax(1).clamp_min(1e-12) / 127
            tensors[name] = (x / _as_rows(scale, x)).round().to(torch.int8)
            scales[name + SCALE] = scale
    raw = safetensors.torch.save({**tensors, **scales})
    content = plain(dict(card) | ({"shared": held} if held else {}), "card")
    if "loss_curve" in content:
        content["loss_curve"] = _thinned(content["loss_curve"])
    content["sha256"] = hashlib.sha256(raw).hexdigest()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, raw)
    write_whole(path.with_suffix(".json"), (json.dumps(content, indent=1) + "\n").encode())
    return path


def load(path: str | os.PathLike[str], build: Callable[[dict[str, Any]], nn.Module]) -> nn.Module:
    """Build a network from its card and give it its weights.

    Parameters
    ----------
    path : `<name>.safetensors`, with `<name>.json` beside it
    build : takes the card's `architecture` and returns the network

    Returns
    -------
    The network on the CPU, in eval mode, in the precision in which `build` made it.

    Raises
    ------
    ValueError : a missing file, a missing or damaged card, weights whose sha256 is not the card's,
        tensors that do not fit the architecture, a part shared with weights that are others now;
        names the file and what to do

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "Train it".
    """
    path = Path(path)
    content, tensors = card(path), _tensors(path)
    try:
        network = build(content["architecture"]).to("cpu")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: no network has its card's architecture: {error!r}") from error
    wrong = misfits(tensors, network.state_dict())
    if wrong:
        raise ValueError(f"{path} does not fit its card's architecture: {wrong}; {ADVICE}")
    network.load_state_dict(tensors)
    return network.eval()


def card(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the card of weights: architecture, data, seed, steps, loss_curve, scores, sha256, …

    Parameters
    ----------
    path : `<name>.safetensors`, with `<name>.json` beside it

    Raises
    ------
    ValueError : weights or card missing, or a card that is damaged; names the file
    """
    path = Path(path)
    beside = path.with_suffix(".json")
    for file in (path, beside):
        if not file.is_file():
            raise ValueError(f"{file} is missing; {ADVICE}")
    try:
        content = json.loads(beside.read_bytes())
        good = isinstance(content["architecture"], dict) and isinstance(content["sha256"], str)
    except (ValueError, TypeError, KeyError):
        good = False
    if not good:
        raise ValueError(f"{beside} is damaged: no card with architecture and sha256; {ADVICE}")
    return content


def shipped(chapter: str, name: str) -> Path:
    """The path of weights that come with the package.

    Parameters
    ----------
    chapter : such as "looking_to_listen"
    name : such as "audio_visual", without a suffix

    Raises
    ------
    ValueError : there are none of that name; says which there are
    """
    path = FOLDER / chapter / f"{name}.safetensors"
    if not path.is_file():
        there = ", ".join(names(chapter)) or "none"
        raise ValueError(f"{path} is missing; of {chapter!r} there are: {there}; {ADVICE}")
    return path


def names(chapter: str) -> list[str]:
    """The names of all weights that come with the package for a chapter, sorted."""
    return sorted(file.stem for file in (FOLDER / chapter).glob("*.safetensors"))


def misfits(given: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> str:
    """Say in what two sets of tensors differ by name and shape; "" where they do not."""
    found = [f"{name} is missing" for name in wanted if name not in given]
    found += [f"{name} is not known" for name in sorted(given) if name not in wanted]
    found += [
        f"{name} has shape {tuple(given[name].shape)}, not {tuple(wanted[name].shape)}"
        for name in wanted
        if name in given and given[name].shape != wanted[name].shape
    ]
    more = f", and {len(found) - 4} more" if len(found) > 4 else ""
    return ", ".join(found[:4]) + more


def copied(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors of their own on the CPU, each in one piece, as a file wants them."""
    return {n: x.detach().to("cpu", copy=True).contiguous() for n, x in tensors.items()}


def write_whole(path: Path, raw: bytes) -> None:
    """Write a file that takes the place of the old one in one instant, when it is on the disk."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    """What weights hold, in 16 or 32 bits, with what they share with others."""
    content, raw = card(path), path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != content["sha256"]:
        raise ValueError(f"{path} is damaged: its sha256 is not the one on its card; {ADVICE}")
    tensors = safetensors.torch.load(raw)
    for name in [name for name in tensors if name.endswith(SCALE)]:
        scale, name = tensors.pop(name), name.removesuffix(SCALE)
        tensors[name] = tensors[name] * _as_rows(scale, tensors[name])
    return tensors | _shared(path, content.get("shared", {}))


def _shared(path: Path, held: Mapping[str, Sequence[str]]) -> dict[str, torch.Tensor]:
    """The tensors that other weights hold, from how names begin here, the other's name, how they
    begin there, and the digest that its card had when the part was taken over."""
    found: dict[str, torch.Tensor] = {}
    for here, (other, there, sha256) in held.items():
        place = path.with_name(f"{other}.safetensors")
        tensors = _tensors(place)
        if _digest(place) != sha256:
            raise ValueError(
                f"{path} was made with other weights than {place} holds now; train it anew, or "
                f"put {place.name} back as it was"
            )
        part = {name: x for name, x in tensors.items() if name.startswith(there)}
        if not part:
            raise ValueError(f"no weight in {place} begins with {there!r}: nothing to share")
        found |= {here + name.removeprefix(there): x for name, x in part.items()}
    return found


def _digest(path: Path) -> str:
    found: str = card(path)["sha256"]
    return found


def _as_rows(scale: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return scale.view(-1, *[1] * (x.ndim - 1))


def _thinned(curve: Sequence[Any]) -> list[Any]:
    places = np.linspace(0, len(curve) - 1, min(len(curve), POINTS)).round().astype(int)
    return [curve[k] for k in places]
