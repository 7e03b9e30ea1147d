"""The search of a nearest-neighbour field (PatchMatch, Barnes et al. 2009).

A pass offers each patch the offsets of its neighbours and random ones around its own, and keeps the one of least
cost

    cost(p, s) = sum_u w(u) |I(p + u) - I(s + u)|^2 / n  +  guide  +  locality  -  coherence  +  reuse

Passes read the old field and make a new one, and random offsets come from a hash of seed, pass and position: the
result does not depend on the number of threads. Loops are compiled by numba once into the user's cache.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from patchloom.arrays import Floats
from patchloom.tensors.compiled import njit
from patchloom.tensors.field import Canvas, Field
from patchloom.tensors.threads import in_pieces

STEPS = np.array([1, 2, 8], dtype=np.int32)  # how far propagation looks
PIECE = 1024  # patches or pixels a thread takes at a time
ALL = 2**31  # attempts


class Costs(NamedTuple):
    """What an offset costs beside the difference of its patches, in units of mean squared colour difference.

    ``locality``: for each pixel of its length; ``coherence``: less, if all eight neighbours have the same;
    ``reuse``: for each doubling of how often its source is used by other patches.
    """

    locality: float
    coherence: float
    reuse: float = 0.0


@njit(nogil=True)
def _hash(a: int, b: int, c: int, d: int) -> np.uint64:
    """A well-mixed 64-bit value (splitmix64 finaliser) of four integers."""
    z = (
        np.uint64(a) * np.uint64(0x9E3779B97F4A7C15)
        + np.uint64(b) * np.uint64(0xC2B2AE3D27D4EB4F)
        + np.uint64(c) * np.uint64(0x165667B19E3779F9)
        + np.uint64(d) * np.uint64(0xD6E8FEB86659FD93)
    )
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(nogil=True, fastmath=True)
def _distance(patch, weights, rows, row, column, radius, bound):  # type: ignore[no-untyped-def]
    """Weighted squared difference of ``patch`` and the source centred at (row, column); gives up at ``bound``.

    ``rows`` is the picture as (H, W * C), so that one row of a patch is one contiguous run.
    """
    side = 2 * radius + 1
    run = len(patch) // side
    start = run // side * (column - radius)
    total = np.float32(0.0)
    for line in range(side):
        source = rows[row - radius + line]
        partial = np.float32(0.0)
        for k in range(run):
            difference = patch[line * run + k] - source[start + k]
            partial += weights[line * run + k] * difference * difference
        total += partial
        if total > bound:
            return total
    return total


@njit(nogil=True)
def _load(patch, weights, rows, weight, row, column, radius):  # type: ignore[no-untyped-def]
    """Copies the patch at (row, column) and its weights into scratch; pixels outside the picture weigh 0.

    Returns the factor that turns the weighted sum into a mean over the patch's colours.
    """
    height, width = weight.shape
    channels = rows.shape[1] // width
    side = 2 * radius + 1
    total = np.float32(0.0)
    for line in range(side):
        y = row - radius + line
        for k in range(side):
            x = column - radius + k
            place = channels * (line * side + k)
            inside = 0 <= y < height and 0 <= x < width
            value = weight[y, x] if inside else np.float32(0.0)
            total += value
            for channel in range(channels):
                patch[place + channel] = rows[y, channels * x + channel] if inside else np.float32(0.0)
                weights[place + channel] = value
    return np.float32(1.0) / (np.float32(3.0) * max(total, np.float32(1e-6)))


@njit(nogil=True, fastmath=True)
def _search(
    field: Any,
    canvas: Any,
    costs: Any,
    seed: int,
    fresh: bool,
    attempts: int,
    reach: int,
    use: Any,
    found: Any,
    distances: Any,
    begin: int,
    end: int,
) -> None:
    """One pass over the patches ``begin`` to ``end``, whose new offsets and distances are written to ``found`` and
    ``distances``. ``fresh``: the picture changed since the field's distances were computed. ``attempts``: so many
    offsets at most, the patch's own first. ``reach``: how far random offsets lead from it, in pixels. ``use``: see
    :func:`_used`."""
    centres, index, offsets, radius = field.centres, field.numbers, field.offsets, field.radius
    sources, means, guide = canvas.sources, canvas.means, canvas.guide
    height, width, channels = canvas.picture.shape
    rows = canvas.picture.reshape(height, width * channels)
    locality, coherence, reuse = np.float32(costs.locality), np.float32(costs.coherence), np.float32(costs.reuse)
    own = canvas.own if canvas.own > 0 else width
    away = np.float32(canvas.away)
    tries = 4 * len(STEPS) + 1
    random_tries = int(np.log2(reach)) if reach > 0 else 0
    offered = len(canvas.candidates) if fresh else 0
    patch = np.empty(channels * (2 * radius + 1) ** 2, np.float32)
    weights = np.empty_like(patch)
    for i in range(begin, end):
        row, column = centres[i, 0], centres[i, 1]
        scale = _load(patch, weights, rows, canvas.weight, row, column, radius)
        best_dy, best_dx = offsets[i, 0], offsets[i, 1]
        best_data = np.float32(np.inf)
        best = np.float32(np.inf)
        wish = canvas.guided[row, column]
        for attempt in range(min(attempts, tries + random_tries + offered)):
            if attempt == 0:
                dy, dx = offsets[i, 0], offsets[i, 1]
            elif attempt < tries:
                step = STEPS[(attempt - 1) // 4]
                way = (attempt - 1) % 4
                y = row + (step if way == 0 else -step if way == 1 else 0)
                x = column + (step if way == 2 else -step if way == 3 else 0)
                if y < 0 or y >= height or x < 0 or x >= width or index[y, x] < 0:
                    continue
                dy, dx = offsets[index[y, x], 0], offsets[index[y, x], 1]
                if dy == best_dy and dx == best_dx:
                    continue
            elif attempt >= tries + random_tries:
                number = attempt - tries - random_tries
                dy, dx = canvas.candidates[number, 0], canvas.candidates[number, 1]
            else:
                far = np.float32(reach) / np.float32(2 ** (attempt - tries))
                value = _hash(seed, i, attempt, 0)
                u = np.float32(value >> np.uint64(40)) / np.float32(1 << 24)
                v = np.float32((value >> np.uint64(16)) & np.uint64(0xFFFFFF)) / np.float32(1 << 24)
                dy = best_dy + np.int32(np.floor((2 * u - 1) * far))
                dx = best_dx + np.int32(np.floor((2 * v - 1) * far))
            y, x = row + dy, column + dx
            if y < 0 or y >= height or x < 0 or x >= width or not sources[y, x]:
                continue
            extra = locality * (np.sqrt(np.float32(dy * dy + dx * dx)) if x < own else away)
            same = 0
            for ny in range(-1, 2):
                for nx in range(-1, 2):
                    if (ny != 0 or nx != 0) and 0 <= row + ny < height and 0 <= column + nx < width:
                        j = index[row + ny, column + nx]
                        if j >= 0 and offsets[j, 0] == dy and offsets[j, 1] == dx:
                            same += 1
            extra -= coherence * np.float32(same) / np.float32(8.0)
            if reuse > 0:
                extra += reuse * use[y, x]
            if wish > 0:
                miss = np.float32(0.0)
                for channel in range(3):
                    difference = means[y, x, channel] - guide[row, column, channel]
                    miss += difference * difference
                extra += wish * miss / np.float32(3.0)
            if extra >= best:
                continue
            if attempt == 0 and not fresh:
                data = field.distance[i]
            else:
                data = scale * _distance(patch, weights, rows, y, x, radius, (best - extra) / scale)
            if data + extra < best:
                best = data + extra
                best_data = data
                best_dy, best_dx = dy, dx
        found[i, 0], found[i, 1] = best_dy, best_dx
        distances[i] = best_data


def search(
    field: Field, canvas: Canvas, costs: Costs, *, seed: int, passes: int, reach: int | None = None
) -> Field:
    """``field`` improved by ``passes`` passes over all patches.

    ``reach``: how far random offsets lead from a patch's own, in pixels; None: over the whole picture.
    """
    reach = max(canvas.hole.shape) if reach is None else reach
    for number in range(passes):
        field = _one_pass(field, canvas, costs, seed * 64 + number, number == 0, ALL, reach)
    return field


def _one_pass(
    field: Field, canvas: Canvas, costs: Costs, seed: int, fresh: bool, attempts: int, reach: int
) -> Field:
    """See :func:`_search`."""
    offsets, distance = np.empty_like(field.offsets), np.empty_like(field.distance)
    use = _used(field, canvas.hole.shape) if costs.reuse > 0 else np.zeros((1, 1), np.float32)
    one_pass = partial(_search, field, canvas, costs, seed, fresh, attempts, reach, use, offsets, distance)
    in_pieces(one_pass, len(offsets), PIECE)
    return field._replace(offsets=offsets, distance=distance)


def _used(field: Field, shape: tuple[int, int]) -> Floats:
    """(H, W): how many times the number of patches that use the sources around a pixel doubles beyond one each,
    which is what a copy of a whole piece comes to."""
    counts = np.zeros(shape, np.float32)
    sources = field.centres + field.offsets
    np.add.at(counts, (sources[:, 0], sources[:, 1]), 1)
    counts = ndimage.uniform_filter(counts, 2 * field.radius + 1, mode="constant")
    return np.asarray(np.log2(np.maximum(counts, 1)), np.float32)


def mean_distance(field: Field, canvas: Canvas) -> float:
    """Mean data cost of the field in the picture as it stands."""
    return float(_one_pass(field, canvas, Costs(0, 0), 0, True, 1, 0).distance.mean())
