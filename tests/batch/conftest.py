"""A batch over :mod:`fake_work`, run as the command runs it, without the engine."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fake_work
import pytest

from patchloom.batch.folders import open_folder
from patchloom.batch.journal import JOURNAL, Journal, known_pictures
from patchloom.batch.pairing import Naming, pair
from patchloom.batch.pool import LocalPool
from patchloom.batch.run import Existing, Run, Summary, plan_tasks
from patchloom.batch.work import Outcome, Recipe, Share, Stopped, Task, attempt
from patchloom.events import CancelToken, CaseDone, Event, Observer, ignore
from patchloom.outputs import read_records


class Inline:
    """An executor in this process."""

    width = 2

    def __init__(self, work: Any) -> None:
        self.work = work

    def run(self, tasks: Any, stopped: Stopped, width: int | None = None) -> Iterator[Outcome]:
        for task in tasks:
            if stopped():
                return
            if task is not None:
                yield attempt(self.work, task, Share(1, 100, 200), stopped)


class FakeBatch:
    """``photos`` with the given words; ``run()`` fills them and keeps the events."""

    def __init__(self, root: Path, words: dict[str, str]) -> None:
        self.photos, self.masks, self.results = fake_work.make_folder(root, words)
        self.events: list[Event] = []
        self.digest = "a" * 64

    @property
    def journal(self) -> Path:
        return self.results / JOURNAL

    def tasks(self, existing: Existing) -> list[Task]:
        found = [open_folder(folder).files(recursive=True) for folder in (self.photos, self.masks)]
        pairs = pair(*found, Naming()).pairs
        return plan_tasks(pairs, open_folder(self.results), known_pictures(self.journal), existing)[0]

    def run(
        self,
        *,
        workers: int = 0,
        existing: Existing = "refuse",
        cancel: CancelToken | None = None,
        fail_fast: bool = False,
        observe: Observer = ignore,
        share: Share = Share(1, 4000, 8000),  # noqa: B008 - frozen
    ) -> Summary:
        """With ``workers`` processes; 0 does it in this one."""

        def listen(event: Event) -> None:
            self.events.append(event)
            observe(event)

        work = fake_work.reverse(self.photos, self.masks, self.results, Recipe(), self.digest)
        tasks = self.tasks(existing)
        with Journal(self.journal) as journal:

            def work_through(executor: Any) -> Summary:
                run = Run(
                    executor, journal, of=len(tasks), header={}, observe=listen, cancel=cancel, fail_fast=fail_fast
                )
                return run(tasks)

            if not workers:
                return work_through(Inline(work))
            with LocalPool(work, workers, share) as pool:
                return work_through(pool)

    def failures(self) -> dict[str, str]:
        return {event.name: event.error for event in self.events if isinstance(event, CaseDone) and event.error}

    def done_records(self) -> list[str]:
        """Names of the journal's "done" lines, in order."""
        return [record["name"] for record in read_records(self.journal) if record.get("status") == "done"]

    def filled(self) -> list[str]:
        """Names of the fills that were begun, in order."""
        return [line[0] for line in fake_work.executions(self.results)]


@pytest.fixture
def fake_batch(tmp_path: Path) -> Callable[[dict[str, str]], FakeBatch]:
    return lambda words: FakeBatch(tmp_path, words)
