"""ISO base media boxes, of which AVIF and HEIC files are made: where the properties of a picture lie."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from patchloom.errors import PhotoError
from patchloom.formats.registry import Header

_MOST_BOXES = 1000  # of a file: more than any real one has; ends a scan of a crafted one
_LARGEST_META = 2**24  # bytes; that of a phone's picture of many tiles has some tens of thousands


def header(file: BinaryIO) -> Header:
    """The largest extent that a property names (tiles and thumbnails have smaller ones)."""
    start = file.read(12)
    sizes = [struct.unpack_from(">II", body, 4) for kind, body in properties(meta_of(file)) if kind == b"ispe"]
    if not sizes:
        raise PhotoError("is cut short.", "Copy it again from where it came.")
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return Header(width, height, 2 if start[8:12] in (b"avis", b"hevc", b"hevx") else 1)


def meta_of(file: BinaryIO) -> bytes:
    """The body of the ``meta`` box, which can lie before or behind the samples; empty where there is none."""
    position = 0
    for _ in range(_MOST_BOXES):
        file.seek(position)
        head = file.read(16)
        if len(head) < 8:
            break
        size, kind, skip = _head(head, 0)
        if kind == b"meta":
            file.seek(position + skip)
            return file.read(min(size - skip, _LARGEST_META) if size else _LARGEST_META)
        if not size:  # it reaches to the end
            break
        position += size
    return b""


def properties(meta: bytes) -> list[tuple[bytes, bytes]]:
    """The boxes of ``iprp/ipco`` of a ``meta`` box: what is said of the items, in the order they are counted."""
    about = next((body for kind, body in boxes(meta[4:]) if kind == b"iprp"), b"")
    container = next((body for kind, body in boxes(about) if kind == b"ipco"), b"")
    return list(boxes(container))


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, body) of each. Raises PhotoError for a box that ends before it begins."""
    position = 0
    while position + 8 <= len(data):
        size, kind, skip = _head(data, position)
        end = position + size if size else len(data)
        yield kind, data[position + skip : end]
        position = end


def _head(data: bytes, position: int) -> tuple[int, bytes, int]:
    """Size (0: to the end), kind, and bytes of the head."""
    size, kind = struct.unpack_from(">I4s", data, position)
    skip = 8
    if size == 1:
        (size,) = struct.unpack_from(">Q", data, position + 8)
        skip = 16
    if 0 < size < skip:
        raise PhotoError("is damaged.", "Copy it again from where it came.")
    return size, kind, skip
