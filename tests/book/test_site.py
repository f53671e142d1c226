"""The built site, every page, in a browser whose network is cut (`make check`)."""

import itertools
import json
import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

pytestmark = pytest.mark.site

ROOT = Path(__file__).resolve().parents[2]
SPECIAL = {"index.html", "genindex.html", "search.html"}
LOOK = """() => {
  const all = (s, f) => [...document.querySelectorAll(s)].map(f);
  const main = document.querySelector('main') || document.body;
  const seen = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  const raw = [];
  for (let n = seen.nextNode(); n; n = seen.nextNode())
    if (/\\\\\\(|\\\\\\[|\\$\\$|\\\\(frac|sum|mathbf)/.test(n.data)
        && !n.parentElement.closest('pre,code,script,style,textarea,mjx-container'))
      raw.push(n.data);
  return {
    title: document.title,
    lang: document.documentElement.lang,
    heads: all('article :is(h1, h2, h3, h4)', h => [+h.tagName[1], h.innerText.trim()]),
    bare: all('img:not([alt]), img[alt=""]', i => i.src.slice(0, 80)),
    unnamed: all('iframe:not([title]), iframe[title=""]', f => f.outerHTML.slice(0, 80)),
    buttons: all('button', b => b)
      .filter(b => !(b.innerText.trim() || b.ariaLabel || b.title))
      .filter(b => !b.querySelector('[aria-label], svg title'))
      .map(b => b.outerHTML.slice(0, 120)),
    math: all('.math', m => m.querySelector('mjx-container') ? null : m.innerText.slice(0, 80))
      .filter(Boolean),
    broken: all('mjx-merror', m => m.innerText).length,
    raw, formulas: document.querySelectorAll('mjx-container').length,
  };
}"""
PLAYERS = """async () => {
  for (const details of document.querySelectorAll('details')) details.open = true;
  const frames = [...document.querySelectorAll('iframe')].filter(f => f.offsetParent);
  const states = [];
  for (const frame of frames) {
    frame.scrollIntoView();
    for (let i = 0; i < 100 && !frame.contentWindow?.player; i++)
      await new Promise(next => setTimeout(next, 50));
    const player = frame.contentWindow?.player;
    states.push([frame.title, player ? player.error : 'no player appeared']);
  }
  return states;
}"""


def page_names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.html"))


def content(folder: Path) -> list[str]:
    """Pages that somebody wrote: no index of terms, no search page, no redirect."""
    return [name for name in page_names(folder) if name not in SPECIAL and "_static" not in name]


def chapters(folder: Path) -> list[str]:
    return [name for name in content(folder) if name.startswith("notebooks/")]


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="module")
def looks(visit, site_folder):
    """What each page shows, and its problems: every page is opened once."""
    found = {}
    for name in content(site_folder):
        opened = visit(name)
        opened.page.wait_for_function("!window.MathJax || !!window.MathJax.typesetPromise")
        opened.page.evaluate("window.MathJax && MathJax.startup.promise")
        found[name] = opened.page.evaluate(LOOK)
        found[name]["players"] = opened.page.evaluate(PLAYERS)
        opened.page.wait_for_timeout(300)
        found[name]["problems"] = opened.problems
        opened.page.context.close()
    return found


def collected(looks, key):
    return {name: look[key] for name, look in looks.items() if look[key]}


def test_every_entry_of_the_contents_became_a_page(site_folder):
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [toc["root"]] + [c["file"] for part in toc["parts"] for c in part["chapters"]]
    assert [f for f in files if f"{f}.html" not in content(site_folder)] == []
    assert len(chapters(site_folder)) == len(list((ROOT / "notebooks").glob("*.ipynb")))


def test_no_page_asks_another_host_or_logs_an_error(looks):
    assert collected(looks, "problems") == {}


def test_every_formula_is_set_and_no_raw_tex_is_left(looks):
    assert sum(look["formulas"] for look in looks.values()) > 10
    assert collected(looks, "math") == {}
    assert collected(looks, "broken") == {}
    assert collected(looks, "raw") == {}


def test_every_player_starts_up_without_an_error(looks):
    states = [(n, *state) for n, look in looks.items() for state in look["players"]]
    assert [state for state in states if state[2]] == []
    assert len(states) >= 3


def test_pages_have_a_title_a_language_and_one_main_heading(looks):
    for name, look in looks.items():
        assert look["title"] and look["lang"] == "en", name
        levels = [level for level, _ in look["heads"]]
        assert levels.count(1) == 1 and levels[0] == 1, (name, look["heads"])
        jumps = [b for a, b in itertools.pairwise(levels) if b > a + 1]
        assert jumps == [], f"{name} leaves out a level of headings: {look['heads']}"


def test_pictures_frames_and_buttons_have_names_for_screen_readers(looks):
    assert collected(looks, "bare") == {}
    assert collected(looks, "unnamed") == {}
    assert collected(looks, "buttons") == {}


def test_chapters_are_numbered_from_zero(looks, site_folder):
    for name in chapters(site_folder):
        number = int(Path(name).stem.partition("_")[0])
        assert re.match(rf"{number}\b", looks[name]["heads"][0][1]), looks[name]["heads"][0]


def test_no_page_shows_an_error(site_folder):
    for name in content(site_folder):
        page = soup(site_folder / name)
        assert "Traceback (most recent call last)" not in page.get_text(), name
        found = page.select(".output_error, .output.traceback, .system-message, .problematic")
        assert [str(tag)[:200] for tag in found] == [], name


