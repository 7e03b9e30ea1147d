"""The membrane: the smoothest continuation of the known pixels into the hole.

Inside the hole it solves the Laplace equation, on the pixel grid: every hole pixel is the mean of its four
neighbours. Known pixels are the boundary values; across the picture's border the derivative is zero, so a
neighbour outside the picture simply does not count. Written with :math:`q` running over the neighbours
of :math:`p` in the picture:

.. math:: \\sum_q (u_q - u_p) = 0 \\text{ for hole pixels } p, \\qquad u_p = \\text{image}_p \\text{ elsewhere}.

Solved by multigrid in compiled loops, one picture after another, without the interpreter's lock: several threads
may fill several pictures at once. A coarse pixel is unknown only where its four pixels all are;
corrections are enlarged bilinearly; the first guess is the membrane of the halved picture.

Brandt, *Multi-level adaptive solutions to boundary-value problems*, 1977; Trottenberg et al., *Multigrid*, 2001.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchloom.tensors.boxes import bounds
from patchloom.tensors.compiled import njit

TOLERANCE = 1e-4
"""A solution is accepted when a whole multigrid cycle moves no pixel by more than this (of a range of 0..1)."""

CHANNELS = 3
"""Solved at once. A constant, for which the compiler unrolls the loops: half the time of any number."""

_MOST_CYCLES = 60  # a cycle divides the error by 5 to 10; winding one-pixel corridors are slower
_SWEEPS = 2  # relaxations before and after each correction: 1 needs more cycles than it saves, 3 saves too few


def membrane(
    picture: NDArray[np.float32], hole: NDArray[np.bool_], tolerance: float = TOLERANCE
) -> NDArray[np.float32]:
    """``picture`` (H, W, C) with the pixels of ``hole`` (H, W) replaced by the membrane.

    Known pixels keep their values; what the picture held in the hole does not matter. The solution's distance from
    the exact one is of the order of ``tolerance``. Raises ValueError for a picture without a known pixel.
    """
    filled = np.array(picture, np.float32, order="C")
    fill_membrane(filled, np.ascontiguousarray(hole), tolerance)
    return filled


def fill_membrane(picture: NDArray[np.float32], hole: NDArray[np.bool_], tolerance: float = TOLERANCE) -> None:
    """The membrane of one ``picture`` (H, W, C), contiguous, in ``hole`` (H, W), in place. Raises ValueError."""
    if hole.all():
        raise ValueError("The membrane needs at least one known pixel.")
    if not hole.any():
        return
    box = bounds(hole).widened(1, hole.shape)  # with the known pixels at the rim, the only ones that matter
    inside = np.ascontiguousarray(hole[box.slices])
    for first in range(0, picture.shape[2], CHANNELS):
        part = picture[box.slices][..., first : first + CHANNELS]
        padded = np.zeros((*box.size, CHANNELS), np.float32)
        padded[..., : part.shape[2]] = part
        solve(padded, inside, np.float32(tolerance))
        part[:] = padded[..., : part.shape[2]]


def _compiled(function: Any) -> Any:
    return njit(nogil=True, fastmath={"contract", "reassoc"})(function)


@_compiled
def _relax(u: Any, rhs: Any, hole: Any, spans: Any, parity: int) -> None:
    """Gauss-Seidel for sum over neighbours of (u_q - u_p) = rhs, on one colour of the hole's checkerboard."""
    height, width = hole.shape
    for y in range(height):
        up, down = max(y - 1, 0), min(y + 1, height - 1)
        first = spans[y, 0] + (spans[y, 0] + y + parity) % 2
        for x in range(first, spans[y, 1], 2):
            if hole[y, x]:
                left, right = max(x - 1, 0), min(x + 1, width - 1)
                inside = (down - up) + (
                    right - left
                )  # neighbours in the picture; the others repeat the pixel itself
                share = np.float32(1) / np.float32(inside)
                outside = np.float32(4 - inside)
                for c in range(CHANNELS):
                    total = u[up, x, c] + u[down, x, c] + u[y, left, c] + u[y, right, c]
                    u[y, x, c] = (total - outside * u[y, x, c] - rhs[y, x, c]) * share


