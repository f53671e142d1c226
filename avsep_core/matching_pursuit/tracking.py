"""The machinery under the video atoms: draw one, fit one to a picture.

An atom's parameters stand in one row of five: x, y in px, angle in rad, log of the scale along
and log of the scale across. Compiled by numba when first called.

Taught in `notebooks/01_matching_pursuit.ipynb`, section "Video atoms".
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

# Where u^2/a^2 + v^2/b^2 is larger than this, an atom is taken as zero.
REACH = 15.0


@njit(cache=True)
def _form(atom):  # type: ignore[no-untyped-def]
    """Return A, B, C of u^2/a^2 + v^2/b^2 = A dx^2 + 2 B dx dy + C dy^2."""
    cos, sin = math.cos(atom[2]), math.sin(atom[2])
    along, across = math.exp(-2 * atom[3]), math.exp(-2 * atom[4])
    return (
        cos * cos * along + sin * sin * across,
        cos * sin * (along - across),
        sin * sin * along + cos * cos * across,
    )


@njit(cache=True)
def _rows(atom, form, height):  # type: ignore[no-untyped-def]
    """Return the first row that an atom reaches in a picture, and the row after the last."""
    A, B, C = form
    half = math.sqrt(REACH * A / (A * C - B * B))
    return max(0, math.ceil(atom[1] - half)), min(height, math.floor(atom[1] + half) + 1)


@njit(cache=True)
def _gaussian(atom, form, y, width, bell):  # type: ignore[no-untyped-def]
    """Fill bell with the atom's Gaussian in row y of a picture; return its first column and length.

    From pixel to pixel the exponential of a quadratic is multiplied by a factor that is itself
    multiplied by a constant.
    """
    A, B, C = form
    dy = y - atom[1]
    half = (B * dy) ** 2 - A * (C * dy * dy - REACH)
    if half <= 0:
        return 0, 0
    half, middle = math.sqrt(half) / A, atom[0] - B * dy / A
    first = max(0, math.ceil(middle - half))
    count = min(width - 1, math.floor(middle + half)) + 1 - first
    dx = first - atom[0]
    e = math.exp(-0.5 * (A * dx * dx + 2 * B * dx * dy + C * dy * dy))
    factor = math.exp(-0.5 * (A * (2 * dx + 1) + 2 * B * dy))
    constant = math.exp(-A)
    for j in range(count):
        bell[j] = e
        e *= factor
        factor *= constant
    return first, max(0, count)


@njit(cache=True, fastmath=True)
def stamp(picture, atom, height):  # type: ignore[no-untyped-def]
    """Add `height` times g to a picture, in place; return the energy of g in the picture."""
    cos, sin, across = math.cos(atom[2]), math.sin(atom[2]), math.exp(-2 * atom[4])
    form = _form(atom)
    bell = np.empty(picture.shape[1])
    energy = 0.0
    top, bottom = _rows(atom, form, picture.shape[0])
    for y in range(top, bottom):
        first, count = _gaussian(atom, form, y, picture.shape[1], bell)
        dx, dy = first - atom[0], y - atom[1]
        line = picture[y, first : first + count]
        for j in range(count):
            v = cos * dy - sin * (dx + j)
            g = (1 - v * v * across) * bell[j]
            energy += g * g
            line[j] += height * g
    return energy


@njit(cache=True, fastmath=True)
def _products(picture, atom, right, own):  # type: ignore[no-untyped-def]
    """Inner products of g and of its derivatives with the picture, and with g itself.

    Fills right (6,) and own (6,): g, then its derivatives in u, v, angle, log a and log b, where u
    and v shift it along its line and across. g is not normalised.
    """
    cos, sin = math.cos(atom[2]), math.sin(atom[2])
    along, across = math.exp(-2 * atom[3]), math.exp(-2 * atom[4])
    form = _form(atom)
    bell = np.empty(picture.shape[1])
    right[:] = 0.0
    own[:] = 0.0
    top, bottom = _rows(atom, form, picture.shape[0])
    for y in range(top, bottom):
        first, count = _gaussian(atom, form, y, picture.shape[1], bell)
        dx, dy = first - atom[0], y - atom[1]
        line = picture[y, first : first + count]
        p0 = p1 = p2 = p3 = p4 = p5 = 0.0
        g0 = g1 = g2 = g3 = g4 = g5 = 0.0
        for j in range(count):
            x = dx + j
            u, v = cos * x + sin * dy, cos * dy - sin * x
            r, q = u * u * along, v * v * across
            g = (1 - q) * bell[j]
            bent = (3 - q) * bell[j]
            du, dv = u * along * g, v * across * bent
            turn, long, wide = u * dv - v * du, r * g, q * bent
            value = line[j]
            p0 += value * g
            p1 += value * du
            p2 += value * dv
            p3 += value * turn
            p4 += value * long
            p5 += value * wide
            g0 += g * g
            g1 += g * du
            g2 += g * dv
            g3 += g * turn
            g4 += g * long
            g5 += g * wide
        right += np.array([p0, p1, p2, p3, p4, p5])
        own += np.array([g0, g1, g2, g3, g4, g5])


@njit(cache=True)
def _leave(atom, rest):  # type: ignore[no-untyped-def]
    """How far an atom is from its rest: along and across the rest's line, angle, log scales."""
    away = atom - rest
    cos, sin = math.cos(rest[2]), math.sin(rest[2])
    away[0], away[1] = cos * away[0] + sin * away[1], cos * away[1] - sin * away[0]
    return away


