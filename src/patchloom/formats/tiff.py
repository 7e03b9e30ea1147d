"""TIFF: samples by tifffile (1, 8 and 16 bit, float), every tag that describes the picture kept as it is."""

import io
import logging
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import tifffile
from PIL import Image

from patchloom.errors import PhotoError, Unsupported
from patchloom.events import Observer, Warned
from patchloom.formats import exif, ifd
from patchloom.formats.cmyk import to_rgb
from patchloom.formats.jpeg import resources_without_thumbnail
from patchloom.formats.picture import Metadata, Palette, Reading, Samples, Stored, TiffCoding, TiffTag, split
from patchloom.formats.png import to_palette
from patchloom.formats.registry import Header

_COMPRESSIONS = {1: "", 5: "lzw", 8: "adobe_deflate", 32946: "adobe_deflate", 32773: "packbits", 50000: "zstd"}
_LOSSY = (6, 7, 33003, 33005, 34712, 34892, 50001, 50002)
_LAYOUT = {254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 290, 291}
_LAYOUT |= {292, 293, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 334, 336, 338, 339, 340}
_LAYOUT |= {341, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532}
_ORIENTATION, _X, _Y, _UNIT, _XMP, _PHOTOSHOP, _ICC = 274, 282, 283, 296, 700, 34377, 34675
_RAW_TAGS = (33421, 33422, 50706)  # colour filter array, its pattern, DNG version
_MOST_TAGS = 10_000  # of a page: more than any real file has; ends a scan of a crafted one
_BILEVEL, _PALETTE, _SEPARATED = 1, 3, 5
_PHOTOMETRIC = {0, 1, 2, _PALETTE, _SEPARATED, 6}

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what it says about damaged files, our errors say


def header(file: BinaryIO) -> Header:
    """The size of the first page, and how many of the first two are of full size."""
    pages = list(_first_pages(file))
    if not pages:
        raise PhotoError("is damaged.", "Copy it again from where it came.")
    full_size = [page for page in pages if not page.get(254, 0) & 1]
    return Header(pages[0].get(256, 0), pages[0].get(257, 0), max(1, len(full_size)))


def _first_pages(file: BinaryIO) -> Iterator[dict[int, int]]:
    """Of the first two pages: tag -> first value, for tags whose value lies in the entry itself."""
    start = file.read(16)
    order = ifd.order_of(start)
    big = struct.unpack_from(order + "H", start, 2)[0] == 43
    pointer, count_code, entry, inline = ("Q", "Q", 20, 8) if big else ("I", "H", 12, 4)
    (offset,) = struct.unpack_from(order + pointer, start, 8 if big else 4)
    for _ in range(2):
        if offset == 0:
            return
        file.seek(offset)
        (count,) = struct.unpack(order + count_code, file.read(struct.calcsize(count_code)))
        if count > _MOST_TAGS:
            raise PhotoError("is damaged.", "Copy it again from where it came.")
        block = file.read(count * entry)
        tags: dict[int, int] = {}
        for position in range(0, count * entry, entry):
            tag, kind = struct.unpack_from(order + "HH", block, position)
            code = {1: "B", 3: "H", 4: "I", 16: "Q"}.get(kind, "I")
            (tags[tag],) = struct.unpack_from(order + code, block, position + entry - inline)
        yield tags
        (offset,) = struct.unpack(order + pointer, file.read(inline))


def decode(data: bytes, reading: Reading) -> Stored:
    tags = _directory(data)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        _refuse(file, page, tags)
        samples = np.ascontiguousarray(page.asarray())
        if page.planarconfig == 2 and samples.ndim == 3:
            samples = np.ascontiguousarray(np.moveaxis(samples, 0, -1))
        coding = _coding(page, data, tags, reading.observe)
        metadata = _metadata(coding, _mode(page), _palette(page))
        if page.photometric == _SEPARATED:
            return _from_cmyk(samples, metadata, reading)
        return Stored(*split(_plain(samples, page)), metadata)


