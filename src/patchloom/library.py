"""A library of photographs, and which of them look like what is round a hole.

A folder holds three files: ``views.u8``, the layouts of all pictures (``method/layout.py``), which is mapped into
memory; ``pictures.jsonl``, a line a picture with its file's size and time; ``library.json``, the format. The
pictures stay where they are and are opened when they are wanted. Building again takes up what is new or changed
and forgets what is gone; what was stopped goes on where it was.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from patchloom.arrays import Bytes
from patchloom.errors import InputError, PatchloomError
from patchloom.events import CaseDone, Observer, ignore
from patchloom.formats import ENDINGS
from patchloom.kinds import AnyMask, AnyPicture, as_mask, as_photo, as_rgb, as_rgb_bytes
from patchloom.mask import Mask
from patchloom.method.layout import LENGTH, VIEWS, distances, query, views
from patchloom.method.pyramid import Level
from patchloom.outputs import held, make_folder, write_whole
from patchloom.photo import Photo
from patchloom.references import Reference
from patchloom.settings import FROM_LIBRARY
from patchloom.tensors.boxes import bounds
from patchloom.tensors.modes import own_modes
from patchloom.tensors.threads import working

FORMAT = {"patchloom library": 1, "views": VIEWS, "bytes": LENGTH}
A_ROW = VIEWS * LENGTH
TOGETHER = 256  # pictures between two times that what was found is on the disk
LEAST_SIDE = 64  # pixels of a picture that is taken up


@dataclass(frozen=True)
class Entry:
    """A picture of a library: its file, that file's size and time of change, and its row in the layouts."""

    file: str
    size: int
    changed: int
    row: int


@dataclass(frozen=True)
class Built:
    """What building did: how many pictures are in the library, how many of them are new, and how many were left
    out."""

    pictures: int
    new: int
    left_out: int


