"""The joint objective of the paper (its equation 1), term by term.

    x~ = argmin_x  E_c(h(x, R), h(prior, R))  +  alpha E_t(phi(x), R^phi)  +  beta TV(x)

The paper writes sums; here every term is a mean, so that weights keep their meaning whatever the size of the
hole, the picture and the layer. Each mean is the paper's sum over a constant, given beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

LOW_PASS = 4  # pixels; the content term compares means over blocks of this side


@dataclass(frozen=True)
class Target:
    """What one feature map should become: ``value`` (1, C, h, w), each cell counting ``weight`` (1, 1, h, w)."""

    value: Tensor
    weight: Tensor

    def cropped(self, height: int, width: int) -> "Target":
        return Target(self.value[..., :height, :width], self.weight[..., :height, :width])


def texture_term(features: Tensor, target: Target) -> Tensor:
    """E_t for one layer: sum_u n(u) |F(u) - V(u)|^2 / (C sum_u n(u)), the vote form (paper, equation 3).

    With n the overlap count of 3x3 patches this is 1 / (9 C |R|) sum_i |P_i - P_nn(i)|^2 up to a constant that
    does not depend on ``features``; the paper has 1 / |R|.
    """
    difference = (features - target.value).square().mean(1, keepdim=True)
    return (difference * target.weight).sum() / target.weight.sum().clamp_min(1e-12)


def content_term(x: Tensor, prior: Tensor, hole: Tensor) -> Tensor:
    """E_c: mean squared difference of ``x`` and ``prior`` (1, 3, H, W) over ``hole`` (1, 1, H, W) (equation 2)."""
    return _masked_mean((x - prior).square(), hole)


def low_passed_content_term(x: Tensor, prior: Tensor, hole: Tensor) -> Tensor:
    """E_c of block means (``LOW_PASS`` pixels a side).

    Differs from the paper because: a prior that is itself soft should hold colours and shapes in place, not
    sharpness down (measured: a plain pixel term of the same pull lost a fifth of the gradients).
    """
    difference = F.avg_pool2d((x - prior) * hole, LOW_PASS, ceil_mode=True)
    share = F.avg_pool2d(hole.to(x.dtype), LOW_PASS, ceil_mode=True)
    return difference.square().sum() / (3 * share.sum().clamp_min(1e-12))


def total_variation(x: Tensor, hole: Tensor) -> Tensor:
    """TV: squared differences of neighbours of which at least one is in the hole, over 3 |R| (equation 5)."""
    across = (x[..., :, 1:] - x[..., :, :-1]).square() * (hole[..., :, 1:] | hole[..., :, :-1])
    down = (x[..., 1:, :] - x[..., :-1, :]).square() * (hole[..., 1:, :] | hole[..., :-1, :])
    return (across.sum() + down.sum()) / (3 * hole.sum().clamp_min(1))


def _masked_mean(values: Tensor, hole: Tensor) -> Tensor:
    return (values * hole).sum() / (values.shape[1] * hole.sum().clamp_min(1))


@dataclass(frozen=True)
class Weights:
    """Of the objective's terms. ``low_pass`` compares the content as block means instead of pixels."""

    texture: float
    content: float
    pixel: float
    tv: float
    low_pass: bool


def objective(
    x: Tensor,
    features: Mapping[str, Tensor],
    targets: Mapping[str, Target],
    pixels: Target | None,
    prior: Tensor,
    hole: Tensor,
    weights: Weights,
) -> dict[str, Tensor]:
    """The weighted terms by name, and their sum as ``total``. Terms of weight 0 are left out."""
    terms: dict[str, Tensor] = {}
    if weights.texture > 0:
        for tap, target in targets.items():
            terms[f"texture_{tap}"] = weights.texture * texture_term(features[tap], target)
    if weights.pixel > 0 and pixels is not None:
        terms["pixels"] = weights.pixel * texture_term(x, pixels)  # the picture is a layer of stride 1
    if weights.content > 0:
        content = low_passed_content_term if weights.low_pass else content_term
        terms["content"] = weights.content * content(x, prior, hole)
    if weights.tv > 0:
        terms["tv"] = weights.tv * total_variation(x, hole)
    terms["total"] = torch.stack(list(terms.values())).sum() if terms else x.sum() * 0
    return terms
