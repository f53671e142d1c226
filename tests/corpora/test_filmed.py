"""Real films, which networks learn from and are scored on as they are with drawn bands."""

import json
import re

import cv2
import numpy as np
import pytest
import torch

from avsep_core import clip as clips
from avsep_core.clip import Clip
from avsep_core.co_separation.detector import Detection
from avsep_core.co_separation.evaluation import scored, seen
from avsep_core.co_separation.objective import Objective
from avsep_core.co_separation.objects import cut, objects
from avsep_core.co_separation.tasks import Pairs
from avsep_core.co_separation.validation import Validation
from avsep_core.corpora import CorpusError, filmed, solo_pairs
from avsep_core.corpora.audioset import AudioSet
from avsep_core.corpora.av_bench import AvBench
from avsep_core.corpora.ensembles import VIEWS
from avsep_core.corpora.music import LISTS, Music, pair_pieces
from tests.co_separation.small import separator
from tests.films import example, moving, murmur

RATE, SECONDS = 11025, 2.0
NAMES = ("flute", "tuba", "violin")
FLUTES, TUBAS, BOTH = (tuple(f"{kind}-_______{k}" for k in range(3)) for kind in ("fl", "tu", "ft"))
PLACES = {FLUTES[2]: (32, 48), TUBAS[2]: (60, 40), BOTH[0]: (48, 160),
          FLUTES[1]: (32, 48), TUBAS[1]: (48, 32)}  # fmt: skip
