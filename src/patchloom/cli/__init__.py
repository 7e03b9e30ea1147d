"""The command line: one module a command, loaded only when it is called, so that ``--help`` is quick.

:func:`run` is one of the two places where :class:`~patchloom.errors.PatchloomError` is caught (the server is
the other): a person sees one sentence and a next step, a script sees the exit code.
"""

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

import click

from patchloom import __version__
from patchloom.errors import MissingExtra, OutputError, PatchloomError


class Entry(NamedTuple):
    """A command: the module that has it as ``command``, its line in ``--help``, the extra it needs."""

    module: str
    help: str
    extra: str = ""


COMMANDS: dict[str, Entry] = {
    "fill": Entry("fill", "Fill the holes of one photograph."),
    "demo": Entry("demo", "Fill a hole in a photograph that comes with the program."),
    "batch": Entry("batch", "Fill a folder of photographs.", "cluster"),
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
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        # The reader of our output has gone (`patchloom … | head`): nothing to say, and nothing more to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OutputError.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _complain("Stopped.", "", 130)
    except PatchloomError as error:
        return _complain(str(error), error.hint, error.exit_code)
    except ModuleNotFoundError as error:
        return _missing(error, arguments)
    except MemoryError:
        return _complain("The machine's memory is not enough.", "Try --preset fast or a smaller picture.", 5)
    except OSError as error:
        code = OutputError.exit_code if error.errno in (errno.ENOSPC, errno.EROFS, errno.EDQUOT) else 3
        return _complain(_sentence(error), "", code)


def _sentence(error: OSError) -> str:
    where = f"'{error.filename}': " if error.filename else ""
    return f"{where}{error.strerror or error}."


def _missing(error: ModuleNotFoundError, arguments: Sequence[str]) -> int:
    """Names the extra whose package is missing; a missing module of our own is a bug and says so."""
    name = (error.name or "").partition(".")[0]
    command = next((word for word in arguments if word in COMMANDS), "")
    if name == "patchloom":
        return _complain(f"This version has no 'patchloom {command}'.", "Update patchloom.", 1)
    extra = COMMANDS[command].extra if command else ""
    package = f"patchloom[{extra}]" if extra else name
    return _complain(f"The package '{name}' is missing.", f"pip install '{package}'", MissingExtra.exit_code)


def _complain(message: str, hint: str, code: int) -> int:
    click.echo(f"patchloom: {message}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
    return code
