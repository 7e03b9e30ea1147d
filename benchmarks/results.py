"""Regenerates the numbers and pictures of docs/results.md.

    python benchmarks/test_set.py ../shared/data/test384.tar runs/test-set
    python benchmarks/free_photographs.py runs/free
    python benchmarks/results.py run            # all commands, or those named; resumes
    python benchmarks/results.py write          # tables and pictures into the docs; of all runs, or those named

docs/results.md is prose with blocks between ``<!-- table NAME -->`` and ``<!-- end -->``; every block is replaced
by the command that makes the numbers and the table of what it wrote.
"""

import argparse
import json
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from patchloom.evaluation.pictures import Tile, contact_sheet, view_of, with_hole

DOCS = Path(__file__).parents[1] / "docs"
CLASSICAL = "pypatchmatch,gmic,shift-map,fsr-fast,telea,navier-stokes,biharmonic,membrane"
QUICK = "pypatchmatch,telea,navier-stokes,biharmonic,membrane"  # the others take minutes for a photograph
OURS = "balanced,fast"
JUDGE = ["--judge", "../shared/weights/vgg19-relu3_1.safetensors"]
FREE_HOLES = ["--holes", "blobs", "--holes", "boxes", "--holes", "random:thick"]

ABLATIONS: dict[str, list[str]] = {
    "content": [
        "no-network=balanced+content=patches",
        "network-alone=content-network",
        "fast",
        "fast-no-network=fast+content=patches",
    ],
    "start": [
        "no-guide=balanced+content=patches",
        "membrane-guide=balanced+content=none",
        "weight-1=balanced+guide_weight=1",
        "weight-6=balanced+guide_weight=6",
    ],
    "texture-weight": [f"texture-{w}=balanced+texture_weight={w}" for w in (0, 0.25, 4, 16)],
    "layers": ["fine=balanced+layers=relu1_1", "middle=balanced+layers=relu2_1", "coarse=balanced+layers=relu3_1"],
    "iterations": [f"steps-{n}=balanced+iterations={n}" for n in (0, 5, 40)],
    "searched": ["searched=balanced+matching=searched"],
}
SLOW = {"searched"}  # ablations of the blobs alone


@dataclass(frozen=True)
class Run:
    """A command and what the docs show of it."""

    folder: str
    arguments: tuple[str, ...]
    region: str = "hole"

    def command(self) -> list[str]:
        return ["patchloom", "evaluate", *self.arguments, "--out", f"runs/{self.folder}"]

    def methods(self) -> set[str]:
        """Names; a report has those of earlier commands in its folder, too."""
        given = list(zip(self.arguments, self.arguments[1:], strict=False))
        several = [name for flag, names in given if flag == "--methods" for name in names.split(",")]
        return {*several, *(method.partition("=")[0] for flag, method in given if flag == "--method")}


def evaluation(source: str, holes: list[str], methods: str, more: list[str]) -> tuple[str, ...]:
    extra = [word for method in more for word in ("--method", method)]
    return (source, *holes, "--methods", methods, *extra, *JUDGE)


PHOTOGRAPHS = ["--holes", "runs/test-set/holes"]
RUNS: dict[str, Run] = {
    "official": Run(
        "official",
        evaluation(
            "../shared/data/official",
            ["--holes", "box:165,165,180,180"],
            f"{OURS},content-network,{CLASSICAL}",
            ["no-network=balanced+content=patches"],
        ),
    ),
    "photographs": Run("photographs", evaluation("runs/test-set/pictures", PHOTOGRAPHS, f"{OURS},{QUICK}", [])),
    "removal": Run(
        "removal",
        evaluation("runs/free/pictures", ["--holes", "runs/free/removal"], "balanced,pypatchmatch,telea", []),
    ),
    "impossible": Run(
        "impossible",
        evaluation("runs/free/pictures", ["--holes", "runs/free/impossible"], "balanced,pypatchmatch,telea", []),
    ),
    **{
        f"ablation-{name}": Run(
            "ablation-slow" if name in SLOW else "ablation",
            evaluation("runs/free/small", FREE_HOLES[:2] if name in SLOW else FREE_HOLES, "balanced", methods),
        )
        for name, methods in ABLATIONS.items()
    },
}

COLUMNS = {
    "psnr": ("PSNR dB", 2),
    "ssim": ("SSIM", 3),
    "l1": ("L1 %", 2),
    "perceptual": ("perceptual", 3),
    "texture": ("texture", 3),
    "sharpness_error": ("sharpness error", 3),
    "log_sharpness": ("ln sharpness", 2),
    "seam": ("seam", 2),
    "peak_mb": ("peak MB", 0),
}
HIGHER, SIGNED = {"psnr", "ssim"}, {"log_sharpness"}


