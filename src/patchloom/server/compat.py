"""The part of IOPaint's HTTP API (version 1.6) that fills holes, so that its clients work with another port.

``inpaint``, ``server-config``, ``model``, ``adjust_mask`` and ``samplers``, and the multipart ``/inpaint`` of its
predecessor lama-cleaner; fields that only other models read are ignored, as are unknown ones. A call runs as a
normal job: the same limits, token and checks.
"""

import asyncio
import base64
import binascii
import io
import secrets
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from patchloom.server import measure, openapi
from patchloom.server.answers import waited_for
from patchloom.server.jobs import Job, Jobs
from patchloom.server.limits import SETTINGS_BYTES, Limits
from patchloom.server.problems import Problem
from patchloom.server.schema import checked_settings
from patchloom.server.uploads import store_picture, strict_json
from patchloom.settings import FileSettings, Preset

SEEDS = 2**31
DEFAULT_SEED = 42  # IOPaint's
BODIES = 2  # JSON bodies held in memory at the same time

INPAINT_FIELDS = {
    "image": "The photo, base64 or a data URL.",
    "mask": "White is filled; base64 or a data URL, of the photo's size.",
    "sd_seed": "The seed; -1 draws one. X-Seed says which it was.",
}
ADJUST_FIELDS = {
    "mask": "White is marked; base64 or a data URL.",
    "operate": "expand, shrink or reverse.",
    "kernel_size": "Twice the pixels to grow or shrink by; 5 if absent.",
}
MODEL = {
    "name": "patchloom",
    "path": "patchloom",
    "model_type": "inpaint",
    "is_single_file_diffusers": False,
    "need_prompt": False,
    "controlnets": [],
    "brushnets": [],
    "support_strength": False,
    "support_outpainting": False,
    "support_lcm_lora": False,
    "support_controlnet": False,
    "support_brushnet": False,
    "support_powerpaint_v2": False,
}
SERVER_CONFIG = {
    "plugins": [],
    "modelInfos": [MODEL],
    "removeBGModel": "",
    "removeBGModels": [],
    "realesrganModel": "",
    "realesrganModels": [],
    "interactiveSegModel": "",
    "interactiveSegModels": [],
    "enableFileManager": False,
    "enableAutoSaving": False,
    "enableControlnet": False,
    "controlnetMethod": None,
    "disableModelSwitch": True,
    "isDesktop": False,
    "samplers": [],
}


