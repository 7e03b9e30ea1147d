"""The two things done to an EXIF block: read the orientation, and take the thumbnail out.

Everything else stays where it is, byte for byte, because maker notes point into the block by offset.
"""

import re
import struct

_ORIENTATION = 0x0112
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_STRIP_OFFSETS, _STRIP_LENGTHS = 0x0111, 0x0117
_PREFIX = b"Exif\x00\x00"


def bare(block: bytes) -> bytes:
    """The TIFF block without the prefix JPEG gives it."""
    return block.removeprefix(_PREFIX)


def prefixed(block: bytes) -> bytes:
    return _PREFIX + block


def orientation(block: bytes) -> int:
    """EXIF's 1..8; 1 where the block has none or is damaged."""
    try:
        order = _order(block)
        tags, _ = _directory(block, order, _first(block, order))
        value = tags[_ORIENTATION]
    except (struct.error, KeyError, ValueError):
        return 1
    number: int = struct.unpack_from(order + "H", block, value)[0]
    return number if 1 <= number <= 8 else 1


def without_thumbnail(block: bytes) -> bytes:
    """The same bytes, but for the thumbnail's, which are zero, and the pointer to its directory, which is none."""
    try:
        order = _order(block)
        _, end = _directory(block, order, _first(block, order))
        thumbnail = struct.unpack_from(order + "I", block, end)[0]
        if not thumbnail:
            return block
        blank = bytearray(block)
        struct.pack_into(order + "I", blank, end, 0)
        tags, _ = _directory(block, order, thumbnail)
    except (struct.error, ValueError):
        return block
    for at, length in ((_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH), (_STRIP_OFFSETS, _STRIP_LENGTHS)):
        if at in tags and length in tags and tags[at] + 4 <= len(block) and tags[length] + 4 <= len(block):
            start = struct.unpack_from(order + "I", block, tags[at])[0]
            stop = min(start + struct.unpack_from(order + "I", block, tags[length])[0], len(block))
            blank[start:stop] = bytes(max(stop - start, 0))
    return bytes(blank)


def xmp_without_thumbnail(packet: bytes) -> bytes:
    return re.sub(rb"<xmp:Thumbnails>.*?</xmp:Thumbnails>", b"", packet, flags=re.DOTALL)


def _order(block: bytes) -> str:
    if block[:4] == b"II\x2a\x00":
        return "<"
    if block[:4] == b"MM\x00\x2a":
        return ">"
    raise ValueError("no TIFF block")


def _first(block: bytes, order: str) -> int:
    offset: int = struct.unpack_from(order + "I", block, 4)[0]
    return offset


def _directory(block: bytes, order: str, offset: int) -> tuple[dict[int, int], int]:
    """Where each tag's value field lies, and where the pointer to the next directory lies."""
    count = struct.unpack_from(order + "H", block, offset)[0]
    end = offset + 2 + 12 * count
    if end + 4 > len(block):
        raise ValueError("damaged directory")
    tags = {}
    for entry in range(offset + 2, end, 12):
        tags[struct.unpack_from(order + "H", block, entry)[0]] = entry + 8
    return tags, end
