"""What is over in a moment, and so waits behind no fill: a look at a picture or a mask, an object's outline.

A worker process of its own does it (see :mod:`engine` for tasks); it loads no networks.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from patchloom import selection
from patchloom.formats import FORMATS
from patchloom.formats.picture import to_eight_bit
from patchloom.mask import Mask
from patchloom.photo import Photo
from patchloom.server.worker import Message, Send, work_of
from patchloom.settings import FileSettings

SELECT_PIXELS = 1_000_000  # largest picture in which an object is looked for
DISPLAY_PIXELS = 16_000_000  # largest picture made only to be looked at


class LookEngine:
    """Called by its worker with one task after the other."""

    def __init__(self, options: Message) -> None:
        self.max_pixels: int = options["max_pixels"]
        self.about: Message = {}

    def __call__(self, task: Message, send: Send, stopped: Callable[[], bool]) -> Message:
        work = work_of(self, task, {"display": self.display, "select": self.select, "mask": self.mask})
        return work(Path(task["folder"]), task, send, stopped)

    def display(self, folder: Path, task: Message, send: Send, stopped: Callable[[], bool]) -> Message:
        """An 8-bit picture for a browser that cannot show the file itself (TIFF, 16 bit)."""
        data = (folder / "image").read_bytes()
        page = task["files"]["page"] or None
        photo = Photo.open(data, allow_cmyk=True, page=page, max_pixels=self.max_pixels)
        skip = int(np.ceil(np.sqrt(photo.width * photo.height / DISPLAY_PIXELS)))
        alpha = None if photo.alpha is None else to_eight_bit(photo.alpha)[::skip, ::skip]
        small = replace(photo, pixels=to_eight_bit(photo.pixels)[::skip, ::skip], alpha=alpha, extra=None)
        form = "JPEG" if alpha is None else "PNG"
        result = stored(folder, small.encode(form, quality=90), form, small)
        return {**result, "photo_width": photo.width, "photo_height": photo.height}

    def mask(self, folder: Path, task: Message, send: Send, stopped: Callable[[], bool]) -> Message:
        """What a mask's file marks, white on black."""
        files = FileSettings.from_dict(task["files"])
        data = (folder / "mask").read_bytes()
        found = Mask.open(data, mode=files.mask_mode, classes=files.mask_class, max_pixels=self.max_pixels)
        picture = Photo.from_array(np.where(found.hole, 255, 0).astype(np.uint8))
        return stored(folder, picture.encode("PNG"), "PNG", picture)

    def select(self, folder: Path, task: Message, send: Send, stopped: Callable[[], bool]) -> Message:
        """The object under a scribble, and its shadow: white and half grey."""
        photo = Photo.open((folder / "image").read_bytes(), max_pixels=SELECT_PIXELS)
        scribble = Photo.open((folder / "mask").read_bytes(), max_pixels=SELECT_PIXELS)
        Mask.from_array(scribble.pixels[..., 0] > 0).require_size(photo.width, photo.height, "The scribble")
        pixels = to_eight_bit(photo.pixels)
        found = selection.outline(pixels, to_eight_bit(scribble.pixels)[..., 0])
        grey = np.where(found, selection.OBJECT, np.where(selection.shadow(pixels, found), selection.OTHER, 0))
        picture = Photo.from_array(np.stack([grey.astype(np.uint8)] * 3, axis=-1))
        return stored(folder, picture.encode("PNG"), "PNG", picture)


def stored(folder: Path, data: bytes, form: str, picture: Photo) -> Message:
    """Writes a job's product; what there is to know of it."""
    (folder / "result").write_bytes(data)
    return {
        "format": form,
        "media_type": FORMATS[form].media_type,
        "width": picture.width,
        "height": picture.height,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
