"""From a request to files in a private folder and checked options; nothing here decodes a picture."""

import io
import json
import math
import re
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from patchloom.annotations import is_annotation
from patchloom.canvas import Frame, Place
from patchloom.formats import FORMATS
from patchloom.server import measure
from patchloom.server.jobs import Jobs
from patchloom.server.limits import SETTINGS_BYTES, Limits
from patchloom.server.problems import Problem
from patchloom.server.storage import write_private
from patchloom.settings import FileSettings

PARTS = {  # the files that each kind of job takes -> what they are
    "fill": {
        "image": f"The photo: {', '.join(FORMATS)}.",
        "mask": "White is filled. Of the photo's size, or smaller with the same proportions; or annotations of "
        "COCO or labelme.",
        "source": "Optional: texture may come only from where this is white.",
        "coarse": "Optional: the same photo filled by another tool, to be refined.",
        "reference": "Optional: another picture of the same scene; what it shows of the hole is taken over. May "
        "be sent several times; the job calls it by its file's name.",
    },
    "display": {"image": "Any supported picture."},
    "mask": {"mask": "Any supported picture, or annotations of COCO or labelme."},
    "select": {
        "image": "The picture, at most a megapixel.",
        "mask": "A scribble of the picture's size: white lies on the object, half grey on what is not it, black "
        "says nothing.",
    },
    "harmonise": {
        "image": "The photo with the object in it.",
        "mask": "White is the object. Of the photo's size, or smaller with the same proportions.",
    },
    "paste": {
        "image": "The photo.",
        "object": "The picture that is put in.",
        "mask": "Optional: what of the object is put in is white; else what of it is not transparent, else all "
        "of it. Of the object's size, or smaller with the same proportions.",
    },
    "extend": {"image": "The photo."},
    "tile": {"image": "The photo of a texture."},
}
REPEATED = "reference"  # the part that may come several times
_OPTIONS = ("settings", "first_frame", *(item.name for item in fields(FileSettings)))
_WITHOUT_MASK = tuple(name for name in _OPTIONS if not name.startswith("mask_"))
FRAME = tuple(item.name for item in fields(Frame))
OPTIONS_OF = {
    "fill": (*_OPTIONS, "image_of"),
    "harmonise": _OPTIONS,
    "paste": (*_OPTIONS, "at"),
    "extend": (*_WITHOUT_MASK, *FRAME),
    "tile": _WITHOUT_MASK,
    "display": ("first_frame", "page"),
    "mask": ("mask_mode", "mask_class"),
    "select": (),
}  # the text parts that each kind of job reads; others are refused by name
MOST_FILES = 300  # of a form; how many references may be among them is for the limits to say
ANNOTATIONS_BYTES = 32 << 20  # largest file of annotations that is taken for a mask
LONGEST_NAME = 80  # characters of a file's name that are kept
OPTIONS = {
    "settings": 'JSON object of settings, for example {"preset": "fast", "seed": 3}; see GET /api/config.',
    "first_frame": "true: of an animated or multi-page file use the first picture.",
    "image_of": "Instead of the part image: an earlier job, whose photo is taken, or JOB/result, its product.",
    "at": "Where the object's centre goes, in pixels of the photo: x,y or x,y,scale or x,y,scale,angle. The scale "
    "is in parts of its own size, the angle in degrees counter-clockwise.",
    **dict.fromkeys(("left", "right", "top", "bottom"), "What is added on this side: pixels, or percent (10%)."),
    "ratio": "Width to height of the result, for example 16:9: as much more is added on both sides as gives it.",
}


def is_needed(text: str) -> bool:
    """Whether a part of that description has to be sent."""
    return not text.startswith("Optional: ")


def fields_of(kind: str) -> tuple[str, ...]:
    """Every part that a request for this kind of job may have."""
    return (*PARTS[kind], *OPTIONS_OF[kind])


def strict_json(text: str | bytes) -> Any:
    """JSON as in RFC 8259: no NaN, no infinities, nothing absurdly deep. Raises Problem 422."""

    def refuse(constant: str) -> float:
        raise ValueError(f"{constant} is not a number")

    def finite(digits: str) -> float:
        value = float(digits)
        if not math.isfinite(value):
            raise ValueError(f"{digits} is too large")
        return value

    try:
        return json.loads(text, parse_constant=refuse, parse_float=finite)
    except (ValueError, RecursionError) as error:
        raise Problem(422, "bad_json", "The JSON cannot be read.", "Check it: no NaN, no comments.") from error


def media_type(request: Request) -> str:
    """What the body is said to be, without parameters; case means nothing in it."""
    return (request.headers.get("content-type") or "").partition(";")[0].strip().lower()


async def read_form(request: Request, kind: str) -> FormData:
    """The parts of a multipart body for a ``kind`` of job. Raises Problem 415 for another type and 422 for a
    damaged or strange one."""
    if media_type(request) != "multipart/form-data":
        raise Problem(415, "not_multipart", "Send the files as multipart/form-data.", "See /docs for an example.")
    try:
        form = await request.form(max_files=MOST_FILES, max_fields=16, max_part_size=SETTINGS_BYTES)
    except HTTPException as error:
        raise Problem(422, "bad_form", str(error.detail), "Send pictures as files, settings as text.") from error
    known = fields_of(kind)
    for name in form:
        if name not in known:
            await form.close()
            raise Problem(
                422, "unknown_field", f"There is no field '{name[:40]}'.", f"Known are: {', '.join(known)}."
            )
    return form


