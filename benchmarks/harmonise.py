"""How well does an object whose light was changed come back? By the protocol of iHarmony4 (Cong et al. 2020).

    python benchmarks/harmonise.py --limit 40 --out runs/harmonise

A connected region of a real photograph is taken for the object; its exposure, white balance, hue, contrast, gamma,
sharpness and noise are changed (all drawn from the case's number); a method sees the result and the region, and is
compared with the untouched photograph inside the region. ``--half`` takes the photographs with an even number (on
which constants were chosen) or an odd one (on which results are reported). ``--strength`` scales all changes.
Prints a table, what the aims say of it, and the five photographs where the last method gains least; writes
scores.json and a contact sheet, worst first. ``--jury N`` draws N of the photographs as pairs without names, the
two last methods side by side, for `benchmarks/jury.py tally`; the key lies beside the folder.
"""

import argparse
import io
import json
import tarfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from patchloom.evaluation.metrics import Judge
from patchloom.evaluation.pictures import Tile, contact_sheet, view_of, with_hole

SHARED = Path(__file__).resolve().parents[2] / "shared"
FREE = ("astronaut", "chelsea", "coffee", "rocket")  # scikit-image's, freely licensed: fit for the docs
LEAST_SHARE, MOST_SHARE = 0.04, 0.3  # of the photograph that an object covers
LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Case:
    name: str
    truth: np.ndarray  # (H, W, 3) uint8
    mask: np.ndarray  # (H, W) bool
    composite: np.ndarray  # (H, W, 3) uint8
    changes: dict[str, float]


def photographs(source: str, shared: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Names and pixels: of the shared test set, or of scikit-image."""
    if source == "free":
        import skimage.data

        for name in FREE:
            yield name, np.asarray(getattr(skimage.data, name)())
        return
    with tarfile.open(shared / "data/test384.tar") as tar:
        for name in sorted(member.name for member in tar.getmembers() if member.isfile()):
            yield Path(name).stem, np.array(Image.open(io.BytesIO(tar.extractfile(name).read())).convert("RGB"))


def object_of(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(H, W) bool: a connected region of one thing's colours (Felzenszwalb and Huttenlocher 2004), its gaps
    closed.

    Drawn among the regions of fitting size; where there is none, the largest is halved by a line.
    """
    from skimage.segmentation import felzenszwalb

    labels = felzenszwalb(picture, scale=600, sigma=1.0, min_size=400)
    shares = np.bincount(labels.ravel()) / labels.size
    fitting = np.flatnonzero((shares > LEAST_SHARE) & (shares < MOST_SHARE))
    if len(fitting):
        mask = labels == rng.choice(fitting)
    else:
        mask = labels == shares.argmax()
        rows, columns = np.nonzero(mask)
        mask[: int(np.median(rows))] = False
        if mask.mean() > MOST_SHARE:
            mask[:, : int(np.median(columns))] = False
    mask = ndimage.binary_fill_holes(ndimage.binary_opening(mask, iterations=2))
    parts, _ = ndimage.label(mask)
    return parts == 1 + np.bincount(parts.ravel())[1:].argmax()


def changes_of(rng: np.random.Generator, strength: float) -> dict[str, float]:
    """What is done to the object: each change with even chances (blur and noise with a quarter), at least one."""
    while True:
        every = {
            "exposure": rng.uniform(-1, 1) * strength,  # stops
            "warmth": rng.uniform(-0.3, 0.3) * strength,  # stops of red over blue
            "tint": rng.uniform(-0.15, 0.15) * strength,  # stops of green
            "hue": rng.uniform(-15, 15) * strength,  # degrees
            "contrast": rng.uniform(-0.4, 0.4) * strength,  # stops
            "gamma": rng.uniform(-0.5, 0.5) * strength,  # stops
            "blur": rng.uniform(0.5, 1.5) * strength,  # pixels
            "noise": rng.uniform(0.01, 0.04) * strength,  # of full scale
        }
        chances = {"blur": 0.25, "noise": 0.25}
        drawn = {name: value for name, value in every.items() if rng.random() < chances.get(name, 0.5)}
        if drawn:
            return drawn


def changed(picture: np.ndarray, changes: dict[str, float], rng: np.random.Generator) -> np.ndarray:
    """``picture`` (H, W, 3) uint8 with the changes applied to all of it."""
    x = picture / 255
    light = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    warmth, tint = changes.get("warmth", 0.0), changes.get("tint", 0.0)
    light = light * 2.0 ** (changes.get("exposure", 0.0) + np.array([warmth / 2, tint, -warmth / 2]))
    x = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055).clip(
        0, 1
    )
    if "hue" in changes:
        x = (x @ _hue_rotation(np.deg2rad(changes["hue"])).T).clip(0, 1)
    x = ((x - 0.5) * 2.0 ** changes.get("contrast", 0.0) + 0.5).clip(0, 1)
    x = x**2.0 ** changes.get("gamma", 0.0)
    if "blur" in changes:
        x = ndimage.gaussian_filter(x, (changes["blur"], changes["blur"], 0))
    if "noise" in changes:
        x = x + rng.normal(0, changes["noise"], x.shape)
    return np.rint(x.clip(0, 1) * 255).astype(np.uint8)


