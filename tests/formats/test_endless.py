"""Every reader ends, whatever the file: pages in loops, bombs, noise."""

import contextlib
import io
import struct
import time
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings, strategies as st
from PIL import Image

from patchloom import Photo
from patchloom.errors import PatchloomError, PhotoError, TooLarge, Unsupported
from patchloom.events import Event, Warned
from patchloom.formats import FORMATS

RNG = np.random.default_rng(4)
RGB = RNG.integers(0, 255, (24, 36, 3), np.uint8)


def pillow(format: str, mode: str = "RGB", **options: object) -> bytes:
    target = io.BytesIO()
    Image.fromarray(RGB).convert(mode).save(target, format, **options)
    return target.getvalue()


def tiff(**options: object) -> bytes:
    target = io.BytesIO()
    tifffile.imwrite(target, RGB, photometric="rgb", **options)
    return target.getvalue()


def heic() -> bytes:
    heif = pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    target = io.BytesIO()
    heif.from_pillow(Image.fromarray(RGB)).save(target)
    return target.getvalue()


def jxl() -> bytes:
    pytest.importorskip("pillow_jxl", reason="the extra jxl is not installed")
    return bytes(imagecodecs.jpegxl_encode(RGB, lossless=True))


EXIF = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 274, 3, 1, 6, 0, 0)
SEEDS: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: pillow("PNG", exif=EXIF, icc_profile=b"p" * 200, dpi=(72, 72)),
    "PNG P": lambda: pillow("PNG", "P"),
    "JPEG": lambda: pillow("JPEG", exif=EXIF, comment=b"hello", dpi=(72, 72)),
    "JPEG progressive": lambda: pillow("JPEG", progressive=True),
    "TIFF": lambda: tiff(compression="lzw", predictor=True, description="a scene", software="x" * 40),
    "TIFF big": lambda: tiff(bigtiff=True, compression="zlib", tile=(16, 16)),
    "TIFF pages": lambda: pillow("TIFF", save_all=True, append_images=[Image.new("L", (9, 9))]),
    "WEBP": lambda: pillow("WEBP", exif=EXIF),
    "WEBP lossless": lambda: pillow("WEBP", "RGBA", lossless=True),
    "AVIF": lambda: pillow("AVIF", exif=EXIF),
    "GIF": lambda: pillow("GIF"),
    "BMP": lambda: pillow("BMP"),
    "HEIC": heic,
    "JXL": jxl,
}


def test_every_format_is_among_the_seeds() -> None:
    assert set(FORMATS) <= set(SEEDS)


@pytest.mark.parametrize("name", SEEDS)
def test_damage_is_a_photo_error_or_a_picture_that_can_be_saved(name: str) -> None:
    seed = SEEDS[name]()

    @given(
        st.lists(st.tuples(st.integers(0, len(seed) - 1), st.integers(0, 255)), max_size=8),
        st.integers(0, len(seed)),
        st.binary(max_size=12),
        st.sampled_from([0, 1, 255, 2**15, 2**31 - 1, 2**32 - 1, 2**63]),
    )
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def damaged(changes: list[tuple[int, int]], at: int, noise: bytes, number: int) -> None:
        data = bytearray(seed)
        for position, value in changes:
            data[position] = value
        data[at:at] = noise if len(noise) % 2 else b""
        data[at : at + 4] = struct.pack("<Q", number)[:4] if len(noise) % 3 == 0 else data[at : at + 4]
        began = time.process_time()
        with contextlib.suppress(PatchloomError):
            Photo.open(bytes(data), page=1, max_pixels=10**6).encode()
        assert time.process_time() - began < 5

    damaged()


def directory(entries: list[tuple[int, int, int, int]], then: int, order: str = "<") -> bytes:
    body = b"".join(struct.pack(order + "HHII", *entry) for entry in entries)
    return struct.pack(order + "H", len(entries)) + body + struct.pack(order + "I", then)


def loop(second: int | None) -> bytes:
    """A picture of 8 x 8 whose page is followed by itself (None), or by another page that leads back."""
    entries = [
        (256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 400),
        (277, 3, 1, 1), (278, 3, 1, 8), (279, 4, 1, 64),
    ]  # fmt: skip
    data = b"II*\0\x08\0\0\0" + directory(entries, second or 8)
    if second:
        data = data.ljust(second, b"\0") + directory(entries, 8)
    return data.ljust(400, b"\0") + bytes(64)


@pytest.mark.parametrize("second", [None, 200])
@pytest.mark.parametrize("page", [None, 1, 2, 3])
def test_pages_that_form_a_loop_are_damage(second: int | None, page: int | None) -> None:
    began = time.process_time()
    with pytest.raises(PhotoError):
        Photo.open(loop(second), page=page)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("offset", [2**63, 2**64 - 1, 2**63 - 1, 10**9])
