"""What a person asks for, and its way to a run: folders, pairs, executor, journal, report.

This is the library's door to batches; the command line only builds an :class:`Order`.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from patchloom.batch import machine
from patchloom.batch.cluster import Cluster
from patchloom.batch.folders import Folder, Found, LocalFolder, open_folder
from patchloom.batch.journal import JOURNAL, Journal, known_pictures
from patchloom.batch.pairing import ANNOTATIONS, Naming, Pairing, pair, refuse_conflicts
from patchloom.batch.patterns import Others, Pattern, parted, pictures
from patchloom.batch.pool import LocalPool
from patchloom.batch.run import Existing, Run, Summary, plan_tasks
from patchloom.batch.watch import Watch
from patchloom.batch.work import FillPicture, Recipe, Share, Task
from patchloom.errors import InputError, OutputError
from patchloom.events import CancelToken, Observer, Warned, ignore
from patchloom.formats import ENDINGS
from patchloom.outputs import read_records, writing
from patchloom.settings import RunSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """A folder of photos, a folder of masks or one mask for all, and a folder for the results.

    ``photos``, ``masks`` and ``results`` are paths or fsspec addresses. ``jobs`` 0 chooses the number of workers.
    ``cluster`` is the address of a ``distributed`` scheduler, empty for this machine. ``references``: a folder or
    a pattern of names, of pictures that photos may take from (see ``patterns.py``).
    """

    photos: str
    masks: str
    results: str
    suffix: str = ""
    recursive: bool = False
    recipe: Recipe = field(default_factory=Recipe)
    run: RunSettings = field(default_factory=RunSettings)
    existing: Existing = "refuse"
    fail_fast: bool = False
    jobs: int = 0
    cluster: str = ""
    references: str = ""
    journal: Path | None = None


class Batch:
    """An order with its folders opened.

    Raises InputError where photos or masks are missing, OutputError where results would overwrite what they are
    made from.
    """

    def __init__(self, order: Order) -> None:
        self.order = order
        self.photos, self.results = open_folder(order.photos), open_folder(order.results)
        self.masks, single = _masks(order.masks)
        self.naming = Naming(single, order.suffix, order.recipe.files.format or "")
        self.same_folder = self.masks.location == self.photos.location
        self.references, self.pattern = _references(order.references)
        if isinstance(self.photos, LocalFolder) and not Path(self.photos.location).is_dir():
            raise InputError(f"There is no folder '{order.photos}'.", "Check its name.")
        if self.same_folder and not (single or order.suffix or self._has_annotations()):
            raise InputError(
                "Photos and masks lie in one folder.", "Say how the masks' names end: --mask-suffix _mask"
            )
        if any(_is_same(self.results, folder) for folder in (self.photos, self.masks, self.references) if folder):
            raise OutputError(
                "The results would lie among the photos, masks or references.", "Choose another folder with -o."
            )
        digest = order.recipe.sha256()
        self.work = FillPicture(
            photos=self.photos.location,
            masks=self.masks.location,
            results=self.results.location,
            recipe=order.recipe,
            recipe_sha256=digest,
            references=self.references.location if self.references is not None else "",
            run=order.run,
            owner=uuid.uuid4().hex,
        )

    def _has_annotations(self) -> bool:
        """Whether annotations lie among the photos, which no photo is mistaken for."""
        return any(PurePosixPath(found.name).suffix.lower() in ANNOTATIONS for found in self.mask_files())

    @property
    def journal_path(self) -> Path:
        """In the results' folder; where that is a store, which knows no appending, in the user's state folder."""
        if self.order.journal is not None:
            return self.order.journal
        if isinstance(self.results, LocalFolder):
            return Path(self.results.location, JOURNAL)
        import platformdirs

        name = hashlib.sha256(self.results.location.encode()).hexdigest()[:16]
        return Path(platformdirs.user_state_dir("patchloom"), f"batch-{name}.jsonl")

    def pairing(self) -> Pairing:
        """The photos and their masks. Raises InputError where anything is not clear."""
        others = self.others(self.reference_files())
        result = pair(
            self.photo_files(), self.mask_files(), self.naming, same_folder=self.same_folder, others=others
        )
        refuse_conflicts(result)
        return result

    @contextmanager
    def claimed(self) -> Iterator[Journal]:
        """The results' folder and the journal are this run's for the block's time. Raises OutputError."""
        with self.results.claimed(self.work.owner), Journal(self.journal_path) as journal:
            yield journal

    def photo_files(self) -> Iterator[Found]:
        return self._own(self.photos)

    def mask_files(self) -> Iterator[Found]:
        if self.naming.single:
            found = self.masks.find(self.naming.single)
            return iter([found] if found else [])
        return self._own(self.masks)

    def reference_files(self) -> Iterator[Found]:
        """Of the references' folder, and of those below it where the pattern or the order says so."""
        if self.references is None or self.pattern is None:
            return iter(())
        below = "/" in self.pattern.before + self.pattern.after
        return self.references.files(self.order.recursive or below, [self.results])

    def others(self, files: Iterable[Found]) -> Others | None:
        """``files`` as references by the order's pattern; None where it has none."""
        if self.references is None or self.pattern is None:
            return None
        names = frozenset(pictures(found.name for found in files))
        return Others(
            self.pattern,
            names,
            among_photos=_is_same(self.references, self.photos),
            among_masks=_is_same(self.references, self.masks),
        )

    def _own(self, folder: Folder) -> Iterator[Found]:
        """A folder's files without the results, should those lie inside it, and without masks and references among
        photos."""
        apart = [self.results]
        if folder is self.photos:
            inside = (self.masks, self.references)
            apart += [each for each in inside if each is not None and not _is_same(each, self.photos)]
        return folder.files(self.order.recursive, apart)

    def crew(self, pictures: int) -> tuple[int, Share]:
        """Workers and their shares for so many pictures on this machine."""
        run = self.order.run
        return machine.plan(
            pictures,
            jobs=self.order.jobs,
            threads=run.threads,
            memory_mb=run.max_memory,
            gpu=machine.has_gpu(run.device),
        )


