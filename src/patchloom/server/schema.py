"""The fill settings as the page's form and OpenAPI need them, from their one declaration."""

import typing
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin

from patchloom.errors import SettingsError
from patchloom.networks.names import WORDS, file_of
from patchloom.settings import (
    PRESET_HELP,
    PRESETS,
    Checked,
    FillSettings,
    HarmoniseSettings,
    alternatives,
    fill_settings,
)

IN_LIGHT = ("harmonise", "paste")  # kinds of jobs whose settings are not a fill's
_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string"}


def settings_schema(networks: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """JSON schema of the settings: types, limits, choices, defaults, one sentence each.

    ``networks`` are the names of installed networks by role.
    """
    schema = schema_of(FillSettings)
    for role, words in WORDS.items():
        schema["properties"][role]["examples"] = [*words, *(networks or {}).get(role, [])]
    return schema


def schema_of(settings: type[Checked]) -> dict[str, Any]:
    """JSON schema of declared settings: types, limits, choices, defaults, one sentence each."""
    hints = typing.get_type_hints(settings)
    properties = {
        item.name: _property(item, hints[item.name]) | {"section": settings.section_of(item)}
        for item in fields(settings)  # type: ignore[arg-type]
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _property(item: Any, hint: Any) -> dict[str, Any]:
    limits = {"ge": "minimum", "le": "maximum"}
    described: dict[str, Any] = {"description": item.metadata["help"]}
    if item.default is not None:
        described["default"] = item.default
    described.update({limits[key]: value for key, value in item.metadata.items() if key in limits})
    words, hint = alternatives(hint)
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint)), **described}
    named = [word for word in words if word is not None]
    if named:
        return {"anyOf": [{"type": _TYPES[hint]}, {"enum": named}], **described}
    return {"type": _TYPES[hint], **described}


def presets() -> list[dict[str, Any]]:
    """Each preset with its sentence and its settings."""
    return [
        {"name": name, "help": PRESET_HELP[name], "settings": settings.to_dict()}
        for name, settings in PRESETS.items()
    ]


def checked_for(kind: str, values: dict[str, Any]) -> FillSettings | HarmoniseSettings:
    """Settings from a client for a ``kind`` of job. Raises SettingsError."""
    if kind not in IN_LIGHT:
        return checked_settings(values)
    settings = HarmoniseSettings.from_dict(values)
    _check_name("texture", settings.texture)
    return settings


def checked_settings(values: dict[str, Any]) -> FillSettings:
    """Settings from a client, who names no files. Raises SettingsError."""
    given = dict(values)
    preset = given.pop("preset", "balanced")
    if not isinstance(preset, str):
        raise SettingsError("preset must be text.", f"Use one of: {', '.join(PRESETS)}.")
    settings = fill_settings(preset, **given)
    for name in WORDS:
        _check_name(name, getattr(settings, name))
    return settings


def _check_name(kind: str, name: str) -> None:
    if file_of(name) is not None:
        raise SettingsError(f"There is no {kind} network of that name.", "Use the name of an installed network.")
