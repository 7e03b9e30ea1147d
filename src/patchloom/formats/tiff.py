"""TIFF: samples by tifffile, every tag that describes the picture kept as it is."""

import contextlib
import io
import logging
import struct
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import tifffile
from PIL import Image

from patchloom.errors import PhotoError, Unsupported
from patchloom.formats import ifd, tiffpages, tiffsamples, tifftags
from patchloom.formats.cmyk import require_allowed, to_rgb
from patchloom.formats.picture import Meaning, Metadata, Reading, Samples, Stored, TiffCoding, TiffTag, split
from patchloom.formats.png import to_palette
from patchloom.formats.registry import Header

_COMPRESSIONS = {  # that are written; any that tifffile knows is read
    1: "",
    5: "lzw",
    8: "adobe_deflate",
    32946: "adobe_deflate",
    32773: "packbits",
    34712: "jpeg2000",
    34887: "lerc",
    34925: "lzma",
    34933: "png",
    50000: "zstd",
    50001: "webp",
}
_PREDICTED = ("lzw", "adobe_deflate", "zstd", "lzma")
_BILEVEL = ("", "packbits", *_PREDICTED)  # that can be written of 1 bit a sample
_LOSSY = (6, 7, 33003, 33004, 33005, 34712, 34892, 50001, 50002)
_RAW_TAGS = (33421, 33422, 50706)  # colour filter array, its pattern, DNG version
_UNKNOWN_COLOURS = {
    4: "a transparency mask",
    8: "CIELab",
    9: "ICCLab",
    10: "ITULab",
    32844: "LogL",
    32845: "LogLuv",
}
_MOST_TAGS = 10_000  # of a page: more than any real file has; ends a scan of a crafted one
_MOST_SEGMENTS = 1_000_000


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """What tifffile says about damaged files, our errors say; in other threads it may go on."""
    here, logger = threading.get_ident(), logging.getLogger("tifffile")

    def elsewhere(record: logging.LogRecord) -> bool:
        return record.thread != here

    logger.addFilter(elsewhere)
    try:
        yield
    finally:
        logger.removeFilter(elsewhere)


def header(file: BinaryIO) -> Header:
    """The size of the first page of full size, and how many of the first two are."""
    pages = list(_first_pages(file))
    full_size = [page for page in pages if not page.get(254, 0) & 1] or pages
    if not pages:
        raise PhotoError("is damaged.", "Copy it again from where it came.")
    return Header(full_size[0].get(256, 0), full_size[0].get(257, 0), len(full_size))


def _first_pages(file: BinaryIO) -> Iterator[dict[int, int]]:
    """Of the first two pages: tag -> first value, for tags whose value lies in the entry itself."""
    start = file.read(16)
    order, layout = ifd.order_of(start), ifd.layout_of(start)
    (offset,) = struct.unpack_from(order + layout.pointer, start, layout.head)
    for _ in range(2):
        if offset == 0:
            return
        file.seek(offset)
        (count,) = struct.unpack(order + layout.counter, file.read(struct.calcsize(layout.counter)))
        if count > _MOST_TAGS:
            raise PhotoError("is damaged.", "Copy it again from where it came.")
        block = file.read(count * layout.entry)
        tags: dict[int, int] = {}
        for position in range(0, count * layout.entry, layout.entry):
            tag, kind = struct.unpack_from(order + "HH", block, position)
            code = {1: "B", 3: "H", 4: "I", 16: "Q"}.get(kind, "I")
            (tags[tag],) = struct.unpack_from(order + code, block, position + layout.entry - layout.inline)
        yield tags
        (offset,) = struct.unpack(order + layout.pointer, file.read(struct.calcsize(layout.pointer)))


