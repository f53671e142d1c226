"""Algorithm 1: each line is the exact minimiser of its part of the augmented Lagrangian."""

import copy
import itertools

import numpy as np
import pytest
import torch
from scipy.linalg import solve_sylvester
from scipy.optimize import minimize

from avsep_core.low_rank.coupled import (
    STARTS,
    Decomposition,
    Part,
    decompose,
    temporal_laplacian,
    update_C,
)

PIXELS, FREQ, T, K = 12, 9, 8, 3
SETTINGS = dict(K=K, lambda1=0.3, lambda2=0.5, lambda3=0.2, mu=0.6, rho=1.3, iterations=60)
NEVER = 1e-300


def clip(rng, pixels=PIXELS, freq=FREQ, frames=T):
    """Backgrounds of rank 2, and a few rows that follow the same three on-off curves, noise."""
    C = rng.random((3, frames)) * (np.sin(np.arange(frames) / 4 + [[0], [2], [4]]) > 0)

    def seen(rows):
        D = rng.random((rows, 3)) * (rng.random((rows, 3)) < 0.3)
        back = rng.random((rows, 2)) @ rng.random((2, frames))
        X = back + 2 * D @ C + 0.02 * rng.normal(size=(rows, frames))
        return X * np.sqrt(frames) / np.linalg.norm(X)

    return seen(pixels), seen(freq)


def scales(V, A, lambda1=0.3, lambda2=0.5, mu=0.6, **_):
    """Both weights and the first penalty in plain numbers."""
    weights = [w / max(X.shape) ** 0.5 for w, X in ((lambda1, V), (lambda2, A))]
    return weights, mu / max(np.linalg.norm(X, 2) for X in (V, A))


def lagrangian(X, B, P, D, Y, G, C, weights, mu, lambda3):
    """The formula after (4), for two modalities; its Z and F are the second Y and G."""
    total = lambda3 * np.sum(np.diff(C, axis=1) ** 2)
    for m in range(2):
        gap, other = X[m] - B[m] - D[m] @ C, D[m] @ C - P[m]
        total += np.linalg.norm(B[m], "nuc") + weights[m] * np.abs(P[m]).sum()
        total += np.sum(Y[m] * gap) + mu / 2 * np.sum(gap**2)
        total += np.sum(G[m] * other) + mu / 2 * np.sum(other**2)
    return total


class Textbook:
    """Algorithm 1 as printed: full SVDs, inverses and a library's Sylvester equation."""

    def __init__(self, V, A, lambda3=0.2, rho=1.3, **settings):
        self.X, self.lambda3, self.rho = (V, A), lambda3, rho
        self.weights, self.mu = scales(V, A, **settings)
        self.C = np.linalg.svd(np.concatenate([V, A]))[2][: settings["K"]]
        self.D = [X @ self.C.T for X in self.X]
        self.B, self.P, self.Y, self.G = ([np.zeros_like(X) for X in self.X] for _ in range(4))
        self.L = temporal_laplacian(V.shape[1]).numpy()

    def iterate(self):
        X, mu, Y, G, C = self.X, self.mu, self.Y, self.G, self.C
        for m in range(2):
            U, s, Vh = np.linalg.svd(X[m] - self.D[m] @ C + Y[m] / mu, full_matrices=False)
            self.B[m] = U @ np.diag(np.maximum(s - 1 / mu, 0)) @ Vh
            Q = self.D[m] @ C + G[m] / mu
            self.P[m] = np.sign(Q) * np.maximum(np.abs(Q) - self.weights[m] / mu, 0)
        R = [X[m] - self.B[m] + Y[m] / mu + self.P[m] - G[m] / mu for m in range(2)]
        self.D = [R[m] @ C.T @ np.linalg.inv(C @ C.T) / 2 for m in range(2)]
        M = 2 * sum(D.T @ D for D in self.D)
        right = sum(D.T @ r for D, r in zip(self.D, R, strict=True))
        self.C = C = solve_sylvester(M, 2 * self.lambda3 / mu * self.L, right)
        for m in range(2):
            Y[m] += mu * (X[m] - self.B[m] - self.D[m] @ C)
            G[m] += mu * (self.D[m] @ C - self.P[m])
        self.mu = min(self.rho * mu, 1e18)


