"""A job as a client sees it: its description, its events, its product."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from patchloom.formats import FORMATS
from patchloom.server.asgi import Receive, Scope, Send
from patchloom.server.job import Job
from patchloom.server.jobs import Jobs
from patchloom.server.problems import Problem

NO_STORE = {"Cache-Control": "no-store"}
KEEP_ALIVE_SECONDS = 15.0


def described(jobs: Jobs, job: Job, request: Request) -> dict[str, Any]:
    """The public face of a job."""
    here = f"{request.scope.get('prefix', '')}/api/jobs/{job.id}"
    return {
        "id": job.id,
        "status": job.status,
        "position": jobs.position(job),
        "progress": job.progress,
        "warnings": job.warnings,
        "error": job.error,
        "settings": job.settings,
        "seed": job.settings.get("seed"),
        "result": job.result,
        "links": {"self": here, "events": f"{here}/events", "result": f"{here}/result"},
    }


def product(job: Job) -> Response:
    """The result's bytes. Raises Problem 409 before there is one and 410 when it is gone."""
    if job.status == "done" and job.result is not None:
        name = f"patchloom-{job.id[:8]}{FORMATS[job.result['format']].suffixes[0]}"
        headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'}
        return FileResponse(job.folder / "result", headers=headers, media_type=job.result["media_type"])
    if job.error is not None:
        raise Problem(409, job.error["code"], job.error["message"], job.error["hint"])
    if job.over:
        raise Problem(410, job.status, f"The job is {job.status}; its files are gone.", "Send it again.")
    raise Problem(409, "not_done", "The job is not done yet.", "Follow its events, or ask again later.")


class EventStream(StreamingResponse):
    """Server-sent events of one job, from after event number ``last`` until it is over or the server stops."""

    media_type = "text/event-stream"

    def __init__(self, jobs: Jobs, job: Job, last: int, closed: Callable[[], None]) -> None:
        super().__init__(_follow(jobs, job, last), headers={**NO_STORE, "X-Accel-Buffering": "no"})
        self._closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._closed()


async def _follow(jobs: Jobs, job: Job, last: int) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()

    def wake() -> None:
        loop.call_soon_threadsafe(woken.set)

    forget = job.listen(wake)
    try:
        while True:
            woken.clear()
            over = job.over or jobs.stopping
            for event in job.after(last):
                last = event.number
                yield f"id: {event.number}\nevent: {event.name}\ndata: {json.dumps(event.data)}\n\n"
            if over:
                return
            try:
                await asyncio.wait_for(woken.wait(), KEEP_ALIVE_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"
    finally:
        forget()


async def finished(job: Job, seconds: float) -> None:
    """Waits until the job is over, at most ``seconds``."""
    ends = asyncio.get_running_loop().time() + seconds
    while not job.over and asyncio.get_running_loop().time() < ends:
        await asyncio.sleep(0.02)


async def waited_for(jobs: Jobs, job: Job, request: Request) -> Job:
    """The finished job. A client that goes away takes its job with it. Raises Problem."""
    try:
        while not job.over:
            jobs.require_running()
            if await request.is_disconnected():
                raise Problem(499, "client_gone", "The client has gone.")
            await asyncio.sleep(0.03)
        return job
    finally:
        if not job.over:
            await asyncio.to_thread(jobs.cancel, job)
