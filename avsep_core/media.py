"""Decode media files through PyAV: what `clip.read` stands on.

Time is counted from the first picture. Pictures are resampled to a constant rate by taking, at
each tick, the one nearest in time; sound is laid on one sample grid by its own timestamps, so
that a track that starts late or has a hole stays in step with the pictures.

Taught in `notebooks/00_foundations.ipynb`, section "Talkers, lips and optical flow".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from math import gcd
from pathlib import Path
from typing import Any

import av
import numpy as np
from scipy.signal import firwin, resample_poly

ESTIMATED = {"mp3", "aac", "ac3", "mpegts", "mpeg"}
"""Containers whose length is guessed from what is there, so that it cannot show a cut."""


LISTS = {"concat", "hls", "dash", "imf", "sdp", "rtsp", "image2", "webm_dash_manifest"}
"""Containers that only name other files or addresses."""


class MediaError(ValueError):
    """A media file, or content meant for one, that cannot be used: what is wrong, what to do."""


@lru_cache(maxsize=16)
def _lowpass(up: int, down: int) -> np.ndarray:
    widest = max(up, down)
    return firwin(64 * widest + 1, 0.96 / widest, window=("kaiser", 9.0))


def resample(audio: np.ndarray, old: int, new: int) -> np.ndarray:
    """Sound at another rate, by a zero-phase polyphase filter: nothing moves in time.

    Parameters
    ----------
    audio : (..., samples) float
    old, new : Hz

    Returns
    -------
    (..., ceil(samples * new / old)) float32

    Raises
    ------
    MediaError : a rate that is not a whole number above zero.
    """
    if not all(np.isfinite(r) and r > 0 and int(r) == r for r in (old, new)):
        raise MediaError(
            f"rates of {old} and {new} Hz were given; a rate must be above zero, and whole"
        )
    if old == new:
        return np.asarray(audio, dtype=np.float32)
    common = gcd(int(old), int(new))
    up, down = int(new) // common, int(old) // common
    samples = resample_poly(np.asarray(audio, float), up, down, axis=-1, window=_lowpass(up, down))
    return samples.astype(np.float32)


def exact(fps: float) -> Fraction:
    """A frame rate as the fraction that containers store: 29.97 becomes 30000/1001."""
    for broadcast in (24, 30, 48, 60, 120):
        if abs(fps - broadcast * 1000 / 1001) < 0.005:
            return Fraction(broadcast * 1000, 1001)
    return Fraction(fps).limit_denominator(10000)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.exists():
        raise MediaError(f"{path}: no such file; check the name and the folder")
    if path.is_dir():
        raise MediaError(f"{path}: is a folder; name one media file in it")
    if path.stat().st_size == 0:
        raise MediaError(f"{path}: the file is empty; copy or download it again")
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        raise MediaError(
            f"{path}: not a readable media file, or one cut off before its index ({error.strerror})"
            "; check that it plays, copy or download it again"
        ) from error
    with container:
        if LISTS & set(container.format.name.split(",")):
            raise MediaError(
                f"{path}: is a list of other files ({container.format.name}), not a media file "
                "itself; name one of the files that it lists"
            )
        yield container


def _mono(frame: Any) -> np.ndarray:
    """The mean of a sound frame's channels, (samples,) float64."""
    kind, channels = frame.format.name.rstrip("p"), len(frame.layout.channels)
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, channels).T
    if kind == "u8":
        return (samples.astype(np.float64) - 128).mean(axis=0) / 128
    if kind[0] == "s":
        return samples.mean(axis=0, dtype=np.float64) / 2.0 ** (int(kind[1:]) - 1)
    return samples.mean(axis=0, dtype=np.float64)


def _turned(matrix: np.ndarray | None) -> bool:
    """Whether a display matrix swaps height and width."""
    return matrix is not None and bool(abs(matrix[[1, 3]]).sum() > abs(matrix[[0, 4]]).sum())


