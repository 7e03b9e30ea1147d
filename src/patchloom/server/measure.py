"""Format and size of an uploaded picture, read from its first bytes without decoding a pixel.

The server's own process never decodes: it only asks here whether the worker should. Names and media types
sent by clients are not looked at. Formats: PNG, JPEG, TIFF, WebP, AVIF (each by its specification).
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from patchloom.errors import PhotoError, Unsupported
from patchloom.formats import sniff
from patchloom.server.problems import Problem

_MAX_SEGMENTS = 10_000  # more than any real file has before its size; ends a scan of a crafted one


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself. ``frames`` is 2 or more when there is more than one picture in it."""

    format: str
    width: int
    height: int
    frames: int = 1


def measure(file: BinaryIO) -> Header:
    """The header of the picture in ``file`` (seekable). Raises Unsupported, or PhotoError for a damaged one."""
    file.seek(0)
    start = file.read(512)
    form = sniff(start)
    try:
        header = _READERS[form](start, file)
    except (struct.error, ValueError, OverflowError) as error:
        raise PhotoError("is damaged near its beginning.", "Save it again and retry.") from error
    if header.width < 1 or header.height < 1:
        raise PhotoError("has no pixels.", "Save it again and retry.")
    return header


def check(file: BinaryIO, *, what: str, max_pixels: int, first_frame: bool = False) -> Header:
    """The header of ``file`` if the server will take it: raises Problem 413, 415 or 422 (animated)."""
    try:
        header = measure(file)
    except PhotoError as error:
        raise Problem(415, "unsupported_format", f"The {what} {error}", error.hint) from error
    if header.width * header.height > max_pixels:
        raise Problem(
            413,
            "too_many_pixels",
            f"The {what} has {header.width} x {header.height} pixels; at most {max_pixels / 1e6:g} megapixels are "
            "taken.",
            "Make it smaller, or start the server with a larger --max-megapixels.",
        )
    if header.frames > 1 and not first_frame:
        raise Problem(
            422,
            "several_frames",
            f"The {what} has more than one frame or page.",
            "Send first_frame=true to use one.",
        )
    return header


def _png(start: bytes, file: BinaryIO) -> Header:
    file.seek(8)
    width = height = 0
    frames = 1
    for _ in range(_MAX_SEGMENTS):
        head = file.read(8)
        if len(head) < 8:
            break
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IHDR":
            width, height = struct.unpack(">II", file.read(8))
            length -= 8
        elif kind == b"acTL":
            frames = max(1, struct.unpack(">I", file.read(4))[0])
            length -= 4
        elif kind == b"IDAT":
            break
        file.seek(length + 4, 1)
    return Header("PNG", width, height, frames)


def _jpeg(start: bytes, file: BinaryIO) -> Header:
    file.seek(2)
    for _ in range(_MAX_SEGMENTS):
        byte = file.read(1)
        while byte and byte != b"\xff":
            byte = file.read(1)
        while byte == b"\xff":
            byte = file.read(1)
        if not byte:
            break
        marker = byte[0]
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        if marker in (0xD9, 0xDA):
            break
        (length,) = struct.unpack(">H", file.read(2))
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            _, height, width = struct.unpack(">BHH", file.read(5))
            return Header("JPEG", width, height)
        file.seek(max(0, length - 2), 1)
    raise ValueError("no frame header")


def _webp(start: bytes, file: BinaryIO) -> Header:
    kind = start[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(start[24:27], "little") + 1
        height = int.from_bytes(start[27:30], "little") + 1
        return Header("WEBP", width, height, 2 if start[20] & 0x02 else 1)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", start, 21)
        return Header("WEBP", (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", start, 26)
        return Header("WEBP", width & 0x3FFF, height & 0x3FFF)
    raise ValueError("no WebP picture")


_TIFF_CODES = {1: "B", 3: "H", 4: "I", 16: "Q"}


def _tiff(start: bytes, file: BinaryIO) -> Header:
    """The first page. Raises Unsupported for camera raw files, which are TIFFs inside."""
    order = "<" if start[:2] == b"II" else ">"
    pages = list(_tiff_pages(file, order, big=start[2:4] in (b"+\0", b"\0+")))
    if not pages:
        raise ValueError("no page")
    first = pages[0]
    raw = start[8:10] == b"CR" or 50706 in first or first.get(262) in (32803, 34892)
    thumbnail_first = bool(first.get(254, 0) & 1) and 330 in first
    if raw or thumbnail_first:
        raise Unsupported("is a camera raw file.", "Export a 16-bit TIFF from your raw converter first.")
    full_size = [page for page in pages if not page.get(254, 0) & 1]
    return Header("TIFF", first.get(256, 0), first.get(257, 0), max(1, len(full_size)))


def _tiff_pages(file: BinaryIO, order: str, big: bool) -> Iterator[dict[int, int]]:
    """Of the first two pages: tag -> first value, for tags whose value lies in the entry itself."""
    pointer, count_code, entry, inline = ("Q", "Q", 20, 8) if big else ("I", "H", 12, 4)
    file.seek(8 if big else 4)
    (offset,) = struct.unpack(order + pointer, file.read(inline))
    for _ in range(2):
        if offset == 0:
            return
        file.seek(offset)
        (count,) = struct.unpack(order + count_code, file.read(struct.calcsize(count_code)))
        if count > _MAX_SEGMENTS:
            raise ValueError("too many tags")
        block = file.read(count * entry)
        tags: dict[int, int] = {}
        for index in range(count):
            tag, kind = struct.unpack_from(order + "HH", block, index * entry)
            code = _TIFF_CODES.get(kind, "I")
            (tags[tag],) = struct.unpack_from(order + code, block, (index + 1) * entry - inline)
        yield tags
        (offset,) = struct.unpack(order + pointer, file.read(inline))


def _avif(start: bytes, file: BinaryIO) -> Header:
    """The largest ``ispe`` (image spatial extents) of ``meta/iprp/ipco``."""
    file.seek(0)
    meta = next((body for kind, body in _boxes(file.read(1 << 20)) if kind == b"meta"), b"")
    properties = next((body for kind, body in _boxes(meta[4:]) if kind == b"iprp"), b"")
    container = next((body for kind, body in _boxes(properties) if kind == b"ipco"), b"")
    sizes = [struct.unpack_from(">II", body, 4) for kind, body in _boxes(container) if kind == b"ispe"]
    if not sizes:
        raise ValueError("no image size")
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return Header("AVIF", width, height, 2 if start[8:12] == b"avis" else 1)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """ISO base media boxes: (kind, body)."""
    position = 0
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        skip = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, position + 8)
            skip = 16
        end = len(data) if size == 0 else position + size
        if end < position + skip:
            raise ValueError("box without end")
        yield kind, data[position + skip : end]
        position = end


_READERS: dict[str, Callable[[bytes, BinaryIO], Header]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "TIFF": _tiff,
    "WEBP": _webp,
    "AVIF": _avif,
}
