"""``patchloom extend``: a photograph on a wider canvas."""

import click

from patchloom.cli import files
from patchloom.cli.interrupt import listening
from patchloom.cli.options import SectionedCommand, fill_options
from patchloom.cli.output import Output, output_options
from patchloom.console import Console
from patchloom.settings import FileSettings, FillSettings, RunSettings

MARGIN = "N|N%"


@click.command(cls=SectionedCommand)
@click.argument("photo_name", metavar="PHOTO")
@click.option(
    "--left", default="0", metavar=MARGIN, help="Add so many pixels, or so much of the width, on the left."
)
@click.option("--right", default="0", metavar=MARGIN, help="The same on the right.")
@click.option(
    "--top", default="0", metavar=MARGIN, help="Add so many pixels, or so much of the height, at the top."
)
@click.option("--bottom", default="0", metavar=MARGIN, help="The same at the bottom.")
@click.option("--ratio", default="", metavar="W:H", help="Add evenly on two sides what gives this ratio, as 16:9.")
@output_options(done="extended", tells="settings, margins, weights, times, losses")
@fill_options
def command(
    photo_name: str,
    left: str,
    right: str,
    top: str,
    bottom: str,
    ratio: str,
    output: Output,
    ways: FileSettings,
    settings: FillSettings,
    run: RunSettings,
    console: Console,
) -> None:
    """Continue PHOTO beyond its frame: a wider canvas, filled from what is there.

    The photo's own pixels stay as they are; its metadata says the new size. What is added is continued, not
    invented: add less than a third.

    \b
    Examples:
      patchloom extend photo.jpg --left 400 --bottom 10%
      patchloom extend portrait.jpg --ratio 16:9 -o banner.jpg
    """
    from patchloom.canvas import Frame
    from patchloom.extension import extended
    from patchloom.inpainter import Inpainter

    frame = Frame(left=left, right=right, top=top, bottom=bottom, ratio=ratio)
    kept = {"the photo": photo_name}
    output.check(kept)
    photo = files.photo(photo_name, ways, console.hear)
    frame.margins(photo.width, photo.height)  # what cannot be is said before anything is computed
    output = output.of(photo, kept, ways, "extended")
    result = listening(
        lambda observe: extended(photo, frame, settings, inpainter=Inpainter(run), observe=observe), console
    )
    output.write(result, {"photo": photo_name}, ways, console)
