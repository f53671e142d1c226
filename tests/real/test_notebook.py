"""Chapter 0 by papermill on recordings of people: faces, mixtures, oracles, scores, videos."""

import os

import numpy as np
import pytest

from avsep_core import clip, corpora
from avsep_core.corpora import mixtures
from avsep_core.ledgers import verdict

pytestmark = pytest.mark.real
SLUG = "foundations"


@pytest.fixture(scope="module")
def people(shared_data):
    return corpora.open_corpus("grid", shared_data / "grid")


def entries(ledger, table, row, column):
    return [
        s
        for s in ledger["scores"]
        if (s["corpus"], s["table"], s["row"], s["column"]) == ("grid", table, row, column)
    ]


def test_the_ledger_says_that_the_oracle_gains_9_db_on_people(ledger):
    (gain,) = entries(ledger, "two_talkers", "irm", "dsdr")
    assert gain["value"] >= 9 and gain["ci95"][0] <= gain["value"] <= gain["ci95"][1]
    (nothing,) = entries(ledger, "two_talkers", "mixture", "dsdr")
    assert nothing["value"] == pytest.approx(0, abs=1e-6)
    assert entries(ledger, "three_talkers", "irm", "dsdr")


def test_every_verdict_on_real_people_follows_from_its_interval(ledger):
    claims = [c for c in ledger["claims"] if c["corpus"] == "grid"]
    assert len(claims) >= 4
    for claim in claims:
        assert claim["status"] == verdict(*claim["ci95"], claim["threshold"]), claim["id"]


def test_each_pair_of_people_gains_9_db_by_the_tuned_ideal_ratio_mask(ledger):
    """The window and the power are chosen on drawn validation talkers, never on these people."""
    (plain,) = entries(ledger, "hardest_pair", "irm", "dsdr")
    (tuned,) = entries(ledger, "hardest_pair", "irm_tuned", "dsdr")
    print(f"hardest pair, ΔSDR: plain {plain['value']:.2f} dB, tuned {tuned['value']:.2f} dB")
    assert tuned["value"] >= 9
    (pairs,) = entries(ledger, "two_talkers", "irm_tuned", "dsdr")
    assert pairs["n"] == 2 * 15  # every pair of the six people
    assert pairs["ci95"][0] > 9


def test_each_talker_has_a_video_with_only_that_voice(run, people):
    videos = sorted((run / "voices").glob("*.mp4"))
    items = mixtures.fixed_list(people, talkers=2, split="test")
    names = {i.name: [f"{i.name}-{s}" for s in i.speakers] for i in items}
    chosen = [i for i in items if any(v.stem.endswith(names[i.name][0]) for v in videos)]
    assert {item.kind for item in chosen} == {"ff", "mm", "fm"}
    assert len(videos) == 2 * len(chosen)
    for item in chosen:
        made = mixtures.make(people, item)
        for j, name in enumerate(names[item.name]):
            (path,) = [v for v in videos if v.stem.endswith(name)]
            shown = clip.read(path, fps=made.clip.fps, rate=made.rate)
            assert abs(len(shown.frames) - len(made.clip.frames)) <= 1
            n = min(len(shown.audio), made.sources.shape[1])
            alike = [np.corrcoef(shown.audio[:n], s[:n])[0, 1] for s in made.sources]
            assert alike[j] > 0.85 and max(a for i, a in enumerate(alike) if i != j) < 0.4


def test_nothing_of_the_real_clips_lands_in_the_repository(run, root):
    assert run.is_relative_to(root / "_build")
    assert not (root / "voices").exists() and not os.path.exists("voices")