def table(rows: list[dict], label: str = "method", columns: dict[str, tuple[str, int]] = COLUMNS) -> str:
    """Markdown, the best of each column bold."""
    lines = ["| " + " | ".join([label, *(title for title, _ in columns.values())]) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    goodness = {
        name: [row[name] if name in HIGHER else -abs(row[name] - (1 if name == "seam" else 0)) for row in rows]
        for name in columns
    }
    for i, row in enumerate(rows):
        cells = [str(row[label])]
        for name, (_, digits) in columns.items():
            text = f"{row[name]:.{digits}f}"
            cells.append(f"**{text}**" if goodness[name][i] == max(goodness[name]) and len(rows) > 1 else text)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def block(name: str) -> str:
    """What stands between the markers of a block."""
    kind, _, rest = name.partition(":")
    run = RUNS[kind]
    if not recorded(kind).exists():
        raise SystemExit(f"Run it first: python benchmarks/results.py run {kind}")
    metrics = json.loads(recorded(kind).read_text())
    metrics["summary"] = [row for row in metrics["summary"] if row["method"] in run.methods()]
    command = f"```\n{shlex.join(run.command())}\n```\n\n"
    if rest == "command":
        return command.rstrip()
    if rest == "groups":
        return by_group(metrics["rows"])
    if rest == "areas":
        rows = [row for row in metrics["summary"] if row["region"] == run.region and row["bucket"] != "all"]
        shown = [row | {"method": f"{row['method']}, {row['bucket']} ({row['count']})"} for row in rows]
        few = {"balanced", "fast", "pypatchmatch"}
        return table([row for row in shown if row["method"].split(",")[0] in few])
    if rest in ("rim", "image"):
        rows = [row for row in metrics["summary"] if row["region"] == rest and row["bucket"] == "all"]
        return table(
            rows, columns={name: COLUMNS[name] for name in ("psnr", "ssim", "l1", "perceptual", "texture")}
        )
    rows = [row for row in metrics["summary"] if row["region"] == run.region and row["bucket"] == "all"]
    failed = "".join(f"\n- {row['method']}: {row['error']} ({row['fills']} fills)" for row in metrics["failed"])
    count = f"{rows[0]['count']} cases, {run.region}.\n\n" if rows else ""
    return command + count + table(rows) + (f"\n\nMissing or failed:{failed}" if failed else "")


def recorded(name: str) -> Path:
    """The metrics of a run as they were when it ended: ablations share a folder."""
    return Path("runs", RUNS[name].folder, f"{name}.json")


def by_group(rows: list[dict]) -> str:
    """Ours and PyPatchMatch for each kind of hole; a picture's name begins with the kind."""
    shown = []
    for kind in ("boxes", "blobs", "thick", "medium", "thin"):
        for method in ("balanced", "fast", "pypatchmatch"):
            chosen = [
                row for row in rows
                if row["image"].startswith(kind) and row["method"] == method and row["region"] == "hole"
            ]  # fmt: skip
            if chosen:
                logs = np.log([row["sharpness"] for row in chosen])
                means = {
                    name: float(np.mean([row[name] for row in chosen])) for name in COLUMNS if name in chosen[0]
                }
                means |= {"sharpness_error": float(np.abs(logs).mean()), "log_sharpness": float(logs.mean())}
                shown.append((kind, {"method": f"{kind}: {method}"} | means))
    kinds = dict.fromkeys(kind for kind, _ in shown)
    parts = [table([row for each, row in shown if each == kind]).splitlines() for kind in kinds]
    return "\n".join([*parts[0][:2], *(line for part in parts for line in part[2:])])


def write(names: list[str]) -> None:
    """Replaces the blocks of docs/results.md, and the pictures it shows, of the runs ``names``."""
    path = DOCS / "results.md"
    text = re.sub(
        r"(<!-- table ([^ :]+)(\S*) -->\n).*?(<!-- end -->)",
        lambda match: f"{match[1]}{block(match[2] + match[3])}\n{match[4]}" if match[2] in names else match[0],
        path.read_text(),
        flags=re.DOTALL,
    )
    path.write_text(text)
    for name in names:
        if name in ("removal", "impossible") or name.startswith("ablation"):
            sheet(name)


def sheet(name: str, side: int = 220) -> None:
    """docs/images/NAME.jpg: hole, fills and truth of a run on free photographs, a line a case."""
    run = RUNS[name]
    folder, data = Path("runs", run.folder), json.loads(recorded(name).read_text())
    methods = [method["name"] for method in data["about"]["methods"] if method["name"] in run.methods()]
    cases = sorted((folder / "cases").iterdir())
    if name.startswith("ablation"):
        cases = [case for case in cases if "blobs" in case.name]
    rows = []
    for case in cases:
        truth, hole = np.array(Image.open(case / "truth.png")), np.array(Image.open(case / "hole.png")) > 0
        view = view_of(hole, margin=0.5)
        tiles = [Tile(truth[view], "photograph"), Tile(with_hole(truth, hole)[view], "hole")]
        fills = [(method, folder / "fills" / case.name / f"{method}.png") for method in methods]
        tiles += [Tile(np.array(Image.open(path))[view], method) for method, path in fills if path.exists()]
        rows.append(tiles)
    (DOCS / "images").mkdir(exist_ok=True)
    contact_sheet(rows, side).save(DOCS / "images" / f"{name}.jpg", quality=88)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "write", "list"])
    parser.add_argument("names", nargs="*", help="runs; all if none is named")
    given = parser.parse_args()
    names = given.names or list(RUNS)
    for name in names:
        if given.what == "list":
            print(f"{name}: {shlex.join(RUNS[name].command())}")
        if given.what == "run":
            subprocess.run(RUNS[name].command(), check=True)
            recorded(name).write_bytes(recorded(name).with_name("metrics.json").read_bytes())
    if given.what == "write":
        write(names)


if __name__ == "__main__":
    main()
