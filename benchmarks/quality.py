"""How good are the fills? Ours against PyPatchMatch over the same holes, group by group.

    python benchmarks/quality.py --limit 8 --set guide_weight=2 --out runs/quality

Five sets of holes: ``official`` (the 16 pictures published with the paper's code, their 180-px hole) and
``boxes``, ``blobs``, ``thick`` and ``thin`` (24 photographs each, no photograph in two sets). A sixth, ``large``,
has to be named: eight holes of 500 to 1200 px in photographs of 6 to 24 megapixels, cut to the windows that ours
looks at, since other programs search all that they are given. Each is a run of ``patchloom evaluate`` in a folder
of its own, OUT/SET, with its report, worst cases first; a last table has them all, and the mean of the sets. Fills
of ours are made anew unless ``--resume``, those of other programs are kept. A second table says how well each
method's fills of all sets can be told from photographs (``evaluation/distribution.py``).
"""

import argparse
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchloom import windows
from patchloom.evaluation.distribution import Descriptors, compare, descriptor
from patchloom.evaluation.holes import make_hole
from patchloom.evaluation.metrics import Judge
from patchloom.evaluation.peers import Method, parse_method
from patchloom.evaluation.report import Scored, write_report
from patchloom.evaluation.runs import Case as Stored, fill_path, finished_before, prepare_cases, results_of, run
from patchloom.evaluation.scores import Row, failures, score_run
from patchloom.events import CaseDone, Event
from patchloom.mask import Mask
from patchloom.networks.weights import load_texture
from patchloom.photo import Photo
from patchloom.tensors.boxes import bounds

SHARED = Path(__file__).resolve().parents[2] / "shared"
GROUPS = {"boxes": "boxes", "blobs": "blobs", "thick": "random:thick", "thin": "random:thin"}
A_GROUP = 24
COLUMNS = {"psnr": "PSNR", "ssim": "SSIM", "perceptual": "perc", "texture": "text", "sharpness_error": "serr",
           "log_sharpness": "ln", "seam": "seam", "seconds": "s"}  # fmt: skip


class Case(NamedTuple):
    name: str
    truth: NDArray[np.uint8]  # (H, W, 3)
    hole: NDArray[np.bool_]


def load_cases(shared: Path, groups: Sequence[str], limit: int | None) -> dict[str, list[Case]]:
    """Cases by set; ``limit`` takes the first so many of each."""
    cases: dict[str, list[Case]] = {}
    if "large" in groups:
        masks = sorted((shared / "data/large").glob("*.*.mask.png"))
        cases["large"] = [large_case(path) for path in masks[:limit]]
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
            cases[group] = []
            for i in order[number * A_GROUP : (number + 1) * A_GROUP][:limit]:
                file = tar.extractfile(names[i])
                assert file is not None
                truth, stem = np.array(Image.open(io.BytesIO(file.read())).convert("RGB")), Path(names[i]).stem
                cases[group].append(Case(stem, truth, make_hole(spec, truth.shape[1], truth.shape[0], name=stem)))
    return cases


def large_case(path: Path) -> Case:
    """Of the mask PHOTO.NAME.mask.png."""
    photo, name, *_ = path.name.split(".")
    hole = Mask.open(path).hole
    (window,) = windows.plan(hole)
    truth = Photo.open(path.with_name(f"{photo}.jpg")).pixels
    return Case(name, truth[window.slices].copy(), window.part)


