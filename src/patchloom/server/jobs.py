"""A bounded queue of jobs, and one worker process that does them.

One thread (the supervisor) takes jobs in order, has the worker do them within their limits, and tidies up.
Everything a request handler calls here returns at once. What was accepted is not lost: durable jobs are in the
journal, wait while the disk is full, and go on with the next server on the folder.
"""

import threading
import time
from collections import Counter, deque
from functools import partial
from pathlib import Path
from typing import Any

from patchloom.child import Child, ChildDied, End
from patchloom.resources import total_mb
from patchloom.server.job import Job
from patchloom.server.limits import Limits
from patchloom.server.problems import Problem
from patchloom.server.records import CRASHED, MOST_LOST, Records
from patchloom.server.storage import LEAST_ROOM, Storage
from patchloom.server.worker import FINAL, Message, log, new_worker

START_SECONDS = 300.0  # for a worker to be ready: the first one on a machine compiles its loops


class Jobs(Records):
    """The queue and what runs it. ``engine`` is what the worker process runs (see :mod:`worker`)."""

    def __init__(self, limits: Limits, storage: Storage, engine: str, options: Message) -> None:
        super().__init__(limits, storage)
        self.memory_mb = limits.job_memory_mb or total_mb() * 0.9
        self.about: Message = {}
        self.stopping = False  # nothing new is taken, and whoever waits is told so
        self._engine = engine
        self._options = options
        self._waiting: deque[Job] = deque()
        self._reserved: Counter[str] = Counter()  # by client
        self._lock = threading.Condition()
        self._worker: Child | None = None
        self._ready = False
        self._failed_to_start = False
        self._ending = False
        self._thread = threading.Thread(target=self._supervise, name="patchloom jobs", daemon=True)

    def open(self) -> None:
        for job in self.take_up():
            self._put(job)
        self._thread.start()

    def stop(self) -> None:
        """The server is about to stop: takes nothing more, and says so to whoever follows a job."""
        self.stopping = True
        for job in list(self.jobs.values()):
            if not job.over:
                job.emit("server_stopping", {"kept": self.keeps(job)})

    def close(self) -> None:
        """Stops the worker and removes all files but those of jobs that go on with the next server."""
        with self._lock:
            self._ending = True
            self._lock.notify_all()
        self._thread.join(10)
        if self._worker is not None:
            self._worker.kill()
        self.storage.close()

    @property
    def worker_pid(self) -> int | None:
        return self._worker.pid if self._worker is not None else None

    @property
    def ready(self) -> bool:
        """The worker has loaded what it needs."""
        return self._ready

    def require_running(self) -> None:
        """Raises Problem 503 when the server is about to stop."""
        if self.stopping:
            raise Problem.stopping()

    def require_room(self, size: int = 0) -> None:
        """Raises Problem 507 when the disk has no room for an upload of ``size`` bytes, spooled and stored."""
        if self.storage.room() < LEAST_ROOM + 2 * size:
            raise Problem.disk_full()

    def require_place(self, client: str = "") -> None:
        """Raises Problem 429 when there is no place in the queue, or when the client has its share."""
        later = {"Retry-After": "10"}
        share = self.limits.max_queue_per_client
        with self._lock:
            if len(self._waiting) + self._reserved.total() >= self.limits.max_queue:
                raise Problem(429, "queue_full", "Too many jobs are waiting.", "Try again in a moment.", later)
            own = sum(job.client == client for job in self._waiting) + self._reserved[client]
            if share and own >= share:
                raise Problem(
                    429, "share_full", "Your other jobs are still waiting.", "Send it after them.", later
                )

    def reserve(self, client: str = "") -> None:
        """Takes a place in the queue before anything is stored. Raises Problem 429."""
        with self._lock:
            self.require_place(client)
            self._reserved[client] += 1

    def release(self, client: str = "") -> None:
        """Gives a reserved place back."""
        with self._lock:
            self._reserved[client] -= 1

    def submit(self, name: str, folder: Path, kind: str, task: Message, client: str = "", **about: Any) -> Job:
        """Puts a job into the queue, on a place reserved before; ``about``: further fields of it."""
        job = Job(name, folder, kind, {**task, "kind": kind, "folder": str(folder)}, client=client, **about)
        self.add(job)
        self._put(job)
        return job

    def position(self, job: Job) -> int:
        """1 is next; 0 is not waiting."""
        with self._lock:
            return self._waiting.index(job) + 1 if job in self._waiting else 0

    def waiting(self) -> int:
        with self._lock:
            return len(self._waiting)

    def cancel(self, job: Job) -> None:
        """Stops a job within two seconds, or removes the files of a finished one. May be repeated."""
        with self._lock:
            waiting = job in self._waiting
            if waiting:
                self._waiting.remove(job)
            job.cancelled = True
        if waiting:
            self.cancelled(job)
        elif job.over:
            self.expire(job)

    def _put(self, job: Job, first: bool = False) -> None:
        """Puts the job into the queue, at its end or as the next."""
        job.status = "queued"
        self.record(job)
        with self._lock:  # which keeps the supervisor from beginning it before that is said
            (self._waiting.appendleft if first else self._waiting.append)(job)
            job.emit("queued", {"position": self._waiting.index(job) + 1})
            self._lock.notify_all()

    # The supervisor's thread

    def _supervise(self) -> None:
        while not self._ending:
            try:
                self._watch_idle_worker()
                job = self._next()
                if job is not None:
                    self._work(job)
                self.tidy()
            except Exception:
                log.exception("The job queue met an error of ours")
                time.sleep(0.1)

    def _next(self) -> Job | None:
        with self._lock:
            if self._first() is None:
                self._lock.wait(0.5)
            job = self._first()
            if self._ending or job is None:
                return None
            self._waiting.remove(job)
            job.started = time.time()
            job.status = "running"
            return job

    def _first(self) -> Job | None:
        """The next job; while the disk is full, the next of those that cannot wait for room."""
        full = self.storage.room() < LEAST_ROOM
        return next((job for job in self._waiting if not (full and self.keeps(job))), None)

    def _watch_idle_worker(self) -> None:
        """Has a worker at hand before the first job. One that cannot even start is tried again only for a job."""
        try:
            if self._worker is None and not self._failed_to_start:
                self._keep_worker()
            message = self._worker.receive(0) if self._worker is not None else None
            if message is not None:
                self._welcome(message)
        except ChildDied:
            self._failed_to_start = not self._ready
            self._drop_worker()

    def _keep_worker(self) -> Child:
        if self._worker is not None and not self._worker.alive:
            self._drop_worker()
        if self._worker is None:
            self._worker = new_worker(self._engine, self._options)
        return self._worker

    def _drop_worker(self) -> None:
        if self._worker is not None:
            self._worker.kill()
        self._worker = None
        self._ready = False

    def _work(self, job: Job) -> None:
        """One job on the worker, whatever it does. The worker lives on unless it had to be ended."""
        job.emit("started", {})
        try:
            end = self._ask(job)
            if end.kind != "answered":
                self._failed_to_start = end.kind == "died" and not self._ready
                self._drop_worker()
                self._ended(job, end)
        except Exception:
            self._drop_worker()
            log.exception("Job %s met an error of ours", job.id)
            self.failed(
                job, "internal_error", "Something went wrong inside the program.", "The server's log has more."
            )

    def _ask(self, job: Job) -> End:
        """Has the worker do the job; says how that ended."""
        worker = self._keep_worker()

        def stopped() -> bool:
            return job.cancelled or self._ending

        end = End("answered")
        if not self._ready:
            end = worker.ask(None, self._welcome, seconds=START_SECONDS, stopped=stopped)
        if end.kind == "answered":
            self.record(job)  # from now on it may be what ends the server
            limits = {"seconds": self.limits.job_seconds, "memory_mb": self.memory_mb}
            end = worker.ask(job.task, partial(self._apply, job), **limits, stopped=stopped)
        return end

    def _welcome(self, message: Message) -> bool:
        self._ready = True
        self._failed_to_start = False
        self.about = message["about"]
        return True

    def _apply(self, job: Job, message: Message) -> bool:
        """Takes over what the worker says; True when the job is over."""
        name = message.pop("event")
        if name == "done" and not job.cancelled:
            self.done(job, message["result"])
        elif name == "done" or (name == "failed" and message["code"] == "cancelled"):
            self._stopped(job)
        elif name == "failed" and message["code"] == "no_space" and self.keeps(job) and job.lost < MOST_LOST:
            job.lost += 1
            self._put(job, first=True)  # until there is room
        elif name == "failed":
            self.failed(job, message["code"], message["message"], message["hint"])
        else:
            job.hear(name, message)
        return name in FINAL

    def _ended(self, job: Job, end: End) -> None:
        """Says what became of a job whose worker was ended."""
        if end.kind == "stopped":
            self._stopped(job)
        elif end.kind == "time":
            self.failed(
                job,
                "time_limit",
                f"The fill took longer than {self.limits.job_seconds:g} seconds.",
                "Choose the preset 'fast', mark less, or send a smaller picture.",
            )
        elif end.kind == "memory":
            self.failed(
                job,
                "memory_limit",
                f"The fill needed more than {self.memory_mb:.0f} MB of memory.",
                "Mark less at a time, or send a smaller picture.",
            )
        else:
            self.failed(job, *CRASHED)

    def _stopped(self, job: Job) -> None:
        """It was cancelled, or the server ends: then the next one begins it again."""
        if self.keeps(job) and not job.cancelled:
            self._put(job, first=True)
        else:
            self.cancelled(job)
