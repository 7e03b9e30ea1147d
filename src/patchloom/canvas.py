"""How much canvas is wanted round a photograph, and where an object goes in it, as people say it."""

import math
from dataclasses import dataclass
from typing import NamedTuple, Self

from patchloom.errors import SettingsError

LONGEST = 10**9  # pixels of a margin that are understood


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
        margins = Margins(
            _length("left", self.left, width),
            _length("right", self.right, width),
            _length("top", self.top, height),
            _length("bottom", self.bottom, height),
        )
        if self.ratio:
            across, down = _ratio(self.ratio)
            wide, tall = width + margins.left + margins.right, height + margins.top + margins.bottom
            more_wide, more_tall = (
                max(0, round(tall * across / down) - wide),
                max(0, round(wide * down / across) - tall),
            )
            margins = Margins(
                margins.left + more_wide // 2,
                margins.right + more_wide - more_wide // 2,
                margins.top + more_tall // 2,
                margins.bottom + more_tall - more_tall // 2,
            )
        if not any(margins):
            raise SettingsError(
                "Nothing is added: the canvas is as large as the photo.", "Give {left 400}, or 10%."
            )
        return margins


@dataclass(frozen=True)
class Place:
    """Where an object's centre goes: ``x``, ``y`` in pixels of the photograph, its size times ``scale``, turned
    counter-clockwise by ``angle`` degrees."""

    x: float
    y: float
    scale: float = 1.0
    angle: float = 0.0

    def __post_init__(self) -> None:
        values = (self.x, self.y, self.scale, self.angle)
        if not all(map(math.isfinite, values)) or not 0.01 <= self.scale <= 100:
            raise SettingsError(
                f"An object cannot be put at {self.x:g},{self.y:g},{self.scale:g},{self.angle:g}.",
                "Give x,y,scale,angle with a scale from 0.01 to 100.",
            )

    @classmethod
    def from_text(cls, text: str) -> Self:
        """From ``x,y``, ``x,y,scale`` or ``x,y,scale,angle``. Raises SettingsError."""
        try:
            values = [float(part) for part in text.split(",")]
        except ValueError:
            values = []
        if not 2 <= len(values) <= 4:
            raise SettingsError(f"'{text[:40]}' is not x,y[,scale[,angle]].", "For example 320,240,0.5.")
        return cls(*values)


def _length(side: str, text: str, whole: int) -> int:
    """``400``, or ``10%`` of ``whole``, in pixels. Raises SettingsError."""
    number, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        value = float(number) * whole / 100 if percent else int(number)
        if 0 <= value <= LONGEST:
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
