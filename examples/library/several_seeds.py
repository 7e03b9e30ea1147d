"""Several seeds, and the fill that meets its surroundings best.

    python examples/library/several_seeds.py photo.png mask.png filled.png 4

The score is the mean step across the hole's outline. It is a stand-in: put your own in its place, or your eyes.
"""

import sys

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchloom import Inpainter, Mask, Photo, fill_settings


def seam(picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> float:
    """Mean absolute difference of neighbours of which one is in ``mask`` (H, W) and one is not, 0..255."""
    values = picture.astype(np.float32)
    steps = [
        np.abs(np.diff(values, axis=axis)).mean(axis=2)[np.diff(mask.astype(np.int8), axis=axis) != 0]
        for axis in (0, 1)
    ]
    return float(np.concatenate(steps).mean())


def main(photo_name: str, mask_name: str, output_name: str, seeds: str) -> None:
    photo, mask = Photo.open(photo_name), Mask.open(mask_name)
    inpainter = Inpainter()
    fills = [
        inpainter.inpaint(photo, mask, fill_settings("fast", seed=seed)).photo.to_array()[..., :3]
        for seed in range(int(seeds))
    ]
    scores = [seam(fill, mask.hole) for fill in fills]
    best = int(np.argmin(scores))
    print(f"seed {best}: {', '.join(f'{score:.2f}' for score in scores)}")
    Image.fromarray(fills[best]).save(output_name)


if __name__ == "__main__":
    main(*sys.argv[1:5])
