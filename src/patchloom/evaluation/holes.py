"""Holes to measure with: seeded, so that everybody fills the same ones.

A hole is written as a short text, the *spec*: one of :data:`SPECS`.

The strokes and boxes are in the spirit of LaMa's masks (Suvorov et al. 2022, doi:10.1109/WACV51458.2022.00323),
drawn anew here. Random holes depend on the spec, the seed, the picture's size and its name, and on nothing
else: :class:`numpy.random.RandomState` is used because NumPy promises never to change its numbers.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patchloom.arrays import Bools
from patchloom.errors import SettingsError

SPECS = {
    "center:F": "a centred rectangle, F of the width by F of the height (the paper: 0.5)",
    "box:x,y,w,h": "one rectangle, in pixels",
    "boxes": "one to three random rectangles, 3 to 30 % of the picture",
    "blobs": "one smooth shape, like an object to be removed, 5 to 25 %",
    "random:thin": "three to seven long scratches, about 1 % of the shorter side wide",
    "random:medium": "two to five brush strokes about 4 % wide, sometimes with a rectangle",
    "random:thick": "one to three brush strokes about 12 % wide",
}
_TRIES = 1000


def make_hole(spec: str, width: int, height: int, *, seed: int = 0, name: str = "") -> Bools:
    """The hole that ``spec`` describes in a picture of ``width`` x ``height``.

    ``seed`` and ``name`` (of the picture) choose the random ones. Raises SettingsError for a spec that says
    nothing, or a box that does not touch the picture or covers all of it.
    """
    kind, _, argument = spec.partition(":")
    if kind == "center" and argument:
        return _checked(_center(_numbers(spec, argument, 1)[0], width, height), spec)
    if kind == "box" and argument:
        x, y, w, h = (round(number) for number in _numbers(spec, argument, 4))
        return _checked(_box(x, y, w, h, width, height), spec)
    if spec not in _RANDOM:
        raise SettingsError(f"There are no holes '{spec}'.", f"Use one of: {', '.join(SPECS)}, or a folder.")
    digest = hashlib.sha256(f"{spec}|{seed}|{width}x{height}|{name}".encode()).digest()
    return _RANDOM[spec].draw(np.random.RandomState(int.from_bytes(digest[:4], "big")), width, height)


def _numbers(spec: str, argument: str, count: int) -> list[float]:
    try:
        numbers = [float(part) for part in argument.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(math.isfinite(number) for number in numbers):
        raise SettingsError(
            f"The hole '{spec}' does not say {count} number{'s' * (count > 1)}.", "Use center:F or box:x,y,w,h."
        )
    return numbers


def _checked(hole: Bools, spec: str) -> Bools:
    if not hole.any() or hole.all():
        state = "covers the whole picture" if hole.any() else "lies outside the picture"
        raise SettingsError(f"The hole '{spec}' {state} of {hole.shape[1]}x{hole.shape[0]} pixels.", "Move it.")
    return hole


def _box(x: int, y: int, w: int, h: int, width: int, height: int) -> Bools:
    hole = np.zeros((height, width), bool)
    hole[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = True
    return hole


def _center(share: float, width: int, height: int) -> Bools:
    w, h = round(share * width), round(share * height)
    return _box((width - w) // 2, (height - h) // 2, w, h, width, height)


@dataclass(frozen=True)
class _Random:
    """A drawing that is repeated until between ``least`` and ``most`` of the picture is hole."""

    sketch: Callable[[np.random.RandomState, int, int], Bools]
    least: float
    most: float

    def draw(self, random: np.random.RandomState, width: int, height: int) -> Bools:
        for _ in range(_TRIES):
            hole = self.sketch(random, width, height)
            if self.least <= hole.mean() <= self.most:
                return hole
        raise SettingsError(
            f"No random hole fits into {width}x{height} pixels.", "Use pictures of at least 32 pixels a side."
        )


def _between(random: np.random.RandomState, low: float, high: float) -> float:
    return low + (high - low) * float(random.random_sample())


def _integer(random: np.random.RandomState, low: int, high: int) -> int:
    """A whole number, both ends included."""
    return int(random.randint(low, high + 1))


def _some_boxes(random: np.random.RandomState, width: int, height: int, most: int = 3) -> Bools:
    hole = np.zeros((height, width), bool)
    for _ in range(_integer(random, 1, most)):
        w, h = round(_between(random, 0.12, 0.4) * width), round(_between(random, 0.12, 0.4) * height)
        x, y = (
            round(_between(random, 0.03, 0.97) * (width - w)),
            round(_between(random, 0.03, 0.97) * (height - h)),
        )
        hole |= _box(x, y, w, h, width, height)
    return hole


def _blob(random: np.random.RandomState, width: int, height: int) -> Bools:
    """The inside of a closed curve r(angle): a stretched circle with a few slow waves on it."""
    share = _between(random, 0.06, 0.24)
    stretch, turn = _between(random, 1.0, 2.2), _between(random, 0, math.pi)
    waves = [(k, _between(random, 0.04, 0.5) / k, _between(random, 0, 2 * math.pi)) for k in (2, 3, 4, 5, 7)]
    cx, cy = _between(random, 0.25, 0.75) * width, _between(random, 0.25, 0.75) * height

    def radius(angle: NDArray[np.float64]) -> NDArray[np.float64]:
        curve = np.ones_like(angle)
        for k, size, phase in waves:
            curve += size * np.cos(k * angle + phase)
        return curve

    circle = np.linspace(0, 2 * math.pi, 720, endpoint=False)
    scale = math.sqrt(share * width * height / (math.pi * float(np.mean(radius(circle) ** 2))))
    y, x = np.mgrid[:height, :width]
    u = ((x + 0.5 - cx) * math.cos(turn) + (y + 0.5 - cy) * math.sin(turn)) / math.sqrt(stretch)
    v = (-(x + 0.5 - cx) * math.sin(turn) + (y + 0.5 - cy) * math.cos(turn)) * math.sqrt(stretch)
    hole: Bools = np.hypot(u, v) < scale * radius(np.arctan2(v, u))
    edge = hole[0].any() or hole[-1].any() or hole[:, 0].any() or hole[:, -1].any()
    return np.zeros_like(hole) if edge else hole  # an empty hole is drawn again


@dataclass(frozen=True)
class _Strokes:
    """Brush strokes: how many, of how many pieces, how wide and long in shares of the shorter side."""

    count: tuple[int, int]
    pieces: tuple[int, int]
    thickness: tuple[float, float]
    length: tuple[float, float]
    bend: float  # largest turn between two pieces, radians
    box_chance: float = 0.0

    def __call__(self, random: np.random.RandomState, width: int, height: int) -> Bools:
        hole = np.zeros((height, width), bool)
        side = min(width, height)
        for _ in range(_integer(random, *self.count)):
            x, y = _between(random, 0.05, 0.95) * width, _between(random, 0.05, 0.95) * height
            angle = _between(random, 0, 2 * math.pi)
            thickness = max(1.5, _between(random, *self.thickness) * side)
            for _ in range(_integer(random, *self.pieces)):
                reach = _between(random, *self.length) * side
                to_x = min(max(x + reach * math.cos(angle), 0.0), width - 1.0)
                to_y = min(max(y + reach * math.sin(angle), 0.0), height - 1.0)
                _paint_segment(hole, (x, y), (to_x, to_y), thickness / 2)
                x, y = to_x, to_y
                angle += _between(random, -self.bend, self.bend)
        if random.random_sample() < self.box_chance:
            hole |= _some_boxes(random, width, height, most=1)
        return hole


def _paint_segment(hole: Bools, start: tuple[float, float], end: tuple[float, float], radius: float) -> None:
    """Marks the pixels whose centre is within ``radius`` of the segment."""
    (x0, y0), (x1, y1) = start, end
    height, width = hole.shape
    left, right = max(0, math.floor(min(x0, x1) - radius)), min(width, math.ceil(max(x0, x1) + radius) + 1)
    top, bottom = max(0, math.floor(min(y0, y1) - radius)), min(height, math.ceil(max(y0, y1) + radius) + 1)
    y, x = np.mgrid[top:bottom, left:right]
    dx, dy = x1 - x0, y1 - y0
    along = np.clip(((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
    hole[top:bottom, left:right] |= np.hypot(x - x0 - along * dx, y - y0 - along * dy) <= radius


_RANDOM = {
    "boxes": _Random(_some_boxes, 0.03, 0.3),
    "blobs": _Random(_blob, 0.05, 0.25),
    "random:thin": _Random(_Strokes((3, 7), (2, 5), (0.005, 0.016), (0.12, 0.4), 0.6), 0.005, 0.08),
    "random:medium": _Random(_Strokes((2, 5), (2, 5), (0.025, 0.06), (0.1, 0.3), 1.2, box_chance=0.3), 0.03, 0.3),
    "random:thick": _Random(_Strokes((1, 3), (2, 4), (0.08, 0.16), (0.12, 0.35), 1.8), 0.06, 0.35),
}
