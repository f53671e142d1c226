"""Broken clips: each is refused by name, and nothing half-written is left behind."""

import socket
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from avsep_core import clip as clips
from avsep_core.clip import Clip, MediaError, read, read_audio, resample, write
from tests.films import example, film, flat, murmur

GOOD = {"frames": np.zeros((2, 4, 4, 3), np.uint8), "fps": 25, "audio": np.zeros(9), "rate": 8000}


@pytest.mark.parametrize(
    "change, told",
    [
        ({"frames": np.zeros((0, 4, 4, 3), np.uint8)}, "zero frames"),
        ({"frames": np.zeros((2, 4, 4), np.uint8)}, "expected"),
        ({"frames": np.zeros((2, 4, 4, 3))}, "uint8"),
        ({"fps": 0}, "fps"),
        ({"fps": float("nan")}, "fps"),
        ({"rate": 0}, "rate"),
        ({"rate": -8000}, "rate"),
        ({"rate": 44.1}, "rate"),
        ({"audio": np.zeros((2, 9))}, "mono"),
        ({"audio": np.zeros(9, np.int16)}, "float"),
        ({"audio": np.zeros(0)}, "zero samples"),
        ({"audio": np.array([0.0, np.nan])}, "NaN"),
    ],
)
def test_a_clip_of_unusable_content_is_refused(change, told):
    with pytest.raises(MediaError, match=told):
        Clip(**{**GOOD, **change})


def test_broken_files_are_refused_by_name(tmp_path):
    (tmp_path / "text.mp4").write_text("This is no film.\n" * 99)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    expected = {"text": "not a readable", "empty": "empty", "folder": "folder", "gone": "no such"}
    for stem, told in expected.items():
        for reader in (read, read_audio):
            with pytest.raises(MediaError, match=told) as caught:
                reader(tmp_path / f"{stem}.mp4")
            assert f"{stem}.mp4" in str(caught.value)


