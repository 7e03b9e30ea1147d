"""What a worker process does for clients of IOPaint; tasks name these functions."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from patchloom.photo import Photo
from patchloom.server.engine import PictureEngine
from patchloom.server.iopaint.masks import adjusted, read_mask
from patchloom.server.looks import stored
from patchloom.server.worker import Message, Send

YELLOW = (255, 203, 0, 186)  # IOPaint's colour for a mask, RGBA


def fill(engine: PictureEngine, folder: Path, task: Message, send: Send, stopped: Callable[[], bool]) -> Message:
    """A hole filled, its mask read and the result turned as IOPaint does."""
    return engine.fill(folder, task, send, stopped, read=read_mask, upright=True)


def adjust_mask(engine: object, folder: Path, task: Message, send: Send, stopped: Callable[[], bool]) -> Message:
    """IOPaint's mask tools: grow, shrink or invert; the answer is a yellow RGBA picture."""
    mask = read_mask((folder / "mask").read_bytes(), above=126)
    hole = adjusted(mask, task["operate"], task["kernel_size"]).hole
    pixels = np.zeros((*hole.shape, 4), dtype=np.uint8)
    pixels[hole] = YELLOW
    picture = Photo.from_array(pixels)
    return stored(folder, picture.encode("PNG"), "PNG", picture)
