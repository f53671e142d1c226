"""Chapter 5 on films and recordings of real players: whose sound is whose, and at what price.

The eyes were taught on drawn players and the shipped detector knows those only, so boxes were set
by hand. How well a real instrument is heard is scored where the truth is known: real solos, mixed.
"""

from itertools import combinations

import numpy as np
import pytest

from avsep_core.clip import read, read_audio, resample
from avsep_core.co_separation import evaluation, recipes
from avsep_core.co_separation.network import PAPER
from avsep_core.co_separation.separate import NoObjectError, separate
from avsep_core.corpora import ensembles, solo_pairs
from avsep_core.synthetic.band import INSTRUMENTS

pytestmark = pytest.mark.real

VIOLIN, GUITAR = (165.0, 100.0, 190.0, 110.0), (350.0, 40.0, 270.0, 320.0)
SOLOS = {"violin": "violin-B3", "saxophone": "sax-phrase-short", "cello": "cello-phrase",
         "flute": "flute-A4", "trumpet": "trumpet-A4"}  # fmt: skip


@pytest.fixture(scope="module")
def duet(shared_data):
    return read(shared_data / "video" / "duet_guitar_violin.mp4")


def test_a_filmed_duet_becomes_two_sounds_and_a_rest_that_add_up(duet):
    found = separate(duet, [VIOLIN, GUITAR])
    assert found.voices.shape == (2, len(found.background)) and found.regions.shape[0] == 2
    mixture = resample(duet.audio, duet.rate, PAPER.rate)
    np.testing.assert_allclose(found.voices.sum(0) + found.background, mixture, atol=1e-4)
    energy = [np.mean(part**2) / np.mean(mixture**2) for part in (*found.voices, found.background)]
    likeness = np.corrcoef(found.voices)[0, 1]
    print(f"violin, guitar, rest: {np.round(energy, 2)} of the energy, correlation {likeness:.2f}")
    assert max(energy[:2]) > 0.05, "something was let through"


def test_who_knows_drawn_players_only_does_not_find_a_filmed_violin_and_says_what_to_do(duet):
    found = recipes.detector().detect(duet.frames[::60])
    names = [one.name for picture in found for one in picture]
    print(f"in {len(found)} pictures of a violinist and a guitarist: {names or 'nothing'}")
    with pytest.raises(NoObjectError, match="or give boxes"):
        separate(duet, ["violin", "acoustic_guitar"])


@pytest.fixture(scope="module")
def drawn():
    """A test player of each instrument, as the eyes know them."""
    solo = ensembles.drawn(ensembles.SOLOS, split="test", seed=90, seconds=2)
    made = [solo(number) for number in range(len(INSTRUMENTS))]
    detector = recipes.detector()
    return {
        one.instruments[0]: evaluation.seen(ensembles.pictures_of(one, n), detector)
        for n, one in enumerate(made)
    }


def test_real_solos_that_were_mixed_are_parted_by_pictures_of_drawn_players(shared_data, drawn):
    network, templates = recipes.load("co_separation_0"), recipes.miml()
    gains: dict[str, list[float]] = {"co-separation": [], "exchanged": [], "AV-MIML": []}
    for first, other in combinations(SOLOS, 2):
        sounds = []
        for name in (first, other):
            file = shared_data / "instruments" / f"smstools_{SOLOS[name]}.wav"
            sounds.append(np.resize(read_audio(file, rate=PAPER.rate), 3 * PAPER.rate))
        pair = solo_pairs.mixed(f"{first} {other}", (first, other), sounds, [np.zeros(0)] * 2)
        saw = [drawn[first], drawn[other]]
        parts = evaluation.parted(network, pair.mixture, [one.pictures(network) for one in saw])
        by_templates = evaluation.by_templates(templates, pair.mixture, [v.label for v in saw])
        made = {"co-separation": parts, "exchanged": parts[::-1], "AV-MIML": by_templates}
        for row, told in evaluation.scored(pair, made).items():
            gains[row].append(float(np.mean(told["dsdr"])))
    means = {row: round(float(np.mean(values)), 1) for row, values in gains.items()}
    print(f"SDR raised on {len(gains['exchanged'])} pairs of real solos, dB: {means}")
    assert means["co-separation"] > means["exchanged"], "the picture decides which is which"
