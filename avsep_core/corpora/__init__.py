"""Corpora: synthetic talkers, GRID, CUAVE, AVSpeech, TCD-TIMIT, your own videos, behind one door.

Taught in `notebooks/00_foundations.ipynb`, section "What a mixture is".
"""

from __future__ import annotations

from pathlib import Path

from .base import Corpus, CorpusError, Speaker

__all__ = ["NAMES", "Corpus", "CorpusError", "Speaker", "open_corpus"]

NAMES = ("synthetic", "grid", "folder", "cuave", "avspeech", "tcd_timit")


def open_corpus(name: str, data_root: str | Path | None = None) -> Corpus:
    """Open a corpus.

    Parameters
    ----------
    name : "synthetic" (made by code, nothing to download), "grid", "folder", "cuave",
        "avspeech" or "tcd_timit"
    data_root : the folder that holds the data; the synthetic corpus needs none

    Returns
    -------
    Corpus

    Raises
    ------
    CorpusError : unknown name, or data that is not there; says what was expected and where to
        get it.
    """
    if name == "synthetic":
        from .synthetic import Synthetic

        return Synthetic()
    if name == "grid":
        from .grid import open_grid

        return open_grid(data_root)
    if name == "folder":
        from .folder import Folder

        return Folder(data_root)
    if name == "cuave":
        from .cuave import Cuave

        return Cuave(data_root)
    if name == "avspeech":
        from .avspeech import AVSpeech

        return AVSpeech(data_root)
    if name == "tcd_timit":
        from .tcd_timit import TcdTimit

        return TcdTimit(data_root)
    raise CorpusError(f"no corpus is called {name!r}; choose one of {', '.join(NAMES)}")
