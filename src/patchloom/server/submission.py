"""From a form to a job in the queue; one with an ``Idempotency-Key`` starts one job, however often it arrives."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from patchloom.server import uploads
from patchloom.server.job import Job
from patchloom.server.jobs import Jobs
from patchloom.server.limits import Limits
from patchloom.server.problems import Problem
from patchloom.server.schema import checked_for
from patchloom.server.worker import Message

LONGEST_KEY = 200


async def submit_form(request: Request, jobs: Jobs, limits: Limits, kind: str) -> Job:
    """Reads the request, takes a place, stores it and queues the job; a refusal leaves nothing behind."""
    jobs.require_place(client_of(request))
    form = await uploads.read_form(request, kind)  # before a place is taken: an upload may take its time
    return await submit_read(form, request, jobs, limits, kind)


def client_of(request: Request) -> str:
    return request.client.host if request.client else ""


async def submit_read(form: FormData, request: Request, jobs: Jobs, limits: Limits, kind: str) -> Job:
    """:func:`submit_form` from the form on, which is closed."""
    try:
        settings = checked_for(kind, uploads.settings_text(form)).to_dict()
        first_frame = uploads.flag(form, "first_frame")
        files = uploads.file_settings(form).to_dict()
        files["page"] = files["page"] or int(first_frame)
        pictures = uploads.pictures(form, kind, limits)
        task = {"settings": settings, "files": files, "references": uploads.names(pictures)}
        if kind == "paste":
            task["at"] = uploads.place(form)

        async def store(folder: Path) -> None:
            await uploads.store(pictures, folder, limits, bool(files["page"]))

        return await placed(request, jobs, kind, task, store)
    finally:
        await form.close()


async def placed(
    request: Request, jobs: Jobs, kind: str, task: Message, store: Callable[[Path], Awaitable[None]]
) -> Job:
    """A job in the queue whose pictures ``store`` has put into its folder; a refusal leaves nothing behind. Raises
    Problem."""
    client, name = client_of(request), ""
    jobs.reserve(client)
    try:
        name, folder = jobs.new_folder()
        await store(folder)
        request.scope["job"] = name
        return jobs.submit(name, folder, kind, task, client)
    except BaseException:
        jobs.discard(name)
        raise
    finally:
        jobs.release(client)


@dataclass(slots=True)
class _Known:
    """What came with a key; ``turn``: who starts a job, the others wait."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0  # requests under way
    digest: str = ""
    job: str = ""


class Sent:
    """The keys of jobs that are still known."""

    def __init__(self) -> None:
        self._keys: dict[str, _Known] = {}

    async def once(self, key: str, request: Request, jobs: Jobs, limits: Limits) -> Job:
        """The job that this request, or an earlier one with its key, has started. Raises Problem 409 where that
        was another request, and 422 for a key that is none."""
        if len(key) > LONGEST_KEY:
            raise Problem(422, "bad_key", f"The Idempotency-Key is longer than {LONGEST_KEY} characters.")
        known = self._keys.setdefault(key, _Known())
        known.users += 1
        try:
            form = await uploads.read_form(request, "fill")
            async with known.turn:
                digest = await run_in_threadpool(_digest, form)
                if known.job not in jobs:
                    job = await submit_read(form, request, jobs, limits, "fill")
                    known.digest, known.job = digest, job.id
                    return job
            await form.close()
            if digest != known.digest:
                raise Problem(409, "key_used", "Another request was sent with this Idempotency-Key.")
            return jobs.get(known.job)
        finally:
            known.users -= 1
            self._keys = {name: each for name, each in self._keys.items() if each.users or each.job in jobs}


def _digest(form: FormData) -> str:
    """A hash of all fields and files, whatever their order."""
    total = hashlib.sha256()
    for name, value in sorted(form.multi_items(), key=lambda item: item[0]):
        if isinstance(value, UploadFile):
            content = _file_digest(value.file)
        else:
            content = hashlib.sha256(value.encode()).digest()
        total.update(hashlib.sha256(name.encode()).digest() + content)
    return total.hexdigest()


def _file_digest(file: BinaryIO) -> bytes:
    total = hashlib.sha256()
    file.seek(0)
    while piece := file.read(1 << 20):
        total.update(piece)
    file.seek(0)
    return total.digest()
