"""The jobs that are known: where their files lie, what is on the disk about them, and how they end."""

import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

from patchloom.server import journal
from patchloom.server.job import Job, Status
from patchloom.server.limits import Limits
from patchloom.server.problems import Problem, for_clients
from patchloom.server.storage import Storage
from patchloom.server.worker import Message

RECORDS = 2000  # finished jobs that are remembered after their files are gone
MOST_LOST = 3  # times that a job may end its server, or fill the disk: then it is not tried again
RENUMBERED = 1_000_000  # events of a job that went on with another server have larger numbers than before
CRASHED = (
    "worker_crashed",
    "The process that worked on this picture ended unexpectedly.",
    "Try again; if it happens again, the picture may be damaged or too large for this machine.",
)


class Records:
    """All jobs by their ids. Durable ones, where the storage keeps them, are in the journal as well."""

    def __init__(self, limits: Limits, storage: Storage) -> None:
        self.limits = limits
        self.storage = storage
        self.jobs: dict[str, Job] = {}
        self._on_finished: list[Callable[[Job], None]] = []
        self._telling = threading.Lock()

    def get(self, name: str) -> Job:
        """Raises Problem 404, for foreign and unknown ids alike."""
        job = self.jobs.get(name)
        if job is None:
            raise Problem(404, "no_such_job", "There is no such job.", "It may have been removed long ago.")
        return job

    def with_key(self, key: str) -> Job | None:
        """The job that came with this Idempotency-Key."""
        return next((job for job in list(self.jobs.values()) if job.key == key), None)

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

    def keeps(self, job: Job) -> bool:
        """Whether the job goes on with the next server."""
        return job.durable and bool(self.storage.keep)

    def add(self, job: Job) -> None:
        """Raises OSError where its record cannot be written."""
        job.bytes = self.storage.size(job.id)
        if self.keeps(job):
            journal.write(job)
        self.jobs[job.id] = job

    def record(self, job: Job) -> None:
        """Brings the journal up to date."""
        if self.keeps(job):
            journal.rewrite(job)

    def take_up(self) -> list[Job]:
        """The jobs of servers that have ended, in their order, whose work is still to be done."""
        found, left = [], []
        for name in self.storage.inherited:
            job = journal.read(self.storage.folder / name)
            if job is None:
                self.storage.remove(name)
            else:
                found.append(job)
        for job in sorted(found, key=lambda job: job.created):
            self.jobs[job.id] = job
            job.bytes = self.storage.size(job.id)
            job.lost += job.status == "running"
            job.servers += 1
            job.renumber(RENUMBERED * job.servers)
            if job.over:
                job.emit(job.status, job.result or job.error or {})
            elif job.lost >= MOST_LOST:
                self.failed(job, *CRASHED)
            else:
                left.append(job)
        return left

    def done(self, job: Job, result: Message) -> None:
        job.result = result
        job.progress = {**job.progress, "fraction": 1.0, "eta_s": 0.0}
        self._finish(job, "done", result)

    def cancelled(self, job: Job) -> None:
        self.storage.remove(job.id)
        self._finish(job, "cancelled", {})

    def failed(self, job: Job, code: str, message: str, advice: str) -> None:
        job.error = {"code": code, "message": message, "hint": for_clients(advice)}
        job.advice = advice
        self.storage.remove(job.id)
        if self.keeps(job):
            self.storage.create(job.id)  # for its record
        self._finish(job, "failed", job.error)

    def _finish(self, job: Job, status: Status, data: Message) -> None:
        job.finished = time.time()
        job.bytes = self.storage.size(job.id)
        job.status = status
        if status != "cancelled":
            self.record(job)
        with self._telling:
            for listener in self._on_finished:
                listener(job)
        job.emit(status, data)

    def expire(self, job: Job) -> None:
        """Removes the files of a job that is over."""
        self.storage.remove(job.id)
        job.bytes = 0
        if job.status == "done":
            job.status = "expired"

    def tidy(self) -> None:
        """Removes results that are too old, or too many for the disk, and forgets the oldest records."""
        now = time.time()
        jobs = list(self.jobs.values())
        finished = sorted((job for job in jobs if job.over), key=lambda job: job.finished)
        total = sum(job.bytes for job in jobs)
        for job in finished:
            old = now - job.finished > self.limits.keep_minutes * 60
            if job.bytes and (old or total > self.limits.max_disk_mb << 20):
                total -= job.bytes
                self.expire(job)
            elif old and job.status == "done":
                self.expire(job)
        for job in finished[: max(0, len(finished) - RECORDS)]:
            self.expire(job)
            self.jobs.pop(job.id, None)
