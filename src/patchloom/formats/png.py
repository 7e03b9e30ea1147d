"""PNG: samples by Pillow (up to 8 bit) or libpng (16 bit), all other chunks kept as they are."""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import imagecodecs
import numpy as np
from PIL import Image, PngImagePlugin

from patchloom.errors import PhotoError, Unsupported
from patchloom.formats import exif
from patchloom.formats.picture import Block, Metadata, Palette, Reading, Samples, Stored, split
from patchloom.formats.registry import Header

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRITICAL = ("IHDR", "PLTE", "tRNS", "IDAT", "IEND")
_KEPT = ("iCCP", "sRGB", "gAMA", "cHRM", "cICP", "mDCV", "cLLI", "pHYs", "eXIf", "tEXt", "zTXt", "iTXt")
_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}
_MOST_CHUNKS = 10_000  # before the samples: more than any real file has; ends a scan of a crafted one
_LEVEL = 4  # of compression; libpng's filters make it smaller than Pillow's default of 6, in a third of the time
_XMP_KEY = b"XML:com.adobe.xmp"


def header(file: BinaryIO) -> Header:
    """The size from IHDR, and the number of frames of an animation, which stands before the first samples."""
    file.seek(len(_SIGNATURE))
    width = height = 0
    frames = 1
    for _ in range(_MOST_CHUNKS):
        length, kind = struct.unpack(">I4s", file.read(8))
        body = file.read(8) if kind in (b"IHDR", b"acTL") else b""
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body)
        elif kind == b"acTL":
            frames = max(1, struct.unpack(">I", body[:4])[0])
        elif kind == b"IDAT":
            break
        file.seek(length - len(body) + 4, io.SEEK_CUR)
    return Header(width, height, frames)


def decode(data: bytes, reading: Reading) -> Stored:
    del reading  # PNG knows neither CMYK nor anything that has to be said
    chunks = list(_chunks(data))
    if any(kind == "acTL" for kind, _ in chunks):
        raise Unsupported("is an animated PNG.", "Save the frame you want as a plain PNG first.")
    depth, colour = data[24], data[25]
    if colour not in _MODES:
        raise PhotoError("is damaged.")
    plain = _SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks if kind in _CRITICAL)
    samples = imagecodecs.png_decode(plain) if depth == 16 else _decode_small(plain)
    mode = "1" if (colour, depth) == (0, 1) else _MODES[colour]
    blocks = tuple(_without_thumbnail(Block(*chunk)) for chunk in chunks if _is_kept(chunk[0]))
    return Stored(*split(samples), _metadata(mode, _palette(chunks), blocks))


def encode(picture: Stored, same: bool, quality: int | None) -> bytes:
    """``quality`` means nothing to a lossless format."""
    del quality
    samples = picture.joined()
    plain = _encode_small(samples, picture.metadata) or bytes(imagecodecs.png_encode(samples, level=_LEVEL))
    blocks = picture.metadata.blocks if same else _blocks(picture.metadata)
    head, tail = plain[:33], plain[33:]  # the signature and IHDR; the rest
    return head + b"".join(_chunk(*block) for block in blocks) + tail


