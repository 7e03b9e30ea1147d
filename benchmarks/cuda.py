"""Does a graphics card give the processor's fills, and how much sooner?

    python benchmarks/cuda.py
    python benchmarks/cuda.py --devices cuda,cpu --preset fast --large 0

Fills scikit-image's free photographs (512x512, the 180-px square of the paper's code) on every device, and
one enlarged to 16 megapixels with a hole of 600 px. Prints how far the first device's fill is from the last one's
inside the hole, in grey levels, and each fill's PSNR; whether pixels outside the hole are the photograph's; and
whether a device gives the same fill again. Then seconds: of the first fill with a photograph, which warms up, and
the median of the later ones.
"""

import argparse
import statistics
import time
from typing import Any

import numpy as np
import skimage.data
import torch
from numpy.typing import NDArray
from PIL import Image

from patchloom import Inpainter, Mask, Photo, RunSettings, fill_settings
from patchloom.evaluation.holes import make_hole
from patchloom.evaluation.metrics import psnr
from patchloom.resources import processors

FREE = ("astronaut", "coffee", "chelsea")
SIDE = 512
HOLE = "box:165,165,180,180"
LARGE_HOLE_SIDE = 600


def load(name: str, side: int) -> NDArray[np.uint8]:
    photo = Image.fromarray(getattr(skimage.data, name)())
    return np.array(photo.resize((side, side), Image.Resampling.LANCZOS))


def timed_fills(
    inpainter: Inpainter, photo: NDArray[Any], hole: NDArray[np.bool_], settings: Any, count: int
) -> tuple[list[NDArray[Any]], list[float]]:
    fills, seconds = [], []
    for _ in range(count):
        began = time.perf_counter()
        result = inpainter.inpaint(Photo.from_array(photo), Mask.from_array(hole), settings)
        seconds.append(time.perf_counter() - began)
        fills.append(result.photo.to_array())
    return fills, seconds


def compare(
    name: str, photo: NDArray[Any], hole: NDArray[np.bool_], fills: dict[str, list[NDArray[Any]]]
) -> list[str]:
    """A row of the table of differences."""
    some = [fills[device][0].astype(float) for device in fills]
    apart = np.abs(some[0] - some[-1])[hole]
    truth = photo / 255
    distances = " / ".join(f"{psnr(fill / 255, truth, hole):.2f}" for fill in some)
    outside = all((fill[~hole] == photo[~hole]).all() for same in fills.values() for fill in same)
    again = {device: all((fill == same[0]).all() for fill in same) for device, same in fills.items()}
    twice = ", ".join(f"{device} {'yes' if same else 'NO'}" for device, same in again.items())
    near = f"{np.mean(apart <= 2):.1%}"
    return [name, f"{apart.max():.0f}", f"{apart.mean():.3f}", near, distances, "yes" if outside else "NO", twice]


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", default="cpu,cuda")
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large", type=int, default=4000, help="side of the large photograph, 0 for none")
    given = parser.parse_args()
    devices = given.devices.split(",")
    inpainters = {device: Inpainter(RunSettings(device=device)) for device in devices}
    settings = fill_settings(given.preset)
    cases = {name: (load(name, SIDE), make_hole(HOLE, SIDE, SIDE)) for name in FREE}
    if given.large:
        corner = (given.large - LARGE_HOLE_SIDE) // 2
        box = f"box:{corner},{corner},{LARGE_HOLE_SIDE},{LARGE_HOLE_SIDE}"
        large = load(FREE[0], given.large), make_hole(box, given.large, given.large)
        cases[f"{FREE[0]}, {given.large} px"] = large
    differences, times = [], []
    for name, (photo, hole) in cases.items():
        fills, row = {}, [name]
        for device, inpainter in inpainters.items():
            fills[device], seconds = timed_fills(inpainter, photo, hole, settings, given.repeats)
            row += [f"{seconds[0]:.2f}", f"{statistics.median(seconds[1:] or seconds):.2f}"]
            print(f"{name} on {device}: {' '.join(f'{value:.2f}' for value in seconds)} s", flush=True)
        times.append(row)
        differences.append(compare(name, photo, hole, fills))
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "no graphics card"
    print(f"\npreset {given.preset}; {card}; {processors()} processors; torch {torch.__version__}\n")
    print(table(["photograph", "largest", "mean", "within 2", "PSNR", "outside equal", "same twice"], differences))
    print()
    print(table(["seconds", *(f"{device}, {kind}" for device in devices for kind in ("first", "later"))], times))


if __name__ == "__main__":
    main()
