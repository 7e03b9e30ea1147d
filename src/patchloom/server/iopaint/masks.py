"""Masks as IOPaint 1.6 reads and changes them, pixel for pixel."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from patchloom.arrays import Bools
from patchloom.errors import MaskError
from patchloom.mask import Mask

_FAR = 2**40  # pixels


def read_mask(data: bytes, above: int = 127) -> Mask:
    """What is brighter than ``above`` once Pillow has turned the picture upright and made it grey.

    Transparency has no say, and 16-bit samples are cut off at 255. Raises MaskError.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            grey = np.asarray(ImageOps.exif_transpose(image).convert("L"))
    except (OSError, ValueError, SyntaxError) as error:
        raise MaskError("The mask is cut short or damaged.", "Send it again.") from error
    return Mask(grey > above, seen=f"its grey is {grey.min()} to {grey.max()}, and more than {above} is filled")


def adjusted(mask: Mask, operate: str, kernel_size: int) -> Mask:
    """``expand``, ``shrink`` (by ``kernel_size`` pixels, in an ellipse as OpenCV draws it) or ``reverse``."""
    if operate == "reverse":
        return mask.invert()
    if operate == "expand":
        return Mask(_grown(mask.hole, kernel_size))
    return Mask(~_grown(~mask.hole, kernel_size))


def _grown(hole: Bools, radius: int) -> Bools:
    """All pixels (x, y) with a hole pixel at (x + dx, y + dy), |dx| <= round(sqrt(radius^2 - dy^2))."""
    height = len(hole)
    beside = _distance_in_row(hole)
    grown = np.zeros_like(hole)
    for dy in range(-min(radius, height - 1), min(radius, height - 1) + 1):
        reach = np.rint(np.sqrt(radius**2 - dy**2))
        target, source = slice(max(dy, 0), height + min(dy, 0)), slice(max(-dy, 0), height + min(-dy, 0))
        grown[target] |= beside[source] <= reach
    return grown


def _distance_in_row(hole: Bools) -> NDArray[np.int64]:
    """(H, W): pixels to the nearest hole pixel of the same row; more than any reach where there is none."""
    columns = np.arange(hole.shape[1])
    left = np.maximum.accumulate(np.where(hole, columns, -_FAR), axis=1)
    right = np.minimum.accumulate(np.where(hole, columns, _FAR)[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(np.minimum(columns - left, right - columns))
