"""One scribble finds an object; strokes on what it is not are obeyed; shadows are proposed where there are any."""

import numpy as np
import pytest
from scipy import ndimage

from patchloom.selection import OBJECT, OTHER, outline, shadow


def scene(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A speckled ellipse on a speckled ground: pixels (H, W, 3) and the ellipse (H, W)."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:120, 0:160]
    ellipse = ((y - 60) / 34) ** 2 + ((x - 80) / 50) ** 2 < 1
    colour = np.where(ellipse[..., None], (190, 120, 60), (70, 100, 130))
    grain = ndimage.gaussian_filter(random.normal(0, 40, (120, 160, 3)), (1, 1, 0))
    return np.clip(colour + grain, 0, 255).astype(np.uint8), ellipse


def overlap(one: np.ndarray, two: np.ndarray) -> float:
    return float((one & two).sum() / (one | two).sum())


@pytest.mark.parametrize("seed", [0, 1])
def test_a_scribble_finds_the_object(seed: int) -> None:
    pixels, ellipse = scene(seed)
    marks = np.zeros(ellipse.shape, np.uint8)
    marks[58:62, 50:110] = OBJECT
    assert overlap(outline(pixels, marks), ellipse) > 0.95
    click = np.zeros_like(marks)
    click[58:62, 78:82] = OBJECT
    assert overlap(outline(pixels, click), ellipse) > 0.9


def test_a_stroke_on_what_does_not_belong_takes_it_away() -> None:
    pixels, ellipse = scene()
    pixels[20:100, 82:84] = (20, 20, 20)  # two halves
    marks = np.zeros(ellipse.shape, np.uint8)
    marks[58:62, 45:75] = OBJECT
    marks[58:62, 95:120] = OTHER
    found = outline(pixels, marks)
    left = ellipse & (np.arange(160) < 82)
    assert overlap(found, left) > 0.85 and not found[marks == OTHER].any()


def test_what_is_taken_away_need_not_look_different() -> None:
    """Two discs of one colour with a neck between them; with grain, and as flat as in a drawing."""
    y, x = np.mgrid[0:300, 0:400]
    left, right = ((np.hypot(y - 150, x - middle) < 55) for middle in (140, 255))
    joined = left | right | (np.hypot(y - 150, x - 198) < 20)
    flat = np.where(joined[..., None], (200.0, 50.0, 40.0), (70.0, 130.0, 60.0))
    for grain in (0, 4):
        pixels = (flat + np.random.default_rng(0).normal(0, grain, flat.shape)).astype(np.uint8)
        marks = np.zeros(left.shape, np.uint8)
        marks[148:153, 110:170] = OBJECT
        assert outline(pixels, marks)[right].mean() > 0.5
        marks[120:180, 253:258] = OTHER
        found = outline(pixels, marks)
        assert found[left].mean() > 0.99 and found[right].mean() < 0.01


def test_nothing_marked_is_nothing_found() -> None:
    pixels, _ = scene()
    assert not outline(pixels, np.zeros(pixels.shape[:2], np.uint8)).any()


def test_a_cast_shadow_is_the_ground_darkened() -> None:
    random = np.random.default_rng(2)
    y, x = np.mgrid[0:200, 0:260]
    ground = 140 + ndimage.gaussian_filter(random.normal(0, 30, (200, 260)), 1.5)
    pixels = ground[..., None] * np.array([1.0, 0.95, 0.8])
    thing = (abs(y - 80) < 40) & (abs(x - 110) < 18)
    cast = (((y - 128) / 14) ** 2 + ((x - 150) / 52) ** 2 < 1) & ~thing
    pixels[cast] *= 0.55
    pixels[thing] = (40, 60, 190)
    found = shadow(pixels.astype(np.uint8), thing)
    assert overlap(found, cast) > 0.7
    pixels[cast] /= 0.55
    assert not shadow(pixels.astype(np.uint8), thing).any(), "no shadow where none is"
