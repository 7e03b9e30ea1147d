"""Picture files, decoded by content and encoded as they came: one module a family of formats.

Each module has ``measure(data)`` (width and height from the header, nothing decoded), ``decode(data, allow_cmyk,
observe)`` and ``encode(picture, same, quality)``. They speak of the *stored* grid; turning a picture upright is
:class:`~patchloom.photo.Photo`'s work.
"""

from patchloom.formats.picture import JpegCoding, Metadata, Stored, TiffCoding
from patchloom.formats.sniff import sniff

__all__ = ["JpegCoding", "Metadata", "Stored", "TiffCoding", "sniff"]
