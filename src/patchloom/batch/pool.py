"""Worker processes of this machine.

One process, one picture at a time. A process that dies (killed by the kernel for its memory, a crash in a codec)
costs the picture it had and is replaced; one that has grown beyond its share is retired after its picture.
Workers ignore Ctrl-C: the coordinator tells them to stop, and they do so between two steps of the fill.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from patchloom.batch.work import Outcome, Share, Stopped, Task, Work, WorkerKilledError, attempt, failed
from patchloom.child import Child, ChildDied, Link, PickleCodec, ready
from patchloom.errors import PatchloomError

POLL = 0.2
"""Seconds between two looks at the cancel flag and at an idle source of tasks."""

GRACE = 2.0
"""Seconds that workers have to stop before they are killed."""


@dataclass(slots=True)
class _Worker:
    child: Child
    task: Task | None = None
    answered: bool = False


class LocalPool:
    """Runs work in ``workers`` processes, each with ``share`` of the machine. Use as a context manager."""

    def __init__(self, work: Work, workers: int, share: Share) -> None:
        self.work, self.workers, self.share = work, workers, share
        self._staff: list[_Worker] = []
        self._dead_on_arrival = 0

    @property
    def width(self) -> int:
        """How many pictures are filled at once."""
        return self.workers

    def run(self, tasks: Iterable[Task | None], stopped: Stopped, width: int | None = None) -> Iterator[Outcome]:
        """Outcomes as they come, at most ``width`` tasks at once. A None among the tasks says: nothing just now.

        Once ``stopped()``, no task is begun; what is under way ends as "stopped" or is killed after a while.
        Raises PatchloomError if worker processes cannot be started at all.
        """
        source, exhausted, deadline = iter(tasks), False, 0.0
        if width:
            self._dismiss(self._staff[width:])  # idle, but their memory counts
        while True:
            if stopped():
                exhausted, deadline = True, deadline or time.monotonic() + GRACE
                for each in self._staff:
                    each.child.ask_to_stop()
            while not exhausted and (worker := self._idle(width or self.workers)):
                try:
                    task = next(source)
                except StopIteration:
                    exhausted = True
                    break
                if task is None:
                    break
                self._give(worker, task)
            busy = [worker for worker in self._staff if worker.task]
            if not busy and exhausted:
                return
            if deadline and time.monotonic() > deadline:
                self._dismiss(busy)
                return
            yield from self._collect(busy)

    def _collect(self, busy: list[_Worker]) -> Iterator[Outcome]:
        """The outcomes that are there within ``POLL`` seconds."""
        if not busy:
            time.sleep(POLL)
            return
        speaking = ready([worker.child for worker in busy], POLL)
        for worker in busy:
            if worker.child in speaking:
                yield self._receive(worker)

    def _receive(self, worker: _Worker) -> Outcome:
        task, worker.task = worker.task, None
        assert task is not None
        try:
            outcome: Outcome = worker.child.receive(0)
        except ChildDied as death:
            return self._bury(worker, task, str(death))
        worker.answered = True
        if self.share.memory_mb and outcome.memory_mb > self.share.memory_mb:
            self._dismiss([worker])
        return outcome

    def _bury(self, worker: _Worker, task: Task, how: str) -> Outcome:
        """Says what happened to a worker that has died; the next task will start another."""
        code = worker.child.exit_code() or 0
        self._dismiss([worker])
        if not worker.answered and code >= 0:
            self._dead_on_arrival += 1
            if self._dead_on_arrival >= 3:
                raise PatchloomError(
                    f"Worker processes end as soon as they start (exit code {code}).",
                    "Call fill_folder below `if __name__ == '__main__':`, and see what they printed above.",
                )
        hint = "Most likely the memory did not suffice: try --jobs 1 or a smaller --max-memory."
        return failed(task, WorkerKilledError(f"The worker that had this picture was {how}.", hint))

    def _idle(self, width: int) -> _Worker | None:
        """A worker without a task, started if need be; None if ``width`` are busy."""
        if sum(worker.task is not None for worker in self._staff) >= width:
            return None
        for worker in self._staff:
            if worker.task is None:
                return worker
        return self._start()

    def _start(self) -> _Worker:
        worker = _Worker(Child(_serve, self.work, self.share, name="patchloom-worker", codec=PickleCodec()))
        self._staff.append(worker)
        return worker

    def _give(self, worker: _Worker, task: Task) -> None:
        """Hands the task over. A worker that died while idle is noticed when its answer is read."""
        worker.task = task
        with contextlib.suppress(ChildDied):
            worker.child.give(task)

    def _dismiss(self, workers: list[_Worker]) -> None:
        """Ends workers at once, whatever they are doing."""
        for worker in list(workers):
            self._staff.remove(worker)
            worker.child.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._dismiss(list(self._staff))


def _serve(link: Link, work: Work, share: Share) -> None:
    """A worker's life: tasks in, outcomes out, until the coordinator hangs up."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(share.threads)  # before anything that reads it is imported
    while True:
        link.send(attempt(work, link.receive(), share, link.stopped))
