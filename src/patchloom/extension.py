"""A wider canvas: :func:`extend` continues a photograph beyond its frame.

What lies beyond is a hole like any other, at the border of a larger picture. The photograph mirrored at its frame
is offered beside it: what reaches the frame then has a continuation to copy, where nothing inside looks like one.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from patchloom.errors import SettingsError, TooLarge
from patchloom.events import Observer, ignore
from patchloom.formats.sizes import of_size
from patchloom.inpainter import FillResult, Inpainter
from patchloom.kinds import AnyPicture, as_photo, of_kind
from patchloom.mask import Mask
from patchloom.photo import MAX_PIXELS, Photo
from patchloom.references import Reference
from patchloom.settings import PRESETS, FillSettings, RunSettings, fill_settings


class Margins(NamedTuple):
    """What is added on each side, in pixels."""

    left: int = 0
    right: int = 0
    top: int = 0
    bottom: int = 0

    @property
    def around(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Above and below, left and right, as ``numpy.pad`` takes them."""
        return (self.top, self.bottom), (self.left, self.right)


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """The canvas that is wanted: each side's margin in pixels (``400``) or in parts of the photograph's width or
    height (``10%``); with ``ratio`` (``16:9``) as much more on both sides of one direction as gives that ratio of
    width to height."""

    left: str = "0"
    right: str = "0"
    top: str = "0"
    bottom: str = "0"
    ratio: str = ""

    def margins(self, width: int, height: int) -> Margins:
        """For a photograph of that size. Raises SettingsError for what says nothing, or nothing to add."""
        asked = Margins(
            _length("left", self.left, width),
            _length("right", self.right, width),
            _length("top", self.top, height),
            _length("bottom", self.bottom, height),
        )
        if self.ratio:
            across, down = _ratio(self.ratio)
            wide, tall = width + asked.left + asked.right, height + asked.top + asked.bottom
            more_wide, more_tall = (
                max(0, round(tall * across / down) - wide),
                max(0, round(wide * down / across) - tall),
            )
            asked = Margins(
                asked.left + more_wide // 2,
                asked.right + more_wide - more_wide // 2,
                asked.top + more_tall // 2,
                asked.bottom + more_tall - more_tall // 2,
            )
        if not any(asked):
            raise SettingsError(
                "Nothing is added: the canvas is as large as the photo.", "Give --left 400, or 10%."
            )
        return asked


def extended(
    photo: Photo,
    frame: Frame,
    settings: FillSettings = PRESETS["balanced"],
    *,
    inpainter: Inpainter | None = None,
    observe: Observer = ignore,
) -> FillResult:
    """``photo`` on the canvas that ``frame`` asks for, what lies beyond it filled.

    The photograph's own pixels are kept bit for bit, its metadata says the new size. Raises SettingsError for a
    frame that adds nothing, TooLarge for one beyond :data:`~patchloom.photo.MAX_PIXELS`, and what
    :meth:`Inpainter.inpaint` raises.
    """
    margins = frame.margins(photo.width, photo.height)
    canvas = _on_canvas(photo, margins)
    beyond = np.pad(np.zeros((photo.height, photo.width), bool), margins.around, constant_values=True)
    mirrored = np.pad(photo.pixels, (*margins.around, (0, 0)), mode="symmetric")
    mirror = Reference(Photo(mirrored), "the photo mirrored at its frame", texture_only=True)
    settings = replace(settings, grow=0, feather=0)  # nothing of the photo is filled
    result = (inpainter or Inpainter()).inpaint(
        canvas, Mask(beyond), settings, references=[mirror], observe=observe
    )
    return FillResult(result.photo, result.report | {"margins": margins._asdict()})


def extend(
    photo: AnyPicture,
    *,
    left: int | str = 0,
    right: int | str = 0,
    top: int | str = 0,
    bottom: int | str = 0,
    ratio: str = "",
    preset: str = "balanced",
    observe: Observer = ignore,
    run: RunSettings | None = None,
    **overrides: Any,
) -> Any:
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


def _on_canvas(photo: Photo, margins: Margins) -> Photo:
    """The photograph with its outermost pixels repeated beyond it, and metadata of that size. Raises TooLarge."""
    width = photo.width + margins.left + margins.right
    height = photo.height + margins.top + margins.bottom
    if width * height > MAX_PIXELS:
        raise TooLarge(
            f"The canvas would have {width} x {height} pixels; the limit is {MAX_PIXELS / 1e6:.0f} million.",
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


def _length(side: str, text: str, whole: int) -> int:
    """``400``, or ``10%`` of ``whole``, in pixels. Raises SettingsError."""
    number, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        value = float(number) * whole / 100 if percent else int(number)
        if 0 <= value <= MAX_PIXELS:
            return round(value)
    except ValueError:
        pass
    raise SettingsError(f"{side} is '{text[:40]}'.", f"Give {side} in pixels or percent: 400, or 10%.")


def _ratio(text: str) -> tuple[float, float]:
    """``16:9`` as two numbers. Raises SettingsError."""
    try:
        across, down = (float(part) for part in text.split(":"))
        if 0.01 <= across / down <= 100:
            return across, down
    except (ValueError, ZeroDivisionError):
        pass
    raise SettingsError(f"ratio is '{text[:40]}'.", "Give width and height, for example 16:9.")
