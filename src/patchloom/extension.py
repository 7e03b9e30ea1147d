"""A wider canvas: :func:`extend` continues a photograph beyond its frame.

What lies beyond is a hole like any other, at the border of a larger picture. (The photograph mirrored at its
frame, laid beside it to copy from, bends what crosses the frame aslant and makes two of what touches it:
docs/further.md.)
"""

from dataclasses import replace
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from patchloom.canvas import Frame, Margins
from patchloom.errors import TooLarge
from patchloom.events import Observer, aloud, ignore
from patchloom.formats.sizes import of_size
from patchloom.inpainter import FillResult, Inpainter
from patchloom.kinds import AnyPicture, as_photo, of_kind, same_kind
from patchloom.mask import Mask
from patchloom.overrides import FillOverrides
from patchloom.photo import MAX_PIXELS, Photo
from patchloom.settings import PRESETS, FillSettings, Preset, RunSettings, fill_settings


def extended(
    photo: Photo,
    frame: Frame,
    settings: FillSettings = PRESETS["balanced"],
    *,
    inpainter: Inpainter | None = None,
    max_pixels: int = MAX_PIXELS,
    observe: Observer = ignore,
) -> FillResult:
    """``photo`` on the canvas that ``frame`` asks for, what lies beyond it filled.

    The photograph's own pixels are kept bit for bit, its metadata says the new size. Raises SettingsError for a
    frame that adds nothing, TooLarge for one of more than ``max_pixels``, and what
    :meth:`Inpainter.inpaint` raises.
    """
    margins = frame.margins(photo.width, photo.height)
    canvas = _on_canvas(photo, margins, max_pixels)
    beyond = np.pad(np.zeros((photo.height, photo.width), bool), margins.around, constant_values=True)
    settings = replace(settings, grow=0, feather=0)  # nothing of the photo is filled
    result = (inpainter or Inpainter()).inpaint(canvas, Mask(beyond), settings, observe=observe)
    return FillResult(result.photo, result.report | {"margins": margins._asdict()})


@same_kind
def extend(
    photo: AnyPicture,
    *,
    left: int | str = 0,
    right: int | str = 0,
    top: int | str = 0,
    bottom: int | str = 0,
    ratio: str = "",
    preset: Preset = "balanced",
    observe: Observer = aloud,
    run: RunSettings | None = None,
    **overrides: Unpack[FillOverrides],
) -> AnyPicture:
    """``photo`` with a wider canvas, filled; the result is of the photo's kind (NumPy, Pillow or Photo).

    ``left``, ``right``, ``top``, ``bottom``: pixels, or parts of the photo's width or height such as ``"10%"``.
    ``ratio``, such as ``"16:9"``: as much more on both sides of one direction as gives it. ``overrides`` are
    fields of :class:`FillSettings`. Raises PatchloomError.

    >>> import numpy as np
    >>> photo = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
    >>> extend(photo, bottom="25%", texture="none").shape
    (80, 64)
    """
    frame = Frame(left=str(left), right=str(right), top=str(top), bottom=str(bottom), ratio=ratio)
    settings = fill_settings(preset, **overrides)
    result = extended(as_photo(photo), frame, settings, inpainter=Inpainter(run), observe=observe)
    return of_kind(photo, result.photo)


def _on_canvas(photo: Photo, margins: Margins, max_pixels: int) -> Photo:
    """The photograph with its outermost pixels repeated beyond it, and metadata of that size. Raises TooLarge."""
    width = photo.width + margins.left + margins.right
    height = photo.height + margins.top + margins.bottom
    if width * height > max_pixels:
        raise TooLarge(
            f"The canvas would have {width} x {height} pixels; the limit is {max_pixels / 1e6:.0f} million.",
            "Add less.",
        )

    def wider(grid: NDArray[Any] | None) -> NDArray[Any] | None:
        if grid is None:
            return None
        return np.pad(grid, (*margins.around, (0, 0))[: grid.ndim], mode="edge")

    pixels = wider(photo.pixels)
    assert pixels is not None
    metadata = of_size(photo.metadata, width, height)
    return replace(photo, pixels=pixels, alpha=wider(photo.alpha), extra=wider(photo.extra), metadata=metadata)
