"""BSS Eval version 3: the projections behind SDR, SIR and SAR, solved for whole batches.

`scores.bss_eval` is the door; this file holds the linear algebra. A unit-norm estimate e is
projected onto the span of one reference delayed by 0…511 samples (P_j e), and onto the span of
all references delayed so (P e). With the energies they catch, c_j = |P_j e|^2 and c = |P e|^2,

    SDR = c_j / (1 - c_j)        SIR = c_j / (c - c_j)        SAR = c / (1 - c)

(Vincent, Gribonval and Févotte, 2006; energies as in Scheibler, 2022). Each c is b'h, where h
solves the normal equations R h = b: R holds the references' correlations, a block-Toeplitz
matrix; b their correlations with e. From a rough h, with the residual r = b - R h, comes
(b + r)'h, which falls short of c by r'R^-1 r only: precise early, and never flattering.

Taught in `notebooks/00_foundations.ipynb`, section "BSS Eval: a score as two projections".
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import torch
from scipy.fft import next_fast_len

from .guards import largest

# Scores are clipped to -CEILING…CEILING dB: differences of energies below 1e-10 are rounding.
CEILING = 100.0
# Energy that a filter may miss, relative to the smallest energy that a score divides by.
TOLERANCE = 1e-6
MOST_STEPS = 200
# Bytes that the spectra of one piece of a batch may take.
PIECE = 64e6


class Scores(NamedTuple):
    """dB of every estimate against every reference, each (batch, references, estimates)."""

    sdr: torch.Tensor
    sir: torch.Tensor
    sar: torch.Tensor


def pairwise(
    references: torch.Tensor,
    estimates: torch.Tensor,
    *,
    filter_length: int = 512,
    only_sdr: bool = False,
) -> Scores:
    """Score every estimate against every reference.

    Parameters
    ----------
    references : (batch, references, samples) float64, none silent
    estimates : (batch, estimates, samples) float64, none silent
    filter_length : taps that a projection may use
    only_sdr : skip the joint projection; SIR and SAR are then NaN

    Returns
    -------
    Scores, float64 on the device of the input, clipped to -CEILING…CEILING

    Raises
    ------
    ValueError : two references of one item are copies of each other, up to a gain
    """
    n, samples = references.shape[1:]
    cost = 16.0 * n * (n + estimates.shape[1]) * (samples + filter_length)
    size = max(1, int(PIECE / cost))

    def score(S: torch.Tensor, E: torch.Tensor) -> Scores:
        return _score(_unit(S), _unit(E), filter_length, only_sdr)

    with _one_thread_a_piece(references.device) as pool:
        pieces = list(pool.map(score, references.split(size), estimates.split(size)))
    return Scores(*(torch.cat(part) for part in zip(*pieces, strict=True)))


@contextmanager
def _one_thread_a_piece(device: torch.device) -> Iterator[ThreadPoolExecutor]:
    """Share out the pieces, not the FFTs in them: those are so small that threads which split
    them wait longer than they work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads if device.type == "cpu" else 1) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)


def _unit(x: torch.Tensor) -> torch.Tensor:
    # Largest sample first: the square of a very quiet signal underflows.
    x = x / largest(x)[..., None]
    return x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)


def _score(S: torch.Tensor, E: torch.Tensor, taps: int, only_sdr: bool) -> Scores:
    auto, cross = _correlations(S, E, taps)
    _check_different(auto[..., 0])
    batch, n, m, _ = cross.shape
    own = auto.diagonal(dim1=1, dim2=2).movedim(-1, 1).reshape(batch * n, 1, 1, 2 * taps)
    rows = cross.reshape(batch * n, 1, m, taps)
    h, alone = _solve(own, rows, torch.zeros_like(rows), rows.new_zeros(()))
    alone = alone.reshape(batch, n, m)
    sdr = _decibels(alone, 1 - alone)
    if only_sdr:
        nothing = torch.full_like(sdr, torch.nan)
        return Scores(sdr, nothing, nothing)
    if n == 1:
        # Nobody is there to interfere, and both projections are the same.
        return Scores(sdr, torch.full_like(sdr, CEILING), sdr)
    # Sources that are nearly uncorrelated have nearly these filters: a good place to start.
    _, both = _solve(auto, cross, h.reshape(cross.shape), alone.amax(dim=1))
    both = both[:, None].expand_as(alone)
    return Scores(sdr, _decibels(alone, both - alone), _decibels(both, 1 - both))


