"""The first chapter on a folder of one's own videos, as a reader would try it."""

import json

import pytest

from avsep_core import clip
from avsep_core.synthetic import talkers
from book import execute

pytestmark = pytest.mark.slow


def test_the_chapter_runs_on_a_folder_of_three_videos(tmp_path, root):
    videos = tmp_path / "videos"
    videos.mkdir()
    for talker in ("t06", "t14", "t23"):
        clip.write(talkers.speak(talker, seed=5).clip, videos / f"{talker}.mp4")
    (notebook,) = execute.notebooks(root, "foundations")
    parameters = {"corpus": "folder", "data_root": str(videos)}
    work = tmp_path / "work"
    execute.execute(notebook, work / notebook.name, parameters, cwd=work)
    ledger = json.loads((work / "_build/results/foundations.quick.json").read_text())
    assert set(ledger["runs"]) == {"folder"}
    assert len(list((work / "voices").glob("*.mp4"))) == 2
