"""Sharpness and noise: measured on two regions of one picture, and matched where they differ for no natural
reason.

Regions of one photograph differ in both: focus falls off, and fine texture looks like noise. So a difference
counts only beyond what regions of untouched photographs show (measured: standard deviations of .4 octaves of blur
and .8 of noise). Noise is measured in the difference of two channels, where photographs have next to no
texture.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.arrays import Bools, Floats
from patchloom.tensors.compose import spread

# By eye, but where a source is named; a page is one of docs/experiments.
NATURAL = 1.25  # octaves of blur or noise by which two regions of one photograph may differ
REBLUR = 1.0  # pixels, of the blur under which edges are compared
FINEST = 0.7  # pixels, of the blur under which gradients are taken at all
EDGE_SHARE, SHARPEST = 0.2, 0.95  # a region's edges: its strongest gradients; and the quantile that are in focus
EDGE_NOISE = 5.0  # times the noise; fainter gradients are no edges
BLOCK, CALMEST = 8, 0.1  # pixels a side; noise is seen in the calmest blocks
LEAST_PIXELS = 400  # of a region; fewer say nothing
LEAST_BLUR, LEAST_NOISE = 0.35, 0.002  # pixels, and of full scale; less cannot be told from none
MOST_SHARPENED = 1.5  # times what a blur takes away; more draws halos
WINDOW = 5  # pixels a side, of the local means that noise is told from texture by


@dataclass(frozen=True)
class Grain:
    """``blur``: standard deviation, in pixels, of the softness of a region's sharpest edges; ``noise``: of full
    scale."""

    blur: float
    noise: float


def measure(picture: Floats, region: Bools) -> Grain | None:
    """Of ``picture`` (H, W, 3) in 0..1 in ``region`` (H, W); None where it is too small to tell.

    Blur: of edges that another Gaussian of :data:`REBLUR` pixels weakens as much as it does these (Zhuo and Sim,
    *Defocus map estimation from a single image*, 2011). Noise: of diagonal differences of red less green.
    """
    whole = ndimage.binary_erosion(region, np.ones((3, 3), bool))  # whose differences stay in the region
    if whole.sum() < LEAST_PIXELS:
        return None
    noise = _noise(picture, whole)
    return Grain(max(LEAST_BLUR, _blur(picture.mean(2), whole, noise)), max(LEAST_NOISE, noise))


def _blur(grey: Floats, whole: Bools, noise: float) -> float:
    gradient = ndimage.gaussian_gradient_magnitude(grey, FINEST)[whole]
    softer = ndimage.gaussian_gradient_magnitude(grey, float(np.hypot(FINEST, REBLUR)))[whole]
    edges = (softer >= np.quantile(softer, 1 - EDGE_SHARE)) & (softer > EDGE_NOISE * noise)
    if not edges.any():
        return 0.0
    ratio = float(np.quantile(gradient[edges] / np.maximum(softer[edges], 1e-6), SHARPEST))
    # Another blur r weakens the gradient of an edge blurred by s by the root of (s^2 + r^2) / s^2.
    return float(np.sqrt(max(REBLUR**2 / max(ratio**2 - 1, 0.02) - FINEST**2, 0)))


def _noise(picture: Floats, whole: Bools) -> float:
    colour = (picture[..., 0] - picture[..., 1]) / np.sqrt(2)
    diagonal = np.zeros_like(colour)
    diagonal[:-1, :-1] = (colour[:-1, :-1] - colour[1:, :-1] - colour[:-1, 1:] + colour[1:, 1:]) / 2
    rows, columns = (side // BLOCK for side in whole.shape)

    def blocks(values: NDArray[np.generic]) -> NDArray[np.generic]:
        cut = values[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
        return cut.transpose(0, 2, 1, 3).reshape(rows * columns, BLOCK * BLOCK)

    inside = blocks(whole).all(1)
    if inside.sum() < 4:
        return float(diagonal[whole].std())
    return float(np.quantile(np.sqrt(np.square(blocks(diagonal)[inside]).mean(1)), CALMEST))


def denoised(picture: Floats, region: Bools, inside: Grain, outside: Grain) -> Floats:
    """``picture`` with ``region``'s noise brought down to the surroundings', where it is naturally above it.

    The local Wiener filter (Lee, *Digital image enhancement and noise filtering by use of local statistics*,
    1980).
    """
    if inside.noise <= outside.noise * 2**NATURAL:
        return picture
    power = inside.noise**2 - outside.noise**2
    known = spread(picture, region)
    size = (WINDOW, WINDOW, 1)
    mean = ndimage.uniform_filter(known, size)
    variance = np.maximum(ndimage.uniform_filter(known**2, size) - mean**2, 1e-12)
    kept = np.maximum(1 - power / variance, 0)
    return np.where(region[..., None], mean + kept * (known - mean), picture).astype(np.float32)


def matched(picture: Floats, region: Bools, inside: Grain, outside: Grain, seed: int) -> Floats:
    """``picture`` with ``region``'s sharpness, and noise that it lacks, brought to the surroundings'."""
    result = picture
    if inside.blur < outside.blur / 2**NATURAL:
        missing = np.sqrt(outside.blur**2 - inside.blur**2)
        result = ndimage.gaussian_filter(spread(picture, region), (missing, missing, 0))
    elif inside.blur > outside.blur * 2**NATURAL:
        result = _sharpened(spread(picture, region), inside.blur, outside.blur)
    if inside.noise < outside.noise / 2**NATURAL:
        grain = np.random.default_rng(seed).standard_normal(picture.shape, np.float32)
        result = result + grain * np.float32(np.sqrt(outside.noise**2 - inside.noise**2))
    return np.where(region[..., None], result, picture).astype(np.float32)


def _sharpened(picture: Floats, blur: float, wanted: float) -> Floats:
    """An unsharp mask that gives an edge of ``blur`` pixels the slope of one of ``wanted``, as far as is decent.

    Clipped to the lightest and the darkest value nearby, so that no edge gets a halo.
    """
    soft = ndimage.gaussian_filter(picture, (blur, blur, 0))
    # At the edge's middle slopes are as 1 / s: that of the picture 1 / blur, that of its blur 1 / (blur sqrt 2).
    amount = min(MOST_SHARPENED, (blur / wanted - 1) / (1 - np.sqrt(0.5)))
    size = (2 * int(np.ceil(blur)) + 1,) * 2 + (1,)
    lowest, highest = ndimage.minimum_filter(picture, size), ndimage.maximum_filter(picture, size)
    return np.asarray(np.clip(picture + amount * (picture - soft), lowest, highest))
