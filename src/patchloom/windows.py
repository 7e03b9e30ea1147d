"""Where to work: crops of the photograph that hold a hole and enough of its surroundings.

Holes near each other share a window, and so do specks in one part of the photograph. A scratch that runs across
the whole photograph is cut into windows of bounded size, filled one after another; a wide hole is never cut, since
its structure has to be found as a whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from patchloom.arrays import Bools
from patchloom.errors import BudgetError
from patchloom.tensors.boxes import SHALLOW, Box, bounds, depths

BASE_MEMORY = 500  # MB; the program, its libraries and networks
BYTES_PER_PIXEL = 220  # peak of one window pixel, measured over window sizes (benchmarks/speed.py)
NEAR = 24  # pixels; holes closer than this belong together
LEAST_CONTEXT, MOST_CONTEXT = 96, 640  # pixels of surroundings on each side
TOGETHER = 1_000_000  # pixels; windows no larger than this may be filled at the same time
CUT_SIDE, CUT_SHARE = 512, 0.15  # a box wider than this with a smaller share of hole is cut
GATHERED = 384  # pixels a side of the squares whose specks share a window


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
    return [_window(hole, piece, source, limit) for piece in _gathered(_pieces(hole), hole, limit)]


class _Piece(NamedTuple):
    """What one window fills: the True pixels of ``part``, which is as large as ``box``."""

    box: Box
    part: Bools


def _pieces(hole: Bools) -> list[_Piece]:
    """Each group of holes that are near each other; long ones are cut."""
    labels, _ = ndimage.label(_near(hole))
    pieces = []
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        inside = hole[place] & (labels[place] == number)
        for box in _cut(inside, place[0].start, place[1].start):
            pieces.append(_Piece(box, hole[box.slices] & (labels[box.slices] == number)))
    return pieces


def _gathered(pieces: Sequence[_Piece], hole: Bools, limit: float) -> list[_Piece]:
    """``pieces`` with those joined that are shallow and have their middles in one square of ``GATHERED`` pixels,
    where one window for all shows fewer pixels than one for each, and no more than ``limit``."""
    groups: dict[object, list[_Piece]] = {}
    for number, piece in enumerate(pieces):
        deepest = depths(hole[piece.box.widened(1, hole.shape).slices]).max()
        middle = (piece.box.top + piece.box.bottom) // 2, (piece.box.left + piece.box.right) // 2
        square = middle[0] // GATHERED, middle[1] // GATHERED
        groups.setdefault(square if deepest <= SHALLOW else number, []).append(piece)
    joined = []
    for group in groups.values():
        box = reduce(Box.union, (piece.box for piece in group))
        together, *apart = (one.widened(LEAST_CONTEXT, hole.shape).area for one in (box, *(p.box for p in group)))
        if len(group) == 1 or together >= min(sum(apart), limit):
            joined += group
            continue
        part = np.zeros(box.size, bool)
        for piece in group:
            part[piece.box.moved(-box.top, -box.left).slices] |= piece.part
        joined.append(_Piece(box, part))
    return joined


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


def _window(hole: Bools, piece: _Piece, source: Bools | None, limit: float) -> Window:
    """The crop for ``piece``."""
    box = piece.box
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
    part[box.moved(-crop.top, -crop.left).slices] = piece.part
    return Window(crop, part)
