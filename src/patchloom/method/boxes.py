"""Boxes of pixels: crops of a level, and how a hole is covered by them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Bools = NDArray[np.bool_]

DENSE = 0.3  # the share of a box from which on splitting it saves nothing: its parts need surroundings, too


@dataclass(frozen=True)
class Box:
    """Rows ``top`` to ``bottom``, columns ``left`` to ``right`` (half open) of a level or of another box."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def of(self, values: Tensor) -> Tensor:
        """The box of ``values`` (..., H, W)."""
        return values[..., self.top : self.bottom, self.left : self.right]

    def widened(self, by: int, within: tuple[int, ...]) -> "Box":
        """``by`` more on each side, as far as a picture of the size ``within`` reaches."""
        height, width = within
        return Box(
            max(0, self.top - by),
            max(0, self.left - by),
            min(height, self.bottom + by),
            min(width, self.right + by),
        )

    def cells(self, stride: int) -> "Box":
        """The cells of a map of ``stride`` that lie in the box, which begins on a whole one."""
        return Box(self.top // stride, self.left // stride, -(-self.bottom // stride), -(-self.right // stride))


@dataclass(frozen=True)
class Tile:
    """A piece of work: the pixels of ``inner``, which are its own, with their surroundings ``box``."""

    box: Box
    inner: Box


def bounds(mask: Bools, align: int = 1) -> Box:
    """The smallest box round the True pixels of ``mask`` (H, W), not empty, that begins and ends on multiples of
    ``align`` or at the border."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    height, width = mask.shape
    return Box(
        int(rows[0]) // align * align,
        int(columns[0]) // align * align,
        min(height, -(-(int(rows[-1]) + 1) // align) * align),
        min(width, -(-(int(columns[-1]) + 1) // align) * align),
    )


def covering(mask: Bools, most: int, least: int, align: int = 1) -> list[Box]:
    """Disjoint boxes that hold the True pixels of ``mask`` (H, W), of at most ``most`` pixels each.

    Where they are sparse, boxes are halved until they are no longer, or down to ``least`` pixels: a scratch is
    covered by small boxes along it. Corners lie on multiples of ``align`` or at the border.
    """
    if not mask.any():
        return []
    box = bounds(mask, align)
    (height, width), area = box.size, box.size[0] * box.size[1]
    inside = mask[box.slices]
    longer = max(height, width)
    if longer <= align or (area <= most and (area <= least or inside.mean() >= DENSE)):
        return [box]
    half = max(align, longer // 2 // align * align)
    parts = [Box(0, 0, half, width), Box(half, 0, height, width)]
    if width > height:
        parts = [Box(0, 0, height, half), Box(0, half, height, width)]
    found = []
    for part in parts:
        for smaller in covering(inside[part.slices], most, least, align):
            top, left = box.top + part.top + smaller.top, box.left + part.left + smaller.left
            found.append(Box(top, left, top + smaller.size[0], left + smaller.size[1]))
    return found
