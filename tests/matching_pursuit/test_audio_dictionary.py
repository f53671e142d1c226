"""Gabor atoms: how many there are, and what the best phase of one is worth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core.matching_pursuit.dictionary import GaborDictionary, best_real_atom

SMALL = GaborDictionary(windows=(32, 64, 128))


def test_six_octaves_make_nearly_six_million_atoms_of_half_a_minute():
    assert GaborDictionary().size(30 * 8000) == pytest.approx(5.8e6, rel=0.02)
    assert SMALL.size(1000) == sum(
        SMALL.frames(s, 1000) * (n + 1) for s, n in enumerate((32, 64, 128))
    )


@pytest.mark.parametrize("scale", range(6))
def test_windows_are_gaussians_of_unit_norm(scale):
    g = GaborDictionary().window(scale)
    n = len(g)
    assert np.linalg.norm(g) == pytest.approx(1, abs=1e-14)
    np.testing.assert_array_equal(g, g[::-1])
    k = np.arange(n) - (n - 1) / 2
    np.testing.assert_allclose(
        np.log(g[n // 2] / g), (k**2 - 0.25) / (2 * ((n + 1) / 8) ** 2), atol=1e-9
    )


@pytest.mark.parametrize("scale", range(6))
def test_an_atom_meets_its_mirror_image_at_low_frequencies_only(scale):
    rho = np.abs(GaborDictionary().rho(scale))
    assert rho[[0, -1]] == pytest.approx(1, abs=1e-12)
    assert rho[[1, 4]] == pytest.approx([0.86, 0.085], abs=0.02)
    assert rho[[-2, -5]] == pytest.approx(rho[[1, 4]])
    assert rho[12:-12].max() < 1e-5


@given(bin=st.sampled_from([0, 1, 2, 3, 7, 16, 30, 31, 32]), seed=st.integers(0, 99))
def test_the_best_real_atom_is_the_least_squares_fit_of_a_cosine_and_a_sine(bin, seed):
    x = np.random.default_rng(seed).normal(size=32)
    g, angle = SMALL.window(0), np.pi * bin * np.arange(32) / 32
    c = np.sum(x * g * np.exp(-1j * angle))
    energy, d = best_real_atom(c, SMALL.rho(0)[bin])
    pair = np.stack([g * np.cos(angle), g * np.sin(angle)], axis=1)[:, : 1 if bin in (0, 32) else 2]
    fit = pair @ np.linalg.lstsq(pair, x, rcond=None)[0]
    np.testing.assert_allclose(SMALL.atom(0, bin, d), fit, atol=1e-12)
    assert energy == pytest.approx(fit @ fit, rel=1e-11)
    assert energy == pytest.approx(x @ x - (x - fit) @ (x - fit), rel=1e-10)


def test_forgetting_the_mirror_image_misjudges_low_atoms_by_a_factor():
    """Of a cosine and a sine in bin 1, |c|^2 says that one is 13 times as strong."""
    cosine, sine = SMALL.atom(0, 1, 1 + 0j), SMALL.atom(0, 1, 1j)
    middle = np.exp(-0.5j * np.pi * 31 / 32)
    waves = [SMALL.atom(0, 1, d * middle) for d in (1, 1j)]
    waves = [wave / np.linalg.norm(wave) for wave in waves]
    assert cosine.shape == sine.shape == (32,)
    c = [np.sum(w * SMALL.window(0) * np.exp(-1j * np.pi * np.arange(32) / 32)) for w in waves]
    energies = [best_real_atom(z, SMALL.rho(0)[1])[0] for z in c]
    assert energies == pytest.approx([1, 1])
    assert abs(c[0]) ** 2 / abs(c[1]) ** 2 > 10


def test_correlations_are_plain_sums_over_each_frame(rng):
    padded = np.pad(rng.normal(size=300), 128)
    c = SMALL.correlations(padded, 1)
    assert c.shape == (SMALL.frames(1, 300), 65)
    k = np.arange(64)
    for frame, bin in [(0, 3), (7, 0), (9, 64), (len(c) - 1, 20)]:
        x = padded[16 * frame : 16 * frame + 64]
        plain = np.sum(x * SMALL.window(1) * np.exp(-1j * np.pi * bin * k / 64))
        assert c[frame, bin] == pytest.approx(plain, abs=1e-12)
    np.testing.assert_allclose(SMALL.correlations(padded, 1, 5, 9), c[5:9], atol=1e-13)


@given(samples=st.integers(128, 700))
def test_frames_reach_from_before_the_signal_to_behind_it(samples):
    for scale, n in enumerate(SMALL.windows):
        last = SMALL.frames(scale, samples) - 1
        assert SMALL.start(scale, 0) == -128
        assert SMALL.start(scale, last) + n > samples
        assert SMALL.start(scale, last) + n <= samples + 128


@pytest.mark.parametrize(
    "windows", [(), (64, 32), (64, 64), (64, 96), (30, 60), (8, 16), (0,), (64.5,), ("a",), 64]
)
def test_windows_that_do_not_nest_are_refused(windows):
    with pytest.raises(ValueError, match="shortest first"):
        GaborDictionary(windows=windows)


@pytest.mark.parametrize("rate", [0, -8000, float("nan")])
def test_a_rate_that_is_not_positive_is_refused(rate):
    with pytest.raises(ValueError, match="rate"):
        GaborDictionary(rate=rate)


def test_equal_dictionaries_are_one_key():
    assert GaborDictionary(windows=[32, 64]) == GaborDictionary(windows=(32, 64))
    assert len({GaborDictionary(windows=[32, 64]), GaborDictionary(windows=(32, 64))}) == 1
