"""Chapter 1 on recordings of people: side by side in turn, by the door and by papermill."""

import shutil

import numpy as np
import pytest

from avsep_core import corpora
from avsep_core.corpora import dialogues
from avsep_core.ledgers import load, verdict
from avsep_core.matching_pursuit.analysis import analyse
from avsep_core.matching_pursuit.separate import separate
from book import execute

pytestmark = pytest.mark.real
SLUG = "matching_pursuit"


@pytest.fixture(scope="module")
def talks(shared_data):
    people = corpora.open_corpus("grid", shared_data / "grid")
    items = dialogues.fixed_dialogues(people)
    assert sorted(item.kind for item in items) == ["ff", "ff", "fm", "fm", "mm", "mm"]
    return [dialogues.make_dialogue(people, item) for item in items]


@pytest.fixture(scope="module")
def seen(talks):
    return [analyse(talk.clip) for talk in talks]


def test_no_source_is_found_away_from_the_faces(talks, seen):
    for talk, analysis in zip(talks, seen, strict=True):
        boxes = np.median(talk.mouths, axis=1)
        middles = boxes[:, :2] + boxes[:, 2:] / 2
        for centre in analysis.sources.centroids:
            assert np.linalg.norm(middles - centre, axis=1).min() < 35, talk.name


def test_most_pairs_of_people_are_counted(talks, seen):
    counts = {t.name: len(a.sources) for t, a in zip(talks, seen, strict=True)}
    print("sources found:", counts)
    assert sum(n == 2 for n in counts.values()) >= len(counts) / 2
    assert min(counts.values()) >= 1


def test_the_voices_of_people_add_up_or_the_reason_is_told(talks, seen):
    for talk, analysis in zip(talks, seen, strict=True):
        result = separate(talk.clip, analysis=analysis)
        assert len(result.voices) == len(analysis.sources)
        total = result.voices.sum(axis=0) + result.background
        np.testing.assert_allclose(total, analysis.mixture, atol=1e-5)
        assert result.reason or len(result.voices) == 1 or result.masks is not None


def test_the_notebook_runs_on_people_and_its_verdicts_follow(shared_data, root):
    folder = root / "_build" / "real" / SLUG
    shutil.rmtree(folder, ignore_errors=True)
    (notebook,) = execute.notebooks(root, SLUG)
    parameters = {"corpus": "grid", "data_root": str(shared_data / "grid"), "profile": "quick"}
    seconds = execute.execute(notebook, folder / notebook.name, parameters, cwd=folder)
    print(f"{notebook.name} on real clips: {seconds:.0f} s")
    found = load(SLUG, "quick", root)
    claims = [c for c in found["claims"] if c["corpus"] == "grid"]
    assert len(claims) >= 4
    for claim in claims:
        assert claim["status"] == verdict(*claim["ci95"], claim["threshold"])
