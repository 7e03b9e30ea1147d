"""Donors: pictures that cannot be aligned, whose texture may be copied; what of them fits a window best."""

import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from patchloom.arrays import Bools, Bytes
from patchloom.formats.picture import to_eight_bit
from patchloom.kinds import as_rgb_bytes
from patchloom.method.atlas import best_match
from patchloom.method.pyramid import Level
from patchloom.photo import Photo
from patchloom.references import Reference, Used, offers_texture
from patchloom.settings import FillSettings

MOST = 6_000_000  # pixels of all donors of a window


class Donors:
    """Pictures to copy from, and how much of the hole was copied from each."""

    def __init__(self, references: Sequence[Reference], used: Sequence[Used], settings: FillSettings) -> None:
        """Those of ``references``, whose alignment gave the rows ``used``, that offer their texture."""
        self.used = used
        self.pictures = {
            number: _pixels(reference.photo)
            for number, (reference, row) in enumerate(zip(references, used, strict=True))
            if offers_texture(row, settings)
        }
        self._lock = threading.Lock()  # windows are filled at the same time
        self._pixels = 0  # of the holes of windows
        self._copied = [0.0] * len(references)  # of them, from each

    def of(self, window: Level) -> dict[int, Level]:
        """Levels of the size of ``window`` by the references' numbers, best first; as many as there is room
        for."""
        found: list[tuple[float, int, Level]] = []
        for number, (colours, opaque) in self.pictures.items():
            match = best_match(window, colours, opaque)
            if match is not None:
                found.append((match.distance, number, match.level))
        found.sort(key=lambda one: one[:2])
        return {number: level for _, number, level in found[: MOST // window.hole.size]}

    def count(self, numbers: Sequence[int], hole: int, shares: Sequence[float]) -> None:
        """Adds a window of ``hole`` pixels, of which such ``shares`` were copied from the donors ``numbers``."""
        with self._lock:
            self._pixels += hole
            for number, share in zip(numbers, shares, strict=False):
                self._copied[number] += share * hole

    def rows(self) -> list[dict[str, Any]]:
        """A row a reference for the report, with what was copied from it."""
        part = 1 / max(1, self._pixels)
        return [
            asdict(replace(row, texture=round(copied * part, 4)))
            for row, copied in zip(self.used, self._copied, strict=True)
        ]


def _pixels(photo: Photo) -> tuple[Bytes, Bools]:
    """(H, W, 3), and where the picture is not transparent, (H, W)."""
    height, width = photo.pixels.shape[:2]
    opaque = np.broadcast_to(True, (height, width)) if photo.alpha is None else to_eight_bit(photo.alpha) == 255
    return as_rgb_bytes(photo.pixels), opaque
