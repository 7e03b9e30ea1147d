"""An object at its place in a picture: moved, scaled and turned, with the depth and channels of the picture."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchloom.arrays import Floats
from patchloom.canvas import Place
from patchloom.formats.picture import full_scale
from patchloom.kinds import as_rgb
from patchloom.mask import Mask
from patchloom.photo import Photo
from patchloom.tensors.compose import spread


def transformed(
    foreground: Photo, mask: Mask | None, place: Place, shape: tuple[int, int]
) -> tuple[Floats, Floats]:
    """``foreground`` at its place in a picture of ``shape`` (height, width): colours (H, W, 3) in 0..1 and cover
    (H, W).

    Bilinear, of a picture that was blurred first where it is made smaller. Under transparent pixels colours go
    on as at the nearest opaque one, so that no background shows at the rim.
    """
    colours = as_rgb(foreground.pixels)
    if mask is not None:
        opaque = mask.hole.astype(np.float32)
    elif foreground.alpha is not None:
        opaque = foreground.alpha.astype(np.float32) / np.float32(full_scale(foreground.alpha))
    else:
        opaque = np.ones(colours.shape[:2], np.float32)
    if not (opaque >= 0.5).any():
        return np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
    colours = spread(colours, opaque >= 0.5)
    if place.scale < 1:
        sigma = 0.5 * np.sqrt(place.scale**-2 - 1)
        colours = ndimage.gaussian_filter(colours, (sigma, sigma, 0))
        opaque = ndimage.gaussian_filter(opaque, sigma, mode="constant")
    angle = np.deg2rad(place.angle)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / place.scale
    centre = (np.array(opaque.shape) - 1) / 2
    offset = centre - turn @ np.array([place.y, place.x])
    moved = [
        ndimage.affine_transform(channel, turn, offset, shape, order=1, mode=mode)
        for channel, mode in [(colours[..., k], "nearest") for k in range(3)] + [(opaque, "constant")]
    ]
    cover = np.clip(moved[3], 0, 1)
    cover[cover < 1 / 255] = 0
    return np.stack(moved[:3], axis=-1), np.asarray(cover, np.float32)


def at_depth_of(pixels: NDArray[Any], colours: Floats) -> NDArray[Any]:
    """``colours`` (H, W, 3) in 0..1 with the channels and the depth of ``pixels`` (H, W, 1 or 3)."""
    if pixels.shape[2] == 1:
        colours = colours.mean(2, keepdims=True)
    if pixels.dtype.kind == "f":
        return np.asarray(colours, pixels.dtype)
    return np.asarray(np.rint(colours * full_scale(pixels)), pixels.dtype)
