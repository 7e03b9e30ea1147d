"""From a scribble on an object to its outline, and to the shadow it casts; no network, no download.

The picture is cut into small areas of one colour. A minimal cut divides them between object and background (Boykov
and Jolly, ICCV 2001). An area's cost has two parts:

* how unlikely its colours are under mixtures learned from both sides, cut and mixtures in turns as in GrabCut
  (Rother et al., SIGGRAPH 2004);
* how far it is from the scribble, compared with the background (geodesic distances, Bai and Sapiro, ICCV 2007).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.cluster.vq import kmeans2
from scipy.sparse import csgraph

from patchloom.arrays import Bools, Doubles
from patchloom.tensors.boxes import bounds

OBJECT, OTHER = 255, 128
"""What a scribble's pixels say: this is the object, this is not."""

_AREAS = 2500  # into which the picture is cut, about
_COMPACT = 12.0  # steps of colour that weigh as much as an area's width
_CLUSTERINGS = 3
_COLOURS = 5  # components of each side's mixture
_TURNS = 4
_WAY = 4.0  # weight of the geodesic distances against the colours' log-likelihoods
_MOST = 8.0  # of one pixel's log-likelihood ratio
_RIM = 40.0  # cost of a pixel of outline where there is no edge
_SURROUNDINGS = 0.8  # how far around the scribble the object may reach, of the scribble's length
_FAR = 4.0  # weight of being farther away than half of that, a length
_FARTHER = 2.0  # times as far, if the outline found there is better
_SHORT, _CLICK, _CLICKED = 0.12, 0.05, 0.56  # of the picture's shorter side: the least length; a scribble up to
# which is a click, of which it tells nothing; and the length that it then counts as
_CAST = 2.0  # how far a shadow is looked for, of the side of a square as large as the object
_FINE = 16  # blocks in the reach of what changes smoothly over it: it is worked out a block at a time
_SCALE = 64  # of costs, which a maximal flow takes as whole numbers


@dataclass(frozen=True)
class _Areas:
    """Labels (H, W) from 0; of each area its size (0: none is left of it) and mean colour; of each pair of
    neighbours the two areas, the pixels of their common rim and the mean colour step across it."""

    labels: NDArray[np.int32]
    size: Doubles
    colour: Doubles
    pairs: NDArray[np.int64]
    rim: Doubles
    step: Doubles


@dataclass(frozen=True)
class _Seeds:
    """Areas that are surely the object, surely not, and those of the latter that were taken away by hand."""

    object: Bools
    other: Bools
    taken: Bools


def outline(pixels: NDArray[np.uint8], marks: NDArray[np.uint8]) -> Bools:
    """The object that ``marks`` (H, W; OBJECT, OTHER or 0) lie on in ``pixels`` (H, W, 3): its mask (H, W).

    Nothing marked as the object gives an empty mask.
    """
    wanted, other = marks == OBJECT, marks == OTHER
    if not wanted.any():
        return np.zeros(marks.shape, bool)
    lab = _lab(pixels)
    areas = _cut_up(lab)
    seeds = _seeds(areas, wanted, other)
    distance = _distance(wanted, areas)
    way = _WAY * _ways(areas, seeds.object, seeds.other)
    near, far = (_divided(areas, seeds, way, distance / reach) for reach in (1, _FARTHER))
    return _cleaned((far if _is_better(areas, far, near) else near)[areas.labels], wanted, other)


def _seeds(areas: _Areas, wanted: Bools, other: Bools) -> _Seeds:
    lie = [np.bincount(areas.labels[marks], minlength=len(areas.size)) > 0 for marks in (wanted, other)]
    object_seed, taken = lie[0], lie[1] & ~lie[0]
    return _Seeds(object_seed, (taken | _border(areas)) & ~object_seed, taken)


def _divided(areas: _Areas, seeds: _Seeds, way: Doubles, distance: Doubles) -> Bools:
    """The areas of the object, in turns of colours learned from both sides and a minimal cut."""
    prior = way + _FAR * np.clip(distance - _SURROUNDINGS / 2, 0, 2)
    inside = seeds.object.copy()
    for turn in range(_TURNS):
        outside = (distance > _SURROUNDINGS if turn == 0 else ~inside) & ~seeds.object
        costs = _colour_costs(areas, inside, outside if outside.any() else seeds.other, seeds.taken)
        before = inside
        inside = _minimal_cut(areas, costs + prior, seeds.object, seeds.other)
        if (inside == before).all():
            break
    return inside


