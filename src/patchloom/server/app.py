"""The HTTP server, put together: routes, answers to errors, and the safety layers around them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from patchloom import __version__
from patchloom.errors import PatchloomError
from patchloom.server import journal, routes
from patchloom.server.asgi import Application, response_to
from patchloom.server.body import RoomCheck
from patchloom.server.head import HeadAsGet
from patchloom.server.iopaint.routes import add_compatible_routes
from patchloom.server.jobs import Jobs
from patchloom.server.limits import Limits
from patchloom.server.openapi import Api
from patchloom.server.operations import AccessLog, access_log, add_operations_routes
from patchloom.server.problems import Problem
from patchloom.server.security import Access, guarded
from patchloom.server.storage import Storage, is_full
from patchloom.settings import Preset, RunSettings

STATIC = Path(__file__).parent / "static"
ENGINE = "patchloom.server.engine:PictureEngine"
LOOKS = "patchloom.server.looks:LookEngine"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSettings:
    """What ``patchloom serve`` decides. ``engine`` is what the worker process runs, ``folder`` where files lie."""

    limits: Limits = field(default_factory=Limits)
    access: Access = field(default_factory=Access)
    run: RunSettings = field(default_factory=RunSettings)
    engine: str = ENGINE
    access_log: AccessLog = "off"
    iopaint_preset: Preset = "balanced"  # what clients of IOPaint's API, who cannot choose, get
    folder: Path | None = None


def create_app(settings: ServerSettings) -> Application:
    """The whole server as an ASGI application, safety layers included."""
    return guarded(
        cast(Application, create_api(settings)),
        settings.access,
        request_bytes=settings.limits.request_bytes,
        patience=settings.limits.patience_seconds,
        record=access_log(settings.access_log),
    )


def create_api(settings: ServerSettings) -> FastAPI:
    """What is behind the safety layers: the routes, and the queue that starts with the application."""
    limits = settings.limits
    run = replace(settings.run, time_limit=0.0, max_memory=settings.run.max_memory or limits.job_memory_mb)
    options = {"run": run.to_dict(), "max_pixels": limits.pixels}
    jobs = Jobs(limits, Storage(settings.folder, journal.FILE), settings.engine, options)
    looks = Jobs(limits, Storage(settings.folder), LOOKS, options)  # after the jobs, which take over what was left

    def stop() -> None:
        looks.stop()
        jobs.stop()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        jobs.open()
        looks.open()
        try:
            yield {"stop": stop}  # for the listener, which hears of the end first
        finally:
            await asyncio.to_thread(looks.close)
            await asyncio.to_thread(jobs.close)

    api = Api(
        title="patchloom",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    api.state.jobs = jobs
    _answer_problems(api)
    add_page_routes(api)
    routes.add_server_routes(api, jobs, looks, limits)
    routes.add_job_routes(api, jobs, limits)
    routes.add_follow_routes(api, jobs, limits)
    add_operations_routes(api, jobs, limits)
    add_compatible_routes(api, jobs, looks, limits, settings.iopaint_preset)
    api.add_middleware(RoomCheck, jobs=jobs)
    api.add_middleware(HeadAsGet)
    return api


def _answer_problems(api: FastAPI) -> None:
    """Every error as ``application/problem+json``; nothing of ours shows in it."""

    @api.exception_handler(Problem)
    async def of_problem(request: Request, problem: Problem) -> Response:
        return response_to(problem, request.scope)

    @api.exception_handler(PatchloomError)
    async def of_error(request: Request, error: PatchloomError) -> Response:
        return response_to(Problem.of(error), request.scope)

    @api.exception_handler(ClientDisconnect)
    async def of_leaving(request: Request, error: ClientDisconnect) -> Response:
        return response_to(Problem(499, "client_gone", "The client has gone."), request.scope)

    @api.exception_handler(HTTPException)
    async def of_status(request: Request, error: HTTPException) -> Response:
        codes = {404: "not_found", 405: "not_allowed"}
        code = codes.get(error.status_code, "error")
        problem = Problem(error.status_code, code, str(error.detail), headers=dict(error.headers or {}))
        return response_to(problem, request.scope)

    @api.exception_handler(RequestValidationError)
    async def of_validation(request: Request, error: RequestValidationError) -> Response:
        problem = Problem(422, "bad_request", "The request cannot be understood.", "See /docs.")
        return response_to(problem, request.scope)

    @api.exception_handler(OSError)
    async def of_disk(request: Request, error: OSError) -> Response:
        if not is_full(error):
            raise error
        return response_to(Problem.disk_full(), request.scope)

    @api.exception_handler(Exception)
    async def of_bug(request: Request, error: Exception) -> Response:
        problem = Problem(500, "internal_error", "Something went wrong inside the program.")
        return response_to(problem, request.scope)


def add_page_routes(api: FastAPI) -> None:
    """The page, its files, and the documentation."""

    def page(name: str, status: int = 200) -> Response:
        return FileResponse(STATIC / name, status, {"Cache-Control": "no-cache"}, media_type="text/html")

    @api.get("/", include_in_schema=False)
    async def index() -> Response:
        return page("index.html")

    @api.get("/login", include_in_schema=False)
    async def login() -> Response:
        return page("login.html", 401)

    @api.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return page("docs.html")

    api.mount("/static", StaticFiles(directory=STATIC), name="static")
