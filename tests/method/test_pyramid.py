"""The pyramids against hand-computed cases, and that holes never leak."""

import numpy as np
import torch
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


def flag(mask: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(mask)[None, None]


def level(image: torch.Tensor, hole: np.ndarray) -> Level:
    return Level(image, flag(hole), flag(~hole))


def test_halving_by_hand() -> None:
    """A 5x5 picture with one bright pixel: coarse row i weighs rows 2i-2 .. 2i+3 by 1 5 10 10 5 1."""
    image = torch.zeros(1, 1, 5, 5, dtype=torch.float64)
    image[0, 0, 2, 3] = 1
    known = torch.ones_like(image)
    half, share = halve(image, known)
    line = [1, 5, 10, 10, 5, 1]

    def weight(coarse: int, fine: int) -> int:
        place = fine - (2 * coarse - 2)
        return line[place] if 0 <= place < 6 else 0

    def inside(coarse: int) -> int:
        return sum(weight(coarse, fine) for fine in range(5))

    for i in range(3):
        for j in range(3):
            expected = weight(i, 2) * weight(j, 3) / (inside(i) * inside(j))
            assert abs(float(half[0, 0, i, j]) - expected) < 1e-12
    torch.testing.assert_close(share, torch.ones_like(share))


def test_the_known_share_by_hand() -> None:
    known = torch.zeros(1, 1, 5, 5, dtype=torch.float64)
    known[0, 0, 0, :] = 1  # only the first row
    _, share = halve(torch.ones_like(known), known)
    rows_inside = [10 + 10 + 5 + 1, 1 + 5 + 10 + 10 + 5, 1 + 5 + 10]  # of the coarse rows 0, 1, 2
    first_row = [10, 1, 0]
    for i in range(3):
        assert abs(float(share[0, 0, i, 1]) - first_row[i] / rows_inside[i]) < 1e-12


def test_the_seen_share_by_hand() -> None:
    """All but the first row of 32x32 is hole. What is seen does not grow back from level to level."""
    hole = np.ones((32, 32), bool)
    hole[0] = False
    levels = shrinking_pyramid(torch.rand(1, 3, 32, 32, dtype=torch.float64), flag(hole), flag(~hole), patch=3)
    *_, quarter, half, native = seen_shares(levels)
    assert bool((native == 1).all())
    once = [10 / 26, 1 / 32, 0, 0]  # the first row's weight in coarse rows, of the weight inside the picture
    for row, share in enumerate(once):
        assert abs(float(half[0, 0, row, 8]) - share) < 1e-12
    assert abs(float(quarter[0, 0, 0, 4]) - (10 * once[0] + 10 * once[1]) / 26) < 1e-12


def test_texture_features_by_hand() -> None:
    """A ramp that rises by .01 a column and not at all from row to row."""
    ramp = torch.arange(48, dtype=torch.float64).mul(0.01).expand(1, 3, 48, 48)
    hole = np.zeros((48, 48), bool)
    hole[12:36, 12:36] = True
    levels = shrinking_pyramid(ramp, flag(hole), flag(~hole), patch=3)
    assert len(levels) > 2
    for one, features in zip(levels, texture_features(levels), strict=True):
        expected = torch.zeros_like(features)
        expected[:, :1][~one.hole] = 0.01
        torch.testing.assert_close(features, expected, atol=1e-9, rtol=0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(10, 40), st.integers(10, 40))
def test_known_pixels_take_nothing_from_the_hole_at_any_level(seed: int, height: int, width: int) -> None:
    random = np.random.default_rng(seed)
    hole = random.random((height, width)) < 0.3
    hole[0, 0] = False
    image = torch.from_numpy(random.random((1, 3, height, width), dtype=np.float32))
    other = torch.where(flag(hole), torch.full_like(image, 1e6), image)
    for step in (shrinking_step, paper_step):
        a, b = level(image, hole), level(other, hole)
        for _ in range(3):
            a, b = step(a), step(b)
            known = ~a.hole.expand_as(a.image)
            assert torch.equal(a.hole, b.hole)
            assert torch.equal(a.image[known], b.image[known])
            assert not (a.source & a.hole).any()
    of_a, of_b = (shrinking_pyramid(one, flag(hole), flag(~hole), patch=3) for one in (image, other))
    for feature_a, feature_b in zip(texture_features(of_a), texture_features(of_b), strict=True):
        assert torch.equal(feature_a, feature_b)


def test_a_shrinking_hole_shrinks_and_the_papers_grows() -> None:
    hole = np.zeros((128, 128), bool)
    hole[33:95, 33:95] = True
    image = torch.zeros(1, 3, 128, 128)
    sides = [int(each.hole.sum() ** 0.5) for each in shrinking_pyramid(image, flag(hole), flag(~hole), 7)]
    assert sides == sorted(sides) and sides[-1] == 62 and sides[-2] < 31
    half = paper_step(level(image, hole))
    assert int(half.hole.sum()) == 32 * 32  # rows 33..94 touch coarse rows 16..47


def test_the_papers_levels() -> None:
    hole = np.zeros((512, 512), bool)
    hole[128:384, 128:384] = True
    levels = paper_pyramid(torch.zeros(1, 3, 512, 512), flag(hole), flag(~hole))
    assert [each.size for each in levels] == [(128, 128), (256, 256), (512, 512)]
    assert [int(each.hole.sum()) for each in levels] == [64**2, 128**2, 256**2]


def test_fewer_levels_leave_out_the_coarsest() -> None:
    hole = np.zeros((512, 512), bool)
    hole[128:384, 128:384] = True
    image = torch.zeros(1, 3, 512, 512)
    for levels in (
        shrinking_pyramid(image, flag(hole), flag(~hole), 7, most=2),
        paper_pyramid(image, flag(hole), flag(~hole), most=2),
    ):
        assert [each.size for each in levels] == [(256, 256), (512, 512)]
