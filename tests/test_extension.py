"""A wider canvas: what is added, what is kept, and what the file says of its size."""

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from patchloom import Photo, SettingsError, extend, fill_settings
from patchloom.canvas import Frame, Margins
from patchloom.cli import run
from patchloom.errors import TooLarge
from patchloom.events import Event, Warned
from patchloom.extension import extended

QUICK = fill_settings("fast", content="none")
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:ImageWidth="60" tiff:ImageLength="40">'
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def waves(height: int = 40, width: int = 60, channels: int = 3) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    planes = [128 + 60 * np.sin(x / (4 + c)) + 40 * np.cos(y / 7) for c in range(channels)]
    return np.stack(planes, axis=-1).astype(np.uint8)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (Frame(left="40", bottom="10%"), Margins(left=40, bottom=30)),
        (Frame(ratio="2:1"), Margins(left=100, right=100)),
        (Frame(ratio="1:1", top="3"), Margins(top=53, bottom=50, left=0, right=0)),
        (Frame(ratio="16:9"), Margins(left=66, right=67)),
    ],
)
def test_margins_are_pixels_percent_and_what_gives_a_ratio(frame: Frame, expected: Margins) -> None:
    width, height = (400, 300) if frame.ratio != "1:1" else (400, 297)
    found = frame.margins(width, height)
    assert found == expected
    if frame.ratio:
        across, down = map(int, frame.ratio.split(":"))
        wide, tall = width + found.left + found.right, height + found.top + found.bottom
        assert abs(wide / tall - across / down) < 2 / tall


@pytest.mark.parametrize(
    "frame", [Frame(), Frame(left="-4"), Frame(top="wide"), Frame(ratio="3"), Frame(ratio="1:0")]
)
def test_a_frame_that_says_nothing_is_an_error(frame: Frame) -> None:
    with pytest.raises(SettingsError):
        frame.margins(300, 200)
    with pytest.raises(TooLarge):
        extend(waves(), right=10_000_000)


def test_the_photo_is_kept_and_stripes_go_on() -> None:
    """Vertical stripes have one continuation downwards, which is known."""
    stripes = np.repeat(np.tile(np.array([40, 40, 40, 200, 200, 120], np.uint8), 16)[None], 100, axis=0)
    result = extend(stripes, bottom=24, top="10%", preset="fast", content="none")
    assert result.shape == (134, 96)
    np.testing.assert_array_equal(result[10:110], stripes)
    assert np.abs(result.astype(int) - stripes[0]).max() <= 8  # of steps of 80 and 160


def test_a_pole_that_leans_goes_on_as_it_leans() -> None:
    """A mirror at the frame would send it back."""
    y, x = np.mgrid[:160, :160]
    truth = np.where(np.abs(x - 50 - y / 3) < 5, 60, 190).astype(np.uint8) + (x // 8).astype(np.uint8)
    made = extend(truth[32:], top=32, preset="fast", content="none")
    middles = [(place, np.flatnonzero(row).mean()) for place, row in enumerate(made[:32] < 140) if row.any()]
    assert len(middles) >= 20
    assert abs(np.polyfit(*zip(*middles, strict=True), 1)[0] - 1 / 3) < 0.1


@pytest.mark.parametrize(("format", "turn"), [("JPEG", 1), ("JPEG", 6), ("JPEG", 3), ("WEBP", 6), ("PNG", 8)])
def test_a_file_says_its_new_size_as_it_is_stored(format: str, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0100] = turn, "Maker", 60
    exif.get_ifd(0x8769)[0xA002], exif.get_ifd(0x8769)[0xA003] = 60, 40
    data = io.BytesIO()
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    Image.fromarray(waves()).save(data, format, exif=exif, xmp=XMP, pnginfo=text)
    photo = Photo.open(data.getvalue())
    result = extended(photo, Frame(right="10", bottom="5"), QUICK)
    assert (result.photo.width, result.photo.height) == (photo.width + 10, photo.height + 5)
    with Image.open(io.BytesIO(result.photo.encode())) as image:
        said = image.getexif()
        assert said[0x0112] == turn and said[0x010F] == "Maker" and said[0x0100] == image.width
        inner = said.get_ifd(0x8769)
        assert (inner[0xA002], inner[0xA003]) == image.size
        packet = image.info.get("xmp", b"")
        assert f'ImageWidth="{image.width}" tiff:ImageLength="{image.height}"'.encode() in packet


def test_a_tiff_of_sixteen_bits_with_alpha_keeps_its_samples() -> None:
    samples = (
        np.concatenate([waves(channels=3), np.full((40, 60, 1), 255, np.uint8)], axis=-1).astype(np.uint16) * 257
    )
    data = io.BytesIO()
    tifffile.imwrite(data, samples, photometric="rgb", extrasamples=["unassalpha"])
    result = extended(Photo.open(data.getvalue()), Frame(left="12"), QUICK)
    stored = tifffile.imread(io.BytesIO(result.photo.encode()))
    np.testing.assert_array_equal(stored[:, 12:], samples)
    assert (stored[:, :12, 3] == 65535).all()


def test_what_is_too_much_to_continue_is_said() -> None:
    said: list[Event] = []
    extended(Photo.from_array(waves()), Frame(right="60%"), QUICK, observe=said.append)
    assert any(isinstance(one, Warned) and "expect repeats" in one.message for one in said)


def test_the_command_writes_beside_the_photo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(waves()).save(tmp_path / "photo.png")
    assert run(["extend", str(tmp_path / "photo.png"), "--ratio", "2:1", "--preset", "fast"]) == 0
    with Image.open(tmp_path / "photo.extended.png") as image:
        assert image.size == (80, 40)
        np.testing.assert_array_equal(np.array(image)[:, 10:70], waves())
    assert run(["extend", str(tmp_path / "photo.png"), "-o", str(tmp_path / "x.png")]) == 2
    assert "as large as the photo" in capsys.readouterr().err
