"""A scene that features are found in, for tests of pictures that are aligned."""

import numpy as np
from scipy import ndimage


def boxes(seed: int, size: int) -> np.ndarray:
    """(size, size, 3) uint8: boxes of many sizes and colours, with corners to hold on to."""
    random = np.random.default_rng(seed)
    picture = np.full((size, size, 3), 0.5)
    for _ in range(140):
        x, y = random.integers(-10, size, 2)
        w, h = random.integers(5, 40, 2)
        picture[max(y, 0) : y + h, max(x, 0) : x + w] = random.uniform(0.15, 0.85, 3)
    return np.rint(ndimage.gaussian_filter(picture, (0.8, 0.8, 0)) * 255).astype(np.uint8)
