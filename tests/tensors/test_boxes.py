"""Boxes that cover a mask: each of its pixels once, and little else where it is thin."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from patchloom.tensors.boxes import Box, bounds, covering


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([1, 4]), st.floats(0.001, 0.9))
def test_every_pixel_lies_in_one_box(seed: int, align: int, share: float) -> None:
    random = np.random.default_rng(seed)
    mask = random.random((random.integers(1, 50), random.integers(1, 70))) < share
    times = np.zeros(mask.shape, int)
    for box in covering(mask, 300, 40, align):
        times[box.slices] += 1
        assert mask[box.slices].any()
        assert box.top % align == box.left % align == 0
        assert all(
            end % align == 0 or end == side for end, side in zip((box.bottom, box.right), mask.shape, strict=True)
        )
        assert box.size[0] * box.size[1] <= 300 or max(box.size) <= align
    assert times.max(initial=0) <= 1
    assert (times[mask] == 1).all()


def test_a_scratch_is_covered_by_boxes_along_it() -> None:
    mask = np.eye(400, dtype=bool)
    boxes = covering(mask, 24_000, 1_000, 4)
    assert sum(box.size[0] * box.size[1] for box in boxes) < 0.1 * mask.size


@pytest.mark.parametrize("align", [1, 4])
def test_bounds_by_hand(align: int) -> None:
    mask = np.zeros((10, 10), bool)
    mask[3, 5] = mask[9, 6] = True
    assert bounds(mask, align) == (Box(3, 5, 10, 7) if align == 1 else Box(0, 4, 10, 8))
