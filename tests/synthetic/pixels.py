"""What the tests of the talkers look at: lips cut out of rendered frames."""

import cv2
import numpy as np


def crop_lips(frames, boxes):
    """Lips (T, 22, 32, 3) float32 around the middle of each box, with sub-pixel shifts."""
    crops = []
    for frame, (x, y, w, h) in zip(frames, boxes, strict=True):
        middle = (float(x + w / 2 - 0.5), float(y + h / 2 - 0.5))
        crops.append(cv2.getRectSubPix(np.ascontiguousarray(frame), (32, 22), middle))
    return np.stack(crops).astype(np.float32)