def test_a_playlist_cannot_make_a_reader_open_the_network(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        text = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{address}\n#EXT-X-ENDLIST\n"
        (tmp_path / "a.m3u8").write_text(text)
        with pytest.raises(MediaError):
            read(tmp_path / "a.m3u8")
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_missing_track_is_named(tmp_path):
    film(tmp_path / "silent.mkv", flat([9] * 5), np.arange(5) / 25, [])
    with pytest.raises(MediaError, match="no audio track"):
        read(tmp_path / "silent.mkv")
    with pytest.raises(MediaError, match="no audio track"):
        read_audio(tmp_path / "silent.mkv")
    wavfile.write(tmp_path / "blind.wav", 16000, murmur(1600))
    with pytest.raises(MediaError, match="no video track"):
        read(tmp_path / "blind.wav")


def test_tracks_without_content_are_refused(tmp_path):
    film(tmp_path / "a.mkv", flat([]), [], [(0.0, murmur(1600))])
    with pytest.raises(MediaError, match="zero frames"):
        read(tmp_path / "a.mkv")
    wavfile.write(tmp_path / "b.wav", 16000, np.zeros(0, np.float32))
    with pytest.raises(MediaError, match=r"zero samples|not a readable"):
        read_audio(tmp_path / "b.wav")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".webm"])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_truncated_films_are_refused(tmp_path, suffix, share):
    path = write(example(count=75), tmp_path / f"a{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(MediaError, match=r"truncated|cut off"):
        read(path)
    with pytest.raises(MediaError, match=r"truncated|cut off"):
        read_audio(path)


def test_a_truncated_wave_file_is_refused(tmp_path):
    wavfile.write(tmp_path / "a.wav", 16000, murmur(32000))
    data = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(data[:70000])
    with pytest.raises(MediaError, match="truncated"):
        read_audio(tmp_path / "a.wav")


def test_a_film_whose_packets_do_not_decode_is_refused(tmp_path):
    path = write(example(count=50), tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 300
    data[start:] = b"\x55" * (len(data) - start)
    path.write_bytes(data)
    with pytest.raises(MediaError, match="damaged"):
        read(path)


def test_sound_with_nan_is_refused(tmp_path):
    broken = murmur(16000)
    broken[500] = np.nan
    wavfile.write(tmp_path / "a.wav", 16000, broken)
    with pytest.raises(MediaError, match="NaN"):
        read_audio(tmp_path / "a.wav")
    film(tmp_path / "a.mkv", flat([9] * 25), np.arange(25) / 25, [(0.0, broken)])
    with pytest.raises(MediaError, match="NaN"):
        read(tmp_path / "a.mkv")


WISHES = [{"rate": 0}, {"rate": -1}, {"fps": 0}, {"size": (0, 9)}, {"size": (9,)}]


@pytest.mark.parametrize("wish", WISHES)
def test_impossible_wishes_are_refused(tmp_path, wish):
    path = write(example(), tmp_path / "a.mp4")
    with pytest.raises(MediaError, match="asked for"):
        read(path, **wish)
    with pytest.raises(MediaError, match="above zero"):
        resample(np.zeros(9), 16000, 0)


def test_a_failed_write_leaves_everything_as_it_was(tmp_path, monkeypatch):
    kept = write(example(), tmp_path / "a.mp4")
    before = kept.read_bytes()

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(clips.os, "replace", full)
    with pytest.raises(MediaError, match="no space left"):
        write(example(count=5), kept)
    monkeypatch.undo()
    with pytest.raises(MediaError, match="cannot write"):
        write(example(), tmp_path / "a.gif")
    with pytest.raises(MediaError, match="could not be written"):
        write(example(), kept / "below_a_file.mp4")
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]
    assert kept.read_bytes() == before


def test_real_files_cut_short_are_refused(shared_data, tmp_path):
    names = ["grid/bbaf2n.mpg", "video/clearvoice_001.avi", "speech/1688-142285-0004.flac"]
    for name in [*names, "video/greatesthits_desk.mp4", "instruments/smstools_piano.wav"]:
        data = (shared_data / name).read_bytes()
        path = tmp_path / Path(name).name
        path.write_bytes(data[: int(0.6 * len(data))])
        with pytest.raises(MediaError, match=r"truncated|cut off"):
            read_audio(path)


@pytest.mark.parametrize("blocks", [60, 92, 131])
def test_a_program_stream_cut_between_its_packets_is_refused(shared_data, tmp_path, blocks):
    data = (shared_data / "grid" / "sbwe5n.mpg").read_bytes()
    (tmp_path / "a.mpg").write_bytes(data[: blocks * 2048])
    for reader in (read, read_audio):
        with pytest.raises(MediaError, match="truncated"):
            reader(tmp_path / "a.mpg")


def test_whole_program_streams_are_not_refused(shared_data):
    for path in sorted((shared_data / "grid").rglob("*.mpg")):
        assert len(read_audio(path)) == 48000


def test_sound_far_beyond_full_scale_is_not_encoded(tmp_path):
    loud = example().with_audio(1e5 * murmur(7680))
    with pytest.raises(MediaError, match=r"peaks at .* about -1\.\.1"):
        write(loud, tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_sound_that_float32_cannot_hold_is_refused():
    with pytest.raises(MediaError, match="infinite"):
        Clip(**{**GOOD, "audio": np.array([0.0, 1e300])})


def test_a_list_of_other_files_is_not_read_as_one_of_them(tmp_path):
    write(example(), tmp_path / "a.mkv")
    (tmp_path / "b.mp4").write_text("ffconcat version 1.0\nfile a.mkv\n")
    with pytest.raises(MediaError, match="list of other files"):
        read(tmp_path / "b.mp4")


ODD = [{"size": 5}, {"size": "ab"}, {"size": (float("nan"), 3)}, {"size": (10**6, 9)}]


@pytest.mark.parametrize("wish", [*ODD, {"fps": "25"}, {"fps": float("inf")}, {"rate": "a"}])
def test_wishes_of_another_kind_are_refused(tmp_path, wish):
    with pytest.raises(MediaError, match="asked for"):
        read(tmp_path / "a.mp4", **wish)


def test_numbers_that_are_none_are_refused(tmp_path):
    for change in ({"rate": float("nan")}, {"rate": float("inf")}, {"fps": "25"}):
        with pytest.raises(MediaError, match="must be"):
            Clip(**{**GOOD, **change})
    for part in ((float("nan"), 0.1), (0.0, float("inf"))):
        with pytest.raises(MediaError, match="finite"):
            example().trim(*part)
    for rate in (float("nan"), float("inf"), 0.5):
        with pytest.raises(MediaError, match="whole"):
            resample(np.zeros(9), 8000, rate)
    with pytest.raises(MediaError, match="fps"):
        write(Clip(**{**GOOD, "fps": 1e-5}), tmp_path / "a.mkv")


def test_a_long_film_without_pictures_has_zero_frames(tmp_path):
    film(tmp_path / "a.mkv", flat([]), [], [(0.0, murmur(32000))])
    with pytest.raises(MediaError, match="zero frames"):
        read(tmp_path / "a.mkv")


def test_clips_may_come_one_by_one():
    assert clips.side_by_side(example() for _ in range(2)).frames.shape[2] == 96
