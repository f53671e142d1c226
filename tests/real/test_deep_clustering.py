"""Chapter 4 on recordings of people: pairs of GRID talkers, and of LibriSpeech readers by ear."""

from itertools import combinations

import numpy as np
import pytest

from avsep_core import clip, corpora, scores
from avsep_core.corpora import mixtures
from avsep_core.deep_clustering.embedding import masks_of, sounds
from avsep_core.deep_clustering.features import STFT
from avsep_core.deep_clustering.separate import separate, shipped
from avsep_core.ledgers import verdict

pytestmark = pytest.mark.real
SLUG = "deep_clustering"
READERS = {"f": ("1998", "3331", "367", "533"), "m": ("1688", "2033", "2414", "3005")}


def test_a_man_and_a_woman_are_separated(value):
    for row in ("dc", "avdc"):
        gain = value("table_5", row, "different_sex")
        print(f"GRID, man and woman, {row}: {gain:.1f} dB")
        assert gain > 0, row


def test_every_verdict_on_real_people_follows_from_its_interval(ledger):
    claims = [c for c in ledger["claims"] if c["corpus"] == "grid"]
    assert len(claims) >= 3
    for claim in claims:
        assert claim["status"] == verdict(*claim["ci95"], claim["threshold"])


def test_a_video_goes_in_and_one_video_a_face_comes_out(shared_data, tmp_path):
    people = corpora.open_corpus("grid", shared_data / "grid")
    item = next(i for i in mixtures.fixed_list(people) if i.kind == "fm")
    party = mixtures.make(people, item)
    film = clip.read(clip.write(party.clip, tmp_path / "party.mp4"))
    heard = separate(film, 2)
    assert heard.names == ("face 1", "face 2") and heard.rate == 8000
    paths = heard.write(tmp_path / "voices")
    assert [clip.read(path).frames.shape[1:] for path in paths] == [film.frames.shape[1:]] * 2


def test_readers_are_told_apart_by_ear(shared_data):
    """All pairs of eight LibriSpeech readers, six seconds each, at equal levels."""
    files = {path.name.split("-")[0]: path for path in (shared_data / "speech").glob("*.flac")}
    sounds_of = {
        who: clip.read_audio(path, rate=STFT.rate)[: 6 * STFT.rate] for who, path in files.items()
    }
    sexes = {who: sex for sex, people in READERS.items() for who in people}
    gains = {"one sex": [], "both sexes": []}
    for a, b in combinations(sorted(sounds_of), 2):
        sources, mixture = mixtures.mix([sounds_of[a], sounds_of[b]])
        masks = masks_of(shipped("dc"), mixture, voices=2)
        made = sounds(masks, STFT.forward(mixture.astype(np.float64)), len(mixture))
        gain = scores.bss_eval(sources, made).sdr - scores.mixture_sdr(sources, mixture)
        gains["one sex" if sexes[a] == sexes[b] else "both sexes"].append(gain.mean())
    told = {name: float(np.mean(values)) for name, values in gains.items()}
    print("LibriSpeech by ear:", {name: f"{gain:.1f} dB" for name, gain in told.items()})
    assert len(gains["one sex"]) == 12 and len(gains["both sexes"]) == 16
    assert told["both sexes"] > 2
