"""patchloom: fill a hole in a photograph so that people can't tell.

>>> from patchloom import inpaint
>>> filled = inpaint(photo, mask)                       # doctest: +SKIP

``photo`` and ``mask`` are NumPy arrays or Pillow pictures, the result is of the photo's kind. Keep networks
loaded between calls with :class:`Inpainter`. Importing this package loads neither torch nor numba.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_EXPORTS = {
    "inpaint": "inpainter",
    "Inpainter": "inpainter",
    "FillResult": "inpainter",
    "Photo": "photo",
    "Mask": "mask",
    "FillSettings": "settings",
    "RunSettings": "settings",
    "PRESETS": "settings",
    "fill_settings": "settings",
    "CancelToken": "events",
    "PatchloomError": "errors",
    "SettingsError": "errors",
    "MissingExtra": "errors",
    "InputError": "errors",
    "PhotoError": "errors",
    "MaskError": "errors",
    "WeightsError": "errors",
    "BudgetError": "errors",
    "OutputError": "errors",
    "Cancelled": "errors",
}

__all__ = ["__version__", "errors", "events", *_EXPORTS]

if TYPE_CHECKING:
    from patchloom import errors, events
    from patchloom.errors import (
        BudgetError,
        Cancelled,
        InputError,
        MaskError,
        MissingExtra,
        OutputError,
        PatchloomError,
        PhotoError,
        SettingsError,
        WeightsError,
    )
    from patchloom.events import CancelToken
    from patchloom.inpainter import FillResult, Inpainter, inpaint
    from patchloom.mask import Mask
    from patchloom.photo import Photo
    from patchloom.settings import PRESETS, FillSettings, RunSettings, fill_settings


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(f"patchloom.{_EXPORTS[name]}"), name)
    if name in ("errors", "events"):
        return importlib.import_module(f"patchloom.{name}")
    raise AttributeError(f"module 'patchloom' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
