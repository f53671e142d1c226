"""Performances by number, and a store of them."""

import numpy as np
import pytest

from avsep_core.corpora.ensembles import DUETS, SOLOS, VIEWS, Ensembles, drawn, write
from avsep_core.synthetic import band
from avsep_core.synthetic.musicians import STRIP


def test_every_instrument_is_cast_alone_and_with_every_other():
    assert len(SOLOS) == 9 and len(DUETS) == 36
    assert {name for cast in DUETS for name in cast} == set(band.INSTRUMENTS)


def test_a_performance_is_a_function_of_its_number():
    make = drawn(SOLOS, seconds=2)
    a, b, other = make(4), make(4), make(13)
    assert a.instruments == other.instruments == SOLOS[4]
    assert np.array_equal(a.audio, b.audio) and not np.array_equal(a.audio, other.audio)
    assert np.array_equal(a.scene.picture(1.0), b.scene.picture(1.0))


def test_splits_are_other_performances():
    audio = [drawn(SOLOS, seconds=2, split=split)(3).audio for split in ("train", "test")]
    assert not np.array_equal(*audio)


def test_somebody_may_be_seen_who_does_not_play():
    made = drawn(SOLOS, seconds=2, silent=1.0)(0)
    assert len(made.instruments) == 2 and sorted(made.playing) == [False, True]
    silent = made.playing.index(False)
    assert not made.sources[silent].any() and made.sources[1 - silent].any()


def test_there_may_be_sound_that_nobody_makes():
    made = drawn(SOLOS, seconds=2, noisy=1.0)(0)
    assert made.background.any()
    assert np.allclose(made.audio, made.sources.sum(0) + made.background)
    assert not drawn(SOLOS, seconds=2)(0).background.any()


def test_a_store_keeps_sound_pictures_and_boxes(tmp_path):
    make = drawn([*SOLOS[:1], *DUETS[:1]], seconds=2)
    kept = write(tmp_path, make, 2)
    assert len(kept) == 2 and kept.instruments == [make(k).instruments for k in range(2)]
    assert np.abs(kept.audio[1] / 32767 - make(1).audio).max() < 1 / 32767
    assert kept.views(0).shape == (VIEWS, 120, STRIP, 3)
    assert kept.views(1).shape == (VIEWS, 120, 2 * STRIP, 3)
    assert np.isfinite(kept.boxes[1, :, :2]).all() and np.isnan(kept.boxes[0, :, 1:]).all()
    assert (kept.boxes[0, :, 0, 2:] > 5).all()
    again = write(tmp_path, None, 2)
    assert np.array_equal(again.pictures, kept.pictures)


def test_what_cannot_be_cast_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected one cast or more"):
        drawn([])
    with pytest.raises(ValueError, match="train, validation, test"):
        drawn(SOLOS, split="dev")
    with pytest.raises(ValueError, match="no complete store"):
        Ensembles(tmp_path)
