"""An EXIF block: its orientation, and the same block without the pictures in it.

Everything else stays where it is, byte for byte, because maker notes point into the block by offset. What is not
kept is overwritten with zeros.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from patchloom.formats.hidden import SMALL, blanked, holds_picture
from patchloom.formats.ifd import SIZES

_ORIENTATION = 0x0112
_EXIF = 0x8769
_WIDTH, _HEIGHT = (0x0100, 0xA002), (0x0101, 0xA003)  # of the picture, in the first directory and in Exif's
MAKER_NOTE, LAYERS = 0x927C, 0x935C  # of the camera's maker; of Photoshop
_PICTURES = {0x0201: 0x0202, 0x0111: 0x0117, 0x0144: 0x0145}  # where a thumbnail's bytes lie: how many they are
_DIRECTORIES = (_EXIF, 0x8825, 0xA005, 0x014A)  # Exif, GPS, interoperability; further directories
_MOST_TAGS, _MOST_DIRECTORIES = 1000, 16
_PREFIX = b"Exif\x00\x00"


def carries_no_picture(code: int, value: bytes) -> bool:
    """Whether a tag is one of those that are kept: those of TIFF, EXIF and GPS that describe, and small ones. In a
    maker note there can be one still (:func:`~patchloom.formats.hidden.blanked`)."""
    if code == LAYERS:
        return False
    if code == MAKER_NOTE or code in _COLOURS or len(value) <= SMALL:
        return True
    return (0x9000 <= code <= 0xA5FF or code in _DESCRIBING) and not holds_picture(value)


_COLOURS = {301, 318, 319, 529, 532, 34675}  # curves, primaries, profile: numbers, which can look like anything
_DESCRIBING = {269, 270, 271, 272, 285, 305, 306, 315, 316, 33432, 33723, 50341}
_DESCRIBING |= {
    33550,
    33922,
    34264,
    34735,
    34736,
    34737,
    42112,
    42113,
    50838,
    50839,
    51123,
    65330,
}  # maps, microscopes
_DESCRIBING |= {18246, 18249, 32932, 32934, 37510, 40091, 40092, 40093, 40094, 40095, 34665, 34853, 40965}


class _Entry(NamedTuple):
    code: int
    kind: int
    length: int
    at: int  # of the value
    size: int


def bare(block: bytes) -> bytes:
    """The TIFF block without the prefix JPEG gives it."""
    return block.removeprefix(_PREFIX)


def orientation(block: bytes) -> int:
    """EXIF's 1..8; 1 where the block has none or is damaged. Writers give it as a number of 1, 2 or 4 bytes."""
    entry = _orientation_entry(block)
    number = next(_values(block, _order(block), entry), 1) if entry else 1
    return number if 1 <= number <= 8 else 1


def with_orientation(block: bytes, turn: int) -> bytes:
    """The same block saying ``turn``, where it says anything of it."""
    entry = _orientation_entry(block)
    if entry is None:
        return block
    value = turn.to_bytes(entry.size, "little" if _order(block) == "<" else "big")
    return block[: entry.at] + value + block[entry.at + entry.size :]


def _orientation_entry(block: bytes) -> _Entry | None:
    try:
        order = _order(block)
        entries, _ = _directory(block, order, _number(block, order, 4, 4))
    except (struct.error, ValueError):
        return None
    return next((entry for entry in entries if entry.code == _ORIENTATION and entry.length == 1), None)


def with_size(block: bytes, width: int, height: int) -> bytes:
    """The same block saying ``width`` and ``height`` pixels, where it says anything of the picture's size."""
    sizes = dict.fromkeys(_WIDTH, width) | dict.fromkeys(_HEIGHT, height)
    changed = bytearray(block)
    try:
        order = _order(block)
        offsets = [_number(block, order, 4, 4)]
        for number, offset in enumerate(offsets):
            for entry in _directory(block, order, offset)[0]:
                if entry.code == _EXIF and not number:
                    offsets += list(_values(block, order, entry))[:1]
                if entry.code in sizes and entry.size in (2, 4) and sizes[entry.code] < 256**entry.size:
                    value = sizes[entry.code].to_bytes(entry.size, "little" if order == "<" else "big")
                    changed[entry.at : entry.at + entry.size] = value
    except (struct.error, ValueError):
        return block
    return bytes(changed)


def without_pictures(block: bytes) -> tuple[bytes, bool]:
    """The block with zeros for its thumbnails, and whether more than thumbnails and previews had to go."""
    blank = bytearray(block)
    more = False
    try:
        order = _order(block)
        first = _number(block, order, 4, 4)
        _, end = _directory(block, order, first)
        pending = [first, _number(block, order, end, 4)]
        blank[end : end + 4] = bytes(4)
        seen: set[int] = set()
        while pending and len(seen) < _MOST_DIRECTORIES:
            offset = pending.pop()
            if not offset or offset in seen:
                continue
            seen.add(offset)
            try:
                entries, _ = _directory(block, order, offset)
            except (struct.error, ValueError):
                continue
            for entry in entries:
                if entry.code in _DIRECTORIES:
                    pending += list(_values(block, order, entry))
                elif not carries_no_picture(entry.code, block[entry.at : entry.at + entry.size]):
                    blank[entry.at : entry.at + entry.size] = bytes(entry.size)
                    more = True
            for start, stop in _pictures(block, order, entries):
                blank[start:stop] = bytes(stop - start)
    except (struct.error, ValueError):
        return b"", bool(block)
    return blanked(bytes(blank)), more


def _pictures(block: bytes, order: str, entries: list[_Entry]) -> Iterator[tuple[int, int]]:
    """Where the samples lie that a directory points to."""
    tags = {entry.code: entry for entry in entries}
    for place, length in _PICTURES.items():
        if place in tags and length in tags:
            pairs = zip(_values(block, order, tags[place]), _values(block, order, tags[length]), strict=False)
            for start, size in pairs:
                yield min(start, len(block)), min(start + size, len(block))


def _values(block: bytes, order: str, entry: _Entry) -> Iterator[int]:
    width = SIZES.get(entry.kind, 0)
    if width not in (1, 2, 4):
        return
    for index in range(min(entry.length, _MOST_TAGS)):
        yield _number(block, order, entry.at + index * width, width)


def _number(block: bytes, order: str, at: int, size: int) -> int:
    if at + size > len(block):
        raise ValueError("cut short")
    return int.from_bytes(block[at : at + size], "little" if order == "<" else "big")


def _order(block: bytes) -> str:
    if block[:4] == b"II\x2a\x00":
        return "<"
    if block[:4] == b"MM\x00\x2a":
        return ">"
    raise ValueError("no TIFF block")


def _directory(block: bytes, order: str, offset: int) -> tuple[list[_Entry], int]:
    """The entries whose values lie in the block, and where the pointer to the next directory lies."""
    count = struct.unpack_from(order + "H", block, offset)[0]
    end = offset + 2 + 12 * count
    if end + 4 > len(block) or count > _MOST_TAGS:
        raise ValueError("damaged directory")
    entries = []
    for position in range(offset + 2, end, 12):
        code, kind, length = struct.unpack_from(order + "HHI", block, position)
        size = length * SIZES.get(kind, 0)
        at = position + 8 if size <= 4 else _number(block, order, position + 8, 4)
        if size and at + size <= len(block):
            entries.append(_Entry(code, kind, length, at, size))
    return entries, end


def orientation_block(turn: int) -> bytes:
    """An EXIF block that holds an orientation and nothing else."""
    return b"II\x2a\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00" + bytes([turn]) + bytes(7)
