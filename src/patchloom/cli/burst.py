"""``patchloom burst``: several shots of one scene become one without what moves."""

from pathlib import Path

import click

from patchloom.cli import files
from patchloom.cli.interrupt import listening
from patchloom.cli.options import SectionedCommand, fill_options
from patchloom.cli.output import Output, output_options
from patchloom.console import Console
from patchloom.formats import pictures_among
from patchloom.settings import FileSettings, FillSettings, RunSettings


@click.command(cls=SectionedCommand)
@click.argument("shots", metavar="SHOT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--mask", "mask_name", metavar="MASK", help="What has to go from the first shot. [what moves]")
@output_options(tells="settings, what each shot gave")
@fill_options
def command(
    shots: tuple[Path, ...],
    mask_name: str | None,
    output: Output,
    ways: FileSettings,
    settings: FillSettings,
    run: RunSettings,
    console: Console,
) -> None:
    """Take out of the first SHOT what moves between the shots, or what --mask marks.

    The shots (pictures, or a folder of them) are aligned and brought to one exposure. The result is the first shot
    with its metadata; only what moved is changed. Without a mask it takes three shots, better five.

    \b
    Examples:
      patchloom burst square1.jpg square2.jpg square3.jpg -o empty.jpg
      patchloom burst shots/ -o empty.jpg
      patchloom burst first.jpg second.jpg --mask tourist.png -o without.jpg
    """
    from patchloom.burst import cleared
    from patchloom.inpainter import Inpainter
    from patchloom.references import Reference

    names = pictures_among(shots)
    kept = {"the mask": mask_name, **{f"shot {number}": str(name) for number, name in enumerate(names, 1)}}
    output.check(kept)
    opened = [Reference(files.photo(str(name), ways, console.hear), name.name) for name in names]
    output = output.of(opened[0].photo, kept, ways)
    mask = None if mask_name is None else files.mask(mask_name, ways, str(names[0]))
    result = listening(
        lambda observe: cleared(opened, mask, settings, inpainter=Inpainter(run), observe=observe), console
    )
    output.write(result, {"photo": str(names[0])}, ways, console)
