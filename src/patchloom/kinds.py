"""Pictures and masks of any kind: NumPy, Pillow and our own are taken in, and results given back alike."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchloom.arrays import Bools
from patchloom.formats.picture import full_scale, to_eight_bit
from patchloom.mask import Mask
from patchloom.photo import Photo

AnyPicture = NDArray[Any] | Image.Image | Photo
AnyMask = NDArray[Any] | Image.Image | Mask


def as_photo(picture: AnyPicture, hole: Bools | None = None) -> Photo:
    """A Photo of a NumPy array or Pillow picture; a Photo is returned as it is. What floats lie in ``hole`` (H, W)
    does not matter."""
    if isinstance(picture, Photo):
        return picture
    if isinstance(picture, Image.Image):
        return Photo.from_pillow(picture)
    return Photo.from_array(np.asarray(picture), hole=hole)


def as_mask(mask: AnyMask) -> Mask:
    """A Mask of an array (see ``Mask.from_array``) or of a Pillow picture, read as a file of it would be."""
    if isinstance(mask, Mask):
        return mask
    return Mask.from_pillow(mask) if isinstance(mask, Image.Image) else Mask.from_array(np.asarray(mask))


def of_kind(given: AnyPicture, result: Photo) -> Any:
    """``result`` as a NumPy array, Pillow picture or Photo, as ``given`` is."""
    if isinstance(given, Photo):
        return result
    return result.to_pillow() if isinstance(given, Image.Image) else result.to_array()


def as_rgb_bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """(H, W, 1 or 3) of any depth -> (H, W, 3) in eight bits; those of eight bits in colour as they are."""
    colours = to_eight_bit(pixels)
    return np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else colours


def as_rgb(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """(H, W, 1 or 3) of any depth -> (H, W, 3) float32 in 0..1."""
    unit = pixels.astype(np.float32) / np.float32(full_scale(pixels))
    return np.repeat(unit, 3, axis=2) if unit.shape[2] == 1 else unit
