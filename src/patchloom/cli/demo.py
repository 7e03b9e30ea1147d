"""``patchloom demo``: the point of the program in one command, offline."""

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchloom.cli.files import check_output, write
from patchloom.cli.interrupt import listening
from patchloom.cli.options import SectionedCommand, console_options, force_option, settings_options
from patchloom.console import Console
from patchloom.settings import FileSettings, FillSettings, RunSettings

if TYPE_CHECKING:
    from patchloom.mask import Mask
    from patchloom.photo import Photo

_GAP = 12  # white pixels between the pictures of the side-by-side


@click.command(cls=SectionedCommand)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, help="Folder to write to."
)
@force_option
@settings_options
@console_options
def command(out: Path, force: bool, settings: FillSettings, run: RunSettings, console: Console) -> None:
    """Take two towers out of a photograph of a rocket.

    Writes the photograph, the mask, the result, and the three side by side. The photograph is in the public domain
    (SpaceX, CC0) and comes with the program; nothing is downloaded.
    """
    from patchloom.filling import Inputs, prepare
    from patchloom.inpainter import Inpainter
    from patchloom.outputs import make_folder

    data = resources.files("patchloom") / "data"
    given = {"photo.jpg": (data / "rocket.jpg").read_bytes(), "mask.png": (data / "rocket-mask.png").read_bytes()}
    make_folder(out)
    for name in (*given, "filled.jpg", "side-by-side.png"):
        check_output(str(out / name), force)
    inputs = Inputs(photo=given["photo.jpg"], mask=given["mask.png"])
    prepared = prepare(inputs, settings, FileSettings(), name="filled.jpg")
    filled = listening(lambda observe: prepared.fill(Inpainter(run), observe=observe), console)
    side_by_side = _side_by_side(prepared.photo, prepared.mask, filled.photo)
    results = {"filled.jpg": filled.data, "side-by-side.png": side_by_side}
    for name, content in {**given, **results}.items():
        write(str(out / name), content, force)
    for name in (*given, *results):
        console.say(f"wrote {out / name}")


def _side_by_side(photo: "Photo", mask: "Mask", filled: "Photo") -> bytes:
    """A PNG of the photograph, the photograph with its hole in magenta, and the result."""
    import numpy as np

    from patchloom.photo import Photo

    marked = photo.pixels.copy()
    marked[mask.hole] = (255, 0, 255)
    gap = np.full((photo.height, _GAP, 3), 255, np.uint8)
    return Photo.from_array(np.hstack([photo.pixels, gap, marked, gap, filled.pixels])).encode("PNG")
