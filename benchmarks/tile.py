"""Seams: textures made tiles, and a panorama whose edges are neighbours.

    python benchmarks/tile.py --out runs/tile

Tiles are made of scikit-image's brick, grass and gravel (CC0, 512x512): by patchloom, by PyPatchMatch with the
picture rolled by half and the same cross as a hole, and by fading each edge into the other. The *step* is the
mean difference between the neighbours across an edge over that between neighbours inside, of the worse of the
two edges; 1 is no seam. *Texture* is the distance of what was filled to the photograph's own
(docs/evaluation.md).

The panorama (1024x512) is seen from above a floor of gravel, with sky over it. Its foot, a tripod, and an object
at the edge are holes; the truth is known.
"""

import argparse
import contextlib
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image
from scipy import ndimage

from patchloom import Inpainter, Mask, Photo, SettingsError, fill_settings
from patchloom.evaluation.metrics import Judge, psnr
from patchloom.evaluation.peers import PyPatchMatch
from patchloom.networks.weights import load_texture
from patchloom.tiling import BAND, BAND_OF_REPEATS, edges, tiled

TEXTURES = ("brick", "grass", "gravel")


def step(picture: np.ndarray, axis: int, rows: slice = slice(None)) -> tuple[float, float]:
    """The mean difference in levels across an edge, and that between neighbours inside; in ``rows`` alone."""
    values = picture.astype(float)[rows]
    difference = np.abs(values - np.roll(values, 1, axis)).mean((2, 1 - axis))
    return float(difference[0]), float(difference[1:].mean())


def worst_step(picture: np.ndarray) -> float:
    return max(across / inside for across, inside in (step(picture, 0), step(picture, 1)))


def faded(picture: np.ndarray, band: float) -> np.ndarray:
    """Near every edge, its mean with what lies mirrored beyond it: what image editors' offset and blend do."""
    result = picture.astype(float)
    for axis in (0, 1):
        half = round(band * picture.shape[axis] / 2)
        place = np.arange(picture.shape[axis])
        weight = np.clip(0.5 - np.minimum(place, place[::-1]) / (2 * half), 0, 0.5)
        weight = np.expand_dims(weight, (1 - axis, 2))
        result = (1 - weight) * result + weight * np.flip(result, axis)
    return np.rint(result).astype(np.uint8)


