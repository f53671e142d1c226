"""Algorithm 1: one microphone, several talkers, and what is known of how each one sounds.

For every frame of the mixture X the states are chosen whose summed power spectra come closest
to |X|^2 (Eq. 4); their shares, times the activity weights w_k(t), are the masks (Eq. 5).

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Separation".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import numpy as np

from .. import masks as masking
from ..checks import whole
from ..spectrogram import STFT
from .spectral_gmm import SpectralGMM, check_power, maximise

Measure = Literal["euclidean", "magnitude", "likelihood"]
# Combinations of states that are tried for each frame, at most, and at a time.
MOST, PIECE = 1_000_000, 2048


def choose_states(
    power: np.ndarray,
    models: Sequence[SpectralGMM],
    *,
    measure: Measure = "euclidean",
) -> np.ndarray:
    """The best combination of states for every frame of a mixture (Eq. 4).

    Parameters
    ----------
    power : (F, frames) |X|^2 of the mixture
    models : one a source, S of them
    measure : "euclidean", the paper's: the least |P - R|^2, where R is the sum of one power
        spectrum r_k^2 from each source. "magnitude": the least |sqrt P - sqrt R|^2, in which the
        loudest bins do not decide alone. "likelihood": the most probable combination when the
        sources are independent, so that X has variance R: the largest
        sum_k log u_k - sum_f (log R + P / R), an Itakura-Saito distance with a prior

    Returns
    -------
    (S, frames) int, the state of each source; of equally good combinations the first

    Raises
    ------
    ValueError : no models, models of other transforms, bad power, an unknown measure, or more
        than a million combinations of states

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Separation".
    """
    bins = _bins(models)
    power = check_power(power, bins=bins)
    if measure not in get_args(Measure):
        known = ", ".join(get_args(Measure))
        raise ValueError(f"measure {measure!r} is unknown; take one of {known}")
    sizes = tuple(len(model) for model in models)
    if np.prod(sizes, dtype=float) > MOST:
        raise ValueError(
            f"{' x '.join(map(str, sizes))} combinations of states to try for each frame; at most "
            f"{MOST} are. Learn the models with fewer states"
        )
    best = np.full(power.shape[1], np.inf)
    found = np.zeros((len(models), power.shape[1]), dtype=np.int64)
    heard = np.sqrt(power) if measure == "magnitude" else power
    for states in _combinations(sizes):
        R = sum(model.psd[i] for model, i in zip(models, states, strict=True))
        if measure == "likelihood":
            with np.errstate(divide="ignore"):
                prior = sum(np.log(m.weights[i]) for m, i in zip(models, states, strict=True))
            cost = (np.log(R).sum(axis=1) - prior)[:, None] + (1 / R) @ heard
        else:
            if measure == "magnitude":
                R = np.sqrt(R)
            # |P - R|^2 less |P|^2, which is the same for all
            cost = (R**2).sum(axis=1)[:, None] - 2 * R @ heard
        least = cost.argmin(axis=0)
        value = np.take_along_axis(cost, least[None], axis=0)[0]
        better = value < best
        best[better] = value[better]
        found[:, better] = states[:, least[better]]
    return found


def wiener_masks(
    states: np.ndarray, models: Sequence[SpectralGMM], weights: np.ndarray
) -> np.ndarray:
    """Each source's share of the power expected in each bin (Eq. 5, for S sources).

        M_k(f, t) = r_k^2(f) w_k(t) / sum_j r_j^2(f) w_j(t)

    with r_k^2 the power spectrum of the state chosen at t.

    Parameters
    ----------
    states : (S, frames) int, from `choose_states`
    models : one a source
    weights : (S, frames) activity w_k(t), 0…1: a source known to sound alone has 1 and the others
        0; 1/S each where nothing is known. Where all are 0 (nobody is known to sound) they count
        as equal, so that the models decide

    Returns
    -------
    (S, F, frames) real, 0…1; they sum to one in every bin

    Raises
    ------
    ValueError : shapes that do not fit, states that a model does not have, weights outside 0…1

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Separation".
    """
    _bins(models)
    states, weights = np.asarray(states), np.asarray(weights)
    if states.ndim != 2 or len(states) != len(models) or states.dtype.kind not in "iu":
        raise ValueError(
            f"states of shape {states.shape} and type {states.dtype} for {len(models)} models; "
            "expected (sources, frames) whole numbers, as `choose_states` returns them"
        )
    weights = check_weights(weights, states.shape)
    sizes = np.array([len(model) for model in models])[:, None]
    if ((states < 0) | (states >= sizes)).any():
        raise ValueError(
            f"a state from {states.min()} to {states.max()} given for models of "
            f"{sizes[:, 0].tolist()} states; choose the states with these models"
        )
    R = np.stack([model.psd[i].T for model, i in zip(models, states, strict=True)])
    # Where all weights are 0 they count as equal.
    R = R * np.where(weights.any(axis=0), weights, 1.0)[:, None]
    return R / R.sum(axis=0)


def separate_mixture(
    mixture: np.ndarray,
    stft: STFT,
    models: Sequence[SpectralGMM],
    weights: np.ndarray,
    *,
    measure: Measure = "euclidean",
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Algorithm 1: from a mixture and the models of its sources to their voices.

    Parameters
    ----------
    mixture : (samples,) real, at the transform's rate
    stft : the transform in which the models were learnt
    models : one a source, S of them
    weights : (S, frames) activity w_k(t) at the transform's frames, 0…1
    measure : see `choose_states`

    Returns
    -------
    voices : (S, samples) float64; they sum to the mixture wherever windows cover it
    masks : (S, F, frames)
    states : (S, frames) int

    Raises
    ------
    ValueError : as `choose_states` and `wiener_masks`; a mixture that is not (samples,)

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Separation".
    """
    mixture = np.asarray(mixture)
    if mixture.ndim != 1:
        raise ValueError(
            f"a mixture of shape {mixture.shape} given; expected (samples,), one microphone. "
            "Average the channels first"
        )
    X = stft.forward(mixture)
    weights = check_weights(weights, (len(models), X.shape[1]))
    states = choose_states(np.abs(X) ** 2, models, measure=measure)
    masks = wiener_masks(states, models, weights)
    voices = stft.inverse(masking.apply(masks, X), len(mixture), floor=0.1)
    return voices, masks, states


