"""From a clip to its voices: the method of the paper behind one door.

`separate` takes what `analyse` has seen and heard and goes on with spectral models (Sec. 3.4);
`probabilistic` is the older method [1], which adds up each source's atoms.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Separation".
"""

from __future__ import annotations

import numpy as np

from ..clip import Clip
from ..separation import Separation
from .analysis import STFT, Analysis, analyse
from .solos import DELTA
from .spectral_gmm import fit
from .wiener import Measure, refine, separate_mixture


def separate(
    clip: Clip,
    *,
    analysis: Analysis | None = None,
    delta: float = DELTA,
    n_states: int | None = None,
    rounds: int = 0,
    measure: Measure = "euclidean",
    seed: int = 0,
) -> Separation:
    """Find the sources that are seen and heard in a clip, and give each its voice.

    Without solo slots there is nothing to learn a voice from. If any source lacks one, the voices
    are those of `probabilistic`, and `reason` says so.

    Parameters
    ----------
    clip : any size, frame rate and audio rate; the sound is brought to 8 kHz
    analysis : what `analyse(clip)` returned, if it is there already
    delta : s, the least length of a solo slot
    n_states : Q, states of each spectral model; see `spectral_gmm.fit`
    rounds : how often the models are learned again from the separated mixture; see `wiener.refine`
    measure : see `wiener.choose_states`
    seed : of the K-means start

    Returns
    -------
    Separation at 8 kHz with as many voices as sources were found, from left to right; `regions`
    (sources, 4) boxes [x, y, w, h] in px of the clip, as wide as the cluster size. No voices, and
    the reason, where nothing moves with the sound.

    Raises
    ------
    ValueError : silent sound, a still picture, fewer frames than the activation window, an
        analysis of another clip

    Algorithm 1. Taught in `notebooks/01_matching_pursuit.ipynb`, section "Separation".
    """
    seen = _analysed(clip, analysis)
    if len(seen.sources) < 2:
        return _voices(clip, seen, np.repeat(seen.mixture[None], len(seen.sources), axis=0))
    slots = seen.slots(delta)
    mute = [k + 1 for k, own in enumerate(slots) if not seen.solo_power(own).shape[1]]
    if mute:
        why = (
            f"source {mute[0]} never sounds alone for longer than {delta:g} s, so there is nothing "
            "to learn its voice from; each source got its own atoms instead"
        )
        return _voices(clip, seen, _shared(seen), reason=why)
    models = [fit(seen.solo_power(own), n_states=n_states, seed=seed) for own in slots]
    weights = seen.weights(delta)
    if rounds:
        power = np.abs(STFT.forward(seen.mixture)) ** 2
        models = refine(power, models, weights, rounds=rounds, measure=measure)
    voices, masks, _ = separate_mixture(seen.mixture, STFT, models, weights, measure=measure)
    return _voices(clip, seen, voices, masks=masks)


def probabilistic(clip: Clip, *, analysis: Analysis | None = None) -> Separation:
    """Our reading of the method of [1], which the paper does not describe: add up the atoms.

    An atom that belongs to several sources goes to each in the proportion of its share.

    Parameters, errors and what is returned as for `separate`, without masks. What no atom
    explains is the `background`.

    Table 1, "probabilistic". Taught in `notebooks/01_matching_pursuit.ipynb`, section
    "Separation".
    """
    seen = _analysed(clip, analysis)
    return _voices(clip, seen, _shared(seen))


def _analysed(clip: Clip, analysis: Analysis | None) -> Analysis:
    if analysis is None:
        return analyse(clip)
    samples = round(len(clip.audio) * STFT.rate / clip.rate)
    if abs(len(analysis.mixture) - samples) > 1:
        raise ValueError(
            f"an analysis of {len(analysis.mixture)} samples for a clip of {samples} at "
            f"{STFT.rate} Hz; give the analysis of this clip, or none"
        )
    return analysis


def _shared(seen: Analysis) -> np.ndarray:
    parts = [seen.book.synthesize(gains=share) for share in seen.shares]
    return np.reshape(parts, (len(parts), len(seen.mixture)))


def _voices(
    clip: Clip,
    seen: Analysis,
    voices: np.ndarray,
    *,
    masks: np.ndarray | None = None,
    reason: str = "",
) -> Separation:
    height = clip.frames.shape[1]
    size = 2 * seen.sources.cluster_size
    corners = seen.sources.centroids - size / 2
    regions = np.hstack([corners, np.full_like(corners, size)]) * height / seen.video.size[0]
    return Separation(
        voices,
        STFT.rate,
        tuple(f"source {k + 1}" for k in range(len(voices))),
        masks=masks,
        regions=regions,
        background=seen.mixture - voices.sum(axis=0),
        clip=clip,
        reason=reason or seen.sources.reason,
    )
