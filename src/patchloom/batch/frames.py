"""The frames of a film, a folder of them: one after another, since what one shows is carried into the next.

Pairs, journal, results and events are a batch's; only the work is another. A frame counts as done when its own
bytes, its mask's and the settings are the same, and those of all frames of the film before it and of those a
little after.
"""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from patchloom.batch.journal import known_pictures
from patchloom.batch.order import Batch, Order
from patchloom.batch.pairing import Pair
from patchloom.batch.run import Run, Summary, plan_tasks
from patchloom.batch.work import Outcome, Share, Stopped, Task, attempt, observer
from patchloom.errors import InputError
from patchloom.events import CancelToken, Observer, ignore
from patchloom.film import REACH, Film, Frame, Frames, hole_of
from patchloom.inpainter import Inpainter
from patchloom.mask import Mask
from patchloom.outputs import read_records, write_whole
from patchloom.photo import Photo

AFTER = (
    max(REACH) + 2
)  # frames after one whose bytes decide its own: those it takes from, and what tells their dust


def fill_film(
    order: Order, *, dust: float = 0.0, observe: Observer = ignore, cancel: CancelToken | None = None
) -> Summary:
    """Fills the frames of a folder, in the order of their names; see :class:`patchloom.film.Film`.

    ``order.masks`` may be empty where ``dust`` is looked for. ``jobs``, ``cluster`` and ``references`` mean
    nothing here. Raises InputError or OutputError before anything is filled.
    """
    with _opened(order, dust) as batch, contextlib.ExitStack() as stack:
        pairs = batch.pairing().pairs
        journal = stack.enter_context(batch.claimed())
        known = known_pictures(batch.journal_path) if order.existing in ("resume", "replace") else {}
        todo, skipped = plan_tasks(pairs, batch.results, known, order.existing)
        work = FillFrame(batch, pairs, dust, _film_records(batch))
        header = {"frames": batch.photos.location, "settings": order.recipe.fill.to_dict(), "dust": dust}
        run = Run(
            _InTurn(work), journal, of=len(pairs), header=header, observe=observe, cancel=cancel,
            fail_fast=order.fail_fast,
        )  # fmt: skip
        return run(todo, skipped)


def write_dust(order: Order, dust: float, folder: Path, *, force: bool = False) -> int:
    """Writes what of each frame :func:`fill_film` would fill, as a mask STEM.png, into ``folder``; gives their
    number.

    Raises InputError, OutputError."""
    with _opened(order, dust) as batch:
        pairs = batch.pairing().pairs
        film = Film(_frames(batch, pairs), order.recipe.fill, Inpainter(order.run), dust=dust)
        folder.mkdir(parents=True, exist_ok=True)
        for number, pair in enumerate(pairs):
            path = folder / f"{PurePosixPath(pair.photo).stem}.png"
            write_whole(path, Mask(film.hole(number)).encode(), force=force)
        return len(pairs)


@contextlib.contextmanager
def _opened(order: Order, dust: float) -> Iterator[Batch]:
    """The order's folders; an empty one for masks where none are given."""
    if not order.masks and not dust:
        raise InputError("Nothing says what to fill.", "Give --masks, or look for dust with --dust.")
    with tempfile.TemporaryDirectory() as empty:
        yield Batch(order if order.masks else replace(order, masks=empty))


class FillFrame:
    """Fills one frame; the :data:`~patchloom.batch.work.Work` of a film. Frames have to be given in their
    order."""

    def __init__(
        self, batch: Batch, pairs: Sequence[Pair], dust: float, records: dict[str, dict[str, Any]]
    ) -> None:
        """``records``: what the journal says of the films' frames, by the results' names."""
        self.batch, self.pairs, self.records = batch, pairs, records
        self.number = {pair.output: number for number, pair in enumerate(pairs)}
        self.film = Film(_frames(batch, pairs), batch.order.recipe.fill, Inpainter(batch.order.run), dust=dust)
        self._keys = [hashlib.sha256(f"{batch.work.recipe_sha256} {dust}".encode()).digest()]

    def __call__(self, task: Task, share: Share, stopped: Stopped) -> Outcome:
        """Reads, fills, writes. The errors of this frame are raised."""
        number, name, results = self.number[task.pair.output], task.pair.output, self.batch.results
        key = self._key(number)
        there = hashlib.sha256(results.read(name)).hexdigest() if results.find(name) else ""
        film = self.records.get(name)
        if film and there and (bytes.fromhex(key), bytes.fromhex(there)) == (task.known.key, task.known.result):
            self.film.carry_on(lambda: Photo.open(results.read(name)), film)
            return Outcome(task=task, status="kept", key=key, result_sha256=there, film=film)
        warnings: list[str] = []
        observe = observer(stopped, warnings)
        result = self.film.fill(number, observe)
        files = self.batch.order.recipe.files
        data = result.photo.encode(
            result.photo.written_to(name, files.format),
            quality=files.quality,
            strip_metadata=files.strip_metadata,
            observe=observe,
        )
        results.write(name, data)
        # As a later run will read it, so that it goes on with the same bytes.
        self.film.carry_on(lambda: Photo.open(data), result.report)
        return Outcome(
            task=task,
            status="done",
            key=key,
            result_sha256=hashlib.sha256(data).hexdigest(),
            hole_share=result.report["hole"],
            film=result.report,
            warnings=tuple(warnings),
        )

    def _key(self, number: int) -> str:
        """Equal exactly if all that decides a frame is equal."""
        while len(self._keys) <= number + AFTER + 1 and len(self._keys) <= len(self.pairs):
            self._keys.append(hashlib.sha256(self._keys[-1] + self._digest_of(len(self._keys) - 1)).digest())
        return self._keys[min(number + AFTER + 1, len(self.pairs))].hex()

    def _digest_of(self, number: int) -> bytes:
        pair, digest = self.pairs[number], hashlib.sha256()
        for folder, name in ((self.batch.photos, pair.photo), (self.batch.masks, pair.mask)):
            with contextlib.suppress(InputError):  # said when the frame itself is read
                digest.update(hashlib.sha256(folder.read(name) if name else b"").digest())
        return digest.digest()


def _frames(batch: Batch, pairs: Sequence[Pair]) -> Frames:
    """The folder's frames, read when they are asked for."""
    fill, files = batch.order.recipe.fill, batch.order.recipe.files

    def read(number: int) -> Frame:
        pair = pairs[number]
        data, page = batch.photos.read(pair.photo), files.page or None
        photo = Photo.open(data, allow_cmyk=files.allow_cmyk, page=page, called=pair.photo)
        mask = None
        if pair.mask:
            marks, name = batch.masks.read(pair.mask), PurePosixPath(pair.photo).name
            mask = Mask.open(marks, mode=files.mask_mode, classes=files.mask_class, photo=name)
        return Frame(photo, hole_of(photo, mask, fill))

    return Frames(len(pairs), read)


class _InTurn:
    """The executor that has only this process."""

    width = 1

    def __init__(self, work: FillFrame) -> None:
        self.work = work

    def run(self, tasks: Iterable[Task | None], stopped: Stopped, width: int | None = None) -> Iterator[Outcome]:
        for task in tasks:
            if stopped():
                return
            if task is not None:
                yield attempt(self.work, task, Share(), stopped)


def _film_records(batch: Batch) -> dict[str, dict[str, Any]]:
    """By the results' names, the newest report of each frame that the journal has."""
    records = (record for record in read_records(batch.journal_path) if isinstance(record.get("film"), dict))
    return {str(record["output"]): record["film"] for record in records}
