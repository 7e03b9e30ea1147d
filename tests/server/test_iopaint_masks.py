"""Masks as IOPaint reads and changes them, against OpenCV, which it uses, and Pillow's own grey."""

import io

import numpy as np
import pytest
from PIL import Image

from patchloom.server.iopaint.masks import adjusted, read_mask

cv2 = pytest.importorskip("cv2")


def iopaint(mask: np.ndarray, operate: str, kernel_size: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * kernel_size + 1,) * 2)
    return {"expand": cv2.dilate, "shrink": cv2.erode}[operate](mask.astype(np.uint8), kernel) > 0


@pytest.mark.parametrize("operate", ["expand", "shrink"])
@pytest.mark.parametrize("kernel_size", [0, 1, 2, 3, 5, 10, 17, 60])
def test_masks_grow_and_shrink_as_opencv_does_it(operate: str, kernel_size: int) -> None:
    holes = np.random.default_rng(kernel_size).random((41, 67)) < 0.03
    holes[10:30, 5:40] = True
    holes[0:6, 50:67] = True  # at the border
    for part in (holes, holes[:, 4:7]):  # narrower than the kernel, too
        mask = adjusted(read_mask(encoded(part.astype(np.uint8) * 255)), operate, kernel_size)
        np.testing.assert_array_equal(mask.hole, iopaint(part, operate, kernel_size))


def encoded(samples: np.ndarray) -> bytes:
    target = io.BytesIO()
    Image.fromarray(samples).save(target, "PNG")
    return target.getvalue()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_is_bright_is_what_pillow_finds_bright(channels: int) -> None:
    samples = np.random.default_rng(channels).integers(0, 256, (30, 40, channels), dtype=np.uint8).squeeze()
    grey = np.asarray(Image.fromarray(samples).convert("L"))
    np.testing.assert_array_equal(read_mask(encoded(samples)).hole, grey > 127)
