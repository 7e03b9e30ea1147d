"""The command line: one module a command, loaded only when it is called, so that ``--help`` is quick.

:func:`run` is one of the two places where :class:`~patchloom.errors.PatchloomError` is caught (the server is
the other): a person sees one sentence and a next step, a script sees the exit code.
"""

import difflib
import errno
import importlib
import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NamedTuple

import click

from patchloom import __version__
from patchloom.errors import (
    BudgetError,
    Cancelled,
    InputError,
    MissingExtra,
    OutputError,
    PatchloomError,
    as_flag,
    as_hint,
)

_NO_MEMORY = "can't allocate memory"  # what torch's allocator says, in a RuntimeError


class Entry(NamedTuple):
    """A command: the module that has it as ``command``, its line in ``--help``, the extra it needs."""

    module: str
    help: str
    extra: str = ""


COMMANDS: dict[str, Entry] = {
    "fill": Entry("fill", "Fill the holes of one photograph."),
    "demo": Entry("demo", "Fill a hole in a photograph that comes with the program."),
    "extend": Entry("extend", "Continue a photograph beyond its frame."),
    "tile": Entry("tile", "Make a photograph of a texture a seamless tile."),
    "batch": Entry("batch", "Fill a folder of photographs.", "cluster"),
    "harmonise": Entry("harmonise", "Bring an object that was put in to the light of the photograph."),
    "paste": Entry("paste", "Put an object into a photograph, in its light."),
    "burst": Entry("burst", "Take out of a shot what other shots of the scene do not show.", "align"),
    "library": Entry("library", "Keep photographs to copy from."),
    "frames": Entry("frames", "Fill a film, frame after frame, without flicker.", "align"),
    "serve": Entry("serve", "Open a page to paint on, and an API to call.", "web"),
    "mask": Entry("mask", "Make or change a mask."),
    "info": Entry("info", "Say what is in a picture file."),
    "doctor": Entry("doctor", "Show versions, devices, codecs, weights and memory."),
    "weights": Entry("weights", "List, fetch, verify and remove networks."),
    "train": Entry("train", "Train the networks.", "eval"),
    "evaluate": Entry("evaluate", "Measure methods on photographs with known content.", "eval"),
    "completion": Entry("completion", "Print the completion script for a shell."),
}

EPILOG = """\b
Examples:
  patchloom demo --out demo
  patchloom fill photo.jpg mask.png
  patchloom fill photo.jpg --box 120,80,64,64 -o filled.jpg
  cat photo.jpg | patchloom fill - mask.png -o - > filled.jpg

\b
Exit codes:
  0    done
  1    internal error
  2    wrong usage
  3    a picture or weights file cannot be read or is not supported
  4    the mask is wrong
  5    over the memory or time limit
  6    some pictures of a batch failed
  7    the output exists already or cannot be written
  130  stopped by Ctrl-C
"""


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called, not when help lists it."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        entry = COMMANDS.get(name)
        if entry is None:
            return None
        module = importlib.import_module(f"patchloom.cli.{entry.module}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = arguments[0]
        near = [] if name in COMMANDS or name.startswith("-") else difflib.get_close_matches(name, COMMANDS)
        if near:
            context.fail(f"No such command '{name}'. Did you mean '{near[0]}'?")
        return super().resolve_command(context, arguments)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", prog_name="patchloom")
def main() -> None:
    """Fill a hole in a photograph so that people can't tell: offline, at full resolution."""


def run(arguments: Sequence[str]) -> int:
    """Runs one command and returns its exit code; what a person should know is on stderr."""
    try:
        code = main.main(list(arguments), prog_name="patchloom", standalone_mode=False)
        if sys.stdout is not None:  # closed by who called us
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        failure: PatchloomError = Cancelled("Stopped.")
    except PatchloomError as error:
        failure = error
    except SystemExit as leaving:
        # Click's and rich's way out when the reader of our output has gone (`patchloom info ... | head`), with
        # code 1 and nothing to say; also how completion ends, with 0.
        if not leaving.code:
            return 0
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OutputError.exit_code
    except Exception as error:
        failure = _as_failure(error, arguments)
    _complain(failure, "--json" in arguments)
    return failure.exit_code


def _as_failure(error: Exception, arguments: Sequence[str]) -> PatchloomError:
    """The sentence and exit code of an error that is not one of ours."""
    if os.environ.get("PATCHLOOM_DEBUG"):
        traceback.print_exception(error)
    if isinstance(error, ModuleNotFoundError):
        return _missing(error, arguments)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or _NO_MEMORY in str(error):
        return BudgetError("There is not enough memory.", "Try --preset fast, --max-memory, or a smaller picture.")
    if isinstance(error, OSError):
        where = f"'{error.filename}': " if error.filename else ""
        kind = OutputError if error.errno in (errno.ENOSPC, errno.EROFS, errno.EDQUOT) else InputError
        return kind(f"{where}{(error.strerror or str(error)).lower()}.")
    return PatchloomError(
        f"Something is wrong in patchloom itself: {type(error).__name__}: {error}",
        "Nothing was written. Run it again with PATCHLOOM_DEBUG=1 for the details, and report them.",
    )


def _missing(error: ModuleNotFoundError, arguments: Sequence[str]) -> PatchloomError:
    """Names the extra whose package is missing; a missing module of our own is a bug and says so."""
    name = (error.name or "").partition(".")[0]
    command = next((word for word in arguments if word in COMMANDS), "")
    if name == "patchloom":
        return PatchloomError(f"This version has no 'patchloom {command}'.", "Update patchloom.")
    extra = COMMANDS[command].extra if command else ""
    package = f"patchloom[{extra}]" if extra else name
    return MissingExtra(f"The package '{name}' is missing.", f"pip install '{package}'")


def _complain(error: PatchloomError, as_json: bool) -> None:
    hint = as_hint(error.advice, as_flag)
    if as_json:
        record = {"event": "failed", "code": error.code, "message": str(error), "hint": hint}
        click.echo(json.dumps(record), err=True)
        return
    click.echo(f"patchloom: {error}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