def stored(cases: Sequence[Case], folder: Path) -> list[Stored]:
    """The set as pictures and masks, which is how ``evaluate`` takes it."""
    for kind in ("pictures", "holes"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for case in cases:
        for kind, pixels in (("pictures", case.truth), ("holes", np.uint8(255) * case.hole)):
            path = folder / kind / f"{case.name}.png"
            if not path.exists():
                Image.fromarray(pixels).save(path)
    pictures = [folder / "pictures" / f"{case.name}.png" for case in cases]
    return prepare_cases(pictures, [str(folder / "holes")], folder)


def forget(methods: Sequence[Method], folder: Path) -> None:
    """Fills of ``methods`` will be made anew."""
    path, names = folder / "results.jsonl", {method.name for method in methods}
    if path.exists():
        lines = [line for line in path.read_text().splitlines() if json.loads(line)["method"] not in names]
        path.write_text("".join(f"{line}\n" for line in lines))


def measured(
    cases: list[Stored], methods: Sequence[Method], folder: Path, judge: Judge, worst: Method
) -> list[Row]:
    """The set's means over the hole, by method; its report shows first where ``worst`` is farthest behind."""
    run(cases, methods, folder, observe=tell)
    every = [*methods, *finished_before(cases, methods, folder)]
    results = results_of(cases, every, folder)
    rows = score_run(cases, results, folder, judge)
    in_hole = {(row["image"], row["method"]): row["perceptual"] for row in rows if row["region"] == "hole"}
    cases.sort(
        key=lambda case: in_hole.get((case.image, methods[0].name), 0) - in_hole.get((case.image, worst.name), 0)
    )
    scored = Scored(cases, every, rows, failures(results.values()), judge.name)
    write_report(scored, folder)
    return [row for row in scored.summary() if row["region"] == "hole" and row["bucket"] == "all"]


def described(
    cases: list[Stored], methods: Sequence[Method], folder: Path, judge: Judge
) -> dict[str, list[Descriptors]]:
    """By method, and of the truth under "", in the order of ``cases``."""
    found: dict[str, list[Descriptors]] = {name: [] for name in ("", *(method.name for method in methods))}
    for case in cases:
        hole = case.mask()
        near = bounds(hole).widened(32, hole.shape).aligned(8, hole.shape).slices
        for name, of in found.items():
            pixels = Photo.open(fill_path(folder, case, name)).pixels if name else case.truth()
            of.append(descriptor(judge, pixels[near] / np.float32(255), hole[near]))
    return found


def print_likeness(found: list[dict[str, list[Descriptors]]]) -> None:
    print(f"\n{'all sets':46} {'KID':>6} {'U-IDS':>6} {'P-IDS':>6}")
    truths = np.array([row for one in found for row in one[""]])
    for name in list(found[0])[1:]:
        kid, unpaired, paired = compare(np.array([row for one in found for row in one[name]]), truths)
        print(f"{name:46.46} {kid:6.0f} {unpaired:6.3f} {paired:6.3f}")


def tell(event: Event) -> None:
    if isinstance(event, CaseDone):
        print(f"\r{event.name:70.70} {event.done:4} of {event.of:4} {event.error:30.30}", end="", flush=True)


def print_tables(tables: dict[str, list[Row]]) -> None:
    print(f"\r{'set':9} {'method':36} " + " ".join(f"{title:>6}" for title in COLUMNS.values()))
    names = list(dict.fromkeys(row["method"] for rows in tables.values() for row in rows))
    found = {group: {row["method"]: row for row in rows} for group, rows in tables.items()}
    for group in [*tables, "mean"]:
        for method in names:
            rows = [one[method] for key, one in found.items() if method in one and group in (key, "mean")]
            if rows and (group != "mean" or len(rows) == len(tables)):
                values = [(c, np.mean([row[c] for row in rows])) for c in COLUMNS]
                numbers = " ".join(f"{v:6.2f}" if c in ("psnr", "seconds") else f"{v:6.3f}" for c, v in values)
                print(f"{group:9} {method:36.36} {numbers}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--out", type=Path, default=Path("runs/quality"), help="a folder a set, kept between calls"
    )
    parser.add_argument("--groups", default="official,boxes,blobs,thick,thin")
    parser.add_argument("--limit", type=int, help="the first so many cases of each set")
    parser.add_argument("--preset", default="balanced", help="of ours; 'none' leaves ours out")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--method", action="append", default=[], help="another method of ours, as in evaluate")
    parser.add_argument("--peers", default="pypatchmatch", help="other programs, comma-separated")
    parser.add_argument("--resume", action="store_true", help="keep our fills that are there already")
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--network", help="texture network that judges (default: shared VGG-19 to relu3_1)")
    return parser.parse_args()


def main() -> None:
    given = parse_arguments()
    peers = [parse_method(text) for text in given.peers.split(",") if text]
    ours = [] if given.preset == "none" else [parse_method("+".join([given.preset, *given.changes]))]
    ours += [parse_method(text) for text in given.method]
    judge = Judge(load_texture(given.network or str(given.shared / "weights/vgg19-relu3_1.safetensors"), "cpu"))
    tables, found = {}, []
    for group, cases in load_cases(given.shared, given.groups.split(","), given.limit).items():
        folder = given.out / group
        if not given.resume:
            forget(ours, folder)
        methods = [*peers, *ours]
        prepared = stored(cases, folder)
        tables[group] = measured(prepared, methods, folder, judge, methods[-1])
        found.append(described(prepared, methods, folder, judge))
    print_tables(tables)
    print_likeness(found)
    print(f"reports: {given.out}/SET/report.html, contact-sheet.png")


if __name__ == "__main__":
    main()
