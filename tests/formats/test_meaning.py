"""Opened and saved untouched: what the samples of a file say is the same to decoders that share no code with ours.

Formats x depths x colours x kinds of alpha, each file made by another encoder.
"""

import io
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import assume, given, settings, strategies as st
from PIL import Image, ImageCms

from patchloom import Inpainter, Mask, Photo
from patchloom.errors import Unsupported
from patchloom.events import Event, Warned
from patchloom.formats import ifd
from patchloom.formats.boxes import meta_of, properties
from patchloom.settings import PRESETS

RNG = np.random.default_rng(11)
SIZE = (24, 36)
VIPS = shutil.which("vips")


def noise(channels: int, depth: Any, top: int | None = None) -> np.ndarray:
    """Every value equally often; floats in 0..1."""
    if np.dtype(depth).kind == "f":
        return RNG.random((*SIZE, channels)).astype(depth).squeeze()
    top = np.iinfo(depth).max if top is None else top
    return RNG.integers(0, top, (*SIZE, channels), endpoint=True).astype(depth).squeeze()


def tiff(samples: np.ndarray, **options: Any) -> bytes:
    target = io.BytesIO()
    tifffile.imwrite(target, samples, metadata=None, **options)
    return target.getvalue()


def pillow(image: Image.Image, format: str, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, format, **options)
    return target.getvalue()


RAMP = np.arange(768, dtype=np.uint16).reshape(3, 256)
UNSAID = struct.pack("<HH", 338, 3), struct.pack("<HH", 337, 3)  # some writers leave ExtraSamples out
JFXX = b"\xff\xe0\0\x10none"
TABLES = (RAMP * 85, RAMP % 256)  # of 16 bit, and of 8, as some writers leave them


def tiffs() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Every colour meaning with every depth and every kind of a further channel."""
    depths = (np.uint8, np.uint16, np.float16, np.float32, np.float64)
    kinds = {"": None, "other": "unspecified", "premultiplied": "assocalpha", "straight": "unassalpha"}
    for (name, extra), depth, order in product(kinds.items(), depths, "<>"):
        for colours, channels in (("minisblack", 1), ("miniswhite", 1), ("rgb", 3)):
            options = {"photometric": colours, "byteorder": order, **({"extrasamples": [extra]} if extra else {})}
            yield (
                f"{colours} {np.dtype(depth).name}{order} {name}",
                lambda c=channels + bool(extra), d=depth, o=options: tiff(noise(c, d), **o),
            )
    for depth in (np.uint8, np.uint16):
        yield f"ycbcr {depth.__name__}", lambda d=depth: tiff(noise(3, d), photometric="ycbcr")
    for bits in (1, 2, 4, 6, 8, 10, 12, 14, 16):
        depth = np.bool_ if bits == 1 else np.uint8 if bits <= 8 else np.uint16
        options = {"bitspersample": bits} if bits not in (1, 8, 16) else {}
        for white in ("minisblack", "miniswhite"):
            yield (
                f"{white} {bits} bit",
                lambda d=depth, o=options, w=white, t=2**bits - 1: tiff(
                    noise(1, d if d != np.bool_ else np.uint8, t).astype(d), photometric=w, **o
                ),
            )
    for table in TABLES:
        yield (
            f"palette up to {table.max()}",
            lambda m=table: tiff(noise(1, np.uint8), photometric="palette", colormap=m),
        )
    for compression in ("lzw", "zlib", "zstd", "lzma", "packbits", "png", "lerc"):
        yield compression, lambda c=compression: tiff(noise(3, np.uint8), photometric="rgb", compression=c)
    yield (
        "jpeg2000",
        lambda: tiff(
            noise(3, np.uint8), photometric="rgb", compression="jpeg2000", compressionargs={"reversible": True}
        ),
    )
    yield (
        "webp",
        lambda: tiff(
            noise(3, np.uint8), photometric="rgb", compression="webp", compressionargs={"lossless": True}
        ),
    )
    yield "unsaid extra", lambda: tiff(noise(4, np.uint8), extrasamples=["assocalpha"]).replace(*UNSAID)


TIFFS = dict(tiffs())


def raw_tiff(data: bytes) -> dict[str, Any]:
    """All that tifffile says of the samples, which it does not interpret."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        return {
            "colours": page.photometric,
            "bits": page.bitspersample,
            "format": page.sampleformat,
            "extra": tuple(page.extrasamples),
            "compression": page.compression,
            "order": file.byteorder,
            "samples": page.asarray(),
        }


