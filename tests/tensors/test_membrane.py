"""The membrane against a direct solution of the same equations, and what is known of harmonic functions."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
import torch
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
    image = torch.from_numpy(np.stack([values, 1 - values]))[None].float()
    filled = membrane(image, torch.from_numpy(hole)[None, None], 1e-5)[0].double().numpy()
    expected = solved_directly(values, hole)
    np.testing.assert_allclose(filled[0], expected, atol=2e-4)
    np.testing.assert_allclose(filled[1], 1 - expected, atol=2e-4)


def test_a_linear_ramp_is_continued_exactly() -> None:
    y, x = torch.meshgrid(torch.arange(70.0), torch.arange(90.0), indexing="ij")
    ramp = (0.004 * x + 0.006 * y)[None, None]
    hole = torch.zeros(1, 1, 70, 90, dtype=torch.bool)
    hole[..., 10:60, 15:70] = True
    torch.testing.assert_close(membrane(ramp, hole, 1e-6), ramp, atol=1e-4, rtol=0)


def test_known_pixels_and_batch_neighbours_do_not_change() -> None:
    image = torch.rand(3, 3, 40, 50, dtype=torch.float64).float()
    hole = torch.rand(3, 1, 40, 50) > 0.6
    hole[1] = False
    filled = membrane(image, hole)
    assert torch.equal(filled.where(~hole, 0), image.where(~hole, 0))
    assert torch.equal(filled[1], image[1])
    assert torch.equal(filled[2:], membrane(image[2:], hole[2:]))
    assert torch.equal(
        membrane(image.where(~hole, torch.rand(()).item()), hole), membrane(image.where(~hole, 9), hole)
    )


def test_a_picture_without_known_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="known pixel"):
        membrane(torch.zeros(1, 3, 8, 8), torch.ones(1, 1, 8, 8))
