"""Scans with an infrared channel whose marks are known."""

import io
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import tifffile
from PIL import Image
from scipy import ndimage

from patchloom import MaskError, Photo
from patchloom.cli import run
from patchloom.infrared import marks_in, mask_of


def scanned(
    cyan: float = 0.1, noise: float = 0.01, shift: tuple[int, int] = (0, 0), marks: int = 40, lamp: float = 0.2
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The colours (H, W, 3) and the infrared light (H, W), uint16, and where marks are that hold back a fifth and
    more of the light. ``cyan``: how much of the red channel's image is left in infrared light."""
    rng = np.random.default_rng(2)
    picture = np.asarray(skimage.data.coffee())[:300, :420] / 255 * 0.9 + 0.05
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    held = np.zeros((height, width))
    for number in range(marks):
        y, x = rng.uniform(20, (height - 20, width - 20))
        if number % 5:
            spot = np.hypot(rows - y, columns - x) < rng.uniform(1, 4)
        else:
            angle = rng.uniform(0, np.pi)
            along = (rows - y) * np.sin(angle) + (columns - x) * np.cos(angle)
            across = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
            spot = (np.abs(along) < 30) & (np.abs(across) < 0.8)
        held = np.maximum(held, spot * rng.uniform(0.25, 0.9))
    held = ndimage.gaussian_filter(held, 0.5)
    colours = picture * (1 - held[..., None])
    fall_off = 1 - lamp * (np.hypot(rows - height / 2, columns - width / 2) / 256) ** 2
    light = 0.8 * picture[..., 0] ** cyan * np.roll(1 - held, shift, (0, 1)) * fall_off
    light = light * (1 + rng.normal(0, noise, light.shape))
    sixteen = [np.rint(np.clip(values, 0, 1) * 65535).astype(np.uint16) for values in (colours, light)]
    return sixteen[0], sixteen[1], held > 0.2


@pytest.mark.parametrize(
    ("cyan", "noise", "shift", "lamp"),
    [(0.0, 0.005, (0, 0), 0.0), (0.1, 0.01, (3, -5), 0.2), (0.3, 0.02, (-2, 1), 0.4)],
)
def test_marks_are_found_whatever_the_film_and_wherever_the_channel_lies(
    cyan: float, noise: float, shift: tuple[int, int], lamp: float
) -> None:
    colours, light, truth = scanned(cyan, noise, shift, lamp=lamp)
    found = marks_in(light / np.float32(65535), (colours / np.float32(65535)))
    assert found.shift == (-shift[0], -shift[1])
    assert found.marks[truth].mean() > 0.97
    near = ndimage.binary_dilation(truth, iterations=3)
    assert (found.marks & ~near).mean() < 0.0005


def test_a_clean_film_has_no_marks() -> None:
    colours, light, _ = scanned(marks=0)
    assert marks_in(light / np.float32(65535), colours / np.float32(65535)).marks.mean() < 0.0002


def test_silver_is_not_taken_for_dust() -> None:
    """A film whose image stops infrared light in a way that its colours do not say."""
    colours, _, _ = scanned()
    rng = np.random.default_rng(0)
    silver = np.clip(ndimage.gaussian_filter(rng.normal(0.5, 3, colours.shape[:2]), 4), 0.02, 1)
    with pytest.raises(MaskError, match="does not let the light through"):
        mask_of(Photo(colours), Photo(np.rint(silver[..., None] * 65535).astype(np.uint16)))


def test_what_does_not_fit_is_an_error() -> None:
    colours, light, _ = scanned()
    with pytest.raises(MaskError, match="no infrared channel"):
        mask_of(Photo(colours))
    with pytest.raises(MaskError, match="420 x 299"):
        mask_of(Photo(colours), Photo(light[1:, :, None]))


@pytest.mark.parametrize("kind", ["channel", "page", "file"])
def test_the_command_takes_a_channel_a_page_or_a_file(kind: str, tmp_path: Path) -> None:
    colours, light, truth = scanned()
    scan, other = tmp_path / "scan.tif", tmp_path / "infrared.tif"
    given = {
        "channel": ["--infrared"],
        "page": ["--infrared", "2", "--page", "1"],
        "file": ["--infrared", str(other)],
    }
    if kind == "channel":
        joined = np.concatenate([colours, light[..., None]], axis=-1)
        tifffile.imwrite(scan, joined, photometric="rgb", extrasamples=["unspecified"])
    else:
        with tifffile.TiffWriter(scan) as file:
            file.write(colours, photometric="rgb")
            if kind == "page":
                file.write(light, photometric="minisblack")
        tifffile.imwrite(other, light)
    assert run(["fill", str(scan), *given[kind], "--preset", "fast", "-o", str(tmp_path / "out.tif")]) == 0
    filled = tifffile.imread(io.BytesIO((tmp_path / "out.tif").read_bytes()), key=0)[..., :3]
    clean = np.asarray(skimage.data.coffee())[:300, :420] / 255 * 0.9 + 0.05
    before, after = (np.square(each / 65535 - clean)[truth].mean() for each in (colours, filled))
    assert after < before / 8
    far = ~ndimage.binary_dilation(truth, iterations=6)
    assert (filled != colours).any(2)[far].mean() < 0.001
    made = run(["mask", str(scan), "--from-infrared", *given[kind][1:2], "-o", str(tmp_path / "dust.png")])
    assert made == 0
    with Image.open(tmp_path / "dust.png") as mask:
        assert np.asarray(mask)[truth].mean() > 0.95
