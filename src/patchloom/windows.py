"""Where to work: crops of the photograph that hold a hole and enough of its surroundings.

Holes near each other share a window. A scratch that runs across the whole photograph is cut into windows of
bounded size, filled one after another; a wide hole is never cut, since its structure has to be found as a whole.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.errors import BudgetError

Bools = NDArray[np.bool_]
BASE_MEMORY = 500  # MB; the program, its libraries and networks
BYTES_PER_PIXEL = 220  # peak of one window pixel, measured over window sizes (benchmarks/speed.py)
NEAR = 24  # pixels; holes closer than this belong together
LEAST_CONTEXT, MOST_CONTEXT = 96, 640  # pixels of surroundings on each side
CUT_SIDE, CUT_SHARE = 512, 0.15  # a box wider than this with a smaller share of hole is cut


@dataclass(frozen=True)
class Window:
    """A crop ``top:bottom, left:right`` of the photograph; ``part`` (its H, W) is the hole to fill in it."""

    top: int
    left: int
    bottom: int
    right: int
    part: Bools

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x, y, width, height."""
        return self.left, self.top, self.right - self.left, self.bottom - self.top


Box = tuple[int, int, int, int]  # top, left, bottom, right


def plan(hole: Bools, source: Bools | None = None, max_memory: int = 0) -> list[Window]:
    """Windows that together fill ``hole`` (H, W), each with surroundings to copy from.

    Where ``source`` (H, W) says from where alone texture may come, every window reaches out to it. ``max_memory``
    in MB bounds a window (0: no bound). Raises BudgetError where a hole with little surroundings, or the program
    alone, is over it.
    """
    if 0 < max_memory <= BASE_MEMORY:
        raise BudgetError(
            f"The program itself needs {BASE_MEMORY} MB; {max_memory:.0f} MB are allowed.",
            "Allow more with --max-memory.",
        )
    limit = (max_memory - BASE_MEMORY) * 1e6 / BYTES_PER_PIXEL if max_memory else float("inf")
    labels, _ = ndimage.label(_near(hole))
    windows = []
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        inside = hole[place] & (labels[place] == number)
        if not inside.any():
            continue
        for box in _cut(inside, place[0].start, place[1].start):
            windows.append(_window(hole, labels, number, box, source, limit))
    return windows


def _near(mask: Bools) -> Bools:
    """``mask`` widened so that parts nearer than ``NEAR`` touch."""
    return np.asarray(ndimage.maximum_filter(mask.view(np.uint8), size=NEAR + 1), bool)


def _bounds(mask: Bools) -> Box:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _cut(mask: Bools, top: int, left: int) -> list[Box]:
    """Boxes that hold the True pixels of ``mask``, whose corner lies at (top, left): many if it is long."""
    if not mask.any():
        return []
    a, b, c, d = _bounds(mask)
    mask = mask[a:c, b:d]
    height, width = mask.shape
    if max(height, width) <= CUT_SIDE or mask.mean() >= CUT_SHARE:
        return [(top + a, left + b, top + c, left + d)]
    if height >= width:
        half = height // 2
        return _cut(mask[:half], top + a, left + b) + _cut(mask[half:], top + a + half, left + b)
    half = width // 2
    return _cut(mask[:, :half], top + a, left + b) + _cut(mask[:, half:], top + a, left + b + half)


def _window(
    hole: Bools, labels: NDArray[np.int32], number: int, box: Box, source: Bools | None, limit: float
) -> Window:
    """The crop for the hole pixels of group ``number`` in ``box``."""
    side = max(box[2] - box[0], box[3] - box[1])
    context = int(np.clip(side, LEAST_CONTEXT, MOST_CONTEXT))
    need = 2 * (box[2] - box[0]) * (box[3] - box[1])
    reach = box if source is None or not source.any() else _union(box, _bounds(source))
    while True:
        top, left, bottom, right = _widened(reach, context, hole.shape)
        area = (bottom - top) * (right - left)
        known = area - int(hole[top:bottom, left:right].sum())
        if known >= min(need, hole.size // 4) or area == hole.size or context > 4 * max(hole.shape):
            break
        context *= 2
    while area > limit and context > 16:
        context //= 2
        top, left, bottom, right = _widened(reach, context, hole.shape)
        area = (bottom - top) * (right - left)
    if area > limit:
        needed, allowed = (BASE_MEMORY + pixels * BYTES_PER_PIXEL / 1e6 for pixels in (area, limit))
        raise BudgetError(
            f"A hole {box[3] - box[1]} by {box[2] - box[0]} pixels needs {needed:.0f} MB; "
            f"{allowed:.0f} MB are allowed.",
            "Allow more with --max-memory, or fill the hole in smaller pieces.",
        )
    part = np.zeros((bottom - top, right - left), bool)
    inner = slice(box[0], box[2]), slice(box[1], box[3])
    part[box[0] - top : box[2] - top, box[1] - left : box[3] - left] = hole[inner] & (labels[inner] == number)
    return Window(top, left, bottom, right, part)


def _widened(box: Box, by: int, shape: tuple[int, ...]) -> Box:
    """``box`` with ``by`` pixels more on each side, as far as the picture goes."""
    return max(0, box[0] - by), max(0, box[1] - by), min(shape[0], box[2] + by), min(shape[1], box[3] + by)


def _union(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
