"""What does another picture of the scene give? Pairs made from photographs, whose hole is known.

    python benchmarks/references.py --limit 20

Of every photograph a reference is made as another camera would have taken it: turned by up to 10 degrees,
scaled by up to a fifth, in perspective, cropped to what both show; exposure changed by up to a stop, gamma,
noise, JPEG. The hole is a box of a sixteenth of the picture. Rows: no reference; that one; the next
photograph, which shows something else; that one with another photograph's piece over the hole and around it
(somebody walked there). PSNR in the hole, and what the report says was taken. ``--half`` as in harmonise.py.
"""

import argparse
import io
import time
from pathlib import Path

import cv2
import numpy as np
from harmonise import SHARED, photographs
from PIL import Image

from patchloom import Inpainter, Mask, Photo, Reference, fill_settings
from patchloom.tensors.boxes import bounds

ROWS = ("no reference", "the same scene", "unrelated", "occluded")


def another_camera(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """``truth`` (H, W, 3) uint8 seen by another camera, cropped to what it shows of it."""
    height, width = truth.shape[:2]
    angle, scale = np.deg2rad(rng.uniform(-10, 10)), rng.uniform(0.8, 1.2)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1 / scale]])
    turn[2, :2] = rng.uniform(-1e-4, 1e-4, 2)
    centre = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1]])
    matrix = centre @ turn @ np.linalg.inv(centre)
    view = cv2.warpPerspective(truth, matrix, (width, height), flags=cv2.INTER_CUBIC)
    there = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, (width, height)) > 250
    light = (view / 255).clip(0, 1) * 2 ** (rng.uniform(-1, 1) / 2.2)
    light = light.clip(0, 1) ** 2 ** rng.uniform(-0.2, 0.2) + rng.normal(0, 0.01, view.shape)
    data = io.BytesIO()
    Image.fromarray(np.rint(light.clip(0, 1) * 255).astype(np.uint8)).save(data, "JPEG", quality=90)
    return np.array(Image.open(data))[bounds(there).slices]


def psnr(picture: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    return -10 * np.log10(max(1e-9, np.square((picture.astype(float) - truth) / 255)[hole].mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--half", choices=("even", "odd"), default="odd")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--shared", type=Path, default=SHARED)
    given = parser.parse_args()
    every = list(photographs("test", given.shared))
    chosen = [number for number in range(len(every) - 1) if number % 2 == (given.half == "odd")][: given.limit]
    inpainter, settings = Inpainter(), fill_settings(given.preset)
    scores: dict[str, list[tuple[float, float, float]]] = {row: [] for row in ROWS}
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
        references = {
            "the same scene": another_camera(truth, rng),
            "unrelated": other,
            "occluded": another_camera(blocked, rng),
        }
        shot = Photo.from_array(np.where(hole[..., None], 0, truth).astype(np.uint8))
        for row in ROWS:
            offered = [Reference(Photo.from_array(references[row]), row)] if row in references else []
            begun = time.perf_counter()
            result = inpainter.inpaint(shot, Mask(hole), settings, references=offered)
            seconds = time.perf_counter() - begun
            taken = sum(used["given"] for used in result.report.get("references", []))
            scores[row].append((psnr(result.photo.pixels, truth, hole), taken, seconds))
        print(number, *(f"{scores[row][-1][0]:.1f}" for row in ROWS), flush=True)
    print("| reference | PSNR dB | median | at least 30 dB | taken over | s |\n|---|---|---|---|---|---|")
    for row, values in scores.items():
        quality, taken, seconds = np.array(values).T
        print(f"| {row} | {quality.mean():.2f} | {np.median(quality):.2f} | {np.mean(quality >= 30):.0%} "
              f"| {np.mean(taken > 0):.0%} | {seconds.mean():.1f} |")  # fmt: skip


if __name__ == "__main__":
    main()
