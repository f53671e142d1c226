"""Oracles, and what a separation can do for itself."""

import wave

import numpy as np
import pytest

from avsep_core.clip import Clip, read
from avsep_core.masks import apply
from avsep_core.separation import KINDS, Separation, oracle
from avsep_core.spectrogram import STFTS

FOUNDATIONS = STFTS["foundations"]
kinds = pytest.mark.parametrize("kind", sorted(KINDS))


def talkers(count=2, seconds=1.0, rate=16000):
    """Harmonic sounds, each with its own pitch and rhythm."""
    t = np.arange(int(seconds * rate)) / rate
    pitches, beats = [110, 187, 260][:count], [3, 2, 5][:count]
    return np.stack(
        [
            0.1
            * sum(np.sin(2 * np.pi * f * k * t) / k for k in range(1, 12))
            * (1.05 + np.sin(2 * np.pi * b * t))
            for f, b in zip(pitches, beats, strict=True)
        ]
    )


def clip(seconds=1.0, rate=16000):
    frames = np.random.default_rng(0).integers(0, 255, (int(25 * seconds), 32, 48, 3), np.uint8)
    return Clip(frames, 25.0, talkers(seconds=seconds, rate=rate).sum(axis=0), rate, "two")


# --- oracles ------------------------------------------------------------------------------------


@kinds
def test_every_oracle_separates_far_better_than_copying_the_mixture(kind):
    s = talkers(3)
    rows = oracle(s, stft=FOUNDATIONS, kind=kind).score(s, mixture=s.sum(axis=0), permute=False)
    assert min(row["dsdr"] for row in rows) > 8


def test_the_complex_oracle_is_perfect_and_the_real_one_beats_those_without_phase():
    s = talkers(2)
    scores = {
        kind: np.mean([row["si_sdr"] for row in oracle(s, stft=FOUNDATIONS, kind=kind).score(s)])
        for kind in KINDS
    }
    assert scores["complex"] > 95
    assert scores["real"] > scores["ratio"]
    assert scores["real"] > scores["binary"]
    assert scores["real"] < 60  # an ideal mask is not perfect: it keeps the mixture's phase


@pytest.mark.parametrize("kind", ["ratio", "real", "complex"])
@pytest.mark.parametrize("name", sorted(STFTS))
def test_voices_whose_masks_add_to_one_add_up_to_the_mixture(name, kind):
    stft = STFTS[name]
    s = talkers(2, rate=stft.rate)
    voices = oracle(s, stft=stft, kind=kind).voices
    inside = stft.covered(s.shape[1])
    well = slice(inside.start + stft.window, inside.stop - stft.window)
    np.testing.assert_allclose(voices.sum(axis=0)[well], s.sum(axis=0)[well], atol=1e-5)


@kinds
def test_an_oracle_is_its_masks_applied_to_the_mixture(kind):
    s = talkers(2)
    found = oracle(s, stft=FOUNDATIONS, kind=kind, names=("low", "high"))
    X = FOUNDATIONS.forward(s.sum(axis=0))
    again = FOUNDATIONS.inverse(apply(found.masks, X), s.shape[1])
    np.testing.assert_allclose(found.voices, again, atol=1e-5)
    assert found.voices.dtype == np.float32
    assert (found.names, found.rate) == (("low", "high"), 16000)


@kinds
def test_oracles_without_centring_do_not_click_at_the_ends(kind):
    s = np.random.default_rng(0).normal(size=(2, 8000))
    voices = oracle(s, stft=STFTS["looking_to_listen"], kind=kind).voices
    assert np.abs(voices).max() < 1.5 * np.abs(s).max()


def test_oracles_refuse_what_they_cannot_separate():
    s = talkers(2)
    with pytest.raises(ValueError, match=r"'soft'; take one of binary, ratio, complex, real"):
        oracle(s, stft=FOUNDATIONS, kind="soft")
    with pytest.raises(ValueError, match="all of one length"):
        oracle([s[0], s[1][:-1]], stft=FOUNDATIONS, kind="ratio")
    with pytest.raises(ValueError, match="all of one length"):
        oracle([], stft=FOUNDATIONS, kind="ratio")
    with pytest.raises(ValueError, match="NaN"):
        oracle(s * np.nan, stft=FOUNDATIONS, kind="ratio")


# --- scoring ------------------------------------------------------------------------------------


