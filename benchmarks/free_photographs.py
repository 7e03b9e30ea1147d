"""Writes freely licensed photographs and hand-made masks, for the pictures of docs/results.md.

    python benchmarks/free_photographs.py runs/free

The photographs come with scikit-image: astronaut (NASA, public domain), chelsea, coffee and rocket (CC0). Folders:
pictures/, small/ (the same, 320 px wide), removal/ (an object is marked), impossible/ (what cannot be known
from the rest).
"""

import argparse
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageDraw

Shape = tuple[str, list[tuple[int, int]], int]  # kind, points (x, y), radius

REMOVAL: dict[str, list[Shape]] = {
    "astronaut": [
        ("polygon", [(352, 206), (376, 84), (398, -4), (440, -4), (458, 30), (464, 278), (352, 290)], 4)
    ],
    "chelsea": [("line", [(8, 150), (120, 60), (210, 120), (300, 40)], 4), ("line", [(150, 290), (330, 180)], 4)],
    "coffee": [("line", [(392, 218), (366, 284)], 46)],
    "rocket": [("polygon", [(306, 110), (348, 110), (352, 404), (302, 404)], 4)],
}
IMPOSSIBLE: dict[str, list[Shape]] = {
    "astronaut": [("line", [(222, 100), (222, 140)], 44)],
    "chelsea": [("line", [(170, 112), (176, 118)], 48)],
    "coffee": [("line", [(240, 100), (330, 100)], 60)],
    "rocket": [("line", [(40, 190), (60, 190)], 60)],
}


def draw(size: tuple[int, int], shapes: list[Shape]) -> Image.Image:
    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    for kind, points, radius in shapes:
        if kind == "polygon":
            pen.polygon(points, fill=255)
        pen.line([*points, points[0]] if kind == "polygon" else points, fill=255, width=2 * radius, joint="curve")
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return mask


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    for folder in ("pictures", "small", "removal", "impossible"):
        (given.out / folder).mkdir(parents=True, exist_ok=True)
    for name in REMOVAL:
        photo = Image.fromarray(np.asarray(getattr(skimage.data, name)()))
        photo.save(given.out / "pictures" / f"{name}.png")
        small = photo.resize((320, round(320 * photo.height / photo.width)), Image.Resampling.LANCZOS)
        small.save(given.out / "small" / f"{name}.png")
        draw(photo.size, REMOVAL[name]).save(given.out / "removal" / f"{name}.png")
        draw(photo.size, IMPOSSIBLE[name]).save(given.out / "impossible" / f"{name}.png")
    print(f"{len(REMOVAL)} photographs in {given.out}")


if __name__ == "__main__":
    main()
