"""Does any step grow faster than the number of holes? Seconds of planning and filling for more and more specks.

    python benchmarks/specks.py                       # 12 megapixels, 250 to 4000 specks: planning alone
    python benchmarks/specks.py --fill --megapixels 2 --specks 50 100 200 400

Specks of 5 pixels at random places. A row a number: windows, what part of the photograph they cover together,
seconds of ``windows.plan`` and ``windows.waves``, processor seconds of the fill (one thread), and of these the
milliseconds a window. Below, the exponent by which each grew with the number of windows, from the first row to the
last: above about 1 something is worse than linear.
"""

import argparse
import math
import time

import numpy as np
from numpy.typing import NDArray

from patchloom import RunSettings, inpaint, windows


def scene(megapixels: float, specks: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A photo (H, W, 3) of waves and grain, and a mask with so many specks."""
    height, width = round(math.sqrt(megapixels * 0.75e6)), round(math.sqrt(megapixels / 0.75e-6))
    random = np.random.default_rng(specks)
    y, x = np.mgrid[:height, :width]
    waves = np.dstack([128 + 60 * np.sin(x / 9), 128 + 60 * np.cos(y / 7), 128 + 50 * np.sin((x + y) / 15)])
    photo = (waves + random.normal(0, 8, waves.shape)).clip(0, 255).astype(np.uint8)
    hole = np.zeros((height, width), bool)
    for top, left in zip(
        random.integers(0, height - 5, specks), random.integers(0, width - 5, specks), strict=True
    ):
        hole[top : top + 5, left : left + 5] = True
    return photo, hole


def row(megapixels: float, specks: int, preset: str, fill: bool) -> tuple[int, float, dict[str, float]]:
    """Windows, how often they cover the photograph, and the seconds of each step."""
    photo, hole = scene(megapixels, specks)
    seconds = {}
    began = time.process_time()
    plan = windows.plan(hole)
    seconds["plan"] = time.process_time() - began
    began = time.process_time()
    windows.waves(plan)
    seconds["waves"] = time.process_time() - began
    if fill:
        began = time.process_time()
        inpaint(photo, hole, preset=preset, run=RunSettings(threads=1))
        seconds["fill"] = time.process_time() - began
    return len(plan), sum(window.crop.area for window in plan) / hole.size, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--specks", type=int, nargs="+", default=[250, 500, 1000, 2000, 4000])
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--fill", action="store_true", help="fill, too")
    chosen = parser.parse_args()
    if chosen.fill:
        row(0.05, 1, chosen.preset, True)  # compiles, loads
    rows = []
    for specks in chosen.specks:
        count, cover, seconds = row(chosen.megapixels, specks, chosen.preset, chosen.fill)
        rows.append((count, seconds))
        told = "  ".join(f"{name} {value:7.2f} s" for name, value in seconds.items())
        each = f"  {1000 * seconds['fill'] / count:.0f} ms a window" if chosen.fill else ""
        print(f"{specks:6} specks  {count:5} windows  {cover:5.2f} of the photo  {told}{each}", flush=True)
    (few, least), (many, most) = rows[0], rows[-1]
    grown = {name: math.log(most[name] / max(1e-9, least[name])) / math.log(many / few) for name in least}
    print("exponents: " + ", ".join(f"{name} {value:.2f}" for name, value in grown.items()))


if __name__ == "__main__":
    main()
