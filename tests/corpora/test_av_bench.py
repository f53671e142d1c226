"""AV-Bench: any video with a painted region beside it, and what is wrong when there is none."""

import re

import cv2
import numpy as np
import pytest

from avsep_core import clip as clips
from avsep_core.corpora import CorpusError
from avsep_core.corpora.av_bench import AvBench, read_mask
from tests.films import example

HEIGHT, WIDTH = 48, 64


def paint(path, top, bottom, left, right, shape=(HEIGHT, WIDTH), value=255):
    """A mask that is white in a box given in fractions of the picture."""
    mask = np.zeros(shape, np.uint8)
    rows = slice(round(top * shape[0]), round(bottom * shape[0]))
    mask[rows, round(left * shape[1]) : round(right * shape[1])] = value
    assert cv2.imwrite(str(path), mask)


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    """One second of drifting gradients and murmur, as a file."""
    film = example(count=25, height=HEIGHT, width=WIDTH, rate=8000)
    return clips.write(film, tmp_path_factory.mktemp("movie") / "movie.mkv")


@pytest.fixture
def folder(tmp_path, movie):
    """Two videos of the paper, one of the reader's own, and one without a region."""
    for name in ("My cat", "Guitar Solo", "wooden_horse", "unpainted"):
        (tmp_path / f"{name}.mkv").write_bytes(movie.read_bytes())
    paint(tmp_path / "Guitar-solo_region.png", 0.5, 1, 0, 0.5)
    paint(tmp_path / "wooden_horse_region.PNG", 0, 0.5, 0, 0.5)
    paint(tmp_path / "wooden_horse_other.png", 0, 1, 0.25, 0.75)
    paint(tmp_path / "My cat_region.png", 0.25, 0.75, 0.25, 0.75)
    return tmp_path


def test_every_video_with_a_region_is_a_scene_and_the_papers_come_first(folder):
    assert AvBench(folder).names == ["wooden_horse", "guitar_solo", "My cat"]
    assert AvBench(folder).item("my_cat").name == "My cat"


