"""Pictures in and out of commands: names, standard input and output, and where a result goes."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from patchloom.errors import OutputError
from patchloom.formats import FORMATS

if TYPE_CHECKING:
    from patchloom.events import Observer
    from patchloom.mask import Mask
    from patchloom.photo import Photo
    from patchloom.settings import FileSettings

STREAM = "-"


def box(text: str) -> tuple[int, int, int, int]:
    """``x,y,width,height`` in whole pixels of the upright picture."""
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"'{text}' is not x,y,width,height, for example 120,80,64,64.") from None
    return x, y, width, height


def infrared(text: str) -> str | int:
    """A file, or a page's number; 0 for the channel beside the colours."""
    return int(text) if text.isascii() and text.isdecimal() else text


INFRARED: dict[str, Any] = {"type": infrared, "is_flag": False, "flag_value": "0", "metavar": "FILE|PAGE"}
"""For an option that may stand without a value: the channel beside the colours."""


class _FileName(click.Path):
    """The name of a file to be written, which is no folder's."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from patchloom.outputs import file_named

        file_named(value)
        return super().convert(value, param, ctx)


FILE, FILE_OR_STREAM = _FileName(path_type=Path), _FileName(path_type=str)


def source(name: str) -> str | bytes:
    """What ``Photo.open`` takes: the name, or for ``-`` the bytes of standard input."""
    if name != STREAM:
        return name
    if sys.stdin is None or sys.stdin.isatty():
        raise click.UsageError("Standard input holds no picture; pipe one into it.")
    return sys.stdin.buffer.read()


def photo(name: str, ways: "FileSettings", observe: "Observer") -> "Photo":
    """The photograph of that name, or from standard input, read as ``ways`` say."""
    from patchloom.photo import Photo

    return Photo.open(source(name), allow_cmyk=ways.allow_cmyk, page=ways.page or None, observe=observe)


def mask(name: str, ways: "FileSettings", photo: str) -> "Mask":
    """The mask of that name, or from standard input, read as ``ways`` say; it is the mask of ``photo``."""
    from patchloom.mask import Mask

    return Mask.open(source(name), mode=ways.mask_mode, classes=ways.mask_class, photo=Path(photo).name)


def default_output(photo: str, format: str, done: str) -> str:
    """``<stem>.<done>.<ext>`` beside the photo, or standard output for a photo from standard input."""
    if photo == STREAM:
        return STREAM
    path = Path(photo)
    suffixes = FORMATS[format].suffixes
    suffix = path.suffix if path.suffix.lower() in suffixes else suffixes[0]
    return str(path.with_name(f"{path.stem}.{done}{suffix}"))


def check_output(name: str, force: bool) -> None:
    """Raises OutputError now, before any work, for an output that could not be written after it."""
    from patchloom.outputs import require_place

    if name != STREAM:
        require_place(Path(name), force)
    elif sys.stdout is None:
        raise OutputError("Standard output is closed.", "Give a file with -o, or pipe the output.")
    elif sys.stdout.isatty():
        raise OutputError("A picture is not written to a terminal.", "Give a file with -o, or pipe the output.")


def write(name: str, data: bytes, force: bool) -> None:
    """The whole file or none; ``-`` is standard output."""
    from patchloom.outputs import write_whole

    if name == STREAM:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_whole(Path(name), data, force=force)


def write_or_rescue(name: str, data: bytes, force: bool) -> None:
    """:func:`write`; what cannot be written there is not lost, but left in the system's temporary folder."""
    import tempfile

    from patchloom.outputs import write_whole

    try:
        write(name, data, force)
    except OutputError as error:
        if name == STREAM:
            raise
        try:
            rescued = Path(tempfile.mkdtemp(prefix="patchloom-")) / Path(name).name
            write_whole(rescued, data)
        except (OSError, OutputError):
            raise error from None
        raise OutputError(str(error), f"The result is in '{rescued}'.") from error
