"""What every method returns: the voices it found, and how to score, hear and keep them.

Taught in `notebooks/00_foundations.ipynb`, section "Masks and oracles".
"""

from __future__ import annotations

import os
import re
import uuid
import wave
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import masks as masking
from .checks import whole
from .spectrogram import STFT

if TYPE_CHECKING:
    from .clip import Clip

KINDS = {
    "binary": masking.ideal_binary,
    "ratio": masking.ideal_ratio,
    "complex": masking.ideal_complex,
    "real": masking.ideal_real,
}


@dataclass(frozen=True, eq=False)
class Separation:
    """The sounds that a method took apart.

    Parameters
    ----------
    voices : (sources, samples) real, kept as float32
    rate : Hz
    names : one per voice, all different
    masks : (sources, freq, frames), if the method worked with masks
    regions : boxes or maps of where each source is in the picture
    background : (samples,) what belongs to no source
    clip : the clip that was taken apart; its pictures go with the voices when they are written
    reason : why the method found no source, or what it could not do; a Separation without
        voices, (0, samples), needs one

    Raises
    ------
    ValueError : wrong shapes, NaN or infinite samples, names missing, repeated or no words, a
        rate that is no whole number, a clip that is none, no voice and no reason
    """

    voices: np.ndarray
    rate: int
    names: tuple[str, ...]
    masks: np.ndarray | None = None
    regions: Any = None
    background: np.ndarray | None = None
    clip: Clip | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        voices = np.asarray(self.voices)
        if voices.ndim != 2 or not voices.shape[1] or voices.dtype.kind != "f":
            raise ValueError(
                f"voices of shape {voices.shape} and type {voices.dtype}; "
                "expected (sources, samples) real, with at least one sample"
            )
        if not len(voices) and not self.reason:
            raise ValueError("no voices and no reason; say in `reason` why nothing was found")
        if not np.isfinite(voices).all():
            raise ValueError("the voices hold NaN or infinite samples; find where they come from")
        names = (self.names,) if isinstance(self.names, str) else tuple(self.names)
        if len(set(names)) != len(voices) or len(names) != len(voices):
            raise ValueError(
                f"names {names} for {len(voices)} voices; give each voice one name of its own"
            )
        if not all(isinstance(name, str) and name.strip() for name in names):
            raise ValueError(f"names {names}; expected words, which name the files of the voices")
        rate = whole(self.rate, "rate")
        if self.clip is not None and not hasattr(self.clip, "with_audio"):
            raise ValueError(
                f"clip is of type {type(self.clip).__name__}; give a `clip.Clip`, such as "
                "`clip.read(path)` returns, or None"
            )
        if self.masks is not None and (self.masks.ndim != 3 or len(self.masks) != len(voices)):
            raise ValueError(
                f"masks of shape {self.masks.shape} for {len(voices)} voices; "
                "expected (sources, freq, frames), one mask a voice"
            )
        if self.background is not None and np.shape(self.background) != voices.shape[1:]:
            raise ValueError(
                f"background of shape {np.shape(self.background)} for voices of shape "
                f"{voices.shape}; expected ({voices.shape[1]},)"
            )
        if self.background is not None and not _finite(self.background):
            raise ValueError("the background is not real, or holds NaN or infinite samples")
        object.__setattr__(self, "voices", voices.astype(np.float32, copy=False))
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "rate", rate)

    def score(
        self,
        references: np.ndarray,
        *,
        mixture: np.ndarray | None = None,
        permute: bool = True,
    ) -> list[dict[str, Any]]:
        """Score the voices against the true sources.

        Parameters
        ----------
        references : (sources, samples), at the rate of the voices
        mixture : (samples,); with it each row has `dsdr`, the gain in SDR over the mixture
        permute : match voices to references by BSS Eval; otherwise in the given order

        Returns
        -------
        One dict per reference, in their order: `name` (of the voice taken for it), `sdr`, `sir`,
        `sar`, `si_sdr` and, with a mixture, `dsdr`; dB, plain floats

        Raises
        ------
        ValueError : as `scores.bss_eval`: another number of references than voices, another
            length, a silent voice or reference, NaN; no voice at all
        """
        from . import scores

        if not len(self.voices):
            raise ValueError(f"there is no voice to score: {self.reason}")

        found = scores.bss_eval(references, self.voices, permute=permute)
        columns = {
            "sdr": found.sdr,
            "sir": found.sir,
            "sar": found.sar,
            "si_sdr": scores.si_sdr(references, self.voices[found.permutation]),
        }
        if mixture is not None:
            columns["dsdr"] = found.sdr - scores.mixture_sdr(references, mixture)
        return [
            {"name": self.names[k], **{key: float(column[j]) for key, column in columns.items()}}
            for j, k in enumerate(found.permutation)
        ]

    def write(self, folder: str | os.PathLike[str], *, suffix: str = ".mp4") -> list[Path]:
        """Keep each voice: the clip's pictures with that voice alone, or a WAV file.

        One factor scales all voices where the loudest would clip, so their balance stays.

        Parameters
        ----------
        folder : made if it is missing
        suffix : container of the videos; without a clip the files are .wav

        Returns
        -------
        One path a voice, such as `1_woman.mp4`; none where no voice was found

        Raises
        ------
        ValueError : `folder` is a file, or lies in one
        """
        folder = Path(folder)
        for place in (folder, *folder.parents):
            if place.exists() and not place.is_dir():
                raise ValueError(f"{place} is a file; give a folder, new or there already")
        folder.mkdir(parents=True, exist_ok=True)
        voices = self.voices / max(1.0, float(np.abs(self.voices).max(initial=0.0)))
        paths = []
        for k, (name, voice) in enumerate(zip(self.names, voices, strict=True)):
            stem = f"{k + 1}_{re.sub(r'[^0-9A-Za-z-]+', '_', name).strip('_') or 'voice'}"
            if self.clip is None:
                paths.append(_write_wav(folder / f"{stem}.wav", voice, self.rate))
            else:
                from . import clip

                target = folder / f"{stem}{suffix}"
                paths.append(clip.write(self.clip.with_audio(voice, self.rate), target))
        return paths


