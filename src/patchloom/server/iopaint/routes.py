"""The part of IOPaint's HTTP API (version 1.6) that fills holes, so that its clients work with another port.

``inpaint``, ``server-config``, ``model``, ``adjust_mask`` and ``samplers``, and the multipart ``/inpaint`` of its
predecessor lama-cleaner; fields that only other models read are ignored, as are unknown ones, but those of
patchloom's own API are refused by name: whoever sends one expects it to count. A call runs as a normal job: the
same limits, token and checks.
"""

import asyncio
import io
import secrets
from binascii import a2b_base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from patchloom.server import measure, openapi
from patchloom.server.answers import waited_for
from patchloom.server.job import Job
from patchloom.server.jobs import Jobs
from patchloom.server.limits import SETTINGS_BYTES, Limits
from patchloom.server.problems import FIELDS, Problem, status_of
from patchloom.server.schema import checked_settings
from patchloom.server.submission import submitted
from patchloom.server.uploads import OPTIONS, media_type, store_picture, strict_json
from patchloom.settings import FileSettings, Preset

WORK = "patchloom.server.iopaint.work"  # what worker processes import
SEEDS = 2**31
DEFAULT_SEED = 42  # IOPaint's
BODIES = 2  # JSON bodies held in memory at the same time
_PIECE = 1 << 22  # characters of base64 decoded at once, so that other threads get their turn

INPAINT_FIELDS = {
    "image": "The photo, base64 or a data URL.",
    "mask": "White is filled; base64 or a data URL, of the photo's size.",
    "sd_seed": "The seed; -1 draws one. X-Seed says which it was.",
}
ADJUST_FIELDS = {
    "mask": "White is marked; base64 or a data URL.",
    "operate": "expand, shrink or reverse.",
    "kernel_size": "Pixels to grow or shrink by; 5 if absent.",
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
    "disableModelSwitch": False,  # with True IOPaint's page hides its settings
    "isDesktop": False,
    "samplers": [],
}


def refused(status: int, message: str) -> Problem:
    return Problem(status, "bad_request", message)


def add_compatible_routes(api: FastAPI, jobs: Jobs, looks: Jobs, limits: Limits, preset: Preset) -> None:
    """Adds the routes under ``/api/v1``, and ``/inpaint``; fills use ``preset``, masks ``looks``."""
    bodies = asyncio.Semaphore(BODIES)
    add_mask_and_model_routes(api, looks, limits, bodies)

    async def filled(request: Request, pictures: dict[str, bytes], seed: int) -> Response:
        settings = checked_settings({"preset": preset, "seed": seed, "alpha": "keep"}).to_dict()
        files = FileSettings(allow_cmyk=True, page=1)  # of an animation the first frame, as IOPaint takes it
        task = {"settings": settings, "files": files.to_dict(), "by": f"{WORK}:fill"}
        job = await submit(request, jobs, limits, "fill", pictures, task)
        return picture(await waited_for(jobs, job, request), seed)

    @api.post(
        "/api/v1/inpaint",
        tags=["IOPaint"],
        summary="Fill a hole; answers with the picture",
        openapi_extra=openapi.json_body(INPAINT_FIELDS),
        responses=openapi.WAITED,
        response_class=Response,
    )
    async def inpaint(request: Request) -> Response:
        async with bodies:
            fields = await read_fields(request, ("image", "mask"))
            seed = seed_of(fields)
            return await filled(request, await decoded_all(fields, ("image", "mask")), seed)

    @api.post(
        "/inpaint",
        tags=["IOPaint"],
        summary="Fill a hole; a form with two files, as lama-cleaner's clients send it",
        openapi_extra=openapi.multipart(
            {name: INPAINT_FIELDS[name] for name in ("image", "mask")},
            {"sd_seed": {"type": "integer", "description": INPAINT_FIELDS["sd_seed"]}},
        ),
        responses=openapi.WAITED,
        response_class=Response,
    )
    async def inpaint_form(request: Request) -> Response:
        async with bodies:
            pictures, fields = await read_two_pictures(request)
            return await filled(request, pictures, seed_of(fields))


