"""Whatever format, mode and depth a photograph has: change a few pixels, save, reopen; the rest is as it was."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, PngImagePlugin

from patchloom import Photo
from patchloom.formats import exif as exif_block

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
HOLE = (slice(9, 13), slice(20, 25))


def scene(channels: int, depth: type = np.uint8, size: tuple[int, int] = (40, 56)) -> np.ndarray:
    """Smooth shapes and a little noise, so that JPEG has something ordinary to do."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[: size[0], : size[1]] / max(size)
    waves = np.stack([np.sin(9 * x + 5 * y * (c + 1)) * 0.35 + 0.5 for c in range(channels)], axis=-1)
    picture = np.clip(waves + rng.normal(0, 0.01, waves.shape), 0, 1)
    full = np.iinfo(depth).max
    return np.round(picture * full).astype(depth).squeeze()


def camera_exif(orientation: int = 1, thumbnail: bytes = b"") -> bytes:
    """An EXIF block with an Exif and a GPS sub-directory and, if wanted, a thumbnail."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769)[0x829A] = 1 / 250
    exif.get_ifd(0x8769)[0x927C] = b"maker note \x00\x01\x02"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (51.0, 28.0, 40.0)
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    return with_thumbnail(block, thumbnail) if thumbnail else block


def with_thumbnail(block: bytes, thumbnail: bytes) -> bytes:
    """The block with a second directory that points to ``thumbnail``, as cameras write it."""
    order = "<" if block[:2] == b"II" else ">"
    first = struct.unpack_from(order + "I", block, 4)[0]
    end = first + 2 + 12 * struct.unpack_from(order + "H", block, first)[0]
    directory = len(block)
    data = directory + 2 + 3 * 12 + 4
    body = struct.pack(order + "H", 3)
    body += struct.pack(order + "HHII", 0x0103, 3, 1, 6 if order == "<" else 6 << 16)
    body += struct.pack(order + "HHII", 0x0201, 4, 1, data)
    body += struct.pack(order + "HHII", 0x0202, 4, 1, len(thumbnail)) + bytes(4)
    return block[:end] + struct.pack(order + "I", directory) + block[end + 4 :] + body + thumbnail


def png(mode: str, samples: np.ndarray, **extra: Any) -> bytes:
    """By Pillow; 16-bit colour, which Pillow cannot write, by hand."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "a scene")
    info.add_itxt("Comment", "mit Umlaut: ä", lang="de", tkey="", zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    info.add_text("Zipped", "words " * 50, zip=True)
    target = io.BytesIO()
    if samples.dtype == np.uint16 and samples.ndim == 3:
        options = {"pnginfo": info, "icc_profile": ICC, "dpi": (300, 300), "exif": camera_exif()}
        Image.new("RGB", samples.shape[1::-1]).save(target, "PNG", **options)
        return _with_16_bit(target.getvalue(), samples)
    image = Image.fromarray(samples)
    if mode == "P":
        image = image.quantize(17)
    elif mode == "1":
        image = image.convert("1", dither=Image.Dither.NONE)
    image.save(target, "PNG", pnginfo=info, icc_profile=ICC, dpi=(300, 300), exif=camera_exif(), **extra)
    return target.getvalue()


def _with_16_bit(plain: bytes, samples: np.ndarray) -> bytes:
    """The chunks of ``plain`` with IHDR and IDAT replaced by those of ``samples``."""
    colour = {3: 2, 4: 6, 2: 4}[samples.shape[2]]
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], 16, colour, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    out, position = plain[:8], 8
    while position < len(plain):
        length = int.from_bytes(plain[position : position + 4], "big")
        kind, body = plain[position + 4 : position + 8], plain[position + 8 : position + 8 + length]
        body = {b"IHDR": header, b"IDAT": zlib.compress(rows)}.get(kind, body)
        out += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        position += 12 + length
    return out


