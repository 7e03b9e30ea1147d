"""Fill a hole with the functions of the method: windows, levels, the exemplar start, blending, the composite.

    python examples/from_scratch.py demo/photo.jpg demo/mask.png filled.png

Makes the same picture as ``one_call.py``. For 8-bit RGB with enough surroundings; no network takes part, so that
every step is in sight. With one, ``CarriedTargets`` and ``NeuralStage`` go on from ``start`` and ``added``.
"""

import sys

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchloom import windows
from patchloom.method.blending import correction
from patchloom.method.decision import deciding_level, way_to_fill
from patchloom.method.patchfill import Scales, carried, exemplar_fill, voted_differences
from patchloom.method.pyramid import Level, shrinking_pyramid
from patchloom.tensors.compose import composite, rim_weights

SEED = 7


def fill(photo: NDArray[np.uint8], hole: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """``photo`` (H, W, 3) with ``hole`` (H, W) filled."""
    filled, unknown = photo.copy(), hole.copy()
    weights = rim_weights(hole, feather=0)
    for window in windows.plan(hole):
        place = window.slices
        todo = unknown[place].copy()
        image = np.where(todo[..., None], np.float32(0), filled[place] / np.float32(255))
        result = level_filled(Level(image, hole=todo, source=~hole[place]))
        filled[place] = composite(filled[place], result, weights[place] * window.part, top=255.0)
        unknown[place][window.part] = False
    return filled


def level_filled(native: Level) -> NDArray[np.float32]:
    """(H, W, 3): decided where the hole is one or two hundred pixels wide, and carried to native size."""
    scales = Scales(shrinking_pyramid(native, patch=7))
    variant = way_to_fill(scales, guide_weight=0.0, seed=SEED)
    decided = exemplar_fill(scales, variant, last=deciding_level(scales.deepest, len(scales)))
    start = carried(scales, variant, decided)  # start.field says where every patch came from
    added = correction(start.picture, native.hole, voted_differences(start, scales))
    return native.composite((start.picture + added).clip(0, 1))


def main(photo_name: str, mask_name: str, output_name: str) -> None:
    photo = np.asarray(Image.open(photo_name).convert("RGB"))
    hole = np.asarray(Image.open(mask_name).convert("L")) > 127
    Image.fromarray(fill(photo, hole)).save(output_name)


if __name__ == "__main__":
    main(*sys.argv[1:4])
