"""The tags of a TIFF that describe the picture: what is kept of them, and what they say."""

import struct
from collections.abc import Iterator

from patchloom.formats import exif, hidden, ifd, photoshop, xmp
from patchloom.formats.picture import Metadata, Palette, Reading, TiffCoding, TiffTag

WHITE_IS_ZERO, GREY, RGB, PALETTE, SEPARATED, YCBCR = 0, 1, 2, 3, 5, 6  # photometric interpretations
COLOURS = {WHITE_IS_ZERO: 1, GREY: 1, RGB: 3, PALETTE: 1, SEPARATED: 4, YCBCR: 3}  # samples that are colours
UNSAID, OTHER, PREMULTIPLIED, STRAIGHT = -1, 0, 1, 2  # kinds of a sample beyond the colours
PHOTOMETRIC, EXTRA, NODATA = 262, 338, 42113  # the last is GDAL's
LAYOUT = {254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 290, 291}
LAYOUT |= {292, 293, 297, 317, 320, 321, 322, 323, 324, 325, 326, 327, 328, 330, 332, 334, 336, 338, 339, 340}
LAYOUT |= {341, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 530, 531, 34016, 37679, 37680, 37681}
_ORIENTATION, _X, _Y, _UNIT, _XMP, _IPTC, _PHOTOSHOP, ICC = 274, 282, 283, 296, 700, 33723, 34377, 34675
TRANSFER, WHITE, PRIMARIES, LUMA, REFERENCE = 301, 318, 319, 529, 532
_LOOK = (_ORIENTATION, ICC, TRANSFER, WHITE, PRIMARIES, LUMA, REFERENCE)


def cleaned(tags: tuple[TiffTag, ...], reading: Reading) -> Iterator[TiffTag]:
    """The tags that describe, without pictures in them."""
    gone = []
    for tag in tags:
        if tag.code in LAYOUT:
            continue
        if tag.code == _XMP:
            value, more = xmp.without_pictures(tag.value)
            gone += ["parts of XMP"] if more else []
        elif tag.code == _PHOTOSHOP:
            value, more = photoshop.without_pictures(tag.value)
            gone += ["Photoshop resources"] if more else []
        elif tag.directory is not None:
            yield tag._replace(directory=tuple(cleaned(tag.directory, reading)))
            continue
        elif tag.code == _IPTC:
            value, more = photoshop.captions(tag.value)
            value += bytes(-len(value) % ifd.SIZES[tag.type])
            gone += ["parts of IPTC"] if more else []
        elif exif.carries_no_picture(tag.code, tag.value):
            value = hidden.blanked(tag.value) if tag.code == exif.MAKER_NOTE else tag.value
        else:
            gone.append("Photoshop layers" if tag.code == exif.LAYERS else f"tag {tag.code}")
            continue
        if value:
            yield tag._replace(value=value, length=len(value) // ifd.SIZES[tag.type])
    reading.leave_out(*gone)


def stripped(coding: TiffCoding, orientation: int) -> TiffCoding:
    """Without all that does not change how the picture looks, and turned as ``orientation`` says."""
    tags = [tag for tag in coding.tags if tag.code in _LOOK and tag.code != _ORIENTATION]
    if orientation != 1:
        tags.append(TiffTag(_ORIENTATION, 3, 1, struct.pack(coding.order + "H", orientation)))
    return coding._replace(tags=tuple(tags))


def metadata_of(coding: TiffCoding, palette: Palette) -> Metadata:
    tags, order, meaning = {tag.code: tag for tag in coding.tags}, coding.order, coding.meaning
    dpi = None
    if _X in tags and _Y in tags and tags[_X].type == tags[_Y].type == 5:
        unit = next(iter(ifd.numbers(tags[_UNIT], order)), 2) if _UNIT in tags else 2
        scale = {2: 1.0, 3: 2.54}.get(unit, 0.0)
        across, down = (ratios(tags[code], order)[0] * scale for code in (_X, _Y))
        dpi = (across, down) if across and down else None
    turned = next(iter(ifd.numbers(tags[_ORIENTATION], order)), 1) if _ORIENTATION in tags else 1
    described = tuple(tag for tag in coding.tags if tag.code not in (_XMP, _PHOTOSHOP, ICC, _X, _Y, _UNIT, _IPTC))
    mode = {3: "P", 0: "L", 1: "L"}.get(meaning.photometric, "RGB")
    has_alpha = meaning.extra in (PREMULTIPLIED, STRAIGHT)
    return Metadata(
        orientation=turned if 1 <= turned <= 8 else 1,
        mode="1" if meaning.bits == 1 and mode == "L" else mode + "A" * has_alpha,
        icc=tags[ICC].value if ICC in tags else b"",
        colours="its transfer function or primaries" if {TRANSFER, WHITE, PRIMARIES} & tags.keys() else "",
        exif=ifd.block(described, order) if described else b"",
        xmp=tags[_XMP].value if _XMP in tags else b"",
        dpi=dpi,
        palette=palette,
        tiff=coding,
    )


def new_tags(metadata: Metadata) -> tuple[TiffTag, ...]:
    """For a picture that comes from another format: its EXIF block taken apart, profile, XMP, resolution."""
    tags: tuple[TiffTag, ...] = ()
    if metadata.exif:
        try:
            tags = ifd.read(metadata.exif)
        except struct.error:
            tags = ()
        if ifd.order_of(metadata.exif) == ">":
            tags = ifd.swapped(tags)
    own = [TiffTag(ICC, 7, len(metadata.icc), metadata.icc)] if metadata.icc else []
    if metadata.xmp:
        own.append(TiffTag(_XMP, 1, len(metadata.xmp), metadata.xmp))
    if metadata.dpi:
        for code, value in zip((_X, _Y), metadata.dpi, strict=True):
            own.append(TiffTag(code, 5, 1, struct.pack("<II", round(value * 10000), 10000)))
        own.append(TiffTag(_UNIT, 3, 1, struct.pack("<H", 2)))
    replaced = {tag.code for tag in own} | LAYOUT
    return tuple(tag for tag in tags if tag.code not in replaced) + tuple(own)


def ratios(tag: TiffTag, order: str) -> tuple[float, ...]:
    if tag.type != 5:
        return ()
    parts = struct.unpack(f"{order}{len(tag.value) // 4}I", tag.value)
    return tuple(over / under if under else 0.0 for over, under in zip(parts[::2], parts[1::2], strict=False))
