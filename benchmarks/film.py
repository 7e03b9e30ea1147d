"""Films whose background is known: is what is filled right, and does it flicker?

    python benchmarks/film.py --frames 16 --out runs/film

Cameras look over photographs (scikit-image's, CC0 and public domain): still, panning by a pixel and a half a
frame, zooming by half a percent. Before them an object moves, which frames before and after uncover, or a mark
stands still in the picture, which none does. Every frame has noise of its own (2 levels). Filled by patchloom's
frames, and frame by frame by patchloom, PyPatchMatch and OpenCV (Telea).

*PSNR* is over the hole, against the frame without noise. *Flicker*: how much what was filled changes from frame
to frame, along the camera's true motion, over how much what is round it does; 1 is what a camera gives. The
scan: a still camera's and a panning camera's film with light and dark marks on single frames; what ``dust``
finds of them.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from PIL import Image

from patchloom import Inpainter, Mask, Photo, fill_settings
from patchloom.evaluation.peers import PEERS
from patchloom.film import Film, Frame

WIDTH, HEIGHT, NOISE = 320, 240, 2.0
CAMERAS = {"still": (0.0, 1.0), "pan": (1.5, 1.0), "zoom": (0.0, 1.005)}


def camera(scene: np.ndarray, name: str, number: int) -> np.ndarray:
    """(3, 3): from points of frame ``number`` to points of the scene."""
    speed, zoom = CAMERAS[name]
    scale = zoom**-number
    x, y = scene.shape[1] / 2 - 80 + speed * number, scene.shape[0] / 2
    return np.array([[scale, 0, x - scale * WIDTH / 2], [0, scale, y - scale * HEIGHT / 2], [0, 0, 1]])


def seen(scene: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(scene.astype(np.float32), matrix, (WIDTH, HEIGHT), flags=flags).clip(0, 255)


def film(scene: np.ndarray, name: str, kind: str, frames: int) -> tuple[list, list, list, list]:
    """Frames with what stands before the camera, holes, the truth without noise, and the cameras."""
    rng, y_x = np.random.default_rng(3), np.mgrid[:HEIGHT, :WIDTH]
    shown, holes, truths, cameras = [], [], [], []
    for number in range(frames):
        matrix = camera(scene, name, number)
        middle = (120, 60 + 8 * number) if kind == "object" else (130, 160)
        hole = np.hypot(y_x[0] - middle[0], (y_x[1] - middle[1]) * 0.8) < 24
        truth = seen(scene, matrix)
        frame = np.where(hole[..., None], (200, 60, 90), truth) + rng.normal(0, NOISE, truth.shape)
        shown.append(np.rint(frame.clip(0, 255)).astype(np.uint8))
        holes.append(hole)
        truths.append(truth)
        cameras.append(matrix)
    return shown, holes, truths, cameras


def by_film(shown: list, holes: list) -> list:
    frames = [Frame(Photo(one), Mask(hole).grow(2).hole) for one, hole in zip(shown, holes, strict=True)]
    made = Film(frames, fill_settings("balanced"))
    filled = []
    for number in range(len(frames)):
        result = made.fill(number)
        made.carry_on(result.photo, result.report)
        filled.append(result.photo.pixels)
    return filled


def one_by_one(fill: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[list, list], list]:
    return lambda shown, holes: [
        fill(one, Mask(hole).grow(2).hole) for one, hole in zip(shown, holes, strict=True)
    ]


def flicker(made: list, holes: list, cameras: list) -> float:
    """What changes from frame to frame in the holes, over what does round them."""
    inside, outside = [], []
    for number in range(1, len(made)):
        way = np.linalg.inv(cameras[number - 1]) @ cameras[number]  # from this frame to the one before
        before = seen(made[number - 1], way)
        was = seen(np.repeat(holes[number - 1][..., None], 3, 2) * 255.0, way)[..., 0] > 250
        change = np.abs(made[number].astype(float) - before).mean(2)
        both = holes[number] & was
        ring = cv2.dilate(holes[number].astype(np.uint8), np.ones((41, 41))).astype(bool)
        ring &= ~cv2.dilate((holes[number] | was).astype(np.uint8), np.ones((11, 11))).astype(bool)
        if both.sum() > 50:
            inside.append(change[both].mean())
            outside.append(change[ring].mean())
    return float(np.mean(inside) / np.mean(outside))


def holes_filled(scenes: dict[str, np.ndarray], frames: int, out: Path | None) -> None:
    inpainter, settings = Inpainter(), fill_settings("balanced")
    peers = {"PyPatchMatch": PEERS["pypatchmatch"], "OpenCV (Telea)": PEERS["telea"]}
    for peer in peers.values():
        peer.make_ready()
    methods = {
        "patchloom frames": by_film,
        "patchloom, frame by frame": one_by_one(
            lambda one, hole: inpainter.inpaint(Photo(one), Mask(hole), settings).photo.pixels
        ),
        **{name: one_by_one(peer.fill) for name, peer in peers.items()},
    }
    print("| before the camera | method | PSNR dB | flicker | seconds a frame |\n|---|---|---|---|---|")
    for kind in ("object", "mark"):
        rows: dict[str, list[tuple[float, float, float]]] = {}
        for place, scene in scenes.items():
            for name in CAMERAS:
                shown, holes, truths, cameras = film(scene, name, kind, frames)
                for method, fill in methods.items():
                    begun = time.perf_counter()
                    made = fill(shown, holes)
                    seconds = (time.perf_counter() - begun) / frames
                    square = np.mean(
                        [
                            np.square(one - truth)[hole].mean()
                            for one, truth, hole in zip(made, truths, holes, strict=True)
                        ]
                    )
                    row = (10 * np.log10(255**2 / square), flicker(made, holes, cameras), seconds)
                    rows.setdefault(method, []).append(row)
                    print(f"<!-- {kind} {place} {name} {method} {np.round(row, 2)} -->", flush=True)
                    if out is not None:
                        strip = np.concatenate([made[n][60:200] for n in (0, frames // 2, frames - 1)], axis=1)
                        Image.fromarray(strip).save(out / f"{kind}-{place}-{name}-{method}.png")
        for method, found in rows.items():
            psnr, change, seconds = np.mean(found, axis=0)
            what = {"object": "an object that moves", "mark": "a mark that stands still"}[kind]
            print(f"| {what} | {method} | {psnr:.2f} | {change:.2f} | {seconds:.2f} |")


def scan(scene: np.ndarray, frames: int) -> None:
    print(
        "| scan | marks found | pixels marked in vain | PSNR dB of marks, before | after |\n|---|---|---|---|---|"
    )
    for name in ("still", "pan"):
        clean = film(scene, name, "object", frames)[0]  # the object that moves is no dust
        rng, dirty, marks = np.random.default_rng(8), [], []
        for one in clean:
            mark = np.zeros((HEIGHT, WIDTH), np.uint8)
            for _ in range(12):
                place = tuple(int(n) for n in rng.integers((10, 10), (WIDTH - 10, HEIGHT - 10)))
                if rng.random() < 0.3:
                    cv2.line(mark, place, tuple(int(n) for n in place + rng.integers(-25, 25, 2)), 255, 1)
                else:
                    cv2.circle(mark, place, int(rng.integers(1, 5)), 255, -1)
            soft = cv2.GaussianBlur(mark, (0, 0), 0.6)[..., None] / 255
            dirty.append(np.rint(one * (1 - soft) + soft * rng.choice((20, 245))).astype(np.uint8))
            marks.append(mark > 0)
        made = Film(
            [Frame(Photo(one), np.zeros((HEIGHT, WIDTH), bool)) for one in dirty], fill_settings(), dust=0.06
        )
        found = [made.hole(number) for number in range(frames)]
        filled = [made.fill(number).photo.pixels for number in range(frames)]
        visible = [
            mark & (np.abs(a.astype(float) - b).max(2) > 15)
            for mark, a, b in zip(marks, dirty, clean, strict=True)
        ]
        hit = np.mean([one[mark].mean() for one, mark in zip(found, visible, strict=True)])
        wide = [cv2.dilate(mark.astype(np.uint8), np.ones((9, 9))).astype(bool) for mark in marks]
        vain = np.mean([(one & ~mark).mean() for one, mark in zip(found, wide, strict=True)])
        psnr = [
            10
            * np.log10(
                255**2
                / np.mean(
                    [
                        np.square(a.astype(float) - t)[m].mean()
                        for a, t, m in zip(which, clean, visible, strict=True)
                    ]
                )
            )
            for which in (dirty, filled)
        ]
        print(f"| {name} | {hit:.0%} | {vain:.3%} | {psnr[0]:.1f} | {psnr[1]:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--scenes", type=int, default=2)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
    names = ("coffee", "rocket", "chelsea")[: given.scenes]
    scenes = {name: np.asarray(getattr(skimage.data, name)()) for name in names}
    scan(scenes["coffee"], given.frames)
    holes_filled(scenes, given.frames, given.out)


if __name__ == "__main__":
    main()