def test_rows_follow_the_references_and_name_the_voice_taken_for_each():
    s = talkers(2)
    found = Separation(s[::-1] + 0.01 * s, 16000, ("second", "first"))
    rows = found.score(s, mixture=s.sum(axis=0))
    assert [row["name"] for row in rows] == ["first", "second"]
    assert all(row["sdr"] > 15 for row in rows)
    assert all(type(row[key]) is float for row in rows for key in row if key != "name")
    fixed = found.score(s, permute=False)
    assert [row["name"] for row in fixed] == ["second", "first"]
    assert all(row["sdr"] < 5 for row in fixed)
    assert all("dsdr" not in row for row in fixed)


def test_a_separation_is_scored_against_as_many_references_of_its_length():
    s = talkers(3)
    found = Separation(s[:2], 16000, ("a", "b"))
    with pytest.raises(ValueError, match="as many estimates as references"):
        found.score(s)
    with pytest.raises(ValueError, match="one length and at one rate"):
        found.score(s[:2, ::2])
    with pytest.raises(ValueError, match="Cut both to one length"):
        found.score(s[:2], mixture=s[0, ::2])


# --- what a separation may hold -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"voices": np.zeros(5)}, r"shape \(5,\)"),
        ({"voices": np.zeros((2, 5), int)}, "expected .sources, samples. real"),
        ({"voices": np.zeros((2, 0))}, "at least one sample"),
        ({"voices": np.zeros((0, 5)), "names": (), "masks": None}, "no voices and no reason"),
        ({"voices": np.full((2, 5), np.nan)}, "NaN"),
        ({"names": ("a",)}, "one name of its own"),
        ({"names": ("a", "a")}, "one name of its own"),
        ({"names": "ab"}, "one name of its own"),
        ({"rate": 0}, "whole number of Hz"),
        ({"masks": np.zeros((3, 4, 5))}, "one mask a voice"),
        ({"background": np.zeros(4)}, r"expected \(5,\)"),
    ],
)
def test_a_separation_that_does_not_fit_together_is_refused(change, message):
    good = {"voices": np.zeros((2, 5)), "rate": 8000, "names": ("a", "b")}
    Separation(**good, masks=np.zeros((2, 3, 4)), background=np.zeros(5))
    with pytest.raises(ValueError, match=message):
        Separation(**(good | change))


# --- writing ------------------------------------------------------------------------------------


def test_without_a_clip_each_voice_becomes_a_wav_file_and_keeps_its_balance(tmp_path):
    loud = np.stack([4.0 * np.sin(np.arange(800)), np.sin(np.arange(800) / 3)])
    paths = Separation(loud, 8000, ("a man", "a/woman?")).write(tmp_path / "new")
    assert [p.name for p in paths] == ["1_a_man.wav", "2_a_woman.wav"]
    peaks = []
    for path in paths:
        with wave.open(str(path)) as file:
            assert (file.getframerate(), file.getnframes(), file.getnchannels()) == (8000, 800, 1)
            peaks.append(np.abs(np.frombuffer(file.readframes(800), "<i2").astype(int)).max())
    assert peaks[0] == pytest.approx(32767, abs=2)
    assert peaks[0] / peaks[1] == pytest.approx(4, rel=0.01)
    assert sorted(paths) == sorted((tmp_path / "new").iterdir())


def test_with_a_clip_each_voice_gets_the_pictures(tmp_path):
    s = talkers(2)
    found = oracle(s, stft=FOUNDATIONS, kind="ratio", names=("low", "high"), clip=clip())
    paths = found.write(tmp_path, suffix=".mkv")
    assert [p.name for p in paths] == ["1_low.mkv", "2_high.mkv"]
    for path, voice in zip(paths, found.voices, strict=True):
        back = read(path)
        assert back.frames.shape == (25, 32, 48, 3)
        heard = back.audio[: len(voice)]
        assert np.corrcoef(heard, voice[: len(heard)])[0, 1] > 0.99


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "1_a.wav").mkdir()
    with pytest.raises(OSError, match="1_a"):
        Separation(np.zeros((1, 5)), 8000, ("a",)).write(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["1_a.wav"]


def test_a_separation_without_voices_says_why(tmp_path):
    empty = Separation(np.zeros((0, 5)), 8000, (), reason="nothing moved with the sound")
    assert empty.voices.shape == (0, 5) and empty.write(tmp_path) == []
    with pytest.raises(ValueError, match="no voice to score: nothing moved with the sound"):
        empty.score(np.ones((1, 5)))