def _is_better(areas: _Areas, one: Bools, two: Bools) -> bool:
    """Whether ``one`` lies on edges as strong as ``two``'s and is as round."""
    left, right = areas.pairs.T
    apart = np.sqrt(((areas.colour[left] - areas.colour[right]) ** 2).sum(axis=-1))

    def judged(inside: Bools) -> tuple[float, float]:
        rim = areas.rim * (inside[left] != inside[right])
        length = max(float(rim.sum()), 1.0)
        return float((rim * apart).sum()) / length, float(areas.size[inside].sum()) / length**2

    return all(a >= b for a, b in zip(judged(one), judged(two), strict=True))


def shadow(pixels: NDArray[np.uint8], mask: Bools) -> Bools:
    """The shadow that the object under ``mask`` (H, W) casts: pixels beside it that are a darkened copy of what
    lies around them. Empty where there is none to speak of."""
    found = np.zeros(mask.shape, bool)
    if not mask.any() or mask.all():
        return found
    size = float(np.sqrt(mask.sum()))
    distance = ndimage.distance_transform_edt(~mask)
    near = (distance > 1.5) & (distance < _CAST * size)
    dark = np.zeros(mask.shape, bool)
    box = bounds(near).slices
    dark[box] = _darkened(pixels[box], near[box], size)
    labels, count = ndimage.label(ndimage.binary_opening(dark, iterations=2))
    touching = distance < 5
    for label in range(1, count + 1):
        part = labels == label
        large = part.sum() > 0.02 * mask.sum()
        adjoins = (part & touching).sum() > 0.04 * (touching & ~mask).sum()
        runs_on = (distance[part] > (_CAST - 0.1) * size).any()  # then it is something of its own
        if large and adjoins and not runs_on:
            found |= part
    if found.sum() > 2 * mask.sum():  # the ground is dark there: no shadow
        return np.zeros(mask.shape, bool)
    return np.asarray(ndimage.binary_dilation(found, iterations=2) & ~mask)


def _darkened(pixels: NDArray[np.uint8], near: Bools, size: float) -> Bools:
    """Where the picture is its own surroundings with less light, in all colours alike."""
    linear = ndimage.gaussian_filter(_levels(lambda c: c**2.2)[pixels], (1.2, 1.2, 0))
    dark = np.zeros(near.shape, bool)
    for _ in range(3):  # what is found dark is no longer ground
        ratio = (linear + 1e-3) / (_spread(linear, near & ~dark, size) + 1e-3)
        light = ratio.mean(axis=-1)
        spread = np.maximum.reduce([*ratio.T]).T - np.minimum.reduce([*ratio.T]).T
        dark = near & (light < 0.72) & (light > 0.06) & (spread < 0.4 * light + 0.02)
    return dark


