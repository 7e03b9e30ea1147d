"""Neural patches against plain loops."""

import numpy as np
import torch
from hypothesis import given, settings, strategies as st

from patchloom.tensors.patches import cells_of, fold, patches_touching, unfold, vote


def features(seed: int, height: int = 6, width: int = 7, channels: int = 3) -> torch.Tensor:
    return torch.randn(
        1, channels, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )


def test_unfold_then_vote_gives_the_map_back() -> None:
    map_ = features(0)
    every = torch.arange(4 * 5)
    value, count = vote(unfold(map_), every, (6, 7))
    torch.testing.assert_close(value, map_)
    assert count[0, 0, 0, 0] == 1 and count[0, 0, 3, 3] == 9


def test_fold_adds_patches_where_they_lie() -> None:
    patches = torch.ones(2, 9)
    total, count = fold(patches, torch.tensor([0, 1]), (3, 4))  # the two windows of a 3x4 map
    expected = torch.tensor([[1.0, 2.0, 2.0, 1.0]]).expand(3, 4)
    torch.testing.assert_close(total[0, 0], expected)
    torch.testing.assert_close(count[0, 0], expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 4), st.integers(8, 21), st.integers(8, 21))
def test_cells_and_windows_that_touch_a_hole(seed: int, stride: int, height: int, width: int) -> None:
    hole = np.random.default_rng(seed).random((height, width)) < 0.05
    rows, columns = -(-height // stride), -(-width // stride)
    cells = cells_of(torch.from_numpy(hole)[None, None], stride, (rows, columns)).numpy()
    for i in range(rows):
        for j in range(columns):
            block = hole[i * stride : (i + 1) * stride, j * stride : (j + 1) * stride]
            assert cells[i, j] == block.any()
    if rows >= 3 and columns >= 3:
        touching = patches_touching(torch.from_numpy(cells)).reshape(rows - 2, columns - 2)
        for i in range(rows - 2):
            for j in range(columns - 2):
                assert touching[i, j] == cells[i : i + 3, j : j + 3].any()
