"""A source mask: texture may come only from a part of the photograph, here from the half left of the hole.

python examples/library/source_mask.py photo.png mask.png filled.png
"""

import sys

import numpy as np
from PIL import Image

from patchloom import inpaint


def main(photo_name: str, mask_name: str, output_name: str) -> None:
    photo, mask = Image.open(photo_name), Image.open(mask_name)
    hole = np.asarray(mask.convert("L")) > 127
    source = np.zeros_like(hole)  # True: may be copied from
    source[:, : int(np.flatnonzero(hole.any(axis=0))[0])] = True
    inpaint(photo, mask, source=source, preset="fast").save(output_name)


if __name__ == "__main__":
    main(*sys.argv[1:4])