@pytest.fixture
def step(rng):
    """One iteration from a random state: what was before, what is after, and the Lagrangian."""
    V, A = clip(rng)
    weights, _ = scales(V, A)
    mu, lambda3 = 1.7, 0.2
    parts = [
        Part(torch.from_numpy(X), torch.from_numpy(rng.normal(size=(len(X), K))), w)
        for X, w in zip((V, A), weights, strict=True)
    ]
    for part in parts:
        for name in "BPYG":
            setattr(part, name, torch.from_numpy(rng.normal(size=part.X.shape)))
    state = Decomposition(*parts, torch.from_numpy(rng.normal(size=(K, T))), mu)
    old = copy.deepcopy(state)
    new = decompose(V, A, **SETTINGS | {"mu": None, "iterations": 1}, start=state)
    assert new is state

    def split(found):
        parts = (found.video, found.audio)
        values = {name: [getattr(p, name).numpy() for p in parts] for name in "XBPDYG"}
        return values | {"C": found.C.numpy()}

    def cost(**changed):
        point = split(new) | {name: split(old)[name] for name in "YG"}
        return lagrangian(**point | changed, weights=weights, mu=mu, lambda3=lambda3)

    return split(old), split(new), cost, weights, mu


def test_B_is_the_exact_minimiser_of_its_subproblem(step):
    """mu times what was taken away has spectral norm 1 at most, and <., B> = |B|_*."""
    old, new, *_, mu = step
    for m in range(2):
        taken = mu * (old["X"][m] - old["D"][m] @ old["C"] + old["Y"][m] / mu - new["B"][m])
        assert new["B"][m].any()
        assert np.linalg.norm(taken, 2) < 1 + 1e-12
        nuclear = np.linalg.norm(new["B"][m], "nuc")
        assert np.sum(taken * new["B"][m]) == pytest.approx(nuclear, rel=1e-12)


def test_P_is_the_exact_minimiser_of_its_subproblem(step):
    """mu times what was taken away is lambda at most, and lambda times the sign wherever P is."""
    old, new, _, weights, mu = step
    for m in range(2):
        taken = mu * (old["D"][m] @ old["C"] + old["G"][m] / mu - new["P"][m])
        kept = new["P"][m] != 0
        assert 0.1 < kept.mean() < 0.99
        assert np.abs(taken).max() < weights[m] * (1 + 1e-12)
        signs = np.sign(new["P"][m][kept])
        np.testing.assert_allclose(taken[kept], weights[m] * signs, rtol=1e-9)


def test_every_random_step_away_from_B_or_P_costs_more(step, rng):
    old, new, cost, *_ = step
    before = {"D": old["D"], "C": old["C"]}
    for name, size in itertools.product("BP", [1e-3, 0.1] * 10):
        moved = [X + size * rng.normal(size=X.shape) for X in new[name]]
        assert cost(**before, **{name: moved}) > cost(**before)


def optimised(cost, start):
    """The least of a smooth cost by a generic optimiser that knows nothing of the formula."""
    exact = {"ftol": 1e-15, "gtol": 1e-9, "maxfun": 10**6}
    found = minimize(
        lambda x: cost(x.reshape(start.shape)), 0 * start.ravel(), method="L-BFGS-B", options=exact
    )
    return found.x.reshape(start.shape), found.fun


@pytest.mark.parametrize("m", [0, 1])
def test_D_is_where_a_generic_optimiser_ends(step, m):
    old, new, cost, *_ = step
    others = new["D"]

    def of_one(D):
        return cost(C=old["C"], D=[D, others[1]] if m == 0 else [others[0], D])

    D, least = optimised(of_one, others[m])
    assert of_one(others[m]) <= least + 1e-9
    np.testing.assert_allclose(others[m], D, atol=1e-4)


