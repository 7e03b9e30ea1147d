"""The nearest-neighbour field of a hole, what it is found in, and the step to the next finer level.

Every patch that touches the hole holds one integer *offset* to a *source*, a patch of known pixels that lies
wholly inside the picture. How a field is improved is in ``search.py``, what the sources say of the hole in
``votes.py``.

This module knows arrays only: no levels, no settings, no files.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from patchloom.arrays import Bools, Floats, Ints
from patchloom.tensors.boxes import bounds, depths


class Field(NamedTuple):
    """Offsets of the patches that touch a hole.

    ``centres`` (N, 2) are their centres (row, column); ``offsets`` (N, 2) lead from there to the sources';
    ``numbers`` (H, W) holds each centre's number, -1 elsewhere; ``distance`` (N,) is the patch's data cost.
    """

    radius: int
    centres: Ints
    numbers: Ints
    offsets: Ints
    distance: Floats


class Canvas(NamedTuple):
    """What one level offers the search: the picture and who may be copied from where.

    ``picture`` (H, W, C) float32, contiguous, hole pixels holding the current fill, the first three channels
    colour and any others what else patches are to have in common; ``hole`` (H, W); ``sources`` (H, W) True where a
    patch centred there may be copied; ``weight`` (H, W) of each pixel in a patch's cost.
    ``guide`` (H, W, 3) is the patch-mean colour wanted, ``means`` (H, W, 3) the patch-mean colour of the
    known picture, ``guided`` (H, W) the strength of that wish. Columns from ``own`` on belong to other pictures
    (0: none do), all ``away`` pixels away for the locality. The last ``given`` channels are known in the hole
    too; ``candidates`` (K, 2) are offsets that every patch tries.
    """

    picture: Floats
    hole: Bools
    sources: Bools
    weight: Floats
    guide: Floats
    means: Floats
    guided: Floats
    own: int = 0
    away: float = 0.0
    given: int = 0
    candidates: Ints = np.zeros((0, 2), np.int32)


def source_centres(known: Bools, radius: int) -> Bools:
    """Where a patch lies wholly inside the picture and touches only ``known`` pixels."""
    return np.asarray(
        ndimage.minimum_filter(known.view(np.uint8), size=2 * radius + 1, mode="constant", cval=0), bool
    )


def largest_patch(known: Sequence[Bools], most: int) -> int:
    """The largest odd side, at most the odd ``most``, of a patch that lies somewhere on known pixels alone in each
    of ``known``; 0 where not even one of 3 pixels does."""
    fits = (side for side in range(most, 1, -2) if all(source_centres(one, side // 2).any() for one in known))
    return next(fits, 0)


def patch_means(picture: Floats, radius: int) -> Floats:
    """Mean colour of the patch around every pixel (edges replicated), (H, W, 3)."""
    size = 2 * radius + 1
    return np.asarray(ndimage.uniform_filter(picture, size=(size, size, 1), mode="nearest"), np.float32)


def depth_weights(hole: Bools, base: float) -> Floats:
    """``base ** -depth``, depth being a hole pixel's distance to the nearest known one; 1 where known."""
    return np.asarray(base ** -np.minimum(depths(hole), 60.0), np.float32)


def touching(hole: Bools, radius: int) -> tuple[Ints, Ints]:
    """Centres (N, 2) of the patches that touch the hole, and their number at each pixel (-1 elsewhere)."""
    near = ndimage.maximum_filter(hole.view(np.uint8), size=2 * radius + 1, mode="constant", cval=0)
    centres = np.ascontiguousarray(np.argwhere(near), np.int32)
    index = np.full(hole.shape, -1, np.int32)
    index[centres[:, 0], centres[:, 1]] = np.arange(len(centres), dtype=np.int32)
    return centres, index


def snap(centres: Ints, offsets: Ints, sources: Bools) -> Ints:
    """``offsets`` with those that lead to no source moved to the source nearest to where they lead."""
    height, width = sources.shape
    nearest = ndimage.distance_transform_edt(~sources, return_distances=False, return_indices=True)
    rows = np.clip(centres[:, 0] + offsets[:, 0], 0, height - 1)
    columns = np.clip(centres[:, 1] + offsets[:, 1], 0, width - 1)
    landing = np.stack([nearest[0][rows, columns], nearest[1][rows, columns]], axis=1)
    return (landing - centres).astype(np.int32)


def random_field(hole: Bools, sources: Bools, radius: int, seed: int) -> Field:
    """A field of uniformly drawn sources. ``sources`` must not be empty."""
    centres, index = touching(hole, radius)
    choices = np.argwhere(sources).astype(np.int32)
    drawn = np.random.default_rng(seed).integers(0, len(choices), len(centres))
    offsets = choices[drawn] - centres
    return Field(radius, centres, index, offsets, np.zeros(len(centres), np.float32))


def carry(field: Field, hole: Bools, sources: Bools) -> Field:
    """The field at the next finer level: positions and offsets double.

    Patches whose coarse counterpart has no offset (the hole shrinks faster than the picture) take that of
    the nearest one that has.
    """
    centres, index = touching(hole, field.radius)
    rows = np.minimum(centres[:, 0] // 2, field.numbers.shape[0] - 1)
    columns = np.minimum(centres[:, 1] // 2, field.numbers.shape[1] - 1)
    needed = field.numbers >= 0
    needed[rows, columns] = True
    box = bounds(needed)  # all that matters lies in it
    numbers = field.numbers[box.slices]
    nearest = ndimage.distance_transform_edt(numbers < 0, return_distances=False, return_indices=True)
    rows, columns = rows - box.top, columns - box.left
    parents = numbers[nearest[0][rows, columns], nearest[1][rows, columns]]
    offsets = snap(centres, 2 * field.offsets[parents], sources)
    return Field(field.radius, centres, index, offsets, np.zeros(len(centres), np.float32))


def seams(field: Field, hole: Bools, reach: int) -> Bools:
    """(H, W): the pixels of ``hole`` within ``reach`` of a place where neighbouring patches come from different
    offsets, or of a known pixel. Elsewhere the hole is a copy, bit for bit."""
    height, width = hole.shape
    offsets = np.zeros((height, width, 2), np.int32)
    offsets[field.centres[:, 0], field.centres[:, 1]] = field.offsets
    has_patch = field.numbers >= 0
    meets = np.zeros_like(hole)
    for axis in (0, 1):
        first, second = (np.s_[:-1], np.s_[1:]) if axis == 0 else (np.s_[:, :-1], np.s_[:, 1:])
        differ = (offsets[first] != offsets[second]).any(-1) & has_patch[first] & has_patch[second]
        meets[first] |= differ
        meets[second] |= differ
    near = ndimage.maximum_filter((meets | ~hole).view(np.uint8), size=2 * reach + 1)
    return np.asarray(near, bool) & hole
