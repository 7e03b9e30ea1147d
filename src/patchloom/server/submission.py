"""From a form to a job in the queue; one with an ``Idempotency-Key`` starts one job, however often it arrives."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

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


async def submit_form(request: Request, jobs: Jobs, limits: Limits, kind: str, **about: Any) -> Job:
    """Reads the request, takes a place, stores it and queues the job; a refusal leaves nothing behind. ``about``:
    fields of the job."""
    jobs.require_place(client_of(request))
    form = await uploads.read_form(request, kind)  # before a place is taken: an upload may take its time
    return await submit_read(form, request, jobs, limits, kind, **about)


def client_of(request: Request) -> str:
    return request.client.host if request.client else ""


async def submit_read(
    form: FormData, request: Request, jobs: Jobs, limits: Limits, kind: str, **about: Any
) -> Job:
    """:func:`submit_form` from the form on, which is closed."""
    try:
        settings = checked_for(kind, uploads.settings_text(form)).to_dict()
        first_frame = uploads.flag(form, "first_frame")
        files = uploads.file_settings(form).to_dict()
        files["page"] = files["page"] or int(first_frame)
        pictures = uploads.pictures(form, kind, limits)
        held = uploads.held_image(form, jobs)
        task = {"settings": settings, "files": files, "references": uploads.names(pictures)}
        named = pictures.get("object" if kind == "paste" else "image")  # the picture whose mask is sent
        task["photo"] = "" if named is None else uploads.file_name(named)
        if kind == "paste":
            task["at"] = uploads.place(form)
        if kind == "extend":
            task["frame"] = uploads.frame(form)

        async def store(folder: Path) -> None:
            await uploads.store(pictures, folder, limits, bool(files["page"]))
            if held is not None:
                with held.open("rb") as file:
                    await run_in_threadpool(
                        uploads.store_picture, file, "image", folder, limits, bool(files["page"])
                    )

        return await submitted(request, jobs, kind, task, store, **about)
    finally:
        await form.close()


async def submitted(
    request: Request, jobs: Jobs, kind: str, task: Message, store: Callable[[Path], Awaitable[None]], **about: Any
) -> Job:
    """A job in the queue whose pictures ``store`` has put into its folder; a refusal leaves nothing behind. Raises
    Problem."""
    client, name = client_of(request), ""
    jobs.reserve(client)
    try:
        name, folder = jobs.new_folder()
        await store(folder)
        request.scope["job"] = name
        return jobs.submit(name, folder, kind, task, client, **about)
    except BaseException:
        jobs.discard(name)
        raise
    finally:
        jobs.release(client)


@dataclass(slots=True)
class _Turn:
    """Of a key's requests that are under way one starts a job, the others wait."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Sent:
    """The keys of requests that are under way; a job keeps its own."""

    def __init__(self) -> None:
        self._keys: dict[str, _Turn] = {}

    async def once(self, key: str, request: Request, jobs: Jobs, limits: Limits) -> Job:
        """The job that this request, or an earlier one with its key, has started. Raises Problem 409 where that
        was another request, and 422 for a key that is none."""
        if len(key) > LONGEST_KEY:
            raise Problem(422, "bad_key", f"The Idempotency-Key is longer than {LONGEST_KEY} characters.")
        of_key = self._keys.setdefault(key, _Turn())
        of_key.users += 1
        try:
            form = await uploads.read_form(request, "fill")
            async with of_key.turn:
                digest = await run_in_threadpool(_digest, form)
                job = jobs.with_key(key)
                if job is None:
                    about = {"durable": True, "key": key, "digest": digest}
                    return await submit_read(form, request, jobs, limits, "fill", **about)
            await form.close()
            if digest != job.digest:
                raise Problem(409, "key_used", "Another request was sent with this Idempotency-Key.")
            return job
        finally:
            of_key.users -= 1
            if not of_key.users:
                self._keys.pop(key, None)


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
