"""JPEG XL, by libjxl through pillow-jxl-plugin (the extra ``jxl``); only read."""

import io
from typing import BinaryIO

from patchloom.formats.exif import with_orientation
from patchloom.formats.extra import required
from patchloom.formats.picture import Reading, Stored
from patchloom.formats.pillow import decoded
from patchloom.formats.registry import Header

_CODESTREAM = b"\xff\x0a"
_RATIOS = (None, (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # of width to height
_HEADER = 2**16  # bytes in which the codestream begins


def header(file: BinaryIO) -> Header:
    """The size from the codestream's SizeHeader (ISO/IEC 18181-1, C.3)."""
    start = file.read(_HEADER)
    at = 0 if start.startswith(_CODESTREAM) else _begin(start)
    bits = int.from_bytes(start[at + 2 : at + 18], "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & ((1 << count) - 1)
        bits >>= count
        return value

    small = take(1)

    def side() -> int:
        return 8 * (take(5) + 1) if small else take((9, 13, 18, 30)[take(2)]) + 1

    height = side()
    ratio = _RATIOS[take(3)]
    width = side() if ratio is None else height * ratio[0] // ratio[1]
    return Header(width, height)


def _begin(start: bytes) -> int:
    """Where the codestream begins in a container: in box ``jxlc``, or behind the number in the first ``jxlp``."""
    whole, part = start.find(b"jxlc"), start.find(b"jxlp")
    if whole < 0 and part < 0:
        raise ValueError("no codestream")
    return whole + 4 if whole >= 0 else part + 8


def decode(data: bytes, reading: Reading) -> Stored:
    plugin = required("pillow_jxl.JpegXLImagePlugin", "jxl", "a JPEG XL")
    image = plugin.JXLImageFile(io.BytesIO(data))
    image.seek(reading.frame(getattr(image, "n_frames", 1), "an animated JPEG XL"))
    stored = decoded(image, reading, lossless=False)
    # The codestream says how the picture is turned, and the decoder has turned it; EXIF has no say in it.
    return stored.described(orientation=1, exif=with_orientation(stored.metadata.exif, 1))