def decode(data: bytes, reading: Reading) -> Stored:
    try:
        offsets = [ifd.target(data, place) for place in ifd.links(data)]
        directories = [ifd.read(data, offset) for offset in offsets]
    except struct.error as error:
        raise PhotoError("is cut short or damaged.", "Copy it again from where it came.") from error
    order = ifd.order_of(data)
    full = [number for number, tags in enumerate(directories) if not tiffpages.is_reduced(tags, order)]
    if not full:
        raise Unsupported("has its picture behind a thumbnail.", "Export it as a plain TIFF first.")
    number = full[reading.frame(len(full), "a TIFF of several pictures")]
    tags = directories[number]
    with _quietly(), tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[number]
        assert isinstance(page, tifffile.TiffPage)
        _refuse(page, data, tags, reading)
        samples, photometric = _samples(page, data, number, reading)
        coding = _coding(page, data, tags, samples, photometric, reading)
    if len(directories) > len(full) or any(tag.code == 330 for tag in tags):
        reading.leave_out("smaller copies")
    if len(full) > 1:
        coding = coding._replace(file=data, page=number)
    if photometric == tifftags.SEPARATED:
        return _from_cmyk(samples, coding, reading)
    if photometric == tifftags.PALETTE:
        reading.say_merged(samples, tiffsamples.colours(coding.meaning))
    seen = tiffsamples.seen(samples, coding.meaning)
    if not tiffsamples.is_exact(samples, coding.meaning):
        coding = coding._replace(original=samples, seen=seen)
    return _stored(seen, coding)


def encode(picture: Stored, same: bool, quality: int | None) -> bytes:
    """``quality`` means nothing here: a lossy TIFF is written without loss."""
    del quality
    metadata = picture.metadata
    coding = metadata.tiff if same and metadata.tiff else None
    joined = picture.joined()
    joined = joined[..., None] if joined.ndim == 2 else joined
    meaning = tiffsamples.fitted(coding.meaning if coding else None, picture)
    coding = coding or TiffCoding("<", "adobe_deflate", True, meaning, tifftags.new_tags(metadata))
    options: dict[str, Any] = {}
    if metadata.mode == "P" and (indexed := to_palette(picture.joined(), metadata.palette)) is not None:
        samples, options = _indexed(*indexed, metadata, coding.meaning)
    else:
        samples = tiffsamples.restored(joined, meaning, coding.original, coding.seen)
        options["photometric"] = {0: "miniswhite", 1: "minisblack", 2: "rgb", 6: "ycbcr"}[meaning.photometric]
        if meaning.extra is not None:
            options["extrasamples"] = [max(meaning.extra, tifftags.OTHER)]
        if meaning.bits not in (1, 8, 16, 32, 64):
            options["bitspersample"] = meaning.bits
    samples = np.ascontiguousarray(samples[..., 0] if samples.shape[-1] == 1 else samples)
    data = _written(samples, coding, options)
    layout = tuple(_layout(data, coding, meaning))
    if ifd.order_of(data) != coding.order:  # of packed bits, which lie alike in both orders
        layout = ifd.swapped(layout)
    if coding.file:
        return tiffpages.replaced(coding.file, coding.page, data, layout + coding.tags)
    return ifd.replaced(data, layout + coding.tags, coding.order)


def _layout(data: bytes, coding: TiffCoding, meaning: Meaning) -> Iterator[TiffTag]:
    """The tags that lay out the samples in ``data``, saying what those of the source said."""
    codes = tifftags.LAYOUT | {tifftags.REFERENCE, tifftags.LUMA} - {tag.code for tag in coding.tags}
    for tag in ifd.read(data):
        if tag.code in codes and not (tag.code == tifftags.EXTRA and meaning.extra == tifftags.UNSAID):
            yield tag