def _decode_small(plain: bytes) -> Samples:
    image: Image.Image = PngImagePlugin.PngImageFile(io.BytesIO(plain))
    image.load()
    seen = "transparency" in image.info
    if image.mode == "P":
        image = image.convert("RGBA" if seen else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    elif seen:
        image = image.convert("LA" if image.mode == "L" else "RGBA")
    return np.asarray(image)


def _palette(chunks: list[tuple[str, bytes]]) -> Palette:
    body = dict(chunks)
    colours = np.frombuffer(body.get("PLTE", b""), np.uint8)
    alphas = body.get("tRNS", b"").ljust(256, b"\xff")
    rgb = colours[: len(colours) // 3 * 3].reshape(-1, 3).tolist()
    return tuple((r, g, b, alpha) for (r, g, b), alpha in zip(rgb, alphas, strict=False))


def _encode_small(samples: Samples, metadata: Metadata) -> bytes:
    """With one bit a sample or a palette, if the photo had that and it loses nothing; else no bytes."""
    options: dict[str, object] = {}
    if metadata.mode == "1" and samples.ndim == 2:
        image = Image.fromarray(samples).convert("1", dither=Image.Dither.NONE)
    elif metadata.mode == "P" and (indexed := to_palette(samples, metadata.palette)) is not None:
        indices, colours = indexed
        image = Image.fromarray(indices)
        image.putpalette([value for colour in colours for value in colour[:3]])
        if any(colour[3] < 255 for colour in colours):
            options["transparency"] = bytes(colour[3] for colour in colours)
    else:
        return b""
    target = io.BytesIO()
    image.save(target, "PNG", **options)
    return target.getvalue()


def to_palette(samples: Samples, palette: Palette) -> tuple[Samples, list[tuple[int, int, int, int]]] | None:
    """Indices and colours that say the same as ``samples`` (RGB or RGBA), old colours first; None if over 256."""
    if samples.ndim != 3 or samples.shape[-1] not in (3, 4):
        return None
    rgba = samples if samples.shape[-1] == 4 else np.dstack([samples, np.full(samples.shape[:2], 255, np.uint8)])
    packed = np.ascontiguousarray(rgba).view(np.uint32)[..., 0]
    found, inverse = np.unique(packed, return_inverse=True)
    if len(found) > 256:
        return None
    wanted = [(r, g, b, a) for r, g, b, a in found.view(np.uint8).reshape(-1, 4).tolist()]
    colours = list(dict.fromkeys((*palette, *wanted)))
    if len(colours) > 256:  # old colours that are no longer used make room
        colours = wanted
    where = np.array([colours.index(colour) for colour in wanted], np.uint8)
    return where[inverse].reshape(samples.shape[:2]), colours


def _is_kept(kind: str) -> bool:
    """The known chunks that describe, and any ancillary one whose name says that it is safe to copy."""
    return kind in _KEPT or (kind[:1].islower() and kind[3:4].islower())


def _without_thumbnail(block: Block) -> Block:
    if block.kind == "eXIf":
        return Block("eXIf", exif.without_thumbnail(exif.bare(block.payload)))
    if block.kind == "iTXt" and block.payload.startswith(_XMP_KEY):
        return Block("iTXt", exif.xmp_without_thumbnail(block.payload))
    return block


def _metadata(mode: str, palette: Palette, blocks: tuple[Block, ...]) -> Metadata:
    body = dict(reversed(blocks))  # the first chunk of a kind counts
    block = body.get("eXIf", b"")
    dpi = None
    if len(body.get("pHYs", b"")) == 9 and body["pHYs"][8] == 1:
        across, down = struct.unpack(">II", body["pHYs"][:8])
        dpi = (across * 0.0254, down * 0.0254)
    texts = [pair for kind, payload in blocks if (pair := _text(kind, payload)) is not None]
    packet = next((text for key, text in texts if key == _XMP_KEY.decode()), "")
    return Metadata(
        orientation=exif.orientation(block),
        mode=mode,
        icc=_inflated(body["iCCP"].partition(b"\0")[2][1:]) if "iCCP" in body else b"",
        exif=block,
        xmp=packet.encode(),
        dpi=dpi,
        text=tuple((key, text) for key, text in texts if key != _XMP_KEY.decode()),
        palette=palette,
        blocks=blocks,
    )


def _text(kind: str, payload: bytes) -> tuple[str, str] | None:
    key, _, rest = payload.partition(b"\0")
    if kind == "tEXt":
        return key.decode("latin-1"), rest.decode("latin-1")
    if kind == "zTXt":
        return key.decode("latin-1"), _inflated(rest[1:]).decode("latin-1")
    if kind == "iTXt" and len(rest) > 2:
        text = rest[2:].split(b"\0", 2)[-1]
        return key.decode("latin-1"), (_inflated(text) if rest[0] else text).decode("utf-8", "replace")
    return None


def _inflated(data: bytes, limit: int = 64 * 2**20) -> bytes:
    """At most ``limit`` bytes, so that a small chunk cannot fill the memory; nothing where it is damaged."""
    try:
        return zlib.decompressobj().decompress(data, limit)
    except zlib.error:
        return b""


def _blocks(metadata: Metadata) -> tuple[Block, ...]:
    """The chunks that carry a picture's metadata when it comes from another format."""
    blocks = []
    if metadata.icc:
        blocks.append(Block("iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)))
    if metadata.dpi:
        across, down = (round(value / 0.0254) for value in metadata.dpi)
        blocks.append(Block("pHYs", struct.pack(">IIB", across, down, 1)))
    if metadata.exif:
        blocks.append(Block("eXIf", metadata.exif))
    if metadata.xmp:
        blocks.append(Block("iTXt", _XMP_KEY + b"\0\0\0\0\0" + metadata.xmp))
    for key, text in metadata.text:
        blocks.append(Block("iTXt", key.encode("latin-1", "replace") + b"\0\0\0\0\0" + text.encode()))
    return tuple(blocks)


def _chunks(data: bytes) -> Iterator[tuple[str, bytes]]:
    position = len(_SIGNATURE)
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8].decode("latin-1")
        yield kind, data[position + 8 : position + 8 + length]
        if kind == "IEND":
            return
        position += 12 + length
    raise PhotoError("is cut short.")


def _chunk(kind: str, body: bytes) -> bytes:
    name = kind.encode("latin-1")
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
