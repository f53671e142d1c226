"""Sound, moving pictures and spectrograms as small byte strings that every browser decodes.

Equal input gives equal bytes, so a page that is built twice does not change.
"""

from __future__ import annotations

import base64
import io
import math
from fractions import Fraction

import numpy as np

MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
BITS_PER_SAMPLE = 3.5
LEAD = 600
GAP = 2400
TAIL = 1200
PULSE = 0.8


def pulse() -> np.ndarray:
    """Return the short pulse that marks the zero of time in a coded track.

    A decoder delays a signal by an amount that differs between browsers. The player finds the
    peak of this pulse and starts `GAP` samples behind it, so the delay cancels exactly.

    Returns
    -------
    (33,) with its peak, `PULSE`, in the middle; its shape is fixed in samples.

    Taught in `notebooks/00_foundations.ipynb`, section "Hear it".
    """
    k = np.arange(-16, 17)
    return PULSE * np.exp(-0.5 * (k / 3.0) ** 2)


def coded_rate(rate: float) -> int:
    """Return the smallest rate of MP3 (Hz) that loses nothing of a signal at `rate` Hz."""
    return next((r for r in MP3_RATES if r >= rate), MP3_RATES[-1])


def mp3(audio: np.ndarray, rate: int) -> bytes:
    """Code one track as MP3, behind a pulse that marks its beginning.

    Parameters
    ----------
    audio : (samples,) about -1..1
    rate : Hz, one of `MP3_RATES`

    Returns
    -------
    The bytes of an MP3 file: `LEAD` silent samples, the peak of the pulse, the first sample of
    `audio` exactly `GAP` samples after that peak, and `TAIL` silent samples.

    Raises
    ------
    ValueError: a rate that MP3 does not know.

    Taught in `notebooks/00_foundations.ipynb`, section "Hear it".
    """
    import av

    if rate not in MP3_RATES:
        raise ValueError(f"MP3 has no rate of {rate} Hz; use one of {MP3_RATES}")
    audio = np.asarray(audio, dtype=np.float32)
    padded = np.zeros(LEAD + GAP + len(audio) + TAIL, dtype=np.float32)
    mark = pulse()
    padded[LEAD - len(mark) // 2 :][: len(mark)] = mark
    padded[LEAD + GAP :][: len(audio)] = audio
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate, layout="mono")
        stream.bit_rate = min(math.ceil(BITS_PER_SAMPLE * rate / 8000) * 8000, 128000)
        frame = av.AudioFrame.from_ndarray(padded[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return buffer.getvalue()


def trim(decoded: np.ndarray, samples: int) -> np.ndarray:
    """Cut a decoded track at its pulse: the inverse of what `mp3` put around the audio.

    Parameters
    ----------
    decoded : (any number of samples,), at the rate it was coded with
    samples : how many to return

    Returns
    -------
    (samples,) float32, in time with the original whatever the decoder's delay.

    Raises
    ------
    ValueError: the pulse is not there.
    """
    head = np.abs(decoded[: LEAD + GAP - 200])
    peak = int(head.argmax()) if len(head) else 0
    if not len(head) or head[peak] < 0.25 * PULSE:
        raise ValueError("no pulse at the beginning: this track was not made by packing.mp3")
    out = np.zeros(samples, dtype=np.float32)
    rest = decoded[peak + GAP :][:samples]
    out[: len(rest)] = rest
    return out


def shrink(frames: np.ndarray, *, width: int = 512, height: int = 288) -> np.ndarray:
    """Make frames fit a box, keeping their shape, and their sides even as video codecs want.

    Parameters
    ----------
    frames : (frames, height, width, 3) uint8
    width, height : of the box, in pixels

    Returns
    -------
    (frames, height', width', 3) uint8, enlarged by at most one pixel.
    """
    import cv2

    tall, wide = frames.shape[1:3]
    scale = min(1.0, width / wide, height / tall)
    if scale < 1.0:
        size = (max(2, round(wide * scale / 2) * 2), max(2, round(tall * scale / 2) * 2))
        frames = np.stack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in frames])
    tall, wide = frames.shape[1:3]
    return np.pad(frames, ((0, 0), (0, tall % 2), (0, wide % 2), (0, 0)), mode="edge")