@pytest.mark.parametrize("fax", ["group3", "group4"])
@pytest.mark.parametrize("white", [0, 1])
@pytest.mark.parametrize("order", "<>")
def test_fax_is_read_and_written_without_and_that_is_said(fax: str, white: int, order: str) -> None:
    page = Image.fromarray(noise(1, np.uint8) > 128)
    data = pillow(page, "TIFF", compression=fax, tiffinfo={262: white})
    if order == ">":  # which no encoder here writes
        data = ifd.replaced(data, ifd.swapped(ifd.read(data)), ">")
    said: list[Event] = []
    saved = Photo.open(data, observe=said.append).encode()
    assert any("it is deflated" in one.message for one in said if isinstance(one, Warned))
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(saved)) as after:
        np.testing.assert_array_equal(np.asarray(after), np.asarray(before))
    assert raw_tiff(saved)["order"] == order and raw_tiff(saved)["bits"] == 1


def by_hand(samples: np.ndarray, bits: int, order: str) -> bytes:
    """A TIFF of one strip of packed samples (H, W, C), the highest bit first."""
    height, width, channels = samples.shape
    flat = (samples.reshape(height, -1, 1) >> np.arange(bits - 1, -1, -1)) & 1
    strip = np.packbits(flat.reshape(height, -1).astype(np.uint8), axis=1).tobytes()
    photometric, at = (1 if channels == 1 else 2), 8 + 2 + 9 * 12 + 4
    tags = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, at), (277, channels),
            (278, height), (279, len(strip))]  # fmt: skip
    entries = b"".join(struct.pack(order + "HHII", code, 4, 1, value) for code, value in tags)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(tags))
    return head + entries + bytes(4) + strip


@settings(max_examples=40, deadline=None)
@given(
    bits=st.sampled_from([2, 4, 6, 10, 12, 14]),
    order=st.sampled_from("<>"),
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    seed=st.integers(0, 2**31),
)
def test_packed_bits_come_back_in_either_byte_order(bits: int, order: Any, size: Any, seed: int) -> None:
    samples = np.random.default_rng(seed).integers(0, 2**bits, (*size, 1)).astype(np.uint16)
    data = by_hand(samples, bits, order)
    saved = Photo.open(data).encode()
    assert saved[:2] == data[:2]
    for decoded in (imagecodecs.tiff_decode(saved), tifffile.imread(io.BytesIO(saved))):
        np.testing.assert_array_equal(decoded.reshape(samples.shape), samples)


LAYOUTS = {"strips": {"rowsperstrip": 5}, "tiles": {"tile": (16, 32)}, "planes": {"planarconfig": "separate"}}


@settings(max_examples=80, deadline=None)
@given(
    depth=st.sampled_from([np.bool_, np.uint8, np.uint16, np.float16, np.float32, np.float64]),
    colours=st.sampled_from(["minisblack", "miniswhite", "rgb"]),
    order=st.sampled_from("<>"),
    big=st.booleans(),
    layout=st.sampled_from([*LAYOUTS]),
    compression=st.sampled_from([None, "zlib", "lzw", "packbits", "zstd", "lzma"]),
    predictor=st.booleans(),
)
def test_libtiff_reads_what_was_written_however_it_was_laid_out(
    depth: Any, colours: str, order: Any, big: bool, layout: str, compression: Any, predictor: bool
) -> None:
    """And what does not come back as it lay is said."""
    channels = 3 if colours == "rgb" else 1
    assume(depth != np.bool_ or (channels == 1 and layout != "tiles"))
    samples = noise(channels, np.uint8) > 128 if depth == np.bool_ else noise(channels, depth)
    planes = layout == "planes" and channels == 3
    predictor = predictor and compression in ("zlib", "lzw", "zstd", "lzma") and depth != np.bool_
    data = tiff(
        np.moveaxis(samples, -1, 0) if planes else samples, photometric=colours, byteorder=order, bigtiff=big,
        compression=compression, predictor=predictor, **(LAYOUTS[layout] if layout != "planes" or planes else {}),
    )  # fmt: skip
    said: list[Event] = []
    saved = Photo.open(data, observe=said.append).encode()
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(saved)), samples)
    if depth not in (np.bool_, np.float16, np.float64):  # which imagecodecs' libtiff takes for others
        np.testing.assert_array_equal(imagecodecs.tiff_decode(saved), samples)
    assert any("written in strips" in one.message for one in said if isinstance(one, Warned)) == (
        big or planes or layout == "tiles"
    )


