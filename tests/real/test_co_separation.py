"""Chapter 5 on films and recordings of real players: whose sound is whose, and at what price.

The eyes were taught on drawn players and the shipped detector knows those only, so boxes were set
by hand. How well a real instrument is heard is scored where the truth is known: real solos, mixed.
"""

import numpy as np
import pytest

from avsep_core.clip import read, resample
from avsep_core.co_separation import evaluation, recipes
from avsep_core.co_separation.network import PAPER
from avsep_core.co_separation.separate import NoObjectError, separate
from avsep_core.corpora import ensembles, instruments
from avsep_core.synthetic.band import INSTRUMENTS

pytestmark = pytest.mark.real

VIOLIN, GUITAR = (165.0, 100.0, 190.0, 110.0), (350.0, 40.0, 270.0, 320.0)


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
    known = instruments.recordings(shared_data / "instruments")
    for item in instruments.pairs(known):
        saw = [drawn[name] for name in item.instruments]
        pair = instruments.pair(item, known, [one.whole for one in saw])
        parts = evaluation.parted(network, pair.mixture, [one.pictures(network) for one in saw])
        by_templates = evaluation.by_templates(templates, pair.mixture, [v.label for v in saw])
        made = {"co-separation": parts, "exchanged": parts[::-1], "AV-MIML": by_templates}
        for row, told in evaluation.scored(pair, made).items():
            gains[row].append(float(np.mean(told["dsdr"])))
    means = {row: round(float(np.mean(values)), 1) for row, values in gains.items()}
    print(f"SDR raised on {len(gains['exchanged'])} pairs of real solos, dB: {means}")
    assert means["co-separation"] > means["exchanged"], "the picture decides which is which"
