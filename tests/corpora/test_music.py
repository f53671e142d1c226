"""MUSIC: parts by the lists' order, videos of which many are gone, and ten seconds at a time."""

import json
import shutil
from collections import Counter
from itertools import chain, combinations

import numpy as np
import pytest

from avsep_core import clip as clips
from avsep_core.clip import Clip, MediaError
from avsep_core.corpora import CorpusError
from avsep_core.corpora.music import LISTS, Music, Piece, pair_pieces, read_lists
from avsep_core.corpora.pieces import hear_piece, length, read_piece
from tests.films import example

RATE = 11025


def ids(start, count):
    """YouTube ids of a kind: 11 characters."""
    return [f"{start}-{'_' * (8 - len(start))}{k:02d}" for k in range(count)]


SOLOS = {"flute": ids("fl", 4), "tuba": ids("tu", 4), "acoustic_guitar": ids("gu", 3)}
DUETS = {"flute tuba": ids("ft", 3), "acoustic_guitar tuba": ids("gt", 2)}


def save_lists(folder, solos=SOLOS, duets=DUETS):
    """Both lists in their official format."""
    for kind, table in (("solo", solos), ("duet", duets)):
        (folder / LISTS[kind]).write_text(json.dumps({"version": 1.0, "videos": table}))
    return folder


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    """25 seconds of drifting gradients and murmur: two pieces and a rest."""
    film = example(count=250, fps=10.0, rate=RATE)
    return clips.write(film, tmp_path_factory.mktemp("movie") / "movie.mkv")


@pytest.fixture
def root(tmp_path, movie):
    """The lists, and some of the videos as the crawlers of several people lay them out."""
    save_lists(tmp_path)
    flute, tuba, guitar = SOLOS.values()
    for place in (
        f"solo/flute/{flute[1]}.mkv", f"solo/acoustic_guitar/{guitar[1]}.mkv", f"{tuba[1]}.mkv",
        f"{tuba[0]}.webm", f"{flute[2]}.MKV", f"duet/flute tuba/{DUETS['flute tuba'][0]}.mkv",
        "solo/tuba/other_video.mkv",
    ):  # fmt: skip
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(movie, path)
    (tmp_path / f"{SOLOS['flute'][3]}.part.mkv").write_bytes(b"broken off")
    return tmp_path


# --- lists and parts ----------------------------------------------------------------------------


def test_the_first_of_each_instrument_validates_the_second_tests_and_all_others_train(tmp_path):
    videos = {video.id: video for video in read_lists(save_lists(tmp_path))}
    for instrument, listed in SOLOS.items():
        parts = [videos[id].part for id in listed]
        assert parts == ["validation", "test", *["train"] * (len(listed) - 2)]
        assert {videos[id].categories for id in listed} == {(instrument,)}
    for pair, listed in DUETS.items():
        assert {videos[id].part for id in listed} == {"train"}
        assert {videos[id].categories for id in listed} == {tuple(pair.split())}


def test_duets_may_be_held_out_as_solos_are(tmp_path):
    videos = {video.id: video for video in read_lists(save_lists(tmp_path), hold_out_duets=True)}
    parts = [videos[id].part for id in DUETS["flute tuba"]]
    assert parts == ["validation", "test", "train"]


@pytest.mark.parametrize("turned", [False, True])
def test_a_video_listed_twice_is_held_out_wherever_one_list_holds_it_out(tmp_path, turned):
    shared = ids("xx", 3)
    solos = {
        "flute": [*ids("fl", 2), shared[0], shared[1]],
        "tuba": [shared[0], shared[1], *ids("tu", 1)],
        "violin": [shared[2], *ids("vi", 2)],
    }
    if turned:
        solos = dict(reversed(solos.items()))
    duets = {"flute tuba": [*ids("ft", 2), shared[2], shared[0]]}
    videos = read_lists(save_lists(tmp_path, solos, duets))
    assert len({video.id for video in videos}) == len(videos) == 10
    kept = {video.id: (video.part, video.categories) for video in videos}
    assert kept[shared[0]] == ("validation", ("tuba",))
    assert kept[shared[1]] == ("test", ("tuba",))
    assert kept[shared[2]] == ("validation", ("violin",))


