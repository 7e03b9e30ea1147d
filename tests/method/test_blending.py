"""Blending against a direct solution of the same least squares, and what is known of its minimum."""

import numpy as np
import pytest

from patchloom.method import blending


def pairs(height: int, width: int) -> list[tuple[tuple[int, int], tuple[int, int], int]]:
    """Every pair of neighbours: the pixel, the one below (axis 0) or on the right (axis 1), and the axis."""
    down = [((y, x), (y + 1, x), 0) for y in range(height - 1) for x in range(width)]
    return down + [((y, x), (y, x + 1), 1) for y in range(height) for x in range(width - 1)]


def differences_of(picture: np.ndarray) -> np.ndarray:
    """(H, W, 2, 3): to the pixel below and to that on the right."""
    result = np.zeros((*picture.shape[:2], 2, 3), np.float32)
    for here, there, axis in pairs(*picture.shape[:2]):
        result[here][axis] = picture[there] - picture[here]
    return result


def solved_directly(
    picture: np.ndarray, hole: np.ndarray, differences: np.ndarray, target: np.ndarray, trust: float
) -> np.ndarray:
    """The correction by dense least squares, one row a term of the sum."""
    number = {tuple(p): i for i, p in enumerate(np.argwhere(hole))}
    rows, right = [], []
    lacking = {
        (here, axis): differences[here][axis] - picture[there] + picture[here]
        for here, there, axis in pairs(*hole.shape)
        if here in number or there in number
    }
    reach = blending.SPAN // 2
    for here, there, axis in pairs(*hole.shape):
        if (here, axis) in lacking:
            wanted = differences[here][axis]
            around = [lacking.get((moved(here, axis, by), axis), np.zeros(3)) for by in range(-reach, reach + 1)]
            step = np.ptp([np.zeros(3), *np.cumsum(around, axis=0)], axis=0)
            weight = np.sqrt(same(step, blending.STEP) / (1 + (wanted**2).mean() / blending.EDGE**2))
            row = np.zeros(len(number))
            for sign, pixel in ((1, there), (-1, here)):
                if pixel in number:
                    row[number[pixel]] = sign * weight
            rows.append(row)
            right.append(weight * lacking[here, axis])
    for pixel, i in number.items():
        miss = target[pixel] - picture[pixel]
        rows.append(np.eye(len(number))[i] / blending.REACH)
        right.append(trust * same(miss, blending.ANOTHER) * miss / blending.REACH)
    solution = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
    result = np.zeros_like(picture)
    result[hole] = solution
    return result


def moved(pixel: tuple[int, int], axis: int, by: int) -> tuple[int, int]:
    return (pixel[0] + by, pixel[1]) if axis == 0 else (pixel[0], pixel[1] + by)


def same(difference: np.ndarray, scale: float) -> float:
    return float(np.exp(-(difference**2).mean() / 2 / scale**2))


def holes() -> dict[str, np.ndarray]:
    y, x = np.mgrid[:14, :17]
    return {
        "box": (abs(y - 7) < 4) & (abs(x - 8) < 5),
        "in a corner": (y < 6) & (x > 10),
        "two": ((y < 5) & (x < 5)) | ((y > 9) & (x > 9)),
        "scattered": np.random.default_rng(0).random(y.shape) < 0.4,
    }


@pytest.mark.parametrize("trust", [0.0, 0.7])
@pytest.mark.parametrize("name", holes())
def test_is_the_minimum_of_the_sum(name: str, trust: float) -> None:
    hole = holes()[name]
    rng = np.random.default_rng(1)
    picture = rng.normal(0.5, 0.05, (*hole.shape, 3)).astype(np.float32)
    differences = rng.normal(0, 0.05, (*hole.shape, 2, 3)).astype(np.float32)
    target = (picture + rng.normal(0, 0.2, picture.shape)).astype(np.float32)
    added = blending.correction(picture, hole, differences, target, trust)
    expected = solved_directly(picture, hole, differences, target, trust)
    np.testing.assert_allclose(added, expected, atol=1 / 255 / 2)
    assert (added[~hole] == 0).all()


def test_leaves_a_fill_alone_that_fits_already() -> None:
    hole = holes()["box"]
    picture = np.random.default_rng(2).random((*hole.shape, 3), dtype=np.float32)
    assert (blending.correction(picture, hole, differences_of(picture)) == 0).all()


def test_a_copy_that_is_too_bright_comes_back_to_its_surroundings() -> None:
    """The copies' own differences are right: all that is wrong is a step along the rim."""
    hole = holes()["box"]
    truth = np.random.default_rng(3).normal(0.5, 0.01, (*hole.shape, 3)).astype(np.float32)
    bright = truth + 0.1 * hole[..., None]
    blended = bright + blending.correction(bright, hole, differences_of(truth))
    assert abs(blended - truth).max() < 0.01


def test_a_copy_of_something_else_is_left_alone() -> None:
    """Blue in red surroundings: no seam, and not a badly lit red."""
    hole = holes()["box"]
    picture = np.where(hole[..., None], [0.05, 0.05, 0.95], [0.95, 0.05, 0.05]).astype(np.float32)
    plain = np.full_like(picture, (0.95, 0.05, 0.05))
    assert abs(blending.correction(picture, hole, differences_of(plain))).max() < 1 / 255 / 4


def test_a_correction_does_not_leak_across_an_outline() -> None:
    """The copy on the left of an outline is too dark: it is corrected, not its neighbour."""
    hole = np.zeros((40, 80), bool)
    hole[5:35, 10:70] = True
    truth = np.full((40, 80, 3), 0.4, np.float32)
    truth[:, 40:] = 0.8
    picture = truth.copy()
    picture[:, :40][hole[:, :40]] -= 0.1
    added = blending.correction(picture, hole, differences_of(truth))[20]
    assert added[11:39].min() > 0.02
    assert abs(added[40:]).max() < 0.1 * added[39].min()
