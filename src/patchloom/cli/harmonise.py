"""``patchloom harmonise``: an object that was put into a photograph takes on its light."""

import click

from patchloom.cli import files
from patchloom.cli.interrupt import listening
from patchloom.cli.options import SectionedCommand, harmonise_options
from patchloom.cli.output import Output, only_one_stream, output_options
from patchloom.console import Console
from patchloom.settings import FileSettings, HarmoniseSettings, RunSettings


@click.command(cls=SectionedCommand)
@click.argument("photo_name", metavar="PHOTO")
@click.argument("mask_name", metavar="MASK")
@output_options(done="harmonised", tells="settings, what was found and done")
@harmonise_options
def command(
    photo_name: str,
    mask_name: str,
    output: Output,
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
    from patchloom.harmony.harmoniser import Harmoniser

    only_one_stream((photo_name, mask_name))
    kept = {"the photo": photo_name, "the mask": mask_name}
    output.check(kept)
    photo = files.photo(photo_name, ways, console.hear)
    mask = files.mask(mask_name, ways, photo_name)
    mask.require_size(photo.width, photo.height, f"The mask '{mask_name}'")
    output = output.of(photo, kept, ways, "harmonised")
    result = listening(lambda observe: Harmoniser(run).harmonise(photo, mask, settings, observe=observe), console)
    output.write(result, {"photo": photo_name, "mask": mask_name}, ways, console)
