"""The same work on an existing ``distributed`` scheduler.

The scheduler is never given more than two tasks for each worker, so that a million pictures cost it no more
memory than a hundred. A worker that dies has its picture done by another (``distributed`` reschedules it); a
scheduler that restarts has forgotten everything, so what was under way is submitted again, and results that had
been written meanwhile are recognised. Nothing but names and small outcomes travels.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from typing import Any, Self

from patchloom import __version__
from patchloom.batch.machine import THREADS
from patchloom.batch.work import Outcome, Share, Stopped, Task, Work, WorkerKilledError, attempt, failed
from patchloom.errors import MissingExtra, PatchloomError

AHEAD = 2
"""Tasks submitted for each worker: one under way, one waiting, so that none waits for the network."""

PATIENCE = 600.0
"""Seconds to wait for a scheduler or for workers that went away."""

POLL = 0.02
"""Seconds between two looks at the futures; they are few, and looking sends no message."""

COUNT_EVERY = 2.0
"""Seconds between two questions to the scheduler how many workers it has."""

USABLE = 0.7
"""The part of a worker's memory limit that a fill may plan with: at 80 % ``distributed`` pauses the worker."""


class ClusterError(PatchloomError):
    """The scheduler or its workers cannot be used."""

    code = "no_cluster"


class Cluster:
    """Runs work on the workers of the scheduler at ``address``. Use as a context manager.

    Raises ClusterError if there is no scheduler, no worker, or a worker without this version of the package, and
    MissingExtra if ``distributed`` is not installed.
    """

    width = 1  # a picture that exceeds a worker's memory has no larger worker to go to

    def __init__(self, work: Work, address: str, *, threads: int = THREADS, patience: float = PATIENCE) -> None:
        self.work, self.address, self.threads, self.patience = work, address, threads, patience
        self._client = _connect(address, min(patience, 5.0))
        self._workers, self._counted, self._alive = 0, 0.0, time.monotonic()
        try:
            self._check_workers()
        except BaseException:
            self._client.close()
            raise

    def run(self, tasks: Iterable[Task | None], stopped: Stopped, width: int | None = None) -> Iterator[Outcome]:
        """As :meth:`patchloom.batch.pool.LocalPool.run`. Raises ClusterError once patience has run out.

        When stopped, the workers leave what they have at the next step and report no more.
        """
        source, exhausted = iter(tasks), False
        flying: dict[Any, Task] = {}
        self._alive = time.monotonic()
        while not stopped():
            while not exhausted and self._connected and len(flying) < (width or AHEAD * self._count()):
                try:
                    task = next(source)
                except StopIteration:
                    exhausted = True
                    break
                if task is None:
                    break
                self._submit(task, flying)
            if exhausted and not flying:
                return
            yield from self._collect(flying)
            self._wait(bool(flying))
        if self._client.status == "running":
            self._client.cancel(list(flying), force=True)

    @property
    def _connected(self) -> bool:
        """Whether the client takes tasks; while it reconnects it keeps them until it has."""
        return self._client.status in ("running", "connecting")

    def _submit(self, task: Task, flying: dict[Any, Task]) -> None:
        flying[self._client.submit(_on_worker, self.work, task, self.threads, pure=False)] = task

    def _collect(self, flying: dict[Any, Task]) -> Iterator[Outcome]:
        """The outcomes that are there. What a lost worker or scheduler took along is submitted again."""
        settled = [future for future in flying if future.status != "pending"] if self._connected else []
        for future, answer in zip(settled, self._answers(settled), strict=True):
            self._alive = time.monotonic()
            task = flying.pop(future)
            if isinstance(answer, Outcome):
                yield answer
            elif future.status == "error":
                yield _failure(task, answer)
            else:  # the outcome was lost on its way, or with the connection
                self._submit(task, flying)

    def _answers(self, settled: list[Any]) -> list[Any]:
        """For each future its outcome, or the error of asking for it. If all is well, one message fetches all."""
        try:
            return list(self._client.gather(settled)) if settled else []
        except (Exception, CancelledError):
            return [_answer(future) for future in settled]

    def _wait(self, busy: bool) -> None:
        """Sleeps a moment; reconnects where the connection is gone for good."""
        time.sleep(POLL)
        if self._client.status == "running" and (self._workers or not busy):
            self._alive = time.monotonic()
        elif time.monotonic() - self._alive > self.patience:
            raise ClusterError(
                f"The scheduler at {self.address} or its workers have been away for {self.patience:.0f} s.",
                "Start them again and continue with --resume.",
            )
        elif self._client.status == "closed":
            try:
                self._client = _connect(self.address, 5.0)
            except ClusterError:
                time.sleep(POLL)

    def _count(self) -> int:
        """How many workers there are; asked every few seconds."""
        if time.monotonic() - self._counted > COUNT_EVERY and self._client.status == "running":
            self._counted = time.monotonic()
            try:
                self._workers = len(self._client.nthreads())
            except (OSError, TimeoutError):
                self._workers = 0
        return self._workers

    def _check_workers(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=min(self.patience, 30.0))
            versions = set(self._client.run(_version).values())
        except TimeoutError as error:
            raise ClusterError(
                f"The scheduler at {self.address} has no workers.", f"Start some: dask worker {self.address}"
            ) from error
        except ModuleNotFoundError as error:
            raise ClusterError(
                f"The workers at {self.address} lack a package: {error}.",
                f"Run there: pip install 'patchloom[cluster]=={__version__}'",
            ) from error
        if versions != {__version__}:
            raise ClusterError(
                f"The workers have patchloom {', '.join(sorted(versions))}, this is {__version__}.",
                f"Run there: pip install 'patchloom[cluster]=={__version__}'",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


def _connect(address: str, timeout: float) -> Any:
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "A cluster needs the package distributed.", "Run: pip install 'patchloom[cluster]'"
        ) from error
    for name in ("distributed", "distributed.client"):  # what matters is said by this module's errors
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return Client(
            address,  # type: ignore[no-untyped-call]
            timeout=timeout,
            set_as_default=False,
        )
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(
            f"There is no scheduler at {address}.", "Start one with: dask scheduler --host 127.0.0.1"
        ) from error


def _answer(future: Any) -> Any:
    try:
        return future.result()
    except (Exception, CancelledError) as error:
        return error


def _failure(task: Task, error: BaseException) -> Outcome:
    """What ``distributed`` itself says of a task; errors of the picture come back as outcomes."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return failed(task, WorkerKilledError("Several workers died of this picture, one after the other."))
    return failed(task, PatchloomError(f"Internal error: {type(error).__name__}: {error}"))


def _version() -> str:
    return __version__


def _on_worker(work: Work, task: Task, threads: int) -> Outcome:
    """Runs in a worker's thread. Stops when the client no longer wants the task or the scheduler is gone."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    memory = int((worker.memory_manager.memory_limit or 0) * USABLE) // 2**20
    share = Share(threads, memory, memory)

    def stopped() -> bool:
        state = worker.state.tasks.get(key)
        return state is None or state.state == "cancelled" or worker.status.name in ("closing", "closed", "failed")

    return attempt(work, task, share, stopped)
