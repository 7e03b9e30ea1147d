"""Photographs continued beyond their frame: crops whose other part is known.

    python benchmarks/extend.py --limit 16 --out runs/extend

Of every photograph a quarter or a seventh is cut off on one side, and continued: by patchloom, by PyPatchMatch,
and by mirroring. Means over the part that was cut off (the metrics of docs/evaluation.md). ``--out`` gets contact
sheets, and pairs for jurors who do not know which is whose:
``pairs/NNN.png`` and the key beside the folder, as benchmarks/jury.py has them.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from harmonise import SHARED, photographs

from patchloom import Inpainter, Photo, RunSettings, fill_settings
from patchloom.canvas import Frame
from patchloom.evaluation.metrics import Judge
from patchloom.evaluation.peers import PyPatchMatch
from patchloom.evaluation.pictures import Tile, contact_sheet, with_hole
from patchloom.extension import extended
from patchloom.networks.weights import load_texture

SIDES = ("left", "right", "top", "bottom")
METRICS = ("psnr", "perceptual", "texture", "sharpness", "seam")


def cut(truth: np.ndarray, side: str, share: float) -> tuple[np.ndarray, int]:
    """What is left of ``truth`` without ``share`` of it on that ``side``, and how many pixels were cut off."""
    axis = 1 if side in ("left", "right") else 0
    pixels = int(truth.shape[axis] * share)
    kept = slice(pixels, None) if side in ("left", "top") else slice(None, truth.shape[axis] - pixels)
    return np.ascontiguousarray(truth[:, kept] if axis else truth[kept]), pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=16)
    parser.add_argument("--source", choices=["shared", "free"], default="shared")
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    peer, judge = PyPatchMatch(), Judge(load_texture("compact"))
    peer.make_ready()
    inpainter, settings = Inpainter(RunSettings()), fill_settings("balanced")
    pictures, rng = list(photographs(given.source, given.shared)), np.random.default_rng(5)
    scores: dict[str, list[list[float]]] = {}
    rows, pairs = [], []
    for number, index in enumerate(rng.permutation(len(pictures))[: given.limit]):
        name, truth = pictures[index]
        side = SIDES[number % 4]
        known, pixels = cut(truth, side, 1 / 4 if number % 8 < 4 else 1 / 7)
        frame = Frame(**{side: str(pixels)})
        around = (*frame.margins(known.shape[1], known.shape[0]).around, (0, 0))
        beyond = np.pad(np.zeros(known.shape[:2], bool), around[:2], constant_values=True)
        canvas = np.pad(known, around, mode="edge")
        fills = {
            "patchloom extend": extended(Photo(known), frame, settings, inpainter=inpainter).photo.pixels,
            "PyPatchMatch": peer.fill(canvas, beyond),
            "mirrored": np.pad(known, around, mode="symmetric"),
        }
        judged = judge.of(truth / 255, beyond, regions=("hole",))
        row = [Tile(with_hole(truth, beyond), name)]
        for method, fill in fills.items():
            found = judged.score(fill / 255)["hole"]
            scores.setdefault(method, []).append([found[metric] for metric in METRICS])
            row.append(Tile(fill, f"{method} {found['perceptual']:.2f}"))
        rows.append([*row, Tile(truth, "truth")])
        hole, ours = with_hole(truth, beyond), fills["patchloom extend"]
        pairs += [(name, other, hole, ours, fills[other]) for other in ("PyPatchMatch", "mirrored")]
    print("| method | PSNR dB | perceptual | texture | sharpness error | seam |\n|---|---|---|---|---|---|")
    for method, values in scores.items():
        psnr, perceptual, texture, _, seam = np.mean(values, axis=0)
        error = np.abs(np.log(np.array(values)[:, 3])).mean()
        print(f"| {method} | {psnr:.2f} | {perceptual:.3f} | {texture:.3f} | {error:.2f} | {seam:.2f} |")
    if given.out is not None:
        lay(given.out, rows, pairs)


def lay(
    out: Path, rows: list[list[Tile]], pairs: list[tuple[str, str, np.ndarray, np.ndarray, np.ndarray]]
) -> None:
    """Writes the sheets and the pairs, whose sides are chance."""
    (out / "pairs").mkdir(parents=True, exist_ok=True)
    for start in range(0, len(rows), 4):
        contact_sheet(rows[start : start + 4], 300).save(out / f"sheet-{start // 4 + 1}.png")
    random, key = np.random.default_rng(1), {}
    for place, index in enumerate(random.permutation(len(pairs)), 1):
        name, other, hole, ours, theirs = pairs[index]
        left = bool(random.integers(2))  # ours
        shown = (ours, theirs) if left else (theirs, ours)
        key[f"{place:03}"] = {"group": other, "case": name, "left": int(not left)}
        tiles = [Tile(picture, where) for picture, where in zip(shown, ("LEFT", "RIGHT"), strict=True)]
        contact_sheet([[Tile(hole, "what is new"), *tiles]], 520).save(out / "pairs" / f"{place:03}.png")
    (out / "pairs.json").write_text(json.dumps(key, indent=1))


if __name__ == "__main__":
    main()
