"""How fast are the presets? Seconds and memory of a fill beside PyPatchMatch's, on the same processor.

    python benchmarks/speed.py --repeats 5

Fills the 180-px square of the paper's code in 512x512 photographs (scikit-image's astronaut and others, or
``--pictures``). Each method has a process of its own, prepared beforehand; the methods take turns, so that
whatever else the machine does meets all of them. Prints the median, the fastest, and the ratio of medians to the
first method's.
"""

import argparse
import statistics
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from patchloom.evaluation.holes import make_hole
from patchloom.evaluation.peers import parse_method
from patchloom.evaluation.worker import Worker

FREE = ("astronaut", "coffee", "chelsea")


def load_pictures(folder: Path | None, side: int) -> list[np.ndarray]:
    if folder is None:
        sources = [Image.fromarray(getattr(skimage.data, name)()) for name in FREE]
    else:
        sources = [Image.open(path).convert("RGB") for path in sorted(folder.iterdir())]
    return [np.array(source.resize((side, side), Image.Resampling.LANCZOS)) for source in sources]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", default="pypatchmatch,fast,balanced")
    parser.add_argument("--method", action="append", default=[], help="one more, as in patchloom evaluate")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pictures", type=Path, help="folder of photographs")
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--hole", default="box:165,165,180,180")
    given = parser.parse_args()
    pictures = load_pictures(given.pictures, given.side)
    hole = make_hole(given.hole, given.side, given.side)
    workers = [Worker(parse_method(text), 600) for text in [*given.methods.split(","), *given.method]]
    seconds: dict[str, list[float]] = {worker.method.name: [] for worker in workers}
    memory = dict.fromkeys(seconds, 0.0)
    for _ in range(given.repeats):
        for picture in pictures:
            for worker in workers:
                fill = worker.fill(np.where(hole[..., None], np.uint8(0), picture), hole)
                if fill.error:
                    raise SystemExit(f"{worker.method.name}: {fill.error}")
                seconds[worker.method.name].append(fill.seconds)
                memory[worker.method.name] = max(memory[worker.method.name], fill.peak_mb)
    for worker in workers:
        worker.close()
    first = statistics.median(next(iter(seconds.values())))
    print(f"{'method':30} {'median s':>9} {'least s':>9} {'ratio':>7} {'peak MB':>9}   ({given.repeats} x "
          f"{len(pictures)} pictures of {given.side}x{given.side}, hole {given.hole})")  # fmt: skip
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:30} {median:9.2f} {min(values):9.2f} {median / first:7.2f} {memory[name]:9.0f}")


if __name__ == "__main__":
    main()