def test_a_list_that_is_missing_or_damaged_is_named_with_where_to_get_it(tmp_path):
    with pytest.raises(CorpusError, match=r"no data_root was given.*roudimit/MUSIC_dataset"):
        Music(None)
    with pytest.raises(CorpusError, match=r"MUSIC_solo_videos\.json.*roudimit/MUSIC_dataset"):
        Music(tmp_path)
    for wrong in ("", "[]", '{"videos": {}}', '{"videos": {"flute": ["short"]}}',
                  '{"videos": {"flute tuba": ["fl-______00"]}}', '{"videos": {"flute": []}}',
                  '{"videos": {"flute": [7]}}', "<html>"):  # fmt: skip
        (save_lists(tmp_path) / LISTS["solo"]).write_text(wrong)
        with pytest.raises(CorpusError, match=r'solo_videos\.json is not as expected.*"flute": \['):
            read_lists(tmp_path)
    save_lists(tmp_path, duets=SOLOS)
    with pytest.raises(CorpusError, match=r'duet_videos\.json .*"flute violin": \['):
        read_lists(tmp_path)


# --- videos that are here, and those that are not -----------------------------------------------


def test_videos_are_found_in_one_folder_or_by_instrument_and_those_that_lack_are_told(root):
    music = Music(root)
    assert music.splits == {
        "train": [SOLOS["flute"][2], DUETS["flute tuba"][0]],
        "validation": [SOLOS["tuba"][0]],
        "test": [SOLOS["flute"][1], SOLOS["tuba"][1], SOLOS["acoustic_guitar"][1]],
    }
    assert len(music.videos) == 6 and len(music.missing) == 10
    assert music.report.startswith(f"10 of 16 videos of MUSIC are not in {root}. train: ")
    for video in [*music.missing, *music.videos.values()]:
        assert (video.id in music.report) == (video in music.missing)


def test_a_part_does_not_move_up_where_a_video_is_missing(root):
    (root / "solo" / "flute" / f"{SOLOS['flute'][1]}.mkv").unlink()
    assert SOLOS["flute"][2] in Music(root).splits["train"]


def test_lists_may_lie_elsewhere_and_nothing_may_be_missing(tmp_path, movie):
    videos = tmp_path / "videos"
    videos.mkdir()
    for id in chain(*SOLOS.values(), *DUETS.values()):
        shutil.copy(movie, videos / f"{id}.mkv")
    music = Music(videos, lists=save_lists(tmp_path))
    assert music.missing == [] and music.report == f"All 16 videos of MUSIC are in {videos}."


def test_a_folder_without_a_video_of_the_lists_says_what_was_expected(tmp_path, movie):
    shutil.copy(movie, save_lists(tmp_path) / "my flute.mkv")
    told = rf"none of the 16 .*solo/flute/{SOLOS['flute'][0]}\.mp4.*found 1 videos.*MUSIC_dataset"
    with pytest.raises(CorpusError, match=told):
        Music(tmp_path)


# --- pieces -------------------------------------------------------------------------------------


def test_pieces_are_ten_seconds_one_after_another_and_know_their_instruments(root):
    music = Music(root)
    train = music.clips("train")
    assert train == [
        Piece(SOLOS["flute"][2], ("flute",), 0.0), Piece(SOLOS["flute"][2], ("flute",), 10.0),
        Piece(DUETS["flute tuba"][0], ("flute", "tuba"), 0.0),
        Piece(DUETS["flute tuba"][0], ("flute", "tuba"), 10.0),
    ]  # fmt: skip
    with pytest.raises(CorpusError, match="split 'dev'; expected one of train, validation, test"):
        music.clips("dev")


def test_a_piece_is_seen_and_heard_where_it_lies_in_the_video(root, movie):
    music, film = Music(root), clips.read(movie, fps=10.0, rate=RATE)
    for piece in music.clips("test"):
        clip = music.read(piece, fps=10.0)
        part = film.trim(piece.start, 10.0)
        assert np.array_equal(clip.frames, part.frames) and clip.rate == RATE
        assert np.array_equal(clip.audio, part.audio)
        assert np.array_equal(clip.audio, music.audio(piece))
        assert clip.name == f"{piece.id} {piece.start:g}"


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".avi", ".mkv"])
def test_a_part_of_a_film_is_the_same_whether_all_of_it_was_decoded_or_not(tmp_path, suffix):
    """Decoders may differ by some noise, and times in a WebM are rounded to a millisecond."""
    path = clips.write(example(count=160, fps=10.0, rate=48000), tmp_path / f"film{suffix}")
    whole = clips.read(path, fps=5.0, rate=16000).trim(9.0, 6.0)
    part = read_piece(path, 9.0, 6.0, fps=5.0, rate=16000)
    assert np.array_equal(part.frames, whole.frames)
    assert part.audio.shape == whole.audio.shape
    most = 16  # samples in a millisecond
    shifted = np.lib.stride_tricks.sliding_window_view(whole.audio, len(part.audio) - 2 * most)
    errors = np.square(shifted - part.audio[most:-most]).mean(axis=1)
    assert errors.min() < 1e-4 * np.square(whole.audio).mean()
    assert np.array_equal(part.audio, hear_piece(path, 9.0, 6.0, rate=16000))
    assert length(path) == pytest.approx(16.0, abs=0.05)


