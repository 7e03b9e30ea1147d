"""One training sample: a cut of a photograph, a random hole in it, and the membrane over the hole.

Compiled, and without the interpreter's lock: as many threads as there are processors make samples at once, fast
enough for a GPU. A sample depends on the photograph and one seed, nothing else.

The cut is a square of 100 pixels or more (78 % to all of a stored photograph), bilinearly brought to the size
asked for, perhaps mirrored, with brightness, contrast and the balance of the channels slightly changed. Holes of
four kinds, equally often, cover 5 to 50 % of the picture: squares (every second one in the middle, as in the
paper), boxes, brush strokes, and smooth object-like blobs.
"""

import math
from typing import Any

import numpy as np

from patchloom.tensors.compiled import njit
from patchloom.tensors.membrane import solve

SMALLEST_CUT = 100
LEAST_SHARE, MOST_SHARE = 0.05, 0.50

MIXED, CENTRE = 0, 1
"""Kinds of holes: the mixture above, or always the paper's square (the inner 56 of 128 pixels)."""

_GAIN = 0.15  # brightness and channel gains of 0.85..1.15: the light of another hour, not another scene


def _compiled(function: Any) -> Any:
    return njit(nogil=True)(function)


@_compiled
def cut_picture(photo: Any, seed: int, picture: Any) -> None:
    """A random cut of ``photo`` (h, w, 3), uint8, into ``picture`` (S, S, 3), float32 in 0..1."""
    np.random.seed(seed)
    height, width = photo.shape[0], photo.shape[1]
    size = picture.shape[0]
    longest = min(height, width)
    side = min(longest, max(SMALLEST_CUT, int(longest * (1 - 0.25 * np.random.random() ** 2))))
    top = np.random.randint(0, height - side + 1)
    left = np.random.randint(0, width - side + 1)
    mirrored = np.random.random() < 0.5
    bright = 1 + _GAIN * (2 * np.random.random() - 1)
    table = np.empty((3, 256), np.float32)
    for c in range(3):
        gain = bright * (1 + 0.3 * _GAIN * (2 * np.random.random() - 1))
        for value in range(256):
            table[c, value] = min(1.0, value / 255 * gain)
    scale = side / size
    for y in range(size):
        sy = min(max((y + 0.5) * scale - 0.5, 0.0), side - 1.0)
        y0 = min(int(sy), side - 2)
        fy = np.float32(sy - y0)
        for x in range(size):
            sx = min(max((x + 0.5) * scale - 0.5, 0.0), side - 1.0)
            x0 = min(int(sx), side - 2)
            fx = np.float32(sx - x0)
            tx = size - 1 - x if mirrored else x
            for c in range(3):
                a = table[c, photo[top + y0, left + x0, c]]
                b = table[c, photo[top + y0, left + x0 + 1, c]]
                d = table[c, photo[top + y0 + 1, left + x0, c]]
                e = table[c, photo[top + y0 + 1, left + x0 + 1, c]]
                upper, lower = a + fx * (b - a), d + fx * (e - d)
                picture[y, tx, c] = upper + fy * (lower - upper)


@_compiled
def draw_hole(kind: int, seed: int, hole: Any) -> None:
    """A random hole of ``kind`` into ``hole`` (S, S), bool."""
    np.random.seed(seed)
    size = hole.shape[0]
    if kind == CENTRE:
        rim = size * 36 // 128
        hole[:] = False
        hole[rim : size - rim, rim : size - rim] = True
        return
    shape = np.random.randint(0, 4)
    while True:
        hole[:] = False
        if shape == 0:
            _square(hole)
        elif shape == 1:
            _box(hole)
        elif shape == 2:
            _strokes(hole)
        else:
            _blobs(hole)
        if LEAST_SHARE <= hole.mean() <= MOST_SHARE:
            return


@_compiled
def _between(low: float, high: float) -> float:
    return low + (high - low) * np.random.random()


@_compiled
def _square(hole: Any) -> None:
    size = hole.shape[0]
    side = int(size * _between(0.3, 0.7))
    top = left = (size - side) // 2
    if np.random.random() < 0.5:
        top, left = np.random.randint(0, size - side + 1), np.random.randint(0, size - side + 1)
    hole[top : top + side, left : left + side] = True


