"""Controls: what is exchanged is exchanged, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from avsep_core.clip import Clip
from avsep_core.low_rank import controls, coupled, matrices
from avsep_core.low_rank.rpca import rpca


def film(seed, frames=40, fps=25.0):
    """Noise to see and to hear."""
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, (frames, 16, 20, 3), dtype=np.uint8)
    sound = (0.1 * rng.standard_normal(round(frames / fps * 8000))).astype(np.float32)
    return matrices.of_clip(Clip(pictures, fps, sound, 8000))


def sparse_events(rows, frames, seed):
    """A steady background and, in a few rows, events at some times."""
    rng = np.random.default_rng(seed)
    X = np.outer(rng.random(rows) + 0.5, np.ones(frames))
    course = (rng.random(frames) < 0.2) * 3.0
    X[: rows // 6] += course
    return X + 0.01 * rng.standard_normal(X.shape), course


def test_a_modality_alone_does_not_feel_its_faint_partner(monkeypatch):
    X, _ = sparse_events(40, 60, 0)
    found = controls.alone(X, K=3, lambda2=1.0)
    monkeypatch.setattr(controls, "FAINT", 1e-8)
    again = controls.alone(X, K=3, lambda2=1.0)
    assert np.linalg.norm(found - again) < 1e-4 * np.linalg.norm(found)
    assert found.abs().sum() > 0


def test_a_partner_with_another_course_does_change_what_is_found():
    V, _ = sparse_events(120, 60, 1)
    A, _ = sparse_events(40, 60, 2)
    V, A = (X / np.linalg.norm(X) for X in (V, A))
    together = coupled.decompose(V, A, K=1, lambda1=1.0, lambda2=1.0).P_v
    alone = controls.alone(V, K=1, lambda2=1.0)
    assert np.linalg.norm(together - alone) > 0.1 * np.linalg.norm(alone)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_sound_decides_for_the_weaker_of_two_movers_and_the_picture_alone_does_not(seed):
    rng = np.random.default_rng(seed)
    heard, silent = np.clip(rng.normal(size=(2, 60)), 0, None) ** 2
    V = 0.2 + 0.05 * rng.standard_normal((1000, 60))
    V[:10] += heard / np.linalg.norm(heard)
    V[10:20] += 1.5 * silent / np.linalg.norm(silent)
    A = np.abs(0.2 + 0.05 * rng.standard_normal((80, 60)))
    A[:20] += 3 * heard
    V, A = (X / np.linalg.norm(X) for X in (V, A))

    def share(P):
        return float(P[:10].square().sum() / P[:20].square().sum())

    assert share(coupled.decompose(V, A, K=1, lambda1=0.3).P_v) > 0.95
    assert share(controls.alone(V, K=1, lambda2=0.3)) < 0.5


def test_the_wrong_sound_comes_with_all_that_belongs_to_it():
    picture, sound = film(0), film(1)
    mixed = controls.with_sound_of(picture, sound)
    assert np.array_equal(mixed.V, picture.V) and np.array_equal(mixed.A, sound.A)
    np.testing.assert_allclose(mixed.sound(mixed.A), sound.mixture, atol=1e-5)


def test_the_longer_of_two_clips_is_cut():
    picture, sound = film(0, frames=40), film(1, frames=60)
    mixed = controls.with_sound_of(picture, sound)
    assert mixed.V.shape[1] == mixed.A.shape[1] == len(mixed.times) == 39
    assert controls.with_sound_of(sound, picture).V.shape[1] == 39
    # The sound goes on after the last picture, with the mask of the last instant.
    assert len(mixed.sound(mixed.A)) == len(sound.mixture)


def test_clips_of_different_frame_rates_are_not_mixed():
    with pytest.raises(ValueError, match="frame rates"):
        controls.with_sound_of(film(0), film(1, fps=30.0))


def test_two_rpcas_know_nothing_of_one_another():
    seen = film(2)
    P_v, P_a = controls.two_rpcas(seen, lam_v=0.5, lam_a=2.0)
    other = replace(seen, A=film(3).A)
    assert np.array_equal(P_v, controls.two_rpcas(other, lam_v=0.5, lam_a=2.0)[0])
    assert np.array_equal(P_v, rpca(seen.V, lam=0.5).sparse)
    assert np.array_equal(P_a, rpca(seen.A, lam=2.0).sparse)
