"""Where the work is done."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from patchloom import BudgetError
from patchloom.windows import CUT_SIDE, LEAST_CONTEXT, plan, waves


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(64, 400), st.integers(64, 900), st.integers(1, 12))
def test_every_hole_pixel_is_filled_once(seed: int, height: int, width: int, count: int) -> None:
    random = np.random.default_rng(seed)
    hole = np.zeros((height, width), bool)
    for _ in range(count):
        top, left = random.integers(0, height), random.integers(0, width)
        hole[top : top + random.integers(1, 30), left : left + random.integers(1, 200)] = True
    filled = np.zeros(hole.shape, int)
    for window in plan(hole):
        filled[window.slices] += window.part
    np.testing.assert_array_equal(filled, hole)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 40))
def test_what_is_filled_at_the_same_time_does_not_overlap_and_what_overlaps_keeps_its_order(
    seed: int, count: int
) -> None:
    random = np.random.default_rng(seed)
    hole = np.zeros((900, 1200), bool)
    for top, left in zip(random.integers(0, 880, count), random.integers(0, 1180, count), strict=True):
        hole[top : top + random.integers(2, 20), left : left + random.integers(2, 20)] = True
    found = plan(hole)
    when = {number: turn for turn, wave in enumerate(waves(found)) for number in wave}
    expected: list[int] = []  # one more than the last of those before that it overlaps
    for number, window in enumerate(found):
        before = [expected[other] + 1 for other in range(number) if window.crop.meets(found[other].crop)]
        expected.append(max(before, default=0))
    assert [when[number] for number in range(len(found))] == expected


def test_near_holes_share_a_window_and_far_ones_do_not() -> None:
    hole = np.zeros((900, 900), bool)
    hole[100:110, 100:110] = hole[100:110, 118:125] = True
    hole[800:810, 800:810] = True
    near, far = plan(hole)
    assert near.part.sum() == 100 + 70 and far.part.sum() == 100
    assert near.box[2] < 300  # not the whole photograph


def test_specks_of_one_part_of_the_photograph_share_a_window_and_a_hole_among_them_has_its_own() -> None:
    random = np.random.default_rng(0)
    hole = np.zeros((1200, 1600), bool)
    specks = list(zip(random.integers(0, 1195, 300), random.integers(0, 1595, 300), strict=True))
    for top, left in specks:
        hole[top : top + 5, left : left + 5] = True
    hole[600:700, 800:900] = True
    found = plan(hole)
    squares = 4 * 5  # of 384 pixels
    assert len(found) <= squares + 2
    assert sum(window.crop.area for window in found) < 3 * hole.size
    deep = [window for window in found if window.part.sum() > 5000]
    assert len(deep) == 1 and deep[0].part.sum() < 100 * 100 + 25 * len(specks) / 20, "the hole, and what is near"


def test_a_long_scratch_is_cut_and_a_wide_hole_is_not() -> None:
    scratch = np.zeros((2000, 3000), bool)
    for x in range(3000):
        scratch[300 + x // 3 : 304 + x // 3, x] = True
    pieces = plan(scratch)
    assert len(pieces) > 4
    for window in pieces:
        rows, columns = np.nonzero(window.part)
        assert np.ptp(columns) <= CUT_SIDE and np.ptp(rows) <= CUT_SIDE
        assert window.part.size < (CUT_SIDE + 3 * LEAST_CONTEXT) ** 2, "a thin line needs its two sides alone"
    wide = np.zeros((2000, 3000), bool)
    wide[500:1400, 800:2000] = True
    assert len(plan(wide)) == 1


def test_a_window_reaches_out_to_the_source() -> None:
    hole, source = np.zeros((600, 600), bool), np.zeros((600, 600), bool)
    hole[10:30, 10:30] = True
    source[560:590, 560:590] = True
    (window,) = plan(hole, source)
    assert window.crop.bottom >= 590 and window.crop.right >= 590


def test_memory_bounds_a_window_or_says_no() -> None:
    hole = np.zeros((3000, 3000), bool)
    hole[1000:2000, 1000:2000] = True
    roomy, tight = (plan(hole, max_memory=limit)[0] for limit in (0, 900))
    assert tight.part.size < roomy.part.size
    with pytest.raises(BudgetError) as caught:
        plan(hole, max_memory=510)
    assert "max_memory" in caught.value.hint