def test_C_is_where_a_generic_optimiser_ends(step):
    _, new, cost, *_ = step
    C, least = optimised(lambda C: cost(C=C), new["C"])
    assert cost(C=new["C"]) <= least + 1e-9
    np.testing.assert_allclose(new["C"], C, atol=1e-4)


@pytest.mark.parametrize("width", [1, 3])
def test_C_solves_the_sylvester_equation_as_a_library_and_a_long_system_do(rng, width):
    D, R = rng.normal(size=(20, K)), rng.normal(size=(20, T))
    L, smooth = temporal_laplacian(T, width=width), 0.4
    C = update_C(
        torch.from_numpy(D.T @ D), torch.from_numpy(D.T @ R), torch.linalg.eigh(L), smooth
    ).numpy()
    M, N = 2 * D.T @ D, 2 * smooth * L.numpy()
    np.testing.assert_allclose(C, solve_sylvester(M, N, D.T @ R), atol=1e-12)
    system = np.kron(M, np.eye(T)) + np.kron(np.eye(K), N)
    np.testing.assert_allclose(C.ravel(), np.linalg.solve(system, (D.T @ R).ravel()), atol=1e-12)


@pytest.mark.parametrize("iterations", [1, 2, 15, 40])
def test_fast_iterations_are_the_printed_ones(rng, iterations):
    V, A = clip(rng, 40, 20, 25)
    found = decompose(V, A, **SETTINGS | {"iterations": iterations, "tolerance": NEVER})
    book = Textbook(V, A, **SETTINGS)
    for _ in range(iterations):
        book.iterate()
    for m, part in enumerate((found.video, found.audio)):
        for name in "BPYG":
            np.testing.assert_allclose(
                getattr(part, name), getattr(book, name)[m], atol=1e-9, err_msg=name
            )
        np.testing.assert_allclose(part.D @ found.C, book.D[m] @ book.C, atol=1e-9)
    assert found.mu == pytest.approx(book.mu)


def test_all_four_constraints_are_met_to_one_in_a_million_and_then_it_stops(rng):
    V, A = clip(rng, 200, 60, 40)
    found = decompose(V, A, **SETTINGS | {"iterations": 200, "tolerance": 1e-6})
    rounds = len(found.mus)
    assert found.converged < 1e-6 <= max(found.residuals[-2])
    assert 20 < rounds < 200
    assert len(found.residuals) == len(found.objective) == len(found.ranks) == rounds
    for m, (part, X) in enumerate(((found.video, V), (found.audio, A))):
        DC, size = (part.D @ found.C).numpy(), np.linalg.norm(X)
        first = np.linalg.norm(X - part.B.numpy() - DC) / size
        second = np.linalg.norm(DC - part.P.numpy()) / size
        assert found.residuals[-1][2 * m : 2 * m + 2] == pytest.approx((first, second))
        np.testing.assert_allclose(part.B + part.P, X, atol=1e-5)
    assert torch.equal(found.P_v, found.video.P)
    assert torch.equal(found.P_a, found.audio.P)


def test_objective_and_ranks_are_those_of_problem_4(rng):
    V, A = clip(rng, 40, 20, 25)
    found = decompose(V, A, **SETTINGS | {"iterations": 12})
    weights, _ = scales(V, A)
    wanted = 0.2 * np.sum(np.diff(found.C.numpy(), axis=1) ** 2)
    for w, part in zip(weights, (found.video, found.audio), strict=True):
        wanted += np.linalg.norm(part.B.numpy(), "nuc") + w * np.abs(part.P.numpy()).sum()
    assert found.objective[-1] == pytest.approx(wanted, rel=1e-6)
    ranks = tuple(np.linalg.matrix_rank(p.B.numpy()) for p in (found.video, found.audio))
    assert 0 < ranks[0] < ranks[1] < 20
    assert found.ranks[-1] == ranks
    assert found.ranks[0] == (0, 0)  # mu below 1: the first threshold is above all there is


