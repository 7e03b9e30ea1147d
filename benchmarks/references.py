"""What does another picture of the scene give? Pairs made from photographs, whose hole is known.

    python benchmarks/references.py --limit 20

Of every photograph a reference is made as another camera would have taken it: turned by up to 10 degrees,
scaled by up to a fifth, in perspective, cropped to what both show; exposure changed by up to a stop, gamma,
noise, JPEG. The hole is a box of a sixteenth of the picture. Rows: no reference; none, and another seed;
that one; the next photograph, which shows something else; that one with another photograph's piece over the hole
and around it (somebody walked there). PSNR in the hole, what the report says was taken, and the mean and the worst
difference to the fill without a reference; at last what one could know from the reference who knew where and how
it was taken. With ``--out`` a contact sheet, worst first. ``--half`` as in harmonise.py.

``--stereo``: holes in one picture of a real pair of cameras (a motorcycle in a garage, Scharstein et al. 2014, as
scikit-image has it), with the other as reference: near things stand elsewhere before far ones.
"""

import argparse
import io
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from harmonise import SHARED, photographs
from PIL import Image

from patchloom import Inpainter, Mask, Photo, Reference, fill_settings
from patchloom.evaluation.pictures import Tile, contact_sheet, view_of, with_hole
from patchloom.tensors.boxes import bounds

ROWS = ("no reference", "another seed", "the same scene", "unrelated", "occluded")


def another_camera(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """``truth`` (H, W, 3) uint8 seen by another camera, cropped to what it shows of it."""
    return camera(truth, rng)[0]


def camera(truth: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """:func:`another_camera`, and that picture (H, W, 3) seen from where ``truth`` was taken, with the light
    undone: all that can be known of the truth from it, by one who knows where and how it was taken."""
    height, width = truth.shape[:2]
    angle, scale = np.deg2rad(rng.uniform(-10, 10)), rng.uniform(0.8, 1.2)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1 / scale]])
    turn[2, :2] = rng.uniform(-1e-4, 1e-4, 2)
    centre = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1]])
    matrix = centre @ turn @ np.linalg.inv(centre)
    view = cv2.warpPerspective(truth, matrix, (width, height), flags=cv2.INTER_CUBIC)
    there = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, (width, height)) > 250
    gain, gamma = 2 ** (rng.uniform(-1, 1) / 2.2), 2 ** rng.uniform(-0.2, 0.2)
    light = ((view / 255).clip(0, 1) * gain).clip(0, 1) ** gamma + rng.normal(0, 0.01, view.shape)
    data = io.BytesIO()
    Image.fromarray(np.rint(light.clip(0, 1) * 255).astype(np.uint8)).save(data, "JPEG", quality=90)
    picture = np.array(Image.open(data))
    undone = (picture / 255) ** (1 / gamma) / gain
    back = cv2.warpPerspective(undone, np.linalg.inv(matrix), (width, height), flags=cv2.INTER_CUBIC)
    return picture[bounds(there).slices], back.clip(0, 1) * 255


