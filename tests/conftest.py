"""What all tests share: seeds, the real clips where there are any, and paths."""

import os
import random
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
]
"""Chromium's arguments: it asks nobody anything, and may play sounds."""

settings.register_profile(
    "house",
    deadline=None,
    max_examples=25,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("house")


def shared_folder() -> Path:
    """The folder of real clips: AVSEP_SHARED, by default ../shared/data beside the checkout."""
    return (ROOT / os.environ.get("AVSEP_SHARED", "../shared/data")).resolve()


@pytest.fixture(autouse=True)
def seeded():
    """Start every test from the same global seeds, whatever ran before it."""
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture
def rng() -> np.random.Generator:
    """A fresh generator with a fixed seed."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real clips, or a skip that says where they were looked for."""
    folder = shared_folder()
    if not (folder / "grid").is_dir():
        pytest.skip(f"no real clips: {folder / 'grid'} is not there (AVSEP_SHARED names another)")
    return folder


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium that may play sounds."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium on this machine")
    with sync_api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=path, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, tmp_path):
    """`opened(shown, ...)` puts pieces of HTML on a page without a network: their frames.

    `script` runs before anything else does in it.
    """
    context = browser.new_context(offline=True, viewport={"width": 900, "height": 800})
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: said.append(str(e)))
    page.on("request", lambda r: asked.append(r.url))

    def open_page(*shown, script=None):
        if script:
            page.add_init_script(script)
        path = tmp_path / "page.html"
        body = "".join(one._repr_html_() for one in shown)
        head = "<!doctype html><html data-theme=light><meta charset=utf-8>"
        path.write_text(f"{head}{body}</html>", encoding="utf-8")
        page.goto(path.as_uri())
        frames = [handle.content_frame() for handle in page.query_selector_all("iframe")]
        for frame in frames:
            frame.wait_for_function("window.player")
        return frames

    yield open_page
    context.close()
    assert said == []
    assert [u for u in asked if not u.startswith(("file:", "blob:", "data:", "about:"))] == []
