"""Filling from an aligned reference: its view of a hole, matched in exposure and blended into the rim.

The other picture is given as it would be seen from where the photograph was taken (``references.py``). It counts
hole by hole: where most of a hole's rim looks the same in both, and has the same structure, what it shows is taken
over; differences that are left at the rim are spread smoothly over the hole (gradient domain; Perez et al. 2003).
Where the rim shows something else in the two, as where somebody walked, it is no witness; where most of it does,
the other picture is not used.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from patchloom.arrays import Bools, Floats
from patchloom.tensors.membrane import membrane

# By eye, but where a source is named; a page is one of docs/experiments.
RIM = 6  # pixels outside the hole that are compared
SAME = 0.08  # mean absolute difference of colours, smoothed, that is still the same thing
LEAST_SAME = 0.6  # of a hole's rim, for the other picture to count
FINE, COARSE = 1.5, 6.0  # pixels, standard deviations; what lies between is structure, not noise and not light
LIKE = 0.3  # least correlation of structure (measured: .94 and more of one scene, .18 and less of two)
PLAIN = 0.01  # structure fainter than this may be noise, and is no witness
NOTHING_NEW, MOST_NEW = 0.02, 0.1  # a difference in the hole that is none, and the share that may be above it
LEAST_PIXELS = 200  # seen in both, for exposures to be compared
TRIMMED = 0.3  # of the pixels compared, those that differ most: moved things and highlights
DARK = 0.02  # colours below it say nothing of exposure


@dataclass(frozen=True)
class ReferenceFill:
    """``picture`` (H, W, 3), in ``taken`` (H, W) from the reference; ``agreement``: of every hole's rim, the
    share, 0..1, of its pixels that look the same in both; 0 where structures tell two scenes."""

    picture: Floats
    taken: Bools
    agreement: list[float]


def exposed(other: Floats, picture: Floats, both: Bools) -> Floats:
    """``other`` (H, W, 3) in 0..1 with gain and gamma of every channel as in ``picture``; compared where ``both``.

    A straight line through logarithms, by least squares, three times, each without what fits worst. As it is where
    less than :data:`LEAST_PIXELS` can be compared.
    """
    if both.sum() < LEAST_PIXELS:
        return other
    result = np.empty_like(other)
    every = 1 + int(both.sum()) // 50_000
    for channel in range(other.shape[2]):
        a, b = (each[..., channel][both][::every].astype(np.float64) for each in (other, picture))
        inside = (a > DARK) & (b > DARK) & (a < 0.98) & (b < 0.98)
        a, b = np.log(a[inside]), np.log(b[inside])
        if len(a) < LEAST_PIXELS:
            return other
        kept = np.ones(len(a), bool)
        slope, level = 1.0, 0.0
        for _ in range(3):
            spread = a[kept].std()
            slope = 1.0
            if spread > 0.05:
                slope = float(np.clip(np.polyfit(a[kept], b[kept], 1)[0], 0.4, 2.5))
            level = float(np.median(b[kept] - slope * a[kept]))
            residual = np.abs(b - slope * a - level)
            kept = residual <= np.quantile(residual, 1 - TRIMMED)
        result[..., channel] = np.exp(level + slope * np.log(np.maximum(other[..., channel], 1e-4)))
    return np.clip(result, 0, 1)


def reference_fill(
    picture: Floats, hole: Bools, other: Floats, seen: Bools, *, same_light: bool = False
) -> ReferenceFill:
    """``picture`` (H, W, 3) in 0..1 with those parts of ``hole`` (H, W) that ``other`` (H, W, 3) credibly shows.

    ``seen`` (H, W): where ``other`` has pixels. ``same_light``: both were exposed alike. What looks in the hole
    as ``picture`` does already gives nothing: the same picture, or one in which what has to go stands at the
    same place.
    """
    known = seen & ~hole
    labels, count = ndimage.label(hole, np.ones((3, 3), bool))
    away, nearest = ndimage.distance_transform_edt(~hole, return_indices=True)
    rim = known & (away <= RIM)
    if not same_light:
        other = exposed(other, picture, known & (away <= 8 * RIM))
    difference = np.where(known[..., None], picture - other, 0)
    weight = ndimage.uniform_filter(known.astype(np.float32), 5)
    smooth = ndimage.uniform_filter(difference, (5, 5, 1)) / np.maximum(weight, 1e-3)[..., None]
    same = np.abs(smooth).mean(2) < SAME
    owner = labels[tuple(nearest)]  # the hole that each pixel is nearest to
    taken = np.zeros_like(hole)
    agreement = []
    structures = [structure(each, known) for each in (picture, other)]
    for number in range(1, count + 1):
        own_rim = rim & (owner == number)
        share = float(same[own_rim].mean()) if own_rim.any() else 0.0
        if not alike(*(each[known & (away <= 4 * RIM) & (owner == number)] for each in structures)):
            share = 0.0  # of like colours by chance
        agreement.append(round(share, 3))
        part = (labels == number) & seen
        new = np.abs(other - picture)[part].mean(1) > NOTHING_NEW  # else it shows what is to go
        if share >= LEAST_SAME and part.any() and new.mean() > MOST_NEW:
            taken |= part
    if not taken.any():
        return ReferenceFill(picture, taken, agreement)
    # What is unknown of the difference: the hole, and the rim where the two show different things.
    unknown = ~known | (rim & ~same)
    spread = smooth_into(difference, unknown)
    return ReferenceFill(np.where(taken[..., None], np.clip(other + spread, 0, 1), picture), taken, agreement)


def structure(picture: Floats, known: Bools) -> Floats:
    """(H, W): edges and texture of ``picture`` (H, W, 3) where ``known``, without noise and without light."""
    grey = np.where(known, picture.mean(2), 0)
    fine, coarse = (
        ndimage.gaussian_filter(grey, sigma)
        / np.maximum(ndimage.gaussian_filter(known.astype(np.float32), sigma), 1e-3)
        for sigma in (FINE, COARSE)
    )
    return np.asarray(fine - coarse, np.float32)


def alike(one: Floats, other: Floats) -> bool:
    """Whether two regions' structures (N,) may be of one scene: correlated, or too faint to tell."""
    if len(one) < 2 or max(one.std(), other.std()) < PLAIN:
        return True
    return float(np.corrcoef(one, other)[0, 1]) >= LIKE


def smooth_into(values: Floats, unknown: Bools) -> Floats:
    """``values`` (H, W, C) continued smoothly where ``unknown``; zeros where nothing is known."""
    if unknown.all():
        return np.zeros_like(values)
    return membrane(values, unknown)
