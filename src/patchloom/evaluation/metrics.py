"""How good a fill is, in numbers: :data:`METRICS`. Lower is better unless it says otherwise.

Pictures are (H, W, 3) float arrays in 0..1, regions are (H, W) booleans. A *cell* is one position of a feature
map; it belongs to a region if one of the pixels it stands for does. phi are the features of the texture network
that judges. The texture distance compares sorted projections of cells on random directions (sliced Wasserstein).
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from patchloom.arrays import Bools
from patchloom.tensors.border import as_flags
from patchloom.tensors.boxes import Box, bounds
from patchloom.tensors.patches import cells_of

Floating = NDArray[np.floating]

METRICS = {
    "l1": "mean absolute difference to the truth, in percent of the range",
    "l2": "mean squared difference to the truth, in percent of the range",
    "psnr": "10 log10(1 / mean squared difference) of a picture, at most 100, averaged over pictures, in dB; "
    "higher is better",
    "ssim": "structural similarity (Wang et al. 2004; Gaussian window of 1.5 px) of the whole picture, averaged "
    "over the region; higher is better",
    "perceptual": "‖phi(fill) − phi(truth)‖ / ‖phi(truth)‖ over the region's cells at the coarsest tap, relu3_1",
    "texture": "sliced Wasserstein distance between the cells of fill and truth, wherever they are, over the "
    "truth's spread, averaged over the taps relu1_1, relu2_1, relu3_1 (`texture_relu1_1`, ... one by one)",
    "sharpness": "mean gradient of the fill over that of the truth; its error (`sharpness_error`) is the mean of "
    "|ln sharpness| over pictures, its sign (`log_sharpness`) says too soft (below 0) or too noisy",
    "crispness": "mean gradient of the fill over that of the known pixels within 16 px: needs no truth",
    "seam": "difference between neighbours across the hole's border over the difference between the next "
    "neighbours on both sides; 1 is no seam",
    "seconds": "of the fill alone, after imports, weights and compiling",
    "peak_mb": "largest resident memory of the method's process during the fill, its libraries included",
}
"""Each as it is defined, over one region."""

REGIONS = ("hole", "rim", "image")
BEST_PSNR = 100.0
_DIRECTIONS = 128
_SEEN = 16  # px around a cell that its feature can see; relu3_1 sees 12
_MOST_CELLS = 5000  # of a region; more are thinned out evenly, which moves the distance by about 1 %


class Features(Protocol):
    """What a metric needs of a texture network: see ``networks.texture``."""

    def __call__(self, pictures: torch.Tensor, taps: Sequence[str]) -> dict[str, torch.Tensor]: ...

    def stride(self, tap: str) -> int: ...


def l1(fill: Floating, truth: Floating, region: Bools) -> float:
    return 100 * float(np.abs(fill - truth)[region].mean())


def l2(fill: Floating, truth: Floating, region: Bools) -> float:
    return 100 * float(np.square(fill - truth)[region].mean())


def psnr(fill: Floating, truth: Floating, region: Bools) -> float:
    mean_square = float(np.square(fill - truth)[region].mean())
    return min(BEST_PSNR, -10 * math.log10(mean_square)) if mean_square > 0 else BEST_PSNR


def ssim_map(fill: Floating, truth: Floating) -> NDArray[np.float64]:
    """(H, W): structural similarity around every pixel, averaged over channels."""
    from skimage.metrics import structural_similarity

    a, b = (np.asarray(picture, np.float64) for picture in (fill, truth))
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    _, similarity = structural_similarity(  # type: ignore[no-untyped-call]
        a, b, data_range=1, channel_axis=2, full=True, **gaussian
    )
    averaged: NDArray[np.float64] = similarity.mean(axis=2)
    return averaged


def mean_gradient(picture: Floating, region: Bools) -> float:
    """Mean absolute grey difference between neighbours that both lie in the region, to the right plus below."""
    grey = picture.mean(axis=2)
    total = 0.0
    for axis in (0, 1):
        difference = np.abs(np.diff(grey, axis=axis))
        both = region[1:] & region[:-1] if axis == 0 else region[:, 1:] & region[:, :-1]
        total += float(difference[both].mean()) if both.any() else 0.0
    return total


def sharpness(fill: Floating, truth: Floating, region: Bools) -> float:
    return _ratio(mean_gradient(fill, region), mean_gradient(truth, region))


def crispness(fill: Floating, hole: Bools, reach: int = 16) -> float:
    around = ~hole & (distance_transform_edt(~hole) <= reach)
    return _ratio(mean_gradient(fill, hole), mean_gradient(fill, around))


def _ratio(difference: float, reference: float) -> float:
    """1 where both vanish: a tenth of an 8-bit step on both keeps plain skies from dividing by zero."""
    return (difference + 1 / 2550) / (reference + 1 / 2550)


def seam(fill: Floating, hole: Bools) -> float:
    """1 for a border that cannot be found; 1 also where there is nothing to compare."""
    across, beside = _border_differences(fill, hole)
    sideways = _border_differences(fill.swapaxes(0, 1), hole.swapaxes(0, 1))
    across, beside = [*across, *sideways[0]], [*beside, *sideways[1]]
    return _ratio(float(np.mean(across)), float(np.mean(beside))) if beside else 1.0


def _border_differences(fill: Floating, hole: Bools) -> tuple[list[float], list[float]]:
    """Differences along axis 0 between rows i+1 and i+2 where the border runs between them, and those
    between i, i+1 and i+2, i+3 where these pairs lie each on one side."""
    difference = np.abs(np.diff(fill, axis=0)).mean(axis=2)
    border = hole[1:-2] != hole[2:-1]
    alone = border & (hole[:-3] == hole[1:-2]) & (hole[2:-1] == hole[3:])
    return list(difference[1:-1][alone]), [*difference[:-2][alone], *difference[2:][alone]]


def perceptual(fill: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Of two sets of cells, (N, C) each, in the same order."""
    size = float(np.linalg.norm(truth))
    return float(np.linalg.norm(fill - truth)) / size if size > 0 else 0.0


