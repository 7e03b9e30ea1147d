"""How right the content networks are on average, and everything that could stand in for one.

    python benchmarks/content.py ../shared/data/test136.tar --content runs/content/content-default.safetensors

Each held-out photograph's central 128x128 is filled twice: the centred square of half its side, and a random hole
(boxes for one half of the photographs, thick brush strokes for the other; seeded by the photograph's name). The
figures are means over photographs, over the hole only, of the whole-pixel result: L1 and L2 in percent of the
range, PSNR in decibel, SSIM. Prints a Markdown table and writes ``table.md``, ``scores.json`` and ``sheet.png``
(truth, hole, fills in the table's order). With ``--keep``, peers that are no networks and have scores of the same
photographs are not run again (and not in the sheet).
"""

import argparse
import json
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchloom.evaluation.holes import make_hole
from patchloom.evaluation.metrics import l1, l2, psnr, ssim_map
from patchloom.evaluation.peers import PEERS, ContentAlone, Peer
from patchloom.networks.content import SIZE
from patchloom.training.data import read_files

Pixels = NDArray[np.uint8]
Hole = NDArray[np.bool_]

MEASURES = ("L1 %", "L2 %", "PSNR dB", "SSIM")


class Mean(Peer):
    about = "mean colour of the known pixels"

    def prepare(self) -> None:
        pass

    def fill(self, photo: Pixels, hole: Hole) -> Pixels:
        filled = photo.copy()
        filled[hole] = photo[~hole].mean(axis=0).round()
        return filled


def read_pictures(sources: list[Path], limit: int | None) -> dict[str, Pixels]:
    """Name -> central 128x128, RGB."""
    pictures = {}
    for name, data in (item for source in sources for item in read_files(source)):
        with Image.open(BytesIO(data)) as opened:
            photo = np.asarray(opened.convert("RGB"))
        top, left = ((length - SIZE) // 2 for length in photo.shape[:2])
        pictures[Path(name).stem] = photo[top : top + SIZE, left : left + SIZE]
    names = sorted(pictures)
    step = max(1, len(names) // limit) if limit else 1
    return {name: pictures[name] for name in names[::step]}


def square(number: int, name: str) -> Hole:
    return make_hole("center:0.5", SIZE, SIZE)


def scattered(number: int, name: str) -> Hole:
    return make_hole("boxes" if number % 2 else "random:thick", SIZE, SIZE, seed=0, name=name)


def score(fill: Pixels, truth: Pixels, hole: Hole) -> dict[str, float]:
    a, b = fill / 255, truth / 255
    values = (l1(a, b, hole), l2(a, b, hole), psnr(a, b, hole), float(ssim_map(a, b)[hole].mean()))
    return dict(zip(MEASURES, values, strict=True))


def measure(
    peers: dict[str, Peer], pictures: dict[str, Pixels], draw: Callable[[int, str], Hole]
) -> tuple[dict[str, dict[str, list[float]]], list[Pixels]]:
    """Scores of every peer on every picture; and rows of truth, hole and fills of a few pictures."""
    scores = {peer: {name: [] for name in (*MEASURES, "ms")} for peer in peers}
    rows = []
    shown = set(list(pictures)[:: max(1, len(pictures) // 8)][:8])
    for number, (name, truth) in enumerate(pictures.items()):
        hole = draw(number, name)
        start = np.where(hole[..., None], np.uint8(255), truth)
        row = [truth, start]
        for label, peer in peers.items():
            began = time.perf_counter()
            fill = peer.fill(start, hole)
            scores[label]["ms"].append(1000 * (time.perf_counter() - began))
            fill = np.where(hole[..., None], fill, truth)
            for measure_name, value in score(fill, truth, hole).items():
                scores[label][measure_name].append(value)
            row.append(fill)
        if name in shown:
            rows.append(np.concatenate(row, axis=1))
    return scores, rows


def read_kept(path: Path, pictures: list[str]) -> dict[str, dict[str, dict[str, list[float]]]]:
    """The scores of an earlier run, if it was of the same photographs."""
    earlier = json.loads(path.read_text()) if path.is_file() else {}
    kept: dict[str, dict[str, dict[str, list[float]]]] = earlier.get("results", {})
    return kept if earlier.get("pictures") == pictures else {}


def table(results: dict[str, dict[str, dict[str, list[float]]]], count: int) -> str:
    kinds = list(results)
    head = ["method", *(f"{kind}: {name}" for kind in kinds for name in (*MEASURES, "ms"))]
    lines = [f"{count} photographs.", "", "| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for label in results[kinds[0]]:
        cells = []
        for kind in kinds:
            mean = {name: float(np.mean(values)) for name, values in results[kind][label].items()}
            cells += [
                f"{mean['L1 %']:.2f}",
                f"{mean['L2 %']:.2f}",
                f"{mean['PSNR dB']:.2f}",
                f"{mean['SSIM']:.3f}",
            ]
            cells.append(f"{mean['ms']:.0f}")
        lines.append("| " + " | ".join([label, *cells]) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument(
        "--content", action="append", default=[], help="a content network's name or file, repeatable"
    )
    parser.add_argument("--without", action="append", default=[], help="leave this peer out, repeatable")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--keep", action="store_true", help="keep the scores of peers that do not change")
    parser.add_argument("--out", type=Path, default=Path("runs/content-benchmark"))
    given = parser.parse_args()
    peers: dict[str, Peer] = {
        "mean colour": Mean(),
        "membrane": PEERS["membrane"],
        "Telea": PEERS["telea"],
        "PyPatchMatch": PEERS["pypatchmatch"],
        **{Path(name).stem: ContentAlone(name) for name in given.content},
    }
    peers = {label: peer for label, peer in peers.items() if label not in given.without}
    pictures = read_pictures(given.pictures, given.limit)
    kept = read_kept(given.out / "scores.json", list(pictures)) if given.keep else {}
    fixed = [label for label, peer in peers.items() if kept and not isinstance(peer, ContentAlone)]
    measured = {label: peer for label, peer in peers.items() if label not in fixed}
    for peer in measured.values():
        peer.make_ready()
    results, sheet = {}, []
    for kind, draw in (("square", square), ("strokes and boxes", scattered)):
        scores, rows = measure(measured, pictures, draw)
        results[kind] = {label: kept[kind][label] if label in fixed else scores[label] for label in peers}
        sheet += rows
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "scores.json").write_text(json.dumps({"pictures": list(pictures), "results": results}))
    (given.out / "table.md").write_text(table(results, len(pictures)))
    Image.fromarray(np.concatenate(sheet)).save(given.out / "sheet.png")
    print(table(results, len(pictures)))


if __name__ == "__main__":
    main()