def _hue_rotation(angle: float) -> np.ndarray:
    """(3, 3): turns colours about the grey axis by ``angle`` and keeps luma (in YIQ)."""
    to_yiq = np.array([LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    return np.linalg.inv(to_yiq) @ turn @ to_yiq


def cases(source: str, half: str, limit: int | None, strength: float, shared: Path = SHARED) -> list[Case]:
    made = []
    for number, (name, truth) in enumerate(photographs(source, shared)):
        if half != "both" and number % 2 != (half == "odd"):
            continue
        rng = np.random.default_rng(number)
        mask = object_of(truth, rng)
        changes = changes_of(rng, strength) if strength else {}
        composite = np.where(mask[..., None], changed(truth, changes, rng) if changes else truth, truth)
        made.append(Case(name, truth, mask, composite, changes))
        if limit is not None and len(made) == limit:
            break
    return made


# The rows of the table: functions of a composite (H, W, 3) uint8 and a mask (H, W) bool.


def paste(composite: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return composite


def reinhard(composite: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean and deviation of the surroundings in CIELAB (Reinhard et al. 2001)."""
    from skimage.color import lab2rgb, rgb2lab

    lab = rgb2lab(composite)
    inside, outside = lab[mask], lab[~mask]
    scaled = (inside - inside.mean(0)) * outside.std(0) / np.maximum(inside.std(0), 1e-3) + outside.mean(0)
    lab[mask] = scaled
    with warnings.catch_warnings(action="ignore"):  # of colours that RGB has not
        return np.where(mask[..., None], np.rint(lab2rgb(lab) * 255).astype(np.uint8), composite)


def histogram(composite: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The surroundings' histogram, channel by channel (scikit-image)."""
    from skimage.exposure import match_histograms

    result = composite.copy()
    inside = match_histograms(composite[mask][:, None], composite[~mask][:, None], channel_axis=-1)
    result[mask] = np.rint(inside[:, 0]).clip(0, 255)
    return result


def poisson(composite: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Gradients of the object, colours of the rim (Perez et al. 2003; cv2.seamlessClone).

    The object is continued by its own outermost pixels, so that the step at its outline is no gradient of its own.
    OpenCV shrinks the mask by three pixels, moves the object unless the mask's box is centred on the point
    given, and needs a margin.
    """
    import cv2

    nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    source = cv2.copyMakeBorder(composite[tuple(nearest)], 8, 8, 8, 8, cv2.BORDER_REPLICATE)
    target = cv2.copyMakeBorder(composite, 8, 8, 8, 8, cv2.BORDER_REPLICATE)
    shown = ndimage.binary_dilation(np.pad(mask, 8), iterations=5).astype(np.uint8) * 255
    x, y, width, height = cv2.boundingRect(shown)
    blended = cv2.seamlessClone(source, target, shown, (x + width // 2, y + height // 2), cv2.NORMAL_CLONE)
    return np.where(mask[..., None], blended[8:-8, 8:-8], composite)


def ours(composite: np.ndarray, mask: np.ndarray, **settings: float) -> np.ndarray:
    from patchloom import harmonise

    return harmonise(composite, mask, **settings)


METHODS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "paste": paste,
    "reinhard": reinhard,
    "histogram": histogram,
    "poisson": poisson,
    "patchloom": ours,
}


def score(result: np.ndarray, case: Case, judge: Judge | None) -> dict[str, float]:
    """fMSE (of 0..255), PSNR and, with a judge, perceptual distance, all inside the mask; MSE of the whole
    picture.
    """
    squares = np.square(result.astype(np.float64) - case.truth)
    inside = float(squares[case.mask].mean())
    row = {"mse": float(squares.mean()), "fmse": inside, "psnr": 10 * np.log10(255**2 / max(inside, 0.01))}
    if judge is not None:
        truth, picture = (each.astype(np.float32) / 255 for each in (case.truth, result))
        row["perceptual"] = judge.of(truth, case.mask, regions=("hole",)).score(picture)["hole"]["perceptual"]
    return row


def print_table(scores: dict[str, list[dict[str, float]]]) -> None:
    """Means over cases; how much more than the paste, and how often it is worse by more than .3 dB."""
    pasted = np.array([row["psnr"] for row in scores["paste"]])
    print("| method | PSNR dB | over the paste | worse than it by .3 dB | MSE | fMSE | perceptual | s |")
    print("|---|---|---|---|---|---|---|---|")
    for name, rows in scores.items():
        psnr = np.array([row["psnr"] for row in rows])
        mean = {key: np.mean([row.get(key, np.nan) for row in rows]) for key in (*rows[0], "perceptual")}
        worse = np.mean(psnr < pasted - 0.3)
        print(
            f"| {name} | {psnr.mean():.2f} | {np.mean(psnr - pasted):+.2f} | {worse:.0%} | {mean['mse']:.1f} "
            f"| {mean['fmse']:.1f} | {mean['perceptual']:.3f} | {mean['seconds']:.2f} |"
        )


def print_aims(scores: dict[str, list[dict[str, float]]], names: list[str], changed: bool) -> None:
    """What the last method gains over the paste and the best other row, and where it gains least."""
    *others, last = scores
    psnr = {name: np.array([row["psnr"] for row in rows]) for name, rows in scores.items()}
    gains = psnr[last] - psnr["paste"]
    if changed:
        best = max(
            (name for name in others if name != "paste"), key=lambda name: psnr[name].mean(), default="paste"
        )
        over = (psnr[last] - psnr[best]).mean()
        print(f"{last}: {gains.mean():+.2f} dB over the paste, median {np.median(gains):+.2f}; "
              f"{over:+.2f} dB over {best}, the best other row")  # fmt: skip
    else:  # nothing was changed: the paste is the truth, and its PSNR means nothing
        squares = np.array([row["fmse"] for row in scores[last]])
        print(f"{last}: {np.mean(squares == 0):.0%} of {len(squares)} objects that fit are left alone bit for bit")
    worst = np.argsort(gains)[:5]
    print("least gain:", ", ".join(f"{names[number]} {gains[number]:+.1f}" for number in worst))


def lay(made: list[Case], results: dict[str, list[np.ndarray]], count: int, out: Path) -> None:
    """``count`` pairs of the two last methods without names, and beside the folder which one is on the left."""
    out.mkdir(parents=True, exist_ok=True)
    random, key = np.random.default_rng(len(made)), {}
    pair = list(results)[-2:]
    for number, chosen in enumerate(sorted(random.permutation(len(made))[:count]), 1):
        case, left = made[chosen], int(random.integers(2))
        outline = case.mask & ~ndimage.binary_erosion(case.mask, iterations=2)
        tiles = [Tile(with_hole(case.composite, outline), f"pair {number:03}: as it was put in")]
        tiles += [Tile(results[pair[left]][chosen], "LEFT"), Tile(results[pair[1 - left]][chosen], "RIGHT")]
        contact_sheet([tiles], 560).save(out / f"{number:03}.png")
        key[f"{number:03}"] = {"group": "harmonise", "case": case.name, "left": left, "methods": pair}
    out.with_suffix(".json").write_text(json.dumps(key, indent=1))


def sheet(made: list[Case], results: dict[str, list[np.ndarray]], scores: dict, path: Path) -> None:
    """One row a case: the outline, every method and the truth; worst gain of the last method first."""
    last = list(results)[-1]
    gains = [ours["psnr"] - paste["psnr"] for ours, paste in zip(scores[last], scores["paste"], strict=True)]
    rows = []
    for number in np.argsort(gains)[:24]:
        case, tiles = made[number], []
        outline = case.mask & ~ndimage.binary_erosion(case.mask, iterations=2)
        view = view_of(case.mask)
        for name, pictures in results.items():
            tiles.append(Tile(pictures[number][view], f"{name} {scores[name][number]['psnr']:.1f}"))
        tiles.append(Tile(case.truth[view], "truth"))
        rows.append([Tile(with_hole(case.truth, outline)[view], case.name), *tiles])
    contact_sheet(rows, 220).save(path)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/harmonise"))
    parser.add_argument("--photographs", choices=("test", "free"), default="test")
    parser.add_argument("--half", choices=("even", "odd", "both"), default="odd")
    parser.add_argument("--limit", type=int, help="the first so many cases")
    parser.add_argument("--strength", type=float, default=1.0, help="of all changes; 0 is none")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--jury", type=int, metavar="N", help="lay N pairs of the two last methods in OUT/jury")
    parser.add_argument("--no-judge", action="store_true", help="without perceptual distances, which take time")
    return parser.parse_args()


def main() -> None:
    given = parse_arguments()
    made = cases(given.photographs, given.half, given.limit, given.strength, given.shared)
    weights = given.shared / "weights/vgg19-relu3_1.safetensors"
    judge = None
    if weights.exists() and not given.no_judge:
        from patchloom.networks.weights import load_texture

        judge = Judge(load_texture(str(weights), "cpu"))
    scores: dict[str, list[dict[str, float]]] = {}
    results: dict[str, list[np.ndarray]] = {}
    for name in given.methods.split(","):
        scores[name], results[name] = [], []
        for case in made:
            started = time.perf_counter()
            results[name].append(METHODS[name](case.composite, case.mask))
            seconds = time.perf_counter() - started
            scores[name].append(score(results[name][-1], case, judge) | {"seconds": seconds})
    given.out.mkdir(parents=True, exist_ok=True)
    names = [case.name for case in made]
    (given.out / "scores.json").write_text(json.dumps({"cases": names, **scores}, indent=1))
    print(f"{len(made)} cases")
    print_table(scores)
    print_aims(scores, names, given.strength > 0)
    if given.jury:
        lay(made, results, given.jury, given.out / "jury")
    sheet(made, results, scores, given.out / "sheet.png")
    print(f"contact sheet: {given.out}/sheet.png")


if __name__ == "__main__":
    main()
