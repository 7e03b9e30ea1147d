"""One page of a TIFF of several put in the place of another; the others stay as they are, byte for byte."""

import contextlib
import struct
from collections.abc import Iterator

from patchloom.errors import OutputError
from patchloom.formats import ifd
from patchloom.formats.picture import TiffTag

_SUBFILE, SUB_DIRECTORIES = 254, 330
_SAMPLES = {273: 279, 324: 325, 513: 514}  # where strips, tiles and a JPEG lie: how long they are
_DEPTH = 4
_MOST_BELOW = 100  # more than any real file has

Extent = tuple[int, int]


def is_reduced(tags: tuple[TiffTag, ...], order: str) -> bool:
    """Whether a page is a smaller copy of another, which would show what was removed."""
    subfile = next((tag for tag in tags if tag.code == _SUBFILE), None)
    old = next((tag for tag in tags if tag.code == 255), None)
    new_kind = ifd.numbers(subfile, order) if subfile else []
    old_kind = ifd.numbers(old, order) if old else []
    return bool(new_kind and new_kind[0] & 1) or old_kind[:1] == [2]


def is_thumbnail(file: bytes, tags: tuple[TiffTag, ...]) -> bool:
    """Whether a directory below that of ``tags`` holds a larger picture."""
    order = ifd.order_of(file)
    below = [offset for tag in tags if tag.code == SUB_DIRECTORIES for offset in ifd.numbers(tag, order)]
    areas = [0]
    for offset in below[:_MOST_BELOW]:
        with contextlib.suppress(struct.error):  # one that leads nowhere holds nothing
            areas.append(_area(ifd.read(file, offset), order))
    return max(areas) > _area(tags, order)


def _area(tags: tuple[TiffTag, ...], order: str) -> int:
    sides = {tag.code: next(iter(ifd.numbers(tag, order)), 0) for tag in tags if tag.code in (256, 257)}
    return sides.get(256, 0) * sides.get(257, 0)


def replaced(file: bytes, page: int, new: bytes, tags: tuple[TiffTag, ...]) -> bytes:
    """``file`` with ``tags``, whose samples lie in the TIFF ``new`` of the same byte order, as page ``page``.

    The old page's samples, its values and reduced copies behind it are overwritten with zeros, but for what
    another page shares. Raises OutputError for a classic TIFF that would be larger than 4 GB."""
    order, layout = ifd.order_of(file), ifd.layout_of(file)
    pages = [(place, ifd.target(file, place)) for place in ifd.links(file)]
    place, old = pages[page]
    gone = {old}
    while page + len(gone) < len(pages) and is_reduced(ifd.read(file, pages[page + len(gone)][1]), order):
        gone.add(pages[page + len(gone)][1])
    behind = pages[page + len(gone)][1] if page + len(gone) < len(pages) else 0
    out = bytearray(file)
    for offset in gone:
        for start, stop in _extents(file, offset):
            out[start:stop] = bytes(stop - start)
    for _, offset in pages:
        if offset not in gone:
            for start, stop in _extents(file, offset):
                out[start:stop] = file[start:stop]
    out[: layout.head] = file[: layout.head]
    if page:  # the pointer lies in the directory before, which stays
        out[place : place + struct.calcsize(layout.pointer)] = file[
            place : place + struct.calcsize(layout.pointer)
        ]
    out += bytes(len(out) % 2)
    moved = tuple(_moved(tag, len(out), order) if tag.code in _SAMPLES else tag for tag in tags)
    out += new + bytes(len(new) % 2)
    at = len(out)
    out += ifd.written(moved, order, at, behind, layout)
    if layout.inline == 4 and len(out) >= 2**32:
        raise OutputError("The file would be larger than 4 GB.", "Save the page alone: -o NAME.png.")
    struct.pack_into(order + layout.pointer, out, place, at)
    return bytes(out)


def _moved(tag: TiffTag, by: int, order: str) -> TiffTag:
    values = [number + by for number in ifd.numbers(tag, order)]
    return TiffTag(tag.code, 4, len(values), struct.pack(f"{order}{len(values)}I", *values))


def _extents(file: bytes, offset: int, depth: int = 0) -> Iterator[Extent]:
    """All bytes of a page: its directory, values, samples, and directories below it."""
    order, layout = ifd.order_of(file), ifd.layout_of(file)
    (count,) = struct.unpack_from(order + layout.counter, file, offset)
    start = offset + struct.calcsize(layout.counter)
    yield offset, min(start + count * layout.entry + struct.calcsize(layout.pointer), len(file))
    tags = {}
    for position in range(start, start + count * layout.entry, layout.entry):
        code, kind, length = struct.unpack_from(order + "HH" + layout.pointer, file, position)
        size = length * ifd.SIZES.get(kind, 0)
        at = position + layout.entry - layout.inline
        if size > layout.inline:
            (at,) = struct.unpack_from(order + layout.pointer, file, at)
        if size and at + size <= len(file):
            yield at, at + size
            tags[code] = TiffTag(code, kind, length, file[at : at + size])
    for where, long in _SAMPLES.items():
        if where in tags and long in tags:
            pairs = zip(ifd.numbers(tags[where], order), ifd.numbers(tags[long], order), strict=False)
            yield from ((min(begin, len(file)), min(begin + size, len(file))) for begin, size in pairs)
    for code in (SUB_DIRECTORIES, ifd.EXIF, ifd.GPS):
        for below in ifd.numbers(tags[code], order) if code in tags and depth < _DEPTH else ():
            if below + struct.calcsize(layout.counter) <= len(file):
                yield from _extents(file, below, depth + 1)
