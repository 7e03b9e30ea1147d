"""A bounded queue of jobs, and one worker process that does them.

One thread (the supervisor) takes jobs in order, watches the worker's time, memory and life, and tidies up.
Everything a request handler calls here returns at once.
"""

import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path

from patchloom.child import Child, ChildDied
from patchloom.resources import total_mb
from patchloom.server.job import Job, Status
from patchloom.server.limits import Limits
from patchloom.server.problems import Problem
from patchloom.server.storage import Storage
from patchloom.server.worker import FINAL, Message, log, new_worker

STOP_GRACE = 1.0  # seconds a fill has to reach its next event before its process is ended
START_SECONDS = 300.0  # for a worker to be ready: the first one on a machine compiles its loops
RECORDS = 2000  # finished jobs that are remembered after their files are gone
_TICK = 0.1


class Jobs:
    """The queue and what runs it. ``engine`` is what the worker process runs (see :mod:`worker`)."""

    def __init__(self, limits: Limits, storage: Storage, engine: str, options: Message) -> None:
        self.limits = limits
        self.storage = storage
        self.memory_mb = limits.job_memory_mb or total_mb() * 0.9
        self._engine = engine
        self._options = options
        self.about: Message = {}
        self._jobs: dict[str, Job] = {}
        self._waiting: deque[Job] = deque()
        self._reserved: Counter[str] = Counter()  # by client
        self._on_finished: list[Callable[[Job], None]] = []
        self._lock = threading.Condition()
        self._worker: Child | None = None
        self._ready = False
        self._failed_to_start = False
        self._stopping = False
        self._thread = threading.Thread(target=self._supervise, name="patchloom jobs", daemon=True)

    def open(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stops the worker and removes all files."""
        with self._lock:
            self._stopping = True
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

    def on_finished(self, listener: Callable[[Job], None]) -> None:
        """Calls ``listener`` at the end of every job, one at a time."""
        self._on_finished.append(listener)

    def new_folder(self) -> tuple[str, Path]:
        """An unguessable id and its private folder."""
        name = secrets.token_hex(16)
        return name, self.storage.create(name)

    def discard(self, name: str) -> None:
        """Removes the folder of a job that was never submitted."""
        if name:
            self.storage.remove(name)

    def __contains__(self, name: object) -> bool:
        return name in self._jobs

    def submit(self, name: str, folder: Path, kind: str, task: Message, client: str = "") -> Job:
        """Puts a job into the queue, on a place reserved before."""
        job = Job(name, folder, kind, {**task, "kind": kind, "folder": str(folder)}, client=client)
        job.bytes = self.storage.size(name)
        with self._lock:
            self._jobs[name] = job
            self._waiting.append(job)
            position = len(self._waiting)
            self._lock.notify_all()
        job.emit("queued", {"position": position})
        return job

    def get(self, name: str) -> Job:
        """Raises Problem 404, for foreign and unknown ids alike."""
        job = self._jobs.get(name)
        if job is None:
            raise Problem(404, "no_such_job", "There is no such job.", "It may have been removed long ago.")
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
            self._finish_cancelled(job)
        elif job.over:
            self._expire(job)

    # The supervisor's thread

    def _supervise(self) -> None:
        while not self._stopping:
            try:
                self._watch_idle_worker()
                job = self._next()
                if job is not None:
                    self._work(job)
                self._tidy()
            except Exception:
                log.exception("The job queue met an error of ours")
                time.sleep(_TICK)

    def _next(self) -> Job | None:
        with self._lock:
            if not self._waiting:
                self._lock.wait(0.5)
            if self._stopping or not self._waiting:
                return None
            job = self._waiting.popleft()
            job.started = time.time()
            job.status = "running"
            return job

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
            worker = self._keep_worker()
            worker.give(job.task)
            self._follow(job, worker)
        except ChildDied:
            self._failed_to_start = not self._ready
            self._drop_worker()
            if not job.over:
                self._fail(
                    job,
                    "worker_crashed",
                    "The process that worked on this picture ended unexpectedly.",
                    "Try again; if it happens again, the picture may be damaged or too large for this machine.",
                )
        except Exception:
            self._drop_worker()
            log.exception("Job %s met an error of ours", job.id)
            self._fail(
                job, "internal_error", "Something went wrong inside the program.", "The server's log has more."
            )

    def _follow(self, job: Job, worker: Child) -> None:
        deadline = time.monotonic() + START_SECONDS
        stop_by = 0.0
        while True:
            message = worker.receive(_TICK)
            if message is not None:
                if message["event"] == "started":
                    deadline = time.monotonic() + self.limits.job_seconds
                if self._apply(job, message):
                    return
            now = time.monotonic()
            if job.cancelled or self._stopping:
                if not stop_by:
                    worker.ask_to_stop()
                    stop_by = now + STOP_GRACE
                elif now > stop_by:
                    self._drop_worker()
                    return self._finish_cancelled(job)
            elif now > deadline:
                self._drop_worker()
                return self._fail(
                    job,
                    "time_limit",
                    f"The fill took longer than {self.limits.job_seconds:g} seconds.",
                    "Choose the preset 'fast', mark less, or send a smaller picture.",
                )
            elif worker.memory_mb() > self.memory_mb:
                self._drop_worker()
                return self._fail(
                    job,
                    "memory_limit",
                    f"The fill needed more than {self.memory_mb:.0f} MB of memory.",
                    "Mark less at a time, or send a smaller picture.",
                )

    def _welcome(self, message: Message) -> None:
        self._ready = True
        self._failed_to_start = False
        self.about = message["about"]

    def _apply(self, job: Job, message: Message) -> bool:
        """Takes over what the worker says; True when the job is over."""
        name = message.pop("event")
        if name == "ready":
            self._welcome(message)
        elif name == "done":
            self._finish_done(job, message["result"])
        elif name == "failed":
            if message["code"] == "cancelled":
                self._finish_cancelled(job)
            else:
                self._fail(job, message["code"], message["message"], message["hint"])
        elif name != "started":
            job.hear(name, message)
        return name in FINAL

    def _finish_done(self, job: Job, result: Message) -> None:
        if job.cancelled:
            return self._finish_cancelled(job)
        job.result = result
        job.progress = {**job.progress, "fraction": 1.0, "eta_s": 0.0}
        self._finish(job, "done", result)

    def _finish_cancelled(self, job: Job) -> None:
        self.storage.remove(job.id)
        self._finish(job, "cancelled", {})

    def _fail(self, job: Job, code: str, message: str, hint: str) -> None:
        job.error = {"code": code, "message": message, "hint": hint}
        self.storage.remove(job.id)
        self._finish(job, "failed", job.error)

    def _finish(self, job: Job, status: Status, data: Message) -> None:
        job.finished = time.time()
        job.bytes = self.storage.size(job.id)
        job.status = status
        with self._lock:
            for listener in self._on_finished:
                listener(job)
        job.emit(status, data)

    def _expire(self, job: Job) -> None:
        self.storage.remove(job.id)
        job.bytes = 0
        if job.status == "done":
            job.status = "expired"

    def _tidy(self) -> None:
        """Removes results that are too old, or too many for the disk, and forgets the oldest records."""
        now = time.time()
        finished = sorted((job for job in list(self._jobs.values()) if job.over), key=lambda job: job.finished)
        total = sum(job.bytes for job in list(self._jobs.values()))
        for job in finished:
            old = now - job.finished > self.limits.keep_minutes * 60
            if job.bytes and (old or total > self.limits.max_disk_mb << 20):
                total -= job.bytes
                self._expire(job)
            elif old and job.status == "done":
                self._expire(job)
        for job in finished[: max(0, len(finished) - RECORDS)]:
            self._expire(job)
            self._jobs.pop(job.id, None)
