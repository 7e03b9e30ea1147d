"""Photographs in memory and on disk: what is refused and how, arrays and Pillow pictures, whole files or none."""

import contextlib
import io
import os
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import hypothesis.extra.numpy as arrays
import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings, strategies as st
from PIL import Image, ImageCms

from patchloom import OutputError, Photo, PhotoError, SettingsError
from patchloom.errors import TooLarge, Unsupported
from patchloom.events import Event, Warned
from patchloom.formats import WRITTEN


def encoded(format: str, mode: str = "RGB", **options: object) -> bytes:
    target = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (40, 50, 4), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(target, format, **options)
    return target.getvalue()


shapes = st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([(), (1,), (2,), (3,), (4,)]))
pictures = st.one_of(
    *(
        shapes.flatmap(lambda shape, depth=depth: arrays.arrays(depth, (shape[0], shape[1], *shape[2])))
        for depth in (np.uint8, np.uint16)
    )
)


@given(pictures)
@settings(deadline=None, max_examples=60)
def test_arrays_come_back_as_they_went_in_also_through_png_and_tiff(array: np.ndarray) -> None:
    photo = Photo.from_array(array)
    assert (photo.height, photo.width) == array.shape[:2]
    back = photo.to_array()
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)
    for format in ("PNG", "TIFF"):
        again = Photo.open(photo.encode(format))
        np.testing.assert_array_equal(again.pixels, photo.pixels)
        if photo.alpha is not None:
            np.testing.assert_array_equal(again.alpha, photo.alpha)


@pytest.mark.parametrize("depth", [np.float32, np.float64])
def test_float_arrays_keep_their_values(depth: type) -> None:
    array = np.linspace(0, 1, 60, dtype=depth).reshape(4, 5, 3)
    np.testing.assert_array_equal(Photo.from_array(array).to_array(), array)
    again = Photo.open(Photo.from_array(array).encode("PNG"))
    assert again.pixels.dtype == np.uint16
    np.testing.assert_allclose(again.pixels / 65535, array, atol=0.5 / 65535 + 1e-7)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 5), np.int64),
        np.zeros((4, 5, 5), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.full((4, 5), 2.0),
        np.full((4, 5), np.nan),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(array: np.ndarray) -> None:
    with pytest.raises(PhotoError):
        Photo.from_array(array)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pillow_pictures_come_back_in_their_mode(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.arange(2000, dtype=np.uint16).reshape(40, 50) * 30)
    else:
        image = Image.open(io.BytesIO(encoded("PNG"))).convert(mode)
    back = Photo.from_pillow(image).to_pillow()
    assert back.mode == image.mode
    assert (
        back.convert("RGBA" if mode == "P" else mode).tobytes()
        == image.convert("RGBA" if mode == "P" else mode).tobytes()
    )


def test_pillow_modes_that_would_lose_something_are_refused() -> None:
    with pytest.raises(Unsupported):
        Photo.from_pillow(Image.new("CMYK", (8, 8)))


@pytest.mark.parametrize("format", WRITTEN)
def test_content_decides_and_not_the_name(format: str, tmp_path: Path) -> None:
    path = tmp_path / "misleading.gif"
    path.write_bytes(encoded(format))
    assert Photo.open(path).format == format
    assert Photo.open(str(path)).format == format
    with path.open("rb") as file:
        assert Photo.open(file).format == format


@pytest.mark.parametrize("format", WRITTEN)
def test_truncated_files_are_refused_wherever_they_end(format: str) -> None:
    data = encoded(format)
    for length in (1, 4, 12, 20, 40, len(data) // 3, len(data) // 2, len(data) * 9 // 10):
        with pytest.raises(PhotoError) as caught:
            Photo.open(data[:length])
        assert str(caught.value).startswith("The picture ")


@pytest.mark.parametrize("format", WRITTEN)
def test_noise_in_a_file_never_raises_anything_but_a_photo_error(format: str) -> None:
    rng = np.random.default_rng(5)
    data = encoded(format)
    for _ in range(60):
        noisy = bytearray(data)
        for position in rng.integers(0, min(len(data), 600), 3):
            noisy[position] = rng.integers(256)
        with contextlib.suppress(PhotoError):
            Photo.open(bytes(noisy), max_pixels=10**6)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"hello, this is text", "is not a picture"),
        (b"%PDF-1.7" + bytes(40), "a PDF"),
        (b"<svg xmlns='x'></svg>", "SVG"),
        (b"8BPS" + bytes(40), "Photoshop"),
        (b"II\x2a\0\x10\0\0\0CR\2\0" + bytes(40), "camera raw"),
    ],
)
def test_other_files_are_named_and_a_next_step_given(data: bytes, words: str) -> None:
    with pytest.raises(PhotoError, match=words) as caught:
        Photo.open(data)
    assert caught.value.hint


def test_animations_and_several_pages_are_refused() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    for format in ("PNG", "WEBP", "AVIF", "TIFF"):
        target = io.BytesIO()
        frames[0].save(target, format, save_all=True, append_images=frames[1:])
        with pytest.raises(Unsupported, match=r"animated|pages"):
            Photo.open(target.getvalue())