@njit(cache=True)
def _worth(atom, right, own, sign, rest, stiffness):  # type: ignore[no-untyped-def]
    """Energy that the atom takes from the picture, less what it costs to leave its rest."""
    cost = (stiffness * _leave(atom, rest) ** 2).sum()
    if own[0] > 1e-6 and right[0] * sign > 0:
        return right[0] ** 2 / own[0] - cost
    return -cost


@njit(cache=True)
def fit(picture, start, sign, rest, stiffness, low, high, steps):  # type: ignore[no-untyped-def]
    """Local search for the parameters that take most energy: Levenberg and Marquardt's steps.

    Maximises c^2 - sum_i stiffness_i (p_i - rest_i)^2, with c = <picture, atom> the coefficient
    of the unit-norm atom, over the five parameters p between `low` and `high`; the place is
    counted along and across the line at rest. A coefficient of the other sign than `sign` counts
    as none.

    Returns the parameters (5,), the height by which g must be multiplied, and c.
    """
    right, own = np.empty(6), np.empty(6)
    right_new, own_new = np.empty(6), np.empty(6)
    slope, curve, move = np.empty(5), np.empty(5), np.empty(5)
    atom = start.copy()
    _products(picture, atom, right, own)
    best = _worth(atom, right, own, sign, rest, stiffness)
    damping = 1e-2
    for _ in range(steps):
        height = 0.0
        if own[0] > 1e-6 and right[0] * sign > 0:
            height = right[0] / own[0]
        for i in range(5):
            slope[i] = height * (right[i + 1] - height * own[i + 1])
        # The derivatives, less their part along g, are orthogonal to each other (but at the
        # picture's border), and their squared lengths have closed forms.
        a2, b2 = math.exp(2 * atom[3]), math.exp(2 * atom[4])
        energy = height * height * 0.75 * math.pi * math.sqrt(a2 * b2)
        curve[0] = energy * 0.5 / a2
        curve[1] = energy * 2.5 / b2
        curve[2] = energy * (1.25 * a2 / b2 + 7 / 12 * b2 / a2 - 0.5)
        curve[3] = energy * 0.5
        curve[4] = energy * 2.5
        back = _leave(atom, rest)
        slope -= stiffness * back
        move[:] = slope / ((curve + stiffness) * (1 + damping) + 1e-9)
        shift_u, shift_v = move[0], move[1]
        cos, sin = math.cos(rest[2]), math.sin(rest[2])
        move[0], move[1] = cos * shift_u - sin * shift_v, sin * shift_u + cos * shift_v
        new = np.minimum(np.maximum(atom + move, low), high)
        _products(picture, new, right_new, own_new)
        worth = _worth(new, right_new, own_new, sign, rest, stiffness)
        if worth > best:
            small = worth - best < 1e-5 * abs(worth)
            atom, best = new, worth
            right, right_new = right_new, right
            own, own_new = own_new, own
            damping *= 0.2
            if small:
                break
        else:
            damping = 10 * damping + 0.3
            if damping > 1e2:
                break
    height = 0.0
    if own[0] > 1e-6 and right[0] * sign > 0:
        height = right[0] / own[0]
    return atom, height, height * math.sqrt(own[0])


@njit(cache=True)
def step(picture, atoms, signs, rests, stiffness, low, high, steps, heights, taken):  # type: ignore[no-untyped-def]
    """Fit every atom to what the others leave of the picture; changes atoms (N, 5), heights and
    coefficients taken (N,).

    The picture becomes the residual.
    """
    for n in range(len(atoms)):
        stamp(picture, atoms[n], -heights[n])
    for n in range(len(atoms)):
        stamp(picture, atoms[n], heights[n])
        atoms[n], heights[n], taken[n] = fit(
            picture, atoms[n], signs[n], rests[n], stiffness[n], low, high, steps
        )
        stamp(picture, atoms[n], -heights[n])
