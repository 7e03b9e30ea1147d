"""What happens to the pictures of a folder: each is opened and saved untouched, and compared by other programs.

    python benchmarks/files.py ~/archive --json table.json
    python benchmarks/files.py --made

``--made`` looks at TIFFs made here as well: depths x colours x byte orders x layouts x compressions.

Of a file of several pages the first is taken; CMYK is turned into RGB, which is said.
Every file is opened in a child with a limit of time and memory, so that one that hangs or bursts stops nothing. A
row for each file that did not come back as it was:

    ok         saved, and other decoders (Pillow, libtiff, tifffile) see the same samples, colours, orientation and
               profile; of lossy formats, the same within about what coding it again costs
    said       something changed, and a warning said so
    refused    with the sentence that says why
    changed    something changed without a word
    crashed    an error that is not meant for people, or the child died
    hung       it took longer than the limit

Ends with 1 if anything changed unsaid, crashed or hung. Nothing is written beside the table.
"""

import argparse
import io
import json
import resource
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from itertools import chain, product
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageOps

from patchloom import PatchloomError, Photo
from patchloom.errors import Unsupported
from patchloom.events import Event, Warned
from patchloom.formats import ENDINGS, FORMATS

AGAIN = 1.5  # times what coding a lossy picture again by Pillow changes, and as many levels of 255, are ok
BAD = ("changed", "crashed", "hung")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--made", action="store_true", help="also TIFFs of all kinds in both byte orders")
    parser.add_argument("--seconds", type=float, default=300, help="for one file")
    parser.add_argument("--memory", type=int, default=4000, help="for one file, MB")
    parser.add_argument("--all-names", action="store_true", help="also files whose ending is no picture's")
    parser.add_argument("--damaged", type=int, default=0, help="damaged copies to open of each file")
    parser.add_argument("--json", type=Path, help="write all rows here")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.memory)
        return
    rows = []
    if not given.folders and not given.made:
        parser.error("name a folder, or give --made")
    for row in chain(looked_at(files_in(given.folders, given.all_names), given), made() if given.made else ()):
        rows.append(row)
        if row["what"] != "ok":
            print(f"{row['what']:8} {row['file']}: {row['why']}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))
    print("\n" + table(rows))
    sys.exit(any(row["what"] in BAD for row in rows))


def files_in(folders: list[Path], all_names: bool) -> Iterator[Path]:
    for folder in folders:
        found = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
        yield from (p for p in found if p.is_file() and (all_names or p.suffix.lower() in ENDINGS))


def made() -> Iterator[dict[str, str]]:
    """A row for each TIFF of a depth, colours, a byte order, a layout and a compression."""
    rng = np.random.default_rng(0)
    layouts = {"strips": {"rowsperstrip": 7}, "tiles": {"tile": (16, 16)}, "planes": {"planarconfig": "separate"}}
    depths = ("bool", "2", "4", "6", "uint8", "10", "12", "14", "uint16", "float16", "float32", "float64")
    for depth, colours, order, layout, compression in product(
        depths, ("minisblack", "miniswhite", "rgb"), "<>", layouts, (None, "zlib", "lzw", "packbits", "zstd")
    ):
        bits = int(depth) if depth.isdigit() else 0
        kind = np.dtype(("uint8" if bits <= 8 else "uint16") if bits else depth)
        shape = (40, 56, 3) if colours == "rgb" else (40, 56)
        whole = rng.integers(0, 2 ** (bits or 8 * kind.itemsize), shape) if kind.kind == "u" else rng.random(shape)
        samples = whole > 0.5 if depth == "bool" else whole.astype(kind)
        if layout == "planes":
            if colours != "rgb":
                continue
            samples = np.moveaxis(samples, -1, 0)
        options = {"photometric": colours, "byteorder": order, "compression": compression, **layouts[layout]}
        target = io.BytesIO()
        try:
            tifffile.imwrite(
                target, samples, metadata=None, **options, **({"bitspersample": bits} if bits else {})
            )
        except (NotImplementedError, ValueError):
            continue  # which no encoder here writes
        name = f"made: {depth} {colours} {'big' if order == '>' else 'little'}-endian {layout} {compression}"
        yield {"file": name, "format": "TIFF"} | outcome(target.getvalue(), is_damaged=False)


def table(rows: list[dict[str, str]]) -> str:
    """Formats and outcomes, counted."""
    outcomes = ("ok", "said", "refused", *BAD)
    counts = Counter((row["format"], row["what"]) for row in rows)
    lines = ["| format | " + " | ".join(outcomes) + " |", "|---" * (len(outcomes) + 1) + "|"]
    for format in [*sorted({row["format"] for row in rows}), "all"]:
        numbers = [sum(n for (f, w), n in counts.items() if w == o and format in (f, "all")) for o in outcomes]
        lines.append(f"| {format} | " + " | ".join(map(str, numbers)) + " |")
    return "\n".join(lines)


def looked_at(files: Iterator[Path], given: argparse.Namespace) -> Iterator[dict[str, str]]:
    """A row for each file and each damaged copy. A child takes one after the other; one that hangs or dies is
    replaced."""
    worker: subprocess.Popen[str] | None = None
    for path, copy in ((path, copy) for path in files for copy in range(given.damaged + 1)):
        if worker is None or worker.poll() is not None:
            command = [sys.executable, __file__, "--child", "--memory", str(given.memory), "."]
            worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert worker.stdin is not None and worker.stdout is not None
        worker.stdin.write(json.dumps([str(path), copy, given.seconds]) + "\n")
        worker.stdin.flush()
        answer = worker.stdout.readline()
        if answer:
            yield json.loads(answer)
            continue
        code = worker.wait()
        hung = code == -14  # the alarm
        why = f"longer than {given.seconds:g} s" if hung else f"the child ended with {code}"
        yield {"file": named(path, copy), "format": "?", "what": "hung" if hung else "crashed", "why": why}
    if worker is not None and worker.stdin is not None:
        worker.stdin.close()
        worker.wait()


def child(memory: int) -> None:
    import signal

    resource.setrlimit(resource.RLIMIT_AS, (memory * 2**20, memory * 2**20))
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None
    for line in sys.stdin:
        name, copy, seconds = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, seconds)  # its default action ends this process, whatever it does
        began = time.perf_counter()
        data = damaged(Path(name).read_bytes(), copy)
        row = {"file": named(Path(name), copy), "format": "?"} | outcome(data, is_damaged=copy > 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps(row | {"seconds": round(time.perf_counter() - began, 2)}), flush=True)


