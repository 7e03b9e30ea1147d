"""Following a picture that somebody gives for the hole, as far as its resolution goes.

What the picture shows, edges, lines and colours, stays; only what it cannot show at native size comes from the
photograph's patches. Up to the picture's resolution patches are matched with the picture itself. At finer levels
the field is carried, and after every vote the fill is brought back to what the picture shows at its own level, as
back-projection does in super-resolution (Irani and Peleg 1991).

How sharp a picture is, where nobody says so, is measured: band by band, how much of the contrast that the
photograph has around the hole the picture has in it.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from patchloom.arrays import Bools, Floats
from patchloom.method.patchfill import (
    CARRIED_COHERENCE,
    CARRIED_ROUNDS,
    SLIDE,
    ExemplarFill,
    Scales,
    Variant,
    Watch,
    canvas_at,
    guide_scales,
    native_sigma,
)
from patchloom.method.pyramid import halve
from patchloom.tensors import field as fields, votes
from patchloom.tensors.border import resized
from patchloom.tensors.boxes import depths
from patchloom.tensors.search import Costs, mean_distance, search

# By eye, but where a source is named; a page is one of docs/experiments.
FOLLOWER = Variant(patch=5, depth_base=1.0, locality=0.3, coherence=0.3, native_coherence=1.0)
BANDS = 6  # of frequencies that are compared
EMPTY = 0.44  # contrast, relative to the next band, of those finer than what a picture shows (measured)
LAST = 0.66  # the same, of the last of them
AROUND = 1.0  # surroundings that are compared, in depths of the hole
LEAST = 0.02  # of that contrast; below it a band shows nothing
RIM = 3.0  # pixels of the hole that the surroundings shine into
SMALL = 16  # pixels; below that there is nothing to compare
FOLLOWED_ROUNDS, PASSES = 3, 2  # of the search at a level that the picture shows
BACK = 16  # back-projections


def halvings_of(picture: Floats, hole: Bools, resolution: float | None) -> int:
    """How often native size is halved until ``picture`` (H, W, 3) is sharp in ``hole``, outside of which it is the
    photograph.

    ``resolution``: pixels of its own for each native one along a side, if known. Else the contrast of each band of
    frequencies, relative to that of the next lower one, is compared with the same of the surroundings: so a
    picture is called blurred for what it lacks, not for showing something smooth. The result is the number under
    which these ratios are likeliest, if their logarithms scatter equally.
    """
    if resolution is not None:
        return max(0, round(-math.log2(max(resolution, 2.0**-12))))
    contrasts = np.maximum(_contrasts(picture, hole), 1e-6)
    ratios = np.log(contrasts[:-1] / contrasts[1:])
    ratios[contrasts[:-1] < LEAST] = np.log(EMPTY)
    band = np.arange(len(ratios))
    misses = []
    for count in range(len(ratios) + 1):
        expected = np.where(band < count - 1, EMPTY, np.where(band == count - 1, LAST, 1))
        misses.append(np.square(ratios - np.log(expected)).sum())
    return int(np.argmin(misses))


def _contrasts(picture: Floats, hole: Bools) -> list[float]:
    """Of the bands of frequencies of ``picture`` in ``hole``, finest first: the root mean square over that of the
    surroundings."""
    around = ~hole & (depths(~hole) <= max(8.0, AROUND * float(depths(hole).max())))
    found: list[float] = []
    while len(found) < BANDS and min(picture.shape[:2]) > SMALL and hole.any() and around.any():
        coarse, _ = halve(picture, np.ones(hole.shape, bool))
        band = np.square(picture - resized(coarse, picture.shape[:2], antialias=False)).mean(2)
        inner = depths(hole) > RIM
        inside = band[inner if inner.any() else hole].mean()
        found.append(float(np.sqrt(inside / max(float(band[around].mean()), 1e-12))))
        picture, hole, around = coarse, hole[::2, ::2], around[::2, ::2]
    return found


def misses_at_rim(picture: Floats, hole: Bools) -> float:
    """By how much more ``picture`` (H, W, 3) jumps across the rim of ``hole`` than between neighbours elsewhere
    inside the hole and beside it, in units of colour."""
    jumps, steps = [], []
    for axis in (0, 1):
        difference = np.abs(np.diff(picture, axis=axis)).mean(2)
        first, second = (hole[:-1], hole[1:]) if axis == 0 else (hole[:, :-1], hole[:, 1:])
        jumps.append(difference[first != second])
        steps.append(difference[first & second])
    jump, step = np.concatenate(jumps), np.concatenate(steps)
    return float(jump.mean() - step.mean()) if jump.size and step.size else 0.0


def follow(scales: Scales, shown: Sequence[Floats], last: int, seed: int, watch: Watch) -> ExemplarFill:
    """The fill at native size that shows what ``shown``, a picture's scales, show up to level ``last``."""
    variant = replace(FOLLOWER, seed=seed)
    state: ExemplarFill | None = None
    for number in range(len(scales)):
        canvas = canvas_at(scales, number, variant, None)
        if state is None:
            field = fields.random_field(canvas.hole, canvas.sources, variant.patch // 2, seed)
        else:
            field = fields.carry(state.field, canvas.hole, canvas.sources)
        told = number <= last
        sigma = native_sigma(scales) if number == len(scales) - 1 else 0.0
        rounds, passes, reach = (FOLLOWED_ROUNDS, PASSES, None) if told else (CARRIED_ROUNDS, 1, SLIDE)
        hole = canvas.hole[:, : canvas.own]
        state = ExemplarFill(number, canvas, field, 0, rounds)
        watch(state)
        for turn in range(rounds):
            canvas = votes.vote(field, canvas, sigma)
            own = canvas.picture[:, : canvas.own, :3]  # a view
            own[hole] = (shown[number] if told else back_projected(own, hole, shown[last]))[hole]
            base = mean_distance(field, canvas)
            costs = Costs(
                variant.locality * base / float(np.sqrt(hole.sum())),
                (variant.coherence if told else CARRIED_COHERENCE) * base,
            )
            turned = (seed * 32 + number) * 64 + turn
            field = search(field, canvas, costs, seed=turned, passes=passes, reach=reach)
            state = ExemplarFill(number, canvas, field, turn + 1, rounds)
            watch(state)
    assert state is not None
    canvas = votes.vote(state.field, state.canvas, native_sigma(scales))
    own = canvas.picture[:, : canvas.own, :3]
    hole = canvas.hole[:, : canvas.own]
    own[hole] = back_projected(own, hole, shown[last])[hole]
    return replace(state, canvas=canvas)


def back_projected(picture: Floats, hole: Bools, wanted: Floats) -> Floats:
    """``picture`` (H, W, 3), changed in ``hole`` (H, W) alone, so that halved to its size it is ``wanted``."""
    count = 0
    while -(-picture.shape[0] // 2**count) > wanted.shape[0]:
        count += 1
    if count == 0:
        return np.where(hole[..., None], wanted, picture)
    result = picture.copy()
    for _ in range(BACK):
        added = wanted - guide_scales(result, count + 1)[0]
        large = resized(added, (added.shape[0] * 2**count, added.shape[1] * 2**count), antialias=False)
        result[hole] += large[: picture.shape[0], : picture.shape[1]][hole]
    return result
