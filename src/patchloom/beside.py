"""Pictures that cannot be aligned, as a source of texture: for every window what of them fits it best."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Self

import numpy as np

from patchloom.formats.picture import to_eight_bit
from patchloom.method.atlas import placed
from patchloom.method.pyramid import Level
from patchloom.references import Reference, Used, offers_texture
from patchloom.settings import FillSettings

MOST = 6_000_000  # pixels of all that lies beside a window


class Beside:
    """Pictures beside windows, and how much of the hole was copied from each."""

    def __init__(self, references: Sequence[Reference]) -> None:
        self.references = references
        self.pixels = 0  # of the holes of windows
        self.copied = [0.0] * len(references)  # of them, from each

    @classmethod
    def chosen(cls, references: Sequence[Reference], used: Sequence[Used], settings: FillSettings) -> Self:
        """Those of ``references``, whose alignment gave the rows ``used``, that offer their texture."""
        return cls([one for one, row in zip(references, used, strict=True) if offers_texture(row, settings)])

    def of(self, window: Level) -> dict[int, Level]:
        """Levels of the size of ``window`` by the pictures' numbers, best first; as many as there is room for."""
        found: list[tuple[float, int, Level]] = []
        for number, reference in enumerate(self.references):
            photo = reference.photo
            colours = to_eight_bit(photo.pixels)
            colours = colours if colours.shape[2] == 3 else np.repeat(colours, 3, 2)
            shown = np.ones(colours.shape[:2], bool) if photo.alpha is None else to_eight_bit(photo.alpha) == 255
            place = placed(window, colours, shown)
            if place is not None:
                found.append((place.miss, number, place.level))
        found.sort(key=lambda one: one[:2])
        return {number: level for _, number, level in found[: MOST // window.hole.size]}

    def count(self, numbers: Sequence[int], hole: int, records: Sequence[dict[str, Any]]) -> None:
        """Adds a window of ``hole`` pixels, whose fill's ``records`` say what was copied from the pictures."""
        self.pixels += hole
        shares: list[float] = next((row["others"] for row in reversed(records) if "others" in row), [])
        for number, share in zip(numbers, shares, strict=False):
            self.copied[number] += share * hole

    def rows(self, used: Sequence[Used]) -> list[dict[str, Any]]:
        """``used`` for the report, with what was copied."""
        shares = dict(zip((one.name for one in self.references), self.copied, strict=True))
        part = 1 / max(1, self.pixels)
        return [asdict(replace(row, texture=round(shares.get(row.name, 0.0) * part, 4))) for row in used]
