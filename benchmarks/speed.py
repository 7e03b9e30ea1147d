"""How fast is a fill, and how fast where people are? Seconds, processor seconds and memory beside PyPatchMatch's.

    python benchmarks/speed.py                   # a running process on a quiet machine
    python benchmarks/speed.py --busy 2          # ... beside two busy loops, and quiet, in turns
    python benchmarks/speed.py --processes 2     # ... two at once, and one, in turns
    python benchmarks/speed.py --whole           # whole programs: import, first fill, later fills; a first run
    python benchmarks/speed.py --large           # 12 to 50 megapixels: large holes, specks, scratches
    python benchmarks/speed.py --growth          # seconds and memory against the hole's side and the photograph's

Fills the 180-px square of the paper's code in 512x512 photographs (scikit-image's astronaut and others, or
``--pictures``). Each method has a process of its own, prepared beforehand; the methods take turns, so that
whatever else the machine does meets all of them. Prints medians, and their ratio to the first method's. The load
average stands above each table: figures of a machine that others use are good for ratios only.
"""

import argparse
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
import specks
from PIL import Image

from patchloom import windows
from patchloom.child import Child, Link, PickleCodec
from patchloom.evaluation.holes import make_hole
from patchloom.evaluation.peers import Method, parse_method
from patchloom.resources import peak_mb, reset_peak

FREE = ("astronaut", "coffee", "chelsea")
LIMIT = 1800.0  # seconds a method has to answer

Case = tuple[np.ndarray, np.ndarray]
"""A photograph (H, W, 3), uint8, black in its hole (H, W)."""


@dataclass(frozen=True)
class Cost:
    """Of one fill: wall and processor seconds, and the process's peak memory in MB."""

    seconds: float
    cpu: float
    memory: float


def _serve(link: Link, method: Method) -> None:
    """A method's process: ready, then one cost a case."""
    peer = method.peer()
    peer.make_ready()
    link.send(None)
    while True:
        photo, hole = link.receive()
        reset_peak()
        began, used = time.perf_counter(), time.process_time()
        peer.fill(photo, hole)
        link.send(Cost(time.perf_counter() - began, time.process_time() - used, peak_mb()))


class Runner:
    """A method in ``count`` processes of its own."""

    def __init__(self, method: Method, count: int = 1) -> None:
        self.name = method.name
        self.children = [Child(_serve, method, name="patchloom speed", codec=PickleCodec()) for _ in range(count)]
        for child in self.children:
            child.receive(LIMIT)

    def fill(self, case: Case) -> Cost:
        """All fill the case once: seconds until the last is done, processor seconds of one, memory of all."""
        began = time.perf_counter()
        for child in self.children:
            child.give(case)
        costs = [child.receive(LIMIT) for child in self.children]
        return Cost(
            time.perf_counter() - began,
            statistics.mean(cost.cpu for cost in costs),
            sum(cost.memory for cost in costs),
        )

    def close(self) -> None:
        for child in self.children:
            child.kill()


def _loop(_: int) -> None:
    while True:
        pass


@contextmanager
def busy(count: int) -> Iterator[None]:
    """``count`` processes that do nothing but compute."""
    loops = [multiprocessing.Process(target=_loop, args=(number,), daemon=True) for number in range(count)]
    for loop in loops:
        loop.start()
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.join()


def load_cases(folder: Path | None, side: int, hole: str) -> list[Case]:
    if folder is None:
        sources = [Image.fromarray(getattr(skimage.data, name)()) for name in FREE]
    else:
        sources = [Image.open(path).convert("RGB") for path in sorted(folder.iterdir())]
    marked = make_hole(hole, side, side)
    pictures = [np.array(source.resize((side, side), Image.Resampling.LANCZOS)) for source in sources]
    return [dark(picture, marked) for picture in pictures]


def measured(ways: dict[str, Callable[[Case], Cost]], cases: list[Case], repeats: int) -> dict[str, Cost]:
    """The medians of each way, which take turns on every case."""
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(repeats):
        for case in cases:
            for name, way in ways.items():
                costs[name].append(way(case))
    return {
        name: Cost(
            statistics.median(one.seconds for one in found),
            statistics.median(one.cpu for one in found),
            max(one.memory for one in found),
        )
        for name, found in costs.items()
    }


