"""Structure propagation: lines found at the hole's rim, paired across it, and drawn as channels of the picture.

A patch knows colours, and a line is little of them: between two patches of the same wall the one with a cable in
it is a slightly worse match, so cables break, and pieces of them are strewn where none belongs. Here lines are
found first, as curves, and what the search sees gets two further channels (structure propagation, Sun et al. 2005,
in the language of the field). With :math:`d` the signed distance to the nearest curve in pixels of the level,

.. math::
    e = \\lambda \\exp(-d^2 / 2 s^2), \\qquad o = \\lambda (d / s) \\exp(1/2 - d^2 / 2 s^2)

say whether there is a line and on which side of it a pixel lies; both are 0 away from lines. They are drawn along
the visible part of a curve and through the hole alike. So a patch on the line in the hole is like those along the
visible line at the same distance, and a source that shows a line of these costs where none belongs.

Two ends (``ends.py``) belong together if a curve of little bending leads from one to the other, and if their
profiles, seen along it, are alike. With angles
:math:`a, b` of the ends to their chord, the cubic through both has the bending energy :math:`a^2 - ab + b^2` over
the chord's length, up to a factor. Pairs are taken in the order of their cost, each end once; what is bent has to
be the more conspicuous. An end without a partner goes straight on to where it meets a line or leaves the picture.

Fur, leaves and cloth are full of ends that happen to fit. So unless asked for all, only pairs count that are
cheap, of conspicuous ends, and seen on some way on both sides of the hole.
"""

from collections.abc import Sequence

import numpy as np
import scipy  # its packages load when used: spatial takes a fifth of a second, and most fills do without

from patchloom.arrays import Bools, Floats
from patchloom.method.ends import HALF, LENGTH, End, Points, Slopes, find_ends, turn
from patchloom.tensors.boxes import depths

# By eye, but where a source is named; a page is one of docs/experiments.
DEEP = 8  # pixels; a hole nowhere deeper is bridged by patches that see both of its sides
BEND = 1.0  # radians; the largest angle between an end and the chord
ALIKE = 0.6  # the least correlation of the profiles of two ends
STEP, MOST_STEPS = 8, 24  # pixels; how a visible line is followed outwards
FOLLOWED = 0.6  # the correlation of its profile down to which it is
ALONE = 7.0  # times the usual slope; how conspicuous a line without a partner has to be
SURE_COST, SURE_SELDOM, SURE_SEEN = 2.0, 8.0, 16  # of a pair that always counts; seen, in pixels (page 11-27-03)
LONG = 0.5  # of the way in the hole: how far a line without a partner must have been seen
STRENGTH = 0.8  # lambda (page 11-26-80)
SPREAD = 1.5  # s, pixels of a level (page 11-26-80)


def lines_through(picture: Floats, hole: Bools, every: bool = True) -> list[Points]:
    """The curves (N, 2), x and y half a pixel apart, of the lines that go through ``hole`` (H, W).

    ``picture`` (H, W, 3). Each curve has the visible line on either side, as far as it can be followed. Unless
    ``every``, those alone that are hardly ever a chance.
    """
    if depths(hole).max() < DEEP:
        return []
    slopes = Slopes.of(picture, hole)
    ends = find_ends(slopes, hole)
    pairs = pair(ends, hole)
    if not every:
        sure = [(i, j) for i, j in pairs if _sure(ends[i], ends[j], hole, slopes)]
        return [curve_of(ends[i], ends[j], slopes) for i, j in sure]
    curves = [curve_of(ends[i], ends[j], slopes) for i, j in pairs]
    alone = set(range(len(ends))) - {number for both in pairs for number in both}
    for number in (i for i in sorted(alone) if ends[i].seldom > ALONE):
        curve = run_on(ends[number], curves[: len(pairs)], hole, slopes)
        if curve is not None:
            curves.append(curve)
    return curves


def _sure(first: End, second: End, hole: Bools, slopes: Slopes) -> bool:
    """Whether two ends that continue each other hardly do so by chance."""
    cost = _cost(first, second, hole)
    conspicuous = min(first.seldom, second.seldom) > SURE_SELDOM
    if cost is None or cost >= SURE_COST or not conspicuous:
        return False
    return all(len(follow(end, slopes)) >= 2 * SURE_SEEN for end in (first, second))