def named(path: Path, copy: int) -> str:
    return f"{path} (damaged copy {copy})" if copy else str(path)


def damaged(data: bytes, copy: int) -> bytes:
    """The bytes with some changed, put in, left out or cut off, mostly near the beginning; ``copy`` chooses."""
    if not copy or not data:
        return data
    rng = np.random.default_rng([copy, len(data)])
    out = bytearray(data)
    reach = len(out) if copy % 3 == 0 else min(len(out), 2000)
    for position in rng.integers(0, reach, rng.integers(1, 9)):
        out[position] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.integers(256)])
    at = int(rng.integers(0, reach))
    if copy % 4 == 1:
        out[at:at] = rng.bytes(int(rng.integers(1, 40)))
    elif copy % 4 == 2:
        del out[at : at + int(rng.integers(1, 40))]
    elif copy % 4 == 3:
        del out[int(rng.integers(0, len(out))) :]
    return bytes(out)


def outcome(data: bytes, *, is_damaged: bool) -> dict[str, str]:
    said = list[Event]()
    try:
        try:
            photo = Photo.open(data, allow_cmyk=True, observe=said.append)
        except Unsupported as error:
            if "several pages" not in str(error):
                raise
            photo = Photo.open(data, allow_cmyk=True, page=1, observe=said.append)
        saved = photo.encode(observe=said.append)
    except PatchloomError as error:
        return {"what": "refused", "why": f"{error} {error.hint}"}
    except BaseException as error:
        return {"what": "crashed", "why": f"{type(error).__name__}: {error}"}
    if is_damaged:
        return {"format": photo.format, "what": "ok", "why": "opened and saved"}
    messages = " ".join(event.message for event in said if isinstance(event, Warned))
    lossy = FORMATS[photo.format].lossy and not photo.metadata.lossless
    try:
        differences = list(compared(data, saved, photo, lossy))
    except Exception as error:  # whatever other decoders make of the original
        return {"format": photo.format, "what": "ok", "why": f"not compared: {type(error).__name__}: {error}"}
    why = "; ".join([*differences, messages])
    what = "ok" if not differences and not messages else "said" if messages else "changed"
    return {"format": photo.format, "what": what, "why": why}


