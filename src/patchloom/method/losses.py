"""The joint objective of the paper (its equation 1), term by term.

    x~ = argmin_x  E_c(h(x, R), h(prior, R))  +  alpha E_t(phi(x), R^phi)  +  beta TV(x)

The paper writes sums; here every term is a mean, so that weights keep their meaning whatever the size of the
hole, the picture and the layer. Each mean is the paper's sum over a constant, given beside it.

A :class:`Term` is one of the sum, with its weight. It can be taken to a tile of the crop that is optimised: the
tiles' values add up to the whole's, and so do their gradients.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import torch.nn.functional as F
from torch import Tensor

from patchloom.tensors.boxes import Box, Tile

# By eye, but where a source is named; a page is one of docs/experiments.
LOW_PASS = 4  # pixels; the content term compares means over blocks of this side

Features = Mapping[str, Tensor]


class Term:
    """A weighted loss of a crop ``x`` (1, 3, H, W) and of its ``features``, the maps named by ``taps``."""

    taps: tuple[str, ...] = ()
    looks: str = ""  # the map in which it looks its nearest patches up, if it does

    def __call__(self, x: Tensor, features: Features) -> Tensor:
        """The loss times its weight, a scalar."""
        raise NotImplementedError

    def of(self, tile: Tile) -> "Term":
        """The share of the pixels and cells that are the ``tile``'s own, of the crop ``tile.box``."""
        raise NotImplementedError

    def matched(self, features: Features) -> "Term":
        """The term with its nearest patches looked up for ``features``; itself where it has none to look up."""
        return self


@dataclass(frozen=True)
class Target:
    """What one feature map should become: ``value`` (1, C, h, w), each cell counting ``weight`` (1, 1, h, w).

    ``total`` is the sum of the weights, of the whole crop even where this is a part of it.
    """

    value: Tensor
    weight: Tensor
    total: Tensor

    @classmethod
    def of_crop(cls, value: Tensor, weight: Tensor) -> "Target":
        return cls(value, weight, weight.sum().clamp_min(1e-12))

    def of(self, tile: Tile, stride: int) -> "Target":
        box, inner = tile.box.cells(stride), tile.inner.cells(stride)
        return Target(box.of(self.value), box.of(_only(inner, self.weight)), self.total)


def _only(box: Box, values: Tensor) -> Tensor:
    """``values`` (1, C, H, W) in ``box``, 0 elsewhere."""
    kept = values.new_zeros(values.shape)
    box.of(kept).copy_(box.of(values))
    return kept


def weighted_mean_square(now: Tensor, target: Target) -> Tensor:
    """sum_u n(u) |F(u) - V(u)|^2 / (C sum_u n(u)).

    Of a map that drops an odd last row or column of the picture, which is no part of it.
    """
    height, width = now.shape[-2:]
    difference = now - target.value[..., :height, :width]
    weight = target.weight[..., :height, :width]
    return (difference.square() * weight).sum() / (now.shape[1] * target.total)


@dataclass(frozen=True)
class Texture(Term):
    """E_t for one layer: sum_u n(u) |F(u) - V(u)|^2 / (C sum_u n(u)), the vote form (paper, equation 3).

    With n the overlap count of 3x3 patches this is 1 / (9 C |R|) sum_i |P_i - P_nn(i)|^2 up to a constant that
    does not depend on the features; the paper has 1 / |R|. ``stride`` is the layer's.
    """

    weight: float
    tap: str
    stride: int
    target: Target

    @property
    def taps(self) -> tuple[str, ...]:  # type: ignore[override]
        return (self.tap,)

    def __call__(self, x: Tensor, features: Features) -> Tensor:
        return self.weight * weighted_mean_square(features[self.tap], self.target)

    def of(self, tile: Tile) -> "Texture":
        return replace(self, target=self.target.of(tile, self.stride))


@dataclass(frozen=True)
class Pixels(Term):
    """The texture term of the picture itself, a layer of stride 1; its target: the colours voted for."""

    weight: float
    target: Target

    def __call__(self, x: Tensor, features: Features) -> Tensor:
        return self.weight * weighted_mean_square(x, self.target)

    def of(self, tile: Tile) -> "Pixels":
        return replace(self, target=self.target.of(tile, 1))


@dataclass(frozen=True)
class Content(Term):
    """E_c: mean squared difference of ``x`` and ``prior`` (1, 3, H, W) over ``hole`` (1, 1, H, W) (equation 2).

    ``total`` is the number of hole pixels of the whole crop, as in :class:`Target`.
    """

    weight: float
    prior: Tensor
    hole: Tensor
    total: Tensor

    @classmethod
    def of_crop(cls, weight: float, prior: Tensor, hole: Tensor) -> Self:
        return cls(weight, prior, hole, hole.sum().clamp_min(1))

    def __call__(self, x: Tensor, features: Features) -> Tensor:
        return self.weight * ((x - self.prior).square() * self.hole).sum() / (3 * self.total)

    def of(self, tile: Tile) -> "Content":
        return replace(self, prior=tile.box.of(self.prior), hole=tile.box.of(_only(tile.inner, self.hole)))


@dataclass(frozen=True)
class LowPassContent(Content):
    """E_c of block means (``LOW_PASS`` pixels a side).

    Differs from the paper because: a prior that is itself soft should hold colours and shapes in place, not
    sharpness down (measured: a plain pixel term of the same pull lost a fifth of the gradients). ``total`` is the
    sum of the blocks' shares of hole.
    """

    @classmethod
    def of_crop(cls, weight: float, prior: Tensor, hole: Tensor) -> Self:
        share = F.avg_pool2d(hole.to(prior.dtype), LOW_PASS, ceil_mode=True)
        return cls(weight, prior, hole, share.sum().clamp_min(1e-12))

    def __call__(self, x: Tensor, features: Features) -> Tensor:
        difference = F.avg_pool2d((x - self.prior) * self.hole, LOW_PASS, ceil_mode=True)
        return self.weight * difference.square().sum() / (3 * self.total)


@dataclass(frozen=True)
class TotalVariation(Term):
    """TV: squared differences of neighbours of which at least one is in the hole, over 3 |R| (equation 5).

    A pair within the hole counts half for either pixel, a pair across its rim wholly for the hole's: so tiles,
    whose ``own`` pixels are a part of ``hole`` (1, 1, H, W), add up.
    """

    weight: float
    hole: Tensor
    own: Tensor
    total: Tensor

    @classmethod
    def of_crop(cls, weight: float, hole: Tensor) -> Self:
        return cls(weight, hole, hole, hole.sum().clamp_min(1))

    def __call__(self, x: Tensor, features: Features) -> Tensor:
        terms = []
        for axis in (-1, -2):
            last = x.shape[axis] - 1
            hole, own = self.hole.to(x.dtype), self.own.to(x.dtype)
            first, second = (hole.narrow(axis, begin, last) for begin in (0, 1))
            counts = own.narrow(axis, 0, last) * (1 - second / 2) + own.narrow(axis, 1, last) * (1 - first / 2)
            terms.append((x.diff(dim=axis).square() * counts).sum())
        return self.weight * (terms[0] + terms[1]) / (3 * self.total)

    def of(self, tile: Tile) -> "TotalVariation":
        return replace(self, hole=tile.box.of(self.hole), own=tile.box.of(_only(tile.inner, self.own)))