def head(title: str) -> None:
    print(f"\n{title} ({os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f} before)")


def quiet(methods: list[Method], cases: list[Case], repeats: int) -> None:
    head("A fill in a running process")
    runners = [Runner(method) for method in methods]
    found = measured({runner.name: runner.fill for runner in runners}, cases, repeats)
    first = next(iter(found.values())).seconds
    print(f"{'method':30} {'seconds':>9} {'ratio':>7} {'CPU s':>7} {'peak MB':>9}")
    for name, cost in found.items():
        print(f"{name:30} {cost.seconds:9.2f} {cost.seconds / first:7.2f} {cost.cpu:7.2f} {cost.memory:9.0f}")
    for runner in runners:
        runner.close()


def beside(methods: list[Method], cases: list[Case], repeats: int, count: int) -> None:
    head(f"Beside {count} busy loops")
    runners = [Runner(method) for method in methods]

    def loaded(runner: Runner) -> Callable[[Case], Cost]:
        def fill(case: Case) -> Cost:
            with busy(count):
                return runner.fill(case)

        return fill

    ways = {f"{runner.name} quiet": runner.fill for runner in runners}
    found = measured(ways | {f"{runner.name} busy": loaded(runner) for runner in runners}, cases, repeats)
    print(f"{'method':30} {'quiet s':>9} {'busy s':>9} {'times':>7} {'CPU s':>7} {'busy CPU':>9} {'times':>7}")
    for runner in runners:
        alone, busied = found[f"{runner.name} quiet"], found[f"{runner.name} busy"]
        print(f"{runner.name:30} {alone.seconds:9.2f} {busied.seconds:9.2f} {busied.seconds / alone.seconds:7.2f} "
              f"{alone.cpu:7.2f} {busied.cpu:9.2f} {busied.cpu / alone.cpu:7.2f}")  # fmt: skip
        runner.close()


def together(methods: list[Method], cases: list[Case], repeats: int, count: int) -> None:
    head(f"{count} processes at once, a fill each")
    print(f"{'method':30} {'one: s':>9} {'all: s':>9} {'fills a second, of one':>23}")
    for method in methods:
        one, many = Runner(method), Runner(method, count)
        found = measured({"one": one.fill, "many": many.fill}, cases, repeats)
        gain = count * found["one"].seconds / found["many"].seconds
        print(f"{method.name:30} {found['one'].seconds:9.2f} {found['many'].seconds:9.2f} {gain:22.2f}x")
        one.close()
        many.close()


_PATCHMATCH = """
import sys, numpy as np
from PIL import Image
import patchmatch
patchmatch.set_verbose(False)
photo, hole = np.array(Image.open(sys.argv[1])), np.array(Image.open(sys.argv[2]).convert("L"))
Image.fromarray(patchmatch.inpaint(photo, hole > 127, patch_size=5)).save(sys.argv[3])
"""

_FILLS = """
import sys, time
began = time.perf_counter()
from patchloom import Inpainter, Mask, Photo
import patchloom.inpainter
print(time.perf_counter() - began)
photo, mask, inpainter = Photo.open(sys.argv[1]), Mask.open(sys.argv[2]), Inpainter()
for _ in range(3):
    began = time.perf_counter()
    inpainter.inpaint(photo, mask)
    print(time.perf_counter() - began)
"""