def _upright(picture: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """The stored picture as the display matrix wants it seen: quarter turns and mirrors."""
    if matrix is None:
        return picture
    a, b, c, d = matrix[[0, 1, 3, 4]]
    if not _turned(matrix):
        return picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return picture.transpose(1, 0, 2)[:: -1 if b < 0 else 1, :: -1 if c < 0 else 1]


def _matrix(frame: Any) -> np.ndarray | None:
    side = frame.side_data.get("DISPLAYMATRIX")
    return None if side is None else np.frombuffer(bytes(side), np.int32).astype(float)


def _picture(frame: Any, size: tuple[int, int] | None) -> np.ndarray:
    """A decoded frame as (H, W, 3) uint8 RGB, upright, scaled to `size` (height, width)."""
    matrix = _matrix(frame)
    if size is None:
        return _upright(frame.to_ndarray(format="rgb24"), matrix)
    height, width = size
    if _turned(matrix):
        height, width = width, height
    scaled = frame.reformat(width=width, height=height, format="rgb24", interpolation="BICUBIC")
    return _upright(scaled.to_ndarray(), matrix)


def _cut_program_stream(path: Path) -> bool:
    """Whether an MPEG program stream ends in the middle of one of its packets."""
    data, position = path.read_bytes(), 0
    while True:
        position = data.find(b"\x00\x00\x01", position)
        if position < 0 or position + 6 > len(data):
            return False
        code = data[position + 3]
        if code < 0xBB:
            position += 4
            continue
        end = position + 6 + int.from_bytes(data[position + 4 : position + 6], "big")
        if end > len(data):
            return True
        position = end


class _Sound:
    """Pieces of sound, laid on one sample grid by their timestamps."""

    def __init__(self) -> None:
        self.pieces: list[np.ndarray] = []
        self.rate, self.start, self.length = 0, 0.0, 0

    def add(self, frame: Any) -> None:
        samples, time = _mono(frame), frame.time
        if not self.pieces:
            self.rate, self.start = frame.sample_rate, time or 0.0
        elif time is not None:
            # Timestamps of some containers are rounded to a millisecond: only real holes count.
            hole = round((time - self.start) * self.rate) - self.length
            if hole > 0.02 * self.rate:
                self.pieces.append(np.zeros(hole))
                self.length += hole
        self.pieces.append(samples)
        self.length += len(samples)

    def take(self, begin: float | None, seconds: float | None, rate: int | None) -> np.ndarray:
        """The sound from time `begin` on, at `rate`, padded or cut to `seconds`."""
        whole = np.concatenate(self.pieces)
        if begin is not None:
            late = round((self.start - begin) * self.rate)
            whole = np.concatenate([np.zeros(late), whole]) if late > 0 else whole[-late:]
        if seconds is not None:
            need = round(seconds * self.rate) + self.rate // 10
            whole = whole[:need]
        rate = rate or self.rate
        samples = resample(whole, self.rate, rate) if len(whole) else np.zeros(0, np.float32)
        if seconds is None:
            return samples
        length = round(seconds * rate)
        return np.pad(samples[:length], (0, max(0, length - len(samples))))


class _Pictures:
    """Decoded pictures with their times, and the time that the track's packets span."""

    def __init__(self, rate: Fraction | None) -> None:
        self.shots: list[tuple[float, Any]] = []
        self.spans: list[tuple[float, float]] = []
        self.rate = float(rate or 25)

    def add(self, frame: Any) -> None:
        time = frame.time
        if time is None:
            time = self.shots[-1][0] + 1 / self.rate if self.shots else 0.0
        self.shots.append((time, frame))

    def extent(self) -> tuple[float, float]:
        """When the first picture appears, and for how long pictures are shown, in seconds."""
        final, span = max(self.spans)
        return min(self.spans)[0], final + (span or 1 / self.rate) - min(self.spans)[0]

    def take(self, ticks: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
        """At each tick the picture nearest in time, the earlier one of two: (T, H, W, 3)."""
        shots = sorted(self.shots, key=lambda shot: shot[0])
        times = np.array([time for time, _ in shots])
        chosen = np.searchsorted((times[1:] + times[:-1]) / 2, ticks - 1e-6)
        seen = {int(i): _picture(shots[i][1], size) for i in np.unique(chosen)}
        return np.stack([seen[int(i)] for i in chosen])


class _Track:
    """Where the packets of one stream end, and the last of them."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.end, self.last = stream, 0.0, None
        self.total = self.bad = self.size = self.smallest = 0

    def add(self, packet: Any) -> tuple[float, float] | None:
        self.total += 1
        if packet.pts is None or not packet.size or packet.is_discard:
            return None
        begin = float(packet.pts * packet.time_base)
        span = float((packet.duration or 0) * packet.time_base)
        self.end, self.last = max(self.end, begin + span), packet
        self.smallest = min(self.smallest or self.size, self.size)
        self.size = packet.size
        return begin, span

    def breaks_off(self) -> bool:
        """Whether the last frame of a sound with frames of one size is shorter than all others."""
        steady = self.stream.type == "audio" and self.stream.codec_context.name.startswith(
            ("mp1", "mp2", "ac3")
        )
        return steady and self.size < self.smallest


def _check_whole(path: Path, container: Any, tracks: list[_Track]) -> None:
    """Refuse a file that ends before it should, or whose packets do not decode.

    An MPEG program stream tells no length. It is cut where a packet, or the last frame of its
    sound, is incomplete: these frames are all of one size. A cut where a packet and a frame of
    sound end together, or after the last sound, cannot be told from a film that ends there.
    """
    found = promised = max(track.end for track in tracks)
    if container.format.name not in ESTIMATED:
        promised = ((container.start_time or 0) + (container.duration or 0)) / av.time_base
        for stream, end in ((track.stream, track.end) for track in tracks):
            if stream.duration is not None and (end or stream.type == "audio"):
                own = float(((stream.start_time or 0) + stream.duration) * stream.time_base)
                if own - end > max(0.25 + 0.02 * own, promised - found):
                    promised, found = own, end
    short = promised - found > 0.25 + 0.02 * promised
    cut = container.format.name == "mpeg" and _cut_program_stream(path)
    cut = cut or (container.format.name == "mpeg" and any(t.breaks_off() for t in tracks))
    if short or cut or any(track.last is not None and track.last.is_corrupt for track in tracks):
        told = f" of {promised:.2f}" if short else ""
        raise MediaError(
            f"{path}: truncated: it breaks off after {found:.2f}{told} seconds; "
            "copy or download it again, or cut the good part out with a video editor"
        )
    bad, total = sum(track.bad for track in tracks), sum(track.total for track in tracks)
    if bad > 1 + total // 20:
        raise MediaError(
            f"{path}: damaged: {bad} of {total} packets do not decode; copy or download it again"
        )


def _streams(path: Path, container: Any, pictures: bool) -> tuple[Any, Any]:
    """The first picture track that is not a cover, or None, and the first sound track."""
    cover = av.stream.Disposition.attached_pic
    video = next((s for s in container.streams.video if not s.disposition & cover), None)
    if not container.streams.audio:
        raise MediaError(f"{path}: no audio track; a clip needs sound: add a track to the file")
    if pictures and video is None:
        raise MediaError(
            f"{path}: no video track; read the sound alone with clip.read_audio, "
            "or choose a file with pictures"
        )
    return video, container.streams.audio[0]


def decode(
    path: Path, *, pictures: bool, fps: float | None, rate: int | None, size: tuple[int, int] | None
) -> tuple[np.ndarray | None, float, np.ndarray, int]:
    """Read a file's pictures at a constant rate and its sound in mono, both from time zero.

    Parameters
    ----------
    path : the file
    pictures : False decodes only the sound; where the file has pictures too, their times still
        say where the sound begins and ends, so that both ways of reading give the same samples
    fps, rate : wanted frames per second and Hz; None keeps the file's own
    size : (height, width) of the pictures as seen; None keeps the file's own

    Returns
    -------
    frames (T, H, W, 3) uint8 or None, fps, audio (samples,) float32, rate

    Raises
    ------
    MediaError : see `clip.read`.
    """
    with _opened(path) as container:
        video, audio = _streams(path, container, pictures)
        sound, shots = _Sound(), _Pictures(video.average_rate if video is not None else None)
        tracks = {s.index: _Track(s) for s in (video, audio) if s is not None}
        for packet in container.demux([track.stream for track in tracks.values()]):
            track = tracks[packet.stream.index]
            span = track.add(packet)
            if track.stream is not audio:
                shots.spans += [span] if span else []
                if not pictures:
                    continue
            try:
                for frame in packet.decode():
                    (sound if track.stream is audio else shots).add(frame)
            except av.error.FFmpegError:
                track.bad += 1
        _check_whole(path, container, list(tracks.values()))
    if not sound.length:
        raise MediaError(f"{path}: zero samples in the audio track; record or convert it again")
    if video is None:
        return None, 0.0, _finite(path, sound.take(None, None, rate)), rate or sound.rate
    if not shots.spans or (pictures and not shots.shots):
        raise MediaError(f"{path}: zero frames in the video track; record or convert it again")
    begin, seconds = shots.extent()
    fps = float(fps or shots.rate)
    count = max(1, round(seconds * fps))
    samples = _finite(path, sound.take(begin, count / fps, rate))
    frames = shots.take(begin + np.arange(count) / fps, size) if pictures else None
    return frames, fps, samples, rate or sound.rate


def _finite(path: Path, audio: np.ndarray) -> np.ndarray:
    if not np.isfinite(audio).all():
        raise MediaError(f"{path}: the sound holds NaN or infinite samples; convert the file again")
    return audio
