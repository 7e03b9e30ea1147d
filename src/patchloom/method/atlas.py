"""Donors, other pictures to copy from, beside a window.

Each level of the window has the same level of every donor to its right. An offset of the field may lead
there as anywhere else; no patch crosses a border, because the columns between two pictures belong to no source.
Pictures are halved each by itself, so that they do not run into each other at coarse levels, and begin at columns
that halve without a remainder, so that a doubled offset leads to the same place.

Before, each donor is matched (:func:`best_match`): where in it, and at which of a few scales, the surroundings of
the hole look most like those of the window (scene completion, Hays and Efros 2007); and brought to its light.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.arrays import Bools, Floats
from patchloom.method.pyramid import Level, shrinking_step
from patchloom.tensors.border import resized, shrunk
from patchloom.tensors.correlation import Correlation, Spectrum

# By eye, but where a source is named; a page is one of docs/experiments.
UNIT = 16  # columns of which donors begin at a multiple, at native size: cells of all texture layers fit in
SIDE = 64  # pixels of the window's longer side when places are compared
SCALES = (1.0, 1.4, 2.0)  # of its pixels for one of the window's: an enlarged picture is soft, and makes fog
NEAR = 12.0  # pixels of the compared size over which what is round the hole counts less and less
COVERED = 0.95  # the least share of the hole, and of what is compared, that a place has to show
FORGIVEN = 0.9  # of the square of a difference in light: it will be corrected, but tells scenes apart as well
GAIN = 0.7, 1.4  # of a donor's contrast, at most


@dataclass(frozen=True)
class Match:
    """A donor as a level of the window's size; ``distance``: root mean square colour difference at the hole's rim,
    at the compared size."""

    level: Level
    distance: float


class Atlas:
    """The levels of a window, coarsest first, and those of donors beside them.

    ``pages``: the window's levels, then each donor's; ``begins`` (K,): donors' first columns, at native size.
    """

    def __init__(self, levels: list[Level], donors: Sequence[Level] = ()) -> None:
        self.pages = [levels]
        for donor in donors:
            page = [donor]
            for _ in levels[1:]:
                page.append(shrinking_step(page[-1]))
            self.pages.append(page[::-1])
        unit = max(UNIT, 2 ** (len(levels) - 1))
        self.begins: list[int] = []
        end = levels[-1].size[1]
        for donor in donors:
            self.begins.append(unit * (-(-end // unit) + 2))  # at the coarsest level a column is between them
            end = self.begins[-1] + donor.size[1]

    def joined(self, values: Sequence[NDArray[Any]], halvings: int) -> NDArray[Any]:
        """Arrays (H, W, ...) of the pages, so many ``halvings`` above native size, as one; zeros between."""
        if len(values) == 1:
            return values[0]
        begins = [0, *(begin >> halvings for begin in self.begins)]
        height, width = values[0].shape[0], begins[-1] + values[-1].shape[1]
        result = np.zeros((height, width, *values[0].shape[2:]), values[0].dtype)
        for begin, value in zip(begins, values, strict=True):
            result[: value.shape[0], begin : begin + value.shape[1]] = value
        return result

    def native(self, picture: Floats) -> Level:
        """The finest level with ``picture`` (H, W, 3) as the window's, the donors beside it."""
        finest = [page[-1] for page in self.pages]
        images = [picture, *(one.image for one in finest[1:])]
        holes, sources = [one.hole for one in finest], [one.source for one in finest]
        return Level(self.joined(images, 0), self.joined(holes, 0), self.joined(sources, 0))

    @property
    def offsets(self) -> NDArray[np.int32]:
        """(K, 2): those that lead from a place of the window to the same place in each donor."""
        return np.array([(0, begin) for begin in self.begins], np.int32).reshape(-1, 2)

    def shares(self, columns: NDArray[np.int32]) -> tuple[float, ...]:
        """How large a part of sources at ``columns`` (N,) lies in each donor."""
        owner = np.searchsorted(self.begins, columns, "right")
        return tuple(round(float((owner == number).mean()), 4) for number in range(1, len(self.pages)))


