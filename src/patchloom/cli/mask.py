"""``patchloom mask``: make a mask from a photo, or change one."""

from pathlib import PurePath
from typing import Any, get_args

import click

from patchloom.cli import files
from patchloom.cli.options import SectionedCommand, console_options, force_option, in_section
from patchloom.console import Console
from patchloom.errors import OutputError
from patchloom.settings import MaskMode

_MAKE = in_section("Make it from a photo (PICTURE is the photo)")
_CHANGE = in_section("Change it (in this order)")


def colour(text: str) -> tuple[int, int, int]:
    """``#rrggbb``."""
    digits = text.removeprefix("#")
    try:
        if len(digits) != 6:
            raise ValueError
        red, green, blue = bytes.fromhex(digits)
    except ValueError:
        raise click.BadParameter(f"'{text}' is not a colour like #ff00ff.") from None
    return red, green, blue


@click.command(cls=SectionedCommand)
@click.argument("picture", metavar="PICTURE")
@click.option(
    "-o",
    "--output",
    type=files.FILE_OR_STREAM,
    required=True,
    help="The mask's name, - for standard output; a PNG.",
)
@force_option
@click.option(
    "--mask-mode",
    type=click.Choice(get_args(MaskMode)),
    default="auto",
    help="What marks the hole in PICTURE.",
)
@click.option(
    "--mask-class", default="", metavar="TEXT", help="Of class ids or annotations, those to fill, by commas."
)
@click.option("--from-alpha", is_flag=True, help="Its transparent pixels.", **_MAKE)
@click.option("--from-infrared", **files.INFRARED, **_MAKE, help="Dust and scratches in infrared light.")
@click.option("--from-color", type=colour, metavar="#RRGGBB", help="Its pixels of this colour.", **_MAKE)
@click.option(
    "--tolerance",
    type=click.IntRange(0, 255),
    default=0,
    help="How far from the colour, per channel. [0]",
    **_MAKE,
)
@click.option(
    "--box", "boxes", type=files.box, metavar="x,y,w,h", multiple=True, help="A box; repeatable.", **_MAKE
)
@click.option("--invert", is_flag=True, help="Fill what was not marked.", **_CHANGE)
@click.option("--grow", type=click.IntRange(0, 4096), default=0, help="Add all within so many pixels.", **_CHANGE)
@click.option("--shrink", type=click.IntRange(0, 4096), default=0, help="Take away as many at the rim.", **_CHANGE)
@console_options
def command(
    picture: str,
    output: str,
    force: bool,
    mask_mode: Any,
    mask_class: str,
    from_alpha: bool,
    from_infrared: str | int | None,
    from_color: tuple[int, int, int] | None,
    tolerance: int,
    boxes: tuple[tuple[int, int, int, int], ...],
    invert: bool,
    grow: int,
    shrink: int,
    console: Console,
) -> None:
    """Write a mask, white where the photo will be filled.

    PICTURE is a mask to be changed, or with --from-alpha, --from-infrared, --from-color or --box the photo to
    make one from.

    \b
    Examples:
      patchloom mask tight.png --grow 4 -o mask.png
      patchloom mask scribbled.png --from-color '#ff00ff' --tolerance 20 -o mask.png
      patchloom mask slide.tif --from-infrared -o dust.png
      patchloom mask photo.jpg --box 10,20,64,64 --box 200,80,32,32 -o mask.png
    """
    from patchloom.filling import infrared_mask
    from patchloom.mask import Mask
    from patchloom.photo import Photo

    files.check_output(output, force)
    if output != files.STREAM and PurePath(output).suffix.lower() not in ("", ".png"):
        raise OutputError(f"'{output}' would be a PNG.", "Masks are written as PNG; choose the ending .png.")
    source = files.source(picture)
    if from_alpha or from_infrared is not None or from_color is not None or boxes:
        photo = Photo.open(source, page=1 if isinstance(from_infrared, int) and from_infrared else None)
        parts = [Mask.from_boxes(boxes, photo.width, photo.height)]
        parts += [Mask.from_alpha(photo)] if from_alpha else []
        if from_infrared is not None:
            parts.append(infrared_mask(source, photo, from_infrared))
            console.say(f"{parts[-1].how}")
        parts += [Mask.from_color(photo, from_color, tolerance)] if from_color is not None else []
        mask = parts[0]
        for part in parts[1:]:
            mask = mask.union(part)
    else:
        mask = Mask.open(source, mode=mask_mode, classes=mask_class)
        if mask.how:
            console.warn(f"{mask.how}.")
    mask = (mask.invert() if invert else mask).grow(grow).grow(-shrink)
    files.write(output, mask.encode(), force)
    console.say(f"{100 * mask.share:.2g} % marked, in {len(mask.boxes())} parts")
    if output != files.STREAM:
        console.say(f"wrote {output}")
