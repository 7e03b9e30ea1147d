"""The unit of work: one photo and its mask, read, filled and written by the process that is given it.

Everything here travels: a task to a worker process or to another machine, its outcome back. Whatever goes wrong
with one picture becomes an outcome that names it; nothing is raised.
"""

import functools
import hashlib
import json
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from patchloom.batch.folders import Folder, open_folder
from patchloom.batch.journal import Known
from patchloom.batch.pairing import Pair
from patchloom.errors import BudgetError, Cancelled, MaskError, PatchloomError, as_flag, as_hint
from patchloom.events import Event, Observer, Warned, ignore
from patchloom.networks.names import WORDS, file_of
from patchloom.resources import resident_mb
from patchloom.settings import FileSettings, FillSettings, RunSettings

if TYPE_CHECKING:
    from patchloom.filling import Prepared


class WorkerKilledError(PatchloomError):
    """The process that had the picture ended before it could answer."""

    code = "killed"


Status = Literal["done", "kept", "skipped", "failed", "stopped"]
"""``kept``: done by an earlier run and still right. ``skipped``: a result was there and was not looked at."""


@dataclass(frozen=True, slots=True)
class Task:
    """A picture to fill.

    ``fresh``: its result did not exist when the run began, so a result found there now is the work of an attempt
    of this run that was killed before it could tell. ``known`` is the journal's memory of it. ``room`` is the
    memory to use: a worker's share, all there is (the others stand still), or half a share.
    """

    pair: Pair
    fresh: bool = True
    known: Known = Known()
    attempt: int = 1
    room: Literal["share", "all", "half"] = "share"


@dataclass(frozen=True, slots=True)
class Share:
    """A worker's part of the machine: its threads, and ``memory_mb`` of ``total_mb`` (0: not known)."""

    threads: int = 1
    memory_mb: int = 0
    total_mb: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a task. ``memory_mb`` is the worker's resident memory after it."""

    task: Task
    status: Status
    seconds: float = 0.0
    error: str = ""
    hint: str = ""
    code: str = ""
    trace: str = ""
    key: str = ""
    result_sha256: str = ""
    hole_share: float = 0.0
    references: tuple[dict[str, Any], ...] = ()  # what each gave: rows of the fill's report
    film: dict[str, Any] = field(default_factory=dict)  # what a film's frame got from others: the fill's report
    warnings: tuple[str, ...] = ()
    memory_mb: int = 0
    worker: str = ""

    def record(self) -> dict[str, Any]:
        """The journal's line: what is known, without empty fields."""
        pair = self.task.pair
        line: dict[str, Any] = {
            "name": pair.photo,
            "mask": pair.mask,
            "output": pair.output,
            "status": self.status,
        }
        for name in (
            "error", "hint", "code", "trace", "key", "result_sha256", "references", "film", "warnings",
            "memory_mb", "worker",
        ):  # fmt: skip
            if value := getattr(self, name):
                line[name] = value
        return line | {
            "seconds": round(self.seconds, 3),
            "hole_share": round(self.hole_share, 5),
            "attempt": self.task.attempt,
        }


Stopped = Callable[[], bool]
"""Asked between steps; True ends the work."""