@_compiled
def _box(hole: Any) -> None:
    size = hole.shape[0]
    height, width = int(size * _between(0.12, 0.9)), int(size * _between(0.12, 0.9))
    top, left = np.random.randint(0, size - height + 1), np.random.randint(0, size - width + 1)
    hole[top : top + height, left : left + width] = True


@_compiled
def _line(hole: Any, x0: float, y0: float, x1: float, y1: float, radius: float) -> None:
    """All pixels within ``radius`` of the segment."""
    height, width = hole.shape
    dx, dy = x1 - x0, y1 - y0
    length = max(dx * dx + dy * dy, 1e-6)
    for y in range(max(int(min(y0, y1) - radius), 0), min(int(max(y0, y1) + radius) + 2, height)):
        for x in range(max(int(min(x0, x1) - radius), 0), min(int(max(x0, x1) + radius) + 2, width)):
            along = min(max(((x - x0) * dx + (y - y0) * dy) / length, 0.0), 1.0)
            if (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2 <= radius * radius:
                hole[y, x] = True


@_compiled
def _strokes(hole: Any) -> None:
    size = hole.shape[0]
    for _ in range(np.random.randint(1, 5)):
        radius = size * _between(0.015, 0.08)
        x, y = _between(0, size), _between(0, size)
        angle = _between(0, 2 * math.pi)
        for _ in range(np.random.randint(3, 10)):
            angle += _between(-1.2, 1.2)
            step = size * _between(0.08, 0.25)
            nx = min(max(x + step * math.cos(angle), 0.0), size - 1.0)
            ny = min(max(y + step * math.sin(angle), 0.0), size - 1.0)
            _line(hole, x, y, nx, ny, radius)
            x, y = nx, ny


@_compiled
def _blobs(hole: Any) -> None:
    """One or two star-shaped outlines whose radius is a short Fourier series, stretched and turned."""
    size = hole.shape[0]
    for _ in range(1 if np.random.random() < 0.7 else 2):
        x0, y0 = size * _between(0.2, 0.8), size * _between(0.2, 0.8)
        mean = size * _between(0.13, 0.36)
        stretch = math.exp(_between(-0.6, 0.6))
        turn = _between(0, math.pi)
        waves, phases = np.empty(4), np.empty(4)
        for k in range(4):
            waves[k], phases[k] = _between(0, 0.35) / (k + 1), _between(0, 2 * math.pi)
        for y in range(size):
            for x in range(size):
                u = ((x - x0) * math.cos(turn) + (y - y0) * math.sin(turn)) * stretch
                v = ((y - y0) * math.cos(turn) - (x - x0) * math.sin(turn)) / stretch
                distance = math.sqrt(u * u + v * v)
                if distance < 2 * mean:
                    angle = math.atan2(v, u)
                    radius = 1.0
                    for k in range(4):
                        radius += waves[k] * math.cos((k + 1) * angle + phases[k])
                    if distance < mean * radius:
                        hole[y, x] = True


@_compiled
def make_sample(photo: Any, seed: int, kind: int, tolerance: Any, picture: Any, filled: Any, hole: Any) -> None:
    """One sample into ``picture`` and ``filled`` (S, S, 3), float32 in 0..1, and ``hole`` (S, S), bool.
    ``tolerance``: the membrane's, float32; with 0 the hole is not filled."""
    cut_picture(photo, seed, picture)
    draw_hole(kind, seed, hole)
    filled[:] = picture
    if tolerance > 0:
        solve(filled, hole, tolerance)


@_compiled
def make_samples(
    store: Any, numbers: Any, seeds: Any, kind: int, tolerance: Any, pictures: Any, filled: Any, holes: Any
) -> None:
    """Samples of the photographs ``numbers``, one for each of ``seeds``. ``store``: the pixels and index of
    :class:`patchloom.training.data.Photographs`. Many in one call, because threads that come back to the
    interpreter after each sample wait for its lock."""
    pixels, index = store
    for k in range(len(numbers)):
        offset, height, width = index[numbers[k]]
        photo = pixels[offset : offset + 3 * height * width].reshape((height, width, 3))
        make_sample(photo, seeds[k], kind, tolerance, pictures[k], filled[k], holes[k])
