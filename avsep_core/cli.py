"""The command `avsep`: what a reader does outside a notebook."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .corpora.base import CorpusError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="avsep", description="Tools of the book's package.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    download = commands.add_parser("download", help="fetch a corpus from its public archive")
    download.add_argument("corpus", choices=["grid"], help="which corpus")
    download.add_argument("folder", metavar="DIR", help="where to put it; made where missing")
    download.add_argument(
        "--speakers", nargs="+", metavar="ID", help="only these, such as s1 s2 (default: everybody)"
    )
    return parser


class _Progress:
    """One line of progress a file and percent, on the error stream."""

    def __init__(self) -> None:
        self.shown: tuple[str, int] | None = None

    def __call__(self, name: str, here: int, size: int) -> None:
        state = (name, 100 * here // max(size, 1))
        if state != self.shown:
            self.shown = state
            end = "\n" if here >= size else ""
            sys.stderr.write(f"\r{name}: {here / 1e6:.1f} of {size / 1e6:.1f} MB{end}")
            sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 0, or 1 with a message where something is missing."""
    options = _parser().parse_args(arguments)
    from .corpora import download

    try:
        folder = download.grid(options.folder, options.speakers, progress=_Progress())
    except (CorpusError, OSError) as error:
        sys.stderr.write(f"avsep: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\navsep: stopped; the same command goes on from here\n")
        return 130
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