def test_penalty_grows_by_rho_and_no_further_than_the_cap(rng):
    V, A = clip(rng)
    _, first = scales(V, A)
    mus = decompose(V, A, **SETTINGS | {"rho": 2.0, "iterations": 70, "tolerance": NEVER}).mus
    np.testing.assert_allclose(mus, np.minimum(first * 2.0 ** np.arange(70), 1e18), rtol=1e-12)
    steady = decompose(V, A, **SETTINGS | {"rho": 1.0, "iterations": 5}).mus
    assert len(set(steady)) == 1


def test_watching_and_a_bar_change_nothing(rng, capsys):
    V, A = clip(rng)
    plain, seen = decompose(V, A, **SETTINGS), []

    def watch(k, found):
        seen.append((k, len(found.mus), float(found.P_v.norm())))

    watched = decompose(V, A, **SETTINGS, watch=watch, progress=True)
    assert torch.equal(plain.P_v, watched.P_v)
    assert [s[:2] for s in seen] == [(k, k + 1) for k in range(len(plain.mus))]
    assert seen[-1][2] == float(plain.P_v.norm())
    assert "low rank and sparse" in capsys.readouterr().err


def test_thirty_and_thirty_iterations_are_sixty(rng):
    V, A = clip(rng, 60, 30, 25)
    whole = decompose(V, A, **SETTINGS | {"tolerance": NEVER})
    half = SETTINGS | {"iterations": 30, "tolerance": NEVER}
    begun = decompose(V, A, **half)
    again = decompose(V, A, **half | {"mu": None}, start=begun)
    assert torch.equal(again.P_v, whole.P_v)
    assert torch.equal(again.C, whole.C)
    assert again.mus == whole.mus
    assert again.residuals == whole.residuals


def test_with_a_penalty_it_begins_anew_from_D_and_C_alone(rng):
    V, A = clip(rng)
    first = decompose(V, A, **SETTINGS)
    kept = copy.deepcopy(first)
    second = decompose(V, A, **SETTINGS | {"iterations": 1}, start=first)
    assert second.mus == first.mus[:1]
    assert torch.equal(first.P_v, kept.P_v)
    assert torch.equal(first.video.D, kept.video.D)
    tau = scales(V, A)[0][0] / second.mus[0]  # G is zero again: P is D C shrunk
    DC = kept.video.D @ kept.C
    torch.testing.assert_close(second.P_v, DC - DC.clamp(-tau, tau))


def test_new_weights_count_when_it_goes_on(rng):
    V, A = clip(rng)
    begun = decompose(V, A, **SETTINGS | {"iterations": 5})
    on = decompose(V, A, **SETTINGS | {"mu": None, "lambda1": 50.0}, start=begun)
    assert not on.P_v.any()


def test_printed_start_never_leaves_zero(rng):
    V, A = clip(rng)
    found = decompose(V, A, **SETTINGS, start="zeros")
    for X in (found.P_v, found.P_a, found.C, found.video.D):
        assert not X.any()
    assert decompose(V, A, **SETTINGS, start="svd").P_v.any()


@pytest.mark.parametrize("start", ["svd", "audio", "video"])
def test_first_P_is_the_strongest_curves_of_what_it_starts_from_shrunk(rng, start):
    V, A = clip(rng, 40, 20, 25)
    found = decompose(V, A, **SETTINGS | {"iterations": 1}, start=start)
    rows = {"svd": np.concatenate([V, A]), "audio": A, "video": V}[start]
    C, tau = np.linalg.svd(rows)[2][:K], scales(V, A)[0][0] / found.mus[0]
    DC = V @ C.T @ C
    np.testing.assert_allclose(found.P_v, DC - DC.clip(-tau, tau), atol=1e-12)


