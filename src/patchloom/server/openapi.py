"""What FastAPI cannot see by itself: multipart forms read by hand, and answers that are pictures."""

from typing import Any

from patchloom.formats import FORMATS, WRITTEN
from patchloom.server.schema import schema_of, settings_schema
from patchloom.server.uploads import OPTIONS, OPTIONS_OF, PARTS, REPEATED, is_needed
from patchloom.settings import FileSettings

_FILE = {"type": "string", "format": "binary"}
_PROBLEM = {"description": "Refused", "content": {"application/problem+json": {}}}
_KINDS = tuple(FORMATS[name].media_type for name in WRITTEN)

Answers = dict[int | str, dict[str, Any]]
PICTURE: Answers = {200: {"content": {kind: {"schema": _FILE} for kind in _KINDS}}, "4XX": _PROBLEM}
PREVIEW: Answers = {200: {"content": {"image/jpeg": {"schema": _FILE}}}, "4XX": _PROBLEM}
BYTES = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": _FILE}}}}


def form(kind: str, settings: dict[str, Any] | None = None) -> dict[str, Any]:
    """The request body of a route for a ``kind`` of job; ``settings``: the schema of theirs, if not a fill's."""
    options = {name: {"type": "string", "description": text} for name, text in OPTIONS.items()}
    options |= schema_of(FileSettings)["properties"]
    options["settings"] = {**(settings or settings_schema()), "description": OPTIONS["settings"]}
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
