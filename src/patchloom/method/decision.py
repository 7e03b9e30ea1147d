"""What a hole is filled with is decided where it is small.

At a size where it is one or two hundred pixels wide structure is all there is to see, and a search of the whole
photograph costs little.

There is more than one good way to fill a hole, and none is best everywhere (docs/experiments): the seed chooses,
so that versions of a fill differ in kind and not in a few patches alone. A thin hole is determined by its two
sides, at native size: it has one way.
"""

from dataclasses import replace

from patchloom.errors import MaskError
from patchloom.method.patchfill import Scales, Variant
from patchloom.tensors.field import largest_patch

# By eye, but where a source is named; a page is one of docs/experiments.
SEEN_DEPTH = 96.0  # pixels from the rim to the middle of a hole that is seen whole, at most (page 12-01-04)
DECIDED_DEPTH = 56.0  # the same, of a larger one at the level that decides (pages 12-01-01, 12-01-04)
WIDE = 0.6  # thickness from which on there is more than one way
GUIDED = (
    Variant(guide_weight=1.0, lines=True),
    Variant(depth_base=1.1, locality=0.0),  # as the rim goes on; what lies far from it counts nearly as much
    Variant(patch=5, guide_weight=1.0, lines=True),  # small pieces
    Variant(coherence=1.5, guide_weight=1.0, lines=True),  # large ones
)
"""With a guide, in the order in which jurors like them; ``guide_weight`` is relative to the settings'."""
UNGUIDED = (Variant(lines=True), GUIDED[1], Variant(patch=5, depth_base=1.1, locality=0.0))


def seeing_level(deepest: float, count: int, depth: float = SEEN_DEPTH) -> int:
    """The number, of ``count`` levels coarsest first, of the finest at which the hole is no deeper than ``depth``;
    it is ``deepest`` pixels deep at native size, the last."""
    fits = [number for number in range(count) if deepest * 0.5 ** (count - 1 - number) <= depth]
    return fits[-1] if fits else 0


def deciding_level(deepest: float, count: int) -> int:
    """The number of the level that decides: the native one for a hole that is seen whole there."""
    return seeing_level(deepest, count, SEEN_DEPTH if deepest <= SEEN_DEPTH else DECIDED_DEPTH)


def way_to_fill(scales: Scales, guide_weight: float, seed: int) -> Variant:
    """How ``seed`` fills the hole; ``guide_weight`` 0: without a guide.

    Raises MaskError where no patch outside the hole is whole.
    """
    ways = GUIDED if guide_weight > 0 else UNGUIDED
    way = ways[seed % len(ways) if scales.thickness >= WIDE else 0]
    patch = largest_patch(scales.sources, way.patch)
    if not patch:
        raise MaskError(
            "Too little of the photograph is known around the hole to copy from.",
            "Use a smaller mask, or allow more of the photograph as source.",
        )
    return replace(way, patch=patch, guide_weight=way.guide_weight * guide_weight, seed=seed)
