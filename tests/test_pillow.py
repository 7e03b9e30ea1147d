"""Pillow pictures: what they mean comes back with them."""

import numpy as np
import pytest
from PIL import Image

from patchloom import Photo, inpaint

ROWS, COLUMNS = np.mgrid[:40, :48]
RGB = np.dstack([ROWS * 5, COLUMNS * 4, (ROWS + COLUMNS) * 2]).astype(np.uint8)
ALPHA = np.where(COLUMNS < 24, 255, 0).astype(np.uint8)
HOLE = np.zeros((40, 48), bool)
HOLE[10:20, 12:22] = True
QUICK = {"preset": "fast", "texture": "none", "content": "none"}


def untouched(image: Image.Image) -> Image.Image:
    return Photo.from_pillow(image).to_pillow()


def test_a_palette_with_transparency_comes_back(tmp_path: object) -> None:
    quantised = Image.fromarray(np.dstack([RGB, ALPHA])).quantize(16)
    for image in (quantised, Image.fromarray(RGB).quantize(16)):
        back = untouched(image)
        assert back.mode == "P"
        np.testing.assert_array_equal(np.asarray(back), np.asarray(image), "the indices, too")
        np.testing.assert_array_equal(np.asarray(back.convert("RGBA")), np.asarray(image.convert("RGBA")))
    filled = inpaint(quantised, HOLE, **QUICK)
    assert np.asarray(filled.convert("RGBA"))[..., 3].min() == 0


@pytest.mark.parametrize(("mode", "colour"), [("RGB", tuple(map(int, RGB[0, 0]))), ("L", 0), ("1", 255)])
def test_a_colour_that_means_transparent_still_does(mode: str, colour: object) -> None:
    image = Image.fromarray(RGB).convert(mode)
    image.info["transparency"] = colour
    clear = np.asarray(image.convert("RGBA"))[..., 3] == 0
    assert clear.any()
    back = untouched(image)
    np.testing.assert_array_equal(np.asarray(back.convert("RGBA"))[..., 3] == 0, clear)


def test_resolution_profile_and_exif_come_back() -> None:
    image = Image.fromarray(RGB)
    image.info |= {"dpi": (300.0, 240.0), "icc_profile": b"profile"}
    filled = inpaint(image, HOLE, **QUICK)
    assert filled.info["dpi"] == (300.0, 240.0)
    assert filled.info["icc_profile"] == b"profile"
    assert "dpi" not in untouched(Image.fromarray(RGB)).info