def add_mask_and_model_routes(api: FastAPI, looks: Jobs, limits: Limits, bodies: asyncio.Semaphore) -> None:
    """What is asked beside fills; the answers about models are constants."""

    @api.post(
        "/api/v1/adjust_mask",
        tags=["IOPaint"],
        summary="Grow, shrink or invert a mask",
        openapi_extra=openapi.json_body(ADJUST_FIELDS),
        responses=openapi.WAITED,
        response_class=Response,
    )
    async def adjust_mask(request: Request) -> Response:
        async with bodies:
            fields = await read_fields(request, ("mask", "operate"))
            size = whole_number(fields.get("kernel_size", 5), "kernel_size")
            task = {"operate": fields["operate"], "kernel_size": size, "by": f"{WORK}:adjust_mask"}
            if task["operate"] not in ("expand", "shrink", "reverse") or not 0 <= size < 1000:
                raise refused(422, "operate is expand, shrink or reverse; kernel_size is from 0 to 999.")
            job = await submit(request, looks, limits, "adjust_mask", await decoded_all(fields, ("mask",)), task)
        return picture(await waited_for(looks, job, request))

    @api.get("/api/v1/server-config", tags=["IOPaint"], summary="What this server can do")
    async def server_config() -> dict[str, Any]:
        return SERVER_CONFIG

    @api.get("/api/v1/model", tags=["IOPaint"], summary="The model")
    async def model() -> dict[str, Any]:
        return MODEL

    @api.post("/api/v1/model", tags=["IOPaint"], summary="Choose the model; there is one")
    async def choose_model() -> dict[str, Any]:
        return MODEL

    @api.post("/api/v1/gen-info", tags=["IOPaint"], summary="The prompt a picture was made with; there is none")
    async def gen_info(request: Request) -> dict[str, str]:
        async for _ in request.stream():  # nothing of it is needed
            pass
        return {"prompt": "", "negative_prompt": ""}

    @api.get("/api/v1/samplers", tags=["IOPaint"], summary="Samplers; there are none")
    @api.post("/api/v1/samplers", include_in_schema=False)
    async def samplers() -> list[str]:
        return []


async def read_fields(request: Request, needed: tuple[str, ...]) -> dict[str, Any]:
    """The JSON object of the request. Raises Problem."""
    if media_type(request) != "application/json":
        raise Problem(415, "not_json", "Send application/json.")
    body = await request.body()
    try:  # in a thread and as text, which is quicker: the others need not wait for a large one
        fields = await run_in_threadpool(lambda: strict_json(body.decode()))
    except UnicodeDecodeError as error:
        raise refused(422, "The JSON is not UTF-8.") from error
    if not isinstance(fields, dict):
        raise refused(422, "The body must be a JSON object.")
    refuse_ours(fields)
    for name in needed:
        if not isinstance(fields.get(name), str):
            raise refused(422, f"The field '{name}' is missing or no text.")
    return fields


def refuse_ours(fields: Iterable[str]) -> None:
    """Raises Problem for a field of patchloom's own API, which would count for nothing here."""
    for name in fields:
        if name in FIELDS | OPTIONS.keys():
            raise refused(422, f"The field '{name}' is not read here; POST /api/jobs reads it.")