def encode(picture: Stored, same: bool, quality: int | None) -> bytes:
    """``quality`` means nothing here: a lossy TIFF is written without loss."""
    del quality
    metadata = picture.metadata
    coding = metadata.tiff if same and metadata.tiff else _new_coding(metadata)
    samples = picture.joined()
    channels = 1 if samples.ndim == 2 else samples.shape[-1]
    options: dict[str, Any] = {"photometric": "minisblack" if channels < 3 else "rgb"}
    if channels in (2, 4):
        options["extrasamples"] = ["unassalpha"]
    if metadata.mode == "P" and (indexed := to_palette(samples, metadata.palette)) is not None:
        samples, colours = indexed
        table = np.zeros((3, 256), np.uint16)
        table[:, : len(colours)] = np.array(colours, np.uint16)[:, :3].T * 257
        options |= {"photometric": "palette", "colormap": table}
    elif metadata.mode == "1" and channels == 1:
        samples = samples >= 128
    if coding.white_is_zero and channels == 1 and options["photometric"] != "palette":
        samples = ~samples
        options["photometric"] = "miniswhite"
    target = io.BytesIO()
    tifffile.imwrite(
        target,
        samples,
        byteorder=coding.order,
        compression=coding.compression or None,
        predictor=coding.predictor
        and samples.dtype != np.bool_
        and coding.compression in ("lzw", "adobe_deflate"),
        metadata=None,
        software=False,
        **options,
    )
    data = target.getvalue()
    layout = tuple(tag for tag in ifd.read(data) if tag.code in _LAYOUT)
    return ifd.replaced(data, layout + coding.tags)


def _directory(data: bytes) -> tuple[TiffTag, ...]:
    try:
        return ifd.read(data)
    except struct.error as error:
        raise PhotoError("is cut short or damaged.") from error


def _refuse(file: tifffile.TiffFile, page: tifffile.TiffPage, tags: tuple[TiffTag, ...]) -> None:
    """Raises Unsupported for everything that would not come back as it was."""
    if any(tag.code in _RAW_TAGS for tag in tags):
        raise Unsupported("is a camera raw file.", "Export a 16-bit TIFF from your raw converter first.")
    if sum(not _is_reduced(other) for other in file.pages) > 1:
        raise Unsupported("has several pages.", "Save the page you want as a TIFF of its own first.")
    if page.photometric not in _PHOTOMETRIC:
        raise Unsupported("has colours of a kind that is not supported.", "Convert it to RGB first.")
    if page.imagedepth > 1 or page.samplesperpixel > 5 or page.dtype is None:
        raise Unsupported("has samples of a kind that is not supported.", "Convert it to 8 or 16 bit RGB first.")


def _plain(samples: Samples, page: tifffile.TiffPage) -> Samples:
    """8 or 16 bit or float samples, black zero, at most four channels."""
    if page.photometric == _PALETTE:
        return np.ascontiguousarray(_colours(page)[samples])
    if samples.dtype == np.bool_:
        return np.where(samples != (page.photometric == 0), 255, 0).astype(np.uint8)
    if samples.dtype.kind == "f":
        if not np.isfinite(samples).all() or samples.min() < 0 or samples.max() > 1:
            raise Unsupported("has float samples outside 0 to 1.", "Scale it to 0..1, or save it with 16 bit.")
        samples = samples.astype(np.float32)
    elif samples.dtype not in (np.uint8, np.uint16) or page.bitspersample not in (1, 8, 16):
        raise Unsupported(f"has {page.bitspersample}-bit samples.", "Convert it to 8 or 16 bit first.")
    if samples.ndim == 3 and (samples.shape[-1] > 4 or (page.photometric in (0, 1) and samples.shape[-1] > 2)):
        raise Unsupported("has more channels than colour and alpha.", "Save it with one alpha channel at most.")
    return ~samples if page.photometric == 0 else samples


def _from_cmyk(samples: Samples, metadata: Metadata, reading: Reading) -> Stored:
    if samples.dtype != np.uint8 or samples.ndim != 3 or samples.shape[-1] != 4:
        raise Unsupported("has CMYK samples of other than 8 bit.", "Convert it to RGB in your editor first.")
    colour = to_rgb(Image.fromarray(samples, "CMYK"), metadata.icc, reading)
    coding = metadata.tiff
    if coding is not None:
        coding = coding._replace(tags=tuple(tag for tag in coding.tags if tag.code != _ICC))
    return Stored(*split(colour), _metadata(coding, "RGB", ()) if coding else metadata)


