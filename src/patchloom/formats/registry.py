"""Every picture format, declared once: a new one is a module beside this and its line in ``FORMATS``.

What others need to know of a format (endings, media types, depths, limits, the table in docs/files.md, which
files of a folder are pictures) is derived from its declaration. Its module is imported when it is first used:

- ``header(file)``: the :class:`Header`, from an open file, without decoding a pixel;
- ``decode(data, reading)``: samples and metadata, a :class:`~patchloom.formats.picture.Stored`;
- ``encode(stored, same, quality)``: the file's bytes, ``same`` if the picture came from this format. A format
  without it is only read, and its pictures are written as PNG.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from patchloom.errors import PhotoError, Unsupported

if TYPE_CHECKING:
    from patchloom.formats.picture import Reading, Stored


class Header(NamedTuple):
    """What a file says of itself. ``frames`` is 2 or more when there is more than one picture in it."""

    width: int
    height: int
    frames: int = 1


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    suffixes: tuple[str, ...]  # the usual one first
    media_type: str
    begins: Callable[[bytes], bool]  # whether a file that begins with these (at least 64) bytes is of this format
    codec: str  # the module beside this one
    depths: tuple[str, ...] = ("uint8",)  # dtypes it can hold, the widest last
    alpha: bool = True
    largest_side: int = 2**31 - 1  # pixels that a file of this format can have in a row or column
    lossy: bool = False  # whether it takes a quality
    written: bool = True

    def header(self, file: BinaryIO) -> Header:
        """Raises PhotoError for a file that is damaged where its size should stand."""
        file.seek(0)
        try:
            header: Header = self._module().header(file)
        except (struct.error, ValueError, OverflowError, OSError) as error:
            raise PhotoError("is cut short or damaged.", "Copy it again from where it came.") from error
        if header.width < 1 or header.height < 1:
            raise PhotoError("has no pixels.", "Copy it again from where it came.")
        return header

    def decode(self, data: bytes, reading: "Reading") -> "Stored":
        stored: Stored = self._module().decode(data, reading)
        return stored

    def encode(self, stored: "Stored", same: bool, quality: int | None) -> bytes:
        data: bytes = self._module().encode(stored, same, quality)
        return data

    def _module(self) -> Any:
        return import_module(f"patchloom.formats.{self.codec}")


def _starts(*magic: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(magic)


def _brands(*wanted: bytes) -> Callable[[bytes], bool]:
    """Whether the file type box of an ISO base media file names one of the brands."""

    def has_brand(start: bytes) -> bool:
        brands = start[8 : min(int.from_bytes(start[:4], "big"), 256)]
        return start[4:8] == b"ftyp" and any(brand in brands for brand in wanted)

    return has_brand


FORMATS: dict[str, Format] = {
    format.name: format
    for format in (
        Format(
            name="PNG",
            suffixes=(".png",),
            media_type="image/png",
            begins=_starts(b"\x89PNG\r\n\x1a\n"),
            codec="png",
            depths=("uint8", "uint16"),
        ),
        Format(
            name="JPEG",
            suffixes=(".jpg", ".jpeg", ".jpe"),
            media_type="image/jpeg",
            begins=_starts(b"\xff\xd8\xff"),
            codec="jpeg",
            alpha=False,
            largest_side=65500,  # of libjpeg; the file could say 65535
            lossy=True,
        ),
        Format(
            name="TIFF",
            suffixes=(".tif", ".tiff"),
            media_type="image/tiff",
            begins=_starts(b"II\x2a\x00", b"MM\x00\x2a", b"II\x2b\x00", b"MM\x00\x2b"),
            codec="tiff",
            depths=("uint8", "uint16", "float32"),
        ),
        Format(
            name="WEBP",
            suffixes=(".webp",),
            media_type="image/webp",
            begins=lambda start: start[:4] == b"RIFF" and start[8:12] == b"WEBP",
            codec="webp",
            largest_side=16383,
            lossy=True,
        ),
        Format(
            name="AVIF",
            suffixes=(".avif",),
            media_type="image/avif",
            begins=_brands(b"avif", b"avis"),
            codec="avif",
            largest_side=65535,
            lossy=True,
        ),
    )
}

WRITTEN = tuple(name for name, format in FORMATS.items() if format.written)
"""Names of the formats in which a picture can be saved."""

_OTHERS = {
    b"GIF8": "a GIF",
    b"BM": "a BMP",
    b"8BPS": "a Photoshop file",
    b"%PDF": "a PDF",
    b"%!PS": "a PostScript file",
    b"\x00\x00\x01\x00": "an icon",
    b"\xff\x0a": "a JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000",
    b"\xff\x4f\xff\x51": "a JPEG 2000",
    b"\x76\x2f\x31\x01": "an OpenEXR",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML file",
    b"PK\x03\x04": "a ZIP archive",
}
_RAW = (b"II\x2a\x00\x10\x00\x00\x00CR", b"FUJIFILMCCD-RAW", b"IIRO", b"IIU\x00")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis")

ENDINGS = frozenset(suffix for format in FORMATS.values() for suffix in format.suffixes) | {
    ".bmp",
    ".gif",
    ".heic",
    ".heif",
    ".jp2",
}
"""Endings that are taken for photographs; other files of a folder are passed over."""


def recognised(data: bytes) -> Format:
    """The format of a file by its first bytes; its name is never asked. Raises Unsupported."""
    start = data[:512]
    if not start.startswith(_RAW):
        for format in FORMATS.values():
            if format.begins(start):
                return format
    else:
        raise Unsupported("is a camera raw file.", "Export a 16-bit TIFF from your raw converter first.")
    supported = ", ".join(FORMATS)
    other = next((name for magic, name in _OTHERS.items() if start.startswith(magic)), "")
    if start[4:8] == b"ftyp":
        other = "an HEIC" if _brands(*_HEIF_BRANDS)(start) else "a film or unknown container"
    if other:
        raise Unsupported(f"is {other}, which is not supported.", f"Save it as one of {supported} first.")
    raise Unsupported("is not a picture.", f"Supported are {supported}.")


def format_of(path: str | PurePath) -> str | None:
    """The format that a file name's ending asks for; None if it asks for none that can be written."""
    suffix = PurePath(path).suffix.lower()
    return next((name for name in WRITTEN if suffix in FORMATS[name].suffixes), None)