"""Videos that are there, with their height and width: three to train on, two to test."""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The official lists, and five videos in as many shapes; each lasts a piece and a bit."""
    folder = tmp_path_factory.mktemp("music")
    listed = {"solo": {"flute": FLUTES, "tuba": TUBAS}, "duet": {"flute tuba": BOTH}}
    for kind, name in LISTS.items():
        (folder / name).write_text(json.dumps({"videos": listed[kind]}))
    for seed, (id, (height, width)) in enumerate(PLACES.items()):
        pictures = moving(106, height, width)[:, :, :: (-1) ** seed]
        film = Clip(np.ascontiguousarray(pictures), 10.0, murmur(round(10.6 * RATE), seed), RATE)
        clips.write(film, folder / f"{id}.mkv")
    return folder


@pytest.fixture(scope="module")
def music(root):
    return Music(root)


@pytest.fixture(scope="module")
def films(music):
    return filmed.of_music(music, music.clips("train"))


@pytest.fixture(scope="module")
def store(films, tmp_path_factory):
    return filmed.write(tmp_path_factory.mktemp("films") / "kept", films, seconds=SECONDS)


class Sees:
    """A detector that finds what it is told, video by video, in the middle of each picture."""

    names = NAMES

    def __init__(self, told):
        self.left = list(told)

    def detect(self, frames):
        height, width = frames.shape[1:3]
        box = (width / 4, height / 4, width / 2, height / 2)
        return [[Detection(name, 0.9, box) for name in self.left.pop(0)]] * len(frames)


def made_up(name, seconds=SECONDS, *, sound=None, size=(12, 16), fail=None):
    """A film without a file."""

    def read(fps, wanted):
        if fail is not None:
            raise fail
        audio = murmur(round(seconds * RATE)) if sound is None else sound
        return Clip(moving(max(round(seconds * fps), 1), *size), fps, audio, RATE)

    return filmed.Film(name, (name,), read)


def test_a_piece_keeps_its_sound_and_the_pictures_at_the_middles_of_equal_parts(music, tmp_path):
    pieces = music.clips("train")
    kept = filmed.write(tmp_path / "kept", filmed.of_music(music, pieces))
    for n, piece in enumerate(pieces):
        clip = music.read(piece, fps=60 / 10)
        assert np.abs(kept.audio[n] / 32767 - clip.audio).max() < 1 / 32767
        assert np.array_equal(kept.views(n), clip.frames[[10, 30, 50]])
    assert kept.names == [f"{piece.id} 0" for piece in pieces]
    assert kept.instruments == [("flute",), ("tuba",), ("flute", "tuba")]
    assert len(kept) == 3 and kept.left_out == {}


def test_small_pictures_stay_as_they_are_and_large_ones_shrink_in_proportion(films, tmp_path):
    kept = filmed.write(tmp_path / "kept", films, seconds=SECONDS, size=(48, 64))
    assert kept.pictures.shape == (3, VIEWS, 48, 64, 3)
    assert [kept.views(n).shape[1:3] for n in range(3)] == [(32, 48), (48, 32), (19, 64)]
    whole = filmed.write(tmp_path / "whole", films, seconds=SECONDS)
    for n in range(3):
        large, small = (cut(one.views(n)[0], (0, 0, *one.views(n).shape[2:0:-1]), 8)
                        for one in (whole, kept))  # fmt: skip
        assert np.abs(large.astype(int) - small).mean() < 6
        assert not kept.pictures[n, :, kept.views(n).shape[1] :].any()


@pytest.mark.parametrize("kind", ["co_separation", "mix_and_separate", "sound_of_pixels"])
def test_pairs_of_films_are_what_the_loss_takes(store, kind):
    found = objects(store, Sees(store.instruments))
    told = [sorted(NAMES[c] for c in row if c >= 0) for row in found.labels]
    assert told == [["flute"], ["tuba"], ["flute", "tuba"]]
    network = separator(classes=len(NAMES), kind=kind)
    pairs = Pairs(store, found, network.architecture, scenes=False)
    assert all(sorted(pairs.videos(n)) == [0, 1] for n in range(8)), "the duet shares both classes"
    batch = torch.utils.data.default_collate([pairs[n] for n in range(2)])
    assert torch.isfinite(Objective(network.architecture)(network, batch))


def test_a_pair_of_filmed_solos_is_as_one_of_drawn_solos(music, tmp_path):
    """Both are a `SoloPair`; the sound and pictures are those that a store keeps of the films."""
    ((one, other),) = (filmed.of_music(music, both) for both in pair_pieces(music.clips("test")))
    both = filmed.pair(one, other, seconds=SECONDS)
    assert isinstance(both, solo_pairs.SoloPair) and both.instruments == ("flute", "tuba")
    assert both.sources.shape == (2, round(SECONDS * RATE)) and both.rate == RATE
    level = np.sqrt((both.sources**2).mean(1))
    assert both.sources.dtype == np.float32
    assert level == pytest.approx([solo_pairs.LEVEL] * 2, rel=1e-4)
    kept = filmed.write(tmp_path / "kept", [other, one], seconds=SECONDS)
    (item,) = kept.items([(one, other)], split="test")
    assert item.numbers == (1, 0) and (item.name, item.instruments) == (both.name, both.instruments)
    for k, number in enumerate(item.numbers):
        assert np.array_equal(both.pictures[k], kept.views(number))
        assert np.corrcoef(both.sources[k], kept.audio[number])[0, 1] == pytest.approx(1, abs=1e-6)


def test_a_pair_of_filmed_solos_is_evaluated_as_one_of_drawn_solos(films):
    both = filmed.pair(*films[:2], seconds=SECONDS)
    for pictures, name in zip(both.pictures, both.instruments, strict=True):
        made = seen(pictures, Sees([[name]]))
        assert NAMES[made.label] == name and len(made.windows) == VIEWS
    told = scored(both, {"mixture": np.repeat(both.mixture[None], 2, 0)})
    assert told["mixture"]["dsdr"] == pytest.approx([0, 0], abs=1e-6)


def test_a_network_is_validated_on_filmed_solos(store, films):
    items = store.items([(films[0], films[1])], split="validation")
    told = Validation(store, objects(store, Sees(store.instruments)), items)(separator())
    assert np.isfinite(told["sdr"])


BROKEN = [
    (made_up("short", 0.5 * SECONDS), r"short lasts 1\.00 s, 2 s are needed"),
    (made_up("silent", sound=np.zeros(round(SECONDS * RATE), np.float32)), "silent is silent for"),
    (made_up("torn", fail=CorpusError("torn.mkv: damaged")), r"torn\.mkv: damaged"),
    (made_up("gone", fail=clips.MediaError("gone.mkv: no such file")), r"gone\.mkv: no such file"),
]


@pytest.mark.parametrize(("broken", "why"), BROKEN, ids=[film.name for film, _ in BROKEN])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_film_that_cannot_be_used_is_left_out_with_its_pairs_and_the_others_close_up(
    films, tmp_path, broken, why, place
):
    good = films[:2]
    given = [*good[:place], broken, *good[place:]]
    kept = filmed.write(tmp_path / "kept", given, seconds=SECONDS)
    want = filmed.write(tmp_path / "want", good, seconds=SECONDS)
    assert kept.names == want.names and kept.instruments == want.instruments
    assert np.array_equal(kept.audio, want.audio) and np.array_equal(kept.pictures, want.pictures)
    assert list(kept.left_out) == [broken.name]
    assert re.search(why, kept.left_out[broken.name])
    assert kept.items([(good[0], broken), (good[1], good[0])], split="test")[0].numbers == (1, 0)
    with pytest.raises(ValueError, match=why):
        filmed.pair(good[0], broken, seconds=SECONDS)


@pytest.mark.parametrize("stop", range(5))
def test_writing_goes_on_where_it_was_stopped_and_reads_no_film_twice(films, tmp_path, stop):
    given = [BROKEN[0][0], films[0], BROKEN[2][0], *films[1:]]
    want = filmed.write(tmp_path / "want", given, seconds=SECONDS)
    read = []

    def watched(k, film):
        def clip(fps, seconds):
            if k == stop and k not in read:
                read.append(k)
                raise KeyboardInterrupt
            read.append(k)
            return film.read(fps, seconds)

        return filmed.Film(film.name, film.instruments, clip)

    again = [watched(k, film) for k, film in enumerate(given)]
    with pytest.raises(KeyboardInterrupt):
        filmed.write(tmp_path / "kept", again, seconds=SECONDS)
    with pytest.raises(ValueError, match="no complete store"):
        filmed.Films(tmp_path / "kept")
    kept = filmed.write(tmp_path / "kept", again, seconds=SECONDS)
    assert sorted(read) == sorted([*range(len(given)), stop])
    assert np.array_equal(kept.audio, want.audio) and np.array_equal(kept.pictures, want.pictures)
    assert (kept.names, kept.left_out) == (want.names, want.left_out)
    filmed.write(tmp_path / "kept", again, seconds=SECONDS)
    assert len(read) == len(given) + 1, "a complete store reads nothing"


@pytest.mark.parametrize("stop", [False, True], ids=["complete", "begun"])
@pytest.mark.parametrize(
    ("change", "settings"),
    [(0, {"seconds": 1.0}), (0, {"size": (40, 40)}), (1, {})],
    ids=["shorter", "smaller", "other films"],
)
def test_a_folder_of_other_films_or_settings_is_refused(films, tmp_path, stop, change, settings):
    given = [films[0], made_up("x", fail=KeyboardInterrupt()) if stop else films[1]]
    try:
        filmed.write(tmp_path / "kept", given, seconds=SECONDS)
    except KeyboardInterrupt:
        assert stop
    given = given[::-1] if change else given
    with pytest.raises(ValueError, match="choose another folder or remove this one"):
        filmed.write(tmp_path / "kept", given, **{"seconds": SECONDS, **settings})


def test_what_cannot_be_a_store_is_refused_before_anything_is_written(films, tmp_path):
    folder = tmp_path / "kept"
    for given, settings, told in (
        ([], {}, r"0 films of 0 names; give one or more"),
        ([films[0], films[0]], {}, r"2 films of 1 names"),
        (films, {"seconds": 10.5}, r"seconds=10\.5 given; expected 0\.1 to 10"),
        (films, {"size": (0, 640)}, "size is 0"),
    ):
        with pytest.raises(ValueError, match=told):
            filmed.write(folder, given, **settings)
    with pytest.raises(ValueError, match=r"seconds=10\.5 given"):
        filmed.pair(*films[:2], seconds=10.5)
    assert not folder.exists()


def test_where_no_film_can_be_used_the_first_reason_is_told(tmp_path):
    films = [film for film, _ in BROKEN]
    for _ in range(2):
        with pytest.raises(ValueError, match=r"none of 4 films can be used.*short lasts 1\.00 s"):
            filmed.write(tmp_path / "kept", films, seconds=SECONDS)


def test_films_that_were_never_written_are_in_no_pair(store, films):
    with pytest.raises(ValueError, match=r"film 'other' is not of .*holds 3 such as 'fl-"):
        store.items([(films[0], made_up("other"))], split="test")


def test_videos_of_audioset_are_films_whether_cut_or_whole_and_damaged_ones_are_left_out(tmp_path):
    root = tmp_path / "audioset"
    whole = example(count=200, fps=10.0, rate=RATE)
    clips.write(whole, root / "a_whole_vid.mkv")
    clips.write(whole.trim(5.0, 4.0), root / "only_piece__3.mkv")
    (root / "broken_file_0.mkv").write_bytes(b"no video")
    (root / "balanced_train_segments.csv").write_text(
        'a_whole_vid, 5.000, 9.000, "/m/04rlf,/m/07y_7,/m/01xqw"\n'
        'only_piece_, 3.000, 7.000, "/m/04rlf"\nbroken_file, 0.000, 4.000, "/m/07y_7"\n'
    )
    sounds = AudioSet(root)
    films = filmed.of_audioset(sounds, sounds.clips)
    kept = filmed.write(tmp_path / "kept", films, seconds=4.0)
    assert kept.names == ["a_whole_vid", "only_piece__3"]
    assert kept.instruments == [("violin", "cello"), ()]
    assert list(kept.left_out) == ["broken_file_0"]
    long, short = (clips.read(sounds.files[name], fps=10.0, rate=RATE) for name in kept.names)
    for n, clip in enumerate((long.trim(5.0, 4.0), short)):
        assert np.array_equal(kept.views(n), clip.frames[[7, 20, 33]])
        most = RATE // 1000  # times in an .mkv are rounded to a millisecond
        shifted = np.lib.stride_tricks.sliding_window_view(clip.audio, 4 * RATE - 2 * most)
        heard = kept.audio[n, most : 4 * RATE - most] / 32767
        assert np.abs(shifted - heard).max(1).min() < 1e-3
    both = filmed.pair(films[0], films[2], seconds=4.0)
    assert both.instruments == ("violin+cello", "unknown")
    with pytest.raises(CorpusError, match=r"a_whole_vid\.mkv: seconds=6\.0 .*expected 0\.1 to 4"):
        sounds.read("a_whole_vid", 6.0)


def test_scenes_of_av_bench_are_films_of_unknown_instruments(tmp_path):
    root = tmp_path / "bench"
    film = example(count=75, height=48, width=64, rate=RATE)
    clips.write(film, root / "guitar_solo.mkv")
    region = 255 * np.repeat([[0, 1]], 48, 0).repeat(32, 1).astype(np.uint8)
    assert cv2.imwrite(str(root / "guitar_solo_region.png"), region)
    kept = filmed.write(tmp_path / "kept", filmed.of_bench(AvBench(root)), seconds=SECONDS)
    assert kept.names == ["guitar_solo"] and kept.instruments == [()]
    assert np.abs(kept.audio[0] / 32767 - film.audio[: round(SECONDS * RATE)]).max() < 1 / 32767
    assert kept.views(0).shape == (VIEWS, 48, 64, 3)
