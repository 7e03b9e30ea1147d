"""Does structure go through? Rendered scenes and crops of photographs in which lines cross the hole.

    python benchmarks/structure.py --method balanced --out runs/structure
    python benchmarks/structure.py --kinds tiles,photographs --limit 6 --peers '' --out runs/first-look

Sixteen kinds of rendered scenes (``scenes.py``: cables, poles, kerbs, tiles, rings ...), fifteen of each, holes
of three depths; and ``photographs``, crops round straight edges that OpenCV's LSD finds in real ones. Of a fill it
says

* ``through``: the share of lines that come through. The slopes of profiles across the line, averaged over 8 px
  along it, must correlate with what the structures alone add, with a third of their contrast, all along but a
  tenth.
* ``aside``: how far the line is off in the middle of the hole, in pixels, where it is there at all.
* ``near``: PSNR in the hole within 4 px of lines, in dB.
* ``stray``: lines where there are none: what long thin filters answer in the hole, off all lines, above what the
  truth shows there, in per cent of what they answer on the scene's lines (of an edge of .25 where it has none).

Fills are kept in the ``--out`` folder a method; ours are made anew unless ``--resume``.
"""

import argparse
import io
import json
import tarfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from quality import SHARED
from scenes import AN_EACH, DEPTHS, KINDS, Curve, Scene, scene
from scipy import ndimage, signal

from patchloom.evaluation.peers import parse_method
from patchloom.evaluation.pictures import Tile, contact_sheet, view_of, with_hole

ALONG = 8  # pixels along a line over which a profile is a mean
CORRELATION, CONTRAST = 0.5, 0.35  # what makes a piece of a line present
MISSING = 0.1  # of the pieces of a line that comes through; one in any case
FIRST_PHOTOGRAPH = 96  # of test384's shuffled order; quality.py uses those before
CROP = 256


def photographs(shared: Path, limit: int | None) -> list[Scene]:
    """Crops round the longest straight edge of each photograph, a hole in its middle."""
    import cv2

    detector = cv2.createLineSegmentDetector()
    scenes: list[Scene] = []
    with tarfile.open(shared / "data/test384.tar") as tar:
        names = sorted(member.name for member in tar.getmembers() if member.isfile())
        for i in np.random.RandomState(0).permutation(len(names))[FIRST_PHOTOGRAPH:]:
            if len(scenes) == (limit or 3 * AN_EACH):
                break
            picture = np.array(Image.open(io.BytesIO(tar.extractfile(names[i]).read())).convert("RGB"))
            found = detector.detect(np.ascontiguousarray(picture.mean(2).astype(np.uint8)))[0]
            if found is not None and min(picture.shape[:2]) >= CROP:
                scenes += _crossed(picture, found.reshape(-1, 4), Path(names[i]).stem, len(scenes))
    return scenes


def _crossed(picture: np.ndarray, segments: np.ndarray, name: str, number: int) -> list[Scene]:
    """One scene, or none where no edge is long enough and much the same all along."""
    depth = DEPTHS[number % len(DEPTHS)]
    for x0, y0, x1, y1 in sorted(segments.tolist(), key=lambda s: -np.hypot(s[2] - s[0], s[3] - s[1])):
        length = np.hypot(x1 - x0, y1 - y0)
        if length < depth + 40:
            return []
        middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        begin = np.clip(middle - CROP / 2, 0, np.array(picture.shape[1::-1]) - CROP).astype(int)
        x, y = middle - begin
        if not depth / 2 + 12 < min(x, y) <= max(x, y) < CROP - depth / 2 - 12:
            continue
        truth = picture[begin[1] : begin[1] + CROP, begin[0] : begin[0] + CROP]
        rows, columns = np.mgrid[:CROP, :CROP]
        hole = np.hypot(rows - y, columns - x) < depth / 2
        t = np.arange(-length / 2, length / 2, 0.25)
        angle = np.arctan2(y1 - y0, x1 - x0)
        curve = Curve(np.stack([x + t * np.cos(angle), y + t * np.sin(angle)], axis=1), straight=True)
        result = Scene(f"photographs-{name}", "photographs", truth, hole, truth / 255.0, [curve])
        pieces = _profiles(result.layer, curve, hole)
        mean = pieces.mean(0)
        alike = [np.corrcoef(piece.ravel(), mean.ravel())[0, 1] for piece in pieces]
        if mean.std() > 0.04 and min(alike) > 0.8:  # a line all along, and in colour strong enough to be missed
            return [result]
    return []


