"""``patchloom harmonise``: an object that was put into a photograph takes on its light."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchloom.cli import files
from patchloom.cli.interrupt import interruptible
from patchloom.cli.options import SectionedCommand, console_options, file_options, force_option, harmonise_options
from patchloom.console import Console
from patchloom.events import Event, Observer
from patchloom.settings import FileSettings, HarmoniseSettings, RunSettings

if TYPE_CHECKING:
    from patchloom.inpainter import FillResult
    from patchloom.photo import Photo


@click.command(cls=SectionedCommand)
@click.argument("photo_name", metavar="PHOTO")
@click.argument("mask_name", metavar="MASK")
@click.option("-o", "--output", help="The result's name, - for standard output. [PHOTO.harmonised.EXT]")
@force_option
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a JSON report: settings, what was found and done.",
)
@file_options
@harmonise_options
@console_options
def command(
    photo_name: str,
    mask_name: str,
    output: str | None,
    force: bool,
    report: Path | None,
    ways: FileSettings,
    settings: HarmoniseSettings,
    run: RunSettings,
    console: Console,
) -> None:
    """Bring the object that MASK marks in PHOTO to the light of what is around it.

    Exposure, colours, contrast, sharpness and noise are matched; outside the mask nothing changes. An object that
    fits is left alone. To put an object in first, use patchloom paste.

    \b
    Examples:
      patchloom harmonise montage.jpg object.png
      patchloom harmonise montage.jpg object.png --strength 0.5 -o softer.jpg
      patchloom harmonise painting.png object.png --style
    """
    from patchloom.harmoniser import Harmoniser
    from patchloom.mask import Mask
    from patchloom.photo import Photo

    if (photo_name, mask_name).count(files.STREAM) > 1:
        raise click.UsageError("Only one picture can come from standard input.")
    check_outputs(output, report, force)
    photo = Photo.open(files.source(photo_name), allow_cmyk=ways.allow_cmyk, observe=warnings(console))
    mask = Mask.open(files.source(mask_name), mode=ways.mask_mode)
    mask.require_size(photo.width, photo.height, f"The mask '{mask_name}'")
    output = chosen_output(output, photo_name, photo, ways, force)
    result = listening(console, lambda observe: Harmoniser(run).harmonise(photo, mask, settings, observe=observe))
    record = {"photo": photo_name, "mask": mask_name, "output": output}
    write(result, record, output, report, ways, force, console)


def check_outputs(output: str | None, report: Path | None, force: bool) -> None:
    """Before anything is read: raises OutputError for what could not be written."""
    for name in (output, report):
        if name is not None:
            files.check_output(str(name), force)


def chosen_output(
    output: str | None, photo_name: str, photo: "Photo", ways: FileSettings, force: bool, done: str = "harmonised"
) -> str:
    """``output``, or a name beside the photo's that nothing has yet."""
    from patchloom.formats import written_as

    if output is None:
        output = files.default_output(photo_name, ways.format or written_as(photo.format), done)
        files.check_output(output, force)
    return output


def listening(console: Console, work: "Callable[[Observer], FillResult]") -> "FillResult":
    """``work``, shown on the console, which Ctrl-C stops."""
    with console.listen() as observe:
        return interruptible(work, observe)


def write(
    result: "FillResult",
    record: dict[str, str],
    output: str,
    report: Path | None,
    ways: FileSettings,
    force: bool,
    console: Console,
) -> None:
    """The picture, the report and a word about them."""
    from patchloom.formats import format_of

    data = result.photo.encode(
        ways.format or (None if output == files.STREAM else format_of(output)),
        quality=ways.quality,
        strip_metadata=ways.strip_metadata,
        observe=warnings(console),
    )
    files.write(output, data, force)
    if report is not None:
        text = json.dumps({**record, **result.report}, indent=2, default=str) + "\n"
        files.write(str(report), text.encode(), force)
    if result.report.get("left_alone"):
        console.say("the object fits: nothing was changed")
    if output != files.STREAM:
        console.say(f"wrote {output}")


def warnings(console: Console) -> Observer:
    """An observer that only passes on what deserves a remark."""

    def observe(event: Event) -> None:
        console.warn(getattr(event, "message", ""))

    return observe
