"""What does a library of photographs give? Holes of known content, filled with and without one.

    patchloom library build TRAIN-PHOTOGRAPHS --recursive -o runs/lib
    python benchmarks/library.py runs/lib --limit 24 --out runs/library
    python benchmarks/library.py --simulate 1000000 --out runs/library

Of the held-out photographs (``test136``: scenes of the library's kind; ``test384``: others) a centred square of a
sixteenth, a sixth and a third of the picture is filled: without the library, and with the pictures of it that fit
best (``--from-library``). PSNR, perceptual and texture distance in the hole, the share that was copied from the
library, and seconds; fills are kept in ``--out``. ``--simulate`` makes random layouts of so many photographs
instead and times a question.
"""

import argparse
import io
import random
import tarfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from quality import SHARED

from patchloom import Inpainter, Mask, Photo, fill_settings
from patchloom.evaluation.metrics import Judge
from patchloom.library import A_ROW, Library
from patchloom.method.layout import KINDS, LENGTH, VIEWS, distances
from patchloom.networks.weights import load_texture
from patchloom.tensors.threads import working

SHARES = {"1/16": 1 / 16, "1/6": 1 / 6, "1/3": 1 / 3}  # of the picture


def photographs(shared: Path, archive: str, limit: int) -> list[tuple[str, np.ndarray]]:
    with tarfile.open(shared / "data" / archive) as tar:
        names = sorted(name for name in tar.getnames() if Path(name).suffix in (".webp", ".jpg", ".png"))
        names = [name for name in names if archive != "test136.tar" or Path(name).name.startswith("s")]
        random.Random(0).shuffle(names)
        return [
            (Path(name).stem, np.asarray(Image.open(io.BytesIO(tar.extractfile(name).read())).convert("RGB")))
            for name in names[:limit]
        ]


def square(height: int, width: int, share: float) -> np.ndarray:
    side = round((share * height * width) ** 0.5)
    side = min(side, height - 16, width - 16)
    hole = np.zeros((height, width), bool)
    hole[(height - side) // 2 :, (width - side) // 2 :][:side, :side] = True
    return hole


def measure(given: argparse.Namespace) -> None:
    library, inpainter, settings = Library(given.library), Inpainter(), fill_settings(given.preset)
    judge = Judge(load_texture(str(given.shared / "weights/vgg19-relu3_1.safetensors"), "cpu"))
    print(f"{len(library)} photographs; {given.from_library} for a hole")
    print("| photographs | hole | | PSNR | perc | texture | copied | seconds |\n|---|---|---|---|---|---|---|---|")
    for archive in given.archives.split(","):
        found = photographs(given.shared, archive, given.limit)
        for size, share in SHARES.items():
            scores: dict[str, list[list[float]]] = {"alone": [], "library": []}
            for name, truth in found:
                hole = square(*truth.shape[:2], share)
                shot = Photo.from_array(np.where(hole[..., None], 0, truth).astype(np.uint8))
                case = judge.of(truth.astype(np.float32) / 255, hole, regions=("hole",))
                for row in scores:
                    begun = time.perf_counter()
                    like = library.like(shot, Mask(hole), given.from_library) if row == "library" else []
                    result = inpainter.inpaint(shot, Mask(hole), settings, references=like)
                    seconds = time.perf_counter() - begun
                    path = given.out / f"{Path(archive).stem}-{size.replace('/', '-')}" / f"{name}-{row}.png"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(result.photo.pixels).save(path)
                    score = dict(case.score(result.photo.pixels.astype(np.float32) / 255)["hole"])
                    copied = sum(one["texture"] for one in result.report.get("references", []))
                    scores[row].append([score["psnr"], score["perceptual"], score["texture"], copied, seconds])
            for row, values in scores.items():
                psnr, perc, texture, copied, seconds = np.mean(values, 0)
                print(
                    f"| {archive} | {size} | {row} | {psnr:.2f} | {perc:.3f} | {texture:.3f} | {copied:.0%} |"
                    f" {seconds:.1f} |",
                    flush=True,
                )


def simulate(count: int, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    path, rng = out / "views.u8", np.random.default_rng(0)
    block = rng.integers(0, 256, 1000 * A_ROW, np.uint8).tobytes()
    with path.open("wb") as file:
        for _ in range(count // 1000):
            file.write(block)
    stored = np.memmap(path, np.uint8, "r", shape=(count // 1000 * 1000 * VIEWS, LENGTH))
    weights = np.repeat(np.exp(-rng.random(LENGTH // KINDS)), KINDS).astype(np.float32)
    weights[: LENGTH // 4] = 0  # where the hole is
    with working():
        for turn in range(3):
            begun = time.perf_counter()
            distances(stored, stored[0].astype(np.float32), weights)
            print(f"{count} photographs, {path.stat().st_size / 1e9:.2f} GB, question {turn + 1}: ", end="")
            print(f"{time.perf_counter() - begun:.2f} s")
    path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, default=Path("runs/library"))
    parser.add_argument("--limit", type=int, default=24)
    parser.add_argument("--archives", default="test136.tar,test384.tar")
    parser.add_argument("--from-library", type=int, default=5)
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--simulate", type=int)
    parser.add_argument("--shared", type=Path, default=SHARED)
    given = parser.parse_args()
    if given.simulate:
        simulate(given.simulate, given.out)
    elif given.library is None:
        parser.error("Give a library, or --simulate.")
    else:
        measure(given)


if __name__ == "__main__":
    main()
