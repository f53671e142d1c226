"""Recordings of solos are known by their names, and mixed in pairs of two instruments."""

import numpy as np
import pytest
from scipy.io import wavfile

from avsep_core.corpora import instruments, solo_pairs
from avsep_core.corpora.base import CorpusError

PICTURES = [np.zeros((3, 8, 8, 3), np.uint8)] * 2


def record(folder, name, seconds=1.5, tone=440.0, rate=22050):
    t = np.arange(round(seconds * rate)) / rate
    wavfile.write(folder / name, rate, np.float32(0.3 * np.sin(2 * np.pi * tone * t)))


def test_a_file_is_known_by_a_word_of_its_name(tmp_path):
    for name in ("mtg_violin-B3.wav", "sax-phrase.wav", "My Guitar 2.wav", "piano.wav", "vi.wav"):
        record(tmp_path, name)
    (tmp_path / "violin.txt").write_text("no sound")
    found = {path.name: name for name, path in instruments.recordings(tmp_path)}
    assert found == {
        "My Guitar 2.wav": "acoustic_guitar", "mtg_violin-B3.wav": "violin",
        "sax-phrase.wav": "saxophone",
    }  # fmt: skip


def test_pairs_are_of_two_instruments_and_each_once(tmp_path):
    for name in ("violin_1.wav", "violin_2.wav", "flute.wav"):
        record(tmp_path, name)
    made = instruments.pairs(instruments.recordings(tmp_path))
    assert [item.name for item in made] == ["flute + violin_1", "flute + violin_2"]
    assert {item.instruments for item in made} == {("flute", "violin")}


def test_a_short_note_is_repeated_and_both_are_equally_loud(tmp_path):
    record(tmp_path, "violin.wav", seconds=1.0, tone=440)
    record(tmp_path, "flute.wav", seconds=4.0, tone=880)
    known = instruments.recordings(tmp_path)
    (item,) = instruments.pairs(known)
    made = instruments.pair(item, known, PICTURES, seconds=3)
    assert made.sources.shape == (2, 3 * made.rate)
    level = np.sqrt((made.sources**2).mean(1))
    assert level == pytest.approx([solo_pairs.LEVEL] * 2, rel=1e-4)
    second = made.rate
    assert np.array_equal(made.sources[1][:second], made.sources[1][second : 2 * second])


def test_a_folder_that_has_no_pair_says_how_to_name_files(tmp_path):
    record(tmp_path, "violin.wav")
    with pytest.raises(CorpusError, match="holds 1 of instruments that are known"):
        instruments.recordings(tmp_path)
    with pytest.raises(CorpusError, match="no data_root was given"):
        instruments.recordings(None)
