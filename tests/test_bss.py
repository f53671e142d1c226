"""The fast projections are the plain ones."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import butter, firwin, lfilter

from avsep_core import bss
from avsep_core.scores import CEILING, bss_eval

KINDS = ["white", "coloured", "band", "correlated", "speechlike"]


def sound(rng, kind, n):
    """Noise with one spectrum and loudness over time."""
    x = rng.normal(size=n)
    if kind == "coloured":
        return lfilter([1], [1, -1.6, 0.8], x)
    if kind == "band":
        return lfilter(firwin(101, 0.6), 1, x)
    if kind == "speechlike":
        pulses = (np.arange(n) % rng.integers(60, 160) == 0) + 0.01 * x
        voice = lfilter([1], [1, -1.7, 0.9], pulses)
        return voice * (1.1 + np.sin(np.arange(n) * rng.uniform(2e-4, 2e-3)))
    return x


def case(seed, n=8000):
    """References and estimates of one random separation, with everything that can go wrong."""
    rng = np.random.default_rng(seed)
    kind, count = KINDS[seed % len(KINDS)], 3 if seed % 7 == 0 else 2
    S = np.stack([sound(rng, kind, n) for _ in range(count)])
    S /= S.std(axis=1, keepdims=True)
    if kind == "correlated":
        S[1] = 0.7 * S[0] + 0.7 * S[1]
    E = (np.eye(count) + 0.3 * rng.normal(size=(count, count))) @ S
    room = np.eye(1, 30)[0] + 0.3 * rng.normal(size=30) * np.exp(-np.arange(30) / 6)
    E = lfilter(room, 1, E) + 10 ** rng.uniform(-3.5, 0) * rng.normal(size=S.shape)
    return S, E[rng.permutation(count)] * 10 ** rng.uniform(-4, 4)


def reference(S, E, permute=True):
    separation = pytest.importorskip("mir_eval.separation")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return separation.bss_eval_sources(S, E, permute)


@pytest.mark.parametrize("first", range(0, 50, 10))
def test_fifty_random_cases_agree_with_mir_eval_within_a_hundredth_of_a_decibel(first):
    orders = set()
    for seed in range(first, first + 10):
        S, E = case(seed)
        ours, theirs = bss_eval(S, E), reference(S, E)
        for a, b in zip(ours[:3], theirs[:3], strict=True):
            assert np.abs(a - b).max() < 0.01
        np.testing.assert_array_equal(ours.permutation, theirs[3])
        orders.add(tuple(theirs[3]))
    assert len(orders) > 2  # estimates do come in different orders, of two and of three


def test_without_permutation_the_given_order_is_scored_as_mir_eval_does():
    S, E = case(4)
    E = E[::-1]
    for a, b in zip(bss_eval(S, E, permute=False), reference(S, E, False), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


@given(seed=st.integers(0, 10_000), taps=st.integers(1, 12), count=st.integers(1, 3))
def test_scores_are_energies_of_plain_least_squares_projections(seed, taps, count):
    rng = np.random.default_rng(seed)
    S, e = rng.normal(size=(count, 200)), rng.normal(size=200) + 0.1

    def project(rows):
        delayed = [np.pad(s, (k, taps - 1 - k)) for s in rows for k in range(taps)]
        A = np.array(delayed).T
        return A @ np.linalg.lstsq(A, np.pad(e, (0, taps - 1)), rcond=None)[0]

    def level(x):
        return 10 * np.log10((x**2).sum())

    found = bss.pairwise(torch.tensor(S)[None], torch.tensor(e)[None, None], filter_length=taps)
    own, joint, whole = project(S[:1]), project(S), np.pad(e, (0, taps - 1))
    assert found.sdr[0, 0, 0] == pytest.approx(level(own) - level(whole - own), abs=1e-3)
    assert found.sar[0, 0, 0] == pytest.approx(level(joint) - level(whole - joint), abs=1e-3)
    if count > 1:
        assert found.sir[0, 0, 0] == pytest.approx(level(own) - level(joint - own), abs=1e-3)


def test_the_direct_solver_gives_what_conjugate_gradients_give(monkeypatch):
    cases = [case(seed) for seed in (2, 3, 4, 9, 12, 17, 22)]  # all kinds; many stop bands
    S, E = (torch.tensor(np.stack(x)) for x in zip(*cases, strict=True))
    fast = bss.pairwise(S, E)
    monkeypatch.setattr(bss, "MOST_STEPS", 0)
    slow = bss.pairwise(S, E)
    for a, b in zip(fast, slow, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


def test_a_batch_cut_into_pieces_is_scored_as_a_whole(monkeypatch):
    cases = [case(seed, 3000) for seed in (2, 3, 4)]
    S, E = (torch.tensor(np.stack(x)) for x in zip(*cases, strict=True))
    whole = bss.pairwise(S, E)
    monkeypatch.setattr(bss, "PIECE", 1.0)
    for a, b in zip(whole, bss.pairwise(S, E), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


def test_the_fast_librarys_direct_solver_agrees():
    fast = pytest.importorskip("fast_bss_eval")
    S, E = (torch.tensor(np.stack(x)) for x in zip(case(2), case(3), strict=True))
    theirs = fast.torch.bss_eval_sources(S, E)
    for a, b in zip(bss_eval(S, E), theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


def test_ten_conjugate_gradients_from_nothing_are_too_few_for_speech():
    fast = pytest.importorskip("fast_bss_eval")
    rng = np.random.default_rng(0)
    S = np.stack([sound(rng, "speechlike", 16000) for _ in range(2)])
    E = S + 0.1 * S[::-1]
    E += 1e-3 * E.std() * rng.normal(size=E.shape)
    few = fast.torch.bss_eval_sources(torch.tensor(S)[None], torch.tensor(E)[None], use_cg_iter=10)
    ours, plain = bss_eval(S, E), reference(S, E)
    assert np.abs(few[2][0].numpy() - plain[2]).max() > 0.1
    assert np.abs(ours.sar - plain[2]).max() < 0.01


def test_sounds_without_treble_are_scored_though_their_equations_are_singular():
    rng = np.random.default_rng(0)
    low = butter(8, 0.3)
    S = lfilter(*low, rng.normal(size=(2, 6000)))
    E = S + 0.1 * S[::-1] + 0.01 * lfilter(*low, rng.normal(size=S.shape))
    found = bss_eval(S, E)
    np.testing.assert_allclose(found.sdr, 20, atol=0.6)
    # mir_eval's own SIR may fall below its SDR here, which no projection can.
    assert (found.sir >= found.sdr).all()
    np.testing.assert_allclose(found.sir, 20, atol=1)


@given(exponent=st.integers(-150, 150))
def test_the_quietest_and_the_loudest_sounds_are_scored_alike(exponent):
    S, E = case(0, 2000)
    plain, scaled = bss_eval(S, E), bss_eval(S * 10.0**exponent, E * 10.0**-exponent)
    for a, b in zip(plain, scaled, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_tensors_arrays_precisions_and_batches_agree():
    S, E = (np.stack(x) for x in zip(case(2), case(3), case(4), case(8), strict=True))
    single = bss_eval(S[3], E[3])
    forms = [
        bss_eval(S, E),
        bss_eval(torch.tensor(S, requires_grad=True), torch.tensor(E)),
        bss_eval(S.astype(np.float32), E.astype(np.float32)),
    ]
    for form in forms:
        assert isinstance(form.sdr, np.ndarray)
        assert form.sdr.shape == (4, 2)
        for a, b in zip(form, single, strict=True):
            np.testing.assert_allclose(a[3], b, atol=1e-2)
    deep = bss_eval(S.reshape(2, 2, *S.shape[1:]), E.reshape(2, 2, *E.shape[1:]))
    np.testing.assert_allclose(deep.sir.reshape(4, 2), forms[0].sir)
    assert deep.permutation.shape == (2, 2, 2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_scores_as_the_cpu_does():
    S, E = (torch.tensor(np.stack(x)) for x in zip(case(2), case(3), strict=True))
    for a, b in zip(bss_eval(S.cuda(), E.cuda()), bss_eval(S, E), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


def test_scores_work_without_mir_eval_and_the_fast_library():
    code = (
        "import sys; sys.modules['mir_eval'] = sys.modules['fast_bss_eval'] = None\n"
        "import numpy as np; from avsep_core.scores import bss_eval\n"
        "x = np.random.default_rng(0).normal(size=(2, 2000)); print(bss_eval(x, x).sdr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == f"[{CEILING:.0f}. {CEILING:.0f}.]".split()
