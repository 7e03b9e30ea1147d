"""Several fills of the same hole, one a seed: their names, and a contact sheet to choose from."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from patchloom.filling import Filled, Prepared
from patchloom.formats.picture import to_eight_bit
from patchloom.mask import Mask
from patchloom.tensors.boxes import bounds

TILE = 360  # pixels, the longer side of one picture of the sheet
_GAP = 8
_LABEL = 18
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
    pictures = [prepared.photo, *(filled.photo for filled in fills)]
    rows, columns = _about(prepared.hole)
    parts = [Image.fromarray(to_eight_bit(picture.pixels[rows, columns])) for picture in pictures]
    for part in parts:
        part.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
    labels = ["before", *(f"seed {filled.report['settings']['seed']}" for filled in fills)]
    width, height = parts[0].size
    across = int(np.ceil(np.sqrt(len(parts) * height / width)))
    down = -(-len(parts) // across)
    step = (width + _GAP, height + _LABEL + _GAP)
    sheet = Image.new("RGB", (across * step[0] + _GAP, down * step[1] + _GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (part, label) in enumerate(zip(parts, labels, strict=True)):
        x, y = _GAP + number % across * step[0], _GAP + number // across * step[1]
        sheet.paste(part.convert("RGB"), (x, y))
        draw.text((x, y + height + 3), label, fill="black")
    data = io.BytesIO()
    sheet.save(data, "PNG")
    return data.getvalue()


def _about(hole: Mask) -> tuple[slice, slice]:
    """The rows and columns of all holes and what lies around them."""
    height, width = hole.hole.shape
    if not hole.hole.any():
        return slice(0, height), slice(0, width)
    box = bounds(hole.hole)
    return box.widened(int(_AROUND * max(box.size)) + 8, hole.hole.shape).slices
