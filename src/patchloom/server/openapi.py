"""What FastAPI cannot see by itself: multipart forms read by hand, and answers that are pictures."""

from typing import Any

from patchloom.formats import FORMATS, WRITTEN
from patchloom.server.schema import schema_of, settings_schema
from patchloom.server.uploads import OPTIONS, REPEATED, is_needed
from patchloom.settings import FileSettings

_FILE = {"type": "string", "format": "binary"}
_PROBLEM = {"description": "Refused", "content": {"application/problem+json": {}}}
_KINDS = tuple(FORMATS[name].media_type for name in WRITTEN)

Answers = dict[int | str, dict[str, Any]]
PICTURE: Answers = {200: {"content": {kind: {"schema": _FILE} for kind in _KINDS}}, "4XX": _PROBLEM}
PREVIEW: Answers = {200: {"content": {"image/jpeg": {"schema": _FILE}}}, "4XX": _PROBLEM}
BYTES = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": _FILE}}}}


def form(
    parts: dict[str, str], settings: dict[str, Any] | None = None, texts: dict[str, str] | None = None
) -> dict[str, Any]:
    """The request body of a route that takes the picture ``parts`` and our options; ``settings``: the schema of
    theirs, if they are not a fill's; ``texts``: text parts that have to be sent, too."""
    pictures = {
        name: {**({"type": "array", "items": _FILE} if name == REPEATED else _FILE), "description": text}
        for name, text in parts.items()
    }
    texts = texts or {}
    options = {name: {"type": "string", "description": text} for name, text in (texts | OPTIONS).items()}
    options |= schema_of(FileSettings)["properties"]
    options["settings"] = {**(settings or settings_schema()), "description": OPTIONS["settings"]}
    schema = {
        "type": "object",
        "required": [name for name, text in parts.items() if is_needed(text)] + list(texts),
        "properties": {**pictures, **options},
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def json_body(fields: dict[str, str]) -> dict[str, Any]:
    """The request body of a route that takes a JSON object with ``fields``, and ignores others."""
    properties = {name: {"description": text} for name, text in fields.items()}
    schema = {"type": "object", "properties": properties}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