def pair(ends: list[End], hole: Bools) -> list[tuple[int, int]]:
    """Which ends continue each other across the hole."""
    costs = []
    for i, first in enumerate(ends):
        for j in range(i + 1, len(ends)):
            cost = _cost(first, ends[j], hole)
            if cost is not None:
                costs.append((cost, i, j))
    free, pairs = set(range(len(ends))), []
    for _, i, j in sorted(costs):
        if i in free and j in free:
            free -= {i, j}
            pairs.append((i, j))
    return pairs


def _cost(first: End, second: End, hole: Bools) -> float | None:
    """Of joining two ends, or None where they cannot belong together."""
    chord = second.point - first.point
    length = float(np.hypot(*chord))
    if length < 6:
        return None
    way = np.arctan2(chord[1], chord[0])
    a = turn(
        way - (first.angle + np.pi)
    )  # the curve leaves the first end inwards, and arrives at the second outwards
    b = turn(second.angle - way)
    uncertain = 0.03 + 1.5 / length
    bending = a * a - a * b + b * b
    if max(abs(a), abs(b)) > BEND or abs(a - b) > 0.25 + uncertain:
        return None
    points = first.point + np.linspace(0.05, 0.95, 20)[:, None] * chord
    x, y = np.round(points).astype(int).T
    if hole[np.clip(y, 0, hole.shape[0] - 1), np.clip(x, 0, hole.shape[1] - 1)].mean() < 0.3:
        return None
    # Seen along the curve, the far profile runs the other way round.
    one, other = first.profile, -second.profile[::-1]
    best = max(_correlation(one, other, shift) for shift in range(-3, 4))
    if best < ALIKE:
        best = _thin_alike(first, second)
    ratio = min(first.strength, second.strength) / max(first.strength, second.strength)
    if best < ALIKE or ratio < 0.35:
        return None
    cost = float(bending / uncertain**2 * 0.1 + 4 * (1 - best) + (1 - ratio))
    return cost if cost < min(first.seldom, second.seldom) else None


def _thin_alike(first: End, second: End) -> float:
    """Of two ends whose surroundings differ: how far both are thin lines of one shape and colour, 0 to 1.

    A cable before the sky is darker than it, before the water lighter: its slopes turn round, its colour stays.
    """
    if not (first.thin and second.thin):
        return 0.0
    core = float(np.abs(first.core - second.core).mean())
    beside = float(np.abs(first.sides.mean(0) - second.sides.mean(0)).mean())
    if core > max(0.06, beside):
        return 0.0
    shapes = [np.linalg.svd(end.profile, full_matrices=False)[0][:, 0] for end in (first, second)]
    return max(abs(_correlation(shapes[0][:, None], shapes[1][::-1, None], shift)) for shift in range(-3, 4)) - 0.1


def _correlation(one: Floats, other: Floats, shift: int) -> float:
    if shift:
        one, other = (one[shift:], other[:-shift]) if shift > 0 else (one[:shift], other[-shift:])
    return float((one * other).sum() / max(np.sqrt((one**2).sum() * (other**2).sum()), 1e-9))


def curve_of(first: End, second: End, slopes: Slopes) -> Points:
    """(N, 2): the cubic from end to end, and the visible line on either side as far as it can be followed.

    An end's ray touches a bent line in its middle, so there the cubic begins and ends. With tangents as long as
    the chord over the squared cosine of half the bend it is nearly the arc of a circle where there is one.
    """
    begin, end = (one.point + LENGTH / 2 * one.direction for one in (first, second))
    length = float(np.hypot(*(end - begin)))
    bend = abs(turn(second.angle - first.angle - np.pi)) / 2
    tangent = length / np.cos(bend / 2) ** 2
    t = np.linspace(0, 1, max(3, int(2 * length)))[:, None]
    middle = (
        (2 * t**3 - 3 * t**2 + 1) * begin
        - (t**3 - 2 * t**2 + t) * tangent * first.direction
        + (3 * t**2 - 2 * t**3) * end
        + (t**3 - t**2) * tangent * second.direction
    )
    return np.concatenate([follow(first, slopes)[LENGTH:][::-1], middle, follow(second, slopes)[LENGTH:]])