class Refused(Exception):  # noqa: N818
    """An answer with the four keys that IOPaint's clients look at."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def answer(self) -> Response:
        text = str(self)
        return JSONResponse({"error": "Bad request", "detail": text, "body": "", "errors": text}, self.status)


def add_compatible_routes(api: FastAPI, jobs: Jobs, limits: Limits, preset: Preset) -> None:
    """Adds the routes under ``/api/v1``, and ``/inpaint``; fills are made with ``preset``."""
    bodies = asyncio.Semaphore(BODIES)
    add_mask_and_model_routes(api, jobs, limits, bodies)

    async def filled(request: Request, pictures: dict[str, bytes], seed: int) -> Response:
        settings = checked_settings({"preset": preset, "seed": seed}).to_dict()
        files = FileSettings(mask_mode="white", allow_cmyk=True)
        task = {"settings": settings, "files": files.to_dict(), "upright": True}
        job = await submit(request, jobs, limits, "fill", pictures, task)
        return picture(await waited_for(jobs, job, request), seed)

    @api.exception_handler(Refused)
    async def refuse(request: Request, refused: Refused) -> Response:
        return refused.answer()

    @api.post(
        "/api/v1/inpaint",
        tags=["IOPaint"],
        summary="Fill a hole; answers with the picture",
        openapi_extra=openapi.json_body(INPAINT_FIELDS),
        responses=openapi.PICTURE,
    )
    async def inpaint(request: Request) -> Response:
        async with bodies:
            fields = await read_fields(request, ("image", "mask"))
            pictures = {part: decoded(fields[part], part) for part in ("image", "mask")}
            return await filled(request, pictures, seed_of(fields))

    @api.post(
        "/inpaint",
        tags=["IOPaint"],
        summary="Fill a hole; a form with two files, as lama-cleaner's clients send it",
        openapi_extra=openapi.form({name: INPAINT_FIELDS[name] for name in ("image", "mask")}),
        responses=openapi.PICTURE,
    )
    async def inpaint_form(request: Request) -> Response:
        async with bodies:
            pictures, fields = await read_two_pictures(request)
            return await filled(request, pictures, seed_of(fields))


def add_mask_and_model_routes(api: FastAPI, jobs: Jobs, limits: Limits, bodies: asyncio.Semaphore) -> None:
    """What is asked beside fills; the answers about models are constants."""

    @api.post(
        "/api/v1/adjust_mask",
        tags=["IOPaint"],
        summary="Grow, shrink or invert a mask",
        openapi_extra=openapi.json_body(ADJUST_FIELDS),
        responses=openapi.PICTURE,
    )
    async def adjust_mask(request: Request) -> Response:
        async with bodies:
            fields = await read_fields(request, ("mask", "operate"))
            task = {"operate": fields["operate"], "kernel_size": fields.get("kernel_size", 5)}
            size = task["kernel_size"]
            if (
                task["operate"] not in ("expand", "shrink", "reverse")
                or type(size) is not int
                or not 0 < size < 1000
            ):
                raise Refused(422, "operate is expand, shrink or reverse; kernel_size is from 1 to 999.")
            job = await submit(
                request, jobs, limits, "adjust_mask", {"mask": decoded(fields["mask"], "mask")}, task
            )
        return picture(await waited_for(jobs, job, request))

    @api.get("/api/v1/server-config", tags=["IOPaint"], summary="What this server can do")
    async def server_config() -> dict[str, Any]:
        return SERVER_CONFIG

    @api.get("/api/v1/model", tags=["IOPaint"], summary="The model")
    async def model() -> dict[str, Any]:
        return MODEL

    @api.post("/api/v1/model", tags=["IOPaint"], summary="Choose the model; there is one")
    async def choose_model() -> dict[str, Any]:
        return MODEL

    @api.get("/api/v1/samplers", tags=["IOPaint"], summary="Samplers; there are none")
    @api.post("/api/v1/samplers", include_in_schema=False)
    async def samplers() -> list[str]:
        return []


async def read_fields(request: Request, needed: tuple[str, ...]) -> dict[str, Any]:
    """The JSON object of the request. Raises Refused, or Problem 415 for another media type."""
    if (request.headers.get("content-type") or "").partition(";")[0].strip() != "application/json":
        raise Problem(415, "not_json", "Send application/json.")
    try:
        fields = strict_json(await request.body())
    except Problem as problem:
        raise Refused(422, problem.message) from problem
    if not isinstance(fields, dict):
        raise Refused(422, "The body must be a JSON object.")
    for name in needed:
        if not isinstance(fields.get(name), str):
            raise Refused(422, f"The field '{name}' is missing or no text.")
    return fields


async def read_two_pictures(request: Request) -> tuple[dict[str, bytes], dict[str, Any]]:
    """``image`` and ``mask`` of a form, and ``sd_seed``, if one was sent; other fields are of other models. Raises
    Refused, or Problem 415 for another media type."""
    if not (request.headers.get("content-type") or "").startswith("multipart/form-data"):
        raise Problem(415, "not_multipart", "Send the files as multipart/form-data.", "See /docs for an example.")
    try:
        form = await request.form(max_files=8, max_fields=64, max_part_size=SETTINGS_BYTES)
    except HTTPException as error:
        raise Refused(422, str(error.detail)) from error
    try:
        files = {name: form.get(name) for name in ("image", "mask")}
        found = {name: await file.read() for name, file in files.items() if isinstance(file, UploadFile)}
        for name in files.keys() - found.keys():
            raise Refused(422, f"The part '{name}' is missing or no file.")
        seed = form.get("sd_seed", "")
    finally:
        await form.close()
    if not isinstance(seed, str) or not seed.lstrip("-").isdigit():
        return found, {}
    return found, {"sd_seed": int(seed)}


def seed_of(fields: dict[str, Any]) -> int:
    """``sd_seed``; -1 draws one."""
    seed = fields.get("sd_seed", DEFAULT_SEED)
    if type(seed) is not int:
        raise Refused(422, "sd_seed must be a whole number.")
    return secrets.randbelow(SEEDS) if seed < 0 else seed % SEEDS


def decoded(text: str, name: str) -> bytes:
    """Bytes from base64, bare or in a data URL. Raises Refused."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(400, f"{name} is not base64.") from error


async def submit(
    request: Request, jobs: Jobs, limits: Limits, kind: str, pictures: dict[str, bytes], task: dict[str, Any]
) -> Job:
    """Stores the pictures and queues the job. Raises Refused; Problem 429 when the queue is full."""
    client = request.client.host if request.client else ""
    jobs.reserve(client)
    name = ""
    try:
        files = {part: io.BytesIO(data) for part, data in pictures.items()}
        if "image" in files:
            require_same_size(files["image"], files["mask"], limits)
        name, folder = jobs.new_folder()
        for part, file in files.items():
            await run_in_threadpool(store_picture, file, part, folder, limits, True)
        request.scope["job"] = name
        return jobs.submit(name, folder, kind, task, task.get("settings", {}), client)
    except Problem as problem:
        jobs.discard(name)
        raise Refused(problem.status, f"{problem.message} {problem.hint}".strip()) from problem
    except BaseException:
        jobs.discard(name)
        raise
    finally:
        jobs.release(client)


def require_same_size(image: io.BytesIO, mask: io.BytesIO, limits: Limits) -> None:
    """Raises Refused 400 as IOPaint does. Both sides are compared as stored, or one of them turned."""
    photo = measure.check(image, what="image", max_pixels=limits.pixels, first_frame=True)
    hole = measure.check(mask, what="mask", max_pixels=limits.pixels, first_frame=True)
    if {photo.width, photo.height} != {hole.width, hole.height}:
        raise Refused(
            400, f"Image size ({photo.height}, {photo.width}) and mask size ({hole.height}, {hole.width}) differ."
        )


def picture(job: Job, seed: int | None = None) -> Response:
    """The job's product. Raises Refused with what went wrong."""
    if job.status != "done" or job.result is None:
        error = job.error or {"code": job.status, "message": f"The job is {job.status}.", "hint": ""}
        status = {"internal_error": 500, "worker_crashed": 500, "time_limit": 504, "memory_limit": 413}
        raise Refused(status.get(error["code"], 400), f"{error['message']} {error['hint']}".strip())
    headers = {"Cache-Control": "no-store"}
    if seed is not None:
        headers["X-Seed"] = str(seed)
    return FileResponse(job.folder / "result", headers=headers, media_type=job.result["media_type"])
