"""A seamless tile: :func:`tile` makes the opposite edges of a texture fit.

What lies along the edges, a cross once the picture is rolled by half, is a hole with neighbours on all sides, and
is filled so (``wrapping.py``).
"""

from dataclasses import replace
from typing import Any, Unpack

import numpy as np

from patchloom.errors import SettingsError
from patchloom.events import Observer, aloud, ignore
from patchloom.inpainter import FillResult, Inpainter
from patchloom.kinds import AnyPicture, as_photo, of_kind, same_kind
from patchloom.mask import Mask
from patchloom.overrides import FillOverrides
from patchloom.photo import Photo
from patchloom.settings import PRESETS, FillSettings, Preset, RunSettings, Wrap, fill_settings

BAND = 0.125
"""How wide what is filled is, in parts of the photo's shorter side."""


def tiled(
    photo: Photo,
    settings: FillSettings = PRESETS["balanced"],
    *,
    band: float = BAND,
    inpainter: Inpainter | None = None,
    observe: Observer = ignore,
) -> FillResult:
    """``photo`` with edges that fit: along ``settings.wrap``, or both ways where that is ``off``. Nothing guides.

    Half of ``band``, in parts of the photo's shorter side, is filled along every edge; the rest is kept bit for
    bit. Raises SettingsError for a band that leaves nothing, and what :meth:`Inpainter.inpaint` raises.
    """
    wrap = "xy" if settings.wrap == "off" else settings.wrap
    settings = replace(settings, wrap=wrap, guide_weight=0.0)  # no other picture is right; what guides, softens
    result = (inpainter or Inpainter()).inpaint(photo, Mask(edges(photo, wrap, band)), settings, observe=observe)
    return FillResult(result.photo, result.report | {"band": band})


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
    band: float = BAND,
    preset: Preset = "balanced",
    observe: Observer = aloud,
    run: RunSettings | None = None,
    **overrides: Unpack[FillOverrides],
) -> AnyPicture:
    """``photo`` as a seamless tile; the result is of the photo's kind (NumPy, Pillow or Photo) and size.

    ``band``: how wide what is filled at the seams is, in parts of the photo's shorter side. ``overrides`` are
    fields of :class:`FillSettings`; with ``wrap="x"`` only left and right are made to fit. Raises PatchloomError.

    >>> import numpy as np
    >>> photo = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
    >>> tile(photo, texture="none").shape
    (64, 64)
    """
    result = tiled(
        as_photo(photo), fill_settings(preset, **overrides), band=band, inpainter=Inpainter(run), observe=observe
    )
    return of_kind(photo, result.photo)
