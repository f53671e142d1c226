"""The voice: eSpeak NG made repeatable, and its phonemes put where they are heard."""

import itertools
import sys

import numpy as np
import pytest

from avsep_core.synthetic import cast
from avsep_core.synthetic.phonemes import VISEMES, align, shapes
from avsep_core.synthetic.speech import NATIVE_RATE, synthesise


@pytest.mark.parametrize("sex", ["f", "m"])
def test_the_same_words_give_the_same_samples_whatever_was_said_before(sex):
    for variant in cast.BASE_PITCH[sex]:
        voice = f"en-us+{variant}"
        first, events = synthesise("zoo please", voice=voice)
        synthesise("something else in between", voice="en-gb-scotland+f2", pitch=70)
        again, same = synthesise("zoo please", voice=voice)
        np.testing.assert_array_equal(first, again)
        assert events == same


@pytest.mark.parametrize("accent", sorted(set(cast.ACCENTS)))
def test_every_phoneme_of_every_accent_has_a_known_mouth_shape(accent):
    text = "the judge chose a thick yellow vase, measured the boy's four ears, hung it up now"
    known = {s for symbols in VISEMES.values() for s in symbols}
    for p in align(*synthesise(text, voice=accent)):
        shape = shapes(p.symbol)
        neutral = shape == ("kg",) and p.symbol not in known
        assert not neutral, f"{p.symbol} of {accent} has no mouth shape of its own"


def _amplitude(samples, start, end):
    piece = np.diff(samples[int(start * NATIVE_RATE) : int(end * NATIVE_RATE)])
    return np.sqrt(np.mean(piece**2))


@pytest.mark.parametrize("voice", ["en-us", "en+m1", "en-us+f3", "en-gb-scotland+f1"])
@pytest.mark.parametrize("stop", ["p", "b", "m"])
def test_shut_lips_are_quiet_and_opening_lips_are_loud(voice, stop):
    samples, events = synthesise(f"a {stop}ow, a {stop}ie, a {stop}ee", voice=voice)
    phonemes = align(samples, events)
    checked = 0
    for before, p, after in zip(phonemes, phonemes[1:], phonemes[2:], strict=False):
        if p.symbol != stop or before.viseme == "rest":
            continue
        middle = 0.5 * (p.start + p.release)
        shut = _amplitude(samples, middle - 0.01, middle + 0.01)
        opened = _amplitude(samples, after.start, after.start + 0.06)
        assert shut < 0.4 * opened
        assert p.release - p.start > 0.03
        checked += 1
    assert checked >= 3


def test_phonemes_follow_each_other_without_gap_and_let_go_before_they_end():
    phonemes = align(*synthesise("place blue by P two, my happy number", voice="en-us+m7"))
    for p, following in itertools.pairwise(phonemes):
        assert p.start < p.end == following.start
        assert p.start <= p.release <= p.end


def test_unknown_voices_and_empty_texts_are_refused():
    with pytest.raises(ValueError, match="no voice 'nobody\\+x9'"):
        synthesise("hello", voice="nobody+x9")
    with pytest.raises(ValueError, match="empty text"):
        synthesise("  ", voice="en-us")


def test_a_missing_engine_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(ValueError, match="pip install espeakng-loader"):
        synthesise("hello", voice="en-us")