def psnr(picture: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    return -10 * np.log10(max(1e-9, np.square((picture.astype(float) - truth) / 255)[hole].mean()))


def stereo(preset: str, holes: int = 24) -> None:
    """Prints what the right picture of the pair gives to boxes of an eighth of the left one's height."""
    import skimage.data

    left, right, _ = skimage.data.stereo_motorcycle()
    settings, inpainter, rng = fill_settings(preset), Inpainter(), np.random.default_rng(0)
    height, width = left.shape[:2]
    side = height // 8
    rows, other = [], Reference(Photo.from_array(right), "right")
    for _ in range(holes):
        top, start = (int(rng.integers(side // 2, length - 3 * side // 2)) for length in (height, width))
        hole = np.zeros((height, width), bool)
        hole[top : top + side, start : start + side] = True
        shot = Photo.from_array(np.where(hole[..., None], 0, left).astype(np.uint8))
        alone = inpainter.inpaint(shot, Mask(hole), settings)
        both = inpainter.inpaint(shot, Mask(hole), settings, references=[other])
        given = both.report["references"][0]["given"]
        rows.append((psnr(alone.photo.pixels, left, hole), psnr(both.photo.pixels, left, hole), given))
    alone, both, given = np.array(rows).T
    gains = (both - alone)[given > 0]
    print(f"taken over in {np.mean(given > 0):.0%} of {holes} holes; there {alone[given > 0].mean():.2f} dB "
          f"without, {both[given > 0].mean():.2f} with; the worst {gains.min():+.2f}, worse by .1 dB in "
          f"{np.sum(gains < -0.1)}; elsewhere the same bytes: "
          f"{bool((both == alone)[given == 0].all())}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--half", choices=("even", "odd"), default="odd")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--stereo", action="store_true", help="the real pair instead")
    parser.add_argument("--out", type=Path, help="a folder for sheet.png")
    parser.add_argument("--shared", type=Path, default=SHARED)
    given = parser.parse_args()
    if given.stereo:
        stereo(given.preset)
        return
    every = list(photographs("test", given.shared))
    chosen = [number for number in range(len(every) - 1) if number % 2 == (given.half == "odd")][: given.limit]
    inpainter, settings = Inpainter(), fill_settings(given.preset)
    scores: dict[str, list[tuple[float, float, float]]] = {row: [] for row in ROWS}
    tiles: list[list[Tile]] = []
    best: list[float] = []
    for number in chosen:
        (_, truth), (_, other) = every[number], every[number + 1]
        rng = np.random.default_rng(number)
        height, width = truth.shape[:2]
        side = min(height, width) // 4
        top, left = (side_ // 2 - side // 2 + int(rng.integers(-side, side) // 4) for side_ in (height, width))
        hole = np.zeros((height, width), bool)
        hole[top : top + side, left : left + side] = True
        blocked = truth.copy()
        piece = np.array(Image.fromarray(other).resize((2 * side, 2 * side)))
        box = (
            slice(max(0, top - side // 2), top + 3 * side // 2),
            slice(max(0, left - side // 2), left + 3 * side // 2),
        )
        blocked[box] = piece[: blocked[box].shape[0], : blocked[box].shape[1]]
        same, known = camera(truth, rng)
        best.append(psnr(known, truth, hole))
        references = {
            "the same scene": same,
            "unrelated": other,
            "occluded": another_camera(blocked, rng),
        }
        shot = Photo.from_array(np.where(hole[..., None], 0, truth).astype(np.uint8))
        view = view_of(hole)
        tiles.append(
            [Tile(with_hole(truth, hole)[view], str(number)), Tile(references["the same scene"], "camera")]
        )
        for row in ROWS:
            offered = [Reference(Photo.from_array(references[row]), row)] if row in references else []
            begun = time.perf_counter()
            chosen_settings = replace(settings, seed=1) if row == "another seed" else settings
            result = inpainter.inpaint(shot, Mask(hole), chosen_settings, references=offered)
            seconds = time.perf_counter() - begun
            taken = sum(used["given"] for used in result.report.get("references", []))
            scores[row].append((psnr(result.photo.pixels, truth, hole), taken, seconds))
            tiles[-1].append(Tile(result.photo.pixels[view], f"{row} {scores[row][-1][0]:.1f}"))
        tiles[-1].append(Tile(truth[view], "truth"))
        print(number, *(f"{scores[row][-1][0]:.1f}" for row in ROWS), flush=True)
    print("| reference | PSNR dB | median | at least 30 dB | taken over "
          "| over none, mean | worst | worse by .1 dB | s |")  # fmt: skip
    print("|---" * 9 + "|")
    for row, values in scores.items():
        quality, taken, seconds = np.array(values).T
        gains = quality - np.array(scores[ROWS[0]])[:, 0]
        print(f"| {row} | {quality.mean():.2f} | {np.median(quality):.2f} | {np.mean(quality >= 30):.0%} "
              f"| {np.mean(taken > 0):.0%} | {gains.mean():+.2f} | {gains.min():+.2f} "
              f"| {np.mean(gains < -0.1):.0%} | {seconds.mean():.1f} |")  # fmt: skip
    print(f"What the same scene's picture holds, where and how it was taken being known: {np.mean(best):.2f} dB, "
          f"{np.mean(np.array(best) >= 30):.0%} at least 30")  # fmt: skip
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        order = np.argsort([quality for quality, _, _ in scores["the same scene"]])
        contact_sheet([tiles[number] for number in order], 200).save(given.out / "sheet.png")


if __name__ == "__main__":
    main()