def test_every_link_within_the_site_leads_somewhere(site_folder):
    pages = {name: soup(site_folder / name) for name in page_names(site_folder)}
    places = {n: {t["id"] for t in page.find_all(id=True)} for n, page in pages.items()}
    lost = []
    for name in content(site_folder):
        for link in pages[name].select("a[href], link[href], img[src], script[src]"):
            target = link.get("href") or link.get("src")
            if urlparse(target).scheme or target.startswith("//"):
                continue
            path, fragment = urldefrag(target.partition("?")[0])
            file = (site_folder / name).parent / unquote(path) if path else site_folder / name
            if not file.exists():
                lost.append(f"{name}: {target}")
                continue
            other = file.resolve().relative_to(site_folder.resolve()).as_posix()
            if fragment and other in places and unquote(fragment) not in places[other]:
                lost.append(f"{name}: {target}")
    assert lost == []


def test_search_finds_a_word_of_the_book(visit):
    opened = visit("search.html?q=mixture")
    opened.page.wait_for_selector("#search-results li a", timeout=20000)
    assert opened.problems == []
    opened.page.context.close()


def test_the_switch_changes_the_page_from_light_to_dark(visit, site_folder):
    opened = visit(chapters(site_folder)[0])
    page = opened.page
    ink = "getComputedStyle(document.body).backgroundColor"
    seen = set()
    for _ in range(3):
        page.locator(".theme-switch-button:visible").first.click()
        page.wait_for_timeout(400)
        seen.add((page.evaluate("document.documentElement.dataset.theme"), page.evaluate(ink)))
    assert {theme for theme, _ in seen} == {"light", "dark"}
    assert len({colour for _, colour in seen}) == 2
    assert opened.problems == []
    page.context.close()


def test_a_player_plays_switches_track_without_a_stop_and_moves_its_cursor(visit, site_folder):
    opened = visit("notebooks/00_foundations.html")
    page = opened.page
    frame = page.locator("iframe").first
    frame.scroll_into_view_if_needed()
    player = frame.element_handle().content_frame()
    player.wait_for_function("!!window.player")
    player.locator("#play").click()
    player.wait_for_function("player.playing && player.time > 0.2", timeout=20000)
    names = player.evaluate("player.tracks")
    assert "mixture" in names and len(names) > 1
    before = player.evaluate("[player.track, player.time]")
    player.evaluate("player.select(1)")
    after = player.evaluate("[player.track, player.time]")
    assert (before[0], after[0]) == (names[0], names[1])
    assert before[1] <= after[1] < before[1] + 1
    player.wait_for_function(f"player.playing && player.time > {after[1]}")
    player.evaluate("player.pause(); player.seek(player.duration / 2)")
    middle = player.evaluate("[player.time / player.duration, player.playing]")
    assert middle == [pytest.approx(0.5, abs=0.01), False]
    assert player.evaluate("parseFloat(document.getElementById('cursor').style.left)") == (
        pytest.approx(50, abs=1)
    )
    assert player.evaluate("player.error") is None and opened.problems == []
    page.context.close()


def test_every_slider_changes_its_picture_without_a_kernel(visit):
    opened = visit("notebooks/00_foundations.html")
    page = opened.page
    page.wait_for_selector(".widget-slider .noUi-handle", timeout=20000)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    shown = """handle => {
      const box = handle.closest('.widget-vbox');
      const stack = box.querySelector('.jupyter-widget-stack, .widget-tab, .jupyter-widgets-stack');
      const child = [...(stack || box).querySelectorAll('.widget-html')].find(c => c.offsetHeight);
      return child ? child.innerHTML : null;
    }"""
    handles = page.query_selector_all(".widget-slider .noUi-handle")
    assert len(handles) >= 3, "gain, mask threshold and window length were promised"
    for handle in handles:
        handle.scroll_into_view_if_needed()
        first = handle.evaluate(shown)
        low, high = (float(handle.get_attribute(f"aria-value{end}")) for end in ("min", "max"))
        at = float(handle.get_attribute("aria-valuenow"))
        assert first and high > low
        handle.focus()
        page.keyboard.press("ArrowLeft" if at >= high else "ArrowRight")
        page.wait_for_timeout(400)
        second = handle.evaluate(shown)
        assert second and second != first
    assert opened.problems == []
    page.context.close()


def test_a_chapter_opened_from_disk_works_too(visit):
    opened = visit("notebooks/00_foundations.html", disk=True)
    opened.page.wait_for_function("!!document.querySelector('mjx-container')", timeout=20000)
    states = opened.page.evaluate(PLAYERS)
    assert states and [s for s in states if s[1]] == []
    assert opened.problems == []
    opened.page.context.close()


def test_a_chapter_downloads_as_notebook_and_script_and_opens_in_colab(site_folder):
    for name in chapters(site_folder):
        stem = Path(name).stem
        page = soup(site_folder / name)
        row = page.select_one(".chapter-links")
        files = {
            Path(a["href"]).suffix: (site_folder / name).parent / a["href"]
            for a in row.select("a.download")
        }
        plain = nbformat.read(files[".ipynb"], as_version=4)
        assert not any(c.get("outputs") for c in plain.cells)
        compile(files[".py"].read_text(), stem, "exec")
        source = json.loads((site_folder / "_sources" / f"notebooks/{stem}.ipynb").read_text())
        assert not any(c.get("outputs") for c in source["cells"])
        colab = [a["href"] for a in page.select("a[href*='colab.research']")]
        assert len(colab) >= 2 and all(f"notebooks/{stem}.ipynb" in link for link in colab)
