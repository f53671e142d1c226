"""Audio-visual source separation: the tested package under the chapters of the book.

Importing this package loads nothing heavy. Each module brings what it needs:
`from avsep_core import clip, spectrogram, masks, scores`.
"""

__version__ = "0.1.0"
