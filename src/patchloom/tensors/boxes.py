"""Boxes of pixels: crops of pictures and maps, and how a hole is covered by them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.arrays import Bools

if TYPE_CHECKING:
    from torch import Tensor


SHALLOW = 4.0  # pixels; what is nowhere deeper, a speck or a scratch, is determined by its sides (page 12-01-06)
DENSE = 0.3  # the share of a box from which on splitting it saves nothing: its parts need surroundings, too


@dataclass(frozen=True)
class Box:
    """Rows ``top`` to ``bottom``, columns ``left`` to ``right`` (half open) of a picture or of another box."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    @property
    def area(self) -> int:
        return self.size[0] * self.size[1]

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def of(self, values: "Tensor") -> "Tensor":
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

    def aligned(self, to: int, within: tuple[int, ...]) -> "Box":
        """The smallest box round it that begins and ends on multiples of ``to``, or at the border of a picture of
        the size ``within``."""
        height, width = within
        return Box(
            self.top // to * to,
            self.left // to * to,
            min(height, -(-self.bottom // to) * to),
            min(width, -(-self.right // to) * to),
        )

    def moved(self, down: int, right: int) -> "Box":
        return Box(self.top + down, self.left + right, self.bottom + down, self.right + right)

    def meets(self, other: "Box") -> bool:
        """Whether they have a pixel in common."""
        return (
            self.top < other.bottom
            and other.top < self.bottom
            and self.left < other.right
            and other.left < self.right
        )

    def union(self, other: "Box") -> "Box":
        """The smallest box round both."""
        return Box(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
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
    box = Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    return box.aligned(align, mask.shape)


def depths(hole: Bools) -> NDArray[np.float64]:
    """(H, W): each pixel's distance to the nearest known one; 0 where it is known itself. One at least must be."""
    result = np.zeros(hole.shape)
    if hole.any():
        box = bounds(hole).widened(1, hole.shape).slices  # the nearest known pixel is never further away
        result[box] = ndimage.distance_transform_edt(hole[box])
    return result


def component_sizes(mask: Bools, *, corners: bool = True) -> NDArray[np.int64]:
    """(H, W): how many pixels the connected part of ``mask`` (H, W) has that a pixel lies in; 0 outside.

    ``corners``: pixels that meet at a corner are connected.
    """
    labels, count = ndimage.label(mask, np.ones((3, 3), bool) if corners else None)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    return np.asarray(sizes[labels])


def covering(mask: Bools, most: int, least: int, align: int = 1) -> list[Box]:
    """Disjoint boxes that hold the True pixels of ``mask`` (H, W), of at most ``most`` pixels each.

    Where they are sparse, boxes are halved until they are no longer, or down to ``least`` pixels: a scratch is
    covered by small boxes along it. Corners lie on multiples of ``align`` or at the border.
    """
    if not mask.any():
        return []
    box = bounds(mask, align)
    (height, width), area = box.size, box.area
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
            found.append(smaller.moved(box.top + part.top, box.left + part.left))
    return found
