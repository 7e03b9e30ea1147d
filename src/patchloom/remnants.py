"""What a mask painted by hand left of the object: slivers at its rim, and islands between its parts.

The rim is what a fill trusts most, and a sliver of a dress makes a patch of dress. So what lies under the mask is
looked at, once, for its colours: a pixel near the mask that looks like what is removed and unlike what is farther
out is part of it. Only ``grow=auto`` asks for it; with any other setting a fill is independent of what lies under
the hole.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.arrays import Bools, Floats
from patchloom.events import Observer, Warned
from patchloom.kinds import as_rgb
from patchloom.mask import Mask
from patchloom.photo import Photo
from patchloom.tensors.boxes import Box

Place = tuple[slice, slice]

SMALLEST = 8.0  # pixels; of smaller holes nothing is known to be left
SIDE = 256.0  # pixels; a hole is looked at in a size in which a square as large has at most this side
BAND = 0.08  # how far from the mask remnants are looked for, of that side
LEAST_BAND = 3.0  # pixels of the size that is looked at
NEAR = 0.35  # steps of colour (of 100) that count as a pixel of distance
UNLIKE = 12.0  # steps that a remnant differs at least from what is farther out
LIKE = 0.5  # of that difference, at most, it may differ from what is under the mask
ISLAND = 0.05  # of the mask's area; the largest island between its parts that is taken whole


def with_remnants(photo: Photo, mask: Mask, observe: Observer) -> Mask:
    """``mask`` and what it left of the object in ``photo``, unless that is everything; says how much."""
    left = remnants(lambda place: as_rgb(photo.pixels[place]), mask.hole)
    if not left.any() or (mask.hole | left).all():
        return mask
    share = left.sum() / mask.hole.sum()
    observe(Warned(message=f"What the mask left of the object is filled as well, {share:.1%} more."))
    return Mask(mask.hole | left)


def remnants(rgb: Callable[[Place], Floats], hole: Bools) -> Bools:
    """(H, W): pixels beside ``hole`` (H, W) that are left of what lies under it.

    ``rgb``: the photograph's colours (h, w, 3) in 0..1 at rows and columns that are given as slices.
    """
    found = np.zeros_like(hole)
    labels, _ = ndimage.label(hole, np.ones((3, 3), int))
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        side = float(np.sqrt((labels[rows, columns] == number).sum()))
        if side < SMALLEST:
            continue
        step = max(1, math.ceil(side / SIDE))
        reach = round(3 * max(BAND * side, LEAST_BAND * step)) + step
        area = Box(rows.start, columns.start, rows.stop, columns.stop).widened(reach, hole.shape).slices
        small = tuple(slice(place.start, place.stop, step) for place in area)
        part = _of_one(rgb((small[0], small[1])), hole[small], side / step)
        if part.any():
            large = part.repeat(step, 0).repeat(step, 1)[: hole[area].shape[0], : hole[area].shape[1]]
            found[area] |= large & ~hole[area]
    return found


def _of_one(pixels: Floats, hole: Bools, side: float) -> Bools:
    """The remnants of one hole, in the size in which it is looked at."""
    from scipy.spatial import cKDTree  # takes a moment to load

    away = np.asarray(ndimage.distance_transform_edt(~hole))
    deep = np.asarray(ndimage.distance_transform_edt(hole))
    width = max(BAND * side, LEAST_BAND)
    near = ~hole & (away <= width)
    out = (away > width) & (away <= 3 * width)
    under = hole & (deep > 1) & (deep <= 2 * width)
    if not (near.any() and out.any() and under.any()):
        return np.zeros_like(hole)
    features = _features(pixels)
    like, _ = cKDTree(features[under]).query(features[near])
    unlike, _ = cKDTree(features[out]).query(features[near])
    marked = np.zeros_like(hole)
    marked[near] = (unlike > UNLIKE) & (like < LIKE * unlike)
    marked = ndimage.binary_closing(np.asarray(marked) | hole, iterations=1) & near
    # Only what hangs together with the mask, and is more than noise.
    labels, _ = ndimage.label(marked | hole, np.ones((3, 3), int))
    joined = np.isin(labels, np.unique(labels[hole])) & marked
    joined &= ndimage.binary_opening(joined | hole, np.ones((2, 2), bool))
    islands, count = ndimage.label(~hole)
    for number in range(1, count + 1):
        island = islands == number
        inside = not (island[0].any() or island[-1].any() or island[:, 0].any() or island[:, -1].any())
        if inside and island.sum() < ISLAND * hole.sum() and 2 * joined[island].sum() > island.sum():
            joined |= island
    return np.asarray(ndimage.binary_dilation(joined) & ~hole)


def _features(pixels: Floats) -> NDArray[np.float32]:
    """(H, W, 5): colour in steps of about a hundredth, less for brightness, and place."""
    red, green, blue = (100 * pixels[..., channel] for channel in range(3))
    light = (red + green + blue) / 3
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    places = NEAR * np.stack([rows, columns], -1)
    colours = np.stack([light, red - green, (red + green) / 2 - blue], -1)
    return np.concatenate([colours, places], -1).astype(np.float32)
