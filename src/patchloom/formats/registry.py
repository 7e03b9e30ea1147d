"""Every picture format, declared once: a new one is a module beside this and its line in ``FORMATS``.

What others need to know of a format (endings, media types, depths, limits, the table in docs/files.md, which
files of a folder are pictures) is derived from its declaration. Its module is imported when it is first used:

- ``header(file)``: the :class:`Header`, from an open file, without decoding a pixel;
- ``decode(data, reading)``: samples and metadata, a :class:`~patchloom.formats.picture.Stored`;
- ``encode(stored, same, quality)``: the file's bytes, ``same`` if the picture came from this format. A format
  without it is only read, and its pictures are written as PNG.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from patchloom.errors import InputError, OutputError, PhotoError, Unsupported

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
    extra: bool = False  # a channel that is neither colour nor transparency
    cicp: bool = False  # whether it can say by code points of ITU-T H.273 which colours its samples are
    largest_side: int = 2**31 - 1  # pixels that a file of this format can have in a row or column
    lossy: bool = False  # whether it takes a quality
    written: bool = True
    extra_name: str = ""  # of the program, that has to be installed for it
    samples: str = ""  # for docs/files.md: what it may hold
    kept: str = ""  # ... what comes back besides
    said: str = ""  # ... what is changed or left out, and said

    def header(self, file: BinaryIO) -> Header:
        """Raises PhotoError for a file that is damaged where its size should stand."""
        file.seek(0)
        try:
            header: Header = self._module().header(file)
        except (struct.error, ValueError, LookupError, OverflowError, OSError) as error:
            raise PhotoError("is cut short or damaged.", "Copy it again from where it came.") from error
        if header.width < 1 or header.height < 1:
            raise PhotoError("has no pixels.", "Copy it again from where it came.")
        return header

    def require_room(self, width: int, height: int) -> None:
        """Raises OutputError if a file of this format cannot have so many pixels in a row or column."""
        if max(width, height) > self.largest_side:
            raise OutputError(
                f"{self.name} holds at most {self.largest_side} pixels a side; this is {width} x {height}.",
                "Write it as TIFF: {format TIFF}.",
            )

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
            cicp=True,
            largest_side=1_000_000,  # of libpng; the file could say 2^31 - 1
            samples="1 to 8 bit, palette, 16 bit; grey, RGB, alpha, transparent colours",
            kept="profile and colour chunks (cICP, gAMA, cHRM), EXIF, XMP, text, dpi, small unknown chunks",
            said="further frames, long text, unknown chunks, raw profiles of other formats",
        ),
        Format(
            name="JPEG",
            suffixes=(".jpg", ".jpeg", ".jpe", ".jfif"),
            media_type="image/jpeg",
            begins=_starts(b"\xff\xd8\xff"),
            codec="jpeg",
            alpha=False,
            largest_side=65500,  # of libjpeg; the file could say 65535
            lossy=True,
            samples="8 bit grey, YCbCr and RGB-coded; CMYK with `--allow-cmyk`",
            kept=(
                "quantisation tables, chroma sampling, progressive or not, colour transform, EXIF, XMP, "
                "profile, IPTC, comments, dpi"
            ),
            said=(
                "a missing end marker, gain maps and other pictures behind it, extended XMP, segments of "
                "editors and cameras"
            ),
        ),
        Format(
            name="TIFF",
            suffixes=(".tif", ".tiff"),
            media_type="image/tiff",
            begins=_starts(b"II\x2a\x00", b"MM\x00\x2a", b"II\x2b\x00", b"MM\x00\x2b"),
            codec="tiff",
            depths=("uint8", "uint16", "float16", "float64", "float32"),
            extra=True,
            samples=(
                "1 to 16 bit, palette, float of 16, 32 and 64 bit; grey either way round, RGB, YCbCr; "
                "alpha plain or premultiplied, one other channel; CMYK with `--allow-cmyk`"
            ),
            kept=(
                "what the samples mean, bit for bit; every describing tag: EXIF and GPS directories, XMP, "
                "IPTC, profile, dpi; byte order; lossless compression; the other pages"
            ),
            said=(
                "lossy compression (written without), compressions that cannot be written, tiles, planes and "
                "BigTIFF (written in strips), chroma of lower resolution (written as RGB), Photoshop "
                "layers, smaller copies"
            ),
        ),
        Format(
            name="WEBP",
            suffixes=(".webp",),
            media_type="image/webp",
            begins=lambda start: start[:4] == b"RIFF" and start[8:12] == b"WEBP",
            codec="webp",
            largest_side=16383,
            lossy=True,
            samples="8 bit RGB, alpha; lossless stays lossless",
            kept="EXIF, XMP, profile",
            said="further frames",
        ),
        Format(
            name="AVIF",
            suffixes=(".avif",),
            media_type="image/avif",
            begins=_brands(b"avif", b"avis"),
            codec="avif",
            cicp=True,
            largest_side=32768,  # that readers take (libavif); the file could say 65536
            lossy=True,
            samples="8 bit RGB, alpha",
            kept="EXIF, XMP, profile, colours (nclx)",
            said="10 and 12 bit (read and written with 8), what a crop hides (clap), gain maps, further frames",
        ),
        Format(
            name="GIF",
            suffixes=(".gif",),
            media_type="image/gif",
            begins=_starts(b"GIF87a", b"GIF89a"),
            codec="gif",
            written=False,
            samples="palette, transparent colour",
            kept="the picture",
            said="that it is written as PNG",
        ),
        Format(
            name="BMP",
            suffixes=(".bmp", ".dib"),
            media_type="image/bmp",
            begins=_starts(b"BM"),
            codec="bmp",
            written=False,
            samples="1 to 32 bit",
            kept="the picture, dpi",
            said="that it is written as PNG, a fourth channel of unknown meaning",
        ),
        Format(
            name="HEIC",
            suffixes=(".heic", ".heif", ".hif"),
            media_type="image/heic",
            begins=_brands(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"),
            codec="heif",
            written=False,
            extra_name="heif",
            samples="8 bit; more is read as 8",
            kept="EXIF, XMP, profile, colours (nclx)",
            said="that it is written as PNG, further pictures, more than 8 bit",
        ),
        Format(
            name="JXL",
            suffixes=(".jxl",),
            media_type="image/jxl",
            begins=_starts(b"\xff\x0a", b"\x00\x00\x00\x0cJXL "),
            codec="jxl",
            depths=("uint8", "uint16"),
            written=False,
            extra_name="jxl",
            samples="8 to 16 bit grey, RGB, alpha",
            kept="EXIF, profile",
            said="that it is written as PNG, floats (read with 16 bits), further frames",
        ),
    )
}

WRITTEN = tuple(name for name, format in FORMATS.items() if format.written)
"""Names of the formats in which a picture can be saved."""

_OTHERS = {  # what is named when it is refused: how it begins, and the endings it has
    "a Photoshop file": ((b"8BPS",), (".psd", ".psb")),
    "a PDF": ((b"%PDF",), (".pdf",)),
    "a PostScript file": ((b"%!PS",), (".ps", ".eps")),
    "an icon": ((b"\x00\x00\x01\x00",), (".ico", ".cur", ".icns")),
    "a Netpbm picture": (
        tuple(b"P%d\n" % number for number in range(1, 8)),
        (".pbm", ".pgm", ".ppm", ".pnm", ".pam"),
    ),
    "a Targa picture": ((), (".tga",)),
    "an editor's own file": ((b"gimp xcf",), (".xcf", ".kra", ".ora")),
    "a JPEG 2000": ((b"\x00\x00\x00\x0cjP  ", b"\xff\x4f\xff\x51"), (".jp2", ".j2k", ".jpf", ".jpx")),
    "an OpenEXR": ((b"\x76\x2f\x31\x01",), (".exr",)),
    "a Radiance picture": ((b"#?RADIANCE",), (".hdr",)),
    "an SVG drawing": ((b"<svg",), (".svg",)),
    "an XML file": ((b"<?xml",), (".xml",)),
    "a ZIP archive": ((b"PK\x03\x04",), (".zip",)),
    "a camera raw file": ((), (".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf")),
    "a video": ((), (".mp4", ".mov", ".webm", ".avi")),
}
_RAW = (b"II\x2a\x00\x10\x00\x00\x00CR", b"FUJIFILMCCD-RAW", b"IIRO", b"IIU\x00")

ENDINGS = frozenset(suffix for format in FORMATS.values() for suffix in format.suffixes)
"""Endings that are taken for photographs; other files of a folder are passed over."""


def pictures_among(names: Iterable[Path]) -> list[Path]:
    """The files that ``names`` name; of a folder those in it whose ending is a picture's, by name.

    Raises InputError for a folder without any.
    """
    found: list[Path] = []
    for name in names:
        inside = [name]
        if name.is_dir():
            inside = sorted(path for path in name.iterdir() if path.suffix.lower() in ENDINGS)
        if not inside:
            raise InputError(f"There are no pictures in '{name}'.", "Give pictures, or a folder that holds some.")
        found += inside
    return found


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
    other = next((name for name, (magic, _) in _OTHERS.items() if magic and start.startswith(magic)), "")
    if start[4:8] == b"ftyp":
        other = "a film or unknown container"
    if other:
        raise Unsupported(f"is {other}, which is not supported.", f"Save it as one of {supported} first.")
    raise Unsupported("is not a picture.", f"Supported are {supported}.")


def format_of(path: str | PurePath) -> str | None:
    """The format that a file name's ending asks for; None for a name without one.

    Raises OutputError for an ending that is no format's, or that of pictures that cannot be written: no name may
    mislead."""
    suffix = PurePath(path).suffix.lower()
    found = next((format for format in FORMATS.values() if suffix in format.suffixes), None)
    if found is not None and found.written:
        return found.name
    if not suffix:
        return None
    others = (name for name, (_, suffixes) in _OTHERS.items() if suffix in suffixes)
    kind = f"a {found.name}" if found else next(others, "")
    what = f"would be {kind}, which cannot be written" if kind else f"has the ending of no format, '{suffix}'"
    endings = ", ".join(FORMATS[name].suffixes[0] for name in WRITTEN)
    raise OutputError(f"'{path}' {what}.", f"Choose one of {endings}, or say with {{format}} what it is to be.")


def written_as(format: str) -> str:
    """The format in which a picture of ``format`` is saved: its own, or PNG where that is only read."""
    return format if FORMATS[format].written else "PNG"
