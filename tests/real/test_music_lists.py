"""The official lists of MUSIC: as many videos as the paper says, and none in two parts."""

import re
import shutil
from collections import Counter
from itertools import combinations

import pytest

from avsep_core.corpora.music import Music, pair_pieces, read_lists

pytestmark = pytest.mark.real

INSTRUMENTS = {
    "accordion", "acoustic_guitar", "cello", "clarinet", "erhu", "flute", "saxophone", "trumpet",
    "tuba", "violin", "xylophone",
}  # fmt: skip


@pytest.fixture(scope="module")
def lists(shared_data):
    """Their folder, or a skip."""
    folder = shared_data / "lists"
    if not (folder / "MUSIC_solo_videos.json").is_file():
        pytest.skip(f"no lists of MUSIC in {folder}")
    return folder


def test_there_are_536_solos_of_eleven_instruments_and_149_duets(lists):
    count = Counter(len(video.categories) for video in read_lists(lists))
    print(f"MUSIC: {count[1]} solos, {count[2]} duets; the paper says 536 and 149")
    assert count == {1: 536, 2: 149}
    assert {name for video in read_lists(lists) for name in video.categories} == INSTRUMENTS


@pytest.mark.parametrize("hold_out_duets, held_out", [(False, 11), (True, 20)])
def test_no_video_is_in_two_parts_and_each_kind_holds_one_out(lists, hold_out_duets, held_out):
    videos = read_lists(lists, hold_out_duets=hold_out_duets)
    parts = {
        part: {video.id for video in videos if video.part == part}
        for part in ("train", "validation", "test")
    }
    assert all(not a & b for a, b in combinations(parts.values(), 2))
    assert sum(map(len, parts.values())) == len(videos) == 685
    assert len(parts["validation"]) == len(parts["test"]) == held_out


def test_films_called_after_ids_of_the_lists_become_a_pair_to_test(lists, shared_data, tmp_path):
    films = {"acoustic_guitar": "solo_guitar_0DCit2EBtjs", "violin": "solo_violin_vasflow_short5"}
    for instrument, film in films.items():
        (id,) = [
            video.id
            for video in read_lists(lists)
            if video.part == "test" and video.categories == (instrument,)
        ]
        shutil.copy(shared_data / "video" / f"{film}.mp4", tmp_path / f"{id}.mp4")
    music = Music(tmp_path, lists=lists)
    assert len(music.missing) == 683
    ((guitar, violin),) = pair_pieces(music.clips("test"))
    assert (guitar.categories, violin.categories) == (("acoustic_guitar",), ("violin",))
    for piece in (guitar, violin):
        clip = music.read(piece)
        assert len(clip.frames) == 250 and len(clip.audio) == 110250 and clip.audio.any()


def test_the_test_videos_of_later_papers_are_training_videos_here(lists):
    """So their numbers are no numbers of this split: 24 of their 25 videos are trained on."""
    table = lists / "music_test_pairs_iquery.csv"
    if not table.is_file():
        pytest.skip(f"no {table}")
    theirs = set(re.findall(r"/([\w-]{11})\.wav", table.read_text()))
    part = {video.id: video.part for video in read_lists(lists)}
    assert Counter(part[id] for id in theirs) == {"train": 24, "test": 1}
