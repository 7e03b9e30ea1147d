"""The pyramids against hand-computed cases, and that holes never leak."""

import numpy as np
from hypothesis import given, settings, strategies as st

from patchloom.method.pyramid import (
    Level,
    halve,
    paper_pyramid,
    paper_step,
    seen_shares,
    shrinking_pyramid,
    shrinking_step,
    texture_features,
)


def level(image: np.ndarray, hole: np.ndarray) -> Level:
    return Level(image, hole, ~hole)


def test_halving_by_hand() -> None:
    """A 5x5 picture with one bright pixel: coarse row i weighs rows 2i-2 .. 2i+3 by 1 5 10 10 5 1."""
    image = np.zeros((5, 5, 1))
    image[2, 3] = 1
    half, share = halve(image, np.ones((5, 5)))
    line = [1, 5, 10, 10, 5, 1]

    def weight(coarse: int, fine: int) -> int:
        place = fine - (2 * coarse - 2)
        return line[place] if 0 <= place < 6 else 0

    def inside(coarse: int) -> int:
        return sum(weight(coarse, fine) for fine in range(5))

    for i in range(3):
        for j in range(3):
            expected = weight(i, 2) * weight(j, 3) / (inside(i) * inside(j))
            assert abs(float(half[i, j, 0]) - expected) < 1e-12
    np.testing.assert_allclose(share, 1)


def test_the_known_share_by_hand() -> None:
    known = np.zeros((5, 5))
    known[0] = 1  # only the first row
    _, share = halve(np.ones((5, 5, 1)), known)
    rows_inside = [10 + 10 + 5 + 1, 1 + 5 + 10 + 10 + 5, 1 + 5 + 10]  # of the coarse rows 0, 1, 2
    first_row = [10, 1, 0]
    for i in range(3):
        assert abs(float(share[i, 1]) - first_row[i] / rows_inside[i]) < 1e-12


def test_the_seen_share_by_hand() -> None:
    """All but the first row of 32x32 is hole. What is seen does not grow back from level to level."""
    hole = np.ones((32, 32), bool)
    hole[0] = False
    levels = shrinking_pyramid(level(np.random.default_rng(0).random((32, 32, 3)), hole), patch=3)
    *_, quarter, half, native = seen_shares(levels)
    assert bool((native == 1).all())
    once = [10 / 26, 1 / 32, 0, 0]  # the first row's weight in coarse rows, of the weight inside the picture
    for row, share in enumerate(once):
        assert abs(float(half[row, 8]) - share) < 1e-12
    assert abs(float(quarter[0, 4]) - (10 * once[0] + 10 * once[1]) / 26) < 1e-12


def test_texture_features_by_hand() -> None:
    """A ramp that rises by .01 a column and not at all from row to row."""
    ramp = np.broadcast_to(0.01 * np.arange(48.0)[None, :, None], (48, 48, 3))
    hole = np.zeros((48, 48), bool)
    hole[12:36, 12:36] = True
    levels = shrinking_pyramid(level(ramp, hole), patch=3)
    assert len(levels) > 2
    for one, features in zip(levels, texture_features(levels), strict=True):
        np.testing.assert_allclose(features[..., 0], np.where(one.hole, 0, 0.01), atol=1e-9)
        np.testing.assert_allclose(features[..., 1], 0, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(10, 40), st.integers(10, 40))
def test_known_pixels_take_nothing_from_the_hole_at_any_level(seed: int, height: int, width: int) -> None:
    random = np.random.default_rng(seed)
    hole = random.random((height, width)) < 0.3
    hole[0, 0] = False
    image = random.random((height, width, 3), dtype=np.float32)
    other = np.where(hole[..., None], np.float32(1e6), image)
    for step in (shrinking_step, paper_step):
        a, b = level(image, hole), level(other, hole)
        for _ in range(3):
            a, b = step(a), step(b)
            np.testing.assert_array_equal(a.hole, b.hole)
            np.testing.assert_array_equal(a.image[~a.hole], b.image[~a.hole])
            assert not (a.source & a.hole).any()
    of_a, of_b = (shrinking_pyramid(level(one, hole), patch=3) for one in (image, other))
    for feature_a, feature_b in zip(texture_features(of_a), texture_features(of_b), strict=True):
        np.testing.assert_array_equal(feature_a, feature_b)


def test_a_shrinking_hole_shrinks_and_the_papers_grows() -> None:
    hole = np.zeros((128, 128), bool)
    hole[33:95, 33:95] = True
    image = np.zeros((128, 128, 3), np.float32)
    sides = [int(each.hole.sum() ** 0.5) for each in shrinking_pyramid(level(image, hole), 7)]
    assert sides == sorted(sides) and sides[-1] == 62 and sides[-2] < 31
    half = paper_step(level(image, hole))
    assert int(half.hole.sum()) == 32 * 32  # rows 33..94 touch coarse rows 16..47


def test_the_papers_levels() -> None:
    hole = np.zeros((512, 512), bool)
    hole[128:384, 128:384] = True
    levels = paper_pyramid(level(np.zeros((512, 512, 3), np.float32), hole))
    assert [each.size for each in levels] == [(128, 128), (256, 256), (512, 512)]
    assert [int(each.hole.sum()) for each in levels] == [64**2, 128**2, 256**2]


def test_fewer_levels_leave_out_the_coarsest() -> None:
    hole = np.zeros((512, 512), bool)
    hole[128:384, 128:384] = True
    native = level(np.zeros((512, 512, 3), np.float32), hole)
    assert [each.size for each in paper_pyramid(native, most=2)] == [(256, 256), (512, 512)]
