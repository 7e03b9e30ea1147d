"""``patchloom paste``: an object put into a photograph, in its light."""

import click

from patchloom.canvas import Place
from patchloom.cli import files
from patchloom.cli.interrupt import listening
from patchloom.cli.options import SectionedCommand, harmonise_options
from patchloom.cli.output import Output, only_one_stream, output_options
from patchloom.console import Console
from patchloom.errors import SettingsError, as_flag, as_hint
from patchloom.settings import FileSettings, HarmoniseSettings, RunSettings


def place(text: str) -> Place:
    """``x,y``, ``x,y,scale`` or ``x,y,scale,angle``."""
    try:
        return Place.from_text(text)
    except SettingsError as error:
        raise click.BadParameter(f"{error} {as_hint(error.advice, as_flag)}") from error


@click.command(cls=SectionedCommand)
@click.argument("photo_name", metavar="PHOTO")
@click.argument("object_name", metavar="OBJECT")
@click.option(
    "--at",
    type=place,
    required=True,
    metavar="x,y[,scale[,angle]]",
    help="Where the object's centre goes, its size in parts of its own, degrees counter-clockwise.",
)
@click.option(
    "--mask", "mask_name", metavar="MASK", help="What of OBJECT is put in. [what is not transparent, else all]"
)
@output_options(done="pasted", tells="settings, what was found and done")
@harmonise_options
def command(
    photo_name: str,
    object_name: str,
    at: Place,
    mask_name: str | None,
    output: Output,
    ways: FileSettings,
    settings: HarmoniseSettings,
    run: RunSettings,
    console: Console,
) -> None:
    """Put OBJECT into PHOTO and bring it to the photo's light, sharpness and grain.

    Outside the object nothing changes. With --strength 0 it is put in as it is.

    \b
    Examples:
      patchloom paste street.jpg cat.png --at 420,310
      patchloom paste street.jpg cat.jpg --mask cat-mask.png --at 420,310,0.6,-5 -o with-cat.jpg
    """
    from patchloom.harmony.harmoniser import Harmoniser
    from patchloom.photo import Photo

    only_one_stream((photo_name, object_name, mask_name))
    kept = {"the photo": photo_name, "the object": object_name, "the mask": mask_name}
    output.check(kept)
    photo = files.photo(photo_name, ways, console.hear)
    foreground = Photo.open(files.source(object_name), allow_cmyk=ways.allow_cmyk, page=1, observe=console.hear)
    mask = None if mask_name is None else files.mask(mask_name, ways, object_name)
    output = output.of(photo, kept, ways, "pasted")
    result = listening(
        lambda observe: Harmoniser(run).paste(photo, foreground, at, settings, mask=mask, observe=observe),
        console,
    )
    output.write(result, {"photo": photo_name, "object": object_name}, ways, console)
