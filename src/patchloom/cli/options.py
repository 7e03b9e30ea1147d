"""Options that several commands share; those of a fill are made from the settings' own declarations.

Each defaults to None, so that an option given overrides the preset or the settings file, and no other does.
"""

import functools
import json
import typing
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click

from patchloom.cli.files import FILE
from patchloom.console import Console
from patchloom.errors import SettingsError, as_flag
from patchloom.outputs import require_place, write_whole
from patchloom.settings import (
    PRESETS,
    Checked,
    FileSettings,
    FillSettings,
    HarmoniseSettings,
    RunSettings,
    alternatives,
    fill_settings,
)

Command = Callable[..., Any]

_FLAGS = {"folder": ("-o", "--out")}  # where it is not the option's own name
_LARGEST_SETTINGS = 2**20  # bytes of a settings file or a report


class SettingOption(click.Option):
    """An option with a heading of its own in ``--help``."""

    def __init__(self, *args: Any, section: str = "Options", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class OrWord(click.ParamType[Any]):
    """Some other type, or one of a few words."""

    def __init__(self, kind: click.ParamType[Any], words: Sequence[str]) -> None:
        self.kind, self.words = kind, tuple(words)
        self.name = kind.name

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        return value if value in self.words else self.kind.convert(value, parameter, context)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "|".join([self.name.upper(), *self.words])


class SectionedCommand(click.Command):
    """A command whose ``--help`` groups its options under headings, the common ones first."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(context):
            record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(parameter, "section", "Options"), []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def settings_options(command: Command) -> Command:
    """Adds every fill and run setting, ``--settings`` and ``--save-settings``; the command gets ``settings`` and
    ``run`` in their place."""

    @functools.wraps(command)
    def parsed(*args: Any, settings_file: Path | None, save_settings: Path | None, **given: Any) -> Any:
        chosen, ways = _taken(FillSettings, given), _taken(RunSettings, given)
        settings, run = read_settings(settings_file, chosen, ways)
        force = bool(click.get_current_context().params.get("force"))
        if save_settings is not None:
            require_place(save_settings, force)
        result = command(*args, settings=settings, run=run, **given)
        if save_settings is not None:  # not for what could not be done
            write_settings(save_settings, settings, force=force)
        return result

    kept = click.option(
        "--save-settings", type=FILE, metavar="FILE", help="Write the settings in effect to a JSON file."
    )
    taken = click.option(
        "--settings",
        "settings_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Take settings from a JSON file or a report; options given override it.",
    )
    return _with_options(FillSettings, _with_options(RunSettings, taken(kept(parsed))))


def declared(cls: type[Checked], gets: str) -> Callable[[Command], Command]:
    """Adds an option for every field of the dataclass ``cls``; the command gets an instance as ``gets``, with the
    class's own defaults for what is not given."""

    def adding(command: Command) -> Command:
        @functools.wraps(command)
        def parsed(*args: Any, **given: Any) -> Any:
            value = cls(**_taken(cls, given))
            return command(*args, **given, **{gets: value})

        return _with_options(cls, parsed)

    return adding


def _taken(cls: type[Checked], given: dict[str, Any]) -> dict[str, Any]:
    """What is ``given`` of the fields of ``cls``, taken out of it."""
    values = {name: given.pop(name) for name in _names(cls)}
    return {name: value for name, value in values.items() if value is not None}


def _with_options(cls: type[Checked], command: Command) -> Command:
    for item in reversed(fields(cls)):  # type: ignore[arg-type]
        command = _option(cls, item)(command)
    return command


def saved_settings() -> Path | None:
    """Where ``--save-settings`` of the command under way will write."""
    path: Path | None = click.get_current_context().params.get("save_settings")
    return path


file_options = declared(FileSettings, "ways")  # how files are read and written
run_options = declared(RunSettings, "run")


def console_options(command: Command) -> Command:
    """Adds what decides how the program speaks; the command gets ``console``."""

    @functools.wraps(command)
    def parsed(
        *args: Any, quiet: bool, verbose: int, json_lines: bool, no_progress: bool, color: Any, **rest: Any
    ) -> Any:
        console = Console(quiet=quiet, verbose=verbose, json=json_lines, progress=not no_progress, color=color)
        return command(*args, console=console, **rest)

    decorated: Command = parsed
    colours = click.Choice(["auto", "always", "never"])
    switch = functools.partial(click.option, **in_section("Messages"))
    for option in (
        switch("--color", type=colours, default="auto", help="Colours on the terminal; auto obeys NO_COLOR."),
        switch("--no-progress", is_flag=True, help="A line a level instead of a bar."),
        switch("--json", "json_lines", is_flag=True, help="An event a line as JSON, on standard error."),
        switch("-v", "--verbose", count=True, help="Say more; -vv every step."),
        switch("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
    ):
        decorated = option(decorated)
    return decorated


def fill_options(command: Command) -> Command:
    """All options of a fill; the command gets ``ways``, ``settings``, ``run`` and ``console``."""
    return file_options(settings_options(console_options(command)))


def harmonise_options(command: Command) -> Command:
    """All options of an object's light; the command gets ``ways``, ``settings``, ``run`` and ``console``."""
    return file_options(declared(HarmoniseSettings, "settings")(run_options(console_options(command))))


def force_option(command: Command) -> Command:
    """Adds ``-f/--force``; the command gets ``force``."""
    return click.option("-f", "--force", is_flag=True, help="Overwrite files that exist.")(command)


def read_settings(
    file: Path | None, chosen: dict[str, Any], ways: dict[str, Any]
) -> tuple[FillSettings, RunSettings]:
    """Preset, then file, then the options given. Raises SettingsError."""
    stored = {} if file is None else _stored(file)
    known = {*_names(FillSettings), *_names(RunSettings)}
    for name in stored:
        if name not in known:
            raise SettingsError(f"'{file}': there is no setting '{name}'.", "Remove it, or correct its spelling.")
    if "preset" in chosen and stored.get("preset", chosen["preset"]) != chosen["preset"]:
        raise SettingsError(
            f"--preset is {chosen['preset']}, but '{file}' was written for {stored['preset']}.",
            "Give one of the two.",
        )
    fill = {name: value for name, value in stored.items() if name in _names(FillSettings)} | chosen
    run = {name: value for name, value in stored.items() if name in _names(RunSettings)} | ways
    return fill_settings(fill.pop("preset", "balanced"), **fill), replace(RunSettings(), **run)


def write_settings(path: Path, settings: FillSettings, *, force: bool) -> None:
    """The settings as JSON, ready for ``--settings``. Raises OutputError."""
    write_whole(path, (json.dumps(settings.to_dict(), indent=2) + "\n").encode(), force=force)


def _stored(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            text = opened.read(_LARGEST_SETTINGS)
        values = json.loads(text)
    except OSError as error:
        raise SettingsError(f"'{file}' cannot be read: {(error.strerror or '').lower()}.") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"'{file}' is not JSON.", "Write one with --save-settings.") from error
    if isinstance(values, dict) and isinstance(values.get("settings"), dict):
        values = values["settings"]  # a report of an earlier fill
    if not isinstance(values, dict):
        raise SettingsError(f"'{file}' holds no settings.", "Write some with --save-settings.")
    return values


def _names(settings: type[Any]) -> list[str]:
    return [item.name for item in fields(settings)]


def in_section(section: str) -> dict[str, Any]:
    """For ``click.option``: the heading in ``--help``."""
    return {"cls": SettingOption, "section": section}


def _option(cls: type[Checked], item: Field[Any]) -> Callable[[Command], Command]:
    """The click option of one declared setting."""
    kind = _type(typing.get_type_hints(cls)[item.name], item.metadata)
    given = item.default is not MISSING
    presets = PRESETS.values() if cls is FillSettings and item.name != "preset" else ()
    same = all(getattr(preset, item.name) == item.default for preset in presets)
    says = given and same and item.default not in (None, "") and not isinstance(item.default, bool)
    help = item.metadata["help"] + (f"  [{item.default}]" if says else "")
    flags = _FLAGS.get(item.name, (as_flag(item.name),))
    names = (f"{flags[0]}/--no-{flags[0][2:]}",) if kind is bool and item.default else flags
    switch = {"is_flag": True} if kind is bool else {"type": kind}
    section = in_section(cls.section_of(item))
    return click.option(*names, item.name, default=None, required=not given, help=help, **switch, **section)


def _type(hint: Any, metadata: Any) -> Any:
    words, hint = alternatives(hint)
    kind = _plain_type(hint, metadata)
    named = [word for word in words if word is not None]
    return OrWord(kind, named) if named else kind


def _plain_type(hint: Any, metadata: Any) -> Any:
    if get_origin(hint) is Literal:
        return click.Choice(get_args(hint), case_sensitive=False)
    if hint is Path:
        return click.Path(path_type=Path)
    if hint is int:
        return click.IntRange(metadata.get("ge"), metadata.get("le"))
    if hint is float:
        return click.FloatRange(metadata.get("ge"), metadata.get("le"))
    return hint
