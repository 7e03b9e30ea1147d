"""Many arrays: one Inpainter loads the networks once and fills picture after picture.

    python examples/library/many_arrays.py mask.png a.png b.png c.png

Writes a.filled.png and so on. For folders, ``patchloom batch`` uses all cores and resumes where it stopped.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchloom import Inpainter, Mask, Photo, fill_settings


def filled(photos: Iterable[NDArray[np.uint8]], mask: NDArray[np.bool_]) -> Iterator[NDArray[np.uint8]]:
    """Each of ``photos`` (H, W, 3) with ``mask`` (H, W) filled, as soon as it is ready."""
    inpainter, hole, settings = Inpainter(), Mask.from_array(mask), fill_settings("fast")
    for photo in photos:
        yield inpainter.inpaint(Photo.from_array(photo), hole, settings).photo.to_array()


def main(mask_name: str, *photo_names: str) -> None:
    mask = np.asarray(Image.open(mask_name).convert("L")) > 127
    photos = (np.asarray(Image.open(name).convert("RGB")) for name in photo_names)
    for name, picture in zip(photo_names, filled(photos, mask), strict=True):
        Image.fromarray(picture).save(Path(name).with_suffix(".filled.png"))


if __name__ == "__main__":
    main(*sys.argv[1:])
