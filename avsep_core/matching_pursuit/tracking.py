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
def _box(atom, height, width):  # type: ignore[no-untyped-def]
    """Return the rows and columns that an atom reaches within the picture: y0, y1, x0, x1."""
    a2, b2 = math.exp(2 * atom[3]), math.exp(2 * atom[4])
    c2, s2 = math.cos(atom[2]) ** 2, math.sin(atom[2]) ** 2
    wide = math.sqrt(REACH * (a2 * c2 + b2 * s2))
    high = math.sqrt(REACH * (a2 * s2 + b2 * c2))
    return (
        max(0, math.ceil(atom[1] - high)),
        min(height, math.floor(atom[1] + high) + 1),
        max(0, math.ceil(atom[0] - wide)),
        min(width, math.floor(atom[0] + wide) + 1),
    )


@njit(cache=True)
def draw(atom, height, width):  # type: ignore[no-untyped-def]
    """Return the unit-norm atom on the pixels that it reaches, its top row and its left column."""
    y0, y1, x0, x1 = _box(atom, height, width)
    patch = np.zeros((max(0, y1 - y0), max(0, x1 - x0)))
    cos, sin = math.cos(atom[2]), math.sin(atom[2])
    along, across = math.exp(-2 * atom[3]), math.exp(-2 * atom[4])
    energy = 0.0
    for i in range(patch.shape[0]):
        for j in range(patch.shape[1]):
            dx, dy = x0 + j - atom[0], y0 + i - atom[1]
            r = (cos * dx + sin * dy) ** 2 * along
            q = (cos * dy - sin * dx) ** 2 * across
            if r + q < REACH:
                patch[i, j] = (1 - q) * math.exp(-0.5 * (r + q))
                energy += patch[i, j] ** 2
    if energy > 0:
        patch /= math.sqrt(energy)
    return patch, y0, x0


@njit(cache=True, fastmath=True)
def _products(picture, atom, right, own):  # type: ignore[no-untyped-def]
    """Inner products of g and of its derivatives with the picture, and with g itself.

    Fills right (6,) and own (6,): g, then its derivatives in u, v, angle, log a and log b, where u
    and v shift it along its line and across. g is not normalised.
    """
    height, width = picture.shape
    cos, sin = math.cos(atom[2]), math.sin(atom[2])
    along, across = math.exp(-2 * atom[3]), math.exp(-2 * atom[4])
    # u^2/a^2 + v^2/b^2 = A dx^2 + 2 B dx dy + C dy^2
    A = cos * cos * along + sin * sin * across
    B = cos * sin * (along - across)
    C = sin * sin * along + cos * cos * across
    right[:] = 0.0
    own[:] = 0.0
    high = math.sqrt(REACH * A / (A * C - B * B))
    for y in range(
        max(0, math.ceil(atom[1] - high)), min(height - 1, math.floor(atom[1] + high)) + 1
    ):
        dy = y - atom[1]
        half = (B * dy) ** 2 - A * (C * dy * dy - REACH)
        if half <= 0:
            continue
        half = math.sqrt(half) / A
        x0 = max(0, math.ceil(atom[0] - B * dy / A - half))
        x1 = min(width - 1, math.floor(atom[0] - B * dy / A + half))
        # exp of a quadratic: from pixel to pixel it is multiplied by a factor that is itself
        # multiplied by a constant.
        dx = x0 - atom[0]
        e = math.exp(-0.5 * (A * dx * dx + 2 * B * dx * dy + C * dy * dy))
        factor = math.exp(-0.5 * (A * (2 * dx + 1) + 2 * B * dy))
        constant = math.exp(-A)
        for x in range(x0, x1 + 1):
            dx = x - atom[0]
            u, v = cos * dx + sin * dy, cos * dy - sin * dx
            r, q = u * u * along, v * v * across
            g = (1 - q) * e
            bent = (3 - q) * e
            du, dv = u * along * g, v * across * bent
            turn = u * dv - v * du
            value = picture[y, x]
            right[0] += value * g
            right[1] += value * du
            right[2] += value * dv
            right[3] += value * turn
            right[4] += value * r * g
            right[5] += value * q * bent
            own[0] += g * g
            own[1] += g * du
            own[2] += g * dv
            own[3] += g * turn
            own[4] += g * r * g
            own[5] += g * q * bent
            e *= factor
            factor *= constant


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

    Returns the parameters (5,) and c.
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
            small = worth - best < 1e-4 * abs(worth)
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
    taken = 0.0
    if own[0] > 1e-6 and right[0] * sign > 0:
        taken = right[0] / math.sqrt(own[0])
    return atom, taken


@njit(cache=True)
def step(picture, atoms, signs, rests, stiffness, low, high, steps, taken):  # type: ignore[no-untyped-def]
    """Fit every atom to the picture from where it was: changes atoms (N, 5) and taken (N,)."""
    for n in range(len(atoms)):
        atoms[n], taken[n] = fit(
            picture, atoms[n], signs[n], rests[n], stiffness[n], low[n], high[n], steps
        )


@njit(cache=True)
def add(picture, atom, coefficient):  # type: ignore[no-untyped-def]
    """Add an atom to a picture, in place."""
    patch, y0, x0 = draw(atom, picture.shape[0], picture.shape[1])
    for i in range(patch.shape[0]):
        for j in range(patch.shape[1]):
            picture[y0 + i, x0 + j] += coefficient * patch[i, j]


@njit(cache=True)
def step_residual(picture, atoms, signs, rests, stiffness, low, high, steps, taken):  # type: ignore[no-untyped-def]
    """As `step`, but each atom sees what the other atoms leave of the picture, plus itself."""
    for n in range(len(atoms)):
        add(picture, atoms[n], -taken[n])
    for n in range(len(atoms)):
        add(picture, atoms[n], taken[n])
        atoms[n], taken[n] = fit(
            picture, atoms[n], signs[n], rests[n], stiffness[n], low[n], high[n], steps
        )
        add(picture, atoms[n], -taken[n])