def whole(cases: list[Case], repeats: int) -> None:
    """Programs from their start to their end, files read and written."""
    head("Whole programs")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo, hole, out = (str(folder / file) for file in ("photo.png", "mask.png", "out.png"))
        programs = {
            "PyPatchMatch": [sys.executable, "-c", _PATCHMATCH, photo, hole, out],
            "patchloom fill": [sys.executable, "-m", "patchloom", "fill", photo, hole, "-o", out, "--force"],
        }
        seconds: dict[str, list[float]] = {title: [] for title in programs}
        steps: list[list[float]] = []
        for number in range(repeats + 1):
            picture, marked = cases[number % len(cases)]
            Image.fromarray(picture).save(photo)
            Image.fromarray(marked).save(hole)
            for title, command in programs.items():
                began = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                seconds[title].append(time.perf_counter() - began)
            answer = subprocess.run([sys.executable, "-c", _FILLS, photo, hole], check=True, capture_output=True)
            steps.append([float(line) for line in answer.stdout.split()])
        medians = {
            title: statistics.median(found[1:]) for title, found in seconds.items()
        }  # the first may compile
        for title, median in medians.items():
            print(f"{title:30} {median:9.2f} {median / medians['PyPatchMatch']:7.2f}")
        for title, found in zip(
            ("import", "first fill", "second", "third"), zip(*steps[1:], strict=True), strict=True
        ):
            print(f"  {title:28} {statistics.median(found):9.2f}")
        fresh = os.environ | {"NUMBA_CACHE_DIR": str(folder / "compiled")}
        command = [sys.executable, "-m", "patchloom", "demo", "--out", str(folder / "demo"), "--force"]
        for title in ("demo, the first run ever", "demo, the second"):
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=fresh)
            print(f"{title:30} {time.perf_counter() - began:9.2f}")
        shutil.rmtree(folder / "compiled", ignore_errors=True)


def enlarged(side: tuple[int, int]) -> np.ndarray:
    """The astronaut at ``side`` (height, width): as much work as a photograph of that size."""
    source = Image.fromarray(skimage.data.astronaut())
    return np.array(source.resize(side[::-1], Image.Resampling.LANCZOS))


def dusty(height: int, width: int, spots: int, scratches: int) -> np.ndarray:
    """A mask (H, W) of discs 4 to 16 px wide and of thin, slightly bent lines 300 to 2500 px long."""
    random = np.random.default_rng(0)
    mask = np.zeros((height, width), bool)
    for _ in range(spots):
        row, column, radius = (
            random.integers(20, height - 20),
            random.integers(20, width - 20),
            random.integers(2, 9),
        )
        y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
        mask[row - radius : row + radius + 1, column - radius : column + radius + 1] |= y**2 + x**2 <= radius**2
    for _ in range(scratches):
        along = np.arange(random.integers(300, 2500))
        angle = random.random() * 2 * np.pi
        rows = (random.integers(0, height) + along * np.sin(angle) + 8 * np.sin(along / 200)).astype(int)
        columns = (random.integers(0, width) + along * np.cos(angle)).astype(int)
        inside = (rows > 2) & (rows < height - 3) & (columns > 2) & (columns < width - 3)
        for down in (-1, 0, 1, 2):
            for right in (-1, 0, 1):
                mask[rows[inside] + down, columns[inside] + right] = True
    return mask


def once(methods: list[Method], title: str, case: Case) -> Cost:
    """One fill by each method, printed; the last one's cost."""
    for method in methods:
        runner = Runner(method)
        cost = runner.fill(case)
        print(
            f"{title:38} {method.name:24} {cost.seconds:9.2f} s {cost.cpu:9.2f} CPU s {cost.memory:8.0f} MB",
            flush=True,
        )
        runner.close()
    return cost


def dark(photo: np.ndarray, hole: np.ndarray) -> Case:
    """``photo`` with its hole black."""
    return np.where(hole[..., None], np.uint8(0), photo), hole


def large(methods: list[Method]) -> None:
    head("Large photographs")
    ours = [method for method in methods if method.name != "pypatchmatch"]
    peers = [method for method in methods if method not in ours]
    for megapixels, size, side in ((12, (3000, 4000), 1000), (16, (4000, 4000), 600)):
        hole = np.zeros(size, bool)
        hole[1000 : 1000 + side, 1500 : 1500 + side] = True
        photo, _ = case = dark(enlarged(size), hole)
        once(ours, f"{megapixels} MP, a hole of {side} px", case)
        (window,) = windows.plan(hole)  # the peer would search the whole picture: hours
        once(peers, f"{megapixels} MP, the window of ours", (photo[window.slices].copy(), window.part))
    once(ours, "12 MP, 2500 specks of 5 px", specks.scene(12, 2500))
    once(ours, "50 MP, 200 spots and 30 scratches", dark(enlarged((6144, 8192)), dusty(6144, 8192, 200, 30)))


