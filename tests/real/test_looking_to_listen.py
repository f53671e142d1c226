"""Chapter 3 on recordings of people: pairs of GRID talkers side by side."""

import numpy as np
import pytest

from avsep_core import clip, corpora, scores
from avsep_core.corpora import noisy
from avsep_core.ledgers import verdict
from avsep_core.looking_to_listen.separate import separate

pytestmark = pytest.mark.real
SLUG = "looking_to_listen"


def test_on_people_the_right_face_matters(value):
    right, swapped = (value("controls", row, "sdr") for row in ("right", "swapped"))
    print(f"GRID pairs: right faces {right:.1f} dB, swapped {swapped:.1f} dB")
    assert right > swapped + 1


def test_a_man_and_a_woman_are_separated(value):
    for row in ("audio_only_pit", "av_2_faces"):
        gain = value("table_4", row, "male_female")
        print(f"GRID, man and woman, {row}: {gain:.1f} dB")
        assert gain > 0, row


def test_every_verdict_on_real_people_follows_from_its_interval(ledger):
    claims = [c for c in ledger["claims"] if c["corpus"] == "grid"]
    assert len(claims) >= 3
    for claim in claims:
        assert claim["status"] == verdict(*claim["ci95"], claim["threshold"])


def test_a_video_goes_in_and_one_video_a_face_comes_out(shared_data, tmp_path):
    people = corpora.open_corpus("grid", shared_data / "grid")
    item = next(i for i in noisy.task_list(people, "2s_clean") if i.kind == "fm")
    party = noisy.make_noisy(people, item)
    film = clip.read(clip.write(party.clip, tmp_path / "party.mp4"))
    heard = separate(film, 2)
    assert heard.names == ("face 1", "face 2") and heard.rate == 8000
    paths = heard.write(tmp_path / "voices")
    assert [clip.read(path).frames.shape[1:] for path in paths] == [film.frames.shape[1:]] * 2
    truth = np.stack([clip.resample(s, party.rate, 8000) for s in party.sources])
    count = min(truth.shape[1], heard.voices.shape[1])
    sdr = scores.bss_eval(truth[:, :count], heard.voices[:, :count], permute=False).sdr
    print(f"one pair, through files: SDR {np.round(sdr, 1)} dB")
    assert np.isfinite(sdr).all()
