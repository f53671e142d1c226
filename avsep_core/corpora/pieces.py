"""Some seconds out of the middle of a long film, without decoding what comes before."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import numpy as np

from ..checks import whole, within
from ..clip import Clip, MediaError
from ..media import _matrix, _opened, _Pictures, _Sound, _streams, _turned

LEAD, TAIL = 1.0, 0.2
"""So many s more are decoded before a piece and after it: decoders and resamplers need a run-up."""

SHORT = 0.5
"""So many s of sound a piece may lack at either end; they are silent then."""


def length(path: Path) -> float:
    """How long pictures and sound both last, in s, as the file tells; nothing is decoded.

    Raises
    ------
    MediaError : as `clip.read`.
    """
    with _opened(path) as container:
        video, audio = _streams(path, container, True)
        whole_file = (container.duration or 0) / av.time_base
        return min(_told(stream) or whole_file for stream in (video, audio))


def _told(stream: Any) -> float:
    """How long a track says that it lasts, in s; 0 where it does not say."""
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    hours, minutes, seconds = map(float, stream.metadata.get("DURATION", "0:0:0").split(":"))
    return 3600 * hours + 60 * minutes + seconds


def read_piece(
    path: Path,
    start: float,
    seconds: float,
    *,
    fps: float = 25.0,
    rate: int = 16000,
    height: int | None = None,
) -> Clip:
    """A part of a film: what `clip.read(path).trim(start, seconds)` gives, in less time and memory.

    Where a container rounds times to a millisecond, such as WebM, the sound may begin one beside.

    Parameters
    ----------
    path : any container that PyAV opens and that can be searched
    start, seconds : s from the first picture; best a whole number, else sound and pictures begin
        up to half a sample and half a frame beside it
    fps, rate : wanted frames per second and Hz
    height : higher pictures are scaled to so many rows, in proportion; None leaves them

    Returns
    -------
    Clip of round(seconds * fps) frames and round(seconds * rate) samples, without a name

    Raises
    ------
    MediaError : as `clip.read`, and where the film does not reach so far; ValueError for numbers
        out of range.
    """
    within(fps, "fps", 1e-3, 1e3)
    sound, shots, begin = _decoded(path, start, seconds, pictures=True)
    if not shots.shots:
        raise MediaError(f"{path}: no picture {start:g} s from its start; get the file again")
    frame = shots.shots[0][1]
    rows, columns = (frame.height, frame.width)[:: -1 if _turned(_matrix(frame)) else 1]
    size = None
    if height is not None and rows > whole(height, "height", "rows"):
        size = (height, max(round(columns * height / rows), 1))
    frames = shots.take(begin + np.arange(max(round(seconds * fps), 1)) / fps, size)
    return Clip(frames, fps, _cut(sound, begin, min(start, LEAD), seconds, rate), rate)


def hear_piece(path: Path, start: float, seconds: float, *, rate: int = 16000) -> np.ndarray:
    """The sound of `read_piece` for the same arguments, without its pictures: (samples,)."""
    sound, _, begin = _decoded(path, start, seconds, pictures=False)
    return _cut(sound, begin, min(start, LEAD), seconds, rate)


def _cut(sound: _Sound, begin: float, lead: float, seconds: float, rate: int) -> np.ndarray:
    rate = whole(rate, "rate")
    return sound.take(begin - lead, lead + seconds, rate)[-round(seconds * rate) :]


def _decoded(
    path: Path, start: float, seconds: float, *, pictures: bool
) -> tuple[_Sound, _Pictures, float]:
    """The sound and pictures around a piece, and its begin on the file's own clock, in s."""
    within(start, "start", 0, 1e6)
    within(seconds, "seconds", 1e-3, 1e4)
    with _opened(path) as container:
        video, audio = _streams(path, container, pictures)
        sound, shots = _Sound(), _Pictures(video.average_rate if video is not None else None)
        begin = start
        if video is not None:
            begin += float((video.start_time or 0) * video.time_base)
        end = begin + seconds
        tracks = [video, audio] if pictures else [audio]
        running = {track.index for track in tracks}
        if start > LEAD:
            container.seek(int((begin - LEAD) * av.time_base))
        for packet in container.demux(tracks):
            if packet.stream.index not in running:
                continue
            # What a damaged packet takes away is noticed by the check below.
            with suppress(av.error.FFmpegError):
                for frame in packet.decode():
                    if packet.stream is audio:
                        sound.add(frame)
                        now = sound.start + sound.length / sound.rate
                    else:
                        shots.add(frame)
                        now = shots.shots[-1][0]
                        if now <= begin:
                            shots.shots = shots.shots[-1:]
                    if now > end + TAIL:
                        running.discard(packet.stream.index)
            if not running:
                break
    until = sound.start + sound.length / max(sound.rate, 1)
    if not sound.length or sound.start > begin + SHORT or until < end - SHORT:
        raise MediaError(
            f"{path}: the {seconds:g} s from {start:g} s on are not all there: sound was found "
            f"from {sound.start - begin + start:.2f} to {until - begin + start:.2f} s; the file "
            "breaks off or cannot be searched: get it again, or convert it to mp4"
        )
    return sound, shots, begin
