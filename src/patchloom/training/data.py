"""Photographs for training, decoded once: folders and archives in, one memory-mapped file of bytes out.

Decoding a photograph takes many times as long as cutting a training sample from it. So all of them are decoded
once, brought to a shorter side of at most :data:`STORED_SIDE` pixels, and written one behind the other into a
flat uint8 file (1.6 GB for 28,000), with an index of (offset, height, width). Every later run, and every process
of one run, maps that file.
"""

import hashlib
import json
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray
from PIL import Image

from patchloom.errors import InputError
from patchloom.events import CaseDone, Observer, Warned, ignore
from patchloom.formats import ENDINGS

STORED_SIDE = 136
"""Shorter side of a stored photograph at most, in pixels: a cut of 128 with room to shift."""

SMALLEST_SIDE = 100  # smaller photographs would have to be enlarged too much
LONGEST_RATIO = 3  # panoramas longer than this are cut to their middle

ARCHIVES = {".tar", ".tgz", ".gz", ".zip"}

_AT_ONCE = 512  # photographs decoded before their bytes are written


@dataclass(frozen=True)
class Photographs:
    """The stored photographs: ``photographs[i]`` is (h, w, 3), uint8, a view of the mapped file."""

    pixels: NDArray[np.uint8]
    index: NDArray[np.int64]  # (n, 3): offset, height, width
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, number: int) -> NDArray[np.uint8]:
        offset, height, width = (int(value) for value in self.index[number])
        return self.pixels[offset : offset + 3 * height * width].reshape(height, width, 3)

    def parted(self, every: int, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The numbers of those that are trained on, and of those, each ``every``-th, at most ``most``, that are
        measured on; where there are few, all are trained on."""
        numbers = np.arange(len(self))
        held_out = numbers[::every][:most]
        return np.delete(numbers, held_out) if len(numbers) > every else numbers, held_out


def open_photographs(
    sources: Sequence[Path], store: Path | None = None, observe: Observer = ignore
) -> Photographs:
    """All photographs under ``sources`` (folders, searched recursively; ``.tar``, ``.tar.gz``, ``.zip``; files).

    Decoded into the folder ``store`` (default: one in the user's cache, named after the sources), unless it holds
    these sources already. Unreadable or too small files are skipped, listed in ``skipped.txt`` there and reported
    as one :class:`Warned`. Raises InputError where a source is missing or nothing usable remains.
    """
    for source in sources:
        if not source.exists():
            raise InputError(f"There is no {source}.", "Give folders, .tar or .zip files with photographs.")
    described = json.dumps([_describe(source) for source in sources])
    if store is None:
        name = hashlib.sha256(described.encode()).hexdigest()[:16]
        store = platformdirs.user_cache_path("patchloom") / "training" / name
    if not (store / "index.npz").is_file() or (store / "sources.json").read_text() != described:
        store.mkdir(parents=True, exist_ok=True)
        _build(sources, store, observe)
        (store / "sources.json").write_text(described)
    with np.load(store / "index.npz") as saved:
        index, names = saved["index"], tuple(saved["names"].tolist())
    return Photographs(np.memmap(store / "pixels.bin", np.uint8, "r"), index, names)


def _describe(source: Path) -> list[str | int]:
    stat = source.stat()
    return [str(source.resolve()), stat.st_mtime_ns, 0 if source.is_dir() else stat.st_size]


def _build(sources: Sequence[Path], store: Path, observe: Observer) -> None:
    """Writes pixels.bin, skipped.txt and, last, index.npz."""
    index: list[tuple[int, int, int]] = []
    names: list[str] = []
    skipped: list[str] = []
    offset = seen = 0
    files = (item for source in sources for item in read_files(source))
    with (store / "pixels.bin").open("wb") as out, ThreadPoolExecutor() as pool:
        while some := list(islice(files, _AT_ONCE)):
            for (name, _), photo in zip(some, pool.map(_decode, (data for _, data in some)), strict=True):
                if isinstance(photo, str):
                    skipped.append(f"{name}: {photo}")
                    continue
                index.append((offset, photo.shape[0], photo.shape[1]))
                names.append(name)
                out.write(photo.tobytes())
                offset += photo.size
            seen += len(some)
            observe(CaseDone(name=f"reading {some[-1][0]}", done=seen, of=0, seconds=0.0))
    (store / "skipped.txt").write_text("".join(f"{line}\n" for line in skipped))
    if skipped:
        observe(Warned(message=f"{len(skipped)} of {seen} files are skipped; see {store / 'skipped.txt'}."))
    if not index:
        raise InputError("None of the sources holds a usable photograph.", f"See {store / 'skipped.txt'}.")
    np.savez(store / "index.npz", index=np.array(index, np.int64), names=np.array(names))


def read_files(source: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every picture of a folder tree or archive, or of the file itself, in a fixed order."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.is_file() and path.suffix.lower() in ENDINGS:
                yield str(path.relative_to(source)), path.read_bytes()
    elif source.suffix.lower() not in ARCHIVES:
        yield source.name, source.read_bytes()
    else:
        try:
            yield from _read_zip(source) if zipfile.is_zipfile(source) else _read_tar(source)
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
            raise InputError(f"{source} is no readable archive: {error}", "Pack it again.") from error


def _read_zip(source: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(source) as archive:
        for name in archive.namelist():
            if Path(name).suffix.lower() in ENDINGS:
                yield name, archive.read(name)


def _read_tar(source: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(source) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None and Path(member.name).suffix.lower() in ENDINGS:
                yield member.name, file.read()


def _decode(data: bytes) -> NDArray[np.uint8] | str:
    """The photograph as it is stored, or why it is not."""
    try:
        with Image.open(BytesIO(data)) as opened:
            if min(opened.size) < SMALLEST_SIDE:
                return f"only {opened.width}x{opened.height} pixels"
            opened.draft("RGB", (2 * STORED_SIDE, 2 * STORED_SIDE))
            picture = opened.convert("RGB")
    except Exception as error:  # whatever a broken file makes a decoder raise
        return f"unreadable ({type(error).__name__})"
    shorter = min(picture.size)
    box_width, box_height = (min(side, LONGEST_RATIO * shorter) for side in picture.size)
    left, top = (picture.width - box_width) // 2, (picture.height - box_height) // 2
    scale = min(1.0, STORED_SIDE / shorter)
    size = (round(box_width * scale), round(box_height * scale))
    box = (left, top, left + box_width, top + box_height)
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS, box=box) if scale < 1 else picture.crop(box))
