"""Fill a hole with the functions of the method: windows, levels, the exemplar start, blending, the composite.

    python examples/from_scratch.py demo/photo.jpg demo/mask.png filled.png

Makes the same picture as ``one_call.py``. For 8-bit RGB with enough surroundings; no network takes part, so that
every step is in sight. With one, ``CarriedTargets`` and ``NeuralStage`` go on from ``start`` and ``added``.
"""

import sys

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from patchloom import windows
from patchloom.method.blending import correction
from patchloom.method.coarse import membrane_fill
from patchloom.method.patchfill import Scales, Variant, as_array, as_tensor, exemplar_fill, voted_differences
from patchloom.method.pyramid import Level, shrinking_pyramid
from patchloom.tensors.compose import composite, rim_weights

PATCH = 7  # pixels a side
VARIANT = Variant(patch=PATCH, locality=0.3, native_coherence=1.0, seed=7)


def fill(photo: NDArray[np.uint8], hole: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """``photo`` (H, W, 3) with ``hole`` (H, W) filled."""
    filled, unknown = photo.copy(), hole.copy()
    weights = rim_weights(hole, feather=0)
    for window in windows.plan(hole):
        place = window.slices
        image = as_tensor(filled[place].astype(np.float32) / np.float32(255))
        todo = flag(unknown[place])
        level = Level(image.masked_fill(todo, 0.0), hole=todo, source=flag(~hole[place]))
        result = as_array(level_filled(level))
        filled[place] = composite(filled[place], result, weights[place] * window.part, top=255.0)
        unknown[place][window.part] = False
    return filled


def level_filled(native: Level) -> Tensor:
    """(1, 3, H, W): a neighbour field found where the hole is a few pixels wide, carried up to native size."""
    levels = shrinking_pyramid(native.image, native.hole, native.source, PATCH)
    scales = Scales(levels)
    start = exemplar_fill(scales, VARIANT)  # start.field says where every patch came from
    differences, target = voted_differences(start, scales), as_array(membrane_fill(native))
    added = correction(start.picture, scales.holes[-1], differences, target)
    return native.composite(as_tensor(start.picture + added).clamp(0, 1))


def flag(mask: NDArray[np.bool_]) -> Tensor:
    """(H, W) -> (1, 1, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(mask))[None, None]


def main(photo_name: str, mask_name: str, output_name: str) -> None:
    photo = np.asarray(Image.open(photo_name).convert("RGB"))
    hole = np.asarray(Image.open(mask_name).convert("L")) > 127
    Image.fromarray(fill(photo, hole)).save(output_name)


if __name__ == "__main__":
    main(*sys.argv[1:4])
