"""What the commands that make one picture share: where it goes, and the report about it."""

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from patchloom.cli import files
from patchloom.cli.options import Command, force_option, saved_settings
from patchloom.console import Console
from patchloom.outputs import require_distinct
from patchloom.settings import FileSettings

if TYPE_CHECKING:
    from patchloom.inpainter import FillResult
    from patchloom.photo import Photo


@dataclass(frozen=True)
class Output:
    """The result's ``name`` (None: beside the photo), the ``report``'s, and whether they may replace files; once
    it is known, the result's ``format``."""

    name: str | None
    report: Path | None
    force: bool
    format: str = ""

    def check(self, kept: Mapping[str, str | None], results: Mapping[str, str] | None = None) -> None:
        """Before anything is computed: raises OutputError for what could not be written, or would be written over
        another file of the command. ``kept``: what it reads, by what it is; ``results``: the pictures that it
        writes, where they are not ``name`` alone."""
        pictures = {"-o": self.name} if results is None else results
        others = {"--report": self.report, "--save-settings": saved_settings()}
        require_distinct(_files({**pictures, **others}), {})
        require_distinct(_files(others), _files(kept))  # but the photo may be replaced by its result
        for name in filter(None, (*pictures.values(), *others.values())):
            files.check_output(str(name), self.force)

    def of(self, photo: "Photo", kept: Mapping[str, str | None], ways: FileSettings, done: str = "") -> "Output":
        """With the format in which the result of ``photo`` is written, and a name, ``PHOTO.done.EXT`` where none
        was given. Raises OutputError for what could not be written."""
        output = replace(self, format=photo.written_to(self.name or "", ways.format))
        if self.name is None:
            name = files.default_output(kept["the photo"] or "", output.format, done)
            output = replace(output, name=name)
            output.check(kept, {"the result": name})
        return output

    def write(self, result: "FillResult", record: Mapping[str, str], ways: FileSettings, console: Console) -> None:
        """The picture, the report with ``record`` before it, and a word about them."""
        assert self.name is not None
        data = result.photo.encode(
            self.format,
            quality=ways.quality,
            strip_metadata=ways.strip_metadata,
            observe=console.hear,
        )
        files.write_or_rescue(self.name, data, self.force)
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


def _files(named: Mapping[str, str | Path | None]) -> dict[str, str | Path | None]:
    """Without streams."""
    return {what: name for what, name in named.items() if name is not None and str(name) != files.STREAM}


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
        named = click.option("-o", "--output", type=files.FILE_OR_STREAM, required=not done, help=help)
        decorated: Command = named(force_option(report_option(tells)(parsed)))
        return decorated

    return adding


def report_option(tells: str) -> Callable[[Command], Command]:
    """Adds ``--report``; the command gets ``report``."""
    return click.option("--report", type=files.FILE, metavar="FILE", help=f"Write a JSON report: {tells}.")


def only_one_stream(names: Sequence[str | None]) -> None:
    """Raises UsageError where more than one of the pictures would come from standard input."""
    if names.count(files.STREAM) > 1:
        raise click.UsageError("Only one picture can come from standard input.")
