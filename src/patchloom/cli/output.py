"""What the commands that make one picture share: where it goes, and the report about it."""

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from patchloom.cli import files
from patchloom.cli.options import Command, force_option
from patchloom.console import Console
from patchloom.settings import FileSettings

if TYPE_CHECKING:
    from patchloom.inpainter import FillResult


@dataclass(frozen=True)
class Output:
    """The result's ``name`` (None: beside the photo), the ``report``'s, and whether they may replace files."""

    name: str | None
    report: Path | None
    force: bool

    def check(self) -> None:
        """Before anything is read: raises OutputError for what could not be written."""
        for name in filter(None, (self.name, self.report)):
            files.check_output(str(name), self.force)

    def beside(self, photo: str, format: str, done: str) -> "Output":
        """With ``PHOTO.done.EXT`` for a name where none was given. Raises OutputError where something has it."""
        if self.name is not None:
            return self
        name = files.default_output(photo, format, done)
        files.check_output(name, self.force)
        return replace(self, name=name)

    def write(self, result: "FillResult", record: Mapping[str, str], ways: FileSettings, console: Console) -> None:
        """The picture, the report with ``record`` before it, and a word about them."""
        from patchloom.formats import format_of

        assert self.name is not None
        data = result.photo.encode(
            ways.format or (None if self.name == files.STREAM else format_of(self.name)),
            quality=ways.quality,
            strip_metadata=ways.strip_metadata,
            observe=console.hear,
        )
        files.write(self.name, data, self.force)
        self.write_report({**record, "output": self.name, **result.report})
        if result.report.get("left_alone"):
            console.say("the object fits: nothing was changed")
        if self.name != files.STREAM:
            console.say(f"wrote {self.name}")

    def write_report(self, record: Mapping[str, Any]) -> None:
        """Where one was asked for."""
        if self.report is not None:
            data = (json.dumps(record, indent=2, default=str) + "\n").encode()
            files.write(str(self.report), data, self.force)


def output_options(*, done: str = "", tells: str) -> Callable[[Command], Command]:
    """Adds ``-o``, ``--force`` and ``--report``; the command gets ``output``.

    ``done``: how the result is called beside the photo; without it ``-o`` has to be given. ``tells``: what the
    report does.
    """

    def adding(command: Command) -> Command:
        @functools.wraps(command)
        def parsed(*args: Any, output: str | None, report: Path | None, force: bool, **rest: Any) -> Any:
            return command(*args, output=Output(output, report, force), **rest)

        help = "The result's name, - for standard output." + (f" [PHOTO.{done}.EXT]" if done else "")
        named = click.option("-o", "--output", required=not done, help=help)
        decorated: Command = named(force_option(report_option(tells)(parsed)))
        return decorated

    return adding


def report_option(tells: str) -> Callable[[Command], Command]:
    """Adds ``--report``; the command gets ``report``."""
    path = click.Path(path_type=Path)
    return click.option("--report", type=path, metavar="FILE", help=f"Write a JSON report: {tells}.")


def only_one_stream(names: Sequence[str | None]) -> None:
    """Raises UsageError where more than one of the pictures would come from standard input."""
    if names.count(files.STREAM) > 1:
        raise click.UsageError("Only one picture can come from standard input.")
