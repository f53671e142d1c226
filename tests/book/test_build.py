"""How the site is made: notebooks run once, pages staged, files fetched and checked."""

import base64
import hashlib
import io
import tarfile

import nbformat
import pytest

from book import execute, stage, vendor

CODE = nbformat.v4.new_code_cell
WORDS = nbformat.v4.new_markdown_cell


def save(path, *cells):
    """Write a small notebook with a cell of parameters in front."""
    given = CODE("profile, device = 'quick', 'auto'", metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[WORDS("# A title"), given, *cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "p", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def house(tmp_path):
    """A checkout in small: a lock, a package, and one notebook."""
    (tmp_path / "requirements.lock").write_text("numpy==1\n")
    (tmp_path / "avsep_core").mkdir()
    (tmp_path / "avsep_core" / "a.py").write_text("A = 1\n")
    save(tmp_path / "notebooks" / "00_ground.ipynb", CODE("print(6 * 7, profile)"))
    return tmp_path


def test_a_notebook_runs_once_and_then_its_run_is_reused(house):
    (notebook,) = execute.notebooks(house)
    said = []
    first = execute.executed(house, notebook, profile="quick", say=said.append)
    made = first.stat().st_mtime_ns
    assert "42 quick" in first.read_text()
    assert execute.executed(house, notebook, profile="quick", say=said.append) == first
    assert first.stat().st_mtime_ns == made and "reused" in said[-1]
    assert list((house / "_build" / "executed").glob("*.failed.*")) == []


def test_a_run_is_stale_after_any_change_that_could_change_it(house):
    (notebook,) = execute.notebooks(house)
    seen = {execute.fingerprint(house, notebook, {"profile": "quick"})}
    seen.add(execute.fingerprint(house, notebook, {"profile": "full"}))
    changes = ["avsep_core/a.py", "avsep_core/data.csv", "results/ground.report.json"]
    for number, name in enumerate([*changes, "requirements.lock", "notebooks/00_ground.ipynb"], 3):
        (house / name).parent.mkdir(exist_ok=True)
        with (house / name).open("a") as file:
            file.write("\n ")
        seen.add(execute.fingerprint(house, notebook, {"profile": "quick"}))
        assert len(seen) == number, f"a change of {name} goes unnoticed"
    (house / "README.md").write_text("other words")
    (house / "avsep_core" / "a.pyc").write_text("compiled")
    assert execute.fingerprint(house, notebook, {"profile": "quick"}) in seen


def test_a_failing_cell_fails_the_run_and_is_shown(house):
    save(house / "notebooks" / "00_ground.ipynb", CODE("1 / 0  # on purpose"))
    (notebook,) = execute.notebooks(house)
    with pytest.raises(execute.NotebookError, match=r"on purpose(.|\n)*ZeroDivisionError"):
        execute.executed(house, notebook, profile="quick", say=str)
    folder = house / "_build" / "executed"
    assert not (folder / "00_ground.ipynb").exists() and not (folder / "00_ground.json").exists()
    assert (folder / "00_ground.failed.ipynb").is_file() and (folder / "00_ground.log").is_file()


def test_a_chapter_is_found_by_its_number_or_its_name_only(house):
    (notebook,) = execute.notebooks(house)
    for name in ("00_ground", "ground", "notebooks/00_ground.ipynb"):
        assert execute.notebooks(house, name) == [notebook]
    with pytest.raises(ValueError, match="no notebook 'sky'; there are: 00_ground"):
        execute.notebooks(house, "sky")


def test_a_page_drops_the_injected_cell_and_gets_its_links_under_the_title():
    injected = CODE("profile = 'quick'", metadata={"tags": ["injected-parameters"]})
    run = nbformat.v4.new_notebook(cells=[WORDS("# Title\n\nWords."), injected, CODE("1")])
    run.cells[2].metadata.papermill = {"duration": 1}
    page = stage.chapter_page(run, "00_ground")
    assert [c.source.splitlines()[0] for c in page.cells] == [
        "# 0 · Title", ":::{container} chapter-links", "Words.", "1",
    ]  # fmt: skip
    assert "papermill" not in page.cells[3].metadata
    links = page.cells[1].source
    assert "/downloads/00_ground.ipynb" in links and "/downloads/00_ground.py" in links
    assert links.count("colab.research") == 1
    nbformat.validate(page)


def test_a_page_shows_no_error_that_is_not_meant():
    trouble = nbformat.v4.new_output("error", ename="KeyError", evalue="x", traceback=[])
    run = nbformat.v4.new_notebook(cells=[WORDS("# Title"), CODE("{}['x']", outputs=[trouble])])
    with pytest.raises(ValueError, match="KeyError"):
        stage.chapter_page(run, "00_ground")
    run.cells[1].metadata.tags = ["raises-exception"]
    assert stage.chapter_page(run, "00_ground").cells[-1].outputs == [trouble]


def test_downloads_hold_no_output_and_the_script_is_a_program(tmp_path):
    printed = nbformat.v4.new_output("stream", text="old words")
    magic = CODE("if not profile:\n    %pip list")
    source = save(tmp_path / "00_ground.ipynb", CODE("print('new')", outputs=[printed]), magic)
    stage.write_downloads(source, tmp_path / "downloads")
    assert "old words" not in (tmp_path / "downloads" / "00_ground.ipynb").read_text()
    script = (tmp_path / "downloads" / "00_ground.py").read_text()
    compile(script, "script", "exec")
    assert "# %% [markdown]\n# # A title" in script and "print('new')" in script


def test_one_hash_stands_for_a_whole_tree(tmp_path):
    (tmp_path / "a").write_text("1")
    seen = {stage.tree_hash(tmp_path)}
    assert stage.tree_hash(tmp_path) in seen
    (tmp_path / "a").write_text("2")
    seen.add(stage.tree_hash(tmp_path))
    (tmp_path / "a").rename(tmp_path / "b")
    seen.add(stage.tree_hash(tmp_path))
    assert len(seen) == 3


@pytest.fixture
def archive(tmp_path):
    """A package with a script, a font, and a file that tries to leave its folder."""
    path = tmp_path / "p.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for name in ("package/es5/a.js", "package/es5/fonts/b.woff", "package/es5/../../evil"):
            info = tarfile.TarInfo(name)
            info.size = 4
            tar.addfile(info, io.BytesIO(b"text"))
    return path


def test_a_package_with_another_checksum_is_refused(archive):
    digest = hashlib.sha512(archive.read_bytes()).digest()
    right = "sha512-" + base64.b64encode(digest).decode()
    vendor.check(archive, right, "p@1")
    with pytest.raises(ValueError, match="p@1 arrived with checksum"):
        vendor.check(archive, "sha512-AAAA", "p@1")


def test_only_the_named_files_of_a_package_are_taken(archive, tmp_path):
    folder = tmp_path / "out"
    vendor.unpack(archive, folder, inside="package/es5", take=["fonts/"])
    assert [p.relative_to(folder).as_posix() for p in folder.rglob("*.*")] == ["fonts/b.woff"]
    with pytest.raises(ValueError, match=r"has no c\.js"):
        vendor.unpack(archive, folder, inside="package/es5", take=["c.js"])
    assert not (tmp_path / "evil").exists()


def test_words_to_replace_must_be_there(tmp_path):
    (tmp_path / "a.js").write_text("old() + old()")
    vendor.replace(tmp_path / "a.js", "old()", "new()")
    assert (tmp_path / "a.js").read_text() == "new() + new()"
    with pytest.raises(ValueError, match=r"a\.js has no 'old\(\)'"):
        vendor.replace(tmp_path / "a.js", "old()", "new()")


def test_what_is_fetched_once_is_not_fetched_again(tmp_path, monkeypatch, archive):
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    wanted = {
        "p": {
            "package": "p@1",
            "integrity": f"sha512-{digest}",
            "from": "package/es5",
            "take": ["a.js"],
        }
    }
    asked = []
    monkeypatch.setattr(vendor, "_pack", lambda package, scratch: asked.append(package) or archive)
    for _ in range(2):
        vendor.fetch(tmp_path / "vendor", wanted=wanted)
    assert asked == ["p@1"] and (tmp_path / "vendor" / "p" / "a.js").read_text() == "text"
    wanted["p"]["integrity"] = "sha512-AAAA"
    with pytest.raises(ValueError, match="checksum"):
        vendor.fetch(tmp_path / "vendor", wanted=wanted)
    assert not (tmp_path / "vendor" / "vendor.json").exists()
