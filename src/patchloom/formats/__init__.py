"""Picture files, decoded by content and encoded as they came.

``registry`` declares every format; one module a format reads and writes it. They speak of the *stored* grid;
turning a picture upright is :class:`~patchloom.photo.Photo`'s work. Nothing heavy is imported here, so that
whoever only wants to know which formats there are (a command's help, pairs of a folder) does not wait for codecs.
"""

from patchloom.formats.registry import (
    ENDINGS,
    FORMATS,
    WRITTEN,
    Format,
    Header,
    format_of,
    pictures_among,
    recognised,
    written_as,
)

__all__ = [
    "ENDINGS",
    "FORMATS",
    "WRITTEN",
    "Format",
    "Header",
    "format_of",
    "pictures_among",
    "recognised",
    "written_as",
]