def _coding(page: tifffile.TiffPage, data: bytes, tags: tuple[TiffTag, ...], observe: Observer) -> TiffCoding:
    compression = int(page.compression)
    if compression in _LOSSY:
        observe(Warned(message="This TIFF was compressed with loss; it is written without, and becomes larger."))
    kept = []
    for tag in tags:
        if tag.code in _LAYOUT:
            continue
        if tag.code == _XMP:
            tag = _with_value(tag, exif.xmp_without_thumbnail(tag.value))
        elif tag.code == _PHOTOSHOP:
            tag = _with_value(tag, resources_without_thumbnail(tag.value))
        kept.append(tag)
    return TiffCoding(
        order=ifd.order_of(data),
        compression=_COMPRESSIONS.get(compression, "adobe_deflate"),
        predictor=page.predictor == 2,
        white_is_zero=page.photometric == 0,
        tags=tuple(kept),
    )


def _with_value(tag: TiffTag, value: bytes) -> TiffTag:
    return tag._replace(value=value, length=len(value) // ifd.SIZES[tag.type])


def _mode(page: tifffile.TiffPage) -> str:
    if page.photometric == _PALETTE:
        return "P"
    if page.bitspersample == _BILEVEL:
        return "1"
    colour = "L" if page.photometric in (0, 1) else "RGB"
    return colour + ("A" if page.samplesperpixel in (2, 4) else "")


def _palette(page: tifffile.TiffPage) -> Palette:
    if page.photometric != _PALETTE:
        return ()
    return tuple((r, g, b, 255) for r, g, b in _colours(page).tolist())


def _colours(page: tifffile.TiffPage) -> Samples:
    """The colour map (N, 3), 8 bit. Raises PhotoError where there is none."""
    if page.colormap is None:
        raise PhotoError("is damaged.")
    return np.ascontiguousarray((np.asarray(page.colormap) >> 8).astype(np.uint8).T)


def _is_reduced(page: tifffile.TiffPage | tifffile.TiffFrame) -> bool:
    """A smaller copy of the picture, which would show what was removed and is not kept."""
    return isinstance(page, tifffile.TiffPage) and bool(page.is_reduced)


def _metadata(coding: TiffCoding, mode: str, palette: Palette) -> Metadata:
    tags = {tag.code: tag for tag in coding.tags}
    dpi = None
    if _X in tags and _Y in tags and tags[_X].type == tags[_Y].type == 5:
        unit = _number(tags[_UNIT], coding.order) if _UNIT in tags else 2
        scale = {2: 1.0, 3: 2.54}.get(unit, 0.0)
        across, down = (_ratio(tags[code], coding.order) * scale for code in (_X, _Y))
        dpi = (across, down) if across and down else None
    turned = _number(tags[_ORIENTATION], coding.order) if _ORIENTATION in tags else 1
    described = tuple(tag for tag in coding.tags if tag.code not in (_XMP, _PHOTOSHOP, _ICC, _X, _Y, _UNIT, 33723))
    return Metadata(
        orientation=turned if 1 <= turned <= 8 else 1,
        mode=mode,
        icc=tags[_ICC].value if _ICC in tags else b"",
        exif=ifd.block(described, coding.order) if described else b"",
        xmp=tags[_XMP].value if _XMP in tags else b"",
        dpi=dpi,
        palette=palette,
        tiff=coding,
    )


def _new_coding(metadata: Metadata) -> TiffCoding:
    """For a picture that comes from another format: little-endian, deflated, its EXIF block taken apart."""
    tags: tuple[TiffTag, ...] = ()
    if metadata.exif:
        try:
            tags = ifd.read(metadata.exif)
        except struct.error:
            tags = ()
        if ifd.order_of(metadata.exif) == ">":
            tags = ifd.swapped(tags)
    own = [TiffTag(_ICC, 7, len(metadata.icc), metadata.icc)] if metadata.icc else []
    if metadata.xmp:
        own.append(TiffTag(_XMP, 1, len(metadata.xmp), metadata.xmp))
    if metadata.dpi:
        for code, value in zip((_X, _Y), metadata.dpi, strict=True):
            own.append(TiffTag(code, 5, 1, struct.pack("<II", round(value * 10000), 10000)))
        own.append(TiffTag(_UNIT, 3, 1, struct.pack("<H", 2)))
    replaced = {tag.code for tag in own} | _LAYOUT
    kept = tuple(tag for tag in tags if tag.code not in replaced)
    return TiffCoding("<", "adobe_deflate", True, False, kept + tuple(own))


def _number(tag: TiffTag, order: str) -> int:
    size = ifd.SIZES[tag.type]
    return int.from_bytes(tag.value[:size], "little" if order == "<" else "big")


def _ratio(tag: TiffTag, order: str) -> float:
    over, under = struct.unpack(order + "II", tag.value[:8])
    return over / under if under else 0.0