def texture(fill: NDArray[np.float32], truth: NDArray[np.float32], seed: int = 0) -> float:
    """Of two sets of cells, (N, C) each, in any order."""
    directions = np.random.RandomState(seed).standard_normal((truth.shape[1], _DIRECTIONS)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=0)
    every = -(-len(truth) // _MOST_CELLS)
    fill, truth = fill[::every], truth[::every]
    a, b = np.sort(fill @ directions, axis=0), np.sort(truth @ directions, axis=0)
    spread = float(np.sqrt(np.square(b - b.mean(axis=0)).mean()))
    return float(np.sqrt(np.square(a - b).mean())) / spread if spread > 0 else 0.0


def rim_of(hole: Bools, reach: int = 8) -> Bools:
    """The hole's pixels within ``reach`` px of a known one."""
    return np.asarray(hole & (distance_transform_edt(hole) <= reach))


def _around(region: Bools, margin: int) -> Box:
    """``region``'s box and ``margin`` px or a little more; begins at multiples of 8: cells keep their places."""
    return bounds(region).widened(margin, region.shape).aligned(8, region.shape)


class Judge:
    """Scores fills of one picture after another; ``network`` sees each truth once."""

    def __init__(
        self, network: Features | None, *, taps: Sequence[str] = ("relu1_1", "relu2_1", "relu3_1")
    ) -> None:
        self.network, self.taps = network, tuple(taps)

    @property
    def name(self) -> str:
        """Of the network, without its folder."""
        return Path(getattr(self.network, "name", "") or "no network").stem

    def of(self, truth: Floating, hole: Bools, *, regions: Sequence[str] = REGIONS) -> "Truth":
        return Truth(self, np.asarray(truth, np.float32), hole, tuple(regions))


class Truth:
    """A picture as it was, with its hole; ``score`` compares a fill with it."""

    def __init__(self, judge: Judge, truth: NDArray[np.float32], hole: Bools, regions: tuple[str, ...]) -> None:
        self.judge, self.truth, self.hole = judge, truth, hole
        every = {"hole": hole, "rim": rim_of(hole), "image": np.ones_like(hole)}
        self.regions = {name: every[name] for name in regions}
        self.frame = _around(every["image" if "image" in regions else "hole"], 2 * _SEEN)
        self._truth_features = self._features(truth[self.frame.slices])

    def score(self, fill: Floating) -> dict[str, dict[str, float]]:
        """{region: {metric: value}}; crispness and seam are the hole's and the same in every region."""
        picture = np.asarray(fill, np.float32)
        similarity = ssim_map(picture, self.truth)
        features = self._features_of_fill(picture)
        border = {"crispness": crispness(picture, self.hole), "seam": seam(picture, self.hole)}
        rows = {}
        for name, region in self.regions.items():
            pixels = {metric.__name__: metric(picture, self.truth, region) for metric in (l1, l2, psnr, sharpness)}
            rows[name] = pixels | {"ssim": float(similarity[region].mean())} | border
            rows[name] |= self._compare(features, region)
        return rows

    def _features(self, picture: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """{tap: (rows, columns, channels)}."""
        if self.judge.network is None:
            return {}
        pixels = np.ascontiguousarray(picture.transpose(2, 0, 1)[None])
        with torch.inference_mode():
            maps = self.judge.network(torch.from_numpy(pixels), self.judge.taps)
        return {tap: maps[tap][0].permute(1, 2, 0).float().numpy() for tap in self.judge.taps}

    def _features_of_fill(self, picture: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """The truth's features, with those that see a changed pixel made anew."""
        if self.judge.network is None:
            return {}
        changed = (self.hole | (picture != self.truth).any(axis=2))[self.frame.slices]
        outer, inner = _around(changed, 2 * _SEEN), _around(changed, _SEEN)
        maps = self._features(picture[self.frame.slices][outer.slices])
        features = {}
        for tap, cells in maps.items():
            stride = self.judge.network.stride(tap)
            features[tap] = self._truth_features[tap].copy()
            there = inner.moved(-outer.top, -outer.left).cells(stride)
            features[tap][inner.cells(stride).slices] = cells[there.slices]
        return features

    def _compare(self, features: dict[str, NDArray[np.float32]], region: Bools) -> dict[str, float]:
        values: dict[str, float] = {}
        for tap, cells in features.items():
            assert self.judge.network is not None
            stride = self.judge.network.stride(tap)
            here = cells_of(as_flags(region[self.frame.slices]), stride, cells.shape[:2]).numpy()
            fill, truth = cells[here], self._truth_features[tap][here]
            values[f"texture_{tap}"] = texture(fill, truth)
            if tap == self.judge.taps[-1]:
                values["perceptual"] = perceptual(fill, truth)
        if values:
            values["texture"] = float(np.mean([values[f"texture_{tap}"] for tap in features]))
        return values
