"""JPEG: coded again with the photo's own tables, sampling and scan order, its other segments kept as they are.

A JPEG cannot be bit-exact outside the hole, because its samples are rounded again; with the same tables that
changes few of them and little (a mean of at most 0.3 of 255 on three photographs), and the size of the file stays.
"""

import io
import re
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageFile, JpegImagePlugin

from patchloom.errors import PhotoError, Unsupported
from patchloom.formats import exif, photoshop, xmp
from patchloom.formats.cmyk import to_rgb
from patchloom.formats.hidden import holds_picture
from patchloom.formats.picture import Block, JpegCoding, Metadata, Reading, Stored, split
from patchloom.formats.registry import Header

_START = b"\xff\xd8"
_END, _SCAN = 0xD9, 0xDA
_STOP = bytes([0xFF, _END])
_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)  # no stuffed byte, no restart
_MOST_SCANS = 100  # progressive ones have about ten; each takes as long as a picture
_SHORT = 1024  # bytes of an editor's own note
_MOST_SEGMENTS = 10_000  # before the frame header: more than any real file has; ends a scan of a crafted one
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_EXIF, _XMP, _XMP_MORE = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_ICC, _PHOTOSHOP = b"ICC_PROFILE\0", b"Photoshop 3.0\0"
_PICTURES = {  # segments that hold or announce other pictures
    b"http://ns.adobe.com/xmp/extension/": "extended XMP",
    b"MPF\0": "further pictures",
    b"FPXR": "a FlashPix preview",
    b"SCALADO": "a preview",
    b"JPXT": "an HDR layer",
    b"urn:iso:std:iso:ts:21496": "a gain map",
    b"JP": "Content Credentials",
}
_LARGEST = 65533  # bytes in one segment
Segment = tuple[int, bytes]
"""Marker and body."""

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
            depth, height, width = struct.unpack(">BHH", file.read(5))
            if depth != 8 or byte[0] in (0xC3, 0xC7, 0xCB, 0xCF):
                kind = f"of {depth} bits a sample" if depth != 8 else "of the lossless kind"
                raise Unsupported(f"is a JPEG {kind}, which is not supported.", "Save it as PNG or TIFF first.")
            if not height:
                raise Unsupported("tells its height only at its end (DNL).", "Save it again in an editor.")
            return Header(width, height)
        file.seek(max(0, length - 2), io.SEEK_CUR)
    raise PhotoError("is cut short.", "Copy it again from where it came.")


def decode(data: bytes, reading: Reading) -> Stored:
    reading.frame(1, "a JPEG")
    segments, scans, end = _anatomy(data)
    if scans > _MOST_SCANS:
        raise Unsupported(f"has {scans} scans, more than any picture needs.", "Save it again in an editor.")
    image = _opened(_plain(data, segments, end or len(data)), end is not None, reading)
    blocks, gone = _kept(segments)
    if behind := data[end:].strip(b"\0\r\n ") if end else b"":
        gone.append("further pictures" if b"\xff\xd8\xff" in behind else "what lies behind the picture")
    reading.leave_out(*gone)
    metadata = _metadata(image, blocks)
    if image.mode == "CMYK":
        colour = to_rgb(image, metadata.icc, reading)
        # Neither the CMYK tables nor its profile say anything about the RGB picture.
        plain = Metadata(
            orientation=metadata.orientation,
            mode="RGB",
            exif=metadata.exif,
            xmp=metadata.xmp,
            dpi=metadata.dpi,
            text=metadata.text,
            lossless=False,
        )
        return Stored(*split(colour), plain)
    return Stored(*split(np.asarray(image)), metadata)


def _opened(plain: bytes, is_ended: bool, reading: Reading) -> JpegImagePlugin.JpegImageFile:
    """The decoded picture. Without its end marker it is whole exactly if bytes behind it change nothing: what a
    decoder still lacked, it would take from there. Raises PhotoError where it is not."""
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(plain if is_ended else plain + _STOP))
    image.load()
    if not is_ended:
        for filling in (b"\x55\xaa\x33" * 20, b"\xcc\x11\x7e" * 20):
            other = JpegImagePlugin.JpegImageFile(io.BytesIO(plain + filling + _STOP))
            if other.tobytes() != image.tobytes():
                raise PhotoError("is cut short.", "Copy it again from where it came.")
        reading.say("This JPEG lacks its end marker, and nothing else; it is written whole.")
    return image


