"""Neural patches: cutting feature maps into overlapping patches of 3x3 cells, and averaging them back.

A patch is named by its upper left cell; a map (1, C, H, W) has (H-2)(W-2) of them, counted row by row.
"""

import torch.nn.functional as F
from torch import Tensor

SIZE = 3


def cells_of(pixels: Tensor, stride: int, size: tuple[int, int]) -> Tensor:
    """Which cells of a map of ``size`` (h, w) stand over any True of ``pixels`` (1, 1, H, W); (h, w) bool.

    These are the *nominal* cells (stride x stride pixels each). Receptive fields are wider: at relu4_1 of a
    128-px level every one of them touches the hole, so excluding by receptive field would leave nothing.
    """
    tall, wide = size[0] * stride - pixels.shape[-2], size[1] * stride - pixels.shape[-1]
    padded = F.pad(pixels.float(), (0, max(wide, 0), 0, max(tall, 0)))
    return F.max_pool2d(padded, stride)[0, 0, : size[0], : size[1]] > 0


def patches_touching(cells: Tensor) -> Tensor:
    """Which patches contain any True of ``cells`` (h, w); ((h-2) * (w-2),) bool."""
    return F.max_pool2d(cells[None, None].float(), SIZE, stride=1).flatten() > 0


def unfold(features: Tensor) -> Tensor:
    """All patches of ``features`` (1, C, h, w) as rows, ((h-2)(w-2), C * 9)."""
    return F.unfold(features, SIZE)[0].T


def fold(patches: Tensor, places: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Sum of ``patches`` (N, C * 9) laid on ``places`` (N,) of a map of ``size``, and how many lie on each cell.

    Returns (1, C, h, w) and (1, 1, h, w).
    """
    height, width = size
    count = (height - SIZE + 1) * (width - SIZE + 1)
    columns = patches.new_zeros(patches.shape[1], count)
    columns[:, places] = patches.T
    present = patches.new_zeros(SIZE * SIZE, count)
    present[:, places] = 1
    total = F.fold(columns[None], (height, width), SIZE)
    return total, F.fold(present[None], (height, width), SIZE)


def vote(patches: Tensor, places: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Overlap average of ``patches`` on ``places``: the vote (1, C, h, w) and its count n (1, 1, h, w).

    For fixed matches  sum_i |P_i - Q_i|^2 = sum_u n(u) |F(u) - V(u)|^2 + const, with V this average: the
    texture term needs one difference a cell instead of nine.
    """
    total, count = fold(patches, places, size)
    return total / count.clamp_min(1), count
