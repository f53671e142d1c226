"""The prose pages and the code say the same: settings, terms, papers, commands, examples."""

import json
import re
from pathlib import Path

import pytest

from avsep_core.spectrogram import STFTS

PAGES = ("preface.md", "how_to.md", "conventions.md", "glossary.md", "references.md")


@pytest.fixture
def prose(root: Path) -> dict[str, str]:
    """Every hand-written page, and the Markdown of every notebook, by path."""
    texts = {f"book/{name}": (root / "book" / name).read_text("utf-8") for name in PAGES}
    for name in ("README.md", "CONTRIBUTING.md"):
        texts[name] = (root / name).read_text("utf-8")
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        words = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
        texts[f"notebooks/{path.name}"] = "\n".join(words)
    return texts


def defined_terms(glossary: str) -> set[str]:
    body = glossary.split("```{glossary}")[1].split("```")[0]
    return {line.lower() for line in body.splitlines() if re.match(r"[^\s:]", line)}


def test_the_table_of_stft_settings_is_the_packages_own(prose):
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", prose["book/conventions.md"], re.MULTILINE)
    printed = {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}
    actual = {
        s.name: [*map(str, (s.rate, s.window, s.hop, s.fft, s.bins)), "yes" if s.centred else "no"]
        for s in STFTS.values()
    }
    assert printed == actual


def test_every_term_that_a_page_links_is_in_the_glossary(prose):
    terms = defined_terms(prose["book/glossary.md"])
    assert len(terms) >= 50
    for path, text in prose.items():
        for written in re.findall(r"\{term\}`([^`]+)`", text):
            target = re.sub(r".*<(.+)>", r"\1", written, flags=re.DOTALL)
            assert " ".join(target.split()).lower() in terms, f"{path}: {written!r}"


def test_a_glossary_entry_is_one_or_two_sentences(prose):
    body = prose["book/glossary.md"].split("```{glossary}")[1].split("```")[0]
    for entry in re.split(r"\n\n(?=\S)", body.replace(":sorted:", "").strip()):
        term, meaning = entry.split("\n", 1)
        ends = re.findall(r"[.](?=\s|$)", re.sub(r"P\.862", "P862", meaning))
        assert 1 <= len(ends) <= 2, term


def test_every_citation_has_one_entry_and_every_entry_says_who_what_and_when(root, prose):
    entries = re.split(r"\n(?=@)", (root / "book" / "references.bib").read_text("utf-8"))
    fields = {}
    for entry in entries:
        if head := re.match(r"@(\w+)\{([^,]+),", entry):
            assert head[2] not in fields, f"{head[2]} stands twice"
            fields[head[2]] = head[1], set(re.findall(r"^  (\w+)\s*=", entry, re.MULTILINE))
    for key, (kind, names) in fields.items():
        needed = {"author", "title", "note"} if kind == "misc" else {"author", "title", "year"}
        assert needed <= names, key
    for path, text in prose.items():
        for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text):
            for key in keys.split(","):
                assert key.strip() in fields, f"{path}: {key}"


def test_every_make_target_that_a_page_names_exists(root, prose):
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        (path, target)
        for path in ("README.md", "CONTRIBUTING.md", "book/how_to.md")
        for target in re.findall(r"(?:`|^)make ([a-z-]+)", prose[path], re.MULTILINE)
    }
    assert {target for _, target in named} >= {"book", "test"}
    for path, target in named:
        assert target in targets, f"{path}: make {target}"


def test_every_path_in_the_readmes_layout_exists(root, prose):
    layout = prose["README.md"].split("## Layout")[1].split("## ")[0]
    paths = re.findall(r"`([\w./]+)`", "\n".join(re.findall(r"^\| (`[^|]+) \|", layout, re.M)))
    assert len(paths) >= 8
    for path in paths:
        assert (root / path).exists(), path


def test_no_page_tells_the_reader_that_something_is_easy(prose):
    talk = re.compile(r"\b(simply|obviously|trivially|it is easy to see)\b", re.IGNORECASE)
    for path, text in prose.items():
        if path != "CONTRIBUTING.md":  # which lists these words
            assert not talk.search(text), f"{path}: {talk.search(text)}"


def test_the_readmes_example_runs_and_an_oracle_separates(prose, capsys):
    blocks = re.findall(r"```python\n(.*?)```", prose["README.md"], re.DOTALL)
    example = next(block for block in blocks if "import" in block)
    names: dict = {}
    exec(compile(example, "README.md", "exec"), names)
    rows = names["found"].score(names["voices"], mixture=names["voices"].sum(axis=0))
    assert all(row["dsdr"] > 3 for row in rows)
    assert "sdr" in capsys.readouterr().out
