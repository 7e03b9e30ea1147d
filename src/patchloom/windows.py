"""Where to work: crops of the photograph that hold a hole and enough of its surroundings.

Holes near each other share a window. A scratch that runs across the whole photograph is cut into windows of
bounded size, filled one after another; a wide hole is never cut, since its structure has to be found as a whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.arrays import Bools
from patchloom.errors import BudgetError
from patchloom.tensors.boxes import Box, bounds

BASE_MEMORY = 500  # MB; the program, its libraries and networks
BYTES_PER_PIXEL = 220  # peak of one window pixel, measured over window sizes (benchmarks/speed.py)
NEAR = 24  # pixels; holes closer than this belong together
LEAST_CONTEXT, MOST_CONTEXT = 96, 640  # pixels of surroundings on each side
TOGETHER = 1_000_000  # pixels; windows no larger than this may be filled at the same time
CUT_SIDE, CUT_SHARE = 512, 0.15  # a box wider than this with a smaller share of hole is cut


@dataclass(frozen=True)
class Window:
    """A ``crop`` of the photograph; ``part`` (its H, W) is the hole to fill in it."""

    crop: Box
    part: Bools

    @property
    def slices(self) -> tuple[slice, slice]:
        return self.crop.slices

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x, y, width, height, as people give boxes."""
        height, width = self.crop.size
        return self.crop.left, self.crop.top, width, height


def plan(hole: Bools, source: Bools | None = None, max_memory: int = 0) -> list[Window]:
    """Windows that together fill ``hole`` (H, W), each with surroundings to copy from.

    Where ``source`` (H, W) says from where alone texture may come, every window reaches out to it. ``max_memory``
    in MB bounds a window (0: no bound). Raises BudgetError where a hole with little surroundings, or the program
    alone, is over it.
    """
    if 0 < max_memory <= BASE_MEMORY:
        raise BudgetError(
            f"The program itself needs {BASE_MEMORY} MB; {max_memory:.0f} MB are allowed.",
            "Allow more with {max_memory}.",
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


def waves(windows: Sequence[Window]) -> list[list[int]]:
    """The numbers of ``windows`` in groups: those of one can be filled at the same time, after the groups before.

    Windows that overlap are in different groups, in their order: so every window finds in its surroundings what it
    would find if they were filled one after the other. A large one has a group of its own, for its memory.
    """
    height, width = (max((window.slices[axis].stop for window in windows), default=0) for axis in (0, 1))
    last = np.full((height, width), -1, np.int32)  # of every pixel: the place of the last window that shows it
    places: list[int] = []
    for window in windows:
        places.append(int(last[window.slices].max()) + 1)
        last[window.slices] = places[-1]
    groups: dict[tuple[int, int], list[int]] = {}
    for number, window in enumerate(windows):
        alone = number + 1 if window.crop.area > TOGETHER else 0
        groups.setdefault((places[number], alone), []).append(number)
    return [groups[place] for place in sorted(groups)]


def _near(mask: Bools) -> Bools:
    """``mask`` widened so that parts nearer than ``NEAR`` touch."""
    return np.asarray(ndimage.maximum_filter(mask.view(np.uint8), size=NEAR + 1), bool)


def _cut(mask: Bools, top: int, left: int) -> list[Box]:
    """Boxes that hold the True pixels of ``mask``, whose corner lies at (top, left): many if it is long."""
    if not mask.any():
        return []
    box = bounds(mask)
    mask = mask[box.slices]
    box = box.moved(top, left)
    height, width = mask.shape
    if max(height, width) <= CUT_SIDE or mask.mean() >= CUT_SHARE:
        return [box]
    if height >= width:
        half = height // 2
        return _cut(mask[:half], box.top, box.left) + _cut(mask[half:], box.top + half, box.left)
    half = width // 2
    return _cut(mask[:, :half], box.top, box.left) + _cut(mask[:, half:], box.top, box.left + half)


def _extent(hole: Bools) -> float:
    """How far a hole that fills its box (H, W) reaches, in pixels: its longer side, and less the sparser it is."""
    return float(max(hole.shape) * min(1.0, hole.mean() / CUT_SHARE))


def _window(
    hole: Bools, labels: NDArray[np.int32], number: int, box: Box, source: Bools | None, limit: float
) -> Window:
    """The crop for the hole pixels of group ``number`` in ``box``."""
    height, width = box.size
    # Of a square its side; a scratch needs no more than its two sides, however long it is.
    context = int(np.clip(_extent(hole[box.slices]), LEAST_CONTEXT, MOST_CONTEXT))
    need = 2 * height * width
    reach = box if source is None or not source.any() else box.union(bounds(source))
    while True:
        crop = reach.widened(context, hole.shape)
        known = crop.area - int(hole[crop.slices].sum())
        if known >= min(need, hole.size // 4) or crop.area == hole.size or context > 4 * max(hole.shape):
            break
        context *= 2
    while crop.area > limit and context > 16:
        context //= 2
        crop = reach.widened(context, hole.shape)
    if crop.area > limit:
        needed, allowed = (BASE_MEMORY + pixels * BYTES_PER_PIXEL / 1e6 for pixels in (crop.area, limit))
        raise BudgetError(
            f"A hole {width} by {height} pixels needs {needed:.0f} MB; {allowed:.0f} MB are allowed.",
            "Fill the hole in smaller pieces.\nOr allow more with {max_memory}.",
        )
    part = np.zeros(crop.size, bool)
    part[box.moved(-crop.top, -crop.left).slices] = hole[box.slices] & (labels[box.slices] == number)
    return Window(crop, part)
