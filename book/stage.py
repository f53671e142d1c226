"""Lay out the tree that Jupyter Book reads: prose, run notebooks, generated pages, downloads."""

import re
import shutil
from pathlib import Path
from typing import Any

import nbformat

from book.execute import hash_of

REPOSITORY = "https://github.com/avsep-book/avsep-book"
COLAB = "https://colab.research.google.com/github/avsep-book/avsep-book/blob/main/notebooks"


def stage(root: Path, target: Path, *, vendor: Path) -> str:
    """Make the source tree of the site in `target`; return a hash of all of it.

    Parameters
    ----------
    root : the checkout, with run notebooks in `_build/executed`.
    target : emptied first.
    vendor : the folder that `book.vendor.fetch` filled.

    Raises ValueError where a run notebook is missing or shows an error that is not meant.
    """
    from book import generated

    shutil.rmtree(target, ignore_errors=True)
    (target / "notebooks").mkdir(parents=True)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(root / name, target / name)
    shutil.copytree(
        root / "book", target / "book", ignore=shutil.ignore_patterns("*.py", "__pycache__")
    )
    shutil.copytree(root / "book" / "_ext", target / "_ext")
    shutil.copytree(vendor, target / "vendor", ignore=shutil.ignore_patterns("vendor.json"))
    for source in sorted((root / "notebooks").glob("*.ipynb")):
        run = root / "_build" / "executed" / source.name
        if not run.is_file():
            raise ValueError(f"{run} is missing: run the notebooks first (python -m book.build)")
        page = chapter_page(nbformat.read(run, as_version=4), source.stem)
        nbformat.write(page, target / "notebooks" / source.name)
        write_downloads(source, target / "downloads")
    pages = {
        "scorecard": generated.scorecard(root),
        "run_times": generated.run_times(root, root / "_build" / "executed"),
    }
    for name, text in pages.items():
        (target / "book" / f"{name}.md").write_text(text)
    return tree_hash(target)


def chapter_page(notebook: Any, stem: str) -> Any:
    """A run notebook as a page: without papermill's own cell and marks, with links at the top.

    Raises ValueError where a cell shows an error and is not tagged `raises-exception`.
    """
    cells = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            continue
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        errors = [o for o in cell.get("outputs", []) if o.output_type == "error"]
        if errors and "raises-exception" not in tags:
            raise ValueError(f"{stem}: a cell shows {errors[0].ename}:\n{cell.source}")
        cells.append(cell)
    notebook.cells = cells
    notebook.metadata.pop("papermill", None)
    first = next((i for i, c in enumerate(cells) if c.cell_type == "markdown"), 0)
    cells.insert(first + 1, links(stem))
    title, _, rest = cells[first].source.partition("\n")
    cells[first].source = numbered(title, stem)
    if rest.strip():
        below = nbformat.v4.new_markdown_cell(rest.lstrip("\n"))
        below.id = "below-the-title"
        cells.insert(first + 2, below)
    return notebook


def numbered(title: str, stem: str) -> str:
    """Put the number of the file before the title: 00_foundations gives "# 0 · Foundations"."""
    number, words = stem.partition("_")[0], title.removeprefix("# ")
    return f"# {int(number)} · {words}" if number.isdigit() and not words[:1].isdigit() else title


def links(stem: str) -> Any:
    """The row of links under a chapter's title."""
    cell = nbformat.v4.new_markdown_cell(
        ":::{container} chapter-links\n"
        f"{{download}}`Notebook </downloads/{stem}.ipynb>` · "
        f"{{download}}`Python script </downloads/{stem}.py>` · "
        f"[Open in Colab]({COLAB}/{stem}.ipynb)\n"
        ":::"
    )
    cell.id = "chapter-links"
    return cell


def write_downloads(source: Path, folder: Path) -> None:
    """The notebook without outputs, and the same as a script with `# %%` cells."""
    import jupytext

    folder.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(source, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, folder / source.name)
    script = jupytext.writes(notebook, fmt="py:percent")
    # jupytext comments out what only a notebook understands; a block must not become empty.
    script = re.sub(r"^([ \t]+)# ([%!])", r"\1pass  # \2", script, flags=re.M)
    (folder / f"{source.stem}.py").write_text(script)


def tree_hash(folder: Path) -> str:
    """One hash of the names and contents of all files below a folder."""
    files = [p for p in folder.rglob("*") if p.is_file()]
    return hash_of(files, "\n".join(sorted(p.relative_to(folder).as_posix() for p in files)))
