"""Where lines meet the rim of a hole: ends, with their direction and their profile.

Rays leave the rim in all directions away from the hole. Along a line's ray the slope of the colours *across* it is
the same all along: an end is a ray for which the mean of that slope is largest among its neighbours, steady, and
several times what rays there usually have.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy  # its packages load when used: spatial takes a fifth of a second, and most fills do without
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.arrays import Bools, Floats

Points = NDArray[np.float64]  # (..., 2) as x, y, or one of the two

# By eye, but where a source is named; a page is one of docs/experiments.
LENGTH = 24  # pixels of the known side that show a line
HALF = 7  # pixels to either side that make its profile
DIRECTIONS = 72  # of the rays, over the whole circle
SLOPE = 0.02  # the least root mean square slope, in units of colour a pixel, that is a line
SELDOM = 5.0  # times the slope that rays in all directions usually have
STEADY = 0.6  # the least share of an end's slopes that is common to all of its length
APART = 4  # pixels between parallel lines that are two
MOST_ENDS = 40  # the strongest


@dataclass(frozen=True)
class End:
    """Where a line meets the rim: ``point`` (x, y), ``angle`` outwards, ``profile`` (P, 3) of slopes across it.

    Slopes are taken to the left of the outward direction; ``strength`` is their root mean square.
    """

    point: Points
    angle: float
    profile: Floats
    strength: float
    core: Floats  # (3,) the colour on the line
    sides: Floats  # (2, 3) the colours beside it
    usual: float  # the strength that rays round there have

    @property
    def seldom(self) -> float:
        """How many times stronger than what is usual there."""
        return self.strength / max(self.usual, 1e-6)

    @property
    def thin(self) -> bool:
        """Whether the same is on both sides: a line, not an edge."""
        between = np.abs(self.sides[0] - self.sides[1]).mean()
        return bool(np.abs(self.core - self.sides.mean(0)).mean() > between)

    @property
    def direction(self) -> Points:
        return np.array([np.cos(self.angle), np.sin(self.angle)])


@dataclass(frozen=True)
class Slopes:
    """The known picture, smoothed by a pixel, its differences a pixel ``down`` and ``right`` (H, W, 3 each), and
    where they are ``valid`` (H, W): where neither the hole nor the border is near."""

    smooth: Floats
    down: Floats
    right: Floats
    valid: Bools

    @staticmethod
    def of(picture: Floats, hole: Bools) -> "Slopes":
        known = (~hole).astype(np.float32)[..., None]
        smooth = ndimage.gaussian_filter(picture * known, (1, 1, 0))
        smooth = smooth / np.maximum(ndimage.gaussian_filter(known, (1, 1, 0)), 1e-6)
        down, right = np.gradient(smooth, axis=(0, 1))
        valid = ndimage.minimum_filter((~hole).view(np.uint8), size=3, mode="constant", cval=0) > 0
        return Slopes(smooth, np.ascontiguousarray(down), np.ascontiguousarray(right), valid)

    def inside(self, x: Points, y: Points) -> Bools:
        """Where the pixels nearest to ``x``, ``y`` are valid."""
        height, width = self.valid.shape
        column, row = np.rint(x).astype(np.int32), np.rint(y).astype(np.int32)
        there = (column >= 0) & (row >= 0) & (column < width) & (row < height)
        there[there] = self.valid[row[there], column[there]]
        return np.asarray(there)

    def across(self, x: Points, y: Points, angle: Points) -> tuple[Floats, Bools]:
        """Slopes (..., 3) to the left of ``angle`` at the pixels nearest to ``x``, ``y``, and which are valid."""
        height, width = self.valid.shape
        place = np.clip(np.rint(y), 0, height - 1).astype(np.int32) * width + np.clip(
            np.rint(x), 0, width - 1
        ).astype(np.int32)
        cos, sin = (part(angle)[..., None].astype(np.float32) for part in (np.cos, np.sin))
        slopes = self.down.reshape(-1, 3).take(place, 0) * cos - self.right.reshape(-1, 3).take(place, 0) * sin
        return slopes, self.inside(x, y)

    def colours(self, points: Points, angle: float, length: int) -> Floats:
        """(A, 3): mean colours along rays of ``length`` px from ``points`` (A, 2)."""
        steps = np.arange(0.0, length)
        x, y = points[:, None, 0] + steps * np.cos(angle), points[:, None, 1] + steps * np.sin(angle)
        valid = self.inside(x, y)[..., None]
        height, width = self.valid.shape
        sampled = self.smooth[
            np.clip(np.rint(y), 0, height - 1).astype(int), np.clip(np.rint(x), 0, width - 1).astype(int)
        ]
        return np.asarray((sampled * valid).sum(1) / np.maximum(valid.sum(1), 1))

    def profile(self, points: Points, angles: Points, length: int) -> Floats:
        """(A, T, 3): mean slopes across rays of ``length`` px from ``points`` (A, 2) in directions (T,)."""
        steps = np.arange(0.0, length)
        x = points[:, None, None, 0] + steps * np.cos(angles)[:, None]
        y = points[:, None, None, 1] + steps * np.sin(angles)[:, None]
        slopes, valid = self.across(x, y, np.broadcast_to(angles[:, None], x.shape[1:]))
        return np.asarray((slopes * valid[..., None]).sum(2) / np.maximum(valid.sum(2), 1)[..., None])


def find_ends(slopes: Slopes, hole: Bools) -> list[End]:
    """Lines that meet the rim of the hole, strongest first."""
    valid = slopes.valid
    rim = np.argwhere((ndimage.maximum_filter((~valid).view(np.uint8), size=3) > 0) & valid)[:, ::-1].astype(
        np.float64
    )
    rim = rim[_of_hole(rim, hole) & (rim.sum(1) % 2 == 0)]  # every other one: an end is refined over a few pixels
    if len(rim) == 0:
        return []
    angles = np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS
    strength, usual = _steady(rim, angles, slopes)
    ends: list[End] = []
    while len(ends) < MOST_ENDS and strength.max() > 0:
        r, a = np.unravel_index(strength.argmax(), strength.shape)
        end = _refined(rim[r], float(angles[a]), slopes, float(usual[r]))
        if not any(_along_line(other, end.point[None], np.array([end.angle])).any() for other in ends):
            ends.append(end)
        strength[_along_line(end, rim, angles)] = 0
        strength[r, a] = 0
    return ends


def _of_hole(rim: Points, hole: Bools) -> Bools:
    """Rim pixels of the hole, not of the picture's border."""
    height, width = hole.shape
    inside = ndimage.maximum_filter(hole.view(np.uint8), size=9) > 0
    x, y = rim[:, 0].astype(int), rim[:, 1].astype(int)
    return np.asarray(inside[y, x] & (x > 2) & (y > 2) & (x < width - 3) & (y < height - 3))