def test_offsets_beyond_the_file_are_damage(offset: int) -> None:
    with pytest.raises(PhotoError):
        Photo.open(b"II+\0\x08\0\0\0" + struct.pack("<Q", offset) + bytes(64))
    count = b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, offset) + bytes(64)
    with pytest.raises(PhotoError):
        Photo.open(count)


@pytest.mark.parametrize("cut", [14, 30, 40])
def test_a_gif_that_ends_in_its_head_is_damaged(cut: int) -> None:
    with pytest.raises(PhotoError):
        Photo.open(pillow("GIF")[:14] + b",\0\0\0\0\1" + bytes(cut % 3))


@pytest.mark.parametrize(("code", "value"), [(338, 32514), (258, 4), (256, 36)])
def test_a_tiff_whose_directory_contradicts_itself_is_refused(code: int, value: int) -> None:
    """An unknown kind of alpha; four bits a sample although the samples are bytes; two widths."""
    target = io.BytesIO()
    samples = RGB[..., [0, 0]] if code == 338 else RGB[..., 0]
    options = {"extrasamples": ["unassalpha"]} if code == 338 else {"compression": "jpeg2000"}
    tifffile.imwrite(target, samples, photometric="minisblack", metadata=None, **options)
    data = target.getvalue()
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tag = file.pages.first.tags[277 if code == 256 else code]
    data = data[: tag.offset] + struct.pack("<HHII", code, 3, 1, value) + data[tag.offset + 12 :]
    with pytest.raises(PhotoError):
        Photo.open(data)


def test_tiles_far_larger_than_the_picture_are_damage() -> None:
    data = tiff(tile=(16, 16), compression="zlib")
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        width = file.pages.first.tags[322]
    giant = struct.pack("<HHII", 322, 4, 1, 2**31 - 16)
    with pytest.raises(PhotoError):
        Photo.open(data[: width.offset] + giant + data[width.offset + 12 :])


def test_a_page_larger_than_allowed_is_refused_as_the_first_is() -> None:
    data = pillow("TIFF", save_all=True, append_images=[Image.new("L", (90, 90))])
    with pytest.raises(TooLarge):
        Photo.open(data, page=2, max_pixels=24 * 36)


def test_a_frame_larger_than_its_canvas_is_refused_as_the_canvas_would_be() -> None:
    frame = b",\0\0\0\0" + struct.pack("<HH", 65535, 10537) + b"\x05\0\x8f"
    data = b"GIF89a \0 \0\xf1\x03\0" + bytes(12) + frame
    with pytest.raises(PhotoError):
        Photo.open(data)


def test_sub_directories_that_lead_to_one_another_end() -> None:
    block = b"II*\0\x08\0\0\0" + directory([(0x8769, 4, 1, 8), (0x014A, 4, 1, 8)], 8)
    data = pillow("JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block
    assert Photo.open(data[:2] + segment + data[2:]).width == 36


def test_many_small_bombs_of_text_stay_small() -> None:
    data = pillow("PNG")
    bomb = zlib.compress(bytes(50 * 2**20), 9)

    def chunk(number: int) -> bytes:
        body = b"key%d\0\0" % number + bomb
        return struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))

    said: list[Event] = []
    began = time.process_time()
    photo = Photo.open(data[:33] + b"".join(map(chunk, range(40))) + data[33:], observe=said.append)
    assert sum(len(text) for _, text in photo.metadata.text) < 2**20
    assert time.process_time() - began < 10
    assert any("text 'key0'" in event.message for event in said if isinstance(event, Warned))


def test_a_jpeg_of_hundreds_of_scans_is_refused() -> None:
    data = pillow("JPEG", progressive=True)
    start = data.rindex(b"\xff\xda")
    with pytest.raises(Unsupported, match="scans"):
        Photo.open(data[:-2] + data[start:-2] * 300 + b"\xff\xd9")


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("tail", [b"", b"\xff"])
def test_a_jpeg_without_its_end_marker_is_whole_and_that_is_said(progressive: bool, tail: bytes) -> None:
    data = pillow("JPEG", progressive=progressive)
    said: list[Event] = []
    photo = Photo.open(data[:-2] + tail, observe=said.append)
    np.testing.assert_array_equal(photo.pixels, Photo.open(data).pixels)
    assert any("end marker" in event.message for event in said if isinstance(event, Warned))


@pytest.mark.parametrize("cut", [20, 60, 200])
def test_a_jpeg_that_lacks_more_is_cut_short(cut: int) -> None:
    with pytest.raises(PhotoError, match="cut short"):
        Photo.open(pillow("JPEG")[:-cut])
