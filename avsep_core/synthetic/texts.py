"""What the synthetic talkers say: commands, digits and sentences from small grammars."""

from collections.abc import Iterator

import numpy as np

KINDS = ("command", "digits", "sentence")

COMMANDS = ("bin", "lay", "place", "set")
COLOURS = ("blue", "green", "red", "white")
PREPOSITIONS = ("at", "by", "in", "with")
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVXYZ")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ADVERBS = ("again", "now", "please", "soon")

_WHO = (
    "my brother",
    "the young teacher",
    "her father",
    "a quiet farmer",
    "the old judge",
    "our neighbour",
    "the jolly cook",
    "his cousin",
    "a famous singer",
    "the boy next door",
    "one of the sailors",
    "the museum guide",
    "a tall woman",
    "the chief engineer",
    "everybody here",
    "the whole village",
)
_DID = (
    "bought",
    "borrowed",
    "mended",
    "found",
    "carried",
    "washed",
    "measured",
    "forgot",
    "admired",
    "pushed",
    "chose",
    "enjoyed",
    "threw away",
    "wrapped up",
    "painted",
    "opened",
)
_WHAT = (
    "a beige bag",
    "five fresh apples",
    "the yellow umbrella",
    "a pair of leather boots",
    "the broken watch",
    "an ugly vase",
    "both blue chairs",
    "a thick woollen jumper",
    "the heavy parcel",
    "some cheap toys",
    "a bowl of soup",
    "the missing map",
    "three huge pumpkins",
    "a valuable painting",
    "the wooden bridge",
    "a pound of peas",
)
_WHERE = (
    "by the river",
    "before the thunder",
    "in the garage",
    "under the pear tree",
    "on the way to work",
    "for his mother",
    "at half past four",
    "behind the church",
    "near the harbour",
    "with great pleasure",
    "from a shop in town",
    "after the show",
    "above the valley",
    "during the long voyage",
    "in the middle of July",
    "without a word",
)
_OPENING = (
    "", "", "", "this morning ", "of course ", "as usual ", "we believe that ",
    "you know that ", "perhaps ", "last summer ",
)  # fmt: skip


def _pick(rng: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[int(rng.integers(len(words)))]


def command(rng: np.random.Generator) -> str:
    """One sentence of GRID's grammar: command, colour, preposition, letter, digit, adverb.

    Parameters: `rng`, a numpy generator. Returns six words as one string, for example
    "bin blue at F two now"; W, whose name has three syllables, is left out as in GRID.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    slots = (COMMANDS, COLOURS, PREPOSITIONS, LETTERS, DIGITS, ADVERBS)
    return " ".join(_pick(rng, words) for words in slots)


def digits(rng: np.random.Generator, *, count: int = 5) -> str:
    """A string of `count` spoken digits, as in CUAVE; no digit follows itself.

    Parameters: `rng`, a numpy generator; `count`, how many digits. Returns the words.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    spoken: list[str] = []
    while len(spoken) < count:
        word = _pick(rng, DIGITS)
        if not spoken or spoken[-1] != word:
            spoken.append(word)
    return " ".join(spoken)


def sentence(rng: np.random.Generator) -> str:
    """One free sentence whose vocabulary holds every English consonant and vowel.

    Parameters: `rng`, a numpy generator. Returns the words without punctuation.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    parts = (_pick(rng, _WHO), _pick(rng, _DID), _pick(rng, _WHAT), _pick(rng, _WHERE))
    return _pick(rng, _OPENING) + " ".join(parts)


def phrases(kind: str, rng: np.random.Generator) -> Iterator[str]:
    """Phrases of one kind without end, so that speech of any length can be asked for.

    Parameters: `kind`, one of `KINDS`; `rng`, a numpy generator. Yields strings.
    Raises ValueError for another kind.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    makers = {"command": command, "digits": digits, "sentence": sentence}
    if kind not in makers:
        raise ValueError(f"kind of text {kind!r} given; expected one of {', '.join(KINDS)}")
    while True:
        yield makers[kind](rng)
