"""The pictures of docs/harmonise.md, docs/references.md and docs/further.md, from scikit-image's photographs.

    python benchmarks/beyond_pictures.py docs/pictures

coffee, gravel and rocket (CC0), astronaut (NASA, public domain).
"""

import sys
from pathlib import Path

import numpy as np
import skimage.data
from harmonise import changed
from PIL import Image, ImageDraw
from references import another_camera

from patchloom import extend, harmonise, inpaint, paste, tile

GAP = 8


def drawn(size: tuple[int, int], *ellipses: tuple[int, int, int, int]) -> np.ndarray:
    """(H, W) bool: the first ellipse without the others."""
    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    for number, box in enumerate(ellipses):
        pen.ellipse(box, fill=0 if number else 255)
    return np.array(mask) > 0


def row(*pictures: np.ndarray, width: int = 480) -> Image.Image:
    """Side by side, each ``width`` pixels wide."""
    small = [
        Image.fromarray(each).resize((width, round(width * each.shape[0] / each.shape[1]))) for each in pictures
    ]
    sheet = Image.new("RGB", (len(small) * (width + GAP) - GAP, small[0].height), "white")
    for number, each in enumerate(small):
        sheet.paste(each, (number * (width + GAP), 0))
    return sheet


def main() -> None:
    folder = Path(sys.argv[1])
    coffee, rocket = np.asarray(skimage.data.coffee()), np.asarray(skimage.data.rocket())
    astronaut = np.asarray(skimage.data.astronaut())
    size = (coffee.shape[1], coffee.shape[0])
    cup = drawn(size, (148, 60, 448, 322), (395, 80, 470, 170))
    light = {"exposure": -0.7, "warmth": -0.3, "tint": 0.05, "noise": 0.02}
    other = np.where(cup[..., None], changed(coffee, light, np.random.default_rng(3)), coffee)
    row(other, harmonise(other, cup), coffee).save(folder / "harmonise.jpg", quality=88)

    pen = Image.fromarray(drawn(size, (77, 68, 478, 382)))
    ImageDraw.Draw(pen).polygon([(172, 90), (200, 20), (330, 15), (405, 75), (425, 60), (420, 130)], fill=1)
    saucer = np.array(pen)
    tall = []
    for photo, at, light in (
        (rocket, (140, 330, 0.45), {"exposure": 0.3}),
        (astronaut, (380, 420, 0.5), {"exposure": -1.0, "warmth": 0.3, "noise": 0.03}),
    ):
        thing = changed(coffee, light, np.random.default_rng(3))
        pair = [paste(photo, thing, at, mask=saucer, strength=strength) for strength in (0.0, 1.0)]
        tall.append(row(*pair))
    sheet = Image.new("RGB", (tall[0].width, sum(each.height + GAP for each in tall) - GAP), "white")
    sheet.paste(tall[0], (0, 0))
    sheet.paste(tall[1], (0, tall[0].height + GAP))
    sheet.save(folder / "paste.jpg", quality=88)

    hole = drawn(size, (90, 180, 330, 380))
    shot = np.where(hole[..., None], (255, 0, 255), coffee).astype(np.uint8)
    reference = another_camera(coffee, np.random.default_rng(5))
    filled = [inpaint(shot, hole, references=given) for given in ([], [reference])]
    reference = np.array(Image.fromarray(reference).resize(size))
    row(shot, reference, *filled, width=360).save(folder / "references.jpg", quality=88)
    further(coffee).save(folder / "further.jpg", quality=88)


def further(photo: np.ndarray, height: int = 300) -> Image.Image:
    """``photo``, the same wider, gravel laid twice both ways, and its tile laid so; of one ``height``."""
    gravel = np.repeat(np.asarray(skimage.data.gravel())[..., None], 3, axis=2)
    laid = [np.tile(each, (2, 2, 1)) for each in (gravel, tile(gravel))]
    shown = [
        Image.fromarray(each).resize((round(height * each.shape[1] / each.shape[0]), height))
        for each in (photo, extend(photo, left="25%", right="12.5%"), *laid)
    ]
    sheet = Image.new("RGB", (sum(each.width + GAP for each in shown) - GAP, height), "white")
    for number, each in enumerate(shown):
        sheet.paste(each, (sum(before.width + GAP for before in shown[:number]), 0))
    return sheet


if __name__ == "__main__":
    main()
