"""How good are the fills? Ours against PyPatchMatch over the same holes, group by group.

    python benchmarks/quality.py --limit 8 --set guide_weight=2 --out runs/quality

Groups: ``official`` (the 16 pictures published with the paper's code, their 180-px hole) and ``boxes``, ``blobs``,
``thick`` and ``thin`` (24 photographs each, no photograph in two groups). Pictures are filled and stored first and
scored afterwards; fills of the fixed methods are kept in ``--cache``, ours are made anew unless ``--resume``.
Prints a table per group and writes ``scores.json`` and one contact sheet a group, worst cases first.
"""

import argparse
import io
import json
import os
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from patchloom.evaluation.holes import make_hole
from patchloom.evaluation.metrics import Judge
from patchloom.evaluation.peers import parse_method
from patchloom.evaluation.pictures import Tile, contact_sheet, view_of, with_hole

SHARED = Path(__file__).resolve().parents[2] / "shared"
GROUPS = {"boxes": "boxes", "blobs": "blobs", "thick": "random:thick", "thin": "random:thin"}
A_GROUP = 24


@dataclass
class Case:
    name: str
    truth: np.ndarray
    hole: np.ndarray


def load_cases(shared: Path, groups: list[str], limit: int | None) -> dict[str, list[Case]]:
    """Cases by group; ``limit`` takes the first so many of each."""
    cases: dict[str, list[Case]] = {}
    if "official" in groups:
        cases["official"] = []
        for path in sorted((shared / "data/official").glob("*.png"))[:limit]:
            truth = np.array(Image.open(path).convert("RGB"))
            cases["official"].append(Case(path.stem, truth, make_hole("box:165,165,180,180", 512, 512)))
    with tarfile.open(shared / "data/test384.tar") as tar:
        names = sorted(member.name for member in tar.getmembers() if member.isfile())
        order = np.random.RandomState(0).permutation(len(names))
        for number, (group, spec) in enumerate(GROUPS.items()):
            if group not in groups:
                continue
            chosen = [names[i] for i in order[number * A_GROUP : (number + 1) * A_GROUP]]
            cases[group] = []
            for name in chosen[:limit]:
                truth = np.array(Image.open(io.BytesIO(tar.extractfile(name).read())).convert("RGB"))
                stem = Path(name).stem
                cases[group].append(Case(stem, truth, make_hole(spec, truth.shape[1], truth.shape[0], name=stem)))
    return cases


def fill_all(method: str, cases: dict[str, list[Case]], folder: Path, resume: bool) -> None:
    """Stores one PNG and its seconds a case."""
    folder.mkdir(parents=True, exist_ok=True)
    peer = None
    for group, members in cases.items():
        for case in members:
            path = folder / f"{group}-{case.name}.png"
            if resume and path.with_suffix(".json").exists():
                continue
            if peer is None:
                peer = parse_method(method).peer()
                peer.make_ready()
            started = time.perf_counter()
            filled = peer.fill(case.truth * ~case.hole[..., None], case.hole)
            seconds = time.perf_counter() - started
            Image.fromarray(filled).save(path)
            path.with_suffix(".json").write_text(json.dumps({"seconds": seconds}))
            print(f"\r{method:40.40} {group:10} {case.name:30.30} {seconds:6.2f} s", end="", flush=True)
    print("\r" + " " * 100, end="\r")


def score_all(method: str, cases: dict[str, list[Case]], folder: Path, judge: Judge) -> dict[str, dict]:
    """{"group-case": scores}. Scores lie beside the pictures, and are kept until picture or metrics change."""
    scores = {}
    metrics_changed = Path(__file__).parents[1].joinpath("src/patchloom/evaluation/metrics.py").stat().st_mtime
    for group, members in cases.items():
        for case in members:
            path = folder / f"{group}-{case.name}.png"
            kept = path.with_suffix(".score")
            newest = max(path.stat().st_mtime, metrics_changed)
            if not kept.exists() or kept.stat().st_mtime < newest:
                filled = np.array(Image.open(path)).astype(np.float32) / 255
                row = judge.case(case.truth.astype(np.float32) / 255, case.hole, regions=("hole",)).score(filled)
                kept.write_text(json.dumps(row["hole"]))
            seconds = json.loads(path.with_suffix(".json").read_text())
            scores[f"{group}-{case.name}"] = json.loads(kept.read_text()) | seconds | {"group": group}
    return scores