def run_on(end: End, curves: list[Points], hole: Bools, slopes: Slopes) -> Points | None:
    """The line of an ``end`` without a partner: straight on to one of ``curves`` or to the picture's border.

    None where it comes out of the hole without having met either, or is seen on a short way only.
    """
    height, width = hole.shape
    seen = follow(end, slopes)
    steps = np.arange(0.0, height + width, 0.5)
    inwards = end.point - steps[:, None] * end.direction
    x, y = np.rint(inwards).astype(int).T
    outside = (x < 0) | (y < 0) | (x >= width) | (y >= height)
    in_hole = hole[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)] & ~outside
    entered = int(in_hole.argmax())
    last = entered + int((~in_hole[entered:]).argmax())
    if not in_hole.any() or entered > 12:
        return None
    met = [scipy.spatial.cKDTree(curve).query(inwards[entered:last])[0] < 1.5 for curve in curves]
    meets = [entered + int(where.argmax()) for where in met if where.any()]
    if not meets and not outside[last]:
        return None
    inside = inwards[: min([last, *meets])]
    return np.concatenate([seen[::-1], inside]) if len(seen) > max(2 * LENGTH, LONG * len(inside)) else None


def follow(end: End, slopes: "Slopes") -> Points:
    """(N, 2): the visible line of ``end``, outwards from it, half a pixel apart, while its profile lasts."""
    across = np.arange(-HALF, HALF + 0.5, 0.5)
    turns = np.deg2rad([0, -3, 3, -6, 6, -10, 10])
    point, angle, profile = end.point, end.angle, end.profile
    points = [point]
    for _ in range(MOST_STEPS):
        normal = np.array([-np.sin(angle), np.cos(angle)])
        shown = slopes.profile(point + across[:, None] * normal, angle + turns, STEP)
        scores = [_correlation(profile, shown[:, k], 0) - 0.01 * k for k in range(len(turns))]
        best = int(np.argmax(scores))
        seen = shown[:, best]
        if scores[best] < FOLLOWED or np.square(seen).sum() < 0.15 * np.square(profile).sum():
            break
        angle += turns[best]
        direction = np.array([np.cos(angle), np.sin(angle)])
        points += [point + k * direction for k in np.arange(0.5, STEP + 0.5, 0.5)]
        point = points[-1]
        profile = 0.8 * profile + 0.2 * seen
    return np.array(points[1:]).reshape(-1, 2)


def channels_of(curves: Sequence[Points], size: tuple[int, int], halvings: int) -> Floats:
    """(H, W, 2): e and o of the curves, given at native size, at a level so many ``halvings`` above it."""
    height, width = size
    e, o = np.zeros(size), np.zeros(size)
    y, x = np.mgrid[:height, :width]
    for curve in curves:
        scale = 0.5**halvings
        points = (curve + 0.5) * scale - 0.5
        along = np.gradient(points, axis=0)
        along /= np.maximum(np.hypot(*along.T)[:, None], 1e-9)
        low, high = np.floor(points.min(0)).astype(int) - 6, np.ceil(points.max(0)).astype(int) + 7
        window = np.s_[max(0, low[1]) : max(0, high[1]), max(0, low[0]) : max(0, high[0])]
        apart = np.stack([x[window], y[window]], -1)
        if apart.size == 0:
            continue
        distance, nearest = scipy.spatial.cKDTree(points).query(apart.reshape(-1, 2), distance_upper_bound=6.0)
        found = np.isfinite(distance)
        nearest = np.minimum(nearest, len(points) - 1)
        offset = apart.reshape(-1, 2) - points[nearest]
        signed = offset[:, 0] * -along[nearest, 1] + offset[:, 1] * along[nearest, 0]
        d2 = np.where(found, distance, 9.0) ** 2
        bump = np.exp(-d2 / (2 * SPREAD**2)).reshape(apart.shape[:2])
        side = (signed.reshape(apart.shape[:2]) / SPREAD) * bump * np.exp(0.5)
        stronger = bump > e[window]
        e[window] = np.where(stronger, bump, e[window])
        o[window] = np.where(stronger, side, o[window])
    return (STRENGTH * np.stack([e, o], -1)).astype(np.float32)
