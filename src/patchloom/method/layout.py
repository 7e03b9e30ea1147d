"""How a picture is laid out, in few bytes: colours and the directions of edges on a coarse grid.

Pictures whose layout is like that of a hole's surroundings show scenes of which a piece may belong there (scene
completion, Hays and Efros 2007; their gist descriptor is of this kind, Oliva and Torralba 2001). The cells in
which the hole lies are left out of the comparison. Every hole leaves out others, so that no tree or graph of
neighbours made beforehand would find the nearest; a plain pass over all layouts does, at memory's speed.
"""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.arrays import Bytes, Floats
from patchloom.method.pyramid import Level
from patchloom.tensors.border import shrunk
from patchloom.tensors.compiled import njit
from patchloom.tensors.threads import in_pieces

# By eye, but where a source is named; a page is one of docs/experiments.
CELLS, CELL = 8, 8  # cells a side, and pixels a cell's side
KINDS = 7  # numbers a cell: brightness, two colours, edges of four directions
LENGTH = CELLS * CELLS * KINDS  # bytes of a layout
SHARES = (1.0, 2 / 3, 1 / 2)  # of a picture's sides: the views of it that have a layout, at three scales
VIEWS = 1 + 4 * len(SHARES[1:])  # the whole, and at the smaller scales one in each corner
FADES = 2.0  # cells over which what is round the hole counts less and less
PIECE = 4096  # layouts that a thread compares at a time


def views(picture: NDArray[np.uint8]) -> Bytes:
    """(VIEWS, LENGTH): the layouts of ``picture`` (H, W, 3)."""
    height, width = picture.shape[:2]
    found = [layout(picture)]
    for share in SHARES[1:]:
        rows, columns = max(1, round(share * height)), max(1, round(share * width))
        for top in (0, height - rows):
            for left in (0, width - columns):
                found.append(layout(picture[top : top + rows, left : left + columns]))
    return np.stack(found)


def layout(picture: NDArray[Any]) -> Bytes:
    """(LENGTH,) of a ``picture`` (H, W, 3) of bytes, or of floats in 0..1; cell by cell, rows first."""
    side = CELLS * CELL
    height, width = (max(1, length // (2 * side)) for length in picture.shape[:2])
    red, green, blue = np.moveaxis(shrunk(picture, (height, width), (side, side)), 2, 0)
    grey = (red + green + blue) / 3
    down, right = np.gradient(grey)
    edges = [np.abs(each) for each in (down, right, (down + right) / np.sqrt(2), (down - right) / np.sqrt(2))]
    colours = [grey, 0.5 + (red - green), 0.5 + ((red + green) / 2 - blue)]

    def in_cells(values: Floats) -> Floats:
        return np.asarray(values.reshape(CELLS, CELL, CELLS, CELL).mean((1, 3)), np.float32)

    numbers = [in_cells(each) for each in colours] + [2 * np.sqrt(in_cells(each)) for each in edges]
    return np.asarray(np.rint(255 * np.stack(numbers, 2).clip(0, 1)), np.uint8).reshape(-1)


def query(window: Level) -> tuple[Floats, Floats]:
    """The layout (LENGTH,) of a window, and how much each of its numbers counts (LENGTH,): those of the hole not,
    those round it most."""
    rows, columns = (np.arange(side) * CELLS // side for side in window.size)
    hole = np.zeros((CELLS, CELLS), bool)
    places = np.argwhere(window.hole)
    hole[rows[places[:, 0]], columns[places[:, 1]]] = True
    depth = ndimage.distance_transform_edt(~hole)
    weights = np.where(hole, 0.0, np.exp(-depth / FADES)).astype(np.float32)
    return layout(window.image).astype(np.float32), np.repeat(weights.reshape(-1), KINDS)


def distances(stored: Bytes, layout: Floats, weights: Floats) -> Floats:
    """(N,): the weighted squared differences of ``stored`` (N, LENGTH) from ``layout`` (LENGTH,)."""
    used = np.flatnonzero(weights).astype(np.int32)
    out = np.empty(len(stored), np.float32)
    in_pieces(partial(_distance, stored, layout[used], weights[used], used, out), len(stored), PIECE)
    return out


@njit(nogil=True, fastmath=True)
def _distance(stored: Any, layout: Any, weights: Any, used: Any, out: Any, begin: int, end: int) -> None:
    for row in range(begin, end):
        total = np.float32(0.0)
        for k in range(len(used)):
            difference = np.float32(stored[row, used[k]]) - layout[k]
            total += weights[k] * difference * difference
        out[row] = total
