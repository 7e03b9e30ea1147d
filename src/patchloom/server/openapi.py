"""What FastAPI cannot see by itself: multipart forms read by hand, answers that are pictures, and every error."""

from typing import Any

from fastapi import FastAPI

from patchloom.formats import FORMATS, WRITTEN
from patchloom.server.problems import MEDIA_TYPE, as_iopaint
from patchloom.server.schema import IN_LIGHT, schema_of, settings_schema
from patchloom.server.uploads import OPTIONS, OPTIONS_OF, PARTS, REPEATED, is_needed
from patchloom.settings import FileSettings, HarmoniseSettings

_FILE = {"type": "string", "format": "binary"}
_KINDS = tuple(FORMATS[name].media_type for name in WRITTEN)
Answers = dict[int | str, dict[str, Any]]
WHY = {
    400: "Not to be reached by that name; of IOPaint's API: sizes that differ, or what is not base64",
    401: "A token is needed",
    403: "Another site's page may not do this",
    404: "There is no such job, or no such preview",
    408: "The request came too slowly",
    409: "Not done yet; failed or cancelled; the key was used for another request",
    410: "Its files are gone",
    413: "Too large, too many pixels, too many parts; more memory than a job may take",
    415: "Not the kind of body, or no picture of a kind that is taken",
    422: "What cannot be understood or used, in a sentence",
    429: "Too many jobs, streams or wrong tokens; Retry-After says when",
    499: "The client has gone",
    500: "An error of ours, or a worker process that ended",
    501: "A package is missing on the server",
    503: "Stopping, or not ready; Retry-After says when",
    504: "It took longer than a job may",
    507: "The server's disk is full; Retry-After says when",
}
EVERYWHERE = (400, 401, 429, 500)
WITH_A_BODY = (408, 413, 415, 422, 499, 503, 507)
JOB = {"$ref": "#/components/schemas/Job"}
_TEXT, _ANY = {"type": "string"}, {"type": "object"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


_LINKS = _object(self=_TEXT, events=_TEXT, result=_TEXT)
SCHEMAS = {
    "Problem": _object(
        type=_TEXT, status={"type": "integer"}, code=_TEXT, title=_TEXT, detail=_TEXT, request_id=_TEXT
    ),
    "IOPaintProblem": _object(error=_TEXT, detail=_TEXT, body=_TEXT, errors=_TEXT),
    "Job": _object(
        id=_TEXT,
        status={"enum": ["queued", "running", "done", "failed", "cancelled", "expired"]},
        position={"type": "integer", "minimum": 0},
        progress=_ANY,
        warnings={"type": "array", "items": _TEXT},
        error={"anyOf": [_object(code=_TEXT, message=_TEXT, hint=_TEXT), {"type": "null"}]},
        settings=_ANY,
        seed={"type": ["integer", "null"]},
        result={"type": ["object", "null"]},
        links=_LINKS,
    ),
}


def errors(*statuses: int) -> Answers:
    """Errors that a route gives besides those of every one; their schema is filled in later."""
    return {status: {"description": WHY[status]} for status in statuses}


def job(status: int, text: str) -> Answers:
    """A job's description as the answer, with links to what can be asked about it."""
    operations = ("status", "events", "result", "newest_preview", "cancel")
    links = {name: {"operationId": name, "parameters": {"name": "$response.body#/id"}} for name in operations}
    return {status: {"description": text, "content": {"application/json": {"schema": JOB}}, "links": links}}


class Api(FastAPI):
    """FastAPI whose description says which errors each route gives."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = super().openapi()
            described.setdefault("components", {}).setdefault("schemas", {}).clear()
            described["components"]["schemas"].update(SCHEMAS)
            for path, methods in described["paths"].items():
                for method, operation in methods.items():
                    _add_errors(path, method, operation)
        return dict(self.openapi_schema or {})


def _add_errors(path: str, method: str, operation: dict[str, Any]) -> None:
    kind, schema = ("application/json", "IOPaintProblem") if as_iopaint(path) else (MEDIA_TYPE, "Problem")
    content = {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    statuses = {int(status) for status in operation["responses"]}
    if not any(field["schema"].get("type") == "integer" for field in operation.get("parameters", ())):
        statuses.discard(422)  # which FastAPI adds to every route with a parameter
    statuses |= {*EVERYWHERE, *(WITH_A_BODY if method == "post" else ()), *(() if method == "get" else (403,))}
    good = {status: said for status, said in operation["responses"].items() if int(status) < 400}
    bad = sorted(status for status in statuses if status >= 400)
    operation["responses"] = good | {
        str(status): {"description": WHY[status], "content": content} for status in bad
    }


PICTURE: Answers = {200: {"content": {kind: {"schema": _FILE} for kind in _KINDS}}}
WAITED: Answers = PICTURE | errors(409, 410, 501, 504)  # for a job
EVENTS: Answers = {200: {"content": {"text/event-stream": {}}}}
FIGURES: Answers = {200: {"content": {"text/plain": {}}}}
PREVIEW: Answers = {
    200: {"content": {"image/jpeg": {"schema": _FILE}}},
    304: {"description": "As the client has it"},
}
BYTES = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": _FILE}}}}


def form(kind: str) -> dict[str, Any]:
    """The request body of a route for a ``kind`` of job."""
    options = {name: {"type": "string", "description": text} for name, text in OPTIONS.items()}
    options |= schema_of(FileSettings)["properties"]
    settings = schema_of(HarmoniseSettings) if kind in IN_LIGHT else settings_schema()
    options["settings"] = {**settings, "description": OPTIONS["settings"]}
    return multipart(PARTS[kind], {name: options[name] for name in OPTIONS_OF[kind]})


def multipart(parts: dict[str, str], options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The request body of a route that takes a form: picture ``parts``, and ``options`` with their schemas."""
    pictures = {
        name: {**({"type": "array", "items": _FILE} if name == REPEATED else _FILE), "description": text}
        for name, text in parts.items()
    }
    needed = [name for name, text in parts.items() if is_needed(text)] + [name for name in options if name == "at"]
    schema = {"type": "object", "required": needed, "properties": {**pictures, **options}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def json_body(fields: dict[str, str]) -> dict[str, Any]:
    """The request body of a route that takes a JSON object with ``fields``, and ignores those of other models."""
    properties = {name: {"description": text} for name, text in fields.items()}
    schema = {"type": "object", "properties": properties}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def header(name: str, text: str) -> dict[str, Any]:
    """A request header that a route heeds."""
    field = {"name": name, "in": "header", "required": False, "description": text, "schema": _TEXT}
    return {"parameters": [field]}
