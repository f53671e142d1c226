"""A band: what is heard adds up, what is seen is there, and both are of one music."""

import numpy as np
import pytest

from avsep_core.synthetic import band, orchestra


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def duet():
    return band.perform(("violin", "xylophone"), rng=rng(), seconds=3, background="hum", snr=6)


def test_sources_and_background_add_up_to_what_is_heard(duet):
    assert duet.sources.shape == (2, 3 * band.RATE) and duet.seconds == 3
    assert np.array_equal(duet.audio, duet.sources.sum(0) + duet.background)
    assert np.abs(duet.audio).max() <= 0.95 + 1e-6


def test_the_background_is_as_loud_as_asked(duet):
    level = [10 * np.log10(np.mean(x**2)) for x in (duet.sources.sum(0), duet.background)]
    assert level[0] - level[1] == pytest.approx(6, abs=0.1)


def test_everybody_is_seen_where_their_box_is(duet):
    picture, boxes = duet.scene.picture(1.0), duet.scene.boxes(1.0)
    assert picture.shape == (120, 224, 3) and boxes.shape == (2, 4)
    assert boxes[0, 0] < boxes[1, 0] and (boxes[:, 2:] > 0).all()


def test_one_seed_one_performance():
    a, b, other = (band.perform(("flute",), rng=rng(seed), seconds=2) for seed in (1, 1, 2))
    assert np.array_equal(a.audio, b.audio) and not np.array_equal(a.audio, other.audio)
    assert np.array_equal(a.scene.picture(0.5), b.scene.picture(0.5))


def test_a_band_plays_in_one_key_at_one_beat(monkeypatch):
    asked, melody = [], orchestra.melody

    def listening(name, **settings):
        asked.append(settings["tune"])
        return melody(name, **settings)

    monkeypatch.setattr(orchestra, "melody", listening)
    band.perform(("clarinet", "trumpet", "cello"), rng=rng(), seconds=2)
    band.perform(("clarinet",), rng=rng(1), seconds=2)
    assert asked[0] == asked[1] == asked[2] != asked[3]


def test_who_does_not_play_is_seen_and_not_heard():
    made = band.perform(("cello", "flute"), rng=rng(3), seconds=2, playing=(True, False))
    assert not made.sources[1].any() and made.sources[0].any()
    assert len(made.scene.boxes(0.5)) == 2


def test_a_film_shows_the_middle_of_each_interval():
    made = band.perform(("accordion",), rng=rng(4), seconds=2)
    clip = made.film(rng(), fps=4)
    assert clip.frames.shape == (8, 120, 112, 3) and clip.rate == band.RATE
    assert made.instants(4)[0] == 0.125
    seen = made.scene.picture(made.instants(4)[3])
    assert np.abs(clip.frames[3] - seen).mean() < 3


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"instruments": ()}, "one to three"),
        ({"instruments": ("violin",) * 4}, "one to three"),
        ({"instruments": ("kazoo",)}, "kazoo"),
        ({"playing": (True, False)}, "as many entries"),
        ({"split": "dev"}, "train, validation, test"),
        ({"background": "rain"}, "rain"),
        ({"seconds": 0.5}, "seconds"),
    ],
)
def test_a_band_that_cannot_play_is_refused(wrong, words):
    given = {"instruments": ("violin",), "rng": rng(), "seconds": 2, **wrong}
    with pytest.raises(ValueError, match=words):
        band.perform(given.pop("instruments"), **given)
