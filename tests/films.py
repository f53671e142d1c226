"""Small films for tests: soft pictures, murmuring sound, odd timestamps."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from avsep_core.clip import Clip

RATES = (8000, 11025, 16000, 44100)


def murmur(samples: int, seed: int = 0) -> np.ndarray:
    """Coloured noise that codecs keep well, with a level that changes."""
    noise = np.random.default_rng(seed).standard_normal(samples + 8)
    smooth = np.convolve(noise, np.ones(9) / 9, mode="valid")
    level = 1 + np.sin(np.arange(samples) / 900)
    return (0.3 * smooth * level / 2).astype(np.float32)


def moving(count: int, height: int, width: int) -> np.ndarray:
    """A soft gradient that drifts: (T, H, W, 3)."""
    t, y, x = np.meshgrid(*map(np.arange, (count, height, width)), indexing="ij")
    grey = 128 + 90 * np.sin(x / 9 + y / 13 + t / 5)
    return np.stack([grey, 255 - grey, 0.5 * grey + 60], axis=-1).astype(np.uint8)


def example(*, count=12, fps=25.0, height=32, width=48, rate=16000) -> Clip:
    """A clip of drifting gradients and murmur."""
    sound = murmur(round(count / fps * rate))
    return Clip(moving(count, height, width), fps, sound, rate, "example")


def film(path: Path, pictures, times, pieces, *, rate=16000, codec="libx264", turn=None) -> Path:
    """Write pictures at their `times` and (time, samples) `pieces` of sound, as PyAV would."""
    tick = Fraction(1, 1000)
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25, options={"crf": "8"})
        video.height, video.width = pictures.shape[1:3]
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = tick
        if turn is not None:
            video.set_display_rotation(*turn)
        sound = container.add_stream("pcm_f32le", rate=rate, layout="mono") if pieces else None
        for picture, time in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(time * 1000), tick
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for time, samples in pieces:
            block = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "fltp", "mono")
            block.sample_rate, block.time_base = rate, Fraction(1, rate)
            block.pts = round(time * rate)
            container.mux(sound.encode(block))
        if pieces:
            container.mux(sound.encode(None))
    return path


def flat(levels, size=32) -> np.ndarray:
    """Uniform grey pictures of the given levels."""
    return np.broadcast_to(
        np.asarray(levels, np.uint8)[:, None, None, None], (len(levels), size, size, 3)
    ).copy()
