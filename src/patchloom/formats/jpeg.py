"""JPEG: coded again with the photo's own tables, sampling and scan order, its other segments kept as they are.

A JPEG cannot be bit-exact outside the hole, because its samples are rounded again; with the same tables that
changes few of them and little (a mean of at most 0.3 of 255 on three photographs), and the size of the file stays.
"""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, JpegImagePlugin

from patchloom.errors import PhotoError
from patchloom.formats import exif
from patchloom.formats.cmyk import to_rgb
from patchloom.formats.picture import Block, JpegCoding, Metadata, Reading, Stored, split
from patchloom.formats.registry import Header

_START = b"\xff\xd8"
_END, _SCAN = 0xD9, 0xDA
_MOST_SEGMENTS = 10_000  # before the frame header: more than any real file has; ends a scan of a crafted one
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_EXIF, _XMP, _XMP_MORE = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_ICC, _PHOTOSHOP = b"ICC_PROFILE\0", b"Photoshop 3.0\0"
_PHOTOSHOP_THUMBNAILS = (0x0409, 0x040C)
_LARGEST = 65533  # bytes in one segment
NEW_QUALITY = 95  # of a picture that comes from another format


def header(file: BinaryIO) -> Header:
    """The size from the frame header."""
    file.seek(len(_START))
    for _ in range(_MOST_SEGMENTS):
        byte = file.read(1)
        while byte not in (b"\xff", b""):
            byte = file.read(1)
        while byte == b"\xff":
            byte = file.read(1)
        if not byte or byte[0] in (_END, _SCAN):
            break
        if byte[0] == 0x01 or 0xD0 <= byte[0] <= 0xD8:  # these have no length
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if byte[0] in _FRAMES:
            _, height, width = struct.unpack(">BHH", file.read(5))
            return Header(width, height)
        file.seek(max(0, length - 2), io.SEEK_CUR)
    raise PhotoError("is cut short.", "Copy it again from where it came.")


def decode(data: bytes, reading: Reading) -> Stored:
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(_plain(data)))
    image.load()
    blocks = tuple(block for segment in _segments(data) if (block := _kept(*segment)) is not None)
    metadata = _metadata(image, blocks)
    if image.mode == "CMYK":
        colour = to_rgb(image, metadata.icc, reading)
        # Neither the CMYK tables nor its profile say anything about the RGB picture.
        plain = Metadata(orientation=metadata.orientation, mode="RGB", exif=metadata.exif, xmp=metadata.xmp)
        return Stored(*split(colour), plain)
    return Stored(*split(np.asarray(image)), metadata)


def encode(picture: Stored, same: bool, quality: int | None) -> bytes:
    """``quality`` None codes as the photo was coded, or at NEW_QUALITY if it was no JPEG."""
    coding = picture.metadata.jpeg if same and quality is None else None
    image = Image.fromarray(picture.samples[..., 0] if picture.samples.shape[-1] == 1 else picture.samples)
    target = io.BytesIO()
    if coding is not None:
        subsampling = max(coding.subsampling, 0) if image.mode == "RGB" else -1
        image.save(
            target,
            "JPEG",
            qtables=coding.tables,
            subsampling=subsampling,
            progressive=coding.progressive,
            optimize=True,
            keep_rgb=coding.rgb,
        )
    else:
        chosen = NEW_QUALITY if quality is None else quality
        image.save(target, "JPEG", quality=chosen, subsampling=0 if chosen >= 90 else 2, optimize=True)
    blocks = picture.metadata.blocks if same and picture.metadata.blocks else _blocks(picture.metadata)
    return _START + b"".join(_segment(*block) for block in blocks) + _without_header(target.getvalue())


def _metadata(image: JpegImagePlugin.JpegImageFile, blocks: tuple[Block, ...]) -> Metadata:
    block = next((exif.bare(body) for kind, body in blocks if kind == "APP1" and body.startswith(_EXIF)), b"")
    packet = next((body[len(_XMP) :] for kind, body in blocks if kind == "APP1" and body.startswith(_XMP)), b"")
    profile = sorted(body[len(_ICC) :] for kind, body in blocks if kind == "APP2" and body.startswith(_ICC))
    comments = [body.rstrip(b"\0").decode("utf-8", "replace") for kind, body in blocks if kind == "COM"]
    dpi = image.info.get("dpi")
    return Metadata(
        orientation=exif.orientation(block),
        mode=image.mode,
        icc=b"".join(part[2:] for part in profile),
        exif=block,
        xmp=packet,
        dpi=(float(dpi[0]), float(dpi[1])) if dpi else None,
        text=tuple(("Comment", comment) for comment in comments),
        lossless=False,
        blocks=blocks,
        jpeg=JpegCoding(
            tables={number: list(table) for number, table in image.quantization.items()},
            subsampling=JpegImagePlugin.get_sampling(image),
            progressive=bool(image.info.get("progressive")),
            rgb=[component[0] for component in image.layer] == [82, 71, 66]
            or image.info.get("adobe_transform") == 0,
        ),
    )


