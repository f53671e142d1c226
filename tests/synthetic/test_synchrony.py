"""Sound and picture agree within one frame, measured in pixels and samples."""

import numpy as np
import pytest

from avsep_core.synthetic import talkers
from avsep_core.synthetic.face import film, wander
from avsep_core.synthetic.mouth import move
from avsep_core.synthetic.phonemes import Phoneme
from tests.synthetic.pixels import crop_lips

FRAMES = 75


@pytest.fixture(scope="module")
def utterances():
    chosen = talkers.TALKERS[::4]
    kinds = talkers.KINDS
    return [talkers.speak(t, kind=kinds[i % 3], seed=40 + i) for i, t in enumerate(chosen)]


def seen_opening(utterance):
    """How far each frame's lips differ from shut ones, from the pixels alone, (T,)."""
    crops = crop_lips(utterance.clip.frames, utterance.lips)
    shut = crops[utterance.opening < 0.01]
    return np.sqrt(np.mean((crops - np.median(shut, axis=0)) ** 2, axis=(1, 2, 3)))


def loudness(utterance):
    samples = utterance.clip.audio[: FRAMES * 640].reshape(FRAMES, 640)
    return np.sqrt(np.sqrt(np.mean(samples**2, axis=1)))


def correlation_at(lag, opening, sound):
    return np.corrcoef(opening[8:-8], np.roll(sound, lag)[8:-8])[0, 1]


def test_lips_are_shut_in_the_pixels_where_p_b_and_m_are_heard(utterances):
    hits, total = 0, 0
    for u in utterances:
        opening = seen_opening(u)
        wide = np.quantile(opening, 0.9)
        for p in u.phonemes:
            if p.viseme != "pbm" or p.release > 2.9:
                continue
            first = int(np.floor(min(p.start, p.release - 0.04) * 25))
            last = int(np.floor(p.release * 25))
            window = opening[max(first - 1, 0) : last + 2]
            hits += window.min() < 0.4 * wide
            total += 1
    assert total >= 20
    assert hits >= 0.95 * total


def test_lips_open_wide_in_the_pixels_where_open_vowels_are_heard(utterances):
    open_, shut = [], []
    for u in utterances:
        opening = seen_opening(u)
        for p in u.phonemes:
            middle = min(int(0.5 * (p.start + min(p.release, p.end)) * 25), FRAMES - 1)
            if p.viseme in ("ah", "ae") and p.end - p.start > 0.08:
                open_.append(opening[middle])
            if p.viseme == "pbm" and p.release - p.start > 0.04:
                shut.append(opening[middle])
    assert np.median(open_) > 3 * np.median(shut)


def test_mouth_and_sound_rise_and_fall_together_within_a_frame(utterances):
    lags = range(-5, 6)
    curves = np.array(
        [[correlation_at(k, u.opening, loudness(u)) for k in lags] for u in utterances]
    )
    best = [lags[i] for i in curves.argmax(1)]
    assert abs(np.mean(best)) <= 1
    assert np.mean(np.abs(best) <= 1) >= 0.9
    mean = curves.mean(0)
    assert mean[5] > 0.4
    assert mean[0] < mean[5] - 0.3 and mean[10] < mean[5] - 0.3


def test_pixels_of_the_mouth_tell_the_loudness_better_in_step_than_out_of_step(utterances):
    in_step = np.mean([correlation_at(0, seen_opening(u), loudness(u)) for u in utterances])
    out = np.mean([correlation_at(5, seen_opening(u), loudness(u)) for u in utterances])
    assert in_step > 0.35 and out < in_step - 0.25


def test_the_chin_drops_with_the_jaw():
    bearded = next(t for t in talkers.TALKERS if t.look.beard == "beard")
    times = np.array([0.1, 0.5])
    mouth = move((Phoneme("A:", 0.4, 0.6, "ah", 0.6),), times)
    still = wander(np.random.default_rng(0), times * 0, times * 0)
    frames = film(bearded, mouth, still, size=128).frames
    column = frames[:, 100:119, 62:66].mean((2, 3))
    between = 0.5 * (column.min() + column.max())
    below_beard = (column > between).argmax(1)
    assert 2 <= below_beard[1] - below_beard[0] <= 8
