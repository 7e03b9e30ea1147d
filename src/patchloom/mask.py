"""Masks: what to fill, drawn on the upright picture.

White is filled by default. A mask comes from a picture file, from the photo's transparent pixels, from boxes, or
from a colour painted on a copy of the photo.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from patchloom.errors import MaskError, PhotoError
from patchloom.photo import MAX_PIXELS, Photo, Source
from patchloom.settings import FillSettings, MaskMode

Box = tuple[int, int, int, int]  # x, y, width, height
_COLOURFUL = 0.25  # of full scale between the largest and the smallest channel: a marking, not a grey


@dataclass(frozen=True)
class Mask:
    """``hole`` (H, W): True is filled."""

    hole: NDArray[np.bool_]

    @classmethod
    def open(cls, source: Source, *, mode: MaskMode = "auto", max_pixels: int = MAX_PIXELS) -> Self:
        """Reads a mask picture. ``mode`` says what marks the hole: ``white`` or ``black`` (brighter or darker
        than half), ``alpha`` (transparent), ``color`` (anything that is not grey); ``auto`` takes transparency
        where the picture has any, else white. Raises MaskError."""
        if mode not in get_args(MaskMode):
            raise MaskError(f"There is no mask mode '{mode}'.", f"Use one of: {', '.join(get_args(MaskMode))}.")
        try:
            picture = Photo.open(source, max_pixels=max_pixels)
        except PhotoError as error:
            raise MaskError(f"As a mask: {error}", error.hint) from error
        return cls._marked(picture, mode)

    @classmethod
    def _marked(cls, picture: Photo, mode: MaskMode) -> Self:
        full = _full_scale(picture.pixels)
        grey = picture.pixels.mean(axis=-1)
        opaque = np.ones(grey.shape, bool) if picture.alpha is None else picture.alpha > full / 2
        if mode == "alpha" and picture.alpha is None:
            raise MaskError(
                "The mask has no transparency.", "Leave out --mask-mode alpha, or use a PNG with alpha."
            )
        if mode == "auto":
            return cls._automatic(picture, grey > full / 2, opaque)
        if mode == "alpha":
            return cls(~opaque)
        if mode == "color":
            spread = np.ptp(picture.pixels.astype(np.float32), axis=-1)
            return cls((spread > _COLOURFUL * full) & opaque)
        return cls(((grey > full / 2) if mode == "white" else (grey <= full / 2)) & opaque)

    @classmethod
    def _automatic(cls, picture: Photo, bright: NDArray[np.bool_], opaque: NDArray[np.bool_]) -> Self:
        """A layer painted on nothing marks what is painted; a photo with a hole cut out marks what is cut."""
        if opaque.all() or not opaque.any():
            return cls(bright & opaque)
        painted = picture.pixels[opaque]
        is_layer = opaque.mean() < 0.5 or bool((painted == painted[0]).all())
        return cls(opaque if is_layer else ~opaque)

    @classmethod
    def from_array(cls, array: NDArray[Any]) -> Self:
        """(H, W) of bool, or of numbers where more than half of full scale (255, 65535, 1.0) is filled."""
        array = np.asarray(array)
        if array.ndim == 3 and array.shape[-1] == 1:
            array = array[..., 0]
        if array.ndim != 2:
            raise MaskError(
                f"A mask of shape {array.shape} is not supported.", "Give (H, W), True or white to fill."
            )
        if array.dtype == np.bool_:
            return cls(array)
        if array.dtype.kind not in "uif":
            raise MaskError(
                f"A mask of {array.dtype} is not supported.", "Give bool, uint8, uint16, or floats in 0..1."
            )
        if array.dtype.kind in "ui" and array.size and array.max() <= 1:
            return cls(array > 0)  # counted in ones, as label tools write it
        return cls(array > _full_scale(array) / 2)

    @classmethod
    def from_boxes(cls, boxes: Sequence[Box], width: int, height: int) -> Self:
        """Boxes (x, y, width, height) in upright pixels; what lies outside the picture is cut off."""
        hole = np.zeros((height, width), bool)
        for box in boxes:
            x, y, across, down = box
            if across <= 0 or down <= 0:
                raise MaskError(f"The box {_as_text(box)} has no size.", "Give --box x,y,width,height.")
            if x >= width or y >= height or x + across <= 0 or y + down <= 0:
                raise MaskError(
                    f"The box {_as_text(box)} lies outside the photo of {width} x {height} pixels.",
                    "Give --box x,y,width,height, counted from the top left.",
                )
            hole[max(y, 0) : y + down, max(x, 0) : x + across] = True
        return cls(hole)

    @classmethod
    def from_alpha(cls, photo: Photo) -> Self:
        """The photo's transparent pixels (less than half opaque)."""
        if photo.alpha is None:
            raise MaskError("The photo has no transparency to fill.", "Give a mask, or boxes with --box x,y,w,h.")
        return cls(photo.alpha <= _full_scale(photo.alpha) / 2)

    @classmethod
    def from_color(cls, photo: Photo, color: tuple[int, int, int], tolerance: int = 0) -> Self:
        """Pixels whose channels are all within ``tolerance`` (0..255) of ``color`` (0..255 each)."""
        scaled = photo.pixels.astype(np.float64) * (255 / _full_scale(photo.pixels))
        return cls(np.asarray((np.abs(scaled - np.array(color, float)) <= tolerance + 0.5).all(axis=-1)))

    @property
    def width(self) -> int:
        return int(self.hole.shape[1])

    @property
    def height(self) -> int:
        return int(self.hole.shape[0])

    @property
    def share(self) -> float:
        """Of the picture, 0..1."""
        return float(self.hole.mean())

    def grow(self, px: int) -> Self:
        """Every pixel within ``px`` (Euclidean) of the hole added; a negative number takes away as many."""
        if px == 0 or not self.hole.any() or self.hole.all():
            return self
        if px < 0:
            return type(self)(self.invert().grow(-px).invert().hole)
        grown = self.hole.copy()
        for y, x, height, width in (_y_first(box) for box in self.boxes()):
            rows, columns = slice(max(y - px, 0), y + height + px), slice(max(x - px, 0), x + width + px)
            far = ndimage.distance_transform_edt(~self.hole[rows, columns])
            grown[rows, columns] |= far <= px
        return type(self)(grown)

    def to_fill(self, settings: FillSettings) -> Self:
        """What a fill with ``settings`` fills: the hole, grown. Raises MaskError where that is everything."""
        grown = self.grow(settings.grow + settings.feather)
        if grown.hole.all():
            raise MaskError(
                "The mask covers the whole photograph: nothing is left to fill from.",
                "White is filled; if your mask is the other way round, use --mask-mode black.",
            )
        return grown

    def fitted(self, width: int, height: int) -> Self:
        """At that size, by nearest neighbours, if it has its proportions within a pixel; else as it is.

        Phones cannot make a mask as large as their photographs.
        """
        if (self.width, self.height) == (width, height):
            return self
        off = max(abs(self.width * height / width - self.height), abs(self.height * width / height - self.width))
        if off > 1:
            return self
        rows = np.arange(height) * self.height // height
        columns = np.arange(width) * self.width // width
        return type(self)(self.hole[np.ix_(rows, columns)])

    def invert(self) -> Self:
        return type(self)(~self.hole)

    def union(self, other: "Mask") -> Self:
        self.require_size(other.width, other.height, "The second mask")
        return type(self)(self.hole | other.hole)

    def boxes(self) -> list[Box]:
        """The bounding box (x, y, width, height) of each connected part (8 neighbours), from the top left."""
        labels, _ = ndimage.label(self.hole, structure=np.ones((3, 3), int))
        found = ndimage.find_objects(labels)
        return [(c.start, r.start, c.stop - c.start, r.stop - r.start) for r, c in found]

    def require_size(self, width: int, height: int, name: str = "The mask") -> None:
        """Raises MaskError, naming both sizes, unless the mask fits a picture of ``width`` x ``height``."""
        if (self.width, self.height) != (width, height):
            turned = (self.width, self.height) == (height, width)
            hint = "Draw it on the photo as it is shown, upright." if turned else "Draw it on the photo itself."
            raise MaskError(f"{name} has {self.width} x {self.height} pixels, the photo {width} x {height}.", hint)

    def encode(self) -> bytes:
        """A black and white PNG, white where the picture is filled."""
        target = io.BytesIO()
        Image.fromarray(self.hole).save(target, "PNG", optimize=True)
        return target.getvalue()


def _full_scale(array: NDArray[Any]) -> float:
    return float(np.iinfo(array.dtype).max) if array.dtype.kind in "ui" else 1.0


def _as_text(box: Box) -> str:
    return ",".join(map(str, box))


def _y_first(box: Box) -> tuple[int, int, int, int]:
    x, y, width, height = box
    return y, x, height, width
