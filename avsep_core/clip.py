"""A clip: pictures at a constant rate and the sound that goes with them.

Files of any container are read and written through PyAV; no other program is needed. Whatever is
wrong with a file is said in a `MediaError` that names it.

Taught in `notebooks/00_foundations.ipynb`, section "Talkers, lips and optical flow".
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import av
import numpy as np

from .media import MediaError, decode, exact, resample

__all__ = ["Clip", "MediaError", "read", "read_audio", "resample", "side_by_side", "write"]

CODECS = {
    ".mp4": ("libx264", "aac"),
    ".m4v": ("libx264", "aac"),
    ".mov": ("libx264", "aac"),
    ".mkv": ("libx264", "pcm_f32le"),
    ".webm": ("libvpx", "libopus"),
    ".avi": ("mpeg4", "pcm_s16le"),
}
"""Suffix -> (picture codec, sound codec) of the files that `write` makes."""

LOUDEST, LARGEST = 100.0, 16384
"""Highest peak of sound that `write` encodes, and most pixels a side that `read` scales to."""

RATES = {
    "aac": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000),
    "libopus": (8000, 12000, 16000, 24000, 48000),
}
OPTIONS = {
    "libx264": {"crf": "16", "preset": "veryfast"},
    "libvpx": {"crf": "8", "b": "4M", "deadline": "realtime", "cpu-used": "5"},
    "mpeg4": {"b": "8M", "qmin": "2", "qmax": "6"},
}


@dataclass(frozen=True, eq=False)
class Clip:
    """Pictures and sound that start together.

    Parameters
    ----------
    frames : (T, H, W, 3) uint8 RGB, at least one
    fps : frames per second, constant
    audio : (samples,) float, mono, about -1..1; kept as float32
    rate : Hz
    name : what to call it

    Raises
    ------
    MediaError : another shape or kind, no frame or sample, NaN or infinity in the sound (also once
        it is float32), a rate not above zero.
    """

    frames: np.ndarray
    fps: float
    audio: np.ndarray
    rate: int
    name: str = ""

    def __post_init__(self) -> None:
        title = f"clip {self.name!r}" if self.name else "clip"
        frames, audio = np.asarray(self.frames), np.asarray(self.audio)
        if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8:
            raise MediaError(
                f"{title}: frames of shape {frames.shape} and type {frames.dtype} were given; "
                "expected (T, H, W, 3) uint8 RGB"
            )
        if 0 in frames.shape:
            raise MediaError(
                f"{title}: zero frames or pixels: shape {frames.shape}; give at least one frame"
            )
        if not _number(self.fps) or self.fps <= 0:
            raise MediaError(f"{title}: fps is {self.fps}; it must be above zero, such as 25")
        if not _number(self.rate) or self.rate <= 0 or int(self.rate) != self.rate:
            raise MediaError(f"{title}: rate is {self.rate} Hz; it must be whole and above zero")
        if audio.ndim != 1 or audio.dtype.kind != "f":
            raise MediaError(
                f"{title}: audio of shape {audio.shape} and type {audio.dtype} was given; "
                "expected mono (samples,) float, about -1..1"
            )
        if not len(audio):
            raise MediaError(f"{title}: zero samples of audio; give zeros where there is silence")
        with np.errstate(over="ignore"):
            audio = audio.astype(np.float32, copy=False)
        if not np.isfinite(audio).all():
            raise MediaError(
                f"{title}: the audio holds NaN or infinite samples (as float32); repair it first"
            )
        object.__setattr__(self, "frames", frames)
        object.__setattr__(self, "audio", audio)
        object.__setattr__(self, "fps", float(self.fps))
        object.__setattr__(self, "rate", int(self.rate))

    @property
    def seconds(self) -> float:
        """How long the sound lasts."""
        return len(self.audio) / self.rate

    def trim(self, start: float = 0.0, seconds: float | None = None) -> Clip:
        """The part that begins at `start`, moved to the nearest frame, and lasts `seconds`.

        Parameters
        ----------
        start : seconds from the beginning; sound and pictures are cut at the same frame's time
        seconds : length; None takes the rest

        Returns
        -------
        Clip of round(seconds * fps) frames and round(seconds * rate) samples.

        Raises
        ------
        MediaError : the part does not lie inside the clip, or holds no frame.
        """
        if not _number(start) or not (seconds is None or _number(seconds)):
            raise MediaError(
                f"clip {self.name!r}: {seconds} seconds from {start} on were asked for; "
                "give finite numbers"
            )
        first = round(start * self.fps)
        begin = round(first / self.fps * self.rate)
        count = len(self.frames) - first if seconds is None else round(seconds * self.fps)
        samples = len(self.audio) - begin if seconds is None else round(seconds * self.rate)
        inside = first + count <= len(self.frames) and begin + samples <= len(self.audio)
        if first < 0 or count < 1 or samples < 1 or not inside:
            raise MediaError(
                f"clip {self.name!r}: {seconds} seconds from {start} on were asked for; ask for a "
                f"part of its {len(self.frames)} frames at {self.fps:g} per second "
                f"({len(self.frames) / self.fps:.3f} s) and its {self.seconds:.3f} s of sound"
            )
        return replace(
            self,
            frames=self.frames[first : first + count],
            audio=self.audio[begin : begin + samples],
        )

    def with_audio(self, audio: np.ndarray, rate: int | None = None) -> Clip:
        """The same pictures with another sound, (samples,) float; `rate` in Hz, None as before."""
        return replace(self, audio=audio, rate=self.rate if rate is None else rate)


def read(
    path: str | os.PathLike[str],
    *,
    fps: float | None = 25.0,
    rate: int | None = 16000,
    size: tuple[int, int] | None = None,
) -> Clip:
    """Read a video file.

    Time zero is the first picture. Variable frame rates become constant: each tick takes the
    picture nearest in time. Turned and mirrored pictures are shown upright. Channels are averaged.
    The sound is padded with silence or cut to the length of the pictures.

    A cut MPEG program stream (.mpg) tells no length: one that was cut just where a packet and a
    frame of sound end together, or after its last sound, is read as far as it goes.

    Parameters
    ----------
    path : any container that PyAV opens
    fps, rate : wanted frames per second and Hz; None keeps the file's own
    size : (height, width) in pixels; None keeps the file's own

    Returns
    -------
    Clip named after the file, with round(T / fps * rate) samples for T frames.

    Raises
    ------
    MediaError : missing, empty, unreadable, truncated or damaged file; no audio or video track,
        zero frames, NaN in the sound; fps, rate or size not above zero.
    """
    _positive(path, fps=fps, rate=rate)
    if size is not None and not _pixels(size):
        raise MediaError(
            f"{path}: size {size!r} was asked for; expected (height, width) in pixels, two whole "
            f"numbers of 1 to {LARGEST}"
        )
    frames, fps, audio, rate = decode(Path(path), pictures=True, fps=fps, rate=rate, size=size)
    assert frames is not None
    return Clip(frames=frames, fps=fps, audio=audio, rate=rate, name=Path(path).stem)


def read_audio(
    path: str | os.PathLike[str], *, rate: int | None = 16000, fps: float | None = 25.0
) -> np.ndarray:
    """Read the sound of any file. Of a video file: exactly the samples that `read` returns.

    Parameters
    ----------
    path : sound or video file
    rate : wanted Hz; None keeps the file's own
    fps : the frame rate to whose whole frames a video's sound is padded or cut

    Returns
    -------
    (samples,) float32

    Raises
    ------
    MediaError : as `read`, but for missing pictures.
    """
    _positive(path, fps=fps, rate=rate)
    return decode(Path(path), pictures=False, fps=fps, rate=rate, size=None)[2]


def _positive(path: str | os.PathLike[str], **wanted: float | None) -> None:
    for name, value in wanted.items():
        if value is not None and not (_number(value) and value > 0):
            raise MediaError(
                f"{path}: {name}={value!r} was asked for; it must be above zero, a finite number"
            )


def _number(value: Any) -> bool:
    return isinstance(value, Real) and bool(np.isfinite(float(value)))


def _pixels(size: Any) -> bool:
    return (
        isinstance(size, Sequence | np.ndarray)
        and len(size) == 2
        and all(isinstance(side, Integral) and 1 <= int(side) <= LARGEST for side in size)
    )


def write(clip: Clip, path: str | os.PathLike[str]) -> Path:
    """Write a clip as a video file, whole or not at all.

    Odd heights and widths are padded to even ones by repeating the last row or column, as the
    codecs need. `.mkv` keeps the sound exactly, `.avi` rounds it to 16 bits within -1..1, the
    others compress it.

    Parameters
    ----------
    clip : what to write
    path : ends in .mp4, .m4v, .mov, .mkv, .webm or .avi; missing folders are made

    Returns
    -------
    The path.

    Raises
    ------
    MediaError : another suffix, sound far beyond full scale, a frame rate too low to be stored, or
        a clip that cannot be encoded; nothing is left behind.
    """
    path = Path(path)
    if path.suffix.lower() not in CODECS:
        raise MediaError(f"{path}: cannot write {path.suffix!r}; use one of {', '.join(CODECS)}")
    peak = float(np.abs(clip.audio).max())
    if peak > LOUDEST:
        raise MediaError(
            f"{path}: the sound peaks at {peak:.3g}; expected about -1..1, at most {LOUDEST:g}: "
            "scale it down first"
        )
    if not exact(clip.fps):
        raise MediaError(f"{path}: fps is {clip.fps:g}; files store no rate below 0.0001")
    height, width = clip.frames.shape[1:3]
    frames = np.pad(clip.frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    part = path.with_name(f".{path.stem}.{uuid.uuid4().hex}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _encode(part, replace(clip, frames=frames))
        os.replace(part, path)
    except (av.error.FFmpegError, OSError, ValueError, OverflowError) as error:
        raise MediaError(f"{path}: could not be written: {error}") from error
    finally:
        with suppress(OSError):
            part.unlink()
    return path


def _encode(path: Path, clip: Clip) -> None:
    """Encode pictures and sound in step, so that the muxer never holds much of either."""
    picture_codec, sound_codec = CODECS[path.suffix.lower()]
    audio, rate, frame_rate = clip.audio, clip.rate, exact(clip.fps)
    if rate not in RATES.get(sound_codec, (rate,)):
        audio, rate = resample(audio, rate, 48000), 48000
    index_first = {"movflags": "+faststart"} if sound_codec == "aac" else {}
    container: Any
    with av.open(str(path), "w", options=index_first) as container:
        video = container.add_stream(picture_codec, rate=frame_rate, options=OPTIONS[picture_codec])
        video.height, video.width = clip.frames.shape[1:3]
        video.pix_fmt = "yuv420p"
        sound = container.add_stream(sound_codec, rate=rate, layout="mono")
        done = 0
        for k, picture in enumerate(clip.frames):
            shot = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            shot.pts, shot.time_base = k, 1 / frame_rate
            container.mux(video.encode(shot))
            last = k == len(clip.frames) - 1
            until = len(audio) if last else min(len(audio), round((k + 1) / clip.fps * rate))
            if until > done:
                piece = np.ascontiguousarray(audio[None, done:until])
                block = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
                block.pts, block.sample_rate, block.time_base = done, rate, Fraction(1, rate)
                container.mux(sound.encode(block))
                done = until
        container.mux(video.encode(None))
        container.mux(sound.encode(None))


def at_fps(pictures: np.ndarray, fps: float, wanted: float) -> np.ndarray:
    """Bring what is known of each picture to another frame rate, by leaving out or repeating.

    Picture k stands for the instant (k + 1/2) / fps.

    Parameters
    ----------
    pictures : (T, ...) at `fps` a second
    wanted : pictures a second

    Returns
    -------
    (round(wanted T / fps), ...), at least one
    """
    count = max(1, round(len(pictures) / fps * wanted))
    nearest = ((np.arange(count) + 0.5) / wanted * fps).astype(int)
    return pictures[np.minimum(nearest, len(pictures) - 1)]


def side_by_side(clips: Iterable[Clip], *, audio: np.ndarray | None = None) -> Clip:
    """Put clips next to each other, left to right, for as long as the shortest lasts.

    Parameters
    ----------
    clips : one or more, of one frame rate and one audio rate; lower ones are padded with black,
        half above and half below
    audio : (samples,) sound of the result; default the sum of the clips' sounds

    Returns
    -------
    Clip with frames (T, tallest, sum of widths, 3).

    Raises
    ------
    MediaError : no clip, or rates that differ.
    """
    clips = list(clips)
    if not clips:
        raise MediaError("side_by_side was given no clip; give at least one")
    rates = {(clip.fps, clip.rate) for clip in clips}
    if len(rates) > 1:
        raise MediaError(
            f"side_by_side was given clips of different (fps, Hz): {sorted(rates)}; "
            "read them all with one fps and one rate"
        )
    length = min(len(clip.frames) for clip in clips)
    height = max(clip.frames.shape[1] for clip in clips)
    columns = []
    for clip in clips:
        room = height - clip.frames.shape[1]
        margins = ((0, 0), (room // 2, room - room // 2), (0, 0), (0, 0))
        columns.append(np.pad(clip.frames[:length], margins))
    if audio is None:
        samples = min(len(clip.audio) for clip in clips)
        audio = np.sum(np.stack([clip.audio[:samples] for clip in clips]), axis=0)
    name = " + ".join(clip.name for clip in clips if clip.name)
    return replace(clips[0], frames=np.concatenate(columns, axis=2), audio=audio, name=name)