def looked_up(data: bytes) -> np.ndarray:
    """The colours of a palette TIFF, as libtiff takes colour maps: of 8 bit if no value needs more."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        table = page.colormap if page.colormap.max() < 256 else page.colormap >> 8
        return table.T[page.asarray()]


@pytest.mark.parametrize("name", TIFFS)
def test_tiffs_say_the_same_and_hold_the_same_samples(name: str) -> None:
    data = TIFFS[name]()
    before, after = raw_tiff(data), raw_tiff(Photo.open(data).encode())
    if "palette" in name:  # the order of its colours means nothing
        before["samples"], after["samples"] = looked_up(data), looked_up(Photo.open(data).encode())
    np.testing.assert_array_equal(after.pop("samples"), before.pop("samples"))
    assert after == before


@pytest.mark.parametrize("name", [name for name in TIFFS if "premultiplied" in name and "uint" in name])
def test_premultiplied_colours_are_worked_on_as_they_look(name: str) -> None:
    data = TIFFS[name]()
    photo, stored = Photo.open(data), raw_tiff(data)["samples"]
    assert photo.alpha is not None
    top = np.iinfo(stored.dtype).max
    alpha = stored[..., -1].astype(float)
    white = top - stored[..., :-1].astype(float) if "miniswhite" in name else stored[..., :-1].astype(float)
    seen = np.clip(white * top / np.maximum(alpha, 1)[..., None], 0, top)
    np.testing.assert_allclose(photo.pixels[alpha > 0], seen[alpha > 0], atol=1)
    np.testing.assert_array_equal(photo.alpha, stored[..., -1])


@pytest.mark.parametrize("name", [name for name in TIFFS if "other" in name and "<" in name])
def test_a_further_channel_is_no_transparency_and_is_changed_only_where_it_is_filled(name: str) -> None:
    photo = Photo.open(TIFFS[name]())
    assert photo.alpha is None and photo.extra is not None
    said: list[Event] = []
    png = Photo.open(photo.encode("PNG", observe=said.append))
    assert png.alpha is None
    assert any("beside the colours" in event.message for event in said if isinstance(event, Warned))


def test_uncompressed_ycbcr_is_seen_as_other_programs_show_it() -> None:
    picture = Image.fromarray(noise(3, np.uint8)).convert("YCbCr")
    data = pillow(picture, "TIFF")
    photo = Photo.open(data)
    with Image.open(io.BytesIO(data)) as shown:
        np.testing.assert_allclose(photo.pixels.astype(int), np.asarray(shown.convert("RGB")), atol=2)
    pixels = photo.pixels.copy()
    pixels[:4] = (255, 0, 0)
    with Image.open(io.BytesIO(photo.with_pixels(pixels).encode())) as saved:
        assert saved.mode == "YCbCr"
        np.testing.assert_allclose(np.asarray(saved.convert("RGB"))[:4], pixels[:4], atol=4)
        np.testing.assert_array_equal(np.asarray(saved)[4:], np.asarray(picture)[4:])


PNG_KINDS = {  # colour type of PNG -> depths it can have, channels
    0: ((1, 2, 4, 8, 16), 1),
    2: ((8, 16), 3),
    3: ((1, 2, 4, 8), 1),
    4: ((8, 16), 2),
    6: ((8, 16), 4),
}


def png(colour: int, depth: int, transparent: bool) -> bytes:
    """Written by hand: no library writes all of them."""
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    channels = PNG_KINDS[colour][1]
    values = RNG.integers(0, 2**depth, (*SIZE, channels))
    bits = (values[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    rows = np.packbits(bits.reshape(SIZE[0], -1).astype(np.uint8), axis=1)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE[1], SIZE[0], depth, colour, 0, 0, 0))
    if colour == 3:
        data += chunk(b"PLTE", RNG.integers(0, 256, (2**depth, 3), np.uint8).tobytes())
    if transparent:
        key = bytes(range(2**depth)) if colour == 3 else struct.pack(f">{channels}H", *values[0, 0].tolist())
        data += chunk(b"tRNS", key)
    return (
        data + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))) + chunk(b"IEND", b"")
    )


def seen_png(data: bytes) -> np.ndarray:
    """(H, W, 4): by Pillow up to 8 bit, which it reads well but for keys of grey below 8 bit; 16 bit by libpng."""
    depth, colour = data[24], data[25]
    samples = imagecodecs.png_decode(data)
    if depth < 16 and not (colour == 0 and depth < 8):
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGBA"))
    samples = samples[..., None] if samples.ndim == 2 else samples
    top = np.iinfo(samples.dtype).max
    alpha = samples[..., -1:] if samples.shape[-1] in (2, 4) else np.full((*SIZE, 1), top)
    colours = samples[..., :1] if samples.shape[-1] < 3 else samples[..., :3]
    return np.concatenate([np.broadcast_to(colours, (*SIZE, 3)), alpha], axis=-1)


@pytest.mark.parametrize(
    ("colour", "depth", "transparent"),
    [
        (c, d, t)
        for c, (depths, _) in PNG_KINDS.items()
        for d in depths
        for t in (False, True)
        if not (t and c > 3)
    ],
)
def test_pngs_look_the_same(colour: int, depth: int, transparent: bool) -> None:
    data = png(colour, depth, transparent)
    np.testing.assert_array_equal(seen_png(Photo.open(data).encode()), seen_png(data))


def by_vips(data: bytes, folder: Path) -> tuple[bytes, bytes]:
    """What libvips says the samples are, and the samples."""
    place = folder / "picture"
    place.write_bytes(data)
    said = subprocess.run([f"{VIPS}header", place], check=True, capture_output=True).stdout
    subprocess.run([VIPS, "rawsave", place, f"{place}.raw"], check=True, capture_output=True)
    return said, Path(f"{place}.raw").read_bytes()


@pytest.mark.skipif(VIPS is None, reason="libvips-tools is not installed")
@pytest.mark.parametrize("name", [name for name in TIFFS if "uint8<" in name])
def test_another_library_sees_the_same_tiff(name: str, tmp_path: Path) -> None:
    data = TIFFS[name]()
    assert by_vips(Photo.open(data).encode(), tmp_path) == by_vips(data, tmp_path)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_grey_keys_below_8_bit_are_transparent_where_the_grey_is(depth: int) -> None:
    data = png(0, depth, True)
    photo = Photo.open(data)
    assert photo.alpha is not None
    key = photo.pixels[0, 0, 0]
    np.testing.assert_array_equal(photo.alpha == 0, photo.pixels[..., 0] == key)


@pytest.mark.parametrize("keep_rgb", [True, False])
@pytest.mark.parametrize("extra", [{}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}])
@pytest.mark.parametrize("strip", [True, False])
def test_jpegs_keep_their_colour_transform(keep_rgb: bool, extra: dict[str, bytes], strip: bool) -> None:
    smooth = np.add.outer(np.arange(24) * 4, np.arange(36) * 3)[..., None] * np.array([1, 0.5, 0.2])
    data = pillow(Image.fromarray(smooth.astype(np.uint8)), "JPEG", quality=92, keep_rgb=keep_rgb, **extra)
    saved = Photo.open(data).encode(strip_metadata=strip)
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(saved)) as after:
        assert np.abs(np.asarray(before).astype(int) - np.asarray(after)).mean() < 1
        assert after.info.get("adobe_transform") == before.info.get("adobe_transform")


def test_an_rgb_jpeg_with_fewer_samples_of_green_and_blue_is_written() -> None:
    data = pillow(Image.fromarray(noise(3, np.uint8)), "JPEG", subsampling=2).replace(b"\xff\xe0\0\x10JFIF", JFXX)
    adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0"
    saved = Photo.open(data[:2] + adobe + data[2:]).encode()
    with Image.open(io.BytesIO(saved)) as image:
        assert image.info["adobe_transform"] == 0


def test_a_profile_that_stands_twice_in_a_jpeg_is_still_seen() -> None:
    data = pillow(Image.fromarray(noise(3, np.uint8)), "JPEG", icc_profile=b"p" * 200)
    part = data[(at := data.index(b"\xff\xe2")) : at + 2 + struct.unpack_from(">H", data, at + 2)[0]]
    frame = data.index(b"\xff\xc4")
    with Image.open(io.BytesIO(Photo.open(data[:frame] + part + data[frame:]).encode())) as saved:
        assert saved.info["icc_profile"] == b"p" * 200


@pytest.mark.parametrize("progressive", [False, True])
def test_noise_of_the_highest_quality_is_coded(progressive: bool) -> None:
    pixels = RNG.integers(0, 2, (400, 600, 3), np.uint8) * np.uint8(255)
    image = Image.fromarray(pixels)
    target = io.BytesIO()
    image.save(target, "JPEG", qtables=[[1] * 64] * 2, subsampling=0, optimize=False)
    photo = Photo.open(target.getvalue())
    coding = photo.metadata.jpeg
    assert coding is not None
    photo = replace(photo, metadata=replace(photo.metadata, jpeg=coding._replace(progressive=progressive)))
    with Image.open(io.BytesIO(photo.encode())) as saved:
        assert np.abs(np.asarray(saved).astype(int) - photo.pixels).mean() < 1


def nclx(data: bytes) -> tuple[int, ...]:
    return struct.unpack(">HH", data[(at := data.find(b"colrnclx") + 8) : at + 4])


@pytest.mark.parametrize(("primaries", "transfer"), [(12, 13), (9, 16), (9, 18), (1, 13)])
def test_avifs_keep_their_colours_and_png_says_them_too(primaries: int, transfer: int) -> None:
    data = imagecodecs.avif_encode(noise(3, np.uint8), level=95, primaries=primaries, transfer=transfer, matrix=1)
    photo = Photo.open(data)
    assert nclx(photo.encode()) == nclx(data) == (primaries, transfer)
    assert b"cICP" + bytes([primaries, transfer, 0, 1]) in photo.encode("PNG")
    assert nclx(Photo.open(photo.encode("PNG")).encode("AVIF")) == (primaries, transfer)
    said: list[Event] = []
    photo.encode("JPEG", observe=said.append)
    wide = (primaries, transfer) != (1, 13)
    assert any("which colours" in event.message for event in said if isinstance(event, Warned)) == wide


@pytest.mark.parametrize("format", ["GIF", "BMP"])
def test_formats_that_are_only_read_become_png_and_that_is_said(format: str) -> None:
    image = Image.fromarray(noise(3, np.uint8))
    data = pillow(image.quantize(30) if format == "GIF" else image, format)
    photo = Photo.open(data)
    with Image.open(io.BytesIO(data)) as shown:
        np.testing.assert_array_equal(photo.pixels, np.asarray(shown.convert("RGB")))
    said: list[Event] = []
    saved = photo.encode(observe=said.append)
    assert saved.startswith(b"\x89PNG") and any("only read" in e.message for e in said if isinstance(e, Warned))
    np.testing.assert_array_equal(Photo.open(saved).pixels, photo.pixels)


@pytest.mark.parametrize("turn", [1, 6])
def test_heic_is_read_as_others_show_it(turn: int) -> None:
    heif = pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    exif = Image.Exif()
    exif[0x0112] = turn
    smooth = np.add.outer(np.arange(64) * 2, np.arange(96))[..., None] * np.array([1, 0.5, 0.2])
    target = io.BytesIO()
    heif.from_pillow(Image.fromarray(smooth.astype(np.uint8))).save(target, exif=exif.tobytes())
    photo = Photo.open(target.getvalue())
    shown = heif.open_heif(target.getvalue()).to_pillow()
    np.testing.assert_array_equal(photo.pixels, np.asarray(shown))
    assert Photo.open(photo.encode()).pixels.shape == photo.pixels.shape


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_jpeg_xl_is_read_without_loss(mode: str) -> None:
    pytest.importorskip("pillow_jxl", reason="the extra jxl is not installed")
    samples = noise(len(mode), np.uint8)
    data = imagecodecs.jpegxl_encode(samples, lossless=True)
    photo = Photo.open(data)
    np.testing.assert_array_equal(photo.to_array().squeeze(), samples)


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_jpeg_xl_of_more_than_8_bits_is_read_with_all_of_them(bits: int, channels: int) -> None:
    pytest.importorskip("pillow_jxl", reason="the extra jxl is not installed")
    samples = noise(channels, np.uint16, 2**bits - 1)
    photo = Photo.open(imagecodecs.jpegxl_encode(samples, lossless=True, bitspersample=bits))
    assert photo.pixels.dtype == np.uint16
    np.testing.assert_array_equal(np.round(photo.to_array().squeeze() / 65535 * (2**bits - 1)), samples)


def test_floats_of_jpeg_xl_become_16_bit_and_that_is_said() -> None:
    pytest.importorskip("pillow_jxl", reason="the extra jxl is not installed")
    samples, said = noise(3, np.float32), list[Event]()
    photo = Photo.open(imagecodecs.jpegxl_encode(samples, lossless=True), observe=said.append)
    np.testing.assert_allclose(photo.pixels / 65535, samples, atol=1 / 65535)
    assert any("floats" in event.message for event in said if isinstance(event, Warned))


@pytest.mark.parametrize("size", [(8, 8), (8, 256), (100, 73), (300, 2000), (9, 16), (4, 3)])
def test_jpeg_xl_tells_its_size(size: tuple[int, int]) -> None:
    from patchloom.formats import recognised

    data = imagecodecs.jpegxl_encode(np.zeros(size, np.uint8), lossless=True)
    assert recognised(data).header(io.BytesIO(data))[:2] == size[::-1]


@pytest.mark.parametrize(
    ("samples", "options", "words"),
    [
        (np.zeros((8, 8), np.int16), {}, "signed 16-bit"),
        (np.zeros((8, 8, 3), bool), {"photometric": "rgb"}, "several channels of 1 bit"),
        (np.zeros((8, 8, 5), np.uint8), {"photometric": "separated", "extrasamples": ["unassalpha"]}, "CMYK"),
        (np.zeros((8, 8, 3), np.uint8), {"photometric": "cielab"}, "CIELab"),
        (np.zeros((8, 8, 5), np.uint8), {"photometric": "rgb", "extrasamples": [0, 0]}, "5 channels"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_name(samples: np.ndarray, options: Any, words: str) -> None:
    with pytest.raises(Unsupported, match=words):
        Photo.open(tiff(samples, **options))


NOTHING = [np.nan, np.inf, -9999, 3.4028234663852886e38, -3.4028234663852886e38, 1e20]


@pytest.mark.parametrize("value", NOTHING)
@pytest.mark.parametrize(("channels", "wrap"), [(1, "off"), (3, "off"), (3, "x")])
def test_what_floats_lie_in_the_hole_decides_nothing(value: float, channels: int, wrap: Any) -> None:
    heights = (220 + 160 * noise(channels, np.float32)).astype(np.float32)
    hole = np.zeros(SIZE, bool)
    hole[8:14, 10:20] = True
    saved = []
    for content in (300, value):
        samples = heights.copy()
        samples[hole] = content
        photo = Photo.open(tiff(samples, photometric="rgb" if channels == 3 else "minisblack"))
        filled = Inpainter().inpaint(photo, Mask(hole), replace(PRESETS["fast"], wrap=wrap)).photo
        saved.append(raw_tiff(filled.encode())["samples"])
    np.testing.assert_array_equal(*saved)
    np.testing.assert_array_equal(saved[1][~hole], heights[~hole])
    inside = saved[1][hole]
    assert (inside > 100).all() and (inside < 500).all()


@pytest.mark.parametrize(
    ("depth", "value", "tag"),
    [(np.float32, np.nan, None), (np.float32, -np.inf, None), (np.float32, 3.4028234663852886e38, None),
     (np.float32, -9999, "-9999"), (np.float64, -1e20, "-1e+20"), (np.uint8, 0, "0"), (np.uint16, 65535, "65535")],
)  # fmt: skip
def test_no_data_outside_the_hole_stays_and_is_no_source(depth: Any, value: float, tag: str | None) -> None:
    top = 1 if np.dtype(depth).kind == "f" else np.iinfo(depth).max
    samples = ((0.4 + 0.2 * noise(1, np.float64)) * top).astype(depth)
    hole = np.zeros(SIZE, bool)
    hole[8:14, 10:20] = True
    samples[hole] = value
    samples[:, 20:] = value  # from the hole's side on nothing is known
    extra = [] if tag is None else [(42113, 2, len(tag) + 1, tag, True)]
    said: list[Event] = []
    photo = Photo.open(tiff(samples, photometric="minisblack", extratags=extra))
    filled = Inpainter().inpaint(photo, Mask(hole), PRESETS["fast"], observe=said.append).photo
    saved = raw_tiff(filled.encode())["samples"]
    np.testing.assert_array_equal(saved[~hole], samples[~hole])
    inside = saved[hole] / top
    assert (inside > 0.3).all() and (inside < 0.7).all(), "of what is known alone"
    assert any("384 pixels hold no data" in one.message for one in said if isinstance(one, Warned))


@pytest.mark.parametrize("alpha", [False, True])
def test_what_an_avif_does_not_show_stays_hidden(alpha: bool) -> None:
    picture = np.zeros((40, 60, 4 if alpha else 3), np.uint8) + 200
    picture[8:24, 14:36, :3] = 90  # 22 x 16 round (24.5, 15.5); the middle is (29.5, 19.5)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = pillow(Image.fromarray(picture), "AVIF", quality=100, subsampling="4:4:4", icc_profile=profile)
    at = data.index(b"colrprof") - 4
    size = int.from_bytes(data[at : at + 4], "big")
    clap = struct.pack(">I4sIIIIiIiI", 40, b"clap", 22, 1, 16, 1, -5, 1, -4, 1)
    # The crop takes the profile's place among the properties; the picture refers to it, as an essential one.
    body = data[:at] + clap + struct.pack(">I4s", size - 40, b"free") + bytes(size - 48) + data[at + size :]
    where = body.index(b"ipma")
    number = properties(meta_of(io.BytesIO(data))).index((b"colr", data[at + 8 : at + size])) + 1
    items = body[where : where + 40].replace(bytes([number, number + 1]), bytes([number | 128, number + 2]), 1)
    said: list[Event] = []
    photo = Photo.open(body[:where] + items + body[where + 40 :], observe=said.append)
    assert photo.pixels.shape[:2] == (16, 22) and np.abs(photo.pixels.astype(int) - 90).max() < 12
    assert any("clap" in one.message for one in said if isinstance(one, Warned))


@pytest.mark.parametrize("fourth", [0, 255, None])
def test_a_fourth_channel_of_a_bmp_is_said_to_be_left_out_where_there_is_something_in_it(
    fourth: int | None,
) -> None:
    picture = noise(4, np.uint8)
    picture[..., 3] = picture[..., 3] if fourth is None else fourth
    head = struct.pack("<2sIHHI", b"BM", 54 + picture.size, 0, 0, 54)
    head += struct.pack("<IiiHHIIiiII", 40, SIZE[1], -SIZE[0], 1, 32, 0, picture.size, 0, 0, 0, 0)
    said: list[Event] = []
    photo = Photo.open(head + picture.tobytes(), observe=said.append)
    np.testing.assert_array_equal(photo.pixels, picture[..., 2::-1])
    assert any("fourth channel" in one.message for one in said if isinstance(one, Warned)) == (fourth is None)
