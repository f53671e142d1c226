"""The fast pursuit beside the exact one: the same atoms, the same residual."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core import clip
from avsep_core.matching_pursuit import gram
from avsep_core.matching_pursuit.dictionary import GaborDictionary
from avsep_core.matching_pursuit.pursuit import matching_pursuit
from avsep_core.synthetic.talkers import TALKERS, speak_audio

SIX = GaborDictionary()
SMALL = GaborDictionary(windows=(32, 64, 128))
SECONDS = 30


@pytest.fixture(scope="module")
def talkers():
    """Ten talkers, one after the other."""
    voices = [
        speak_audio(talker, kind="sentence", seed=k, seconds=3.0, rate=SIX.rate)
        for k, talker in enumerate(TALKERS[:10])
    ]
    return np.concatenate(voices)[: SECONDS * SIX.rate].astype(float)


@pytest.fixture(scope="module")
def readers(shared_data):
    """Eight people, who read to us."""
    paths = sorted((shared_data / "speech").glob("*.flac"))
    if not paths:
        pytest.skip(f"no speech in {shared_data / 'speech'}")
    voices = [clip.read_audio(path, rate=SIX.rate) for path in paths]
    return np.concatenate(voices)[: SECONDS * SIX.rate].astype(float)


def placed(book):
    return list(zip(book.scale, book.frame, book.bin, strict=True))


def assert_equal_but_for_near_ties(x, n_atoms, dictionary=SIX, tie=1e-3):
    slow, fast = (
        matching_pursuit(x, dictionary, n_atoms=n_atoms, method=method)
        for method in ("local", "gram")
    )
    assert fast.snr_db == pytest.approx(slow.snr_db, abs=0.001)
    assert len(fast) == len(slow)
    if placed(fast) != placed(slow):
        first = next(
            k for k, (a, b) in enumerate(zip(placed(fast), placed(slow), strict=True)) if a != b
        )
        assert fast.energy[first] == pytest.approx(slow.energy[first], rel=tie)
    both = set(placed(fast)) & set(placed(slow))
    assert len(both) >= 0.99 * len(set(placed(slow)))


def test_two_thousand_atoms_of_talkers_are_the_same(talkers):
    assert_equal_but_for_near_ties(talkers, 2000)


def test_two_thousand_atoms_of_real_readers_are_the_same(readers):
    assert_equal_but_for_near_ties(readers, 2000)


@pytest.mark.slow
def test_twenty_thousand_atoms_of_talkers_are_the_same(talkers):
    assert_equal_but_for_near_ties(talkers, 20000)


@pytest.mark.slow
def test_twenty_thousand_atoms_of_real_readers_are_the_same(readers):
    assert_equal_but_for_near_ties(readers, 20000)


@given(seed=st.integers(0, 99), windows=st.sampled_from([(16,), (32, 64, 128), (16, 48, 240)]))
def test_both_find_the_same_in_noise_whatever_the_windows(seed, windows):
    dictionary = GaborDictionary(windows=windows)
    x = np.random.default_rng(seed).normal(size=700)
    slow, fast = (
        matching_pursuit(x, dictionary, n_atoms=60, method=method) for method in ("local", "gram")
    )
    assert placed(fast) == placed(slow)
    np.testing.assert_allclose(fast.coefficient, slow.coefficient, rtol=1e-9)
    np.testing.assert_allclose(fast.residual, slow.residual, atol=1e-12)


@pytest.mark.parametrize("scale", [0, 1, 2])
@pytest.mark.parametrize("bin", ["DC", 1, 2, 13, "below Nyquist", "Nyquist"])
@pytest.mark.parametrize("frame", [0, 9, 10, 11, "last"])
def test_kernels_take_an_atom_out_of_all_correlations(scale, bin, frame, rng):
    """The same as correlating afresh what the atom leaves, up to the kernels' cut edges."""
    samples, n = 600, SMALL.windows[scale]
    bin = {"DC": 0, "below Nyquist": n - 1, "Nyquist": n}.get(bin, bin)
    frame = SMALL.frames(scale, samples) - 1 if frame == "last" else frame
    d = 0.5 if bin in (0, n) else 0.3 + 0.4j
    padded = np.pad(rng.normal(size=samples), SMALL.padding)
    state, fresh = gram._state(SMALL, samples), gram._state(SMALL, samples)
    gram._look(state, SMALL, padded)
    for target in range(3):
        gram._subtract(state, gram.kernels(SMALL), scale, frame, bin, complex(d), target)
    start = frame * SMALL.hop(scale)
    padded[start : start + n] -= SMALL.atom(scale, bin, d)
    gram._look(fresh, SMALL, padded)
    np.testing.assert_allclose(state.real, fresh.real, atol=2e-4)
    np.testing.assert_allclose(state.imag, fresh.imag, atol=2e-4)
    # The tournament is won by the best atom there is.
    assert state.tree.view(np.float32)[1] == state.energy.max()


def test_the_tournament_knows_the_best_atom_after_every_step(rng):
    padded = np.pad(rng.normal(size=600), SMALL.padding)
    state = gram._state(SMALL, 600)
    gram._look(state, SMALL, padded)
    place, value = np.zeros((1, 3), dtype=np.int64), np.zeros((1, 2), dtype=complex)
    for _ in range(60):
        gram._pursue(state, gram.kernels(SMALL), padded, place, value, 1.0, 0.0, 0.0)
        leaves = len(state.tree) // 2
        for s, n in enumerate(SMALL.windows):
            end = state.first[s] + SMALL.frames(s, 600) * (n + 1)
            best = state.energy[state.first[s] : end].reshape(-1, n + 1).max(axis=1)
            won = state.tree.view(np.float32)[leaves + state.leaf[s] : leaves + state.leaf[s + 1]]
            np.testing.assert_array_equal(won, best)
        assert state.tree.view(np.float32)[1] == state.energy.max()


@pytest.mark.parametrize("snr_db", [60.0, 120.0, 200.0])
def test_correlations_are_renewed_as_deep_as_one_wants_to_dig(snr_db):
    """Single precision alone, and cut kernels, would lose the way at 70 dB."""
    x = np.random.default_rng(1).normal(size=256)
    slow, fast = (
        matching_pursuit(x, SMALL, snr_db=snr_db, method=method) for method in ("local", "gram")
    )
    assert fast.snr_db >= snr_db
    assert len(fast) == pytest.approx(len(slow), rel=0.02)


def test_a_loud_click_does_not_hide_the_quiet_rest():
    x = 1e-4 * np.random.default_rng(2).normal(size=2000)
    x[100] = 1
    slow, fast = (
        matching_pursuit(x, SMALL, n_atoms=400, method=method) for method in ("local", "gram")
    )
    assert fast.snr_db == pytest.approx(slow.snr_db, abs=0.05)
