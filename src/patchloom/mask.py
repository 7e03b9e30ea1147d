"""Masks: what to fill, drawn on the upright picture.

White is filled by default. A mask comes from a picture file, from the photo's transparent pixels, from boxes, or
from a colour painted on a copy of the photo.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from scipy import ndimage

from patchloom.annotations import is_annotation, marked as outlined
from patchloom.errors import MaskError, PhotoError
from patchloom.formats.picture import full_scale, split
from patchloom.formats.pillow import palette_of
from patchloom.marks import Marks, colourful, marked, of_classes, of_values
from patchloom.photo import MAX_PIXELS, Photo, Source, read_source
from patchloom.settings import FillSettings, MaskMode

Rectangle = tuple[int, int, int, int]  # x, y, width, height
OPAQUE = 0.98  # of full scale: what is less is transparent
_GROWTH = 250  # the picture's longer side per pixel that a mask painted by hand is grown by


def growth(width: int, height: int) -> int:
    """Pixels by which a hole painted by hand is grown, so that no rim of the object is left beside it."""
    return max(1, round(max(width, height) / _GROWTH))


@dataclass(frozen=True)
class Mask:
    """``hole`` (H, W): True is filled. ``how`` the picture it comes from was read, empty where that was white on
    black or where there was none; ``seen``: the picture's values."""

    hole: NDArray[np.bool_]
    how: str = field(default="", compare=False)
    seen: str = field(default="", compare=False)

    @classmethod
    def open(
        cls,
        source: Source,
        *,
        mode: MaskMode = "auto",
        classes: str = "",
        max_pixels: int = MAX_PIXELS,
        photo: str = "",
    ) -> Self:
        """Reads a mask: a picture, or annotations (:mod:`patchloom.annotations`), of which ``photo``, a file name,
        says whose are meant where they are of several pictures.

        ``mode`` says what marks the hole in a picture: ``white`` or ``black`` (brighter or darker than half),
        ``alpha`` (transparent), ``color`` (anything that is not grey), ``labels`` (anything that is neither 0 nor
        transparent); ``auto`` understands these, and says what it took it for (:mod:`patchloom.marks`).
        ``classes``: names or numbers, separated by commas, of those that alone are marked. Raises MaskError."""
        if mode not in get_args(MaskMode):
            raise MaskError(f"There is no mask mode '{mode}'.", f"Use one of: {', '.join(get_args(MaskMode))}.")
        wanted = [name for each in classes.split(",") if (name := each.strip())]
        try:
            data, name = read_source(source)
            if is_annotation(data):
                what = f"object of {' or '.join(wanted)}" if wanted else "object"
                return cls(*outlined(data, photo, wanted, max_pixels), f"it has no {what} for the photo")
            picture = Photo.open(data, allow_cmyk=True, max_pixels=max_pixels, called=name)
        except PhotoError as error:
            raise MaskError(f"As a mask: {error}", error.advice) from error
        if mode != "auto" and not wanted:
            return cls(*_by_mode(picture, mode))
        palette = None
        if picture.metadata.mode == "P":
            with Image.open(io.BytesIO(data)) as image:
                palette = _palette(ImageOps.exif_transpose(image))
        if wanted:
            return cls(*of_classes(picture.pixels, palette, wanted, exact=picture.metadata.lossless))
        return cls(*marked(picture.pixels, picture.alpha, palette, exact=picture.metadata.lossless))

    @classmethod
    def from_pillow(cls, image: Image.Image) -> Self:
        """A Pillow picture, read as a file of it would be; one that is 0 everywhere marks nothing."""
        if image.mode in ("I", "F") or image.getbbox() is None:
            return cls.from_array(np.asarray(image))
        picture = Photo.from_pillow(image)
        return cls(*marked(picture.pixels, picture.alpha, _palette(image) if image.mode == "P" else None))

    @classmethod
    def from_array(cls, array: NDArray[Any]) -> Self:
        """(H, W) of bool or numbers, (H, W, 3) as well, or (H, W, 2..4) of uint8 or uint16, a picture. Of numbers
        more than half of full scale (255, 65535, 1.0) is filled, or every value but 0 where they are class ids; of
        three channels the largest counts. Where all is 0, nothing is marked. Raises MaskError."""
        array = np.asarray(array)
        if array.ndim == 3 and array.shape[-1] == 1:
            array = array[..., 0]
        if array.ndim == 3 and array.shape[-1] in (2, 3, 4) and array.dtype in (np.uint8, np.uint16):
            return cls(*marked(*split(array))) if array.any() else cls(np.zeros(array.shape[:2], bool))
        if array.ndim == 3 and array.shape[-1] == 3 and array.dtype.kind in "buif":
            array = array.max(-1)
        if array.ndim != 2:
            raise MaskError(
                f"A mask of shape {array.shape} is not supported.", "Give (H, W), True or white to fill."
            )
        if array.dtype == np.bool_ or (array.dtype.kind in "uif" and not array.any()):
            return cls(array.astype(bool))
        if array.dtype.kind not in "uif" or not np.isfinite(array).all():
            raise MaskError(
                f"A mask of {array.dtype} is not supported."
                if array.dtype.kind not in "uif"
                else "The mask has values that are no numbers.",
                "Give bool, uint8, uint16, or floats in 0..1.",
            )
        if array.min() < 0:
            return cls(array != 0, "every value but 0 is filled", "")
        full = _scale_of(array)
        return cls(*of_values(array, full, exact=True, shades=array.dtype.kind != "f"))

    @classmethod
    def from_boxes(cls, boxes: Sequence[Rectangle], width: int, height: int) -> Self:
        """Boxes (x, y, width, height) in upright pixels; what lies outside the picture is cut off."""
        hole = np.zeros((height, width), bool)
        for box in boxes:
            x, y, across, down = box
            if across <= 0 or down <= 0:
                raise MaskError(f"The box {_as_text(box)} has no size.", "Give {box x,y,width,height}.")
            if x >= width or y >= height or x + across <= 0 or y + down <= 0:
                raise MaskError(
                    f"The box {_as_text(box)} lies outside the photo of {width} x {height} pixels.",
                    "Give {box x,y,width,height}, counted from the top left.",
                )
            hole[max(y, 0) : y + down, max(x, 0) : x + across] = True
        return cls(hole)

    @classmethod
    def from_alpha(cls, photo: Photo) -> Self:
        """The photo's pixels that are not opaque, but for what lossy coding makes of opaque ones."""
        if photo.alpha is None:
            raise MaskError("The photo has no transparency to fill.", "Give a mask.\nOr boxes: {box x,y,w,h}.")
        return cls(photo.alpha < OPAQUE * full_scale(photo.alpha), seen="no pixel of the photo is transparent")

    @classmethod
    def from_color(cls, photo: Photo, color: tuple[int, int, int], tolerance: int = 0) -> Self:
        """Pixels whose channels are all within ``tolerance`` (0..255) of ``color`` (0..255 each)."""
        scaled = photo.pixels.astype(np.float64) * (255 / full_scale(photo.pixels))
        near = np.abs(scaled - np.array(color, float)) <= tolerance + 0.5
        return cls(np.asarray(near.all(axis=-1)), seen=f"no pixel is within {tolerance} of that colour")

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
        """What a fill with ``settings`` fills: the hole, grown.

        Raises MaskError where that is everything, or nothing though a picture was to say it."""
        if self.seen and not self.hole.any():
            raise MaskError(
                f"The mask marks nothing: {self.seen}.",
                "White on black is understood, and any colour on black or on transparency.\nSee {mask_mode}.",
            )
        pixels = growth(self.width, self.height) if settings.grow == "auto" else settings.grow
        grown = self.grow(pixels + settings.feather)
        if grown.hole.all():
            raise MaskError(
                "The mask covers the whole photograph: nothing is left to fill from.",
                "White is filled. Use {mask_mode black} for black on white, {mask_mode color} for paint.",
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
        return replace(self, hole=self.hole[np.ix_(rows, columns)])

    def invert(self) -> Self:
        return type(self)(~self.hole)

    def union(self, other: "Mask") -> Self:
        self.require_size(other.width, other.height, "The second mask")
        return type(self)(self.hole | other.hole, seen="; ".join(filter(None, (self.seen, other.seen))))

    def boxes(self) -> list[Rectangle]:
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


def _by_mode(picture: Photo, mode: MaskMode) -> Marks:
    """What ``picture`` marks if that is said to be white, black, transparent or coloured."""
    full = full_scale(picture.pixels)
    opaque = np.ones(picture.pixels.shape[:2], bool)
    if picture.alpha is not None:
        opaque = picture.alpha > full_scale(picture.alpha) / 2
    elif mode == "alpha":
        raise MaskError("The mask has no transparency.", "Leave out {mask_mode alpha}, or use a PNG with alpha.")
    if mode == "alpha":
        return Marks(~opaque, "", "no pixel of it is transparent")
    if mode == "labels":
        visible = np.ones_like(opaque) if picture.alpha is None else picture.alpha > 0
        return Marks(visible & (picture.pixels != 0).any(axis=-1), "", "all of it is 0 or transparent")
    if mode == "color":
        return Marks(colourful(picture.pixels) & opaque, "", "no pixel of it is coloured")
    grey = picture.pixels.mean(axis=-1)
    bright = grey > full / 2
    seen = f"its grey is {grey.min():g} to {grey.max():g}, and half is {full / 2:g}"
    return Marks((bright if mode == "white" else ~bright) & opaque, "", seen)


def _palette(image: Image.Image) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Indices (H, W) and table (256, 4), RGBA, of a picture of mode P; None where Pillow sees no palette."""
    if image.mode != "P":
        return None
    table = palette_of(image)
    return np.asarray(image), np.pad(table, ((0, 256 - len(table)), (0, 0)))


def _scale_of(array: NDArray[Any]) -> float:
    """What stands for white in an array of numbers, none negative: what its type or its largest value suggests."""
    high = float(array.max())
    if array.dtype in (np.uint8, np.uint16):
        return full_scale(array)
    scales = (1.0, 255.0, 65535.0) if array.dtype.kind == "f" else (255.0, 65535.0)
    return next((scale for scale in scales if high <= scale), high)


def _as_text(box: Rectangle) -> str:
    return ",".join(map(str, box))


def _y_first(box: Rectangle) -> tuple[int, int, int, int]:
    x, y, width, height = box
    return y, x, height, width
