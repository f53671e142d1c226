"""Light and camera: what stands between a drawn scene and its recorded frames."""

import cv2
import numpy as np


def record(frames: np.ndarray, rng: np.random.Generator, *, noise: float = 1.6) -> np.ndarray:
    """Add sensor noise and round.

    Parameters: `frames` (T, H, W, 3) float32, 0..255; `rng`; `noise`, standard deviation in
    grey levels. Returns (T, H, W, 3) uint8.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    count, height, width, _ = frames.shape
    grain = rng.standard_normal((4, height + 32, width + 32, 3), dtype=np.float32) * noise
    recorded = np.empty(frames.shape, np.uint8)
    for t in range(count):
        k, dy, dx = (int(v) for v in rng.integers((4, 32, 32)))
        noisy = cv2.add(
            frames[t], np.ascontiguousarray(grain[k, dy : dy + height, dx : dx + width])
        )
        recorded[t] = np.clip(noisy + 0.5, 0, 255)
    return recorded


def weather(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another lamp, another lens: gain, colour, gradient, contrast and blur, at random.

    Parameters: `frames` (T, H, W, 3) float32, 0..255; `rng`. Returns the same shape.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    _, height, width, _ = frames.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    tilt = 1 + rng.uniform(-0.25, 0.25) * x + rng.uniform(-0.15, 0.15) * y
    gain = np.float32(rng.uniform(0.65, 1.2) * rng.uniform(0.92, 1.08, 3))
    contrast, middle = np.float32(rng.uniform(0.75, 1.15)), np.float32(120)
    lit = (frames - middle) * contrast + middle
    lit *= (tilt[..., None] * gain).astype(np.float32)
    blur = float(rng.uniform(0, 1.1))
    if blur > 0.35:
        lit = np.stack([cv2.GaussianBlur(frame, (0, 0), blur) for frame in lit])
    return np.asarray(lit, np.float32)


def squeeze(frames: np.ndarray, quality: int) -> np.ndarray:
    """Compress each frame as a JPEG picture and read it back.

    Parameters: `frames` (T, H, W, 3) uint8; `quality` 1..100. Returns the same shape.
    Taught in `notebooks/00_foundations.ipynb`, section "Talkers".
    """
    squeezed = np.empty_like(frames)
    for t, frame in enumerate(frames):
        _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
        squeezed[t] = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return squeezed