def compared(data: bytes, saved: bytes, photo: Photo, lossy: bool) -> Iterator[str]:
    """What differs for another decoder."""
    if saved[:2] in (b"II", b"MM"):
        yield from _compared_tiffs(data, saved)
    before, after = _seen(data), _seen(saved)
    if before is None or after is None:
        if before is not None:
            yield "the result cannot be read by Pillow"
        return
    if before["size"] != after["size"]:
        yield f"size {before['size']} -> {after['size']}"
        return
    for key in ("profile", "turn", "gamma"):
        if before[key] != after[key] and not (key == "profile" and photo.metadata.mode == "CMYK"):
            yield key
    if lossy:
        mean, again = (_mean(before["samples"], seen) for seen in (after["samples"], _coded_again(data)))
        if mean > AGAIN * again + AGAIN:
            yield f"differs by a mean of {mean:.1f}; coding it again by Pillow makes {again:.1f}"
    elif not np.array_equal(before["samples"], after["samples"], equal_nan=before["samples"].dtype.kind == "f"):
        share = float((before["samples"] != after["samples"]).mean())
        yield f"{share:.1%} of samples differ, by {_mean(before['samples'], after['samples']):.2f} in the mean"


def _coded_again(data: bytes) -> np.ndarray:
    """What Pillow alone makes of it, with the same tables (JPEG) or at our usual quality."""
    target = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.save(target, image.format, quality="keep" if image.format in ("JPEG", "MPO") else 90)
        exif = image.getexif()
    with Image.open(target) as again:
        again.getexif().update(exif)
        return np.asarray(ImageOps.exif_transpose(again).convert("RGBA"))


def _mean(before: np.ndarray, after: np.ndarray) -> float:
    """The mean difference of what is visible, of 255; infinite for pictures of other kinds."""
    if before.shape != after.shape or before.dtype != after.dtype:
        return np.inf
    difference = np.abs(before.astype(np.float64) - after)
    if before.ndim == 3 and before.shape[-1] == 4:
        difference[..., :3] *= before[..., 3:] > 0
    return float(difference.mean())


def _compared_tiffs(data: bytes, saved: bytes) -> Iterator[str]:
    with tifffile.TiffFile(io.BytesIO(data)) as before, tifffile.TiffFile(io.BytesIO(saved)) as after:
        old, new = before.pages.first, after.pages.first
        for name in ("photometric", "bitspersample", "sampleformat", "samplesperpixel", "extrasamples"):
            if getattr(old, name) != getattr(new, name):
                yield f"{name} {getattr(old, name)} -> {getattr(new, name)}"
        if before.byteorder != after.byteorder:
            yield f"byte order {before.byteorder} -> {after.byteorder}"
        plainly = old.planarconfig == new.planarconfig and len(before.pages) == 1
        if plainly and not np.array_equal(old.asarray(), new.asarray(), equal_nan=True):
            yield "tifffile reads other samples"
        if old.bitspersample == 1:  # which imagecodecs takes from libtiff as it should not; Pillow compares it
            return
    seen = []
    for file in (data, saved):
        try:
            seen.append(imagecodecs.tiff_decode(file))
        except Exception:  # whatever libtiff does not know
            return
    if seen[0].shape == seen[1].shape and not np.array_equal(*seen, equal_nan=seen[0].dtype.kind == "f"):
        yield "libtiff reads other samples"


def _seen(data: bytes) -> dict[str, Any] | None:
    """What Pillow shows, upright. None where it shows nothing, or not rightly."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if getattr(image, "n_frames", 1) > 1 and image.format not in ("MPO", "TIFF"):
                return None
            depth = image.mode
            turn = image.getexif().get(0x0112, 1)
            found = {
                "profile": image.info.get("icc_profile") or b"",
                "turn": turn if turn in range(1, 9) else 1,
                "gamma": (image.info.get("gamma"), image.info.get("chromaticity"), image.info.get("srgb")),
            }
            upright = ImageOps.exif_transpose(image)
            deep = depth.startswith(("I", "F"))
            samples = np.asarray(upright) if deep else np.asarray(upright.convert("RGBA"))
            return found | {"size": upright.size, "samples": samples}
    except Exception:  # whatever makes it fail
        return None


if __name__ == "__main__":
    main()
