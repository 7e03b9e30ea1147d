"""Slivers that a mask left of an object are part of it; its surroundings are not."""

import numpy as np

from patchloom import inpaint
from patchloom.mask import Mask, growth
from patchloom.remnants import remnants

ROWS, COLUMNS = np.mgrid[:240, :240]
OBJECT = np.hypot(ROWS - 120, COLUMNS - 120) < 60


def photograph() -> np.ndarray:
    """(H, W, 3) in 0..1: a blue disc on grainy sand."""
    grain = np.random.default_rng(0).normal(0, 0.03, (240, 240, 1))
    return np.clip(np.where(OBJECT[..., None], [0.1, 0.2, 0.7], [0.7, 0.6, 0.4]) + grain, 0, 1).astype(np.float32)


def found(mask: np.ndarray) -> np.ndarray:
    return remnants(lambda place: photograph()[place], mask)


def test_a_sliver_is_found_and_hardly_anything_else() -> None:
    mask = np.hypot(ROWS - 120, COLUMNS - 123) < 60  # three pixels too far to the right
    sliver = OBJECT & ~mask
    assert found(mask)[sliver].mean() > 0.9
    assert (found(mask) & ~OBJECT).sum() < 2 * 2 * np.pi * 60  # a rim of two pixels


def test_an_island_between_parts_of_the_mask_is_found() -> None:
    mask = OBJECT & ~((abs(ROWS - 120) < 6) & (abs(COLUMNS - 120) < 6))
    assert found(mask)[OBJECT & ~mask].all()


def test_a_mask_that_covers_the_object_stays_as_it_is() -> None:
    for radius in (61, 75):
        assert not found(np.hypot(ROWS - 120, COLUMNS - 120) < radius).any()


def test_growth_in_pixels_is_independent_of_what_lies_under_the_hole_and_auto_takes_the_sliver() -> None:
    photo = (photograph() * 255).astype(np.uint8)
    mask = np.hypot(ROWS - 120, COLUMNS - 126) < 60
    other = np.where(mask[..., None], 255 - photo, photo).astype(np.uint8)
    plain = [inpaint(one, mask, texture="none", content="patches") for one in (photo, other)]
    np.testing.assert_array_equal(*plain)
    grown = inpaint(photo, mask, texture="none", content="patches", grow="auto")
    hole = Mask(mask | found(mask)).grow(growth(240, 240)).hole  # of an object's soft edge nothing is left either
    changed = (grown != photo).any(-1)
    assert not (changed & ~hole).any() and changed[hole].mean() > 0.9
    blue = (grown[..., 2].astype(int) - grown[..., 0]) > 60
    assert blue.mean() < 0.001 < ((plain[0][..., 2].astype(int) - plain[0][..., 0]) > 60).mean()
