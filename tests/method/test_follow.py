"""A given picture is followed as far as it is sharp, and no further."""

import numpy as np
import pytest
from scipy import ndimage

from patchloom import inpaint
from patchloom.method.follow import back_projected, halvings_of, misses_at_rim
from patchloom.method.patchfill import guide_scales
from patchloom.tensors.border import resized


def photograph(side: int = 256) -> np.ndarray:
    """(H, W, 3) float32: noise of every frequency, as much of each octave."""
    random = np.random.default_rng(0)
    octaves = [
        resized(random.normal(0, 1, (side >> n, side >> n, 3)).astype(np.float32), (side, side)) for n in range(6)
    ]
    return np.clip(0.5 + 0.07 * np.sum(octaves, 0), 0, 1).astype(np.float32)


def square(side: int = 256, begin: int = 64, end: int = 192) -> np.ndarray:
    hole = np.zeros((side, side), bool)
    hole[begin:end, begin:end] = True
    return hole


def blurred(picture: np.ndarray, halvings: int) -> np.ndarray:
    """As a program of so many times smaller pictures would give it."""
    size = picture.shape[0] >> halvings
    return resized(resized(picture, (size, size)), picture.shape[:2])


@pytest.mark.parametrize("halvings", [1, 2, 3])
def test_a_back_projected_picture_is_what_is_wanted_and_known_pixels_stay(halvings: int) -> None:
    picture, hole = photograph(), square()
    wanted = guide_scales(np.flip(photograph(), 0).copy(), halvings + 1)[0]
    result = back_projected(picture, hole, wanted)
    np.testing.assert_array_equal(result[~hole], picture[~hole])
    inner = ndimage.binary_erosion(hole, iterations=3 << halvings)[:: 1 << halvings, :: 1 << halvings]
    off = (guide_scales(result, halvings + 1)[0] - wanted)[inner]
    assert np.sqrt(np.square(off).mean()) < 0.01


@pytest.mark.parametrize("halvings", [0, 1, 2, 3])
def test_sharpness_is_measured(halvings: int) -> None:
    picture, hole = photograph(), square()
    given = np.where(hole[..., None], blurred(picture, halvings), picture)
    assert abs(halvings_of(given, hole, None) - halvings) <= (0 if halvings == 0 else 1)
    assert halvings_of(given, hole, 0.25) == 2


def test_something_smooth_is_not_taken_for_blurred_nor_nothing_for_sharp() -> None:
    picture, hole = photograph(), square()
    fainter = np.where(hole[..., None], 0.5 + 0.2 * (picture - 0.5), picture)
    assert halvings_of(fainter, hole, None) == 0
    assert halvings_of(np.where(hole[..., None], np.float32(0.5), picture), hole, None) >= 3


def test_what_a_picture_shows_stays_and_what_it_lacks_comes_from_the_photograph() -> None:
    truth, hole = photograph(), square()
    given = blurred(truth, 2)
    filled = inpaint(truth, hole, coarse=given)
    inner = np.s_[72:184, 72:184]

    def small(x: np.ndarray) -> np.ndarray:
        return guide_scales(x, 3)[0][20:44, 20:44]

    assert np.square(small(filled) - small(given)).mean() < 10**-3.3
    rough = [np.abs(np.diff(x[inner], axis=0)).mean() for x in (given, filled, truth)]
    assert rough[1] > (rough[0] + rough[2]) / 2


def test_a_picture_that_does_not_fit_misses_at_the_rim() -> None:
    truth, hole = photograph(), square()
    assert misses_at_rim(truth, hole) < 0.01
    assert misses_at_rim(np.where(hole[..., None], 1 - truth, truth), hole) > 0.05