def _profiles(picture: np.ndarray, curve: Curve, hole: np.ndarray, sides: float = 0.0) -> np.ndarray:
    """(K, P, 3): profiles across ``curve`` in K pieces inside the hole.

    P positions half a pixel apart, ``curve.reach`` + ``sides`` pixels to either side.
    """
    at = np.round(curve.points).astype(int)
    inside = np.all((at >= 0) & (at < np.array(hole.shape[::-1])), axis=1)
    inside[inside] = hole[at[inside, 1], at[inside, 0]]
    numbers = np.flatnonzero(inside)[::4]
    if len(numbers) < ALONG:
        return np.zeros((0, 1, 3))
    across = np.arange(-curve.reach - sides, curve.reach + sides + 0.25, 0.5)
    places = curve.points[numbers, None] + across[:, None] * curve.normals[numbers, None]
    values = np.stack(
        [
            ndimage.map_coordinates(picture[..., c], (places[..., 1], places[..., 0]), order=1, mode="nearest")
            for c in range(3)
        ],
        axis=-1,
    )
    starts = np.arange(0, len(numbers) - ALONG + 1, ALONG // 2)
    return np.stack([values[k : k + ALONG].mean(0) for k in starts])


def line_score(fill: np.ndarray, target: Scene, curve: Curve) -> dict[str, float] | None:
    """``through`` 0 or 1, ``aside`` in pixels or NaN; None where the curve does not cross the hole."""
    wanted = _slopes(_profiles(target.layer, curve, target.hole))
    if len(wanted) == 0:
        return None
    widest = (
        max(8.0, curve.tolerance) if curve.tolerance >= 3 else curve.tolerance
    )  # a pattern's next line is another
    shifts = round(2 * widest)
    there = _slopes(_profiles(fill, curve, target.hole, sides=widest))
    windows = np.lib.stride_tricks.sliding_window_view(there, wanted.shape[1], axis=1)  # (K, shifts, 3, P)
    products = np.einsum("kscp,kpc->ks", windows, wanted)
    norm = np.square(wanted).sum((1, 2))[:, None]
    correlation = products / np.maximum(np.sqrt(norm * np.square(windows).sum((2, 3))), 1e-9)
    best = correlation.argmax(1)
    pieces = np.arange(len(best))
    contrast = products[pieces, best] / np.maximum(norm[:, 0], 1e-9)
    is_there = (correlation[pieces, best] >= CORRELATION) & (contrast >= CONTRAST)
    aside = np.abs(best - shifts) / 2
    missing = int((~is_there | (aside > curve.tolerance)).sum())
    middle = len(best) // 2
    return {
        "through": float(missing <= max(1, MISSING * len(best))),
        "aside": float(aside[middle]) if is_there[middle] else np.nan,
    }


def _slopes(profiles: np.ndarray) -> np.ndarray:
    """(K, P - 3, 3): differences over 1.5 px, to which slow changes of the background are nothing."""
    return profiles[:, 3:] - profiles[:, :-3]


def _line_energy(picture: np.ndarray) -> np.ndarray:
    """(H, W): the strongest answer of ridge filters in 12 directions, sigma 1.3 px across and 6 px along."""
    grey = np.pad(picture.mean(2), 15, mode="reflect")
    span = np.arange(-15, 16)
    y, x = np.meshgrid(span, span, indexing="ij")
    best = np.zeros(picture.shape[:2])
    for angle in np.arange(12) * np.pi / 12:
        u, v = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
        kernel = (1 - v**2 / 1.69) * np.exp(-(v**2) / 3.38 - u**2 / 72)
        kernel -= kernel.mean()
        best = np.maximum(best, np.abs(signal.fftconvolve(grey, kernel / np.abs(kernel).sum(), mode="valid")))
    return best


def score(fill: np.ndarray, target: Scene) -> dict[str, float]:
    """The scores of ``fill`` (H, W, 3), 0..1; NaN where a scene has none."""
    truth = target.truth / 255.0
    lines = [found for curve in target.curves if (found := line_score(fill, target, curve)) is not None]
    distance = np.min(
        [np.abs(_near(c, truth.shape[:2])) for c in target.curves] or [np.full(truth.shape[:2], 99)], 0
    )
    near, off = target.hole & (distance <= 4), target.hole & (distance > 10)
    energy, expected = _line_energy(fill), _line_energy(truth)
    on_lines = expected[near].mean() if near.any() else 0.04
    excess = (
        np.maximum(energy - np.quantile(expected[off], 0.98), 0)[off] if off.sum() > 50 else np.array([np.nan])
    )
    return {
        "lines": len(lines),
        "through": float(np.mean([one["through"] for one in lines])) if lines else np.nan,
        "aside": _mean(np.array([one["aside"] for one in lines])),
        "near": -10 * np.log10(max(((fill - truth)[near] ** 2).mean(), 1e-6)) if near.any() else np.nan,
        "stray": float(100 * excess.mean() / on_lines),
    }


def _near(curve: Curve, size: tuple[int, int]) -> np.ndarray:
    """(H, W): distance to the nearest point of the curve, at least."""
    at = np.round(curve.points).astype(int)
    inside = np.all((at >= 0) & (at < np.array(size[::-1])), axis=1)
    free = np.ones(size, bool)
    free[at[inside, 1], at[inside, 0]] = False
    return np.asarray(ndimage.distance_transform_edt(free)) if inside.any() else np.full(size, 99.0)


def fill_all(method: str, scenes: list[Scene], folder: Path, resume: bool) -> float:
    """Stores a PNG a scene; the mean seconds of those made now."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [one for one in scenes if not (resume and (folder / f"{one.name}.png").exists())]
    if not missing:
        return float("nan")
    peer = parse_method(method).peer()
    peer.make_ready()
    began = time.perf_counter()
    for one in missing:
        filled = peer.fill(one.truth * ~one.hole[..., None], one.hole)
        Image.fromarray(filled).save(folder / f"{one.name}.png")
    return (time.perf_counter() - began) / len(missing)


def print_table(results: dict[str, dict[str, dict[str, float]]], scenes: list[Scene]) -> None:
    """Through (%), aside (px), near (dB), stray (%), a row a kind, methods side by side."""
    print(f"{'kind':12}" + "".join(f"{method[:33]:^34}" for method in results))
    print(" " * 12 + f"{'through  aside   near  stray':^34}" * len(results))
    kinds = list(dict.fromkeys(one.kind for one in scenes))
    table = {
        kind: {
            method: [
                np.array([scores[one.name][column] for one in scenes if one.kind == kind], float)
                for column in ("through", "aside", "near", "stray")
            ]
            for method, scores in results.items()
        }
        for kind in kinds
    }
    means = {
        kind: {m: [_mean(column) for column in columns] for m, columns in row.items()}
        for kind, row in table.items()
    }
    rendered = [kind for kind in kinds if kind != "photographs"]
    means["mean"] = {m: [_mean(np.array([means[k][m][i] for k in rendered])) for i in range(4)] for m in results}
    for kind, row in means.items():
        cells = [f"{100 * t:7.0f} {a:6.1f} {n:6.1f} {s:6.1f}" for t, a, n, s in row.values()]
        print(f"{kind:12}" + "".join(f"{cell:^34}" for cell in cells))


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def worst_sheet(results: dict, scenes: list[Scene], folders: dict[str, Path], path: Path) -> None:
    """The 30 scenes in which the last method loses most lines or strays most."""
    last = list(results.values())[-1]

    def badness(one: Scene) -> float:
        row = last[one.name]
        return float(100 * (1 - np.nan_to_num(row["through"], nan=1)) + np.nan_to_num(row["stray"]))

    rows = []
    for one in sorted(scenes, key=badness, reverse=True)[:30]:
        view = view_of(one.hole, 0.5)
        tiles = [Tile(with_hole(one.truth, one.hole)[view], one.name)]
        for method, folder in folders.items():
            row = results[method][one.name]
            label = f"{method[:14]} {100 * row['through']:.0f} % {row['near']:.1f} s{row['stray']:.0f}"
            tiles.append(Tile(np.array(Image.open(folder / f"{one.name}.png"))[view], label))
        rows.append([*tiles, Tile(one.truth[view], "truth")])
    contact_sheet(rows, 200).save(path)


def load_scenes(given: argparse.Namespace) -> list[Scene]:
    kinds = given.kinds.split(",") if given.kinds else [*KINDS, "photographs"]
    scenes = [scene(kind, k) for kind in kinds if kind in KINDS for k in range(given.limit or AN_EACH)]
    return scenes + (photographs(given.shared, given.limit) if "photographs" in kinds else [])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/structure"))
    parser.add_argument(
        "--cache", type=Path, help="where the peers' fills are kept (default: OUT/../structure-cache)"
    )
    parser.add_argument("--kinds", help="comma-separated; default: all and photographs")
    parser.add_argument("--limit", type=int, help="the first so many of each kind")
    parser.add_argument("--method", action="append", default=[], help="of ours, as in evaluate; default: balanced")
    parser.add_argument("--peers", default="pypatchmatch", help="comma-separated; gmic if it is installed")
    parser.add_argument("--resume", action="store_true", help="keep our fills that are there already")
    parser.add_argument("--shared", type=Path, default=SHARED)
    given = parser.parse_args()
    scenes = load_scenes(given)
    cache = given.cache or given.out.parent / "structure-cache"
    folders = {method: cache / method for method in given.peers.split(",") if method}
    ours = given.method or ["balanced"]
    folders |= {method: given.out / method.replace("/", "_") for method in ours}
    results: dict[str, dict[str, dict[str, float]]] = {}
    for method, folder in folders.items():
        seconds = fill_all(method, scenes, folder, given.resume or method not in ours)
        print(f"{method}: {seconds:.2f} s a fill" if np.isfinite(seconds) else f"{method}: kept")
        results[method] = {
            one.name: score(np.array(Image.open(folder / f"{one.name}.png")) / 255.0, one) for one in scenes
        }
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "scores.json").write_text(json.dumps(results, indent=1))
    print_table(results, scenes)
    worst_sheet(results, scenes, folders, given.out / "worst.png")


if __name__ == "__main__":
    main()
