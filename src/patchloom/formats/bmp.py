"""BMP, by Pillow; only read."""

import io
import struct
from typing import BinaryIO

import numpy as np
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
    stored = decoded(BmpImagePlugin.BmpImageFile(io.BytesIO(data)), reading, lossless=True)
    (bits,) = struct.unpack_from("<H", data, 28) if data[14:18] != b"\x0c\0\0\0" else (0,)
    if bits == 32 and stored.alpha is None:
        height, width = stored.samples.shape[:2]
        fourth = np.frombuffer(data, np.uint8, 4 * height * width, int.from_bytes(data[10:14], "little"))[3::4]
        if np.ptp(fourth):  # all one value is padding
            reading.say("This BMP has a fourth channel, of which it does not say what it is; it is left out.")
    return stored
