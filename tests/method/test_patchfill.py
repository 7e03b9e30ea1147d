"""The patch fill: what is decided small is what is there at native size, in whole pieces."""

from dataclasses import replace

import numpy as np

from patchloom.method.decision import deciding_level, way_to_fill
from patchloom.method.patchfill import SLIDE, ExemplarFill, Scales, Variant, carried, exemplar_fill
from patchloom.method.pyramid import Level, shrinking_pyramid

VARIANT = Variant(patch=5, locality=0.0, seed=3)


def scales(side: int = 420, hole_side: int = 200) -> Scales:
    """Noise with a square hole in the middle."""
    image = np.random.default_rng(0).random((side, side, 3), dtype=np.float32)
    hole = np.zeros((side, side), bool)
    begin = (side - hole_side) // 2
    hole[begin : begin + hole_side, begin : begin + hole_side] = True
    return Scales(shrinking_pyramid(Level(image, hole, ~hole), VARIANT.patch))


def mapped_offsets(fill: ExemplarFill) -> np.ndarray:
    """(H, W, 2): the offset at every pixel of the level that has one."""
    offsets = np.zeros((*fill.field.numbers.shape, 2), int)
    offsets[fill.field.centres[:, 0], fill.field.centres[:, 1]] = fill.field.offsets
    return offsets


def test_a_carried_field_stays_within_its_slides_of_what_was_decided() -> None:
    """An offset may slide ``SLIDE`` pixels a search, or become a neighbour's within 8 pixels; nothing else."""
    place = scales()
    last = deciding_level(place.deepest, len(place))
    assert last == len(place) - 2
    small = exemplar_fill(place, VARIANT, last=last)
    large = carried(place, VARIANT, small)
    before, after = mapped_offsets(small), mapped_offsets(large)
    reach = 16  # two rounds of propagation over 8 native pixels
    for row, column in np.argwhere(place.holes[-1])[::997]:
        rows, columns = (slice((at - reach) // 2, (at + reach) // 2 + 1) for at in (row, column))
        near = rows, columns
        off = np.abs(2 * before[near] - after[row, column]).max(-1).min()
        assert off <= 2 * SLIDE + 2


def test_a_fill_is_determined_by_its_seed() -> None:
    place = scales(128, 40)
    fills = [exemplar_fill(place, replace(VARIANT, seed=seed)).picture for seed in (0, 0, 1, 2**31 - 1)]
    np.testing.assert_array_equal(fills[0], fills[1])
    assert (fills[0] != fills[2]).any() and (fills[2] != fills[3]).any()


def test_versions_differ_in_kind_and_thin_holes_have_one_way() -> None:
    wide, thin = scales(160, 80), scales(160, 6)
    ways = [way_to_fill(wide, 2.0, seed) for seed in range(4)]
    assert len({replace(way, seed=0) for way in ways}) == 4
    assert len({replace(way_to_fill(thin, 2.0, seed), seed=0) for seed in range(4)}) == 1
    assert all(way.guide_weight == 0 for way in (way_to_fill(wide, 0.0, seed) for seed in range(4)))