@_compiled
def _coarse_residual(u: Any, rhs: Any, hole: Any, spans: Any, coarse: Any, result: Any) -> None:
    """The residual, summed over the four pixels of each unknown coarse pixel (the coarse equation's right side).

    The sum, not the mean: on a grid twice as coarse the same differences stand for four times the Laplacian.
    """
    height, width = hole.shape
    result[:] = 0
    for y in range(height):
        up, down = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(spans[y, 0], spans[y, 1]):
            if hole[y, x] and coarse[y // 2, x // 2]:
                left, right = max(x - 1, 0), min(x + 1, width - 1)
                for c in range(CHANNELS):
                    total = u[up, x, c] + u[down, x, c] + u[y, left, c] + u[y, right, c]
                    result[y // 2, x // 2, c] += rhs[y, x, c] - total + 4 * u[y, x, c]


@_compiled
def _enlarge_into(u: Any, coarse: Any, hole: Any, spans: Any, keep: Any) -> None:
    """In the hole, ``u`` becomes ``keep`` (0 or 1) times itself plus the bilinearly enlarged ``coarse``."""
    height = hole.shape[0]
    rows, columns = coarse.shape[0], coarse.shape[1]
    near, side, far = np.float32(0.5625), np.float32(0.1875), np.float32(0.0625)
    for y in range(height):
        cy = y // 2
        ny = min(max(cy + 2 * (y % 2) - 1, 0), rows - 1)
        for x in range(spans[y, 0], spans[y, 1]):
            if hole[y, x]:
                cx = x // 2
                nx = min(max(cx + 2 * (x % 2) - 1, 0), columns - 1)
                for c in range(CHANNELS):
                    value = near * coarse[cy, cx, c] + side * (coarse[ny, cx, c] + coarse[cy, nx, c])
                    u[y, x, c] = keep * u[y, x, c] + value + far * coarse[ny, nx, c]


@_compiled
def _halve(u: Any, hole: Any) -> Any:
    """The mean of the known pixels under each coarse pixel, and which coarse pixels have none."""
    height, width = hole.shape
    rows, columns = (height + 1) // 2, (width + 1) // 2
    mean = np.zeros((rows, columns, CHANNELS), np.float32)
    count = np.zeros((rows, columns), np.int32)
    for y in range(height):
        for x in range(width):
            if not hole[y, x]:
                count[y // 2, x // 2] += 1
                for c in range(CHANNELS):
                    mean[y // 2, x // 2, c] += u[y, x, c]
    for y in range(rows):
        for x in range(columns):
            for c in range(CHANNELS):
                mean[y, x, c] /= np.float32(max(count[y, x], 1))
    return mean, count == 0


@_compiled
def _spans(hole: Any) -> Any:
    """First and last column (exclusive) of the hole in every row, 0 and 0 where it has none."""
    spans = np.zeros((hole.shape[0], 2), np.int64)
    for y in range(hole.shape[0]):
        for x in range(hole.shape[1]):
            if hole[y, x]:
                if spans[y, 1] == 0:
                    spans[y, 0] = x
                spans[y, 1] = x + 1
    return spans


@_compiled
def solve(picture: Any, hole: Any, tolerance: Any) -> None:
    """Fills ``picture`` (H, W, 3): from the coarsest level with a hole to the finest, V-cycles until one changes
    little. For compiled callers; there must be a known pixel."""
    pictures = [picture]
    holes = [hole]
    while holes[-1].any():
        smaller, unknown = _halve(pictures[-1], holes[-1])
        pictures.append(smaller)
        holes.append(unknown)
    spans = [_spans(level) for level in holes]
    rhs = [np.zeros_like(level) for level in pictures]
    change = [np.zeros_like(level) for level in pictures]
    coarsest = len(holes) - 1  # has no hole
    none, whole = np.float32(0), np.float32(1)  # not literals: numba would compile a function for each
    for finest in range(coarsest - 1, -1, -1):
        u = pictures[finest]
        _enlarge_into(u, pictures[finest + 1], holes[finest], spans[finest], none)
        rhs[finest][:] = 0
        for _ in range(_MOST_CYCLES):
            before = u.copy()
            for level in range(finest, coarsest):
                here = u if level == finest else change[level]
                for _ in range(_SWEEPS):
                    for parity in range(2):
                        _relax(here, rhs[level], holes[level], spans[level], parity)
                _coarse_residual(here, rhs[level], holes[level], spans[level], holes[level + 1], rhs[level + 1])
                change[level + 1][:] = 0
            for level in range(coarsest - 1, finest - 1, -1):
                here = u if level == finest else change[level]
                if level + 1 < coarsest:
                    _enlarge_into(here, change[level + 1], holes[level], spans[level], whole)
                for _ in range(_SWEEPS):
                    for parity in range(2):
                        _relax(here, rhs[level], holes[level], spans[level], 1 - parity)
            if _furthest(u, before) <= tolerance:
                break


@_compiled
def _furthest(a: Any, b: Any) -> Any:
    """The largest absolute difference."""
    furthest = np.float32(0)
    for y in range(a.shape[0]):
        for x in range(a.shape[1]):
            for c in range(CHANNELS):
                furthest = max(furthest, abs(a[y, x, c] - b[y, x, c]))
    return furthest
