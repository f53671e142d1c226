"""Run any of the networks on items of the fixed lists, and score what comes out.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "Measure it".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import masks as masking
from .. import scores
from ..corpora import scenes
from ..corpora.base import Corpus
from ..corpora.mixtures import Item
from .network import Network
from .representation import COMPACT
from .separate import apply
from .vectors import Seer, face_vectors


@dataclass(frozen=True, eq=False)
class Scene(scenes.Scene):
    """A scene with `vectors` (talkers, T, SIZE) float32, zeros where a face was not seen."""

    vectors: np.ndarray


def scene(corpus: Corpus, item: Item, seer: Seer, *, rate: int = COMPACT.rate) -> Scene:
    """Make an item, follow each talker's face, and look at it.

    Parameters
    ----------
    corpus, item, rate : see `corpora.scenes.scene`
    seer : makes face vectors

    Raises
    ------
    NoFaceError : a face that cannot be followed
    """
    made = scenes.scene(corpus, item, rate=rate)
    vectors = face_vectors(seer, made.faces)
    vectors[~made.seen] = 0
    return Scene(**vars(made), vectors=vectors)


def voices(network: Network, scene: Scene, vectors: np.ndarray | None = None) -> np.ndarray:
    """What a network makes of a scene: (talkers, samples), in the order of the talkers.

    A network for fewer faces than talk is asked once for each talker, whose face comes first; one
    without faces gives its voices in an order of its own.

    Parameters
    ----------
    network, scene : of one rate
    vectors : (talkers, T, SIZE) to look at instead of the scene's
    """
    seen = scene.vectors if vectors is None else vectors
    faces, talkers = network.architecture.faces, len(scene.sources)
    if not faces:
        return apply(network, scene.mixture, None)[0][: network.architecture.voices]
    if faces == talkers:
        return apply(network, scene.mixture, seen)[0][:talkers]
    turns = [[(k + j) % talkers for j in range(faces)] for k in range(talkers)]
    return np.stack([apply(network, scene.mixture, seen[turn])[0][0] for turn in turns])


def improvement(scene: Scene, found: np.ndarray, *, permute: bool = False) -> np.ndarray:
    """SDR improvement in dB of each talker over the mixture, BSS Eval: (talkers,).

    Parameters
    ----------
    scene : with the references
    found : (talkers, samples)
    permute : match voices to talkers by what fits best, as audio-only networks need
    """
    after = scores.bss_eval(scene.sources, found, permute=permute).sdr
    return after - scores.mixture_sdr(scene.sources, scene.mixture)


def oracle(scene: Scene, kind: str) -> np.ndarray:
    """Voices of ideal masks: "ratio" (noisy phase), "complex" (both parts within -1…1), or
    "ratio_clean_phase" (the talker's own phase). (talkers, samples)."""
    noise = [] if scene.noise is None else [scene.noise]
    parts = np.stack([*scene.sources, *noise]).astype(np.float64)
    S = COMPACT.forward(parts)
    X = S.sum(axis=0)
    if kind == "complex":
        made = masking.apply(masking.ideal_complex(S, bound=1.0), X)
    elif kind in ("ratio", "ratio_clean_phase"):
        size = np.minimum(np.abs(S) / np.maximum(np.abs(X), 1e-12), 1.0)
        phase = X / np.maximum(np.abs(X), 1e-12)
        if kind == "ratio_clean_phase":
            phase = S / np.maximum(np.abs(S), 1e-12)
        made = size * np.abs(X) * phase
    else:
        raise ValueError(f"oracle {kind!r}; expected ratio, complex or ratio_clean_phase")
    return COMPACT.inverse(made, len(scene.mixture), floor=0.1)[: len(scene.sources)]


def shifted(vectors: np.ndarray, pictures: int) -> np.ndarray:
    """Lips that come `pictures` late, (…, T, SIZE); what falls off the end comes first."""
    return np.roll(vectors, pictures, axis=-2)


def frozen(vectors: np.ndarray) -> np.ndarray:
    """A photograph: the middle picture all the time."""
    middle = vectors.shape[-2] // 2
    return np.broadcast_to(vectors[..., middle : middle + 1, :], vectors.shape).copy()


def kept(vectors: np.ndarray, pictures: int) -> np.ndarray:
    """Only `pictures` in the middle are seen, the others are missing (section 5.5, Fig. 9)."""
    first = (vectors.shape[-2] - pictures) // 2
    found = np.zeros_like(vectors)
    found[..., first : first + pictures, :] = vectors[..., first : first + pictures, :]
    return found


def occluder_map(
    network: Network,
    seer: Seer,
    scene: Scene,
    talker: int,
    *,
    frame: int,
    side: int = 11,
    pictures: int = 5,
    step: int = 4,
) -> np.ndarray:
    """How much each place of a face matters at a time (Fig. 8 and eq. 1).

    A grey patch of side x side px covers the face for `pictures` pictures (200 ms). With S the
    voices without and S' those with it, E = 10 log10(|S|^2 / |S' - S|^2) is small where the patch
    changes much.

    Parameters
    ----------
    network, seer, scene : as for `voices`
    talker : whose face is covered, and whose voice is watched
    frame : picture at the middle of the patch's time
    side, step : px of the patch, and from one place to the next
    pictures : how long it stays

    Returns
    -------
    (rows, columns) of E in dB, negated: large where the face matters
    """
    plain = voices(network, scene)[talker]
    faces = scene.faces[talker]
    first = max(0, frame - pictures // 2)
    last = min(len(faces), first + pictures)
    places = range(0, faces.shape[1] - side + 1, step)
    found = np.zeros((len(places), len(places)))
    for r, y in enumerate(places):
        for c, x in enumerate(places):
            covered = faces[first:last].copy()
            covered[:, y : y + side, x : x + side] = round(float(covered.mean()))
            vectors = scene.vectors.copy()
            vectors[talker, first:last] = face_vectors(seer, covered)
            change = voices(network, scene, vectors)[talker] - plain
            found[r, c] = 10 * np.log10((np.sum(change**2) + 1e-12) / np.sum(plain**2))
    return found