def pillow(format: str, samples: np.ndarray, **options: Any) -> bytes:
    target = io.BytesIO()
    Image.fromarray(samples).save(target, format, icc_profile=ICC, exif=b"Exif\0\0" + camera_exif(), **options)
    return target.getvalue()


def tiff(samples: np.ndarray, **options: Any) -> bytes:
    target = io.BytesIO()
    tags = [(700, 1, len(XMP), XMP, True), (315, 2, 4, b"Bob\0", True), (33723, 7, 5, b"iptc!", True)]
    tifffile.imwrite(
        target, samples, iccprofile=ICC, extratags=tags, resolution=(300, 300), metadata=None, **options
    )
    return target.getvalue()


RGB = {"photometric": "rgb"}
LOSSLESS: dict[str, Callable[[], bytes]] = {
    "png 1": lambda: png("1", scene(1)),
    "png L": lambda: png("L", scene(1)),
    "png LA": lambda: png("LA", scene(2)),
    "png P": lambda: png("P", scene(3)),
    "png P with transparency": lambda: png("P", scene(3), transparency=3),
    "png RGB": lambda: png("RGB", scene(3)),
    "png RGBA": lambda: png("RGBA", scene(4)),
    "png 16-bit grey": lambda: png("I;16", scene(1, np.uint16)),
    "png 16-bit RGB": lambda: png("RGB", scene(3, np.uint16)),
    "png 16-bit RGBA": lambda: png("RGBA", scene(4, np.uint16)),
    "webp lossless RGB": lambda: pillow("WEBP", scene(3), lossless=True, xmp=XMP),
    "webp lossless RGBA": lambda: pillow("WEBP", scene(4), lossless=True, exact=True, xmp=XMP),
    "tiff 1": lambda: tiff(scene(1) > 127),
    "tiff L": lambda: tiff(scene(1), compression="lzw"),
    "tiff white is zero": lambda: tiff(scene(1), photometric="miniswhite"),
    "tiff RGB, deflate": lambda: tiff(scene(3), compression="adobe_deflate", predictor=True, **RGB),
    "tiff RGB, big-endian": lambda: tiff(scene(3), byteorder=">", **RGB),
    "tiff RGB, planes": lambda: tiff(np.moveaxis(scene(3), -1, 0), planarconfig="separate", **RGB),
    "tiff RGBA": lambda: tiff(scene(4), extrasamples=["unassalpha"], **RGB),
    "tiff 16-bit grey": lambda: tiff(scene(1, np.uint16), byteorder=">", compression="packbits"),
    "tiff 16-bit RGB": lambda: tiff(scene(3, np.uint16), compression="lzw", predictor=True, **RGB),
    "tiff 16-bit RGBA": lambda: tiff(scene(4, np.uint16), extrasamples=["unassalpha"], **RGB),
    "tiff float": lambda: tiff(scene(3, np.uint16).astype(np.float32) / 65535, **RGB),
    "tiff palette": lambda: tiff(scene(1) // 16, photometric="palette", colormap=ramp()),
    "tiff tiles": lambda: tiff(scene(3), tile=(16, 16), **RGB),
}
LOSSY: dict[str, Callable[[], bytes]] = {
    "jpeg grey": lambda: pillow("JPEG", scene(1), quality=85, dpi=(300, 300), xmp=XMP),
    "jpeg 4:2:0": lambda: pillow("JPEG", scene(3), quality=85, subsampling=2, dpi=(300, 300), xmp=XMP),
    "jpeg 4:4:4": lambda: pillow("JPEG", scene(3), quality=93, subsampling=0, xmp=XMP),
    "jpeg progressive": lambda: pillow("JPEG", scene(3), quality=80, progressive=True, comment=b"hello"),
    "jpeg RGB": lambda: pillow("JPEG", scene(3), quality=90, keep_rgb=True),
    "webp": lambda: pillow("WEBP", scene(3), quality=80, xmp=XMP),
    "webp RGBA": lambda: pillow("WEBP", scene(4), quality=80, xmp=XMP),
    "avif": lambda: pillow("AVIF", scene(3), quality=80, xmp=XMP),
    "avif RGBA": lambda: pillow("AVIF", scene(4), quality=80, xmp=XMP),
}


def ramp() -> np.ndarray:
    return (np.arange(256, dtype=np.uint16) * 257 * np.array([[1], [2], [3]], np.uint16)) & 0xFF00


def edited(photo: Photo) -> Photo:
    """A few pixels of the hole take another pixel's value, as a fill's would."""
    pixels = photo.pixels.copy()
    pixels[HOLE] = pixels[0, 0]
    return photo.with_pixels(pixels)


def outside(photo: Photo) -> np.ndarray:
    known = np.ones(photo.pixels.shape[:2], bool)
    known[HOLE] = False
    return photo.to_array()[known]


def as_metadata(photo: Photo) -> tuple[Any, ...]:
    """All that is to be kept, as this program reads it. JPEG tables and TIFF tags included."""
    found = photo.metadata
    return (
        found.mode,
        found.icc,
        found.exif,
        found.xmp,
        found.text,
        found.jpeg,
        found.lossless,
        found.orientation,
    )


def as_others_see_it(data: bytes) -> dict[str, Any]:
    """What Pillow and tifffile, which share no code with ours, read of the metadata."""
    if data[:2] in (b"II", b"MM"):
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages.first
            kept = {
                code: page.tags[code].value
                for code in (700, 315, 33723, 34675, 282, 283, 296)
                if code in page.tags
            }
            return {
                "tags": kept,
                "depth": page.bitspersample,
                "samples": page.samplesperpixel,
                "compression": page.compression,
                "photometric": page.photometric,
            }
    with Image.open(io.BytesIO(data)) as image:
        info = {
            key: image.info.get(key)
            for key in (
                "icc_profile",
                "dpi",
                "Title",
                "Comment",
                "Zipped",
                "xmp",
                "comment",
                "progressive",
                "XML:com.adobe.xmp",
            )
        }
        exif = image.getexif()
        sub = {tag: dict(exif.get_ifd(tag)) for tag in (0x8769, 0x8825)}
        tables = getattr(image, "quantization", None)
        return {**info, "exif": dict(exif), "sub": sub, "mode": image.mode, "size": image.size, "tables": tables}


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_files_come_back_with_only_the_hole_changed(name: str) -> None:
    data = LOSSLESS[name]()
    photo = Photo.open(data)
    saved = edited(photo).encode()
    again = Photo.open(saved)
    assert again.pixels.dtype == photo.pixels.dtype and again.format == photo.format
    np.testing.assert_array_equal(outside(again), outside(photo))
    np.testing.assert_array_equal(again.pixels, edited(photo).pixels)
    assert as_metadata(again) == as_metadata(photo)
    assert as_others_see_it(saved) == as_others_see_it(data)


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_files_come_back_within_the_error_of_an_untouched_save(name: str) -> None:
    data = LOSSY[name]()
    photo = Photo.open(data)
    saved = edited(photo).encode()
    untouched = Photo.open(photo.encode())
    again = Photo.open(saved)
    far = np.ones(photo.pixels.shape[:2], bool)
    far[:32, :48] = False  # the blocks that the hole touches, and their neighbours
    if photo.format == "JPEG":  # blocks are coded one by one: no other changes
        np.testing.assert_array_equal(again.pixels[far], untouched.pixels[far])
    error = np.abs(again.pixels.astype(int) - edited(photo).pixels)[far].mean()
    assert error <= 1.2 * np.abs(untouched.pixels.astype(int) - photo.pixels)[far].mean() + 0.3
    assert as_metadata(again) == as_metadata(photo)
    assert as_others_see_it(saved) == as_others_see_it(data)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_every_orientation_is_upright_for_work_and_stored_as_it_was(turn: int, format: str) -> None:
    samples = scene(3, size=(24, 40))
    exif = Image.Exif()
    exif[0x0112] = turn
    target = io.BytesIO()
    if format == "TIFF":
        tifffile.imwrite(target, samples, extratags=[(274, 3, 1, turn, True)], metadata=None, **RGB)
    else:
        options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95, "subsampling": 0}}.get(format, {})
        Image.fromarray(samples).save(target, format, exif=exif, **options)
    data = target.getvalue()
    with Image.open(io.BytesIO(data)) as stored:
        # Pillow's own turning is the truth; its TIFF reader has turned the picture already.
        stored.load()
        turned = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
        upright = Image.fromarray(samples) if format != "JPEG" else Image.fromarray(np.asarray(stored))
        if turn > 1:
            upright = upright.transpose(Image.Transpose(turned[turn]))
    photo = Photo.open(data)
    np.testing.assert_array_equal(photo.pixels, np.asarray(upright))
    marked = photo.pixels.copy()
    marked[2:4, 3:7] = 255
    saved = photo.with_pixels(marked).encode()
    assert Photo.open(saved).metadata.orientation == turn
    again = Photo.open(saved).pixels
    if format == "JPEG":
        assert np.abs(again.astype(int) - marked).mean() < 3
    else:
        np.testing.assert_array_equal(again, marked)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_the_thumbnail_is_gone_and_the_rest_of_exif_is_the_same_bytes(format: str) -> None:
    small = io.BytesIO()
    Image.new("RGB", (16, 12), "red").save(small, "JPEG")
    block = camera_exif(thumbnail=small.getvalue())
    target = io.BytesIO()
    Image.fromarray(scene(3)).save(target, format, exif=b"Exif\0\0" + block)
    assert small.getvalue() in target.getvalue()
    saved = Photo.open(target.getvalue()).encode()
    assert small.getvalue()[:40] not in saved
    kept = Photo.open(saved).metadata.exif
    assert len(kept) == len(block)
    with Image.open(io.BytesIO(saved)) as image:
        exif = image.getexif()
        assert exif[0x010F] == "Maker"
        assert exif.get_ifd(0x8825)[1] == "N"
        assert exif.get_ifd(0x8769)[0x927C] == b"maker note \x00\x01\x02"
        assert not exif.get_ifd(0x0201) and image.info["exif"].count(b"\xff\xd8\xff") == 0


