"""The picture of a fill as it grows, level by level: docs/images/levels.jpg.

python benchmarks/levels.py runs/free/pictures/coffee.png runs/free/removal/coffee.png docs/images/levels.jpg
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from patchloom import Inpainter, Mask, Photo, fill_settings
from patchloom.evaluation.peers import parse_settings
from patchloom.evaluation.pictures import Tile, contact_sheet, with_hole
from patchloom.events import Event, LevelDone


def grow(photo: Photo, mask: Mask, preset: str, changes: list[str]) -> list[Tile]:
    """The hole, what every level left, and the result; each cut to the window that was worked on."""
    seen: list[tuple[LevelDone, np.ndarray]] = []

    def observe(event: Event) -> None:
        if isinstance(event, LevelDone) and event.preview is not None:
            seen.append((event, np.asarray(event.preview())))

    settings = fill_settings(preset, **parse_settings(changes))
    result = Inpainter().inpaint(photo, mask, settings, observe=observe)
    x, y, width, height = seen[-1][0].box if seen else (0, 0, photo.width, photo.height)
    view = slice(y, y + height), slice(x, x + width)
    tiles = [Tile(with_hole(photo.pixels, mask.hole)[view], f"{preset}: hole")]
    for event, picture in seen:
        pixels = np.clip(picture * 255, 0, 255).astype(np.uint8)
        tiles.append(Tile(pixels, f"{event.stage}, {pixels.shape[1]} x {pixels.shape[0]}"))
    return [*tiles, Tile(result.photo.pixels[view], "result")]


def chosen(tiles: list[Tile], most: int) -> list[Tile]:
    """At most ``most`` of them, the first and the last ones kept, the others evenly thinned."""
    places = np.unique(np.linspace(0, len(tiles) - 1, min(most, len(tiles))).round().astype(int))
    return [tiles[place] for place in places]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("mask", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args()
    tiles = grow(Photo.open(given.photo), Mask.open(given.mask), given.preset, given.changes)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    image: Image.Image = contact_sheet([chosen(tiles, 9)], 240)
    image.save(given.out, quality=90)


if __name__ == "__main__":
    main()