def _correlations(S: torch.Tensor, E: torch.Tensor, taps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """auto[b, c, d, k] = sum_t s_c(t) s_d(t + k), k = 0…taps-1, an unused place, -(taps-1)…-1;
    cross[b, c, i, k] = sum_t s_c(t) e_i(t + k), k = 0…taps-1."""
    # Long enough that no lag below `taps` wraps around.
    size = next_fast_len(S.shape[-1] + taps - 1, real=True)
    A, B = torch.fft.rfft(S, size), torch.fft.rfft(E, size)
    auto = torch.fft.irfft(A[:, :, None].conj() * A[:, None], size)
    auto = torch.cat([auto[..., :taps], auto[..., -taps:]], dim=-1)
    auto[..., taps] = 0
    cross = torch.fft.irfft(A[:, :, None].conj() * B[:, None], size)[..., :taps]
    return auto, cross


def _check_different(gram: torch.Tensor) -> None:
    alike = (gram.abs() - torch.eye(gram.shape[-1], device=gram.device)) > 1 - 1e-12
    if alike.any():
        i, j = (int(k) for k in alike.nonzero()[0][-2:])
        raise ValueError(
            f"references {i} and {j} are the same sound; interference between them has no "
            "meaning. Give different sources"
        )


def _solve(
    auto: torch.Tensor, rows: torch.Tensor, start: torch.Tensor, below: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Solve R h = rows by preconditioned conjugate gradients.

    auto (batch, n, n, 2 taps); rows and start (batch, n, estimates, taps); below (batch,
    estimates), the energy that a smaller projection caught. Returns h, shaped like rows, and the
    energy it catches, (batch, estimates).
    """
    R, P = torch.fft.rfft(auto), _preconditioner(auto)
    filters, energy = start.clone(), _dot(rows, start)
    live = torch.arange(len(rows), device=rows.device)
    below = below.expand(len(rows), rows.shape[2])
    b, h = rows, start
    r = b - _multiply(R, h)
    z = _multiply(P, r)
    p, rz = z, _dot(r, z)
    caught = _dot(b + r, h)
    for step in range(1, MOST_STEPS + 1):
        Rp = _multiply(R, p)
        alpha = _ratio(rz, _dot(p, Rp))
        h = h + alpha * p
        r = r - alpha * Rp
        z = _multiply(P, r)
        old, rz = rz, _dot(r, z)
        p = z + _ratio(rz, old) * p
        if step % 5 == 0:
            # The energy still missed, r'R^-1 r, is about r'z; where P is too smooth to tell, it
            # is about what the last steps have gained.
            before, caught = caught, _dot(b + r, h)
            missed = torch.maximum(rz.abs(), (caught - before).abs())
            least = torch.minimum(1 - caught, caught - below).clamp_min(10 ** (-CEILING / 10))
            done = (missed <= TOLERANCE * least).all(dim=-1)
            if done.any():
                filters[live[done]], energy[live[done]] = h[done], caught[done]
                b, h, r, p, rz, R, P, live, below, caught = (
                    x[~done] for x in (b, h, r, p, rz, R, P, live, below, caught)
                )
                if len(live) == 0:
                    break
    for k, i in enumerate(live.tolist()):
        filters[i], energy[i] = _direct(auto[i], rows[i], h[k], _dot(b + r, h)[k])
    return filters, energy


def _preconditioner(auto: torch.Tensor) -> torch.Tensor:
    """Inverse of the cross-spectral matrices, smoothed so that they stay positive definite."""
    n, taps = auto.shape[1], auto.shape[-1] // 2
    # Bohman's lag window is the autocorrelation of a half cosine, so its spectrum is nowhere
    # negative, and falls fast enough beside its peak to leave deep valleys deep.
    k = torch.arange(taps + 1, dtype=auto.dtype, device=auto.device) / taps
    w = (1 - k) * torch.cos(torch.pi * k) + torch.sin(torch.pi * k) / torch.pi
    spectra = torch.fft.rfft(auto * torch.cat([w, w[1:-1].flip(0)]))
    ridge = 1e-14 * torch.eye(n, dtype=auto.dtype, device=auto.device)
    return torch.linalg.inv(spectra.movedim(-1, 1) + ridge).movedim(1, -1).contiguous()


def _multiply(spectra: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Block-Toeplitz matrix times x (batch, n, estimates, taps), through the FFT."""
    taps = x.shape[-1]
    X = torch.fft.rfft(x, 2 * taps)
    Y = (spectra[:, :, :, None] * X[:, None]).sum(dim=2)
    return torch.fft.irfft(Y, 2 * taps)[..., :taps]


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a * b).sum(dim=(1, 3))


def _ratio(above: torch.Tensor, beneath: torch.Tensor) -> torch.Tensor:
    # A system that is solved exactly divides 0 by 0: it stands still.
    ratio = torch.where(beneath > 0, above / beneath, torch.zeros_like(above))
    return ratio[:, None, :, None]


def _direct(
    auto: torch.Tensor, rows: torch.Tensor, h: torch.Tensor, caught: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Solve one system densely; keep h (n, estimates, taps) where that catches no more.

    auto (n, n, 2 taps); rows like h; caught (estimates,). Returns both, improved.
    """
    n, m, taps = rows.shape
    lag = torch.arange(taps, device=auto.device)
    R = auto[:, :, lag[:, None] - lag[None, :]].transpose(1, 2).reshape(n * taps, n * taps)
    b = rows.transpose(1, 2).reshape(n * taps, m)
    factor, failed = torch.linalg.cholesky_ex(R)
    x = torch.cholesky_solve(b, factor)
    if failed or not (R @ x - b).abs().amax() < 1e-9:
        # Singular up to rounding: leave out the directions in which nothing sounds.
        level, axes = torch.linalg.eigh(R)
        loud = level > 1e-13 * level[-1]
        x = axes[:, loud] @ ((axes[:, loud].T @ b) / level[loud, None])
    found = ((2 * b - R @ x) * x).sum(dim=0)
    better = found > caught
    x = x.reshape(n, taps, m).transpose(1, 2)
    return torch.where(better[None, :, None], x, h), torch.where(better, found, caught)


def _decibels(above: torch.Tensor, beneath: torch.Tensor) -> torch.Tensor:
    tiny = torch.finfo(above.dtype).tiny
    ratio = above.clamp_min(tiny) / beneath.clamp_min(tiny)
    return (10 * torch.log10(ratio)).clamp(-CEILING, CEILING)