def encode(picture: Stored, same: bool, quality: int | None) -> bytes:
    """``quality`` None codes as the photo was coded, or at NEW_QUALITY if it was no JPEG."""
    coding = picture.metadata.jpeg if same and quality is None else None
    image = Image.fromarray(picture.samples[..., 0] if picture.samples.shape[-1] == 1 else picture.samples)
    options: dict[str, Any]
    if coding is not None:
        options = {
            "qtables": coding.tables,
            # Pillow cannot write RGB with green or blue of lower resolution
            "subsampling": max(coding.subsampling * (not coding.rgb), 0) if image.mode == "RGB" else -1,
            "progressive": coding.progressive,
            "keep_rgb": coding.rgb,
        }
    else:
        chosen = NEW_QUALITY if quality is None else quality
        options = {"quality": chosen, "subsampling": 0 if chosen >= 90 else 2}
    kept = picture.metadata.blocks if same else ()
    there = {_name_of(block) for block in kept}
    blocks = [*kept, *(block for block in _blocks(picture.metadata) if _name_of(block) not in there)]
    # JFIF says YCbCr: readers would take a JPEG coded in RGB for that
    jfif = [] if coding is not None and coding.rgb else [block for block in blocks if block.kind == "APP0"]
    rest = [block for block in blocks if block.kind != "APP0"]
    return _START + b"".join(map(_segment, jfif[:1] + rest)) + _without_header(_coded(image, options))


def _coded(image: Image.Image, options: dict[str, Any]) -> bytes:
    """The JPEG by Pillow, which sets aside a byte a pixel for it: too little for noise of high quality."""
    target, usual = io.BytesIO(), ImageFile.MAXBLOCK
    try:
        image.save(target, "JPEG", optimize=True, **options)
    except OSError:
        target = io.BytesIO()
        try:
            ImageFile.MAXBLOCK = 8 * image.width * image.height + 2**16
            image.save(target, "JPEG", optimize=True, **options)
        finally:
            ImageFile.MAXBLOCK = usual
    return target.getvalue()


def _metadata(image: JpegImagePlugin.JpegImageFile, blocks: tuple[Block, ...]) -> Metadata:
    block = next((exif.bare(body) for kind, body, _ in blocks if kind == "APP1" and body.startswith(_EXIF)), b"")
    packet = next((body[len(_XMP) :] for kind, body, _ in blocks if kind == "APP1" and body.startswith(_XMP)), b"")
    profile = sorted(body[len(_ICC) :] for kind, body, _ in blocks if kind == "APP2" and body.startswith(_ICC))
    comments = [body.rstrip(b"\0").decode("utf-8", "replace") for kind, body, _ in blocks if kind == "COM"]
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


def _kept(segments: list[Segment]) -> tuple[tuple[Block, ...], list[str]]:
    """The segments that describe, without pictures in them, and names of what else was left out."""
    blocks: list[Block] = []
    gone: list[str] = []
    resources = b"".join(body[len(_PHOTOSHOP) :] for _, body in segments if body.startswith(_PHOTOSHOP))
    for marker, body in _once(segments):
        block, name = _kept_one(marker, body)
        blocks += [] if block is None else [block]
        gone += [name] if name else []
    kept, more = photoshop.without_pictures(resources)
    step = _LARGEST - len(_PHOTOSHOP)
    for start in range(0, len(kept), step):
        blocks.append(Block("APP13", _PHOTOSHOP + kept[start : start + step]))
    return tuple(blocks), gone + (["Photoshop resources"] if more else [])


