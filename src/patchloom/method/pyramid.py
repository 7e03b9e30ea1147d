"""Hole-aware halving of pictures, and the levels of a fill.

Two ways to halve a hole:

* ``shrinking``: known pixels win. Coarse pixels are weighted means of the *known* pixels under the binomial
  kernel (1 5 10 10 5 1)/32, and a coarse pixel is known as soon as a few per cent of its kernel is. The hole
  loses about 2.5 coarse pixels a side at every halving, so that at the top every patch sees real context.
* ``paper``: the hole wins. A coarse pixel is hole if any pixel under it is; levels 512, 256, 128 (paper,
  section 3.1), sizes by halves.

Differs from the paper because: a growing hole leaves interior patches nothing but a smooth guess to match
(measured: 1.8 dB on the exemplar start).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.arrays import Bools, Floats
from patchloom.tensors.boxes import depths

# By eye, but where a source is named; a page is one of docs/experiments.
BINOMIAL = (1.0, 5.0, 10.0, 10.0, 5.0, 1.0)
FEATURE_SIDE = 9  # pixels at native size over which texture features are means
KNOWN_SHARE = 0.02  # of the kernel's weight that makes a coarse pixel known; 0.15 measured 0.3 dB worse


@dataclass(frozen=True)
class Level:
    """One scale: ``image`` (H, W, 3) in 0..1, ``hole`` (H, W) and ``source`` (H, W) bool.

    ``source`` marks the pixels that texture may come from; never any of the hole's.
    """

    image: Floats
    hole: Bools
    source: Bools

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.hole.shape
        return height, width

    @cached_property
    def deepest(self) -> float:
        """The greatest distance in the hole to a known pixel, in pixels."""
        return float(depths(self.hole).max())

    def composite(self, fill: Floats) -> Floats:
        """``fill`` inside the hole, the image outside, bit for bit."""
        return np.where(self.hole[..., None], fill, self.image)


def _blur_down(values: Floats) -> Floats:
    """(H, W, C) -> (ceil(H/2), ceil(W/2), C), convolved with the binomial kernel; beyond the border there is 0."""
    height, width, _ = values.shape
    padded = np.pad(values, ((2, 2 + height % 2), (2, 2 + width % 2), (0, 0)))
    return _every_second(_every_second(padded).swapaxes(0, 1)).swapaxes(0, 1)


def _every_second(values: Floats) -> Floats:
    """``values`` (2h + 4, ...) convolved with the kernel along the first axis, at every second place: (h, ...)."""
    count = len(values) // 2 - 2
    first, second, third, fourth, fifth, sixth = (values[place:][: 2 * count : 2] for place in range(6))
    outer, middle, inner = (np.asarray(weight / 32, values.dtype) for weight in BINOMIAL[:3])
    result = outer * (first + sixth)  # the kernel is symmetric
    result += middle * (second + fifth)
    result += inner * (third + fourth)
    return result


def _shares(known: NDArray[Any]) -> tuple[Floats, Floats]:
    """(h, w, 1) and (h, w): the known share of each coarse pixel's kernel, and of the part inside the picture."""
    weight = known[..., None].astype(known.dtype if known.dtype.kind == "f" else np.float32)
    share = _blur_down(weight)
    return share, (share / _blur_down(np.ones_like(weight)))[..., 0]


def halve(image: Floats, known: NDArray[Any]) -> tuple[Floats, Floats]:
    """Half of ``image`` (H, W, C) and the weighted known share (h, w) in 0..1 of each coarse pixel.

    ``known`` (H, W) is a weight in 0..1. Coarse pixels see known ones only; where the share is 0 the result is 0.
    The share is relative to the kernel's weight inside the picture.
    """
    share, inside = _shares(known)
    half = _blur_down(image * known[..., None])
    half /= np.maximum(share, 1e-12)
    return half, inside