def test_previews_hidden_in_xmp_photoshop_resources_and_further_pictures_are_gone() -> None:
    preview = b"PREVIEWPREVIEW"
    packet = XMP.replace(b"<rdf:RDF", b"<xmp:Thumbnails>" + preview + b"</xmp:Thumbnails><rdf:RDF")
    resource = b"8BIM\x04\x0c\0\0" + struct.pack(">I", len(preview)) + preview
    kept = b"8BIM\x04\x04\0\0" + struct.pack(">I", 4) + b"IPTC"
    segment = b"Photoshop 3.0\0" + resource + kept
    further = b"MPF\0" + bytes(20)
    plain = pillow("JPEG", scene(3), xmp=packet)
    app13 = b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment
    app2 = b"\xff\xe2" + struct.pack(">H", len(further) + 2) + further
    data = plain[:2] + app13 + app2 + plain[2:] + preview
    saved = Photo.open(data).encode()
    assert preview not in saved and b"MPF\0" not in saved
    assert kept in saved and b"rdf:RDF" in saved


def test_unknown_png_chunks_that_are_safe_to_copy_are_copied() -> None:
    data = png("RGB", scene(3))
    safe, unsafe = (b"prVt", b"prVT")
    for kind in (safe, unsafe):
        data = (
            data[:33]
            + struct.pack(">I", 4)
            + kind
            + b"1234"
            + struct.pack(">I", zlib.crc32(kind + b"1234"))
            + data[33:]
        )
    saved = Photo.open(data).encode()
    assert safe in saved and unsafe not in saved


