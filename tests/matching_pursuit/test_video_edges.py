"""What edge-like atoms and their matching pursuit promise, in one picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avsep_core.matching_pursuit.edges import EdgeDictionary, pursue
from avsep_core.matching_pursuit.tracking import fit, stamp

SIZE = (60, 80)
SMALL = EdgeDictionary(scales=((3.0, 1.5), (6.0, 2.0)), angles=8)


def atom(x, y, angle, along, across):
    return np.array([x, y, angle, np.log(along), np.log(across)])


def unit(row, size=SIZE):
    """The unit-norm atom as a picture."""
    picture = np.zeros(size)
    energy = stamp(picture, row, 1.0)
    return picture / np.sqrt(energy)


def turned(angle, other):
    """Angle in rad between two lines."""
    return abs((angle - other + np.pi / 2) % np.pi - np.pi / 2)


@pytest.fixture
def texture(rng):
    """A picture with something everywhere, without mean."""
    return rng.normal(size=SIZE)


@given(
    x=st.floats(25, 55), y=st.floats(25, 35), angle=st.floats(-4, 4),
    along=st.floats(1.5, 6), across=st.floats(1.0, 3),
)  # fmt: skip
def test_an_atom_is_the_formula_and_blind_to_even_light_and_to_slopes(x, y, angle, along, across):
    row, (dy, dx) = (
        atom(x, y, angle, along, across),
        np.indices(SIZE) - np.reshape([y, x], (2, 1, 1)),
    )
    u = dx * np.cos(angle) + dy * np.sin(angle)
    v = dy * np.cos(angle) - dx * np.sin(angle)
    q = (v / across) ** 2
    g = (1 - q) * np.exp(-0.5 * ((u / along) ** 2 + q))
    picture = unit(row)
    np.testing.assert_allclose(picture, g / np.linalg.norm(g), atol=0.01)
    for blind_to in (np.ones(SIZE), dx, dy):
        assert abs((picture * blind_to).sum()) < 0.05 * np.abs(picture * blind_to).sum()


def test_an_atom_cut_by_the_border_still_has_unit_norm():
    for x, y in [(0, 0), (79, 30), (40, 59), (-3, 10)]:
        picture = unit(atom(x, y, 0.7, 6, 2))
        assert np.linalg.norm(picture) == pytest.approx(1)


@given(seed=st.integers(0, 50))
def test_a_planted_atom_is_found_with_its_parameters(seed):
    rng = np.random.default_rng(seed)
    across = rng.uniform(1.2, 2.8)
    row = atom(
        rng.uniform(5, 75),
        rng.uniform(5, 55),
        rng.uniform(0, np.pi),
        across * rng.uniform(1.6, 3.5),
        across,
    )
    height = rng.choice([-7.0, 7.0])
    found = pursue(height * unit(row), 1, EdgeDictionary())
    np.testing.assert_allclose(found.atoms[0, :2], row[:2], atol=0.05)
    assert turned(found.atoms[0, 2], row[2]) < 0.02
    np.testing.assert_allclose(found.atoms[0, 3:], row[3:], atol=0.05)
    assert found.coefficients[0] == pytest.approx(height, rel=1e-3)


def test_the_residuals_energy_falls_by_exactly_the_coefficient_squared(texture):
    energies = [np.sum(texture**2)]
    for n in range(1, 6):
        found = pursue(texture, n, SMALL)
        energies.append(np.sum(found.residual**2))
    np.testing.assert_allclose(-np.diff(energies), found.coefficients**2, rtol=1e-9)


def test_picture_is_atoms_plus_residual(texture):
    found = pursue(texture, 20, SMALL)
    parts = [c * unit(row) for row, c in zip(found.atoms, found.coefficients, strict=True)]
    np.testing.assert_allclose(np.sum(parts, axis=0) + found.residual, texture, atol=1e-10)


def test_the_first_atom_takes_at_least_as_much_as_any_of_the_dictionary(texture):
    best = abs(pursue(texture, 1, SMALL).coefficients[0])
    for scale in range(len(SMALL.scales)):
        for shape in SMALL.shapes(scale):
            for x, y in np.random.default_rng(1).integers(0, (80, 60), size=(20, 2)):
                assert abs((texture * unit(np.array([x, y, *shape]))).sum()) <= best + 1e-5


def test_scores_kept_up_to_date_pick_the_atom_that_scores_from_scratch_pick(texture):
    long = pursue(texture, 12, SMALL)
    residual = texture
    for n in range(12):
        one = pursue(residual, 1, SMALL)
        np.testing.assert_allclose(one.atoms[0], long.atoms[n], atol=1e-6)
        residual = one.residual


@pytest.mark.parametrize("place", [(40, 30), (1, 3)])
def test_the_local_search_stops_where_no_small_change_explains_more(rng, place):
    target = unit(atom(*place, 0.5, 5, 2)) + 0.01 * rng.normal(size=SIZE)
    start = atom(place[0] + 1.2, place[1] - 0.8, 0.7, 4, 1.6)
    bounds = np.array([9, 9, 9, 9, 9.0])
    end, height, taken = fit(
        target, start, 1.0, start, np.zeros(5), start - bounds, start + bounds, 60
    )
    assert taken == pytest.approx((target * unit(end)).sum())
    assert height * stamp(np.zeros(SIZE), end, 1.0) ** 0.5 == pytest.approx(taken)
    for _ in range(30):
        near = end + 0.05 * rng.normal(size=5)
        assert (target * unit(near)).sum() < taken + 1e-4


def test_stiffness_holds_an_atom_at_its_rest_where_the_picture_says_little(rng):
    target = unit(atom(40, 30, 0.5, 5, 2))
    start = atom(41.5, 30, 0.5, 5, 2)
    wide = np.full(5, 9.0)
    moved = [
        fit(target, start, 1.0, start, np.full(5, k), start - wide, start + wide, 60)[0] - start
        for k in (0.0, 0.3, 1e6)
    ]
    lengths = [np.hypot(*m[:2]) for m in moved]
    assert lengths[0] == pytest.approx(1.5, abs=0.01)
    assert 0.1 < lengths[1] < 1.4
    assert lengths[2] < 0.01


def test_an_atom_does_not_change_its_sign():
    row = atom(40, 30, 0, 5, 2)
    wide = np.full(5, 0.5)
    _, height, taken = fit(-unit(row), row, 1.0, row, np.ones(5), row - wide, row + wide, 20)
    assert height >= 0 and taken >= 0
    assert taken < 0.5