def shrinking_step(level: Level) -> Level:
    """The next coarser level; known wins."""
    image, share = halve(level.image, ~level.hole)
    _, source_share = _shares(level.source)
    known = share > KNOWN_SHARE
    # A coarse pixel may be copied if it is known and mostly made of pixels that may be.
    source = known & (source_share >= np.minimum(share, 0.5))
    image[~known] = 0
    return Level(image, ~known, source)


def paper_step(level: Level) -> Level:
    """The next coarser level; the hole wins."""
    image, _ = halve(level.image, ~level.hole)
    hole = _any_under(level.hole)
    return Level(image, hole, ~hole & ~_any_under(~level.source))


def _any_under(mask: Bools) -> Bools:
    """Whether any of the four pixels under a coarse one is True."""
    height, width = mask.shape
    even = np.pad(mask, ((0, height % 2), (0, width % 2)))
    return np.asarray(even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2).any((1, 3)))


def shrinking_pyramid(level: Level, patch: int) -> list[Level]:
    """Levels, coarsest first, halved until the hole is gone or the picture about two patches wide.

    The coarsest level kept still has a hole.
    """
    levels = [level]
    while min(levels[-1].size) >= 4 * patch:
        coarser = shrinking_step(levels[-1])
        if not coarser.hole.any():
            break
        levels.append(coarser)
    return levels[::-1]


def seen_shares(levels: list[Level]) -> list[Floats]:
    """How much of what a pixel stands for was really seen, (H, W) in 0..1 for every level, coarsest first.

    A coarse pixel counts as known although most of what it stands for may be hole: then it shows its known edge,
    and says little about the rest. At native size pixels stand for themselves, and all shares are 1.
    """
    native = levels[-1]
    shares = [np.ones(native.size, native.image.dtype)]
    seen = (~native.hole).astype(native.image.dtype)
    for _ in levels[1:]:
        _, seen = _shares(seen)
        shares.append(seen.clip(0, 1))
    return shares[::-1]


def texture_features(levels: list[Level]) -> list[Floats]:
    """How rough the known picture is around each pixel, (H, W, 2) for every level, coarsest first; 0 in holes.

    The mean absolute difference of grey values to the pixel right and below at *native* size, halved along with
    the picture (after Newson et al. 2014). Grass and a green wall may have one colour at a coarse level, and
    patches there tell them apart by this alone.
    """
    native = levels[-1]
    known = (~native.hole).astype(native.image.dtype)
    red, green, blue = (native.image[..., channel] for channel in range(3))
    grey = np.asarray((red + green + blue) / 3, native.image.dtype)
    features = known[..., None] * np.stack([_mean_difference(grey, known, axis) for axis in (1, 0)], 2)
    scales = [features]
    for level in levels[-2::-1]:
        features, _ = halve(features, known)
        known = (~level.hole).astype(features.dtype)
        features = known[..., None] * features
        scales.append(features)
    return scales[::-1]


def _mean_difference(grey: Floats, known: Floats, axis: int) -> Floats:
    """Mean absolute difference to the next pixel along ``axis``, of the known pairs around; 0 without any."""
    last = [(0, 0), (0, 1)] if axis else [(0, 1), (0, 0)]
    ends = (slice(None), slice(1, None)) if axis else (slice(1, None),)
    begins = (slice(None), slice(-1)) if axis else (slice(-1),)
    pairs = np.pad(known[ends] * known[begins], last)
    difference = np.pad(np.abs(np.diff(grey, axis=axis)), last)
    known_difference, share = (
        ndimage.uniform_filter(one, FEATURE_SIDE, mode="constant") for one in (difference * pairs, pairs)
    )
    return np.asarray(known_difference / np.maximum(share, 1e-6), grey.dtype)


def paper_pyramid(level: Level, most: int = 0, coarsest: int = 128) -> list[Level]:
    """Levels, coarsest first, of which the coarsest has its longer side near ``coarsest`` pixels.

    ``most``: of levels; 0 is no limit.
    """
    levels = [level]
    while max(levels[-1].size) >= 2 * coarsest and len(levels) != most:
        levels.append(paper_step(levels[-1]))
    return levels[::-1]
