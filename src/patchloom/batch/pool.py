"""Worker processes of this machine.

One process, one picture at a time. A process that dies (killed by the kernel for its memory, a crash in a codec)
costs the picture it had and is replaced; one that has grown beyond its share is retired after its picture.
Workers ignore Ctrl-C: the coordinator tells them to stop, and they do so between two steps of the fill.
"""

import math
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Self

from patchloom.batch.work import Outcome, Share, Stopped, Task, Work, WorkerKilledError, attempt, failed
from patchloom.child import Child, Link, PickleCodec
from patchloom.errors import PatchloomError

POLL = 0.2
"""Seconds between two looks at the cancel flag and at an idle source of tasks."""


class LocalPool:
    """Runs work in ``workers`` processes, each with ``share`` of the machine. Use as a context manager."""

    def __init__(self, work: Work, workers: int, share: Share) -> None:
        self.work, self.workers, self.share = work, workers, share
        self._idle: list[Child] = []
        self._dead_on_arrival = 0

    @property
    def width(self) -> int:
        """How many pictures are filled at once."""
        return self.workers

    def run(self, tasks: Iterable[Task | None], stopped: Stopped, width: int | None = None) -> Iterator[Outcome]:
        """Outcomes as they come, at most ``width`` tasks at once. A None among the tasks says: nothing just now.

        Once ``stopped()``, no task is begun; what is under way ends as "stopped", if need be by a kill.
        Raises PatchloomError if worker processes cannot be started at all.
        """
        source, exhausted, width = iter(tasks), False, width or self.workers
        self._dismiss(width)
        leaving, under_way = Event(), set[Future[Outcome]]()

        def over() -> bool:
            return leaving.is_set() or stopped()

        with ThreadPoolExecutor(width) as threads:  # each waits for one process
            try:
                while True:
                    exhausted = exhausted or stopped()
                    while not exhausted and len(under_way) < width:
                        try:
                            task = next(source)
                        except StopIteration:
                            exhausted = True
                            break
                        if task is None:
                            break
                        under_way.add(threads.submit(self._filled, task, over))
                    if under_way:
                        settled, under_way = wait(under_way, POLL, FIRST_COMPLETED)
                        yield from (future.result() for future in settled)
                    elif exhausted:
                        return
                    else:
                        time.sleep(POLL)
            finally:
                leaving.set()

    def _filled(self, task: Task, stopped: Stopped) -> Outcome:
        """The task done by an idle process, or a new one. Raises PatchloomError if none can be started."""
        try:
            worker, new = self._idle.pop(), False
        except IndexError:
            worker, new = Child(_serve, self.work, self.share, name="patchloom-worker", codec=PickleCodec()), True
        end = worker.ask(task, seconds=math.inf, stopped=stopped)
        if end.kind == "answered":
            outcome: Outcome = end.answer
            if self.share.memory_mb and outcome.memory_mb > self.share.memory_mb:
                worker.kill()
            else:
                self._idle.append(worker)
            return outcome
        if end.kind == "stopped":
            return Outcome(task=task, status="stopped")
        code = worker.exit_code() or 0
        if new and code >= 0:
            self._dead_on_arrival += 1
            if self._dead_on_arrival >= 3:
                raise PatchloomError(
                    f"Worker processes end as soon as they start (exit code {code}).",
                    "Call fill_folder below `if __name__ == '__main__':`, and see what they printed above.",
                )
        hint = "Most likely the memory did not suffice: try --jobs 1 or a smaller --max-memory."
        return failed(task, WorkerKilledError(f"The worker that had this picture was {end.how}.", hint))

    def _dismiss(self, kept: int = 0) -> None:
        """Ends idle processes but for ``kept``: their memory counts."""
        while len(self._idle) > kept:
            self._idle.pop().kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._dismiss()


def _serve(link: Link, work: Work, share: Share) -> None:
    """A worker's life: tasks in, outcomes out, until the coordinator hangs up."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(share.threads)  # before anything that reads it is imported
    while True:
        link.send(attempt(work, link.receive(), share, link.stopped))
