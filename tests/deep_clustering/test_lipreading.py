"""The first lesson: how loud a voice is in each band, guessed from lips alone."""

import numpy as np
import pytest
import torch
from torch import nn

from avsep_core.deep_clustering import lipreading
from avsep_core.deep_clustering.features import STFT
from avsep_core.deep_clustering.lipreading import BANDS, RANGE, LipReader, Reading, bands
from tests.deep_clustering.small import TINY, pictures

PICTURES = 25
TIME = torch.arange(STFT.rate) / STFT.rate


def tone(hertz, level=1.0):
    return level * torch.sin(2 * torch.pi * hertz * TIME)


@pytest.mark.parametrize(("band", "row"), [*enumerate([4, 11, 20, 32, 44, 62, 84, 112])])
def test_a_tone_lies_in_one_band(band, row):
    hertz = row * STFT.rate / STFT.fft  # in the middle of a row of the spectrogram: no leakage
    told = bands(tone(hertz)[None], PICTURES)[0]
    assert told.shape == (PICTURES, BANDS)
    inside = told[2:-2]
    assert (inside[:, band] > 0.99).all()
    assert ((inside > 0).sum(1) == 1).all()


def test_bands_go_from_low_to_high_and_are_wider_the_higher_they_are():
    sweep = [200 * k for k in range(1, 20)]
    where = [int(bands(tone(f)[None], PICTURES)[0, 12].argmax()) for f in sweep]
    assert where == sorted(where) and {where[0], where[-1]} == {0, BANDS - 1}
    assert where.count(BANDS - 1) > where.count(1)


def test_silence_is_zero_in_every_band():
    assert not bands(torch.zeros(2, STFT.rate), PICTURES).any()


def test_levels_are_relative_to_the_loudest_band_and_linear_in_decibels():
    two = tone(400) + tone(1700, 10 ** (-20 / 20))
    told = bands(two[None], PICTURES)[0, 5:-5]
    top, next_to = told.sort(dim=1, descending=True).values[:, :2].T
    wider = 20 / 8  # rows in the two bands; a band's power is the mean of its rows
    wanted = torch.full_like(top, 1 - (20 + 10 * np.log10(wider)) / RANGE)
    assert (top > 0.99).all()
    torch.testing.assert_close(next_to, wanted, atol=0.02, rtol=0)
    torch.testing.assert_close(bands(100 * two[None], PICTURES), bands(two[None], PICTURES))


def test_bands_are_told_for_the_instant_at_which_a_picture_is_shown():
    half = tone(1000) * (TIME >= 0.52)
    told = bands(half[None], PICTURES)[0].amax(1)
    assert not told[:12].any() and (told[14:-1] > 0.9).all()
    assert bands(half[None, :4000], PICTURES).shape == (1, PICTURES, BANDS), "shorter than shown"


def test_a_reader_guesses_the_bands_of_each_picture_from_lips_alone():
    mouths, flow = (x[:, 0] for x in pictures(1, 6, batch=3))
    made = LipReader(TINY)
    assert made(mouths, flow).shape == (3, 6, BANDS)
    loss = lipreading.reading_loss(
        made, {"mouths": mouths[:, None], "flow": flow[:, None], "sources": torch.randn(3, 1, 1920)}
    )
    loss.backward()
    assert made.lips.pictures.look[0].weight.grad.any(), "it teaches the first convolution"


class Murmurs:
    """Mixtures of one talker; the lips tell which."""

    def __getitem__(self, number):
        drawn = torch.Generator().manual_seed(number)
        mouths, flow = pictures(1, PICTURES)
        mouths[:] = number
        sources = torch.randn(1, STFT.rate, generator=drawn).cumsum(1)
        return {"sources": sources, "mouths": mouths[0], "flow": flow[0]}


class Knowing(nn.Module):
    """Knows what is said, tells it with a gain and an offset."""

    def __init__(self, gain=1.0, offset=0.0):
        super().__init__()
        self.gain, self.offset = nn.Parameter(torch.tensor(gain)), offset

    def forward(self, mouths, flow):
        said = [bands(Murmurs()[int(m.flatten()[0])]["sources"], PICTURES) for m in mouths]
        return torch.cat(said) * self.gain + self.offset


@pytest.mark.parametrize(("gain", "offset", "correlation"), [(1, 0, 1), (0.5, 2, 1), (-1, 0, -1)])
def test_correlation_forgives_gain_and_offset_and_the_loss_does_not(gain, offset, correlation):
    found = Reading(Murmurs(), count=3)(Knowing(float(gain), offset))
    assert found["correlation"] == pytest.approx(correlation, abs=1e-5)
    assert (found["loss"] < 1e-9) is (correlation == 1 and gain == 1)


def test_the_loss_of_training_is_that_of_the_check():
    made = Knowing(0.7)
    batch = torch.utils.data.default_collate([Murmurs()[n] for n in range(3)])
    found = Reading(Murmurs(), count=3)(made)["loss"]
    assert lipreading.reading_loss(made, batch).item() == pytest.approx(found, rel=1e-5)
    assert np.isfinite(found) and found > 0