def _steady(points: Points, angles: Points, slopes: Slopes) -> tuple[Floats, Floats]:
    """(N, A): the steady slopes across rays from ``points`` (N, 2) in directions ``angles`` (A,), root mean square
    over colours; 0 where they are not, and where a ray meets hole or border. And the usual ones, (N,)."""
    steps = np.arange(0, LENGTH, 2.0)
    x = points[:, None, None, 0] + steps * np.cos(angles)[:, None]
    y = points[:, None, None, 1] + steps * np.sin(angles)[:, None]
    free = slopes.inside(x, y).all(-1)
    angle = np.broadcast_to(angles, free.shape)[free]
    sampled, _ = slopes.across(x[free], y[free], angle[:, None])
    size = np.sqrt(np.square(sampled.mean(-2)).mean(-1))
    scatter = np.sqrt(np.square(sampled).mean((-2, -1)))
    strength = np.full(free.shape, np.nan, np.float32)
    strength[free] = size
    seldom = np.zeros(free.shape, np.float32)
    seldom[free] = np.where(size > STEADY * scatter, size, 0)
    usual = _usual(points, strength)
    return np.where(seldom > np.maximum(SLOPE, SELDOM * usual)[:, None], seldom, 0), usual


def _usual(points: Points, sizes: Floats) -> Floats:
    """(N,): the median of ``sizes`` (N, A), NaN where unknown, over directions, of the points round each one."""
    known = np.isfinite(sizes).any(1)
    medians = np.zeros(len(points), np.float32)
    medians[known] = np.nanmedian(sizes[known], axis=1)
    near = scipy.spatial.cKDTree(points).query(points, k=min(32, len(points)))[1].reshape(len(points), -1)
    return np.asarray(medians[near].mean(1))


def _refined(point: Points, angle: float, slopes: Slopes, usual: float) -> End:
    """The end nearby of the largest steady slope, to half a pixel and half a degree; its profile."""
    for spread, fine in ((8.0, 1.0), (1.5, 0.5)):
        turns = angle + np.deg2rad(np.arange(-spread, spread + 0.1, fine))
        normal = np.array([-np.sin(angle), np.cos(angle)])
        points = point + np.arange(-2, 2.25, 0.5)[:, None] * normal
        size = np.square(slopes.profile(points, turns, LENGTH)).mean(-1)
        best = np.unravel_index(size.argmax(), size.shape)
        point, angle = points[best[0]], float(turns[best[1]])
    normal = np.array([-np.sin(angle), np.cos(angle)])
    across = np.arange(-HALF, HALF + 0.5, 0.5)
    for _ in range(3):  # between the two edges of a thin line, whichever was found
        profile = slopes.profile(point + across[:, None] * normal, np.array([angle]), LENGTH)[:, 0]
        power = np.square(profile).sum(-1) ** 2
        point = point + (power @ across) / max(power.sum(), 1e-12) * normal
    profile = slopes.profile(point + across[:, None] * normal, np.array([angle]), LENGTH)[:, 0]
    sampled = slopes.colours(point + across[:, None] * normal, angle, LENGTH)
    middle = len(across) // 2
    return End(
        point,
        angle,
        profile.astype(np.float32),
        float(np.sqrt(np.square(profile).mean(-1).max())),
        core=sampled[middle - 1 : middle + 2].mean(0),
        sides=np.stack([sampled[:5].mean(0), sampled[-5:].mean(0)]),
        usual=usual,
    )


def _along_line(end: End, points: Points, angles: Points) -> Bools:
    """(N, A): which rays from ``points`` (N, 2) in directions ``angles`` (A,) run along the line of ``end``."""
    apart = points - end.point
    aside = np.abs(apart @ np.array([-np.sin(end.angle), np.cos(end.angle)]))[:, None]
    turned = np.abs(turn(angles - end.angle))[None]
    return np.asarray((np.hypot(*apart.T)[:, None] < 12) & (turned < 0.7) & ((turned > 0.15) | (aside < APART)))


def turn(angle: Any) -> Any:
    """An angle, or many, in -pi to pi."""
    return (angle + np.pi) % (2 * np.pi) - np.pi