COLUMNS = ("psnr", "ssim", "perceptual", "texture", "serr", "ln", "seam", "seconds")


def summary(scores: dict[str, dict], group: str) -> list[float]:
    rows = [row for row in scores.values() if group in ("all", row["group"])]
    logs = np.log([row["sharpness"] for row in rows])
    means = {name: np.mean([row[name] for row in rows]) for name in COLUMNS if name not in ("serr", "ln")}
    means |= {"serr": np.abs(logs).mean(), "ln": logs.mean()}
    return [float(means[name]) for name in COLUMNS]


def print_tables(results: dict[str, dict[str, dict]], groups: list[str]) -> None:
    print(f"{'group':9} {'method':36} {'PSNR':>6} {'SSIM':>6} {'perc':>6} {'text':>6} {'serr':>6} {'ln':>6} "
          f"{'seam':>6} {'s':>6}")  # fmt: skip
    for group in [*groups, "mean"]:
        for method, scores in results.items():
            if group == "mean":
                values = np.mean([summary(scores, each) for each in groups], axis=0)
            else:
                values = summary(scores, group)
            numbers = " ".join(f"{v:6.2f}" if c in ("psnr", "seconds") else f"{v:6.3f}"
                               for c, v in zip(COLUMNS, values, strict=True))  # fmt: skip
            print(f"{group:9} {method:36.36} {numbers}")


def sheet(group: str, members: list[Case], results: dict, folders: dict[str, Path], path: Path) -> None:
    """One row a case, worst first by the last method's perceptual distance less the first's."""
    methods = list(results)
    by_key = {f"{group}-{case.name}": case for case in members}

    def badness(key: str) -> float:
        first, last = results[methods[0]][key], results[methods[-1]][key]
        return last["perceptual"] - (first["perceptual"] if len(methods) > 1 else 0)

    rows = []
    for key in sorted(by_key, key=badness, reverse=True)[:24]:
        case = by_key[key]
        view = view_of(case.hole)
        tiles = [Tile(with_hole(case.truth, case.hole)[view], case.name)]
        for method in methods:
            row = results[method][key]
            label = f"{method[:24]} {row['psnr']:.1f} p{row['perceptual']:.3f} s{np.log(row['sharpness']):+.2f}"
            tiles.append(Tile(np.array(Image.open(folders[method] / f"{key}.png"))[view], label))
        rows.append([*tiles, Tile(case.truth[view], "truth")])
    contact_sheet(rows, 320).save(path)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/quality"), help="where our pictures and tables go")
    parser.add_argument(
        "--cache", type=Path, help="where fixed methods' pictures are kept (default: OUT/../cache)"
    )
    parser.add_argument("--groups", default="official,boxes,blobs,thick,thin")
    parser.add_argument("--limit", type=int, help="the first so many cases of each group")
    parser.add_argument("--preset", default="balanced", help="of ours; 'none' leaves ours out")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--method", action="append", default=[], help="another method of ours, as in evaluate")
    parser.add_argument("--peers", default="pypatchmatch", help="fixed methods, comma-separated")
    parser.add_argument("--resume", action="store_true", help="keep our pictures that are there already")
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--network", help="texture network that judges (default: shared VGG-19 to relu3_1)")
    return parser.parse_args()


def main() -> None:
    given = parse_arguments()
    groups = given.groups.split(",")
    cases = load_cases(given.shared, groups, given.limit)
    cache = given.cache or Path(os.environ.get("PATCHLOOM_QUALITY_CACHE", given.out.parent / "quality-cache"))
    folders = {method: cache / method for method in given.peers.split(",") if method}
    for method in folders:
        fill_all(method, cases, folders[method], resume=True)
    ours = [] if given.preset == "none" else ["+".join([given.preset, *given.changes])]
    for method in [*ours, *given.method]:
        folders[method] = given.out / method.replace("/", "_")
        fill_all(method, cases, folders[method], given.resume)
    from patchloom.networks.weights import load_texture

    judge = Judge(load_texture(given.network or str(given.shared / "weights/vgg19-relu3_1.safetensors"), "cpu"))
    results = {method: score_all(method, cases, folder, judge) for method, folder in folders.items()}
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "scores.json").write_text(json.dumps(results, indent=1))
    print_tables(results, groups)
    for group, members in cases.items():
        sheet(group, members, results, folders, given.out / f"sheet-{group}.png")
    print(f"contact sheets: {given.out}/sheet-*.png")


if __name__ == "__main__":
    main()
