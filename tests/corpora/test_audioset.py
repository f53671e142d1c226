"""AudioSet: sounds by name, their labels from the CSVs, and random pieces of them."""

import shutil

import av
import numpy as np
import pytest

from avsep_core import clip as clips
from avsep_core.corpora import CorpusError
from avsep_core.corpora.audioset import INSTRUMENTS, SPEECH, AudioSet, read_segments
from avsep_core.synthetic import band
from tests.films import example, murmur

RATE = 8000
HEAD = (
    "# Segments csv created\n# num_ytids=3\n# YTID, start_seconds, end_seconds, positive_labels\n"
)
TRAIN = (
    'dog-bark_01, 30.000, 40.000, "/m/0bt9lr"\n'
    '--talk_talk, 0.000, 10.000, "/m/04rlf,/m/05zppz"\n'
    'gone_is_all, 5.000, 15.000, "/m/04rlf"\n'
)
EVAL = 'music_video, 2.000, 4.000, "/m/04rlf,/m/05r5c"\n'


def save(path, sound, rate=RATE):
    """Write a sound file, in 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = {".wav": "pcm_s16le", ".flac": "flac", ".m4a": "aac"}[path.suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        kind = "fltp" if codec == "aac" else "s16"
        data = sound if codec == "aac" else np.rint(np.clip(sound, -1, 1) * 32767).astype(np.int16)
        block = av.AudioFrame.from_ndarray(data[None], kind, "mono")
        block.sample_rate = rate
        container.mux(stream.encode(block))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def folder(tmp_path):
    """Three labelled sounds in three layouts, one without labels, and the CSVs."""
    save(tmp_path / "audio" / "dog-bark_01_30.wav", murmur(2 * RATE))
    save(tmp_path / "--talk_talk_0_10.flac", murmur(RATE, 1))
    clips.write(example(count=150, rate=RATE), tmp_path / "eval" / "music_video.mkv")
    save(tmp_path / "kitchen.m4a", murmur(RATE, 2))
    (tmp_path / "balanced_train_segments.csv").write_text(HEAD + TRAIN)
    (tmp_path / "eval" / "eval_segments.csv").write_text(HEAD + EVAL)
    (tmp_path / "notes.txt").write_text("no sound")
    (tmp_path / "x.wav.part").write_bytes(b"x")
    return tmp_path


def test_sounds_in_any_folder_below_are_clips_with_the_labels_of_the_csvs(folder):
    sounds = AudioSet(folder)
    assert sounds.clips == ["--talk_talk_0_10", "dog-bark_01_30", "music_video", "kitchen"]
    assert sounds.labels("dog-bark_01_30") == ("/m/0bt9lr",)
    assert sounds.labels("--talk_talk_0_10") == ("/m/04rlf", "/m/05zppz")
    assert sounds.labels("kitchen") == ()
    assert sounds.splits == {
        "train": ["--talk_talk_0_10", "dog-bark_01_30", "kitchen"], "test": ["music_video"],
    }  # fmt: skip


def test_without_speech_only_sounds_that_labels_clear_of_speech_remain(folder):
    sounds = AudioSet(folder, without_speech=True)
    assert sounds.clips == ["dog-bark_01_30", "music_video"]
    assert "/m/09x0r" in SPEECH and len(SPEECH) == 8
    with pytest.raises(CorpusError, match=r"--talk_talk_0_10\.wav"):
        sounds.labels("--talk_talk_0_10")


def test_a_folder_of_sounds_without_csv_serves_as_it_is_but_speech_cannot_be_told(tmp_path):
    save(tmp_path / "rain.wav", murmur(RATE))
    sounds = AudioSet(str(tmp_path))
    assert sounds.clips == ["rain"] and sounds.labels("rain") == ()
    with pytest.raises(CorpusError, match=r"of 1 sounds .* 0 have labels.*balanced_train_segments"):
        AudioSet(tmp_path, without_speech=True)


@pytest.mark.parametrize(
    "name", ["dog-bark_01", "dog-bark_01_30.000", "dog-bark_01_30000", "dog-bark_01_30_40",
             "Ydog-bark_01", "dog-bark_01_30.000_40.000"],
)  # fmt: skip
def test_a_file_may_tell_its_start_or_not_and_in_seconds_or_milliseconds(folder, name):
    (folder / "audio" / "dog-bark_01_30.wav").rename(folder / f"{name}.wav")
    assert AudioSet(folder).labels(name) == ("/m/0bt9lr",)


def test_another_piece_of_the_same_video_has_no_labels(folder):
    save(folder / "dog-bark_01_90.wav", murmur(RATE))
    assert AudioSet(folder).labels("dog-bark_01_90") == ()


def test_a_segment_is_a_random_piece_of_its_sound_the_same_from_the_same_generator(folder):
    sounds = AudioSet(folder)
    whole = sounds.audio("dog-bark_01_30", RATE)
    pieces = [
        sounds.segment("dog-bark_01_30", 0.5, RATE, np.random.default_rng(k)) for k in (0, 0, 1)
    ]
    assert pieces[0].shape == (4000,) and pieces[0].dtype == np.float32
    assert np.array_equal(pieces[0], pieces[1]) and not np.array_equal(pieces[0], pieces[2])
    windows = np.lib.stride_tricks.sliding_window_view(whole, 4000)
    assert all((windows == piece).all(axis=1).any() for piece in pieces)
    assert len(sounds.segment("dog-bark_01_30", 0.5, 16000, np.random.default_rng(0))) == 8000


def test_a_sound_that_is_too_short_is_repeated(tmp_path):
    save(tmp_path / "drip.wav", murmur(1000))
    piece = AudioSet(tmp_path).segment("drip", 0.5, RATE, np.random.default_rng(0))
    assert len(piece) == 4000 and np.array_equal(piece[1000:], piece[:-1000])


def test_a_piece_is_never_silent_where_its_sound_is_not(tmp_path):
    sound = np.zeros(10 * RATE, np.float32)
    sound[5 * RATE : 5 * RATE + 400] = murmur(400)
    save(tmp_path / "knock.wav", sound)
    sounds = AudioSet(tmp_path)
    for seed in range(10):
        assert sounds.segment("knock", 0.5, RATE, np.random.default_rng(seed)).any()


def test_of_a_whole_video_only_the_labelled_seconds_are_heard(folder):
    sounds = AudioSet(folder)
    film = clips.read_audio(folder / "eval" / "music_video.mkv", rate=RATE)
    assert len(film) == 6 * RATE
    assert np.array_equal(sounds.audio("music_video", RATE), film[2 * RATE : 4 * RATE])


def test_missing_damaged_and_silent_files_are_named_with_where_to_get_them(folder):
    sounds = AudioSet(folder)
    (folder / "kitchen.m4a").write_bytes(b"no sound at all")
    save(folder / "audio" / "dog-bark_01_30.wav", 0 * murmur(RATE))
    (folder / "--talk_talk_0_10.flac").unlink()
    told = {
        "kitchen": r"kitchen\.m4a: not a readable",
        "dog-bark_01_30": r"dog-bark_01_30\.wav is silent",
        "--talk_talk_0_10": r"expected .*--talk_talk_0_10\.flac",
        "gone_is_all_5": r"expected .*gone_is_all_5\.wav; the folder has 4 sounds",
    }
    for name, match in told.items():
        with pytest.raises(CorpusError, match=f"{match}.*research.google.com/audioset"):
            sounds.segment(name, 0.5, RATE, np.random.default_rng(0))


def test_folders_without_sounds_and_wrong_requests_are_refused(folder, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(CorpusError, match=r"no data_root was given.*audioset/download"):
        AudioSet(None)
    with pytest.raises(CorpusError, match="holds no sound"):
        AudioSet(empty)
    for seconds, rate in ((0, RATE), (float("nan"), RATE), (1, 0.5)):
        with pytest.raises(ValueError, match=r"seconds|rate"):
            AudioSet(folder).segment("kitchen", seconds, rate, np.random.default_rng(0))


def test_two_sounds_of_one_name_are_refused_but_copies_of_an_audioset_clip_are_not(folder):
    (folder / "again").mkdir()
    shutil.copy(folder / "audio" / "dog-bark_01_30.wav", folder / "again")
    assert AudioSet(folder).clips.count("dog-bark_01_30") == 1
    shutil.copy(folder / "kitchen.m4a", folder / "again")
    with pytest.raises(CorpusError, match="'kitchen'; rename one"):
        AudioSet(folder)


@pytest.mark.parametrize(
    "line",
    ["abc, 1, 2", "abcdefghijk, 5.0, 1.0, /m/04rlf", "abcdefghijk, x, 1.0, /m/04rlf",
     'abcdefghijk, 1.0, 2.0, ""', "abcdefghijk, 1.0, 2.0, /m/04rlf,/m/05zppz"],
)  # fmt: skip
def test_a_wrong_line_of_a_csv_is_shown(folder, line):
    table = folder / "balanced_train_segments.csv"
    assert [video for video, _ in read_segments(table)] == [
        "dog-bark_01", "--talk_talk", "gone_is_all",
    ]  # fmt: skip
    table.write_text(HEAD + TRAIN + line + "\n")
    with pytest.raises(CorpusError, match=r"line 7 is 'abc.*--PJHxphWEs, 30"):
        AudioSet(folder)


def test_every_instrument_of_the_band_has_one_machine_id_and_none_of_them_is_speech():
    assert sorted(INSTRUMENTS.values()) == sorted(band.INSTRUMENTS)
    assert not SPEECH & INSTRUMENTS.keys()
