"""TIFF directories as raw values: read with their sub-directories, and written again at another place.

``tifffile`` lays out samples; this keeps what describes them (camera, GPS, profile, XMP, IPTC ...) byte for
byte, which it offers no way to.
"""

import struct
from typing import Literal

from patchloom.formats.picture import TiffTag

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965
_DIRECTORIES = (EXIF, GPS, INTEROPERABILITY)
_LONG = 4


def order_of(data: bytes) -> Literal["<", ">"]:
    return "<" if data[:2] == b"II" else ">"


def read(data: bytes, offset: int | None = None, depth: int = 0) -> tuple[TiffTag, ...]:
    """The directory at ``offset`` (None: the first), with its sub-directories. Raises struct.error if damaged."""
    order = order_of(data)
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    pointer, counter, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    if offset is None:
        offset = struct.unpack_from(order + pointer, data, 8 if big else 4)[0]
    count = struct.unpack_from(order + counter, data, offset)[0]
    start = offset + struct.calcsize(counter)
    if start + count * entry > len(data):
        raise struct.error("the directory is cut short")
    tags = []
    for position in range(start, start + count * entry, entry):
        code, kind, length = struct.unpack_from(order + "HH" + pointer, data, position)
        field = position + entry - struct.calcsize(pointer)
        size = length * SIZES.get(kind, 0)
        if not size:
            continue
        place = field if size <= struct.calcsize(pointer) else struct.unpack_from(order + pointer, data, field)[0]
        if place + size > len(data):
            continue  # a damaged value; the rest is still good
        value = data[place : place + size]
        if code in _DIRECTORIES and depth < 2:
            target = int.from_bytes(value, "little" if order == "<" else "big")
            tags.append(TiffTag(code, _LONG, 1, b"", read(data, target, depth + 1)))
        else:
            tags.append(TiffTag(code, kind, length, value))
    return tuple(tags)


def written(tags: tuple[TiffTag, ...], order: str, at: int) -> bytes:
    """A directory to be put at offset ``at`` (even), followed by its values and sub-directories."""
    tags = tuple(sorted(tags, key=lambda tag: tag.code))
    head = struct.pack(order + "H", len(tags))
    data_at = at + 2 + 12 * len(tags) + 4
    body = b""
    for code, kind, count, value, directory in tags:
        if directory is not None:
            value = struct.pack(order + "I", data_at + len(body))
            body += _even(written(directory, order, data_at + len(body)))
        if len(value) > 4:
            place = struct.pack(order + "I", data_at + len(body))
            body += _even(value)
            value = place
        head += struct.pack(order + "HHI", code, kind, count) + value.ljust(4, b"\0")
    return head + bytes(4) + body


def replaced(data: bytes, tags: tuple[TiffTag, ...]) -> bytes:
    """The classic TIFF ``data`` with ``tags`` as its only directory."""
    order = order_of(data)
    data = _even(data)
    return data[:4] + struct.pack(order + "I", len(data)) + data[8:] + written(tags, order, len(data))


def block(tags: tuple[TiffTag, ...], order: str) -> bytes:
    """An EXIF block of its own, as JPEG, PNG, WebP and AVIF carry it."""
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return header + written(tags, order, 8)


def swapped(tags: tuple[TiffTag, ...]) -> tuple[TiffTag, ...]:
    """The same values in the other byte order."""
    return tuple(
        tag._replace(directory=swapped(tag.directory))
        if tag.directory is not None
        else tag._replace(value=_swapped_value(tag.value, tag.type))
        for tag in tags
    )


def _swapped_value(value: bytes, kind: int) -> bytes:
    size = 4 if kind in (5, 10) else SIZES[kind]  # rationals are pairs of four
    return b"".join(value[start : start + size][::-1] for start in range(0, len(value), size))


def _even(data: bytes) -> bytes:
    return data + bytes(len(data) % 2)