@pytest.mark.parametrize("start", [s for s in STARTS if s != "zeros"])
def test_every_other_start_meets_the_constraints_repeats_itself_and_spares_the_clip(rng, start):
    V, A = clip(rng, 40, 20, 25)
    kept = V.copy(), A.copy()
    settings = SETTINGS | {"iterations": 200, "tolerance": 1e-6, "start": start}
    found = decompose(V, A, **settings)
    assert found.converged < 1e-6
    assert torch.equal(found.P_v, decompose(V, A, **settings).P_v)
    assert np.array_equal(V, kept[0])
    assert np.array_equal(A, kept[1])
    other = decompose(V, A, **settings, seed=1)
    assert torch.equal(found.P_v, other.P_v) is (start != "random")


def test_smoothness_can_be_had_for_nothing_by_scaling(rng):
    """Problem (4) is degenerate: (a D, C / a) is as good in all else and a squared smoother."""
    V, A = clip(rng)
    found = decompose(V, A, **SETTINGS)
    L = temporal_laplacian(T)
    for a in (10.0, 1000.0):
        torch.testing.assert_close((a * found.video.D) @ (found.C / a), found.video.D @ found.C)
        smooth, rough = (torch.trace(C @ L @ C.T) for C in (found.C / a, found.C))
        torch.testing.assert_close(smooth, rough / a**2)


def test_only_lambda3_relative_to_the_scale_of_the_start_counts(rng):
    V, A = clip(rng)
    first = decompose(V, A, **SETTINGS | {"iterations": 1})
    scaled = copy.deepcopy(first)
    for part in (scaled.video, scaled.audio):
        part.D *= 10
    scaled.C /= 10
    plain = decompose(V, A, **SETTINGS, start=first)
    same = decompose(V, A, **SETTINGS | {"lambda3": 0.2 * 100}, start=scaled)
    other = decompose(V, A, **SETTINGS, start=scaled)
    torch.testing.assert_close(same.P_v, plain.P_v, rtol=0, atol=1e-9)
    assert (other.P_v - plain.P_v).norm() > 1e-3 * plain.P_v.norm()


def test_picture_and_sound_may_change_places(rng):
    V, A = clip(rng, 40, 20, 25)
    there = decompose(V, A, **SETTINGS)
    back = decompose(A, V, **SETTINGS | {"lambda1": 0.5, "lambda2": 0.3})
    torch.testing.assert_close(there.P_v, back.P_a, rtol=0, atol=1e-9)
    torch.testing.assert_close(there.P_a, back.P_v, rtol=0, atol=1e-9)


def test_shuffled_pixels_give_shuffled_parts(rng):
    V, A = clip(rng, 40, 20, 25)
    order = torch.from_numpy(rng.permutation(40))
    plain, shuffled = decompose(V, A, **SETTINGS), decompose(V[order], A, **SETTINGS)
    torch.testing.assert_close(shuffled.P_v, plain.P_v[order], rtol=0, atol=1e-9)
    torch.testing.assert_close(shuffled.P_a, plain.P_a, rtol=0, atol=1e-9)


def test_float32_agrees_with_float64_to_five_digits(rng):
    V, A = clip(rng, 600, 160, 60)
    settings = SETTINGS | {"K": 5, "lambda3": 0.01, "tolerance": NEVER}
    exact = decompose(V, A, **settings)
    found = decompose(V.astype(np.float32), A.astype(np.float32), **settings)
    assert found.P_v.dtype == torch.float32
    for name in "BP":
        for part, wanted in ((found.video, exact.video), (found.audio, exact.audio)):
            difference = getattr(part, name).double() - getattr(wanted, name)
            assert difference.norm() < 1e-5 * getattr(wanted, name).norm()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_runs_it_unchanged(rng):
    V, A = clip(rng, 600, 160, 60)
    here = decompose(V, A, **SETTINGS)
    there = decompose(V, A, **SETTINGS, device="cuda")
    assert there.P_v.device.type == "cuda"
    torch.testing.assert_close(there.P_v.cpu(), here.P_v, rtol=0, atol=1e-8)
    torch.testing.assert_close(there.P_a.cpu(), here.P_a, rtol=0, atol=1e-8)