async def read_two_pictures(request: Request) -> tuple[dict[str, bytes], dict[str, Any]]:
    """``image`` and ``mask`` of a form, and ``sd_seed`` (lama-cleaner's ``sdSeed``), if one was sent; other fields
    are of other models. Raises Problem."""
    if media_type(request) != "multipart/form-data":
        raise Problem(415, "not_multipart", "Send the files as multipart/form-data.", "See /docs for an example.")
    try:
        form = await request.form(max_files=8, max_fields=64, max_part_size=SETTINGS_BYTES)
    except HTTPException as error:
        raise refused(422, str(error.detail)) from error
    try:
        files = {name: form.get(name) for name in ("image", "mask")}
        found = {name: await file.read() for name, file in files.items() if isinstance(file, UploadFile)}
        for name in files.keys() - found.keys():
            raise refused(422, f"The part '{name}' is missing or no file.")
        refuse_ours(form)
        seed = form.get("sd_seed") or form.get("sdSeed")
    finally:
        await form.close()
    return found, {"sd_seed": seed} if seed else {}


def seed_of(fields: dict[str, Any]) -> int:
    """``sd_seed``; -1 draws one."""
    seed = whole_number(fields.get("sd_seed", DEFAULT_SEED), "sd_seed")
    return secrets.randbelow(SEEDS) if seed < 0 else seed % SEEDS


def whole_number(value: Any, name: str) -> int:
    """42, 42.0 or "42", as IOPaint takes them. Raises Problem."""
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool) and int(value) == float(value):
            return int(value)
    except (ValueError, OverflowError):
        pass
    raise refused(422, f"{name} must be a whole number.")


def decoded(text: str, name: str) -> bytes:
    """Bytes from base64, bare or in a data URL, with or without line breaks. Raises Problem."""
    start = text.find(",") + 1 if text.startswith("data:") else 0
    pieces, rest = [], ""
    try:
        for at in range(start, len(text), _PIECE):
            piece = rest + "".join(text[at : at + _PIECE].split())
            whole = len(piece) - len(piece) % 4
            pieces.append(a2b_base64(piece[:whole], strict_mode=True))
            rest = piece[whole:]
        pieces.append(a2b_base64(rest, strict_mode=True))
    except ValueError as error:
        raise refused(400, f"{name} is not base64.") from error
    return b"".join(pieces)


async def decoded_all(fields: dict[str, Any], parts: tuple[str, ...]) -> dict[str, bytes]:
    """The pictures in the fields, decoded one after the other in a thread. Raises Problem."""
    return {part: await run_in_threadpool(decoded, fields[part], part) for part in parts}


async def submit(
    request: Request, jobs: Jobs, limits: Limits, kind: str, pictures: dict[str, bytes], task: dict[str, Any]
) -> Job:
    """Stores the pictures and queues the job. Raises Problem."""
    files = {part: io.BytesIO(data) for part, data in pictures.items()}
    if "image" in files:
        require_same_size(files["image"], files["mask"], limits)

    async def store(folder: Path) -> None:
        for part, file in files.items():
            await run_in_threadpool(store_picture, file, part, folder, limits, True)

    return await submitted(request, jobs, kind, task, store)


def require_same_size(image: io.BytesIO, mask: io.BytesIO, limits: Limits) -> None:
    """Raises Problem 400 as IOPaint does. Both sides are compared as stored, or one of them turned."""
    photo = measure.check(image, what="image", max_pixels=limits.pixels, first_frame=True)
    hole = measure.check(mask, what="mask", max_pixels=limits.pixels, first_frame=True)
    if {photo.width, photo.height} != {hole.width, hole.height}:
        raise refused(
            400, f"Image size ({photo.height}, {photo.width}) and mask size ({hole.height}, {hole.width}) differ."
        )


def picture(job: Job, seed: int | None = None) -> Response:
    """The job's product. Raises Problem with what went wrong."""
    if job.status != "done" or job.result is None:
        error = job.error or {"code": job.status, "message": f"The job is {job.status}."}
        raise Problem(status_of(error["code"]), error["code"], error["message"], job.advice)
    headers = {"Cache-Control": "no-store"}
    if seed is not None:
        headers["X-Seed"] = str(seed)
    return FileResponse(job.folder / "result", headers=headers, media_type=job.result["media_type"])
