"""Votes: each hole pixel becomes the weighted mean of what its patches' sources say (Wexler et al. 2007).

The patches are those of a field (``field.py``); differences between neighbours are voted for likewise.
"""

from functools import partial
from typing import Any

import numpy as np
from scipy import ndimage

from patchloom.arrays import Bools, Floats
from patchloom.tensors.compiled import njit
from patchloom.tensors.field import Canvas, Field
from patchloom.tensors.search import PIECE
from patchloom.tensors.threads import in_pieces


@njit(nogil=True, fastmath=True)
def _vote(
    field: Any,
    picture: Any,
    pixels: Any,
    trust: Any,
    bell: Any,
    down: int,
    right: int,
    out: Any,
    begin: int,
    end: int,
) -> None:
    """What the patches over the ``pixels`` ``begin`` to ``end`` say on average, written to ``out``.

    Of a pixel's colour, or, where ``down`` or ``right`` is 1, of how the pixel there differs from it.
    """
    index, radius = field.numbers, field.radius
    height, width = index.shape
    difference = down + right > 0
    for i in range(begin, end):
        row, column = pixels[i, 0], pixels[i, 1]
        total = np.float32(0.0)
        for dy in range(down - radius, radius + 1):
            for dx in range(right - radius, radius + 1):
                y, x = row + dy, column + dx
                if y < 0 or y >= height or x < 0 or x >= width or index[y, x] < 0:
                    continue
                j = index[y, x]
                w = trust[j] * bell[dy + radius, dx + radius]
                sy, sx = row + field.offsets[j, 0], column + field.offsets[j, 1]
                for channel in range(out.shape[1]):
                    value = picture[sy + down, sx + right, channel]
                    if difference:
                        value -= picture[sy, sx, channel]
                    out[i, channel] += w * value
                total += w
        for channel in range(out.shape[1]):
            out[i, channel] /= total


def vote(field: Field, canvas: Canvas, sigma: float = 0.0) -> Canvas:
    """``canvas`` with what is not given of its hole's pixels set to the weighted mean of their patches' sources.

    A patch counts by the mean weight of its pixels (nearness to the rim) and, if ``sigma`` > 0, a pixel by a
    Gaussian of that many pixels around the centre, which keeps the result crisp. Not by how well a patch is
    matched: smooth patches always are, and would outvote the bar that runs through them.
    """
    picture = canvas.picture.copy()
    voted = picture.shape[2] - canvas.given
    picture[canvas.hole, :voted] = _votes(field, canvas, canvas.hole, voted, sigma)
    return canvas._replace(picture=picture)


def voted_differences(field: Field, canvas: Canvas, sigma: float = 0.0) -> Floats:
    """(H, W, 2, 3): the colour differences to the pixel below and to that on the right which the patches vote for.

    Of every pair of neighbours that touches the hole; 0 elsewhere. Patches count as in :func:`vote`.
    """
    result = np.zeros((*canvas.hole.shape, 2, 3), np.float32)
    for axis in (0, 1):
        first = (slice(None),) * axis + (slice(-1),)  # all but the last row or column, whose pixels begin no pair
        begins = np.zeros_like(canvas.hole)
        begins[first] = canvas.hole[first] | np.diff(canvas.hole, axis=axis)
        result[begins, axis] = _votes(field, canvas, begins, 3, sigma, (1 - axis, axis))
    return result


def _votes(
    field: Field, canvas: Canvas, where: Bools, channels: int, sigma: float, other: tuple[int, int] = (0, 0)
) -> Floats:
    """(N, ``channels``): for each pixel of ``where``, the weighted mean of its patches' sources.

    Where ``other`` (down, right) is another pixel: of how that differs from it, by the patches that hold both.
    """
    side = np.arange(-field.radius, field.radius + 1, dtype=np.float32)
    line = np.exp(-0.5 * (side / sigma) ** 2) if sigma > 0 else np.ones_like(side)
    bell = np.maximum(np.outer(line, line), 1e-6).astype(np.float32)
    size = 2 * field.radius + 1
    trust = ndimage.uniform_filter(canvas.weight, size=size, mode="nearest")
    trust = np.ascontiguousarray(np.maximum(trust[field.centres[:, 0], field.centres[:, 1]], 1e-12))
    pixels = np.ascontiguousarray(np.argwhere(where), np.int32)
    out = np.zeros((len(pixels), channels), np.float32)
    in_pieces(partial(_vote, field, canvas.picture, pixels, trust, bell, *other, out), len(pixels), PIECE)
    return out