def oracle(
    sources: np.ndarray | Sequence[np.ndarray],
    *,
    stft: STFT,
    kind: Literal["binary", "ratio", "complex", "real"],
    names: Sequence[str] | None = None,
    clip: Clip | None = None,
) -> Separation:
    """Separate the sum of known sources with the ideal masks of one kind.

    Parameters
    ----------
    sources : (sources, samples) real, at the transform's rate; the mixture is their sum
    stft : the transform in which the masks live
    kind : "binary", "ratio", "complex" or "real" (the best real masks that sum to one)
    names : one per source; "source 1", "source 2", … if not given
    clip : the clip that goes with them

    Returns
    -------
    Separation with its masks (sources, freq, frames). Samples that no window covers are zero.

    Raises
    ------
    ValueError : an unknown kind, sources of different lengths, fewer than one, NaN

    Taught in `notebooks/00_foundations.ipynb`, section "Masks and oracles".
    """
    if kind not in KINDS:
        raise ValueError(f"oracle of kind {kind!r}; take one of {', '.join(KINDS)}")
    lengths = {np.shape(s) for s in sources}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1:
        raise ValueError(
            f"sources of shapes {sorted(lengths)}; expected (samples,) each, all of one length. "
            "Cut or pad them first"
        )
    parts = np.asarray(sources, dtype=np.float64)
    S = stft.forward(parts)
    found = KINDS[kind](S)
    # Masked edges without a good window would click; complex masks leave a true spectrogram.
    floor = 0.0 if kind == "complex" else 0.1
    voices = stft.inverse(masking.apply(found, S.sum(axis=0)), parts.shape[1], floor=floor)
    if names is None:
        names = [f"source {k + 1}" for k in range(len(parts))]
    return Separation(voices, stft.rate, tuple(names), masks=found, clip=clip)


def _finite(x: np.ndarray) -> bool:
    x = np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)
    return x.dtype.kind in "biuf" and bool(np.isfinite(x).all())


def _write_wav(path: Path, voice: np.ndarray, rate: int) -> Path:
    """Write (samples,) in -1…1 as 16-bit PCM; the file appears only when it is whole."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with wave.open(str(part), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(np.round(voice * 32767).astype("<i2").tobytes())
        os.replace(part, path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return path
