"""Leave out Thebe, whose scripts Jupyter Book puts on every page: this book never uses it."""

from typing import Any

from sphinx.application import Sphinx


def leave_out(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Drop Thebe's files, and its settings, from a page."""
    for kind in ("script_files", "css_files"):
        context[kind] = [f for f in context.get(kind, []) if not _is_thebe(f)]


def _is_thebe(file: Any) -> bool:
    body = getattr(file, "attributes", {}).get("body") or ""
    return "sphinx-thebe" in str(getattr(file, "filename", file)) or "THEBE_JS_URL" in body


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx, after the extensions that add files."""
    app.connect("html-page-context", leave_out, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