def _refuse(page: tifffile.TiffPage, data: bytes, tags: tuple[TiffTag, ...], reading: Reading) -> None:
    """Raises Unsupported for everything that would not come back as it was."""
    if any(tag.code in _RAW_TAGS for tag in tags):
        raise Unsupported("is a camera raw file.", "Export a 16-bit TIFF from your raw converter first.")
    laid_out = [tag.code for tag in tags if tag.code in tifftags.LAYOUT]
    if len(set(laid_out)) < len(laid_out):  # of two sizes each reader takes another
        raise PhotoError("is damaged.", "Copy it again from where it came.")
    if tiffpages.is_thumbnail(data, tags):
        raise Unsupported("has its picture behind a thumbnail.", "Export it as a plain TIFF first.")
    reading.require_size(page.imagewidth, page.imagelength)
    if page.tilewidth * page.tilelength > 4 * page.imagewidth * page.imagelength + 2**24:
        raise PhotoError("is damaged.", "Copy it again from where it came.")
    photometric, bits = int(page.photometric), page.bitspersample
    if photometric not in tifftags.COLOURS:
        kind = _UNKNOWN_COLOURS.get(photometric, f"kind {photometric}")
        raise Unsupported(f"has colours of a kind that is not supported ({kind}).", "Convert it to RGB first.")
    if page.sampleformat == 2:
        raise Unsupported(f"has signed {bits}-bit samples.", "Convert it to unsigned 8 or 16 bit first.")
    floats = page.sampleformat == 3
    if page.imagedepth > 1:
        raise Unsupported("is a volume of several slices.", "Save the slice that matters as a plain TIFF.")
    if page.dtype is None or bits not in ((16, 32, 64) if floats else (*range(1, 17),)):
        raise Unsupported(f"has samples of {bits} bit that are not supported.", "Convert it to 8 or 16 bit first.")
    if bits == 1 and page.samplesperpixel > 1:
        raise Unsupported("has several channels of 1 bit.", "Convert it to 8 bit first.")
    extra = page.samplesperpixel - tifftags.COLOURS[photometric]
    if extra < 0 or extra > 1 or (extra and photometric == tifftags.PALETTE):
        raise Unsupported(
            f"has {page.samplesperpixel} channels.", "Save it with its colours and one channel more at most."
        )
    if photometric == tifftags.SEPARATED:
        require_allowed(reading)
        if extra or bits != 8:
            raise Unsupported(
                "has CMYK with alpha or of other than 8 bit, which is not converted.",
                "Convert it to RGB in your editor first.",
            )
    if len(page.dataoffsets) > _MOST_SEGMENTS:
        raise Unsupported("has more than a million strips or tiles.", "Save it with larger ones.")


def _samples(page: tifffile.TiffPage, data: bytes, number: int, reading: Reading) -> tuple[Samples, int]:
    """(H, W, C) as stored, and what they are: JPEG's YCbCr is RGB after decoding."""
    photometric = int(page.photometric)
    if photometric == tifftags.YCBCR and page.compression not in (6, 7, 34712) and _is_subsampled(page):
        with Image.open(io.BytesIO(data)) as image:
            image.seek(number)
            reading.say("This TIFF has YCbCr of lower resolution in colour; it is written as RGB.")
            return np.asarray(image.convert("RGB")), tifftags.RGB
    try:
        samples = page.asarray()
    except (NotImplementedError, KeyError) as error:
        raise Unsupported(
            f"is compressed or laid out in a way that is not supported ({_name(page.compression)}).",
            "Save it without compression first.",
        ) from error
    if samples.ndim == 2:
        samples = samples[..., None]
    elif page.planarconfig == 2:
        samples = np.moveaxis(samples, 0, -1)
    bits, kind = page.bitspersample, samples.dtype.kind
    is_beyond = kind == "u" and bits < 8 * samples.dtype.itemsize and int(samples.max(initial=0)) >= 2**bits
    if is_beyond or samples.shape != (page.imagelength, page.imagewidth, page.samplesperpixel):
        raise PhotoError("is cut short or damaged.", "Copy it again from where it came.")
    if photometric == tifftags.YCBCR and page.compression in (6, 7, 34712, 33003):
        photometric = tifftags.RGB
    return np.ascontiguousarray(samples), photometric


def _name(compression: int) -> str:
    return getattr(compression, "name", f"compression {compression}")


def _is_subsampled(page: tifffile.TiffPage) -> bool:
    return tuple(page.subsampling or (1, 1)) != (1, 1)


