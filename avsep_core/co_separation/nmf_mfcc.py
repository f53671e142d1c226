"""Separation by ear alone: templates of the mixture, grouped by their timbre.

Spiertz and Gnann, "Source-filter based clustering for monaural blind source separation", DAFx
2009, as the co-separation paper takes it for its baseline NMF-MFCC (section 4.3). Nothing is
learnt beforehand, and no picture is looked at:

1. Non-negative matrix factorisation: magnitudes |X| are about W H, a few template spectra (the
   columns of W) and how loud each one is in each frame (the rows of H).
2. The mel cepstrum of a template tells its timbre and, without its zeroth number, not its level.
3. k-means groups the templates, one group a source.
4. A source's share of the mixture is that of its templates.

Which group is which source nobody knows: a score has to try the orders.

Taught in `notebooks/05_co_separation.ipynb`, section "Four rivals".
"""

from __future__ import annotations

import numpy as np
from scipy.fft import dct
from sklearn.cluster import KMeans
from sklearn.decomposition import NMF

from .. import masks
from ..checks import whole
from ..spectrogram import STFT, decibels

BANDS, COEFFICIENTS = 26, 13
"""Mel filters, which the paper does not count, and the numbers of the cepstrum kept: 1 to 13."""

RESTARTS = 10
"""So many times k-means begins anew; the tightest groups are kept."""

_LINEAR, _BREAK, _STEP = 200 / 3, 1000.0, np.log(6.4) / 27  # Hz a mel, Hz, and a mel above it


def nmf_mfcc(
    audio: np.ndarray,
    sources: int = 2,
    *,
    stft: STFT,
    templates: int = 50,
    iterations: int = 50,
    seed: int = 0,
) -> np.ndarray:
    """Split a mixture into sources whose templates sound alike.

    Parameters
    ----------
    audio : (samples,) real, the mixture
    sources : how many, two or more
    stft : of the chapter, `STFTS["co_separation"]`
    templates : of all sources together; fewer than there are frames
    iterations : updates of templates and loudness, each
    seed : of the first templates and of k-means

    Returns
    -------
    (sources, samples) float64, in no particular order; where windows cover (everywhere, if the
    transform is centred), they add up to the mixture

    Raises
    ------
    ValueError : audio that is not (samples,), silent, not finite or too short; fewer than two
        sources, or fewer templates than sources

    Section 4.3.
    """
    sources = whole(sources, "sources", "sources", least=2)
    templates = whole(templates, "templates", "templates", least=sources)
    audio = np.asarray(audio)
    if audio.ndim != 1:
        raise ValueError(
            f"audio of shape {audio.shape} given; expected one mixture, (samples,): average its "
            "channels, or separate one after another"
        )
    if audio.size and not audio.any():
        raise ValueError("the mixture is silent: there is nothing to separate; give another part")
    X = stft.forward(audio)
    if X.shape[1] <= templates:
        raise ValueError(
            f"audio of {len(audio)} samples has {X.shape[1]} frames for {templates} templates, "
            "which must be fewer; give a longer sound, or take fewer templates"
        )
    W, H = factorise(np.abs(X), templates, iterations=iterations, seed=seed)
    group = KMeans(sources, n_init=RESTARTS, random_state=seed).fit_predict(mfcc(W, stft))
    parts = np.stack([W[:, group == k] @ H[group == k] for k in range(sources)])
    return stft.inverse(masks.apply(masks.ideal_ratio(parts), X), len(audio))


def factorise(
    S: np.ndarray, templates: int = 50, *, iterations: int = 50, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Non-negative W and H with W H close to S: the divergence of Kullback and Leibler falls.

    d = sum_f,t S log(S / (W H)) - S + W H. With R = S / (W H), an iteration multiplies W by
    R H^T / (1 H^T), and then H by W^T R / (W^T 1) (Lee and Seung, 2001); neither can raise d.

    Parameters
    ----------
    S : (freq, frames) magnitudes
    templates : columns of W
    iterations : so often both are updated
    seed : of the random numbers that both begin with

    Returns
    -------
    W (freq, templates) and H (templates, frames), float64, not negative

    Raises
    ------
    ValueError : S is not (freq, frames) of finite magnitudes, or zero everywhere

    Section 4.3.
    """
    S = np.asarray(S)
    good = S.ndim == 2 and S.size and not np.iscomplexobj(S) and np.isfinite(S).all()
    if not good or (S < 0).any() or not S.any():
        raise ValueError(
            f"a spectrogram of shape {S.shape} and type {S.dtype} given; expected magnitudes "
            "(freq, frames), finite, not negative and not silent: give np.abs(X) of some sound"
        )
    model = NMF(
        whole(templates, "templates", "templates"),
        init="random",
        solver="mu",
        beta_loss="kullback-leibler",
        max_iter=whole(iterations, "iterations", "iterations"),
        tol=0,
        random_state=seed,
    )
    W = model.fit_transform(S.astype(np.float64))
    return W, model.components_


def mfcc(W: np.ndarray, stft: STFT) -> np.ndarray:
    """The timbre of template spectra: numbers 1 to 13 of their mel cepstra.

    Power in mel bands, in dB down to 80 dB below the template's strongest band, then a cosine
    transform over the bands. Its zeroth number, the level, is left out.

    Parameters
    ----------
    W : (freq, templates) magnitudes
    stft : the transform whose frequencies they have

    Returns
    -------
    (templates, 13); the same for a template of any level

    Raises
    ------
    ValueError : another number of frequencies

    Section 4.3.
    """
    if W.ndim != 2 or len(W) != stft.bins:
        raise ValueError(
            f"templates of shape {W.shape} given; expected ({stft.bins}, templates), as the "
            f"transform {stft.name!r} has {stft.bins} frequencies"
        )
    bands = np.sqrt(mel_bank(stft) @ W**2)
    loud = np.stack([decibels(band) for band in bands.T])
    return dct(loud, norm="ortho", axis=1)[:, 1 : COEFFICIENTS + 1]


def mel_bank(stft: STFT, bands: int = BANDS) -> np.ndarray:
    """Triangular filters, evenly spaced on Slaney's mel scale from 0 Hz to half the rate.

    The scale is linear up to 1000 Hz, 15 mel, and logarithmic above. A triangle reaches from the
    centre of one neighbour to that of the other, and has an area of one (in Hz).

    Parameters
    ----------
    stft : whose frequencies are weighted
    bands : how many filters

    Returns
    -------
    (bands, freq), for power spectra
    """
    half = stft.rate / 2
    knee = _BREAK / _LINEAR
    highest = half / _LINEAR if half < _BREAK else knee + np.log(half / _BREAK) / _STEP
    mel = np.linspace(0, highest, bands + 2)
    edges = np.where(mel < knee, _LINEAR * mel, _BREAK * np.exp(_STEP * (mel - knee)))
    low, centre, high = (edges[k : k + bands, None] for k in range(3))
    f = stft.freqs()
    triangle = np.minimum((f - low) / (centre - low), (high - f) / (high - centre))
    return np.maximum(triangle, 0) * 2 / (high - low)
