"""TIFF directories as raw values: read with their sub-directories, and written again at another place.

``tifffile`` lays out samples; this keeps what describes them (camera, GPS, profile, XMP, IPTC ...) byte for
byte, which it offers no way to.
"""

import contextlib
import struct
from typing import Literal, NamedTuple

from patchloom.formats.picture import TiffTag

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965
_DIRECTORIES = (EXIF, GPS, INTEROPERABILITY)
_MOST_PAGES = 10_000
_LONG, _LONG8 = 4, 16


def order_of(data: bytes) -> Literal["<", ">"]:
    return "<" if data[:2] == b"II" else ">"


class _Layout(NamedTuple):
    """Of a classic or a BigTIFF: struct codes of a pointer and a count of tags, bytes of an entry."""

    pointer: str
    counter: str
    entry: int
    head: int  # of the file, behind which the first pointer stands
    inline: int  # bytes of a value that stands in its entry


_CLASSIC, _BIG = _Layout("I", "H", 12, 4, 4), _Layout("Q", "Q", 20, 8, 8)


def layout_of(data: bytes) -> _Layout:
    return _BIG if data[2:4] in (b"+\0", b"\0+") else _CLASSIC


def links(data: bytes) -> list[int]:
    """Where each page's pointer lies that leads to it. Raises struct.error for pages without end."""
    order, layout = order_of(data), layout_of(data)
    place, seen = layout.head, set[int]()
    found: list[int] = []
    while (offset := _number(data, place, layout.pointer, order)) and len(found) < _MOST_PAGES:
        if offset in seen:
            raise struct.error("the pages form a loop")
        seen.add(offset)
        found.append(place)
        count = _number(data, offset, layout.counter, order)
        place = offset + struct.calcsize(layout.counter) + count * layout.entry
    return found


def target(data: bytes, place: int) -> int:
    """The offset that stands at ``place``."""
    return _number(data, place, layout_of(data).pointer, order_of(data))


def numbers(tag: TiffTag, order: str) -> list[int]:
    """The values of a tag of whole numbers; of any other kind, none."""
    if tag.type not in (1, 3, 4, 13, 16, 18):
        return []
    size = SIZES[tag.type]
    end: Literal["little", "big"] = "little" if order == "<" else "big"
    return [int.from_bytes(tag.value[at : at + size], end) for at in range(0, len(tag.value), size)]


def _number(data: bytes, place: int, code: str, order: str) -> int:
    if place + struct.calcsize(code) > len(data):
        raise struct.error("cut short")
    number: int = struct.unpack_from(order + code, data, place)[0]
    return number


def read(data: bytes, offset: int | None = None, depth: int = 0) -> tuple[TiffTag, ...]:
    """The directory at ``offset`` (None: the first), with its sub-directories. Raises struct.error if damaged."""
    order, layout = order_of(data), layout_of(data)
    if offset is None:
        offset = _number(data, layout.head, layout.pointer, order)
    count = _number(data, offset, layout.counter, order)
    start = offset + struct.calcsize(layout.counter)
    if start + count * layout.entry > len(data):
        raise struct.error("the directory is cut short")
    tags = []
    for position in range(start, start + count * layout.entry, layout.entry):
        code, kind, length = struct.unpack_from(order + "HH" + layout.pointer, data, position)
        field = position + layout.entry - layout.inline
        size = length * SIZES.get(kind, 0)
        if not size:
            continue
        place = field if size <= layout.inline else _number(data, field, layout.pointer, order)
        if place + size > len(data):
            continue  # a damaged value; the rest is still good
        value = data[place : place + size]
        if code in _DIRECTORIES and depth < 2:
            within = int.from_bytes(value, "little" if order == "<" else "big")
            with contextlib.suppress(struct.error):  # a damaged sub-directory; the rest is still good
                tags.append(TiffTag(code, _LONG, 1, b"", read(data, within, depth + 1)))
        else:
            tags.append(TiffTag(code, kind, length, value))
    return tuple(tags)


def written(tags: tuple[TiffTag, ...], order: str, at: int, then: int = 0, layout: _Layout = _CLASSIC) -> bytes:
    """A directory to be put at offset ``at`` (even), followed by its values and sub-directories.

    ``then`` is the offset of the page behind it."""
    tags = tuple(sorted(tags, key=lambda tag: tag.code))
    head = struct.pack(order + layout.counter, len(tags))
    data_at = at + len(head) + layout.entry * len(tags) + struct.calcsize(layout.pointer)
    body = b""
    for code, kind, count, value, directory in tags:
        if directory is not None:
            kind, count = (_LONG8, 1) if layout is _BIG else (_LONG, 1)
            value = struct.pack(order + layout.pointer, data_at + len(body))
            body += _even(written(directory, order, data_at + len(body), 0, layout))
        if len(value) > layout.inline:
            place = struct.pack(order + layout.pointer, data_at + len(body))
            body += _even(value)
            value = place
        head += struct.pack(order + "HH" + layout.pointer, code, kind, count) + value.ljust(layout.inline, b"\0")
    return head + struct.pack(order + layout.pointer, then) + body


def replaced(data: bytes, tags: tuple[TiffTag, ...], order: Literal["<", ">"]) -> bytes:
    """The classic TIFF ``data`` with ``tags``, whose values are in the byte ``order``, as its only directory."""
    data = _even(data)
    return _head(order) + struct.pack(order + "I", len(data)) + data[8:] + written(tags, order, len(data))


def block(tags: tuple[TiffTag, ...], order: str) -> bytes:
    """An EXIF block of its own, as JPEG, PNG, WebP and AVIF carry it."""
    return _head(order) + struct.pack(order + "I", 8) + written(tags, order, 8)


def _head(order: str) -> bytes:
    return (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 42)


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
