"""Pictures for people: the hole's surroundings side by side, as contact sheets and as data in a page."""

import base64
import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from patchloom.arrays import Bytes

HOLE_COLOR = (255, 0, 255)  # seldom in photographs


class Tile(NamedTuple):
    picture: Bytes  # (H, W, 3)
    label: str


def with_hole(truth: Bytes, hole: NDArray[np.bool_]) -> Bytes:
    """The truth with its hole painted over."""
    return np.where(hole[..., None], np.array(HOLE_COLOR, np.uint8), truth)


def view_of(hole: NDArray[np.bool_], margin: float = 0.35) -> tuple[slice, slice]:
    """Rows and columns of the hole's box and what is around it: ``margin`` of the box a side, at least 24 px."""
    spans = []
    for axis in (1, 0):
        used = np.flatnonzero(hole.any(axis=axis))
        around = max(24, round((used[-1] - used[0]) * margin))
        spans.append(slice(max(0, int(used[0]) - around), min(hole.shape[1 - axis], int(used[-1]) + 1 + around)))
    return spans[0], spans[1]


def contact_sheet(rows: Sequence[Sequence[Tile]], side: int = 256) -> Image.Image:
    """One line of tiles a row, each fitted into ``side`` x ``side`` with its label below."""
    height, width = side + 20, side + 4
    sheet = Image.new("RGB", (max(len(row) for row in rows) * width, len(rows) * height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for r, row in enumerate(rows):
        for c, tile in enumerate(row):
            sheet.paste(_fitted(tile.picture, side), (c * width + 2, r * height + 2))
            draw.text((c * width + 3, r * height + side + 3), tile.label, fill="black", font=font)
    return sheet


def _fitted(picture: Bytes, side: int) -> Image.Image:
    scale = side / max(picture.shape[:2])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return Image.fromarray(np.ascontiguousarray(picture)).resize(size, Image.Resampling.LANCZOS)


def as_data(picture: Bytes, side: int | None = None, quality: int = 85) -> str:
    """A data: URL of a JPEG, at native size or fitted into ``side`` x ``side``."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    if side is not None and max(picture.shape[:2]) > side:
        image = _fitted(picture, side)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
