"""A seamless tile: :func:`tile` makes the opposite edges of a texture fit.

What lies along the edges, a cross once the picture is rolled by half, is a hole with neighbours on all sides, and
is filled so (``wrapping.py``). A pattern that repeats fits itself where it is cut to whole repeats; then a narrow
cross is enough.
"""

import math
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from patchloom.arrays import Floats
from patchloom.errors import SettingsError
from patchloom.events import Observer, aloud, ignore
from patchloom.formats.picture import as_unit
from patchloom.formats.sizes import of_size
from patchloom.inpainter import FillResult, Inpainter
from patchloom.kinds import AnyPicture, as_photo, of_kind, same_kind
from patchloom.mask import Mask
from patchloom.overrides import FillOverrides
from patchloom.photo import Photo
from patchloom.settings import PRESETS, FillSettings, Preset, RunSettings, Wrap, fill_settings
from patchloom.tensors.correlation import differences

BAND = 0.125
"""How wide what is filled is, in parts of the photo's shorter side."""
BAND_OF_REPEATS = 0.03
"""The same where the photo is cut to whole repeats."""
LEAST_SIDE = 16  # pixels; a shorter side shows no pattern
LEAST_KEPT, MOST_KEPT = 0.5, 0.875  # of a side that is cut to whole repeats
AS_GOOD = 1.5  # times the least difference of any length; the greatest length that is as good is kept
ALIKE = 0.35  # of the mean difference over all shifts that may be left at a whole repeat


def tiled(
    photo: Photo,
    settings: FillSettings = PRESETS["balanced"],
    *,
    band: float | None = None,
    repeat: bool = False,
    inpainter: Inpainter | None = None,
    observe: Observer = ignore,
) -> FillResult:
    """``photo`` with edges that fit: along ``settings.wrap``, or both ways where that is ``off``. Nothing guides.

    Half of ``band`` (:data:`BAND`), in parts of the photo's shorter side, is filled along every edge; the rest is
    kept bit for bit. With ``repeat`` the photo is first cut to whole repeats of its pattern, and the band is
    narrower (:data:`BAND_OF_REPEATS`). Raises SettingsError for a band that leaves nothing and for a photo where
    nothing repeats, and what :meth:`Inpainter.inpaint` raises.
    """
    wrap = "xy" if settings.wrap == "off" else settings.wrap
    if band is None:
        band = BAND_OF_REPEATS if repeat else BAND
    if repeat:
        photo = _cut_to_repeats(photo, wrap)
    hole = edges(photo, wrap, band)
    settings = replace(settings, wrap=wrap, guide_weight=0.0)  # no other picture is right; what guides, softens
    result = (inpainter or Inpainter()).inpaint(photo, Mask(hole), settings, observe=observe)
    return FillResult(result.photo, result.report | {"band": band})


def repeats(picture: Floats, axis: int) -> int | None:
    """How much of a ``picture`` (H, W) along ``axis`` is whole repeats of what it shows: from half of it to seven
    eighths; None where nothing repeats there, or nothing changes."""
    if picture.shape[axis] < LEAST_SIDE:
        return None
    left = differences(picture, axis)
    least, most = math.ceil(LEAST_KEPT * len(left)), math.floor(MOST_KEPT * len(left))
    inner = left[least : most + 1]
    best = (
        (inner <= left[least - 1 : most])
        & (inner <= left[least + 1 : most + 2])
        & (inner <= AS_GOOD * inner.min())
    )
    found = least + int(np.flatnonzero(best).max(initial=int(inner.argmin())))
    return found if left[found] < ALIKE * left[: most + 1].mean() else None


def _cut_to_repeats(photo: Photo, wrap: Wrap) -> Photo:
    """The middle of ``photo`` as long, along ``wrap``, as whole repeats are. Raises SettingsError."""
    grey = as_unit(photo.pixels).mean(2)
    lengths = [repeats(grey, axis) if name in wrap else None for axis, name in enumerate("yx")]
    if not any(lengths):
        raise SettingsError("Nothing in the photo repeats evenly.", "Leave out {repeat}.")
    height, width = (length or side for length, side in zip(lengths, grey.shape, strict=True))
    top, left = (photo.height - height) // 2, (photo.width - width) // 2

    def part(grid: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(grid[top : top + height, left : left + width])

    return replace(
        photo,
        pixels=part(photo.pixels),
        alpha=None if photo.alpha is None else part(photo.alpha),
        extra=None if photo.extra is None else part(photo.extra),
        metadata=of_size(photo.metadata, width, height),
    )


def edges(photo: Photo, wrap: Wrap, band: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(H, W): what lies within half a ``band`` of the edges that are to fit. Raises SettingsError."""
    if not 0 < band <= 0.5:
        raise SettingsError(f"The band is {band:g} of the photo.", "Give from 0.01 to 0.5 of its shorter side.")
    half = max(1, round(band * min(photo.width, photo.height) / 2))
    hole = np.ones((photo.height, photo.width), bool)
    down, across = half * ("y" in wrap), half * ("x" in wrap)
    hole[down : photo.height - down, across : photo.width - across] = False
    return hole


@same_kind
def tile(
    photo: AnyPicture,
    *,
    band: float | None = None,
    repeat: bool = False,
    preset: Preset = "balanced",
    observe: Observer = aloud,
    run: RunSettings | None = None,
    **overrides: Unpack[FillOverrides],
) -> AnyPicture:
    """``photo`` as a seamless tile; the result is of the photo's kind (NumPy, Pillow or Photo) and size.

    ``band``: how wide what is filled at the seams is, in parts of the photo's shorter side; .125, with ``repeat``
    .03. ``repeat``: the photo is first cut to whole repeats of its pattern, such as bricks'. ``overrides`` are
    fields of :class:`FillSettings`; with ``wrap="x"`` only left and right are made to fit. Raises PatchloomError.

    >>> import numpy as np
    >>> photo = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
    >>> tile(photo, texture="none").shape
    (64, 64)
    """
    result = tiled(
        as_photo(photo),
        fill_settings(preset, **overrides),
        band=band,
        repeat=repeat,
        inpainter=Inpainter(run),
        observe=observe,
    )
    return of_kind(photo, result.photo)