def file_settings(form: FormData) -> FileSettings:
    """How files are read and written; an empty field is as good as none. Raises Problem 422, SettingsError."""
    given = {}
    for item in fields(FileSettings):
        value = form.get(item.name, "")
        if not isinstance(value, str):
            raise Problem(422, "bad_option", f"{item.name} must be a text part, not a file.")
        if value:
            given[item.name] = value
    return FileSettings.from_form(given)


def flag(form: FormData, name: str) -> bool:
    """Whether it is "true"; an absent one is not. Raises Problem 422 for anything but true and false."""
    value = form.get(name, "false")
    if value not in ("true", "false"):
        raise Problem(422, "bad_option", f"{name} cannot be that.", "Use one of: true, false.")
    return value == "true"


def settings_text(form: FormData) -> dict[str, Any]:
    """The object in the ``settings`` part; an absent one is empty. Raises Problem 413 and 422."""
    text = form.get("settings", "{}")
    if not isinstance(text, str):
        raise Problem(422, "bad_settings", "settings must be a text part, not a file.")
    if len(text.encode()) > SETTINGS_BYTES:
        raise Problem(413, "too_large", "The settings are larger than 64 KiB.")
    values = strict_json(text)
    if not isinstance(values, dict):
        raise Problem(422, "bad_settings", "settings must be a JSON object.", 'For example {"preset": "fast"}.')
    return values


def place(form: FormData) -> str:
    """Where an object goes, as it was sent and as ``Place`` reads it. Raises Problem 422, SettingsError."""
    text = form.get("at", "")
    if not text or not isinstance(text, str):
        raise Problem(422, "missing_part", "The part 'at' is missing.", "With curl: -F at=320,240,0.5")
    Place.from_text(text)
    return text


def frame(form: FormData) -> dict[str, str]:
    """The canvas that is wanted, as it was sent. Raises SettingsError for what no photo could have."""
    sent = {name: str(form[name]) for name in FRAME if name in form}
    Frame(**sent).margins(1000, 1000)
    return sent


def pictures(form: FormData, kind: str, limits: Limits) -> dict[str, UploadFile]:
    """The file parts that were sent, under the names that their files get: those of the parts, but ``reference-1``
    and on. With ``image_of`` there need be no ``image``. Raises Problem 413, 422."""
    sent: dict[str, UploadFile] = {}
    for name, text in PARTS[kind].items():
        values = form.getlist(name)
        for number, value in enumerate(values, 1):
            if not isinstance(value, UploadFile):
                raise Problem(
                    422, "bad_form", f"{name} must be a file part.", f"With curl: -F {name}=@picture.png"
                )
            sent[f"{name}-{number}" if name == REPEATED else name] = value
        if not values and is_needed(text) and not (name == "image" and form.get("image_of")):
            raise Problem(
                422, "missing_part", f"The part '{name}' is missing.", f"With curl: -F {name}=@picture.png"
            )
        most = limits.max_references if name == REPEATED else 1
        if len(values) > most:
            raise Problem(
                413,
                "too_many_parts",
                f"The part '{name}' was sent {len(values)} times; at most {most} are taken.",
                "Leave some out, or start the server with a larger --max-references." if name == REPEATED else "",
            )
    return sent


def held_image(form: FormData, jobs: Jobs) -> Path | None:
    """The file that ``image_of`` names. Raises Problem 404 for an unknown job, 410 where it is gone, and 422."""
    text = form.get("image_of", "")
    if not text:
        return None
    found = re.fullmatch(r"([0-9a-f]{32})(?:/(result))?", text) if isinstance(text, str) else None
    if found is None or form.get("image"):
        raise Problem(422, "bad_option", "image_of is JOB or JOB/result, instead of the part image.")
    path = jobs.get(found[1]).folder / (found[2] or "image")
    if not path.is_file():
        raise Problem(410, "image_gone", "That picture is not there any more.", "Send it as the part image.")
    return path


def names(sent: dict[str, UploadFile]) -> list[str]:
    """What the references among the parts are called: their files' names, or their numbers."""
    start = f"{REPEATED}-"
    return [
        file_name(upload)[:LONGEST_NAME] or part.removeprefix(start)
        for part, upload in sent.items()
        if part.startswith(start)
    ]


def file_name(upload: UploadFile) -> str:
    """As the client has named it, without folders and what cannot be printed."""
    last = re.split(r"[/\\]", upload.filename or "")[-1]
    return "".join(letter for letter in last if letter.isprintable()).strip()


async def store(sent: dict[str, UploadFile], folder: Path, limits: Limits, first_frame: bool) -> None:
    """Writes pictures to ``folder`` under our own names, and annotations sent as a mask. Raises Problem 413, 415,
    422."""
    for name, upload in sent.items():
        is_mask = name in ("mask", "source") and is_annotation(upload.file.read(64))
        write = _store_annotations if is_mask else partial(store_picture, first_frame=first_frame)
        await run_in_threadpool(write, upload.file, name, folder, limits)


def _store_annotations(file: BinaryIO, name: str, folder: Path, limits: Limits) -> None:
    """Writes JSON, which only the worker reads."""
    size = file.seek(0, io.SEEK_END)
    if size > ANNOTATIONS_BYTES:
        taken = f"at most {ANNOTATIONS_BYTES >> 20} are taken."
        raise Problem(
            413, "too_large", f"The {name} has {size >> 20} MiB of annotations; {taken}", "Leave other photos out."
        )
    write_private(folder / name, file)


def store_picture(file: BinaryIO, name: str, folder: Path, limits: Limits, first_frame: bool = False) -> None:
    """Checks one picture's header and writes it."""
    measure.check(file, what=name, max_pixels=limits.pixels, first_frame=first_frame)
    write_private(folder / name, file)
