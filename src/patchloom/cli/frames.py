"""``patchloom frames``: a film, as a folder of its frames."""

from functools import partial
from pathlib import Path

import click

from patchloom.cli.batch import check_report, worked_through
from patchloom.cli.options import SectionedCommand, fill_options, force_option
from patchloom.cli.output import report_option
from patchloom.console import Console
from patchloom.settings import FileSettings, FillSettings, RunSettings

PLAIN = 0.06  # of full scale; marks fainter than this are seldom seen


@click.command(cls=SectionedCommand)
@click.argument("photos", metavar="IN")
@click.option("--masks", default="", metavar="DIR|FILE", help="A mask for each frame, by stem, or one for all.")
@click.option("-o", "--output", "results", default="", metavar="OUT", help="The folder for the results.")
@click.option(
    "--dust",
    type=click.FloatRange(0, 1),
    metavar="PART",
    is_flag=False,
    flag_value=PLAIN,
    default=0.0,
    help=f"Fill what is on one frame alone, too, if it differs by this part of full scale. [{PLAIN} if not said]",
)
@click.option(
    "--show-dust",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Only write what --dust would fill, as a mask for each frame, into this folder, and stop.",
)
@click.option("--mask-suffix", default="", metavar="TEXT", help="Masks are named STEM + TEXT, for example _mask.")
@click.option("--resume", is_flag=True, help="Continue an earlier run; what changed since is done again.")
@force_option
@click.option("--fail-fast", is_flag=True, help="Stop at the first frame that fails.")
@report_option("all frames, what each took from others")
@fill_options
def command(
    photos: str,
    masks: str,
    results: str,
    dust: float,
    show_dust: Path | None,
    mask_suffix: str,
    resume: bool,
    force: bool,
    fail_fast: bool,
    report: Path | None,
    ways: FileSettings,
    settings: FillSettings,
    run: RunSettings,
    console: Console,
) -> None:
    """Fill the frames of a film, pictures of the folder IN in the order of their names, into the folder OUT.

    What frames before and after show of a hole is taken from them. The rest is filled once and carried along the
    camera's motion until the scene is cut, so that nothing flickers. A frame without a mask is kept as it is,
    but for its dust. Memory does not depend on the film's length. A run that was interrupted goes on with
    --resume.

    \b
    Examples:
      patchloom frames shots --masks masks -o clean
      patchloom frames shots --masks logo.png -o clean --resume
      patchloom frames scan --dust -o clean
      patchloom frames scan --dust 0.1 --show-dust dust
    """
    if resume and force:
        raise click.UsageError("Give one of --resume and --force.")
    if show_dust is not None and not dust:
        raise click.UsageError("--show-dust shows what --dust finds; give both.")
    if not results and show_dust is None:
        raise click.UsageError("Say where the results go: -o OUT.")
    check_report(report, results, force or resume)

    from patchloom.batch.frames import fill_film, write_dust
    from patchloom.batch.order import Order
    from patchloom.batch.work import Recipe

    order = Order(
        photos=photos,
        masks=masks,
        results=results or str(show_dust),
        suffix=mask_suffix,
        recipe=Recipe(fill=settings, files=ways),
        run=run,
        existing="resume" if resume else "replace" if force else "refuse",
        fail_fast=fail_fast,
    )
    if show_dust is not None:
        console.say(f"wrote {write_dust(order, dust, show_dust, force=force)} masks into {show_dust}")
        return
    worked_through(order, partial(fill_film, dust=dust), report, console)
