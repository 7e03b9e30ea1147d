"""BMP, by Pillow; only read."""

import io
import struct
from typing import BinaryIO

from PIL import BmpImagePlugin

from patchloom.formats.picture import Reading, Stored
from patchloom.formats.pillow import decoded
from patchloom.formats.registry import Header


def header(file: BinaryIO) -> Header:
    """The size from the information header; rows can be stored from the top, which is a negative height."""
    start = file.read(26)
    if start[14:18] == b"\x0c\0\0\0":
        return Header(*struct.unpack_from("<HH", start, 18))
    width, height = struct.unpack_from("<ii", start, 18)
    return Header(width, abs(height))


def decode(data: bytes, reading: Reading) -> Stored:
    reading.frame(1, "a BMP")
    return decoded(BmpImagePlugin.BmpImageFile(io.BytesIO(data)), reading, lossless=True)