def wall(size: int = 512, across: float = 75.3, down: float = 44.6) -> np.ndarray:
    """(size, size): bricks in running bond, seen from the front, with noise."""
    y, x = np.mgrid[:size, :size]
    mortar = (y % down < 5) | ((x + (y // down % 2) * across / 2) % across < 5)
    noise = np.random.default_rng(0).normal(0, 8, mortar.shape)
    return np.rint(ndimage.gaussian_filter(np.where(mortar, 190, 110) + noise, 0.6)).astype(np.uint8)


def tiles(out: Path | None) -> None:
    peer, judge, settings = PyPatchMatch(), Judge(load_texture("compact")), fill_settings("balanced")
    peer.make_ready()
    print("| texture | | step | texture |\n|---|---|---|---|")
    greys = {name: np.asarray(getattr(skimage.data, name)()) for name in TEXTURES} | {"rendered wall": wall()}
    for name, grey in greys.items():
        photo = np.repeat(grey[..., None], 3, axis=2)
        half = tuple(side // 2 for side in photo.shape[:2])
        hole = np.roll(edges(Photo(photo), "xy", BAND), half, (0, 1))
        rolled = np.roll(photo, half, (0, 1))
        back = tuple(-side for side in half)
        made = {
            "photo": photo,
            "patchloom tile": tiled(Photo(photo), settings).photo.pixels,
            "PyPatchMatch": np.roll(
                peer.fill(np.where(hole[..., None], 0, rolled).astype(np.uint8), hole), back, (0, 1)
            ),
            "faded": faded(photo, BAND),
        }
        with contextlib.suppress(SettingsError):  # nothing repeats
            made["patchloom tile --repeat"] = tiled(Photo(photo), settings, repeat=True).photo.pixels
        for method, picture in made.items():
            top, left = ((full - cut) // 2 for full, cut in zip(photo.shape, picture.shape[:2], strict=False))
            truth = photo[top : top + picture.shape[0], left : left + picture.shape[1]]
            band = edges(Photo(picture), "xy", BAND_OF_REPEATS if truth.shape != photo.shape else BAND)
            judged = judge.of(truth / 255, band, regions=("hole",)).score(picture / 255)
            print(f"| {name} | {method} | {worst_step(picture):.2f} | {judged['hole']['texture']:.3f} |")
            if out is not None:
                Image.fromarray(np.tile(picture, (3, 3, 1))).resize((768, 768)).save(out / f"{name}-{method}.jpg")


def panorama(width: int = 1024) -> np.ndarray:
    """(width / 2, width, 3): a floor of gravel seen all round, under a sky that is lighter towards the sun."""
    height = width // 2
    floor = np.repeat(skimage.data.gravel()[..., None], 3, axis=2) * (1.0, 0.95, 0.85)
    y, x = np.mgrid[:height, :width]
    elevation, azimuth = (0.5 - (y + 0.5) / height) * np.pi, (x + 0.5) / width * 2 * np.pi
    away = 90 / np.tan(np.clip(-elevation, 0.05, None))
    places = [(256 + away * turn(azimuth)) % 1022 for turn in (np.sin, np.cos)]
    doubled = np.pad(floor, ((0, 511), (0, 511), (0, 0)), mode="symmetric")
    ground = np.stack([ndimage.map_coordinates(doubled[..., c], places, order=1) for c in range(3)], axis=-1)
    fog = np.exp(-away / 700)[..., None]
    light = 170 + 40 * np.cos(azimuth - 2) * np.cos(elevation)
    sky = np.stack([light, light + 15, light + 40], axis=-1)
    noise = np.random.default_rng(0).normal(0, 2, (height, width, 3))
    picture = np.where(elevation[..., None] < -0.05, fog * ground + (1 - fog) * sky, sky)
    return np.rint(np.clip(picture + noise, 0, 255)).astype(np.uint8)


def holes(truth: np.ndarray) -> dict[str, np.ndarray]:
    height, width = truth.shape[:2]
    foot, edge = np.zeros((2, height, width), bool)
    wave = 12 * np.sin(np.arange(width) / 40)
    foot[np.arange(height)[:, None] > height - 80 + wave] = True
    edge[height // 2 - 40 : height // 2 + 60, : width // 20] = True
    edge[height // 2 - 40 : height // 2 + 60, -width // 25 :] = True
    return {"a tripod at the foot": foot, "an object at the edge": edge}


def panoramas(out: Path | None) -> None:
    truth, inpainter = panorama(), Inpainter()
    print("| hole | | step across the edge, levels | PSNR dB |\n|---|---|---|---|")
    for name, hole in holes(truth).items():
        rows = slice(*np.flatnonzero(hole.any(1))[[0, -1]])
        photo = Photo(np.where(hole[..., None], 0, truth).astype(np.uint8))
        made = {"truth": truth}
        for wrap in ("off", "x"):
            made[f"--wrap {wrap}"] = inpainter.inpaint(
                photo, Mask(hole), fill_settings("balanced", wrap=wrap)
            ).photo.pixels
        for method, picture in made.items():
            print(
                f"| {name} | {method} | {step(picture, 1, rows)[0]:.1f} "
                f"| {psnr(picture / 255, truth / 255, hole):.2f} |"
            )
            if out is not None:
                Image.fromarray(np.roll(picture, 512, 1)).save(out / f"{name}-{method}.jpg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
    tiles(given.out)
    panoramas(given.out)


if __name__ == "__main__":
    main()
