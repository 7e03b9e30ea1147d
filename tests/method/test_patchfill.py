"""The exemplar start: what its members may copy."""

from dataclasses import replace

import numpy as np

from patchloom.method.patchfill import ExemplarFill, Scales, Variant, ensemble, exemplar_fill
from patchloom.method.pyramid import Level, shrinking_pyramid

VARIANT = Variant(patch=5, locality=0.0, native_coherence=1.0, seed=3)


def scales(source: slice = slice(None), levels: int = 0) -> Scales:
    """Noise with a hole in the middle; texture may come from the rows and columns in ``source``."""
    image = np.random.default_rng(0).random((192, 192, 3), dtype=np.float32)
    hole, allowed = np.zeros((2, 192, 192), bool)
    hole[72:120, 72:120] = allowed[source, source] = True
    return Scales(shrinking_pyramid(Level(image, hole, allowed & ~hole), VARIANT.patch, levels))


def copied(fill: ExemplarFill) -> np.ndarray:
    """Where its patches come from, as native squares of 24 px (rows and columns of squares), without repeats."""
    return np.unique((fill.field.centres + fill.field.offsets) // 24, axis=0)


def test_each_member_does_without_another_half_of_the_sources() -> None:
    """Each draws on far fewer of the 60 squares outside the hole than it would alone; all together on most."""
    place = scales()
    fills = ensemble(8, VARIANT)
    denied = [copied(exemplar_fill(place, member)) for member in fills]
    alone = [copied(exemplar_fill(place, replace(member, denied=0.0))) for member in fills]
    assert max(map(len, denied)) <= 40
    assert sum(map(len, denied)) < 0.75 * sum(map(len, alone))
    assert len(np.unique(np.concatenate(denied), axis=0)) >= 50


def test_a_member_that_would_be_left_without_sources_keeps_them_all() -> None:
    place = scales(slice(0, 24), levels=1)  # a single square
    for member in ensemble(8, VARIANT):
        np.testing.assert_array_equal(copied(exemplar_fill(place, member)), [[0, 0]])


def test_members_are_determined_by_their_seed() -> None:
    place = scales()
    first, again, other = (
        exemplar_fill(place, ensemble(2, VARIANT)[number], finest=1).picture for number in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
