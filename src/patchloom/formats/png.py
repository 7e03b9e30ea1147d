"""PNG: samples by Pillow (up to 8 bit) or libpng (16 bit); chunks that describe the picture kept as they are."""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import imagecodecs
import numpy as np
from PIL import Image, PngImagePlugin

from patchloom.errors import PhotoError, Unsupported
from patchloom.formats import exif, photoshop, xmp
from patchloom.formats.hidden import SMALL, holds_picture
from patchloom.formats.picture import Block, Cicp, Metadata, Palette, Reading, Samples, Stored, split
from patchloom.formats.pillow import palette_of
from patchloom.formats.registry import Header

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRITICAL = ("IHDR", "PLTE", "tRNS", "IDAT", "IEND")
_LOOK = ("iCCP", "sRGB", "gAMA", "cHRM", "cICP", "mDCV", "cLLI")  # what colours the samples are
_TEXTS = ("tEXt", "zTXt", "iTXt")
_KEPT = ("pHYs", "oFFs", "sCAL", "pCAL", "sTER", "tIME")
_DROPPED = ("acTL", "fcTL", "fdAT", "sBIT", "bKGD", "hIST", "sPLT")  # of frames and palettes that change
_LONGEST_TEXT = 2**18  # characters; longer ones are no captions
_RAW_KEY = b"Raw profile type "
_EXIF = b"Exif\0\0"
_SRGB = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)  # cHRM of sRGB
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
    chunks = list(_chunks(data))
    animated = any(kind == "acTL" for kind, _ in chunks)
    if reading.frame(_frames(chunks) if animated else 1, "an animated PNG") > 0:
        raise Unsupported(
            "is an animated PNG, of which only page 1 can be read.", "Save the frame as a plain PNG."
        )
    depth, colour = data[24], data[25]
    if colour not in _MODES:
        raise PhotoError("is damaged.", "Copy it again from where it came.")
    plain = _SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks if kind in _CRITICAL)
    samples = _decoded(plain, depth, colour, any(kind == "tRNS" for kind, _ in chunks), reading)
    mode = "1" if (colour, depth) == (0, 1) else _MODES[colour]
    blocks, gone = [], ["further frames"] if animated else []
    allowance = _Allowance()
    for kind, body in chunks:
        kept, names = _kept(kind, body, allowance)
        blocks += [] if kept is None else [kept]
        gone += names
    reading.leave_out(*gone)
    found = next((block for kind, body in chunks if (block := _raw_exif(kind, body))), b"")
    return Stored(*split(samples), _metadata(mode, _palette(chunks), tuple(blocks), found))


