"""A built site, served to a browser whose network is cut."""

import functools
import http.server
import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(os.environ.get("AVSEP_SITE", ROOT / "_build" / "html"))
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that writes no log."""

    def log_message(self, *arguments) -> None:
        """Say nothing."""


@dataclass
class Visit:
    """One opened page, and what went wrong while it was open."""

    page: object
    problems: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def site_folder() -> Path:
    """The built site."""
    if not (SITE / "index.html").is_file():
        pytest.fail(f"there is no site in {SITE}: run `make book` first")
    return SITE


@pytest.fixture(scope="session")
def address(site_folder):
    """The site's address on this machine."""
    handler = functools.partial(Quiet, directory=str(site_folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def site_browser():
    """Headless Chromium that can look up no host."""
    sync_api = pytest.importorskip("playwright.sync_api")
    found = [path for path in map(shutil.which, BROWSERS) if path]
    if not found:
        pytest.fail(f"no browser: install one of {', '.join(BROWSERS)}")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found[0], args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def visit(site_browser, address, site_folder):
    """`visit(name)` opens a page of the site and notes every problem; close it afterwards."""

    def go(name: str, *, disk: bool = False) -> Visit:
        home = site_folder.as_uri() if disk else address
        context = site_browser.new_context(viewport={"width": 1280, "height": 900})
        opened = Visit(context.new_page())
        note = opened.problems.append

        def gate(route) -> None:
            url = route.request.url
            if url.startswith((home, "data:", "blob:", "about:")):
                route.continue_()
            else:
                note(f"asks another host: {url}")
                route.abort()

        context.route("**/*", gate)
        context.on("console", lambda m: note(f"console: {m.text}") if m.type == "error" else None)
        context.on("weberror", lambda e: note(f"script: {e.error}"))
        context.on("response", lambda r: note(f"{r.status}: {r.url}") if r.status >= 400 else None)
        opened.page.goto(f"{home}/{name}", wait_until="load")
        return opened

    return go
