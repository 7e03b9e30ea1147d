"""Is a given picture followed? The truth, made smaller, as the coarse picture of its own hole.

    python benchmarks/follow.py --threads 1 --out runs/follow
    python benchmarks/follow.py --groups official --limit 4 --shrink 4
    python benchmarks/follow.py --groups large --out runs/follow-large

The truth at a half, a quarter and an eighth of its size, enlarged again, is what an excellent network would say.
Of the fill that follows it, means over a group's pictures:

* ``low-pass``: agreement with the given picture at its own size, over pixels wholly inside the hole, in dB (a thin
  one has none at an eighth);
* ``serr``: |ln(gradient of the fill / of the truth)|, inside the hole;
* ``perc``: the relative distance in deep features to the truth, and that of the given picture itself and of the
  default, which is told nothing.

``large`` are photographs of several megapixels, cut to the hole and as much again.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from quality import GROUPS, SHARED, Case, load_cases

from patchloom import inpaint
from patchloom.evaluation.metrics import Judge
from patchloom.networks.weights import load_texture
from patchloom.settings import RunSettings

BARS = {2: 30.0, 4: 35.0, 8: 35.0}  # of the low-pass, in dB
SERR = 0.15
COLUMNS = ("low-pass", "serr", "perc", "perc given", "perc default")


def halved(picture: NDArray[np.float32], shrink: int) -> NDArray[np.float32]:
    """(H / shrink, W / shrink, C): means of blocks; what is left over at the right and below is cut off."""
    height, width = (size // shrink * shrink for size in picture.shape[:2])
    blocks = picture[:height, :width].reshape(height // shrink, shrink, width // shrink, shrink, -1)
    return blocks.mean((1, 3))


def given(truth: NDArray[np.uint8], shrink: int) -> NDArray[np.uint8]:
    """The truth with no detail finer than ``shrink`` pixels."""
    height, width = truth.shape[:2]
    small = Image.fromarray(truth).resize((width // shrink, height // shrink), Image.Resampling.BOX)
    return np.array(small.resize((width, height), Image.Resampling.BILINEAR))


def scored(
    case: Case, shrinks: list[int], judge: Judge, out: Path, run: RunSettings
) -> dict[int, dict[str, float]]:
    truth = judge.of(case.truth / np.float32(255), case.hole, regions=("hole",))

    def score(picture: NDArray[np.uint8]) -> dict[str, float]:
        return truth.score(picture / np.float32(255))["hole"]

    default = score(inpaint(case.truth, case.hole, run=run))
    rows = {}
    for shrink in shrinks:
        coarse = np.where(case.hole[..., None], given(case.truth, shrink), case.truth)
        fill = inpaint(case.truth, case.hole, coarse=coarse, run=run)
        Image.fromarray(fill).save(out / f"{case.name}-{shrink}.png")
        inside = halved(case.hole[..., None].astype(np.float32), shrink)[..., 0] == 1
        apart = halved(fill.astype(np.float32), shrink) - halved(coarse.astype(np.float32), shrink)
        result = score(fill)
        rows[shrink] = {
            "low-pass": float(20 * np.log10(255 / max(np.sqrt(np.square(apart[inside]).mean()), 0.1)))
            if inside.any()
            else np.nan,
            "serr": abs(float(np.log(result["sharpness"]))),
            "perc": result["perceptual"],
            "perc given": score(coarse)["perceptual"],
            "perc default": default["perceptual"],
        }
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument(
        "--groups", default=",".join(["official", *GROUPS]), help="also large (default: all others)"
    )
    parser.add_argument("--limit", type=int, help="the first so many of each group")
    parser.add_argument("--shrink", default="2,4,8")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--weights", default="compact", help="the network that judges; a file, vgg19 or compact")
    parser.add_argument("--out", type=Path, default=Path("runs/follow"))
    arguments = parser.parse_args()
    groups, shrinks = arguments.groups.split(","), [int(each) for each in arguments.shrink.split(",")]
    run = RunSettings(threads=arguments.threads)
    judge = Judge(load_texture(arguments.weights, "cpu"))
    cases = load_cases(arguments.shared, groups, arguments.limit)
    table: dict[str, dict[int, dict[str, float]]] = {}
    print(f"| group | given at | {' | '.join(COLUMNS)} | bars met |", flush=True)
    for group, members in cases.items():
        folder = arguments.out / group
        folder.mkdir(parents=True, exist_ok=True)
        rows = [scored(case, shrinks, judge, folder, run) for case in members]
        table[group] = {}
        for shrink in shrinks:
            means = {name: float(np.nanmean([row[shrink][name] for row in rows])) for name in COLUMNS}
            met = (means["low-pass"] >= BARS.get(shrink, 0), means["serr"] <= SERR)
            met += (means["perc"] <= means["perc default"] / 2,)
            table[group][shrink] = means
            values = " | ".join(f"{means[name]:.3f}" for name in COLUMNS)
            print(
                f"| {group} | 1/{shrink} | {values} | {' '.join('no' if not m else 'yes' for m in met)} |",
                flush=True,
            )
    (arguments.out / "scores.json").write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