def test_the_films_own_sound_is_the_source_and_nothing_else_moves_unless_painted(folder, movie):
    scene = AvBench(folder).item("Guitar Solo")
    film = clips.read(movie, rate=8000)
    assert scene.name == scene.clip.name == "guitar_solo"
    assert np.array_equal(scene.clip.frames, film.frames) and scene.clip.fps == 25
    assert np.array_equal(scene.source, film.audio) and scene.clip.rate == 8000
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[HEIGHT // 2 :, : WIDTH // 2] = True
    assert scene.region.dtype == scene.distractor.dtype == bool
    assert np.array_equal(scene.region, expected) and not scene.distractor.any()


def test_a_pixel_painted_in_both_masks_belongs_to_what_sounds(folder):
    scene = AvBench(folder).item("wooden_horse")
    assert not (scene.region & scene.distractor).any()
    union = np.zeros((HEIGHT, WIDTH), bool)
    union[: HEIGHT // 2, : WIDTH // 2] = union[:, WIDTH // 4 : 3 * WIDTH // 4] = True
    assert np.array_equal(scene.region | scene.distractor, union)


@pytest.mark.parametrize("factor", [1, 2, 5])
@pytest.mark.parametrize("size", [None, (24, 32), (40, 60)])
def test_a_mask_of_any_size_marks_the_same_part_of_the_picture(folder, factor, size):
    shape = (factor * HEIGHT, factor * WIDTH)
    paint(folder / "My cat_region.png", 0.25, 0.75, 0.5, 1, shape)
    region = AvBench(folder).item("My cat", size=size).region
    height, width = region.shape
    assert region.shape == (size or (HEIGHT, WIDTH))
    assert region[height // 4 : 3 * height // 4, width // 2 :].all()
    assert region.mean() == pytest.approx(0.25)


def test_the_first_seconds_are_cut_in_sight_and_sound_alike(folder):
    part = AvBench(folder).item("My cat", fps=20, rate=16000, seconds=0.5)
    assert len(part.clip.frames) == 10 and len(part.source) == 8000
    whole = AvBench(folder).item("My cat", seconds=99)
    assert len(whole.clip.frames) == 25
    with pytest.raises(ValueError, match=r"seconds=-1 given; expected"):
        AvBench(folder).item("My cat", seconds=-1)


def test_soft_edges_transparency_and_sixteen_bits_do_not_move_the_mask(tmp_path):
    hard = np.zeros((60, 80), np.uint8)
    cv2.circle(hard, (40, 30), 18, 255, -1)
    seen = np.dstack([np.full_like(hard, 255)] * 3 + [hard])
    variants = {
        "plain": hard,
        "soft": cv2.GaussianBlur(hard, (0, 0), 0.8),
        "transparent": seen,
        "deep": hard.astype(np.uint16) * 257,
    }
    for name, picture in variants.items():
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), picture)
        assert np.mean(read_mask(path) != (hard > 0)) < 0.02, name


def broken(kind, folder):
    """Spoil the mask or the video of "My cat"."""
    mask, ramp = folder / "My cat_region.png", np.linspace(0, 255, HEIGHT * WIDTH)
    if kind == "a gradient":
        cv2.imwrite(str(mask), ramp.reshape(HEIGHT, WIDTH).astype(np.uint8))
    elif kind == "red":
        cv2.imwrite(str(mask), np.full((HEIGHT, WIDTH, 3), (0, 0, 255), np.uint8))
    elif kind == "black":
        paint(mask, 0, 0, 0, 0)
    elif kind == "ones":
        paint(mask, 0, 0.5, 0, 0.5, value=1)
    elif kind == "white":
        paint(mask, 0, 1, 0, 1)
    elif kind == "square":
        paint(mask, 0, 0.5, 0, 0.5, (48, 48))
    elif kind == "dot":
        paint(mask, 0, 0.01, 0, 0.01, (10 * HEIGHT, 10 * WIDTH))
    elif kind == "text":
        mask.write_text("no picture")
    elif kind == "nothing":
        mask.write_bytes(b"")
    elif kind == "same twice":
        (folder / "My cat_other.png").write_bytes(mask.read_bytes())
    elif kind == "silent":
        film = example(count=25, height=HEIGHT, width=WIDTH, rate=8000)
        clips.write(film.with_audio(0 * film.audio), folder / "My cat.mkv")


@pytest.mark.parametrize(
    "kind, told",
    [
        ("a gradient", r"50% of .*My cat_region\.png is neither black nor white.*not a picture"),
        ("red", r"100% of .* is neither black nor white"),
        ("black", r"nothing in .*My cat_region\.png is white.*0\.0% of full scale.*paint white"),
        ("ones", r"nothing in .* is white.*0\.4% of full scale.*stored as 0 and 255"),
        ("white", r"white everywhere; leave the rest black"),
        ("square", r"has 48x48 px, but the video 64x48.*whole still of this video"),
        ("dot", r"nothing is white at 64x48 px; paint larger areas"),
        ("text", r"no picture that can be read"),
        ("nothing", r"no picture that can be read"),
        ("same twice", r"My cat_other\.png lies within My cat_region\.png.*or delete it"),
        ("silent", r"My cat\.mkv .*is silent.*its own sound is the source"),
    ],
)
def test_a_mask_or_sound_that_cannot_serve_is_told_with_its_remedy(folder, kind, told):
    broken(kind, folder)
    with pytest.raises(CorpusError, match=told):
        AvBench(folder).item("My cat")


def test_the_shape_of_the_video_is_compared_even_where_another_size_is_asked_for(folder):
    paint(folder / "My cat_region.png", 0, 0.5, 0, 0.5, (32, 32))
    with pytest.raises(CorpusError, match=r"has 32x32 px, but the video 64x48"):
        AvBench(folder).item("My cat", size=(32, 32))


def test_whoever_lacks_a_file_is_told_which_one(folder, movie, tmp_path_factory):
    bench = AvBench(folder)
    with pytest.raises(CorpusError, match=r"expected .*unpainted_region\.png beside unpainted\.m"):
        bench.item("unpainted")
    with pytest.raises(CorpusError, match=r"expected a video .*violin_yanni with .*\.avi.*My cat"):
        bench.item("violin_yanni")
    with pytest.raises(CorpusError, match=r"no data_root was given; make a folder"):
        AvBench(None)
    with pytest.raises(CorpusError, match=r"expected the folder .*nowhere, which does not exist"):
        AvBench(folder / "nowhere")
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(CorpusError, match=re.escape(f"{empty} holds no video")):
        AvBench(empty)
    (empty / "violin_yanni.mkv").write_bytes(movie.read_bytes())
    with pytest.raises(CorpusError, match=r"expected one of violin_yanni_region\.png: open a sti"):
        AvBench(empty)
    with pytest.raises(CorpusError, match=r"which does not exist; open a still"):
        read_mask(empty / "mask.png")


def test_two_files_for_one_name_are_refused(folder, movie):
    (folder / "GUITAR solo.mkv").write_bytes(movie.read_bytes())
    with pytest.raises(CorpusError, match=r"would both be 'guitar_solo'; rename one"):
        AvBench(folder)
