"""Photoshop's image resources, as JPEG and TIFF carry them, without those that hold pictures."""

from patchloom.formats.exif import SMALL

_IPTC, _PROFILE = 0x0404, 0x040F
_PATHS = range(2000, 2999)
_THUMBNAILS = (0x0409, 0x040C)


def without_pictures(resources: bytes) -> tuple[bytes, bool]:
    """The resources that are kept (captions, paths, small ones), and whether more than a thumbnail was not."""
    kept, position, more = b"", 0, False
    while resources[position : position + 4] == b"8BIM" and position + 12 <= len(resources):
        number = int.from_bytes(resources[position + 4 : position + 6], "big")
        name = 1 + resources[position + 6]
        start = position + 6 + name + name % 2
        length = int.from_bytes(resources[start : start + 4], "big")
        end = start + 4 + length + length % 2
        if number in (_IPTC, _PROFILE) or number in _PATHS or (length <= SMALL and number not in _THUMBNAILS):
            kept += resources[position:end]
        else:
            more |= number not in _THUMBNAILS
        position = end
    return kept, more or bool(resources[position:].strip(b"\0"))