def _decoded(plain: bytes, depth: int, colour: int, has_key: bool, reading: Reading) -> Samples:
    """By Pillow up to 8 bit, but for keys of grey below 8 bit, which it does not scale as it scales the grey."""
    if depth == 16 or (depth < 8 and colour == 0 and has_key):
        return np.asarray(imagecodecs.png_decode(plain))
    image: Image.Image = PngImagePlugin.PngImageFile(io.BytesIO(plain))
    image.load()
    if image.mode == "P":
        reading.say_merged(np.asarray(image), palette_of(image))
        image = image.convert("RGBA" if has_key else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    elif has_key and image.mode in ("L", "RGB"):
        image = image.convert("LA" if image.mode == "L" else "RGBA")
    return np.asarray(image)


def encode(picture: Stored, same: bool, quality: int | None) -> bytes:
    """``quality`` means nothing to a lossless format."""
    del quality
    samples = picture.joined()
    plain = _encode_small(samples, picture.metadata) or bytes(imagecodecs.png_encode(samples, level=_LEVEL))
    kept = picture.metadata.blocks if same else ()
    there = {_name_of(block) for block in kept}
    blocks = (*kept, *(block for block in _blocks(picture.metadata) if _name_of(block) not in there))
    head, tail = plain[:33], plain[33:]  # the signature and IHDR; the rest
    return head + b"".join(_chunk(block.kind, block.payload) for block in blocks) + tail


def _name_of(block: Block) -> str | bytes:
    """What there is to be only one of."""
    return block.payload.partition(b"\0")[0] if block.kind in _TEXTS else block.kind


def _frames(chunks: list[tuple[str, bytes]]) -> int:
    body = next(body for kind, body in chunks if kind == "acTL")
    return max(1, int.from_bytes(body[:4], "big"))


class _Allowance:
    """How many bytes of text may still be unpacked, so that small chunks cannot fill the memory; and how many of
    unknown chunks may be kept, so that many together hold no picture."""

    def __init__(self) -> None:
        self.left = 64 * 2**20
        self.unknown = SMALL

    def inflated(self, data: bytes) -> bytes | None:
        """None where it is damaged or too much."""
        try:
            reader = zlib.decompressobj()
            text = reader.decompress(data, max(self.left, 1))
        except zlib.error:
            return None
        self.left -= len(text)
        return None if reader.unconsumed_tail or self.left <= 0 else text


def _kept(kind: str, body: bytes, allowance: _Allowance) -> tuple[Block | None, list[str]]:
    """The chunk as it is kept, and names of what is not kept of it and has to be said."""
    if kind == "eXIf":
        block, more = exif.without_pictures(exif.bare(body))
        return (Block(kind, block) if block else None), ["parts of EXIF"] if more else []
    if kind in _TEXTS:
        return _kept_text(kind, body, allowance)
    if kind in _LOOK:
        return Block(kind, body, look=True), []
    if kind in _CRITICAL or kind in _DROPPED:
        return None, []
    if kind in _KEPT:
        return Block(kind, body), []
    if kind[:1].islower() and kind[3:4].islower() and len(body) <= allowance.unknown:
        allowance.unknown -= len(body)
        return Block(kind, body), []
    return None, [f"chunk {kind}"] if len(body) > SMALL else []


def _kept_text(kind: str, body: bytes, allowance: _Allowance) -> tuple[Block | None, list[str]]:
    key = body.partition(b"\0")[0]
    name = f"text '{key.decode('latin-1')[:40]}'"
    text = _text(kind, body, allowance)
    if text is None:
        return None, [name]
    if key == _XMP_KEY:
        packet, more = xmp.without_pictures(text[1].encode())
        block = Block("iTXt", _XMP_KEY + b"\0\0\0\0\0" + packet) if packet else None
        if block is not None and packet == text[1].encode():
            block = Block(kind, body)
        return block, ["parts of XMP"] if more else []
    if key.startswith(_RAW_KEY):  # as ImageMagick writes metadata of other formats
        raw = _raw(text[1])
        is_plain = key == _RAW_KEY + b"iptc" and photoshop.without_pictures(raw) == (raw, False)
        is_said = not is_plain and not raw.startswith(_EXIF)  # EXIF becomes a chunk of its own
        return (Block(kind, body) if is_plain else None), [name] if is_said else []
    if len(text[1]) > _LONGEST_TEXT or holds_picture(text[1].encode()):
        return None, [name]
    return Block(kind, body), []


def _raw_exif(kind: str, body: bytes) -> bytes:
    """The EXIF block in a text chunk of ImageMagick, without pictures; empty where there is none."""
    key = body.partition(b"\0")[0]
    text = _text(kind, body, _Allowance()) if key in (_RAW_KEY + b"exif", _RAW_KEY + b"APP1") else None
    block = _raw(text[1]) if text else b""
    return exif.without_pictures(exif.bare(block))[0] if block.startswith(_EXIF) else b""


def _raw(text: str) -> bytes:
    """The bytes of a raw profile: its name and length, and hexadecimal digits."""
    try:
        return bytes.fromhex("".join(text.split()[2:]))
    except ValueError:
        return b""


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


def _metadata(mode: str, palette: Palette, blocks: tuple[Block, ...], raw_exif: bytes) -> Metadata:
    body = {kind: payload for kind, payload, _ in reversed(blocks)}  # the first chunk of a kind counts
    block = body.get("eXIf", raw_exif)
    dpi = None
    if len(body.get("pHYs", b"")) == 9 and body["pHYs"][8] == 1:
        across, down = struct.unpack(">II", body["pHYs"][:8])
        dpi = (across * 0.0254, down * 0.0254)
    allowance = _Allowance()
    texts = [pair for kind, payload, _ in blocks if (pair := _text(kind, payload, allowance)) is not None]
    packet = next((text for key, text in texts if key == _XMP_KEY.decode()), "")
    profile = allowance.inflated(body["iCCP"].partition(b"\0")[2][1:]) if "iCCP" in body else None
    cicp = Cicp(*body["cICP"][:2]) if len(body.get("cICP", b"")) == 4 else None
    return Metadata(
        orientation=exif.orientation(block),
        mode=mode,
        icc=profile or b"",
        cicp=cicp,
        colours=_colours(body) if not profile and cicp is None and "sRGB" not in body else "",
        exif=block,
        xmp=packet.encode(),
        dpi=dpi,
        text=tuple((key, text) for key, text in texts if key != _XMP_KEY.decode()),
        palette=palette,
        blocks=blocks,
    )


def _colours(body: dict[str, bytes]) -> str:
    """What gAMA and cHRM say, unless it is what everybody assumes anyway."""
    gamma, primaries = body.get("gAMA", b""), body.get("cHRM", b"")
    plain_gamma = len(gamma) != 4 or abs(int.from_bytes(gamma, "big") - 45455) < 1000
    plain_primaries = len(primaries) != 32 or all(
        abs(value - wanted) < 1000 for value, wanted in zip(struct.unpack(">8I", primaries), _SRGB, strict=True)
    )
    return "" if plain_gamma and plain_primaries else "its gamma or primaries"


def _text(kind: str, payload: bytes, allowance: _Allowance) -> tuple[str, str] | None:
    """Key and text of a text chunk; None for another chunk, and where it is damaged or too long."""
    key, _, rest = payload.partition(b"\0")
    if kind == "tEXt":
        return key.decode("latin-1"), rest.decode("latin-1")
    if kind == "zTXt":
        text = allowance.inflated(rest[1:])
        return None if text is None else (key.decode("latin-1"), text.decode("latin-1"))
    if kind == "iTXt" and len(rest) > 2:
        text = rest[2:].split(b"\0", 2)[-1]
        unpacked = allowance.inflated(text) if rest[0] else text
        return None if unpacked is None else (key.decode("latin-1"), unpacked.decode("utf-8", "replace"))
    return None


def _blocks(metadata: Metadata) -> tuple[Block, ...]:
    """The chunks that carry a picture's metadata when it comes from another format."""
    blocks = []
    if metadata.cicp is not None:
        blocks.append(Block("cICP", bytes([*metadata.cicp, 0, 1])))
    if metadata.icc:
        blocks.append(Block("iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)))
    if metadata.dpi:
        across, down = (round(value / 0.0254) for value in metadata.dpi)
        if max(across, down) < 2**31:
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
