"""The membrane against a direct solution of the same equations, and what is known of harmonic functions."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import NDArray

from patchloom.tensors.membrane import membrane


def solved_directly(values: NDArray[np.float64], hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The same equations, one row a hole pixel, solved by elimination."""
    height, width = hole.shape
    number = np.cumsum(hole).reshape(hole.shape) - 1
    matrix = scipy.sparse.lil_matrix((hole.sum(), hole.sum()))
    right = np.zeros(hole.sum())
    for y, x in zip(*np.nonzero(hole), strict=True):
        for ny, nx in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if 0 <= ny < height and 0 <= nx < width:
                matrix[number[y, x], number[y, x]] += 1
                if hole[ny, nx]:
                    matrix[number[y, x], number[ny, nx]] -= 1
                else:
                    right[number[y, x]] += values[ny, nx]
    filled = values.copy()
    filled[hole] = scipy.sparse.linalg.spsolve(matrix.tocsr(), right)
    return filled


def holes() -> dict[str, NDArray[np.bool_]]:
    y, x = np.mgrid[:45, :61]
    return {
        "square": (abs(y - 20) < 12) & (abs(x - 30) < 15),
        "across the border": (y < 30) & (x < 40),
        "all but one column": x > 0,
        "half of all pixels": np.random.default_rng(0).random(y.shape) < 0.5,
        "winding corridors": (y % 6 != 0) | ((x == 3) & (y % 12 == 0)) | ((x == 55) & (y % 12 == 6)) & (y > 0),
    }


@pytest.mark.parametrize("name", holes())
def test_solves_the_laplace_equation(name: str) -> None:
    hole = holes()[name]
    hole[0, 0] = False
    values = np.random.default_rng(1).random(hole.shape)
    filled = membrane(np.stack([values, 1 - values], 2).astype(np.float32), hole, 1e-5)
    expected = solved_directly(values, hole)
    np.testing.assert_allclose(filled[..., 0], expected, atol=2e-4)
    np.testing.assert_allclose(filled[..., 1], 1 - expected, atol=2e-4)


def test_a_linear_ramp_is_continued_exactly() -> None:
    y, x = np.mgrid[:70, :90]
    ramp = (0.004 * x + 0.006 * y).astype(np.float32)[..., None]
    hole = np.zeros((70, 90), bool)
    hole[10:60, 15:70] = True
    np.testing.assert_allclose(membrane(ramp, hole, 1e-6), ramp, atol=1e-4)


def test_known_pixels_do_not_change_and_what_was_in_the_hole_does_not_matter() -> None:
    random = np.random.default_rng(0)
    picture, hole = random.random((40, 50, 3), dtype=np.float32), random.random((40, 50)) > 0.6
    before = picture.copy()
    filled = membrane(picture, hole)
    np.testing.assert_array_equal(picture, before)
    np.testing.assert_array_equal(filled[~hole], picture[~hole])
    np.testing.assert_array_equal(filled, membrane(np.where(hole[..., None], np.float32(9), picture), hole))
    np.testing.assert_array_equal(membrane(picture, np.zeros_like(hole)), picture)


def test_a_picture_without_known_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="known pixel"):
        membrane(np.zeros((8, 8, 3), np.float32), np.ones((8, 8), bool))