def webm(frames: np.ndarray, fps: float, *, quality: int = 32) -> bytes:
    """Code frames as silent VP9 video in WebM, with a key frame each second for quick seeking.

    Parameters
    ----------
    frames : (frames, height, width, 3) uint8 RGB with even sides
    fps : frames in a second
    quality : VP9's constant quality, 0 (best) to 63

    Returns
    -------
    The bytes of a WebM file, the same for the same frames.

    Taught in `notebooks/00_foundations.ipynb`, section "Hear it".
    """
    import av

    rate = Fraction(fps).limit_denominator(1001)
    # Without "bitexact" the muxer writes random identifiers, and equal clips get unequal bytes.
    options = {"crf": str(quality), "b": "0", "g": str(max(1, round(fps))), "threads": "1"}
    options |= {"deadline": "good", "cpu-used": "4", "flags": "+bitexact"}
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="webm", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libvpx-vp9", rate=rate, options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 0
        for image in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return buffer.getvalue()


def on_grid(
    values: np.ndarray, times: np.ndarray, seconds: float, *, columns: int = 420, rows: int = 144
) -> np.ndarray:
    """Lay a time-frequency picture on a regular grid, so that a cursor can move evenly over it.

    Parameters
    ----------
    values : (freq, frames)
    times : (frames,) in s, the centre of each frame
    seconds : what the grid covers, from 0
    columns, rows : the greatest number of each

    Returns
    -------
    (rows, columns), low frequencies first; column c shows the time (c + 1/2) / columns * seconds.
    Rows and frames are averaged where there are too many.
    """
    freq, frames = values.shape
    rows = min(rows, freq)
    edges = np.linspace(0, freq, rows + 1).round().astype(int)[:-1]
    counts = np.diff(np.append(edges, freq))[:, None]
    values = np.add.reduceat(values, edges, axis=0) / counts
    columns = min(columns, max(frames, 2))
    times = np.asarray(times)
    centres = (np.arange(columns) + 0.5) / columns * seconds
    grid = values[:, np.searchsorted((times[1:] + times[:-1]) / 2, centres)]
    if frames > columns:
        place = np.clip((times / seconds * columns).astype(int), 0, columns - 1)
        sums, counts = np.zeros_like(grid), np.bincount(place, minlength=columns)
        for frame, column in enumerate(place):
            sums[:, column] += values[:, frame]
        grid = np.where(counts, sums / np.maximum(counts, 1), grid)
    return grid


def webp(values: np.ndarray, colours: str, *, most: int = 12_500) -> bytes:
    """Paint numbers in 0..1 with a named matplotlib colour map and code them as WebP.

    Parameters
    ----------
    values : (rows, columns) in 0..1, low frequencies first (drawn at the bottom)
    colours : name of the colour map
    most : bytes that the picture should not exceed; noise is coded more coarsely to fit

    Returns
    -------
    The bytes of a WebP picture.
    """
    import matplotlib

    painted = matplotlib.colormaps[colours](np.clip(values[::-1], 0.0, 1.0), bytes=True)[..., :3]
    return _webp(painted, (60, 40, 20, 5), most)


def photo(frame: np.ndarray, *, most: int = 40_000) -> bytes:
    """Code one frame as WebP, made to fit 512 x 288 pixels.

    Parameters
    ----------
    frame : (height, width, 3) uint8
    most : bytes that the picture should not exceed; what is rich in detail is coded more coarsely

    Returns
    -------
    The bytes of a WebP picture of the frame's shape, with no pixel added at its edges.
    """
    tall, wide = frame.shape[:2]
    return _webp(shrink(frame[None])[0, :tall, :wide], (90, 75, 50, 25), most)


def as_text(coded: bytes) -> str:
    """Bytes in base 64, as a page holds them."""
    return base64.b64encode(coded).decode("ascii")


def _webp(image: np.ndarray, qualities: tuple[int, ...], most: int) -> bytes:
    from PIL import Image

    for quality in qualities:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "WEBP", quality=quality, method=4)
        if buffer.tell() <= most:
            break
    return buffer.getvalue()
