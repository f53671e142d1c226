"""What the synthetic talkers say."""

import itertools

import numpy as np
import pytest

from avsep_core.synthetic import texts
from avsep_core.synthetic.phonemes import GLIDES, VISEMES, align, shapes
from avsep_core.synthetic.speech import synthesise


def test_a_command_fills_the_six_slots_of_the_grid_grammar():
    slots = (
        texts.COMMANDS, texts.COLOURS, texts.PREPOSITIONS, texts.LETTERS, texts.DIGITS,
        texts.ADVERBS,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    for _ in range(50):
        words = texts.command(rng).split()
        assert len(words) == 6
        assert all(word in slot for word, slot in zip(words, slots, strict=True))
    assert len(texts.LETTERS) == 25 and "W" not in texts.LETTERS


def test_a_digit_never_follows_itself():
    spoken = texts.digits(np.random.default_rng(1), count=200).split()
    assert len(spoken) == 200
    assert all(a != b for a, b in itertools.pairwise(spoken))
    assert set(spoken) == set(texts.DIGITS)


def test_sentences_together_hold_every_mouth_shape_and_glide_of_english():
    source = texts.phrases("sentence", np.random.default_rng(2))
    text = ". ".join(next(source) for _ in range(60))
    phonemes = align(*synthesise(text, voice="en-us+m3"))
    seen = {shape for p in phonemes for shape in shapes(p.symbol)}
    assert seen >= set(VISEMES)
    assert {p.symbol for p in phonemes} >= {"aI", "aU", "eI", "OI", "oU"} <= set(GLIDES)


def test_an_unknown_kind_of_text_is_refused_by_name():
    with pytest.raises(ValueError, match=r"'poem'.*command, digits, sentence"):
        next(texts.phrases("poem", np.random.default_rng(0)))
