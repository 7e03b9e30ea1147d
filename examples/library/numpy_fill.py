"""NumPy: fill a hole in an array; the result has its shape and its type.

python examples/library/numpy_fill.py photo.png mask.png filled.png
"""

import sys

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchloom import inpaint


def main(photo_name: str, mask_name: str, output_name: str) -> None:
    photo: NDArray[np.uint8] = np.asarray(Image.open(photo_name).convert("RGB"))  # (H, W, 3), or (H, W) for grey
    mask: NDArray[np.bool_] = np.asarray(Image.open(mask_name).convert("L")) > 127  # (H, W), True is filled
    filled: NDArray[np.uint8] = inpaint(photo, mask, preset="fast", seed=3)
    assert np.array_equal(filled[~mask], photo[~mask])  # nothing else is touched
    Image.fromarray(filled).save(output_name)


if __name__ == "__main__":
    main(*sys.argv[1:4])
