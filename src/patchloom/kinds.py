"""Pictures and masks of any kind: NumPy, Pillow and our own are taken in, and results given back alike."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchloom.arrays import Bools, Bytes, Floats
from patchloom.errors import PhotoError
from patchloom.formats.picture import as_unit, to_eight_bit
from patchloom.mask import Mask
from patchloom.photo import Photo

AnyPicture = NDArray[Any] | Image.Image | Photo | str | Path
AnyMask = NDArray[Any] | Image.Image | Mask | str | Path

Scalar = TypeVar("Scalar", bound=np.generic)
Kind = TypeVar("Kind", NDArray[Any], Image.Image, Photo)
Options = ParamSpec("Options")


class SameKind(Protocol[Options]):
    """A function whose result is of the kind of the picture it is given; of a file, it is a Photo."""

    @overload
    def __call__(
        self, photo: NDArray[Scalar], *args: Options.args, **options: Options.kwargs
    ) -> NDArray[Scalar]: ...
    @overload
    def __call__(self, photo: Image.Image, *args: Options.args, **options: Options.kwargs) -> Image.Image: ...
    @overload
    def __call__(self, photo: Photo | str | Path, *args: Options.args, **options: Options.kwargs) -> Photo: ...


def same_kind(function: Callable[Concatenate[Any, Options], Any]) -> SameKind[Options]:
    """Tells type checkers that what is returned is of the kind of what is given."""
    return cast(SameKind[Options], function)


def as_photo(picture: AnyPicture, hole: Bools | None = None) -> Photo:
    """A Photo of a NumPy array, a Pillow picture or a file; a Photo is returned as it is. What floats lie in
    ``hole`` (H, W) does not matter."""
    if isinstance(picture, Photo):
        return picture
    if isinstance(picture, str | Path):
        return Photo.open(picture)
    if isinstance(picture, Image.Image):
        return Photo.from_pillow(picture)
    if type(picture).__module__.partition(".")[0] == "torch":
        raise PhotoError("A tensor is no picture here.", "Give picture.cpu().numpy(), with channels last.")
    return Photo.from_array(np.asarray(picture), hole=hole)


def as_mask(mask: AnyMask) -> Mask:
    """A Mask of an array (see ``Mask.from_array``), a Pillow picture or a file. One in memory that is 0 everywhere
    marks nothing; of a file that would be an error."""
    if isinstance(mask, Mask):
        return mask
    if isinstance(mask, str | Path):
        return Mask.open(mask)
    return Mask.from_pillow(mask) if isinstance(mask, Image.Image) else Mask.from_array(np.asarray(mask))


def of_kind(given: AnyPicture, result: Photo) -> AnyPicture:
    """``result`` as a NumPy array, Pillow picture or Photo, as ``given`` is; a Photo where that is a file."""
    if isinstance(given, Photo | str | Path):
        return result
    return result.to_pillow() if isinstance(given, Image.Image) else result.to_array()


def as_rgb_bytes(pixels: NDArray[Any]) -> Bytes:
    """(H, W, 1 or 3) of any depth -> (H, W, 3) in eight bits; those of eight bits in colour as they are."""
    colours = to_eight_bit(pixels)
    return np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else colours


def as_rgb(pixels: NDArray[Any]) -> Floats:
    """(H, W, 1 or 3) of any depth -> (H, W, 3) float32 in 0..1."""
    unit = as_unit(pixels)
    return np.repeat(unit, 3, axis=2) if unit.shape[2] == 1 else unit