def _once(segments: list[Segment]) -> Iterator[Segment]:
    """Without repeated parts of the profile, with which other readers see none at all."""
    seen: set[bytes] = set()
    for marker, body in segments:
        part = body[: len(_ICC) + 2] if body.startswith(_ICC) else b""
        if not part or part not in seen:
            yield marker, body
        seen.add(part)


def _kept_one(marker: int, body: bytes) -> tuple[Block | None, str]:
    """The segment as it is kept, or none; and the name of what has to be said of it, or none."""
    kind = f"APP{marker - 0xE0}"
    if marker == 0xFE:
        return (None, "a comment") if holds_picture(body) else (Block("COM", body), "")
    if not 0xE0 <= marker <= 0xEF or marker == 0xEE or body.startswith(_PHOTOSHOP):
        return None, ""  # APP14 tells how colours are coded: the encoder's matter
    if marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        return Block("APP0", body[:12] + b"\0\0"), ""
    if marker == 0xE0 and body.startswith(b"JFXX\0"):
        return None, ""  # a thumbnail
    if body.startswith(_EXIF):
        block, more = exif.without_pictures(body[len(_EXIF) :])
        return (Block(kind, _EXIF + block) if block else None), "parts of EXIF" if more else ""
    if body.startswith(_XMP):
        packet, more = xmp.without_pictures(body[len(_XMP) :])
        return (Block(kind, _XMP + packet) if packet else None), "parts of XMP" if more else ""
    if body.startswith(_ICC):
        return Block(kind, body, look=True), ""
    known = next((name for start, name in _PICTURES.items() if body.startswith(start)), "")
    if marker == 0xEC and body.startswith((b"Ducky", b"[picture info]")) and len(body) <= _SHORT:
        return Block(kind, body), ""
    return None, known or f"segment {kind}"


def _blocks(metadata: Metadata) -> tuple[Block, ...]:
    """The segments that carry a picture's metadata when it comes from another format."""
    across, down = (round(value) for value in metadata.dpi or (0, 0))
    density = (1, across, down) if 0 < min(across, down) <= max(across, down) < 2**16 else (0, 1, 1)
    blocks = [Block("APP0", b"JFIF\0\x01\x01" + struct.pack(">BHH", *density) + b"\0\0")]
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


def _name_of(block: Block) -> str:
    """What there is to be only one of."""
    starts = (_EXIF, _XMP, _ICC)
    found = next((start for start in starts if block.payload.startswith(start)), b"")
    return f"{block.kind}{found!r}"


def _anatomy(data: bytes) -> tuple[list[Segment], int, int | None]:
    """The segments outside of scans, the number of scans, and where the picture ends (None: it does not)."""
    segments: list[Segment] = []
    position, scans = len(_START), 0
    while found := _MARKER.search(data, position):
        marker, position = found.group()[-1], found.end()
        if marker == _END:
            return segments, scans, position
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        if marker == _SCAN:
            scans += 1
        elif len(segments) < _MOST_SEGMENTS:
            segments.append((marker, data[position + 2 : position + max(length, 2)]))
        position += max(length, 2)
    return segments, scans, None


def _plain(data: bytes, segments: list[Segment], end: int) -> bytes:
    """The file without the segments that only describe, so that damage in them harms nothing."""
    out, position = _START, len(_START)
    for marker, body in segments:
        if 0xE0 <= marker <= 0xFE and marker not in (0xE0, 0xEE):  # JFIF and Adobe tell how colours are coded
            whole = bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body
            start = data.find(whole, position)
            if start >= 0:
                out += data[position:start]
                position = start + len(whole)
    return (out + data[position:end]).rstrip(b"\xff")


def _without_header(data: bytes) -> bytes:
    """What the encoder wrote behind its own JFIF segment."""
    if data[2:4] == b"\xff\xe0":
        return data[4 + int.from_bytes(data[4:6], "big") :]
    return data[2:]


def _segment(block: Block) -> bytes:
    marker = 0xFE if block.kind == "COM" else 0xE0 + int(block.kind.removeprefix("APP"))
    return struct.pack(">BBH", 0xFF, marker, len(block.payload) + 2) + block.payload
