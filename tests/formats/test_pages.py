"""One page of several: it alone changes, the others stay byte for byte."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from patchloom import Photo
from patchloom.errors import PhotoError, Unsupported

SECRET = np.frombuffer(b"SECRETPICTURE" * 300, np.uint8)[: 40 * 60].reshape(40, 60)
RNG = np.random.default_rng(8)
OTHERS = [RNG.integers(0, 65535, (30, 20), dtype=np.uint16), RNG.integers(0, 255, (25, 35, 3), dtype=np.uint8)]


def pages(order: str = "<", big: bool = False, reduced: bool = False) -> bytes:
    """Three pages; the second is the secret one, with a small copy behind it if wanted."""
    target = io.BytesIO()
    with tifffile.TiffWriter(target, bigtiff=big, byteorder=order) as writer:
        writer.write(OTHERS[0], compression="zlib", metadata=None, description="first")
        writer.write(SECRET, metadata=None, description="second", extratags=[(65000, 7, 4, b"note", True)])
        if reduced:
            writer.write(SECRET[::2, ::2], metadata=None, subfiletype=1)
        writer.write(OTHERS[1], photometric="rgb", metadata=None, description="third", rowsperstrip=4)
    return target.getvalue()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("reduced", [False, True])
def test_one_page_is_filled_and_the_others_keep_their_bytes(order: str, big: bool, reduced: bool) -> None:
    data = pages(order, big, reduced)
    photo = Photo.open(data, page=2)
    saved = photo.with_pixels(np.full_like(photo.pixels, 7)).encode()
    with tifffile.TiffFile(io.BytesIO(saved)) as after, tifffile.TiffFile(io.BytesIO(data)) as before:
        assert len(after.pages) == 3 and after.byteorder == before.byteorder
        assert [page.description for page in after.pages] == ["first", "second", "third"]
        np.testing.assert_array_equal(after.pages[1].asarray(), np.full_like(SECRET, 7))
        assert after.pages[1].tags[65000].value == b"note"
        for new, old in ((after.pages[0], before.pages[0]), (after.pages[2], before.pages[-1])):
            np.testing.assert_array_equal(new.asarray(), old.asarray())
            assert new.dataoffsets == old.dataoffsets
            for offset, count in zip(old.dataoffsets, old.databytecounts, strict=True):
                assert saved[offset : offset + count] == data[offset : offset + count]
    assert b"SECRETPICTURE" not in saved and b"TPUE" not in saved
    again = Photo.open(saved, page=2)
    np.testing.assert_array_equal(again.pixels[..., 0], np.full_like(SECRET, 7))


@pytest.mark.parametrize("page", [1, 2, 3])
def test_every_page_can_be_chosen_and_saved_untouched(page: int) -> None:
    saved = Photo.open(pages(), page=page).encode()
    with tifffile.TiffFile(io.BytesIO(saved)) as file:
        for found, wanted in zip(file.pages, (OTHERS[0], SECRET, OTHERS[1]), strict=True):
            np.testing.assert_array_equal(found.asarray(), wanted)


def test_a_page_saved_in_another_format_is_that_page() -> None:
    photo = Photo.open(pages(), page=3)
    np.testing.assert_array_equal(Photo.open(photo.encode("PNG")).pixels, OTHERS[1])


def test_pages_are_asked_for_and_counted() -> None:
    with pytest.raises(Unsupported, match="several pages") as caught:
        Photo.open(pages())
    assert "page 1" in caught.value.hint
    with pytest.raises(PhotoError, match="no page 4; it has 3"):
        Photo.open(pages(), page=4)


def test_a_frame_of_an_animated_jpeg_xl() -> None:
    pytest.importorskip("pillow_jxl", reason="the extra jxl is not installed")
    frames = np.stack([np.full((16, 24, 3), value, np.uint8) for value in (20, 200)])
    data = bytes(imagecodecs.jpegxl_encode(frames, lossless=True))
    with pytest.raises(Unsupported, match="animated JPEG XL"):
        Photo.open(data)
    for page in (1, 2):
        np.testing.assert_array_equal(Photo.open(data, page=page).pixels, frames[page - 1])
    with pytest.raises(PhotoError):
        Photo.open(data, page=3)


def test_the_picture_of_an_heic_of_several_is_its_first_page() -> None:
    heif = pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    target = io.BytesIO()
    file = heif.HeifFile()
    for value in (20, 120, 220):
        file.add_from_pillow(Image.new("L", (64, 48), value))
    file.save(target, primary_index=1)
    seen = [Photo.open(target.getvalue(), page=page).pixels.mean() for page in (None, 1, 2, 3)]
    np.testing.assert_allclose(seen, [120, 120, 20, 220], atol=2)
    with pytest.raises(PhotoError, match="no page 4; it has 3"):
        Photo.open(target.getvalue(), page=4)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
def test_one_picture_has_no_second_page(format: str) -> None:
    target = io.BytesIO()
    Image.new("RGB", (24, 16)).save(target, format)
    assert Photo.open(target.getvalue(), page=1).width == 24
    with pytest.raises(PhotoError, match="no page 2; it has 1"):
        Photo.open(target.getvalue(), page=2)


@pytest.mark.parametrize("format", ["WEBP", "AVIF", "GIF", "PNG"])
def test_one_frame_of_an_animation(format: str) -> None:
    frames = [Image.fromarray(np.full((16, 24, 3), value, np.uint8)) for value in (20, 200)]
    target = io.BytesIO()
    options = {"lossless": True} if format == "WEBP" else {}
    frames[0].save(target, format, save_all=True, append_images=frames[1:], **options)
    for page in (1, 2) if format != "PNG" else (1,):
        photo = Photo.open(target.getvalue(), page=page)
        assert abs(int(photo.pixels[0, 0, 0]) - (20, 200)[page - 1]) < 3
        assert Photo.open(photo.encode()).width == 24
    if format == "PNG":
        with pytest.raises(Unsupported, match="only page 1"):
            Photo.open(target.getvalue(), page=2)


def test_an_animation_of_no_frames_is_its_still_picture() -> None:
    target = io.BytesIO()
    Image.new("RGB", (16, 24)).save(
        target, "PNG", save_all=True, append_images=[Image.new("RGB", (16, 24), "red")]
    )
    data, control = target.getvalue(), target.getvalue().index(b"acTL")
    body = b"acTL" + bytes(8)
    data = data[:control] + body + struct.pack(">I", zlib.crc32(body)) + data[control + 16 :]
    assert Photo.open(data).height == 24


def test_a_shared_strip_is_not_blanked() -> None:
    """Two pages that show the same samples."""
    data = bytearray(pages())
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        first, second = file.pages[0], file.pages[1]
        for code in (256, 257, 258, 259, 273, 278, 279):
            old, new = first.tags[code], second.tags[code]
            data[old.offset : old.offset + 12] = data[new.offset : new.offset + 12]
    saved = Photo.open(bytes(data), page=2).with_pixels(np.zeros((40, 60, 1), np.uint8)).encode()
    with tifffile.TiffFile(io.BytesIO(saved)) as file:
        np.testing.assert_array_equal(file.pages[0].asarray(), SECRET)
        assert not file.pages[1].asarray().any()
    assert struct.unpack_from("<H", saved, 2) == (42,)