@pytest.mark.parametrize("source", ["png RGB", "jpeg 4:2:0", "webp lossless RGB", "avif", "tiff 16-bit RGB"])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF"])
def test_metadata_survives_a_change_of_format(source: str, format: str) -> None:
    photo = Photo.open({**LOSSLESS, **LOSSY}[source]())
    again = Photo.open(photo.encode(format))
    assert again.format == format
    assert again.metadata.icc == ICC
    assert again.metadata.xmp == XMP
    if "tiff" not in source:
        with Image.open(io.BytesIO(photo.encode(format))) as image:
            exif = image.getexif()
            assert exif[0x010F] == "Maker"
            assert exif.get_ifd(0x8769)[0x829A] == pytest.approx(1 / 250)
            assert exif.get_ifd(0x8825)[1] == "N"
    if photo.metadata.dpi and format in ("PNG", "JPEG", "TIFF"):
        assert again.metadata.dpi == pytest.approx((300, 300), abs=0.1)


@pytest.mark.parametrize("name", ["png RGB", "jpeg 4:2:0", "webp", "avif", "tiff 16-bit RGB"])
def test_stripped_files_keep_only_profile_and_orientation(name: str) -> None:
    photo = Photo.open({**LOSSLESS, **LOSSY}[name]())
    saved = photo.encode(strip_metadata=True)
    again = Photo.open(saved).metadata
    assert again.icc == ICC
    assert not again.xmp and not again.text and not again.dpi
    assert b"Maker" not in saved and b"adobe:ns:meta" not in saved


