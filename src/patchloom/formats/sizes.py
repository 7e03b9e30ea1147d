"""What metadata says of a picture's size, for a picture that has another now."""

import re
import struct
from collections.abc import Callable
from dataclasses import replace

from patchloom.formats import exif
from patchloom.formats.picture import Metadata, TiffTag

_EXIF_WIDTH, _EXIF_HEIGHT = 0xA002, 0xA003
_XMP = re.compile(rb"""((?:exif:PixelXDimension|tiff:ImageWidth)(?:\s*=\s*["']|>)\s*)\d+""")
_XMP_TALL = re.compile(rb"""((?:exif:PixelYDimension|tiff:ImageLength)(?:\s*=\s*["']|>)\s*)\d+""")


def of_size(metadata: Metadata, width: int, height: int) -> Metadata:
    """The same, of a picture of ``width`` x ``height`` pixels as it is seen, upright."""
    if metadata.orientation >= 5:
        width, height = height, width  # as it is stored
    block = exif.with_size(metadata.exif, width, height)
    xmp = _XMP.sub(rb"\g<1>%d" % width, metadata.xmp)
    xmp = _XMP_TALL.sub(rb"\g<1>%d" % height, xmp)

    def renewed(data: bytes) -> bytes:
        for old, new in ((metadata.exif, block), (metadata.xmp, xmp)):
            data = data.replace(old, new) if old else data
        return data

    tiff = metadata.tiff
    if tiff is not None:
        sizes = {_EXIF_WIDTH: width, _EXIF_HEIGHT: height}
        tiff = tiff._replace(tags=_sized(tiff.tags, sizes, tiff.order, renewed))
    blocks = tuple(one._replace(payload=renewed(one.payload)) for one in metadata.blocks)
    return replace(metadata, exif=block, xmp=xmp, tiff=tiff, blocks=blocks)


def _sized(
    tags: tuple[TiffTag, ...], sizes: dict[int, int], order: str, renewed: Callable[[bytes], bytes]
) -> tuple[TiffTag, ...]:
    """``tags`` with these numbers, and with what ``renewed`` makes of other values."""
    changed = []
    for tag in tags:
        if tag.directory is not None:
            changed.append(tag._replace(directory=_sized(tag.directory, sizes, order, renewed)))
        elif tag.code in sizes and tag.type in (3, 4) and tag.length == 1:
            changed.append(tag._replace(type=4, value=struct.pack(order + "I", sizes[tag.code])))
        else:
            value = renewed(tag.value)
            changed.append(tag if value == tag.value else tag._replace(value=value, length=len(value)))
    return tuple(changed)
