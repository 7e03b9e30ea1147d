"""patchloom's own API: jobs, their events and products, and what a page has to know beforehand."""

import asyncio
from importlib.util import find_spec
from typing import Any, get_args

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from patchloom import __version__
from patchloom.formats import ENDINGS, FORMATS, WRITTEN
from patchloom.server import measure, openapi
from patchloom.server.answers import NO_STORE, EventStream, described, finished, product, waited_for
from patchloom.server.asgi import whole_number
from patchloom.server.job import MAX_PREVIEWS, Job
from patchloom.server.jobs import Jobs
from patchloom.server.limits import SETTINGS_BYTES, Limits
from patchloom.server.problems import Problem
from patchloom.server.schema import presets, settings_schema
from patchloom.server.submission import Sent, submit_form
from patchloom.settings import MaskMode

QUICK = ("select", "mask")  # kinds of jobs that wait behind no fill
PICTURES = {  # kinds of jobs that are waited for -> summary, description
    "mask": (
        "What a mask's file marks",
        "A PNG of the mask's size: white is filled. The file is read as with a fill.",
    ),
    "select": (
        "The object that a scribble lies on",
        "A grey PNG: white the object, half grey the shadow that it casts.",
    ),
    "harmonise": (
        "Bring an object that was put into a photo to its light",
        "settings are those of `patchloom harmonise`.",
    ),
    "paste": (
        "Put an object into a photo, in its light",
        "settings are those of `patchloom paste`; with a strength of 0 it is put in as it is.",
    ),
    "extend": (
        "Continue a photo beyond its frame",
        "settings are those of a fill; the rest is as with `patchloom extend`.",
    ),
    "tile": (
        "Make a photo a seamless tile",
        "settings are those of a fill; the rest is as with `patchloom tile`.",
    ),
}


def add_server_routes(api: FastAPI, jobs: Jobs, looks: Jobs, limits: Limits) -> None:
    """Whether the server is well, what it takes, and what is over in a moment, which waits behind no fill."""

    @api.get("/api/health", tags=["server"], summary="Whether the server answers")
    async def health() -> dict[str, Any]:
        return {"status": "ok", "ready": jobs.ready, "waiting": jobs.waiting()}

    @api.get("/api/config", tags=["server"], summary="Limits, formats, presets and settings")
    async def config() -> dict[str, Any]:
        return {
            "version": __version__,
            "formats": list(WRITTEN),
            "endings": sorted(ENDINGS),
            "ending_of": {FORMATS[name].media_type: FORMATS[name].suffixes[0] for name in WRITTEN},
            "mask_modes": list(get_args(MaskMode)),
            "limits": {
                "request_bytes": limits.request_bytes,
                "pixels": limits.pixels,
                "references": limits.max_references if find_spec("cv2") else 0,  # which aligns them
                "settings_bytes": SETTINGS_BYTES,
                "queue": limits.max_queue,
                "job_seconds": limits.job_seconds,
                "keep_minutes": limits.keep_minutes,
            },
            "presets": presets(),
            "settings": settings_schema(jobs.about.get("networks")),
        }

    @api.post(
        "/api/display",
        tags=["server"],
        summary="A TIFF or 16-bit picture as a browser can show it",
        openapi_extra=openapi.form("display"),
        responses=openapi.WAITED,
        response_class=Response,
    )
    async def display(request: Request) -> Response:
        job = await waited_for(looks, await submit_form(request, looks, limits, "display"), request)
        response = product(job)
        size = job.result or {}
        response.headers["X-Width"] = str(size.get("photo_width", 0))
        response.headers["X-Height"] = str(size.get("photo_height", 0))
        return response

    @api.post(
        "/api/recognise",
        tags=["server"],
        summary="Whether a file's first bytes are of a picture that is taken",
        openapi_extra=openapi.BYTES,
    )
    async def recognise(request: Request) -> dict[str, Any]:
        return measure.look(await request.body())

    for kind, (summary, description) in PICTURES.items():
        _add_picture_route(api, looks if kind in QUICK else jobs, limits, kind, summary, description)


def _add_picture_route(
    api: FastAPI, jobs: Jobs, limits: Limits, kind: str, summary: str, description: str
) -> None:
    """``POST /api/KIND``: a form in, a picture out, as soon as the job is over."""

    @api.post(
        f"/api/{kind}",
        name=kind,
        tags=["server"],
        summary=summary,
        description=description,
        openapi_extra=openapi.form(kind),
        responses=openapi.WAITED,
        response_class=Response,
    )
    async def answer(request: Request) -> Response:
        return product(await waited_for(jobs, await submit_form(request, jobs, limits, kind), request))


