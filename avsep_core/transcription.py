"""What a machine hears: speech to text without a network, and how many words it gets wrong.

Taught in `notebooks/03_looking_to_listen.ipynb`, section "Transcription".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from .checks import whole
from .guards import tensor
from .media import resample
from .spectrogram import Array
from .synthetic import texts

RATE = 16000  # Hz, of the acoustic model
LEVEL = 0.08  # root mean square
NOISE = -40.0  # dB beside the voice
# The fillers of the model must not swallow words, and what was heard outweighs the grammar.
SETTINGS = {"fillprob": 1e-20, "lw": 1.0}

Words = Sequence[str] | Sequence[Sequence[str]]


def transcribe(audio: Array, rate: int, *, words: Words | None = None) -> str:
    """The words that the recogniser PocketSphinx hears, with its model of American English.

    Parameters
    ----------
    audio : (samples,) one voice, at any level. It is brought to one level, and noise 40 dB
        below it is added, the same each time: the model has never heard digital silence
    rate : Hz, a whole number of 8000 or more; the model works at 16 kHz
    words : None, for any English; or the words that may be said, in any order and number; or
        one list of words for each place of a phrase, as `vocabulary("command")`, where phrases
        follow each other and the last may stop early

    Returns
    -------
    str : lower-case words with one space between them, empty if nothing was heard

    Raises
    ------
    ValueError : the package `pocketsphinx` (extra `transcribe`) is missing, the audio is not
        (samples,), NaN, a rate that is too low or no whole number, no words, or words that the
        recogniser cannot pronounce

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "Transcription".
    """
    rate = whole(rate, "rate", least=8000)
    x = tensor(audio, "audio", least=1).cpu().numpy()
    if x.ndim != 1:
        raise ValueError(f"audio of shape {x.shape}; give one voice, (samples,)")
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise ValueError(
            "transcription needs the package `pocketsphinx`: run `pip install pocketsphinx`"
        ) from error
    if words is None:
        decoder = Decoder(samprate=RATE, loglevel="FATAL")
    else:
        decoder = Decoder(samprate=RATE, loglevel="FATAL", lm=None, **SETTINGS)
        decoder.add_jsgf_string("phrases", _grammar(words, decoder.lookup_word))
        decoder.activate_search("phrases")
    if not x.any():
        return ""
    decoder.start_utt()
    decoder.process_raw(_samples(x, rate), full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    # Without "(2)", which marks another way to say a word, and without <sil> and [NOISE].
    return " ".join(re.sub(r"\(\d+\)|<\S+>|\[\S+\]", " ", found.hypstr if found else "").split())


def vocabulary(kind: str) -> Words:
    """What the synthetic talkers may say, in the form that `transcribe` takes as `words`.

    Parameters
    ----------
    kind : "command" (six places, as in GRID) or "digits" (ten words in any order)

    Raises
    ------
    ValueError : another kind

    Taught in `notebooks/03_looking_to_listen.ipynb`, section "Transcription".
    """
    if kind == "digits":
        return texts.DIGITS
    if kind == "command":
        return (
            texts.COMMANDS, texts.COLOURS, texts.PREPOSITIONS, texts.LETTERS, texts.DIGITS,
            texts.ADVERBS,
        )  # fmt: skip
    raise ValueError(
        f'no vocabulary for kind {kind!r}; expected "command" or "digits". For other speech, '
        "give your own words, or none"
    )


def word_error_rate(reference: str, heard: str) -> float:
    """Words to replace, leave out or put in to make `heard` the reference, per word of it.

    Parameters
    ----------
    reference, heard : words; case and punctuation do not count

    Returns
    -------
    float : 0 if equal, 1 if nothing was heard; more if there are many extra words

    Raises
    ------
    ValueError : a reference without words

    Levenshtein (1966). Taught in `notebooks/03_looking_to_listen.ipynb`, section
    "Transcription".
    """
    said, found = _words(reference), _words(heard)
    if not said:
        raise ValueError(f"reference {reference!r} holds no words; give what was said")
    # costs[j]: the edits that make the first j words found out of the words said so far.
    costs = list(range(len(found) + 1))
    for i, word in enumerate(said, 1):
        before, costs = costs, [i]
        for j, other in enumerate(found, 1):
            costs.append(min(before[j] + 1, costs[-1] + 1, before[j - 1] + (word != other)))
    return costs[-1] / len(said)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower())


def _samples(x: np.ndarray, rate: int) -> bytes:
    """Sixteen-bit samples at the rate and level of the model, with its noise."""
    x = resample(x / np.abs(x).max(), rate, RATE).astype(np.float64)
    loudness = max(float(np.sqrt(np.mean(x**2))), 1e-30)
    gain = min(LEVEL / loudness, 0.95 / max(float(np.abs(x).max()), 1e-30))
    noise = np.random.default_rng(0).normal(size=len(x)) * 10 ** (NOISE / 20) * loudness
    return np.clip(np.round(32767 * gain * (x + noise)), -32768, 32767).astype("<i2").tobytes()


def _grammar(words: Words, pronounce: Callable[[str], str | None]) -> str:
    """Words as a grammar in JSGF; `pronounce` gives the sounds of a word, or None."""
    loop = not any(isinstance(place, list | tuple) for place in words)
    places = [list(words)] if loop else [[p] if isinstance(p, str) else list(p) for p in words]
    if not all(places) or isinstance(words, str):
        raise ValueError(
            f"words={words!r} given; expected words, or one list of words for each place of a "
            "phrase, with at least one in each"
        )
    strange = {
        repr(word)
        for place in places
        for word in place
        if not re.fullmatch("[a-z']+", str(word).lower()) or not pronounce(str(word).lower())
    }
    if strange:
        raise ValueError(
            f"the recogniser cannot pronounce {', '.join(sorted(strange))}; give English words, "
            "one at a time, spelled out: 'two', not '2'"
        )
    options = [f"({' | '.join(map(str, place))})".lower() for place in places]
    if loop:
        phrases = options[0] + "+"
    else:
        cut = " ".join(f"[{option}" for option in options) + "]" * len(options)
        phrases = f"({' '.join(options)})* {cut}"
    return f"#JSGF V1.0;\ngrammar phrases;\npublic <phrases> = {phrases};\n"