Work = Callable[[Task, Share, Stopped], Outcome]
"""What an executor runs; it must survive pickling."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """Everything besides the photo and the mask that decides the bytes of a result."""

    fill: FillSettings = field(default_factory=FillSettings)
    files: FileSettings = field(default_factory=FileSettings)

    def sha256(self) -> str:
        """A hash of the recipe; settings that name a file count by the file's content."""
        values: dict[str, Any] = {"fill": self.fill.to_dict(), "files": self.files.to_dict()}
        for name in WORDS:
            path = file_of(getattr(self.fill, name))
            if path is not None and path.is_file():
                values[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


class Made(NamedTuple):
    """A filled picture as a file, the hole's share of the picture, 0..1, and what each reference gave."""

    data: bytes
    hole_share: float
    references: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FillPicture:
    """Fills one picture of a folder; the :data:`Work` of a batch. Folders are given by their location."""

    photos: str
    masks: str
    results: str
    recipe: Recipe
    recipe_sha256: str
    references: str = ""  # their folder, where there are any
    run: RunSettings = field(default_factory=RunSettings)
    owner: str = ""  # the run that has claimed the results' folder

    def __call__(self, task: Task, share: Share, stopped: Stopped) -> Outcome:
        """Reads, fills, writes. The errors of this picture are raised; :func:`attempt` makes outcomes of them."""
        pair, results = task.pair, open_folder(self.results)
        if not pair.mask:
            raise MaskError(f"{pair.photo} has no mask.", "Add one of the same stem, or move the photo away.")
        photo_bytes = open_folder(self.photos).read(pair.photo)
        mask_bytes = open_folder(self.masks).read(pair.mask)
        others = self.others(pair)
        key = self.key(photo_bytes, mask_bytes, *(data for _, data in others))
        there = _sha256_of(results, pair.output)
        if there and task.fresh:
            return Outcome(task=task, status="done", key=key, result_sha256=there)
        if there and (bytes.fromhex(key), bytes.fromhex(there)) == (task.known.key, task.known.result):
            return Outcome(task=task, status="kept", key=key, result_sha256=there)
        warnings: list[str] = []
        observe = observer(stopped, warnings)
        made = self.fill(pair, photo_bytes, mask_bytes, share, observe, task.room, others)
        if stopped() or results.owner() not in ("", self.owner):  # the coordinator is gone, another has begun
            raise Cancelled("Another run has the folder now; nothing was written.")
        results.write(pair.output, made.data)
        return Outcome(
            task=task,
            status="done",
            key=key,
            result_sha256=hashlib.sha256(made.data).hexdigest(),
            hole_share=made.hole_share,
            references=made.references,
            warnings=tuple(warnings),
        )

    def others(self, pair: Pair) -> list[tuple[str, bytes]]:
        """The names and the bytes of a picture's references. Raises InputError."""
        if not pair.references:
            return []
        folder = open_folder(self.references)
        return [(name, folder.read(name)) for name in pair.references]

    def fill(
        self,
        pair: Pair,
        photo_bytes: bytes,
        mask_bytes: bytes,
        share: Share,
        observe: Observer = ignore,
        room: Literal["share", "all", "half"] = "share",
        others: Sequence[tuple[str, bytes]] = (),
    ) -> Made:
        """The filled picture of ``pair`` as a file; ``others``: names and bytes of its references.

        The engine's memory limit, which may narrow a hole's surroundings, is that of all workers together, so that
        their number changes no pixel. What then needs more than one worker's share raises BudgetError.
        """
        prepared = self.prepared(pair, photo_bytes, mask_bytes, observe, others)
        limit = share.memory_mb // 2 if room == "half" else share.total_mb
        if room == "share" and share.memory_mb < share.total_mb:
            _require_room(prepared, share)
        if room == "half":
            observe(Warned(message=f"Filled with {limit} MB, so the surroundings may be narrower than elsewhere."))
        run = replace(self.run, threads=share.threads, max_memory=limit or self.run.max_memory)
        filled = prepared.fill(_inpainter(run), observe=observe)
        return Made(filled.data, prepared.hole.share, tuple(filled.report.get("references", ())))

    def prepared(
        self,
        pair: Pair,
        photo_bytes: bytes,
        mask_bytes: bytes,
        observe: Observer = ignore,
        others: Sequence[tuple[str, bytes]] = (),
    ) -> "Prepared":
        """The fill of ``pair``, read and checked. Raises what of its files cannot be used."""
        from patchloom.filling import Inputs, Named, prepare

        references = [Named(data, name) for name, data in others]
        photo = Named(photo_bytes, PurePosixPath(pair.photo).name)
        inputs = Inputs(photo=photo, mask=mask_bytes, references=references)
        return prepare(inputs, self.recipe.fill, self.recipe.files, name=pair.output, observe=observe)

    def key(self, *files: bytes) -> str:
        """Equal exactly if the files (photo, mask and references, in this order) and the recipe are equal."""
        parts = [hashlib.sha256(data).hexdigest() for data in files]
        return hashlib.sha256("".join([*parts, self.recipe_sha256]).encode()).hexdigest()


def _require_room(prepared: Any, share: Share) -> None:
    """Raises BudgetError if the fill's largest window needs more than this worker's share."""
    from patchloom import windows

    if not prepared.hole.hole.any():
        return  # the engine has its own word on it
    sizes = [plan.part.size for plan in windows.plan(prepared.hole.hole, None, share.total_mb)]
    need = resident_mb() + max(sizes) * windows.BYTES_PER_PIXEL // 10**6
    if need > share.memory_mb:
        raise BudgetError(f"It needs about {need} MB, and a worker's share is {share.memory_mb} MB.")


_one_at_a_time = threading.Lock()
"""Fills of one process take turns: each is given all of its threads and of its memory."""


def attempt(work: Work, task: Task, share: Share, stopped: Stopped) -> Outcome:
    """``work`` on ``task`` with every error turned into an outcome, timed, and signed with the worker's name."""
    with _one_at_a_time:
        started = time.perf_counter()
        try:
            outcome = work(task, share, stopped)
        except Cancelled:
            outcome = Outcome(task=task, status="stopped")
        except PatchloomError as error:
            outcome = failed(task, error)
        except MemoryError:
            outcome = failed(task, BudgetError("The memory did not suffice.", "Use fewer workers: --jobs 1."))
        except Exception as error:
            trace = "".join(traceback.format_exception(error))
            outcome = replace(
                failed(task, PatchloomError(f"Internal error: {type(error).__name__}: {error}")), trace=trace
            )
        return replace(
            outcome,
            seconds=time.perf_counter() - started,
            memory_mb=resident_mb(),
            worker=f"{socket.gethostname()}:{os.getpid()}",
        )


def failed(task: Task, error: PatchloomError) -> Outcome:
    """The outcome of a picture that could not be filled because of ``error``."""
    return Outcome(
        task=task, status="failed", error=str(error), hint=as_hint(error.advice, as_flag), code=error.code
    )


@functools.lru_cache(maxsize=1)
def _inpainter(run: RunSettings) -> Any:
    """The process's engine: networks are loaded once."""
    from patchloom.inpainter import Inpainter

    return Inpainter(run)


def observer(stopped: Stopped, warnings: list[str]) -> Observer:
    """Collects ``warnings``, and raises Cancelled once ``stopped``."""

    def observe(event: Event) -> None:
        if stopped():
            raise Cancelled("Stopped as asked; nothing was written.")
        if isinstance(event, Warned):
            warnings.append(event.message)

    return observe


def _sha256_of(folder: Folder, name: str) -> str:
    """The hash of a file, empty where there is none."""
    return hashlib.sha256(folder.read(name)).hexdigest() if folder.find(name) is not None else ""
