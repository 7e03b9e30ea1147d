"""A run over many pictures: tasks out, outcomes in, second attempts, the journal, events.

The order of things that makes it safe: a picture's "started" line, then the work, then its result appears whole,
then its "done" line. Whatever is interrupted in between is found out by the next run.
"""

import time
import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from patchloom import __version__
from patchloom.batch.folders import Folder
from patchloom.batch.journal import Journal, Known
from patchloom.batch.pairing import Pair
from patchloom.batch.work import Outcome, Stopped, Task
from patchloom.errors import OutputError
from patchloom.events import CancelToken, CaseDone, Observer, Warned, ignore

Existing = Literal["refuse", "skip", "resume", "replace"]
"""What to do where a result is there already; "resume" replaces only what the journal knows as its own."""


class Executor(Protocol):
    """Has pictures filled: by processes of this machine or by a cluster."""

    @property
    def width(self) -> int:
        """How many pictures are filled at once."""
        ...

    def run(self, tasks: Iterable[Task | None], stopped: Stopped, width: int | None = None) -> Iterator[Outcome]:
        """Outcomes as they come; see :meth:`patchloom.batch.pool.LocalPool.run`."""
        ...


@dataclass(slots=True)
class Summary:
    """What became of a run, as far as it got."""

    run: str
    pictures: int
    seconds: float = 0.0
    counts: dict[str, int] = field(
        default_factory=lambda: {"done": 0, "kept": 0, "skipped": 0, "failed": 0, "stopped": 0}
    )
    peak_worker_mb: int = 0
    cancelled: bool = False

    @property
    def finished(self) -> int:
        """Pictures that need nothing more in this run."""
        return sum(count for status, count in self.counts.items() if status != "stopped")

    def to_dict(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "version": __version__,
            "pictures": self.pictures,
            **self.counts,
            "seconds": round(self.seconds, 2),
            "pictures_per_second": round(self.counts["done"] / self.seconds, 4) if self.seconds else 0.0,
            "peak_worker_mb": self.peak_worker_mb,
            "cancelled": self.cancelled,
        }


def plan_tasks(
    pairs: Iterable[Pair], results: Folder, known: dict[str, Known], existing: Existing
) -> tuple[list[Task], list[Task]]:
    """Tasks to do and tasks to skip. Raises OutputError where results stand in the way."""
    there = {found.name for found in results.files(recursive=True)}
    todo, skip, blocked = [], [], []
    for pair in pairs:
        if pair.output not in there:
            todo.append(Task(pair))
            continue
        task = Task(pair, fresh=False, known=known.get(pair.output, Known()))
        if existing == "skip":
            skip.append(task)
        elif existing == "replace" or (existing == "resume" and pair.output in known):
            todo.append(task)
        else:
            blocked.append(pair.output)
    if blocked:
        others = f" and {len(blocked) - 1} more" if len(blocked) > 1 else ""
        raise OutputError(
            f"{blocked[0]}{others} exist already in {results.location}.",
            "--resume continues an earlier run, --skip-existing leaves them as they are, --force overwrites them.",
        )
    return todo, skip


class Run:
    """One run. ``of`` is the number of pictures for the progress (0: endless)."""

    def __init__(
        self,
        executor: Executor,
        journal: Journal,
        *,
        of: int,
        header: dict[str, Any],
        observe: Observer = ignore,
        cancel: CancelToken | None = None,
        fail_fast: bool = False,
    ) -> None:
        self.executor, self.journal, self.observe, self.fail_fast = executor, journal, observe, fail_fast
        self.cancel = cancel or CancelToken()
        self.summary = Summary(uuid.uuid4().hex[:12], of)
        self._again: deque[Task] = deque()
        self._said: set[str] = set()
        self._failed_fast = False
        self.journal.add({"run": self.summary.run, "version": __version__, "time": _now(), **header})

    def __call__(self, tasks: Iterable[Task | None], skipped: Iterable[Task] = ()) -> Summary:
        """Works through ``tasks``, second attempts last and one at a time, and says what became of them."""
        started = time.perf_counter()
        for task in skipped:
            self._settle(Outcome(task=task, status="skipped"))
        for outcome in self.executor.run(self._announced(tasks), self._stopped):
            self._receive(outcome)
        while self._again and not self._stopped():
            for outcome in self.executor.run(self._announced([self._again.popleft()]), self._stopped, width=1):
                self._receive(outcome)
        self.summary.seconds = time.perf_counter() - started
        self.summary.cancelled = self.cancel.cancelled
        self.journal.add({"run": self.summary.run, "ended": _now(), "summary": self.summary.to_dict()})
        return self.summary

    def _announced(self, tasks: Iterable[Task | None]) -> Iterator[Task | None]:
        """The tasks, each in the journal before it is begun. Pauses of an endless source serve second attempts."""
        for task in tasks:
            if task is None and not self.summary.pictures and self._again:
                task = self._again.popleft()
            if task is not None:
                pair = task.pair
                self.journal.add(
                    {"run": self.summary.run, "name": pair.photo, "output": pair.output, "status": "started"}
                )
            yield task

    def _receive(self, outcome: Outcome) -> None:
        self.summary.peak_worker_mb = max(self.summary.peak_worker_mb, outcome.memory_mb)
        retry = _second_attempt(outcome, self.executor.width)
        if retry is None:
            self._settle(outcome)
        else:
            name = outcome.task.pair.photo
            self.observe(Warned(message=f"{name}: {outcome.error} It is tried again at the end, alone."))
            self._again.append(retry)

    def _settle(self, outcome: Outcome) -> None:
        """The last word on a picture: journal, counts, event."""
        self.summary.counts[outcome.status] += 1
        self.journal.add({"run": self.summary.run, **outcome.record()})
        if outcome.status == "stopped":
            return
        name = outcome.task.pair.photo
        for warning in set(outcome.warnings) - self._said:  # the same for a thousand pictures is said once
            self._said.add(warning)
            self.observe(Warned(message=f"{name}: {warning}"))
        self.observe(
            CaseDone(
                name=name,
                done=self.summary.finished,
                of=self.summary.pictures or self.summary.finished,
                seconds=outcome.seconds,
                error=" ".join(filter(None, (outcome.error, outcome.hint))),
            )
        )
        self._failed_fast |= self.fail_fast and outcome.status == "failed"

    def _stopped(self) -> bool:
        return self._failed_fast or self.cancel.cancelled


def _second_attempt(outcome: Outcome, width: int) -> Task | None:
    """The same picture once more, if that has a chance.

    After a kill, alone and with half a share, so that the engine works in smaller pieces; where the share did not
    suffice, alone and with the shares of all.
    """
    if outcome.task.attempt > 1 or outcome.status != "failed":
        return None
    if outcome.code == "killed":
        return replace(outcome.task, attempt=2, room="half")
    if outcome.code == "over_budget" and width > 1:
        return replace(outcome.task, attempt=2, room="all")
    return None


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