def refine(
    power: np.ndarray,
    models: Sequence[SpectralGMM],
    weights: np.ndarray,
    *,
    rounds: int = 2,
    measure: Measure = "euclidean",
) -> list[SpectralGMM]:
    """Learn the models again from the separated mixture; then separate once more with them.

    The paper says that iterating helps, and not how. Here a round separates the mixture, and each
    state becomes the mean power that its source is expected to have had in the frames that chose
    it. Given X, and that S_k and the others are Gaussian with variances r_k^2 and R - r_k^2,
    S_k is Gaussian with mean M_k X and variance r_k^2 (1 - M_k), so that

        E |S_k|^2 = M_k^2 |X|^2 + r_k^2 (1 - M_k),    M_k = r_k^2 / R.

    Where a source sounds alone M_k is 1, and that is |X|^2. With the
    likelihood as measure this is EM for the mixture, with the best combination of states in place
    of all; with the others it only resembles it. No variance falls below the model's smallest one.

    Parameters
    ----------
    power : (F, frames) |X|^2 of the whole mixture
    models : one a source, learnt from its solo frames
    weights : (S, frames) activity w_k(t), 0…1; a source does not learn from frames where it has 0
        and another has not
    rounds : how often
    measure : see `choose_states`

    Returns
    -------
    S models; their log-likelihoods are empty. A state that no frame chose stays, with weight 0

    Raises
    ------
    ValueError : as `choose_states` and `wiener_masks`; rounds that are not a whole number

    Paper, section 4 (end). Taught in `notebooks/01_matching_pursuit.ipynb`, section "Separation".
    """
    models = list(models)
    for _ in range(whole(rounds, "rounds", "rounds", least=0)):
        states = choose_states(power, models, measure=measure)
        masks = wiener_masks(states, models, weights)
        models = [
            _learn_again(power, model, i, mask)
            for model, i, mask in zip(models, states, masks, strict=True)
        ]
    return models


def _learn_again(
    power: np.ndarray, model: SpectralGMM, states: np.ndarray, mask: np.ndarray
) -> SpectralGMM:
    expected = mask**2 * power + model.psd[states].T * (1 - mask)
    # A mask is zero in all bins or in none: only the weight can make it zero.
    heard = mask[0] > 0
    if not heard.any():
        return model
    chosen = (states == np.arange(len(model))[:, None]) & heard
    return maximise(chosen.astype(float), expected, model.psd, model.psd.min())


def check_weights(weights: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Activity weights as float64, or a ValueError.

    Parameters
    ----------
    weights : (S, frames), 0…1
    shape : the shape that is wanted
    """
    weights = np.asarray(weights)
    if weights.shape != tuple(shape) or weights.dtype.kind not in "biuf":
        raise ValueError(
            f"weights of shape {weights.shape} and type {weights.dtype}; expected real numbers of "
            f"shape (sources, frames) = {tuple(shape)}, at the frames of the mixture's transform"
        )
    weights = weights.astype(np.float64, copy=False)
    if not ((weights >= 0) & (weights <= 1)).all():
        raise ValueError("weights lie outside 0…1 somewhere, or are NaN; 1 says: sounds alone")
    return weights


def _bins(models: Sequence[SpectralGMM]) -> int:
    if not len(models):
        raise ValueError("no models given; learn one for each source with `spectral_gmm.fit`")
    bins = {model.psd.shape[1] for model in models}
    if len(bins) > 1:
        raise ValueError(f"models with {sorted(bins)} bins; learn all in one transform")
    return bins.pop()


def _combinations(sizes: tuple[int, ...]) -> Iterator[np.ndarray]:
    """All combinations of states, (sources, up to PIECE) at a time."""
    total = int(np.prod(sizes))
    for start in range(0, total, PIECE):
        flat = np.arange(start, min(start + PIECE, total))
        yield np.stack(np.unravel_index(flat, sizes))
