"""GIF, by Pillow; only read: its palette is too small for what a fill makes."""

import io
import struct
from typing import BinaryIO

from PIL import GifImagePlugin

from patchloom.formats.picture import Reading, Stored
from patchloom.formats.pillow import decoded
from patchloom.formats.registry import Header

_MOST_BLOCKS = 100_000  # before the second frame; ends a scan of a crafted file


def header(file: BinaryIO) -> Header:
    """The size of the canvas, and whether there is more than one frame."""
    start = file.read(13)
    width, height = struct.unpack_from("<HH", start, 6)
    file.seek(_table(start[10]), io.SEEK_CUR)
    frames = 0
    for _ in range(_MOST_BLOCKS):
        kind = file.read(1)
        if kind == b"," and frames:
            frames += 1
            break
        if kind == b",":
            frames += 1
            file.seek(_table(file.read(9)[8]) + 1, io.SEEK_CUR)
        elif kind == b"!":
            file.seek(1, io.SEEK_CUR)
        else:
            break
        while size := file.read(1).strip(b"\0"):
            file.seek(size[0], io.SEEK_CUR)
    return Header(width, height, max(1, frames))


def _table(flags: int) -> int:
    """Bytes of the palette that ``flags`` announce."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def decode(data: bytes, reading: Reading) -> Stored:
    image = GifImagePlugin.GifImageFile(io.BytesIO(data))
    reading.require_size(*image.size)  # a frame can be larger than the canvas that the header names
    image.seek(reading.frame(image.n_frames, "an animated GIF"))
    return decoded(image, reading, lossless=True)
