"""``patchloom fill``: one photograph in, one out."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchloom.cli import files
from patchloom.cli.interrupt import listening
from patchloom.cli.options import SectionedCommand, fill_options
from patchloom.cli.output import Output, only_one_stream, output_options
from patchloom.console import Console, counted
from patchloom.events import Event, LevelDone, Observer
from patchloom.formats import pictures_among
from patchloom.settings import FROM_LIBRARY, FileSettings, FillSettings, RunSettings

if TYPE_CHECKING:
    from patchloom.filling import Filled, Prepared
    from patchloom.inpainter import Inpainter


@click.command(cls=SectionedCommand)
@click.argument("photo_name", metavar="PHOTO")
@click.argument("mask_name", metavar="[MASK]", required=False)
@click.option(
    "--box", "boxes", type=files.box, metavar="x,y,w,h", multiple=True, help="Fill this box; can be repeated."
)
@click.option("--alpha", "from_alpha", is_flag=True, help="Fill the photo's pixels that are not opaque.")
@click.option(
    "--infrared",
    **files.INFRARED,
    help="Fill dust and scratches that infrared light shows: a film scanner's channel beside the colours, or a "
    "FILE, or a PAGE of the photo's file.",
)
@output_options(done="filled", tells="settings, weights, times, losses")
@click.option(
    "--versions",
    type=click.IntRange(1, 64),
    default=1,
    metavar="N",
    help="Write N fills with N seeds, NAME-1.EXT and so on, and a contact sheet NAME-versions.png.",
)
@click.option("--source", "source_name", metavar="MASK", help="Texture may come only from what this marks.")
@click.option(
    "--coarse",
    "coarse_name",
    metavar="PICTURE",
    help="Follow this picture of the photo's size inside the hole: the result of another tool, or a sketch.",
)
@click.option(
    "--reference",
    "references",
    type=click.Path(path_type=Path),
    metavar="PICTURE",
    multiple=True,
    help="Another picture of the same scene, or a folder of such: what it shows of the hole is taken; repeatable.",
)
@click.option(
    "--library",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Texture may come from photographs of this library too, which patchloom library build makes.",
)
@click.option(
    "--from-library",
    type=click.IntRange(1, 64),
    default=FROM_LIBRARY,
    metavar="N",
    show_default=True,
    help="Take the N photographs of the library that fit the hole's surroundings best.",
)
@click.option(
    "--steps",
    "--preview-dir",
    "steps",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write a picture per level into this folder.",
)
@click.option("--dry-run", is_flag=True, help="Read and check everything, say what would be done, and stop.")
@fill_options
def command(
    photo_name: str,
    mask_name: str | None,
    boxes: tuple[tuple[int, int, int, int], ...],
    from_alpha: bool,
    infrared: str | int | None,
    output: Output,
    versions: int,
    source_name: str | None,
    coarse_name: str | None,
    references: tuple[Path, ...],
    library: Path | None,
    from_library: int,
    steps: Path | None,
    dry_run: bool,
    ways: FileSettings,
    settings: FillSettings,
    run: RunSettings,
    console: Console,
) -> None:
    """Fill the holes of PHOTO: what is white in MASK, in a --box, or transparent with --alpha.

    The result is written beside the photo as PHOTO.filled.EXT unless -o says otherwise, in the photo's own format
    and with its metadata; outside the hole nothing changes. PHOTO or MASK can be - for standard input.
    What a --reference shows of the hole is brought to the photo's exposure and taken over; where it shows
    something else, or another scene, it is not used, and that is said.

    \b
    Examples:
      patchloom fill beach.jpg mask.png
      patchloom fill beach.jpg --box 120,80,64,64 --preset best -o clean.jpg
      patchloom fill square.jpg people.png --reference later.jpg --reference earlier.jpg
      patchloom fill scan.tif scratches.png --grow 2 --report report.json
      patchloom fill slide.tif --infrared -o clean.tif
      patchloom fill beach.jpg mask.png --grow auto --versions 4
      cat beach.jpg | patchloom fill - mask.png -o - > clean.jpg
    """
    from patchloom.filling import Inputs, prepare

    only_one_stream((photo_name, mask_name, source_name, coarse_name))
    if mask_name is None and not boxes and not from_alpha and infrared is None:
        raise click.UsageError("Say what to fill: a MASK, --box x,y,w,h, --alpha or --infrared.")
    if versions > 1 and (steps is not None or (output.name or photo_name) == files.STREAM):
        raise click.UsageError("--versions goes neither with --steps nor with standard output.")
    others = pictures_among(references)
    kept = {"the photo": photo_name, "the mask": mask_name, "the source mask": source_name}
    kept["the coarse picture"] = coarse_name
    kept |= {f"reference {number}": str(name) for number, name in enumerate(others, 1)}
    output.check(kept, _results("-o", output.name, versions))
    _make_steps(steps, output.force)
    inputs = Inputs(
        photo=files.source(photo_name),
        mask=None if mask_name is None else files.source(mask_name),
        boxes=boxes,
        alpha=from_alpha,
        infrared=infrared,
        source=None if source_name is None else files.source(source_name),
        coarse=None if coarse_name is None else files.source(coarse_name),
        references=others,
        library=library,
        from_library=from_library,
    )
    prepared = prepare(inputs, settings, ways, name=output.name or "", observe=console.hear)
    if output.name is None:
        output = replace(output, name=files.default_output(photo_name, prepared.format, "filled"))
        output.check(kept, _results("the result", output.name, versions))
    from patchloom.inpainter import Inpainter

    if dry_run:
        Inpainter(run).check(prepared.settings, coarse=prepared.coarse is not None)
        _say_plan(console, prepared, str(output.name))
        return
    fills = _filled(prepared, Inpainter(run), versions, steps, console)
    names = list(_results("-o", output.name, versions).values())
    for name, filled in zip(names, fills, strict=False):
        files.write_or_rescue(name, filled.data, output.force)
    if versions > 1:
        from patchloom.cli.versions import contact_sheet

        files.write(names[-1], contact_sheet(prepared, fills), output.force)
    records = [
        {"photo": photo_name, "mask": mask_name, "coarse": coarse_name, "output": name, **filled.report}
        for name, filled in zip(names, fills, strict=False)
    ]
    output.write_report(records[0] if versions == 1 else {"versions": records})
    if output.name != files.STREAM:
        console.say("wrote " + ", ".join(names))


def _results(what: str, output: str | None, versions: int) -> dict[str, str]:
    """The pictures that are written, by what they are: the result, or versions and last their contact sheet."""
    if output is None:
        return {}
    if versions == 1:
        return {what: output}
    from patchloom.cli.versions import names, sheet_name

    numbered = {f"version {number}": name for number, name in enumerate(names(output, versions), 1)}
    return {**numbered, "the contact sheet": sheet_name(output)}


def _filled(
    prepared: "Prepared", inpainter: "Inpainter", versions: int, steps: Path | None, console: Console
) -> list["Filled"]:
    """The fills with the seeds that follow each other."""

    def with_seed(seed: int) -> "Filled":
        version = replace(prepared, settings=replace(prepared.settings, seed=seed))
        saving = (lambda observe: observe) if steps is None else partial(_saving_steps, steps)
        return listening(lambda observe: version.fill(inpainter, observe=saving(observe)), console)

    return [with_seed(prepared.settings.seed + number) for number in range(versions)]


def _make_steps(steps: Path | None, force: bool) -> None:
    """The folder for a picture per level. Raises OutputError where it cannot be made, or holds some already."""
    from patchloom.errors import OutputError
    from patchloom.outputs import make_folder

    if steps is None:
        return
    make_folder(steps)
    if not force and (found := next(steps.glob("window*-level*.png"), None)):
        raise OutputError(f"'{found}' exists already.", "Choose another folder, or overwrite with --force.")
    files.check_output(str(steps / "window.png"), force=True)


def _saving_steps(folder: Path, observe: Observer) -> Observer:
    """``observe``, and a PNG of every level's preview."""
    from patchloom.formats.picture import to_eight_bit
    from patchloom.photo import Photo

    def saving(event: Event) -> None:
        if isinstance(event, LevelDone) and event.preview is not None:
            name = f"window{event.window + 1:02d}-level{event.level + 1:02d}-{event.stage.replace(' ', '-')}.png"
            Photo.from_array(to_eight_bit(event.preview())).save(folder / name, force=True)
        observe(event)

    return saving


def _say_plan(console: Console, prepared: "Prepared", output: str) -> None:
    photo, hole, settings = prepared.photo, prepared.hole, prepared.settings
    console.say(f"{photo.format}, {photo.width} x {photo.height} pixels, {photo.pixels.dtype}")
    console.say(f"{100 * hole.share:.2g} % to fill, in {counted(len(hole.boxes()), 'part')}")
    console.say(f"preset {settings.preset}, seed {settings.seed}")
    console.say(f"would write {output}")