def test_a_tiff_with_a_reduced_copy_is_one_picture() -> None:
    target = io.BytesIO()
    with tifffile.TiffWriter(target) as writer:
        writer.write(np.full((32, 32), 7, np.uint8), metadata=None)
        writer.write(np.full((8, 8), 9, np.uint8), metadata=None, subfiletype=1)
    saved = Photo.open(target.getvalue()).encode()
    with tifffile.TiffFile(io.BytesIO(saved)) as file:
        assert len(file.pages) == 1


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((8, 8), np.int32),
        np.zeros((8, 8), np.uint32),
        np.zeros((8, 8), complex),
    ],
)
def test_tiff_samples_that_would_not_come_back_are_refused(array: np.ndarray) -> None:
    target = io.BytesIO()
    tifffile.imwrite(target, array, metadata=None)
    with pytest.raises(Unsupported):
        Photo.open(target.getvalue())


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_is_refused_or_converted_on_request(format: str) -> None:
    data = encoded(format, "CMYK")
    with pytest.raises(Unsupported, match="CMYK") as caught:
        Photo.open(data)
    assert "allow_cmyk" in caught.value.hint
    said: list[Event] = []
    photo = Photo.open(data, allow_cmyk=True, observe=said.append)
    assert any(isinstance(event, Warned) for event in said)
    expected = Image.open(io.BytesIO(data)).convert("RGB")
    np.testing.assert_array_equal(photo.pixels, np.asarray(expected))
    assert Photo.open(photo.encode()).pixels.shape == photo.pixels.shape


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


BOMBS = {
    "PNG": b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(bytes(100))),
    "WEBP": b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xfe\x3f\0\xfe\x3f\0" + b"VP8 \x0a\0\0\0" + bytes(50),
    "JPEG": b"\xff\xd8\xff\xc0\0\x11\x08"
    + struct.pack(">HH", 60000, 60000)
    + b"\3\1\x22\0\2\x11\1\3\x11\1"
    + bytes(99),
    "TIFF": b"II\x2a\0\x08\0\0\0\2\0"
    + struct.pack("<HHII", 256, 4, 1, 60000)
    + struct.pack("<HHII", 257, 4, 1, 60000)
    + bytes(99),
    "AVIF": b"\0\0\0\x18ftypavif\0\0\0\0avifmif1"
    + _box(b"meta", bytes(4) + _box(b"iprp", _box(b"ipco", _box(b"ispe", struct.pack(">III", 0, 60000, 60000))))),
}


@pytest.mark.parametrize("format", WRITTEN)
def test_a_decompression_bomb_is_refused_before_it_is_decoded(format: str) -> None:
    begun = time.process_time()
    with pytest.raises(TooLarge, match="x"):
        Photo.open(BOMBS[format])
    assert time.process_time() - begun < 0.1


def test_the_pixel_cap_is_the_callers_to_choose() -> None:
    data = encoded("PNG")
    assert Photo.open(data, max_pixels=2000).width == 50
    with pytest.raises(TooLarge):
        Photo.open(data, max_pixels=1999)


def test_a_png_whose_text_would_fill_the_memory_is_read_like_any_other() -> None:
    data = encoded("PNG")
    bomb = _chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(200 * 2**20), 9))
    photo = Photo.open(data[:33] + bomb + data[33:])
    assert photo.width == 50
    assert sum(len(text) for _, text in photo.metadata.text) <= 64 * 2**20


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="There is no file"):
        Photo.open(tmp_path / "nothing.png")
    with pytest.raises(PhotoError, match="is a folder"):
        Photo.open(tmp_path)
    with pytest.raises(PhotoError, match="cannot be read"):
        Photo.open("nul\0byte")


def test_what_a_format_cannot_hold_is_said() -> None:
    deep = Photo.from_array(np.random.default_rng(0).integers(0, 65535, (20, 20, 4), dtype=np.uint16))
    for format in ("JPEG", "WEBP", "AVIF"):
        said: list[Event] = []
        again = Photo.open(deep.encode(format, observe=said.append))
        messages = " ".join(event.message for event in said if isinstance(event, Warned))
        assert "8 bits" in messages
        assert ("transparency" in messages) == (format == "JPEG") == (again.alpha is None)


def test_deeper_avif_is_read_with_8_bits_and_that_is_said() -> None:
    ramp = np.linspace(0, 1023, 64 * 48 * 3).astype(np.uint16).reshape(48, 64, 3)
    said: list[Event] = []
    photo = Photo.open(imagecodecs.avif_encode(ramp, bitspersample=10, level=100), observe=said.append)
    assert any("8 bits" in event.message for event in said if isinstance(event, Warned))
    np.testing.assert_allclose(photo.pixels, ramp / 1023 * 255, atol=3)