def square(side: int, hole_side: int) -> Case:
    """The astronaut ``side`` px wide with a hole of ``hole_side`` px."""
    hole = np.zeros((side, side), bool)
    begin = (side - hole_side) // 3
    hole[begin : begin + hole_side, begin : begin + hole_side] = True
    return dark(enlarged((side, side)), hole)


SWEEPS = {  # by what grows: pixels of a side of the photograph and of its hole
    "hole": [
        (64, 10),
        (512, 10),
        (512, 32),
        (512, 100),
        (512, 180),
        (1024, 360),
        (2048, 700),
        (4096, 1400),
        (5000, 2000),
    ],
    "photograph": [(128, 40), (256, 40), (512, 40), (1024, 40), (2048, 40), (4096, 40), (7071, 40)],
}
ENOUGH = 60.0  # seconds; a method that took longer is not asked about anything larger


def growth(methods: list[Method], plot: Path | None) -> None:
    """Seconds and memory as the hole grows and as the photograph grows, each method until it takes too long."""
    found: dict[tuple[str, str], list[tuple[int, Cost]]] = {}
    for sweep, sizes in SWEEPS.items():
        head(f"As the {sweep} grows")
        out: set[str] = set()
        for side, hole_side in sizes:
            for method in (method for method in methods if method.name not in out):
                cost = once([method], f"{side} px, a hole of {hole_side} px", square(side, hole_side))
                grown = hole_side**2 if sweep == "hole" else side**2
                found.setdefault((sweep, method.name), []).append((grown, cost))
                if cost.seconds > ENOUGH:
                    out.add(method.name)
    if plot is not None:
        draw(found, plot)


def draw(found: dict[tuple[str, str], list[tuple[int, Cost]]], path: Path) -> None:
    """Seconds and megabytes against pixels, a line a method."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(2, 2, figsize=(9, 6), sharex="col", sharey="row", layout="constrained")
    for (sweep, name), costs in found.items():
        column = list(SWEEPS).index(sweep)
        pixels = [grown for grown, _ in costs]
        panels[0][column].loglog(pixels, [cost.seconds for _, cost in costs], "o-", ms=3, label=name)
        panels[1][column].semilogx(pixels, [cost.memory for _, cost in costs], "o-", ms=3, label=name)
    panels[0][0].set_ylabel("seconds")
    panels[1][0].set_ylabel("peak MB")
    panels[1][0].set_xlabel("pixels of the hole")
    panels[1][1].set_xlabel("pixels of the photograph (its hole is 40 px wide)")
    panels[0][0].legend()
    for panel in panels.flat:
        panel.grid(alpha=0.3)
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", default="pypatchmatch,fast,balanced")
    parser.add_argument("--method", action="append", default=[], help="one more, as in patchloom evaluate")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pictures", type=Path, help="folder of photographs")
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--hole", default="box:165,165,180,180")
    parser.add_argument("--busy", type=int, metavar="N", help="beside N busy loops")
    parser.add_argument("--processes", type=int, metavar="N", help="N processes at once")
    for kind in ("whole", "large", "growth"):
        parser.add_argument(f"--{kind}", action="store_true")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="a picture of what --growth finds (.svg, .png)")
    given = parser.parse_args()
    cases = load_cases(given.pictures, given.side, given.hole)
    methods = [parse_method(text) for text in [*given.methods.split(","), *given.method]]
    asked = False
    if given.busy:
        beside(methods, cases, given.repeats, given.busy)
        asked = True
    if given.processes:
        together(methods, cases, given.repeats, given.processes)
        asked = True
    for kind, run in (("whole", lambda: whole(cases, given.repeats)), ("large", lambda: large(methods)),
                      ("growth", lambda: growth(methods, given.plot))):  # fmt: skip
        if getattr(given, kind):
            run()
            asked = True
    if not asked:
        quiet(methods, cases, given.repeats)


if __name__ == "__main__":
    main()
