"""``patchloom tile``: a photograph of a texture as a seamless tile."""

import click

from patchloom.cli import files
from patchloom.cli.interrupt import listening
from patchloom.cli.options import SectionedCommand, fill_options
from patchloom.cli.output import Output, output_options
from patchloom.console import Console
from patchloom.settings import FileSettings, FillSettings, RunSettings


@click.command(cls=SectionedCommand)
@click.argument("photo_name", metavar="PHOTO")
@click.option(
    "--band",
    type=click.FloatRange(0.01, 0.5),
    metavar="PART",
    help="How wide what is filled at a seam is, in parts of the photo's shorter side. [0.125; 0.03 with --repeat]",
)
@click.option(
    "--repeat", is_flag=True, help="Cut PHOTO first to whole repeats of its pattern: bricks, cloth, shingles."
)
@output_options(done="tile", tells="settings, weights, times, losses")
@fill_options
def command(
    photo_name: str,
    band: float | None,
    repeat: bool,
    output: Output,
    ways: FileSettings,
    settings: FillSettings,
    run: RunSettings,
    console: Console,
) -> None:
    """Make PHOTO a seamless tile: its left edge fits its right one, its top its bottom.

    What lies along the edges is filled; the rest, and the size, stay as they are. A pattern that repeats meets
    itself only where it is cut to whole repeats: with --repeat. With --wrap x only left and
    right are made to fit, with --wrap y only top and bottom.

    \b
    Examples:
      patchloom tile gravel.jpg
      patchloom tile bricks.png --repeat
      patchloom tile clouds.png --band 0.3 -o sky.png
      patchloom tile frieze.png --wrap x
    """
    from patchloom.inpainter import Inpainter
    from patchloom.tiling import tiled

    kept = {"the photo": photo_name}
    output.check(kept)
    photo = files.photo(photo_name, ways, console.hear)
    output = output.of(photo, kept, ways, "tile")
    result = listening(
        lambda observe: tiled(
            photo, settings, band=band, repeat=repeat, inpainter=Inpainter(run), observe=observe
        ),
        console,
    )
    output.write(result, {"photo": photo_name}, ways, console)
