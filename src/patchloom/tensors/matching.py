"""nn(i): the nearest patch outside the hole, by convolution and maximum (paper, section 3.4).

For a query P and candidates Q_k, |P - Q_k|^2 = |P|^2 + |Q_k|^2 - 2 <P, Q_k>. So the nearest in the Euclidean sense
is the largest of <P, Q_k> - |Q_k|^2 / 2: one convolution with the candidates as kernels and that bias, then a
maximum over kernels. With kernels of unit norm and no bias the same search is by normalised correlation, as in
the authors' code. Candidates go through in blocks, so that memory does not grow with the picture.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from patchloom.tensors.patches import SIZE, unfold

BLOCK = 256  # kernels a convolution takes at a time


def nearest_patches(
    queries: Tensor,
    candidates: Tensor,
    *,
    metric: Literal["euclidean", "correlation"] = "euclidean",
    block: int = BLOCK,
) -> Tensor:
    """For every patch of ``queries`` (1, C, h, w) the nearest of ``candidates`` (K, C * 9); ((h-2)(w-2),) int64.

    K must not be 0.
    """
    channels = queries.shape[1]
    best = queries.new_full(((queries.shape[-2] - SIZE + 1) * (queries.shape[-1] - SIZE + 1),), -torch.inf)
    nearest = torch.zeros_like(best, dtype=torch.long)
    for start in range(0, len(candidates), block):
        kernels = candidates[start : start + block]
        if metric == "correlation":
            kernels = kernels / kernels.norm(dim=1, keepdim=True).clamp_min(1e-12)
            bias = None
        else:
            bias = -0.5 * kernels.square().sum(1)
        scores = F.conv2d(queries, kernels.view(-1, channels, SIZE, SIZE), bias)[0].flatten(1)
        score, index = scores.max(0)
        better = score > best
        best = torch.where(better, score, best)
        nearest = torch.where(better, index + start, nearest)
    return nearest


def candidate_patches(features: Tensor, allowed: Tensor) -> Tensor:
    """The patches of ``features`` (1, C, h, w) that ``allowed`` ((h-2)(w-2),) marks, as rows (K, C * 9)."""
    return unfold(features)[allowed]
