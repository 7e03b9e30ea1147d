"""``patchloom library``: photographs that fills may copy from."""

from pathlib import Path

import click

from patchloom.cli.interrupt import listening
from patchloom.cli.options import console_options
from patchloom.console import Console


@click.group()
def command() -> None:
    """Keep a library of photographs: those that look like a hole's surroundings are copied from."""


@command.command()
@click.argument("pictures", type=click.Path(path_type=Path), metavar="FOLDER")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The library.")
@click.option("--recursive", is_flag=True, help="Folders in FOLDER as well.")
@console_options
def build(pictures: Path, out: Path, recursive: bool, console: Console) -> None:
    """Make a library of the photographs in FOLDER, or bring it up to date.

    The photographs stay where they are; the library holds 4 kilobytes of each. What is new or changed is taken up,
    what is gone is forgotten; a build that was stopped goes on. Several folders may go into one library, one after
    another.

    \b
    Examples:
      patchloom library build ~/Pictures --recursive -o lib
      patchloom fill beach.jpg mask.png --library lib
    """
    from patchloom.library import build as build_library

    built = listening(lambda observe: build_library(pictures, out, recursive=recursive, observe=observe), console)
    left_out = f"; {built.left_out} files were left out" if built.left_out else ""
    console.say(f"{out}: {built.pictures} photographs, {built.new} of them new{left_out}")


@command.command()
@click.argument("library", type=click.Path(path_type=Path), metavar="DIR")
@console_options
def info(library: Path, console: Console) -> None:
    """Say what is in a library."""
    from patchloom.library import Library

    found = Library(library)
    rows = [("photographs", len(found)), ("megabytes", round(found.layouts.nbytes / 1e6, 1))]
    console.table("Library", ["property", "value"], rows)
