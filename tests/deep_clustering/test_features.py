"""Levels, targets, lips and flow."""

import numpy as np
import pytest
import torch

from avsep_core.deep_clustering import features


@pytest.fixture
def spectra():
    torch.manual_seed(0)
    return features.STFT.forward(torch.randn(2, 3, 4000, dtype=torch.float64))  # (batch, sources)


def test_levels_do_not_depend_on_loudness(spectra):
    X = spectra.sum(1)
    assert torch.allclose(features.levels(X), features.levels(100 * X))
    assert features.levels(X).amax(dim=(-2, -1)).abs().max() < 1e-12
    assert features.levels(X).shape == (2, X.shape[-1], 129)


def test_silence_has_levels():
    assert torch.isfinite(features.levels(torch.zeros(1, 129, 5, dtype=torch.complex64))).all()
    assert not features.loud(torch.zeros(1, 129, 5, dtype=torch.complex64)).any()


def test_loud_bins_are_those_within_forty_decibels():
    X = torch.tensor([[[1.0, 0.011, 0.009]]], dtype=torch.complex64)
    assert features.loud(X)[0, :, 0].tolist() == [True, True, False]


def test_targets_name_the_loudest_source(spectra):
    Y = features.targets(spectra)
    assert Y.shape == (2, spectra.shape[-1], 129, 3)
    assert (Y.sum(-1) == 1).all()
    assert torch.equal(Y.argmax(-1), spectra.abs().argmax(1).transpose(-1, -2))


def test_lips_are_cut_where_they_are():
    faces = np.zeros((2, 64, 64), np.uint8)
    faces[:, 48:56, 24:40] = 200
    cut = features.lips(faces, (32, 48))
    assert cut.shape == (2, 32, 48)
    rows, columns = np.nonzero(cut[0] > 100)
    assert abs(rows.mean() - 15.5) < 1.5
    assert abs(columns.mean() - 23.5) < 1


def test_flow_of_a_shifted_picture_is_the_shift():
    rng = np.random.default_rng(0)
    wall = np.kron(rng.integers(0, 255, (14, 18)), np.ones((4, 4))).astype(np.uint8)
    mouths = np.stack([wall[8 : 8 + 32, 8 - 2 * t : 8 - 2 * t + 48] for t in range(3)])
    flow = features.motion(mouths)
    assert flow.shape == (3, 2, 32, 48)
    middle = flow[1, :, 8:-8, 8:-8].reshape(2, -1)
    assert np.allclose(np.median(middle, axis=1), (2, 0), atol=0.2)
    assert np.array_equal(flow[0], flow[1])


def test_one_picture_does_not_move():
    assert not features.motion(np.zeros((1, 32, 48), np.uint8)).any()


def test_faces_that_are_not_square_are_refused():
    with pytest.raises(ValueError, match="side, side"):
        features.lips(np.zeros((2, 64, 32), np.uint8))
