"""Your own coarse picture: say roughly what belongs in the hole, and the fill finds the texture for it.

    python examples/library/own_coarse_picture.py photo.png mask.png filled.png

Any picture of the photograph's size will do, for example another program's fill. This one joins the
colours left and right of the hole, row by row.
"""

import sys

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchloom import inpaint


def rows_through(photo: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """``photo`` (H, W, 3) with every row of ``mask`` (H, W) interpolated between its two ends."""
    coarse = photo.copy()
    columns = np.arange(photo.shape[1])
    for row in np.flatnonzero(mask.any(axis=1)):
        known = ~mask[row]
        if known.any():
            for channel in range(3):
                line = np.interp(columns[mask[row]], columns[known], photo[row, known, channel])
                coarse[row, mask[row], channel] = line.round()
    return coarse


def main(photo_name: str, mask_name: str, output_name: str) -> None:
    photo: NDArray[np.uint8] = np.asarray(Image.open(photo_name).convert("RGB"))
    mask: NDArray[np.bool_] = np.asarray(Image.open(mask_name).convert("L")) > 127
    filled = inpaint(photo, mask, preset="fast", coarse=rows_through(photo, mask))
    Image.fromarray(filled).save(output_name)


if __name__ == "__main__":
    main(*sys.argv[1:4])
