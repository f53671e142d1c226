"""A video goes in, and each face's voice comes out: the method of the paper behind one door.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "Run it".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from ..clip import Clip, at_fps, resample
from ..faces import Track, tracks_in
from ..separation import Separation
from .network import Network, shipped_separator
from .representation import power_law, times, undo_power_law
from .tasks import FPS
from .vectors import Seer, shipped_network, track_vectors

CLEAN = {1: "av1_2s_clean", 2: "av2_2s_clean", 3: "av3_3s_clean"}
NOISY = {1: "av1_1s_noise", 2: "av2_2s_noise"}
"""Faces -> the shipped network, without and with noise."""

SILENCE = 1e-6


def separate(
    clip: Clip,
    faces: int | Sequence[Track] | None = None,
    *,
    noise: bool = False,
    network: Network | None = None,
    seer: Seer | None = None,
) -> Separation:
    """Give each face in a clip its voice.

    Parameters
    ----------
    clip : any length, size, frame rate and audio rate; faces look at the camera, without cuts
    faces : how many faces to follow, or tracks that are known already; None takes all that are
        found, up to three. A face that is not seen for a while counts as missing there
    noise : whether there are other sounds than the voices of the faces; they go to `background`
    network : of as many faces; by default the shipped one, `CLEAN` or `NOISY`
    seer : makes face vectors of the kind that `network` was trained on; by default the shipped one

    Returns
    -------
    Separation at the network's rate: a voice a face, "face 1" leftmost, with complex masks
    (faces, freq, frames) for power-law spectrograms, and the faces' boxes as `regions`, (faces, T,
    4) in px

    Raises
    ------
    NoFaceError : no face, or fewer than asked for
    ValueError : more faces than a network is there for, a silent clip, one shorter than a window,
        tracks of another length than the clip

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "Run it".
    """
    if float(np.abs(clip.audio).max()) < SILENCE:
        raise ValueError(
            f"clip {clip.name!r} is silent: there is no voice to separate; give one with sound"
        )
    tracks = tracks_in(clip.frames, faces)
    if network is None:
        known = NOISY if noise else CLEAN
        if len(tracks) not in known:
            raise ValueError(
                f"{len(tracks)} faces in clip {clip.name!r}; there are networks for "
                f"{', '.join(map(str, known))} faces {'with' if noise else 'without'} noise. "
                "Name the faces to listen to: faces=[track, …], such as `faces.follow` returns"
            )
        network = _network(known[len(tracks)])
    if network.architecture.faces != len(tracks):
        raise ValueError(
            f"{len(tracks)} faces in clip {clip.name!r} and a network for "
            f"{network.architecture.faces}; give as many tracks: faces=[track, …]"
        )
    seer = _seer() if seer is None else seer
    a = network.architecture
    audio = resample(clip.audio, clip.rate, a.rate)
    if len(audio) < a.window:
        raise ValueError(
            f"clip {clip.name!r} lasts {clip.seconds:.3g} s; the shortest sound that can be "
            f"separated is one window of {a.window / a.rate:g} s"
        )
    vectors = [at_fps(track_vectors(seer, clip.frames, track), clip.fps, FPS) for track in tracks]
    found, masks = apply(network, audio, np.stack(vectors))
    return Separation(
        found[: a.voices],
        a.rate,
        tuple(f"face {k + 1}" for k in range(len(tracks))),
        masks=masks[: a.voices],
        regions=np.stack([track.boxes for track in tracks]),
        background=found[-1] if a.background else None,
        clip=clip,
    )


@torch.no_grad()
def apply(
    network: Network, audio: np.ndarray, vectors: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Run a network on sound and face vectors.

    Parameters
    ----------
    network : on any device
    audio : (samples,) at the network's rate
    vectors : (faces, T, SIZE) at 25 a second; None for a network without faces

    Returns
    -------
    sounds (outputs, samples) float32, as loud as they are in the mixture; masks (outputs, freq,
    frames), complex or real, for power-law spectrograms

    Raises
    ------
    ValueError : another number of faces than the network's; a sound shorter than a window
    """
    network.eval()
    device = next(network.parameters()).device
    x = torch.from_numpy(np.ascontiguousarray(audio, np.float32))
    level = float(x.pow(2).mean().sqrt()) or 1.0
    stft = network.architecture.stft
    X = power_law(stft.forward(x / level))[None].to(device)
    seen = None
    if vectors is not None:
        seen = torch.from_numpy(vectors.astype(np.float32))[None].to(device)
    M = network(X, seen)
    found = stft.inverse(undo_power_law(times(M, X)[0]).cpu(), len(x), floor=0.1)
    M = M[0].cpu().transpose(-1, -2)
    masks = torch.complex(M[:, 0], M[:, 1]) if M.shape[1] == 2 else M[:, 0]
    return (level * found).numpy().astype(np.float32), masks.numpy()


@lru_cache(maxsize=4)
def _network(name: str) -> Network:
    return shipped_separator(name)


@lru_cache(maxsize=1)
def _seer() -> Seer:
    return shipped_network()
