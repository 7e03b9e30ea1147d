"""Putting a fill into a photograph: hole pixels only, the rim blended inside the hole; and the simplest fill."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.tensors.boxes import depths


def rim_weights(hole: NDArray[np.bool_], feather: int) -> NDArray[np.float32]:
    """Weight of the fill, (H, W) in 0..1: 0 outside the hole, rising inside over ``feather`` pixels to 1.

    With ``feather`` 0 it is the hole itself. The ramp lies wholly inside, so no known pixel changes.
    """
    if feather == 0:
        return hole.astype(np.float32)
    return np.asarray(np.clip(depths(hole) / (feather + 1), 0, 1), np.float32)


def spread(values: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[Any]:
    """``values`` (H, W, ...) where ``known`` (H, W), elsewhere those of the nearest known pixel; as they are where
    none is."""
    if known.all() or not known.any():
        return values
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(values[tuple(nearest)])


def composite(
    known: NDArray[np.generic], fill: NDArray[np.float32], weights: NDArray[np.float32], top: float
) -> NDArray[np.generic]:
    """``known`` (H, W, C) of any depth with ``fill`` (H, W, C) in 0..1 laid over it by ``weights`` (H, W).

    ``top`` is the value that stands for 1 (255, 65535, 1.0). Where the weight is 0 the values are returned bit
    for bit; integers are rounded to the nearest.
    """
    inside = weights > 0
    result = known.copy()
    weight = weights[inside][:, None]
    mixed = weight * (fill[inside] * top) + (1 - weight) * known[inside].astype(np.float32)
    if np.issubdtype(known.dtype, np.integer):
        mixed = np.rint(mixed).clip(0, top)
    result[inside] = mixed.astype(known.dtype)
    return result