def _spread(values: NDArray[np.float32], where: Bools, reach: float) -> NDArray[np.float32]:
    """The values at ``where``, carried on smoothly over ``reach`` pixels to where they are not known."""
    block = max(1, round(reach / _FINE))
    height, width = where.shape
    known = np.concatenate([values * where[..., None], where[..., None]], axis=-1, dtype=np.float32)
    known = np.pad(known, ((0, -height % block), (0, -width % block), (0, 0)))
    known = known.reshape(known.shape[0] // block, block, known.shape[1] // block, block, 4).mean(1).mean(2)
    known = ndimage.gaussian_filter(known, (reach / 2 / block, reach / 2 / block, 0))
    coarse = known[..., :3] / np.maximum(known[..., 3:], 1e-6)
    down, across = (_enlarging(sides, block) for sides in coarse.shape[:2])
    return np.asarray(np.einsum("Yy,Xx,yxc->YXc", down[:height], across[:width], coarse, optimize=True))


def _enlarging(count: int, block: int) -> NDArray[np.float32]:
    """What enlarges values to a block of each, linearly from centre to centre: (count * block, count)."""
    at = (np.arange(count * block) + 0.5) / block - 0.5
    return np.stack([np.interp(at, np.arange(count), unit) for unit in np.eye(count)], axis=1).astype(np.float32)


def _levels(curve: Callable[[Doubles], Doubles]) -> NDArray[np.float32]:
    """What a curve over [0, 1] makes of each of the 256 levels."""
    return curve(np.arange(256) / 255).astype(np.float32)


def _lab(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """CIE L*a*b* (D65) of sRGB."""
    linear = _levels(lambda c: np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4))[pixels]
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ (to_xyz.T / np.array([0.9505, 1.0, 1.089])).astype(np.float32)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def _cut_up(lab: NDArray[np.float32]) -> _Areas:
    """Simple linear iterative clusters (Achanta et al., PAMI 2012), each pixel among the nine cells about it."""
    height, width = lab.shape[:2]
    smooth = ndimage.gaussian_filter(lab, (0.7, 0.7, 0))
    pace = max(2, round(np.sqrt(height * width / _AREAS)))
    down, across = -(-height // pace), -(-width // pace)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    point = np.concatenate([smooth, np.stack([y, x], axis=-1) * np.float32(_COMPACT / pace)], axis=-1)
    padded = np.pad(point, ((0, down * pace - height), (0, across * pace - width), (0, 0)), mode="edge")
    cells = padded.reshape(down, pace, across, pace, 5).swapaxes(1, 2).reshape(down * across, pace * pace, 5)
    about = _nine(np.arange(down * across).reshape(down, across)).reshape(down * across, 9)
    labels = np.broadcast_to(np.arange(down * across, dtype=np.int32)[:, None], cells.shape[:2])
    for turn in range(_CLUSTERINGS + 1):
        grid = labels.reshape(down, across, pace, pace).swapaxes(1, 2).reshape(down * pace, across * pace)
        labels = np.ascontiguousarray(grid[:height, :width])
        if turn == _CLUSTERINGS:
            break
        centre = _means(labels, point, down * across)[about]  # (cells, 9, 5)
        # |p - c|^2 but for |p|^2, which is the same for all nine
        distance = (centre**2).sum(axis=-1)[:, None] - 2 * cells @ centre.swapaxes(1, 2)
        labels = np.take_along_axis(about, distance.argmin(axis=-1), axis=1).astype(np.int32)
    count = down * across
    size = np.bincount(labels.ravel(), minlength=count).astype(float)
    pairs, rim, step_across = _neighbours(labels, lab, count)
    return _Areas(labels, size, _means(labels, smooth, count).astype(float), pairs, rim, step_across)


def _nine(grid: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of each cell of a grid itself and its neighbours, (H, W, 3, 3); beyond the border the nearest."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(grid, 1, mode="edge"), (3, 3))


def _means(labels: NDArray[np.int32], values: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """The mean of ``values`` (H, W, C) of each area, (count, C)."""
    size = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    sums = [np.bincount(labels.ravel(), values[..., i].ravel(), count) for i in range(values.shape[-1])]
    return (np.stack(sums, axis=-1) / size[:, None]).astype(np.float32)


def _neighbours(
    labels: NDArray[np.int32], lab: NDArray[np.float32], count: int
) -> tuple[NDArray[np.int64], Doubles, Doubles]:
    """Pairs of areas that touch, (N, 2); how many pixels long, and how large the colour step is there."""
    keys, steps = [], []
    for axis in (0, 1):
        one, two = np.delete(labels, -1, axis), np.delete(labels, 0, axis)
        apart = one != two
        low, high = np.minimum(one, two)[apart], np.maximum(one, two)[apart]
        keys.append(low.astype(np.int64) * count + high)
        steps.append(np.sqrt((np.diff(lab, axis=axis)[apart] ** 2).sum(axis=-1)))
    unique, where = np.unique(np.concatenate(keys), return_inverse=True)
    rim = np.bincount(where).astype(float)
    step = np.bincount(where, np.concatenate(steps)) / rim
    return np.stack([unique // count, unique % count], axis=-1), rim, step


def _distance(wanted: Bools, areas: _Areas) -> Doubles:
    """Of each area from the scribble, in lengths of the scribble."""
    rows, columns = np.nonzero(wanted)
    side = min(wanted.shape)
    length = max(np.ptp(rows), np.ptp(columns))
    length = max(length, _SHORT * side) if length > _CLICK * side else _CLICKED * side
    away = ndimage.distance_transform_edt(~wanted)
    mean = np.bincount(areas.labels.ravel(), away.ravel(), len(areas.size)) / np.maximum(areas.size, 1)
    return np.asarray(mean / length)


def _border(areas: _Areas) -> Bools:
    """Areas that the picture's border cuts."""
    cut = np.zeros(len(areas.size), bool)
    for edge in (areas.labels[0], areas.labels[-1], areas.labels[:, 0], areas.labels[:, -1]):
        cut[edge] = True
    return cut


def _ways(areas: _Areas, object_seed: Bools, other_seed: Bools) -> Doubles:
    """-1 (as near as the scribble) to 1 (as near as the background) by the colours crossed on the way."""
    count = len(areas.size)
    mean = areas.colour[areas.pairs[:, 0]] - areas.colour[areas.pairs[:, 1]]
    cost = np.sqrt((mean**2).sum(axis=-1)) + areas.step + 0.3
    graph = sparse.coo_matrix((cost, (areas.pairs[:, 0], areas.pairs[:, 1])), (count, count)).tocsr()

    def nearest(seed: Bools) -> Doubles:
        if not seed.any():
            return np.full(count, 1e3)
        far = csgraph.dijkstra(graph, directed=False, indices=np.flatnonzero(seed), min_only=True)
        return np.asarray(np.minimum(far, 1e4))

    one, two = nearest(object_seed), nearest(other_seed)
    return (one - two) / np.maximum(one + two, 1e-6)


def _colour_costs(areas: _Areas, inside: Bools, outside: Bools, taken: Bools) -> Doubles:
    """Of each area: how much less likely a pixel of it is as a part of the object than of the background.

    Areas that were ``taken`` away make half of the background, however few they are: where they have the object's
    own colours, colours tell nothing, and the way from either scribble decides.
    """
    background = _log_likelihood(areas, outside)
    if taken.any():
        background = np.logaddexp(background, _log_likelihood(areas, taken)) - np.log(2)
    return np.clip(background - _log_likelihood(areas, inside), -_MOST, _MOST)


def _log_likelihood(areas: _Areas, side: Bools) -> Doubles:
    """Under a mixture of Gaussians, one a cluster of the side's colours."""
    side = side & (areas.size > 0)
    colours, weights = areas.colour[side], areas.size[side]
    count = min(_COLOURS, len(np.unique(colours, axis=0)))
    _, cluster = kmeans2(colours, count, minit="++", seed=0)
    parts = []
    for index in range(count):
        own, weight = colours[cluster == index], weights[cluster == index]
        if not len(own):
            continue
        mean = np.average(own, axis=0, weights=weight)
        spread = (own - mean).T @ ((own - mean) * weight[:, None]) / weight.sum() + np.diag([20.0, 8.0, 8.0])
        offset = areas.colour - mean
        squared = (offset @ np.linalg.inv(spread) * offset).sum(axis=-1)
        parts.append(np.log(weight.sum() / weights.sum()) - 0.5 * (squared + np.linalg.slogdet(spread)[1]))
    return np.asarray(np.logaddexp.reduce(parts, axis=0))


def _minimal_cut(areas: _Areas, costs: Doubles, object_seed: Bools, other_seed: Bools) -> Bools:
    """The division into object (True) and background that costs least; seeds stay on their side."""
    count = len(areas.size)
    source, sink = count, count + 1
    typical = np.average(areas.step**2, weights=areas.rim) + 1e-6
    rim = _RIM * areas.rim * np.exp(-(areas.step**2) / (2 * typical))
    unary = costs * areas.size
    never = float(np.abs(unary).sum() + rim.sum()) / 16
    to_object = np.where(object_seed, never, np.maximum(-unary, 0))
    to_other = np.where(other_seed, never, np.maximum(unary, 0))
    one, two, nodes = areas.pairs[:, 0], areas.pairs[:, 1], np.arange(count)
    tails = np.concatenate([one, two, np.full(count, source), nodes])
    heads = np.concatenate([two, one, nodes, np.full(count, sink)])
    capacity = np.concatenate([rim, rim, to_object, to_other])
    capacity *= min(_SCALE, (2**30) / max(capacity.max(), 1))
    shape = (count + 2, count + 2)
    graph = sparse.coo_matrix((np.round(capacity).astype(np.int32), (tails, heads)), shape).tocsr()
    flow = csgraph.maximum_flow(graph, source, sink).flow
    left = graph - flow
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    reached = csgraph.breadth_first_order(left, source, return_predecessors=False)
    inside = np.zeros(count + 2, bool)
    inside[reached] = True
    return inside[:count]


def _cleaned(mask: Bools, wanted: Bools, other: Bools) -> Bools:
    """The parts that the scribble touches, smooth at the rim and without holes but those asked for."""
    mask = ndimage.binary_opening(mask, iterations=1) | (wanted & mask)
    labels, _ = ndimage.label(mask)
    touched = np.unique(labels[wanted & mask])
    mask = np.isin(labels, touched[touched > 0])
    smooth = ndimage.gaussian_filter(mask.astype(np.float32), 1.2) > 0.5
    return np.asarray((ndimage.binary_fill_holes(smooth | wanted)) & ~other)