def test_a_stripped_photo_still_stands_upright() -> None:
    target = io.BytesIO()
    Image.fromarray(scene(3)).save(target, "JPEG", exif=b"Exif\0\0" + camera_exif(orientation=6))
    photo = Photo.open(target.getvalue())
    again = Photo.open(photo.encode(strip_metadata=True))
    assert again.metadata.orientation == 6
    assert again.pixels.shape == photo.pixels.shape


def test_the_camera_directories_of_a_tiff_survive() -> None:
    """tifffile cannot write them, so the file is made from an EXIF block by Pillow."""
    target = io.BytesIO()
    Image.fromarray(scene(3)).save(target, "TIFF", exif=b"Exif\0\0" + camera_exif())
    saved = edited(Photo.open(target.getvalue())).encode()
    for data in (target.getvalue(), saved):
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            tags = file.pages.first.tags
            assert tags[34665].value["ExposureTime"] == pytest.approx(1 / 250)
            assert tags[34665].value["MakerNote"] == b"maker note \x00\x01\x02"
            assert tags[34853].value["GPSLatitude"] == (51, 1, 28, 1, 40, 1)


def test_a_profile_for_grey_is_not_put_into_a_file_of_colours() -> None:
    """Pillow makes no grey profile, but the header's colour space is all that counts."""
    grey = ICC[:16] + b"GRAY" + ICC[20:]
    target = io.BytesIO()
    Image.fromarray(scene(1)).save(target, "PNG", icc_profile=grey)
    photo = Photo.open(target.getvalue())
    said: list[Any] = []
    assert Photo.open(photo.encode("TIFF", observe=said.append)).metadata.icc == grey and not said
    assert Photo.open(photo.encode("WEBP", observe=said.append)).metadata.icc == b"" and said


def test_damaged_exif_is_carried_along_and_not_fatal() -> None:
    block = camera_exif()[:20] + b"\xff" * 6
    target = io.BytesIO()
    Image.fromarray(scene(3)).save(target, "JPEG", exif=b"Exif\0\0" + block)
    photo = Photo.open(target.getvalue())
    assert photo.metadata.orientation == 1
    assert Photo.open(photo.encode()).metadata.exif == photo.metadata.exif


def test_reading_exif_never_fails_on_noise() -> None:
    rng = np.random.default_rng(3)
    block = bytearray(camera_exif(thumbnail=b"\xff\xd8\xff thumbnail"))
    for _ in range(500):
        noisy = bytearray(block)
        for position in rng.integers(0, len(block), 6):
            noisy[position] = rng.integers(256)
        assert 1 <= exif_block.orientation(bytes(noisy)) <= 8
        assert len(exif_block.without_pictures(bytes(noisy))[0]) in (0, len(block))
