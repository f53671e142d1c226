"""A video goes in, and each face's voice comes out: the method of the paper behind one door.

Taught in `notebooks/04_deep_clustering.ipynb`, section "Run it".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ..checks import whole
from ..clip import Clip, at_fps, resample
from ..corpora.store import grey_crops
from ..faces import NoFaceError, Track, tracks_in
from ..separation import Separation
from .embedding import features, masks_of, sounds
from .features import FPS, STFT
from .network import Network, shipped_network

LOOKING, LISTENING = {2: "avdc", 3: "avdc_3"}, {2: "dc", 3: "dc_3"}
"""Voices -> the shipped network; beyond three those for three."""

SILENCE = 1e-6


def separate(
    clip: Clip,
    faces: int | Sequence[Track] | None = None,
    *,
    speakers: int | None = None,
    network: Network | None = None,
    seed: int = 0,
) -> Separation:
    """Give each face in a clip its voice.

    Parameters
    ----------
    clip : any length, size, frame rate and audio rate; faces look at the camera, without cuts
    faces : how many faces to follow, or tracks that are known already; None takes all that are
        found. Where a face is not seen, it counts as missing (section III-C)
    speakers : how many people speak, if more than are seen; by default as many as faces
    network : of a kind that looks; by default the shipped one for this number of voices
    seed : of the clustering

    Returns
    -------
    Separation at 8 kHz: a voice a face, "face 1" leftmost, then "unseen 1", …; with binary masks
    (voices, freq, frames), and the faces' boxes as `regions`, (faces, T, 4) in px. If no face can
    be seen and `speakers` is given, or none of the tracks was ever seen, the voices are told apart
    by ear, in no order, as "voice 1", …; `reason` says so, and where there are more voices than
    faces

    Raises
    ------
    NoFaceError : fewer faces than asked for; no face, and `speakers` not given
    ValueError : one voice only, fewer speakers than faces, a silent clip, one shorter than a
        window, tracks of another length than the clip, a network that does not look

    Taught in `notebooks/04_deep_clustering.ipynb`, section "Run it".
    """
    if float(np.abs(clip.audio).max(initial=0.0)) < SILENCE:
        raise ValueError(
            f"clip {clip.name!r} is silent: there is no voice to separate; give one with sound"
        )
    if network is not None and not network.architecture.looks:
        raise ValueError(
            f"a network of kind {network.architecture.kind!r} sees no faces; take one of kind avdc "
            "or woa, or none for the shipped one"
        )
    if speakers is not None:
        speakers = whole(speakers, "speakers", "people who speak")
    tracks = _tracks(clip, faces, speakers)
    voices = len(tracks) if speakers is None else speakers
    if voices < max(2, len(tracks)):
        raise ValueError(
            f"{voices} voice(s) and {len(tracks)} face(s) in clip {clip.name!r}; clusters need "
            "two voices or more, and as many as faces. Say how many people speak, speakers=2, or "
            "name the faces that do, faces=[track, …]"
        )
    audio = resample(clip.audio, clip.rate, STFT.rate)
    if len(audio) < STFT.window:
        raise ValueError(
            f"clip {clip.name!r} lasts {clip.seconds:.3g} s; the shortest sound that can be "
            f"separated is one window of {STFT.window / STFT.rate:g} s"
        )
    if not any(track.seen.any() for track in tracks):
        masks = masks_of(shipped(LISTENING[min(voices, 3)]), audio, voices=voices, seed=seed)
        names = [f"voice {k + 1}" for k in range(voices)]
        reason = "no face was seen: voices are told apart by ear, and nobody knows whose they are"
    else:
        network = shipped(LOOKING[min(voices, 3)]) if network is None else network
        crops = [at_fps(grey_crops(clip.frames, t.boxes), clip.fps, FPS) for t in tracks]
        masks = masks_of(
            network, audio, features(network.lips.pictures, np.stack(crops)), voices=voices,
            seen=np.stack([at_fps(t.seen, clip.fps, FPS) for t in tracks]), seed=seed,
        )  # fmt: skip
        names = [f"face {k + 1}" for k in range(len(tracks))]
        more = voices - len(tracks)
        names += [f"unseen {k + 1}" for k in range(more)]
        reason = f"{more} of {voices} voices have no face; they stand last" if more else ""
    X = STFT.forward(audio.astype(np.float32))
    return Separation(
        sounds(masks, X, len(audio)),
        STFT.rate,
        tuple(names),
        masks=masks,
        regions=np.stack([track.boxes for track in tracks]) if tracks else None,
        clip=clip,
        reason=reason,
    )


@lru_cache(maxsize=4)
def shipped(name: str) -> Network:
    """A shipped network, loaded once."""
    return shipped_network(name)


def _tracks(clip: Clip, faces: int | Sequence[Track] | None, speakers: int | None) -> list[Track]:
    try:
        return tracks_in(clip.frames, faces)
    except NoFaceError as error:
        if faces is not None:
            raise
        if speakers is not None:
            return []
        raise NoFaceError(f"{error}. Or say speakers=2 to tell voices apart by ear") from None