def test_high_pictures_are_scaled_in_proportion_and_low_ones_are_left(tmp_path):
    path = clips.write(example(count=25, height=96, width=160), tmp_path / "film.mkv")
    assert read_piece(path, 0.0, 1.0, height=48).frames.shape == (25, 48, 80, 3)
    assert read_piece(path, 0.0, 1.0, height=360).frames.shape == (25, 96, 160, 3)


def test_pictures_and_sound_of_different_length_give_the_pieces_that_both_fill(tmp_path):
    film = example(count=250, fps=10.0, rate=RATE)
    uneven = Clip(film.frames, film.fps, film.audio[: 18 * RATE], RATE)
    for suffix in (".mkv", ".mp4"):
        path = clips.write(uneven, tmp_path / f"{DUETS['flute tuba'][0]}{suffix}")
        assert length(path) == pytest.approx(18.0, abs=0.2)
        with pytest.raises(MediaError, match=r"from 10 s on are not all there.*to 18\.\d\d s"):
            read_piece(path, 10.0, 10.0)
    save_lists(tmp_path)
    assert [piece.start for piece in Music(tmp_path).clips("train")] == [0.0]


def test_a_video_cut_to_ten_seconds_is_a_piece_though_some_sound_is_lacking(tmp_path):
    film = example(count=100, fps=10.0, rate=RATE)
    cut = Clip(film.frames, film.fps, film.audio[: round(9.95 * RATE)], RATE)
    clips.write(cut, save_lists(tmp_path) / f"{SOLOS['flute'][2]}.mkv")
    music = Music(tmp_path)
    (piece,) = music.clips("train")
    assert piece.start == 0.0 and len(music.read(piece, fps=10.0).frames) == 100
    sound = music.audio(piece)
    assert len(sound) == 10 * RATE and not sound[round(9.96 * RATE) :].any()


def test_damaged_files_and_pieces_of_other_videos_are_refused_by_name(root):
    music = Music(root)
    tuba = SOLOS["tuba"][1]
    (root / f"{tuba}.mkv").write_bytes(b"no video")
    with pytest.raises(CorpusError, match=rf"{tuba}\.mkv: not a readable.*remove it from the fol"):
        music.clips("test")
    for get in (music.read, music.audio):
        with pytest.raises(CorpusError, match=rf"{tuba}\.mkv: not a readable"):
            get(Piece(tuba, ("tuba",), 0.0))
        with pytest.raises(CorpusError, match=r"no video 'gone_______' of the lists, of 6 such as"):
            get(Piece("gone_______", ("tuba",), 0.0))


# --- pairs to test ------------------------------------------------------------------------------

ELEVEN = [
    "accordion", "acoustic_guitar", "cello", "clarinet", "erhu", "flute", "saxophone", "trumpet",
    "tuba", "violin", "xylophone",
]  # fmt: skip


def pieces_of(instruments, count=24):
    """So many pieces of one test video of each instrument."""
    return [
        Piece(f"{name:_<11.11}", (name,), 10.0 * k) for name in instruments for k in range(count)
    ]


def test_eleven_instruments_make_the_papers_550_pairs_ten_of_each_two():
    pairs = pair_pieces(pieces_of(ELEVEN))
    assert len(set(pairs)) == 550
    counted = Counter((a.categories[0], b.categories[0]) for a, b in pairs)
    assert counted == Counter({both: 10 for both in combinations(ELEVEN, 2)})


def test_pairs_are_the_same_from_the_same_seed_and_others_from_another():
    pieces = pieces_of(ELEVEN[:3])
    assert pair_pieces(pieces, seed=1) == pair_pieces(pieces, seed=1) != pair_pieces(pieces, seed=2)


def test_an_instrument_that_is_gone_changes_no_pair_of_the_others():
    pairs = pair_pieces(pieces_of(ELEVEN))
    kept = [pair for pair in pairs if all(piece.categories != ("cello",) for piece in pair)]
    assert pair_pieces(pieces_of(name for name in ELEVEN if name != "cello")) == kept


def test_duets_are_in_no_pair_and_few_pieces_make_all_the_pairs_they_can():
    duet = Piece("duet_______", ("flute", "tuba"), 0.0)
    few = [*pieces_of(["flute", "tuba"], 2), duet]
    pairs = pair_pieces(few)
    assert len(set(pairs)) == 4 and all(duet not in pair for pair in pairs)
    with pytest.raises(CorpusError, match="solos of flute given; expected two instruments"):
        pair_pieces([*pieces_of(["flute"]), duet])
    with pytest.raises(ValueError, match="each is 0; give a whole number of pairs"):
        pair_pieces(few, each=0)