def fill_folder(order: Order, *, observe: Observer = ignore, cancel: CancelToken | None = None) -> Summary:
    """Fills all pictures of an order; what fails is in the journal, in the events and in the summary's counts.

    Raises InputError, OutputError or ClusterError before anything is filled. Cancelling ends it between two steps;
    ``existing="resume"`` continues it.
    """
    batch = Batch(order)
    pairing = batch.pairing()
    for message in _remarks(pairing, batch):
        observe(Warned(message=message))
    with batch.claimed() as journal:
        known = known_pictures(batch.journal_path) if order.existing in ("resume", "replace") else {}
        todo, skipped = plan_tasks(pairing.pairs, batch.results, known, order.existing)
        return _run(batch, journal, todo, skipped, len(pairing.pairs), observe, cancel)


def watch_folder(order: Order, *, observe: Observer = ignore, cancel: CancelToken | None = None) -> Summary:
    """Fills what is in the folder and what appears in it, until cancelled; earlier runs are continued."""
    batch = Batch(order)
    with batch.claimed() as journal:
        source = Watch(
            batch.photo_files,
            batch.mask_files,
            batch.naming,
            batch.results,
            known_pictures(batch.journal_path),
            same_folder=batch.same_folder,
            replace=order.existing == "replace",
            complain=lambda message: observe(Warned(message=message)),
            references=batch.reference_files,
            others=batch.others,
        )
        return _run(batch, journal, source, [], 0, observe, cancel)


def _run(
    batch: Batch,
    journal: Journal,
    tasks: Iterable[Task | None],
    skipped: list[Task],
    of: int,
    observe: Observer,
    cancel: CancelToken | None,
) -> Summary:
    order = batch.order
    header = {
        "photos": batch.photos.location,
        "masks": batch.masks.location,
        "recipe_sha256": batch.work.recipe_sha256,
        "settings": order.recipe.fill.to_dict(),
    }
    workers, share = batch.crew(of)
    with (
        Cluster(batch.work, order.cluster, threads=share.threads)
        if order.cluster
        else LocalPool(batch.work, workers, share) as executor
    ):
        run = Run(
            executor, journal, of=of, header=header, observe=observe, cancel=cancel, fail_fast=order.fail_fast
        )
        return run(tasks, skipped)


def write_report(path: Path, batch_journal: Path, summary: Summary) -> None:
    """The run as one JSON object: what was asked, what became of it, and a line for each picture.

    Streamed from the journal, so that a million pictures need no memory. Raises OutputError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path, force=True) as file:
        file.write(f'{{"summary": {json.dumps(summary.to_dict())},\n"pictures": ['.encode())
        separator = "\n"
        for record in _last_words(batch_journal, summary.run):
            file.write((separator + json.dumps(record)).encode())
            separator = ",\n"
        file.write(b"\n]}\n")


def _last_words(journal: Path, run: str) -> Iterator[dict[str, Any]]:
    """The outcomes of one run."""
    for record in read_records(journal):
        if record.get("run") == run and record.get("status", "started") != "started":
            yield record


def _masks(location: str) -> tuple[Folder, str]:
    """The masks' folder, and the name of the one mask where a file was given."""
    if "://" in location:
        parent, _, name = location.rpartition("/")
        single = PurePosixPath(name).suffix.lower() in ENDINGS | ANNOTATIONS
        return (open_folder(parent), name) if single else (open_folder(location), "")
    path = Path(location)
    if path.is_dir():
        return open_folder(path), ""
    if path.is_file():
        return open_folder(path.parent), path.name
    raise InputError(f"There is no mask file or folder '{location}'.", "Give --masks a folder or one picture.")


def _references(text: str) -> tuple[Folder | None, Pattern | None]:
    """The references' folder and the pattern of their names. Raises InputError where there is no such folder."""
    if not text:
        return None, None
    location, pattern = parted(text)
    folder = open_folder(location)
    if isinstance(folder, LocalFolder) and not Path(folder.location).is_dir():
        raise InputError(f"There is no folder '{location}'.", "Check what --references names.")
    return folder, pattern


def _is_same(one: Folder, other: Folder) -> bool:
    return one.location == other.location  # resolved, where they are local


def _remarks(pairing: Pairing, batch: Batch) -> Iterator[str]:
    alone = [item.photo for item in pairing.pairs if not item.references]
    if batch.references is not None and alone:
        photos = "photo has" if len(alone) == 1 else "photos have"
        yield f"{len(alone)} {photos} no reference, for example {alone[0]}."
    if pairing.unused_masks:
        count = len(pairing.unused_masks)
        masks = "mask belongs" if count == 1 else "masks belong"
        yield f"{count} {masks} to no photo, for example {pairing.unused_masks[0]}."
    if pairing.unused_references:
        count = len(pairing.unused_references)
        belong = "reference belongs" if count == 1 else "references belong"
        yield f"{count} {belong} to no photo, for example {pairing.unused_references[0]}."
