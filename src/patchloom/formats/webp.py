"""WebP, by Pillow: 8 bit, colour and alpha; lossless stays lossless."""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

from PIL import WebPImagePlugin

from patchloom.errors import PhotoError
from patchloom.formats.picture import Reading, Stored
from patchloom.formats.pillow import decoded, encoded
from patchloom.formats.registry import Header

NEW_QUALITY = 90  # the format does not record the quality it was coded with


def header(file: BinaryIO) -> Header:
    """The size from the first chunk, which says it."""
    start = file.read(30)
    kind = start[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(start[at : at + 3], "little") + 1 for at in (24, 27))
        return Header(width, height, 2 if start[20] & 0x02 else 1)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", start, 21)
        return Header((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", start, 26)
        return Header(width & 0x3FFF, height & 0x3FFF)
    raise PhotoError("is cut short.", "Copy it again from where it came.")


def decode(data: bytes, reading: Reading) -> Stored:
    chunks = list(_chunks(data))
    image = WebPImagePlugin.WebPImageFile(io.BytesIO(data))
    image.seek(reading.frame(image.n_frames, "an animated WebP"))
    if image.n_frames > 1:
        reading.leave_out("further frames")
    return decoded(image, reading, lossless=_is_lossless(chunks))


def _is_lossless(chunks: list[tuple[bytes, bytes]]) -> bool:
    kinds = {kind for kind, _ in chunks} | {body[16:20] for kind, body in chunks if kind == b"ANMF"}
    return b"VP8L" in kinds


def encode(picture: Stored, same: bool, quality: int | None) -> bytes:
    del same  # a lossless picture of any format becomes a lossless WebP
    lossless = picture.metadata.lossless and quality is None
    options = {"lossless": True, "exact": True} if lossless else {"quality": quality or NEW_QUALITY, "exact": True}
    return encoded(picture, "WEBP", **options)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 12
    while position + 8 <= len(data):
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        yield data[position : position + 4], data[position + 8 : position + 8 + length]
        position += 8 + length + length % 2
