"""Can a set of fills be told from photographs? Measures that a blurred, hedging fill does not please.

A picture's *descriptor* is what the texture network that judges sees in the hole: mean and deviation of every
channel of its taps' features, log(1 + x), over the hole's cells. Sets of descriptors are (N, D) arrays, row by row
of the same pictures.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from patchloom.arrays import Bools
from patchloom.evaluation.metrics import Floating, Judge
from patchloom.tensors.border import as_flags
from patchloom.tensors.patches import cells_of

Descriptors = NDArray[np.float64]
FOLDS = 16


class Likeness(NamedTuple):
    """Of N fills and their truths. ``kid`` times 1000, 0 for equal distributions; ``unpaired`` and ``paired`` are
    shares of mistakes, .5 for fills that nobody could tell."""

    kid: float
    unpaired: float
    paired: float


def descriptor(judge: Judge, picture: Floating, hole: Bools) -> Descriptors:
    """(D,) of ``picture`` (H, W, 3) in 0..1 over its ``hole`` (H, W), not empty. The judge needs a network."""
    assert judge.network is not None
    pixels = torch.from_numpy(np.ascontiguousarray(np.asarray(picture, np.float32).transpose(2, 0, 1)[None]))
    with torch.inference_mode():
        maps = judge.network(pixels, judge.taps)
    parts = []
    for tap in judge.taps:
        cells = maps[tap][0].permute(1, 2, 0)
        inside = cells_of(as_flags(hole), judge.network.stride(tap), (cells.shape[0], cells.shape[1]))
        seen = torch.log1p(cells[inside].double().clamp_min(0))
        parts += [seen.mean(0), seen.std(0, correction=0)]
    return torch.cat(parts).numpy()


def compare(fills: Descriptors, truths: Descriptors) -> Likeness:
    """All three measures. Raises ValueError for fewer than four pictures."""
    if len(fills) != len(truths) or len(fills) < 4:
        raise ValueError("It takes at least four fills, and the truth of each.")
    middle, spread = truths.mean(0), truths.std(0) + 1e-6
    fills, truths = (fills - middle) / spread, (truths - middle) / spread
    return Likeness(1000 * kernel_distance(fills, truths), *discriminability(fills, truths))


def kernel_distance(first: Descriptors, second: Descriptors) -> float:
    """The unbiased squared maximum mean discrepancy, kernel (x.y / D + 1)^3 (KID, Binkowski et al. 2018)."""

    def kernel(a: Descriptors, b: Descriptors) -> Descriptors:
        return np.asarray((a @ b.T / a.shape[1] + 1) ** 3)

    def within(a: Descriptors) -> float:
        values = kernel(a, a)
        return float((values.sum() - np.trace(values)) / (len(a) * (len(a) - 1)))

    return within(first) + within(second) - 2 * float(kernel(first, second).mean())


def discriminability(fills: Descriptors, truths: Descriptors, seed: int = 0) -> tuple[float, float]:
    """U-IDS and P-IDS (Zhao et al. 2021): how often a linear classifier takes a fill for a photograph or the other
    way round, and how often it holds a fill for more real than its own photograph.

    There it is trained on what it judges, which separates any few hundred pictures; here it is a ridge regression
    trained on the pictures of all other folds.
    """
    count = len(fills)
    fold = np.random.default_rng(seed).permutation(count) % min(FOLDS, count)
    scores = np.zeros((2, count))  # above 0: real
    for number in range(fold.max() + 1):
        left_out = fold == number
        known = np.concatenate([fills[~left_out], truths[~left_out]])
        middle, label = known.mean(0), np.repeat([-1.0, 1.0], (~left_out).sum())
        known -= middle
        normal = known.T @ np.linalg.solve(known @ known.T + known.shape[1] * np.eye(len(known)), label)
        for row, asked in enumerate((fills, truths)):
            scores[row, left_out] = (asked[left_out] - middle) @ normal
    mistaken = ((scores[0] > 0).mean() + (scores[1] <= 0).mean()) / 2
    return float(mistaken), float((scores[0] > scores[1]).mean())