def best_match(window: Level, picture: NDArray[np.uint8], opaque: Bools) -> Match | None:
    """``picture`` (H', W', 3) as a level of the size of ``window``, where its surroundings fit the hole best.

    ``opaque`` (H', W'): where it has pixels. None where no place shows the whole hole.
    """
    shrink = SIDE / max(window.size)
    depth = ndimage.distance_transform_edt(_small(~window.hole, shrink) > 0.999)
    small = _small(window.image, shrink)
    weight = np.where(depth > 0, np.exp(-depth / NEAR), 0).astype(np.float32)
    best: tuple[float, float, int, int] | None = None
    for scale in SCALES:
        if min(picture.shape[:2]) * shrink / scale < 8:
            continue
        other = _small(picture, shrink / scale)
        there = (_small(opaque, shrink / scale) > 0.999).astype(np.float32)
        distance = _distances(small, weight, (depth == 0).astype(np.float32), other, there)
        place = np.unravel_index(int(distance.argmin()), distance.shape)
        if np.isfinite(distance[place]) and (best is None or distance[place] < best[0]):
            best = float(distance[place]), scale, int(place[0]), int(place[1])
    if best is None:
        return None
    least, scale, row, column = best
    level = _cut(window, picture, opaque, scale, row / shrink, column / shrink)
    return Match(_in_light_of(window, level), least)


def _small(values: NDArray[Any], factor: float) -> Floats:
    """(H, W, C) or (H, W), of floats, bytes (255 is 1) or flags, at ``factor`` of its size."""
    height, width = (max(1, round(side * factor)) for side in values.shape[:2])
    block = max(1, int(0.5 / factor))
    small = shrunk(values if values.ndim == 3 else values[..., None], (block, block), (height, width))
    return small if values.ndim == 3 else small[..., 0]


def _distances(window: Floats, weight: Floats, hole: Floats, other: Floats, there: Floats) -> Floats:
    """The distance of ``other`` (H, W, 3) from the hole's surroundings, for every place of the ``window``
    (h, w, 3) in it, (H + h, W + w).

    Entry (r, c): the window's corner is at row r - h // 2, column c - w // 2, at most half the window beyond the
    border. Every channel may be lighter or darker. Infinite where ``other`` does not show enough.
    """
    h, w = hole.shape
    size = other.shape[0] + 2 * h, other.shape[1] + 2 * w
    correlation = Correlation(*size)
    spectrum = correlation.spectrum

    def at_places(template: Floats, picture: Spectrum) -> Floats:
        found = correlation.of(spectrum(template), picture)
        rolled = np.roll(found, (h // 2, w // 2), (0, 1))
        return rolled[: other.shape[0], : other.shape[1]]

    k = spectrum(there)
    count = at_places(weight, k)
    total = np.zeros_like(count)
    for channel in range(3):
        mine, theirs = window[..., channel], other[..., channel] * there
        first, second = at_places(weight * mine, k), at_places(weight, spectrum(theirs))
        squares = (
            at_places(weight * mine**2, k)
            - 2 * at_places(weight * mine, spectrum(theirs))
            + at_places(weight, spectrum(theirs * other[..., channel]))
        )
        total += squares - FORGIVEN * (first - second) ** 2 / np.maximum(count, 1e-6)
    enough = (count > COVERED * weight.sum()) & (at_places(hole, k) > COVERED * hole.sum())
    return np.where(enough, np.sqrt(np.maximum(total, 0) / np.maximum(3 * count, 1e-6)), np.inf)


def _cut(
    window: Level, picture: NDArray[np.uint8], opaque: Bools, scale: float, row: float, column: float
) -> Level:
    """A level of the window's size: ``picture`` at ``scale``, from (row, column) less half of the window on."""
    height, width = window.size
    top, left = round((row - height // 2) * scale), round((column - width // 2) * scale)
    tall, wide = round(height * scale), round(width * scale)
    rows = slice(max(0, top), max(0, min(picture.shape[0], top + tall)))
    columns = slice(max(0, left), max(0, min(picture.shape[1], left + wide)))
    cut = np.zeros((tall, wide, 4), np.float32)
    inside = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    cut[*inside, :3] = picture[rows, columns] / np.float32(255)
    cut[*inside, 3] = opaque[rows, columns]
    cut = cut if scale == 1 else resized(cut, (height, width))
    seen = cut[..., 3] > 0.999
    return Level(np.where(seen[..., None], cut[..., :3].clip(0, 1), 0).astype(np.float32), ~seen, seen)


def _in_light_of(window: Level, other: Level) -> Level:
    """``other`` with the window's brightness and contrast, over what both show, and halfway to its colours.

    One gain for all channels: channel by channel a scene of other things would get colours that neither has.
    """
    both = ~window.hole & ~other.hole
    mine, its = window.image[both], other.image[both]
    spread, its_spread = (np.abs(grey - np.median(grey)).mean() for grey in (mine.mean(1), its.mean(1)))
    gain = np.clip(spread / max(its_spread, 1e-3), *GAIN)
    middle, its_middle = np.median(mine, 0), np.median(its, 0)
    shift = middle - gain * its_middle
    shift = (shift.mean() + shift) / 2
    image = (gain * other.image + shift).clip(0, 1).astype(np.float32)
    return Level(np.where(other.hole[..., None], np.float32(0), image), other.hole, other.source)