def _kept(marker: int, body: bytes) -> Block | None:
    """The segment as a block, without thumbnails; None if it lays out samples or points behind the picture."""
    if marker == 0xFE:
        return Block("COM", body)
    if not 0xE0 <= marker <= 0xEF or marker == 0xEE:  # APP14 tells how colours are coded: the encoder's matter
        return None
    if marker == 0xE0:
        return Block("APP0", body[:12] + b"\0\0") if body.startswith(b"JFIF\0") and len(body) >= 14 else None
    if body.startswith(b"MPF\0"):  # further pictures behind this one, which are not kept
        return None
    if body.startswith(_EXIF):
        body = _EXIF + exif.without_thumbnail(body[len(_EXIF) :])
    elif body.startswith(_XMP):
        body = exif.xmp_without_thumbnail(body)
    elif body.startswith(_PHOTOSHOP):
        body = _PHOTOSHOP + resources_without_thumbnail(body[len(_PHOTOSHOP) :])
    return Block(f"APP{marker - 0xE0}", body)


def resources_without_thumbnail(resources: bytes) -> bytes:
    """Photoshop's image resources without the two kinds that are thumbnails."""
    kept, position = b"", 0
    while resources[position : position + 4] == b"8BIM" and position + 12 <= len(resources):
        number = int.from_bytes(resources[position + 4 : position + 6], "big")
        name = 1 + resources[position + 6]
        start = position + 6 + name + name % 2
        length = int.from_bytes(resources[start : start + 4], "big")
        end = start + 4 + length + length % 2
        if number not in _PHOTOSHOP_THUMBNAILS:
            kept += resources[position:end]
        position = end
    return kept + resources[position:]


def _blocks(metadata: Metadata) -> tuple[Block, ...]:
    """The segments that carry a picture's metadata when it comes from another format."""
    across, down = (round(value) for value in metadata.dpi or (0, 0))
    density = struct.pack(">BHH", 1, across, down) if across and down else struct.pack(">BHH", 0, 1, 1)
    blocks = [Block("APP0", b"JFIF\0\x01\x01" + density + b"\0\0")]
    if metadata.exif and len(metadata.exif) + len(_EXIF) <= _LARGEST:
        blocks.append(Block("APP1", _EXIF + metadata.exif))
    if metadata.xmp and len(metadata.xmp) + len(_XMP) <= _LARGEST:
        blocks.append(Block("APP1", _XMP + metadata.xmp))
    step = _LARGEST - len(_ICC) - 2
    parts = [metadata.icc[start : start + step] for start in range(0, len(metadata.icc), step)]
    for number, part in enumerate(parts, start=1):
        blocks.append(Block("APP2", _ICC + bytes([number, len(parts)]) + part))
    for key, text in metadata.text:
        blocks.append(Block("COM", (text if key == "Comment" else f"{key}: {text}").encode()[:_LARGEST]))
    return tuple(blocks)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of every segment before the first scan."""
    position = len(_START)
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker == _SCAN:
            return
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        yield marker, data[position + 4 : position + 2 + length]
        position += 2 + length


def _plain(data: bytes) -> bytes:
    """The file without the segments that only describe, so that damage in them harms nothing."""
    out, position = _START, len(_START)
    for marker, body in _segments(data):
        length = len(body) + 4
        position = data.index(bytes([0xFF, marker]), position)
        if marker in (0xE0, 0xEE) or not 0xE0 <= marker <= 0xFE:  # JFIF and Adobe tell how colours are coded
            out += data[position : position + length]
        position += length
    return out + data[position:]


def _without_header(data: bytes) -> bytes:
    """What the encoder wrote behind its own JFIF segment."""
    if data[2:4] == b"\xff\xe0":
        return data[4 + int.from_bytes(data[4:6], "big") :]
    return data[2:]


def _segment(kind: str, body: bytes) -> bytes:
    marker = 0xFE if kind == "COM" else 0xE0 + int(kind.removeprefix("APP"))
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