def add_job_routes(api: FastAPI, jobs: Jobs, limits: Limits) -> None:
    """A job from its beginning to its end."""
    sent = Sent()

    @api.post(
        "/api/jobs",
        status_code=202,
        tags=["jobs"],
        summary="Fill a photo",
        openapi_extra=openapi.form("fill") | openapi.header("Idempotency-Key", "Sent twice, it starts one job."),
        responses=openapi.job(202, "The job is in the queue") | openapi.errors(409),
    )
    async def create(request: Request) -> Response:
        key = request.headers.get("idempotency-key", "")
        if key:
            job = await sent.once(key, request, jobs, limits)
        else:
            job = await submit_form(request, jobs, limits, "fill", durable=True)
        body = described(jobs, job, request)
        return JSONResponse(body, 202, {**NO_STORE, "Location": body["links"]["self"]})

    @api.get(
        "/api/jobs/{name}",
        tags=["jobs"],
        summary="How a job stands",
        responses=openapi.job(200, "The job") | openapi.errors(404),
    )
    async def status(name: str, request: Request) -> Response:
        return JSONResponse(described(jobs, jobs.get(name), request), headers=NO_STORE)

    @api.delete(
        "/api/jobs/{name}",
        tags=["jobs"],
        summary="Cancel a job, or delete its files",
        responses=openapi.job(200, "The job") | openapi.errors(404),
    )
    async def cancel(name: str, request: Request) -> Response:
        job = jobs.get(name)
        await asyncio.to_thread(jobs.cancel, job)
        await finished(job, 3.0)
        return JSONResponse(described(jobs, job, request), headers=NO_STORE)

    @api.get(
        "/api/jobs/{name}/result",
        tags=["jobs"],
        summary="The filled picture",
        responses=openapi.PICTURE | openapi.errors(404, 409, 410),
        response_class=Response,
    )
    async def result(name: str) -> Response:
        return product(jobs.get(name))


def add_follow_routes(api: FastAPI, jobs: Jobs, limits: Limits) -> None:
    """Watching a job: events and previews."""
    streams: set[object] = set()

    @api.get(
        "/api/jobs/{name}/events",
        tags=["jobs"],
        summary="Follow a job as server-sent events",
        openapi_extra=openapi.header("Last-Event-ID", "The number of the last event that was heard."),
        responses=openapi.EVENTS | openapi.errors(404),
        response_class=Response,
    )
    async def events(name: str, request: Request) -> Response:
        job = jobs.get(name)
        if len(streams) >= limits.max_streams:
            busy = {"Retry-After": "5"}
            raise Problem(
                429, "too_many_streams", "Too many streams are open.", "Ask for the status instead.", busy
            )
        last = whole_number(request.headers.get("last-event-id", ""), 10**9) or 0
        ticket = object()
        streams.add(ticket)  # after everything that can fail: the stream itself gives it back
        return EventStream(jobs, job, last, lambda: streams.discard(ticket))

    @api.get(
        "/api/jobs/{name}/preview",
        tags=["jobs"],
        summary="The newest preview",
        responses=openapi.PREVIEW | openapi.errors(404),
        response_class=Response,
    )
    async def newest_preview(name: str, request: Request) -> Response:
        numbers = [event.data.get("preview", 0) for event in jobs.get(name).after(0)]
        return preview_file(jobs.get(name), max(numbers, default=0), request)

    @api.get(
        "/api/jobs/{name}/preview/{number}",
        tags=["jobs"],
        summary="One preview",
        responses=openapi.PREVIEW | openapi.errors(404),
        response_class=Response,
    )
    async def preview(name: str, number: int, request: Request) -> Response:
        return preview_file(jobs.get(name), number, request)


def preview_file(job: Job, number: int, request: Request) -> Response:
    """One preview, or 304 for a client that has it. Raises Problem 404."""
    path = job.folder / f"preview-{number}"
    if not 0 < number <= MAX_PREVIEWS or not path.exists():
        raise Problem(404, "no_preview", "There is no such preview.")
    tag = f'"{job.id}-{number}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=3600"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return FileResponse(path, headers=headers, media_type="image/jpeg")
