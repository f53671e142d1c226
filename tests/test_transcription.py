"""What the recogniser hears in clean and in noisy speech, and how its errors are counted."""

import sys

import numpy as np
import pytest

from avsep_core.synthetic.talkers import speak_audio
from avsep_core.transcription import transcribe, vocabulary, word_error_rate

RATE = 16000
CLEAR = "t19"  # the talker whom the recogniser understands best
DIGITS = "three one four zero five"


def say(text, seconds=3.0):
    return speak_audio(CLEAR, text=text, seconds=seconds).astype(float)


@pytest.fixture
def recogniser():
    return pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed")


@pytest.mark.parametrize(
    ("heard", "edits"),
    [
        ("bin blue at F two now", 0),
        ("Bin blue, at f two now!", 0),
        ("", 6),
        ("bin at F two now", 1),
        ("bin blue and at F two now", 1),
        ("bin blue at S two now", 1),
        ("now two F at blue bin", 6),
        ("bin blue at F two now " * 3, 12),
    ],
)
def test_every_word_left_out_put_in_or_replaced_is_one_error(heard, edits):
    assert word_error_rate("bin blue at F two now", heard) == pytest.approx(edits / 6)


def test_no_way_round_a_third_text_has_fewer_errors():
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b, c = (" ".join(rng.choice(["one", "two", "six"], rng.integers(1, 8))) for _ in "abc")
        edits = {p: word_error_rate(*p) * len(p[0].split()) for p in ((a, b), (b, c), (a, c))}
        assert edits[a, c] <= edits[a, b] + edits[b, c] + 1e-9
        assert edits[a, b] == pytest.approx(word_error_rate(b, a) * len(b.split()))


@pytest.mark.parametrize("nothing", ["", " , ! "])
def test_an_error_rate_needs_a_reference(nothing):
    with pytest.raises(ValueError, match="holds no words"):
        word_error_rate(nothing, "two")


def test_digits_of_a_clear_talker_are_heard_at_any_level(recogniser):
    x = say(DIGITS)
    for gain in (1e-6, 1.0, 1e6):
        heard = transcribe(gain * x, RATE, words=vocabulary("digits"))
        assert word_error_rate(DIGITS, heard) <= 0.2


def test_a_second_voice_hides_the_first(recogniser):
    x = say(DIGITS)
    y = speak_audio("t02", text="eight two one three", seconds=3.0)
    alone, both = (transcribe(z, RATE, words=vocabulary("digits")) for z in (x, x + y))
    assert word_error_rate(DIGITS, alone) + 0.3 < word_error_rate(DIGITS, both)


def test_a_grammar_takes_words_in_their_places_and_a_last_phrase_cut_short(recogniser):
    text = "place green at S zero again lay red"
    heard = transcribe(say(text), RATE, words=vocabulary("command"))
    assert word_error_rate(text, heard) <= 0.25
    for i, word in enumerate(heard.split()):
        assert word in [option.lower() for option in vocabulary("command")[i % 6]]


def test_without_a_vocabulary_any_english_may_be_heard(recogniser):
    heard = transcribe(say("three one", 1.2), RATE)
    assert heard == heard.lower() and heard
    assert not set("<>[]()") & set(heard)


def test_hearing_leaves_no_trace(recogniser):
    x = say(DIGITS)
    first = transcribe(x, RATE, words=vocabulary("digits"))
    transcribe(say("two eight", 1.2), RATE, words=["two", "eight"])
    assert transcribe(x, RATE, words=vocabulary("digits")) == first


@pytest.mark.parametrize("samples", [1, 800, 1600])
def test_silence_and_snippets_hold_no_words(recogniser, samples):
    x = say(DIGITS)[8000 : 8000 + samples]
    assert transcribe(x, RATE, words=vocabulary("digits")) == ""
    assert transcribe(np.zeros(RATE), RATE, words=vocabulary("digits")) == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "at least one in each"),
        ([["lay"], []], "at least one in each"),
        ("two", "expected words"),
        ([2], "cannot pronounce 2"),
        (["two", "2"], "cannot pronounce '2'"),
        (["a(2)"], "cannot pronounce"),
        (["lay blue"], "one at a time"),
    ],
)
def test_words_that_nobody_can_say_are_named(recogniser, words, message):
    with pytest.raises(ValueError, match=message):
        transcribe(say(DIGITS), RATE, words=words)


def test_bad_sound_is_refused_with_the_reason(recogniser):
    x = say(DIGITS)
    with pytest.raises(ValueError, match="one voice"):
        transcribe(np.stack([x, x]), RATE)
    with pytest.raises(ValueError, match="NaN"):
        transcribe(np.where(x > 0, np.nan, x), RATE)
    with pytest.raises(ValueError, match="rate is 4000"):
        transcribe(x, 4000)
    with pytest.raises(ValueError, match="'sentence'; expected"):
        vocabulary("sentence")


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(ValueError, match="pip install pocketsphinx"):
        transcribe(np.ones(RATE), RATE)
