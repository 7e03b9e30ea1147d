"""``patchloom batch``: a folder in, a folder out."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchloom.cli import files
from patchloom.cli.interrupt import interruptions
from patchloom.cli.options import SectionedCommand, fill_options, force_option, saved_settings
from patchloom.cli.output import report_option
from patchloom.console import Console, counted
from patchloom.errors import Cancelled, OutputError
from patchloom.settings import FileSettings, FillSettings, RunSettings

if TYPE_CHECKING:
    from patchloom.batch.order import Batch, Order
    from patchloom.batch.run import Summary

SOME_FAILED = 6


@click.command(cls=SectionedCommand)
@click.argument("photos", metavar="IN")
@click.option("--masks", required=True, metavar="DIR|FILE", help="A mask for each photo, by stem, or one for all.")
@click.option("-o", "--output", "results", required=True, metavar="OUT", help="The folder for the results.")
@click.option(
    "--references",
    default="",
    metavar="DIR|PATTERN",
    help="Pictures that photos may take from: of the same stem in DIR, or names such as 'refs/{stem}-*.jpg'.",
)
@click.option("--mask-suffix", default="", metavar="TEXT", help="Masks are named STEM + TEXT, for example _mask.")
@click.option("-r", "--recursive", is_flag=True, help="Folders below IN too; OUT gets the same tree.")
@click.option("--resume", is_flag=True, help="Continue an earlier run; what changed since is done again.")
@click.option("--skip-existing", is_flag=True, help="Leave alone what has a result, whatever made it.")
@force_option
@click.option("--fail-fast", is_flag=True, help="Stop at the first picture that fails.")
@click.option("--dry-run", is_flag=True, help="Show pairs, hole shares and the time it would take; write nothing.")
@report_option("all pictures, what became of them")
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 4096), help="Pictures at once. [as suits processor and memory]"
)
@click.option("--cluster", default="", metavar="ADDRESS", help="Use the workers of this Dask scheduler.")
@click.option("--watch", is_flag=True, help="Go on with what appears in IN, until Ctrl-C.")
@click.option("--journal", type=files.FILE, metavar="FILE", help="The record for --resume. [in OUT]")
@fill_options
def command(
    photos: str,
    masks: str,
    results: str,
    references: str,
    mask_suffix: str,
    recursive: bool,
    resume: bool,
    skip_existing: bool,
    force: bool,
    fail_fast: bool,
    dry_run: bool,
    report: Path | None,
    jobs: int | None,
    cluster: str,
    watch: bool,
    journal: Path | None,
    ways: FileSettings,
    settings: FillSettings,
    run: RunSettings,
    console: Console,
) -> None:
    """Fill every photo of the folder IN and write the results, under the same names, to the folder OUT.

    One picture that fails does not end the run: it is named, the others go on, and the exit code is 6. A run that
    was interrupted is continued with --resume. IN, OUT and the masks can be fsspec addresses such as
    s3://bucket/scans. In a pattern for references {stem} is a photo's name without its ending; without it they
    are every photo's. The bytes of a result depend neither on the order nor on the number of workers.

    \b
    Examples:
      patchloom batch scans --masks masks -o clean
      patchloom batch shots --masks shots --mask-suffix _mask -o clean --recursive
      patchloom batch shots --masks stamp.png -o clean --resume --report report.json
      patchloom batch tripod --masks people.png --references 'tripod/*.jpg' -o empty
      patchloom batch s3://in/a --masks s3://in/m -o s3://out/a --cluster tcp://10.0.0.5:8786
      patchloom batch inbox --masks stamp.png -o outbox --watch
    """
    if resume + skip_existing + force > 1:
        raise click.UsageError("Give one of --resume, --skip-existing and --force.")
    if watch and (dry_run or skip_existing):
        raise click.UsageError("--watch continues by itself; leave out --dry-run and --skip-existing.")

    check_report(report, results, force or resume)

    from patchloom.batch.order import Batch, Order, fill_folder, watch_folder
    from patchloom.batch.work import Recipe

    order = Order(
        photos=photos,
        masks=masks,
        results=results,
        references=references,
        suffix=mask_suffix,
        recursive=recursive,
        recipe=Recipe(fill=settings, files=ways),
        run=run,
        existing="resume" if resume else "skip" if skip_existing else "replace" if force else "refuse",
        fail_fast=fail_fast,
        jobs=jobs or 0,
        cluster=cluster,
        journal=journal,
    )
    if dry_run:
        _show_plan(Batch(order), console)
        return
    worked_through(order, watch_folder if watch else fill_folder, report, console, endless=watch)


def worked_through(
    order: "Order", work: Callable[..., "Summary"], report: Path | None, console: Console, endless: bool = False
) -> None:
    """``work`` done on ``order``, with its report, its counts, and the exit code: 6 where pictures failed, 130
    where a run that is not ``endless`` was stopped before its end."""
    from patchloom.batch.order import Batch, write_report

    with interruptions() as cancel, console.listen() as observe:
        summary = work(order, observe=observe, cancel=cancel)
    if report is not None:
        write_report(report, Batch(order).journal_path, summary)
    counts = ", ".join(f"{count} {status}" for status, count in summary.counts.items() if count) or "nothing to do"
    console.say(f"{counts}, in {summary.seconds:.0f} s")
    if summary.cancelled and not endless:
        left = summary.pictures - summary.finished
        raise Cancelled(f"Stopped with {left} of {summary.pictures} pictures left.", "Continue with --resume.")
    if summary.counts["failed"]:
        raise click.exceptions.Exit(SOME_FAILED)


def check_report(report: Path | None, results: str, force: bool) -> None:
    """Raises OutputError now for a report that could not be written after the run; OUT may have to be made."""
    from patchloom.formats import ENDINGS
    from patchloom.outputs import require_distinct

    if report is None:
        return
    require_distinct({"--report": report, "--save-settings": saved_settings()}, {})
    if report.suffix.lower() in ENDINGS:
        raise OutputError(f"'{report}' would be a picture.", "A report is JSON: give it the ending .json.")
    if report.parent.is_dir() or not report.resolve().is_relative_to(Path(results).resolve()):
        files.check_output(str(report), force)


def _show_plan(batch: "Batch", console: Console) -> None:
    """What --dry-run prints: the pairs on standard output, the estimate for a person."""
    from patchloom.batch.estimate import estimate

    pairing = batch.pairing()
    plan = estimate(batch, pairing)
    rows = [
        (row.pair.photo, row.pair.mask, row.pair.output, row.problem or f"{row.share:.2%}") for row in plan.rows
    ]
    rows += [(item.photo, "", item.output, "no mask") for item in pairing.pairs if not item.mask]
    console.table("", ["photo", "mask", "result", "hole"], rows)
    if batch.references is not None:
        console.say(f"{sum(len(item.references) for item in pairing.pairs)} references in all")
    if pairing.unused_masks:
        console.warn(
            f"{len(pairing.unused_masks)} masks belong to no photo, for example {pairing.unused_masks[0]}."
        )
    failing = sum(bool(row.problem) for row in plan.rows)
    if failing:
        console.warn(f"{failing} of {len(plan.rows)} pairs that were read cannot be filled; the table says why.")
    each = f"{plan.seconds_each:.1f}" if plan.seconds_each >= 0.1 else f"{max(plan.seconds_each, 0.01):.2f}"
    known = f"about {each} s a picture, {_duration(plan.seconds)} in all"
    console.say(
        f"{counted(plan.pictures, 'picture')}, {plan.without_mask} without a mask, {len(plan.rows)} read; "
        f"{plan.workers} at once, {counted(plan.threads, 'thread')} each; "
        f"{known if plan.seconds_each else 'no time could be measured'}"
    )


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"
