"""The paper's claims, tried: its loop from different starts, with and without each of its parts.

    python benchmarks/paper.py runs/paper --weights ../shared/weights/vgg19-relu3_1.safetensors
    python benchmarks/paper.py runs/paper --groups official,boxes,blobs --rows "balanced;balanced, then searched"

The 16 pictures published with the paper's code, at half size (256 px, their hole of 180 px then 90): two of the
paper's three levels. Each row is the preset ``paper`` with one thing changed; VGG-19 as far as the file of weights
reaches. Fills are kept, so that a stopped run goes on; ``--limit`` takes the first pictures, ``--rows`` some rows.
Prints a table of means, and for every row in how many pictures it is nearer the truth than the row ``paper``
(without it: than the first). ``--groups`` takes the holes of ``benchmarks/quality.py``, at native size.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from quality import Case, load_cases

from patchloom import Inpainter, Mask, Photo, fill_settings
from patchloom.evaluation.metrics import Judge
from patchloom.networks.weights import load_texture

SHARED = Path(__file__).resolve().parents[2] / "shared"
ROWS: dict[str, dict[str, object]] = {  # what differs from the preset; "from" names the start
    "paper": {},
    "patches": {"content": "patches"},
    "membrane": {"content": "none"},
    "tv .1": {"tv_weight": 0.1},
    "tv 1": {"tv_weight": 1.0},
    "content 1": {"content_weight": 1.0},
    "without content": {"content_weight": 0.0},
    "correlation": {"metric": "correlation"},
    "searched every iteration": {"rematch_every": 1},
    "native level only": {"optimised": "last"},
    "without texture": {"texture_weight": 0.0},
    "balanced": {"preset": "balanced"},
    "balanced, then searched": {"from": "balanced", "optimised": "last", "iterations": 30},
    "balanced, then searched, content 1": {
        "from": "balanced", "optimised": "last", "iterations": 30, "content_weight": 1.0,
    },
}  # fmt: skip
COLUMNS = ("psnr", "ssim", "perceptual", "texture", "sharpness", "seam")


def cases(given: argparse.Namespace) -> dict[str, list[Case]]:
    """Pictures and holes by group; the published examples (size, size, 3) are a group without a name."""
    if given.groups:
        return load_cases(SHARED, given.groups.split(","), given.limit)
    size = given.size
    first, last = (round(edge * size / 512) for edge in (165, 345))
    hole = np.zeros((size, size), bool)
    hole[first:last, first:last] = True
    published = [
        Case(
            path.stem, np.asarray(Image.open(path).convert("RGB").resize((size, size), Image.Resampling.BOX)), hole
        )
        for path in sorted(given.data.glob("*.png"))[: given.limit]
    ]
    return {"": published}


def path_of(given: argparse.Namespace, group: str, row: str, name: str) -> Path:
    return Path(given.out, group, row.replace(" ", "-").replace(",", ""), f"{name}.png")


def filled(
    row: str, truth: NDArray[np.uint8], hole: NDArray[np.bool_], start: Path, weights: str
) -> NDArray[np.uint8]:
    changes = dict(ROWS[row])
    preset, coarse = str(changes.pop("preset", "paper")), None
    if changes.pop("from", None):
        coarse = Photo.open(start)
    if preset == "paper":
        changes = {"texture": weights, "layers": "relu3_1", **changes}
    photo = Photo.from_array(truth * ~hole[..., None])
    settings = fill_settings(preset, **changes)
    return Inpainter().inpaint(photo, Mask.from_array(hole), settings, coarse=coarse).photo.to_array()


def fill_all(given: argparse.Namespace, rows: list[str]) -> None:
    for group, members in cases(given).items():
        for name, truth, hole in members:
            for row in rows:
                path = path_of(given, group, row, name)
                if path.exists():
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                begun = time.perf_counter()
                picture = filled(row, truth, hole, path_of(given, group, "balanced", name), str(given.weights))
                path.with_suffix(".json").write_text(json.dumps({"seconds": time.perf_counter() - begun}))
                Image.fromarray(picture).save(path)
                print(f"{group} {row} {name}: {time.perf_counter() - begun:.1f} s", flush=True)


def scores_of(
    given: argparse.Namespace, group: str, members: list[Case], row: str, judge: Judge
) -> dict[str, dict[str, float]]:
    """{picture: {column: score}} of the fills that are there."""
    found = {}
    for name, truth, hole in members:
        path = path_of(given, group, row, name)
        if path.exists():
            case = judge.of(truth.astype(np.float32) / 255, hole, regions=("hole",))
            found[name] = dict(case.score(np.asarray(Image.open(path)).astype(np.float32) / 255)["hole"])
            found[name] |= json.loads(path.with_suffix(".json").read_text())
    return found


def print_table(results: dict[str, dict[str, dict[str, float]]]) -> None:
    against = "paper" if "paper" in results else next(iter(results))
    titles = ("", "pictures", *COLUMNS, "seconds", f"nearer the truth than {against}")
    print("| " + " | ".join(titles) + " |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row, found in results.items():
        if not found:
            continue
        mean = {name: np.mean([one[name] for one in found.values()]) for name in (*COLUMNS, "seconds")}
        serr = np.abs(np.log([one["sharpness"] for one in found.values()])).mean()
        both = found.keys() & results[against].keys()
        better = sum(found[name]["perceptual"] < results[against][name]["perceptual"] for name in both)
        print(
            f"| {row} | {len(found)} | {mean['psnr']:.2f} | {mean['ssim']:.3f} | {mean['perceptual']:.3f} | "
            f"{mean['texture']:.3f} | {serr:.3f} | {mean['seam']:.2f} | {mean['seconds']:.1f} | "
            f"{better} of {len(both)} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=SHARED / "data/official")
    parser.add_argument("--weights", type=Path, default=SHARED / "weights/vgg19-relu3_1.safetensors")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--groups", default="", help="of benchmarks/quality.py, comma-separated")
    parser.add_argument("--limit", type=int, help="the first so many pictures (of a group)")
    parser.add_argument("--content", action="append", default=[], type=Path, help="a content network: a row more")
    parser.add_argument("--rows", default=";".join(ROWS), help="names, separated by semicolons")
    given = parser.parse_args()
    ROWS.update({file.stem: {"content": str(file)} for file in given.content})
    rows = [*given.rows.split(";"), *(file.stem for file in given.content)]
    fill_all(given, rows)
    judge = Judge(load_texture(str(given.weights), "cpu"))
    for group, members in cases(given).items():
        print(f"\n{group}".rstrip())
        print_table({row: scores_of(given, group, members, row, judge) for row in rows})


if __name__ == "__main__":
    main()
