"""Spectral Gaussian mixtures: a few power spectra that say how one talker sounds.

A frame of a short-time Fourier transform, S(t) with F bins, is a zero-mean circular complex
Gaussian whose variances depend on a hidden state i = 1…Q (paper, Eq. 3):

    p(S(t)) = sum_i u_i prod_f exp(-|S(f, t)|^2 / r_i^2(f)) / (pi r_i^2(f)),    sum_i u_i = 1

Only the power P = |S|^2 enters. The phase is free, so a talker's spectra are all that is learnt.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Spectral models".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..checks import whole, within

N_STATES = 64
# A variance may not fall below this share of the mean power of all bins and frames (-20 dB).
FLOOR = 0.01
# Frames further than this below the mean frame are silent and teach nothing.
SILENCE = 1e-6
# EM stops when a step gains less than this, in nats per frame.
GAIN = 1e-3


@dataclass(frozen=True, eq=False)
class SpectralGMM:
    """How one source sounds: Q states, each a power spectrum with its weight.

    Parameters
    ----------
    weights : (Q,) u_i, not negative, sum one
    psd : (Q, F) r_i^2(f), positive: the variance of bin f in state i, in units of |S|^2
    log_likelihood : (steps + 1,) mean log-likelihood of a frame in nats, of the K-means start
        and after every EM step

    Raises
    ------
    ValueError : shapes that do not fit, weights that do not sum to one, variances not positive

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Spectral models".
    """

    weights: np.ndarray
    psd: np.ndarray
    log_likelihood: np.ndarray

    def __post_init__(self) -> None:
        weights, psd = np.asarray(self.weights, float), np.asarray(self.psd, float)
        if psd.ndim != 2 or 0 in psd.shape or weights.shape != psd.shape[:1]:
            raise ValueError(
                f"weights of shape {weights.shape} and psd of shape {psd.shape}; expected "
                "(states,) and (states, freq), with one state and one bin or more"
            )
        if not (np.isfinite(psd).all() and (psd > 0).all()):
            raise ValueError("psd holds variances that are not positive; give them a floor above 0")
        if not ((weights >= 0).all() and abs(weights.sum() - 1) < 1e-6):
            raise ValueError(f"weights sum to {weights.sum():g}; give shares 0…1 that sum to one")
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "psd", psd)
        object.__setattr__(self, "log_likelihood", np.asarray(self.log_likelihood, float))

    def __len__(self) -> int:
        """Number of states Q."""
        return len(self.weights)

    def log_joint(self, power: np.ndarray) -> np.ndarray:
        """log u_i + log NC(S(t); 0, r_i^2): how well each state explains each frame.

        Parameters
        ----------
        power : (F, frames) |S|^2

        Returns
        -------
        (Q, frames) nats; their log-sum-exp over the states is the frame's log-likelihood (Eq. 3)

        Raises
        ------
        ValueError : negative, NaN or infinite power, or another number of bins
        """
        power = check_power(power, bins=self.psd.shape[1])
        with np.errstate(divide="ignore"):
            prior = np.log(self.weights)
        constant = prior - np.log(np.pi * self.psd).sum(axis=1)
        return constant[:, None] - (1 / self.psd) @ power


def fit(
    power: np.ndarray,
    *,
    n_states: int | None = None,
    floor: float = FLOOR,
    n_iterations: int = 100,
    seed: int = 0,
) -> SpectralGMM:
    """Learn a source's spectral GMM from frames in which it sounds alone.

    K-means over the power spectra starts it; then EM alternates (P(f, t) = |S(f, t)|^2)

        g_i(t) = u_i NC(S(t); 0, r_i^2) / sum_j u_j NC(S(t); 0, r_j^2)           who made frame t
        u_i = sum_t g_i(t) / T,    r_i^2(f) = max(sum_t g_i(t) P(f, t) / sum_t g_i(t), least)

    The second line maximises sum_i,t g_i(t) (log u_i - sum_f (log r_i^2(f) + P(f, t) / r_i^2(f))).
    As a function of one variance that sum rises up to the weighted mean power and falls beyond,
    so the floored mean is the exact maximum among variances of `least` or more: with the floor,
    too, the likelihood never falls.

    Parameters
    ----------
    power : (F, frames) |S|^2 of the solo frames. Silent frames (60 dB below the mean frame, or
        more) are dropped
    n_states : Q; by default 64, or as many as there are different frames where they are fewer
    floor : `least` as a share of the mean power over all bins and frames that are kept
    n_iterations : most EM steps; it stops earlier where a step gains less than 0.001 nats a frame
    seed : of the K-means start

    Returns
    -------
    SpectralGMM, its states in order of falling weight; a state that K-means leaves without
    frames is left out

    Raises
    ------
    ValueError : no frames or only silent ones, negative, NaN or infinite power, no state, or
        more states than there are different frames

    Paper, section 3.4. Taught in `notebooks/01_matching_pursuit.ipynb`, section "Spectral models".
    """
    power = check_power(power)
    within(floor, "floor", 1e-12, 1)
    steps = whole(n_iterations, "n_iterations", "steps", least=0)
    loud = power.sum(axis=0)
    power = power[:, loud > SILENCE * loud.mean()]
    if not power.shape[1]:
        raise ValueError(
            f"{len(loud)} silent frames given; a talker is learnt from frames in which he or she "
            "sounds alone. Give a solo slot with speech in it"
        )
    different = len(np.unique(power, axis=1).T)
    count = min(N_STATES, different) if n_states is None else whole(n_states, "n_states", "states")
    if count > different:
        raise ValueError(
            f"{count} states for {different} different frames that sound; give longer solo slots, "
            f"or at most {different} states"
        )
    least = floor * power.mean()
    labels = _kmeans(power.T, count, np.random.default_rng(seed))
    share = (labels == np.unique(labels)[:, None]).astype(float)
    model = maximise(share, power, np.full((len(share), len(power)), least), least)
    likelihoods: list[float] = []
    for step in range(steps + 1):
        joint = model.log_joint(power)
        top = joint.max(axis=0)
        total = top + np.log(np.exp(joint - top).sum(axis=0))
        likelihoods.append(float(total.mean()))
        if step == steps or (step and likelihoods[-1] - likelihoods[-2] < GAIN):
            break
        model = maximise(np.exp(joint - total), power, model.psd, least)
    order = np.argsort(-model.weights, kind="stable")
    return SpectralGMM(model.weights[order], model.psd[order], np.array(likelihoods))


def check_power(power: np.ndarray, *, bins: int | None = None) -> np.ndarray:
    """Power spectra as float64, or a ValueError that says what is wrong with them.

    Parameters
    ----------
    power : (F, frames) |S|^2
    bins : F, if it is known
    """
    power = np.asarray(power)
    if power.ndim != 2 or 0 in power.shape or power.dtype.kind not in "iuf":
        raise ValueError(
            f"power of shape {power.shape} and type {power.dtype} given; expected (freq, frames) "
            "real, |S|^2 of a spectrogram, with one frame or more"
        )
    if bins is not None and len(power) != bins:
        raise ValueError(
            f"power with {len(power)} bins for a model of {bins}; take one transform for both"
        )
    power = power.astype(np.float64, copy=False)
    if not np.isfinite(power).all() or power.min() < 0:
        raise ValueError(
            "the power is negative, NaN or infinite somewhere; give the squared magnitude |S|^2 "
            "of finite sound"
        )
    return power


def maximise(g: np.ndarray, power: np.ndarray, psd: np.ndarray, least: float) -> SpectralGMM:
    """The M-step: the states that fit best when it is known who made which frame.

    Parameters
    ----------
    g : (Q, frames) share of each state in each frame, not all zero
    power : (F, frames) |S|^2
    psd : (Q, F) the states so far; one without frames keeps its spectrum, with weight 0
    least : smallest variance

    Returns
    -------
    SpectralGMM without a log-likelihood

    Taught in `notebooks/01_matching_pursuit.ipynb`, section "Spectral models".
    """
    frames = g.sum(axis=1, keepdims=True)
    some = frames > 1e-9
    mean = np.where(some, g @ power.T / np.where(some, frames, 1.0), psd)
    return SpectralGMM(frames[:, 0] / frames.sum(), np.maximum(mean, least), np.empty(0))


def _kmeans(points: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Labels (n,) of points (n, d) after Lloyd's iterations from k-means++ seeds."""
    seeds = [int(rng.integers(len(points)))]
    far = np.full(len(points), np.inf)
    while len(seeds) < k:
        far = np.minimum(far, ((points - points[seeds[-1]]) ** 2).sum(axis=1))
        seeds.append(int(rng.choice(len(points), p=far / far.sum())))
    centres = points[seeds]
    labels = np.full(len(points), -1)
    for _ in range(100):
        # |x - c|^2 less |x|^2, which is the same for all centres
        near = ((centres**2).sum(axis=1) - 2 * points @ centres.T).argmin(axis=1)
        if (near == labels).all():
            break
        labels = near
        for i in np.unique(labels):
            centres[i] = points[labels == i].mean(axis=0)
    return labels
