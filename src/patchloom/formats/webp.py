"""WebP and AVIF, by Pillow: 8 bit, colour and alpha; lossless WebP stays lossless."""

import io
import re
import struct
from collections.abc import Iterator

import numpy as np
from PIL import AvifImagePlugin, Image, WebPImagePlugin

from patchloom.errors import PhotoError, Unsupported
from patchloom.events import Observer, Warned
from patchloom.formats import exif
from patchloom.formats.picture import Metadata, Stored, split

NEW_QUALITY = 90  # neither format records the quality it was coded with
_HEADER = 2**16  # bytes in which an AVIF's properties lie


def measure(data: bytes) -> tuple[int, int]:
    """Of a WebP, from the first chunk that says it, because Pillow's reader sets memory aside for the canvas."""
    for kind, body in _chunks(data):
        if kind == b"VP8X" and len(body) >= 10:
            return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
        if kind == b"VP8 " and len(body) >= 10:
            width, height = int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
            return width & 0x3FFF, height & 0x3FFF
        if kind == b"VP8L" and len(body) >= 5:
            bits = int.from_bytes(body[1:5], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    raise PhotoError("is cut short.")


def decode(data: bytes, allow_cmyk: bool, observe: Observer) -> Stored:
    del allow_cmyk, observe
    chunks = list(_chunks(data))
    if any(kind == b"ANIM" for kind, _ in chunks):
        raise Unsupported("is an animated WebP.", "Save the frame you want as a plain picture first.")
    image = WebPImagePlugin.WebPImageFile(io.BytesIO(data))
    return _decoded(image, lossless=any(kind == b"VP8L" for kind, _ in chunks))


def encode(picture: Stored, same: bool, quality: int | None) -> bytes:
    lossless = picture.metadata.lossless and quality is None
    options = {"lossless": True, "exact": True} if lossless else {"quality": quality or NEW_QUALITY, "exact": True}
    del same  # a lossless picture of any format becomes a lossless WebP
    return _encoded(picture, "WEBP", **options)


def measure_avif(data: bytes) -> tuple[int, int]:
    """The largest extent that the header names; tiles and thumbnails have smaller ones."""
    sizes = [
        struct.unpack(">II", found[1]) for found in re.finditer(rb"ispe.{4}(.{8})", data[:_HEADER], re.DOTALL)
    ]
    if not sizes:
        raise PhotoError("is cut short.")
    return max(width for width, _ in sizes), max(height for _, height in sizes)


def decode_avif(data: bytes, allow_cmyk: bool, observe: Observer) -> Stored:
    del allow_cmyk
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    if image.n_frames > 1:
        raise Unsupported("is an animated AVIF.", "Save the frame you want as a plain picture first.")
    coding = data.find(b"av1C")
    if coding >= 0 and data[coding + 6] & 0x40:
        observe(Warned(message="This AVIF has more than 8 bits a sample; it is read and written with 8."))
    return _decoded(image, lossless=False)


def encode_avif(picture: Stored, same: bool, quality: int | None) -> bytes:
    del same
    return _encoded(picture, "AVIF", quality=quality or NEW_QUALITY, subsampling="4:4:4")


def _decoded(image: Image.Image, lossless: bool) -> Stored:
    image.load()
    info = image.info
    block = exif.without_thumbnail(exif.bare(info.get("exif", b"")))
    metadata = Metadata(
        orientation=exif.orientation(block),
        mode=image.mode,
        icc=info.get("icc_profile", b""),
        exif=block,
        xmp=exif.xmp_without_thumbnail(info.get("xmp", b"")),
        lossless=lossless,
    )
    return Stored(*split(np.asarray(image)), metadata)


def _encoded(picture: Stored, format: str, **options: object) -> bytes:
    metadata = picture.metadata
    for name, value in (("icc_profile", metadata.icc), ("exif", metadata.exif), ("xmp", metadata.xmp)):
        if value:
            options[name] = value
    samples = picture.joined()
    if samples.ndim == 3 and samples.shape[-1] == 2:  # neither has grey with alpha
        samples = samples[..., [0, 0, 0, 1]]
    target = io.BytesIO()
    Image.fromarray(samples).save(target, format, **options)
    return target.getvalue()


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 12
    while position + 8 <= len(data):
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        yield data[position : position + 4], data[position + 8 : position + 8 + length]
        position += 8 + length + length % 2
