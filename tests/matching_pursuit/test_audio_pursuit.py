"""Matching pursuit: what it promises in each step, what it finds again, and where greed fails."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core.matching_pursuit.dictionary import GaborDictionary, best_real_atom
from avsep_core.matching_pursuit.pursuit import METHODS, matching_pursuit
from avsep_core.synthetic.talkers import TALKERS, speak_audio

SMALL = GaborDictionary(windows=(32, 64, 128))
SAMPLES = 1000


def plant(*atoms, dictionary=SMALL, samples=SAMPLES):
    """A signal of atoms (scale, frame, bin, coefficient), and what of them lies outside it."""
    padded = np.zeros(samples + 2 * dictionary.padding)
    for scale, frame, bin, d in atoms:
        start = frame * dictionary.hop(scale)
        padded[start : start + dictionary.windows[scale]] += dictionary.atom(scale, bin, d)
    inside = padded[dictionary.padding : -dictionary.padding]
    return inside, np.linalg.norm(padded) - np.linalg.norm(inside)


def speech(seconds, dictionary):
    return speak_audio(
        TALKERS[0], kind="sentence", seed=1, seconds=seconds, rate=dictionary.rate
    ).astype(float)


def noise(seed, samples=SAMPLES):
    return np.random.default_rng(seed).normal(size=samples)


def placed(book):
    return list(zip(book.scale, book.frame, book.bin, strict=True))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sound", ["speech", "noise", "constant", "click"])
def test_residual_energy_falls_by_exactly_the_atom_energy(method, sound):
    dictionary = GaborDictionary()
    x = {
        "speech": speech(1.0, dictionary),
        "noise": noise(0, 8000),
        "constant": np.ones(4000),
        "click": np.eye(1, 4000, 2000)[0],
    }[sound]
    book = matching_pursuit(x, dictionary, n_atoms=300, method=method)
    residual = np.pad(x, dictionary.padding)
    left = residual @ residual
    for scale, frame, bin, d, energy in zip(
        book.scale, book.frame, book.bin, book.coefficient, book.energy, strict=True
    ):
        start = frame * dictionary.hop(scale)
        wave = dictionary.atom(scale, bin, d)
        residual[start : start + len(wave)] -= wave
        before, left = left, residual @ residual
        assert before - left == pytest.approx(energy, abs=1e-10 * before)
        assert wave @ wave == pytest.approx(energy, rel=1e-10)
    np.testing.assert_allclose(
        book.residual, residual[dictionary.padding : -dictionary.padding], atol=1e-12
    )


@given(seed=st.integers(0, 99))
def test_each_step_takes_the_best_of_all_atoms(seed):
    """Every atom of the dictionary is tried on the residual, one by one."""
    x = noise(seed, 200)
    book = matching_pursuit(x, SMALL, n_atoms=6, method="local")
    residual = np.pad(x, SMALL.padding)
    for k, place in enumerate(placed(book)):
        tables = [
            best_real_atom(SMALL.correlations(residual, s), SMALL.rho(s))[0] for s in range(3)
        ]
        assert book.energy[k] == pytest.approx(max(table.max() for table in tables), rel=1e-10)
        assert tables[place[0]][place[1:]] == pytest.approx(book.energy[k], rel=1e-10)
        wave = SMALL.atom(place[0], place[2], book.coefficient[k])
        start = place[1] * SMALL.hop(place[0])
        residual[start : start + len(wave)] -= wave


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("where", ["first", "middle", "last"])
@pytest.mark.parametrize("bin", ["DC", 1, 2, 9, "Nyquist"])
@pytest.mark.parametrize("scale", [0, 1, 2])
def test_a_planted_atom_is_found_again_exactly(method, where, bin, scale):
    n, hop = SMALL.windows[scale], SMALL.hop(scale)
    first, last = SMALL.padding // hop, (SMALL.padding + SAMPLES - n) // hop
    frame = {"first": first, "middle": (first + last) // 2, "last": last}[where]
    d = {"DC": 0.3, "Nyquist": -0.3}.get(bin, 0.2 - 0.4j)
    bin = {"DC": 0, "Nyquist": n}.get(bin, bin)
    x, outside = plant((scale, frame, bin, d))
    assert outside == pytest.approx(0, abs=1e-12)
    book = matching_pursuit(x, SMALL, n_atoms=5, method=method)
    assert placed(book) == [(scale, frame, bin)]
    assert book.coefficient[0] == pytest.approx(d, abs=1e-12)
    assert book.energy[0] == pytest.approx(x @ x, rel=1e-12)
    assert np.abs(book.residual).max() < 1e-12
    np.testing.assert_allclose(book.synthesize(), x, atol=1e-12)
    assert book.snr_db > 240


@pytest.mark.parametrize("method", METHODS)
def test_planted_atoms_far_apart_are_all_found_exactly(method):
    planted = [(0, 20, 0, 0.5), (0, 130, 32, -0.3), (2, 14, 30, 0.2j), (1, 48, 2, 0.1 + 0.1j)]
    x, outside = plant(*planted)
    assert outside == pytest.approx(0, abs=1e-12)
    book = matching_pursuit(x, SMALL, n_atoms=9, method=method)
    assert sorted(placed(book)) == sorted(atom[:3] for atom in planted)
    wanted = {atom[:3]: atom[3] for atom in planted}
    for place, d in zip(placed(book), book.coefficient, strict=True):
        assert d == pytest.approx(wanted[place], abs=1e-12)
    assert book.snr_db > 240


def test_greed_fails_on_two_atoms_in_neighbouring_bins():
    """Their coherence is 0.96: an atom in between takes most of both, and then nothing fits."""
    g, k = SMALL.window(2), np.arange(128)
    assert abs(np.sum(g**2 * np.exp(1j * np.pi * k / 128))) == pytest.approx(0.96, abs=0.005)
    middle = np.exp(-1j * np.pi * np.array([30, 31]) * 127 / 256)
    # In opposite phase they cancel in the middle, so that two other atoms look better.
    two = [(2, 14, 30, middle[0]), (2, 14, 31, -middle[1])]
    x, _ = plant(*two)
    book = matching_pursuit(x, SMALL, n_atoms=20, method="local")
    assert placed(book)[0] not in [atom[:3] for atom in two]
    energy = 1 - np.cumsum(book.energy) / (x @ x)
    assert energy[1] > 0.01 and energy[-1] > 1e-6
    # Least squares over the two planted atoms leaves nothing.
    pair = np.stack([plant((*atom[:3], d))[0] for atom in two for d in (1, 1j)], axis=1)
    fit = pair @ np.linalg.lstsq(pair, x, rcond=None)[0]
    assert np.linalg.norm(x - fit) < 1e-10 * np.linalg.norm(x)


@pytest.mark.parametrize("method", METHODS)
def test_atoms_and_residual_make_the_signal(method):
    x = noise(3)
    book = matching_pursuit(x, SMALL, n_atoms=80, method=method)
    np.testing.assert_allclose(book.synthesize() + book.residual, x, atol=1e-12)
    ratio = (x @ x) / (book.residual @ book.residual)
    assert book.snr_db == pytest.approx(10 * np.log10(ratio), abs=1e-9)


def test_parts_of_a_book_add_up_to_the_whole():
    book = matching_pursuit(noise(3), SMALL, n_atoms=80)
    low = book.frequency < 1000
    assert 0 < low.sum() < 80
    parts = book.synthesize(low) + book.synthesize(np.flatnonzero(~low))
    np.testing.assert_allclose(parts, book.synthesize(), atol=1e-12)
    shares = np.linspace(-1, 2, 80)
    parts = book.synthesize(gains=shares) + book.synthesize(gains=1 - shares)
    np.testing.assert_allclose(parts, book.synthesize(), atol=1e-12)
    np.testing.assert_array_equal(book.synthesize([]), 0)


def test_an_atom_says_where_it_sounds_how_high_how_long_and_how_loud():
    book = matching_pursuit(noise(4), SMALL, n_atoms=40)
    n = np.array(SMALL.windows)[book.scale]
    # Near zero and Nyquist, an atom and its mirror image shift each other's weight.
    plain = (book.bin > 4) & (book.bin < n - 4)
    inside = np.flatnonzero((book.time > 0.01) & (book.time < 0.115) & plain)
    assert len(inside) > 10
    for k in inside:
        wave = book.synthesize([k])
        t = np.arange(len(wave)) / SMALL.rate
        power = wave**2 / np.sum(wave**2)
        assert np.linalg.norm(wave) == pytest.approx(book.amplitude[k], rel=1e-3)
        assert np.sum(t * power) == pytest.approx(book.time[k], abs=2e-4)
        spread = np.sqrt(np.sum((t - book.time[k]) ** 2 * power))
        assert spread == pytest.approx(book.spread[k], rel=0.15)
        cosine = np.cos(2 * np.pi * book.frequency[k] * (t - book.time[k]) + book.phase[k])
        n = SMALL.windows[book.scale[k]]
        envelope = np.exp(-0.5 * ((t - book.time[k]) * SMALL.rate * 8 / (n + 1)) ** 2)
        model = cosine * envelope * (np.abs(t - book.time[k]) * SMALL.rate < n / 2)
        model *= (wave @ model) / (model @ model)
        np.testing.assert_allclose(wave, model, atol=1e-9)
        assert wave @ model > 0
    assert (np.abs(book.phase) <= np.pi).all()


@pytest.mark.parametrize("method", METHODS)
def test_the_search_stops_as_soon_as_the_residual_is_small_enough(method):
    x = noise(5)
    book = matching_pursuit(x, SMALL, snr_db=12.0, method=method)
    left = x @ x - np.cumsum(book.energy)
    wanted = (x @ x) * 10**-1.2
    assert left[-1] <= wanted < left[-2]
    # The residual may also lie in the padding, which is not heard.
    assert 12 <= book.snr_db < 12.5
    both = matching_pursuit(x, SMALL, snr_db=12.0, n_atoms=10, method=method)
    assert placed(both) == placed(book)[:10]


@pytest.mark.parametrize("method", METHODS)
def test_more_atoms_begin_with_the_fewer(method):
    x = noise(6)
    few, many = (matching_pursuit(x, SMALL, n_atoms=k, method=method) for k in (30, 60))
    assert placed(few) == placed(many)[:30]
    assert few.residual @ few.residual > many.residual @ many.residual


def test_energies_need_not_fall_though_the_residual_does():
    """Taking an atom away can make another one look better than before."""
    x = speech(1.0, GaborDictionary())
    book = matching_pursuit(x, GaborDictionary(), n_atoms=300, method="local")
    assert (np.diff(book.energy) > 0).any() and (book.energy > 0).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("gain", [1e-120, 1e-6, -1.0, 1e6, 1e120])
def test_a_whisper_has_the_atoms_of_a_shout(method, gain):
    x = noise(7)
    plain, other = (matching_pursuit(g * x, SMALL, n_atoms=40, method=method) for g in (1, gain))
    assert placed(plain) == placed(other)
    np.testing.assert_allclose(other.coefficient, gain * plain.coefficient, rtol=1e-9)
    assert other.snr_db == pytest.approx(plain.snr_db, abs=1e-9)


@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32])
def test_samples_of_any_type_are_taken_as_they_are(kind):
    x = (noise(8) * 20 + 100).astype(kind)
    book = matching_pursuit(x, SMALL, n_atoms=20)
    assert placed(book) == placed(matching_pursuit(x.astype(float), SMALL, n_atoms=20))
    assert book.residual.dtype == np.float64


@pytest.mark.parametrize(
    ("signal", "word"),
    [
        (np.zeros(500), "silent"),
        (np.zeros((2, 500)), "one channel"),
        (np.zeros(500, dtype=complex), "real"),
        (np.array(["a"] * 500), "real"),
        (np.where(np.arange(500) == 7, np.nan, 1.0), "NaN"),
        (np.where(np.arange(500) == 7, np.inf, 1.0), "infinite"),
        (np.zeros(0), "longest window"),
        (np.ones(127), "shorter windows"),
    ],
)
def test_signals_without_atoms_are_refused(signal, word):
    with pytest.raises(ValueError, match=word):
        matching_pursuit(signal, SMALL, n_atoms=3)


@pytest.mark.parametrize(
    ("stop", "word"),
    [
        ({}, "neither"),
        ({"n_atoms": 0}, "whole number"),
        ({"n_atoms": -3}, "whole number"),
        ({"n_atoms": 2.5}, "whole number"),
        ({"n_atoms": True}, "whole number"),
        ({"n_atoms": SMALL.size(500) + 1}, str(SMALL.size(500))),
        ({"snr_db": np.nan}, "finite"),
        ({"snr_db": np.inf}, "finite"),
        ({"snr_db": 0.0}, "above 0"),
        ({"n_atoms": 3, "method": "fast"}, '"gram"'),
    ],
)
def test_senseless_stops_and_methods_are_refused(stop, word):
    with pytest.raises(ValueError, match=word):
        matching_pursuit(noise(9, 500), SMALL, **stop)


@pytest.mark.parametrize(
    "choice",
    [
        {"atoms": [5]},
        {"atoms": [True, False]},
        {"atoms": [0.5]},
        {"gains": [1.0, 2.0]},
        {"gains": [1, 2, 3, 4, np.nan]},
    ],
)
def test_atoms_that_the_book_does_not_have_are_refused(choice):
    book = matching_pursuit(noise(9, 500), SMALL, n_atoms=5)
    with pytest.raises(ValueError, match="book"):
        book.synthesize(**choice)


def test_the_compiler_is_loaded_only_where_it_is_needed(root):
    code = (
        "import sys, avsep_core, avsep_core.matching_pursuit.pursuit as p, numpy as np;"
        "d = p.GaborDictionary(windows=(32,));"
        "p.matching_pursuit(np.ones(50), d, n_atoms=1, method='local');"
        "assert 'numba' not in sys.modules;"
        "p.matching_pursuit(np.ones(50), d, n_atoms=1, method='gram');"
        "assert 'numba' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