class Library:
    """The library in ``folder``. Raises InputError where there is none."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            format = json.loads((self.folder / "library.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            hint = f"Make one: patchloom library build PICTURES -o '{folder}'."
            raise InputError(f"There is no library of photographs in '{folder}'.", hint) from error
        if format != FORMAT:
            raise InputError(f"The library '{folder}' was made by another version.", "Build it again, elsewhere.")
        self.pictures = _listed(self.folder)

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def layouts(self) -> Bytes:
        """(pictures, VIEWS, LENGTH), mapped into memory; row by row as pictures were taken up."""
        path = self.folder / "views.u8"
        rows = path.stat().st_size // A_ROW
        if rows == 0:
            return np.zeros((0, VIEWS, LENGTH), np.uint8)
        return np.memmap(path, np.uint8, "r", shape=(rows, VIEWS, LENGTH))

    @own_modes()
    def ranked(self, photo: Photo, mask: Mask) -> list[tuple[float, Entry]]:
        """All pictures, those first in which something looks most like what is round the hole, and how far it
        is off: the root mean square difference of layouts in 0..1."""
        box = bounds(mask.hole)
        place = box.widened(max(box.size), mask.hole.shape).slices
        hole = np.ascontiguousarray(mask.hole[place])
        image = np.where(hole[..., None], np.float32(0), as_rgb(photo.pixels[place]))
        image = np.where(hole[..., None], image[~hole].mean(0) if (~hole).any() else 0, image).astype(np.float32)
        layout, weights = query(Level(image, hole, ~hole))
        stored = self.layouts
        if not self.pictures or not weights.any():
            return []
        with working():
            found = distances(stored.reshape(-1, LENGTH), layout, weights).reshape(-1, VIEWS).min(1)
        off = np.sqrt(found / weights.sum()) / 255
        return sorted(
            ((float(off[one.row]), one) for one in self.pictures), key=lambda pair: (pair[0], pair[1].file)
        )

    def like(self, photo: AnyPicture, mask: AnyMask, count: int = FROM_LIBRARY) -> list[Reference]:
        """The ``count`` pictures that fit the hole's surroundings best, opened; those that are gone, or are the
        photograph itself, are passed over. Raises MaskError where the mask does not fit."""
        known, marked = as_photo(photo), as_mask(mask)
        marked.require_size(known.width, known.height)
        if not marked.hole.any():
            return []
        chosen: list[Reference] = []
        for _, picture in self.ranked(known, marked):
            if len(chosen) == count:
                break
            with contextlib.suppress(PatchloomError, OSError):
                other = Photo.open(picture.file, allow_cmyk=True)
                if not _same(other, known, marked):
                    chosen.append(Reference(other, picture.file, texture_only=True))
        return chosen


@own_modes()
def build(pictures: Path, folder: Path, *, recursive: bool = False, observe: Observer = ignore) -> Built:
    """Makes the library ``folder`` of the pictures in the folder ``pictures``, or brings it up to date.

    ``observe`` hears of each new picture (CaseDone; its error where it is left out); raising there stops, and what
    was done is kept. Raises InputError where ``pictures`` is no folder, OutputError where ``folder`` cannot be
    written or another build is under way.
    """
    if not pictures.is_dir():
        raise InputError(f"'{pictures}' is no folder.", "Give the folder that holds the photographs.")
    if not folder.is_dir() or not any(folder.iterdir()):
        make_folder(folder)
        write_whole(folder / "library.json", json.dumps(FORMAT).encode())
    known = {picture.file: picture for picture in Library(folder).pictures}
    with held(folder / ".lock", f"Another build is at work on '{folder}'.", "Wait until it is done."):
        there = {str(path): path.stat() for path in _found(pictures.resolve(), recursive)}
        root = str(pictures.resolve()) + os.sep
        kept = [
            one
            for one in known.values()
            if not one.file.startswith(root)  # of another folder
            or (one.file in there and (one.size, one.changed) == _stamp(there[one.file]))
        ]
        new = sorted(there.keys() - {one.file for one in kept})
        rows = _compacted(folder, kept)
        left_out = 0
        with (
            (folder / "views.u8").open("ab") as layouts,
            (folder / "pictures.jsonl").open("a", encoding="utf-8") as lines,
        ):
            for number, file in enumerate(new, 1):
                begun, why = time.perf_counter(), ""
                try:
                    layouts.write(views(_colours(Photo.open(file, allow_cmyk=True))).tobytes())
                    lines.write(_line(Entry(file, *_stamp(there[file]), rows)))
                    rows += 1
                except PatchloomError as error:
                    left_out, why = left_out + 1, str(error)
                seconds = time.perf_counter() - begun
                observe(CaseDone(name=file, done=number, of=len(new), seconds=seconds, error=why))
                if number % TOGETHER == 0:
                    layouts.flush()  # first: a line without its layout is passed over
                    lines.flush()
    return Built(rows, len(new) - left_out, left_out)


def _colours(photo: Photo) -> Bytes:
    """(H, W, 3). Raises InputError for a picture too small to copy from."""
    if min(photo.width, photo.height) < LEAST_SIDE:
        raise InputError(f"it is smaller than {LEAST_SIDE} pixels.")
    return as_rgb_bytes(photo.pixels)


def _same(other: Photo, photo: Photo, mask: Mask) -> bool:
    """Whether ``other`` is ``photo`` itself, which holds what has to go."""
    if other.pixels.shape != photo.pixels.shape:
        return False
    known = ~mask.hole
    return bool((other.pixels[known] == photo.pixels[known]).mean() > 0.99)


def _stamp(found: os.stat_result) -> tuple[int, int]:
    return found.st_size, found.st_mtime_ns


def _found(folder: Path, recursive: bool) -> Iterator[Path]:
    """The picture files in ``folder``, and with ``recursive`` in all folders in it; no hidden ones."""
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if recursive and not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in ENDINGS:
                yield Path(where) / name


def _listed(folder: Path) -> list[Entry]:
    """The pictures whose layouts are there."""
    path, layouts = folder / "pictures.jsonl", folder / "views.u8"
    rows = layouts.stat().st_size // A_ROW if layouts.exists() else 0
    found = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        with contextlib.suppress(ValueError, TypeError):  # the last line of a build that was killed
            entry = Entry(*json.loads(line))
            if entry.row < rows:
                found.append(entry)
    return found


def _line(entry: Entry) -> str:
    return json.dumps([entry.file, entry.size, entry.changed, entry.row], ensure_ascii=False) + "\n"


def _compacted(folder: Path, kept: list[Entry]) -> int:
    """Leaves the layouts of ``kept`` alone in the files, and gives their number."""
    path = folder / "views.u8"
    whole = path.exists() and path.stat().st_size == len(kept) * A_ROW
    if whole and [one.row for one in kept] == list(range(len(kept))) and len(_listed(folder)) == len(kept):
        return len(kept)
    stored = Library(folder).layouts if path.exists() else np.zeros((0, VIEWS, LENGTH), np.uint8)
    lines: list[str] = []
    new = folder / "views.new"
    with new.open("wb") as file:
        for row, one in enumerate(kept):
            file.write(stored[one.row].tobytes())
            lines.append(_line(Entry(one.file, one.size, one.changed, row)))
    (folder / "pictures.jsonl").unlink(missing_ok=True)  # killed here, it is an empty library and no wrong one
    new.replace(path)
    write_whole(folder / "pictures.jsonl", "".join(lines).encode(), force=True)
    return len(kept)