def test_too_many_colours_for_a_palette_are_said_and_none_is_lost() -> None:
    photo = Photo.open(encoded("PNG", "P"))
    rng = np.random.default_rng(2)
    said: list[Event] = []
    noisy = photo.with_pixels(rng.integers(0, 255, photo.pixels.shape, dtype=np.uint8))
    again = Photo.open(noisy.encode(observe=said.append))
    assert any("256 colours" in event.message for event in said if isinstance(event, Warned))
    np.testing.assert_array_equal(again.pixels, noisy.pixels)


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_absurd_quality_and_format_are_settings_errors(quality: int) -> None:
    photo = Photo.from_array(np.zeros((4, 4), np.uint8))
    with pytest.raises(SettingsError):
        photo.encode("JPEG", quality=quality)
    with pytest.raises(SettingsError):
        photo.encode("GIF")


def test_quality_changes_the_size() -> None:
    photo = Photo.open(encoded("JPEG"))
    for format in ("JPEG", "WEBP", "AVIF"):
        assert len(photo.encode(format, quality=30)) < len(photo.encode(format, quality=95))


def test_saving_takes_the_format_from_the_name_unless_told(tmp_path: Path) -> None:
    photo = Photo.open(encoded("PNG"))
    photo.save(tmp_path / "a.jpg")
    photo.save(tmp_path / "a")
    photo.save(tmp_path / "b.jpg", format="TIFF")
    photo.save(tmp_path / "c.xyz", format="PNG")
    assert [Photo.open(tmp_path / name).format for name in ("a.jpg", "a", "b.jpg")] == ["JPEG", "PNG", "TIFF"]


@pytest.mark.parametrize("name", ["a.xyz", "a.jgp", "a.png.part", "a.psd", "folder/", "folder.png/"])
def test_a_name_that_misleads_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    photo = Photo.open(encoded("PNG"))
    with pytest.raises(OutputError) as caught:
        photo.save(f"{tmp_path}/{name}")
    assert caught.value.hint and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["gif", "bmp", "heic", "jxl", "jp2", "psd", "ppm", "tga"])
def test_an_ending_that_cannot_be_written_is_refused(ending: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        Photo.open(encoded("PNG")).save(tmp_path / f"a.{ending}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("format", "side"), [("WEBP", 16384), ("JPEG", 65501), ("AVIF", 32769), ("PNG", 1_000_001)]
)
def test_sides_beyond_what_a_format_holds_are_refused(format: str, side: int) -> None:
    for shape in ((1, side), (side, 1)):
        with pytest.raises(OutputError, match="pixels a side"):
            Photo.from_array(np.zeros(shape, np.uint8)).encode(format)
    assert Photo.open(Photo.from_array(np.zeros((1, side - 1), np.uint8)).encode(format)).width == side - 1


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"precious")
    photo = Photo.open(encoded("PNG"))
    with pytest.raises(OutputError, match="exists already") as caught:
        photo.save(path)
    assert "force" in caught.value.hint
    assert path.read_bytes() == b"precious"
    photo.save(path, force=True)
    assert Photo.open(path).width == 50
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"precious")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="no space left"):
        Photo.open(encoded("PNG")).save(path, force=True)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_device_is_an_output_error() -> None:
    with pytest.raises(OutputError, match="no space left"):
        Photo.open(encoded("PNG")).save("/dev/full", force=True)


def test_a_saved_file_has_the_rights_any_new_file_has(tmp_path: Path) -> None:
    path = tmp_path / "ä b 写真.png"
    Photo.open(encoded("PNG")).save(path)
    other = tmp_path / "other"
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode
    path.chmod(0o600)
    Photo.open(encoded("PNG")).save(path, force=True)
    assert path.stat().st_mode & 0o777 == 0o600


def test_profile_conversion_of_cmyk_uses_the_profile() -> None:
    """With a profile that is no CMYK profile the plain conversion is the fallback, and it is said."""
    data = encoded("JPEG", "CMYK", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    said: list[Event] = []
    Photo.open(data, allow_cmyk=True, observe=said.append)
    assert any("without a colour profile" in event.message for event in said if isinstance(event, Warned))


def test_a_bomb_takes_little_memory() -> None:
    """In a process of its own, whose peak memory the kernel tells."""
    code = (
        "import resource, sys; from patchloom import Photo, PhotoError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: Photo.open(sys.stdin.buffer)\nexcept PhotoError: pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    for data in BOMBS.values():
        done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
        assert int(done.stdout) < 50 * 1024


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("twice", [False, True])
def test_palette_entries_of_one_colour_are_said_to_become_one(form: str, twice: bool) -> None:
    indices = np.arange(64, dtype=np.uint8).reshape(8, 8) % 3
    image, file, heard = Image.fromarray(indices, "P"), io.BytesIO(), []
    image.putpalette([10, 20, 30, 200, 100, 0, *((10, 20, 30) if twice else (0, 0, 9)), 10, 20, 30])
    image.save(file, form)
    photo = Photo.open(file.getvalue(), observe=heard.append)
    assert [event.message[:34] for event in heard] == ["The palette has entries of the sam"] * twice
    with Image.open(io.BytesIO(photo.encode())) as again:
        assert twice or (np.asarray(again) == indices).all()
