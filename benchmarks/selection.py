"""How well one scribble finds an object: mean overlap with known outlines of thirty objects.

    python benchmarks/selection.py [--pictures FOLDER]

Eight objects were outlined by hand on scikit-image's photographs (coffee: Rachel Michetti, CC0; astronaut: NASA,
public domain; camera: Lav Varshney, CC0; rocket: SpaceX, CC0); ten are coins of its picture of coins (Brooklyn
Museum, no known restrictions), whose outlines are ellipses; twelve are pieces of one photograph laid into another,
with soft rims. The scribble is one stroke along the object's longer axis, as wide as five pixels; with --tap, a
dot where the object is widest.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage import data, draw

from patchloom.selection import OBJECT, outline


def _points(text: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]


OUTLINES = {
    "patch": ("astronaut", [(170.5 + 37 * np.cos(t), 386 + 37 * np.sin(t)) for t in np.linspace(0, 6.28, 60)]),
    "head": (
        "astronaut",
        _points(
            "153,70 160,50 185,35 215,18 240,15 270,22 290,40 299,65 301,90 295,115 280,130 268,137 262,160 "
            "255,178 235,189 215,188 190,178 184,150 181,135 175,128 160,115 153,95"
        ),
    ),
    "helmet": (
        "astronaut",
        _points(
            "278,512 277,480 283,430 300,390 330,365 365,347 400,344 430,352 460,375 480,405 492,440 498,455 "
            "507,460 510,500 508,512"
        ),
    ),
    "shuttle": (
        "astronaut",
        _points(
            "380,45 388,40 397,50 398,15 410,0 426,0 436,20 437,45 443,40 452,52 455,90 455,235 459,265 "
            "470,275 400,290 370,278 385,270 366,268 372,248 382,228 354,224 354,212 380,180 380,110 380,60"
        ),
    ),
    "man": (
        "camera",
        _points(
            "0,260 30,235 55,190 75,145 100,130 130,124 150,106 160,105 165,95 180,75 205,64 235,72 260,95 "
            "270,115 268,130 255,132 255,148 250,165 245,180 235,195 245,210 245,230 250,247 262,220 275,208 "
            "290,205 300,215 310,180 320,168 330,180 330,195 320,215 305,235 290,245 290,262 303,270 300,280 "
            "270,300 245,312 205,295 175,340 140,380 148,420 150,512 130,512 99,447 92,512 0,512"
        ),
    ),
    "house": ("camera", _points("411,130 433,130 433,194 411,194")),
    "rocket": (
        "rocket",
        _points(
            "311,175 311,150 316,135 322,127 328,135 334,150 334,175 336,185 335,260 333,300 332,407 310,407 "
            "312,300 311,250 310,185"
        ),
    ),
    "saucer": (
        "coffee",
        _points(
            "77,210 82,170 105,120 140,90 176,72 185,50 215,28 260,18 300,18 345,28 380,50 398,72 405,67 "
            "424,75 420,95 418,105 440,125 462,155 478,200 476,240 455,290 420,335 370,368 310,385 250,384 "
            "190,365 140,332 100,285 82,245"
        ),
    ),
}
GROUNDS = ("grass", "brick", "gravel", "coffee", "chelsea", "rocket")
PIECES = ("chelsea", "coffee", "astronaut", "brick")
Case = tuple[str, np.ndarray, np.ndarray]


def photograph(name: str) -> np.ndarray:
    pixels = getattr(data, name)()
    return np.ascontiguousarray(pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=-1))


def outlined() -> Iterator[Case]:
    for name, (source, points) in OUTLINES.items():
        pixels = photograph(source)
        mask = Image.new("1", pixels.shape[1::-1])
        ImageDraw.Draw(mask).polygon(points, fill=1)
        yield name, pixels, np.asarray(mask)


def coins() -> Iterator[Case]:
    """Ten coins; each outline the ellipse with the moments of what is brighter than the ground about it."""
    grey = data.coins()
    pixels = np.stack([grey] * 3, axis=-1)
    ground = ndimage.median_filter(ndimage.minimum_filter(ndimage.gaussian_filter(grey, 2), 41), 41)
    bright = ndimage.binary_fill_holes(ndimage.gaussian_filter(grey, 1.0) > ground + 38.0)
    labels, count = ndimage.label(ndimage.binary_opening(bright, iterations=4))
    sizes = ndimage.sum(labels > 0, labels, np.arange(1, count + 1))
    usual = [index + 1 for index in np.argsort(np.abs(sizes - np.median(sizes)))[:10]]
    for label in usual:
        rows, columns = np.nonzero(labels == label)
        along = 2 * np.sqrt([rows.var(), columns.var()])
        mask = np.zeros(grey.shape, bool)
        mask[draw.ellipse(rows.mean(), columns.mean(), *along, shape=grey.shape)] = True
        yield f"coin {label}", pixels, mask


def pieces(count: int = 12) -> Iterator[Case]:
    """Blobs, ellipses and a horse cut from one photograph and laid into another."""
    random = np.random.default_rng(8)
    horse = ~data.horse()
    for index in range(count):
        name = GROUNDS[index % len(GROUNDS)]
        others = [each for each in PIECES if each != name]
        ground = photograph(name)[:300, :400].astype(float)
        piece = photograph(others[index % len(others)])[-260:, -330:].astype(float)
        height, width = ground.shape[:2]
        if index % 3 == 0:
            noise = ndimage.gaussian_filter(random.normal(size=(height, width)), 24)
            y, x = np.mgrid[0:height, 0:width]
            bump = np.hypot((y - height / 2) / 95, (x - width / 2) / 120)
            mask = noise / noise.std() * 0.35 + 0.8 > bump
            mask = ndimage.label(mask)[0] == ndimage.label(mask)[0][height // 2, width // 2]
        elif index % 3 == 1:
            mask = np.zeros((height, width), bool)
            mask[draw.ellipse(150, 200, 50 + 8 * index, 60, shape=mask.shape, rotation=index)] = True
        else:
            rows = np.linspace(0, horse.shape[0] - 1, 240).astype(int)
            columns = np.linspace(0, horse.shape[1] - 1, 300).astype(int)
            mask = np.zeros((height, width), bool)
            mask[30:270, 50:350] = horse[np.ix_(rows, columns)]
        laid = np.zeros_like(ground)
        laid[20:280, 35:365] = piece[:260, :330]
        alpha = ndimage.gaussian_filter(mask.astype(float), 0.8)[..., None]
        yield f"piece {index}", np.round(ground * (1 - alpha) + laid * alpha).astype(np.uint8), mask


def scribble(mask: np.ndarray) -> np.ndarray:
    """One stroke: from one end of the object's inner part to the other by way of its widest place."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    inner = np.argwhere(depth >= 0.4 * depth.max())
    middle = np.array(np.unravel_index(depth.argmax(), depth.shape))
    centred = inner - inner.mean(axis=0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    ends = [inner[(centred @ axis).argmin()], middle, inner[(centred @ axis).argmax()]]
    stroke = Image.new("L", mask.shape[::-1])
    ImageDraw.Draw(stroke).line([(int(x), int(y)) for y, x in ends], fill=OBJECT, width=5)
    return np.where(mask, np.asarray(stroke), 0).astype(np.uint8)


def tap(mask: np.ndarray) -> np.ndarray:
    """A dot of five pixels in the middle of the widest place."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    dot = np.zeros(mask.shape, bool)
    dot[np.unravel_index(depth.argmax(), depth.shape)] = True
    return np.where(mask & ndimage.binary_dilation(dot, iterations=2), OBJECT, 0).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, help="write what was found into this folder")
    parser.add_argument("--tap", action="store_true", help="a dot instead of a stroke")
    chosen = parser.parse_args()
    scores = []
    for name, pixels, mask in [*outlined(), *coins(), *pieces()]:
        marks = (tap if chosen.tap else scribble)(mask)
        began = time.perf_counter()
        found = outline(pixels, marks)
        seconds = time.perf_counter() - began
        scores.append((found & mask).sum() / (found | mask).sum())
        print(f"{name:10} {pixels.shape[1]:4} x {pixels.shape[0]:4}  overlap {scores[-1]:.3f}  {seconds:.2f} s")
        if chosen.pictures:
            chosen.pictures.mkdir(parents=True, exist_ok=True)
            shown = pixels.copy()
            shown[found] = shown[found] // 2 + np.array([120, 0, 0], np.uint8)
            shown[mask ^ ndimage.binary_erosion(mask)] = (0, 255, 0)
            shown[marks == OBJECT] = (0, 0, 255)
            Image.fromarray(shown).save(chosen.pictures / f"{name.replace(' ', '-')}.png")
    print(f"mean overlap of {len(scores)}: {np.mean(scores):.3f}")
    worst = np.sort(scores)[:10].mean()
    print(f"median {np.median(scores):.3f}, worst ten {worst:.3f}, least {min(scores):.3f}")


if __name__ == "__main__":
    main()
