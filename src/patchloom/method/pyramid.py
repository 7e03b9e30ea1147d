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

import torch
import torch.nn.functional as F
from torch import Tensor

BINOMIAL = (1.0, 5.0, 10.0, 10.0, 5.0, 1.0)
FEATURE_SIDE = 9  # pixels at native size over which texture features are means
KNOWN_SHARE = 0.02  # of the kernel's weight that makes a coarse pixel known; 0.15 measured 0.3 dB worse


@dataclass(frozen=True)
class Level:
    """One scale: ``image`` (1, 3, H, W) in 0..1, ``hole`` (1, 1, H, W) and ``source`` (1, 1, H, W) bool.

    ``source`` marks the pixels that texture may come from; never any of the hole's.
    """

    image: Tensor
    hole: Tensor
    source: Tensor

    @property
    def size(self) -> tuple[int, int]:
        return self.image.shape[-2], self.image.shape[-1]

    def composite(self, fill: Tensor) -> Tensor:
        """``fill`` inside the hole, the image outside, bit for bit."""
        return torch.where(self.hole, fill, self.image)


def _blur_down(values: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, ceil(H/2), ceil(W/2)) by the binomial kernel; beyond the border there is 0."""
    channels = values.shape[1]
    line = torch.tensor(BINOMIAL, dtype=values.dtype, device=values.device) / 32.0
    height, width = values.shape[-2:]
    padded = F.pad(values, (2, 2 + width % 2, 2, 2 + height % 2))
    tall = F.conv2d(padded, line.view(1, 1, 6, 1).expand(channels, 1, 6, 1), stride=(2, 1), groups=channels)
    return F.conv2d(tall, line.view(1, 1, 1, 6).expand(channels, 1, 1, 6), stride=(1, 2), groups=channels)


def halve(image: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Half of ``image`` (N, C, H, W) and the weighted known share (N, 1, h, w) in 0..1 of each coarse pixel.

    ``known`` (N, 1, H, W) is a weight in 0..1. Coarse pixels see known ones only; where the share is 0 the
    result is 0. The share is relative to the kernel's weight inside the picture.
    """
    weight = known.to(image.dtype)
    share = _blur_down(weight)
    colour = _blur_down(image * weight) / share.clamp_min(1e-12)
    return torch.where(share > 0, colour, torch.zeros_like(colour)), share / _blur_down(torch.ones_like(weight))


def shrinking_step(level: Level) -> Level:
    """The next coarser level; known wins."""
    image, share = halve(level.image, ~level.hole)
    _, source_share = halve(level.image[:, :1], level.source)
    known = share > KNOWN_SHARE
    # A coarse pixel may be copied if it is known and mostly made of pixels that may be.
    source = known & (source_share >= torch.minimum(share, torch.full_like(share, 0.5)))
    return Level(torch.where(known, image, torch.zeros_like(image)), ~known, source)


def paper_step(level: Level) -> Level:
    """The next coarser level; the hole wins."""
    image, share = halve(level.image, ~level.hole)
    height, width = level.size
    odd = (0, width % 2, 0, height % 2)

    def any_under(mask: Tensor) -> Tensor:
        return F.max_pool2d(F.pad(mask.to(image.dtype), odd), 2) > 0

    hole = any_under(level.hole)
    return Level(torch.where(share > 0, image, torch.zeros_like(image)), hole, ~hole & ~any_under(~level.source))


def shrinking_pyramid(image: Tensor, hole: Tensor, source: Tensor, patch: int, most: int = 0) -> list[Level]:
    """Levels, coarsest first, halved until the hole is gone or the picture about two patches wide.

    The coarsest level kept still has a hole. ``most``: of levels; 0 is no limit.
    """
    levels = [Level(image, hole, source & ~hole)]
    while min(levels[-1].size) >= 4 * patch and len(levels) != most:
        coarser = shrinking_step(levels[-1])
        if not coarser.hole.any():
            break
        levels.append(coarser)
    return levels[::-1]


def seen_shares(levels: list[Level]) -> list[Tensor]:
    """How much of what a pixel stands for was really seen, (1, 1, H, W) in 0..1 for every level, coarsest first.

    A coarse pixel counts as known although most of what it stands for may be hole: then it shows its known edge,
    and says little about the rest. At native size pixels stand for themselves, and all shares are 1.
    """
    native = levels[-1].image[:, :1]
    shares = [torch.ones_like(native)]
    seen = (~levels[-1].hole).to(native.dtype)
    for _ in levels[1:]:
        _, seen = halve(seen, seen)
        shares.append(seen.clamp(0, 1))
    return shares[::-1]


def texture_features(levels: list[Level]) -> list[Tensor]:
    """How rough the known picture is around each pixel, (1, 2, H, W) for every level, coarsest first; 0 in holes.

    The mean absolute difference of grey values to the pixel right and below at *native* size, halved along with
    the picture (after Newson et al. 2014). Grass and a green wall may have one colour at a coarse level, and
    patches there tell them apart by this alone.
    """
    native = levels[-1]
    known = (~native.hole).to(native.image.dtype)
    grey = native.image.mean(1, keepdim=True)
    features = known * torch.cat([_mean_difference(grey, known, axis) for axis in (-1, -2)], 1)
    scales = [features]
    for level in levels[-2::-1]:
        features, _ = halve(features, known)
        known = (~level.hole).to(features.dtype)
        features = known * features
        scales.append(features)
    return scales[::-1]


def _mean_difference(grey: Tensor, known: Tensor, axis: int) -> Tensor:
    """Mean absolute difference to the next pixel along ``axis``, of the known pairs around; 0 without any."""
    length = grey.shape[axis]
    last = (0, 1) if axis == -1 else (0, 0, 0, 1)
    pairs = F.pad(known.narrow(axis, 1, length - 1) * known.narrow(axis, 0, length - 1), last)
    difference = F.pad(grey.diff(dim=axis).abs(), last)
    total, count = (
        F.avg_pool2d(values, FEATURE_SIDE, 1, FEATURE_SIDE // 2) for values in (difference * pairs, pairs)
    )
    return total / count.clamp_min(1e-6)


def paper_pyramid(image: Tensor, hole: Tensor, source: Tensor, most: int = 0, coarsest: int = 128) -> list[Level]:
    """Levels, coarsest first, of which the coarsest has its longer side near ``coarsest`` pixels.

    ``most``: of levels; 0 is no limit.
    """
    levels = [Level(image, hole, source & ~hole)]
    while max(levels[-1].size) >= 2 * coarsest and len(levels) != most:
        levels.append(paper_step(levels[-1]))
    return levels[::-1]
