"""Number chapters, and the sections and figures in them, from zero: chapter 0 lays the ground.

Sphinx counts a numbered table of contents from one. This takes one off the first place of each
number, in the places where Sphinx keeps them.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def shift(number: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """(1, 2) becomes (0, 2); no number stays none."""
    return (number[0] - 1, *number[1:]) if number else number


def renumber(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Take one off every number; runs once, after Sphinx has given the numbers."""
    for document, sections in env.toc_secnumbers.items():
        for anchor, number in sections.items():
            sections[anchor] = shift(number)  # type: ignore[assignment]
        for reference in env.tocs[document].findall(nodes.reference):
            if reference.get("secnumber"):
                reference["secnumber"] = shift(reference["secnumber"])
        title: Any = env.titles.get(document)
        if title is not None and title.get("secnumber"):
            title["secnumber"] = shift(title["secnumber"])
    for figures in env.toc_fignumbers.values():
        for numbers in figures.values():
            for name, number in numbers.items():
                if len(number) > 1:
                    numbers[name] = shift(number)  # type: ignore[assignment]
    return []


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx, after its own numbering (priority 500)."""
    app.connect("env-get-updated", renumber, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
