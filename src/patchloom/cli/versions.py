"""Several fills of the same hole, one a seed: their names, and a contact sheet to choose from."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from patchloom.evaluation import pictures
from patchloom.filling import Filled, Prepared
from patchloom.kinds import as_rgb_bytes
from patchloom.mask import Mask
from patchloom.tensors.boxes import bounds

TILE = 360  # pixels, the longer side of one picture of the sheet
_AROUND = 0.6  # of the hole's longer side, shown about it


def names(output: str, count: int) -> list[str]:
    """``clean.jpg`` -> ``clean-1.jpg``, ``clean-2.jpg``, ..."""
    path = Path(output)
    return [str(path.with_name(f"{path.stem}-{number}{path.suffix}")) for number in range(1, count + 1)]


def sheet_name(output: str) -> str:
    """``clean.jpg`` -> ``clean-versions.png``."""
    return str(Path(output).with_name(f"{Path(output).stem}-versions.png"))


def contact_sheet(prepared: Prepared, fills: Sequence[Filled]) -> bytes:
    """A PNG: the photo and each fill about the hole, in eight bits, with the seeds under them."""
    rows, columns = _about(prepared.hole)
    labels = ["before", *(f"seed {filled.report['settings']['seed']}" for filled in fills)]
    tiles = [
        pictures.Tile(as_rgb_bytes(photo.pixels[rows, columns]), label)
        for photo, label in zip((prepared.photo, *(filled.photo for filled in fills)), labels, strict=True)
    ]
    height, width = tiles[0].picture.shape[:2]
    across = int(np.ceil(np.sqrt(len(tiles) * height / width)))
    data = io.BytesIO()
    in_rows = [tiles[first : first + across] for first in range(0, len(tiles), across)]
    pictures.contact_sheet(in_rows, TILE).save(data, "PNG")
    return data.getvalue()


def _about(hole: Mask) -> tuple[slice, slice]:
    """The rows and columns of all holes and what lies around them."""
    height, width = hole.hole.shape
    if not hole.hole.any():
        return slice(0, height), slice(0, width)
    box = bounds(hole.hole)
    return box.widened(int(_AROUND * max(box.size)) + 8, hole.hole.shape).slices