def _coding(
    page: tifffile.TiffPage,
    data: bytes,
    tags: tuple[TiffTag, ...],
    samples: Samples,
    photometric: int,
    reading: Reading,
) -> TiffCoding:
    order, compression = ifd.order_of(data), int(page.compression)
    meaning = tiffsamples.meaning_of(page, tags, samples, photometric, order)
    name = _COMPRESSIONS.get(compression, "adobe_deflate")
    ways = {"in tiles": page.is_tiled, "in planes": page.planarconfig == 2 and page.samplesperpixel > 1}
    ways["as BigTIFF"] = page.parent.is_bigtiff and len(page.parent.pages) == 1
    if any(ways.values()):
        reading.say(f"This TIFF lies {', '.join(way for way in ways if ways[way])}; it is written in strips.")
    if compression in _LOSSY and not _is_lossless(page, data):
        reading.say("This TIFF was compressed with loss; it is written without, and becomes larger.")
        name = "adobe_deflate"
    elif compression not in _COMPRESSIONS or (meaning.bits == 1 and name not in _BILEVEL):
        name = "adobe_deflate"
        reading.say(f"This TIFF's compression ({_name(page.compression)}) cannot be written; it is deflated.")
    if meaning.bits not in (1, 8, 16, 32, 64) and name:
        reading.say(f"This TIFF has {meaning.bits} bits a sample; it is written without compression.")
        name = ""
    if photometric != tifftags.YCBCR and page.photometric == tifftags.YCBCR:
        tags = tuple(tag for tag in tags if tag.code not in (tifftags.LUMA, tifftags.REFERENCE))
    kept = tuple(tifftags.cleaned(tags, reading))
    return TiffCoding(order, name, page.predictor in (2, 3) and name in _PREDICTED, meaning, kept)


def _is_lossless(page: tifffile.TiffPage, data: bytes) -> bool:
    """Whether a compression that can be either is without loss, by its first strip or tile."""
    if not page.dataoffsets or not page.databytecounts:
        return False
    first = data[page.dataoffsets[0] : page.dataoffsets[0] + page.databytecounts[0]]
    if page.compression == 50001:
        return first[12:16] == b"VP8L"
    style = first.find(
        b"\xff\x52"
    )  # JPEG 2000's COD: its last byte but for precincts is the wavelet, 1 the reversible
    return page.compression == 34712 and style > 0 and first[style + 13 : style + 14] == b"\x01"


def _from_cmyk(samples: Samples, coding: TiffCoding, reading: Reading) -> Stored:
    profile = next((tag.value for tag in coding.tags if tag.code == tifftags.ICC), b"")
    colour = to_rgb(Image.fromarray(samples, "CMYK"), profile, reading)
    tags = tuple(
        tag
        for tag in coding.tags
        if tag.code not in (tifftags.ICC, tifftags.TRANSFER, tifftags.WHITE, tifftags.PRIMARIES)
    )
    return _stored(colour, coding._replace(tags=tags, meaning=Meaning(tifftags.RGB, 8)))


def _stored(seen: Samples, coding: TiffCoding) -> Stored:
    meaning = coding.meaning
    palette = tiffsamples.colours(meaning).tolist() if meaning.photometric == tifftags.PALETTE else []
    metadata = tifftags.metadata_of(coding, tuple((r, g, b, 255) for r, g, b in palette))
    colour, last = split(seen)
    if meaning.extra in (tifftags.PREMULTIPLIED, tifftags.STRAIGHT):
        return Stored(colour, last, metadata)
    return Stored(colour, None, metadata, last)


def _indexed(
    indices: Samples, palette: list[tuple[int, int, int, int]], metadata: Metadata, old: Meaning
) -> tuple[Samples, dict[str, Any]]:
    """A palette picture as tifffile takes it; old colours keep the 16 bits they had."""
    table = np.zeros((256, 3), np.uint16)
    table[: len(palette)] = np.array(palette, np.uint16)[:, :3] * 257
    if old.colormap is not None and old.colormap.max(initial=0) >= 256:
        deep = dict(zip(metadata.palette, old.colormap, strict=False))
        for number, colour in enumerate(palette):
            table[number] = deep.get(colour, table[number])
    return indices[..., None], {"photometric": "palette", "colormap": table.T}


def _written(samples: Samples, coding: TiffCoding, options: dict[str, Any]) -> bytes:
    target = io.BytesIO()
    compression = coding.compression
    reversible = {"jpeg2000": {"reversible": True}, "webp": {"lossless": True}}.get(compression)
    tifffile.imwrite(
        target,
        samples,
        byteorder="<" if "bitspersample" in options else coding.order,
        compression=compression or None,
        compressionargs=reversible,
        predictor=coding.predictor and samples.dtype != np.bool_ and "bitspersample" not in options,
        metadata=None,
        software=False,
        **options,
    )
    return target.getvalue()
